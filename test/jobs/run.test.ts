import { expect } from 'chai';
import { type Job, type Runner, runner } from '../../jobs/run.js';
import type { JobRun } from '../../server/instances/schema.js';
import type { Store } from '../../server/store/store.js';
import { openTestStore } from '../support/storeSupport.js';

const yearly = '0 0 3 1 1 *';

describe('running jobs', () => {
  let store: Store;
  let time: number;
  let lines: string[];
  let runners: Runner[];
  const log = {
    debug: () => {},
    info: (details: object, message: string) => void lines.push(`info ${message} ${JSON.stringify(details)}`),
    warn: (details: object, message: string) => void lines.push(`warn ${message} ${JSON.stringify(details)}`),
    error: (details: object, message: string) => void lines.push(`error ${message} ${JSON.stringify(details)}`),
  };

  beforeEach(async () => {
    time = Date.parse('2026-05-21T10:00:00Z');
    lines = [];
    runners = [];
    store = await openTestStore();
    await store.ensureIndexes({ leases: [], jobRuns: [{ keys: { wanted: 1 } }] });
  });

  afterEach(async () => {
    for (const one of runners) await one.stop();
  });

  function build(jobs: Job<null>[], holder = 'host:1:a'): Runner {
    const one = runner({ store, now: () => new Date(time++), log }, jobs, null, { holder, heartbeatMs: 20 });
    runners.push(one);
    return one;
  }

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      if (await condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`it did not happen in two seconds; the log says:\n${lines.join('\n')}`);
  }

  const lastRun = (name: string) => store.collection<JobRun>('jobRuns').findOne({ _id: name });

  it('keeps when a job ran, how long, and with what result, and says it in one log line', async () => {
    const desk = build([{ name: 'sweep', cron: yearly, run: async () => ({ swept: 3 }) }]);
    await desk.start();
    expect(await desk.runNow('sweep')).to.equal(true);
    await until(async () => (await lastRun('sweep'))?.finishedAt != null);
    const run = await lastRun('sweep');
    expect(run).to.deep.include({ result: { swept: 3 }, error: null, failuresInRow: 0, wanted: false });
    expect(lines.filter((line) => line.includes('"job":"sweep"'))).to.have.length(1);
  });

  it('survives a job that throws, keeps the reason, and forgets the failures after a good run', async () => {
    let breaks = true;
    const run = async () => {
      if (breaks) throw new Error('no space left');
      return {};
    };
    const desk = build([{ name: 'backup', cron: yearly, run }]);
    await desk.start();
    await desk.runNow('backup');
    await until(async () => (await lastRun('backup'))?.failuresInRow === 1);
    expect((await lastRun('backup'))?.error).to.equal('no space left');
    breaks = false;
    await desk.runNow('backup');
    await until(async () => (await lastRun('backup'))?.failuresInRow === 0);
    expect((await lastRun('backup'))?.error).to.equal(null);
  });

  it('never runs a job twice at the same time', async () => {
    let inside = 0;
    let most = 0;
    let runs = 0;
    const job: Job<null> = {
      name: 'drain',
      cron: '* * * * * *',
      quiet: true,
      onWake: true,
      run: async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 15));
        inside -= 1;
        runs += 1;
        return { done: 1 };
      },
    };
    const desk = build([job]);
    await desk.start();
    for (let i = 0; i < 20; i += 1) {
      desk.wake();
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await until(() => runs >= 3);
    expect(most).to.equal(1);
  });

  it('runs a quiet job after every wake, also one that comes in the middle of a run', async () => {
    const seen: number[] = [];
    let written = 1;
    const job: Job<null> = {
      name: 'drain',
      cron: yearly,
      quiet: true,
      onWake: true,
      run: async () => {
        const found = written;
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen.push(found);
        return { done: 1 };
      },
    };
    const desk = build([job]);
    await desk.start();
    desk.wake();
    await new Promise((resolve) => setTimeout(resolve, 10));
    written = 2;
    desk.wake();
    await until(() => seen.includes(2));
  });

  it('does not write about a quiet job that had nothing to do', async () => {
    const desk = build([{ name: 'drain', cron: yearly, quiet: true, onWake: true, run: async () => ({ done: 0 }) }]);
    await desk.start();
    desk.wake();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await lastRun('drain')).to.equal(null);
  });

  it('lets one of two processes run a job for each time', async () => {
    const ran: string[] = [];
    const job = (who: string): Job<null> => ({
      name: 'nightly',
      cron: '* * * * * *',
      run: async () => {
        ran.push(who);
        return {};
      },
    });
    const [a, b] = [build([job('a')], 'host:1:a'), build([job('b')], 'host:2:b')];
    await Promise.all([a.start(), b.start()]);
    await until(() => ran.length >= 2);
    expect(new Set(ran).size).to.equal(1);
  });

  it('runs a job that is for every process in each of them, and keeps what any of them did', async () => {
    const ran: string[] = [];
    const jobs = (who: string): Job<null>[] => [
      {
        name: 'deliver',
        cron: '* * * * * *',
        quiet: true,
        everywhere: true,
        run: async () => {
          ran.push(who);
          return { sent: who === 'b' ? 1 : 0 };
        },
      },
    ];
    const [a, b] = [build(jobs('a'), 'host:1:a'), build(jobs('b'), 'host:2:b')];
    await a.start();
    await b.start();
    await until(() => new Set(ran).size === 2);
    await until(async () => (await lastRun('deliver'))?.finishedAt != null);
    expect((await lastRun('deliver'))?.result).to.deep.equal({ sent: 1 });
  });

  it('hands a run that was asked for at another process to the leader', async () => {
    const ran: string[] = [];
    const job = (who: string): Job<null> => ({
      name: 'nightly',
      cron: yearly,
      run: async () => {
        ran.push(who);
        return {};
      },
    });
    const a = build([job('a')], 'host:1:a');
    const b = build([job('b')], 'host:2:b');
    await a.start();
    await b.start();
    await b.runNow('nightly');
    await until(() => ran.length === 1);
    expect(ran).to.deep.equal(['a']);
  });

  it('knows nothing of a job that is not in the table', async () => {
    const desk = build([]);
    await desk.start();
    expect(await desk.runNow('rm')).to.equal(false);
  });

  it('waits for a run that is going on when it is stopped, and lets another lead', async () => {
    let begun = false;
    let finished = false;
    const slow: Job<null> = {
      name: 'slow',
      cron: yearly,
      run: async (_tools, signal) => {
        begun = true;
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        await new Promise((resolve) => setTimeout(resolve, 20));
        finished = true;
        return {};
      },
    };
    const desk = build([slow]);
    await desk.start();
    await desk.runNow('slow');
    await until(() => begun);
    expect(desk.list()[0]?.isRunning).to.equal(true);
    await desk.stop();
    expect(finished).to.equal(true);
    expect((await lastRun('slow'))?.finishedAt).to.be.instanceOf(Date);
    const other = build([], 'host:2:b');
    await other.start();
    expect(
      (await store.collection<{ _id: string; holder: string }>('leases').findOne({ _id: 'jobs' }))?.holder,
    ).to.equal('host:2:b');
  });

  it('leaves a run that had not begun when it was stopped to whoever leads next', async () => {
    const ran: string[] = [];
    const job = (who: string): Job<null> => ({
      name: 'nightly',
      cron: yearly,
      run: async () => {
        ran.push(who);
        return {};
      },
    });
    const first = build([job('first')], 'host:1:a');
    await first.start();
    await first.runNow('nightly');
    await until(() => first.list()[0]?.isRunning === true || ran.length > 0);
    await first.stop();
    const second = build([job('second')], 'host:2:b');
    await second.start();
    await until(() => ran.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ran).to.have.length(1);
  });
});
