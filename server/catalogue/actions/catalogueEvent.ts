// What the catalogue does when something has happened, here or in another slice.
import type { Context } from '../../context.js';
import type { PendingEvent } from '../../events.js';
import { tellService } from './news.js';
import { refreshListing } from './refreshListing.js';

/**
 * What the catalogue does when something has happened: keeps its services in step with their hoster, and writes the
 * lines of "what changed". For jobs/drainEvents.ts; idempotent; other events are passed over.
 */
export async function catalogueEvent(ctx: Context, event: PendingEvent): Promise<void> {
  switch (event.type) {
    case 'collective.created':
    case 'collective.updated':
    case 'collective.deleted':
    case 'collective.restored':
      return refreshListing(ctx, event.collectiveId);
    case 'service.published':
    case 'service.updated':
    case 'service.closed':
    case 'service.withdrawn':
    case 'service.edited':
      return tellService(ctx, event);
    default:
      return;
  }
}
