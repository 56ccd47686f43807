// The Coll that everybody uses: checks and copies each argument with guard.ts, then hands it to an engine's Backend.
// So both engines refuse the same things with the same words. No engine code here.
import type { BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult, WithId } from 'mongodb';
import {
  checkUpsertId,
  cleanDocument,
  cleanFilter,
  cleanNumber,
  cleanPath,
  cleanProjection,
  cleanReplacement,
  cleanSort,
  cleanUpdate,
  type Fields,
} from './guard.js';
import {
  type BulkOperation,
  type Coll,
  type Cursor,
  type Doc,
  type ReadOptions,
  type Sort,
  StoreUsageError,
} from './store.js';

type Stored = Fields & Doc;
type Update = Record<string, Fields>;

/** A checked query. */
export interface Query {
  filter: Fields;
  sort?: Record<string, 1 | -1>;
  skip?: number;
  limit?: number;
  projection?: Record<string, 0 | 1>;
}

/** One checked operation of a bulk. */
export type Bulk =
  | { kind: 'insert'; document: Stored }
  | { kind: 'update'; filter: Fields; update: Update; upsert: boolean }
  | { kind: 'replace'; filter: Fields; replacement: Fields; upsert: boolean }
  | { kind: 'delete'; filter: Fields };

/** What an engine does for one collection, on checked arguments. */
export interface Backend {
  find(query: Query): Promise<Stored[]>;
  stream(query: Query): AsyncIterable<Stored>;
  countDocuments(filter: Fields, limit?: number): Promise<number>;
  /** Neither null nor missing values; each once, in BSON order. */
  distinct(path: string, filter: Fields): Promise<unknown[]>;
  insertOne(document: Stored): Promise<InsertOneResult<Doc>>;
  insertMany(documents: Stored[], ordered: boolean): Promise<InsertManyResult<Doc>>;
  updateOne(filter: Fields, update: Update, upsert: boolean): Promise<UpdateResult<Doc>>;
  updateMany(filter: Fields, update: Update): Promise<UpdateResult<Doc>>;
  replaceOne(filter: Fields, replacement: Fields, upsert: boolean): Promise<UpdateResult<Doc>>;
  findOneAndUpdate(query: Query, update: Update, upsert: boolean, after: boolean): Promise<Stored | null>;
  findOneAndDelete(query: Query): Promise<Stored | null>;
  deleteOne(filter: Fields): Promise<DeleteResult>;
  deleteMany(filter: Fields): Promise<DeleteResult>;
  bulkWrite(operations: Bulk[], ordered: boolean): Promise<BulkWriteResult>;
}

let writes = 0;

/** How many writes this process has finished, in any store: who remembers what was read knows by it that it may be old. */
export function writeCount(): number {
  return writes;
}

function countOne(): void {
  writes += 1;
}

/** The same promise; counted before whoever waits for it goes on, also when it failed. */
function counted<T>(write: Promise<T>): Promise<T> {
  write.then(countOne, countOne);
  return write;
}

/** The collection of a backend with all its arguments checked. T is what the caller says it holds. */
export function guardedCollection<T extends Doc>(name: string, backend: Backend): Coll<T> {
  return new GuardedCollection(name, backend) as unknown as Coll<T>;
}

class GuardedCollection implements Coll<Stored> {
  constructor(
    readonly name: string,
    readonly backend: Backend,
  ) {}

  find(filter: unknown = {}, options: ReadOptions = {}): Cursor<WithId<Stored>> {
    const { backend } = this;
    return {
      toArray: async () => backend.find(cleanQuery(filter, options)),
      async *[Symbol.asyncIterator]() {
        yield* backend.stream(cleanQuery(filter, options));
      },
    };
  }

  async findOne(filter: unknown, options: ReadOptions = {}): Promise<Stored | null> {
    const [found] = await this.backend.find({ ...cleanQuery(filter, options), limit: 1 });
    return found ?? null;
  }

  async countDocuments(filter: unknown = {}, options: { limit?: number } = {}): Promise<number> {
    const limit = options.limit === undefined ? undefined : cleanNumber(options.limit, 'limit', 1);
    return this.backend.countDocuments(cleanFilter(filter), limit);
  }

  async distinct(path: string, filter: unknown = {}): Promise<unknown[]> {
    return this.backend.distinct(cleanPath(path), cleanFilter(filter));
  }

  async insertOne(document: unknown): Promise<InsertOneResult<Stored>> {
    return counted(this.backend.insertOne(cleanDocument(document)));
  }

  async insertMany(documents: unknown[], options: { ordered?: boolean } = {}): Promise<InsertManyResult<Stored>> {
    if (documents.length === 0) throw new StoreUsageError('insertMany needs at least one document');
    return counted(this.backend.insertMany(documents.map(cleanDocument), options.ordered ?? true));
  }

  async updateOne(filter: unknown, update: unknown, options: { upsert?: boolean } = {}): Promise<UpdateResult<Stored>> {
    const { upsert = false } = options;
    const change = cleanChange(filter, update, upsert);
    return counted(this.backend.updateOne(change.filter, change.update, upsert));
  }

  async updateMany(filter: unknown, update: unknown): Promise<UpdateResult<Stored>> {
    return counted(this.backend.updateMany(cleanFilter(filter), cleanUpdate(update)));
  }

  async replaceOne(
    filter: unknown,
    document: unknown,
    options: { upsert?: boolean } = {},
  ): Promise<UpdateResult<Stored>> {
    const { upsert = false } = options;
    const change = cleanReplace(filter, document, upsert);
    return counted(this.backend.replaceOne(change.filter, change.replacement, upsert));
  }

  async findOneAndUpdate(
    filter: unknown,
    update: unknown,
    options: { upsert?: boolean; returnDocument?: 'before' | 'after'; sort?: Sort } = {},
  ): Promise<Stored | null> {
    const { upsert = false, returnDocument = 'before', sort } = options;
    const change = cleanChange(filter, update, upsert);
    const query = { filter: change.filter, ...(sort === undefined ? {} : { sort: cleanSort(sort) }) };
    return counted(this.backend.findOneAndUpdate(query, change.update, upsert, returnDocument === 'after'));
  }

  async findOneAndDelete(filter: unknown, options: { sort?: Sort } = {}): Promise<Stored | null> {
    return counted(this.backend.findOneAndDelete(cleanQuery(filter, options)));
  }

  async deleteOne(filter: unknown): Promise<DeleteResult> {
    return counted(this.backend.deleteOne(cleanFilter(filter)));
  }

  async deleteMany(filter: unknown): Promise<DeleteResult> {
    return counted(this.backend.deleteMany(cleanFilter(filter)));
  }

  async bulkWrite(operations: BulkOperation<Stored>[], options: { ordered?: boolean } = {}): Promise<BulkWriteResult> {
    if (operations.length === 0) throw new StoreUsageError('bulkWrite needs at least one operation');
    return counted(this.backend.bulkWrite(operations.map(cleanOperation), options.ordered ?? true));
  }
}

function cleanQuery(filter: unknown, { sort, skip, limit, projection }: ReadOptions): Query {
  return {
    filter: cleanFilter(filter),
    ...(sort === undefined ? {} : { sort: cleanSort(sort) }),
    ...(skip === undefined ? {} : { skip: cleanNumber(skip, 'skip', 0) }),
    ...(limit === undefined ? {} : { limit: cleanNumber(limit, 'limit', 1) }),
    ...(projection === undefined ? {} : { projection: cleanProjection(projection) }),
  };
}

function cleanChange(filter: unknown, update: unknown, upsert: boolean): { filter: Fields; update: Update } {
  const clean = { filter: cleanFilter(filter), update: cleanUpdate(update) };
  if (upsert) checkUpsertId(clean.filter, clean.update);
  return clean;
}

function cleanReplace(filter: unknown, document: unknown, upsert: boolean): { filter: Fields; replacement: Fields } {
  const clean = { filter: cleanFilter(filter), replacement: cleanReplacement(document) };
  if (upsert) checkUpsertId(clean.filter);
  return clean;
}

function cleanOperation(operation: BulkOperation<Stored>): Bulk {
  if ('insertOne' in operation) return { kind: 'insert', document: cleanDocument(operation.insertOne.document) };
  if ('updateOne' in operation) {
    const { filter, update, upsert = false } = operation.updateOne;
    return { kind: 'update', ...cleanChange(filter, update, upsert), upsert };
  }
  if ('replaceOne' in operation) {
    const { filter, replacement, upsert = false } = operation.replaceOne;
    return { kind: 'replace', ...cleanReplace(filter, replacement, upsert), upsert };
  }
  if ('deleteOne' in operation) return { kind: 'delete', filter: cleanFilter(operation.deleteOne.filter) };
  throw new StoreUsageError('bulkWrite takes insertOne, updateOne, replaceOne and deleteOne');
}
