// The queue of what is to be sent: one row for each activity and inbox. A row is held by a lease while it is sent, so that
// many processes may deliver and none of them can lose it; it goes away only after the other side has taken it. What
// fails waits, and its whole host with it; what fails for good is kept with its reason.
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { findHeldBefore } from '../server/instances/peerQueries.js';
import { readPolicy } from '../server/instances/queries.js';
import { isRefusedPeer } from '../server/instances/rules.js';
import { listFollowerInboxes } from '../server/partners/queries.js';
import { type Doc, DuplicateKeyError } from '../server/store/store.js';
import { type Activity, activitiesIn } from './activities.js';
import { keysOf } from './actorKeys.js';
import type { Federation } from './federation.js';
import { activityType, FetchError } from './fetch.js';
import { synchronisationHeader } from './followerSync.js';
import { postSigned } from './knocking.js';
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
  createdAt: Date;
  nextAt: Date;
  leasedBy: string;
  leaseUntil: Date;
  lastStatus: number | null;
  lastError: string | null;
  failedAt: Date | null;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Longer than one exchange can take, and a second one with the other signature. */
const leaseMs = minute;
const perHost = 2;
/** Deliveries that have just begun. One that takes longer gives its place up, so that hung servers delay nobody else. */
const freshInAll = 20;
const freshMs = 300;
const inAll = 100;
/** While something is under way, how often we look whether anything else has become due. */
const lookAgainMs = 100;
/** Followers read at once. */
const pageSize = 500;
/** Waits after each failure; the last one repeats until the week is over. */
const waits = [minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 12 * hour];
const giveUpAfterMs = 7 * 24 * hour;
const maxRefusals = 5;
const never = new Date(0);

/** Gives each recipient of an activity its row. Resumable: a crash in the middle goes on after the last inbox done. */
export async function fanOut(federation: Federation, activity: Activity): Promise<void> {
  const { _id } = activity;
  const direct = new Set(activity.inboxes);
  await enqueue(federation, activity, activity.inboxes);
  const followed = federation.apex.actorIri(activity.actor);
  for (let cursor = activity.fanOutCursor, isLast = !activity.toFollowers; !isLast; ) {
    const page = await listFollowerInboxes(federation.house.store, followed, cursor, pageSize);
    await enqueue(
      federation,
      activity,
      page.inboxes.filter((inbox) => !direct.has(inbox)),
    );
    isLast = page.isLast;
    cursor = page.inboxes.at(-1) ?? cursor;
    await activitiesIn(federation).updateOne({ _id }, { $set: { fanOutCursor: cursor } });
  }
  await activitiesIn(federation).updateOne({ _id }, { $set: { isFannedOut: true } });
}

/** Rows that are there already (from before a crash) stay as they are. */
async function enqueue(federation: Federation, activity: Activity, inboxes: readonly string[]): Promise<void> {
  if (inboxes.length === 0) return;
  const now = federation.house.now();
  try {
    const policy = await readPolicy(federation.house.store);
    const wanted = inboxes.filter(
      (inbox) => !isRefusedPeer(policy, inbox) && new URL(inbox).host !== activity.exceptHost,
    );
    if (wanted.length === 0) return;
    const heldBefore = await findHeldBefore(federation.house.store);
    const isHeld = heldBefore !== null && activity.at <= heldBefore;
    const rows = wanted.map((inbox) => newDelivery(activity, inbox, now, isHeld));
    await deliveriesIn(federation).insertMany(rows, { ordered: false });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

function newDelivery(activity: Activity, inbox: string, now: Date, isHeld: boolean): Delivery {
  const { host } = new URL(inbox);
  return {
    _id: deliveryKey(activity._id, inbox),
    activityId: activity._id,
    actor: activity.actor,
    inbox,
    host,
    lane: `${host} ${activity.subject}`,
    seq: activity.seq ?? activity._id,
    state: isHeld ? 'held' : 'waiting',
    attempts: 0,
    refusals: 0,
    createdAt: now,
    nextAt: now,
    leasedBy: '',
    leaseUntil: never,
    lastStatus: null,
    lastError: null,
    failedAt: isHeld ? now : null,
  };
}

function deliveryKey(activityId: string, inbox: string): string {
  return `${activityId} ${createHash('sha256').update(inbox).digest('hex').slice(0, 32)}`;
}

export interface DeliveryReport {
  sent: number;
  postponed: number;
  failed: number;
}

/**
 * Sends what is due until nothing is, or the budget is spent; then waits for what is under way. Two at a time to one host,
 * twenty that have just begun and a hundred in all, so that hung hosts delay nobody else.
 */
export async function deliverDue(
  federation: Federation,
  { budgetMs = 20 * second }: { budgetMs?: number } = {},
  signal?: AbortSignal,
): Promise<DeliveryReport> {
  const report: DeliveryReport = { sent: 0, postponed: 0, failed: 0 };
  const running = new Map<Promise<void>, number>();
  const started = performance.now();
  while (!signal?.aborted && performance.now() - started < budgetMs) {
    const room = roomIn(running);
    const held = room > 0 ? await leaseSome(federation, room) : [];
    if (held.length === 0 && running.size === 0) break;
    if (held.length === 0) await Promise.race([...running.keys(), pause(lookAgainMs)]);
    for (const delivery of held) {
      const work = send(federation, delivery, report)
        .catch((error: unknown) =>
          federation.house.log.error({ err: error, deliveryId: delivery._id }, 'a delivery broke'),
        )
        .finally(() => {
          release(federation, delivery.host);
          running.delete(work);
        });
      running.set(work, performance.now());
    }
  }
  await Promise.all(running.keys());
  return report;
}

/** How many more may begin now. */
function roomIn(running: ReadonlyMap<unknown, number>): number {
  const now = performance.now();
  const fresh = [...running.values()].filter((begun) => now - begun < freshMs).length;
  return Math.min(freshInAll - fresh, inAll - running.size);
}

/**
 * Rows that are due, whose hosts have room and whose lanes are free; held for a minute. Several at once, because the store
 * writes several as fast as one. Empty: none.
 */
async function leaseSome(federation: Federation, room: number): Promise<Delivery[]> {
  // Rows that step back or were taken by others are not found again, so every round gets further.
  for (;;) {
    const candidates = withinHosts(federation, await findDue(federation)).slice(0, room);
    if (candidates.length === 0) return [];
    const held = await Promise.all(
      candidates.map(async (one) => ((await stepsBack(federation, one)) ? null : take(federation, one))),
    );
    const taken = held.filter((one) => one !== null);
    if (taken.length > 0) return taken;
  }
}

/** At most as many of each host as it has room for. */
function withinHosts(federation: Federation, candidates: readonly Delivery[]): Delivery[] {
  const counts = new Map(federation.sending);
  return candidates.filter(({ host }) => {
    const count = counts.get(host) ?? 0;
    counts.set(host, count + 1);
    return count < perHost;
  });
}

function findDue(federation: Federation): Promise<Delivery[]> {
  const now = federation.house.now();
  const busy = [...federation.sending].flatMap(([host, count]) => (count >= perHost ? [host] : []));
  const due = {
    state: 'waiting' as const,
    nextAt: { $lte: now },
    leaseUntil: { $lte: now },
    ...(busy.length > 0 ? { host: { $nin: busy } } : {}),
  };
  return deliveriesIn(federation)
    .find(due, { sort: { nextAt: 1 }, limit: 20 })
    .toArray();
}

/** Null: another worker was faster. */
async function take(federation: Federation, { _id }: Delivery): Promise<Delivery | null> {
  const now = federation.house.now();
  const leaseUntil = new Date(now.getTime() + leaseMs);
  const held = await deliveriesIn(federation).findOneAndUpdate(
    { _id, state: 'waiting', leaseUntil: { $lte: now } },
    { $set: { leasedBy: federation.workerId, leaseUntil }, $inc: { attempts: 1 } },
    { returnDocument: 'after' },
  );
  if (held !== null) federation.sending.set(held.host, (federation.sending.get(held.host) ?? 0) + 1);
  return held;
}

function release(federation: Federation, host: string): void {
  const left = (federation.sending.get(host) ?? 1) - 1;
  if (left <= 0) federation.sending.delete(host);
  else federation.sending.set(host, left);
}

/**
 * An Update never overtakes its Create: while an earlier one to the same host is on its way, this one steps back. And while
 * one waits because its server did not answer, all others for that server wait with it: one or two knocks each time.
 */
async function stepsBack(federation: Federation, { _id, host, lane, seq }: Delivery): Promise<boolean> {
  const deliveries = deliveriesIn(federation);
  const now = federation.house.now();
  const later = (one: Delivery): Date => new Date(Math.max(one.nextAt.getTime(), now.getTime() + second));
  const earlier = await deliveries.findOne({ lane, state: 'waiting', seq: { $lt: seq } }, { sort: { seq: 1 } });
  if (earlier !== null) {
    await deliveries.updateOne({ _id, state: 'waiting' }, { $max: { nextAt: later(earlier) } });
    return true;
  }
  const resting = { host, state: 'waiting' as const, nextAt: { $gt: now }, attempts: { $gt: 0 }, refusals: 0 };
  const failing = await deliveries.findOne(resting, { sort: { nextAt: 1 } });
  if (failing === null) return false;
  await postponeHost(federation, host, later(failing));
  return true;
}

async function send(federation: Federation, delivery: Delivery, report: DeliveryReport): Promise<void> {
  const activity = await activitiesIn(federation).findOne({ _id: delivery.activityId });
  // Its object was deleted before it went out: the Delete follows, this one has nothing to say any more.
  if (activity === null || activity.json === '') return done(federation, delivery);
  const outcome = await attempt(federation, delivery, activity);
  if (outcome.status !== null && outcome.status >= 200 && outcome.status < 300) {
    report.sent += 1;
    await done(federation, delivery);
    await notePeer(federation, delivery.inbox, 'out');
    if (delivery.attempts > 1) await reopenHost(federation, delivery.host);
    return;
  }
  await notePeer(federation, delivery.inbox, 'tried');
  const isFinal = await settleFailure(federation, delivery, outcome);
  report[isFinal ? 'failed' : 'postponed'] += 1;
}

interface Outcome {
  status: number | null;
  /** Seconds that the other side asked for; null: nothing said. */
  retryAfter: number | null;
  error: string | null;
  /** The address itself is refused: it will not get better by waiting. */
  isHopeless: boolean;
}

async function attempt(federation: Federation, delivery: Delivery, activity: Activity): Promise<Outcome> {
  try {
    const { rsa } = await keysOf(federation, delivery.actor);
    const synchronisation = activity.toFollowers
      ? await synchronisationHeader(federation, delivery.actor, delivery.inbox)
      : null;
    const request = {
      method: 'POST',
      url: new URL(delivery.inbox),
      body: Buffer.from(activity.json),
      contentType: activityType,
      headers: synchronisation === null ? {} : { 'collection-synchronization': synchronisation },
    };
    const answer = await postSigned(federation, request, { keyId: rsa.id, privateKey: rsa.privateKey });
    return { ...answer, error: null, isHopeless: false };
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return { status: null, retryAfter: null, error: error.message, isHopeless: error.reason === 'refused-address' };
  }
}

/** RL-06. True: given up. */
async function settleFailure(federation: Federation, delivery: Delivery, outcome: Outcome): Promise<boolean> {
  const { status } = outcome;
  const now = federation.house.now().getTime();
  const refusals = delivery.refusals + (status === 401 || status === 403 ? 1 : 0);
  const reason = reasonToGiveUp(delivery, outcome, refusals, now);
  const fields = {
    refusals,
    lastStatus: status,
    lastError: (outcome.error ?? `HTTP ${status}`).slice(0, 300),
    leaseUntil: never,
  };
  const held = { _id: delivery._id, leasedBy: federation.workerId };
  if (reason !== null) {
    const set = {
      ...fields,
      state: 'failed' as const,
      failedAt: new Date(now),
      lastError: `${reason}: ${fields.lastError}`,
    };
    await deliveriesIn(federation).updateOne(held, { $set: set });
    federation.house.log.warn(
      { inbox: delivery.inbox, activityId: delivery.activityId, reason, status },
      'a delivery was given up',
    );
    return true;
  }
  const nextAt = new Date(now + waitMs(delivery.attempts, outcome.retryAfter));
  await deliveriesIn(federation).updateOne(held, { $set: { ...fields, nextAt } });
  return false;
}

function reasonToGiveUp(delivery: Delivery, outcome: Outcome, refusals: number, now: number): string | null {
  const { isHopeless, status } = outcome;
  if (isHopeless) return 'address refused';
  if (status === 404 || status === 410) return 'inbox gone';
  if (refusals >= maxRefusals) return 'refused';
  const isRefusal = status === 401 || status === 403;
  if (status !== null && status >= 400 && status < 500 && !isRefusal && ![408, 425, 429].includes(status))
    return 'not accepted';
  if (status !== null && status >= 300 && status < 400 && delivery.attempts >= maxRefusals) return 'redirects';
  return now - delivery.createdAt.getTime() >= giveUpAfterMs ? 'no answer for a week' : null;
}

/** With a fifth of chance either way, so that a thousand rows do not come back in the same second. */
function waitMs(attempts: number, retryAfter: number | null): number {
  const wait = waits[Math.min(attempts, waits.length) - 1] ?? minute;
  return Math.max(wait * (0.8 + 0.4 * Math.random()), (retryAfter ?? 0) * second);
}

async function postponeHost(federation: Federation, host: string, nextAt: Date): Promise<void> {
  await deliveriesIn(federation).updateMany({ host, state: 'waiting', nextAt: { $lt: nextAt } }, { $max: { nextAt } });
}

/** A server that had failed answers again: what waits for it need not wait longer. */
async function reopenHost(federation: Federation, host: string): Promise<void> {
  const nextAt = new Date(federation.house.now().getTime() + second);
  await deliveriesIn(federation).updateMany({ host, state: 'waiting', nextAt: { $gt: nextAt } }, { $set: { nextAt } });
}

async function done(federation: Federation, { _id }: Delivery): Promise<void> {
  await deliveriesIn(federation).deleteOne({ _id, leasedBy: federation.workerId });
}

const keepFailedDays = 30;

/** Removes deliveries that were given up, or held by a restore, a month ago. Returns how many. */
export async function pruneDeliveries(federation: Federation): Promise<number> {
  const before = new Date(federation.house.now().getTime() - keepFailedDays * 24 * hour);
  return (await deliveriesIn(federation).deleteMany({ state: { $in: ['failed', 'held'] }, failedAt: { $lt: before } }))
    .deletedCount;
}

export function deliveriesIn(federation: Federation) {
  return federation.house.store.collection<Delivery>('deliveries');
}
