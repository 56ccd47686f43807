// Figures for Prometheus: durations of requests by route, queues, jobs, event loop, size of the data. Loaded only when
// METRICS_TOKEN is set. Labels are route patterns and job names, never an address or a person.
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { House, Metrics } from '../house.js';
import { routeOf } from '../http/requests.js';
import { folderBytes } from './dataFolder.js';
import { countQueues, listJobRuns } from './queries.js';

export function createMetrics(house: House, options: { token: string; dataDir: string }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'chatiere_' });
  const registers = [registry];
  const durations = new Histogram({
    name: 'chatiere_request_seconds',
    help: 'Time to answer a request, by route pattern',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  new Gauge({
    name: 'chatiere_queue_size',
    help: 'Things that wait: deliveries, mails, parked events',
    labelNames: ['queue'],
    registers,
    async collect() {
      for (const [queue, size] of Object.entries(await countQueues(house.store))) this.set({ queue }, size);
    },
  });
  const jobSeconds = new Gauge({
    name: 'chatiere_job_last_seconds',
    help: 'Duration of the last run of a job',
    labelNames: ['job'],
    registers,
  });
  const jobFailures = new Gauge({
    name: 'chatiere_job_failures_in_row',
    help: 'Failed runs since the last good one',
    labelNames: ['job'],
    registers,
  });
  new Gauge({
    name: 'chatiere_job_last_finished_timestamp_seconds',
    help: 'When the last run of a job ended',
    labelNames: ['job'],
    registers,
    async collect() {
      for (const run of await listJobRuns(house.store)) {
        if (!run.finishedAt) continue;
        this.set({ job: run._id }, run.finishedAt.getTime() / 1000);
        jobSeconds.set({ job: run._id }, (run.durationMs ?? 0) / 1000);
        jobFailures.set({ job: run._id }, run.failuresInRow);
      }
    },
  });
  new Gauge({
    name: 'chatiere_data_bytes',
    help: 'Size of the files in the data folder, backups left out',
    registers,
    collect() {
      this.set(folderBytes(options.dataDir));
    },
  });
  return {
    token: options.token,
    observe: (req, res, ms) =>
      durations.observe({ method: req.method, route: routeOf(req), status: res.statusCode }, ms / 1000),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
