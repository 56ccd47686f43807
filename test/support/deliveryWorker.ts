// A process that does nothing but deliver from a store that others use too: told by messages when, and what time it is.
// For test/story/twoWorkers.test.ts, which kills it.
import { type DeliveryReport, deliverDue } from '../../federation/delivery.js';
import { createFederation, type Federation } from '../../federation/federation.js';
import { loadI18n } from '../../server/i18n.js';
import { viewsDir } from '../../server/paths.js';
import { openStore } from '../../server/store/openStore.js';

export type WorkerOrder =
  | { do: 'open'; dataDir: string; mongodbUri: string | null; baseUrl: string; privateHosts: string[] }
  | { do: 'work'; skewMs: number };

export type WorkerReport = { done: 'open' } | { done: 'work'; report: DeliveryReport };

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
let federation: Federation | null = null;
let skewMs = 0;

async function follow(order: WorkerOrder): Promise<WorkerReport> {
  if (order.do === 'open') {
    const { dataDir, mongodbUri, baseUrl, privateHosts } = order;
    const store = await openStore({ dataDir, shared: true, ...(mongodbUri === null ? {} : { mongodbUri }) });
    const site = { baseUrl, host: new URL(baseUrl).host, defaultLanguage: 'fr' as const };
    const i18n = loadI18n(`${viewsDir}/locales`);
    const now = (): Date => new Date(Date.now() + skewMs);
    const house = { store, site, log: quiet, i18n, privateHosts, now };
    federation = createFederation(house, { version: '0', workerId: `worker-${process.pid}` });
    return { done: 'open' };
  }
  if (federation === null) throw new Error('not open');
  skewMs = order.skewMs;
  return { done: 'work', report: await deliverDue(federation, { budgetMs: 15_000 }) };
}

process.on('message', (order: WorkerOrder) => {
  follow(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error);
      process.exit(3);
    },
  );
});
// A parent that is gone needs no worker.
process.on('disconnect', () => process.exit(0));
