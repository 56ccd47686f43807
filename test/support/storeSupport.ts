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

/** A fresh database on the server at TEST_MONGODB_URI. */
export async function openTestMongo(): Promise<Store> {
  const address = process.env.TEST_MONGODB_URI;
  if (address === undefined) throw new Error('TEST_MONGODB_URI is not set');
  const { MongoClient } = await import('mongodb');
  const uri = new URL(address);
  uri.pathname = `/chatiere_test_${process.pid}_${Date.now().toString(36)}_${Math.random().toString(36).slice(2, 8)}`;
  const store = await openStore({ dataDir: temporaryFolder(), mongodbUri: uri.href, onScan: 'error' });
  cleanups.push(async () => {
    await store.close();
    const client = await new MongoClient(uri.href).connect();
    await client.db().dropDatabase();
    await client.close();
  });
  return store;
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
