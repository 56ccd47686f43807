// Reads of follows and of actors elsewhere, and the collections' indexes.
import { eventIndex } from '../events.js';
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import type { Follow, FollowState, RemoteActor } from './schema.js';

export const partnersIndexes: CollectionIndexes = {
  follows: [
    { keys: { followed: 1, state: 1, _id: 1 } },
    { keys: { followed: 1, state: 1, requestedAt: -1, _id: 1 } },
    { keys: { followed: 1, state: 1, deliverTo: 1 } },
    { keys: { followed: 1, state: 1, follower: 1 } },
    { keys: { follower: 1 } },
    { keys: { followIri: 1 } },
    { keys: { state: 1, decidedAt: 1 } },
    eventIndex,
  ],
  remoteActors: [{ keys: { 'keys.id': 1 } }, { keys: { handle: 1 } }, { keys: { fetchedAt: 1 } }],
};

export function followsIn(store: Store): Coll<Follow> {
  return store.collection<Follow>('follows');
}

export function remoteActorsIn(store: Store): Coll<RemoteActor> {
  return store.collection<RemoteActor>('remoteActors');
}

export async function findFollow(store: Store, id: string): Promise<Follow | null> {
  return followsIn(store).findOne({ _id: id });
}

export async function findFollowByIri(store: Store, followIri: string): Promise<Follow | null> {
  return followsIn(store).findOne({ followIri });
}

/** As last described by its own server; also those that are gone. */
export async function findRemoteActor(store: Store, iri: string): Promise<RemoteActor | null> {
  return remoteActorsIn(store).findOne({ _id: iri });
}

export async function findRemoteActorByKey(store: Store, keyId: string): Promise<RemoteActor | null> {
  return remoteActorsIn(store).findOne({ 'keys.id': keyId });
}

/** By "user@host". */
export async function findRemoteActorByHandle(store: Store, handle: string): Promise<RemoteActor | null> {
  return remoteActorsIn(store).findOne({ handle: handle.toLowerCase() });
}

export async function countFollows(store: Store, followed: string, state: FollowState): Promise<number> {
  return followsIn(store).countDocuments({ followed, state });
}

/** Accepted followers in the order of their keys, after the one given: for paged collections. */
export async function listFollowersAfter(
  store: Store,
  followed: string,
  after: string | null,
  limit: number,
): Promise<Follow[]> {
  const key = after === null ? {} : { _id: { $gt: after } };
  return followsIn(store)
    .find({ followed, state: 'accepted', ...key }, { sort: { _id: 1 }, limit })
    .toArray();
}

/** Ids of the accepted followers on one origin, in order. */
export async function listFollowersOn(
  store: Store,
  followed: string,
  origin: string,
  limit: number,
): Promise<string[]> {
  // "0" is the character after "/".
  const follower = { $gte: `${origin}/`, $lt: `${origin}0` };
  const found = await followsIn(store)
    .find({ followed, state: 'accepted', follower }, { sort: { follower: 1 }, limit, projection: { follower: 1 } })
    .toArray();
  return found.map((follow) => follow.follower);
}

/** Inboxes of the accepted followers in order, each once, after the one given. At most `limit` followers are read. */
export async function listFollowerInboxes(
  store: Store,
  followed: string,
  after: string | null,
  limit: number,
): Promise<{ inboxes: string[]; isLast: boolean }> {
  const beyond = after === null ? {} : { deliverTo: { $gt: after } };
  const found = await followsIn(store)
    .find({ followed, state: 'accepted', ...beyond }, { sort: { deliverTo: 1 }, limit, projection: { deliverTo: 1 } })
    .toArray();
  return { inboxes: [...new Set(found.map((follow) => follow.deliverTo))], isLast: found.length < limit };
}

export interface FollowPage {
  items: { follow: Follow; actor: RemoteActor | null }[];
  total: number;
  page: number;
  pages: number;
}

/** Follows of one local actor with what is known of each follower, newest first. Pages from 1. */
export async function pageFollows(
  store: Store,
  followed: string,
  state: FollowState,
  { page, perPage }: { page: number; perPage: number },
): Promise<FollowPage> {
  const total = await countFollows(store, followed, state);
  const pages = Math.max(1, Math.ceil(total / perPage));
  const current = Math.min(page, pages);
  const options = { sort: { requestedAt: -1, _id: 1 } as const, skip: (current - 1) * perPage, limit: perPage };
  const follows = await followsIn(store).find({ followed, state }, options).toArray();
  const iris = follows.map((follow) => follow.follower);
  const actors =
    iris.length === 0
      ? []
      : await remoteActorsIn(store)
          .find({ _id: { $in: iris } })
          .toArray();
  const byIri = new Map(actors.map((actor) => [actor._id, actor]));
  return {
    items: follows.map((follow) => ({ follow, actor: byIri.get(follow.follower) ?? null })),
    total,
    page: current,
    pages,
  };
}
