// Deeds on services by their hoster's members: write, publish, close, withdraw, figures.
import { getCollective } from '../../collectives/queries.js';
import { checkNotInBin as checkHosterNotInBin, checkMayEditCollective } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type PendingEvent, pending } from '../../events.js';
import { diff } from '../../history/diff.js';
import { newId } from '../../ids.js';
import { emptyText, type LocalText } from '../../shapes.js';
import { DuplicateKeyError } from '../../store/store.js';
import { servicesOf } from '../queries.js';
import { checkNotInBin, checkVersion, dayOf, derivedFields, isOver, maxSeriesPerService, slugOf } from '../rules.js';
import { type MetricsSeries, type Service, type ServiceProfile, serviceProfileShape } from '../schema.js';
import { changeOf, changeService, settle } from './change.js';

/** As many services as one hoster may have, the bin included. */
export const maxServices = 500;

export interface NewService {
  profile: ServiceProfile;
  /** Preferred key in addresses; made from the name unless told. A number is added when it is taken. */
  slug?: string;
  published?: boolean;
  /** What comes with an import. */
  imported?: Pick<Service, 'origin' | 'metrics' | 'metricsLabels' | 'unknownProperties' | 'unknownMetrics'>;
  /** Not announced: it existed before. */
  quiet?: boolean;
}

export function emptyProfile(name: LocalText = emptyText): ServiceProfile {
  return { ...serviceProfileShape.parse({ name: { fr: '-' } }), name };
}

/**
 * A new service, as a draft unless told otherwise. Emits service.published when everybody can see it, else
 * service.edited. Refuses: not-found, closed (the hoster is in the bin), invalid (too many).
 */
export async function createService(ctx: Context, collectiveId: string, input: NewService): Promise<Service> {
  const hoster = await getCollective(ctx.store, collectiveId);
  checkMayEditCollective(ctx.actor, hoster);
  checkHosterNotInBin(hoster);
  const count = await servicesOf(ctx.store).countDocuments({ collectiveId }, { limit: maxServices });
  if (count >= maxServices) {
    throw new DomainError('invalid', { key: 'catalogue.error.tooMany', params: { max: maxServices } });
  }
  const service = newService(ctx, hoster, input);
  const wanted = slugOf(input.slug ?? '') || slugOf(input.profile.name.fr || input.profile.name.en) || 'service';
  for (let number = 1; number <= maxServices + 1; number += 1) {
    const slug = number === 1 ? wanted : `${wanted}-${number}`;
    if (await insertUnlessTaken(ctx, { ...service, slug })) return settle(ctx, { ...service, slug });
  }
  throw new DomainError('conflict', 'catalogue.error.changedMeanwhile');
}

function newService(ctx: Context, hoster: Collective, input: NewService): Service {
  const base = { profile: input.profile, published: input.published ?? false, deletedAt: null };
  const derived = derivedFields(base, hoster);
  const service: Service = {
    _id: newId(),
    collectiveId: hoster._id,
    slug: '',
    ...base,
    ...derived,
    stamp: newId(),
    origin: null,
    metrics: [],
    metricsLabels: [],
    unknownProperties: [],
    unknownMetrics: [],
    ...input.imported,
    createdAt: ctx.now,
    updatedAt: ctx.now,
    publishedAt: derived.listed ? ctx.now : null,
    version: 1,
  };
  return { ...service, events: [creationOf(ctx, service, input)] };
}

function creationOf(ctx: Context, service: Service, input: NewService): PendingEvent {
  const published = service.published ? [{ path: 'published', before: null, after: true }] : [];
  const fields = [...published, ...diff(emptyProfile(), service.profile)];
  const change = changeOf(ctx, service, { what: input.imported ? 'imported' : 'created', fields });
  const type = service.listed && !input.quiet ? 'service.published' : 'service.edited';
  return pending({ type, serviceId: service._id, collectiveId: service.collectiveId }, ctx.now, change);
}

async function insertUnlessTaken(ctx: Context, service: Service): Promise<boolean> {
  try {
    await servicesOf(ctx.store).insertOne(service);
    return true;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return false;
    throw error;
  }
}

/**
 * Replaces the profile; nothing happens when nothing differs. Emits service.updated or closed when everybody can see
 * it, else service.edited. Refuses: not-found, closed (in the bin), conflict (somebody saved after `version`).
 */
export async function updateService(
  ctx: Context,
  serviceId: string,
  input: { version: number; profile: ServiceProfile },
): Promise<Service> {
  return changeService(ctx, serviceId, (service) => {
    checkNotInBin(service);
    checkVersion(service, input.version);
    return profileStep(ctx, service, input.profile);
  });
}

/** What follows from another profile: nothing, an update, or an end. */
export function profileStep(ctx: Context, service: Service, profile: ServiceProfile) {
  const fields = diff(service.profile, profile);
  if (fields.length === 0) return null;
  const today = dayOf(ctx.now);
  const newEnd = profile.endDate !== null && profile.endDate !== service.profile.endDate;
  const closes = newEnd || (isOver(profile, today) && !isOver(service.profile, today));
  return { set: { profile }, what: 'updated' as const, fields, closes };
}

/** Shows the service to everybody, as soon as its hoster is public. Emits service.published. Refuses: not-found, closed. */
export async function publishService(ctx: Context, serviceId: string): Promise<Service> {
  return setPublished(ctx, serviceId, true);
}

/** Back to a draft. Emits service.withdrawn when everybody could see it. Refuses: not-found, closed. */
export async function unpublishService(ctx: Context, serviceId: string): Promise<Service> {
  return setPublished(ctx, serviceId, false);
}

async function setPublished(ctx: Context, serviceId: string, published: boolean): Promise<Service> {
  return changeService(ctx, serviceId, (service) => {
    checkNotInBin(service);
    if (service.published === published) return null;
    const fields = [{ path: 'published', before: service.published, after: published }];
    return { set: { published }, what: published ? 'published' : 'unpublished', fields };
  });
}

/**
 * Announces the last day of the service, or that it has ended; the page stays, out of the finder from the day after.
 * Emits service.closed when everybody can see it. Refuses: not-found, closed (in the bin), invalid (before its start).
 */
export async function closeService(
  ctx: Context,
  serviceId: string,
  input: { endDate: string; reason: LocalText },
): Promise<Service> {
  return changeService(ctx, serviceId, (service) => {
    checkNotInBin(service);
    const { startDate } = service.profile;
    if (startDate !== null && input.endDate < startDate) {
      throw new DomainError('invalid', 'catalogue.error.endBeforeStart', { field: 'endDate' });
    }
    const reason = input.reason.fr || input.reason.en ? { statusDescription: input.reason } : {};
    const ended = input.endDate <= dayOf(ctx.now) ? { status: 'OVER' as const } : {};
    const step = profileStep(ctx, service, { ...service.profile, endDate: input.endDate, ...reason, ...ended });
    return step && { ...step, closes: true };
  });
}

/**
 * Into the bin: nobody but its hoster's members sees it; restored until purgeDate(). Emits service.withdrawn when
 * everybody could see it. Refuses: not-found.
 */
export async function withdrawService(ctx: Context, serviceId: string): Promise<Service> {
  return changeService(ctx, serviceId, (service) => {
    if (service.deletedAt !== null) return null;
    return { set: { deletedAt: ctx.now, published: false }, what: 'deleted', fields: [] };
  });
}

/** Out of the bin, as a draft: somebody looks at it before everybody does. Refuses: not-found. */
export async function restoreService(ctx: Context, serviceId: string): Promise<Service> {
  return changeService(ctx, serviceId, (service) => {
    if (service.deletedAt === null) return null;
    return { set: { deletedAt: null }, what: 'restored', fields: [] };
  });
}

/**
 * Replaces one series of figures of a year, or takes it away when it holds no figure. Emits service.edited. Refuses:
 * not-found, closed (in the bin), invalid (too many series).
 */
export async function setMetrics(ctx: Context, serviceId: string, series: MetricsSeries): Promise<Service> {
  return changeService(ctx, serviceId, (service) => {
    checkNotInBin(service);
    const isSame = (other: MetricsSeries) =>
      other.path === series.path && other.year === series.year && other.step === series.step;
    const before = service.metrics.find(isSame)?.values ?? null;
    const last = series.values.findLastIndex((value) => value !== null);
    const after = last < 0 ? null : series.values.slice(0, last + 1);
    const path = `metrics.${series.path}.${series.year}`;
    const fields = diff({ [path]: before }, { [path]: after });
    if (fields.length === 0) return null;
    const others = service.metrics.filter((other) => !isSame(other));
    if (after && others.length >= maxSeriesPerService) {
      throw new DomainError('invalid', {
        key: 'catalogue.metrics.tooManySeries',
        params: { max: maxSeriesPerService },
      });
    }
    const metrics = after ? [...others, { ...series, values: after }].sort(compareSeries) : others;
    return { set: { metrics }, what: 'updated', fields };
  });
}

function compareSeries(a: MetricsSeries, b: MetricsSeries): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : a.year - b.year;
}
