// The door at which a refusal becomes an answer: a page in the house style, or JSON for programs.
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { DomainError, httpStatus } from '../errors.js';
import type { House } from '../house.js';
import { say } from '../i18n.js';
import { frameFor, sendPage } from './page.js';
import { pathOf } from './requests.js';

export const notFound: RequestHandler = (_req, _res, next) => next(new DomainError('not-found', 'error.notFound'));

export function answerErrors(house: House): ErrorRequestHandler {
  return async (error: unknown, req, res, next) => {
    const refusal = asDomainError(error);
    const status = refusal ? httpStatus[refusal.code] : 500;
    if (!refusal)
      house.log.error({ err: error, requestId: res.locals.requestId, path: pathOf(req) }, 'a request failed');
    if (res.headersSent) return next(error);
    res.status(status).set('Cache-Control', 'no-store');
    if (refusal?.retryAfter !== undefined) res.set('Retry-After', String(refusal.retryAfter));
    const message = refusal?.safeMessage ?? { key: 'error.internal' };
    try {
      const frame = await frameFor(house, req, res);
      if (!req.accepts('html')) {
        res.json({
          error: refusal?.code ?? 'internal',
          message: say(frame.t, message),
          requestId: res.locals.requestId,
        });
        return;
      }
      const model = { status, message, requestId: res.locals.requestId, field: refusal?.field };
      await sendPage(house, req, res, frame, 'errors/error', model, {
        title: frame.t(`error.title.${[403, 404, 409, 410, 422, 429, 500, 503].includes(status) ? status : 500}`),
        noIndex: true,
      });
    } catch (second) {
      // Not even the error page can be made (the store is gone): plain words, still with the right status.
      house.log.error({ err: second, requestId: res.locals.requestId }, 'the error page failed');
      if (!res.headersSent) res.status(status).type('text/plain').send(`${status}`);
    }
  };
}

/** Errors of body parsers and uploads are the sender's; everything else unknown is ours. */
function asDomainError(error: unknown): DomainError | null {
  if (error instanceof DomainError) return error;
  if (!(error instanceof Error)) return null;
  if (error instanceof URIError) return new DomainError('not-found', 'error.notFound', { cause: error });
  const { status, code } = error as { status?: unknown; code?: unknown };
  if (status === 413 || code === 'LIMIT_FILE_SIZE')
    return new DomainError('invalid', 'error.tooLarge', { cause: error });
  if (typeof code === 'string' && code.startsWith('LIMIT_'))
    return new DomainError('invalid', 'error.badForm', { cause: error });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new DomainError('invalid', 'error.badForm', { cause: error });
  }
  return null;
}
