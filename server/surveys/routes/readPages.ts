// Pages of published results: for the people of a collective that was asked, for a person who was, and for everybody; with the
// texts that were written, and the date that was chosen as a file for calendars.
import { z } from 'zod';
import { paged, presentEditFrame } from '../../collectives/present.js';
import { enterCollective, findCollective } from '../../collectives/queries.js';
import { DomainError } from '../../errors.js';
import { writeCalendar } from '../../formats/ical.js';
import { numberFormat } from '../../formatters.js';
import type { Routes, Visit } from '../../http/routes.js';
import { textIn } from '../../shapes.js';
import { isAskedByStanding } from '../askedPeople.js';
import { type AskedSurvey, findAsked } from '../askedSurveys.js';
import { countsJson } from '../exports.js';
import { listPollResults } from '../pollQueries.js';
import { askedCrumbs, askedPath, personCrumbs, publicCrumbs } from '../presentAsked.js';
import { slotText } from '../presentForm.js';
import { presentFediverse } from '../presentPolls.js';
import {
  crossOptions,
  presentCross,
  presentResults,
  presentTurnout,
  remarksOf,
  type Words,
} from '../presentResults.js';
import { findSurvey, getVersion } from '../queries.js';
import { findRemoteSurvey } from '../remoteSurveys.js';
import {
  crossable,
  findCrossTable,
  findPublished,
  findResults,
  isOneOfThose,
  listTexts,
  listTurnout,
  type Reader,
  type Results,
} from '../results.js';
import { findSlot, mayRead, maySeeResults, pickText } from '../rules.js';
import type { Slot, Survey, Texts } from '../schema.js';

const questionId = z.string().regex(/^[a-z][a-z0-9]{0,19}$/);
/** Two questions to set against each other. */
export const resultQuery = z.object({
  rows: z.union([questionId, z.literal('')]).optional(),
  columns: z.union([questionId, z.literal('')]).optional(),
});
export const textsQuery = z.object({
  of: questionId,
  q: z.string().max(200).default(''),
  page: z.coerce.number().int().min(1).max(100_000).default(1),
});
const surveyParams = z.object({ survey: z.uuid() });
const askedParams = z.object({ id: z.uuid(), survey: z.union([z.uuid(), z.string().regex(/^[0-9a-f]{64}$/)]) });

type AnyVisit = Visit<unknown, unknown, unknown>;

export function readPages(routes: Routes): void {
  askedPages(routes);
  personPages(routes);
  publicPages(routes);
}

/** For the people of a collective that was asked: also while nothing is published, to say so. */
function askedPages(routes: Routes): void {
  const path = '/my/collectives/:id/asked/:survey';
  const spec = { access: 'signedIn', params: askedParams } as const;
  type AskedVisit = Visit<z.output<typeof askedParams>, unknown, unknown>;

  async function enter(visit: AskedVisit) {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const asked = await findAsked(visit.ctx, collective, visit.params.survey);
    if (asked === null) throw new DomainError('not-found', 'error.notFound');
    const around = presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language);
    const frame = { frame: around, crumbs: askedCrumbs(around, `${around.base}/asked`) };
    return { asked, base: askedPath(collective, asked.key), frame };
  }

  routes.get(`${path}/results`, { ...spec, query: resultQuery }, async (visit) => {
    const { asked, base, frame } = await enter(visit);
    if (asked.survey === null) return showElsewhere(visit, asked, base, frame);
    await showPublished(visit, asked.survey, { base, frame, isMember: true }, visit.query);
  });

  routes.get(`${path}/results/texts`, { ...spec, query: textsQuery }, async (visit) => {
    const { asked, base, frame } = await enter(visit);
    if (asked.survey === null) throw new DomainError('not-found', 'error.notFound');
    await showPublishedTexts(visit, asked.survey, { base, frame, isMember: true }, visit.query);
  });

  routes.get(`${path}/slot.ics`, spec, async (visit) => {
    const { asked } = await enter(visit);
    await sendAskedSlot(visit, asked);
  });
}

/** For a person who was asked as such. */
function personPages(routes: Routes): void {
  const path = '/me/surveys/:survey';
  const spec = { access: 'signedIn', params: surveyParams } as const;

  async function enter(visit: Visit<z.output<typeof surveyParams>, unknown, unknown>) {
    const survey = await findShown(visit, visit.params.survey);
    if (survey.answerBy !== 'person' || !(await isOneOfThose(visit.ctx, survey, visit.ctx.actor))) {
      throw new DomainError('not-found', 'error.notFound');
    }
    return { survey, base: `/me/surveys/${survey._id}` };
  }

  routes.get(`${path}/results`, { ...spec, query: resultQuery }, async (visit) => {
    const { survey, base } = await enter(visit);
    await showPublished(visit, survey, { base, frame: { crumbs: personCrumbs }, isMember: true }, visit.query);
  });

  routes.get(`${path}/results/texts`, { ...spec, query: textsQuery }, async (visit) => {
    const { survey, base } = await enter(visit);
    await showPublishedTexts(visit, survey, { base, frame: { crumbs: personCrumbs }, isMember: true }, visit.query);
  });

  routes.get(`${path}/slot.ics`, spec, async (visit) => {
    const { survey } = await enter(visit);
    await sendSlot(visit, survey);
  });
}

/** For everybody, once they are published for everybody; until then they do not exist. */
function publicPages(routes: Routes): void {
  const path = '/surveys/:survey';
  const spec = { access: 'public', params: surveyParams } as const;

  async function enter(visit: Visit<z.output<typeof surveyParams>, unknown, unknown>) {
    const survey = await findShown(visit, visit.params.survey);
    const isForAll = maySeeResults(survey, { organises: false, isMember: false });
    if (!isForAll || !(await isAskedByStanding(visit.house.store, survey))) {
      throw new DomainError('not-found', 'error.notFound');
    }
    return { survey, base: `/surveys/${survey._id}` };
  }

  routes.get(`${path}/results`, { ...spec, query: resultQuery }, async (visit) => {
    const { survey, base } = await enter(visit);
    await showPublished(visit, survey, { base, frame: { crumbs: publicCrumbs }, isMember: false }, visit.query);
  });

  routes.get(`${path}/results/texts`, { ...spec, query: textsQuery }, async (visit) => {
    const { survey, base } = await enter(visit);
    await showPublishedTexts(visit, survey, { base, frame: { crumbs: publicCrumbs }, isMember: false }, visit.query);
  });

  routes.get(`${path}/results.json`, spec, async (visit) => {
    const { survey } = await enter(visit);
    const published = await findPublished(visit.ctx, survey);
    if (published === null) throw new DomainError('not-found', 'error.notFound');
    visit.res.json(countsJson(survey, published.counted, published.asked));
  });

  // Whoever may answer may know which date it is, also where the results are for others.
  routes.get(`${path}/slot.ics`, spec, async (visit) => {
    const survey = await findShown(visit, visit.params.survey);
    if (!mayRead(survey) || !(await isAskedByStanding(visit.house.store, survey))) {
      throw new DomainError('not-found', 'error.notFound');
    }
    await sendSlot(visit, survey);
  });
}

/** Refuses: not-found (none, not opened yet, put away). */
async function findShown(visit: AnyVisit, id: string): Promise<Survey> {
  const survey = await findSurvey(visit.house.store, id);
  const isShown =
    survey !== null && survey.deletedAt === null && (survey.state === 'open' || survey.state === 'closed');
  if (!isShown) throw new DomainError('not-found', 'error.notFound');
  return survey;
}

interface Place {
  /** Address of the survey for this reader. */
  base: string;
  frame: object;
  isMember: boolean;
}

async function showPublished(
  visit: AnyVisit,
  survey: Survey,
  { base, frame, isMember }: Place,
  cross: z.output<typeof resultQuery>,
): Promise<void> {
  const reader: Reader = { organises: false, isMember };
  const results = await findResults(visit.ctx, survey, reader);
  const words = wordsFor(visit, survey);
  const owner = await findCollective(visit.house.store, survey.collectiveId);
  const counted = results?.counted ?? null;
  const { rows = '', columns = '' } = cross;
  const table =
    counted && rows && columns ? await findCrossTable(visit.house.store, survey, counted, { rows, columns }) : null;
  const options = counted ? crossOptions(words, crossable(counted)) : [];
  // Who has answered is for those who were asked, where names are shown to them.
  const isNamed = isMember && results !== null && survey.names === 'named';
  const turnout = isNamed ? await listTurnout(visit.ctx, survey) : [];
  const model = {
    ...frame,
    ...headOf(visit, survey, owner ? textIn(owner.profile.name, visit.language) : ''),
    base: `${base}/results`,
    jsonHref: isMember || counted === null ? null : `${base}/results.json`,
    ...figuresOf(words, results),
    remarks: counted ? remarksOf(survey) : [],
    notes: results ? pickText(survey.results.notes, visit.language, survey.languages) : null,
    turnout: presentTurnout(words, turnout, null),
    slot: isMember || results ? await presentSlot(visit, survey, `${base}/slot.ics`) : null,
    polls: results ? presentFediverse(await listPollResults(visit.house.store, survey._id), visit.language) : [],
    cross:
      options.length < 2 ? null : { options, rows, columns, table: table && presentCross(words, table, survey.names) },
    results:
      counted &&
      presentResults({
        ...words,
        names: survey.names,
        counted,
        before: results?.before ?? null,
        hidden: [],
        textsHref: (id) => `${base}/results/texts?of=${id}`,
        chosenSlot: survey.chosenSlot,
        mayChoose: false,
      }),
  };
  await visit.page('surveys/published', model, { title: model.title.text, nav: isMember ? 'mine' : '' });
}

function headOf(visit: AnyVisit, { title, intro, languages, closedAt, results, timeZone }: Survey, organiser: string) {
  const say = (texts: Texts) => pickText(texts, visit.language, languages);
  const { publishedAt } = results;
  return { title: say(title), intro: say(intro), organiser, publishedAt, closedAt, timeZone };
}

function figuresOf({ language }: Words, results: Pick<Results, 'answers' | 'asked'> | null) {
  const { answers = 0, asked = null } = results ?? {};
  const style = { style: 'percent', maximumFractionDigits: 0 } as const;
  return {
    isPublished: results !== null,
    isTooFew: results !== null && 'counted' in results && results.counted === null,
    answered: answers,
    asked,
    rate: asked ? numberFormat(language, style).format(answers / asked) : null,
  };
}

/** A survey of another instance: what it has told us. */
async function showElsewhere(visit: AnyVisit, asked: AskedSurvey, base: string, frame: object): Promise<void> {
  const published = asked.published ?? null;
  const words = wordsFor(visit, asked);
  const model = {
    ...frame,
    title: pickText(asked.title, visit.language, asked.languages),
    intro: pickText(asked.intro, visit.language, asked.languages),
    organiser: asked.organiser.name,
    publishedAt: published?.publishedAt ?? null,
    closedAt: asked.closedAt,
    timeZone: asked.timeZone,
    base: `${base}/results`,
    jsonHref: null,
    ...figuresOf(words, published),
    remarks: published ? remarksOf({ names: asked.names, answerBy: 'collective' }) : [],
    shortened: published?.shortened ? { ...published.shortened, host: asked.elsewhere?.host ?? '' } : null,
    notes: published && pickText(published.notes, visit.language, asked.languages),
    turnout: null,
    slot: asked.slot && slotIn(words, asked.slot, `${base}/slot.ics`),
    cross: null,
    polls: [],
    results:
      published &&
      presentResults({
        ...words,
        names: asked.names,
        counted: published.counted,
        before: null,
        hidden: [],
        textsHref: null,
        chosenSlot: published.chosenSlot,
        mayChoose: false,
      }),
  };
  await visit.page('surveys/published', model, { title: model.title.text, nav: 'mine' });
}

async function showPublishedTexts(
  visit: AnyVisit,
  survey: Survey,
  { base, frame, isMember }: Place,
  query: z.output<typeof textsQuery>,
): Promise<void> {
  const results = await findResults(visit.ctx, survey, { organises: false, isMember });
  const head = { survey: { title: pickText(survey.title, visit.language, survey.languages) } };
  await showTexts(
    visit,
    { survey, results, base: `${base}/results`, frame: { ...frame, ...head }, withNames: false },
    query,
  );
}

/** All texts of one question, searchable. Refuses: not-found (no such question for this reader). */
export async function showTexts(
  visit: AnyVisit,
  shown: { survey: Survey; results: Results | null; base: string; frame: object; withNames: boolean },
  { of, q, page }: z.output<typeof textsQuery>,
): Promise<void> {
  const { survey, results, base, frame, withNames } = shown;
  const all = results?.counted?.sections.flatMap(({ questions }) => questions) ?? [];
  const found = all.find(({ question, texts, others }) => question.id === of && (texts ?? others) !== undefined);
  if (found === undefined) throw new DomainError('not-found', 'error.notFound');
  const texts = await listTexts(visit.house.store, survey, found.question, { q, page, withNames });
  const model = {
    ...frame,
    base,
    of,
    q,
    isSearch: q.trim() !== '',
    label: pickText(found.question.label, visit.language, survey.languages),
    isLink: found.question.kind === 'link',
    lines: texts.lines,
    count: texts.count,
    paging: paged(`${base}/texts`, { of, q }, texts),
  };
  await visit.page('surveys/texts', model, {
    title: visit.t('surveys.texts.title'),
    nav: withNames ? 'mine' : '',
    noIndex: true,
  });
}

/** The reader's language, the survey's languages and time zone. */
export function wordsFor(
  { language, t }: Pick<AnyVisit, 'language' | 't'>,
  { languages, timeZone }: { languages: readonly string[]; timeZone: string },
): Words {
  return { language, t, languages, timeZone };
}

/** The slot that was chosen; null: none was, or it is gone. */
export async function presentSlot(visit: AnyVisit, survey: Survey, icsHref: string) {
  if (survey.chosenSlot === null) return null;
  const { sections } = await getVersion(visit.house.store, survey._id, survey.version);
  const slot = findSlot(sections, survey.chosenSlot);
  return slot && slotIn(wordsFor(visit, survey), slot, icsHref);
}

function slotIn(words: Words, slot: Slot, icsHref: string) {
  return { text: slotText(slot, words), timeZone: words.timeZone, icsHref };
}

/** The chosen slot for a calendar program. Refuses: not-found (none is chosen). */
export async function sendSlot(visit: AnyVisit, survey: Survey): Promise<void> {
  const { sections } = await getVersion(visit.house.store, survey._id, survey.version);
  const { _id: key, title, languages, revision } = survey;
  const changedAt = survey.changedAt ?? survey.createdAt;
  sendCalendar(visit, { key, title, languages, slot: findSlot(sections, survey.chosenSlot), revision, changedAt });
}

/** Also of a survey elsewhere. Refuses: not-found (none is chosen). */
async function sendAskedSlot(visit: AnyVisit, asked: AskedSurvey): Promise<void> {
  const remote = asked.survey === null ? await findRemoteSurvey(visit.house.store, asked.key) : null;
  const { revision = 0, changedAt = visit.ctx.now } = asked.survey ?? remote ?? {};
  sendCalendar(visit, { ...asked, revision, changedAt });
}

function sendCalendar(
  visit: AnyVisit,
  {
    key,
    title,
    languages,
    slot,
    revision,
    changedAt,
  }: Pick<AskedSurvey, 'key' | 'title' | 'languages' | 'slot'> & { revision: number; changedAt: Date },
): void {
  if (slot === null) throw new DomainError('not-found', 'error.notFound');
  const { host } = visit.house.site;
  const summary = pickText(title, visit.language, languages).text;
  const { startsAt, endsAt } = slot;
  const { language } = visit;
  const event = { uid: `${key}-slot@${host}`, sequence: revision, changedAt };
  const file = writeCalendar({ name: summary, language, events: [{ ...event, startsAt, endsAt, summary }] });
  visit.res
    .type('text/calendar')
    .set('Content-Disposition', `attachment; filename="survey-${key.slice(0, 8)}.ics"`)
    .send(file);
}
