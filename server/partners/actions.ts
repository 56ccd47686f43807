// Deeds between us and actors elsewhere: their follows as they arrive, and what our side decides. The same functions serve
// the inbox and the pages; every change carries the event that makes federation/outbox.ts answer.

import { checkMayManageCollective } from '../collectives/rules.js';
import type { Context } from '../context.js';
import { forgetSource } from '../elsewhere/actions/sources.js';
import { DomainError } from '../errors.js';
import { type DomainEvent, type PendingEvent, pending } from '../events.js';
import { groupPostsIn } from '../groups/queries.js';
import type { HandleKind } from '../handles/handles.js';
import { DuplicateKeyError } from '../store/store.js';
import { takeBackVotes } from '../surveys/actions/polls.js';
import { surveysIn } from '../surveys/queries.js';
import { remoteSurveysIn } from '../surveys/remoteSurveys.js';
import { forgetPostsOf } from './actions/feed.js';
import { isBlockedBy } from './blockQueries.js';
import {
  findFollow,
  findFollowByIri,
  followingsIn,
  followsIn,
  getParty,
  reactionsIn,
  remoteActorsIn,
  remotePostsIn,
} from './queries.js';
import { checkMayDecide, type Decision, deliveryInbox, followKey, stateAfterFollow } from './rules.js';
import type { Follow, PartyRef, RemoteActor } from './schema.js';

export interface FollowInput {
  /** Id of the Follow activity. */
  followIri: string;
  follower: RemoteActor;
  followed: { iri: string; kind: HandleKind; ownerId: string; acceptsAtOnce: boolean };
}

/**
 * Somebody elsewhere asks to follow one of our actors. Emits follow.requested, or follow.accepted where follows are
 * accepted at once, or follow.rejected to whom the one followed has blocked. A repeat under the same id changes nothing; a
 * new id from an accepted follower is answered again.
 */
export async function receiveFollow(ctx: Context, input: FollowInput): Promise<void> {
  const follows = followsIn(ctx.store);
  const _id = followKey(input.follower._id, input.followed.iri);
  const isBlocked = await isBlockedBy(ctx.store, input.followed.iri, input.follower._id);
  for (;;) {
    const known = await follows.findOne({ _id });
    const mood = isBlocked ? 'blocked' : input.followed.acceptsAtOnce ? 'at-once' : 'by-hand';
    const state = stateAfterFollow(known, input.followIri, mood);
    if (state === null) return;
    const type = `follow.${state}` as const;
    const event = pending({ type, followId: _id }, ctx.now);
    const isRepeat = known?.state === 'requested' && state === 'requested';
    const fields = {
      followIri: input.followIri,
      state,
      deliverTo: deliveryInbox(input.follower),
      requestedAt: known && known.state === state ? known.requestedAt : ctx.now,
      decidedAt: state === 'requested' ? null : ctx.now,
    };
    if (known === null) {
      if (await insertFollow(ctx, { ...newFollow(_id, input), ...fields, events: [event] })) return;
      continue;
    }
    const unchanged = { _id, state: known.state, followIri: known.followIri };
    const update = isRepeat ? { $set: fields } : { $set: fields, $push: { events: event } };
    if ((await follows.updateOne(unchanged, update)).matchedCount === 1) return;
  }
}

function newFollow(_id: string, { follower, followed }: FollowInput) {
  return { _id, follower: follower._id, followed: followed.iri, ownerKind: followed.kind, ownerId: followed.ownerId };
}

/** False: another request for the same pair was faster. */
async function insertFollow(ctx: Context, follow: Follow): Promise<boolean> {
  try {
    await followsIn(ctx.store).insertOne(follow);
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}

export interface UndoInput {
  follower: RemoteActor;
  /** Id of the Follow that is taken back, when it has one. */
  followIri: string | null;
  /** The one followed, when the Undo names it: some servers send the Follow without its id. */
  followed: { iri: string; kind: HandleKind; ownerId: string } | null;
}

/** A follower takes the follow back. Matches by id or by the pair. Refuses: not-allowed (the follow is somebody else's). */
export async function receiveUndoFollow(ctx: Context, input: UndoInput): Promise<void> {
  const { follower, followed } = input;
  const byIri = input.followIri === null ? null : await findFollowByIri(ctx.store, input.followIri);
  if (byIri !== null && byIri.follower !== follower._id) {
    throw new DomainError('not-allowed', 'partners.error.otherFollower');
  }
  const _id = byIri?._id ?? (followed === null ? null : followKey(follower._id, followed.iri));
  if (_id === null) return;
  const set = {
    state: 'undone' as const,
    decidedAt: ctx.now,
    ...(input.followIri ? { followIri: input.followIri } : {}),
  };
  const undone = await followsIn(ctx.store).updateOne({ _id, state: { $ne: 'undone' } }, { $set: set });
  if (undone.matchedCount > 0 || input.followIri === null || followed === null) return;
  // The Undo overtook its Follow: remembered, so that the late Follow changes nothing.
  const deliverTo = deliveryInbox(follower);
  const blank = newFollow(_id, {
    follower,
    followIri: input.followIri,
    followed: { ...followed, acceptsAtOnce: false },
  });
  await insertFollow(ctx, { ...blank, ...set, followIri: input.followIri, deliverTo, requestedAt: ctx.now });
}

/** Emits follow.accepted. Refuses: not-found, not-allowed, conflict. */
export async function acceptFollow(ctx: Context, ref: PartyRef, followId: string): Promise<void> {
  await decide(ctx, ref, followId, 'accept');
}

/** Emits follow.rejected. Refuses: not-found, not-allowed, conflict. */
export async function rejectFollow(ctx: Context, ref: PartyRef, followId: string): Promise<void> {
  await decide(ctx, ref, followId, 'reject');
}

/** Emits follow.rejected, which ends the follow on the other side too. Refuses: not-found, not-allowed, conflict. */
export async function removeFollower(ctx: Context, ref: PartyRef, followId: string): Promise<void> {
  await decide(ctx, ref, followId, 'remove');
}

async function decide(ctx: Context, ref: PartyRef, followId: string, decision: Decision): Promise<void> {
  const { collective, iri } = await getParty(ctx, ref);
  if (collective) checkMayManageCollective(ctx.actor, collective);
  const follow = await findFollow(ctx.store, followId);
  if (follow?.followed !== iri) throw new DomainError('not-found', 'error.notFound');
  const { from, to } = checkMayDecide(follow, decision);
  const event: DomainEvent = { type: to === 'accepted' ? 'follow.accepted' : 'follow.rejected', followId };
  const decided = await followsIn(ctx.store).updateOne(
    { _id: followId, state: from },
    { $set: { state: to, decidedAt: ctx.now }, $push: { events: pending(event, ctx.now) as PendingEvent } },
  );
  if (decided.matchedCount === 0) throw new DomainError('conflict', 'partners.error.decidedMeanwhile');
}

/** Keeps what an actor's own server says of it, and sends to its new inbox from now on. */
export async function keepRemoteActor(ctx: Context, actor: RemoteActor): Promise<void> {
  const { _id, ...described } = actor;
  const ours = { movedAt: 1, movedTo: 1, acct: 1, acctAt: 1 } as const;
  const [user = ''] = described.handle.split('@');
  // What we found out ourselves is written in other ways too: whoever finds it changed meanwhile looks again.
  for (;;) {
    const known = await remoteActorsIn(ctx.store).findOne({ _id }, { projection: ours });
    const { acct = null, acctAt = null, movedAt = null, movedTo = null } = known ?? {};
    const handle = acct?.startsWith(`${user}@`) ? acct : described.handle;
    const kept = { acct, acctAt, movedAt, movedTo };
    const fields = { ...described, handle, ...kept };
    if (known === null ? await insertActor(ctx, { _id, ...fields }) : await replaceActor(ctx, _id, kept, fields)) break;
  }
  const deliverTo = deliveryInbox(actor);
  await followsIn(ctx.store).updateMany({ follower: _id, deliverTo: { $ne: deliverTo } }, { $set: { deliverTo } });
}

type KeptOfActor = Pick<RemoteActor, 'acct' | 'acctAt' | 'movedAt' | 'movedTo'>;

/** False: what is kept of it is not what it was. */
async function replaceActor(
  { store }: Context,
  _id: string,
  kept: KeptOfActor,
  fields: Omit<RemoteActor, '_id'>,
): Promise<boolean> {
  return (await remoteActorsIn(store).replaceOne({ _id, ...kept }, fields)).matchedCount === 1;
}

/** False: somebody else was quicker. */
async function insertActor({ store }: Context, actor: RemoteActor): Promise<boolean> {
  try {
    await remoteActorsIn(store).insertOne(actor);
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}

/** The server of a name gives it to an actor who bears it: to this one and no other. */
export async function confirmName(ctx: Context, iri: string, acct: string): Promise<void> {
  const none = { acct: null, acctAt: null };
  await remoteActorsIn(ctx.store).updateMany({ acct, _id: { $ne: iri } }, { $set: none });
  await remoteActorsIn(ctx.store).updateOne({ _id: iri }, { $set: { acct, acctAt: ctx.now, handle: acct } });
}

/** An actor elsewhere is gone for good: follows of it and by it end, what it wrote goes, its keys count no more. */
export async function forgetRemoteActor(ctx: Context, iri: string): Promise<void> {
  await remoteActorsIn(ctx.store).updateOne({ _id: iri }, { $set: { goneAt: ctx.now, keys: [] } });
  await followsIn(ctx.store).updateMany(
    { follower: iri, state: { $in: ['requested', 'accepted'] } },
    { $set: { state: 'undone', decidedAt: ctx.now } },
  );
  await followingsIn(ctx.store).updateMany(
    { followed: iri, state: { $in: ['pending', 'accepted'] } },
    { $set: { state: 'rejected', decidedAt: ctx.now } },
  );
  await forgetPostsOf(ctx, iri);
  await takeBackVotes(ctx, { actor: iri });
  await forgetSource(ctx, iri);
}

/**
 * Everybody of one host is forgotten without a word to them: follows end both ways, and what they wrote leaves every feed.
 * Returns how many follows ended.
 */
export async function forgetActorsOf(ctx: Context, host: string): Promise<number> {
  let ended = 0;
  const actors = await remoteActorsIn(ctx.store)
    .find({ host }, { projection: { _id: 1 } })
    .toArray();
  for (const { _id } of actors) {
    const follows = await followsIn(ctx.store).updateMany(
      { follower: _id, state: { $in: ['requested', 'accepted'] } },
      { $set: { state: 'undone', decidedAt: ctx.now } },
    );
    const followings = await followingsIn(ctx.store).updateMany(
      { followed: _id, state: { $in: ['pending', 'accepted'] } },
      { $set: { state: 'undone', decidedAt: ctx.now } },
    );
    ended += follows.matchedCount + followings.matchedCount;
    await forgetPostsOf(ctx, _id);
    await takeBackVotes(ctx, { actor: _id });
    await remoteActorsIn(ctx.store).deleteOne({ _id });
  }
  return ended;
}

const keepDays = 30;

/** Removes follows that ended more than 30 days ago. Returns how many. */
export async function pruneFollows(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  const ended = await followsIn(ctx.store).deleteMany({
    state: { $in: ['rejected', 'undone'] },
    decidedAt: { $lt: before },
  });
  return ended.deletedCount;
}

/** Followed from here, following somebody here, or the author of something that is read here. */
async function isNeeded({ store }: Context, iri: string): Promise<boolean> {
  const only = { projection: { _id: 1 as const } };
  if (await followsIn(store).findOne({ follower: iri }, only)) return true;
  if (await followingsIn(store).findOne({ followed: iri, state: { $in: ['pending', 'accepted'] } }, only)) return true;
  if (await remoteSurveysIn(store).findOne({ owner: iri }, only)) return true;
  if (await surveysIn(store).findOne({ 'invited.iri': iri, deletedAt: null }, only)) return true;
  if (await reactionsIn(store).findOne({ actor: iri }, only)) return true;
  if (await groupPostsIn(store).findOne({ author: iri, removedAt: null }, only)) return true;
  return (await remotePostsIn(store).findOne({ authors: iri }, only)) !== null;
}

/** Removes what we know of actors not read for a month, if nobody here needs it. Returns how many. */
export async function pruneRemoteActors(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  const old = remoteActorsIn(ctx.store).find({ fetchedAt: { $lt: before } }, { projection: { _id: 1 } });
  let removed = 0;
  for await (const { _id } of old) {
    if (await isNeeded(ctx, _id)) continue;
    removed += (await remoteActorsIn(ctx.store).deleteOne({ _id, fetchedAt: { $lt: before } })).deletedCount;
  }
  return removed;
}
