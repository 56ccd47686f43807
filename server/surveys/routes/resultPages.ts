// Pages of results: for those who organise a survey (live where names are shown, else after its end), with the deeds that
// publish them and choose a slot.
import type { Response } from 'express';
import { z } from 'zod';
import { paged, presentEditFrame } from '../../collectives/present.js';
import type { Collective } from '../../collectives/schema.js';
import type { Language } from '../../context.js';
import { DomainError } from '../../errors.js';
import { dateFormat, numberFormat } from '../../formatters.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { fold } from '../../shapes.js';
import { localTime } from '../../zonedTime.js';
import { planPublication } from '../actions/publishing.js';
import { chooseSlot, publishResults } from '../actions/running.js';
import { readMoment } from '../editForms.js';
import { answersCsv, answersJson, answersOds, listExportRows } from '../exports.js';
import { listPollResults } from '../pollQueries.js';
import { presentSurveyFrame, surveyPath } from '../presentOrganise.js';
import { presentFediverse } from '../presentPolls.js';
import {
  crossOptions,
  presentAnswer,
  presentCross,
  presentResults,
  presentTurnout,
  remarksOf,
  type Words,
} from '../presentResults.js';
import { countAnswers, countAsked, getOrganised, getVersion } from '../queries.js';
import {
  countInFull,
  crossable,
  findCrossTable,
  findOneAnswer,
  findResults,
  listAnswers,
  listMissingPeople,
  listTurnout,
  type Reader,
  type Results,
  withoutHidden,
} from '../results.js';
import { isEnough, isOpen, maySeeNames, maySeeResults, pickText } from '../rules.js';
import { limits, resultReaders, type Survey, textsShape } from '../schema.js';
import { presentSlot, resultQuery, sendSlot, showTexts, textsQuery, wordsFor } from './readPages.js';

const params = z.object({ id: z.uuid(), survey: z.uuid() });
const answersQuery = z.object({
  /** One answer by its place in time; without it and without `of`: the list. */
  page: z.coerce.number().int().min(1).max(1_000_000).optional(),
  q: z.string().max(200).default(''),
  list: z.coerce.number().int().min(1).max(100_000).default(1),
  of: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
const listOfIds = z
  .union([z.string().max(20), z.array(z.string().max(20)).max(limits.questions)])
  .transform((value) => (typeof value === 'string' ? [value] : value).filter((id) => id !== ''));
const publishMoments = ['now', 'closing', 'at', 'byHand'] as const;
const publishShape = z.object({
  readers: z.enum(resultReaders, 'shape.required'),
  hidden: listOfIds.default([]),
  notes: textsShape(limits.intro).default({}),
  /** byHand: not by itself. */
  when: z.enum(publishMoments).default('now'),
  publishAt: z.string().max(40).default(''),
  revision: z.coerce.number().int().min(1),
  step: z.enum(['publish', 'preview']).default('publish'),
});
const slotShape = z.object({ slot: z.string().regex(/^([a-z][a-z0-9]{0,19} [a-z][a-z0-9]{0,19})?$/, 'shape.invalid') });

type SurveyVisit<B = unknown, Q = unknown> = Visit<z.output<typeof params>, Q, B>;

const organiser: Reader = { organises: true, isMember: true };

export function resultPages(routes: Routes): void {
  const path = '/my/collectives/:id/surveys/:survey';
  const spec = { access: 'signedIn', params } as const;

  routes.get(`${path}/results`, { ...spec, query: resultQuery }, async (visit) => {
    const entered = await enter(visit);
    await showResults(visit, entered, visit.query);
  });

  routes.get(`${path}/results/texts`, { ...spec, query: textsQuery }, async (visit) => {
    const { survey, collective } = await enter(visit);
    checkMaySee(survey);
    const results = await findResults(visit.ctx, survey, organiser);
    const frame = frameOf(visit, collective, survey);
    const base = `${surveyPath(survey)}/results`;
    await showTexts(visit, { survey, results, base, frame, withNames: true }, visit.query);
  });

  routes.get(`${path}/results/answers`, { ...spec, query: answersQuery }, async (visit) => {
    const { survey, collective } = await enter(visit);
    // Of an anonymous survey there is no answer of somebody; of one with hidden names not before its end.
    if (!maySeeNames(survey)) throw new DomainError('not-found', 'error.notFound');
    const { of, page } = visit.query;
    if (!of && page === undefined) return showAnswers(visit, { survey, collective }, visit.query);
    const found = await findOneAnswer(visit.house.store, survey, of ? { id: of } : { at: page ?? 1 });
    if (found === null) throw new DomainError('not-found', 'error.notFound');
    const base = `${surveyPath(survey)}/results`;
    const words = wordsFor(visit, survey);
    const { sections } = await getVersion(visit.house.store, survey._id, found.answer.version);
    const model = {
      ...frameOf(visit, collective, survey),
      base,
      answer: {
        name: found.answer.answerer.name,
        handle: found.answer.answerer.handle,
        home: found.answer.home,
        at: found.answer.at,
        sections: presentAnswer(words, sections, found.answer.values),
      },
      paging: stepsOf(`${base}/answers`, { page: found.at, pages: found.count }),
    };
    await visit.page('surveys/oneAnswer', model, { title: visit.t('surveys.results.oneByOne'), nav: 'mine' });
  });

  routes.get(`${path}/results/publish`, spec, (visit) => showPublish(visit, null));
  routes.post(
    `${path}/results/publish`,
    { ...spec, body: publishShape, retry: (visit, form) => showPublish(visit, form) },
    async (visit) => {
      const { survey } = await enter(visit);
      const { step, when, publishAt, ...input } = visit.body;
      if (step === 'preview') return showPublish(visit, { values: visit.body, errors: [] });
      const { readers } = input;
      const isPlan = when !== 'now' && readers !== 'organisers';
      if (isPlan || survey.state === 'open') {
        const moment = isPlan ? momentOfPlan(when, publishAt, survey) : null;
        await planPublication(visit.ctx, survey._id, { ...input, when: moment });
        const done = moment === null ? 'surveys.publish.byHand' : 'surveys.publish.planned';
        return visit.redirect(`${surveyPath(survey)}/results`, { key: done });
      }
      await publishResults(visit.ctx, survey._id, input);
      const said = readers === 'organisers' ? 'surveys.publish.kept' : 'surveys.publish.done';
      visit.redirect(`${surveyPath(survey)}/results`, { key: said });
    },
  );

  routes.post(`${path}/results/slot`, { ...spec, body: slotShape }, async (visit) => {
    const { survey } = await enter(visit);
    const [question, slot] = visit.body.slot.split(' ');
    await chooseSlot(visit.ctx, survey._id, question && slot ? { question, slot } : null);
    const key = question ? 'surveys.slot.chosen' : 'surveys.slot.takenBack';
    visit.redirect(`${surveyPath(survey)}/results`, { key });
  });

  routes.get(`${path}/slot.ics`, spec, async (visit) => {
    const { survey } = await enter(visit);
    await sendSlot(visit, survey);
  });

  exportPages(routes, path);
}

/** The answers before and after; the first one has its page in the address too, where the list has none. */
function stepsOf(path: string, { page, pages }: { page: number; pages: number }) {
  const address = (at: number) => (at < 1 || at > pages ? null : `${path}?page=${at}`);
  return { page, pages, previous: address(page - 1), next: address(page + 1) };
}

/** Who has answered, to be found by name. */
async function showAnswers(
  visit: SurveyVisit,
  { survey, collective }: Entered,
  { q, list }: { q: string; list: number },
): Promise<void> {
  const base = `${surveyPath(survey)}/results`;
  const found = await listAnswers(visit.house.store, survey, { q, page: list });
  const model = {
    ...frameOf(visit, collective, survey),
    base,
    q,
    isSearch: q.trim() !== '',
    count: found.count,
    lines: found.lines.map((line) => ({ ...line, href: `${base}/answers?of=${line.id}` })),
    paging: paged(`${base}/answers`, { q }, found, 'list'),
  };
  await visit.page('surveys/answers', model, { title: visit.t('surveys.results.oneByOne'), nav: 'mine' });
}

function exportPages(routes: Routes, path: string): void {
  const spec = { access: 'signedIn', params } as const;

  routes.get(`${path}/results.csv`, spec, async (visit) => {
    const { survey, rows, sections } = await enterExport(visit);
    const text = answersCsv(wordsFor(visit, survey), survey, sections, rows);
    attach(visit.res, survey, 'csv', 'text/csv').send(text);
  });

  routes.get(`${path}/results.ods`, spec, async (visit) => {
    const { survey, rows, sections } = await enterExport(visit);
    const file = await answersOds(wordsFor(visit, survey), survey, sections, rows);
    attach(visit.res, survey, 'ods', 'application/vnd.oasis.opendocument.spreadsheet').send(file);
  });

  routes.get(`${path}/results.json`, spec, async (visit) => {
    const { survey, rows, counted } = await enterExport(visit);
    const json = answersJson(survey, counted, await countAsked(visit.house.store, survey), rows);
    attach(visit.res, survey, 'json', 'application/json').send(JSON.stringify(json, null, 1));
  });
}

/** Refuses: invalid. */
function momentOfPlan(when: 'closing' | 'at' | 'byHand', written: string, survey: Survey): Date | 'closing' | null {
  if (when !== 'at') return when === 'closing' ? 'closing' : null;
  const moment = readMoment(written, survey.timeZone);
  if (moment instanceof Date) return moment;
  throw new DomainError('invalid', moment === null ? 'shape.required' : 'surveys.error.moment', { field: 'publishAt' });
}

interface Entered {
  collective: Collective;
  survey: Survey;
}

/** Refuses: not-found (also a survey of another collective, and a draft: it has no results); gone. */
async function enter(visit: SurveyVisit): Promise<Entered> {
  const { survey, owner } = await getOrganised(visit.ctx, visit.params.survey);
  const isElsewhere = survey.collectiveId !== visit.params.id;
  if (isElsewhere || survey.state === 'draft' || survey.state === 'scheduled') {
    throw new DomainError('not-found', 'error.notFound');
  }
  if (survey.deletedAt !== null) throw new DomainError('gone', 'surveys.error.gone');
  return { survey, collective: owner };
}

/** Refuses: closed. Names are hidden, or nothing is anybody's: results are for after the end. */
function checkMaySee(survey: Survey): void {
  if (!maySeeResults(survey, organiser)) throw new DomainError('closed', 'surveys.error.resultsAfterClose');
}

/** Refuses: as enter; closed (not over; too few anonymous answers). */
async function enterExport(visit: SurveyVisit) {
  const { survey } = await enter(visit);
  checkMaySee(survey);
  const rows = await listExportRows(visit.house.store, survey);
  if (!isEnough(survey.names, rows.length)) throw new DomainError('closed', 'surveys.error.tooFewAnswers');
  const counted = await countInFull(visit.house.store, survey);
  return { survey, rows, counted, sections: counted.sections.map(({ section }) => section) };
}

function attach(res: Response, survey: Survey, ending: string, type: string): Response {
  const title = fold(pickText(survey.title, survey.languages[0] ?? '', survey.languages).text);
  const words = title
    .replace(/ /g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .slice(0, 60);
  const name = `${words || 'survey'}-${survey._id.slice(0, 8)}.${ending}`;
  return res.type(type).set('Content-Disposition', `attachment; filename="${name}"`);
}

/** What {{> surveyFrame}} shows. */
function frameOf(visit: SurveyVisit, collective: Collective, survey: Survey) {
  return {
    frame: presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language),
    survey: presentSurveyFrame(survey, 'results', visit.language),
  };
}

async function showResults(
  visit: SurveyVisit,
  { survey, collective }: Entered,
  cross: z.output<typeof resultQuery>,
): Promise<void> {
  const base = `${surveyPath(survey)}/results`;
  const words = wordsFor(visit, survey);
  const results = await findResults(visit.ctx, survey, organiser);
  const turnout = await listTurnout(visit.ctx, survey);
  // Not from the turnout: somebody may stand there for several of those asked.
  const { answers: answered, asked } = results ?? {
    answers: await countAnswers(visit.house.store, survey),
    asked: await countAsked(visit.house.store, survey),
  };
  const withNames = maySeeNames(survey);
  const model = {
    ...frameOf(visit, collective, survey),
    base,
    rule: ruleOf(survey),
    remarks: results?.counted ? remarksOf(survey) : [],
    isAnonymous: survey.names === 'anonymous',
    isPublished: survey.results.publishedAt !== null,
    plan: planOf(survey, visit.language),
    notPublished: survey.results.notPublished ?? null,
    publicHref:
      survey.results.readers === 'public' && survey.results.publishedAt ? `/surveys/${survey._id}/results` : null,
    isOver: survey.state === 'closed',
    remindHref:
      isOpen(survey, visit.ctx.now) && asked !== null && answered < asked ? `${surveyPath(survey)}/remind` : null,
    isHeldBack: results === null,
    isTooFew: results !== null && results.counted === null,
    ...figures(words, answered, asked),
    turnout: presentTurnout(
      words,
      turnout,
      withNames ? (id) => `${base}/answers?of=${id}` : null,
      await listMissingPeople(visit.ctx, survey),
    ),
    answersHref: withNames && answered > 0 ? `${base}/answers` : null,
    notes: pickText(survey.results.notes, visit.language, survey.languages),
    slot: await presentSlot(visit, survey, `${surveyPath(survey)}/slot.ics`),
    slotAction: `${base}/slot`,
    polls: presentFediverse(await listPollResults(visit.house.store, survey._id), visit.language),
    ...(await shownOf(visit, survey, results, base, cross)),
  };
  await visit.page('surveys/results', model, { title: model.survey.title.text, nav: 'mine' });
}

/** When they publish themselves, for {{t key at=at}}; null: by hand. */
function planOf({ state, results, timeZone }: Survey, language: Language) {
  const { publishAt = null, atClosing } = results;
  if (publishAt === null) return atClosing && state === 'open' ? { key: 'surveys.publish.plan.closing', at: '' } : null;
  const style = { dateStyle: 'long', timeStyle: 'short', timeZone } as const;
  const at = `${dateFormat(language === 'en' ? 'en-GB' : language, style).format(publishAt)} (${timeZone})`;
  return { key: 'surveys.publish.plan.at', at };
}

/** What the form of the publication says of when; null: it is published already. */
function momentsOf({ state, results, timeZone }: Survey, given: Readonly<Record<string, unknown>>) {
  if (results.publishedAt !== null) return null;
  const { publishAt = null, atClosing } = results;
  const known = publishAt !== null ? 'at' : state === 'closed' ? 'now' : atClosing ? 'closing' : 'byHand';
  const names = state === 'closed' ? (['now', 'at'] as const) : (['closing', 'at', 'byHand'] as const);
  return {
    value: given.when ?? known,
    options: names.map((value) => ({
      value,
      key: `surveys.publish.when.${value}`,
      hint: value === 'closing' ? 'surveys.publish.when.closing.hint' : null,
    })),
    at: given.publishAt ?? (publishAt === null ? '' : localTime(publishAt, timeZone)),
    timeZone,
  };
}

/** Who sees them now, in one sentence. */
function ruleOf({ results, state, names }: Survey): string {
  if (results.publishedAt !== null) return `surveys.results.rule.${results.readers}`;
  if (state === 'closed') return 'surveys.results.rule.organisers';
  return names === 'named' ? 'surveys.results.rule.live' : 'surveys.results.rule.later';
}

function figures(words: Words, answered: number, asked: number | null) {
  return { answered, asked, rate: asked ? rateOf(words, answered, asked) : null };
}

function rateOf({ language }: Words, answered: number, asked: number): string {
  return numberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(answered / asked);
}

async function shownOf(
  visit: SurveyVisit,
  survey: Survey,
  results: Results | null,
  base: string,
  cross: z.output<typeof resultQuery>,
): Promise<object> {
  if (!results?.counted) return { results: null, cross: null };
  const { counted, before } = results;
  const words = wordsFor(visit, survey);
  const input = {
    ...words,
    names: survey.names,
    counted,
    before,
    hidden: survey.results.hidden,
    chosenSlot: survey.chosenSlot,
  };
  const textsHref = (id: string) => `${base}/texts?of=${id}`;
  const options = crossOptions(words, crossable(counted));
  const { rows = '', columns = '' } = cross;
  const table = rows && columns ? await findCrossTable(visit.house.store, survey, counted, { rows, columns }) : null;
  return {
    hasAnswers: counted.answers > 0,
    results: presentResults({ ...input, textsHref, mayChoose: survey.state === 'closed' }),
    cross:
      options.length < 2 ? null : { options, rows, columns, table: table && presentCross(words, table, survey.names) },
  };
}

async function showPublish(visit: SurveyVisit, form: FormState | null): Promise<void> {
  const { survey, collective } = await enter(visit);
  const words = wordsFor(visit, survey);
  const results = maySeeResults(survey, organiser) ? await findResults(visit.ctx, survey, organiser) : null;
  const given = form?.values ?? {};
  const hidden = form ? ([] as unknown[]).concat(given.hidden ?? []) : survey.results.hidden;
  const notes = (form ? given.notes : survey.results.notes) as Record<string, unknown> | undefined;
  // While names are hidden nobody sees results; what they leave out can be chosen all the same.
  const { sections } = await getVersion(visit.house.store, survey._id, survey.version);
  const counted = results?.counted?.sections.map(({ section }) => section) ?? sections;
  const questions = counted.flatMap((section) => section.questions);
  const left = questions.map(({ id }) => id).filter((id) => hidden.includes(id));
  const shown = results?.counted && withoutHidden({ results: { ...survey.results, hidden: left } }, results.counted);
  const errors = form?.errors ?? [];
  const model = {
    ...frameOf(visit, collective, survey),
    base: `${surveyPath(survey)}/results`,
    moments: momentsOf(survey, given),
    button: survey.state === 'closed' ? 'surveys.publish.button' : 'surveys.publish.savePlan',
    mayPreview: results?.counted !== null && results !== null,
    isTooFew: results !== null && results.counted === null,
    // After a conflict the one of now: who sends the form again has been told.
    revision: survey.revision,
    readers: given.readers ?? (survey.results.publishedAt ? survey.results.readers : 'members'),
    readerOptions: resultReaders.map((value) => ({
      value,
      key: `surveys.publish.readers.${value}`,
      hint: `surveys.publish.readers.${value}.hint`,
    })),
    hidden: left,
    questions: questions.map(({ id, label }) => ({
      value: id,
      label: pickText(label, visit.language, survey.languages).text,
    })),
    notes: survey.languages.map((lang) => ({ name: `notes.${lang}`, lang, value: notes?.[lang] ?? '' })),
    errors,
    preview:
      form && errors.length === 0 && shown
        ? {
            notes: String(notes?.[visit.language] || notes?.[survey.languages[0] ?? ''] || ''),
            ...figures(words, results.answers, results.asked),
            results: presentResults({
              ...words,
              names: survey.names,
              counted: shown,
              before: null,
              hidden: [],
              textsHref: null,
              chosenSlot: survey.chosenSlot,
              mayChoose: false,
            }),
          }
        : null,
  };
  await visit.page('surveys/publish', model, { title: visit.t('surveys.publish.title'), nav: 'mine' });
}
