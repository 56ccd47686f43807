// After a restore: what waits in a backup may have been sent since it was made. It is held until an administrator says which.
// What federation/delivery.ts adds later for events from before the restore is held by the same mark.
import type { Context } from '../../context.js';
import type { Store } from '../../store/store.js';
import { deliveriesIn, hostRestsIn, restoreIn } from '../peerQueries.js';
import { checkMayAdminister } from '../rules.js';

const never = new Date(0);

/** Effect: nothing that was said before `now` is sent by itself. Returns how many deliveries wait. For the command line. */
export async function markRestored(store: Store, now: Date): Promise<number> {
  await restoreIn(store).replaceOne({ _id: 'restore' }, { heldBefore: now }, { upsert: true });
  const held = { state: 'held' as const, failedAt: now, leaseUntil: never };
  return (await deliveriesIn(store).updateMany({ state: 'waiting' }, { $set: held })).matchedCount;
}

/** What is held is sent, under the ids that it had. Returns how many deliveries are due now. Refuses: not-allowed. */
export async function releaseHeld(ctx: Context): Promise<number> {
  checkMayAdminister(ctx.actor);
  await restoreIn(ctx.store).deleteOne({ _id: 'restore' });
  const due = { state: 'waiting' as const, nextAt: ctx.now, createdAt: ctx.now, failedAt: null, leaseUntil: never };
  const released = await deliveriesIn(ctx.store).updateMany({ state: 'held' }, { $set: due });
  // Who did not answer then may answer now.
  await hostRestsIn(ctx.store).updateMany({ nextAt: { $gt: ctx.now } }, { $set: { nextAt: ctx.now } });
  ctx.log.warn({ count: released.matchedCount }, 'deliveries from before a restore were released');
  return released.matchedCount;
}

/** What is held is never sent. Returns how many. Refuses: not-allowed. */
export async function dropHeld(ctx: Context): Promise<number> {
  checkMayAdminister(ctx.actor);
  const dropped = await deliveriesIn(ctx.store).deleteMany({ state: 'held' });
  ctx.log.warn({ count: dropped.deletedCount }, 'deliveries from before a restore were dropped');
  return dropped.deletedCount;
}
