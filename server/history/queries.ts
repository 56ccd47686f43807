// The lines of history: who changed what, when. Reads and indexes.
import type { Change } from '../events.js';
import type { CollectionIndexes, Doc, Filter, Store } from '../store/store.js';

/** Its key is the eventId of the news that it came with. */
export interface StoredChange extends Doc, Change {
  at: Date;
}

export const historyIndexes: CollectionIndexes = {
  changes: [{ keys: { collectiveId: 1, _id: -1 } }, { keys: { subjectId: 1, _id: -1 } }],
};

export function changesOf(store: Store) {
  return store.collection<StoredChange>('changes');
}

export interface ChangeSearch {
  collectiveId: string;
  /** Only of this thing. */
  subjectId?: string;
  /** Only older than the line with this key. */
  before?: string;
  limit?: number;
}

/** What was changed about the instance itself, newest first. */
export async function listInstanceChanges(store: Store, subjectId: string, limit: number): Promise<StoredChange[]> {
  return changesOf(store)
    .find({ subjectId }, { sort: { _id: -1 }, limit })
    .toArray();
}

/** Newest first. News not drained yet is not there: the drain follows each write at once. */
export async function listChanges(store: Store, search: ChangeSearch): Promise<StoredChange[]> {
  const filter: Filter<StoredChange> = { collectiveId: search.collectiveId };
  if (search.subjectId) filter.subjectId = search.subjectId;
  if (search.before) filter._id = { $lt: search.before };
  return changesOf(store)
    .find(filter, { sort: { _id: -1 }, limit: search.limit ?? 25 })
    .toArray();
}
