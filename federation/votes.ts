// Votes from elsewhere in polls of ours: told from answers in words, read from the signed bytes, handed to the one deed that
// counts them. What does not count is acknowledged like what does.
import { deliveryInbox } from '../server/partners/rules.js';
import { receiveVote } from '../server/surveys/actions/polls.js';
import { findPoll, votesIn } from '../server/surveys/pollQueries.js';
import { contextFor } from './federation.js';
import type { Inbound } from './handlers.js';
import { readJson } from './json.js';
import { fromVote, type PollVote } from './wire/question.js';

/** A vote in one of our polls, as its author signed it; null: something else, or in no poll of ours. */
async function voteIn({ federation, activity, sender, raw }: Inbound): Promise<(PollVote & { pollId: string }) | null> {
  if (activity.type !== 'Create' || activity.object?.type === null) return null;
  const { object } = readJson(raw);
  const [inline] = Array.isArray(object) ? object : [object];
  const vote = fromVote(inline);
  if (vote === null || vote.iri !== activity.object?.id) return null;
  const key = vote.inReplyTo.slice(vote.inReplyTo.lastIndexOf('/') + 1);
  if (key === '' || vote.inReplyTo !== federation.apex.objectIri(key)) return null;
  const authors = activity.object.attributedTo;
  if (authors.length > 0 && !authors.includes(sender._id)) return null;
  const poll = await findPoll(federation.house.store, key);
  return poll === null ? null : { ...vote, pollId: poll._id };
}

export async function isVote(inbound: Inbound): Promise<boolean> {
  return (await voteIn(inbound)) !== null;
}

/** Whether the sender's vote in a poll of ours is what the activity is about. */
export async function hasVoted({ federation, activity, sender }: Inbound): Promise<boolean> {
  const iri = activity.object?.id ?? '';
  return (await votesIn(federation.house.store).findOne({ actor: sender._id, iri })) !== null;
}

/** Counts a vote, if it is one. False: it is not, and others have to look at it. */
export async function receiveVoteIn(inbound: Inbound): Promise<boolean> {
  const vote = await voteIn(inbound);
  if (vote === null) return false;
  const { federation, sender } = inbound;
  const voter = { iri: sender._id, host: sender.host, inbox: deliveryInbox(sender) };
  const { pollId, name, iri } = vote;
  const outcome = await receiveVote(contextFor(federation), { pollId, voter, name, iri });
  if (outcome !== 'counted') federation.house.log.info({ outcome, poll: pollId }, 'a vote was not counted');
  return true;
}
