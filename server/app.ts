// TABLE: what happens to a request, in order. One line per middleware, one per slice; errors last.

import express, { type Express, type RequestHandler } from 'express';
import type { Federation } from '../federation/federation.js';
import { activityRepresentation, federationRouter } from '../federation/routes.js';
import { catalogueRoutes } from './catalogue/routes.js';
import { collectiveRoutes } from './collectives/routes.js';
import { elsewhereRoutes } from './elsewhere/routes.js';
import { groupRoutes } from './groups/routes.js';
import { historyRoutes } from './history/routes.js';
import type { Engine, House } from './house.js';
import { refuseOtherHosts, securityHeaders } from './http/armour.js';
import { refuseCrossSite } from './http/csrf.js';
import { answerErrors, notFound } from './http/errors.js';
import { rememberPages } from './http/remember.js';
import { followRequests } from './http/requests.js';
import type { Routes } from './http/routes.js';
import { sessions } from './http/session.js';
import { staticFiles } from './http/static.js';
import { healthRoutes } from './instances/health.js';
import { instanceRoutes } from './instances/routes.js';
import { intentRoutes } from './intents/routes.js';
import { moderationRoutes } from './moderation/routes.js';
import { noticeRoutes } from './notices/routes.js';
import { partnerRoutes } from './partners/routes.js';
import { loadActor } from './people/routes/loadActor.js';
import { peopleRoutes } from './people/routes.js';
import { postRoutes } from './posts/routes.js';
import { siteRoutes, styleguideRoutes } from './site/routes.js';
import { surveyRoutes } from './surveys/routes.js';
import { uploadRoutes } from './uploads/routes.js';

/** The slices, in the order in which they are asked. Their lists name every route there is. */
export function slices(house: House, engine: Engine): Routes[] {
  return [
    siteRoutes(house),
    peopleRoutes(house),
    catalogueRoutes(house),
    collectiveRoutes(house),
    elsewhereRoutes(house),
    partnerRoutes(house),
    moderationRoutes(house),
    intentRoutes(house),
    uploadRoutes(house),
    postRoutes(house),
    surveyRoutes(house),
    groupRoutes(house),
    historyRoutes(house),
    noticeRoutes(house),
    instanceRoutes(house, engine),
    ...(engine.isDevelopment ? [styleguideRoutes(house)] : []),
  ];
}

export interface Surroundings {
  federation: Federation;
  /** Called after each request that may have changed something. */
  wake(): void;
}

/** Everything that answers over HTTP. */
export function buildApp(house: House, engine: Engine, { federation, wake }: Surroundings): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('trust proxy', house.trustProxy);

  app.use(followRequests(house.log, engine.metrics?.observe));
  app.use(securityHeaders(house.site));
  app.use(healthRoutes(house, engine));
  app.use(refuseOtherHosts(house.site));
  app.use('/assets', staticFiles());
  app.use(wakeAfterWrites(wake));
  app.use(rememberPages(house));
  app.use(federationRouter(federation, { version: engine.version }));
  app.use(activityRepresentation(federation));
  app.use(sessions(house));
  app.use(loadActor(house));
  app.use(refuseCrossSite(house.site.baseUrl));
  app.use(express.urlencoded({ extended: false, limit: '500kb', parameterLimit: 2000 }));
  for (const slice of slices(house, engine)) app.use(slice.router);
  app.use(notFound);
  app.use(answerErrors(house));
  return app;
}

function wakeAfterWrites(wake: () => void): RequestHandler {
  return (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') res.on('finish', wake);
    next();
  };
}
