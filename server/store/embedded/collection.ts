// One collection of the embedded engine: the methods of Coll on checked arguments (guarded.ts checks them). Reads run
// at once; writes go through the connection's group commit.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult } from 'mongodb';
import { encodeDocument } from '../codec.js';
import type { Fields } from '../guard.js';
import type { Backend, Bulk, Query } from '../guarded.js';
import { compareValues, equalValues } from '../order.js';
import { type Doc, DuplicateKeyError, StoreUsageError } from '../store.js';
import type { Catalogue, Table } from './catalogue.js';
import { codeOf, type Outcome } from './connection.js';
import { keysOf } from './keys.js';
import { project } from './paths.js';
import { distinctValues, type Found, type Reader, type Request } from './reader.js';
import { applyUpdate, upsertBase } from './update.js';

type Update = Record<string, Fields>;
type Stored = Fields & Doc;
interface Changed {
  before: Stored | null;
  after: Stored | null;
  matched: number;
  modified: number;
  upsertedId: string | null;
}

const UNCHANGED: Changed = { before: null, after: null, matched: 0, modified: 0, upsertedId: null };
const BREATH = 100;

export class EmbeddedCollection implements Backend {
  constructor(
    readonly name: string,
    readonly catalogue: Catalogue,
    readonly reader: Reader,
  ) {}

  async find(query: Query): Promise<Stored[]> {
    const found = this.#read((table) => this.reader.read(table, requestOf(query)), []);
    return found.map((item) => shape(item, query));
  }

  async *stream(query: Query): AsyncIterable<Stored> {
    const request = requestOf(query);
    const table = this.#table();
    const items = table === undefined ? [] : (this.reader.stream(table, request) ?? this.reader.read(table, request));
    const skip = Array.isArray(items) ? 0 : request.skip;
    let place = 0;
    for (const item of items) {
      if (place++ < skip) continue;
      yield shape(item, query);
      if (place >= skip + request.limit) return;
      if (place % BREATH === 0) await nextTurn();
    }
  }

  async countDocuments(filter: Fields, limit = Number.POSITIVE_INFINITY): Promise<number> {
    return this.#read((table) => this.reader.count(table, filter, limit), 0);
  }

  async distinct(path: string, filter: Fields): Promise<unknown[]> {
    const request: Request = { filter, sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
    const all = this.#read((table) => {
      const keys = Object.keys(filter).length === 0 ? this.reader.distinctKeys(table, path) : null;
      if (keys !== null) return keys;
      const sort: Request['sort'] = Object.keys(filter).length === 0 ? [[path, 1]] : [];
      return this.reader.read(table, { ...request, sort }).flatMap(({ document }) => distinctValues(document, path));
    }, []);
    return all.sort(compareValues).filter((value, i) => i === 0 || !equalValues(value, all[i - 1]));
  }

  async insertOne(document: Stored): Promise<InsertOneResult<Doc>> {
    await this.#write((table) => this.#insert(table, document));
    return { acknowledged: true, insertedId: document._id };
  }

  async insertMany(documents: Stored[], ordered: boolean): Promise<InsertManyResult<Doc>> {
    const operations = documents.map((document): Bulk => ({ kind: 'insert', document }));
    await this.bulkWrite(operations, ordered);
    return {
      acknowledged: true,
      insertedCount: documents.length,
      insertedIds: Object.fromEntries(documents.map(({ _id }, i) => [i, _id])),
    };
  }

  async updateOne(filter: Fields, update: Update, upsert: boolean): Promise<UpdateResult<Doc>> {
    return updateResult(await this.#write((table) => this.#updateFirst(table, filter, update, upsert)));
  }

  async updateMany(filter: Fields, update: Update): Promise<UpdateResult<Doc>> {
    const changed = await this.#write((table) => {
      const found = this.reader.read(table, requestOf({ filter }));
      const changes = found.map((item) => this.#store(table, item, applyUpdate(item.document, update)));
      return { ...UNCHANGED, matched: found.length, modified: changes.filter(Boolean).length };
    });
    return updateResult(changed);
  }

  async replaceOne(filter: Fields, replacement: Fields, upsert: boolean): Promise<UpdateResult<Doc>> {
    return updateResult(await this.#write((table) => this.#replaceFirst(table, filter, replacement, upsert)));
  }

  async findOneAndUpdate(query: Query, update: Update, upsert: boolean, after: boolean): Promise<Stored | null> {
    const changed = await this.#write((table) => this.#updateFirst(table, query.filter, update, upsert, query));
    return after ? changed.after : changed.before;
  }

  async findOneAndDelete(query: Query): Promise<Stored | null> {
    return this.#write((table) => {
      const [found] = this.reader.read(table, requestOf({ ...query, limit: 1 }));
      if (found !== undefined) this.#delete(table, found);
      return (found?.document as Stored | undefined) ?? null;
    });
  }

  async deleteOne(filter: Fields): Promise<DeleteResult> {
    const gone = await this.findOneAndDelete({ filter });
    return { acknowledged: true, deletedCount: gone === null ? 0 : 1 };
  }

  async deleteMany(filter: Fields): Promise<DeleteResult> {
    const deletedCount = await this.#write((table) => {
      const found = this.reader.read(table, requestOf({ filter }));
      for (const item of found) this.#delete(table, item);
      return found.length;
    });
    return { acknowledged: true, deletedCount };
  }

  /** All operations in one transaction, each in a savepoint. A failing one undoes only itself, and is thrown. */
  async bulkWrite(operations: Bulk[], ordered: boolean): Promise<BulkWriteResult> {
    const { outcomes, failure } = await this.#write(() => {
      const outcomes: Outcome<Counts>[] = [];
      for (const operation of operations) {
        // Looked up each time: what a failing one had changed of the indexes is undone in the catalogue, not in its copies.
        const outcome = this.catalogue.connection.attempt(() =>
          this.#apply(this.catalogue.require(this.name), operation),
        );
        outcomes.push(outcome);
        if ('error' in outcome && ordered) break;
      }
      return { outcomes, failure: outcomes.find((outcome) => 'error' in outcome) };
    });
    if (failure !== undefined) throw failure.error;
    return bulkResult(operations, outcomes);
  }

  #apply(table: Table, operation: Bulk): Counts {
    switch (operation.kind) {
      case 'insert':
        this.#insert(table, operation.document);
        return { inserted: 1 };
      case 'update':
        return this.#updateFirst(table, operation.filter, operation.update, operation.upsert);
      case 'replace':
        return this.#replaceFirst(table, operation.filter, operation.replacement, operation.upsert);
      case 'delete': {
        const [found] = this.reader.read(table, requestOf({ filter: operation.filter, limit: 1 }));
        if (found !== undefined) this.#delete(table, found);
        return { deleted: found === undefined ? 0 : 1 };
      }
    }
  }

  #updateFirst(table: Table, filter: Fields, update: Update, upsert: boolean, query?: Query): Changed {
    const [found] = this.reader.read(table, requestOf({ ...query, filter, limit: 1 }));
    if (found !== undefined) {
      const after = applyUpdate(found.document, update) as Stored;
      const modified = this.#store(table, found, after) ? 1 : 0;
      return { before: found.document as Stored, after, matched: 1, modified, upsertedId: null };
    }
    return upsert ? this.#upsert(table, applyUpdate(upsertBase(filter), update, true)) : UNCHANGED;
  }

  #replaceFirst(table: Table, filter: Fields, replacement: Fields, upsert: boolean): Changed {
    const [found] = this.reader.read(table, requestOf({ filter, limit: 1 }));
    const id = found === undefined ? upsertBase(filter)._id : found.document._id;
    if (Object.hasOwn(replacement, '_id') && replacement._id !== id) throw new StoreUsageError('_id never changes');
    const after = { ...replacement, _id: id };
    if (found === undefined) return upsert ? this.#upsert(table, after) : UNCHANGED;
    const modified = this.#store(table, found, idFirst(after)) ? 1 : 0;
    return { ...UNCHANGED, matched: 1, modified };
  }

  #upsert(table: Table, document: Fields): Changed {
    const after = idFirst(document);
    this.#insert(table, after);
    return { ...UNCHANGED, after, upsertedId: after._id };
  }

  #insert(table: Table, document: Stored): void {
    const [idKey] = keysOf(document, [['_id', 1]], false).keys;
    const rid = this.#insertRow(table, idKey ?? Buffer.alloc(0), encodeDocument(document));
    for (const index of table.indexes.slice(1)) this.catalogue.addKeys(table, index, rid, document);
  }

  #insertRow(table: Table, key: Buffer, text: string): number {
    try {
      return this.catalogue.connection.run(`INSERT INTO ${table.documents} (k, d) VALUES (?, ?)`, [key, text]);
    } catch (cause) {
      if (codeOf(cause).startsWith('SQLITE_CONSTRAINT')) throw new DuplicateKeyError(this.name, '_id_', { cause });
      throw cause;
    }
  }

  /** Writes a changed document and the keys that differ; says whether anything changed. */
  #store(table: Table, found: Found, after: object): boolean {
    const text = encodeDocument(after);
    if (text === found.text) return false;
    const { connection } = this.catalogue;
    connection.run(`UPDATE ${table.documents} SET d = ? WHERE rid = ?`, [text, found.rid]);
    for (const index of table.indexes.slice(1)) {
      if (index.spec.every(([path]) => isSameAt(found.document, after, path))) continue;
      const old = keysOf(found.document, index.spec, index.sparse).keys;
      const next = new Set(keysOf(after, index.spec, index.sparse).keys.map((key) => key.toString('latin1')));
      const kept = new Set<string>();
      for (const key of old) {
        const name = key.toString('latin1');
        if (next.has(name)) kept.add(name);
        else connection.run(`DELETE FROM ${index.table} WHERE k = ? AND rid = ?`, [key, found.rid]);
      }
      this.catalogue.addKeys(table, index, found.rid, after, kept);
    }
    return true;
  }

  #delete(table: Table, { rid, document }: Found): void {
    const { connection } = this.catalogue;
    for (const index of table.indexes.slice(1)) {
      for (const key of keysOf(document, index.spec, index.sparse).keys) {
        connection.run(`DELETE FROM ${index.table} WHERE k = ? AND rid = ?`, [key, rid]);
      }
    }
    connection.run(`DELETE FROM ${table.documents} WHERE rid = ?`, [rid]);
  }

  #table(): Table | undefined {
    this.catalogue.connection.assertOpen();
    this.catalogue.isStale();
    return this.catalogue.find(this.name);
  }

  /** Reads; and once more if meanwhile another process changed what the indexes mean. */
  #read<R>(read: (table: Table) => R, empty: R): R {
    this.catalogue.connection.assertOpen();
    for (;;) {
      const table = this.catalogue.find(this.name);
      const result = table === undefined ? empty : read(table);
      if (!this.catalogue.isStale()) return result;
    }
  }

  #write<R>(job: (table: Table) => R): Promise<R> {
    return this.catalogue.connection.write(() => job(this.catalogue.require(this.name)));
  }
}

/** Whether a field surely gives an index the same key before and after. Only single values are compared. */
function isSameAt(before: object, after: object, path: string): boolean {
  const name = path.split('.')[0] ?? path;
  const [was, is] = [(before as Fields)[name], (after as Fields)[name]];
  return was instanceof Date && is instanceof Date ? was.getTime() === is.getTime() : was === is;
}

interface Counts {
  inserted?: number;
  deleted?: number;
  matched?: number;
  modified?: number;
  upsertedId?: string | null;
}

function requestOf({ filter, sort = {}, skip = 0, limit = Number.POSITIVE_INFINITY }: Query): Request {
  return { filter, sort: Object.entries(sort), skip, limit };
}

function shape({ document }: Found, { projection }: Query): Stored {
  return (projection === undefined ? document : project(document, projection)) as Stored;
}

function idFirst(document: Fields): Stored {
  const { _id, ...fields } = document;
  if (typeof _id !== 'string' || _id === '') throw new StoreUsageError('an upsert needs a text as _id');
  return { _id, ...fields };
}

function updateResult({ matched, modified, upsertedId }: Changed): UpdateResult<Doc> {
  return {
    acknowledged: true,
    matchedCount: matched,
    modifiedCount: modified,
    upsertedCount: upsertedId === null ? 0 : 1,
    // The driver gives null here, though its type leaves it out.
    upsertedId: upsertedId as string,
  };
}

function bulkResult(operations: Bulk[], outcomes: Outcome<Counts>[]): BulkWriteResult {
  const counts = outcomes.map((outcome) => ('value' in outcome ? outcome.value : {}));
  const sum = (name: 'inserted' | 'deleted' | 'matched' | 'modified') =>
    counts.reduce((total, count) => total + (count[name] ?? 0), 0);
  const upserts = counts.flatMap(({ upsertedId }, i) => (typeof upsertedId === 'string' ? [[i, upsertedId]] : []));
  const inserts = operations.flatMap((operation, i) =>
    operation.kind === 'insert' ? [[i, operation.document._id]] : [],
  );
  return {
    ok: 1,
    insertedCount: sum('inserted'),
    matchedCount: sum('matched'),
    modifiedCount: sum('modified'),
    deletedCount: sum('deleted'),
    upsertedCount: upserts.length,
    upsertedIds: Object.fromEntries(upserts),
    insertedIds: Object.fromEntries(inserts),
  } as BulkWriteResult;
}
