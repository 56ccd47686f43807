// Starts the process; the only file that wires everything together. Each thing that can prevent it ends in one sentence.

import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { whenDelivered } from '../federation/delivery.js';
import { createFederation, type Federation } from '../federation/federation.js';
import { createFetch, type Fetch } from '../federation/fetch.js';
import { federationIndexes } from '../federation/indexes.js';
import { lookUpActor, lookUpPost } from '../federation/lookUp.js';
import { federationConsumer } from '../federation/outbox.js';
import { createPictures } from '../federation/pictures.js';
import { policyConsumer } from '../federation/policy.js';
import { refreshPost } from '../federation/remoteObjects.js';
import { runSelfTest } from '../federation/selfTest.js';
import { readThread } from '../federation/threads.js';
import { runner } from '../jobs/run.js';
import { schedule } from '../jobs/schedule.js';
import type { JobTools } from '../jobs/tools.js';
import { buildApp } from './app.js';
import { catalogueEvent } from './catalogue/actions/catalogueEvent.js';
import type { Config } from './config.js';
import type { Actor, Log, Site } from './context.js';
import { recordChange } from './history/actions.js';
import { contextOf, type Engine, type House, type SelfTestLine } from './house.js';
import { loadViews } from './http/views.js';
import { loadI18n } from './i18n.js';
import { newId } from './ids.js';
import { readSettings } from './instances/settings.js';
import { createLog } from './log.js';
import { migrations } from './migrations.js';
import { noticeEvent } from './notices/actions/noticeEvent.js';
import type { MailTransport } from './notices/actions/transport.js';
import { projectDir, viewsDir } from './paths.js';
import { openSetup } from './people/actions/setup.js';
import { peopleIn } from './people/queries.js';
import { keepAddress, listen, patience, prepareDataDir, readSecret, siteOf } from './startup.js';
import { migrate } from './store/migrations.js';
import { openStore } from './store/openStore.js';
import { allIndexes, eventfulCollections } from './store/schema.js';
import type { Store } from './store/store.js';

export interface Running {
  baseUrl: string;
  /** Stops accepting, lets requests and jobs finish, closes the store. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  /** Says something to the person at the terminal. */
  tell(line: string): void;
}

const version = readVersion();
/** From sources (tsx), not compiled. */
const isDevelopment = import.meta.url.endsWith('.ts');
/** Milliseconds that requests and jobs have to finish after SIGTERM. */
const patienceMs = 20_000;

export async function serve(config: Config, options: ServeOptions): Promise<Running> {
  const log = createLog(config.logLevel);
  if (config.privateHosts.length > 0) {
    log.warn(
      { hosts: config.privateHosts },
      'FEDERATION_PRIVATE_HOSTS is set: private addresses and plain http are allowed for these hosts. Never do this on a public server',
    );
  }
  const dataDir = prepareDataDir(config.dataDir);
  // The port first, since addresses may be made of it. Until all is ready, whoever asks is told to come back.
  let answer: RequestListener = (_req, res) => void res.writeHead(503, { 'Retry-After': '1' }).end('starting\n');
  const server = createServer(patience, (req, res) => answer(req, res));
  const port = await listen(server, config.host, config.port);
  const closers: (() => Promise<void> | void)[] = [() => void server.close(), () => server.closeAllConnections()];
  const closeAll = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const store = await openData(config, dataDir, log);
    closers.push(() => store.close());
    const site = siteOf(config, port);
    await keepAddress(store, site);

    const house = buildHouse(config, { store, site, log, secret: readSecret(config, dataDir), dataDir });
    const { federation } = house;
    closers.push(() => federation.fetch.close());
    closers.push(() => whenDelivered(federation));
    const tools: JobTools = {
      house,
      federation,
      store,
      log,
      now: house.now,
      mailTransport: await transportFor(config),
      dataDir,
      backupKeepDays: config.backupKeepDays,
      collections: eventfulCollections,
      consumers: [
        { name: 'history', receive: (event) => recordChange(store, event) },
        { name: 'catalogue', receive: (event) => catalogueEvent(contextOf(house, system('drainEvents')), event) },
        { name: 'notices', receive: (event) => noticeEvent({ house }, event) },
        policyConsumer(federation),
        federationConsumer(federation),
      ],
    };
    const { timeZone } = await readSettings(store);
    const jobs = runner(house, schedule, tools, { timezone: timeZone });
    let isStopping = false;
    const engine: Engine = {
      version,
      isDevelopment,
      dataDir,
      startedAt: house.now(),
      keepsBackups: config.backupKeepDays > 0,
      sendsMail: config.smtpUrl !== undefined,
      metrics: await metricsFor(house, config.metricsToken, dataDir),
      jobs,
      isStopping: () => isStopping,
      selfTest: () => runSelfTest(federation),
    };
    await bootstrap(house, config.bootstrapFile);
    await jobs.start();
    closers.push(() => jobs.stop());
    jobs.wake();
    await greet(house, options);
    answer = buildApp(house, engine, { federation, wake: jobs.wake });
    return {
      baseUrl: site.baseUrl,
      async stop() {
        isStopping = true;
        await Promise.all([drainConnections(server), jobs.stop()]);
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The store with its data in today's shape and all indexes. */
async function openData(config: Config, dataDir: string, log: Log): Promise<Store> {
  const store = await openStore({
    dataDir,
    ...(config.mongodbUri === undefined ? {} : { mongodbUri: config.mongodbUri }),
    log: (message, details) => log.warn(details, message),
  });
  try {
    await migrate(store, migrations, (message, details) => log.info(details, message));
    await store.ensureIndexes({ ...allIndexes, ...federationIndexes });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

type Ground = Pick<House, 'store' | 'site' | 'log' | 'secret'> & { dataDir: string };

function buildHouse(config: Config, { dataDir, ...ground }: Ground): House & { federation: Federation } {
  const shared = {
    ...ground,
    views: loadViews(viewsDir, { reload: isDevelopment }),
    i18n: loadI18n(join(viewsDir, 'locales')),
    trustProxy: config.trustProxy,
    privateHosts: config.privateHosts,
    now: () => new Date(),
  };
  const federation = createFederation(shared, { version, workerId: `${hostname()}:${process.pid}:${newId()}` });
  const lookUp: House['lookUpActor'] = (address) => lookUpActor(federation, address);
  const { fetchText } = federation.fetch;
  const pictures = createPictures({ fetchText, dataDir, now: shared.now });
  const readPost: House['lookUpPost'] = (address) => lookUpPost(federation, address);
  const refresh: House['refreshPost'] = (post) => refreshPost(federation, post);
  const around: House['readThread'] = (...asked) => readThread(federation, ...asked);
  const reading = { lookUpActor: lookUp, lookUpPost: readPost, refreshPost: refresh, readThread: around };
  return { ...shared, federation, fetchText, pictures, ...reading };
}

/** What the person at the terminal needs to know: where it is, and how to get in for the first time. */
async function greet(house: House, { tell }: ServeOptions): Promise<void> {
  tell(`Chatière ${version} is at ${house.site.baseUrl}`);
  const helpless = await findHelplessAdministrator(house.store);
  if (helpless !== null) {
    tell(`${helpless} administers it and has no password yet. Run: npx chatiere person reset ${helpless}`);
  }
  const setupLink = await openSetup(house);
  if (setupLink !== null) tell(`Nobody administers it yet. Open this link once, to set it up: ${setupLink}`);
}

/** Resolves when every request has been answered; after a while those that hang are cut. */
function drainConnections(server: Server): Promise<void> {
  return new Promise((done) => {
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const cut = setTimeout(() => server.closeAllConnections(), patienceMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      done();
    });
  });
}

/** User name of an administrator, when none of them has a way in. */
async function findHelplessAdministrator(store: Store): Promise<string | null> {
  const filter = { instanceRole: 'administrator' as const, disabledAt: null, deletedAt: null };
  const administrators = await peopleIn(store).find(filter, { limit: 50 }).toArray();
  if (administrators.some(({ credentials }) => credentials.password !== null)) return null;
  return administrators[0]?.username ?? null;
}

async function bootstrap(house: House, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const { readBootstrapFile } = await import('./bootstrap/read.js');
  const { applyBootstrap } = await import('./bootstrap/apply.js');
  const t = house.i18n.translator(house.site.defaultLanguage);
  const report = await applyBootstrap(contextOf(house, system('bootstrap')), readBootstrapFile(file, t), t);
  house.log.info({ file, ...report }, 'bootstrap file read');
}

/** The way out to the network for a command, which has no server. */
export function openNetwork(site: Site, privateHosts: readonly string[]): Pick<Fetch, 'fetchText' | 'close'> {
  const userAgent = `Chatiere/${version} (+${site.baseUrl}/)`;
  return createFetch({ ownOrigin: site.baseUrl, userAgent, privateHosts, now: () => new Date() });
}

/** The self-test for a command that runs beside the server. */
export async function examineFederation(
  config: Config,
  { dataDir, site }: { dataDir: string; site: Site },
): Promise<SelfTestLine[]> {
  const { mongodbUri, privateHosts } = config;
  const store = await openStore({ dataDir, shared: true, ...(mongodbUri === undefined ? {} : { mongodbUri }) });
  const log = createLog('error', process.stderr);
  const i18n = loadI18n(join(viewsDir, 'locales'));
  const house = { store, site, log, i18n, privateHosts, now: () => new Date() };
  const federation = createFederation(house, { version, workerId: 'doctor' });
  try {
    return await runSelfTest(federation);
  } finally {
    await federation.fetch.close();
    await store.close();
  }
}

async function transportFor({ smtpUrl, mailFrom }: Config): Promise<MailTransport | null> {
  if (smtpUrl === undefined || mailFrom === undefined) return null;
  const { openTransport } = await import('./notices/actions/transport.js');
  return openTransport(smtpUrl, mailFrom);
}

async function metricsFor(house: House, token: string | undefined, dataDir: string): Promise<Engine['metrics']> {
  if (token === undefined) return null;
  const { createMetrics } = await import('./instances/metrics.js');
  return createMetrics(house, { token, dataDir });
}

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

function system(name: string): Actor {
  return { kind: 'system', name };
}
