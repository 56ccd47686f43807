// The mongodb engine: MongoDB, or a server that speaks its protocol. Every write is acknowledged by the majority and
// its journal; an address that asks for less is overruled. The driver is loaded on opening: it costs a fifth of a second.
import type { Db, MongoClient } from 'mongodb';
import { writeArchive } from '../archive.js';
import { StoreOpenError } from '../errors.js';
import { cleanCollectionName } from '../guard.js';
import { guardedCollection } from '../guarded.js';
import type { Coll, CollectionIndexes, Doc, IndexSpec, Store } from '../store.js';
import { MongoCollection, type Turn, translated } from './collection.js';

const DEFAULT_DATABASE = 'chatiere';
const ANSWER_MS = 5000;

type Log = (message: string, details: object) => void;

/** Opens the database that the address names, or `chatiere`. Refuses a server that does not answer or takes no writes. */
export async function openMongoStore(uri: string, log: Log = () => {}): Promise<Store> {
  const client = await clientOf(uri);
  try {
    await client.connect();
    const db = client.db(databaseOf(uri));
    const ferret = await isFerretDB1(db);
    if (ferret) log('FerretDB 1.x loses updates of several processes that meet: use it for tests only', {});
    const store = new MongoStore(client, db, ferret ? oneByOne() : (command) => command());
    await store.ping();
    return store;
  } catch (cause) {
    await client.close();
    throw new StoreOpenError(`the database at MONGODB_URI does not answer: ${reasonOf(cause)}`, { cause });
  }
}

/** FerretDB 1.x reads a document and writes it back in two steps, so its writes have to take turns. Version 2 tells itself by another field. */
async function isFerretDB1(db: Db): Promise<boolean> {
  return 'ferretdbVersion' in (await db.admin().command({ buildInfo: 1 }));
}

/** Each command after the one before it has ended. */
function oneByOne(): Turn {
  let last: Promise<unknown> = Promise.resolve();
  return (command) => {
    const next = last.then(command, command);
    last = next;
    return next;
  };
}

async function clientOf(uri: string): Promise<MongoClient> {
  const { MongoClient } = await import('mongodb');
  try {
    return new MongoClient(uri, {
      appName: 'chatiere',
      writeConcern: { w: 'majority', journal: true },
      ignoreUndefined: false,
      promoteBuffers: true,
      serverSelectionTimeoutMS: ANSWER_MS,
    });
  } catch (cause) {
    throw new StoreOpenError(`MONGODB_URI is not an address: ${reasonOf(cause)}`, { cause });
  }
}

function databaseOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1] ?? DEFAULT_DATABASE;
}

class MongoStore implements Store {
  readonly engine = 'mongodb';

  constructor(
    readonly client: MongoClient,
    readonly db: Db,
    readonly inTurn: Turn,
  ) {}

  collection<T extends Doc>(name: string): Coll<T> {
    return guardedCollection<T>(name, new MongoCollection(this.db.collection(cleanCollectionName(name)), this.inTurn));
  }

  async ensureIndexes(indexes: CollectionIndexes): Promise<void> {
    for (const [collection, specs] of Object.entries(indexes)) {
      cleanCollectionName(collection);
      for (const spec of specs) await this.#ensureIndex(collection, spec);
    }
  }

  async #ensureIndex(collection: string, { keys, unique = false, sparse = false }: IndexSpec): Promise<void> {
    try {
      await this.db.collection(collection).createIndex(keys, { unique, sparse });
    } catch (error) {
      throw translated(error, collection);
    }
  }

  async listCollections(): Promise<string[]> {
    const all = await this.db.listCollections({}, { nameOnly: true }).toArray();
    const names = all.map(({ name }) => name).filter((name) => !name.startsWith('system.'));
    const firsts = await Promise.all(
      names.map((name) => this.db.collection(name).findOne({}, { projection: { _id: 1 } })),
    );
    return names.filter((_, i) => firsts[i] !== null).sort();
  }

  /** The server decides where documents lie, and a replica set keeps a log of all writes: SECURITY.md says so. */
  async settle(collections: readonly string[]): Promise<void> {
    for (const name of collections) cleanCollectionName(name);
  }

  async ping(): Promise<void> {
    const answer = await this.db.command({ hello: 1 });
    if (answer.isWritablePrimary !== true) throw new StoreOpenError('the database takes no writes');
  }

  async backup(file: string): Promise<void> {
    await writeArchive(this, file);
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
