// The queue of what is to be sent: one row for each activity and inbox (made in fanOut.ts). A row is held by a lease while it
// is sent, so that many processes may deliver and none of them can lose it; it goes away only after the other side has
// taken it. What fails waits, and with it its whole host (hostRest.ts); what fails for good is kept with its reason.
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '../server/ids.js';
import type { Doc, Filter } from '../server/store/store.js';
import { type Activity, activitiesIn } from './activities.js';
import { attempt, isHostAway, isNoInbox, isRefusal, isTaken, judge, type Outcome } from './deliveryOutcome.js';
import type { Federation } from './federation.js';
import { noteGoneInbox, noteReached, pruneGoneInboxes } from './goneInboxes.js';
import {
  afterIt,
  callAnother,
  callParked,
  findRests,
  park,
  pruneRests,
  reopenHost,
  restHost,
  weekReason,
} from './hostRest.js';
import { notePeer } from './peers.js';

export interface Delivery extends Doc {
  activityId: string;
  /** Handle of the actor whose key signs. */
  actor: string;
  inbox: string;
  host: string;
  /** Host and subject: within one, the order of `seq` is kept. */
  lane: string;
  seq: string;
  /** held: a restore found it; only an administrator lets it go. */
  state: 'waiting' | 'failed' | 'held';
  attempts: number;
  /** Answers 401 or 403 so far. */
  refusals: number;
  /** How often it broke here; absent: never. */
  mistakes?: number;
  createdAt: Date;
  nextAt: Date;
  leasedBy: string;
  /** Of this lease alone: whoever holds another one may not settle the row. */
  leaseId?: string;
  leaseUntil: Date;
  lastStatus: number | null;
  lastError: string | null;
  failedAt: Date | null;
}

const second = 1000;
const day = 24 * 60 * 60 * second;
/** Longer than one exchange can take, and a second one with the other signature. */
const leaseMs = 60 * second;
const perHost = 2;
/**
 * Under way to the names under one domain: names cost nothing to whoever owns one, and many that answer just in time would take
 * every place (AP-78). Domains are told apart by their last two labels: no list of suffixes to keep up to date, and the good
 * neighbours under one of these (co.uk) leave their places so soon that they do not miss any.
 */
const perDomain = 32;
/** How long what is beyond that steps back, when it fills all that is read at once. */
const crowdedMs = 10 * second;
/** Deliveries that have just begun. One that takes longer gives its place up, so that hung servers delay nobody else. */
const freshInAll = 64;
const freshMs = 300;
const inAll = 160;
/** While something is under way, how often we look whether anything else has become due. */
const lookAgainMs = 100;
/** Rows that are due, read at once. */
const backlogSize = 300;
/** Rows that were sent are taken away together, this much later at most: what a crash may send twice. */
const gatherMs = 15;
const never = new Date(0);

export interface DeliveryReport {
  sent: number;
  postponed: number;
  failed: number;
}

/** What a process has under way: longer than one call of deliverDue, which does not wait for servers that hang. */
interface Desk {
  federation: Federation;
  report: DeliveryReport;
  /** Exchanges under way, and since when. */
  sending: Map<object, number>;
  /** What follows an exchange: its row taken away, its peer noted. */
  settling: Set<Promise<void>>;
  backlog: Delivery[];
  readAt: number;
  calledAt: number;
  /** Some host is coming back: what was parked for it goes out little by little. */
  isDraining: boolean;
  sent: Gathered<Delivery>;
  /** Those who wait for an exchange to end. */
  waiting: Set<() => void>;
}

/** A row that we hold; `callId` when it was called to see whether its host answers again. */
type Held = Delivery & { callId?: string };

const desks = new WeakMap<Federation, Desk>();

function deskOf(federation: Federation): Desk {
  const known = desks.get(federation);
  if (known) return known;
  const desk: Desk = {
    federation,
    report: { sent: 0, postponed: 0, failed: 0 },
    sending: new Map(),
    settling: new Set(),
    backlog: [],
    readAt: Number.NEGATIVE_INFINITY,
    calledAt: Number.NEGATIVE_INFINITY,
    isDraining: false,
    sent: new Gathered(gatherMs, (rows) => removeSent(federation, rows)),
    waiting: new Set(),
  };
  desks.set(federation, desk);
  return desk;
}

/**
 * Sends what is due until nothing is, or the budget is spent. Two at a time to one host, 64 that have just begun and 160 in
 * all, so that hung hosts delay nobody else: what is still under way when the budget is spent ends by itself and counts in
 * the next report. When told to stop, waits for it.
 */
export async function deliverDue(
  federation: Federation,
  { budgetMs = 20 * second }: { budgetMs?: number } = {},
  signal?: AbortSignal,
): Promise<DeliveryReport> {
  const desk = deskOf(federation);
  const started = performance.now();
  // What was read and not begun the last time may be otherwise by now.
  desk.backlog = [];
  while (!signal?.aborted && performance.now() - started < budgetMs) {
    const isIdle = desk.sending.size === 0 && desk.settling.size === 0;
    const room = roomAt(desk);
    // Several are taken in one write: while others are under way, a few free places are not worth one.
    const isWorthIt = room >= freshInAll / 2 || (room > 0 && desk.sending.size < freshInAll);
    const held = isWorthIt ? await leaseSome(desk, room) : [];
    if (held.length > 0) await start(desk, held);
    else if (isIdle && !desk.isDraining) break;
    else await nextEnd(desk);
  }
  if (signal?.aborted) await whenDelivered(federation);
  const { report } = desk;
  desk.report = { sent: 0, postponed: 0, failed: 0 };
  return report;
}

/** Resolves when this process has nothing under way any more: before its store is closed. */
export async function whenDelivered(federation: Federation): Promise<void> {
  const desk = deskOf(federation);
  while (desk.sending.size > 0 || desk.settling.size > 0) await nextEnd(desk);
}

/** Waits until an exchange ends, or for a moment. */
async function nextEnd(desk: Desk): Promise<void> {
  const timer = new AbortController();
  let wake = (): void => {};
  const ended = new Promise<void>((resolve) => {
    wake = resolve;
    desk.waiting.add(wake);
  });
  await Promise.race([ended, pause(lookAgainMs, undefined, { signal: timer.signal }).catch(() => {})]);
  desk.waiting.delete(wake);
  timer.abort();
}

function wakeAll({ waiting }: Desk): void {
  for (const wake of waiting) wake();
  waiting.clear();
}

async function start(desk: Desk, held: readonly Held[]): Promise<void> {
  const { federation } = desk;
  const activities = await readActivities(federation, held).catch((error: unknown) => {
    // Nothing is sent: their leases end by themselves, and their hosts have room again.
    for (const { host } of held) release(federation, host);
    throw error;
  });
  for (const delivery of held) {
    const key = {};
    desk.sending.set(key, performance.now());
    const settled = send(desk, delivery, activities.get(delivery.activityId) ?? null, () => {
      release(federation, delivery.host);
      desk.sending.delete(key);
      wakeAll(desk);
    })
      .catch((error: unknown) =>
        federation.house.log.error({ err: error, deliveryId: delivery._id }, 'a delivery could not be settled'),
      )
      .finally(() => {
        desk.settling.delete(settled);
        wakeAll(desk);
      });
    desk.settling.add(settled);
  }
}

async function readActivities(federation: Federation, held: readonly Delivery[]): Promise<Map<string, Activity>> {
  const ids = [...new Set(held.map((one) => one.activityId))];
  const found = await activitiesIn(federation)
    .find({ _id: { $in: ids } })
    .toArray();
  return new Map(found.map((activity) => [activity._id, activity]));
}

/** How many more may begin now. */
function roomAt({ sending }: Desk): number {
  const now = performance.now();
  const fresh = [...sending.values()].filter((begun) => now - begun < freshMs).length;
  return Math.min(freshInAll - fresh, inAll - sending.size);
}

/** Rows that are called, or due, whose hosts have room and whose lanes are free; held for a minute. Empty: none now. */
async function leaseSome(desk: Desk, room: number): Promise<Held[]> {
  const called = await leaseCalled(desk, room);
  if (called.length > 0) return called;
  for (;;) {
    let candidates = takeCandidates(desk, room);
    if (candidates.length === 0) {
      if (desk.sending.size > 0 && performance.now() - desk.readAt < lookAgainMs) return [];
      desk.backlog = await withoutCrowd(desk.federation, await findDue(desk.federation));
      desk.readAt = performance.now();
      candidates = takeCandidates(desk, room);
    }
    if (candidates.length === 0) return [];
    // Rows that step back or were taken by others are not found again, so every round gets further.
    const free = await whoMayGo(desk.federation, candidates);
    const held = free.length === 0 ? [] : await take(desk.federation, free, { nextAt: { $lte: now(desk) } });
    if (held.length > 0) return held;
  }
}

function now({ federation }: Desk): Date {
  return federation.house.now();
}

/** Those whose turn it is at hosts that rested. */
async function leaseCalled(desk: Desk, room: number): Promise<Held[]> {
  if (desk.sending.size > 0 && performance.now() - desk.calledAt < lookAgainMs) return [];
  const { federation } = desk;
  const found = await callParked(federation, room, (host) => !federation.sending.has(host));
  desk.calledAt = performance.now();
  desk.isDraining = found.isDraining;
  if (found.calls.length === 0) return [];
  const ids = new Map(found.calls.map(({ delivery, callId }) => [delivery._id, callId]));
  const held = await take(
    federation,
    found.calls.map(({ delivery }) => delivery),
    {},
  );
  return held.map((one) => ({ ...one, callId: ids.get(one._id) ?? '' }));
}

/** From the backlog, in its order: at most as many of each host as it has room for. */
function takeCandidates(desk: Desk, room: number): Delivery[] {
  const counts = new Map(desk.federation.sending);
  const ofDomains = countDomains(desk.federation);
  const candidates: Delivery[] = [];
  desk.backlog = desk.backlog.filter((one) => {
    const count = counts.get(one.host) ?? 0;
    const domain = domainOf(one.host);
    const ofDomain = ofDomains.get(domain) ?? 0;
    if (count >= perHost || ofDomain >= perDomain || candidates.length >= room) return true;
    counts.set(one.host, count + 1);
    ofDomains.set(domain, ofDomain + 1);
    candidates.push(one);
    return false;
  });
  return candidates;
}

/** The last two labels of a name; an address as it stands, each of which costs something. */
export function domainOf(host: string): string {
  const name = host.replace(/:\d+$/, '').replace(/\.$/, '');
  return /^[\d.]+$|^\[/.test(name) ? host : name.split('.').slice(-2).join('.');
}

function countDomains({ sending }: Federation): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [host, count] of sending) counts.set(domainOf(host), (counts.get(domainOf(host)) ?? 0) + count);
  return counts;
}

/** When crowded domains alone could hide what is due behind them, their rows step back; a round later the others are found. */
async function withoutCrowd(federation: Federation, due: Delivery[]): Promise<Delivery[]> {
  if (due.length < backlogSize) return due;
  const counts = countDomains(federation);
  const isCrowded = ({ host }: Delivery): boolean => (counts.get(domainOf(host)) ?? 0) >= perDomain;
  const crowd = due.filter(isCrowded);
  if (crowd.length === 0) return due;
  const at = federation.house.now();
  const nextAt = new Date(at.getTime() + crowdedMs);
  const _id = { $in: crowd.map((one) => one._id) };
  await deliveriesIn(federation).updateMany({ _id, state: 'waiting', leaseUntil: { $lte: at } }, { $max: { nextAt } });
  return due.filter((one) => !isCrowded(one));
}

function findDue(federation: Federation): Promise<Delivery[]> {
  const at = federation.house.now();
  const busy = [...federation.sending].flatMap(([host, count]) => (count >= perHost ? [host] : []));
  const due = {
    state: 'waiting' as const,
    nextAt: { $lte: at },
    leaseUntil: { $lte: at },
    ...(busy.length > 0 ? { host: { $nin: busy } } : {}),
  };
  return deliveriesIn(federation)
    .find(due, { sort: { nextAt: 1 }, limit: backlogSize })
    .toArray();
}

/** Those that we got; others were faster for the rest. A row that is held is not due, which keeps looking for others quick. */
async function take(federation: Federation, wanted: readonly Delivery[], also: Filter<Delivery>): Promise<Held[]> {
  const at = federation.house.now();
  const leaseUntil = new Date(at.getTime() + leaseMs);
  const [leaseId, _id] = [newId(), { $in: wanted.map((one) => one._id) }];
  const lease = { leasedBy: federation.workerId, leaseId, leaseUntil, nextAt: leaseUntil };
  const deliveries = deliveriesIn(federation);
  const taken = await deliveries.updateMany(
    { ...also, _id, state: 'waiting', leaseUntil: { $lte: at } },
    { $set: lease, $inc: { attempts: 1 } },
  );
  // When nobody else was there, what was read a moment ago need not be read again.
  const isAll = taken.matchedCount === wanted.length;
  const held = isAll
    ? wanted.map((one) => ({ ...one, ...lease, attempts: one.attempts + 1 }))
    : taken.matchedCount === 0
      ? []
      : await deliveries.find({ _id, leaseId }).toArray();
  for (const { host } of held) federation.sending.set(host, (federation.sending.get(host) ?? 0) + 1);
  return held;
}

function release(federation: Federation, host: string): void {
  const left = (federation.sending.get(host) ?? 1) - 1;
  if (left <= 0) federation.sending.delete(host);
  else federation.sending.set(host, left);
}

/**
 * An Update never overtakes its Create: while an earlier one to the same host is on its way, this one steps back. What is for
 * a host that rests is parked.
 */
async function whoMayGo(federation: Federation, candidates: readonly Delivery[]): Promise<Delivery[]> {
  const deliveries = deliveriesIn(federation);
  const lanes = [...new Set(candidates.map((one) => one.lane))];
  const last = candidates.reduce((seq, one) => (one.seq > seq ? one.seq : seq), '');
  const [before, rests] = await Promise.all([
    deliveries
      .find(
        { lane: { $in: lanes }, state: 'waiting', seq: { $lt: last } },
        { projection: { lane: 1, seq: 1, nextAt: 1, leaseUntil: 1 } },
      )
      .toArray(),
    findRests(
      federation,
      candidates.map((one) => one.host),
    ),
  ]);
  await Promise.all([...rests].map((host) => park(federation, host)));
  const free: Delivery[] = [];
  for (const one of candidates) {
    if (rests.has(one.host)) continue;
    const [earlier] = before.filter(({ lane, seq }) => lane === one.lane && seq < one.seq).sort(bySeq);
    if (earlier === undefined) free.push(one);
    else {
      const nextAt = afterIt(earlier, federation.house.now());
      await deliveries.updateOne({ _id: one._id, state: 'waiting' }, { $max: { nextAt } });
    }
  }
  return free;
}

function bySeq(one: Delivery, other: Delivery): number {
  return one.seq < other.seq ? -1 : 1;
}

/** `ended` is called when the exchange is over: its place is free then, while the outcome is still being written. */
async function send(desk: Desk, delivery: Held, activity: Activity | null, ended: () => void): Promise<void> {
  const { federation } = desk;
  const { host, callId } = delivery;
  const begunAt = federation.house.now();
  let outcome: Outcome | null = null;
  try {
    // Its object was deleted before it went out: the Delete follows, this one has nothing to say any more.
    outcome = activity === null || activity.json === '' ? null : await attempt(federation, delivery, activity);
    if (outcome !== null && !isTaken(outcome)) {
      // Before the next one begins: it must find that this server rests.
      const isFinal = await settleFailure(federation, delivery, outcome, begunAt);
      desk.report[isFinal ? 'failed' : 'postponed'] += 1;
    }
    if (callId !== undefined) await afterCall(federation, host, callId, outcome);
  } finally {
    ended();
  }
  if (outcome === null) return drop(federation, delivery);
  if (isNoInbox(outcome)) await noteGoneInbox(federation, delivery.inbox);
  if (!isTaken(outcome)) return notePeer(federation, delivery.inbox, 'tried');
  desk.report.sent += 1;
  await desk.sent.add(delivery);
  await notePeer(federation, delivery.inbox, 'out');
}

/** What a delivery that was called found out about its host: silent, or there whatever it said, or nothing. */
function afterCall(federation: Federation, host: string, callId: string, outcome: Outcome | null): Promise<void> {
  if (outcome === null || outcome.blame !== null) return callAnother(federation, host, callId);
  return isHostAway(outcome) ? Promise.resolve() : reopenHost(federation, host, callId);
}

/** True: given up. */
async function settleFailure(
  federation: Federation,
  delivery: Delivery,
  outcome: Outcome,
  begunAt: Date,
): Promise<boolean> {
  const { status } = outcome;
  const at = federation.house.now();
  const refusals = delivery.refusals + (isRefusal(status) ? 1 : 0);
  const mistakes = (delivery.mistakes ?? 0) + (outcome.blame === 'ours' ? 1 : 0);
  const error = (outcome.error ?? `HTTP ${status}`).slice(0, 300);
  let verdict = judge({ ...delivery, refusals, mistakes }, outcome, at);
  let nextAt = at;
  if (verdict.follows === 'resting') {
    const rest = await restHost(federation, delivery.host, { begunAt, atLeastMs: verdict.atLeastMs, error, status });
    // A little after the others, so that one that its server never takes is not the one that always knocks.
    nextAt = new Date(rest.nextAt.getTime() + second);
    if (delivery.createdAt <= rest.givenUpTo) verdict = { follows: 'failed', reason: weekReason };
  } else if (verdict.follows === 'waiting') nextAt = new Date(at.getTime() + verdict.ms);
  const counts = mistakes === 0 ? { refusals } : { refusals, mistakes };
  const fields = { ...counts, lastStatus: status, lastError: error, leaseUntil: never };
  const held = { _id: delivery._id, leaseId: delivery.leaseId ?? '' };
  if (verdict.follows !== 'failed') {
    await deliveriesIn(federation).updateOne(held, { $set: { ...fields, nextAt } });
    return false;
  }
  const { reason } = verdict;
  const set = { ...fields, state: 'failed' as const, failedAt: at, lastError: `${reason}: ${error}` };
  await deliveriesIn(federation).updateOne(held, { $set: set });
  const { inbox, activityId } = delivery;
  federation.house.log.warn({ inbox, activityId, reason, status }, 'a delivery was given up');
  return true;
}

/** What has nothing to say any more. */
async function drop(federation: Federation, { _id, leaseId = '' }: Delivery): Promise<void> {
  await deliveriesIn(federation).deleteOne({ _id, leaseId });
}

async function removeSent(federation: Federation, rows: readonly Delivery[]): Promise<void> {
  const _id = { $in: rows.map((row) => row._id) };
  const leaseId = { $in: [...new Set(rows.map((row) => row.leaseId ?? ''))] };
  const inboxes = rows.map(({ inbox }) => inbox);
  // In one commit.
  await Promise.all([deliveriesIn(federation).deleteMany({ _id, leaseId }), noteReached(federation, inboxes)]);
}

/** Collects for a moment what can be written together. */
class Gathered<T> {
  private items: T[] = [];
  private written: Promise<void> = Promise.resolve();

  constructor(
    private readonly ms: number,
    private readonly write: (items: T[]) => Promise<void>,
  ) {}

  /** Resolves when it is written, rejects when that fails. */
  add(item: T): Promise<void> {
    if (this.items.push(item) === 1) this.written = pause(this.ms).then(() => this.write(this.items.splice(0)));
    return this.written;
  }
}

const keepFailedMs = 30 * day;

/** Removes deliveries that were given up, or held by a restore, a month ago; hosts of old failures. Returns how many deliveries. */
export async function pruneDeliveries(federation: Federation): Promise<number> {
  await pruneRests(federation);
  await pruneGoneInboxes(federation);
  const before = new Date(federation.house.now().getTime() - keepFailedMs);
  return (await deliveriesIn(federation).deleteMany({ state: { $in: ['failed', 'held'] }, failedAt: { $lt: before } }))
    .deletedCount;
}

export function deliveriesIn(federation: Federation) {
  return federation.house.store.collection<Delivery>('deliveries');
}
