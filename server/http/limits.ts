// How often something may be tried, counted in the store so that a restart or a second process forgets nothing.
// Addresses and account names are kept as keyed hashes only, and for a day at most.
import { createHmac, randomBytes } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { type Store as CounterStore, ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { DomainError } from '../errors.js';
import type { House } from '../house.js';
import { deriveKey } from '../secrets.js';
import { type Coll, type Doc, DuplicateKeyError, type Store } from '../store/store.js';

interface Counter extends Doc {
  hits: number;
  windowMs: number;
  resetAt: Date;
  /** A day after the window: until then a new window after an exhausted one is longer. */
  expiresAt: Date;
}

export const limitIndexes = { limits: [{ keys: { expiresAt: 1 as const } }] };

const day = 24 * 60 * 60 * 1000;

export interface Limit {
  /** Names the counter: "sign-in.account". */
  name: string;
  /** Tries in one window. */
  limit: number;
  windowMs: number;
  /** Each window that follows an exhausted one within a day is twice as long, up to a day. */
  grows?: boolean;
}

interface Count {
  hits: number;
  resetAt: Date;
}

/** Counts one try. Safe under parallel tries. */
async function count(counters: Coll<Counter>, limit: Limit, key: string, now: Date): Promise<Count> {
  const _id = `${limit.name}:${key}`;
  for (;;) {
    const running = await counters.findOneAndUpdate(
      { _id, resetAt: { $gt: now } },
      { $inc: { hits: 1 } },
      { returnDocument: 'after' },
    );
    if (running) return { hits: running.hits, resetAt: running.resetAt };
    const before = await counters.findOne({ _id });
    const windowMs = nextWindow(limit, before, now);
    const resetAt = new Date(now.getTime() + windowMs);
    const first = { hits: 1, windowMs, resetAt, expiresAt: new Date(resetAt.getTime() + day) };
    if (before) {
      const begun = await counters.updateOne({ _id, resetAt: before.resetAt }, { $set: first });
      if (begun.matchedCount === 1) return { hits: 1, resetAt };
    } else {
      try {
        await counters.insertOne({ _id, ...first });
        return { hits: 1, resetAt };
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
      }
    }
  }
}

function nextWindow(limit: Limit, before: Counter | null, now: Date): number {
  if (!limit.grows || !before || before.hits <= limit.limit || before.expiresAt <= now) return limit.windowMs;
  return Math.min(before.windowMs * 2, day);
}

/** The counter's face towards express-rate-limit. */
function counterStore(house: House, limit: Limit): CounterStore {
  const counters = house.store.collection<Counter>('limits');
  return {
    prefix: `${limit.name}:`,
    localKeys: false,
    increment: async (key) => {
      const counted = await count(counters, limit, key, house.now());
      return { totalHits: counted.hits, resetTime: counted.resetAt };
    },
    decrement: async (key) => {
      await counters.updateOne({ _id: `${limit.name}:${key}`, hits: { $gt: 0 } }, { $inc: { hits: -1 } });
    },
    resetKey: async (key) => {
      await counters.deleteOne({ _id: `${limit.name}:${key}` });
    },
  };
}

/** Counts the request under the key, and throws 'too-many' with the seconds to wait when there were too many. */
export type Limiter = (req: Request, res: Response, key: string) => Promise<void>;

/**
 * A limit for routes. With `failuresOnly`, a request that ends well (status under 400) is taken off again. The path is no
 * part of the key: however a path is spelt, it is one counter.
 */
export function limiter(house: House, limit: Limit, options: { failuresOnly?: boolean } = {}): Limiter {
  const keys = new WeakMap<Request, string>();
  const store = counterStore(house, limit);
  const middleware = rateLimit({
    windowMs: limit.windowMs,
    limit: limit.limit,
    store,
    keyGenerator: (req) => hashed(house, keys.get(req) ?? ''),
    standardHeaders: false,
    legacyHeaders: false,
    // Its checks guess at proxy settings from headers and print to the console; ours are in config.ts.
    validate: false,
    handler: (req, _res, next: NextFunction) => next(tooMany(house, resetTimeOf(req))),
  });
  return (req, res, key) => {
    keys.set(req, key);
    // The library would take successes off itself, but by its own clock.
    if (options.failuresOnly) res.once('finish', () => takeOff(house, store, hashed(house, key), res.statusCode));
    return new Promise((resolve, reject) => {
      middleware(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
    });
  };
}

function takeOff(house: House, store: CounterStore, key: string, status: number): void {
  if (status >= 400) return;
  Promise.resolve(store.decrement(key)).catch((error: unknown) => {
    house.log.warn({ err: error }, 'a counted success could not be taken off its limit');
  });
}

function resetTimeOf(req: Request): Date | undefined {
  const { rateLimit: told } = req as { rateLimit?: { resetTime?: Date } };
  return told?.resetTime;
}

function tooMany(house: Pick<House, 'now'>, until: Date | undefined): DomainError {
  const seconds = until ? Math.max(1, Math.ceil((until.getTime() - house.now().getTime()) / 1000)) : 60;
  return new DomainError(
    'too-many',
    { key: 'people.error.tooMany', params: { minutes: Math.ceil(seconds / 60) } },
    { retryAfter: seconds },
  );
}

/** For actions: counts one try and says whether it is within the limit. */
export async function withinLimit(
  house: Pick<House, 'store' | 'secret' | 'now'>,
  limit: Limit,
  key: string,
): Promise<boolean> {
  const counted = await count(house.store.collection<Counter>('limits'), limit, hashed(house, key), house.now());
  return counted.hits <= limit.limit;
}

function hashed(house: Pick<House, 'secret'>, key: string): string {
  return createHmac('sha256', deriveKey(house.secret, 'limits')).update(key).digest('base64url');
}

/** A flood of addresses must not fill the memory: beyond so many the count begins anew. */
const mostInMemory = 100_000;
const counted = new WeakMap<object, Map<string, number>[]>();

/**
 * Counts in the memory of this process alone, under a key that was made at its start: nothing that is kept tells who asked, or
 * when. All windows end together, so that memory has no times either. Refuses: too-many.
 */
export function limitInMemory(
  house: Pick<House, 'now'>,
  { limit, windowMs }: Pick<Limit, 'limit' | 'windowMs'>,
): (key: string) => void {
  const secret = randomBytes(32);
  const hits = new Map<string, number>();
  counted.set(house, [...(counted.get(house) ?? []), hits]);
  let endsAt = new Date(0);
  return (key) => {
    const now = house.now();
    if (now >= endsAt || hits.size >= mostInMemory) {
      hits.clear();
      endsAt = new Date(now.getTime() - (now.getTime() % windowMs) + windowMs);
    }
    const hash = createHmac('sha256', secret).update(key).digest('base64url');
    const count = (hits.get(hash) ?? 0) + 1;
    if (count > limit) throw tooMany(house, endsAt);
    hits.set(hash, count);
  };
}

/** Begins all counts anew that are in memory. */
export function forgetCounts(house: Pick<House, 'now'>): void {
  for (const hits of counted.get(house) ?? []) hits.clear();
}

/** Who asks, for counting: the IPv4 address, or the /64 of an IPv6 one (RFC 6177: one household). */
export function addressKey(req: Request): string {
  return ipKeyGenerator((req.ip ?? 'none').replace(/^::ffff:(?=\d+\.)/i, ''), 64);
}

/** For the nightly job: takes away what has expired. Returns how many. */
export async function pruneLimits(store: Store, now: Date): Promise<number> {
  return (await store.collection<Counter>('limits').deleteMany({ expiresAt: { $lte: now } })).deletedCount;
}
