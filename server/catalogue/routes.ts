// The catalogue over HTTP. Order matters only where addresses overlap: the fixed names of the well-known folder come first.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { editPages } from './routes/editPages.js';
import { filePages } from './routes/filePages.js';
import { importPages } from './routes/importPages.js';
import { publicPages } from './routes/publicPages.js';

export function catalogueRoutes(house: House): Routes {
  const routes = new Routes(house);
  publicPages(routes);
  filePages(routes);
  editPages(routes);
  importPages(routes);
  return routes;
}
