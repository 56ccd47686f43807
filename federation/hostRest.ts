// Hosts that did not answer, one document each: how often in a row, since when, when they are asked next. What waits for such
// a host is parked and waits for it, not by itself: one delivery at a time knocks, and when that one was taken, the others
// follow a few a second. What other instances know of deliveries is in delivery.ts; nothing is sent here.
import { newId } from '../server/ids.js';
import { parkedAt } from '../server/instances/peerQueries.js';
import { type Doc, DuplicateKeyError, type Filter } from '../server/store/store.js';
import type { Delivery } from './delivery.js';
import type { Federation } from './federation.js';

export interface HostRest extends Doc {
  /** _id: the host. Failures in a row; 0: it answers again, and what was parked is on its way. */
  failures: number;
  since: Date;
  /** Of the last failure that was counted. */
  at: Date;
  /** When the next parked delivery is called; `parkedAt`: nothing waits. */
  nextAt: Date;
  /** Of the delivery called last: only what that one finds out opens the host again. */
  callId: string;
  lastError: string;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/** Waits after each failure in a row. From the third on no host is asked more than once in half an hour (RL-05). */
const waits = [minute, 5 * minute, 30 * minute, hour, 3 * hour, 6 * hour, 12 * hour];
const weekMs = 7 * day;
/** After this a host that nothing waits for is forgotten. */
const forgetMs = 30 * day;
/** As long as the lease of the delivery that knocks. */
const knockMs = minute;
/** Two deliveries at a time, this far apart. */
const paceMs = second / 2;
const atOnce = 2;
/** How many due and how many parked deliveries are looked at to find the next ones. */
const looked = 10;
export function hostRestsIn(federation: Federation) {
  return federation.house.store.collection<HostRest>('hostRests');
}

function deliveriesIn(federation: Federation) {
  return federation.house.store.collection<Delivery>('deliveries');
}

/** Those of these hosts that rest, or that are only coming back. */
export async function findRests(federation: Federation, hosts: readonly string[]): Promise<Set<string>> {
  const found = await hostRestsIn(federation)
    .find({ _id: { $in: [...new Set(hosts)] } }, { projection: { _id: 1 } })
    .toArray();
  return new Set(found.map(({ _id }) => _id));
}

/**
 * A host did not answer an exchange that began at `begunAt`. Exchanges that were under way together count once. Returns when
 * it is asked next, and what was made before `givenUpTo` is given up: a host that is silent for a week gets none of it.
 */
export async function restHost(
  federation: Federation,
  host: string,
  { begunAt, atLeastMs, error, status }: { begunAt: Date; atLeastMs: number; error: string; status: number | null },
): Promise<{ nextAt: Date; givenUpTo: Date }> {
  const now = federation.house.now();
  for (;;) {
    const known = await hostRestsIn(federation).findOne({ _id: host });
    const isCounted = known !== null && known.failures > 0 && known.at > begunAt;
    const failures = (known?.failures ?? 0) + (isCounted ? 0 : 1);
    const since = known === null || known.failures === 0 ? now : known.since;
    const wait = Math.max(isCounted ? 0 : waitAfter(failures), atLeastMs);
    const nextAt = new Date(Math.max(now.getTime() + wait, isCounted ? known.nextAt.getTime() : 0));
    const fields = { failures, since, at: isCounted ? known.at : now, nextAt, callId: '', lastError: error };
    if (!(await put(federation, host, known, fields))) continue;
    const givenUpTo = new Date(now.getTime() - since.getTime() >= weekMs ? now.getTime() - weekMs : 0);
    await giveUp(federation, host, givenUpTo, { error: `${weekReason}: ${error}`, status });
    return { nextAt, givenUpTo };
  }
}

export const weekReason = 'no answer for a week';

/** With up to a fifth more by chance, so that hosts that failed together do not come back together. */
function waitAfter(failures: number): number {
  return (waits[Math.min(failures, waits.length) - 1] ?? minute) * (1 + Math.random() / 5);
}

/** False: somebody else was faster. */
async function put(
  federation: Federation,
  host: string,
  known: HostRest | null,
  fields: Omit<HostRest, '_id'>,
): Promise<boolean> {
  if (known !== null) {
    const same = { _id: host, at: known.at, failures: known.failures, callId: known.callId };
    return (await hostRestsIn(federation).updateOne(same, { $set: fields })).matchedCount === 1;
  }
  try {
    await hostRestsIn(federation).insertOne({ _id: host, ...fields });
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}

async function giveUp(
  federation: Federation,
  host: string,
  to: Date,
  { error, status }: { error: string; status: number | null },
): Promise<void> {
  if (to.getTime() === 0) return;
  const now = federation.house.now();
  const { matchedCount } = await deliveriesIn(federation).updateMany(
    { host, state: 'waiting', createdAt: { $lte: to }, leaseUntil: { $lte: now } },
    { $set: { state: 'failed', failedAt: now, lastError: error, lastStatus: status } },
  );
  if (matchedCount === 0) return;
  federation.house.log.warn({ host, count: matchedCount, reason: error }, 'deliveries were given up');
}

/** What is due for a host that rests waits for it from now on. */
export async function park(federation: Federation, host: string): Promise<void> {
  const now = federation.house.now();
  await deliveriesIn(federation).updateMany(
    { host, state: 'waiting', nextAt: { $lte: now }, leaseUntil: { $lte: now } },
    { $set: { nextAt: parkedAt } },
  );
  await seeThatCalled(federation, host);
}

/** What is parked is never without a document that calls it. */
export async function seeThatCalled(federation: Federation, host: string): Promise<void> {
  const now = federation.house.now();
  await hostRestsIn(federation).updateOne({ _id: host, nextAt: parkedAt }, { $set: { nextAt: now } });
  if (await hostRestsIn(federation).findOne({ _id: host }, { projection: { _id: 1 } })) return;
  await put(federation, host, null, { failures: 0, since: now, at: now, nextAt: now, callId: '', lastError: '' });
}

export interface Call {
  delivery: Delivery;
  callId: string;
}

/**
 * The deliveries whose turn it is to go to a host that rested: of one that still rests, a single one. `hasRoom` says whether
 * a host may be called at all now. isDraining: some host is coming back, so that looking again soon is worth it.
 */
export async function callParked(
  federation: Federation,
  room: number,
  hasRoom: (host: string) => boolean,
): Promise<{ calls: Call[]; isDraining: boolean }> {
  const now = federation.house.now();
  const found = await hostRestsIn(federation)
    .find({ nextAt: { $lte: new Date(now.getTime() + 2 * paceMs) } }, { sort: { nextAt: 1 } })
    .toArray();
  const due = found.filter(({ _id, nextAt }) => nextAt <= now && hasRoom(_id));
  const calls = await Promise.all(due.slice(0, Math.ceil(room / atOnce)).map((rest) => callHost(federation, rest)));
  return { calls: calls.flat(), isDraining: found.some(({ failures }) => failures === 0) };
}

async function callHost(federation: Federation, { _id: host, nextAt, failures }: HostRest): Promise<Call[]> {
  const now = federation.house.now();
  const callId = newId();
  const next = new Date(now.getTime() + (failures > 0 ? knockMs : paceMs));
  const claimed = await hostRestsIn(federation).updateOne({ _id: host, nextAt }, { $set: { nextAt: next, callId } });
  if (claimed.matchedCount === 0) return [];
  const line = await nextInLine(federation, host, failures > 0 ? 1 : atOnce);
  if (line.length === 0) await noneToCall(federation, host, callId, failures);
  return line.map((delivery) => ({ delivery, callId }));
}

/** Those tried least first, so that one that its server never takes keeps nobody waiting; in order for each lane. */
async function nextInLine(federation: Federation, host: string, count: number): Promise<Delivery[]> {
  const now = federation.house.now();
  const waiting = { host, state: 'waiting' as const, leaseUntil: { $lte: now } };
  const find = (filter: Filter<Delivery>, sort: Record<string, 1>) =>
    deliveriesIn(federation).find(filter, { sort, limit: looked }).toArray();
  const due = await find({ ...waiting, nextAt: { $lte: now } }, { nextAt: 1 });
  const parked = await find({ ...waiting, nextAt: parkedAt }, { _id: 1 });
  const line = new Map<string, Delivery>();
  for (const one of [...due, ...parked].sort((a, b) => a.attempts - b.attempts || (a._id < b._id ? -1 : 1))) {
    if (line.size >= count) break;
    const earlier = await deliveriesIn(federation).findOne(
      { lane: one.lane, state: 'waiting', seq: { $lt: one.seq } },
      { sort: { seq: 1 } },
    );
    const first = earlier ?? one;
    const isFree = first.leaseUntil <= now && (first.nextAt <= now || first.nextAt.getTime() === parkedAt.getTime());
    if (isFree) line.set(first._id, first);
    else await deliveriesIn(federation).updateOne({ _id: one._id }, { $set: { nextAt: afterIt(first, now) } });
  }
  return [...line.values()];
}

/** When a delivery that stands behind another one in its lane is looked at again. Of one that is held, nextAt is only the end of its lease. */
export function afterIt({ nextAt, leaseUntil }: Pick<Delivery, 'nextAt' | 'leaseUntil'>, now: Date): Date {
  return new Date(Math.max(leaseUntil > now ? 0 : nextAt.getTime(), now.getTime() + second));
}

/** A host that answers is as any other again. Of one that does not, it is remembered, and asked when something is there. */
async function noneToCall(federation: Federation, host: string, callId: string, failures: number): Promise<void> {
  const called = { _id: host, callId };
  const next = await deliveriesIn(federation).findOne(
    { host, state: 'waiting' },
    { sort: { nextAt: 1 }, projection: { nextAt: 1 } },
  );
  if (failures > 0) await hostRestsIn(federation).updateOne(called, { $set: { nextAt: next?.nextAt ?? parkedAt } });
  else await hostRestsIn(federation).deleteOne(called);
  // Parked by somebody who still saw the document as it was.
  const left = { host, state: 'waiting' as const, nextAt: parkedAt };
  if (await deliveriesIn(federation).findOne(left, { projection: { _id: 1 } })) await seeThatCalled(federation, host);
}

/** The delivery that was called has arrived: the others follow. */
export async function reopenHost(federation: Federation, host: string, callId: string): Promise<void> {
  const now = federation.house.now();
  const called = { _id: host, callId, failures: { $gt: 0 } };
  await hostRestsIn(federation).updateOne(called, { $set: { failures: 0, nextAt: now, lastError: '' } });
}

/** The delivery that was called was not sent after all: another one is. */
export async function callAnother(federation: Federation, host: string, callId: string): Promise<void> {
  await hostRestsIn(federation).updateOne({ _id: host, callId }, { $set: { nextAt: federation.house.now() } });
}

/** Forgets hosts that nothing has waited for in a month, and sees that nothing is parked without being called. */
export async function pruneRests(federation: Federation): Promise<number> {
  const at = { $lt: new Date(federation.house.now().getTime() - forgetMs) };
  const { deletedCount } = await hostRestsIn(federation).deleteMany({ nextAt: parkedAt, at });
  for (const host of await deliveriesIn(federation).distinct('host', { state: 'waiting', nextAt: parkedAt })) {
    if (typeof host === 'string') await seeThatCalled(federation, host);
  }
  return deletedCount;
}
