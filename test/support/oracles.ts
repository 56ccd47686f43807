// What must hold after something was refused, written once: the store is what it was before.
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { writeCount } from '../../server/store/guarded.js';
import type { Doc, Store } from '../../server/store/store.js';

/** What may change while something is refused: counters of tries, and sessions of visitors who looked at a form. */
const counters = ['limits', 'sessions', 'keyFailures'];

type Prints = Record<string, string>;

/** Prints of stores that are slow to read, as of a number of writes of this process. */
const printed = new WeakMap<Store, Map<string, { writes: number; prints: Prints }>>();

/**
 * Collection -> number of documents and SHA-256 over all of them. On the mongodb engine everything is read again only if
 * this process, which is all that writes there, has written anything since: FerretDB takes a millisecond for each read.
 */
export async function fingerprint(store: Store, except: readonly string[] = counters): Promise<Prints> {
  if (store.engine !== 'mongodb') return readPrints(store, except);
  const known = printed.get(store) ?? new Map<string, { writes: number; prints: Prints }>();
  printed.set(store, known);
  const [key, writes] = [except.join(), writeCount()];
  const before = known.get(key);
  if (before?.writes === writes) return before.prints;
  const prints = await readPrints(store, except);
  known.set(key, { writes, prints });
  return prints;
}

async function readPrints(store: Store, except: readonly string[]): Promise<Prints> {
  const prints: Prints = {};
  for (const name of await store.listCollections()) {
    if (except.includes(name)) continue;
    const documents = await store.collection(name).find({}).toArray();
    if (documents.length === 0) continue;
    documents.sort((a, b) => (a._id < b._id ? -1 : 1));
    prints[name] = `${documents.length} ${createHash('sha256').update(JSON.stringify(documents)).digest('hex')}`;
  }
  return prints;
}

/** Runs something and expects the whole store to be what it was before, but for counters. */
export async function nothingStored<T>(store: Store, work: () => Promise<T>, what = 'the store changed'): Promise<T> {
  const before = await fingerprint(store);
  const result = await work();
  expect(await fingerprint(store), what).to.deep.equal(before);
  return result;
}

/** Every document of every collection, as one text: to look for words in it. */
export async function everythingStored(store: Store, except: readonly string[] = []): Promise<string> {
  const names = (await store.listCollections()).filter((name) => !except.includes(name));
  const all = await Promise.all(names.map(async (name) => [name, await store.collection(name).find({}).toArray()]));
  return JSON.stringify(all, (_key, value: unknown) =>
    isBytes(value) ? Buffer.from(value.data).toString('latin1') : value,
  );
}

function isBytes(value: unknown): value is { type: 'Buffer'; data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}

export interface Snapshot {
  /** Puts every document back as it was. */
  restore(): Promise<void>;
}

/** Remembers every document, so that deeds can be tried one after the other on the same house. */
export async function takeSnapshot(store: Store, except: readonly string[] = counters): Promise<Snapshot> {
  const names = async () => (await store.listCollections()).filter((name) => !except.includes(name));
  const read = async (name: string): Promise<Doc[]> => store.collection(name).find({}).toArray();
  const kept = new Map<string, Doc[]>();
  for (const name of await names()) kept.set(name, await read(name));
  return {
    async restore() {
      for (const name of new Set([...kept.keys(), ...(await names())])) {
        const before = kept.get(name) ?? [];
        const now = await read(name);
        const known = new Map(now.map((doc) => [doc._id, JSON.stringify(doc)]));
        const stays = new Set(before.map((doc) => doc._id));
        const coll = store.collection(name);
        for (const doc of now) if (!stays.has(doc._id)) await coll.deleteOne({ _id: doc._id });
        for (const doc of before) {
          if (known.get(doc._id) === JSON.stringify(doc)) continue;
          await coll.deleteOne({ _id: doc._id });
          await coll.insertOne(doc);
        }
      }
    },
  };
}
