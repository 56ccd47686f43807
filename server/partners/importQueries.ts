// Reads of lists of accounts that one of ours brings along to follow them here.
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import { postKey } from './rules.js';
import type { FollowImport } from './schema.js';

export const importIndexes: CollectionIndexes = {
  followImports: [{ keys: { state: 1, changedAt: 1 } }, { keys: { changedAt: 1 } }],
};

export function importsIn(store: Store): Coll<FollowImport> {
  return store.collection<FollowImport>('followImports');
}

/** One of ours has one at a time. */
export function importKey(follower: string): string {
  return postKey(`import ${follower}`);
}

export async function findImport(store: Store, follower: string): Promise<FollowImport | null> {
  return importsIn(store).findOne({ _id: importKey(follower) });
}

/** Those at work, the one that waited longest first. */
export async function listRunningImports(store: Store, limit: number): Promise<FollowImport[]> {
  return importsIn(store)
    .find({ state: 'running' }, { sort: { changedAt: 1 }, limit })
    .toArray();
}
