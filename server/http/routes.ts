// The one way to declare a page or a deed over HTTP: each route states who may enter and the shape of what it takes.
// An unsafe route without a CSRF check or a route without shapes cannot be written. Handlers hold no logic.
import express, { type NextFunction, type Request, type RequestHandler, type Response, type Router } from 'express';
import multer from 'multer';
import { z } from 'zod';
import type { Context, Language, PersonActor } from '../context.js';
import { DomainError, httpStatus, InvalidFields, type Message } from '../errors.js';
import { contextOf, type House } from '../house.js';
import type { Translate } from '../i18n.js';
import { checkCsrf } from './csrf.js';
import { type FormState, fieldErrors, nest } from './form.js';
import { showKeptForm, showTyped } from './keptForm.js';
import { frameFor, type PageOptions, sendPage } from './page.js';

/** Who may pass the door. Finer rights (which collective, which role) are the rules' business. */
export type Access = 'public' | 'signedIn' | 'moderator' | 'administrator';

type Shape = z.ZodType;
const nothing = z.object({});
/** Bytes of a text field beside a file, unless told otherwise. */
const textBytes = 64 * 1024;

export interface RouteSpec<P extends Shape, Q extends Shape, B extends Shape> {
  access: Access;
  params?: P;
  query?: Q;
  body?: B;
  /**
   * The name of one file field, and the largest size of a file in bytes. Makes the route take multipart/form-data.
   * `maxCount`: the field takes several files (1 unless told), together no more than eight of the largest.
   * `maxText`: bytes of a text field (64 KiB unless told).
   */
  file?: { field: string; maxBytes: number; maxCount?: number; maxText?: number };
  /** Shows the form again, filled in, after a refusal of the shape or of the deed. Absent: an error page. */
  retry?: (visit: Visit<z.output<P>, z.output<Q>, unknown>, form: FormState) => Promise<void> | void;
  /** Public pages may be cached for a minute by default; 'none' for what depends on the reader. */
  cache?: 'none';
  /**
   * The address itself proves who may: it holds a link that we signed (RFC 8058). No session, so no token of one; the path
   * stands in http/csrf.ts too.
   */
  proof?: 'link';
}

export interface UploadedFile {
  bytes: Buffer;
  /** As the sender names it: show it, never trust it. */
  fileName: string;
}

/** One request as a handler sees it. */
export interface Visit<P, Q, B> {
  req: Request;
  res: Response;
  house: House;
  ctx: Context;
  language: Language;
  t: Translate;
  params: P;
  query: Q;
  body: B;
  file: UploadedFile | null;
  /** All of them, where the field takes several. */
  files: UploadedFile[];
  /** Sends views/<view>.hbs in the page layout. */
  page(view: string, model: object, options: PageOptions): Promise<void>;
  /** 303 to a path of this server; `done` is said at the top of the next page. */
  redirect(path: string, done?: Message): void;
  /** Leaves the request to the next matching route. */
  pass(): void;
}

export interface RouteRecord {
  method: 'get' | 'post';
  path: string;
  access: Access;
}

type Handler<P, Q, B> = (visit: Visit<P, Q, B>) => Promise<void> | void;

export class Routes {
  readonly router: Router = express.Router({ caseSensitive: true });
  readonly list: RouteRecord[] = [];

  constructor(readonly house: House) {}

  get<P extends Shape = typeof nothing, Q extends Shape = typeof nothing>(
    path: string,
    spec: RouteSpec<P, Q, typeof nothing>,
    handler: Handler<z.output<P>, z.output<Q>, unknown>,
  ): this {
    this.list.push({ method: 'get', path, access: spec.access });
    this.router.get(path, (req, res, next) => this.run(req, res, next, spec, handler));
    return this;
  }

  post<P extends Shape = typeof nothing, Q extends Shape = typeof nothing, B extends Shape = typeof nothing>(
    path: string,
    spec: RouteSpec<P, Q, B>,
    handler: Handler<z.output<P>, z.output<Q>, z.output<B>>,
  ): this {
    this.list.push({ method: 'post', path, access: spec.access });
    const readers = spec.file ? fileReaders(spec.access, spec.file) : [];
    this.router.post(path, ...readers, (req, res, next) => this.run(req, res, next, spec, handler));
    return this;
  }

  private async run<P extends Shape, Q extends Shape, B extends Shape>(
    req: Request,
    res: Response,
    next: NextFunction,
    spec: RouteSpec<P, Q, B>,
    handler: Handler<z.output<P>, z.output<Q>, z.output<B>>,
  ): Promise<void> {
    const ctx = contextOf(this.house, res.locals.actor ?? null);
    try {
      if (req.method === 'POST' && spec.proof !== 'link') checkCsrf(req);
      if (!enter(spec.access, ctx.actor, req, res)) return;
    } catch (error) {
      if (await showKeptForm(this.house, req, res, spec, error)) return;
      throw error;
    }
    if (spec.access !== 'public' || spec.cache === 'none' || ctx.actor || res.locals.session) {
      res.set('Cache-Control', 'no-store');
    }
    const params = (spec.params ?? nothing).safeParse(req.params);
    if (!params.success) throw new DomainError('not-found', 'error.notFound');
    const query = (spec.query ?? nothing).safeParse(nest(withoutTrackers(req.query)));
    if (!query.success) throw new DomainError('invalid', 'error.badQuery');

    const frame = await frameFor(this.house, req, res);
    const files = uploadsOf(req);
    const visit: Visit<z.output<P>, z.output<Q>, unknown> = {
      req,
      res,
      house: this.house,
      ctx,
      language: frame.language,
      t: frame.t,
      params: params.data as z.output<P>,
      query: query.data as z.output<Q>,
      body: undefined,
      file: files[0] ?? null,
      files,
      page: (view, model, options) => sendPage(this.house, req, res, frame, view, model, options),
      redirect: (path, done) => {
        if (!done) return res.redirect(303, path);
        req.session.flash = done;
        // Stored before the answer: a quick browser asks for the next page before this answer has ended.
        req.session.save((error: unknown) => (error ? next(error) : res.redirect(303, path)));
      },
      pass: () => next(),
    };
    const values = req.method === 'POST' ? nest(req.body ?? {}) : {};
    const body = (spec.body ?? nothing).safeParse(values);
    if (!body.success) {
      return refuse(visit, spec, { values, errors: fieldErrors(body.error) });
    }
    try {
      await handler({ ...visit, body: body.data as z.output<B> });
    } catch (error) {
      if (!(spec.retry && error instanceof DomainError)) throw error;
      const one = { field: error.field ?? '', message: error.safeMessage };
      const form = { values, errors: error instanceof InvalidFields ? [...error.errors] : [one] };
      if (corrected.has(error.code)) await refuse(visit, spec, form);
      else if (!(await showAgain(visit, spec, form, error))) throw error;
    }
  }
}

/** Refusals after which the form is corrected and sent again. */
const corrected = new Set<DomainError['code']>(['invalid', 'conflict', 'closed']);

interface Retry<P, Q> {
  retry?: (visit: Visit<P, Q, unknown>, form: FormState) => Promise<void> | void;
}

/**
 * What was typed is not lost when its subject went away meanwhile or there was too much of it: the form again where it can be
 * shown, else the words to be copied. False: nothing was answered, since a program asks or nothing was written.
 */
async function showAgain<P, Q>(
  visit: Visit<P, Q, unknown>,
  { retry }: Retry<P, Q>,
  form: FormState,
  error: DomainError,
): Promise<boolean> {
  const { req, res } = visit;
  if (req.method !== 'POST' || req.accepts(['html', 'json']) !== 'html') return false;
  if (error.retryAfter !== undefined) res.set('Retry-After', String(error.retryAfter));
  res.status(httpStatus[error.code]).set('Cache-Control', 'no-store');
  if (retry && (error.code === 'gone' || error.code === 'too-many')) {
    try {
      await retry(visit, form);
      return true;
    } catch (second) {
      // The page around the form went with its subject, or is not for this reader any more.
      if (!(second instanceof DomainError)) throw second;
    }
  }
  return showTyped(visit.house, req, res, error);
}

async function refuse<P, Q>(visit: Visit<P, Q, unknown>, spec: Retry<P, Q>, form: FormState): Promise<void> {
  const first = form.errors[0];
  if (!spec.retry) {
    throw new DomainError('invalid', first?.message ?? 'shape.invalid', first ? { field: first.field } : {});
  }
  visit.res.status(422);
  await spec.retry(visit, form);
}

/** True when the actor may pass; otherwise has answered (sign-in page) or throws. */
function enter(access: Access, actor: Context['actor'], req: Request, res: Response): boolean {
  if (access === 'public') return true;
  if (actor?.kind !== 'person') {
    if (req.method !== 'GET') throw new DomainError('not-allowed', 'error.signInFirst');
    res.set('Cache-Control', 'no-store').redirect(303, `/sign-in?next=${encodeURIComponent(req.originalUrl)}`);
    return false;
  }
  if (access === 'administrator' && actor.instanceRole !== 'administrator') throw hidden();
  if (access === 'moderator' && actor.instanceRole === null) throw hidden();
  return true;
}

/** Others append parameters to our links (?_gl=, ?_hsenc=): they mean nothing here and must not cost the page. */
function withoutTrackers(query: Request['query']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query).filter(([name]) => !/^_(?!_)/.test(name)));
}

/** Pages of the administration do not exist for those who may not see them. */
function hidden(): DomainError {
  return new DomainError('not-found', 'error.notFound');
}

/** The signed-in person of a route with access other than 'public'. */
export function personOf(ctx: Context): PersonActor {
  if (ctx.actor?.kind !== 'person') throw new DomainError('not-allowed', 'error.signInFirst');
  return ctx.actor;
}

/** As many files of the largest size as one form may hold in all: it is read into memory. */
const largestFiles = 8;

/** Nothing is read from who may not enter, nor of a form that is larger than all that is asked for. */
function fileReaders(access: Access, file: FileSpec): RequestHandler[] {
  const { maxBytes, maxCount = 1, maxText = textBytes } = file;
  const most = Math.min(maxCount, largestFiles) * maxBytes + maxText + textBytes;
  const guard: RequestHandler = (req, res, next) => {
    if (!enter(access, res.locals.actor ?? null, req, res)) return;
    const length = Number(req.headers['content-length'] ?? Number.NaN);
    if (!(length <= most)) throw new DomainError('invalid', 'error.tooLarge');
    next();
  };
  const read = multer(uploadLimits(file)).array(file.field, maxCount);
  // It keeps files in memory: whatever fails is the form, be it cut short or written wrong.
  const reader: RequestHandler = (req, res, next) =>
    void read(req, res, (error: unknown) => {
      if (!error || error instanceof multer.MulterError) return next(error);
      next(new DomainError('invalid', 'error.badForm', { cause: error }));
    });
  return [guard, reader];
}

function uploadLimits({ maxBytes, maxCount = 1, maxText = textBytes }: FileSpec): multer.Options {
  const limits = { fileSize: maxBytes, files: maxCount, fields: 100, fieldSize: maxText, fieldNameSize: 100 };
  return { storage: multer.memoryStorage(), limits: { ...limits, parts: 100 + maxCount } };
}

type FileSpec = NonNullable<RouteSpec<Shape, Shape, Shape>['file']>;

/** Fields of files that were left empty arrive as files of no bytes. */
function uploadsOf(req: Request): UploadedFile[] {
  const received = Array.isArray(req.files) ? req.files : [];
  return received
    .map(({ buffer, originalname }) => ({ bytes: buffer, fileName: originalname }))
    .filter(({ bytes, fileName }) => bytes.length > 0 || fileName !== '');
}
