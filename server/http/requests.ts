// A number for every request, one log line when it is answered, and its duration for whoever measures.
import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Log } from '../context.js';

export type Watcher = (req: Request, res: Response, milliseconds: number) => void;

/** Gives res.locals.requestId and X-Request-Id; tells the watcher when the answer has gone. */
export function followRequests(log: Log, watch?: Watcher): RequestHandler {
  return (req, res, next) => {
    const began = performance.now();
    const requestId = randomUUID();
    res.locals.requestId = requestId;
    res.set('X-Request-Id', requestId);
    res.on('close', () => {
      const ms = Math.round((performance.now() - began) * 10) / 10;
      watch?.(req, res, ms);
      const details = { requestId, method: req.method, path: pathOf(req), status: res.statusCode, ms };
      if (res.writableFinished) log.info(details, 'request');
      else log.info(details, 'request broken off');
    });
    next();
  };
}

/**
 * Without the query: it may hold what people look for, and tokens. And without who is asked what: when somebody has answered an
 * anonymous survey stands nowhere, nor who read the list of what they are asked just before; and the links of guests, of feeds
 * and in mails are secrets.
 */
export function pathOf(req: Request): string {
  const path = req.originalUrl.split('?', 1)[0]?.slice(0, 300) ?? '';
  return path
    .replace(/^(\/my\/collectives\/)[^/]*\/asked(?=\/|$)(?:\/[^/]+)?/, (whole, start: string) =>
      /\/asked$/.test(whole) ? `${start}:id/asked` : `${start}:id/asked/:survey`,
    )
    .replace(/^(\/me\/surveys\/)[^/]*/, '$1:survey')
    .replace(/^(\/(?:surveys\/(?:answer|by-link)|feeds|unsubscribe)\/)[^/]*/, '$1:token');
}

/** The pattern of the route that answered ("/@:handle"), for figures; never the address itself. */
export function routeOf(req: Request): string {
  const path: unknown = req.route?.path;
  return typeof path === 'string' ? path : 'other';
}
