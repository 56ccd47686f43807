// A real, empty store for a test: the embedded engine on a temporary folder, or a fresh database on TEST_MONGODB_URI
// when CHATIERE_TEST_ENGINE=mongodb. Reading a large collection for want of an index is an error.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../server/store/openStore.js';
import type { Store } from '../../server/store/store.js';

const cleanups: (() => Promise<void>)[] = [];

/** Opens an empty store. It is closed and removed after the test file's run, or earlier with closeTestStores(). */
export async function openTestStore(): Promise<Store> {
  return process.env.CHATIERE_TEST_ENGINE === 'mongodb' ? openTestMongo() : openTestEmbedded();
}

export async function openTestEmbedded(): Promise<Store> {
  const store = await openStore({ dataDir: temporaryFolder(), onScan: 'error' });
  cleanups.push(() => store.close());
  return store;
}

/** Databases of this process that nobody uses now: emptied, with their indexes, which take long to make. */
const spare: string[] = [];
let made = 0;

/** An empty database on the server at TEST_MONGODB_URI. */
export async function openTestMongo(): Promise<Store> {
  const address = process.env.TEST_MONGODB_URI;
  if (address === undefined) throw new Error('TEST_MONGODB_URI is not set');
  made += 1;
  const database = spare.pop() ?? `/chatiere_test_${process.pid}_${Date.now().toString(36)}_${made}`;
  const uri = new URL(address);
  uri.pathname = database;
  const store = await openStore({ dataDir: temporaryFolder(), mongodbUri: uri.href, onScan: 'error' });
  cleanups.push(async () => {
    await store.close();
    await empty(uri.href);
    spare.push(database);
  });
  return store;
}

async function empty(uri: string): Promise<void> {
  const { MongoClient } = await import('mongodb');
  const client = await new MongoClient(uri).connect();
  for (const { name } of await client.db().listCollections({}, { nameOnly: true }).toArray()) {
    await client.db().collection(name).deleteMany({});
  }
  await client.close();
}

/** A new empty folder, removed with the stores. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatiere-test-'));
  cleanups.push(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closes and removes everything opened so far. */
export async function closeTestStores(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

after(closeTestStores);
