// Reads for results: what was counted, who has answered, what a reader may see of it. Counting thousands of answers takes long,
// so parts of the count are kept and checked by a look at an index; nothing here decides how it is shown.

import { listCollectivesById } from '../collectives/queries.js';
import type { Collective } from '../collectives/schema.js';
import type { Actor, Context } from '../context.js';
import { sliceOf } from '../paging.js';
import { listPeopleById } from '../people/queries.js';
import { fold } from '../shapes.js';
import type { Coll, CollectionIndexes, Doc, Store } from '../store/store.js';
import { type Crossable, CrossTable, isCrossable } from './crossTable.js';
import { withEarlier, withoutIdle } from './earlier.js';
import {
  answersIn,
  ballotsIn,
  countAnswers,
  countAsked,
  eachAnswer,
  findSurvey,
  getVersion,
  listVersions,
  turnoutsIn,
} from './queries.js';
import { answerKey, asksThisPerson, isEnough, maySeeNames, maySeeResults } from './rules.js';
import type { Invited, Question, Section, Survey, SurveyAnswer, Texts, Value } from './schema.js';
import { withoutFew } from './smallCounts.js';
import { type SurveyResult, Tally, type TallyPart } from './tally.js';

/**
 * Answers that were last written after `after` and up to `upTo`, counted. It holds as long as the index knows as many in between:
 * whoever corrects an answer moves it to the end, and nobody writes one into the past. _id: "<survey> <after>". Of an anonymous
 * survey, which is counted when it is over: all of it, by its number of answers.
 */
interface SurveyCount extends Doc {
  surveyId: string;
  version: number;
  upTo: Date;
  answers: number;
  /**
   * A TallyPart as JSON: its keys are no names of fields. Without what people wrote: who takes an answer back takes its words
   * out of the store.
   */
  part: string;
  /** Counts of an older form know nothing of questions that are asked no more, nor how often a choice was ranked. */
  form?: number;
}

export const surveyCountIndexes: CollectionIndexes = { surveyCounts: [{ keys: { surveyId: 1 } }] };
export const countsIn = (store: Store): Coll<SurveyCount> => store.collection<SurveyCount>('surveyCounts');

/** Of each question the page of results shows so many texts; the others have a page of their own. */
export const textsShown = 5;
/** They are looked for in so many answers. */
const readForTexts = 50;
const answersInPart = 500;
const countForm = 3;
/** Parts end before this: a process whose clock is a little behind may still write into what is newer. */
const settledMs = 60_000;

/** Everything counted, with a few texts of each question; of an anonymous survey without small numbers. */
export async function countResults(ctx: Context, survey: Survey): Promise<SurveyResult> {
  const { now, sections } = await sectionsOf(ctx.store, survey);
  const tally = new Tally(sections, 0);
  if (survey.names === 'anonymous') await addBallots(ctx, survey, tally);
  else await addAnswers(ctx, survey, tally);
  const full = withTexts(tally.result(), await readTexts(ctx.store, survey, sections));
  return withoutFew(survey.names, withoutIdle(full, now));
}

/** What it asks now, and that with everything that it asked before. */
async function sectionsOf(store: Store, survey: Survey): Promise<{ now: Section[]; sections: Section[] }> {
  const { sections: now } = await getVersion(store, survey._id, survey.version);
  if (survey.version === 1) return { now, sections: now };
  const earlier = (await listVersions(store, survey._id)).filter(({ number }) => number < survey.version);
  return { now, sections: withEarlier(now, earlier) };
}

/** A few texts of each question, from the first answers. */
async function readTexts(store: Store, survey: Survey, sections: readonly Section[]): Promise<SurveyResult> {
  const tally = new Tally(sections, textsShown);
  const filter = { surveyId: survey._id };
  const some =
    survey.names === 'anonymous'
      ? await ballotsIn(store)
          .find(filter, { sort: { _id: 1 }, limit: readForTexts })
          .toArray()
      : await answersIn(store)
          .find(filter, { sort: { at: 1 }, limit: readForTexts })
          .toArray();
  for (const { values } of some) tally.add(values);
  return tally.result();
}

function withTexts(counted: SurveyResult, read: SurveyResult): SurveyResult {
  const sections = counted.sections.map(({ section, questions }, place) => ({
    section,
    questions: questions.map((one, index) => {
      const found = read.sections[place]?.questions[index];
      // Days are counted like choices, not kept as texts.
      if (one.texts !== undefined && one.question.kind !== 'date') return { ...one, texts: found?.texts ?? [] };
      return one.others === undefined ? one : { ...one, others: found?.others ?? [] };
    }),
  }));
  return { answers: counted.answers, sections };
}

/** The same with every text: for files, and for what other instances are told. */
export async function countInFull(store: Store, survey: Survey): Promise<SurveyResult> {
  const { now, sections } = await sectionsOf(store, survey);
  const tally = new Tally(sections);
  for await (const { values } of eachAnswer(store, survey)) tally.add(values);
  return withoutFew(survey.names, withoutIdle(tally.result(), now));
}

async function addBallots({ store }: Context, survey: Survey, tally: Tally): Promise<void> {
  const _id = `${survey._id} all`;
  const answers = await ballotsIn(store).countDocuments({ surveyId: survey._id });
  const kept = await countsIn(store).findOne({ _id });
  if (kept !== null && kept.form === countForm && kept.version === survey.version && kept.answers === answers) {
    return tally.addPart(JSON.parse(kept.part) as TallyPart);
  }
  for await (const { values } of eachAnswer(store, survey)) tally.add(values);
  if (survey.state === 'closed') await keep(store, survey, _id, new Date(0), tally);
}

async function addAnswers({ store, now }: Context, survey: Survey, tally: Tally): Promise<void> {
  const parts = new Map(
    (await countsIn(store).find({ surveyId: survey._id }).toArray()).map((part) => [part._id, part] as const),
  );
  let after = 0;
  for (;;) {
    const part = parts.get(partId(survey, after));
    if (part === undefined) break;
    const between = { surveyId: survey._id, at: { $gt: new Date(after), $lte: part.upTo } };
    const isGood =
      part.form === countForm &&
      part.version === survey.version &&
      part.answers === (await answersIn(store).countDocuments(between));
    if (isGood) tally.addPart(JSON.parse(part.part) as TallyPart);
    else {
      const again = new Tally(tally.sections, 0);
      const options = { projection: { values: 1 } };
      for await (const { values } of answersIn(store).find(between, options)) again.add(values);
      tally.addPart(again.part());
      await keep(store, survey, part._id, part.upTo, again);
    }
    after = part.upTo.getTime();
  }
  await addNewest({ store, now }, survey, tally, after);
}

async function addNewest(
  { store, now }: Pick<Context, 'store' | 'now'>,
  survey: Survey,
  tally: Tally,
  after: number,
): Promise<void> {
  const options = { sort: { at: 1 }, projection: { at: 1, values: 1 } } as const;
  const filter = { surveyId: survey._id, at: { $gt: new Date(after) } };
  let start = after;
  let last = after;
  let open = new Tally(tally.sections, 0);
  for await (const { at, values } of answersIn(store).find(filter, options)) {
    const isFull = open.answers >= answersInPart && at.getTime() > last && last <= now.getTime() - settledMs;
    if (isFull) {
      tally.addPart(open.part());
      await keep(store, survey, partId(survey, start), new Date(last), open);
      start = last;
      open = new Tally(tally.sections, 0);
    }
    last = at.getTime();
    open.add(values);
  }
  tally.addPart(open.part());
}

function partId(survey: Survey, after: number): string {
  return `${survey._id} ${after}`;
}

async function keep(store: Store, { _id: surveyId, version }: Survey, _id: string, upTo: Date, tally: Tally) {
  const part = { surveyId, version, upTo, answers: tally.answers, part: JSON.stringify(tally.part()), form: countForm };
  await countsIn(store).replaceOne({ _id }, part, { upsert: true });
}

/** Who looks. isMember: one of those asked. */
export interface Reader {
  organises: boolean;
  isMember: boolean;
}

/** What one reader may know of the results. */
export interface Results {
  answers: number;
  /** How many were asked; null: anyone could answer. */
  asked: number | null;
  /** Null: too few answers for an anonymous survey. Questions that are left out are not in it, unless the reader organises. */
  counted: SurveyResult | null;
  /** The edition before, where this reader may see it. */
  before: SurveyResult | null;
}

/** Null: not for this reader, or not yet. */
export async function findResults(ctx: Context, survey: Survey, reader: Reader): Promise<Results | null> {
  if (!maySeeResults(survey, reader)) return null;
  const [counted, asked] = [await countResults(ctx, survey), await countAsked(ctx.store, survey)];
  const { answers } = counted;
  if (!isEnough(survey.names, answers)) return { answers, asked, counted: null, before: null };
  const before = await findBefore(ctx, survey, reader);
  return { answers, asked, counted: forReader(survey, counted, reader), before };
}

/** What the results say to those for whom they were published: without what is left out. For pages, files, and other instances. */
export function withoutHidden(survey: Pick<Survey, 'results'>, counted: SurveyResult): SurveyResult {
  const { hidden } = survey.results;
  const sections = counted.sections.map(({ section, questions }) => ({
    section: withoutQuestions(section, hidden),
    questions: questions.filter(({ question }) => !hidden.includes(question.id)),
  }));
  return { answers: counted.answers, sections: sections.filter(({ questions }) => questions.length > 0) };
}

function withoutQuestions(section: Section, hidden: readonly string[]): Section {
  return { ...section, questions: section.questions.filter(({ id }) => !hidden.includes(id)) };
}

function forReader(survey: Survey, counted: SurveyResult, reader: Reader): SurveyResult {
  return reader.organises ? counted : withoutHidden(survey, counted);
}

async function findBefore(ctx: Context, survey: Survey, reader: Reader): Promise<SurveyResult | null> {
  const before = survey.previousId === null ? null : await findSurvey(ctx.store, survey.previousId);
  if (before === null || before.deletedAt !== null || before.collectiveId !== survey.collectiveId) return null;
  // Who was asked then may be others than those asked now.
  if (!maySeeResults(before, { ...reader, isMember: false })) return null;
  const counted = await countResults(ctx, before);
  return isEnough(before.names, counted.answers) ? forReader(before, counted, reader) : null;
}

/** Published results as another instance is told them: every text, nothing that is left out; null: not published, or too few. */
export interface Published {
  answers: number;
  asked: number | null;
  counted: SurveyResult;
  notes: Texts;
  publishedAt: Date;
  chosenSlot: Survey['chosenSlot'];
  /** Of another instance: parts were left out on the way; the whole stands at `url`, where everybody may read it. */
  shortened?: { url: string | null } | null;
}

export async function findPublished(ctx: Context, survey: Survey): Promise<Published | null> {
  const { publishedAt, notes } = survey.results;
  if (publishedAt === null || survey.results.readers === 'organisers') return null;
  const counted = withoutHidden(survey, await countInFull(ctx.store, survey));
  const { answers } = counted;
  if (!isEnough(survey.names, answers)) return null;
  const { chosenSlot } = survey;
  return { answers, asked: await countAsked(ctx.store, survey), counted, notes, publishedAt, chosenSlot };
}

export interface TurnoutLine {
  invited: Invited;
  /** Of a survey of people: how many of the collective's have answered; else 0 or 1. */
  answered: number;
  asked: number;
  /** Its answer, when there is one and it has a name. */
  answerId: string | null;
}

async function invitedHere(store: Store, { invited }: Survey): Promise<Collective[]> {
  return listCollectivesById(
    store,
    invited.flatMap(({ collectiveId }) => (collectiveId === null ? [] : [collectiveId])),
  );
}

/** Ids of the people through whom a collective was asked. */
function peopleOf({ askedPeople: people }: Survey, { _id, members }: Collective): string[] {
  if (people === undefined) return members.map(({ personId }) => personId);
  return people.filter(({ collectiveId }) => collectiveId === _id).map(({ personId }) => personId);
}

/** Each of those asked with whether they have answered; nothing of what. Those who have not stand first. */
export async function listTurnout(ctx: Context, survey: Survey): Promise<TurnoutLine[]> {
  if (survey.answerBy === 'anyone') return [];
  const here = new Map((await invitedHere(ctx.store, survey)).map((one) => [one._id, one]));
  const keysOf = (invited: Invited): string[] => {
    if (survey.answerBy === 'collective') return [invited.iri];
    const collective = invited.collectiveId === null ? undefined : here.get(invited.collectiveId);
    return collective ? peopleOf(survey, collective).map((id) => `person:${id}`) : [];
  };
  const asked = survey.invited.map((invited) => ({
    invited,
    ids: keysOf(invited).map((key) => answerKey(survey._id, key)),
  }));
  const given = await listGiven(
    ctx.store,
    survey,
    asked.flatMap(({ ids }) => ids),
  );
  return asked
    .map(({ invited, ids }) => {
      const found = ids.filter((id) => given.has(id));
      const isReadable = survey.answerBy === 'collective' && survey.names !== 'anonymous';
      const answered = found.length + countGone(survey, invited);
      return { invited, answered, asked: ids.length, answerId: isReadable ? (found[0] ?? null) : null };
    })
    .sort((a, b) => share(a) - share(b) || a.invited.name.localeCompare(b.invited.name));
}

/** Those of a collective who have answered and whose account is gone: their answer counts, and is nobody's. */
function countGone({ answerBy, askedPeople = [] }: Survey, { collectiveId }: Invited): number {
  if (answerBy !== 'person') return 0;
  return askedPeople.filter((one) => one.hasAnswered === true && one.collectiveId === collectiveId).length;
}

function share({ answered, asked }: TurnoutLine): number {
  return asked === 0 ? 1 : answered / asked;
}

async function listGiven(store: Store, survey: Survey, ids: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (let from = 0; from < ids.length; from += 500) {
    const filter = { _id: { $in: ids.slice(from, from + 500) } };
    const options = { projection: { _id: 1 } } as const;
    const docs =
      survey.names === 'anonymous'
        ? await turnoutsIn(store).find(filter, options).toArray()
        : await answersIn(store).find(filter, options).toArray();
    for (const { _id } of docs) found.add(_id);
  }
  return found;
}

/**
 * Who of the people asked one by one has not answered, by the actor of the collective through which they were asked: for
 * organisers, where names are for them. Nobody where they are not.
 */
export async function listMissingPeople({ store }: Context, survey: Survey): Promise<Map<string, string[]>> {
  if (survey.answerBy !== 'person' || !maySeeNames(survey)) return new Map();
  const here = new Map((await invitedHere(store, survey)).map((one) => [one._id, peopleOf(survey, one)]));
  const ids = [...new Set([...here.values()].flat())];
  const keyOf = (id: string) => answerKey(survey._id, `person:${id}`);
  const given = await listGiven(store, survey, ids.map(keyOf));
  const missing = ids.filter((id) => !given.has(keyOf(id)));
  const names = new Map((await listPeopleById(store, missing)).map(({ _id, displayName }) => [_id, displayName]));
  const lines = survey.invited.map(({ iri, collectiveId }): [string, string[]] => {
    const found = (here.get(collectiveId ?? '') ?? []).flatMap((id) => names.get(id) ?? []);
    return [iri, found.sort((a, b) => a.localeCompare(b))];
  });
  return new Map(lines);
}

/** Whether this person is one of those asked, as such or as one of a collective here that was invited. */
export async function isOneOfThose(ctx: Context, survey: Survey, actor: Actor): Promise<boolean> {
  if (actor?.kind !== 'person') return false;
  if (survey.answerBy === 'person') return asksThisPerson(survey, actor.personId, Object.keys(actor.memberships));
  const here = await invitedHere(ctx.store, survey);
  return here.some(({ members }) => members.some(({ personId }) => personId === actor.personId));
}

export interface TextLine {
  text: string;
  /** Null: nobody's to know. */
  by: string | null;
}

const textsOnPage = 50;

/** What was written to a question, by page; `q`: whose words it holds. In the order of the letters: it says nothing of when. */
export async function listTexts(
  store: Store,
  survey: Survey,
  question: Question,
  { q, page, withNames }: { q: string; page: number; withNames: boolean },
): Promise<{ lines: TextLine[]; count: number; page: number; pages: number }> {
  const words = fold(q).split(/\s+/).filter(Boolean);
  const found: TextLine[] = [];
  const add = (value: Value | undefined, by: string | null) => {
    const text = value === undefined ? '' : 'text' in value ? value.text : 'other' in value ? value.other : '';
    if (text !== '' && words.every((word) => fold(text).includes(word))) found.push({ text, by });
  };
  if (withNames && maySeeNames(survey)) {
    const options = { projection: { answerer: 1, values: 1 } } as const;
    const all = answersIn(store).find({ surveyId: survey._id }, options);
    for await (const { answerer, values } of all) add(values[question.id], answerer.name);
  } else for await (const { values } of eachAnswer(store, survey)) add(values[question.id], null);
  found.sort((a, b) => (a.text < b.text ? -1 : Number(a.text > b.text)));
  const { shown: lines, ...at } = sliceOf(found, page, textsOnPage);
  return { lines, count: found.length, ...at };
}

/** Two questions against each other; null: there are no such two that can be crossed. */
export async function findCrossTable(
  store: Store,
  survey: Survey,
  counted: SurveyResult,
  { rows, columns }: { rows: string; columns: string },
): Promise<CrossTable | null> {
  const known = crossable(counted);
  const [down, across] = [known.find(({ id }) => id === rows), known.find(({ id }) => id === columns)];
  if (down === undefined || across === undefined || down === across) return null;
  const table = new CrossTable(down, across);
  for await (const { values } of eachAnswer(store, survey)) table.add(values);
  return table;
}

export function crossable(counted: SurveyResult): Crossable[] {
  const told = counted.sections.flatMap(({ questions }) => questions).filter(({ isTooFew }) => !isTooFew);
  return told.map(({ question }) => question).filter(isCrossable);
}

/** One answer with its name, by its place in time or by its id; null: there is none. Only for surveys that have names. */
export async function findOneAnswer(
  store: Store,
  survey: Survey,
  which: { at: number } | { id: string },
): Promise<{ answer: SurveyAnswer; at: number; count: number } | null> {
  const surveyId = survey._id;
  const count = await countAnswers(store, survey);
  if ('id' in which) {
    const answer = await answersIn(store).findOne({ _id: which.id, surveyId });
    if (answer === null) return null;
    const at = await answersIn(store).countDocuments({ surveyId, at: { $lte: answer.at } });
    return { answer, at, count };
  }
  const [answer] = await answersIn(store)
    .find({ surveyId }, { sort: { at: 1 }, skip: which.at - 1, limit: 1 })
    .toArray();
  return answer === undefined ? null : { answer, at: which.at, count };
}

export interface AnswerLine {
  id: string;
  name: string;
  handle: string;
  home: string;
  at: Date;
}

/** Who has answered, by name, by page; `q`: whose name or address holds the words. Only for surveys that have names. */
export async function listAnswers(
  store: Store,
  survey: Survey,
  { q, page }: { q: string; page: number },
): Promise<{ lines: AnswerLine[]; count: number; page: number; pages: number }> {
  const words = fold(q).split(/\s+/).filter(Boolean);
  const projection = { answerer: 1, home: 1, at: 1 };
  const all = await answersIn(store).find({ surveyId: survey._id }, { projection }).toArray();
  const found = all
    .filter(({ answerer }) => words.every((word) => fold(`${answerer.name} ${answerer.handle}`).includes(word)))
    .map(({ _id: id, answerer, home, at }) => ({ id, name: answerer.name, handle: answerer.handle, home, at }))
    .sort((a, b) => a.name.localeCompare(b.name) || a.at.getTime() - b.at.getTime());
  const { shown: lines, ...at } = sliceOf(found, page, textsOnPage);
  return { lines, count: found.length, ...at };
}
