// The pages of surveys, gathered: those of who asks, of who is asked, and what everybody reads.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { answerPages } from './routes/answerPages.js';
import { guestPages } from './routes/guestPages.js';
import { linkPages } from './routes/linkPages.js';
import { personPages } from './routes/personPages.js';

export function surveyRoutes(house: House): Routes {
  const routes = new Routes(house);
  answerPages(routes);
  linkPages(routes);
  personPages(routes);
  guestPages(routes);
  return routes;
}
