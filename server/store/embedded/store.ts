// The embedded engine: one SQLite file in the data folder. Wires connection, catalogue and collections together.
import { cleanCollectionName, cleanPath } from '../guard.js';
import { guardedCollection } from '../guarded.js';
import { type Coll, type CollectionIndexes, type Doc, type Store, StoreUsageError } from '../store.js';
import { writeBackup } from './backup.js';
import { Catalogue } from './catalogue.js';
import { EmbeddedCollection } from './collection.js';
import { type Connection, openConnection } from './connection.js';
import { type OnScan, Reader } from './reader.js';
import { Settler } from './settler.js';

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
  readonly settler: Settler;

  constructor(
    readonly connection: Connection,
    readonly catalogue: Catalogue,
    readonly reader: Reader,
  ) {
    this.settler = new Settler(connection, catalogue);
  }

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

  async settle(collections: readonly string[]): Promise<void> {
    await this.settler.settle(collections.map(cleanCollectionName));
  }

  async backup(file: string): Promise<void> {
    await writeBackup(this.connection, file);
  }

  async close(): Promise<void> {
    this.settler.finish();
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
