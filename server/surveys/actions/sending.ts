// Deeds of our collectives on surveys of other instances: answer, take back, and what becomes of it there. What is sent waits in
// the queue of federation/delivery.ts; the owner's receipt decides whether it counts.
import { findCollectiveByHandle } from '../../collectives/queries.js';
import type { Context } from '../../context.js';
import { DomainError, InvalidFields } from '../../errors.js';
import { pending } from '../../events.js';
import { DuplicateKeyError } from '../../store/store.js';
import { readAnswers } from '../answers.js';
import { draftsIn } from '../queries.js';
import {
  asksRemotely,
  bytesOnWire,
  findRemoteSurvey,
  findSentAnswer,
  type Refused,
  type RemoteSurvey,
  remoteSurveysIn,
  type SentAnswer,
  sentAnswersIn,
  wireLimits,
} from '../remoteSurveys.js';
import { answerKey, checkTakesAnswers } from '../rules.js';
import type { Answerer, Values } from '../schema.js';
import {
  type AnswerInput,
  addEdit,
  answerChanged,
  checkShown,
  type DraftInput,
  keepDraft,
  type Submitted,
} from './answering.js';

type SentInput = Pick<
  AnswerInput,
  'surveyId' | 'answerer' | 'by' | 'byName' | 'version' | 'raw' | 'shown' | 'hasServices'
>;

/**
 * Keeps a collective's answer to a survey elsewhere and has it sent to its owner; checked as the owner will check it. Emits
 * surveyAnswer.sent. Refuses: not-found, gone, not-allowed (not asked; anonymous, which is answered at its owner's), closed,
 * invalid, conflict (somebody else's answer was not `shown`).
 */
export async function sendAnswer(ctx: Context, input: SentInput): Promise<Submitted> {
  const survey = await getAsked(ctx, input.surveyId, input.answerer);
  checkTakesAnswers(survey, ctx.now);
  if (survey.names === 'anonymous') throw new DomainError('not-allowed', 'surveys.error.anonymousByLink');
  const values = check(survey, input);
  const { iri, owner, host } = survey;
  const collectiveId = (await findCollectiveByHandle(ctx.store, input.answerer.handle))?._id ?? '';
  const fixed = { surveyKey: survey._id, survey: iri, owner, host, collectiveId, answerer: input.answerer.key };
  // Each of many who send at once is remembered: whoever finds it changed meanwhile looks again.
  for (let tries = 0; tries < 50; tries += 1) {
    const isFirst = await keepSent(ctx, input, fixed, values);
    if (isFirst === null) continue;
    await draftsIn(ctx.store).deleteOne({ _id: answerKey(survey._id, input.answerer.key) });
    return { isFirst, receipt: null, answer: null };
  }
  throw answerChanged('');
}

type Fixed = Pick<SentAnswer, 'surveyKey' | 'survey' | 'owner' | 'host' | 'collectiveId' | 'answerer'>;

/** Whether it is the first that stands; null: another one came between. Refuses: conflict. */
async function keepSent(ctx: Context, input: SentInput, fixed: Fixed, values: Values): Promise<boolean | null> {
  const _id = answerKey(fixed.survey, fixed.answerer);
  const before = await sentAnswersIn(ctx.store).findOne({ _id });
  const stood = before !== null && before.state !== 'withdrawn';
  if (stood) checkShown({ ...before, at: before.sentAt }, input);
  // Of two at the same moment the owner could not tell which is the later one.
  const sentAt = new Date(Math.max(ctx.now.getTime(), (before?.sentAt.getTime() ?? 0) + 1));
  const edits = stood ? addEdit(before.edits, { ...before, at: before.sentAt }) : [];
  const { by, byName, version } = input;
  const said = { version, values, by, byName, sentAt, edits, state: 'sent' as const, receiptAt: null, refusal: null };
  const event = pending({ type: 'surveyAnswer.sent', answerId: _id }, ctx.now);
  if (before !== null) {
    const change = { $set: { ...fixed, ...said }, $push: { events: event } };
    const { matchedCount } = await sentAnswersIn(ctx.store).updateOne({ _id, sentAt: before.sentAt }, change);
    return matchedCount === 0 ? null : !stood;
  }
  try {
    await sentAnswersIn(ctx.store).insertOne({ _id, ...fixed, ...said, events: [event] });
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return null;
    throw error;
  }
}

async function getAsked(ctx: Context, key: string, answerer: Answerer): Promise<RemoteSurvey> {
  const survey = await findRemoteSurvey(ctx.store, key);
  if (survey === null) throw new DomainError('not-found', 'error.notFound');
  if (survey.deletedAt !== null) throw new DomainError('gone', 'surveys.error.gone');
  if (!asksRemotely(survey, answerer)) throw new DomainError('not-allowed', 'surveys.error.notAsked');
  return survey;
}

function check(survey: RemoteSurvey, { version, raw, hasServices = false }: SentInput): Values {
  // Here only the last questions are known.
  if (version !== survey.version) throw new DomainError('invalid', 'surveys.error.version', { field: 'version' });
  const { values, errors } = readAnswers(survey.sections, raw, { hasServices });
  if (errors.length > 0) throw new InvalidFields(errors);
  if (Object.keys(values).length === 0) throw new DomainError('invalid', 'surveys.answer.nothing', { field: 'a' });
  if (bytesOnWire(JSON.stringify(values)) > wireLimits.values) {
    throw new DomainError('invalid', 'surveys.error.answerTooLong', { field: 'a' });
  }
  return values;
}

/** Takes an answer back while the survey is open. Emits surveyAnswer.withdrawn. Refuses: not-found, gone, not-allowed, closed, conflict. */
export async function recallAnswer(ctx: Context, surveyKey: string, answerer: Answerer): Promise<void> {
  const survey = await getAsked(ctx, surveyKey, answerer);
  checkTakesAnswers(survey, ctx.now);
  const sent = await findSentAnswer(ctx.store, survey.iri, answerer.key);
  if (sent === null || sent.state === 'withdrawn') throw new DomainError('not-found', 'error.notFound');
  const sentAt = new Date(Math.max(ctx.now.getTime(), sent.sentAt.getTime() + 1));
  const event = pending({ type: 'surveyAnswer.withdrawn', answerId: sent._id }, ctx.now);
  // What it says goes with the owner's receipt: until then it may stand there.
  const set = { state: 'withdrawn' as const, sentAt, receiptAt: null, refusal: null };
  const { matchedCount } = await sentAnswersIn(ctx.store).updateOne(
    { _id: sent._id, sentAt: sent.sentAt },
    { $set: set, $push: { events: event } },
  );
  if (matchedCount === 0) throw answerChanged('');
}

/** Keeps what was filled in so far of a survey elsewhere. Refuses: not-found, gone, not-allowed, closed, conflict. */
export async function saveRemoteDraft(ctx: Context, input: DraftInput): Promise<void> {
  const survey = await getAsked(ctx, input.surveyId, input.answerer);
  checkTakesAnswers(survey, ctx.now);
  if (survey.names !== 'anonymous') await keepDraft(ctx, survey.sections, input);
}

/**
 * A collective says of an anonymous survey elsewhere that it has answered by its link, or that it has not: only it can know. It
 * is asked and reminded no more; the owner is not told. Refuses: not-found (also one that is answered from here), gone,
 * not-allowed, conflict.
 */
export async function markAnswered(ctx: Context, key: string, answerer: Answerer, isAnswered: boolean): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    const survey = await getAsked(ctx, key, answerer);
    if (survey.names !== 'anonymous') throw new DomainError('not-found', 'error.notFound');
    const before = survey.marked ?? [];
    const others = before.filter((one) => one !== answerer.key);
    const marked = (isAnswered ? [...others, answerer.key] : others).toSorted();
    const stands = survey.marked === undefined ? { $exists: false } : { $size: before.length };
    const saved = await remoteSurveysIn(ctx.store).updateOne({ _id: key, marked: stands }, { $set: { marked } });
    if (saved.matchedCount === 1) return;
  }
  throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
}

export interface ReceiptInput {
  /** Actor of the collective that asks, whose key signed the receipt. */
  owner: string;
  survey: string;
  answerer: string;
  /** Of the answer that it is about. */
  sentAt: Date;
  refusal: Refused | null;
}

/**
 * The owner's word about an answer of ours. One about an answer that was replaced meanwhile, from anybody else, or about nothing
 * changes nothing. Emits surveyAnswer.refused.
 */
export async function receiveReceipt(ctx: Context, input: ReceiptInput): Promise<void> {
  const { owner, survey, answerer, sentAt, refusal } = input;
  const sent = await findSentAnswer(ctx.store, survey, answerer);
  if (sent === null || sent.owner !== owner || sent.receiptAt !== null) return;
  const filter = { _id: sent._id, sentAt, receiptAt: null };
  const state: SentAnswer['state'] =
    sent.state === 'withdrawn' ? 'withdrawn' : refusal === null ? 'accepted' : 'refused';
  const event = pending({ type: 'surveyAnswer.refused', answerId: sent._id }, ctx.now);
  await sentAnswersIn(ctx.store).updateOne(filter, {
    $set: { state, receiptAt: ctx.now, refusal, ...(state === 'withdrawn' && refusal === null ? takenBack : {}) },
    ...(refusal === null ? {} : { $push: { events: event } }),
  });
}

/** Of an answer that was taken back nothing is kept but that it was. */
export const takenBack = { values: {}, edits: [] };

/** For purgeDeleted() of the collectives. */
export async function purgeSentAnswersOf(ctx: Context, collectiveId: string): Promise<void> {
  await sentAnswersIn(ctx.store).deleteMany({ collectiveId });
}
