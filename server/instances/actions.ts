// Deeds of an administrator on the instance itself: its settings, jobs, and events that could not be handed on.
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import type { Eventful } from '../events.js';
import type { Doc } from '../store/store.js';
import { checkMayAdminister } from './rules.js';
import type { FailedEvent } from './schema.js';
import { type InstanceSettings, writeSettings } from './settings.js';

/** Replaces the settings of the instance. Refuses: not-found (whoever is no administrator). */
export async function changeSettings(ctx: Context, settings: InstanceSettings): Promise<void> {
  checkMayAdminister(ctx.actor);
  await writeSettings(ctx.store, settings);
}

/** Puts a parked event back where the next drain finds it. Refuses: not-found, gone (its document no longer exists). */
export async function retryEvent(ctx: Context, id: string): Promise<void> {
  const parked = await getParked(ctx, id);
  const carriers = ctx.store.collection<Doc & Eventful>(parked.collection);
  await carriers.updateOne({ _id: parked.docId }, { $pull: { events: parked.event } });
  const back = await carriers.updateOne({ _id: parked.docId }, { $push: { events: parked.event } });
  if (back.matchedCount === 0) throw new DomainError('gone', 'instances.event.documentGone');
  await ctx.store.collection<FailedEvent>('failedEvents').deleteOne({ _id: id });
}

/** Gives a parked event up for good. Refuses: not-found. */
export async function dropEvent(ctx: Context, id: string): Promise<void> {
  const parked = await getParked(ctx, id);
  await ctx.store.collection<FailedEvent>('failedEvents').deleteOne({ _id: parked._id });
  ctx.log.warn({ eventId: id, type: parked.type, docId: parked.docId }, 'event dropped by an administrator');
}

/** Forgets what was put aside of documents that are about to be forgotten. For the deed that forgets them. */
export async function forgetFailedEvents(ctx: Context, docIds: readonly string[]): Promise<void> {
  await ctx.store.collection<FailedEvent>('failedEvents').deleteMany({ docId: { $in: [...docIds] } });
}

async function getParked(ctx: Context, id: string): Promise<FailedEvent> {
  checkMayAdminister(ctx.actor);
  const parked = await ctx.store.collection<FailedEvent>('failedEvents').findOne({ _id: id });
  if (!parked?.parkedAt) throw new DomainError('not-found', 'error.notFound');
  return parked;
}
