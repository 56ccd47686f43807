// What commands share: configuration from the environment and .env, a store opened beside a running server, a context
// whose actor is the command line.
import { existsSync } from 'node:fs';
import { type Config, readConfig } from '../config.js';
import type { Context, Site } from '../context.js';
import { createLog } from '../log.js';
import { migrations } from '../migrations.js';
import { knownAddress, prepareDataDir, readSecret, siteOf } from '../startup.js';
import { migrate } from '../store/migrations.js';
import { openStore } from '../store/openStore.js';
import { allIndexes } from '../store/schema.js';
import type { Store } from '../store/store.js';

/** Reads .env of the current folder, if there is one; what the environment says already wins. */
export function readEnvironment(): Config {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return readConfig(process.env);
}

export interface Desk {
  config: Config;
  dataDir: string;
  store: Store;
  site: Site;
  secret: string;
  ctx: Context;
}

export interface DeskOptions {
  /** False: takes the data folder for itself, which refuses when the server runs. */
  beside?: boolean;
}

/** Opens the store for one command and closes it whatever happens. */
export async function withDesk<T>(work: (desk: Desk) => Promise<T>, options: DeskOptions = {}): Promise<T> {
  const config = readEnvironment();
  const log = createLog('warn', process.stderr);
  const dataDir = prepareDataDir(config.dataDir);
  const store = await openStore({
    dataDir,
    shared: options.beside !== false,
    log: (message, details) => log.warn(details, message),
    ...(config.mongodbUri === undefined ? {} : { mongodbUri: config.mongodbUri }),
  });
  try {
    await migrate(store, migrations, (message, details) => log.warn(details, message));
    await store.ensureIndexes(allIndexes);
    const site = siteOf(config, config.port);
    const known = config.baseUrl === null ? await knownAddress(store) : null;
    const ours = known === null ? site : { ...site, baseUrl: known, host: new URL(known).host };
    const ctx: Context = { store, actor: { kind: 'system', name: 'cli' }, now: new Date(), site: ours, log };
    return await work({ config, dataDir, store, site: ours, secret: readSecret(config, dataDir), ctx });
  } finally {
    await store.close();
  }
}

/** Prints a result: one JSON line for programs, or sentences for people. */
export function print(options: { json?: boolean }, result: object, sentences: string[]): void {
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : sentences.map((line) => `${line}\n`).join(''));
}
