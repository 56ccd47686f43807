// The pages of surveys, gathered: those of who asks, of who is asked, and what everybody reads.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { answerPages } from './routes/answerPages.js';
import { linkPages } from './routes/linkPages.js';

export function surveyRoutes(house: House): Routes {
  const routes = new Routes(house);
  answerPages(routes);
  linkPages(routes);
  return routes;
}
