// What is said when one of ours votes in a poll elsewhere: one Note for each choice, to its author alone, as Mastodon votes.
// Called by federation/outbox.ts only.
import { findRemoteActor, findVote } from '../../server/partners/queries.js';
import type { Federation } from '../federation.js';
import { localHandleIn } from '../iris.js';
import type { Announced, Draft } from '../outbox.js';

export async function announceVote(federation: Federation, event: Announced<'vote.cast'>): Promise<Draft[]> {
  const { site, store } = federation.house;
  const vote = await findVote(store, event.voteId);
  const handle = vote === null ? null : localHandleIn(site, vote.actor);
  const author = vote === null ? null : await findRemoteActor(store, vote.author);
  if (vote === null || handle === null || author === null || author.goneAt !== null) return [];
  return vote.choices.map((name, index): Draft => {
    const audience = { to: [vote.author], cc: [] };
    const id = `${vote.actor}#votes/${event.eventId}${index === 0 ? '' : `-${index + 1}`}`;
    const object = { id, type: 'Note', name, attributedTo: vote.actor, ...audience, inReplyTo: vote.postIri };
    return {
      actor: handle,
      type: 'Create',
      subject: `vote:${vote._id}`,
      // A vote has no address of its own: it is told to the author and to nobody else.
      objectIri: null,
      object,
      ...audience,
      toFollowers: false,
      inboxes: [author.inbox],
      listed: false,
    };
  });
}
