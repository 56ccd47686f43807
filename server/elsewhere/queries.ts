// Reads of entries from elsewhere and of their sources, and the collections' indexes.
import type { Coll, CollectionIndexes, Filter, Store } from '../store/store.js';
import type { RemoteCollective, RemoteService, RemoteSource } from './schema.js';

export const elsewhereIndexes: CollectionIndexes = {
  remoteServices: [
    { keys: { hosterId: 1, listed: 1 } },
    { keys: { stamp: 1 } },
    { keys: { goneAt: 1 } },
    { keys: { listed: 1, sortName: 1, _id: 1 } },
  ],
  remoteCollectives: [{ keys: { listed: 1, sortName: 1, _id: 1 } }],
  remoteSources: [
    { keys: { nextAt: 1 } },
    { keys: { parent: 1 } },
    { keys: { home: 1 } },
    { keys: { lastSuccessAt: 1 } },
    { keys: { kind: 1, address: 1 } },
  ],
};

export function remoteServicesIn(store: Store): Coll<RemoteService> {
  return store.collection<RemoteService>('remoteServices');
}
export function remoteCollectivesIn(store: Store): Coll<RemoteCollective> {
  return store.collection<RemoteCollective>('remoteCollectives');
}
export function sourcesIn(store: Store): Coll<RemoteSource> {
  return store.collection<RemoteSource>('remoteSources');
}

export async function findSource(store: Store, id: string): Promise<RemoteSource | null> {
  return sourcesIn(store).findOne({ _id: id });
}

/** Those whose time has come, longest due first. */
export async function listDueSources(store: Store, now: Date, limit: number): Promise<RemoteSource[]> {
  return sourcesIn(store)
    .find({ nextAt: { $lte: now } }, { sort: { nextAt: 1 }, limit })
    .toArray();
}

export async function pageSources(store: Store, at: { page: number; perPage: number }) {
  const total = await sourcesIn(store).countDocuments({});
  const pages = Math.max(1, Math.ceil(total / at.perPage));
  const page = Math.min(at.page, pages);
  const options = { sort: { kind: -1, address: 1 } as const, skip: (page - 1) * at.perPage, limit: at.perPage };
  return { items: await sourcesIn(store).find({}, options).toArray(), total, page, pages };
}

/** Several at once by id; ids without one are left out. */
export async function listRemoteCollectives(store: Store, ids: readonly string[]): Promise<RemoteCollective[]> {
  if (ids.length === 0) return [];
  return remoteCollectivesIn(store)
    .find({ _id: { $in: [...new Set(ids)] } })
    .toArray();
}

export interface RemoteSearch {
  /** Folded words, each of which must begin a word. */
  words: readonly string[];
  status?: RemoteCollective['status'];
  country?: string;
}

/** What is needed to sort hosters elsewhere among our own. */
export async function listRemoteNames(store: Store, search: RemoteSearch) {
  const filter: Filter<RemoteCollective> = {
    listed: true,
    ...(search.status ? { status: search.status } : {}),
    ...(search.country ? { country: search.country } : {}),
    ...(search.words.length > 0 ? { $and: search.words.map((word) => ({ terms: { $regex: `^${word}` } })) } : {}),
  };
  const projection = { sortName: 1, site: 1, by: 1 } as const;
  return remoteCollectivesIn(store)
    .find(filter, { sort: { sortName: 1, _id: 1 }, projection })
    .toArray();
}

export async function countRemoteCollectives(store: Store): Promise<number> {
  return remoteCollectivesIn(store).countDocuments({ listed: true });
}

/** Countries of the hosters elsewhere, ISO codes. */
export async function listRemoteCountries(store: Store): Promise<string[]> {
  const found = await remoteCollectivesIn(store).distinct('country', { listed: true });
  return found.filter((code): code is string => typeof code === 'string');
}

/** Every service elsewhere that is shown, by name: for exports. */
export function eachRemoteService(store: Store): AsyncIterable<RemoteService> {
  return remoteServicesIn(store).find({ listed: true }, { sort: { sortName: 1, _id: 1 } });
}
