// For machines that watch over this one: is it alive, is it ready, how is it doing. Before sessions and the Host check,
// since a watcher asks by address. Tells nothing about people.
import { createHash, timingSafeEqual } from 'node:crypto';
import { type RequestHandler, Router } from 'express';
import type { Engine, House } from '../house.js';

export function healthRoutes(house: House, engine: Engine): RequestHandler {
  const router = Router({ caseSensitive: true, strict: true });
  router.use(['/health', '/metrics'], (_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  });
  router.get('/health/live', (_req, res) => void res.json({ status: 'alive' }));
  router.get('/health/ready', async (_req, res) => {
    if (engine.isStopping()) return void res.status(503).json({ status: 'stopping' });
    try {
      await inTime(house.store.ping(), 2_000);
      res.json({ status: 'ready' });
    } catch (error) {
      house.log.error({ err: error }, 'the store does not answer');
      res.status(503).json({ status: 'store does not answer' });
    }
  });
  router.get('/metrics', async (req, res, next) => {
    if (engine.metrics === null) return next();
    if (!isBearer(req.headers.authorization, engine.metrics.token)) {
      return void res
        .status(401)
        .set('WWW-Authenticate', 'Bearer')
        .type('text/plain')
        .send('METRICS_TOKEN is needed\n');
    }
    const { contentType, text } = await engine.metrics.render();
    res.set('Content-Type', contentType).send(text);
  });
  return router;
}

/** Compares digests, so that neither length nor content shows in the time it takes. */
function isBearer(header: string | undefined, token: string): boolean {
  const given = createHash('sha256')
    .update(header ?? '')
    .digest();
  const expected = createHash('sha256').update(`Bearer ${token}`).digest();
  return timingSafeEqual(given, expected);
}

async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
