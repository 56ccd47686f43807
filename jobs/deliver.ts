// Sends what is due to other instances. The queue itself is federation/delivery.ts.
import { deliverDue } from '../federation/delivery.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

export async function deliver({ federation }: JobTools, signal: AbortSignal): Promise<JobResult> {
  const { sent, postponed, failed } = await deliverDue(federation, {}, signal);
  return { delivered: sent, postponed, abandoned: failed };
}
