// Figures for Prometheus: durations of requests by route, queues, jobs, event loop, size of the data. Loaded only when
// METRICS_TOKEN is set. Labels are route patterns and job names, never an address or a person.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { House, Metrics } from '../house.js';
import { routeOf } from '../http/requests.js';
import { folderBytes } from './dataFolder.js';
import { contentType, expose, type Family, Histogram } from './exposition.js';
import { countQueues, listJobRuns } from './queries.js';

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createMetrics(house: House, options: { token: string; dataDir: string }): Metrics {
  const durations = new Histogram(requestSeconds);
  const lag = watchEventLoop();
  return {
    token: options.token,
    observe: (req, res, ms) =>
      durations.observe({ method: req.method, route: routeOf(req), status: res.statusCode }, ms / 1000),
    render: async () => ({
      contentType,
      text: expose([
        {
          name: 'chatiere_request_seconds',
          help: 'Time to answer a request, by route pattern',
          type: 'histogram',
          samples: durations.samples(),
        },
        ...(await queueFigures(house)),
        ...(await jobFigures(house)),
        gauge('data_bytes', 'Size of the files in the data folder, backups left out', folderBytes(options.dataDir)),
        ...processFigures(),
        ...lag(),
      ]),
    }),
  };
}

function gauge(name: string, help: string, value: number): Family {
  return { name: `chatiere_${name}`, help, type: 'gauge', samples: [{ value }] };
}

async function queueFigures({ store }: House): Promise<Family[]> {
  const queues = Object.entries(await countQueues(store));
  return [
    {
      name: 'chatiere_queue_size',
      help: 'Things that wait: deliveries, mails, parked events',
      type: 'gauge',
      samples: queues.map(([queue, value]) => ({ labels: { queue }, value })),
    },
  ];
}

async function jobFigures({ store }: House): Promise<Family[]> {
  const runs = (await listJobRuns(store)).flatMap(({ _id, finishedAt, durationMs, failuresInRow }) =>
    finishedAt ? [{ labels: { job: _id }, finishedAt, seconds: (durationMs ?? 0) / 1000, failuresInRow }] : [],
  );
  return [
    {
      name: 'chatiere_job_last_seconds',
      help: 'Duration of the last run of a job',
      type: 'gauge',
      samples: runs.map(({ labels, seconds }) => ({ labels, value: seconds })),
    },
    {
      name: 'chatiere_job_failures_in_row',
      help: 'Failed runs since the last good one',
      type: 'gauge',
      samples: runs.map(({ labels, failuresInRow }) => ({ labels, value: failuresInRow })),
    },
    {
      name: 'chatiere_job_last_finished_timestamp_seconds',
      help: 'When the last run of a job ended',
      type: 'gauge',
      samples: runs.map(({ labels, finishedAt }) => ({ labels, value: finishedAt.getTime() / 1000 })),
    },
  ];
}

function processFigures(): Family[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return [
    {
      name: 'chatiere_process_cpu_seconds_total',
      help: 'Processor time used since the start',
      type: 'counter',
      samples: [{ value: (user + system) / 1e6 }],
    },
    gauge('process_uptime_seconds', 'Time since the start', process.uptime()),
    gauge('process_resident_memory_bytes', 'Memory held by the process', rss),
    gauge('nodejs_heap_size_used_bytes', 'Memory in use by JavaScript objects', heapUsed),
  ];
}

/** How late timers are, since it was last asked. */
function watchEventLoop(): () => Family[] {
  const resolution = 20;
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  // What is recorded is the whole time between two ticks of a timer of that length.
  const late = (nanoseconds: number) => Math.max(0, (nanoseconds || 0) / 1e9 - resolution / 1000);
  return () => {
    const figures = [
      gauge('nodejs_eventloop_lag_seconds', 'How late timers are: mean since last asked', late(delays.mean)),
      gauge('nodejs_eventloop_lag_p99_seconds', 'How late the latest 1 % are at least', late(delays.percentile(99))),
    ];
    delays.reset();
    return figures;
  };
}
