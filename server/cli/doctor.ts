// `chatiere doctor`: looks at everything that keeps an instance from working, and says what to do. Changes nothing.
import { lookup } from 'node:dns/promises';
import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connect } from 'node:tls';
import type { Config } from '../config.js';
import { loadI18n } from '../i18n.js';
import { findLastBackup } from '../instances/dataFolder.js';
import { presentSize } from '../instances/present.js';
import { viewsDir } from '../paths.js';
import { knownAddress, siteOf } from '../startup.js';
import { openStore } from '../store/openStore.js';
import type { Store } from '../store/store.js';
import type { PrintOptions } from './archives.js';
import { print, readEnvironment } from './environment.js';
import { explain } from './failure.js';

export interface Finding {
  what: string;
  state: 'well' | 'look' | 'broken';
  /** What was found, and what to do. */
  says: string;
}

const day = 24 * 3_600_000;
const patienceMs = 5_000;

const well = (what: string, says: string): Finding => ({ what, state: 'well', says });
const look = (what: string, says: string): Finding => ({ what, state: 'look', says });
const broken = (what: string, says: string): Finding => ({ what, state: 'broken', says });

/** Prints one line for each thing looked at. Exit code 1 when something is broken. */
export async function doctorCommand(options: PrintOptions): Promise<void> {
  const findings = await examine(readEnvironment, new Date());
  const marks = { well: 'ok    ', look: 'look  ', broken: 'BROKEN' };
  print(
    options,
    { findings },
    findings.map(({ what, state, says }) => `${marks[state]}  ${what}: ${says}`),
  );
  if (findings.some(({ state }) => state === 'broken')) process.exitCode = 1;
}

export async function examine(read: () => Config, now: Date): Promise<Finding[]> {
  const findings = [nodeVersion()];
  let config: Config;
  try {
    config = read();
  } catch (error) {
    return [...findings, broken('configuration', explain(error))];
  }
  findings.push(...configuration(config));
  const dataDir = resolve(config.dataDir);
  findings.push(...folder(dataDir), await disk(dataDir), backups(config, dataDir, now));
  findings.push(...(await store(config, dataDir, now)));
  const address = config.baseUrl ?? `http://localhost:${config.port}`;
  if (address.startsWith('https:')) findings.push(await names(address), await certificate(address, now));
  const reached = await reach(address, now);
  findings.push(...reached);
  const isThere = reached.some(({ what, state }) => what === 'reachability' && state === 'well');
  if (isThere) findings.push(...(await federation(config, dataDir)));
  return findings;
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return well('Node.js', process.versions.node);
  return broken('Node.js', `${process.versions.node} is too old: install 20.19 or newer`);
}

function configuration(config: Config): Finding[] {
  const what = 'configuration';
  const findings: Finding[] = [];
  if (config.baseUrl === null)
    findings.push(look(what, 'BASE_URL is not set: nobody can reach this instance from elsewhere'));
  if (config.smtpUrl === undefined) findings.push(look(what, 'SMTP_URL is not set: mails wait under /admin/mails'));
  if (config.privateHosts.length > 0) {
    findings.push(look(what, 'FEDERATION_PRIVATE_HOSTS is set: unset it on a public server'));
  }
  if (config.baseUrl?.startsWith('https:') && config.trustProxy === 0) {
    findings.push(
      look(what, 'TRUST_PROXY is 0 though the address is https: set it to the number of reverse proxies, usually 1'),
    );
  }
  return findings.length > 0 ? findings : [well(what, 'complete')];
}

function folder(dataDir: string): Finding[] {
  const what = 'data folder';
  if (!existsSync(dataDir)) return [look(what, `${dataDir} does not exist yet: the first start makes it`)];
  const findings: Finding[] = [];
  if (process.platform === 'win32') return [well(what, dataDir)];
  const found = statSync(dataDir);
  if (typeof process.getuid === 'function' && found.uid !== process.getuid()) {
    findings.push(look(what, `${dataDir} belongs to another user: run this as the user that runs Chatière`));
  }
  if ((found.mode & 0o077) !== 0) findings.push(broken(what, `others may read ${dataDir}: chmod 700 ${dataDir}`));
  for (const name of ['secret', 'chatiere.db']) {
    const file = join(dataDir, name);
    if (existsSync(file) && (statSync(file).mode & 0o077) !== 0) {
      findings.push(broken(what, `others may read ${file}: chmod 600 ${file}`));
    }
  }
  return findings.length > 0 ? findings : [well(what, `${dataDir}, readable by its owner only`)];
}

async function disk(dataDir: string): Promise<Finding> {
  const what = 'disk';
  const found = await statfs(existsSync(dataDir) ? dataDir : '.').catch(() => null);
  if (found === null) return look(what, 'the system does not say how much is free');
  const free = found.bavail * found.bsize;
  const says = `${presentSize(free, 'en')} free`;
  if (free < 200 * 1024 * 1024) return broken(what, `${says}: make room, or nothing can be saved soon`);
  return free < 1024 ** 3 ? look(what, `${says}: make room`) : well(what, says);
}

function backups(config: Config, dataDir: string, now: Date): Finding {
  const what = 'backup';
  if (config.backupKeepDays === 0) return look(what, 'no nightly backup is made (BACKUP_KEEP_DAYS=0)');
  const last = findLastBackup(dataDir);
  if (last === null) return look(what, 'none yet: the server makes one each night while it runs');
  const age = now.getTime() - last.at.getTime();
  const says = `${last.name}, ${presentSize(last.bytes, 'en')}`;
  return age > 2 * day ? broken(what, `the last one is ${says}: see /admin/jobs for the reason`) : well(what, says);
}

async function store(config: Config, dataDir: string, now: Date): Promise<Finding[]> {
  const what = 'store';
  if (config.mongodbUri === undefined && !existsSync(dataDir)) return [];
  let opened: Store | null = null;
  try {
    opened = await openStore({
      dataDir,
      shared: true,
      ...(config.mongodbUri === undefined ? {} : { mongodbUri: config.mongodbUri }),
    });
    await opened.ping();
    const findings = [well(what, 'answers and can be written')];
    const known = await knownAddress(opened);
    if (known?.startsWith('https:') && config.baseUrl !== null && known !== config.baseUrl) {
      findings.push(broken(what, `its data belongs to ${known}, but BASE_URL is ${config.baseUrl}: set BASE_URL back`));
    }
    const newest = await opened.collection<{ _id: string; at: Date }>('changes').findOne({}, { sort: { _id: -1 } });
    if (newest && newest.at.getTime() > now.getTime() + 5 * 60_000) {
      findings.push(
        broken(
          'clock',
          `it is behind the last change stored (${newest.at.toISOString()}): set the clock, for instance by NTP`,
        ),
      );
    }
    return findings;
  } catch (error) {
    return [broken(what, explain(error))];
  } finally {
    await opened?.close();
  }
}

async function names(address: string): Promise<Finding> {
  const { hostname } = new URL(address);
  try {
    const found = await lookup(hostname, { all: true });
    return well('DNS', `${hostname} is ${found.map((one) => one.address).join(', ')}`);
  } catch {
    return broken('DNS', `${hostname} has no address: add an A or AAAA record where the domain is kept`);
  }
}

function certificate(address: string, now: Date): Promise<Finding> {
  const what = 'TLS';
  const { hostname, port } = new URL(address);
  return new Promise((done) => {
    const socket = connect({ host: hostname, port: Number(port || 443), servername: hostname, timeout: patienceMs });
    const end = (finding: Finding) => {
      socket.destroy();
      done(finding);
    };
    socket.once('secureConnect', () => {
      const until = new Date(socket.getPeerCertificate().valid_to);
      const days = Math.floor((until.getTime() - now.getTime()) / day);
      const says = `the certificate is good for ${days} more days`;
      end(days < 14 ? look(what, `${says}: see why it is not renewed`) : well(what, says));
    });
    socket.once('timeout', () =>
      end(broken(what, `${hostname} does not answer on port ${port || 443}: start the reverse proxy, open the port`)),
    );
    socket.once('error', (error) => end(broken(what, `${error.message}: see to the certificate of the reverse proxy`)));
  });
}

/** Asks the instance itself, as others would: is it there, does it know itself, does its clock agree. */
async function reach(address: string, now: Date): Promise<Finding[]> {
  const what = 'reachability';
  const began = performance.now();
  const alive = await ask(`${address}/health/live`);
  if (alive === null)
    return [look(what, `${address} does not answer: start Chatière (chatiere serve), then ask again`)];
  if (alive.status !== 200) {
    return [broken(what, `${address}/health/live answers ${alive.status}: the proxy does not lead to Chatière`)];
  }
  const findings = [well(what, `${address} answers in ${Math.round(performance.now() - began)} ms`)];
  const theirs = Date.parse(alive.headers.get('date') ?? '');
  const skew = Math.abs(theirs - (now.getTime() + performance.now() - began));
  if (skew > 60_000) {
    findings.push(
      broken(
        'clock',
        `the server is ${Math.round(skew / 1000)} s off: other servers refuse its signatures; set the clock, for instance by NTP`,
      ),
    );
  } else if (!Number.isNaN(skew)) findings.push(well('clock', 'agrees'));
  const finger = await ask(`${address}/.well-known/webfinger?resource=acct:instance@${new URL(address).host}`);
  const known = finger?.status === 200;
  findings.push(
    known
      ? well('WebFinger', 'the instance can be found')
      : broken(
          'WebFinger',
          `/.well-known/webfinger answers ${finger?.status ?? 'nothing'}: let the proxy pass /.well-known on`,
        ),
  );
  return findings;
}

/** The same test as on /admin/selftest: what peers rely on, through whatever stands in front. */
async function federation(config: Config, dataDir: string): Promise<Finding[]> {
  const what = 'federation';
  const t = loadI18n(join(viewsDir, 'locales')).translator('en');
  try {
    const { examineFederation } = await import('../main.js');
    const lines = await examineFederation(config, { dataDir, site: siteOf(config, config.port) });
    return lines.map(({ name, finding }) => {
      const title = t(`instances.selftest.${name}.title`);
      if (finding === null) return well(what, title);
      return broken(what, `not so: ${title} (${finding}). ${t(`instances.selftest.${name}.remedy`)}`);
    });
  } catch (error) {
    return [broken(what, explain(error))];
  }
}

async function ask(address: string): Promise<Response | null> {
  const answer = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs) }).catch(
    () => null,
  );
  await answer?.arrayBuffer().catch(() => null);
  return answer;
}
