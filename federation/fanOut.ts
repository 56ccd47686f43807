// Who gets an activity: one row in the queue for each inbox, made once however often it is asked. Sends nothing.
import { createHash } from 'node:crypto';
import { findHeldBefore, parkedAt } from '../server/instances/peerQueries.js';
import { readPolicy } from '../server/instances/queries.js';
import { isRefusedPeer } from '../server/instances/rules.js';
import { listFollowerInboxes, mapSharedInboxes } from '../server/partners/queries.js';
import { DuplicateKeyError } from '../server/store/store.js';
import { type Activity, activitiesIn } from './activities.js';
import { type Delivery, deliveriesIn } from './delivery.js';
import type { Federation } from './federation.js';
import { leftOutOf } from './goneInboxes.js';
import { seeThatCalled } from './hostRest.js';

/** Followers read at once. */
const pageSize = 500;
/** Deliveries of one activity that are due at once at one host: looking for others passes over no more. */
const dueAtOnce = 100;

/** Gives each recipient of an activity its row. Resumable: a crash in the middle goes on after the last inbox done. */
export async function fanOut(federation: Federation, activity: Activity): Promise<void> {
  const { _id } = activity;
  const direct = await directInboxes(federation, activity);
  const counts = new Map<string, number>();
  await enqueue(federation, activity, [...direct], counts);
  const followed = federation.apex.actorIri(activity.actor);
  for (let cursor = activity.fanOutCursor, isLast = !activity.toFollowers; !isLast; ) {
    const page = await listFollowerInboxes(federation.house.store, followed, cursor, pageSize);
    const leftOut = await leftOutOf(federation, page.inboxes);
    await enqueue(
      federation,
      activity,
      page.inboxes.filter((inbox) => !direct.has(inbox) && !leftOut.has(inbox)),
      counts,
    );
    isLast = page.isLast;
    cursor = page.inboxes.at(-1) ?? cursor;
    await activitiesIn(federation).updateOne({ _id }, { $set: { fanOutCursor: cursor } });
  }
  await activitiesIn(federation).updateOne({ _id }, { $set: { isFannedOut: true } });
}

/** An own inbox gives way to the shared one where others there may be told of the same: a server gets one copy. */
async function directInboxes({ house }: Federation, { inboxes, toFollowers }: Activity): Promise<Set<string>> {
  if (inboxes.length === 0 || (inboxes.length === 1 && !toFollowers)) return new Set(inboxes);
  const shared = await mapSharedInboxes(house.store, inboxes);
  return new Set(inboxes.map((inbox) => shared.get(inbox) ?? inbox));
}

/**
 * Rows that are there already (from before a crash) stay as they are. `counts` are of the same activity, by host: what is beyond
 * a hundred is parked, and follows a few a second.
 */
async function enqueue(
  federation: Federation,
  activity: Activity,
  inboxes: readonly string[],
  counts: Map<string, number>,
): Promise<void> {
  if (inboxes.length === 0) return;
  const now = federation.house.now();
  const policy = await readPolicy(federation.house.store);
  const wanted = inboxes.filter(
    (inbox) => !isRefusedPeer(policy, inbox) && new URL(inbox).host !== activity.exceptHost,
  );
  if (wanted.length === 0) return;
  const heldBefore = await findHeldBefore(federation.house.store);
  const isHeld = heldBefore !== null && activity.at <= heldBefore;
  const crowded = new Set<string>();
  const rows = wanted.map((inbox) => {
    const row = newDelivery(activity, inbox, now, isHeld);
    const count = (counts.get(row.host) ?? 0) + 1;
    counts.set(row.host, count);
    if (isHeld || count <= dueAtOnce) return row;
    crowded.add(row.host);
    return { ...row, nextAt: parkedAt };
  });
  try {
    await deliveriesIn(federation).insertMany(rows, { ordered: false });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
  for (const host of crowded) await seeThatCalled(federation, host);
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
    leaseUntil: new Date(0),
    lastStatus: null,
    lastError: null,
    failedAt: isHeld ? now : null,
  };
}

function deliveryKey(activityId: string, inbox: string): string {
  return `${activityId} ${createHash('sha256').update(inbox).digest('hex').slice(0, 32)}`;
}
