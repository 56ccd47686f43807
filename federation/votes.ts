// Votes from elsewhere in polls of ours: told from answers in words, read from the signed bytes, handed to the one deed that
// counts them. What does not count is acknowledged like what does.
import { deliveryInbox } from '../server/partners/rules.js';
import { receiveVote } from '../server/surveys/actions/polls.js';
import { findPoll, votesIn } from '../server/surveys/pollQueries.js';
import { contextFor } from './federation.js';
import type { Inbound } from './handlers.js';
import { readJson } from './json.js';
import { fromVote, type PollVote } from './wire/question.js';

interface Votes {
  pollId: string;
  votes: PollVote[];
}

/** Votes in one of our polls, as their author signed them: one, or all choices at once; null: something else, or no poll of ours. */
async function votesOf({ federation, activity, sender, raw }: Inbound): Promise<Votes | null> {
  if (activity.type !== 'Create' || activity.object?.type === null) return null;
  const votes = [readJson(raw).object].flat().map(fromVote);
  const [first] = votes;
  if (!first || first.iri !== activity.object?.id || !votes.every((vote) => vote !== null)) return null;
  const key = first.inReplyTo.slice(first.inReplyTo.lastIndexOf('/') + 1);
  if (key === '' || first.inReplyTo !== federation.apex.objectIri(key)) return null;
  const authors = activity.object.attributedTo;
  if (authors.length > 0 && !authors.includes(sender._id)) return null;
  const poll = await findPoll(federation.house.store, key);
  return poll === null ? null : { pollId: poll._id, votes };
}

export async function isVote(inbound: Inbound): Promise<boolean> {
  return (await votesOf(inbound)) !== null;
}

/** Whether the sender's vote in a poll of ours is what the activity is about. */
export async function hasVoted({ federation, activity, sender }: Inbound): Promise<boolean> {
  const iri = activity.object?.id ?? '';
  return (await votesIn(federation.house.store).findOne({ actor: sender._id, iri })) !== null;
}

/** Counts votes, if it is about such. False: it is not, and others have to look at it. */
export async function receiveVoteIn(inbound: Inbound): Promise<boolean> {
  const found = await votesOf(inbound);
  if (found === null) return false;
  const { federation, sender } = inbound;
  const { pollId, votes } = found;
  const voter = { iri: sender._id, host: sender.host, inbox: deliveryInbox(sender) };
  for (const { name, iri } of votes) {
    const outcome = await receiveVote(contextFor(federation), { pollId, voter, name, iri });
    if (outcome !== 'counted') federation.house.log.info({ outcome, poll: pollId }, 'a vote was not counted');
  }
  return true;
}
