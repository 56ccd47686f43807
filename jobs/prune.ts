// TABLE: what is kept for a time only, and the deed that takes it away. One that fails does not keep the others from
// their work; the run then counts as failed.
import { pruneImports } from '../server/catalogue/actions/imports.js';
import { purgeCatalogueOf, purgeWithdrawnServices } from '../server/catalogue/actions/purge.js';
import { purgeDeleted } from '../server/collectives/actions.js';
import type { Context } from '../server/context.js';
import { contextOf } from '../server/house.js';
import { pruneLimits } from '../server/http/limits.js';
import type { JobResult } from '../server/instances/schema.js';
import { pruneFollows } from '../server/partners/actions.js';
import type { JobTools } from './tools.js';

const deeds: Record<string, (ctx: Context) => Promise<number>> = {
  limits: ({ store, now }) => pruneLimits(store, now),
  imports: pruneImports,
  services: purgeWithdrawnServices,
  collectives: (ctx) => purgeDeleted(ctx, [purgeCatalogueOf]),
  follows: pruneFollows,
};

export async function prune({ house, log }: JobTools, signal: AbortSignal): Promise<JobResult> {
  const ctx = contextOf(house, { kind: 'system', name: 'prune' });
  const result: JobResult = {};
  const failures: unknown[] = [];
  for (const [name, deed] of Object.entries(deeds)) {
    if (signal.aborted) break;
    try {
      result[name] = await deed(ctx);
    } catch (error) {
      failures.push(error);
      log.error({ err: error, what: name }, 'could not prune');
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} of ${Object.keys(deeds).length} could not be pruned`);
  return result;
}
