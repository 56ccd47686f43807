// Asks other instances what they run. How to ask politely is federation/peers.ts.
import { refreshPeers as ask } from '../federation/peers.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

export async function refreshPeers({ federation }: JobTools, signal: AbortSignal): Promise<JobResult> {
  return { ...(await ask(federation, signal)) };
}
