// Reads the ChatonsInfos files whose time has come. How to read politely is server/catalogue.
import { refreshDueSources } from '../server/catalogue/actions/sources.js';
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

export async function refreshSources({ house }: JobTools): Promise<JobResult> {
  return {
    ...(await refreshDueSources(contextOf(house, { kind: 'system', name: 'refreshSources' }), house.fetchText)),
  };
}
