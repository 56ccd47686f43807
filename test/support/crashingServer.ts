// A process for test/federation/crash.test.ts: the wire and its queue on a real data folder, told by messages when to work
// and before or after which operation of its store to die as by a power cut.
import { createServer } from 'node:http';
import express from 'express';
import { deliverDue, deliveriesIn } from '../../federation/delivery.js';
import { createFederation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { federationConsumer } from '../../federation/outbox.js';
import { federationRouter } from '../../federation/routes.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { createCollective } from '../../server/collectives/actions.js';
import { findCollectiveByHandle } from '../../server/collectives/queries.js';
import { loadI18n } from '../../server/i18n.js';
import { followsIn } from '../../server/partners/queries.js';
import { viewsDir } from '../../server/paths.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes, eventfulCollections } from '../../server/store/schema.js';
import { watchStore } from './watchedStore.js';

export type Order =
  | { do: 'open'; dataDir: string; mongodbUri: string | null; port: number; privateHosts: string[]; skewMs: number }
  | { do: 'arm'; at: number; when: 'before' | 'after' }
  | { do: 'work' }
  | { do: 'look'; follower: string };

export type Report =
  | { done: 'open' | 'arm' | 'work' }
  | { done: 'look'; states: string[]; waiting: number; activities: number }
  | { done: 'dying'; step: string };

const say = (report: Report): void => void process.send?.(report);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

let fuse: { left: number; when: 'before' | 'after' } | null = null;

/** Says where, and is gone: nothing after this line runs. */
function watch(step: string, when: 'before' | 'after'): void {
  if (fuse === null || fuse.when !== when || --fuse.left > 0) return;
  process.send?.({ done: 'dying', step: `${when} ${step}` } satisfies Report);
  process.kill(process.pid, 'SIGKILL');
}

async function open(order: Extract<Order, { do: 'open' }>) {
  const { dataDir, mongodbUri } = order;
  const database = mongodbUri === null ? {} : { mongodbUri };
  const store = watchStore(await openStore({ dataDir, ...database, onScan: 'error' }), watch);
  await store.ensureIndexes({ ...allIndexes, ...federationIndexes });
  const host = `127.0.0.1:${order.port}`;
  const now = (): Date => new Date(Date.now() + order.skewMs);
  const site = { baseUrl: `http://${host}`, host, defaultLanguage: 'fr' as const };
  const privateHosts = [...order.privateHosts, host];
  const house = { store, site, log: quiet, i18n: loadI18n(`${viewsDir}/locales`), privateHosts, now };
  if ((await findCollectiveByHandle(store, 'hoster')) === null) {
    const actor = { kind: 'system', name: 'test' } as const;
    const name = { fr: 'L’Écluse', en: 'The Lock' };
    const input = { handle: 'hoster', name, legalForm: 'ASSOCIATION' as const, published: true };
    await createCollective({ store, site, log: quiet, now: now(), actor }, input);
  }
  const federation = createFederation(house, { version: '0', workerId: `crash-${process.pid}` });
  const app = express().use(federationRouter(federation, { version: '0' }));
  await new Promise<void>((resolve) => createServer(app).listen(order.port, '127.0.0.1', resolve));
  return { store, federation, house };
}

let world: Awaited<ReturnType<typeof open>> | null = null;

async function follow(order: Order): Promise<void> {
  if (order.do === 'open') {
    world = await open(order);
    return say({ done: 'open' });
  }
  if (world === null) throw new Error('not open');
  const { federation, house, store } = world;
  if (order.do === 'arm') {
    fuse = { left: order.at, when: order.when };
    return say({ done: 'arm' });
  }
  if (order.do === 'work') {
    const consumers = [federationConsumer(federation)];
    await drainEvents({ ...house, collections: eventfulCollections, consumers });
    await deliverDue(federation);
    return say({ done: 'work' });
  }
  fuse = null;
  const follows = await followsIn(store).find({ follower: order.follower }).toArray();
  const [one] = follows;
  say({
    done: 'look',
    states: follows.map(({ state }) => state),
    waiting: await deliveriesIn(federation).countDocuments({}),
    activities: one
      ? await store.collection('activities').countDocuments({ subject: `follow:${one._id}` } as object)
      : 0,
  });
}

process.on('message', (order: Order) => {
  follow(order).catch((error: unknown) => {
    console.error(error);
    process.exit(3);
  });
});
// A parent that is gone needs no server.
process.on('disconnect', () => process.exit(0));
