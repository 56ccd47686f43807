// Cross-site request forgery: where a request comes from (Fetch Metadata, Origin) and a token bound to the session.
import { csrfSync } from 'csrf-sync';
import type { Request, RequestHandler } from 'express';
import { DomainError } from '../errors.js';

const { generateToken, isRequestValid } = csrfSync({
  getTokenFromRequest: (req) => {
    const token: unknown = req.body?._csrf ?? req.headers['x-csrf-token'];
    return typeof token === 'string' ? token : undefined;
  },
  getTokenFromState: (req) => req.session.csrfToken,
  storeTokenInState: (req, token) => {
    req.session.csrfToken = token ?? undefined;
  },
});

/** The token for a form. Starts a session, so only pages with a form that acts call it. */
export function csrfToken(req: Request): string {
  return generateToken(req, false);
}

/** Refuses an unsafe request without the session's own token. Called by Routes.post; nothing else may declare one. */
export function checkCsrf(req: Request): void {
  if (!isRequestValid(req)) throw new DomainError('not-allowed', 'error.formExpired');
}

/** A mail program posts there without a page of ours (RFC 8058): what such a route does hangs on the signed address alone. */
const signedPath = /^\/unsubscribe\/[^/]+$/;

/**
 * Refuses unsafe requests that another site's page sent, before any body is read (OWASP: Fetch Metadata, Origin as the
 * fallback). A request that says nothing of where it comes from is refused. The inbox is mounted before it.
 */
export function refuseCrossSite(baseUrl: string): RequestHandler {
  return (req, _res, next) => {
    if (['GET', 'HEAD', 'OPTIONS'].includes(req.method) || signedPath.test(req.path)) return next();
    if (isOurPage(req.headers['sec-fetch-site'], req.headers.origin, baseUrl)) return next();
    next(new DomainError('not-allowed', 'error.crossSite'));
  };
}

/**
 * A page with Referrer-Policy: no-referrer (links in mails lead to such) sends "Origin: null" even to its own site
 * (Fetch §3.2): that is believed only beside Sec-Fetch-Site, which no page can forge.
 */
function isOurPage(site: unknown, origin: string | undefined, baseUrl: string): boolean {
  if (site === undefined) return origin === baseUrl;
  return site === 'same-origin' && (origin === baseUrl || origin === 'null' || origin === undefined);
}
