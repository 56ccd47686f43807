// Deeds of our side towards actors elsewhere: follow them, stop; and what becomes of their answers.
// Nothing here asks the network: whoever is to be followed has been looked up before.
import { getCollective } from '../../collectives/queries.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { newId } from '../../ids.js';
import { DuplicateKeyError } from '../../store/store.js';
import { blocksIn, isBlockedBy, listMutedActors } from '../blockQueries.js';
import { importKey, importsIn } from '../importQueries.js';
import {
  feedEntriesIn,
  findFollowing,
  findMove,
  findRemoteActor,
  followingsIn,
  getParty,
  interactionsIn,
  listNames,
  mentionsIn,
  movesIn,
  reactionsIn,
  remoteActorsIn,
  votesIn,
} from '../queries.js';
import {
  actorIri,
  checkHasNotMoved,
  checkLists,
  checkMayFollow,
  followKey,
  mayMove,
  stateAfterAnswer,
} from '../rules.js';
import type { Following, PartyRef, RemoteActor } from '../schema.js';

/**
 * Asks to follow an actor that was looked up before. Emits following.requested. Again while it waits or stands: nothing.
 * Refuses: not-found, closed (our side is not public, or has blocked that actor).
 */
export async function followActor(
  ctx: Context,
  ref: PartyRef,
  input: { actor: string; lists?: readonly string[] },
): Promise<void> {
  const party = await getParty(ctx, ref);
  checkMayFollow(party);
  checkHasNotMoved(await findMove(ctx.store, party.handle));
  const actor = await findRemoteActor(ctx.store, input.actor);
  if (!actor || actor.goneAt !== null) throw new DomainError('not-found', 'partners.error.unknownActor');
  if (await isBlockedBy(ctx.store, party.iri, actor._id)) throw new DomainError('closed', 'partners.error.blocked');
  const wish = { follower: party.iri, followed: actor._id, ownerKind: ref.kind, ownerId: ref.id };
  const lists = [...(input.lists ?? [])];
  checkLists(await listNames(ctx.store, party.iri), lists);
  await request(ctx, { ...wish, lists });
}

type Wish = Pick<Following, 'follower' | 'followed' | 'ownerKind' | 'ownerId' | 'lists'>;

async function request(ctx: Context, wish: Wish): Promise<void> {
  const _id = followKey(wish.follower, wish.followed);
  const event = pending({ type: 'following.requested', followingId: _id }, ctx.now);
  const fields = {
    ...wish,
    // The Follow that goes out bears the id of the event from which it follows (federation/outbox.ts).
    followIri: `${ctx.site.baseUrl}/activities/${event.eventId}`,
    state: 'pending' as const,
    muted: (await listMutedActors(ctx.store, wish.follower)).includes(wish.followed),
    requestedAt: ctx.now,
    decidedAt: null,
  };
  try {
    await followingsIn(ctx.store).insertOne({ _id, ...fields, events: [event] });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    const ended = { _id, state: { $in: ['rejected', 'undone'] as Following['state'][] } };
    await followingsIn(ctx.store).updateOne(ended, { $set: fields, $push: { events: event } });
  }
}

/** Takes the follow back, also one that waits; its posts leave the feed. Emits following.undone. Refuses: not-found. */
export async function unfollowActor(ctx: Context, ref: PartyRef, followingId: string): Promise<void> {
  const following = await getFollowing(ctx, ref, followingId);
  await endFollowing(ctx, following);
}

/** Emits following.undone, when it waits or stands; its posts leave the feed. */
export async function endFollowing(ctx: Context, following: Following): Promise<void> {
  const { _id, follower, followed, followIri } = following;
  const event = pending({ type: 'following.undone', followingId: _id, followIri }, ctx.now);
  await followingsIn(ctx.store).updateOne(
    { _id, followIri, state: { $in: ['pending', 'accepted'] } },
    { $set: { state: 'undone', decidedAt: ctx.now }, $push: { events: event } },
  );
  await feedEntriesIn(ctx.store).deleteMany({ reader: follower, from: followed });
}

async function getFollowing(ctx: Context, ref: PartyRef, id: string): Promise<Following> {
  const party = await getParty(ctx, ref);
  const following = await findFollowing(ctx.store, id);
  if (following?.follower !== party.iri) throw new DomainError('not-found', 'error.notFound');
  return following;
}

export interface FollowAnswer {
  answer: 'accept' | 'reject';
  /** Who answers: the actor that signed. */
  followed: string;
  /** Id of the Follow that is answered; null when the other side gives none of ours. */
  followIri: string | null;
  /** The one of ours who asked, when the answer names it. */
  follower: string | null;
}

/**
 * An actor elsewhere answers our Follow. Judged by what we stored alone: it must be ours, to that actor, and still open;
 * anything else changes nothing.
 */
export async function receiveFollowAnswer(ctx: Context, input: FollowAnswer): Promise<void> {
  const followings = followingsIn(ctx.store);
  const { followed, follower, followIri } = input;
  const byPair = follower === null ? null : { _id: followKey(follower, followed) };
  const match = followIri !== null ? { followIri } : byPair;
  const known = match && (await followings.findOne(match));
  if (known?.followed !== followed) return;
  const state = stateAfterAnswer(known.state, input.answer);
  if (state === null) return;
  const unchanged = { _id: known._id, state: known.state, followIri: known.followIri };
  await followings.updateOne(unchanged, { $set: { state, decidedAt: ctx.now } });
  if (state !== 'accepted') return;
  const waiting = { reader: known.follower, author: followed, state: 'waiting' as const };
  await mentionsIn(ctx.store).updateMany(waiting, { $set: { state: 'shown' } });
}

export interface FollowersThere {
  /** Ids that the other side has as followers of its actor. */
  listed: ReadonlySet<string | null>;
  /** Those of ours among them whose follow does not stand here. */
  actors: readonly { iri: string; kind: PartyRef['kind']; ownerId: string }[];
  /** When the list was asked for: what was decided later is not in it. */
  asOf: Date;
}

/**
 * Puts right what the two sides remember differently (FEP-8fcf): a follow that stands only here has ended; one that waits here
 * and stands there was accepted; one that stands only there is taken back, which emits following.undone.
 */
export async function reconcileFollowings(
  ctx: Context,
  followed: string,
  { listed, actors, asOf }: FollowersThere,
): Promise<{ ended: number; accepted: number; undone: number }> {
  const followings = followingsIn(ctx.store);
  const report = { ended: 0, accepted: 0, undone: 0 };
  const lost = followings.find({ followed, state: 'accepted', decidedAt: { $lt: asOf } });
  for await (const { _id, follower } of lost) {
    if (listed.has(follower)) continue;
    const match = { _id, state: 'accepted' as const, decidedAt: { $lt: asOf } };
    const ended = await followings.updateOne(match, { $set: { state: 'rejected', decidedAt: ctx.now } });
    report.ended += ended.modifiedCount;
  }
  for (const { iri, kind, ownerId } of actors) {
    const _id = followKey(iri, followed);
    const known = await followings.findOne({ _id });
    if (known?.state === 'pending') {
      const match = { _id, state: 'pending' as const, followIri: known.followIri };
      const accepted = await followings.updateOne(match, { $set: { state: 'accepted', decidedAt: ctx.now } });
      report.accepted += accepted.modifiedCount;
    } else if (known?.state !== 'accepted') {
      await undoUnknown(ctx, known ?? { _id, follower: iri, followed, ownerKind: kind, ownerId });
      report.undone += 1;
    }
  }
  return report;
}

/** The Undo names the last Follow that we know of, else one that says no more than who follows whom. */
async function undoUnknown(
  ctx: Context,
  follow: Omit<Wish, 'lists'> & { _id: string; followIri?: string },
): Promise<void> {
  const { _id, follower, followed, ownerKind, ownerId } = follow;
  const followIri = follow.followIri ?? `${ctx.site.baseUrl}/activities/${newId()}`;
  const event = pending({ type: 'following.undone', followingId: _id, followIri }, ctx.now);
  const set = { state: 'undone' as const, decidedAt: ctx.now };
  const blank = { follower, followed, ownerKind, ownerId, followIri, lists: [], muted: false, requestedAt: ctx.now };
  if (follow.followIri === undefined) {
    try {
      await followingsIn(ctx.store).insertOne({ _id, ...blank, ...set, events: [event] });
    } catch (error) {
      // Somebody here asked to follow just now: then that counts.
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
    return;
  }
  const ended = { _id, state: { $in: ['rejected', 'undone'] as Following['state'][] } };
  await followingsIn(ctx.store).updateOne(ended, { $set: set, $push: { events: event } });
}

/**
 * An actor elsewhere moved, and its new home says so too: whoever followed it here follows the new one. Nothing else moves,
 * no role and no right. Emits following.undone and following.requested. A move to a
 * second one within a week changes nothing; the same one again goes on where it ended.
 */
export async function moveFollowings(ctx: Context, from: RemoteActor, to: RemoteActor): Promise<void> {
  if (mayMove(from, ctx.now)) {
    const moved = { movedAt: ctx.now, movedTo: to._id };
    await remoteActorsIn(ctx.store).updateOne({ _id: from._id }, { $set: moved });
  } else if (from.movedTo !== to._id) return;
  const moving = followingsIn(ctx.store).find({ followed: from._id, state: { $in: ['pending', 'accepted'] } });
  for await (const following of moving) {
    const { follower, ownerKind, ownerId, lists } = following;
    if (!(await isBlockedBy(ctx.store, follower, to._id))) {
      await request(ctx, { follower, ownerKind, ownerId, lists, followed: to._id });
    }
    await endFollowing(ctx, following);
  }
}

/** One of ours is gone for good: whom it followed, what it read and what it liked go with it. Idempotent. */
export async function forgetPartnersOf(ctx: Context, handle: string): Promise<void> {
  const iri = actorIri(ctx.site, handle);
  await feedEntriesIn(ctx.store).deleteMany({ reader: iri });
  await mentionsIn(ctx.store).deleteMany({ reader: iri });
  await votesIn(ctx.store).deleteMany({ actor: iri });
  await reactionsIn(ctx.store).deleteMany({ owner: iri });
  await interactionsIn(ctx.store).deleteMany({ actor: iri });
  await movesIn(ctx.store).deleteOne({ _id: handle });
  await followingsIn(ctx.store).deleteMany({ follower: iri });
  await blocksIn(ctx.store).deleteMany({ blocker: iri });
  await importsIn(ctx.store).deleteOne({ _id: importKey(iri) });
}

/** For purgeDeleted() of the collectives. */
export async function purgePartnersOf(ctx: Context, collectiveId: string): Promise<void> {
  const { handle } = await getCollective(ctx.store, collectiveId);
  await forgetPartnersOf(ctx, handle);
}

const keepDays = 30;

/** Removes followings that ended more than 30 days ago. Returns how many. */
export async function pruneFollowings(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  const ended = { state: { $in: ['rejected', 'undone'] as Following['state'][] }, decidedAt: { $lt: before } };
  return (await followingsIn(ctx.store).deleteMany(ended)).deletedCount;
}
