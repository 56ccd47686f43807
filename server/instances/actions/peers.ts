// Deeds of an administrator on one instance: deliveries tried again now, or dropped; how much is taken from it. The queue is
// federation/delivery.ts.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { deliveriesIn, goneInboxesIn, hostRestsIn, peersIn } from '../peerQueries.js';
import { checkMayAdminister } from '../rules.js';
import { tellPolicy } from './domainRules.js';

/** All that waits for a host or was given up is due now, and its inboxes that were left out are not any more. Returns how many. */
export async function retryPeer(ctx: Context, host: string): Promise<{ deliveries: number; inboxes: number }> {
  checkMayAdminister(ctx.actor);
  const due = { state: 'waiting' as const, nextAt: ctx.now, failedAt: null, refusals: 0, mistakes: 0 };
  const deliveries = deliveriesIn(ctx.store);
  const waiting = await deliveries.updateMany({ host, state: 'waiting', nextAt: { $gt: ctx.now } }, { $set: due });
  const failed = await deliveries.updateMany({ host, state: 'failed' }, { $set: { ...due, createdAt: ctx.now } });
  await hastenHost(ctx, host);
  const { deletedCount } = await goneInboxesIn(ctx.store).deleteMany({ host });
  return { deliveries: waiting.matchedCount + failed.matchedCount, inboxes: deletedCount };
}

/** One delivery is due now. Refuses: not-found. */
export async function retryDelivery(ctx: Context, host: string, id: string): Promise<void> {
  checkMayAdminister(ctx.actor);
  const at = { nextAt: ctx.now, createdAt: ctx.now, leaseUntil: new Date(0) };
  // Without tries it is the first to knock at a host that rests.
  const set = { state: 'waiting' as const, ...at, failedAt: null, refusals: 0, mistakes: 0, attempts: 0 };
  const due = await deliveriesIn(ctx.store).updateOne({ _id: id, host }, { $set: set });
  if (due.matchedCount === 0) throw new DomainError('not-found', 'error.notFound');
  await hastenHost(ctx, host);
}

/** A host that rests is asked now: what waits for it waits no longer than for one answer. */
async function hastenHost(ctx: Context, host: string): Promise<void> {
  await hostRestsIn(ctx.store).updateOne({ _id: host }, { $min: { nextAt: ctx.now } });
}

/** One delivery is never sent. Refuses: not-found. */
export async function dropDelivery(ctx: Context, host: string, id: string): Promise<void> {
  checkMayAdminister(ctx.actor);
  const dropped = await deliveriesIn(ctx.store).deleteOne({ _id: id, host });
  if (dropped.deletedCount === 0) throw new DomainError('not-found', 'error.notFound');
  ctx.log.warn({ deliveryId: id, host }, 'a delivery was dropped by an administrator');
}

/** Activities a minute that are taken from a host; null: the usual number. Emits peerPolicy.changed. Refuses: not-found. */
export async function setInboundLimit(ctx: Context, host: string, limit: number | null): Promise<void> {
  checkMayAdminister(ctx.actor);
  const update = limit === null ? { $unset: { inboundLimit: '' as const } } : { $set: { inboundLimit: limit } };
  const set = await peersIn(ctx.store).updateOne({ _id: host }, update);
  if (set.matchedCount === 0) throw new DomainError('not-found', 'error.notFound');
  ctx.log.info({ host, limit }, 'the limit of another instance was set');
  await tellPolicy(ctx);
}
