// What every answer carries whatever happens, and which requests are not for us. Mounted first; knows no route.
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { Site } from '../context.js';

/** The headers of security.md WB-22 on every answer, errors, files and ActivityPub included. */
export function securityHeaders(site: Site): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'font-src': ["'self'"],
        'connect-src': ["'self'"],
        'form-action': ["'self'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
        'object-src': ["'none'"],
        'manifest-src': ["'self'"],
      },
    },
    strictTransportSecurity: site.baseUrl.startsWith('https:')
      ? { maxAge: 31_536_000 * 2, includeSubDomains: false }
      : false,
    referrerPolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  });
}

/**
 * Answers 421 (RFC 9110 §15.5.20) to a Host that is not ours, so that no page, link or cached copy is ever made for a
 * name that somebody else chose. On this machine, localhost and its addresses are one.
 */
export function refuseOtherHosts(site: Site): RequestHandler {
  const hosts = new Set([site.host.toLowerCase()]);
  const local = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.exec(site.host);
  if (local) for (const name of ['localhost', '127.0.0.1', '[::1]']) hosts.add(`${name}${local[2] ?? ''}`);
  return (req, res, next) => {
    if (hosts.has((req.headers.host ?? '').toLowerCase())) return next();
    res
      .status(421)
      .type('text/plain')
      .set('Cache-Control', 'no-store')
      .send('This server does not answer for that name.\n');
  };
}
