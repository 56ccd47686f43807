// Reads of entries from elsewhere and of their sources, and the collections' indexes.

import { type CollectiveSearch, listCollectivesById, listPublicNames } from '../collectives/queries.js';
import type { Collective } from '../collectives/schema.js';
import { sliceOf } from '../paging.js';
import { fold } from '../shapes.js';
import type { Coll, CollectionIndexes, Filter, Store } from '../store/store.js';
import { siteOf } from './rules.js';
import type { RemoteCollective, RemoteService, RemoteSource, Where } from './schema.js';

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

interface Named {
  _id: string;
  sortName: string;
  site: string | null;
  /** As in the finder: of two entries about one hoster the one of the lower rank is shown. */
  rank: number;
}

/** What is needed to sort hosters elsewhere among our own. */
async function listRemoteNames(store: Store, { q, status, country }: CollectiveSearch): Promise<Named[]> {
  const words = fold(q ?? '')
    .split(' ')
    .filter(Boolean)
    .slice(0, 8);
  const filter: Filter<RemoteCollective> = {
    listed: true,
    ...(status ? { status } : {}),
    ...(country ? { country } : {}),
    ...(words.length > 0 ? { $and: words.map((word) => ({ terms: { $regex: `^${word}` } })) } : {}),
  };
  const options = { sort: { sortName: 1, _id: 1 }, projection: { sortName: 1, site: 1, by: 1 } } as const;
  const found = await remoteCollectivesIn(store).find(filter, options).toArray();
  return found.map(({ _id, by, site, sortName }) => ({ _id, sortName, site, rank: by === 'activity' ? 1 : 2 }));
}

export const hostersPerPage = 24;

/**
 * Hosters by name, ours and those of elsewhere, each once: how many fit here and everywhere, and a page of those of the place
 * chosen. Names are hundreds, at most some thousands; only those of the page are read whole.
 */
export async function listEveryHoster(store: Store, search: CollectiveSearch, where: Where) {
  const ours = (await listPublicNames(store, search)).map(
    ({ _id, profile, sortName }): Named => ({ _id, sortName, site: siteOf(profile.website), rank: 0 }),
  );
  const all = withoutDoubles([...ours, ...(await listRemoteNames(store, search))]);
  const shown = where === 'here' ? ours : all;
  const sorted = shown.sort((a, b) => compareText(a.sortName, b.sortName) || compareText(a._id, b._id));
  const { shown: names, page, pages } = sliceOf(sorted, search.page ?? 1, hostersPerPage);
  const idsOf = (isOurs: boolean) => names.filter(({ rank }) => (rank === 0) === isOurs).map(({ _id }) => _id);
  const found: (Collective | RemoteCollective)[] = [
    ...(await listCollectivesById(store, idsOf(true))),
    ...(await listRemoteCollectives(store, idsOf(false))),
  ];
  const byId = new Map(found.map((one) => [one._id, one]));
  return {
    items: names.flatMap(({ _id }) => byId.get(_id) ?? []),
    total: shown.length,
    page,
    pages,
    places: { here: ours.length, everywhere: all.length },
    knowsOthers: (await remoteCollectivesIn(store).findOne({ listed: true }, { projection: { _id: 1 } })) !== null,
  };
}

function withoutDoubles(names: readonly Named[]): Named[] {
  const best = new Map<string, number>();
  for (const { rank, site } of names) {
    if (site !== null) best.set(site, Math.min(rank, best.get(site) ?? rank));
  }
  return names.filter(({ rank, site }) => site === null || (best.get(site) ?? rank) >= rank);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
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
