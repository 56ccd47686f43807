// What the embedded engine costs beside the bare SQLite library doing the same single-row work, both syncing at every
// commit. Ratios tell; absolute figures are the machine's.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { openStore } from '../../server/store/openStore.js';
import type { Doc } from '../../server/store/store.js';

interface Entry extends Doc {
  kind: string;
  at: number;
  title: string;
  text: string;
  tags: string[];
}

const DOCUMENTS = 5000;
const TURN_MS = 700;

const entryOf = (i: number): Entry => ({
  _id: `entry-${String(i).padStart(8, '0')}`,
  kind: `kind${i % 20}`,
  at: (i * 7919) % 1_000_003,
  title: `Title ${i}`,
  text: 'A hoster writes about a service, plainly. '.repeat(12),
  tags: [`t${i % 50}`, `u${i % 7}`],
});

/** Deeds per second, from as many as fit in a short time. */
async function perSecond(deed: (i: number) => unknown, size = 1): Promise<number> {
  const start = performance.now();
  let i = 0;
  while (performance.now() - start < TURN_MS) await deed(i++);
  return Math.round((i * size * 1000) / (performance.now() - start));
}

/** Measures both; each `…Ratio` is the store's rate divided by that of the bare library. */
export async function benchStore(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'chatiere-bench-'));
  try {
    const store = await benchEngine(join(folder, 'store'));
    const bare = await benchLibrary(join(folder, 'bare.db'));
    const ratios = Object.entries(bare).map(([name, rate]) => [`${name}Ratio`, round((store[name] ?? 0) / rate)]);
    const named = (prefix: string, rates: Record<string, number>) =>
      Object.entries(rates).map(([name, rate]) => [`${prefix}.${name}`, rate]);
    return Object.fromEntries([...named('store', store), ...named('sqlite', bare), ...ratios]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchEngine(dataDir: string): Promise<Record<string, number>> {
  const store = await openStore({ dataDir, onScan: 'error' });
  await store.ensureIndexes({ entries: [{ keys: { kind: 1, at: -1 } }] });
  const entries = store.collection<Entry>('entries');
  for (let i = 0; i < DOCUMENTS; i += 500) {
    await entries.insertMany(Array.from({ length: 500 }, (_, j) => entryOf(i + j)));
  }
  let next = DOCUMENTS;
  const rates = {
    insertSerial: await perSecond(() => entries.insertOne(entryOf(next++))),
    insert50Concurrent: await perSecond(
      () => Promise.all(Array.from({ length: 50 }, () => entries.insertOne(entryOf(next++)))),
      50,
    ),
    updateSerial: await perSecond((i) =>
      entries.updateOne({ _id: entryOf(i % DOCUMENTS)._id }, { $set: { title: `New ${i}` } }),
    ),
    update50Concurrent: await perSecond(
      (i) =>
        Promise.all(
          Array.from({ length: 50 }, (_, j) =>
            entries.updateOne({ _id: entryOf((i * 50 + j) % DOCUMENTS)._id }, { $set: { title: `Newer ${i}` } }),
          ),
        ),
      50,
    ),
    findOne: await perSecond((i) => entries.findOne({ _id: entryOf((i * 31) % DOCUMENTS)._id })),
    page20: await perSecond((i) => entries.find({ kind: `kind${i % 20}` }, { sort: { at: -1 }, limit: 20 }).toArray()),
    count: await perSecond((i) => entries.countDocuments({ kind: `kind${i % 20}` })),
  };
  await store.close();
  return rates;
}

/** The same rows with one plain index, each deed as one statement and each write as one synced commit. */
async function benchLibrary(file: string): Promise<Record<string, number>> {
  const database = new Database(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE entries (id TEXT PRIMARY KEY, kind TEXT, at INTEGER, d TEXT)');
  database.exec('CREATE INDEX by_kind ON entries (kind, at DESC)');
  const insert = database.prepare('INSERT INTO entries VALUES (?, ?, ?, ?)');
  const row = (i: number): unknown[] => {
    const entry = entryOf(i);
    return [entry._id, entry.kind, entry.at, JSON.stringify(entry)];
  };
  database.exec('BEGIN');
  for (let i = 0; i < DOCUMENTS; i++) insert.run(row(i));
  database.exec('COMMIT');
  const update = database.prepare('UPDATE entries SET d = ? WHERE id = ?');
  const get = database.prepare('SELECT d FROM entries WHERE id = ?').raw();
  const page = database.prepare('SELECT d FROM entries WHERE kind = ? ORDER BY at DESC LIMIT 20').raw();
  const count = database.prepare('SELECT count(*) FROM entries WHERE kind = ?').raw();
  const parse = (found: unknown): unknown => JSON.parse(String((found as unknown[])[0]));
  let next = DOCUMENTS;
  const rates = {
    insertSerial: await perSecond(() => insert.run(row(next++))),
    insert50Concurrent: await perSecond(() => {
      for (let j = 0; j < 50; j++) insert.run(row(next++));
    }, 50),
    updateSerial: await perSecond((i) => update.run([JSON.stringify(entryOf(i)), entryOf(i % DOCUMENTS)._id])),
    update50Concurrent: await perSecond((i) => {
      for (let j = 0; j < 50; j++) update.run([JSON.stringify(entryOf(i)), entryOf((i * 50 + j) % DOCUMENTS)._id]);
    }, 50),
    findOne: await perSecond((i) => parse(get.get([entryOf((i * 31) % DOCUMENTS)._id]))),
    page20: await perSecond((i) => page.all([`kind${i % 20}`]).map(parse)),
    count: await perSecond((i) => count.get([`kind${i % 20}`])),
  };
  database.close();
  return rates;
}

function round(ratio: number): number {
  return Math.round(ratio * 100) / 100;
}
