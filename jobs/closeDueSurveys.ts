// Closes surveys whose end has come. Answers stop at the end itself, whenever this runs.
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import { closeDueSurveys as close } from '../server/surveys/actions/running.js';
import type { JobTools } from './tools.js';

export async function closeDueSurveys({ house }: JobTools): Promise<JobResult> {
  return { closed: await close(contextOf(house, { kind: 'system', name: 'closeDueSurveys' })) };
}
