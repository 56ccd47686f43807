// Publishes results whose moment has come.
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import { publishDueSurveys as publish } from '../server/surveys/actions/publishing.js';
import type { JobTools } from './tools.js';

export async function publishDueSurveys({ house }: JobTools): Promise<JobResult> {
  return { published: await publish(contextOf(house, { kind: 'system', name: 'publishDueSurveys' })) };
}
