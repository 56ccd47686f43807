// Reads about other instances: what we know of them, and what waits for them.
import type { CollectionIndexes, Doc, Filter, Store } from '../store/store.js';
import type { Peer } from './schema.js';

export const peerIndexes = {
  peers: [
    { keys: { firstSeenAt: -1 as const, _id: 1 as const } },
    { keys: { checkedAt: 1 as const } },
    { keys: { inboundLimit: 1 as const }, sparse: true },
  ],
} satisfies CollectionIndexes;

export const peersIn = (store: Store) => store.collection<Peer>('peers');

/** Activities a minute by host, where an administrator set them. */
export async function readInboundLimits(store: Store): Promise<Map<string, number>> {
  const found = await peersIn(store)
    .find({ inboundLimit: { $gt: 0 } }, { projection: { inboundLimit: 1 } })
    .toArray();
  return new Map(found.map(({ _id, inboundLimit }) => [_id, inboundLimit ?? 0]));
}

/** What the pages read of federation/delivery.ts, which server/ may not import. */
interface DeliveryRow extends Doc {
  activityId: string;
  host: string;
  inbox: string;
  state: 'waiting' | 'failed' | 'held';
  attempts: number;
  refusals: number;
  mistakes?: number;
  createdAt: Date;
  nextAt: Date;
  leaseUntil?: Date;
  failedAt: Date | null;
  lastError: string | null;
}

export const deliveriesIn = (store: Store) => store.collection<DeliveryRow>('deliveries');

/** `nextAt` of a delivery that waits for its host to answer again, and of a host that nothing waits for. */
export const parkedAt = new Date('9999-01-01T00:00:00Z');

/** What the pages read of federation/hostRest.ts. _id: the host. */
interface HostRestRow extends Doc {
  nextAt: Date;
  lastError: string;
}

export const hostRestsIn = (store: Store) => store.collection<HostRestRow>('hostRests');

/** Days on which an inbox answered 404 or 410 before it is left out of what goes to followers. */
export const leftOutAfterDays = 7;

/** What federation/goneInboxes.ts keeps. _id: the inbox. */
interface GoneInbox extends Doc {
  host: string;
  days: number;
  /** As 2026-01-31: a day counts once. */
  lastDay: string;
  lastAt: Date;
}

export const goneInboxesIn = (store: Store) => store.collection<GoneInbox>('goneInboxes');

interface RestoreDoc extends Doc {
  /** What was said before this may have been sent already. */
  heldBefore: Date;
}

export const restoreIn = (store: Store) => store.collection<RestoreDoc>('settings');

/** Events up to this moment were in a backup: what follows from them is held. Null: nothing is. */
export async function findHeldBefore(store: Store): Promise<Date | null> {
  return (await restoreIn(store).findOne({ _id: 'restore' }))?.heldBefore ?? null;
}

/** Deliveries that a restore holds back, and since when; null: none. */
export async function findHeld(store: Store): Promise<{ count: number; since: Date } | null> {
  const count = await deliveriesIn(store).countDocuments({ state: 'held' });
  const since = await findHeldBefore(store);
  return count === 0 || since === null ? null : { count, since };
}

export interface PeerLine {
  peer: Peer;
  waiting: number;
  failed: number;
  /** Inboxes that get nothing any more. */
  leftOut: number;
}

/** The instances that we know, newest first, with what waits for each. `q` is any part of the host. Pages from 1. */
export async function pagePeers(store: Store, q: string, at: { page: number; perPage: number }) {
  const part = q
    .toLowerCase()
    .replace(/[^a-z0-9.:-]/g, '')
    .replaceAll('.', '\\.');
  const known = { firstSeenAt: { $gt: new Date(0) } };
  const filter: Filter<Peer> = part === '' ? known : { ...known, _id: { $regex: part } };
  const total = await peersIn(store).countDocuments(filter);
  const pages = Math.max(1, Math.ceil(total / at.perPage));
  const page = Math.min(at.page, pages);
  const options = { sort: { firstSeenAt: -1, _id: 1 } as const, skip: (page - 1) * at.perPage, limit: at.perPage };
  const peers = await peersIn(store).find(filter, options).toArray();
  return { items: await Promise.all(peers.map((peer) => countsOf(store, peer))), total, page, pages };
}

async function countsOf(store: Store, peer: Peer): Promise<PeerLine> {
  const [waiting, failed, leftOut] = await Promise.all([
    deliveriesIn(store).countDocuments({ host: peer._id, state: 'waiting' }),
    deliveriesIn(store).countDocuments({ host: peer._id, state: 'failed' }),
    goneInboxesIn(store).countDocuments({ host: peer._id, days: { $gte: leftOutAfterDays } }),
  ]);
  return { peer, waiting, failed, leftOut };
}

/** One instance with its counts; null: we do not know it. */
export async function findPeer(store: Store, host: string): Promise<PeerLine | null> {
  const peer = await peersIn(store).findOne({ _id: host });
  return peer && countsOf(store, peer);
}

export interface PeerDelivery {
  row: DeliveryRow;
  activity: { type: string; json: string } | null;
}

/** What was given up for a host, what a restore holds, then what waits, with the activities as they are sent and when. */
export async function listPeerDeliveries(store: Store, host: string, limit: number): Promise<PeerDelivery[]> {
  const of = (state: DeliveryRow['state']) =>
    deliveriesIn(store)
      .find({ host, state }, { sort: { nextAt: -1 }, limit })
      .toArray();
  const rows = [...(await of('failed')), ...(await of('held')), ...(await of('waiting'))].slice(0, limit);
  const activities = store.collection<Doc & { type: string; json: string }>('activities');
  const rest = await hostRestsIn(store).findOne({ _id: host });
  const ofItsHost = (row: DeliveryRow): DeliveryRow =>
    rest && row.nextAt >= parkedAt ? { ...row, nextAt: rest.nextAt, lastError: row.lastError ?? rest.lastError } : row;
  return Promise.all(
    rows.map(async (row) => ({ row: ofItsHost(row), activity: await activities.findOne({ _id: row.activityId }) })),
  );
}

/** Whether anything waits for a host because it did not take it: it does not answer just now. */
export async function isRetried(store: Store, host: string): Promise<boolean> {
  const filter = { host, state: 'waiting' as const, attempts: { $gt: 0 } };
  return (await deliveriesIn(store).findOne(filter, { projection: { _id: 1 } })) !== null;
}
