// Brings the list of hosters elsewhere in step with whom we follow and allow. Which rules decide is server/elsewhere.
import { sortSources } from '../server/elsewhere/actions/sources.js';
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

export async function sortElsewhere({ house }: JobTools): Promise<JobResult> {
  const done = await sortSources(contextOf(house, { kind: 'system', name: 'sortElsewhere' }));
  return { cataloguesAdded: done.added, cataloguesRemoved: done.removed, cataloguesExpired: done.expired };
}
