// TABLE: numbered steps that bring data of older versions to the shape that this one expects. A step is idempotent, never
// changed after a release, and never removed.
import { postsOf } from './posts/queries.js';
import type { Post } from './posts/schema.js';
import type { Migration } from './store/migrations.js';
import type { Store } from './store/store.js';

export const migrations: Migration[] = [{ id: 1, name: 'posts belong to a collective or a person', up: ownPosts }];

async function ownPosts(store: Store): Promise<void> {
  const old = postsOf(store).find({ ownerId: { $exists: false } });
  for await (const post of old) {
    const { collectiveId } = post as Post & { collectiveId?: string };
    const set = { ownerKind: 'collective' as const, ownerId: collectiveId ?? '' };
    await postsOf(store).updateOne(
      { _id: post._id },
      { $set: set, $unset: { collectiveId: '' } as Record<string, ''> },
    );
  }
}
