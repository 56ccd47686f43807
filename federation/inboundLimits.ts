// How much is taken from whom, at the inboxes and from those who sign what they read: bounded by address before a signature is
// known to hold, by host after. What a host is refused is counted for the administrators.
import type { Request } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { peersIn } from '../server/instances/peerQueries.js';
import { readPolicy } from '../server/instances/queries.js';
import { inboundLimitOf, usualInboundLimit } from '../server/instances/rules.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { type Errand, newErrand } from './errand.js';
import type { Federation } from './federation.js';
import type { WindowLimit } from './limits.js';
import { Refusal } from './refusal.js';
import { GoneError } from './remoteActors.js';

export function tooMany(limit: WindowLimit): Refusal {
  return new Refusal(429, 'too many requests', limit.restSeconds);
}

/**
 * Looks at a signature unless too many from the same address did not hold. Refuses 429 then: unsigned requests, unknown keys
 * and forged ones cost a bounded number of looks and fetches, whatever names they bear.
 */
export async function strangersLimited<T>(
  federation: Federation,
  req: Request,
  look: (errand: Errand) => Promise<T>,
): Promise<T> {
  const address = blockOf(req.ip ?? '');
  if (federation.strangerLimit.isFull(address)) throw tooMany(federation.strangerLimit);
  // Counted while it is looked at too: many at once are as much as many one after the other.
  federation.strangerLimit.take(address);
  let isLost = false;
  try {
    return await look(newErrand(address));
  } catch (error) {
    isLost = error instanceof GoneError || (error instanceof Refusal && [401, 403, 503].includes(error.status));
    throw error;
  } finally {
    if (!isLost) federation.strangerLimit.giveBack(address);
  }
}

/** An IPv6 address counts with all others of its network (/64), which one household or server has to itself. */
export function blockOf(ip: string): string {
  return ipKeyGenerator(ip.replace(/^::ffff:(?=\d+\.)/i, ''), 64);
}

/** Refuses (429) what comes from a host above its limit, all its actors together. */
export async function limitHost(federation: Federation, sender: RemoteActor): Promise<void> {
  const { host } = new URL(sender._id);
  const policy = await readPolicy(federation.house.store);
  if (federation.hostLimit.take(host, inboundLimitOf(policy, host))) return;
  countRefused(federation, host);
  throw tooMany(federation.hostLimit);
}

/** Besides its own bytes: the record by which a repeat is known. */
const bytesOfRecord = 500;

/** Refuses (429) what would be kept of a host that has sent its bytes for today; more where administrators take more of it. */
export async function checkBytes(federation: Federation, { host }: RemoteActor): Promise<void> {
  const share = inboundLimitOf(await readPolicy(federation.house.store), host) / usualInboundLimit;
  if (!federation.bytesLimit.isFull(host, Math.max(1, share))) return;
  countRefused(federation, host);
  throw tooMany(federation.bytesLimit);
}

/** Counts what was taken in, as it came. */
export function countBytes(federation: Federation, { host }: RemoteActor, bytes: number): void {
  federation.bytesLimit.add(host, bytes + bytesOfRecord);
}

/** Milliseconds for which refusals are counted in memory before they are written: a flood must not become writes. */
const writeAfterMs = 5_000;
const counted = new WeakMap<Federation, Map<string, number>>();

function countRefused(federation: Federation, host: string): void {
  const counts = counted.get(federation) ?? new Map<string, number>();
  counted.set(federation, counts);
  if (counts.size === 0) setTimeout(() => void writeRefused(federation), writeAfterMs).unref();
  counts.set(host, (counts.get(host) ?? 0) + 1);
}

/** Writes how many were refused since the last time. Never throws: a count may be lost, an answer may not. */
export async function writeRefused(federation: Federation): Promise<void> {
  const counts = [...(counted.get(federation) ?? [])];
  counted.delete(federation);
  const refusedDay = federation.house.now().toISOString().slice(0, 10);
  const peers = peersIn(federation.house.store);
  try {
    for (const [_id, refusedCount] of counts) {
      const more = await peers.updateOne({ _id, refusedDay }, { $inc: { refusedCount } });
      if (more.matchedCount === 0) await peers.updateOne({ _id }, { $set: { refusedDay, refusedCount } });
    }
  } catch (error) {
    federation.house.log.warn({ err: error }, 'refused activities could not be counted');
  }
}
