// How any change of a service is written: once, with its event and its line of history, and only if nobody was faster.
import { findCollective, getCollective } from '../../collectives/queries.js';
import { checkMayEditCollective } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import { actorName, type Context } from '../../context.js';
import { type Change, type EventType, type PendingEvent, pending } from '../../events.js';
import { newId } from '../../ids.js';
import { getService, servicesOf } from '../queries.js';
import { changedMeanwhile, derivedFields, isListed, isNews } from '../rules.js';
import type { Service } from '../schema.js';
import { refreshListing } from './refreshListing.js';

/** What a deed decides on the state that it was shown. */
export interface Step {
  set: Partial<Pick<Service, 'profile' | 'published' | 'deletedAt' | 'origin'>> &
    Partial<Pick<Service, 'metrics' | 'metricsLabels' | 'unknownProperties' | 'unknownMetrics'>>;
  what: Change['what'];
  fields: Change['fields'];
  /** The end of the service is announced, or it has ended. */
  closes?: boolean;
  /** Not to be announced even if everybody can see it: it takes over what existed elsewhere. */
  quiet?: boolean;
}

type ServiceEventType = Extract<EventType, `service.${string}`>;

/**
 * Decides on the state as it is stored and writes only if it still is so; else decides again, a few times. Emits what
 * follows from the step: service.published, updated, closed, withdrawn when everybody can see it, else service.edited.
 * Refuses: not-found (also to those who are not of the collective), conflict.
 */
export async function changeService(
  ctx: Context,
  serviceId: string,
  decide: (service: Service, hoster: Collective) => Step | null,
): Promise<Service> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const service = await getService(ctx.store, serviceId);
    const hoster = await getCollective(ctx.store, service.collectiveId);
    checkMayEditCollective(ctx.actor, hoster);
    const step = decide(service, hoster);
    if (!step) return service;
    const next = { ...service, ...step.set };
    const derived = derivedFields(next, hoster);
    const event = eventOf(ctx, service, derived.listed, step);
    const firstListed = derived.listed && service.publishedAt === null ? { publishedAt: ctx.now } : {};
    const saved = await servicesOf(ctx.store).findOneAndUpdate(
      { _id: serviceId, version: service.version },
      {
        $set: { ...step.set, ...derived, ...firstListed, updatedAt: ctx.now, stamp: newId() },
        $inc: { version: 1 },
        $push: { events: event },
      },
      { returnDocument: 'after' },
    );
    if (saved) return settle(ctx, saved);
  }
  throw changedMeanwhile();
}

/** The hoster may have been published or hidden while the service was being written. */
export async function settle(ctx: Context, service: Service): Promise<Service> {
  const hoster = await findCollective(ctx.store, service.collectiveId);
  if (isListed(service, hoster) === service.listed) return service;
  await refreshListing(ctx, service.collectiveId);
  return getService(ctx.store, service._id);
}

function eventOf(ctx: Context, before: Service, listed: boolean, step: Step): PendingEvent {
  const { _id: serviceId, collectiveId } = before;
  const type = typeOf(before.listed, listed, step);
  return pending({ type, serviceId, collectiveId }, ctx.now, changeOf(ctx, before, step));
}

function typeOf(wasListed: boolean, listed: boolean, step: Step): ServiceEventType {
  if (wasListed && !listed) return 'service.withdrawn';
  if (!listed || step.quiet) return 'service.edited';
  if (!wasListed) return 'service.published';
  if (step.closes) return 'service.closed';
  return isNews(step.fields) ? 'service.updated' : 'service.edited';
}

export function changeOf(
  ctx: Context,
  service: Pick<Service, '_id' | 'collectiveId'>,
  step: Pick<Step, 'what' | 'fields'>,
): Change {
  return {
    subject: 'service',
    subjectId: service._id,
    collectiveId: service.collectiveId,
    by: actorName(ctx.actor),
    what: step.what,
    fields: step.fields,
  };
}
