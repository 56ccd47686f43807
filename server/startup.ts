// What must be true before the process may serve: a folder to write in, a secret, a port, an address that fits the data.
// Each failure is one sentence that says what to do.
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join, resolve } from 'node:path';
import type { Config } from './config.js';
import type { Site } from './context.js';
import type { Doc, Store } from './store/store.js';

/** The process cannot start. The message is one sentence for the administrator. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Milliseconds that a client may take: for the headers, for a whole request (a picture over a slow line), between two requests;
 * and how often it is looked who takes longer.
 */
export const patience = {
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

/** Makes the data folder, readable by its owner only. Refuses a folder that cannot be written. */
export function prepareDataDir(dataDir: string): string {
  const folder = resolve(dataDir);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new StartError(
      `The data folder ${folder} cannot be written (${why}): give it to the user that runs Chatière, or set DATA_DIR to another folder.`,
      { cause },
    );
  }
  return folder;
}

/** SESSION_SECRET, or one that is made once and kept in the data folder, readable by its owner only. */
export function readSecret(config: Pick<Config, 'sessionSecret'>, dataDir: string): string {
  if (config.sessionSecret !== undefined) return config.sessionSecret;
  const file = join(dataDir, 'secret');
  try {
    writeFileSync(file, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new StartError(`The secret cannot be kept in ${file}: free space there, or set SESSION_SECRET.`, { cause });
    }
  }
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  const secret = readFileSync(file, 'utf8').trim();
  if (secret.length < 32) {
    throw new StartError(`The secret in ${file} is too short: restore it from a backup, or set SESSION_SECRET.`);
  }
  return secret;
}

/** Binds the port; resolves with its number (it may have been 0: any free one). */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      fail(new StartError(whyNotBound(cause, host, port), { cause })),
    );
    server.listen(port, host, () => {
      const address = server.address();
      done(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function whyNotBound(cause: NodeJS.ErrnoException, host: string, port: number): string {
  if (cause.code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is in use: stop the other program, or set PORT to another number.`;
  }
  if (cause.code === 'EACCES') return `Port ${port} on ${host} is not allowed to this user: set PORT to 1024 or more.`;
  if (cause.code === 'EADDRNOTAVAIL' || cause.code === 'ENOTFOUND') {
    return `HOST=${host} is no address of this machine: set HOST to 127.0.0.1 (behind a proxy) or 0.0.0.0.`;
  }
  return `Port ${port} on ${host} cannot be opened (${cause.code ?? cause.message}): check HOST and PORT.`;
}

export function siteOf(config: Pick<Config, 'baseUrl' | 'defaultLanguage'>, port: number): Site {
  const baseUrl = config.baseUrl ?? `http://localhost:${port}`;
  return { baseUrl, host: new URL(baseUrl).host, defaultLanguage: config.defaultLanguage };
}

type AddressDoc = Doc & { baseUrl: string };

/** The address under which this data was last served, if it ever was. */
export async function knownAddress(store: Store): Promise<string | null> {
  return (await store.collection<AddressDoc>('settings').findOne({ _id: 'address' }))?.baseUrl ?? null;
}

/**
 * The address is part of every name that other servers keep. Refuses data that was published under another public one;
 * a trial on this machine may still be given its real address.
 */
export async function keepAddress(store: Store, site: Site): Promise<void> {
  const known = await knownAddress(store);
  if (known === site.baseUrl) return;
  if (known?.startsWith('https:')) {
    throw new StartError(
      `This data belongs to ${known}, but BASE_URL is ${site.baseUrl}: set BASE_URL back, since other servers know the old address.`,
    );
  }
  const settings = store.collection<AddressDoc>('settings');
  await settings.updateOne({ _id: 'address' }, { $set: { baseUrl: site.baseUrl } }, { upsert: true });
}
