// What one of ours does with a post from elsewhere: like it, pass it on, answer it, and take that back. Its author is told; counts are
// the author's business, none is kept here.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { publishReply } from '../../posts/actions.js';
import type { LocalText } from '../../shapes.js';
import { DuplicateKeyError } from '../../store/store.js';
import { findReadablePost, findVoteOn, getParty, interactionsIn, mentionsIn, type Party, votesIn } from '../queries.js';
import { checkMayFollow, checkMayInteract, checkMayReply, checkVote, isPublicAudience, postKey } from '../rules.js';
import type { InteractionKind, PartyRef, RemotePost, Vote } from '../schema.js';

/**
 * Likes or boosts a post that the actor may read. Emits interaction.made; once it stands: nothing. Refuses: not-found, closed
 * (our side is not public; the post is not for everybody).
 */
export async function makeInteraction(ctx: Context, ref: PartyRef, kind: InteractionKind, key: string): Promise<void> {
  const { party, post } = await enter(ctx, ref, key);
  checkMayFollow(party);
  checkMayInteract(kind, post);
  const _id = interactionKey(party.iri, kind, key);
  const event = pending({ type: 'interaction.made', interactionId: _id }, ctx.now);
  const fields = {
    ...{ actor: party.iri, kind, post: key, postIri: post.iri, author: post.authors[0] ?? '' },
    // The activity bears the id of the event from which it follows (federation/outbox.ts).
    activityIri: `${ctx.site.baseUrl}/activities/${event.eventId}`,
    undone: false,
    at: ctx.now,
  };
  try {
    await interactionsIn(ctx.store).insertOne({ _id, ...fields, events: [event] });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    await interactionsIn(ctx.store).updateOne({ _id, undone: true }, { $set: fields, $push: { events: event } });
  }
}

/** Takes a like or a boost back. Emits interaction.undone; what does not stand: nothing. Refuses: not-found. */
export async function undoInteraction(ctx: Context, ref: PartyRef, kind: InteractionKind, key: string): Promise<void> {
  const { party } = await enter(ctx, ref, key);
  const known = await interactionsIn(ctx.store).findOne({ _id: interactionKey(party.iri, kind, key) });
  if (!known) return;
  const { _id, activityIri } = known;
  const event = pending({ type: 'interaction.undone', interactionId: _id, activityIri }, ctx.now);
  await interactionsIn(ctx.store).updateOne(
    { _id, activityIri, undone: false },
    { $set: { undone: true, at: ctx.now }, $push: { events: event } },
  );
}

/**
 * Answers a post in the name of a collective or a person: a post of their own, that its author is told of. What was not
 * written for everybody is answered to its author alone. Emits post.published. Refuses: not-found, closed (our side is not
 * public; it was written for others).
 */
export async function replyToPost(ctx: Context, ref: PartyRef, key: string, text: LocalText): Promise<void> {
  const { party, post } = await enter(ctx, ref, key);
  checkMayFollow(party);
  checkMayReply(post, party.iri);
  const inReplyTo = { iri: post.iri, author: post.authors[0] ?? '' };
  await publishReply(ctx, ref, text, { inReplyTo, isPrivate: !isPublicAudience(post.audience) });
  // Whoever answers has seen it.
  await mentionsIn(ctx.store).updateOne({ _id: postKey(`${party.iri} ${key}`) }, { $set: { isSeen: true } });
}

/**
 * Votes in a poll that the actor may read, once and for all. The author's server learns who voted. Emits vote.cast. Refuses:
 * not-found, closed (our side is not public; the poll is over), invalid (choices), conflict (has voted).
 */
export async function castVote(ctx: Context, ref: PartyRef, key: string, choices: readonly number[]): Promise<void> {
  const { party, post } = await enter(ctx, ref, key);
  checkMayFollow(party);
  if (await findVoteOn(ctx.store, party.iri, key)) throw new DomainError('conflict', 'partners.vote.once');
  const names = checkVote(post.poll, choices, ctx.now);
  const _id = postKey(`${party.iri} vote ${key}`);
  const vote: Vote = {
    _id,
    ...{ actor: party.iri, post: key, postIri: post.iri, author: post.authors[0] ?? '', choices: names },
    at: ctx.now,
    events: [pending({ type: 'vote.cast', voteId: _id }, ctx.now)],
  };
  try {
    await votesIn(ctx.store).insertOne(vote);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    throw new DomainError('conflict', 'partners.vote.once');
  }
}

/** Who acts, and a post that they may read. Refuses: not-found. */
async function enter(ctx: Context, ref: PartyRef, key: string): Promise<{ party: Party; post: RemotePost }> {
  const party = await getParty(ctx, ref);
  const post = await findReadablePost(ctx.store, party.iri, key);
  if (!post) throw new DomainError('not-found', 'error.notFound');
  return { party, post };
}

function interactionKey(actor: string, kind: InteractionKind, key: string): string {
  return postKey(`${actor} ${kind} ${key}`);
}

const keepDays = 30;

/** Days for which a vote is remembered: longer than the poll is kept (feed.ts). */
const keepVoteDays = 120;

/** Removes votes of long ago. Returns how many. */
export async function pruneVotes(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepVoteDays * 24 * 60 * 60 * 1000);
  return (await votesIn(ctx.store).deleteMany({ at: { $lt: before } })).deletedCount;
}

/** Removes what was taken back more than 30 days ago. Returns how many. */
export async function pruneInteractions(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  return (await interactionsIn(ctx.store).deleteMany({ undone: true, at: { $lt: before } })).deletedCount;
}
