// Reads of collectives for pages and actions, and the collection's indexes. What starts with a store gives what there
// is; what starts with a context asks the rules whether the reader may have it.
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import { findHandle } from '../handles/handles.js';
import { fold } from '../shapes.js';
import type { CollectionIndexes, Filter, Store } from '../store/store.js';
import { checkMayEditCollective, maySeeCollective, notFound } from './rules.js';
import type { Collective, CollectiveProfile, CollectiveStatus } from './schema.js';

export const collectiveIndexes: CollectionIndexes = {
  collectives: [
    { keys: { handle: 1 }, unique: true },
    { keys: { published: 1, deletedAt: 1, sortName: 1, _id: 1 } },
    { keys: { published: 1, deletedAt: 1, 'profile.status': 1, sortName: 1, _id: 1 } },
    { keys: { terms: 1, sortName: 1 } },
    { keys: { 'members.personId': 1 } },
    { keys: { deletedAt: 1 } },
    { keys: { sortName: 1, _id: 1 } },
    { keys: { 'events.eventId': 1 }, sparse: true },
  ],
};

export function collectivesOf(store: Store) {
  return store.collection<Collective>('collectives');
}

export async function findCollective(store: Store, id: string): Promise<Collective | null> {
  return collectivesOf(store).findOne({ _id: id });
}

/** Refuses: not-found. */
export async function getCollective(store: Store, id: string): Promise<Collective> {
  const collective = await findCollective(store, id);
  if (!collective) throw notFound();
  return collective;
}

/** By its name on the Fediverse, in any case; also drafts and those in the bin. */
export async function findCollectiveByHandle(store: Store, handle: string): Promise<Collective | null> {
  return collectivesOf(store).findOne({ handle: handle.toLowerCase() });
}

/** The collective whose inside the reader may enter. Refuses: not-found, the same for a stranger's and for none. */
export async function enterCollective(ctx: Context, id: string): Promise<Collective> {
  const collective = await getCollective(ctx.store, id);
  checkMayEditCollective(ctx.actor, collective);
  return collective;
}

/**
 * The collective of that name when the reader may see it, null when the name belongs to somebody else. Refuses:
 * not-found (a draft, in the bin), gone (it ended here).
 */
export async function findPublicly(ctx: Context, name: string): Promise<Collective | null> {
  const collective = await findCollectiveByHandle(ctx.store, name);
  if (collective) {
    if (!maySeeCollective(ctx.actor, collective)) throw notFound();
    return collective;
  }
  const handle = await findHandle(ctx.store, name);
  if (handle?.kind === 'collective' && handle.retiredAt) throw new DomainError('gone', 'collectives.error.gone');
  return null;
}

export interface CollectiveSearch {
  /** Words; accents and case do not matter; each must begin a word of the collective. */
  q?: string;
  status?: CollectiveStatus;
  /** ISO 3166-1 alpha-2. */
  country?: string;
  /** From 1. */
  page?: number;
  limit?: number;
}

export interface CollectivePage {
  items: Collective[];
  total: number;
  page: number;
  pages: number;
}

/** Published collectives by name, whatever their status unless one is asked for. */
export async function listPublicCollectives(store: Store, search: CollectiveSearch = {}): Promise<CollectivePage> {
  const filter: Filter<Collective> = { published: true, deletedAt: null };
  if (search.status) filter['profile.status'] = search.status;
  if (search.country) filter['profile.place.countryCode'] = search.country;
  return pageOf(store, withWords(filter, search.q), search);
}

/** What is needed to sort our hosters among those of elsewhere. */
export async function listPublicNames(store: Store, search: CollectiveSearch = {}) {
  const filter: Filter<Collective> = { published: true, deletedAt: null };
  if (search.status) filter['profile.status'] = search.status;
  if (search.country) filter['profile.place.countryCode'] = search.country;
  const options = { sort: { sortName: 1, _id: 1 }, projection: { sortName: 1, 'profile.website': 1 } } as const;
  return collectivesOf(store).find(withWords(filter, search.q), options).toArray();
}

/** Everything there is, by name, for the administration; `bin` gives what waits for its end. */
export async function listAllCollectives(
  store: Store,
  search: CollectiveSearch & { bin?: boolean } = {},
): Promise<CollectivePage> {
  const filter: Filter<Collective> = search.bin ? { deletedAt: { $gt: new Date(0) } } : { deletedAt: null };
  return pageOf(store, withWords(filter, search.q), search);
}

function withWords(filter: Filter<Collective>, q: string | undefined): Filter<Collective> {
  const words = fold(q ?? '')
    .split(' ')
    .filter(Boolean)
    .slice(0, 8);
  if (words.length === 0) return filter;
  return { ...filter, $and: words.map((word) => ({ terms: { $regex: `^${word}` } })) };
}

async function pageOf(
  store: Store,
  filter: Filter<Collective>,
  { page = 1, limit = 24 }: CollectiveSearch,
): Promise<CollectivePage> {
  const collection = collectivesOf(store);
  const total = await collection.countDocuments(filter);
  const pages = Math.max(1, Math.ceil(total / limit));
  const current = Math.min(Math.max(1, page), pages);
  const options = { sort: { sortName: 1, _id: 1 } as const, skip: (current - 1) * limit, limit };
  return { items: await collection.find(filter, options).toArray(), total, page: current, pages };
}

/** Those of which the person is a member, drafts too, by name; those in the bin last. */
export async function listCollectivesOf(store: Store, personId: string): Promise<Collective[]> {
  const mine = await collectivesOf(store).find({ 'members.personId': personId }).toArray();
  return mine.sort(
    (a, b) => Number(a.deletedAt !== null) - Number(b.deletedAt !== null) || compareText(a.sortName, b.sortName),
  );
}

/** Several at once, in no order; ids without a collective are left out. */
export async function listCollectivesById(store: Store, ids: readonly string[]): Promise<Collective[]> {
  if (ids.length === 0) return [];
  return collectivesOf(store)
    .find({ _id: { $in: [...new Set(ids)] } })
    .toArray();
}

/** All published collectives, for exports and the instance's own files. */
export function eachPublicCollective(store: Store): AsyncIterable<Collective> {
  return collectivesOf(store).find({ published: true, deletedAt: null }, { sort: { sortName: 1, _id: 1 } });
}

/** Published collectives in the order of their ids, after the one given: for paged collections. */
export async function listPublicCollectivesAfter(
  store: Store,
  after: string | null,
  limit: number,
): Promise<Pick<Collective, '_id' | 'handle'>[]> {
  const beyond = after === null ? {} : { _id: { $gt: after } };
  const options = { sort: { _id: 1 } as const, limit, projection: { handle: 1 } as const };
  return collectivesOf(store)
    .find({ published: true, deletedAt: null, ...beyond }, options)
    .toArray();
}

export async function countPublicCollectives(store: Store): Promise<number> {
  return collectivesOf(store).countDocuments({ published: true, deletedAt: null });
}

/** Countries of the published collectives, ISO codes in order: what the list may be narrowed to. */
export async function listCountries(store: Store): Promise<string[]> {
  const found = await collectivesOf(store).distinct('profile.place.countryCode', { published: true, deletedAt: null });
  return found.filter((code): code is string => typeof code === 'string').sort();
}

/** In the bin since before the day given. */
export async function listDeletedBefore(store: Store, day: Date): Promise<Collective[]> {
  return collectivesOf(store)
    .find({ deletedAt: { $lt: day } })
    .toArray();
}

/** What search compares: each word once, folded. */
export function termsOf(profile: CollectiveProfile, handle: string): string[] {
  const { name, tagline, place } = profile;
  const text = [handle, name.fr, name.en, tagline.fr, tagline.en, place.address, place.countryName].join(' ');
  return [...new Set(fold(text).split(' ').filter(Boolean))].slice(0, 200);
}

export function sortNameOf(profile: CollectiveProfile): string {
  return fold(profile.name.fr || profile.name.en);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
