// Reads about the instance's own running, and the indexes of what it keeps.
import { eventIndex, type PendingEvent } from '../events.js';
import type { CollectionIndexes, Doc, Filter, Store } from '../store/store.js';
import { hostRestsIn, parkedAt, readInboundLimits } from './peerQueries.js';
import { isAllowedPeer, type PeerPolicy } from './rules.js';
import {
  type DomainRule,
  type FailedEvent,
  type JobRun,
  type Peer,
  type PeerSettings,
  type RuleKind,
  ruleKinds,
} from './schema.js';

export const instanceIndexes = {
  settings: [eventIndex],
  domainRules: [{ keys: { removedAt: 1 as const, kind: 1 as const, _id: 1 as const } }, eventIndex],
  leases: [],
  jobRuns: [{ keys: { wanted: 1 as const } }],
  failedEvents: [{ keys: { parkedAt: 1 as const, nextAt: 1 as const } }, { keys: { docId: 1 as const } }],
} satisfies CollectionIndexes;

export async function listJobRuns(store: Store): Promise<JobRun[]> {
  return store
    .collection<JobRun>('jobRuns')
    .find({}, { sort: { _id: 1 } })
    .toArray();
}

/** Events that were given up, oldest first. */
export async function listParkedEvents(store: Store, limit: number): Promise<FailedEvent[]> {
  return store
    .collection<FailedEvent>('failedEvents')
    .find({ parkedAt: { $gt: new Date(0) } }, { sort: { parkedAt: 1 }, limit })
    .toArray();
}

/** How many things wait in each queue. */
export async function countQueues(store: Store): Promise<Record<string, number>> {
  const [deliveries, held, mails, parkedEvents] = await Promise.all([
    deliveriesIn(store).countDocuments({ state: 'waiting' }),
    deliveriesIn(store).countDocuments({ state: 'held' }),
    store.collection<Doc & { nextAt: Date | null }>('mails').countDocuments({ nextAt: { $gt: new Date(0) } }),
    store.collection<FailedEvent>('failedEvents').countDocuments({ parkedAt: { $gt: new Date(0) } }),
  ]);
  return { deliveries, held, mails, parkedEvents };
}

/** What the page on deliveries reads of federation/delivery.ts, which server/ may not import. */
interface DeliveryRow extends Doc {
  host: string;
  state: 'waiting' | 'failed' | 'held';
  attempts: number;
  nextAt: Date;
  failedAt: Date | null;
  lastError: string | null;
}

const deliveriesIn = (store: Store) => store.collection<DeliveryRow>('deliveries');

export interface TroubledHost {
  host: string;
  waiting: number;
  abandoned: number;
  nextAt: Date | null;
  lastError: string;
}

/** Rows read for the page; beyond that an instance has other worries. */
const rowsRead = 5_000;

/** The servers that do not take what we send, with what waits for them, most first. */
export async function listTroubledHosts(store: Store): Promise<TroubledHost[]> {
  const projection = { host: 1, state: 1, attempts: 1, nextAt: 1, lastError: 1 };
  const [waiting, failed] = await Promise.all([
    deliveriesIn(store)
      .find({ state: 'waiting' }, { sort: { nextAt: 1 }, limit: rowsRead, projection })
      .toArray(),
    deliveriesIn(store)
      .find({ state: 'failed' }, { sort: { failedAt: -1 }, limit: rowsRead, projection })
      .toArray(),
  ]);
  const hosts = new Map<string, TroubledHost>();
  for (const row of [...waiting, ...failed]) {
    const known = hosts.get(row.host) ?? { host: row.host, waiting: 0, abandoned: 0, nextAt: null, lastError: '' };
    hosts.set(row.host, known);
    known[row.state === 'waiting' ? 'waiting' : 'abandoned'] += 1;
    if (row.state === 'waiting') known.nextAt ??= row.nextAt;
    known.lastError ||= row.lastError ?? '';
  }
  const resting = await hostRestsIn(store)
    .find({ _id: { $in: [...hosts.keys()] } })
    .toArray();
  for (const { _id, nextAt, lastError } of resting) {
    const known = hosts.get(_id);
    if (known === undefined || known.waiting === 0) continue;
    known.nextAt = nextAt >= parkedAt ? null : nextAt;
    known.lastError ||= lastError;
  }
  const troubled = [...hosts.values()].filter(({ lastError }) => lastError !== '');
  return troubled.sort((a, b) => b.waiting + b.abandoned - (a.waiting + a.abandoned));
}

export const rulesIn = (store: Store) => store.collection<DomainRule>('domainRules');

/** `revision` rises with every change of a rule, so that a reader knows whether what it kept is still true. */
export interface PeerSettingsDoc extends Doc {
  value: PeerSettings;
  revision: number;
  events?: PendingEvent[];
}

export const peerSettingsIn = (store: Store) => store.collection<PeerSettingsDoc>('settings');
const openPeers: PeerSettings = { island: false, publishesRules: false };

export async function readPeerSettings(store: Store): Promise<PeerSettings> {
  const doc = await peerSettingsIn(store).findOne({ _id: 'peers' });
  return { ...openPeers, ...doc?.value };
}

const keptPolicies = new WeakMap<Store, { revision: number; at: number; askedAt: number; policy: PeerPolicy }>();
/** Milliseconds for which this process does not ask at all whether another one changed the rules. */
const policyRestMs = 500;
/** Milliseconds after which the rules are read again although their revision says nothing new (a restored backup). */
const policyAgeMs = 60_000;

/** To be called where a rule was changed, so that it counts here from the next request on. */
export function forgetPolicy(store: Store): void {
  keptPolicies.delete(store);
}

/**
 * Whom the instance deals with now; half a second late where another process changed it. One small read; the rules
 * themselves are read again when they changed.
 */
export async function readPolicy(store: Store): Promise<PeerPolicy> {
  const kept = keptPolicies.get(store);
  if (kept !== undefined && performance.now() - kept.askedAt < policyRestMs) return kept.policy;
  const doc = await peerSettingsIn(store).findOne({ _id: 'peers' }, { projection: { value: 1, revision: 1 } });
  const revision = doc?.revision ?? 0;
  const known = keptPolicies.get(store);
  const at = performance.now();
  if (known?.revision === revision && at - known.at < policyAgeMs) {
    known.askedAt = at;
    return known.policy;
  }
  const kinds = new Map<string, RuleKind>();
  const rules = rulesIn(store).find({ removedAt: null }, { projection: { kind: 1 } });
  for await (const { _id, kind } of rules) kinds.set(_id, kind);
  const policy = { island: doc?.value?.island ?? false, kinds, inboundLimits: await readInboundLimits(store) };
  keptPolicies.set(store, { revision, at, askedAt: at, policy });
  return policy;
}

/** Where the servers of our kind are that a rule allows by name: those that we know, else the domain itself. */
export async function listAllowedOrigins(store: Store): Promise<string[]> {
  const policy = await readPolicy(store);
  const allowed = [...policy.kinds].flatMap(([domain, kind]) => (kind === 'allow' ? [domain] : []));
  if (allowed.length === 0) return [];
  const peers = store
    .collection<Peer>('peers')
    .find({ firstSeenAt: { $gt: new Date(0) } }, { projection: { origin: 1, software: 1 } });
  const origins: string[] = [];
  const hosts = new Set<string>();
  for await (const { origin, software } of peers) {
    if (!isAllowedPeer(policy, origin)) continue;
    hosts.add(new URL(origin).hostname);
    if (software === '' || software === 'chatiere') origins.push(origin);
  }
  return [...origins, ...allowed.filter((domain) => !hosts.has(domain)).map((domain) => `https://${domain}`)];
}

export async function findRule(store: Store, domain: string): Promise<DomainRule | null> {
  return rulesIn(store).findOne({ _id: domain, removedAt: null });
}

export interface RuleSearch {
  q: string;
  only: RuleKind | '';
}

/** Rules by domain, pages from 1. `q` is any part of the domain. */
export async function pageRules(store: Store, search: RuleSearch, at: { page: number; perPage: number }) {
  const filter: Filter<DomainRule> = {
    removedAt: null,
    kind: search.only === '' ? { $in: [...ruleKinds] } : search.only,
  };
  if (search.q !== '')
    filter._id = {
      $regex: search.q
        .toLowerCase()
        .replace(/[^a-z0-9.-]/g, '')
        .replaceAll('.', '\\.'),
    };
  const total = await rulesIn(store).countDocuments(filter);
  const pages = Math.max(1, Math.ceil(total / at.perPage));
  const page = Math.min(at.page, pages);
  const options = { sort: { _id: 1 } as const, skip: (page - 1) * at.perPage, limit: at.perPage };
  return { items: await rulesIn(store).find(filter, options).toArray(), total, page, pages };
}

/** Every rule of these kinds by domain, at most `limit`. */
export async function listRules(store: Store, kinds: readonly RuleKind[], limit: number): Promise<DomainRule[]> {
  return rulesIn(store)
    .find({ removedAt: null, kind: { $in: [...kinds] } }, { sort: { _id: 1 }, limit })
    .toArray();
}
