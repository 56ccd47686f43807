// The embedded engine: one SQLite file in the data folder. Wires connection, catalogue and collections together.
import { setTimeout } from 'node:timers/promises';
import { cleanCollectionName, cleanPath } from '../guard.js';
import { guardedCollection } from '../guarded.js';
import { type Coll, type CollectionIndexes, type Doc, type Store, StoreUsageError } from '../store.js';
import { writeBackup } from './backup.js';
import { Catalogue } from './catalogue.js';
import { EmbeddedCollection } from './collection.js';
import { type Connection, openConnection } from './connection.js';
import { type OnScan, Reader } from './reader.js';

/** How often and after how long the log is tried again while somebody reads it. The next run, or the nightly one, gets it. */
const logTries = 5;
const logWaitMs = 200;
const longestRestMs = 2000;

/** Opens the store of a data folder. `shared` does not take the folder: for commands beside a running server. */
export async function openEmbeddedStore(dataDir: string, shared: boolean, onScan: OnScan): Promise<Store> {
  const connection = openConnection(dataDir, shared);
  try {
    const catalogue = new Catalogue(connection);
    await catalogue.prepare();
    return new EmbeddedStore(connection, catalogue, new Reader(connection, onScan));
  } catch (error) {
    connection.close();
    throw error;
  }
}

class EmbeddedStore implements Store {
  readonly engine = 'embedded';
  /** Collections still to be settled, and the run that will do it. */
  readonly #unsettled = new Set<string>();
  #settling: Promise<void> | null = null;
  #restUntil = 0;

  constructor(
    readonly connection: Connection,
    readonly catalogue: Catalogue,
    readonly reader: Reader,
  ) {}

  collection<T extends Doc>(name: string): Coll<T> {
    const backend = new EmbeddedCollection(cleanCollectionName(name), this.catalogue, this.reader);
    return guardedCollection<T>(name, backend);
  }

  async ensureIndexes(indexes: CollectionIndexes): Promise<void> {
    await this.connection.write(() => {
      for (const [collection, specs] of Object.entries(indexes)) {
        this.catalogue.require(cleanCollectionName(collection));
        for (const spec of specs) {
          checkIndex(Object.keys(spec.keys));
          this.catalogue.requireIndex(collection, spec);
        }
      }
    });
  }

  async listCollections(): Promise<string[]> {
    this.catalogue.isStale();
    const tables = this.catalogue.all();
    return tables
      .filter(({ documents }) => this.connection.row(`SELECT 1 FROM ${documents} LIMIT 1`) !== undefined)
      .map(({ name }) => name)
      .sort();
  }

  /** Writes at most once a minute, so that asking often does not wear out a memory card. */
  async ping(): Promise<void> {
    const minute = Math.floor(Date.now() / 60_000);
    if (this.connection.row('SELECT minute FROM _writable')?.[0] === minute) return;
    await this.connection.write(() => this.connection.run('UPDATE _writable SET minute = ?', [minute]));
  }

  settle(collections: readonly string[]): Promise<void> {
    for (const name of collections) this.#unsettled.add(cleanCollectionName(name));
    this.#settling ??= this.#settleAll().finally(() => {
      this.#settling = null;
    });
    return this.#settling;
  }

  async #settleAll(): Promise<void> {
    while (this.#unsettled.size > 0) {
      await setTimeout(Math.max(0, this.#restUntil - performance.now()));
      // Closing has done it.
      if (!this.connection.isOpen) return;
      const began = performance.now();
      await this.connection.write(() => this.#reorder());
      const ended = performance.now();
      // A large collection takes a while to write: others get their turn.
      this.#restUntil = ended + Math.min(longestRestMs, 4 * (ended - began));
      for (let tries = 0; this.connection.isOpen && !this.connection.emptyLog() && tries < logTries; tries += 1) {
        await setTimeout(logWaitMs);
      }
    }
  }

  #reorder(): void {
    for (const name of this.#unsettled) this.catalogue.reorder(name);
    this.#unsettled.clear();
  }

  async backup(file: string): Promise<void> {
    await writeBackup(this.connection, file);
  }

  async close(): Promise<void> {
    if (this.#unsettled.size > 0) this.connection.write(() => this.#reorder()).catch(() => {});
    this.connection.close();
  }
}

function checkIndex(paths: string[]): void {
  if (paths.length === 0 || paths.length > 30) throw new StoreUsageError('an index needs 1 to 30 fields');
  for (const path of paths) {
    if (
      cleanPath(path)
        .split('.')
        .some((part) => /^\d+$/.test(part))
    ) {
      throw new StoreUsageError(`an index cannot name an array element (${path})`);
    }
  }
}
