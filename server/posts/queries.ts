// Reads of posts, and the collection's indexes.
import { DomainError } from '../errors.js';
import type { CollectionIndexes, Store } from '../store/store.js';
import type { Post } from './schema.js';

export const postIndexes: CollectionIndexes = {
  posts: [
    { keys: { collectiveId: 1, deletedAt: 1, publishedAt: -1, _id: -1 } },
    { keys: { collectiveId: 1, 'inReplyTo.iri': 1 } },
    { keys: { 'events.eventId': 1 }, sparse: true },
  ],
};

export function postsOf(store: Store) {
  return store.collection<Post>('posts');
}

/** Also Tombstones. Whether its collective may be seen is the caller's question. */
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

/** A post of that collective. Refuses: not-found, gone (deleted). */
export async function getPost(store: Store, collectiveId: string, id: string): Promise<Post> {
  const post = await findPost(store, id);
  if (post?.collectiveId !== collectiveId) throw new DomainError('not-found', 'error.notFound');
  if (post.deletedAt !== null) throw new DomainError('gone', 'posts.error.deleted');
  return post;
}

/** What stands, newest first. Pages from 1. Says nothing of whether the collective is published. */
export async function listPublicPosts(
  store: Store,
  collectiveId: string,
  { page = 1, limit = 20 }: { page?: number; limit?: number } = {},
): Promise<Post[]> {
  return postsOf(store)
    .find(
      { collectiveId, deletedAt: null },
      { sort: { publishedAt: -1, _id: -1 }, skip: (Math.max(1, page) - 1) * limit, limit },
    )
    .toArray();
}

export async function countPublicPosts(store: Store, collectiveId: string): Promise<number> {
  return postsOf(store).countDocuments({ collectiveId, deletedAt: null });
}

/** What a collective answered to one post elsewhere, oldest first. */
export async function listRepliesOf(store: Store, collectiveId: string, iri: string): Promise<Post[]> {
  const found = await postsOf(store).find({ collectiveId, 'inReplyTo.iri': iri }, { limit: 50 }).toArray();
  return found
    .filter(({ deletedAt }) => deletedAt === null)
    .sort((a, b) => a.publishedAt.getTime() - b.publishedAt.getTime());
}
