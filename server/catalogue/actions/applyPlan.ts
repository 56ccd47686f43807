// Carries out what a plan says: the collective's profile, then its services one by one, each with its line of history.
import { upsertCollectiveFromImport } from '../../collectives/actions.js';
import type { Context } from '../../context.js';
import type { ImportPlan, ServiceItem } from '../importPlan.js';
import { servicesOf } from '../queries.js';
import { changedMeanwhile, dayOf } from '../rules.js';
import type { Service } from '../schema.js';
import { changeService } from './change.js';
import { createService, profileStep } from './services.js';

export interface ImportSummary {
  created: number;
  changed: number;
}

/** A service that opened longer ago than this is not announced as new. */
const newsDays = 31;

/**
 * Emits collective.updated, and for each service what its change amounts to; services that existed before the import
 * are not announced as new. Refuses: not-found, closed, conflict (a service changed since the plan was made), invalid.
 */
export async function applyPlan(
  ctx: Context,
  collectiveId: string,
  plan: ImportPlan,
  options: { publish: boolean },
): Promise<ImportSummary> {
  const { collective } = plan;
  if (collective && !collective.skipped && collective.changes.length > 0) {
    await upsertCollectiveFromImport(ctx, collectiveId, collective.patch, collective.unknownProperties);
  }
  const imported = await servicesOf(ctx.store).findOne(
    { collectiveId, origin: { $gt: '' } },
    { projection: { _id: 1 } },
  );
  const summary = { created: 0, changed: 0 };
  for (const item of plan.services) {
    if (item.skipped) continue;
    if (item.what === 'create') {
      const quiet = isOld(ctx, item, imported === null);
      await createService(ctx, collectiveId, { ...creation(item), published: options.publish, quiet });
      summary.created += 1;
    } else if (item.what === 'change' && item.serviceId !== null) {
      await takeOver(ctx, item.serviceId, item);
      summary.changed += 1;
    }
  }
  return summary;
}

function creation(item: ServiceItem) {
  const { profile } = item.reading;
  return { profile, slug: item.slug, imported: { origin: item.origin, ...aside(item) } };
}

function aside({
  reading,
}: ServiceItem): Pick<Service, 'metrics' | 'metricsLabels' | 'unknownProperties' | 'unknownMetrics'> {
  const { metrics, metricsLabels, unknownProperties, unknownMetrics } = reading;
  return { metrics, metricsLabels, unknownProperties, unknownMetrics };
}

function isOld(ctx: Context, item: ServiceItem, isFirst: boolean): boolean {
  const { startDate } = item.reading.profile;
  if (startDate === null) return isFirst;
  return startDate < dayOf(new Date(ctx.now.getTime() - newsDays * 24 * 60 * 60 * 1000));
}

async function takeOver(ctx: Context, serviceId: string, item: ServiceItem): Promise<void> {
  await changeService(ctx, serviceId, (service) => {
    if (service.version !== item.version) throw changedMeanwhile();
    const step = profileStep(ctx, service, item.reading.profile);
    return {
      set: { profile: item.reading.profile, origin: item.origin, ...aside(item) },
      what: 'imported',
      fields: item.changes,
      closes: step?.closes ?? false,
    };
  });
}
