// Reads of polls and their votes, and the collections' indexes.
import { eventIndex } from '../events.js';
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import type { FediPoll, FediVote, PollOption } from './pollSchema.js';

export const pollIndexes: CollectionIndexes = {
  fediPolls: [
    { keys: { surveyId: 1, _id: 1 } },
    { keys: { slot: 1 }, unique: true },
    { keys: { state: 1, isStale: 1 } },
    { keys: { state: 1, closedAt: 1 } },
    eventIndex,
  ],
  fediVotes: [{ keys: { pollId: 1, option: 1 } }, { keys: { actor: 1, iri: 1 } }],
};

export const pollsIn = (store: Store): Coll<FediPoll> => store.collection<FediPoll>('fediPolls');
export const votesIn = (store: Store): Coll<FediVote> => store.collection<FediVote>('fediVotes');

export async function findPoll(store: Store, id: string): Promise<FediPoll | null> {
  return pollsIn(store).findOne({ _id: id });
}

/** Where the servers of those who voted are told. */
export async function listVoterInboxes(store: Store, pollId: string): Promise<string[]> {
  const found = await votesIn(store).distinct('inbox', { pollId });
  return found.filter((one) => typeof one === 'string').slice(0, 1000);
}

/** Those of a survey that stand, in the order in which they were offered. */
export async function listPolls(store: Store, surveyId: string): Promise<FediPoll[]> {
  return pollsIn(store)
    .find({ surveyId, state: { $in: ['open', 'closed'] } }, { sort: { _id: 1 } })
    .toArray();
}

export interface Counted {
  counts: number[];
  voters: number;
}

/** Counted from the votes themselves. */
export async function countVotes(store: Store, poll: FediPoll): Promise<Counted> {
  const counts = await Promise.all(
    poll.options.map(({ id }) => votesIn(store).countDocuments({ pollId: poll._id, option: id })),
  );
  if (!poll.multiple) return { counts, voters: counts.reduce((sum, one) => sum + one, 0) };
  return { counts, voters: (await votesIn(store).distinct('actor', { pollId: poll._id })).length };
}

/** What the Fediverse said so far, or in the end: to be shown beside the answers, and told apart from them. */
export interface PollResult {
  poll: FediPoll;
  options: (PollOption & { count: number })[];
  voters: number;
}

export async function readPoll(store: Store, poll: FediPoll): Promise<PollResult> {
  const { counts, voters } = poll.state === 'open' || poll.isStale ? await countVotes(store, poll) : poll;
  return { poll, options: poll.options.map((one, index) => ({ ...one, count: counts[index] ?? 0 })), voters };
}

export async function listPollResults(store: Store, surveyId: string): Promise<PollResult[]> {
  return Promise.all((await listPolls(store, surveyId)).map((poll) => readPoll(store, poll)));
}
