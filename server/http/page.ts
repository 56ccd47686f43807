// From a model to the bytes of a page: language, words, navigation, messages of the last deed, alternates.
import type { Request, Response } from 'express';
import type {} from 'express-session';
import { type Language, languages } from '../context.js';
import type { Message } from '../errors.js';
import { contextOf, type House } from '../house.js';
import { type InstanceSettings, readSettings, wordsIn } from '../instances/settings.js';
import { countOpenReports } from '../moderation/queries.js';
import { countNeeds } from '../notices/needs.js';
import { csrfToken } from './csrf.js';
import { addressKey, limitInMemory } from './limits.js';
import type { PageFrame } from './views.js';

declare module 'express-session' {
  interface SessionData {
    flash?: Message;
  }
}

export interface PageOptions {
  /** The title as shown in the tab, already in the reader's language, without the instance's name. */
  title: string;
  description?: string;
  /** The navigation entry that is current: 'catalogue', 'collectives', 'changes', 'mine', 'admin'. */
  nav?: string;
  /** Address of the same thing as ActivityStreams, as a feed, ... */
  alternates?: { type: string; href: string; title?: string }[];
  jsonLd?: object;
  /** Keeps search engines away. Pages behind a sign-in always are. */
  noIndex?: boolean;
  layout?: string;
  /** A form that acts is on the page, though the reader is not signed in (sign-in, invitation, reset). */
  withForm?: boolean;
}

/**
 * A form for a visitor starts a session, which is kept for hours: from one address only so many. Who opens the form of an
 * anonymous survey stands in no store, so it is counted in memory. Enough for an assembly of hundreds behind one address.
 */
const newSessions = { limit: 600, windowMs: 60 * 60 * 1000 };
const begun = new WeakMap<House, (key: string) => void>();

function checkNewSession(house: House, req: Request): void {
  const take = begun.get(house) ?? limitInMemory(house, newSessions);
  begun.set(house, take);
  take(addressKey(req));
}

/** Language from the person, then the cookie, then the browser (RFC 9110 §12.5.4), then the instance's default. */
export function languageOf(req: Request, res: Response, fallback: Language): Language {
  const personal: unknown = res.locals.preferences?.language;
  if (isLanguage(personal)) return personal;
  const cookie = /(?:^|;\s*)lang=(fr|en)(?:;|$)/.exec(req.headers.cookie ?? '')?.[1];
  if (isLanguage(cookie)) return cookie;
  const wanted = req.acceptsLanguages(fallback, ...languages);
  return isLanguage(wanted) ? wanted : fallback;
}

export async function frameFor(house: House, req: Request, res: Response): Promise<PageFrame> {
  const settings: InstanceSettings = await readSettings(house.store);
  const language = languageOf(req, res, house.site.defaultLanguage);
  return {
    language,
    t: house.i18n.translator(language, wordsIn(settings, language)),
    timeZone: res.locals.preferences?.timeZone ?? settings.timeZone,
    showsPictures: res.locals.preferences?.showsPictures === true,
    settings,
  };
}

export async function sendPage(
  house: House,
  req: Request,
  res: Response,
  frame: PageFrame,
  view: string,
  model: object,
  options: PageOptions,
): Promise<void> {
  const actor = res.locals.actor ?? null;
  const needsToken = actor !== null || options.withForm === true;
  if (options.withForm && actor === null && !req.session.csrfToken) checkNewSession(house, req);
  const flash = req.session?.flash;
  if (flash) delete req.session.flash;
  res.vary('Accept-Language').vary('Cookie').vary('Accept');
  // Nothing in such a page is about its reader but the language.
  res.locals.sameForAll = !needsToken && !flash;
  const html = house.views.render(
    view,
    model,
    {
      ...frame,
      ...options,
      actor,
      needs: actor === null ? null : await countNeeds(contextOf(house, actor), actor.personId),
      openReports: options.nav === 'admin' ? await countOpenReports(house.store) : null,
      flash,
      csrf: needsToken ? csrfToken(req) : '',
      path: req.path,
      here: req.originalUrl,
      site: house.site,
      canonical: `${house.site.baseUrl}${req.path}`,
      otherLanguage: frame.language === 'fr' ? 'en' : 'fr',
      noIndex: options.noIndex === true || actor !== null,
    },
    options.layout,
  );
  res.set('Content-Language', frame.language).type('html').send(html);
}

function isLanguage(value: unknown): value is Language {
  return languages.includes(value as Language);
}
