// The whole of server/app.ts on a free port, with a house of the tests: for what holds whatever the slice is.
import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { Express } from 'express';
import { deliverDue } from '../../federation/delivery.js';
import { createFederation, type Federation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { lookUpActor, lookUpPost } from '../../federation/lookUp.js';
import { federationConsumer } from '../../federation/outbox.js';
import { createPictures } from '../../federation/pictures.js';
import { policyConsumer } from '../../federation/policy.js';
import { refreshPost } from '../../federation/remoteObjects.js';
import { runSelfTest } from '../../federation/selfTest.js';
import { readThread } from '../../federation/threads.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { buildApp } from '../../server/app.js';
import type { Engine, House } from '../../server/house.js';
import { createMetrics } from '../../server/instances/metrics.js';
import { listen } from '../../server/startup.js';
import { eventfulCollections } from '../../server/store/schema.js';
import { buildTestHouse, Client, type ClientOptions, type TestHouse } from './appSupport.js';
import { atEnd } from './endOfRun.js';
import { dealRsaKeysLater } from './rsaKeys.js';
import { temporaryFolder } from './storeSupport.js';

export interface WholeApp {
  house: TestHouse;
  engine: Engine;
  federation: Federation;
  express: Express;
  url: string;
  /** Times that the app asked for events to be handed on. */
  wakes(): number;
  client(options?: ClientOptions): Client;
}

/** Hands events to the outbox, then delivers what is due. */
export async function announceAndDeliver({ house, federation }: WholeApp): Promise<void> {
  const { store, log, now } = house;
  const consumers = [policyConsumer(federation), federationConsumer(federation)];
  await drainEvents({ store, log, now, collections: eventfulCollections, consumers });
  await deliverDue(federation);
}

export async function startWholeApp(
  options: { house?: Partial<House>; engine?: Partial<Engine>; metricsToken?: string; server?: ServerOptions } = {},
): Promise<WholeApp> {
  let answer: RequestListener = (_req, res) => void res.writeHead(503).end();
  const server = createServer(options.server ?? {}, (req, res) => answer(req, res));
  const port = await listen(server, '127.0.0.1', 0);
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${port}`;
  const house = await buildTestHouse({
    site: { baseUrl: url, host: `127.0.0.1:${port}`, defaultLanguage: 'fr' },
    ...options.house,
  });
  await house.store.ensureIndexes(federationIndexes);
  const dataDir = temporaryFolder();
  const token = options.metricsToken;
  const engine: Engine = {
    version: '0.0.0-test',
    isDevelopment: false,
    dataDir,
    startedAt: house.now(),
    keepsBackups: true,
    sendsMail: false,
    metrics: token === undefined ? null : createMetrics(house, { token, dataDir }),
    jobs: { list: () => [], runNow: async () => false },
    isStopping: () => false,
    selfTest: () => runSelfTest(federation),
    ...options.engine,
  };
  let wakes = 0;
  const federation = createFederation(house, {
    version: engine.version,
    workerId: 'test',
    makeRsaKeys: dealRsaKeysLater,
  });
  atEnd(() => void federation.fetch.close());
  if (!options.house?.lookUpActor) house.lookUpActor = (address) => lookUpActor(federation, address);
  if (!options.house?.lookUpPost) house.lookUpPost = (address) => lookUpPost(federation, address);
  if (!options.house?.pictures) {
    house.pictures = createPictures({ fetchText: federation.fetch.fetchText, dataDir, now: house.now });
  }
  if (!options.house?.refreshPost) house.refreshPost = (post) => refreshPost(federation, post);
  if (!options.house?.readThread) house.readThread = (...asked) => readThread(federation, ...asked);
  const wake = () => {
    wakes += 1;
  };
  const express = buildApp(house, engine, { federation, wake });
  answer = express;
  return {
    house,
    engine,
    federation,
    express,
    url,
    wakes: () => wakes,
    client: (how) => new Client(url, house.site.baseUrl, how),
  };
}
