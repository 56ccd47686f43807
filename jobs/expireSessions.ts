// Takes away sessions beyond their limits. The sessions themselves are server/http/session.ts.
import { pruneSessions } from '../server/http/session.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

export async function expireSessions({ store, now }: JobTools): Promise<JobResult> {
  return { expired: await pruneSessions(store, now()) };
}
