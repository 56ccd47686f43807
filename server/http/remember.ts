// Pages that are the same for all who are not signed in are made once and kept until anything is written, two seconds at
// most. So a page that many people open at once costs little more than sending it.
import type { RequestHandler, Response } from 'express';
import type { House } from '../house.js';
import { writeCount } from '../store/guarded.js';

/** How old a page may be when another process wrote meanwhile, in milliseconds. */
const maxAgeMs = 2000;
const maxPages = 400;
const maxLength = 128 * 1024;
const maxKeyLength = 1000;

interface Kept {
  body: string;
  headers: [name: string, value: number | string | string[]][];
  writes: number;
  at: number;
}

/** Belongs before the session: who sends a cookie gets a page of their own. */
export function rememberPages(house: Pick<House, 'now'>): RequestHandler {
  const pages = new Map<string, Kept>();
  return (req, res, next) => {
    const accept = req.headers.accept ?? '';
    // Programs that ask for something else than a page are answered elsewhere.
    if (req.method !== 'GET' || req.headers.cookie !== undefined || !/^text\/html\b/.test(accept)) return next();
    const key = [req.originalUrl, accept, req.headers['accept-language'] ?? ''].join('\n');
    if (key.length > maxKeyLength) return next();
    const [writes, at] = [writeCount(), house.now().getTime()];
    const kept = pages.get(key);
    if (kept && kept.writes === writes && Math.abs(at - kept.at) < maxAgeMs) {
      for (const [name, value] of kept.headers) res.setHeader(name, value);
      res.send(kept.body);
      return;
    }
    const send = res.send.bind(res);
    res.send = (body: unknown) => {
      res.send = send;
      const isKept = typeof body === 'string' && body.length <= maxLength && isForAll(res) && writeCount() === writes;
      const headers = isKept ? headersOf(res) : [];
      send(body);
      if (!isKept) return res;
      const etag = res.getHeader('ETag');
      if (pages.size >= maxPages) pages.clear();
      pages.set(key, { body, headers: etag === undefined ? headers : [...headers, ['ETag', etag]], writes, at });
      return res;
    };
    next();
  };
}

/** Said by sendPage; and nothing was set for this reader alone. */
function isForAll(res: Response): boolean {
  if (res.statusCode !== 200 || res.locals.sameForAll !== true) return false;
  return !res.hasHeader('Set-Cookie') && !String(res.getHeader('Cache-Control') ?? '').includes('no-store');
}

function headersOf(res: Response): Kept['headers'] {
  return Object.entries(res.getHeaders()).flatMap(([name, value]) =>
    value === undefined || name === 'x-request-id' ? [] : [[name, value] satisfies Kept['headers'][number]],
  );
}
