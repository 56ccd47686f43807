// A real, empty store for a test: the embedded engine on a temporary folder, or a fresh database on TEST_MONGODB_URI
// when CHATIERE_TEST_ENGINE=mongodb. Reading a large collection for want of an index is an error.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../server/store/openStore.js';
import type { CollectionIndexes, Store } from '../../server/store/store.js';
import { atEnd } from './endOfRun.js';

/** FerretDB takes a millisecond for each question and reads a whole collection for most: the same with fewer rows there. */
export const isSlowEngine = process.env.CHATIERE_TEST_ENGINE === 'mongodb';

const cleanups: (() => Promise<void>)[] = [];

/** Opens an empty store. It is closed and removed after the test file's run, or earlier with closeTestStores(). */
export async function openTestStore(): Promise<Store> {
  return isSlowEngine ? makeIndexesLate(await openTestMongo()) : openTestEmbedded();
}

export async function openTestEmbedded(): Promise<Store> {
  const store = await openStore({ dataDir: temporaryFolder(), onScan: 'error' });
  closeLater(() => store.close());
  return store;
}

/** Databases of this process that nobody uses now: emptied, with their indexes, which take long to make. */
const spare: string[] = [];
let made = 0;
/** What indexes each of them has. */
const indexed = new Map<string, Set<string>>();

/** An empty database on the server at TEST_MONGODB_URI. */
export async function openTestMongo(): Promise<Store> {
  const address = process.env.TEST_MONGODB_URI;
  if (address === undefined) throw new Error('TEST_MONGODB_URI is not set');
  made += 1;
  const database = spare.pop() ?? `chatiere_test_${process.pid}_${Date.now().toString(36)}_${made}`;
  const mongodbUri = withDatabase(address, database);
  const store = await openStore({ dataDir: temporaryFolder(), mongodbUri, onScan: 'error' });
  makeIndexesOnce(store, database);
  closeLater(async () => {
    await store.close();
    await empty(mongodbUri);
    spare.push(database);
  });
  return store;
}

function makeIndexesOnce(store: Store, database: string): void {
  const has = indexed.get(database) ?? new Set<string>();
  indexed.set(database, has);
  const ensure = store.ensureIndexes.bind(store);
  store.ensureIndexes = async (indexes) => {
    const left: CollectionIndexes = {};
    for (const [collection, specs] of Object.entries(indexes)) {
      left[collection] = specs.filter((spec) => !has.has(`${collection} ${JSON.stringify(spec)}`));
    }
    await ensure(left);
    for (const [collection, specs] of Object.entries(left)) {
      for (const spec of specs) has.add(`${collection} ${JSON.stringify(spec)}`);
    }
  };
}

/** The indexes of a collection are made before its first write: a house has a hundred, of which a test needs few. */
function makeIndexesLate(store: Store): Store {
  const wanted = new Map<string, CollectionIndexes[string]>();
  const ready = new Map<string, Promise<void>>();
  const makeThose = async (name: string): Promise<void> => {
    const specs = wanted.get(name);
    wanted.delete(name);
    if (specs) ready.set(name, store.ensureIndexes({ [name]: specs }));
    await ready.get(name);
  };
  const changes = /^(insert|update|replace|findOneAnd|bulk)/;
  return new Proxy(store, {
    get(target, key) {
      if (key === 'ensureIndexes') {
        return async (indexes: CollectionIndexes) => {
          for (const [name, specs] of Object.entries(indexes))
            wanted.set(name, [...(wanted.get(name) ?? []), ...specs]);
        };
      }
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      if (key !== 'collection') return value.bind(target);
      return (name: string) =>
        new Proxy(target.collection(name), {
          get(collection, method) {
            const deed: unknown = Reflect.get(collection, method);
            if (typeof deed !== 'function') return deed;
            if (!changes.test(String(method))) return deed.bind(collection);
            return async (...given: unknown[]) => {
              await makeThose(name);
              return deed.apply(collection, given);
            };
          },
        });
    },
  });
}

async function empty(uri: string): Promise<void> {
  const { MongoClient } = await import('mongodb');
  const client = await new MongoClient(uri).connect();
  for (const { name } of await client.db().listCollections({}, { nameOnly: true }).toArray()) {
    await client.db().collection(name).deleteMany({});
  }
  await client.close();
}

/** The address of a database of that name on the same server. */
export function withDatabase(uri: string, name: string): string {
  const url = new URL(uri);
  url.pathname = `/${name}`;
  return url.href;
}

/** A new empty folder, removed with the stores. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatiere-test-'));
  closeLater(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function closeLater(cleanup: () => Promise<void>): void {
  if (cleanups.length === 0) atEnd(closeTestStores);
  cleanups.push(cleanup);
}

/** Closes and removes everything opened so far. */
export async function closeTestStores(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}
