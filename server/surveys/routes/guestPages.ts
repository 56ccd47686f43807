// Surveys before everybody: the list, what one is, the form where anybody may answer, a guest's link to an answer, and whether
// an anonymous answer was counted. Nothing here is kept about who reads; a session begins with the form only.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { paged } from '../../collectives/present.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import { addressKey, limiter, limitInMemory, withinLimit } from '../../http/limits.js';
import type { Routes, Visit } from '../../http/routes.js';
import { readLink, signLink } from '../../secrets.js';
import { line, optionalEmail } from '../../shapes.js';
import { isCounted, withdrawAnswer } from '../actions/answering.js';
import { requestLink } from '../actions/copies.js';
import { findAskedAddress, findForAnyone, findPublicSurvey, guestAnswerer, listPublicSurveys } from '../askedPeople.js';
import { type AskedSurvey, findOwnAnswer } from '../askedSurveys.js';
import { isOpenNow, presentAskedList, presentPromise, presentSlotOf, publicCrumbs } from '../presentAsked.js';
import { findAnswer, findSurvey } from '../queries.js';
import { guestLink, mayRead, pickText, readGuestLink } from '../rules.js';
import {
  answerFields,
  pageQuery,
  receiveAnswer,
  type Seat,
  showAnswer,
  showAnswerAgain,
  showDone,
} from './answerForm.js';

declare module 'express-session' {
  interface SessionData {
    /** Of a guest in the middle of a form: survey id -> the id under which the answer is kept. Never of an anonymous one. */
    surveyGuests?: Record<string, string>;
  }
}

const pageNumber = z.coerce.number().int().min(1).max(1000).default(1);
const listQuery = z.object({ open: pageNumber, results: pageNumber });
const surveyParams = z.object({ survey: z.uuid() });
const tokenParams = z.object({ token: z.string().min(3).max(200) });
const receiptShape = z.object({ number: z.string().trim().max(100).default('') });
const doneQuery = z.object({ mailed: z.string().max(10).optional() });
const guestShape = z.object({ ...answerFields, name: line(100).default(''), email: optionalEmail.default(null) });

type SurveyVisit = Visit<z.output<typeof surveyParams>, unknown, unknown>;
type TokenVisit = Visit<z.output<typeof tokenParams>, unknown, unknown>;
type AnyVisit = Visit<unknown, unknown, unknown>;
type Retry<P extends z.ZodType> = Parameters<typeof Routes.prototype.post<P>>[1]['retry'];

const hour = 60 * 60 * 1000;
/**
 * An assembly of some hundred may sit behind one address and answer within minutes; each of them perhaps corrects once. Of
 * anonymous surveys both are counted in memory alone.
 */
const answersLimit = { name: 'survey.guest', limit: 600, windowMs: hour };
/** A draft keeps itself three times a minute, and a whole meeting may sit behind one address. */
const draftsLimit = { name: 'survey.draft', limit: 6000, windowMs: hour };
/** Mails to one address; it need not belong to who typed it. */
const mailsLimit = { name: 'survey.mail', limit: 3, windowMs: hour };
const formsKept = 20;
/** Numbers of anonymous answers, looked up from one address. */
const receiptsLimit = { limit: 60, windowMs: hour };

export function guestPages(routes: Routes): void {
  publicPages(routes);
  receiptPages(routes);
  linkPages(routes);
  formPages(routes);
}

function publicPages(routes: Routes): void {
  routes.get('/surveys', { access: 'public', query: listQuery }, async (visit) => {
    const { open, results } = visit.query;
    const shown = await listPublicSurveys(visit.ctx, { open, published: results });
    const path = (key: string) => `/surveys/${key}`;
    const given = (name: 'open' | 'results', page: number) => ({ [name]: page > 1 ? String(page) : '' });
    const model = {
      open: presentAskedList(shown.open.lines, path, visit.language).open,
      published: asResults(presentAskedList(shown.published.lines, (key) => `${path(key)}/results`, visit.language)),
      openPaging: paged('/surveys', given('results', results), shown.open, 'open'),
      publishedPaging: paged('/surveys', given('open', open), shown.published, 'results'),
    };
    await visit.page('surveys/publicList', model, { title: visit.t('surveys.public.title') });
  });

  routes.get('/surveys/:survey', { access: 'public', params: surveyParams }, async (visit) => {
    const asked = await findPublicSurvey(visit.ctx, visit.params.survey);
    if (asked === null) return leadOn(visit);
    const { survey } = asked;
    const model = {
      ...presentHead(visit, asked),
      isOpen: isOpenNow(asked, visit.ctx.now),
      slot: presentSlotOf(asked, visit.language, `/surveys/${asked.key}/slot.ics`),
      answerHref: survey?.answerBy === 'anyone' ? `/surveys/${asked.key}/answer` : null,
      resultsHref:
        survey?.results.readers === 'public' && survey.results.publishedAt !== null
          ? `/surveys/${asked.key}/results`
          : null,
      receiptHref: asked.names === 'anonymous' ? `/surveys/${asked.key}/receipt` : null,
      ...(survey?.answerBy === 'anyone' && presentPromise(asked.names, 'anyone', false)),
    };
    // Whoever gave the link to a few did not give it to search engines.
    const isForFew = survey?.answerBy === 'anyone' && !survey.listed;
    await visit.page('surveys/public', model, { title: model.title.text, noIndex: isForFew });
  });
}

/**
 * Whether an anonymous answer counts: for whoever has its number, also those who answered by a link and have no account here.
 * The number comes by POST, so that it stands in no address and no log.
 */
function receiptPages(routes: Routes): void {
  const path = '/surveys/:survey/receipt';
  const spec = { access: 'public', params: surveyParams, cache: 'none' } as const;
  const count = limitInMemory(routes.house, receiptsLimit);
  routes.get(path, spec, (visit) => showReceipt(visit, null));
  const showAgain: Retry<typeof surveyParams> = (visit, form) => showReceipt(visit, null, form);

  routes.post(path, { ...spec, body: receiptShape, retry: showAgain }, async (visit) => {
    const { number } = visit.body;
    if (number !== '') count(addressKey(visit.req));
    await showReceipt(visit, number === '' ? null : number);
  });
}

/** Refuses: not-found (not anonymous, or never opened). What the survey is called is for those who may read it. */
async function showReceipt(visit: SurveyVisit, number: string | null, form: FormState | null = null): Promise<void> {
  const survey = await findSurvey(visit.ctx.store, visit.params.survey);
  const hasOpened = survey !== null && survey.deletedAt === null && survey.openedAt !== null;
  if (!hasOpened || survey.names !== 'anonymous') throw new DomainError('not-found', 'error.notFound');
  const isTheirs = mayRead(survey) || (await findAskedAddress(visit.ctx, survey._id)) !== null;
  const title = pickText(survey.title, visit.language, survey.languages);
  const crumbs = isTheirs ? [{ href: `/surveys/${survey._id}`, label: title.text }] : null;
  const isKnown = number === null ? null : await isCounted(visit.ctx, survey._id, number);
  const model = {
    crumbs,
    action: visit.req.path,
    number: number ?? '',
    wasAsked: number !== null,
    isCounted: isKnown,
    errors: form?.errors,
  };
  await visit.page('surveys/receipt', model, {
    title: visit.t('surveys.receipt.title'),
    withForm: true,
    noIndex: true,
  });
}

/** Published results need no word on whether somebody has answered. */
function asResults({ open, closed }: ReturnType<typeof presentAskedList>): object[] {
  return [...open, ...closed].map((item) => ({
    ...item,
    state: { kind: 'none', label: 'surveys.public.results.label' },
  }));
}

function presentHead({ language }: AnyVisit, asked: AskedSurvey) {
  return {
    title: pickText(asked.title, language, asked.languages),
    intro: pickText(asked.intro, language, asked.languages),
    organiser: asked.organiser,
    crumbs: publicCrumbs,
    end: asked.closedAt ?? asked.closesAt,
  };
}

/** The address that everybody is given: who is asked comes to their own form; it is not said whether there is one. */
async function leadOn(visit: SurveyVisit): Promise<void> {
  if (visit.ctx.actor === null) return signIn(visit);
  const address = await findAskedAddress(visit.ctx, visit.params.survey);
  if (address === null) throw new DomainError('not-found', 'error.notFound');
  visit.redirect(address);
}

function signIn(visit: AnyVisit): void {
  visit.redirect(`/sign-in?next=${encodeURIComponent(visit.req.originalUrl)}`);
}

/** The form for anybody: a second visit with the same browser comes back to the same answer. */
function formPages(routes: Routes): void {
  const path = '/surveys/:survey/answer';
  const limit = limitFor(routes);
  const limitUnseen = limitInMemory(routes.house, answersLimit);
  const entering = { access: 'public', params: surveyParams, cache: 'none' } as const;
  routes.get(path, { ...entering, query: pageQuery }, async (visit) => {
    const { seat, guestId } = await enter(visit);
    // Kept with the form, so that what is sent twice at once is one answer.
    if (seat.asked.names !== 'anonymous' && isOpenNow(seat.asked, visit.ctx.now)) keepGuest(visit, guestId);
    await showAnswer(visit, seat, { page: visit.query.page ?? null, values: null, errors: [] });
  });

  const again: Retry<typeof surveyParams> = async (visit, form) =>
    showAnswerAgain(visit, asTyped((await enter(visit)).seat, form.values), form);
  routes.post(path, { ...entering, body: guestShape, retry: again }, async (visit) => {
    const { seat, guestId } = await enter(visit);
    if (seat.asked.names === 'anonymous') limitUnseen(addressKey(visit.req));
    else await limit(visit);
    if (seat.own.isAnswered && seat.asked.names === 'anonymous') {
      throw new DomainError('conflict', 'surveys.error.alreadyCast');
    }
    if (seat.asked.names !== 'anonymous') keepGuest(visit, guestId);
    await receive(visit, seat, guestId);
  });
}

/** The link in a mail, and the address after sending: it opens one answer, to be read, changed or taken back. */
function linkPages(routes: Routes): void {
  const path = '/surveys/answer/:token';
  const limit = limitFor(routes);
  const entering = { access: 'public', params: tokenParams, cache: 'none' } as const;
  routes.get(path, { ...entering, query: pageQuery }, async (visit) => {
    const { seat } = await enterByLink(visit);
    await showAnswer(visit, seat, { page: visit.query.page ?? null, values: null, errors: [] });
  });

  const again: Retry<typeof tokenParams> = async (visit, form) =>
    showAnswerAgain(visit, asTyped((await enterByLink(visit)).seat, form.values), form);
  routes.post(path, { ...entering, body: guestShape, retry: again }, async (visit) => {
    const { seat, guestId } = await enterByLink(visit);
    await limit(visit);
    await receive(visit, seat, guestId);
  });

  routes.get(`${path}/done`, { ...entering, query: doneQuery }, async (visit) => {
    const { seat } = await enterByLink(visit);
    if (!seat.own.isAnswered) return visit.redirect(seat.place.path);
    await showDone(visit, seat, null, visit.query.mailed !== undefined);
  });

  routes.post(`${path}/withdraw`, entering, async (visit) => {
    const { seat } = await enterByLink(visit);
    await withdrawAnswer(visit.ctx, seat.asked.key, seat.answerer);
    visit.redirect(`/surveys/${seat.asked.key}`, { key: 'surveys.withdrawn' });
  });
}

/** Counts what is sent, and apart from it what is only kept. Refuses: too-many. */
function limitFor({ house }: Routes) {
  const [answers, drafts] = [limiter(house, answersLimit), limiter(house, draftsLimit)];
  return ({ req, res, body }: Visit<unknown, unknown, z.output<typeof guestShape>>) =>
    (body.step === 'send' ? answers : drafts)(req, res, addressKey(req));
}

async function receive(
  visit: Visit<unknown, unknown, z.output<typeof guestShape>>,
  before: Seat,
  guestId: string,
): Promise<void> {
  const { asked, guest } = before;
  // Only the last page asks who they are.
  const isHere = visit.req.body?.name !== undefined;
  const { name, email } = isHere || guest === null ? visit.body : { name: guest.name, email: guest.email || null };
  const isAnonymous = asked.names === 'anonymous';
  const given = isAnonymous ? '' : name;
  const seat: Seat = { ...before, answerer: guestAnswerer(guestId, given), byName: given };
  const sent = await receiveAnswer(visit, seat, isAnonymous ? null : email);
  if (sent === null) return;
  if (sent.receipt !== null) {
    // Only the browser keeps that it has answered.
    keepCast(visit, asked.key, 'yes', 365 * 24 * hour);
    return showDone(visit, seat, sent.receipt);
  }
  const isNew = email !== null && email.toLowerCase() !== guest?.mailedTo.toLowerCase();
  const isMailed = isNew && (await withinLimit(visit.house, mailsLimit, email.toLowerCase()));
  if (isMailed) await requestLink(visit.ctx, asked.key, seat.answerer, visit.language);
  const token = signLink(visit.house.secret, 'survey-answer', guestLink(asked.key, guestId));
  visit.redirect(`/surveys/answer/${token}/done${isMailed ? '?mailed=yes' : ''}`, {
    key: sent.isFirst ? 'surveys.done.first' : 'surveys.done.again',
  });
}

/**
 * Of an anonymous survey, for its own pages: while the form stands open the id of this guest, by which two tabs are one; "yes"
 * in its place once they have answered, so that nothing in the browser leads to the entry of who has.
 */
const castCookie = 'answered';

function castOf({ req }: AnyVisit): string | undefined {
  return new RegExp(`(?:^|;\\s*)${castCookie}=(yes|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:;|$)`).exec(
    req.headers.cookie ?? '',
  )?.[1];
}

/** For so many milliseconds; null: until the browser is closed. */
function keepCast({ house, res }: AnyVisit, key: string, value: string, maxAge: number | null): void {
  const secure = house.site.baseUrl.startsWith('https:');
  const lasting = maxAge === null ? {} : { maxAge };
  res.cookie(castCookie, value, { httpOnly: true, sameSite: 'lax', secure, path: `/surveys/${key}`, ...lasting });
}

function guestOf({ req, params }: SurveyVisit): string | undefined {
  const known = req.session?.surveyGuests;
  return known && Object.hasOwn(known, params.survey) ? known[params.survey] : undefined;
}

function keepGuest({ req, params }: SurveyVisit, guestId: string): void {
  const others = Object.entries(req.session.surveyGuests ?? {}).filter(([survey]) => survey !== params.survey);
  req.session.surveyGuests = Object.fromEntries([...others.slice(1 - formsKept), [params.survey, guestId]]);
}

/** Refuses: not-found. */
async function enter(visit: SurveyVisit): Promise<{ seat: Seat; guestId: string }> {
  const asked = await findForAnyone(visit.ctx, visit.params.survey);
  if (asked === null) throw new DomainError('not-found', 'error.notFound');
  const path = `/surveys/${asked.key}/answer`;
  if (asked.names !== 'anonymous') {
    const guestId = guestOf(visit) ?? randomUUID();
    return { seat: await seatOf(visit, asked, guestId, path), guestId };
  }
  const known = castOf(visit);
  const guestId = known === undefined || known === 'yes' ? randomUUID() : known;
  if (known === undefined && isOpenNow(asked, visit.ctx.now)) keepCast(visit, asked.key, guestId, null);
  const seat = await seatOf(visit, asked, guestId, path);
  return { seat: { ...seat, own: { ...seat.own, isAnswered: known === 'yes' || seat.own.isAnswered } }, guestId };
}

/** Refuses: not-found. No address of such a page reaches another site. */
async function enterByLink(visit: TokenVisit): Promise<{ seat: Seat; guestId: string }> {
  visit.res.set('Referrer-Policy', 'no-referrer');
  const link = readGuestLink(readLink(visit.house.secret, 'survey-answer', visit.params.token));
  const asked = link && (await findForAnyone(visit.ctx, link.surveyId));
  if (!link || !asked || asked.names === 'anonymous') throw new DomainError('not-found', 'error.notFound');
  const seat = await seatOf(visit, asked, link.guestId, `/surveys/answer/${visit.params.token}`);
  return { seat, guestId: link.guestId };
}

async function seatOf({ ctx }: AnyVisit, asked: AskedSurvey, guestId: string, path: string): Promise<Seat> {
  const person = ctx.actor?.kind === 'person' ? ctx.actor : null;
  const answerer = guestAnswerer(guestId, '');
  const answer = asked.names === 'anonymous' ? null : await findAnswer(ctx.store, asked.key, answerer.key);
  const own = await findOwnAnswer(ctx, asked, answerer);
  const mailedTo = answer?.email ?? '';
  const name = own.draft?.byName ?? answer?.answerer.name ?? person?.displayName ?? '';
  return {
    asked,
    own,
    answerer,
    by: '',
    byName: name,
    place: { kind: 'anyone', path, listHref: null },
    frame: null,
    mayAnswer: true,
    services: [],
    guest: asked.names === 'anonymous' ? null : { name, email: own.draft?.email ?? mailedTo, mailedTo },
  };
}

/** What the guest typed about themselves stays in the form. */
function asTyped(seat: Seat, values: Record<string, unknown>): Seat {
  if (seat.guest === null) return seat;
  const text = (value: unknown, other: string) => (typeof value === 'string' ? value : other);
  const { name, email } = seat.guest;
  return { ...seat, guest: { ...seat.guest, name: text(values.name, name), email: text(values.email, email) } };
}
