// The finder alone: a catalogue of many services in a real store, and what a search costs when nothing is remembered, when
// it is, and after a write. Also seeds the store for the benchmark of pages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { v7 } from 'uuid';
import { emptyProfile } from '../../server/catalogue/actions/services.js';
import { searchServices } from '../../server/catalogue/finder.js';
import { servicesOf } from '../../server/catalogue/queries.js';
import { derivedFields } from '../../server/catalogue/rules.js';
import {
  finderQuery,
  loads,
  providerTypes,
  registrations,
  type Service,
  serverTypes,
} from '../../server/catalogue/schema.js';
import { needsOfSoftware } from '../../server/catalogue/softwareNeeds.js';
import { collectivesOf, sortNameOf, termsOf } from '../../server/collectives/queries.js';
import { type Collective, emptyProfile as emptyCollectiveProfile } from '../../server/collectives/schema.js';
import { remoteServicesIn } from '../../server/elsewhere/queries.js';
import { siteOf } from '../../server/elsewhere/rules.js';
import type { RemoteService } from '../../server/elsewhere/schema.js';
import { newId } from '../../server/ids.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes } from '../../server/store/schema.js';
import type { Store } from '../../server/store/store.js';
import { median } from './start.js';

const software =
  'Etherpad HedgeDoc CryptPad Nextcloud Roundcube Mattermost Element BigBlueButton Framadate Radicale Yakforms WordPress WriteFreely PeerTube Piwigo Funkwhale Mastodon Mobilizon Forgejo OpenProject Wekan BookStack Vaultwarden Shaarli SearXNG LibreTranslate uMap Paheko Sympa Moodle Lufi Matomo Headscale'.split(
    ' ',
  );
const places = ['Montargis', 'Saint-Girons', 'Niort', 'Millau', 'Namur', 'Vevey', 'Roubaix', 'Quimper'];
const countries = ['FR', 'BE', 'CH', 'DE', 'ES'];
const nouns = 'Pads Nuage Courrier Salon Carnets Agenda Vidéos Formulaires Dépôt Images'.split(' ');
const hosters = 'Écluse Tuile Marais Causses Serre Fournil Gouttière Ruisseau'.split(' ');

function pick<T>(list: readonly T[], n: number): T {
  const item = list[n % list.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Fills a store with `count` published services of hosters with twenty each. Needs the indexes. */
export async function seedServices(
  store: Store,
  count: number,
): Promise<{ collectiveHandle: string; serviceSlug: string }> {
  const now = new Date();
  const collectives = Array.from({ length: Math.max(1, Math.ceil(count / 20)) }, (_, n) => buildCollective(n, now));
  await collectivesOf(store).insertMany(collectives);
  for (let from = 0; from < count; from += 1000) {
    const size = Math.min(1000, count - from);
    const services = Array.from({ length: size }, (_, n) => buildService(from + n, pick(collectives, from + n), now));
    await servicesOf(store).insertMany(services);
  }
  return { collectiveHandle: pick(collectives, 0).handle, serviceSlug: 'service-0' };
}

function buildCollective(n: number, now: Date): Collective {
  const handle = `hoster${n}`;
  const name = { fr: `${pick(hosters, n)} libre ${n}`, en: '' };
  const place = {
    address: pick(places, n),
    countryCode: pick(countries, n),
    countryName: '',
    latitude: null,
    longitude: null,
  };
  const tagline = { fr: 'Services libres pour les associations', en: 'Free services for associations' };
  const description = { fr: 'Une association de bénévoles. '.repeat(8), en: '' };
  const profile = { ...emptyCollectiveProfile(), name, place, tagline, description, languages: ['fr'] };
  return {
    _id: newId(),
    handle,
    profile,
    published: true,
    logoId: null,
    members: [],
    acceptsFollowers: 'at-once',
    terms: termsOf(profile, handle),
    sortName: sortNameOf(profile),
    unknownProperties: [],
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
    version: 1,
  };
}

function buildService(n: number, collective: Collective, now: Date): Service {
  const blank = emptyProfile({
    fr: `${pick(nouns, n)} de ${collective.profile.name.fr} ${n}`,
    en: `${pick(software, n)} ${n}`,
  });
  const profile = {
    ...blank,
    description: {
      fr: `Un service de ${pick(software, n)} tenu par des bénévoles, sans publicité ni pistage, pour écrire et partager à plusieurs.`,
      en: `A ${pick(software, n)} service run by volunteers, without advertising or tracking.`,
    },
    website: `https://service-${n}.example/`,
    needs: needsOfSoftware(pick(software, n)),
    registration: pick(registrations, n),
    load: pick(loads, n >> 2),
    languages: n % 3 === 0 ? ['fr', 'en'] : ['fr'],
    software: { ...blank.software, name: pick(software, n), licenseName: 'AGPL-3.0-or-later', version: '1.0' },
    host: {
      ...blank.host,
      name: collective.profile.name.fr,
      serverType: pick(serverTypes, n >> 1),
      providerType: pick(providerTypes, n >> 3),
      countryCode: pick(countries, n >> 1),
      distribution: 'Debian',
    },
  };
  const base = { profile, published: true, deletedAt: null };
  const monthly = Array.from({ length: 12 }, (_, month) => 100 + ((n * 7 + month * 13) % 400));
  return {
    _id: newId(),
    collectiveId: collective._id,
    slug: `service-${n}`,
    ...base,
    ...derivedFields(base, collective),
    // As if written over the last weeks: what was written in the last seconds is looked at twice.
    stamp: v7({ msecs: now.getTime() - (n + 1) * 60_000 }),
    origin: null,
    metrics: [{ path: 'http.visits.humans', year: 2026, step: 'months', values: monthly }],
    metricsLabels: [],
    unknownProperties: [],
    unknownMetrics: [],
    createdAt: now,
    updatedAt: now,
    publishedAt: new Date(now.getTime() - n * 60_000),
    version: 1,
  };
}

const searches: Record<string, Record<string, string>> = {
  everything: {},
  lastPage: { page: '500' },
  need: { need: 'write' },
  words: { q: 'nuage écluse' },
  oneLetter: { q: 'e' },
  narrow: { q: 'pad', need: 'write', room: 'OPEN', signup: 'None', country: 'FR' },
  nothing: { q: 'zzz', need: 'mail' },
};

/** Adds `count` services of hosters of other instances, twenty each, made as ours are. */
async function seedElsewhere(store: Store, count: number): Promise<void> {
  const now = new Date();
  for (let from = 0; from < count; from += 1000) {
    const services = Array.from({ length: Math.min(1000, count - from) }, (_, n): RemoteService => {
      const number = from + n;
      const collective = buildCollective(Math.floor(number / 20), now);
      const { profile, terms, sortName, country, stamp, publishedAt } = buildService(number, collective, now);
      const website = `https://elsewhere-${number}.example/`;
      const home = `home${number % 50}.example`;
      return {
        _id: newId(),
        hosterId: `hoster ${Math.floor(number / 20)}`,
        home,
        by: 'activity',
        url: `https://${home}/services/${number}`,
        profile: { ...profile, website },
        hoster: { handle: collective.handle, name: collective.profile.name, url: `https://${home}/`, site: null },
        site: siteOf(website),
        ...{ terms, sortName, country, stamp, publishedAt },
        ...{ saidAt: now, seenAt: now, isTombstone: false, goneAt: null, listed: true },
      };
    });
    await remoteServicesIn(store).insertMany(services);
  }
}

export interface FinderFigures {
  services: number;
  firstLookMs: number;
  heapMb: number;
  /** Milliseconds of a search whose result nobody asked for before; median of 20. */
  freshMs: Record<string, number>;
  /** Searches a second when the answer is remembered: what is left is looking for changes. */
  rememberedPerSecond: number;
  /** The first search after one service was written. */
  afterWriteMs: number;
  /** With as many services of other homes: the same, and the first against that of ours alone (2: as much for each). */
  everywhere: { firstLookMs: number; heapMb: number; freshMs: Record<string, number>; ratio: number };
}

/** A store of its own in a temporary folder, removed afterwards. */
export async function benchFinder(services = 10_000): Promise<FinderFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatiere-bench-'));
  const store = await openStore({ dataDir, onScan: 'warn' });
  try {
    await store.ensureIndexes(allIndexes);
    await seedServices(store, services);
    const now = new Date();
    const before = usedHeap();
    const firstLookMs = await timed(() => searchServices(store, finderQuery.parse({}), now));
    const heapMb = Math.round((usedHeap() - before) * 10) / 10;
    const freshMs: Record<string, number> = {};
    Object.assign(freshMs, await freshSearches(store, now));
    const query = finderQuery.parse({ need: 'write' });
    const rememberedMs = await timed(async () => {
      for (let run = 0; run < 500; run += 1) await searchServices(store, query, now);
    });
    const afterWriteMs = await timed(async () => {
      await servicesOf(store).updateOne({ _id: await newestOf(store) }, { $set: { stamp: newId() } });
      await searchServices(store, query, now);
    });
    await seedElsewhere(store, services);
    const beforeOthers = usedHeap();
    const othersMs = await timed(() => searchServices(store, finderQuery.parse({}), now));
    const othersHeapMb = Math.round((usedHeap() - beforeOthers) * 10) / 10;
    const everywhereMs = await freshSearches(store, now);
    const ratios = Object.keys(searches).map((name) => (everywhereMs[name] ?? 0) / (freshMs[name] || 1));
    return {
      services,
      everywhere: {
        firstLookMs: othersMs,
        heapMb: othersHeapMb,
        freshMs: everywhereMs,
        ratio: Math.round(median(ratios) * 100) / 100,
      },
      firstLookMs,
      heapMb,
      freshMs,
      rememberedPerSecond: Math.round(500_000 / rememberedMs),
      afterWriteMs,
    };
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Median of 20 for each search, none of which anybody asked before. */
async function freshSearches(store: Store, now: Date): Promise<Record<string, number>> {
  const freshMs: Record<string, number> = {};
  for (const [name, query] of Object.entries(searches)) {
    const times: number[] = [];
    for (let run = 0; run < 20; run += 1) {
      // Another day is another search, and nothing ends in between.
      const day = new Date(now.getTime() + run * 24 * 60 * 60 * 1000);
      times.push(await timed(() => searchServices(store, finderQuery.parse({ ...query, sort: 'newest' }), day)));
    }
    freshMs[name] = median(times);
  }
  return freshMs;
}

async function newestOf(store: Store): Promise<string> {
  const service = await servicesOf(store).findOne({ listed: true }, { sort: { publishedAt: -1 } });
  return service?._id ?? '';
}

function usedHeap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return Math.round((performance.now() - began) * 100) / 100;
}
