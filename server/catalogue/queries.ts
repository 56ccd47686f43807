// Reads of services, sources, imports and news for pages and actions, and the collections' indexes. Nothing here decides
// who may see. The finder's own reading is in finder.ts.
import { DomainError } from '../errors.js';
import { eventIndex } from '../events.js';
import type { Coll, CollectionIndexes, Filter, Store } from '../store/store.js';
import type { ImportDraft, InfoFile, Service, ServiceNews, Source } from './schema.js';

export const catalogueIndexes: CollectionIndexes = {
  services: [
    { keys: { collectiveId: 1, slug: 1 }, unique: true },
    { keys: { collectiveId: 1, sortName: 1 } },
    { keys: { listed: 1, publishedAt: -1 } },
    { keys: { listed: 1, sortName: 1, _id: 1 } },
    { keys: { stamp: 1 } },
    { keys: { deletedAt: 1 } },
    eventIndex,
  ],
  sources: [{ keys: { collectiveId: 1 }, unique: true }, { keys: { stoppedAt: 1, nextAt: 1 } }, eventIndex],
  infoFiles: [{ keys: { ownerId: 1, position: 1 } }],
  imports: [{ keys: { collectiveId: 1, createdAt: -1 } }, { keys: { expiresAt: 1 } }],
  serviceNews: [{ keys: { hidden: 1, at: -1, _id: -1 } }, { keys: { collectiveId: 1 } }],
};

export function servicesOf(store: Store): Coll<Service> {
  return store.collection<Service>('services');
}
export function sourcesOf(store: Store): Coll<Source> {
  return store.collection<Source>('sources');
}
export function infoFilesOf(store: Store): Coll<InfoFile> {
  return store.collection<InfoFile>('infoFiles');
}
export function importsOf(store: Store): Coll<ImportDraft> {
  return store.collection<ImportDraft>('imports');
}
export function newsOf(store: Store): Coll<ServiceNews> {
  return store.collection<ServiceNews>('serviceNews');
}

/** Also drafts and those in the bin. */
export async function findService(store: Store, id: string): Promise<Service | null> {
  return servicesOf(store).findOne({ _id: id });
}

/** Also drafts and those in the bin. Refuses: not-found. */
export async function getService(store: Store, id: string): Promise<Service> {
  const service = await findService(store, id);
  if (!service) throw new DomainError('not-found', 'error.notFound');
  return service;
}

export async function findServiceBySlug(store: Store, collectiveId: string, slug: string): Promise<Service | null> {
  return servicesOf(store).findOne({ collectiveId, slug });
}

export interface ServicesOfOptions {
  /** What its members see: drafts too ('own'), or what lies in the bin. Without it: what everybody sees. */
  which?: 'public' | 'own' | 'bin';
}

/** The services of one collective by name. A hoster has tens of them, at most some hundreds. */
export async function listServicesOf(
  store: Store,
  collectiveId: string,
  { which = 'public' }: ServicesOfOptions = {},
): Promise<Service[]> {
  const filter: Filter<Service> = { collectiveId, deletedAt: which === 'bin' ? { $ne: null } : null };
  if (which === 'public') filter.listed = true;
  return servicesOf(store)
    .find(filter, { sort: { sortName: 1 } })
    .toArray();
}

/** Those of one collective that everybody sees, in the order of their ids, after the one given: for paged collections. */
export async function listServicesAfter(
  store: Store,
  collectiveId: string,
  after: string | null,
  limit: number,
): Promise<Service[]> {
  const beyond = after === null ? {} : { _id: { $gt: after } };
  return servicesOf(store)
    .find({ collectiveId, listed: true, ...beyond }, { sort: { _id: 1 }, limit })
    .toArray();
}

export async function countServicesOf(store: Store, collectiveId: string): Promise<number> {
  return servicesOf(store).countDocuments({ collectiveId, listed: true });
}

/** The services that everybody sees, last published first. */
export async function listRecentServices(store: Store, limit: number): Promise<Service[]> {
  return servicesOf(store)
    .find({ listed: true }, { sort: { publishedAt: -1 }, limit })
    .toArray();
}

/** Every service that everybody sees, by name: for exports. */
export function eachListedService(store: Store): AsyncIterable<Service> {
  return servicesOf(store).find({ listed: true }, { sort: { sortName: 1, _id: 1 } });
}

export async function countListedServices(store: Store): Promise<number> {
  return servicesOf(store).countDocuments({ listed: true });
}

export async function findSourceOf(store: Store, collectiveId: string): Promise<Source | null> {
  return sourcesOf(store).findOne({ collectiveId });
}

/** Sources whose time has come, longest due first. */
export async function listDueSources(store: Store, now: Date, limit: number): Promise<Source[]> {
  return sourcesOf(store)
    .find({ stoppedAt: null, nextAt: { $lte: now } }, { sort: { nextAt: 1 }, limit })
    .toArray();
}

export async function listInfoFiles(store: Store, ownerId: string): Promise<InfoFile[]> {
  return infoFilesOf(store)
    .find({ ownerId }, { sort: { position: 1 } })
    .toArray();
}

export async function findImport(store: Store, id: string): Promise<ImportDraft | null> {
  return importsOf(store).findOne({ _id: id });
}

export interface NewsPage {
  items: ServiceNews[];
  page: number;
  pages: number;
}

/** What everybody may know, newest first. */
export async function listServiceNews(store: Store, page: number, perPage: number): Promise<NewsPage> {
  const total = await newsOf(store).countDocuments({ hidden: false });
  const pages = Math.max(1, Math.ceil(total / perPage));
  const current = Math.min(page, pages);
  const options = { sort: { at: -1, _id: -1 } as const, skip: (current - 1) * perPage, limit: perPage };
  return { items: await newsOf(store).find({ hidden: false }, options).toArray(), page: current, pages };
}
