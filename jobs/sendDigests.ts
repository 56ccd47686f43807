// Writes the mails that gather what needs a person. To whom and when is server/notices/actions/digests.ts.
import { contextOf } from '../server/house.js';
import type { JobResult } from '../server/instances/schema.js';
import { writeDigests } from '../server/notices/actions/digests.js';
import type { JobTools } from './tools.js';

export async function sendDigests({ house }: JobTools): Promise<JobResult> {
  return { digests: await writeDigests(house, contextOf(house, { kind: 'system', name: 'sendDigests' })) };
}
