// Reads about the instance's own running, and the indexes of what it keeps.
import type { CollectionIndexes, Doc, Store } from '../store/store.js';
import type { FailedEvent, JobRun } from './schema.js';

export const instanceIndexes = {
  settings: [],
  leases: [],
  jobRuns: [{ keys: { wanted: 1 as const } }],
  failedEvents: [{ keys: { parkedAt: 1 as const, nextAt: 1 as const } }, { keys: { docId: 1 as const } }],
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
    deliveriesIn(store).countDocuments({ state: 'waiting' }),
    store.collection<Doc & { nextAt: Date | null }>('mails').countDocuments({ nextAt: { $gt: new Date(0) } }),
    store.collection<FailedEvent>('failedEvents').countDocuments({ parkedAt: { $gt: new Date(0) } }),
  ]);
  return { deliveries, mails, parkedEvents };
}

/** What the page on deliveries reads of federation/delivery.ts, which server/ may not import. */
interface DeliveryRow extends Doc {
  host: string;
  state: 'waiting' | 'failed';
  attempts: number;
  nextAt: Date;
  failedAt: Date | null;
  lastError: string | null;
}

const deliveriesIn = (store: Store) => store.collection<DeliveryRow>('deliveries');

export interface TroubledHost {
  host: string;
  waiting: number;
  abandoned: number;
  nextAt: Date | null;
  lastError: string;
}

/** Rows read for the page; beyond that an instance has other worries. */
const rowsRead = 5_000;

/** The servers that do not take what we send, with what waits for them, most first. */
export async function listTroubledHosts(store: Store): Promise<TroubledHost[]> {
  const projection = { host: 1, state: 1, attempts: 1, nextAt: 1, lastError: 1 };
  const [waiting, failed] = await Promise.all([
    deliveriesIn(store)
      .find({ state: 'waiting' }, { sort: { nextAt: 1 }, limit: rowsRead, projection })
      .toArray(),
    deliveriesIn(store)
      .find({ state: 'failed' }, { sort: { failedAt: -1 }, limit: rowsRead, projection })
      .toArray(),
  ]);
  const hosts = new Map<string, TroubledHost>();
  for (const row of [...waiting, ...failed]) {
    const known = hosts.get(row.host) ?? { host: row.host, waiting: 0, abandoned: 0, nextAt: null, lastError: '' };
    hosts.set(row.host, known);
    known[row.state === 'waiting' ? 'waiting' : 'abandoned'] += 1;
    if (row.state === 'waiting') known.nextAt ??= row.nextAt;
    known.lastError ||= row.lastError ?? '';
  }
  const troubled = [...hosts.values()].filter(({ lastError }) => lastError !== '');
  return troubled.sort((a, b) => b.waiting + b.abandoned - (a.waiting + a.abandoned));
}
