// Requests a second and p95 of the pages people wait for, against a bare Express + Handlebars page of the same size in
// the same run (all measured side by side, three times, medians). Each page as most visitors get it, remembered until
// something is written, and made anew for every request, as a reader with a cookie gets it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { projectDir } from '../../server/paths.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes } from '../../server/store/schema.js';
import { freePort, startServer } from '../support/serverProcess.js';
import { seedServices } from './finder.js';
import { median } from './start.js';

interface PageFigures {
  bytes: number;
  perSecond: number;
  p95Ms: number;
  barePerSecond: number;
  bareP95Ms: number;
  ratio: number;
  freshPerSecond: number;
  freshP95Ms: number;
  /** Processor time of the server for one page made anew. */
  freshCpuMs: number;
}

export async function benchPages(services: number): Promise<Record<string, PageFigures>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatiere-bench-'));
  try {
    const paths = await seed(dataDir, services);
    const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
    const result: Record<string, PageFigures> = {};
    try {
      for (const [name, path] of Object.entries(paths))
        result[name] = await comparePage(`${server.baseUrl}${path}`, server.pid);
    } finally {
      await server.stop();
    }
    return result;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function seed(dataDir: string, services: number): Promise<Record<string, string>> {
  const store = await openStore({ dataDir, onScan: 'warn' });
  await store.ensureIndexes(allIndexes);
  const { collectiveHandle, serviceSlug } = await seedServices(store, services);
  await store.close();
  return {
    home: '/',
    finder: '/services',
    finderFiltered: '/services?q=pad&need=write&room=OPEN',
    service: `/@${collectiveHandle}/services/${serviceSlug}`,
    collective: `/@${collectiveHandle}`,
  };
}

async function comparePage(url: string, pid: number): Promise<PageFigures> {
  const body = await fetch(url, { headers: { accept: 'text/html', 'accept-language': 'fr' } });
  if (body.status !== 200) throw new Error(`${url} answered ${body.status}`);
  const bytes = (await body.arrayBuffer()).byteLength;
  const bare = await startBare(bytes);
  try {
    const ours: Load[] = [];
    const theirs: Load[] = [];
    const fresh: (Load & { cpuMs: number })[] = [];
    for (let round = 0; round < 3; round += 1) {
      ours.push(await load(url));
      theirs.push(await load(bare.url));
      const before = cpuMs(pid);
      const made = await load(url, { cookie: 'lang=fr' });
      fresh.push({ ...made, cpuMs: (cpuMs(pid) - before) / made.requests });
    }
    const perSecond = median(ours.map((one) => one.perSecond));
    const barePerSecond = median(theirs.map((one) => one.perSecond));
    return {
      bytes,
      perSecond,
      p95Ms: median(ours.map((one) => one.p95Ms)),
      barePerSecond,
      bareP95Ms: median(theirs.map((one) => one.p95Ms)),
      ratio: Math.round((perSecond / barePerSecond) * 100) / 100,
      freshPerSecond: median(fresh.map((one) => one.perSecond)),
      freshP95Ms: median(fresh.map((one) => one.p95Ms)),
      freshCpuMs: Math.round(median(fresh.map((one) => one.cpuMs)) * 100) / 100,
    };
  } finally {
    bare.stop();
  }
}

interface Load {
  requests: number;
  perSecond: number;
  p95Ms: number;
}

/** User and system time that a process has used, in milliseconds (proc_pid_stat(5): fields 14 and 15, in 1/100 s). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function load(url: string, more: Record<string, string> = {}): Promise<Load> {
  const times: number[] = [];
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/html', 'accept-language': 'fr', ...more };
    const run = autocannon({ url, connections: 10, duration: 3, headers }, (error, result) => {
      if (error) return reject(error);
      if (result.non2xx > 0 || result.errors > 0) {
        return reject(new Error(`${url}: ${result.non2xx} refusals, ${result.errors} errors`));
      }
      times.sort((a, b) => a - b);
      resolve({
        requests: result.requests.total,
        perSecond: Math.round(result.requests.average),
        p95Ms: Math.round((times[Math.floor(times.length * 0.95)] ?? 0) * 10) / 10,
      });
    });
    run.on('response', (_client, _status, _bytes, milliseconds) => times.push(milliseconds));
  });
}

/** A bare Express + Handlebars page: one template with a loop of twenty rows, filled up to the same number of bytes. */
async function startBare(bytes: number): Promise<{ url: string; stop(): void }> {
  const port = await freePort();
  const source = `
    const [{ default: express }, { default: Handlebars }] = await Promise.all([import('express'), import('handlebars')]);
    const template = Handlebars.compile('<!doctype html><title>{{title}}</title>{{#each rows}}<p><a href="{{href}}">{{name}}</a> {{text}}</p>{{/each}}');
    const row = Math.max(10, Math.floor((${bytes} - 40) / 20) - 60);
    const app = express();
    app.get('/', (req, res) => {
      const rows = Array.from({ length: 20 }, (_, n) => ({ href: '/services/' + n, name: 'Service ' + n, text: 'x'.repeat(row) }));
      res.type('html').send(template({ title: 'Bare', rows }));
    });
    app.listen(${port}, '127.0.0.1');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: projectDir,
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production' },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}/`;
  const began = performance.now();
  while (performance.now() - began < 10_000) {
    if (
      await fetch(url).then(
        (response) => response.ok,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { url, stop: () => child.kill('SIGKILL') };
}
