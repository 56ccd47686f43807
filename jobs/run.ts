// Runs the table of jobs/schedule.ts: by one leader unless a job is for every process, without overlap, each time once, one log
// line a run, errors caught.
import cron, { type ScheduledTask } from 'node-cron';
import type { Log } from '../server/context.js';
import type { JobDesk } from '../server/house.js';
import type { JobResult, JobRun } from '../server/instances/schema.js';
import { DuplicateKeyError, type Store } from '../server/store/store.js';
import { type LeaseOptions, leadership } from './leadership.js';

export interface Job<Tools> {
  name: string;
  /** Six fields: second minute hour day month weekday. */
  cron: string;
  /** Does the work; says what was done. Stops early when the signal is aborted. */
  run(tools: Tools, signal: AbortSignal): Promise<JobResult>;
  /** Runs often and is idempotent: noted only when it did something or failed. */
  quiet?: true;
  /** Runs in every process, whoever leads: what it works on is shared out by leases of its own. For quiet jobs. */
  everywhere?: true;
  /** Also runs right after a write. */
  onWake?: true;
  /** Also runs right after that job did something. */
  follows?: string;
}

export interface Runner extends JobDesk {
  /** Something was written: runs the jobs marked onWake soon after. Returns at once. */
  wake(): void;
  start(): Promise<void>;
  /** No new runs; waits for those going on; lets another process lead. */
  stop(): Promise<void>;
}

export interface RunnerOptions extends LeaseOptions {
  timezone?: string;
  /** Milliseconds between two renewals of the lease. */
  heartbeatMs?: number;
}

export function runner<Tools>(
  base: { store: Store; now: () => Date; log: Log },
  jobs: readonly Job<Tools>[],
  tools: Tools,
  options: RunnerOptions = {},
): Runner {
  const runs = base.store.collection<JobRun>('jobRuns');
  const leader = leadership(base.store, base.now, options);
  const running = new Map<string, Promise<void>>();
  const tasks = new Map<string, ScheduledTask>();
  const stopping = new AbortController();
  let heartbeat: NodeJS.Timeout | undefined;
  const again = new Set<string>();
  let isWaking = false;

  /** Starts a run unless one is going on, or another process leads. */
  function begin(job: Job<Tools>, slot: Date): Promise<void> {
    if (stopping.signal.aborted || running.has(job.name)) return Promise.resolve();
    const run = lead(job, slot).finally(() => {
      running.delete(job.name);
      if (again.delete(job.name)) void begin(job, base.now());
    });
    running.set(job.name, run);
    return run;
  }

  /** Runs a job now, or once more when it is running: what it looks for may have come after it looked. */
  function kick(job: Job<Tools>): void {
    if (running.has(job.name)) again.add(job.name);
    else void begin(job, base.now());
  }

  async function lead(job: Job<Tools>, slot: Date): Promise<void> {
    try {
      const fence = leader.current() ?? (await leader.claim());
      if (job.everywhere) return await perform(job, slot, fence);
      if (fence === null) return;
      if (!job.quiet && !(await claimSlot(job.name, slot, fence))) return;
      // Stopped just now: whoever leads next does it.
      if (stopping.signal.aborted && !job.quiet) await runs.updateOne({ _id: job.name }, { $set: { wanted: true } });
      if (!stopping.signal.aborted) await perform(job, slot, fence);
    } catch (error) {
      base.log.error({ err: error, job: job.name }, 'a job could not be run');
    }
  }

  async function claimSlot(name: string, slot: Date, fence: number): Promise<boolean> {
    await note(name);
    const claimed = await runs.updateOne(
      { _id: name, slot: { $lt: slot }, fence: { $lte: fence } },
      { $set: { slot, fence, startedAt: base.now(), finishedAt: null } },
    );
    return claimed.matchedCount === 1;
  }

  /** Makes the document of a job that never ran. */
  async function note(name: string): Promise<void> {
    if (await runs.findOne({ _id: name }, { projection: { _id: 1 } })) return;
    const never = new Date(0);
    const fresh = {
      slot: never,
      fence: 0,
      startedAt: never,
      finishedAt: null,
      durationMs: null,
      result: null,
      error: null,
    };
    try {
      await runs.insertOne({ _id: name, ...fresh, failuresInRow: 0, wanted: false });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }

  /** Without a fence: of a job that runs everywhere, by a process that does not lead. */
  async function perform(job: Job<Tools>, slot: Date, fence: number | null): Promise<void> {
    const startedAt = base.now();
    const began = performance.now();
    let result: JobResult | null = null;
    let failure: unknown = null;
    try {
      result = await job.run(tools, stopping.signal);
    } catch (error) {
      failure = error;
    }
    const durationMs = Math.round(performance.now() - began);
    const didNothing = result !== null && Object.values(result).every((count) => count === 0);
    if (failure) base.log.error({ err: failure, job: job.name, durationMs }, 'job failed');
    else if (!job.quiet) base.log.info({ job: job.name, durationMs, ...result }, 'job done');
    if (!didNothing) for (const next of jobs) if (next.follows === job.name) kick(next);
    if (job.quiet && didNothing && !(await hasFailed(job.name))) return;
    if (job.quiet) await note(job.name);
    const error = failure ? String(failure instanceof Error ? failure.message : failure).slice(0, 500) : null;
    await runs.updateOne(fence === null ? { _id: job.name } : { _id: job.name, fence: { $lte: fence } }, {
      $set: {
        slot,
        ...(fence === null ? {} : { fence }),
        startedAt,
        finishedAt: base.now(),
        durationMs,
        result,
        error,
      },
      ...(failure ? { $inc: { failuresInRow: 1 } } : {}),
    });
    if (!failure) await runs.updateOne({ _id: job.name, failuresInRow: { $gt: 0 } }, { $set: { failuresInRow: 0 } });
  }

  async function hasFailed(name: string): Promise<boolean> {
    return (await runs.countDocuments({ _id: name, failuresInRow: { $gt: 0 } })) > 0;
  }

  async function beat(): Promise<void> {
    try {
      if ((await leader.claim()) === null) return;
      for (const { _id } of await runs.find({ wanted: true }, { projection: { _id: 1 } }).toArray()) {
        await runs.updateOne({ _id }, { $set: { wanted: false } });
        const job = jobs.find((one) => one.name === _id);
        if (job) void begin(job, base.now());
      }
    } catch (error) {
      base.log.error({ err: error }, 'the lease of the jobs could not be renewed');
    }
  }

  return {
    list: () =>
      jobs.map(({ name, cron: times }) => ({
        name,
        cron: times,
        nextAt: tasks.get(name)?.getNextRun() ?? null,
        isRunning: running.has(name),
      })),
    async runNow(name) {
      if (!jobs.some((job) => job.name === name) || running.has(name)) return false;
      await note(name);
      await runs.updateOne({ _id: name }, { $set: { wanted: true } });
      void beat();
      return true;
    },
    wake() {
      if (isWaking) return;
      isWaking = true;
      setImmediate(() => {
        isWaking = false;
        for (const job of jobs) if (job.onWake) kick(job);
      });
    },
    async start() {
      await beat();
      heartbeat = setInterval(() => void beat(), options.heartbeatMs ?? 20_000);
      const zone = options.timezone === undefined ? {} : { timezone: options.timezone };
      for (const job of jobs) {
        const onTime = ({ date }: { date: Date }) => begin(job, new Date(Math.floor(date.getTime() / 1000) * 1000));
        tasks.set(job.name, cron.schedule(job.cron, onTime, { ...zone, name: job.name, suppressMissedWarning: true }));
      }
    },
    async stop() {
      stopping.abort();
      again.clear();
      clearInterval(heartbeat);
      for (const task of tasks.values()) await task.destroy();
      await Promise.allSettled(running.values());
      await leader.release();
    },
  };
}
