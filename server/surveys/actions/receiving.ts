// What other instances tell us: their surveys that ask ours, and answers of their collectives to ours. The doors have made sure
// who speaks; here is decided what it changes.
import { createHash } from 'node:crypto';
import type { Context } from '../../context.js';
import { DomainError, InvalidFields } from '../../errors.js';
import { type DomainEvent, pending, type RemoteNews } from '../../events.js';
import type { FieldError } from '../../http/form.js';
import { DuplicateKeyError } from '../../store/store.js';
import { draftsIn, findAnswer, findSurvey } from '../queries.js';
import { type RemoteSurvey, receiptsIn, remoteSurveysIn, sentAnswersIn } from '../remoteSurveys.js';
import type { Answerer, Survey } from '../schema.js';
import { submitAnswer, withdrawAnswer } from './answering.js';
import { takenBack } from './sending.js';

/** Surveys that are kept of one instance for one of ours: each that it asks is told of its own. */
const mostPerHost = 200;

/**
 * Keeps a survey that asks ours, or brings it up to date; an older one changes nothing. Emits remoteSurvey.received. Refuses:
 * not-allowed (somebody else's), too-many.
 */
export async function receiveSurvey(ctx: Context, survey: RemoteSurvey): Promise<void> {
  const { _id, ...fields } = survey;
  const surveys = remoteSurveysIn(ctx.store);
  const known = await surveys.findOne({ _id });
  if (known === null) {
    const [asked = ''] = survey.asked;
    const count = await surveys.countDocuments({ asked, host: survey.host });
    if (count >= mostPerHost)
      throw new DomainError('too-many', 'surveys.error.tooManyFromHost', { retryAfter: 86_400 });
    const events = received(survey, null).map((what) => pending(eventOf(survey, what), ctx.now));
    try {
      await surveys.insertOne({ ...survey, events });
      return;
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }
  if (known !== null && known.owner !== survey.owner) throw new DomainError('not-allowed', 'error.notFound');
  const news = received(survey, known);
  const isAgain = news.includes('opened');
  const receivedAt = isAgain ? survey.receivedAt : (known?.receivedAt ?? survey.receivedAt);
  await surveys.updateOne(
    { _id, owner: survey.owner, revision: { $lt: survey.revision } },
    {
      $set: { ...fields, receivedAt, changedAt: ctx.now, deletedAt: null },
      $push: { events: { $each: news.map((what) => pending(eventOf(survey, what), ctx.now)) } },
    },
  );
}

function eventOf({ _id: surveyKey }: RemoteSurvey, what: RemoteNews): DomainEvent {
  return { type: 'remoteSurvey.received', surveyKey, what };
}

/** What there is to tell of it: also of what changed together. */
function received(survey: RemoteSurvey, known: RemoteSurvey | null): RemoteNews[] {
  const stood = known !== null && known.deletedAt === null;
  const isOpening = survey.state === 'open' && (!stood || known.state === 'closed');
  const end = (one: RemoteSurvey) => one.closesAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const isExtended = stood && known.state === 'open' && survey.state === 'open' && end(survey) > end(known);
  const isPublished = survey.results !== null && !(stood && known.results !== null);
  if (isOpening || isExtended) return [isOpening ? 'opened' : 'extended'];
  const before = stood ? known.chosenSlot : null;
  const { chosenSlot } = survey;
  const isChosen = chosenSlot !== null && (chosenSlot.slot !== before?.slot || chosenSlot.question !== before.question);
  const news: RemoteNews[] = [
    ...(isChosen ? ['slotChosen' as const] : []),
    ...(isPublished ? ['published' as const] : []),
  ];
  return news.length === 0 ? ['changed'] : news;
}

/** Its owner has deleted it: nobody sees it any more, unless it comes back. Refuses: not-allowed. */
export async function receiveSurveyGone(ctx: Context, key: string, owner: string): Promise<void> {
  const { matchedCount } = await remoteSurveysIn(ctx.store).updateOne(
    { _id: key, owner },
    { $set: { deletedAt: ctx.now, results: null } },
  );
  if (matchedCount === 0) throw new DomainError('not-allowed', 'error.notFound');
  await draftsIn(ctx.store).deleteMany({ surveyId: key });
}

/** Everything of one host, or of one actor, goes: surveys, drafts and what was answered. Returns how many surveys. */
export async function forgetSurveysOf(ctx: Context, whose: { host: string } | { owner: string }): Promise<number> {
  const gone = await remoteSurveysIn(ctx.store).find(whose).toArray();
  for (const { _id } of gone) await forget(ctx, _id);
  return gone.length;
}

async function forget(ctx: Context, key: string): Promise<void> {
  await draftsIn(ctx.store).deleteMany({ surveyId: key });
  await sentAnswersIn(ctx.store).deleteMany({ surveyKey: key });
  await remoteSurveysIn(ctx.store).deleteOne({ _id: key });
}

const day = 24 * 60 * 60 * 1000;

/** Surveys deleted more than 30 days ago go with what was answered, receipts after 90 days. Returns how many went. */
export async function pruneRemoteSurveys(ctx: Context): Promise<number> {
  const before = (days: number) => new Date(ctx.now.getTime() - days * day);
  const gone = await remoteSurveysIn(ctx.store)
    .find({ deletedAt: { $lt: before(30) } })
    .toArray();
  for (const { _id } of gone) await forget(ctx, _id);
  // Taken back, of which its owner has said nothing for so long.
  const silent = { state: 'withdrawn' as const, receiptAt: null, sentAt: { $lt: before(30) } };
  await sentAnswersIn(ctx.store).updateMany(silent, { $set: takenBack });
  const receipts = await receiptsIn(ctx.store).deleteMany({ at: { $lt: before(90) } });
  return gone.length + receipts.deletedCount;
}

export interface ForeignAnswer {
  /** Of the activity that brings it: it has one receipt, however often it comes. */
  activityIri: string;
  answerIri: string;
  surveyIri: string;
  surveyId: string;
  answerer: Answerer;
  host: string;
  sentAt: Date;
}

/**
 * Whether an answer of this actor may be looked at. Refuses: not-found; not-allowed (not asked, or anonymous: what never
 * travels is not even kept to be refused).
 */
export async function checkForeignAnswer(ctx: Context, surveyId: string, answerer: string): Promise<Survey> {
  const survey = await findSurvey(ctx.store, surveyId);
  if (survey === null) throw new DomainError('not-found', 'error.notFound');
  const isAsked =
    survey.answerBy === 'collective' &&
    survey.invited.some(({ iri, collectiveId }) => iri === answerer && collectiveId === null);
  if (!isAsked) throw new DomainError('not-allowed', 'surveys.error.notAsked');
  if (survey.names === 'anonymous') throw new DomainError('not-allowed', 'surveys.error.anonymousByLink');
  return survey;
}

/**
 * An answer of a collective elsewhere, by the deed that takes our own. Whatever becomes of it, its sender gets one receipt.
 * Emits surveyReceipt.given. Refuses: as checkForeignAnswer.
 */
export async function receiveAnswer(
  ctx: Context,
  input: ForeignAnswer & { version: number; raw: Readonly<Record<string, unknown>> },
): Promise<void> {
  await checkForeignAnswer(ctx, input.surveyId, input.answerer.key);
  const refusal = await refusalOf(async () => {
    const before = await findAnswer(ctx.store, input.surveyId, input.answerer.key);
    // The same again, after a crash between answer and receipt.
    if (before?.home === input.host && before.sentAt.getTime() === input.sentAt.getTime()) return;
    const { surveyId, answerer, sentAt, version, raw } = input;
    // Who of them it was is theirs to know.
    const sender = { by: '', byName: '', home: input.host };
    await submitAnswer(ctx, { surveyId, answerer, ...sender, sentAt, version, raw, strict: true });
  });
  await giveReceipt(ctx, input, false, refusal);
}

/** A collective elsewhere takes its answer back. Emits surveyReceipt.given. Refuses: as checkForeignAnswer. */
export async function receiveWithdrawal(ctx: Context, input: ForeignAnswer): Promise<void> {
  await checkForeignAnswer(ctx, input.surveyId, input.answerer.key);
  const refusal = await refusalOf(async () => {
    const before = await findAnswer(ctx.store, input.surveyId, input.answerer.key);
    // Already gone is as good as taken back.
    if (before === null) return;
    if (before.sentAt > input.sentAt) throw new DomainError('conflict', 'surveys.error.laterOne');
    await withdrawAnswer(ctx, input.surveyId, input.answerer, input.sentAt);
  });
  await giveReceipt(ctx, input, true, refusal);
}

type Refusal = { code: string; errors: FieldError[] };

/** What the sender is told instead of a page; our own failures are not theirs to hear. */
async function refusalOf(deed: () => Promise<unknown>): Promise<Refusal | null> {
  try {
    await deed();
    return null;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'unavailable' || error.code === 'too-many') throw error;
    const errors =
      error instanceof InvalidFields ? [...error.errors] : [{ field: error.field ?? '', message: error.safeMessage }];
    return { code: error.code, errors: errors.slice(0, 50) };
  }
}

async function giveReceipt(
  ctx: Context,
  input: ForeignAnswer,
  isWithdrawal: boolean,
  refusal: Refusal | null,
): Promise<void> {
  const _id = createHash('sha256').update(input.activityIri).digest('hex');
  const { answerIri, surveyId, surveyIri, sentAt } = input;
  const event = pending({ type: 'surveyReceipt.given', receiptId: _id }, ctx.now);
  const said = { surveyId, answerIri, surveyIri, to: input.answerer.key, isWithdrawal, refusal, sentAt, at: ctx.now };
  try {
    await receiptsIn(ctx.store).insertOne({ _id, ...said, events: [event] });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}
