// The lines of the public page "what changed", made from events that are public by their kind. All steps idempotent.
import { findCollective } from '../../collectives/queries.js';
import { isPublic } from '../../collectives/rules.js';
import type { Context } from '../../context.js';
import type { EventOf, PendingEvent } from '../../events.js';
import { DuplicateKeyError } from '../../store/store.js';
import { findService, newsOf } from '../queries.js';
import { dayOf } from '../rules.js';
import type { Service, ServiceNews } from '../schema.js';

export type ServiceEvent = PendingEvent &
  EventOf<`service.${'published' | 'updated' | 'closed' | 'withdrawn' | 'edited'}`>;

/** The line that a service's event makes, if any. */
export async function tellService(ctx: Context, event: ServiceEvent): Promise<void> {
  const service = await findService(ctx.store, event.serviceId);
  if (!service) return;
  switch (event.type) {
    case 'service.published':
      return tell(ctx, service, { _id: event.eventId, kind: 'opened', at: event.at });
    case 'service.updated': {
      const day = dayOf(event.at);
      // On its first day a service is new, whatever is put right in it.
      if (service.publishedAt && dayOf(service.publishedAt) === day) return;
      return tell(ctx, service, { _id: `updated:${service._id}:${day}`, kind: 'updated', at: event.at });
    }
    case 'service.closed':
      return tell(ctx, service, {
        _id: `closed:${service._id}:${service.profile.endDate ?? dayOf(event.at)}`,
        kind: 'closed',
        at: event.at,
      });
    case 'service.withdrawn':
      return tell(ctx, service, { _id: event.eventId, kind: 'withdrawn', at: event.at });
    case 'service.edited':
      if (service.listed && event.change?.fields.some(({ path }) => path === 'published')) {
        await tellFirstListing(ctx, service, event.at);
      }
  }
}

/** The service is there for everybody for the first time, without having been announced. */
export async function tellFirstListing(ctx: Context, service: Service, at: Date): Promise<void> {
  await tell(ctx, service, { _id: `opened:${service._id}`, kind: 'opened', at });
}

async function tell(ctx: Context, service: Service, line: Pick<ServiceNews, '_id' | 'kind' | 'at'>): Promise<void> {
  const hoster = await findCollective(ctx.store, service.collectiveId);
  if (!hoster) return;
  try {
    await newsOf(ctx.store).insertOne({
      ...line,
      serviceId: service._id,
      collectiveId: service.collectiveId,
      serviceName: service.profile.name,
      slug: service.slug,
      hoster: { handle: hoster.handle, name: hoster.profile.name },
      endDate: line.kind === 'closed' ? service.profile.endDate : null,
      hidden: !isPublic(hoster),
    });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}
