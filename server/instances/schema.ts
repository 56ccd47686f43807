// What the instance keeps about its own running: leases, runs of jobs, events that could not be handed on. Shapes only.
import { z } from 'zod';
import type { PendingEvent } from '../events.js';
import type { Doc } from '../store/store.js';

/** Who may run the jobs, among all processes on one store. */
export interface Lease extends Doc {
  holder: string;
  until: Date;
  /** Rises with each new holder; a write that carries an older one is refused. */
  fence: number;
}

/** What a job says it did: counted things by name ("sent": 3). */
export type JobResult = Record<string, number>;

/** The last run of a job. The _id is the job's name. */
export interface JobRun extends Doc {
  /** The moment for which the run was due: each runs once. */
  slot: Date;
  fence: number;
  startedAt: Date;
  finishedAt: Date | null;
  durationMs: number | null;
  result: JobResult | null;
  error: string | null;
  failuresInRow: number;
  /** An administrator asked for a run outside the schedule. */
  wanted: boolean;
}

/** An event that a consumer refused. Waiting: it still stands in its document. Parked: it was moved here. */
export interface FailedEvent extends Doc {
  collection: string;
  docId: string;
  type: string;
  attempts: number;
  nextAt: Date;
  lastError: string;
  parkedAt: Date | null;
  event: PendingEvent;
}

export const jobParams = z.object({ name: z.string().regex(/^[a-zA-Z]{1,40}$/) });
export const eventParams = z.object({ id: z.uuid() });
