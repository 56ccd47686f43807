// Reads of groups, their threads and what they passed on, and the collections' indexes.
import { eachPublicCollective, findCollectiveByHandle } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import type { Site } from '../context.js';
import { DomainError } from '../errors.js';
import { eventIndex } from '../events.js';
import { readPolicy } from '../instances/queries.js';
import { isLimitedPeer } from '../instances/rules.js';
import { findFollow } from '../partners/queries.js';
import { actorIri, followKey } from '../partners/rules.js';
import type { CollectionIndexes, Store } from '../store/store.js';
import { groupKey, type Standing } from './rules.js';
import type { Group, GroupActivity, GroupPost } from './schema.js';

export const groupIndexes: CollectionIndexes = {
  groups: [{ keys: { slot: 1 }, unique: true }, eventIndex],
  groupPosts: [
    { keys: { iri: 1 } },
    { keys: { author: 1 } },
    { keys: { thread: 1, removedAt: 1, position: 1 } },
    { keys: { groupId: 1, inReplyTo: 1, removedAt: 1, position: -1 } },
  ],
  groupActivities: [
    { keys: { groupId: 1, author: 1, at: 1 } },
    { keys: { post: 1, author: 1, at: -1 } },
    { keys: { activityIri: 1 }, sparse: true },
    { keys: { follows: 1 }, unique: true, sparse: true },
    { keys: { type: 1, at: 1 } },
    eventIndex,
  ],
};

export function groupsIn(store: Store) {
  return store.collection<Group>('groups');
}

export function groupPostsIn(store: Store) {
  return store.collection<GroupPost>('groupPosts');
}

export function groupActivitiesIn(store: Store) {
  return store.collection<GroupActivity>('groupActivities');
}

/** Also one that is deleted. */
export async function findGroup(store: Store, id: string): Promise<Group | null> {
  return groupsIn(store).findOne({ _id: id });
}

export const announcementsSlot = 'announcements';

/** The announcements group of the instance, open or closed; null: there is none. */
export async function findAnnouncements(store: Store): Promise<Group | null> {
  return groupsIn(store).findOne({ slot: announcementsSlot });
}

/** What an actor is to a group. */
export async function standingOf(store: Store, site: Site, group: Group, iri: string): Promise<Standing> {
  const isLocalHoster = await isLocalHosterIri(store, site, iri);
  const follow = await findFollow(store, followKey(iri, actorIri(site, group.handle)));
  const { host } = new URL(iri);
  return {
    isModerator: group.moderators.includes(iri) || (group.hostersModerate && isLocalHoster),
    isFollower: follow?.state === 'accepted',
    isLocalHoster,
    isLimited: new URL(iri).origin !== site.baseUrl && isLimitedPeer(await readPolicy(store), host),
  };
}

const maxModerators = 1000;

/** IRIs of all who moderate a group. */
export async function listModerators(store: Store, site: Site, group: Group): Promise<string[]> {
  const hosters: string[] = [];
  if (group.hostersModerate) {
    for await (const { handle } of eachPublicCollective(store)) {
      if (hosters.push(actorIri(site, handle)) === maxModerators) break;
    }
  }
  return [...new Set([...hosters, ...group.moderators])];
}

/** Exactly the id of a public collective of this instance. */
async function isLocalHosterIri(store: Store, site: Site, iri: string): Promise<boolean> {
  const handle = iri.startsWith(`${site.baseUrl}/actors/`) ? iri.slice(site.baseUrl.length + '/actors/'.length) : '';
  if (!/^[a-z0-9_]{1,30}$/.test(handle)) return false;
  const collective = await findCollectiveByHandle(store, handle);
  return collective !== null && isPublic(collective);
}

/** Also what was removed. */
export async function findGroupPost(store: Store, groupId: string, iri: string): Promise<GroupPost | null> {
  return groupPostsIn(store).findOne({ _id: groupKey(groupId, iri) });
}

export async function findGroupPostByKey(store: Store, key: string): Promise<GroupPost | null> {
  return groupPostsIn(store).findOne({ _id: key });
}

/** In whichever groups it stands; also what was removed. */
export async function listGroupPostsByIri(store: Store, iri: string): Promise<GroupPost[]> {
  return groupPostsIn(store).find({ iri }, { limit: 50 }).toArray();
}

/** The first post of a thread that can be read. Refuses: not-found, gone (removed). */
export async function getThread(store: Store, groupId: string, thread: string): Promise<GroupPost> {
  const first = await findGroupPostByKey(store, thread);
  if (first?.groupId !== groupId || first.thread !== first._id) throw new DomainError('not-found', 'error.notFound');
  if (first.removedAt !== null) throw new DomainError('gone', 'groups.error.removed');
  return first;
}

export const threadsPerPage = 20;
export const commentsPerPage = 50;

const newestFirst = { position: -1 } as const;

/** Threads, newest first. Pages from 1. */
export async function listThreads(store: Store, groupId: string, page: number): Promise<GroupPost[]> {
  const skip = (Math.max(1, page) - 1) * threadsPerPage;
  const first = { groupId, inReplyTo: null, removedAt: null };
  return groupPostsIn(store).find(first, { sort: newestFirst, skip, limit: threadsPerPage }).toArray();
}

export async function countThreads(store: Store, groupId: string): Promise<number> {
  return groupPostsIn(store).countDocuments({ groupId, inReplyTo: null, removedAt: null });
}

/** A thread in the order of arrival, the first post included. Pages from 1. */
export async function listThread(store: Store, thread: string, page: number): Promise<GroupPost[]> {
  const skip = (Math.max(1, page) - 1) * commentsPerPage;
  const options = { sort: { position: 1 } as const, skip, limit: commentsPerPage };
  return groupPostsIn(store).find({ thread, removedAt: null }, options).toArray();
}

/** A thread from a position on: for paged collections. */
export async function listThreadAfter(store: Store, thread: string, after: string | null): Promise<GroupPost[]> {
  const later = after === null ? {} : { position: { $gt: after } };
  const options = { sort: { position: 1 } as const, limit: commentsPerPage };
  return groupPostsIn(store)
    .find({ thread, removedAt: null, ...later }, options)
    .toArray();
}

/** The first post included. */
export async function countThread(store: Store, thread: string): Promise<number> {
  return groupPostsIn(store).countDocuments({ thread, removedAt: null });
}

/** What one author did in a group since then. */
export async function countActivities(store: Store, groupId: string, author: string, since: Date): Promise<number> {
  return groupActivitiesIn(store).countDocuments({ groupId, author, at: { $gt: since } });
}

/** Likes and dislikes, and what takes them back. */
export const voteTypes: GroupActivity['type'][] = ['Like', 'Dislike', 'Undo'];

/** What an author last said of a post by a like or a dislike, or by taking it back; null: nothing lately. */
export async function findLastVote(store: Store, post: string, author: string): Promise<GroupActivity | null> {
  const said = { post, author, type: { $in: voteTypes } };
  return groupActivitiesIn(store).findOne(said, { sort: { at: -1, _id: -1 } });
}

/** The likes and dislikes with that id. */
export async function listVotesByIri(store: Store, activityIri: string): Promise<GroupActivity[]> {
  return groupActivitiesIn(store).find({ activityIri }, { limit: 50 }).toArray();
}

export async function findGroupActivity(store: Store, id: string): Promise<GroupActivity | null> {
  return groupActivitiesIn(store).findOne({ _id: id });
}
