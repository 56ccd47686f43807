// One delivery, tried once: what came of it, and what follows for it alone. Knows no queue; what follows for its whole host is
// hostRest.ts.
import type { Activity } from './activities.js';
import { keysOf } from './actorKeys.js';
import { findLocalActor } from './actors.js';
import type { Delivery } from './delivery.js';
import type { Federation } from './federation.js';
import { activityType } from './fetchAnswers.js';
import { FetchError, OwnLimitError } from './fetchErrors.js';
import { synchronisationHeader } from './followerSync.js';
import { weekReason } from './hostRest.js';
import { postSigned } from './knocking.js';

export interface Outcome {
  status: number | null;
  /** Seconds that the other side asked for; null: nothing said. */
  retryAfter: number | null;
  error: string | null;
  /**
   * Not for the other side to mend. address: it may not be asked. ours: something broke here. busy: there was no place. silent:
   * see mayStillGo.
   */
  blame: 'address' | 'ours' | 'busy' | 'silent' | null;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
/** Waits of one delivery after each failure; the last one repeats. */
const waits = [minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 12 * hour];
const giveUpAfterMs = 7 * 24 * hour;
const maxRefusals = 5;

export function isTaken({ status }: Outcome): boolean {
  return status !== null && status >= 200 && status < 300;
}

/** Signs and sends. Never throws: what breaks here is an outcome too, or it would be tried for ever (RL-20). */
export async function attempt(federation: Federation, delivery: Delivery, activity: Activity): Promise<Outcome> {
  try {
    if (!(await mayStillGo(federation, activity))) return { ...nothing, error: activity.actor, blame: 'silent' };
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
    return { ...answer, error: null, blame: null };
  } catch (error) {
    if (error instanceof OwnLimitError) return { ...nothing, error: error.message, blame: 'busy' };
    if (error instanceof FetchError)
      return { ...nothing, error: error.message, blame: error.reason === 'refused-address' ? 'address' : null };
    federation.house.log.error({ err: error, deliveryId: delivery._id }, 'a delivery broke');
    return { ...nothing, error: String(error), blame: 'ours' };
  }
}

const nothing = { status: null, retryAfter: null } as const;

/** What only takes back something said before goes out also for those who are not public any more. */
const takingBack = ['Delete', 'Undo', 'Reject', 'Remove'];
const askAgainMs = second;
const authors = new WeakMap<Federation, Map<string, { isPublic: Promise<boolean>; until: number }>>();

/** AP-133: of an account that was closed or hidden nothing new goes out, whatever waits. Kept for a second. */
async function mayStillGo(federation: Federation, { actor, type }: Activity): Promise<boolean> {
  if (takingBack.includes(type)) return true;
  const known = authors.get(federation) ?? new Map<string, { isPublic: Promise<boolean>; until: number }>();
  authors.set(federation, known);
  const now = performance.now();
  const kept = known.get(actor);
  if (kept !== undefined && kept.until > now) return kept.isPublic;
  if (known.size > 1000) known.clear();
  const isPublic = findLocalActor(federation, actor).then((found) => found !== null && found !== 'gone');
  known.set(actor, { isPublic, until: now + askAgainMs });
  // What could not be read says nothing about the next delivery.
  isPublic.catch(() => known.delete(actor));
  return isPublic;
}

/** What follows for the delivery. resting: its host did not answer, and all that is for it waits. */
export type Verdict =
  | { follows: 'failed'; reason: string }
  | { follows: 'waiting'; ms: number }
  | { follows: 'resting'; atLeastMs: number };

/** RL-06. The numbers count this outcome too. */
export function judge(
  {
    attempts,
    createdAt,
    mistakes,
    refusals,
  }: Pick<Delivery, 'attempts' | 'createdAt' | 'refusals'> & { mistakes: number },
  outcome: Outcome,
  now: Date,
): Verdict {
  const { status, retryAfter, blame } = outcome;
  const isOld = now.getTime() - createdAt.getTime() >= giveUpAfterMs;
  if (blame === 'address') return failed('address refused');
  if (blame === 'silent') return failed('no longer public');
  if (blame === 'busy') return later(1, null);
  if (blame === 'ours') return mistakes > waits.length ? failed('our mistake') : later(mistakes, retryAfter);
  if (isHostAway(outcome)) {
    // One that its server never takes, while it takes others: their host is never silent for a week.
    if (isOld && attempts > waits.length) return failed(weekReason);
    return { follows: 'resting', atLeastMs: (retryAfter ?? 0) * second };
  }
  if (isNoInbox(outcome)) return failed('inbox gone');
  if (refusals >= maxRefusals) return failed('refused');
  if (isRefusal(status)) return isOld ? failed(weekReason) : later(attempts, retryAfter);
  if (status !== null && status < 400)
    return attempts >= maxRefusals ? failed('redirects') : later(attempts, retryAfter);
  return failed('not accepted');
}

export function isNoInbox({ status }: Outcome): boolean {
  return status === 404 || status === 410;
}

export function isRefusal(status: number | null): boolean {
  return status === 401 || status === 403;
}

/** Nothing answered, or only that it cannot now: that concerns all that is for it. */
export function isHostAway({ status, blame }: Outcome): boolean {
  if (blame !== null) return false;
  return status === null || status >= 500 || [408, 425, 429].includes(status);
}

function failed(reason: string): Verdict {
  return { follows: 'failed', reason };
}

/** With a fifth of chance either way, so that a thousand deliveries do not come back in the same second. */
function later(attempts: number, retryAfter: number | null): Verdict {
  const wait = waits[Math.min(attempts, waits.length) - 1] ?? minute;
  return { follows: 'waiting', ms: Math.max(wait * (0.8 + 0.4 * Math.random()), (retryAfter ?? 0) * second) };
}
