// Which collections and indexes the file has, kept in two tables of it and remembered here. Another process may change
// them: so every use is checked against SQLite's data_version.

import { decodeDocument } from '../codec.js';
import type { IndexSpec } from '../store.js';
import { DuplicateKeyError, StoreUsageError } from '../store.js';
import { APPLICATION_ID, type Connection, codeOf, LAYOUT } from './connection.js';
import { type KeySpec, keysOf } from './keys.js';
import type { Index } from './planner.js';

export interface Table {
  name: string;
  /** SQL name of the table of documents: (rid, k = key of _id, d = Extended JSON). */
  documents: string;
  /** The first is that of _id, which is the table of documents itself. */
  indexes: Index[];
}

const LAYOUT_SQL = `
  CREATE TABLE IF NOT EXISTS _collections (name TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS _indexes (id INTEGER PRIMARY KEY, collection TEXT NOT NULL, name TEXT NOT NULL,
    keys TEXT NOT NULL, is_unique INTEGER NOT NULL, is_sparse INTEGER NOT NULL, arrays INTEGER NOT NULL,
    UNIQUE (collection, name));
  CREATE TABLE IF NOT EXISTS _writable (id INTEGER PRIMARY KEY CHECK (id = 1), minute INTEGER NOT NULL);
  INSERT OR IGNORE INTO _writable VALUES (1, 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${LAYOUT};
`;

export class Catalogue {
  #tables = new Map<string, Table>();
  #version = -1;

  constructor(readonly connection: Connection) {}

  /** Effect: creates the tables of the catalogue in a new file, loads them, and follows the connection's writes. */
  async prepare(): Promise<void> {
    const [layout] = this.connection.row('PRAGMA user_version') ?? [];
    if (layout !== LAYOUT) await this.connection.write(() => this.connection.exec(LAYOUT_SQL));
    this.#load();
    this.connection.onBegin = () => this.isStale();
    this.connection.onRollback = () => this.#load();
  }

  /** Loads the catalogue again when another connection has written since; says whether it differs. */
  isStale(): boolean {
    if (this.#dataVersion() === this.#version) return false;
    const before = JSON.stringify([...this.#tables]);
    this.#load();
    return JSON.stringify([...this.#tables]) !== before;
  }

  find(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  all(): Table[] {
    return [...this.#tables.values()];
  }

  /** The table of a collection, created when there is none. Only inside a job of write(). */
  require(name: string): Table {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = tableOf(name);
    this.connection.exec(
      `CREATE TABLE ${table.documents} (rid INTEGER PRIMARY KEY, k BLOB NOT NULL UNIQUE, d TEXT NOT NULL)`,
    );
    this.connection.run('INSERT INTO _collections VALUES (?)', [name]);
    this.#tables.set(name, table);
    return table;
  }

  /** Creates and fills an index unless it is there. Refuses one of the same fields with other options. */
  requireIndex(collection: string, { keys, unique = false, sparse = false }: IndexSpec): void {
    const table = this.require(collection);
    const spec: KeySpec = Object.entries(keys);
    const name = indexName(keys);
    const known = table.indexes.find((index) => index.name === name);
    if (known !== undefined) {
      if (known.unique === unique && known.sparse === sparse) return;
      throw new StoreUsageError(`the index ${name} of ${collection} exists with other options`);
    }
    const id = this.connection.run(
      'INSERT INTO _indexes (collection, name, keys, is_unique, is_sparse, arrays) VALUES (?, ?, ?, ?, ?, 0)',
      [collection, name, JSON.stringify(spec), Number(unique), Number(sparse)],
    );
    const index: Index = { name, table: `index_${id}`, spec, unique, sparse, arrays: 0 };
    const primary = unique ? 'k' : 'k, rid';
    this.connection.exec(
      `CREATE TABLE ${index.table} (k BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (${primary})) WITHOUT ROWID`,
    );
    table.indexes.push(index);
    for (const [rid, text] of this.#documentsOf(table)) this.addKeys(table, index, rid, decodeDocument(text));
  }

  /** Effect: adds the keys of a document to an index. Refuses a key that a unique index has already. */
  addKeys(table: Table, index: Index, rid: number, document: object, except: ReadonlySet<string> = new Set()): void {
    const { keys, arrays } = keysOf(document, index.spec, index.sparse);
    if ((arrays & ~index.arrays) !== 0) {
      index.arrays |= arrays;
      this.connection.run('UPDATE _indexes SET arrays = ? WHERE collection = ? AND name = ?', [
        index.arrays,
        table.name,
        index.name,
      ]);
    }
    for (const key of keys) {
      if (except.has(key.toString('latin1'))) continue;
      try {
        this.connection.run(`INSERT INTO ${index.table} VALUES (?, ?)`, [key, rid]);
      } catch (cause) {
        if (codeOf(cause).startsWith('SQLITE_CONSTRAINT'))
          throw new DuplicateKeyError(table.name, index.name, { cause });
        throw cause;
      }
    }
  }

  /** Effect: writes all documents of a collection and their keys anew, in the order of _id. Only inside a job of write(). */
  reorder(name: string): void {
    const table = this.#tables.get(name);
    if (table === undefined) return;
    const { documents } = table;
    // Temporary tables are in memory alone: connection.ts.
    this.connection.exec(`
      CREATE TEMP TABLE placed (rid INTEGER PRIMARY KEY, place INTEGER, k BLOB, d TEXT);
      INSERT INTO placed SELECT rid, row_number() OVER (ORDER BY k), k, d FROM ${documents};`);
    for (const index of table.indexes.slice(1)) {
      this.connection.exec(`
        CREATE TEMP TABLE keyed AS SELECT i.k, placed.place FROM ${index.table} i JOIN placed ON placed.rid = i.rid;
        DELETE FROM ${index.table};
        INSERT INTO ${index.table} (k, rid) SELECT k, place FROM keyed ORDER BY k, place;
        DROP TABLE keyed;`);
    }
    this.connection.exec(`
      DELETE FROM ${documents};
      INSERT INTO ${documents} (rid, k, d) SELECT place, k, d FROM placed ORDER BY place;
      DROP TABLE placed;`);
  }

  *#documentsOf(table: Table): Generator<[rid: number, text: string]> {
    let after = 0;
    for (;;) {
      const rows = this.connection.rows(`SELECT rid, d FROM ${table.documents} WHERE rid > ? ORDER BY rid LIMIT 500`, [
        after,
      ]);
      for (const [rid, text] of rows) yield [Number(rid), String(text)];
      const last = rows.at(-1);
      if (last === undefined) return;
      after = Number(last[0]);
    }
  }

  #dataVersion(): number {
    return Number(this.connection.row('PRAGMA data_version')?.[0]);
  }

  #load(): void {
    this.#version = this.#dataVersion();
    const tables = this.connection
      .rows('SELECT name FROM _collections ORDER BY name')
      .map(([name]): [string, Table] => [String(name), tableOf(String(name))]);
    this.#tables = new Map(tables);
    const indexes = this.connection.rows(
      'SELECT id, collection, name, keys, is_unique, is_sparse, arrays FROM _indexes ORDER BY id',
    );
    for (const [id, collection, name, keys, unique, sparse, arrays] of indexes) {
      this.#tables.get(String(collection))?.indexes.push({
        name: String(name),
        table: `index_${Number(id)}`,
        spec: JSON.parse(String(keys)) as KeySpec,
        unique: unique === 1,
        sparse: sparse === 1,
        arrays: Number(arrays),
      });
    }
  }
}

/** The name of an index as MongoDB makes it: path_1_other_-1. */
function indexName(keys: IndexSpec['keys']): string {
  return Object.entries(keys).flat().join('_');
}

function tableOf(name: string): Table {
  const documents = `docs_${name}`;
  const byId: Index = { name: '_id_', table: documents, spec: [['_id', 1]], unique: true, sparse: false, arrays: 0 };
  return { name, documents, indexes: [byId] };
}
