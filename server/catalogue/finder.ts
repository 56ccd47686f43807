// The finder's reading of the catalogue, ours and what we know of others': a compact copy of what everybody sees, kept beside
// the store and brought up to date before each answer. Filters, counts and pages come from it in one pass; no document is
// read for a search.
// Why not the store's indexes: docs/decisions/0003-finder-keeps-a-copy.md.
import { remoteServicesIn } from '../elsewhere/queries.js';
import { siteOf } from '../elsewhere/rules.js';
import type { RemoteService, Where } from '../elsewhere/schema.js';
import { fold, type LocalText } from '../shapes.js';
import type { Coll, Doc, Store } from '../store/store.js';
import { servicesOf } from './queries.js';
import { dayOf, everydayTerms, isOver } from './rules.js';
import { type FinderQuery, type Need, needs, type Service } from './schema.js';

/** What a line of the results shows. */
export interface FinderEntry {
  id: string;
  slug: string;
  name: LocalText;
  /** The first sentences of the description. */
  summary: LocalText;
  hoster: Service['hoster'];
  needs: Need[];
  registration: Service['profile']['registration'];
  load: Service['profile']['load'];
  status: Service['profile']['status'];
  priceNote: LocalText;
  country: string | null;
  software: string;
  endDate: string | null;
  publishedAt: Date | null;
  /** Null: one of ours. Else where it is from, and its pages there. */
  elsewhere: { hosterId: string; home: string; url: string; hosterUrl: string; seenAt: Date } | null;
}

interface Row extends FinderEntry {
  stamp: string;
  /** Of two entries about one service the one of the lower rank is shown: ours, told by an instance, read from a file. */
  rank: number;
  /** What tells that two entries are about one service, and about one hoster; null: nothing. */
  site: string | null;
  hosterSite: string | null;
  sortName: string;
  /** " word word …": a word begins where a space stands before it. */
  words: string;
  /** The words of name and software: who finds there comes first. */
  mainWords: string;
  /** The values of each dimension by which one may narrow. */
  values: Record<Dimension, readonly string[]>;
}

/** What one may narrow by, besides words. Each is a parameter of the finder's address. */
export const dimensions = ['need', 'signup', 'room', 'country', 'software', 'provider', 'server', 'language'] as const;
export type Dimension = (typeof dimensions)[number];

export interface Facet {
  value: string;
  /** As it is written, for software; else the value. */
  label: string;
  /** How many services remain when this value is chosen and the other filters stay. */
  count: number;
}

export interface FinderResult {
  items: FinderEntry[];
  total: number;
  page: number;
  pages: number;
  facets: Record<Dimension, Facet[]>;
  /** How many there would be without one of the filters in use; 'q' for the words. */
  without: { filter: Dimension | 'q'; count: number }[];
  /** How many services there are in all, in the place where it was searched. */
  all: number;
  /** How many fit in each place, whichever is chosen. */
  places: Record<Where, number>;
  /** Whether anything is known from elsewhere. */
  knowsOthers: boolean;
}

export const perPage = 20;
const summaryLength = 220;
const maxKept = 500;
/** A write may be committed this long after its stamp was taken, or be stamped by another process's clock. */
const overlapMs = 10_000;

/** How far one collection has been read. */
interface Look {
  /** The newest stamp seen. */
  stamp: string;
  lookedAt: number;
  /** Nothing can be written any more with a stamp older than the newest one seen. */
  settled: boolean;
}

interface Copy {
  rows: Map<string, Row>;
  sorted: Row[];
  newest: Row[];
  ours: Look;
  others: Look;
  looking: Promise<void> | null;
  knowsOthers: boolean;
  results: Map<string, FinderResult>;
}

const copies = new WeakMap<Store, Copy>();

/** What fits the query, at the time `now`. Words: all must begin a word of the service; accents do not matter. */
export async function searchServices(store: Store, query: FinderQuery, now: Date): Promise<FinderResult> {
  const copy = await upToDate(store, now);
  const today = dayOf(now);
  const key = JSON.stringify([today, query]);
  const known = copy.results.get(key);
  if (known) return known;
  const result = search(copy, query, today);
  if (copy.results.size >= maxKept) copy.results.clear();
  copy.results.set(key, result);
  return result;
}

/** Ids of the services of elsewhere that are shown, each service once. */
export async function listShownElsewhere(store: Store, now: Date): Promise<ReadonlySet<string>> {
  const { sorted } = await upToDate(store, now);
  return new Set(sorted.filter(({ elsewhere }) => elsewhere !== null).map(({ id }) => id));
}

/** How many services there are for each need, the most frequent first; needs without a service are left out. */
export async function countServicesByNeed(store: Store, now: Date): Promise<{ need: Need; count: number }[]> {
  const { facets } = await searchServices(store, { q: '', where: 'everywhere', sort: 'name', page: 1 }, now);
  return needs
    .flatMap((need) => facets.need.filter(({ value }) => value === need).map(({ count }) => ({ need, count })))
    .sort((a, b) => b.count - a.count);
}

interface Stamped extends Doc {
  stamp: string;
}

/** What the copy is made of. */
const parts = [
  { look: 'ours', collectionOf: (store: Store) => servicesOf(store) as unknown as Coll<Stamped>, take: takeOurs },
  {
    look: 'others',
    collectionOf: (store: Store) => remoteServicesIn(store) as unknown as Coll<Stamped>,
    take: takeOthers,
  },
] as const;
type Part = (typeof parts)[number];

/** The copy as it is after everything that had been written when this was called. */
async function upToDate(store: Store, now: Date): Promise<Copy> {
  const copy = copies.get(store) ?? emptyCopy();
  copies.set(store, copy);
  const stale = await Promise.all(parts.map((part) => isStale(store, copy[part.look], part, now)));
  if (!stale.some(({ isBehind, isDue }) => isBehind || isDue)) return copy;
  copy.looking ??= lookForChanges(store, copy, now).finally(() => {
    copy.looking = null;
  });
  await copy.looking;
  // The look that we waited for may have begun before the write that we know of.
  const isThere = parts.every(({ look }, index) => (stale[index]?.stamp ?? '') <= copy[look].stamp);
  return isThere ? copy : upToDate(store, now);
}

async function isStale(store: Store, look: Look, { collectionOf }: Part, now: Date) {
  const options = { sort: { stamp: -1 }, projection: { stamp: 1 } } as const;
  const newest = await collectionOf(store).findOne({ stamp: { $gt: '' } }, options);
  const stamp = newest?.stamp ?? '';
  return { stamp, isBehind: stamp > look.stamp, isDue: isDue(look, now) };
}

function isDue(look: Look, now: Date): boolean {
  return !look.settled && Math.abs(now.getTime() - look.lookedAt) > overlapMs;
}

function emptyCopy(): Copy {
  const look = (): Look => ({ stamp: '', lookedAt: Number.NEGATIVE_INFINITY, settled: true });
  return {
    rows: new Map(),
    sorted: [],
    newest: [],
    ours: look(),
    others: look(),
    looking: null,
    knowsOthers: false,
    results: new Map(),
  };
}

const shared = {
  profile: 1,
  hoster: 1,
  country: 1,
  listed: 1,
  sortName: 1,
  terms: 1,
  publishedAt: 1,
  stamp: 1,
} as const;
const fields = {
  ours: { ...shared, slug: 1 },
  others: { ...shared, hosterId: 1, home: 1, by: 1, url: 1, site: 1, seenAt: 1 },
} as const;
const batchSize = 500;

async function lookForChanges(store: Store, copy: Copy, now: Date): Promise<void> {
  let changed = false;
  for (const part of parts) changed = (await lookAt(store, copy, part, now)) || changed;
  if (!changed) return;
  const shown = withoutDoubles([...copy.rows.values()]);
  copy.sorted = shown.sort((a, b) => compareText(a.sortName, b.sortName) || compareText(a.id, b.id));
  copy.newest = copy.sorted.toSorted((a, b) => (b.publishedAt?.getTime() ?? 0) - (a.publishedAt?.getTime() ?? 0));
  copy.knowsOthers = copy.sorted.some(({ elsewhere }) => elsewhere !== null);
  copy.results.clear();
}

/** Reads what was written since the last look, a batch at a time so that other requests are answered in between. */
async function lookAt(store: Store, copy: Copy, { look: name, collectionOf, take }: Part, now: Date): Promise<boolean> {
  const look = copy[name];
  let after = stampBefore(look.stamp);
  let changed = false;
  for (;;) {
    const options = { sort: { stamp: 1 }, limit: batchSize, projection: fields[name] } as const;
    const found = await collectionOf(store)
      .find({ stamp: { $gt: after } }, options)
      .toArray();
    for (const service of found) changed = take(copy, service as unknown as Service & RemoteService) || changed;
    after = found.at(-1)?.stamp ?? after;
    if (after > look.stamp) look.stamp = after;
    if (found.length < batchSize) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  look.settled = !changed;
  look.lookedAt = now.getTime();
  return changed;
}

/** A hoster that is known in two ways, or a service that we list ourselves, is shown once. */
function withoutDoubles(rows: Row[]): Row[] {
  const best = new Map<string, number>();
  const note = (key: string, rank: number) => best.set(key, Math.min(rank, best.get(key) ?? rank));
  for (const { hosterSite, rank, site } of rows) {
    if (site !== null) note(`service ${site}`, rank);
    if (hosterSite !== null) note(`hoster ${hosterSite}`, rank);
  }
  return rows.filter(
    ({ hosterSite, rank, site }) =>
      rank === 0 ||
      ((best.get(`service ${site}`) ?? rank) >= rank && (best.get(`hoster ${hosterSite}`) ?? rank) >= rank),
  );
}

/** The least stamp of the time `overlapMs` before this one (RFC 9562 §5.7: 48 bits of milliseconds come first). */
function stampBefore(stamp: string): string {
  if (stamp === '') return '';
  const time = Number.parseInt(stamp.slice(0, 8) + stamp.slice(9, 13), 16) - overlapMs;
  const hex = Math.max(0, time).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** Puts a service into the copy, or takes it out; false when the copy has it already. */
function takeOurs(copy: Copy, service: Service): boolean {
  if (!service.listed) return copy.rows.delete(service._id);
  if (copy.rows.get(service._id)?.stamp === service.stamp) return false;
  const { slug } = service;
  const site = siteOf(service.profile.website);
  copy.rows.set(service._id, { ...rowOf(service), slug, elsewhere: null, rank: 0, site, hosterSite: null });
  return true;
}

function takeOthers(copy: Copy, service: RemoteService): boolean {
  if (!service.listed) return copy.rows.delete(service._id);
  if (copy.rows.get(service._id)?.stamp === service.stamp) return false;
  const { by, home, hoster, hosterId, seenAt, site, url } = service;
  copy.rows.set(service._id, {
    ...rowOf(service),
    slug: '',
    hoster: { handle: hoster.handle, name: hoster.name },
    elsewhere: { hosterId, home, url, hosterUrl: hoster.url, seenAt },
    rank: by === 'activity' ? 1 : 2,
    site,
    hosterSite: hoster.site,
  });
  return true;
}

type Listed = Pick<Service, '_id' | 'profile' | 'hoster' | 'country' | 'publishedAt' | 'stamp' | 'sortName' | 'terms'>;

function rowOf(service: Listed): Omit<Row, 'slug' | 'elsewhere' | 'rank' | 'site' | 'hosterSite'> {
  const { profile, hoster, country } = service;
  const { needs: itsNeeds, software, host, languages } = profile;
  const softwareKey = fold(software.name);
  return {
    id: service._id,
    name: profile.name,
    summary: { fr: shorten(profile.description.fr), en: shorten(profile.description.en) },
    hoster,
    needs: itsNeeds,
    registration: profile.registration,
    load: profile.load,
    status: profile.status,
    priceNote: profile.priceNote,
    country,
    software: software.name,
    endDate: profile.endDate,
    publishedAt: service.publishedAt,
    stamp: service.stamp,
    sortName: service.sortName,
    words: ` ${[...service.terms, ...everydayTerms(profile)].join(' ')}`,
    mainWords: ` ${fold(`${profile.name.fr} ${profile.name.en} ${software.name}`)}`,
    values: {
      need: itsNeeds,
      signup: [profile.registration],
      room: [profile.load],
      country: country === null ? [] : [country],
      software: softwareKey === '' ? [] : [softwareKey],
      provider: host.providerType === null ? [] : [host.providerType],
      server: host.serverType === null ? [] : [host.serverType],
      language: languages,
    },
  };
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  if (line.length <= summaryLength) return line;
  return `${line
    .slice(0, summaryLength)
    .replace(/\s+\S*$/, '')
    .replace(/\p{Cs}$/u, '')} …`;
}

/** Small words that people type and no service is told apart by. */
const stopWords = new Set(
  'a an and au aux avec chez d dans de des du en et for from l la le les ma mes mon my of on ou or par pour sans sur the to un une with'.split(
    ' ',
  ),
);

/** The words of a search that count, folded: at most 8. */
export function searchWords(q: string): string[] {
  const words = fold(q).split(' ').filter(Boolean);
  const telling = words.filter((word) => !stopWords.has(word));
  return (telling.length > 0 ? telling : words).slice(0, 8);
}

function search(copy: Copy, query: FinderQuery, today: string): FinderResult {
  const words = searchWords(query.q).map((word) => ` ${word}`);
  const wanted = dimensions.flatMap((dimension) => {
    const value = query[dimension];
    return value === undefined ? [] : [{ dimension, value: dimension === 'software' ? fold(value) : value }];
  });
  const tally = new Tally();
  const places = { here: 0, everywhere: 0 };
  const first: Row[] = [];
  const others: Row[] = [];
  for (const row of query.sort === 'newest' ? copy.newest : copy.sorted) {
    if (isOver(row, today)) continue;
    const isIn = query.where === 'everywhere' || row.elsewhere === null;
    if (isIn) tally.all += 1;
    const missed = wanted.filter(({ dimension, value }) => !row.values[dimension].includes(value));
    if (missed.length > 1) continue;
    const fits = words.every((word) => row.words.includes(word));
    const miss = missed[0];
    if (fits && !miss) {
      places.everywhere += 1;
      if (row.elsewhere === null) places.here += 1;
    }
    if (!isIn) continue;
    if (miss) {
      if (fits) tally.countBeside(row, miss.dimension);
    } else if (fits) {
      tally.count(row);
      const inMain = words.length > 0 && words.every((word) => row.mainWords.includes(word));
      (inMain ? first : others).push(row);
    } else {
      tally.beside('q');
    }
  }
  const found = first.length === 0 ? others : [...first, ...others];
  const pages = Math.max(1, Math.ceil(found.length / perPage));
  const page = Math.min(query.page, pages);
  return {
    items: found.slice((page - 1) * perPage, page * perPage),
    total: found.length,
    page,
    pages,
    facets: tally.facets(new Map(wanted.map(({ dimension, value }) => [dimension, value]))),
    without: tally.without([
      ...wanted.map(({ dimension }) => dimension),
      ...(words.length > 0 ? (['q'] as const) : []),
    ]),
    all: tally.all,
    places,
    knowsOthers: copy.knowsOthers,
  };
}

/** The counts of one pass: for each dimension, over the services that fit every other filter. */
class Tally {
  all = 0;
  readonly #found = new Map<Dimension, Map<string, { label: string; count: number }>>(
    dimensions.map((dimension) => [dimension, new Map()]),
  );
  readonly #beside = new Map<Dimension | 'q', number>();

  count(row: Row): void {
    for (const dimension of dimensions) this.#add(row, dimension);
  }

  /** A service that only this filter keeps out. */
  countBeside(row: Row, dimension: Dimension): void {
    this.#add(row, dimension);
    this.beside(dimension);
  }

  beside(filter: Dimension | 'q'): void {
    this.#beside.set(filter, (this.#beside.get(filter) ?? 0) + 1);
  }

  #add(row: Row, dimension: Dimension): void {
    const counts = this.#found.get(dimension);
    for (const value of row.values[dimension]) {
      const known = counts?.get(value);
      if (known) known.count += 1;
      else counts?.set(value, { label: dimension === 'software' ? row.software : value, count: 1 });
    }
  }

  facets(chosen: ReadonlyMap<Dimension, string>): Record<Dimension, Facet[]> {
    const of = (dimension: Dimension): Facet[] => {
      const counts = this.#found.get(dimension) ?? new Map<string, { label: string; count: number }>();
      const value = chosen.get(dimension);
      if (value !== undefined && !counts.has(value)) counts.set(value, { label: value, count: 0 });
      return [...counts]
        .map(([key, { label, count }]) => ({ value: key, label, count }))
        .sort((a, b) => b.count - a.count || compareText(a.label, b.label));
    };
    return {
      need: of('need'),
      signup: of('signup'),
      room: of('room'),
      country: of('country'),
      software: of('software'),
      provider: of('provider'),
      server: of('server'),
      language: of('language'),
    };
  }

  without(filters: (Dimension | 'q')[]): FinderResult['without'] {
    return filters
      .map((filter) => ({ filter, count: this.#beside.get(filter) ?? 0 }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count);
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
