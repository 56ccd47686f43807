// Reads of posts, and the collection's indexes.
import { findCollective } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import { DomainError } from '../errors.js';
import { findPerson } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import type { Person } from '../people/schema.js';
import type { CollectionIndexes, Store } from '../store/store.js';
import type { Post } from './schema.js';

export const postIndexes: CollectionIndexes = {
  posts: [
    { keys: { ownerId: 1, deletedAt: 1, publishedAt: -1, _id: -1 } },
    { keys: { ownerId: 1, 'inReplyTo.iri': 1 } },
    { keys: { 'inReplyTo.iri': 1 }, sparse: true },
    { keys: { 'events.eventId': 1 }, sparse: true },
  ],
};

export function postsOf(store: Store) {
  return store.collection<Post>('posts');
}

/** Also Tombstones. Whether its owner may be seen is the caller's question. */
export async function findPost(store: Store, id: string): Promise<Post | null> {
  return postsOf(store).findOne({ _id: id });
}

/** Several at once, in no order; also Tombstones. */
export async function listPostsById(store: Store, ids: readonly string[]): Promise<Post[]> {
  if (ids.length === 0) return [];
  return postsOf(store)
    .find({ _id: { $in: [...new Set(ids)] } })
    .toArray();
}

/** A post of that collective or person. Refuses: not-found, gone (deleted). */
export async function getPost(store: Store, ownerId: string, id: string): Promise<Post> {
  const post = await findPost(store, id);
  if (post?.ownerId !== ownerId) throw new DomainError('not-found', 'error.notFound');
  if (post.deletedAt !== null) throw new DomainError('gone', 'posts.error.deleted');
  return post;
}

/** What stands, newest first. Pages from 1. Says nothing of whether its owner is public. */
export async function listPublicPosts(
  store: Store,
  ownerId: string,
  { page = 1, limit = 20 }: { page?: number; limit?: number } = {},
): Promise<Post[]> {
  return postsOf(store)
    .find(
      { ownerId, deletedAt: null, isPrivate: { $ne: true } },
      { sort: { publishedAt: -1, _id: -1 }, skip: (Math.max(1, page) - 1) * limit, limit },
    )
    .toArray();
}

export async function countPublicPosts(store: Store, ownerId: string): Promise<number> {
  return postsOf(store).countDocuments({ ownerId, deletedAt: null, isPrivate: { $ne: true } });
}

/** What one of ours answered to one post elsewhere, oldest first; private answers too. */
export async function listRepliesOf(store: Store, ownerId: string, iri: string): Promise<Post[]> {
  return listRepliesTo(store, ownerId, [iri]);
}

/** The same for several posts elsewhere. */
export async function listRepliesTo(store: Store, ownerId: string, iris: string[]): Promise<Post[]> {
  if (iris.length === 0) return [];
  const found = await postsOf(store)
    .find({ ownerId, 'inReplyTo.iri': { $in: iris } }, { limit: 100 })
    .toArray();
  return found
    .filter(({ deletedAt }) => deletedAt === null)
    .sort((a, b) => a.publishedAt.getTime() - b.publishedAt.getTime());
}

/** What anybody of this instance answered in public to a post elsewhere, oldest first. Whether they are shown is not asked. */
export async function listPublicReplies(store: Store, iri: string, limit: number): Promise<Post[]> {
  return postsOf(store)
    .find(
      { 'inReplyTo.iri': iri, deletedAt: null, isPrivate: { $ne: true } },
      { sort: { publishedAt: 1, _id: 1 }, limit },
    )
    .toArray();
}

/** What stands of one owner, newest first, private answers too: for the owner's own eyes. */
export async function listOwnPosts(store: Store, ownerId: string, limit: number): Promise<Post[]> {
  return postsOf(store)
    .find({ ownerId, deletedAt: null }, { sort: { publishedAt: -1, _id: -1 }, limit })
    .toArray();
}

/** Whose a post is. */
export type Owner = Collective | Person;

/** Null: they are gone. */
export async function findOwner(store: Store, { ownerKind, ownerId }: Post): Promise<Owner | null> {
  return ownerKind === 'collective' ? findCollective(store, ownerId) : findPerson(store, ownerId);
}

/** Whether everybody may see whoever wrote it. */
export function isShown(owner: Owner): boolean {
  return 'profile' in owner ? isPublic(owner) : isPublicPerson(owner);
}
