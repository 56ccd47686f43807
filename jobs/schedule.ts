// TABLE: when what is done. Times are of the instance's time zone: second minute hour day month weekday.
// The quiet ones run every few seconds and right after a write, in this order.
import { drainEvents } from './drainEvents.js';
import { expireSessions } from './expireSessions.js';
import type { Job } from './run.js';
import type { JobTools } from './tools.js';

export const schedule: readonly Job<JobTools>[] = [
  { name: 'drainEvents', cron: '*/10 * * * * *', quiet: true, run: drainEvents },
  { name: 'expireSessions', cron: '0 17 * * * *', run: expireSessions },
];
