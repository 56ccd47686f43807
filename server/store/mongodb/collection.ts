// One collection of the mongodb engine: the methods of Coll on checked arguments, handed to the official driver. Only
// the driver's errors are translated; nothing is emulated. Types alone come from the driver, which store.ts loads.
import type {
  AnyBulkWriteOperation,
  BulkWriteResult,
  Collection,
  DeleteResult,
  Filter,
  FindCursor,
  InsertManyResult,
  InsertOneResult,
  UpdateFilter,
  UpdateResult,
} from 'mongodb';
import type { Fields } from '../guard.js';
import type { Backend, Bulk, Query } from '../guarded.js';
import { compareValues } from '../order.js';
import { type Doc, DuplicateKeyError, StoreUsageError } from '../store.js';

type Stored = Fields & Doc;
type Update = Record<string, Fields>;

const DUPLICATE_KEY = 11000;
/** How FerretDB 1.x lets the refusal of its own SQLite through. */
const SQLITE_DUPLICATE = /UNIQUE constraint failed/;
/** BadValue, FailedToParse, TypeMismatch, PathNotViable, ConflictingUpdateOperators, ImmutableField, and their kin. */
const USAGE_CODES = new Set([2, 9, 14, 16, 28, 31, 40, 52, 54, 56, 57, 66, 85, 86, 171, 10334, 17419, 17280]);

/** How writes follow each other: at once, or where the server needs it one after the other. */
export type Turn = <R>(command: () => Promise<R>) => Promise<R>;

export class MongoCollection implements Backend {
  constructor(
    readonly collection: Collection<Stored>,
    readonly inTurn: Turn,
  ) {}

  async find(query: Query): Promise<Stored[]> {
    return this.#run(() => this.#cursor(query).toArray());
  }

  async *stream(query: Query): AsyncIterable<Stored> {
    const cursor = this.#cursor(query);
    try {
      yield* cursor;
    } catch (error) {
      throw this.#translated(error);
    } finally {
      await cursor.close();
    }
  }

  async countDocuments(filter: Fields, limit?: number): Promise<number> {
    return this.#run(() => this.collection.countDocuments(where(filter), limit === undefined ? {} : { limit }));
  }

  async distinct(path: string, filter: Fields): Promise<unknown[]> {
    const values: unknown[] = await this.#run(() => this.collection.distinct(path, where(filter)));
    return values.filter((value) => value !== null && value !== undefined).sort(compareValues);
  }

  async insertOne(document: Stored): Promise<InsertOneResult<Doc>> {
    return this.#write(() => this.collection.insertOne(document)) as Promise<InsertOneResult<Doc>>;
  }

  async insertMany(documents: Stored[], ordered: boolean): Promise<InsertManyResult<Doc>> {
    return this.#write(() => this.collection.insertMany(documents, { ordered })) as Promise<InsertManyResult<Doc>>;
  }

  async updateOne(filter: Fields, update: Update, upsert: boolean): Promise<UpdateResult<Doc>> {
    const result = this.#write(() => this.collection.updateOne(where(filter), change(update), { upsert }));
    return result as Promise<UpdateResult<Doc>>;
  }

  async updateMany(filter: Fields, update: Update): Promise<UpdateResult<Doc>> {
    return this.#write(() => this.collection.updateMany(where(filter), change(update))) as Promise<UpdateResult<Doc>>;
  }

  async replaceOne(filter: Fields, replacement: Fields, upsert: boolean): Promise<UpdateResult<Doc>> {
    const result = this.#write(() => this.collection.replaceOne(where(filter), replacement, { upsert }));
    return result as Promise<UpdateResult<Doc>>;
  }

  async findOneAndUpdate(query: Query, update: Update, upsert: boolean, after: boolean): Promise<Stored | null> {
    const options = { upsert, returnDocument: after ? 'after' : 'before', ...sortOf(query) } as const;
    return this.#write(() => this.collection.findOneAndUpdate(where(query.filter), change(update), options));
  }

  async findOneAndDelete(query: Query): Promise<Stored | null> {
    return this.#write(() => this.collection.findOneAndDelete(where(query.filter), sortOf(query)));
  }

  async deleteOne(filter: Fields): Promise<DeleteResult> {
    return this.#write(() => this.collection.deleteOne(where(filter)));
  }

  async deleteMany(filter: Fields): Promise<DeleteResult> {
    return this.#write(() => this.collection.deleteMany(where(filter)));
  }

  async bulkWrite(operations: Bulk[], ordered: boolean): Promise<BulkWriteResult> {
    return this.#write(() => this.collection.bulkWrite(operations.map(bulkOperation), { ordered }));
  }

  #cursor({ filter, projection, skip, limit, ...query }: Query): FindCursor<Stored> {
    const options = {
      ...sortOf({ filter, ...query }),
      ...(projection === undefined ? {} : { projection }),
      ...(skip === undefined ? {} : { skip }),
      ...(limit === undefined ? {} : { limit }),
    };
    return this.collection.find(where(filter), options) as unknown as FindCursor<Stored>;
  }

  async #run<R>(command: () => Promise<R>): Promise<R> {
    try {
      return await command();
    } catch (error) {
      throw this.#translated(error);
    }
  }

  #write<R>(command: () => Promise<R>): Promise<R> {
    return this.#run(() => this.inTurn(command));
  }

  #translated(error: unknown): unknown {
    return translated(error, this.collection.collectionName);
  }
}

/** The store's own error for a refusal of the server; any other error unchanged. */
export function translated(error: unknown, collection: string): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (error.code === DUPLICATE_KEY || SQLITE_DUPLICATE.test(error.message)) {
    return new DuplicateKeyError(collection, indexOf(error), { cause: error });
  }
  if (USAGE_CODES.has(Number(error.code))) return new StoreUsageError(error.message, { cause: error });
  return error;
}

/** The index that refused: only its name in the message tells, in every version. */
function indexOf(error: Error): string {
  return / index: (\S+)/.exec(error.message)?.[1] ?? '?';
}

function where(filter: Fields): Filter<Stored> {
  return filter as Filter<Stored>;
}

function change(update: Update): UpdateFilter<Stored> {
  return update as UpdateFilter<Stored>;
}

/** An empty sort is no sort. */
function sortOf({ sort }: Query): { sort?: Record<string, 1 | -1> } {
  return sort === undefined || Object.keys(sort).length === 0 ? {} : { sort };
}

function bulkOperation(operation: Bulk): AnyBulkWriteOperation<Stored> {
  switch (operation.kind) {
    case 'insert':
      return { insertOne: { document: operation.document } };
    case 'update':
      return {
        updateOne: { filter: where(operation.filter), update: change(operation.update), upsert: operation.upsert },
      };
    case 'replace':
      return {
        replaceOne: { filter: where(operation.filter), replacement: operation.replacement, upsert: operation.upsert },
      };
    case 'delete':
      return { deleteOne: { filter: where(operation.filter) } };
  }
}
