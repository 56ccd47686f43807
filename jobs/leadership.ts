// Which of several processes on one store runs the jobs: a lease with a fencing token (security.md RL-14). A process
// that was paused beyond its lease finds its token too old and does nothing more.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Lease } from '../server/instances/schema.js';
import { DuplicateKeyError, type Store } from '../server/store/store.js';

const leaseId = 'jobs';

export interface Leadership {
  /** Takes or renews the lease. Null: another process holds it. Else the fencing token of this holder. */
  claim(): Promise<number | null>;
  /** The token, as long as this process may believe in it without asking the store (monotonic clock). */
  current(): number | null;
  release(): Promise<void>;
}

export interface LeaseOptions {
  /** Milliseconds that a lease lasts without renewal. */
  ttlMs?: number;
  holder?: string;
}

export function leadership(store: Store, now: () => Date, options: LeaseOptions = {}): Leadership {
  const leases = store.collection<Lease>('leases');
  const ttlMs = options.ttlMs ?? 60_000;
  const holder = options.holder ?? `${hostname()}:${process.pid}:${randomBytes(6).toString('hex')}`;
  let fence: number | null = null;
  let believedUntil = 0;
  let isFirstClaim = true;

  function until(): Date {
    return new Date(now().getTime() + ttlMs);
  }

  async function renew(): Promise<boolean> {
    if (fence === null) return false;
    const renewed = await leases.updateOne({ _id: leaseId, holder, fence }, { $set: { until: until() } });
    return renewed.matchedCount === 1;
  }

  async function take(): Promise<number | null> {
    const at = now();
    const lost = await lostHolder();
    // A date far ahead was written by a clock that ran wrong: it binds nobody.
    const tooFar = new Date(at.getTime() + 10 * ttlMs);
    const taken = await leases.findOneAndUpdate(
      { _id: leaseId, $or: [{ until: { $lte: at } }, { until: { $gt: tooFar } }, { holder: lost }] },
      { $set: { holder, until: until() }, $inc: { fence: 1 } },
      { returnDocument: 'after' },
    );
    if (taken) return taken.fence;
    try {
      await leases.insertOne({ _id: leaseId, holder, until: until(), fence: 1 });
      return 1;
    } catch (error) {
      if (error instanceof DuplicateKeyError) return null;
      throw error;
    }
  }

  /** The holder's name if it was a process of this machine that is gone, so that a restart need not wait. */
  async function lostHolder(): Promise<string> {
    if (!isFirstClaim) return '';
    isFirstClaim = false;
    const lease = await leases.findOne({ _id: leaseId });
    const [host, pid] = lease?.holder.split(':') ?? [];
    return lease && host === hostname() && !isAlive(Number(pid)) ? lease.holder : '';
  }

  return {
    async claim() {
      const asked = performance.now();
      if (!(await renew())) fence = await take();
      believedUntil = fence === null ? 0 : asked + ttlMs * 0.9;
      return fence;
    },
    current: () => (performance.now() < believedUntil ? fence : null),
    async release() {
      const held = fence;
      fence = null;
      believedUntil = 0;
      if (held !== null)
        await leases.updateOne({ _id: leaseId, holder, fence: held }, { $set: { until: new Date(0) } });
    },
  };
}

/** A number that is our own was a process before this one (containers count from 1 again). */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
