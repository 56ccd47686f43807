// Numbered steps that bring stored data to the shape that the program expects. Each is recorded when it begins and when
// it is done, so a start that was cut off goes on where it stopped. The steps themselves live elsewhere.
import { SchemaTooNewError } from './errors.js';
import type { Doc, Store } from './store.js';

export interface Migration {
  /** From 1 upwards; never used twice. */
  id: number;
  name: string;
  /** Must be idempotent: it is run again when it was cut off. */
  up(store: Store): Promise<void>;
}

interface MigrationRecord extends Doc {
  number: number;
  name: string;
  startedAt: Date;
  finishedAt: Date | null;
}

/** Collection of the store's own records. */
const META = 'meta';
const PREFIX = 'migration:';

/**
 * Effect: all steps not yet done are run in order, each recorded. A fresh store records them without running. Refuses
 * data that a newer version wrote (SchemaTooNewError), and steps whose numbers repeat.
 */
export async function migrate(
  store: Store,
  migrations: Migration[],
  log: (message: string, details: object) => void,
): Promise<void> {
  const steps = [...migrations].sort((a, b) => a.id - b.id);
  if (new Set(steps.map(({ id }) => id)).size !== steps.length) throw new Error('two migrations have the same number');
  const records = store.collection<MigrationRecord>(META);
  const fresh = (await store.listCollections()).length === 0;
  const known = await records.find({ _id: { $gte: PREFIX, $lt: 'migration;' } }, { sort: { _id: 1 } }).toArray();
  const newest = Math.max(0, ...known.map(({ number }) => number));
  const latest = steps.at(-1)?.id ?? 0;
  if (newest > latest) throw new SchemaTooNewError(newest, latest);
  if (fresh) {
    const now = new Date();
    const all = steps.map(({ id, name }) => ({ ...recordOf(id, name, now), finishedAt: now }));
    if (all.length > 0) await records.insertMany(all);
    return;
  }
  const done = new Set(known.flatMap(({ number, finishedAt }) => (finishedAt === null ? [] : [number])));
  for (const step of steps) {
    if (done.has(step.id)) continue;
    log('migration begins', { number: step.id, name: step.name });
    const { _id, ...record } = recordOf(step.id, step.name, new Date());
    await records.replaceOne({ _id }, record, { upsert: true });
    await step.up(store);
    await records.updateOne({ _id }, { $set: { finishedAt: new Date() } });
    log('migration done', { number: step.id, name: step.name });
  }
}

function recordOf(number: number, name: string, startedAt: Date): MigrationRecord {
  return { _id: `${PREFIX}${String(number).padStart(6, '0')}`, number, name, startedAt, finishedAt: null };
}
