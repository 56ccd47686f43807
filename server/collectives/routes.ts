// The pages of hosters, in the order in which they are asked.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { adminPages } from './routes/adminPages.js';
import { editPages } from './routes/editPages.js';
import { memberPages } from './routes/memberPages.js';
import { publicPages } from './routes/publicPages.js';

export function collectiveRoutes(house: House): Routes {
  const routes = new Routes(house);
  editPages(routes);
  memberPages(routes);
  adminPages(routes);
  publicPages(routes);
  return routes;
}
