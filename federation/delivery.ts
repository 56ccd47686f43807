// The queue of what is to be sent: one row for each activity and inbox. A row is held by a lease while it is sent, so that
// many processes may deliver and none of them can lose it; it goes away only after the other side has taken it. What
// fails waits, and its whole host with it; what fails for good is kept with its reason.
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '../server/ids.js';
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
  /** Of this lease alone: whoever holds another one may not settle the row. */
  leaseId?: string;
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
const freshInAll = 64;
const freshMs = 300;
const inAll = 160;
/** While something is under way, how often we look whether anything else has become due. */
const lookAgainMs = 100;
/** Rows that are due, read at once. */
const backlogSize = 300;
/** Rows that were sent are taken away together, this much later at most: what a crash may send twice. */
const gatherMs = 15;
/** How long a host that was not resting is not looked at again. */
const restCheckMs = second;
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
    lane: `${host} ${activity.lane ?? activity.subject}`,
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

/** One call of deliverDue: what it has read, what it sends, what it still has to write. */
interface Run {
  federation: Federation;
  report: DeliveryReport;
  /** Exchanges under way, and since when. */
  sending: Map<object, number>;
  /** What follows an exchange: its row taken away, its peer noted. */
  settling: Set<Promise<void>>;
  backlog: Delivery[];
  readAt: number;
  /** Hosts that were not resting, and when that was looked at. */
  awake: Map<string, number>;
  sent: Gathered<Delivery>;
  wake: () => void;
}

/**
 * Sends what is due until nothing is, or the budget is spent; then waits for what is under way. Two at a time to one host,
 * 64 that have just begun and 160 in all, so that hung hosts delay nobody else.
 */
export async function deliverDue(
  federation: Federation,
  { budgetMs = 20 * second }: { budgetMs?: number } = {},
  signal?: AbortSignal,
): Promise<DeliveryReport> {
  const run: Run = {
    federation,
    report: { sent: 0, postponed: 0, failed: 0 },
    sending: new Map(),
    settling: new Set(),
    backlog: [],
    readAt: Number.NEGATIVE_INFINITY,
    awake: new Map(),
    sent: new Gathered(gatherMs, (rows) => removeSent(federation, rows)),
    wake: () => {},
  };
  const started = performance.now();
  while (!signal?.aborted && performance.now() - started < budgetMs) {
    const room = roomIn(run);
    // Several are taken in one write: while others are under way, a few free places are not worth one.
    const held =
      room >= freshInAll / 2 || (room > 0 && run.sending.size < freshInAll) ? await leaseSome(run, room) : [];
    if (held.length === 0 && run.sending.size === 0 && run.settling.size === 0) break;
    if (held.length === 0) await nextEnd(run);
    else await start(run, held);
  }
  while (run.sending.size > 0 || run.settling.size > 0) await nextEnd(run);
  return run.report;
}

/** Waits until an exchange ends, or for a moment. */
async function nextEnd(run: Run): Promise<void> {
  const timer = new AbortController();
  const ended = new Promise<void>((resolve) => {
    run.wake = resolve;
  });
  await Promise.race([ended, pause(lookAgainMs, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

async function start(run: Run, held: readonly Delivery[]): Promise<void> {
  const { federation } = run;
  const activities = await readActivities(federation, held).catch((error: unknown) => {
    // Nothing is sent: their leases end by themselves, and their hosts have room again.
    for (const { host } of held) release(federation, host);
    throw error;
  });
  for (const delivery of held) {
    const key = {};
    run.sending.set(key, performance.now());
    const settled = send(run, delivery, activities.get(delivery.activityId) ?? null, () => {
      release(federation, delivery.host);
      run.sending.delete(key);
      run.wake();
    })
      .catch((error: unknown) =>
        federation.house.log.error({ err: error, deliveryId: delivery._id }, 'a delivery broke'),
      )
      .finally(() => {
        run.settling.delete(settled);
        run.wake();
      });
    run.settling.add(settled);
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
function roomIn({ sending }: Run): number {
  const now = performance.now();
  const fresh = [...sending.values()].filter((begun) => now - begun < freshMs).length;
  return Math.min(freshInAll - fresh, inAll - sending.size);
}

/** Rows that are due, whose hosts have room and whose lanes are free; held for a minute. Empty: none now. */
async function leaseSome(run: Run, room: number): Promise<Delivery[]> {
  for (;;) {
    let candidates = takeCandidates(run, room);
    if (candidates.length === 0) {
      if (run.sending.size > 0 && performance.now() - run.readAt < lookAgainMs) return [];
      run.backlog = await findDue(run.federation);
      run.readAt = performance.now();
      candidates = takeCandidates(run, room);
    }
    if (candidates.length === 0) return [];
    // Rows that step back or were taken by others are not found again, so every round gets further.
    const free = await whoMayGo(run, candidates);
    const held = free.length === 0 ? [] : await take(run.federation, free);
    if (held.length > 0) return held;
  }
}

/** From the backlog, in its order: at most as many of each host as it has room for. */
function takeCandidates(run: Run, room: number): Delivery[] {
  const counts = new Map(run.federation.sending);
  const candidates: Delivery[] = [];
  run.backlog = run.backlog.filter((one) => {
    const count = counts.get(one.host) ?? 0;
    if (count >= perHost || candidates.length >= room) return true;
    counts.set(one.host, count + 1);
    candidates.push(one);
    return false;
  });
  return candidates;
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
    .find(due, { sort: { nextAt: 1 }, limit: backlogSize })
    .toArray();
}

/** Those that we got; others were faster for the rest. A row that is held is not due, which keeps looking for others quick. */
async function take(federation: Federation, wanted: readonly Delivery[]): Promise<Delivery[]> {
  const now = federation.house.now();
  const leaseUntil = new Date(now.getTime() + leaseMs);
  const [leaseId, _id] = [newId(), { $in: wanted.map((one) => one._id) }];
  const deliveries = deliveriesIn(federation);
  const taken = await deliveries.updateMany(
    { _id, state: 'waiting', nextAt: { $lte: now }, leaseUntil: { $lte: now } },
    { $set: { leasedBy: federation.workerId, leaseId, leaseUntil, nextAt: leaseUntil }, $inc: { attempts: 1 } },
  );
  const held = taken.matchedCount === 0 ? [] : await deliveries.find({ _id, leaseId }).toArray();
  for (const { host } of held) federation.sending.set(host, (federation.sending.get(host) ?? 0) + 1);
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
async function whoMayGo(run: Run, candidates: readonly Delivery[]): Promise<Delivery[]> {
  const deliveries = deliveriesIn(run.federation);
  const now = run.federation.house.now();
  // Of one that is held, nextAt is only the end of its lease.
  const later = ({ nextAt, leaseUntil }: Delivery): Date =>
    new Date(Math.max(leaseUntil > now ? 0 : nextAt.getTime(), now.getTime() + second));
  const lanes = [...new Set(candidates.map((one) => one.lane))];
  const last = candidates.reduce((seq, one) => (one.seq > seq ? one.seq : seq), '');
  const before = await deliveries
    .find(
      { lane: { $in: lanes }, state: 'waiting', seq: { $lt: last } },
      { projection: { lane: 1, seq: 1, nextAt: 1, leaseUntil: 1 } },
    )
    .toArray();
  const free: Delivery[] = [];
  for (const one of candidates) {
    const [earlier] = before.filter(({ lane, seq }) => lane === one.lane && seq < one.seq).sort(bySeq);
    if (earlier !== undefined) {
      await deliveries.updateOne({ _id: one._id, state: 'waiting' }, { $max: { nextAt: later(earlier) } });
      continue;
    }
    const failing = await findResting(run, one.host);
    if (failing === null) free.push(one);
    else await postponeHost(run.federation, one.host, later(failing));
  }
  return free;
}

function bySeq(one: Delivery, other: Delivery): number {
  return one.seq < other.seq ? -1 : 1;
}

/** What waits because its server did not answer; null: nothing. */
async function findResting({ federation, awake }: Run, host: string): Promise<Delivery | null> {
  if (performance.now() - (awake.get(host) ?? Number.NEGATIVE_INFINITY) < restCheckMs) return null;
  const now = federation.house.now();
  const resting = { host, state: 'waiting' as const, nextAt: { $gt: now }, attempts: { $gt: 0 }, refusals: 0 };
  const failing = await deliveriesIn(federation).findOne(
    { ...resting, leaseUntil: { $lte: now } },
    { sort: { nextAt: 1 } },
  );
  if (failing === null) awake.set(host, performance.now());
  return failing;
}

/** `ended` is called when the exchange is over: its place is free then, while the outcome is still being written. */
async function send(run: Run, delivery: Delivery, activity: Activity | null, ended: () => void): Promise<void> {
  const { federation, report } = run;
  let outcome: Outcome | null = null;
  try {
    // Its object was deleted before it went out: the Delete follows, this one has nothing to say any more.
    outcome = activity === null || activity.json === '' ? null : await attempt(federation, delivery, activity);
    if (outcome !== null && !isTaken(outcome)) {
      run.awake.delete(delivery.host);
      // Before the next one begins: it must find that this server rests.
      const isFinal = await settleFailure(federation, delivery, outcome);
      report[isFinal ? 'failed' : 'postponed'] += 1;
    }
  } finally {
    ended();
  }
  if (outcome === null) return run.sent.add(delivery);
  if (!isTaken(outcome)) return notePeer(federation, delivery.inbox, 'tried');
  report.sent += 1;
  await run.sent.add(delivery);
  await notePeer(federation, delivery.inbox, 'out');
  if (delivery.attempts > 1) await reopenHost(federation, delivery.host);
}

function isTaken({ status }: Outcome): boolean {
  return status !== null && status >= 200 && status < 300;
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
  const held = { _id: delivery._id, leaseId: delivery.leaseId ?? '' };
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

async function removeSent(federation: Federation, rows: readonly Delivery[]): Promise<void> {
  const _id = { $in: rows.map((row) => row._id) };
  const leaseId = { $in: [...new Set(rows.map((row) => row.leaseId ?? ''))] };
  await deliveriesIn(federation).deleteMany({ _id, leaseId });
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
