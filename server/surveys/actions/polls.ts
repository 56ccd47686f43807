// Deeds on polls: offered by organisers, voted in from elsewhere, told and closed in time. The votes are advice: no deed here
// touches an answer.
import { findCollective } from '../../collectives/queries.js';
import { isPublic } from '../../collectives/rules.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type DomainEvent, pending } from '../../events.js';
import { newId } from '../../ids.js';
import { readPolicy } from '../../instances/queries.js';
import { isLimitedPeer } from '../../instances/rules.js';
import { isUnwelcome } from '../../partners/queries.js';
import { actorIri } from '../../partners/rules.js';
import { DuplicateKeyError } from '../../store/store.js';
import { countVotes, findPoll, listPolls, pollsIn, votesIn } from '../pollQueries.js';
import { isPollOpen, mustClose, plain, pollOptions, voteKey } from '../pollRules.js';
import { type FediPoll, maxVotes } from '../pollSchema.js';
import { findSurvey, getOrganised, getVersion } from '../queries.js';
import { isOpen } from '../rules.js';
import type { Question } from '../schema.js';

/** New counts are told at most so often. */
const tellEveryMs = 10 * 60 * 1000;
/** How long after the end who voted is known. */
const keepVotesMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Offers questions of an open survey to everybody on the Fediverse, each as a poll that ends with the survey, or when said if
 * that is earlier. Emits poll.offered for each. Refuses: not-found, closed (the survey is not open, the collective not public),
 * invalid (no question, no end, one in the past, a question that cannot be a poll), conflict (offered already).
 */
export async function offerPolls(
  ctx: Context,
  surveyId: string,
  { questions, endsAt }: { questions: readonly string[]; endsAt: Date | null },
): Promise<FediPoll[]> {
  const { survey, owner } = await getOrganised(ctx, surveyId);
  if (!isOpen(survey, ctx.now)) throw new DomainError('closed', 'polls.error.notOpen');
  if (!isPublic(owner)) throw new DomainError('closed', 'polls.error.notPublic');
  const ends = [endsAt, survey.closesAt].filter((one) => one !== null);
  const end = ends.length === 0 ? null : new Date(Math.min(...ends.map(Number)));
  if (end === null) throw new DomainError('invalid', 'polls.error.noEnd', { field: 'days' });
  if (questions.length === 0) throw new DomainError('invalid', 'polls.error.noQuestion', { field: 'questions' });
  const { sections } = await getVersion(ctx.store, surveyId, survey.version);
  const all = sections.flatMap((section) => section.questions);
  const offered = new Set((await listPolls(ctx.store, surveyId)).map(({ questionId }) => questionId));
  const polls = [...new Set(questions)].map((id): FediPoll => {
    const question: Question | undefined = all.find((one) => one.id === id);
    const options = question ? pollOptions(question, survey.languages) : 'kind';
    if (!question || !Array.isArray(options)) {
      throw new DomainError('invalid', 'polls.error.question', { field: 'questions' });
    }
    if (offered.has(id)) throw new DomainError('conflict', 'polls.error.offered', { field: 'questions' });
    const _id = newId();
    return {
      ...{
        _id,
        surveyId,
        questionId: id,
        slot: `${surveyId} ${id}`,
        collectiveId: owner._id,
        title: survey.title,
        label: question.label,
      },
      ...{ languages: survey.languages, options, multiple: question.kind === 'multiple', endsAt: end, state: 'open' },
      ...{ closedAt: null, counts: options.map(() => 0), voters: 0, isStale: false, toldAt: ctx.now },
      offeredAt: ctx.now,
      events: [pending({ type: 'poll.offered', pollId: _id }, ctx.now)],
    };
  });
  try {
    await pollsIn(ctx.store).insertMany(polls);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    throw new DomainError('conflict', 'polls.error.offered', { field: 'questions' });
  }
  return polls;
}

/** Takes a poll back, with its votes. Emits poll.withdrawn. Refuses: not-found. */
export async function withdrawPoll(ctx: Context, surveyId: string, pollId: string): Promise<void> {
  await getOrganised(ctx, surveyId);
  const poll = await findPoll(ctx.store, pollId);
  if (poll === null || poll.surveyId !== surveyId) throw new DomainError('not-found', 'error.notFound');
  await withdraw(ctx, poll);
}

async function withdraw(ctx: Context, poll: FediPoll): Promise<void> {
  await change(
    ctx,
    poll,
    ['open', 'closed'],
    { state: 'withdrawn', slot: poll._id, closedAt: ctx.now, isStale: false },
    'poll.withdrawn',
  );
  await votesIn(ctx.store).deleteMany({ pollId: poll._id });
}

export interface VoteInput {
  pollId: string;
  /** Who signed it; of another server. */
  voter: { iri: string; host: string; inbox: string };
  /** What was chosen, as the poll names it. */
  name: string;
  /** Address of the vote. */
  iri: string;
}

/** What became of a vote. Nobody is told: whoever votes twice, too late or for what is not there changes nothing. */
export type VoteOutcome = 'counted' | 'closed' | 'unknown' | 'repeated' | 'unwelcome' | 'full';

/** Counts a vote from elsewhere, once. The first one of an actor stands; where several may be chosen, one for each option. */
export async function receiveVote(ctx: Context, { pollId, voter, name, iri }: VoteInput): Promise<VoteOutcome> {
  const poll = await findPoll(ctx.store, pollId);
  const survey = poll && (await findSurvey(ctx.store, poll.surveyId));
  if (!poll || !survey || !isPollOpen(poll, ctx.now) || mustClose(poll, survey, ctx.now)) return 'closed';
  if (await isUnwelcomeVoter(ctx, poll, voter.iri)) return 'unwelcome';
  const option = poll.options.find((one) => one.name === plain(name));
  if (option === undefined) return 'unknown';
  if ((await votesIn(ctx.store).countDocuments({ pollId }, { limit: maxVotes })) >= maxVotes) return 'full';
  const _id = voteKey(poll, voter.iri, option.id);
  try {
    const { host, inbox } = voter;
    await votesIn(ctx.store).insertOne({
      _id,
      pollId,
      actor: voter.iri,
      host,
      inbox,
      option: option.id,
      iri,
      at: ctx.now,
    });
  } catch (error) {
    if (error instanceof DuplicateKeyError) return 'repeated';
    throw error;
  }
  await pollsIn(ctx.store).updateOne({ _id: pollId, state: 'open' }, { $set: { isStale: true } });
  return 'counted';
}

/** Whoever is blocked here, by the collective too, and whoever comes from a limited server, gives no advice. */
async function isUnwelcomeVoter(ctx: Context, poll: FediPoll, voter: string): Promise<boolean> {
  const owner = await findCollective(ctx.store, poll.collectiveId);
  if (owner === null || !isPublic(owner)) return true;
  if (isLimitedPeer(await readPolicy(ctx.store), voter)) return true;
  return isUnwelcome(ctx.store, actorIri(ctx.site, owner.handle), voter);
}

/** A vote is deleted by its author, or its author goes: while the poll is open it no longer counts. Afterwards counts stay. */
export async function takeBackVotes(ctx: Context, by: { actor: string; iri?: string }): Promise<void> {
  for (const vote of await votesIn(ctx.store).find(by).toArray()) {
    const poll = await findPoll(ctx.store, vote.pollId);
    if (!poll || !isPollOpen(poll, ctx.now)) continue;
    await votesIn(ctx.store).deleteOne({ _id: vote._id });
    await pollsIn(ctx.store).updateOne({ _id: poll._id, state: 'open' }, { $set: { isStale: true } });
  }
}

/**
 * For the job: tells new counts, closes what is over, withdraws what belongs to a survey that was put away. Emits poll.counted,
 * poll.closed, poll.withdrawn, each once whoever else tries. Returns how many were told of.
 */
export async function tellDuePolls(ctx: Context): Promise<number> {
  let told = 0;
  for (const poll of await pollsIn(ctx.store).find({ state: 'open' }).toArray()) {
    const survey = await findSurvey(ctx.store, poll.surveyId);
    if (survey === null || survey.deletedAt !== null) await withdraw(ctx, poll);
    else if (mustClose(poll, survey, ctx.now)) await close(ctx, poll);
    else if (!poll.isStale || ctx.now.getTime() - poll.toldAt.getTime() < tellEveryMs) continue;
    else await tell(ctx, poll);
    told += 1;
  }
  // Closed, but a crash came between: counted now.
  for (const poll of await pollsIn(ctx.store).find({ state: 'closed', isStale: true }).toArray())
    await count(ctx, poll);
  return told;
}

async function tell(ctx: Context, poll: FediPoll): Promise<void> {
  const counted = await countVotes(ctx.store, poll);
  await change(ctx, poll, ['open'], { ...counted, isStale: false, toldAt: ctx.now }, 'poll.counted');
}

/** First nothing more is taken, then it is counted: what is told is what stays. */
async function close(ctx: Context, poll: FediPoll): Promise<void> {
  const closedAt = poll.endsAt < ctx.now ? poll.endsAt : ctx.now;
  if (await change(ctx, poll, ['open'], { state: 'closed', closedAt, isStale: true }, null)) await count(ctx, poll);
}

async function count(ctx: Context, poll: FediPoll): Promise<void> {
  const counted = await countVotes(ctx.store, poll);
  await change(ctx, poll, ['closed'], { ...counted, isStale: false, toldAt: ctx.now }, 'poll.closed');
}

type Told = Extract<DomainEvent, { pollId: string }>['type'];

async function change(
  ctx: Context,
  { _id }: FediPoll,
  from: FediPoll['state'][],
  set: Partial<FediPoll>,
  told: Told | null,
): Promise<boolean> {
  const stale = told === 'poll.counted' || told === 'poll.closed' ? { isStale: true } : {};
  const events = told === null ? {} : { $push: { events: pending({ type: told, pollId: _id }, ctx.now) } };
  const filter = { _id, state: { $in: from }, ...stale };
  return (await pollsIn(ctx.store).updateOne(filter, { $set: set, ...events })).modifiedCount > 0;
}

/** Forgets who voted, a month after the end, and polls of surveys that are gone. Returns how many votes. */
export async function prunePolls(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepVotesMs);
  const over = await pollsIn(ctx.store)
    .find({ state: { $in: ['closed', 'withdrawn'] }, closedAt: { $lt: before }, isStale: false })
    .toArray();
  let forgotten = 0;
  for (const poll of over) {
    forgotten += (await votesIn(ctx.store).deleteMany({ pollId: poll._id })).deletedCount;
    const isGone = poll.state === 'withdrawn' || (await findSurvey(ctx.store, poll.surveyId)) === null;
    if (isGone) await pollsIn(ctx.store).deleteOne({ _id: poll._id, 'events.0': { $exists: false } });
  }
  return forgotten;
}
