// Takes away sessions beyond their limits. The sessions themselves are server/http/session.ts.
import type { SessionDoc } from '../server/http/session.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

export async function expireSessions({ store, now }: JobTools): Promise<JobResult> {
  const gone = await store.collection<SessionDoc>('sessions').deleteMany({ expiresAt: { $lte: now() } });
  return { expired: gone.deletedCount };
}
