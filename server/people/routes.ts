// All pages and deeds about people: the door, links from mails, one's own account, the administration, public persons.
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { adminRoutes } from './routes/admin.js';
import { openDoor } from './routes/door.js';
import { linkRoutes } from './routes/links.js';
import { meRoutes } from './routes/me.js';
import { publicRoutes } from './routes/publicPerson.js';
import { signInRoutes } from './routes/signIn.js';

export function peopleRoutes(house: House): Routes {
  const routes = new Routes(house);
  const door = openDoor(house);
  signInRoutes(routes, door);
  linkRoutes(routes, door);
  meRoutes(routes, door);
  adminRoutes(routes, door);
  publicRoutes(routes);
  return routes;
}
