// Tells new counts of polls on the Fediverse, and their end. What is due is server/surveys/actions/polls.ts.
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import { tellDuePolls } from '../server/surveys/actions/polls.js';
import type { JobTools } from './tools.js';

export async function tellPolls({ house }: JobTools): Promise<JobResult> {
  return { told: await tellDuePolls(contextOf(house, { kind: 'system', name: 'tellPolls' })) };
}
