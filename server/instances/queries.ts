// Reads about the instance's own running, and the indexes of what it keeps.
import type { CollectionIndexes, Doc, Store } from '../store/store.js';
import type { FailedEvent, JobRun } from './schema.js';

export const instanceIndexes = {
  settings: [],
  leases: [],
  jobRuns: [{ keys: { wanted: 1 as const } }],
  failedEvents: [{ keys: { parkedAt: 1 as const, nextAt: 1 as const } }],
} satisfies CollectionIndexes;

export async function listJobRuns(store: Store): Promise<JobRun[]> {
  return store
    .collection<JobRun>('jobRuns')
    .find({}, { sort: { _id: 1 } })
    .toArray();
}

/** Events that were given up, oldest first. */
export async function listParkedEvents(store: Store, limit: number): Promise<FailedEvent[]> {
  return store
    .collection<FailedEvent>('failedEvents')
    .find({ parkedAt: { $gt: new Date(0) } }, { sort: { parkedAt: 1 }, limit })
    .toArray();
}

/** How many things wait in each queue. */
export async function countQueues(store: Store): Promise<Record<string, number>> {
  const [deliveries, mails, parkedEvents] = await Promise.all([
    store.collection<Doc>('deliveries').countDocuments(),
    store.collection<Doc & { sentAt: Date | null }>('mails').countDocuments({ sentAt: null }),
    store.collection<FailedEvent>('failedEvents').countDocuments({ parkedAt: { $gt: new Date(0) } }),
  ]);
  return { deliveries, mails, parkedEvents };
}
