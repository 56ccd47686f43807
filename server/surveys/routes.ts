// The pages of surveys, gathered: those of who asks, of who is asked, and what everybody reads.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { answerPages } from './routes/answerPages.js';
import { pollPages } from './routes/pollPages.js';

export function surveyRoutes(house: House): Routes {
  const routes = new Routes(house);
  answerPages(routes);
  pollPages(routes);
  return routes;
}
