// Writes to those who have not answered a survey yet. Whom, when and how often is server/notices/actions/reminding.ts.
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import { remindDue } from '../server/notices/actions/reminding.js';
import type { JobTools } from './tools.js';

export async function remindSurveys({ house }: JobTools): Promise<JobResult> {
  return { reminded: await remindDue(house, contextOf(house, { kind: 'system', name: 'remindSurveys' })) };
}
