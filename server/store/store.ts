// The only face of the database that the rest of the house sees: a documented subset of the MongoDB driver's Db and
// Collection, with its types. Two engines stand behind it (embedded/, mongodb/); no other file may name one.
// Subset: strings as _id; equality, $eq $ne $gt $gte $lt $lte $in $nin $exists $and $or $nor $not $all $size $regex
// (anchored prefix only uses an index); updates $set $unset $inc $push(+$each) $pull $addToSet(+$each) $setOnInsert $min
// $max; single-document atomicity; unique and sparse indexes. No transactions, $lookup, text or TTL indexes.
// What only some servers do is left out or narrowed (FerretDB 1.x is the least of them, and the one of the tests):
// - no $elemMatch, no $slice; $pull takes one value or a whole element as it is stored, no condition;
// - $in, $nin and $all take single values; ranges take texts, numbers, dates and booleans, not null;
// - an upsert names its _id in the filter or in $setOnInsert; a limit is at least 1;
// - values: text, finite numbers, booleans, null, dates, binaries (given back as Buffer, never looked up), arrays, plain
//   objects; field names without dot, NUL or leading $; no undefined anywhere; 64 levels; 4 million characters;
// - do not rely on: two missing values in a unique index that is not sparse, unique elements of arrays, arrays directly
//   in arrays (FerretDB 1.x refuses them), arrays in two fields of one compound index (refused);
// - distinct gives neither null nor missing values, each other value once, in order.
// FerretDB 1.x, besides, changes a document in two steps: our writes to it take turns, but those of several processes
// would be lost where they meet. It is for tests only.
import type {
  BulkWriteResult,
  DeleteResult,
  Filter,
  FindOptions,
  InsertManyResult,
  InsertOneResult,
  OptionalUnlessRequiredId,
  Sort,
  UpdateFilter,
  UpdateResult,
  WithId,
  WithoutId,
} from 'mongodb';

export type { Filter, Sort, UpdateFilter } from 'mongodb';

/** Every stored document. Its _id is a lower-case, time-ordered string (see server/ids.ts) or a natural key. */
export interface Doc {
  _id: string;
}

export interface ReadOptions {
  sort?: Sort;
  skip?: number;
  limit?: number;
  /** Inclusion or exclusion by top-level or dotted path. The result keeps the type T: read only what you asked for. */
  projection?: FindOptions['projection'];
}

export interface Cursor<T> {
  toArray(): Promise<T[]>;
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

export interface Coll<T extends Doc> {
  readonly name: string;
  find(filter?: Filter<T>, options?: ReadOptions): Cursor<WithId<T>>;
  findOne(filter: Filter<T>, options?: ReadOptions): Promise<WithId<T> | null>;
  countDocuments(filter?: Filter<T>, options?: { limit?: number }): Promise<number>;
  distinct(path: string, filter?: Filter<T>): Promise<unknown[]>;
  insertOne(doc: OptionalUnlessRequiredId<T>): Promise<InsertOneResult<T>>;
  insertMany(docs: OptionalUnlessRequiredId<T>[], options?: { ordered?: boolean }): Promise<InsertManyResult<T>>;
  updateOne(filter: Filter<T>, update: UpdateFilter<T>, options?: { upsert?: boolean }): Promise<UpdateResult<T>>;
  updateMany(filter: Filter<T>, update: UpdateFilter<T>): Promise<UpdateResult<T>>;
  replaceOne(filter: Filter<T>, doc: WithoutId<T>, options?: { upsert?: boolean }): Promise<UpdateResult<T>>;
  findOneAndUpdate(
    filter: Filter<T>,
    update: UpdateFilter<T>,
    options?: { upsert?: boolean; returnDocument?: 'before' | 'after'; sort?: Sort },
  ): Promise<WithId<T> | null>;
  findOneAndDelete(filter: Filter<T>, options?: { sort?: Sort }): Promise<WithId<T> | null>;
  deleteOne(filter: Filter<T>): Promise<DeleteResult>;
  deleteMany(filter: Filter<T>): Promise<DeleteResult>;
  bulkWrite(operations: BulkOperation<T>[], options?: { ordered?: boolean }): Promise<BulkWriteResult>;
}

export type BulkOperation<T extends Doc> =
  | { insertOne: { document: OptionalUnlessRequiredId<T> } }
  | { updateOne: { filter: Filter<T>; update: UpdateFilter<T>; upsert?: boolean } }
  | { replaceOne: { filter: Filter<T>; replacement: WithoutId<T>; upsert?: boolean } }
  | { deleteOne: { filter: Filter<T> } };

/** One index of a collection, declared in the slice's queries.ts and gathered in server/store/schema.ts. */
export interface IndexSpec {
  /** Field path -> 1 ascending, -1 descending. Order matters. Arrays are indexed by element. */
  keys: Record<string, 1 | -1>;
  unique?: boolean;
  /** Documents without any of the fields are left out (so several may lack a unique value). */
  sparse?: boolean;
}

/** Collection name -> its indexes. Declaring a collection here is what makes it exist. */
export type CollectionIndexes = Record<string, IndexSpec[]>;

export interface Store {
  readonly engine: 'embedded' | 'mongodb';
  collection<T extends Doc>(name: string): Coll<T>;
  /** Creates missing indexes of the collections given; never drops one. */
  ensureIndexes(indexes: CollectionIndexes): Promise<void>;
  /** Names of the collections that hold documents, sorted. */
  listCollections(): Promise<string[]>;
  /**
   * Takes away what tells in which order the documents of these collections came: their places, and what was there before.
   * Documents stay as they are. Resolves when it is so on the disk; where the engine keeps a record of its own (a replica
   * set's log), that stays. Writes that come at once share one run.
   */
  settle(collections: readonly string[]): Promise<void>;
  /** Rejects when the store cannot answer or write. */
  ping(): Promise<void>;
  /** A consistent copy while running: the embedded engine writes one file; mongodb writes one folder-less archive. */
  backup(file: string): Promise<void>;
  close(): Promise<void>;
}

/** A unique index refused a write. Both engines turn their own error into this one. */
export class DuplicateKeyError extends Error {
  override readonly name = 'DuplicateKeyError';
  constructor(
    readonly collection: string,
    readonly index: string,
    options?: ErrorOptions,
  ) {
    super(`duplicate key in ${collection} (${index})`, options);
  }
}

/** A query or update outside the subset, an `undefined` value, or an operator where a value was expected. */
export class StoreUsageError extends Error {
  override readonly name = 'StoreUsageError';
}
