// What can be asked of partners over HTTP: one file for each kind of page, in routes/.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { blockPages } from './routes/blockPages.js';
import { followerPages } from './routes/followerPages.js';
import { partnerPages } from './routes/partnerPages.js';
import { picturePages } from './routes/picturePages.js';

export function partnerRoutes(house: House): Routes {
  const routes = new Routes(house);
  followerPages(routes);
  partnerPages(routes);
  blockPages(routes);
  picturePages(routes);
  return routes;
}
