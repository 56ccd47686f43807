// Opens surveys whose moment has come. The deed is that of the form.
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import { openDueSurveys as open } from '../server/surveys/actions/running.js';
import type { JobTools } from './tools.js';

export async function openDueSurveys({ house }: JobTools): Promise<JobResult> {
  return { opened: await open(contextOf(house, { kind: 'system', name: 'openDueSurveys' })) };
}
