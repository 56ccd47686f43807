// Deeds of those who are asked: answer, correct, take back, keep a draft. One function for every door: a form here, an answer
// from another instance, a guest's link.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { findCollective } from '../../collectives/queries.js';
import type { Context } from '../../context.js';
import { DomainError, InvalidFields } from '../../errors.js';
import { pending } from '../../events.js';
import { DuplicateKeyError } from '../../store/store.js';
import { readAnswers } from '../answers.js';
import {
  answersIn,
  ballotsIn,
  countedIn,
  draftsIn,
  findAnswer,
  getSurvey,
  getVersion,
  readSections,
  secretCollections,
  surveysIn,
  turnoutsIn,
} from '../queries.js';
import { answerKey, checkTakesAnswers } from '../rules.js';
import type { Answerer, Edit, Section, Survey, SurveyAnswer, SurveyDraft, Values } from '../schema.js';

export interface AnswerInput {
  surveyId: string;
  /** Who has the one answer. The door has made sure that whoever sends it may speak for them. */
  answerer: Answerer;
  /** Person id here; on another instance what it calls the person; empty: a guest. */
  by: string;
  byName: string;
  /** Empty: here. Host of the instance from which it comes. */
  home: string;
  /** When it left another instance. */
  sentAt?: Date;
  /** The version that was shown. An older one is still good: it is kept with the answer. */
  version: number;
  raw: Readonly<Record<string, unknown>>;
  /** Answers to questions that were not asked are refused, not left out: for other instances and files. */
  strict?: boolean;
  /** Whoever answers has services to be asked about. Absent: not known, as of those of another instance. */
  hasServices?: boolean;
  /**
   * The moment of the answer that was shown with the form; 1970: there was none. One that somebody else has sent since is not
   * replaced. Absent: any is.
   */
  shown?: Date;
  email?: string | null;
}

export type DraftInput = Pick<AnswerInput, 'surveyId' | 'answerer' | 'byName' | 'version' | 'raw' | 'email'> & {
  seen?: Date;
};

export interface Submitted {
  /** False: it took the place of the one before. */
  isFirst: boolean;
  /** Of an anonymous answer, known to nobody else: with it one finds out whether it was counted. */
  receipt: string | null;
  answer: SurveyAnswer | null;
}

/**
 * Records the one answer of a collective, person or guest; the latest before closing counts. Emits survey.answered (never for
 * an anonymous survey). Refuses: not-found, gone, not-allowed (not asked), closed, invalid (InvalidFields), conflict (an
 * anonymous answer was given already; a later correction has arrived before; somebody else's was not `shown`).
 */
export async function submitAnswer(ctx: Context, input: AnswerInput): Promise<Submitted> {
  const survey = await getSurvey(ctx.store, input.surveyId);
  checkIsAsked(survey, input.answerer);
  checkTakesAnswers(survey, ctx.now, input.sentAt);
  // Who is in the bin asks nobody.
  const owner = await findCollective(ctx.store, survey.collectiveId);
  if (owner !== null && owner.deletedAt !== null) throw new DomainError('closed', 'surveys.error.closed');
  const values = await check(ctx, survey, input);
  if (survey.names === 'anonymous') return (await castBallot(ctx, survey, input, values)) ?? submitAnswer(ctx, input);
  const answer = await keepAnswer(ctx, survey, input, values);
  // A look costs less than a write, and most have no draft.
  const draft = await draftsIn(ctx.store).findOne({ _id: answer._id }, { projection: { _id: 1 } });
  if (draft !== null) await draftsIn(ctx.store).deleteOne({ _id: answer._id });
  return { isFirst: answer.edits.length === 0, receipt: null, answer };
}

/** Refuses: not-allowed. Who is asked was fixed when the survey opened. */
export function checkIsAsked(survey: Pick<Survey, 'answerBy' | 'invited' | 'askedPeople'>, answerer: Answerer): void {
  const isAsked =
    survey.answerBy === answerer.kind &&
    (answerer.kind !== 'collective' || survey.invited.some(({ iri }) => iri === answerer.key)) &&
    (answerer.kind !== 'person' ||
      (survey.askedPeople?.some(({ personId }) => `person:${personId}` === answerer.key) ?? true));
  if (!isAsked) throw new DomainError('not-allowed', 'surveys.error.notAsked');
}

async function check(ctx: Context, survey: Survey, input: AnswerInput): Promise<Values> {
  const isKnown = Number.isInteger(input.version) && input.version >= 1 && input.version <= survey.version;
  if (!isKnown) throw new DomainError('invalid', 'surveys.error.version', { field: 'version' });
  const sections = await readSections(ctx.store, survey, input.version, ctx.now);
  const { values, errors } = readAnswers(sections, input.raw, {
    strict: input.strict ?? false,
    hasServices: input.hasServices ?? false,
  });
  if (errors.length > 0) throw new InvalidFields(errors);
  if (Object.keys(values).length === 0) throw new DomainError('invalid', 'surveys.answer.nothing', { field: 'a' });
  return values;
}

async function keepAnswer(ctx: Context, survey: Survey, input: AnswerInput, values: Values): Promise<SurveyAnswer> {
  const _id = answerKey(survey._id, input.answerer.key);
  const { answerer, by, byName, home, version } = input;
  const sentAt = input.sentAt ?? ctx.now;
  const event = pending({ type: 'survey.answered', surveyId: survey._id, answerId: _id }, ctx.now);
  const said = { answerer, by, byName, home, version, values, at: ctx.now, sentAt };
  const email = input.email === undefined ? {} : { email: input.email };
  const isKept = answerer.kind === 'collective' && home === '';
  const first = { _id, surveyId: survey._id, ...said, edits: [], email: null, ...email };
  try {
    await answersIn(ctx.store).insertOne({ ...first, events: [event] });
    return first;
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
  // Each of many who correct it at once is remembered: whoever finds it changed meanwhile looks again.
  for (let tries = 0; tries < 50; tries += 1) {
    const before = await findAnswer(ctx.store, survey._id, answerer.key);
    if (before === null) throw answerChanged('');
    checkShown(before, input);
    // Of two that arrive out of order the one sent later stands.
    if (before.sentAt > sentAt) throw new DomainError('conflict', 'surveys.error.laterOne');
    const edits = addEdit(before.edits, isKept ? before : { at: before.at, by: before.by, byName: before.byName });
    const saved = await answersIn(ctx.store).findOneAndUpdate(
      { _id, sentAt: before.sentAt, at: before.at, byName: before.byName, edits: { $size: before.edits.length } },
      { $set: { ...said, ...email, edits }, $push: { events: event } },
      { returnDocument: 'after' },
    );
    if (saved !== null) return saved;
  }
  throw answerChanged('');
}

/** Refuses: conflict. Somebody else has sent the answer since it was shown. */
export function checkShown(
  before: { by: string; byName: string; at: Date },
  { by, shown }: Pick<AnswerInput, 'by' | 'shown'>,
): void {
  if (shown !== undefined && before.by !== by && before.at > shown) throw answerChanged(before.byName);
}

export function answerChanged(name: string): DomainError {
  if (name === '') return new DomainError('conflict', 'surveys.error.answerChanged');
  return new DomainError('conflict', { key: 'surveys.error.answerOther', params: { name } });
}

const mostEdits = 20;
const mostKept = 5;

/** Who and when of the last twenty answers, what of the last five. */
export function addEdit(edits: readonly Edit[], { at, by, byName, version, values }: Edit): Edit[] {
  const who = { at, by, byName };
  const last = values === undefined || version === undefined ? who : { ...who, version, values };
  const all: Edit[] = [...edits.slice(1 - mostEdits), last];
  return all.map((edit, index) =>
    index < all.length - mostKept ? { at: edit.at, by: edit.by, byName: edit.byName } : edit,
  );
}

/**
 * The three documents are written in one turn and share nothing but the survey: the receipt is no key to the ballot. Null: the
 * survey was closed or changed meanwhile, and nothing is left of it. One that came after the end would be the difference of two
 * counts, and one with questions of before would stand out among the others.
 */
async function castBallot(ctx: Context, survey: Survey, input: AnswerInput, values: Values): Promise<Submitted | null> {
  const { key } = input.answerer;
  const turnout = { _id: answerKey(survey._id, key), surveyId: survey._id, key };
  if (await turnoutsIn(ctx.store).findOne({ _id: turnout._id })) throw alreadyCast();
  const receipt = randomBytes(12).toString('hex');
  const ballot = { _id: randomUUID(), surveyId: survey._id, version: input.version, values };
  const counted = { _id: receiptHash(receipt), surveyId: survey._id };
  const [entered, ...others] = await Promise.allSettled([
    turnoutsIn(ctx.store).insertOne(turnout),
    ballotsIn(ctx.store).insertOne(ballot),
    countedIn(ctx.store).insertOne(counted),
  ]);
  const failed = [entered, ...others].find((one) => one.status === 'rejected');
  const { revision } = survey;
  const stands =
    failed === undefined && (await surveysIn(ctx.store).countDocuments({ _id: survey._id, revision })) === 1;
  if (stands) {
    // It counts, whatever happens to its traces: those go with the next one, or at night.
    await ctx.store.settle(secretCollections).catch((error: unknown) => {
      ctx.log.error({ err: error }, 'traces of anonymous answers are left until the next settling');
    });
    return { isFirst: true, receipt, answer: null };
  }
  await ballotsIn(ctx.store).deleteOne({ _id: ballot._id });
  await countedIn(ctx.store).deleteOne({ _id: counted._id });
  if (entered.status === 'fulfilled') await turnoutsIn(ctx.store).deleteOne({ _id: turnout._id });
  if (failed === undefined) return null;
  if (entered.status === 'rejected' && entered.reason instanceof DuplicateKeyError) throw alreadyCast();
  throw failed.reason;
}

/** Days after the end on which the ballots of a survey are compared. */
const compareDays = 7;

/**
 * Tells the log of anonymous surveys that closed this week and have not as many ballots as entries of who has answered: what a
 * crash between the writes of castBallot() can leave on an engine that does not write them as one. Which ballot it is cannot be
 * told. Returns how many.
 */
export async function compareBallots(ctx: Context): Promise<number> {
  const since = new Date(ctx.now.getTime() - compareDays * 24 * 60 * 60 * 1000);
  const closed = { names: 'anonymous' as const, state: 'closed' as const, closedAt: { $gte: since }, deletedAt: null };
  let differing = 0;
  for await (const { _id } of surveysIn(ctx.store).find(closed, { projection: { _id: 1 } })) {
    const filter = { surveyId: _id };
    const ballots = await ballotsIn(ctx.store).countDocuments(filter);
    const turnouts = await turnoutsIn(ctx.store).countDocuments(filter);
    if (ballots === turnouts) continue;
    differing += 1;
    ctx.log.error({ survey: _id, ballots, turnouts }, 'an anonymous survey has not as many ballots as have answered');
  }
  return differing;
}

function alreadyCast(): DomainError {
  return new DomainError('conflict', 'surveys.error.alreadyCast');
}

function receiptHash(receipt: string): string {
  return createHash('sha256').update(receipt.trim().toLowerCase()).digest('hex');
}

/** Whether the anonymous answer with this number was counted. */
export async function isCounted(ctx: Context, surveyId: string, receipt: string): Promise<boolean> {
  return (await countedIn(ctx.store).findOne({ _id: receiptHash(receipt), surveyId })) !== null;
}

/** Takes an answer back while the survey is open. Refuses: not-found, gone, closed. Anonymous ones cannot be found again. */
export async function withdrawAnswer(ctx: Context, surveyId: string, answerer: Answerer, sentAt?: Date): Promise<void> {
  const survey = await getSurvey(ctx.store, surveyId);
  checkTakesAnswers(survey, ctx.now, sentAt);
  // What was sent later stands, however late this arrives.
  const before = sentAt === undefined ? {} : { sentAt: { $lte: sentAt } };
  const { deletedCount } = await answersIn(ctx.store).deleteOne({ _id: answerKey(surveyId, answerer.key), ...before });
  if (deletedCount === 0) throw new DomainError('not-found', 'error.notFound');
}

/**
 * Keeps what was filled in so far, wrong or not complete as it may be: only what can be read. Of an anonymous survey nothing is
 * kept. Refuses: not-found, gone, not-allowed, closed, invalid (what no form sends), conflict (somebody else kept a draft that this one has not `seen`).
 */
export async function saveDraft(ctx: Context, input: DraftInput): Promise<void> {
  const survey = await getSurvey(ctx.store, input.surveyId);
  checkIsAsked(survey, input.answerer);
  checkTakesAnswers(survey, ctx.now);
  if (survey.names === 'anonymous') return;
  const { sections } = await getVersion(ctx.store, survey._id, Math.min(input.version, survey.version));
  await keepDraft(ctx, sections, input);
}

/** What can be read of a draft, unless somebody else has kept another one since `seen`. Refuses: conflict. */
export async function keepDraft(ctx: Context, sections: readonly Section[], input: DraftInput): Promise<void> {
  const { values, errors } = readAnswers(sections, input.raw, { partial: true, everything: true });
  // A field given twice, a list for a text: what no form of ours sends.
  const forged = errors.filter(({ message }) => message.key === 'shape.invalid');
  if (forged.length > 0) throw new InvalidFields(forged);
  const { byName, surveyId, version, seen } = input;
  const _id = answerKey(surveyId, input.answerer.key);
  const email = input.email === undefined ? {} : { email: input.email };
  const draft = { surveyId, key: input.answerer.key, version, values, byName, ...email, at: ctx.now };
  // A guest is alone with their answer, under whatever name.
  const since = input.answerer.kind === 'anyone' ? undefined : seen;
  // Whoever finds that somebody was quicker looks again.
  for (let tries = 0; tries < 50; tries += 1) {
    const before = await draftsIn(ctx.store).findOne({ _id });
    if (since !== undefined && before !== null && before.at > since && before.byName !== byName) {
      throw new DomainError('conflict', { key: 'surveys.draft.other', params: { name: before.byName } });
    }
    if (await putDraft(ctx, { _id, ...draft }, before)) return;
  }
  throw answerChanged('');
}

/** False: it is not the one that was there `before` any more. */
async function putDraft({ store }: Context, draft: SurveyDraft, before: SurveyDraft | null): Promise<boolean> {
  const { _id, ...fields } = draft;
  if (before !== null) {
    const { at, byName } = before;
    return (await draftsIn(store).replaceOne({ _id, at, byName }, fields)).matchedCount === 1;
  }
  try {
    await draftsIn(store).insertOne(draft);
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}
