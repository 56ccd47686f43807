// The form of a survey, whoever answers: shown whole or by section, kept as a draft, sent. Whose answer it is and whether they
// may is the business of the doors: answerPages, personPages, guestPages.
import { z } from 'zod';
import type { presentEditFrame } from '../../collectives/present.js';
import { DomainError, InvalidFields } from '../../errors.js';
import type { FieldError, FormState } from '../../http/form.js';
import { withinLimit } from '../../http/limits.js';
import type { Visit } from '../../http/routes.js';
import { checkShown, type Submitted, saveDraft, submitAnswer } from '../actions/answering.js';
import { requestCopy } from '../actions/copies.js';
import { saveRemoteDraft, sendAnswer } from '../actions/sending.js';
import { askedSections, readAnswers, waysOn } from '../answers.js';
import type { AskedSurvey, OwnAnswer } from '../askedSurveys.js';
import { presentAnswers, presentTyped, type Reader } from '../presentAnswers.js';
import { askedCrumbs, isOpenNow, type Place, presentAsked } from '../presentAsked.js';
import { presentForm, presentMistakes, presentWays } from '../presentForm.js';
import { getVersion } from '../queries.js';
import type { Answerer, Section, Values } from '../schema.js';

const page = z.union([z.literal('all'), z.coerce.number().int().min(1).max(100)]);
/** page: one section, from 1; without it everything, or for a long survey the first section. */
export const pageQuery = z.object({ page: page.optional() });
export const answerFields = {
  a: z.record(z.string().max(40), z.unknown()).default({}),
  version: z.coerce.number().int().min(1).max(1000),
  page: page.default('all'),
  /** Id of the section on that page. */
  section: z.string().max(20).default(''),
  step: z.enum(['send', 'save', 'next', 'back']).default('send'),
  /** The moment of the draft on which the form stands, in milliseconds since 1970. */
  seen: z.coerce.number().int().min(0).max(8.64e15).default(0),
  /** The moment of the sent answer that was shown with it, likewise. */
  shown: z.coerce.number().int().min(0).max(8.64e15).default(0),
};
export const answerShape: z.ZodObject<typeof answerFields> = z.object(answerFields);
type AnswerBody = z.output<typeof answerShape>;

/** Somebody before the form. */
export interface Seat {
  asked: AskedSurvey;
  own: OwnAnswer;
  answerer: Answerer;
  /** Person id and name of who writes; empty and the name given: a guest. */
  by: string;
  byName: string;
  place: Place;
  /** The collective's frame around the page; null: a page of its own. */
  frame: ReturnType<typeof presentEditFrame> | null;
  mayAnswer: boolean;
  services: { id: string; label: string }[];
  /** What a guest says of themselves, and the address that has the link; null: we know who it is, or nobody is to know. */
  guest: { name: string; email: string; mailedTo: string } | null;
}

type AnyVisit = Visit<unknown, unknown, unknown>;

/** More questions than these are shown a section at a time, unless asked for all. */
const onOnePage = 12;

/**
 * Keeps or sends what the form says. From a page on which the last answers call for another one nothing is sent: that page comes
 * first. Null: it was kept, and the next page is on its way.
 */
export async function receiveAnswer(
  visit: Visit<unknown, unknown, AnswerBody>,
  seat: Seat,
  email?: string | null,
): Promise<Submitted | null> {
  const { asked, own, answerer, by, byName, place } = seat;
  const { step, page, version, seen } = visit.body;
  const current = sectionOn(visit.body, seat);
  const raw = merge(visit.body.a, own, current);
  const next = current === null ? 0 : pageAfter(sectionsOf(asked), current, raw);
  const shown = new Date(visit.body.shown);
  const hasServices = seat.services.length > 0;
  const known = { surveyId: asked.key, answerer, by, byName, home: '', version, raw, shown, hasServices };
  const sent = email === undefined ? known : { ...known, email };
  if (step === 'send' && next === 0)
    return asked.survey === null ? sendAnswer(visit.ctx, sent) : submitAnswer(visit.ctx, sent);
  if (own.at !== null) checkShown({ ...own, at: own.at }, known);
  if (step === 'next' || step === 'send') checkPage(sectionsOf(asked), current, raw);
  const save = asked.survey === null ? saveRemoteDraft : saveDraft;
  await save(visit.ctx, { ...sent, seen: new Date(seen) });
  if (step === 'save' && visit.req.accepts(['html', 'json']) === 'json') {
    visit.res.status(204).end();
    return null;
  }
  // What cannot be read is in no draft: it comes back, to be put right, beside what was kept.
  if (step === 'save' || step === 'back') checkPage(sectionsOf(asked), current, raw);
  if (step === 'save' || page === 'all') {
    visit.redirect(`${place.path}?page=${page}`, { key: 'surveys.draft.kept' });
    return null;
  }
  visit.redirect(`${place.path}?page=${step === 'back' ? Math.max(1, page - 1) : next || page}`);
  return null;
}

function sectionsOf(asked: AskedSurvey): Section[] {
  return asked.sections.filter(({ questions }) => questions.length > 0);
}

/** What is known so far: the draft, else what was sent. */
function knownOf(own: OwnAnswer): Values {
  return own.draft?.values ?? own.values ?? {};
}

/** The sections to be answered, given what is known: each is a page. */
function pages(sections: readonly Section[], known: Values): Section[] {
  const asked = new Set(askedSections(sections, known).map(({ id }) => id));
  return sections.filter(({ id }) => asked.has(id));
}

/** The section that was filled in; null: all of them. Others may have been added before it since it was shown. */
function sectionOn({ page, section }: Pick<AnswerBody, 'page' | 'section'>, { asked, own }: Seat): Section | null {
  if (page === 'all' || asked.names === 'anonymous') return null;
  const sections = sectionsOf(asked);
  return sections.find(({ id }) => id === section) ?? pages(sections, knownOf(own))[page - 1] ?? null;
}

/** The number of the page that comes after a section, given what is answered now; 0: none. */
function pageAfter(sections: readonly Section[], here: Section, raw: Record<string, unknown>): number {
  const { values } = readAnswers(sections, raw, { partial: true });
  const place = sections.indexOf(here);
  return pages(sections, values).findIndex((one) => sections.indexOf(one) > place) + 1;
}

/** What is sent from one page takes the place of what was known about its questions; the others stay. */
function merge(sent: Record<string, unknown>, own: OwnAnswer, section: Section | null): Record<string, unknown> {
  if (section === null) return sent;
  const here = new Set(section.questions.map(({ id }) => id));
  const others = Object.entries(knownOf(own)).filter(([id]) => !here.has(id));
  return { ...Object.fromEntries(others), ...sent };
}

/** Refuses: invalid. What is wrong on a page is said before the next one; what is missing may come later. */
function checkPage(sections: readonly Section[], here: Section | null, raw: Record<string, unknown>): void {
  const { errors } = readAnswers(sections, raw, { partial: true });
  const isHere = ({ field }: FieldError) => here === null || here.questions.some(({ id }) => field === `a.${id}`);
  const mistakes = errors.filter(isHere);
  if (mistakes.length > 0) throw new InvalidFields(mistakes);
}

interface Shown {
  page: 'all' | number | null;
  /** What the form sent; null: show what is known. */
  values: Record<string, unknown> | null;
  errors: FormState['errors'];
  /** What the form sent of the moments of the draft and of the answer on which it stands. */
  stands?: { seen: unknown; shown: unknown };
}

/** Somebody else has sent an answer, or kept a draft: with it before their eyes, the next time theirs is replaced. */
const answeredMeanwhile = ['surveys.error.answerOther', 'surveys.error.answerChanged'];
const draftedMeanwhile = ['surveys.draft.other'];

/** The form again with what was typed; where it takes no answer any more, what was typed alone, to be copied. */
export async function showAnswerAgain(visit: AnyVisit, seat: Seat, form: FormState): Promise<void> {
  if (visit.req.accepts(['html', 'json']) === 'json') {
    visit.res.json({
      message: visit.t(form.errors[0]?.message.key ?? 'shape.invalid', form.errors[0]?.message.params),
    });
    return;
  }
  const { a } = form.values;
  const page = form.values.page === 'all' ? 'all' : Number(form.values.page) || null;
  const section = typeof form.values.section === 'string' ? form.values.section : '';
  const values = typeof a === 'object' && a !== null ? (a as Record<string, unknown>) : {};
  // A mistake may stand on another page than the one that was sent: then all are shown.
  const shown = typeof page === 'number' ? sectionOn({ page, section }, seat) : null;
  const isElsewhere = form.errors.some(
    ({ field }) => field.startsWith('a.') && !shown?.questions.some(({ id }) => field === `a.${id}`),
  );
  const all = merge(values, seat.own, shown);
  await showAnswer(visit, seat, {
    page: isElsewhere ? 'all' : page,
    values: all,
    errors: form.errors,
    stands: { seen: form.values.seen, shown: form.values.shown },
  });
}

export async function showAnswer(visit: AnyVisit, seat: Seat, { page, values, errors, stands }: Shown): Promise<void> {
  const { asked, own, place } = seat;
  const { languages, timeZone } = asked;
  const sections = sectionsOf(asked);
  const all = pages(sections, knownOf(own));
  const count = sections.reduce((sum, { questions }) => sum + questions.length, 0);
  // Of an anonymous survey nothing is kept from page to page.
  const mayDraft = asked.names !== 'anonymous';
  const isLong = mayDraft && all.length > 1 && count > onOnePage;
  const wanted = page ?? (isLong ? 1 : 'all');
  const current = wanted === 'all' || !mayDraft ? 'all' : Math.min(wanted, all.length);
  const shown = current === 'all' ? sections : all.slice(current - 1, current);
  const [here] = shown;
  const ways = current === 'all' || here === undefined ? [] : waysOn(sections, knownOf(own), here);
  const isSure = ways.some((conditions) => conditions.length === 0);
  const reader = { languages, timeZone, language: visit.language, t: visit.t };
  const isOpen = isOpenNow(asked, visit.ctx.now);
  const isCast = !mayDraft && own.isAnswered;
  // Elsewhere an anonymous answer is given at the owner's, by a link.
  const mayAnswer = isOpen && !isCast && seat.mayAnswer && (asked.survey !== null || mayDraft);
  // What was sent just now, or kept once and never sent.
  const left = values ?? (isOpen ? null : (own.draft?.values ?? null));
  const isLost = left !== null && !mayAnswer;
  const meanwhile = (keys: string[]) => errors.some(({ message }) => keys.includes(message.key));
  const isReplacing = meanwhile(answeredMeanwhile) && own.values !== null && mayAnswer;
  const standing = {
    seen: stands === undefined || meanwhile(draftedMeanwhile) ? (own.draft?.at.getTime() ?? 0) : stands.seen,
    shown: stands === undefined || isReplacing ? (own.at?.getTime() ?? 0) : stands.shown,
  };
  const reason = isCast ? `surveys.typed.first.${place.kind}` : isOpen ? errors[0]?.message.key : 'surveys.typed.text';
  const model = {
    frame: seat.frame,
    ...presentAsked(asked, own, place, visit.language, visit.ctx.now),
    ...crumbsOf(seat),
    sections: presentForm({
      ...reader,
      readerZone: visit.res.locals.preferences?.timeZone,
      sections: shown,
      given: values ?? knownOf(own),
      errors,
      services: seat.services,
    }),
    errors,
    mistakes: isReplacing ? [] : presentMistakes({ ...reader, sections, errors }),
    replacing: isReplacing ? errors[0]?.message : null,
    current,
    isAll: current === 'all',
    isFirst: current === 1,
    // Who asks, and the draft, were read on the first page.
    isFurther: current !== 'all' && current > 1,
    section: current === 'all' ? '' : (here?.id ?? ''),
    isLast: ways.length === 0,
    // Another page comes with some answers on this one, and none with others.
    mayFollow: ways.length > 0 && !isSure ? presentWays(ways) : null,
    pages: current === 'all' ? 0 : all.length,
    mayAnswer,
    mayDraft,
    hasPages: isLong || (mayDraft && all.length > 1),
    guest: seat.guest,
    lost: isLost ? (values === null ? 'surveys.typed.draft' : (reason ?? 'surveys.typed.text')) : null,
    typed: isLost ? presentTyped(sections, left, reader) : [],
    isRefused: isLost && values !== null,
    standing,
    saidTitle: isReplacing ? 'surveys.said.meanwhile' : 'surveys.said.title',
    said: (isOpen && !isReplacing) || own.values === null ? [] : presentAnswers(sections, own.values, reader),
    edits: await presentEdits(visit, asked, own, reader),
  };
  await visit.page('surveys/answer', model, pageOptions(seat, model.title.text));
}

/** The answers before, the last one first, each with the questions of its time. */
async function presentEdits({ house }: AnyVisit, asked: AskedSurvey, own: OwnAnswer, reader: Reader) {
  const known = new Map([[asked.version, asked.sections]]);
  const lines = [];
  for (const { at, byName, version = asked.version, values } of own.edits.toReversed()) {
    if (asked.survey !== null && !known.has(version)) {
      known.set(version, (await getVersion(house.store, asked.key, version)).sections);
    }
    const sections = known.get(version) ?? asked.sections;
    lines.push({ at, byName, items: values === undefined ? [] : presentAnswers(sections, values, reader) });
  }
  return lines;
}

/** After sending. The receipt is shown once, and stands in no address and no store. `isMailed`: the link is on its way. */
export async function showDone(visit: AnyVisit, seat: Seat, receipt: string | null, isMailed = false): Promise<void> {
  const { asked, own, place } = seat;
  const model = {
    frame: seat.frame,
    ...presentAsked(asked, own, place, visit.language, visit.ctx.now),
    ...crumbsOf(seat),
    receipt,
    mailedTo: isMailed ? seat.guest?.mailedTo : null,
    address: place.kind === 'anyone' && receipt === null ? `${visit.house.site.baseUrl}${place.path}` : null,
  };
  await visit.page('surveys/done', model, pageOptions(seat, visit.t('surveys.done.title')));
}

/** The way back for whoever answers for a collective. */
function crumbsOf({ frame, place }: Seat): object {
  return frame === null ? {} : { crumbs: askedCrumbs(frame, place.listHref) };
}

function pageOptions(seat: Seat, title: string) {
  const isGuest = seat.place.kind === 'anyone';
  return { title, ...(isGuest ? { withForm: true, noIndex: true } : { nav: 'mine' }) };
}

const copiesLimit = { name: 'survey.copy', limit: 10, windowMs: 60 * 60 * 1000 };

/** Mails the answer to whoever is signed in. Refuses: not-found, too-many. */
export async function sendCopy(visit: AnyVisit, { asked, answerer, place, by }: Seat): Promise<void> {
  if (!(await withinLimit(visit.house, copiesLimit, by))) {
    throw new DomainError('too-many', { key: 'people.error.tooMany', params: { minutes: 60 } }, { retryAfter: 3600 });
  }
  await requestCopy(visit.ctx, asked.key, answerer);
  visit.redirect(place.path, { key: 'surveys.copy.sent' });
}
