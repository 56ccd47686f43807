// Keeps the lines of history. They come with events, so a line is never without its change nor a change without it.
import type { Context } from '../context.js';
import type { PendingEvent } from '../events.js';
import { DuplicateKeyError, type Store } from '../store/store.js';
import { changesOf } from './queries.js';

/** Keeps the line that came with an event; events without one are passed over. Idempotent by eventId. */
export async function recordChange(store: Store, event: PendingEvent): Promise<void> {
  if (!event.change) return;
  try {
    await changesOf(store).insertOne({ _id: event.eventId, at: event.at, ...event.change });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

/** The history of a collective ends with it. */
export async function forgetChanges(ctx: Context, collectiveId: string): Promise<void> {
  await changesOf(ctx.store).deleteMany({ collectiveId });
}
