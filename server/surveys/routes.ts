// The pages of surveys, gathered: those of who asks, of who is asked, and what everybody reads.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { answerPages } from './routes/answerPages.js';
import { guestPages } from './routes/guestPages.js';
import { linkPages } from './routes/linkPages.js';
import { organisePages } from './routes/organisePages.js';
import { personPages } from './routes/personPages.js';
import { pollPages } from './routes/pollPages.js';
import { questionPages } from './routes/questionPages.js';
import { readPages } from './routes/readPages.js';
import { resultPages } from './routes/resultPages.js';

export function surveyRoutes(house: House): Routes {
  const routes = new Routes(house);
  answerPages(routes);
  linkPages(routes);
  personPages(routes);
  guestPages(routes);
  resultPages(routes);
  readPages(routes);
  organisePages(routes);
  questionPages(routes);
  pollPages(routes);
  return routes;
}
