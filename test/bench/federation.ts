// The wire beside its limits, taking turns in one run: signed activities taken in and kept, against verifying and inserting;
// one post to a thousand inboxes on two hundred hosts of which twenty hang, against making the signatures. The other
// sides run in processes of their own (wirePeers.ts) and share the processors with us.
import { type ChildProcess, fork } from 'node:child_process';
import { createHash, createSign, createVerify, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import express from 'express';
import { Agent, request } from 'undici';
import { deliverDue } from '../../federation/delivery.js';
import { createFederation, type Federation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { federationConsumer } from '../../federation/outbox.js';
import { federationRouter } from '../../federation/routes.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { createCollective } from '../../server/collectives/actions.js';
import type { Context } from '../../server/context.js';
import { loadI18n } from '../../server/i18n.js';
import { followsIn, remoteActorsIn } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { viewsDir } from '../../server/paths.js';
import { publishPost } from '../../server/posts/actions.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes, eventfulCollections } from '../../server/store/schema.js';
import type { Store } from '../../server/store/store.js';
import { median } from './start.js';
import type { Order, Prepared, Report } from './wirePeers.js';

const rounds = 3;
const each = 1000;
const atOnce = 50;
const hosts = 200;
const hung = 20;
const inboxesEach = 5;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export async function benchWire(folder: string, part: 'inbox' | 'fanOut'): Promise<unknown> {
  const store = await openStore({ dataDir: folder });
  const servers: Server[] = [];
  const [poster, sink] = [startPeer(), startPeer()];
  try {
    const app = express();
    const host = await listen(servers, createServer(app));
    const { hosts: all } = await ask(sink, { kind: 'listen', hosts }, 'listening');
    const site = { baseUrl: `http://${host}`, host, defaultLanguage: 'fr' as const };
    const i18n = loadI18n(`${viewsDir}/locales`);
    const house = { store, site, log: quiet, i18n, privateHosts: [host, ...all], now: () => new Date() };
    const federation = createFederation(house, { version: 'bench', workerId: 'bench' });
    for (const limit of [federation.inboundLimit, federation.hostLimit]) limit.take = () => true;
    app.use(federationRouter(federation, { version: 'bench' }));
    await store.ensureIndexes({ ...allIndexes, ...federationIndexes });
    const ctx: Context = { store, site, log: quiet, now: new Date(), actor: { kind: 'system', name: 'bench' } };
    const name = { fr: 'Banc', en: 'Bench' };
    const hoster = await createCollective(ctx, { handle: 'bench', name, legalForm: 'ASSOCIATION', published: true });
    const followed = `${site.baseUrl}/actors/bench`;
    const [peer = ''] = all;
    if (part === 'inbox')
      return await benchInbox({ inbox: `${site.baseUrl}/inbox`, followed, peer, store, servers, poster });
    await drainAll(federation);
    await follow(store, all, followed, hoster._id);
    return await benchFanOut(federation, ctx, hoster._id, sink);
  } finally {
    for (const child of [poster, sink]) child.disconnect();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await store.close();
  }
}

function startPeer(): ChildProcess {
  return fork(fileURLToPath(new URL('wirePeers.js', import.meta.url)), { execArgv: [] });
}

async function ask<K extends Report['kind']>(child: ChildProcess, order: Order, kind: K) {
  const answer = new Promise<Report>((resolve, reject) => {
    child.once('message', (report: Report) => resolve(report));
    child.once('exit', () => reject(new Error('the other side broke')));
  });
  child.send(order);
  const report = await answer;
  child.removeAllListeners('exit');
  if (report.kind !== kind) throw new Error(`the other side said ${report.kind}`);
  return report as Extract<Report, { kind: K }>;
}

async function listen(servers: Server[], server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What happened to the event loop, the memory and our processor time meanwhile. */
async function watched<T extends object>(work: () => Promise<T>) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const [memory, cpu] = [process.memoryUsage().rss, process.cpuUsage()];
  delay.enable();
  const result = await work();
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const rss = process.memoryUsage().rss;
  return {
    ...result,
    loopP99Ms: Math.round(delay.percentile(99) / 1e6),
    loopMaxMs: Math.round(delay.max / 1e6),
    cpuMs: Math.round((user + system) / 1000),
    rssMb: Math.round(rss / 2 ** 20),
    grownMb: Math.round((rss - memory) / 2 ** 20),
  };
}

interface InboxBench {
  inbox: string;
  followed: string;
  peer: string;
  store: Store;
  servers: Server[];
  poster: ChildProcess;
}

type Signed = Prepared & { text: string; signature: Buffer };

/** A Follow by another known actor each time: kept with its bytes, and a record and its event written. */
async function benchInbox({ inbox, followed, peer, store, servers, poster }: InboxBench) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const alone = store.collection<{ _id: string; raw: string }>('benchInserts');
  const verifyAndInsert = async ({ body, text, signature }: Signed): Promise<void> => {
    createHash('sha256').update(body).digest('base64');
    if (!createVerify('RSA-SHA256').update(text).verify(publicKey, signature)) throw new Error('does not fit');
    await alone.insertOne({ _id: createHash('sha256').update(body).digest('hex'), raw: body });
  };
  const bySignature = new Map<string, Signed>();
  // The same over HTTP, with nothing else: reads the body, verifies, inserts.
  const bare = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const known = bySignature.get(req.headers.signature?.toString() ?? '');
      const work = known ? verifyAndInsert({ ...known, body: `${Buffer.concat(chunks)}+` }) : Promise.reject();
      work.then(
        () => res.writeHead(202).end(),
        () => res.writeHead(500).end(),
      );
    });
  });
  const bareUrl = `http://${await listen(servers, bare)}/`;
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const ours: number[] = [];
  const overHttp: number[] = [];
  const inProcess: number[] = [];
  const seen: object[] = [];
  // The first round warms all three up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const names = Array.from({ length: each }, (_, index) => `http://${peer}/users/r${round}u${index}`);
    await remoteActorsIn(store).insertMany(names.map((iri) => remoteActor(iri, peer, pem)));
    const prepared = names.map((actor) => {
      const body = JSON.stringify({
        '@context': context,
        id: `${actor}/follow`,
        type: 'Follow',
        actor,
        object: followed,
      });
      return { body, ...signed(new URL(inbox), body, `${actor}#main-key`, privateKey) };
    });
    for (const one of prepared) bySignature.set(one.headers.signature ?? '', one);
    const requests = prepared.map(({ body, headers }) => ({ body, headers }));
    const taken = await watched(() => ask(poster, { kind: 'post', url: inbox, atOnce, requests }, 'posted'));
    const limit = await ask(poster, { kind: 'post', url: bareUrl, atOnce, requests }, 'posted');
    const without = await rate(prepared, verifyAndInsert);
    bySignature.clear();
    if (taken.refused + limit.refused > 0) throw new Error('what was sent was refused');
    if (round === 0) continue;
    ours.push(Math.round((each / taken.ms) * 1000));
    overHttp.push(Math.round((each / limit.ms) * 1000));
    inProcess.push(without);
    const { kind: _kind, ms: _ms, refused: _refused, ...rest } = taken;
    seen.push({ ...rest, cpuMsEach: Math.round((rest.cpuMs / each) * 100) / 100 });
  }
  return {
    perSecond: median(ours),
    limitOverHttpPerSecond: median(overHttp),
    limitWithoutHttpPerSecond: median(inProcess),
    percentOfLimitOverHttp: percent(median(ours), median(overHttp)),
    percentOfLimitWithoutHttp: percent(median(ours), median(inProcess)),
    meanwhile: seen.at(-1),
  };
}

const context = 'https://www.w3.org/ns/activitystreams';

function remoteActor(iri: string, host: string, pem: string) {
  const name = iri.slice(iri.lastIndexOf('/') + 1);
  return {
    ...{ _id: iri, type: 'Person', host, handle: `${name}@${host}`, name: '', url: null },
    ...{ inbox: `${iri}/inbox`, sharedInbox: null, fetchedAt: new Date(), goneAt: null },
    keys: [{ id: `${iri}#main-key`, kind: 'rsa' as const, value: pem }],
  };
}

function signed(
  url: URL,
  body: string,
  keyId: string,
  privateKey: ReturnType<typeof generateKeyPairSync>['privateKey'],
) {
  const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
  const date = new Date().toUTCString();
  const text = `(request-target): post ${url.pathname}\nhost: ${url.host}\ndate: ${date}\ndigest: ${digest}`;
  const signature = createSign('RSA-SHA256').update(text).sign(privateKey);
  const names = '(request-target) host date digest';
  const value = `keyId="${keyId}",algorithm="rsa-sha256",headers="${names}",signature="${signature.toString('base64')}"`;
  const headers = { host: url.host, date, digest, 'content-type': 'application/activity+json', signature: value };
  return { text, signature, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } };
}

async function follow(store: Store, all: readonly string[], followed: string, ownerId: string): Promise<void> {
  const at = new Date();
  await followsIn(store).insertMany(
    all.flatMap((one) =>
      Array.from({ length: inboxesEach }, (_, index) => {
        const follower = `http://${one}/users/${index}`;
        return {
          ...{ _id: followKey(follower, followed), follower, followed, ownerKind: 'collective' as const, ownerId },
          ...{ followIri: `${follower}/follow`, state: 'accepted' as const },
          ...{ deliverTo: `${follower}/inbox`, requestedAt: at, decidedAt: at },
        };
      }),
    ),
  );
}

/** A first post makes the hosts known; then twenty of them hang. Connections of the first are closed by then. */
async function benchFanOut(federation: Federation, ctx: Context, hosterId: string, sink: ChildProcess) {
  const first = await postOnce(federation, ctx, hosterId, sink, 0);
  const turns: Awaited<ReturnType<typeof postOnce>>[] = [];
  const signatures: number[] = [];
  const exchanges: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await pause(5000);
    turns.push(await postOnce(federation, ctx, hosterId, sink, hung));
    await federation.house.store.collection('deliveries').deleteMany({});
    await ask(sink, { kind: 'hang', hosts: 0 }, 'hanging');
    signatures.push(await timeSignatures());
    await pause(1000);
    exchanges.push(await timeBare(federation));
  }
  const liveMs = median(turns.map((one) => one.liveMs));
  return {
    firstContact: first,
    liveMs,
    turns,
    signaturesAloneMs: median(signatures),
    signedAndPostedBareMs: median(exchanges),
    percentOfSignatures: percent(median(signatures), liveMs),
    percentOfBare: percent(median(exchanges), liveMs),
  };
}

async function postOnce(federation: Federation, ctx: Context, hosterId: string, sink: ChildProcess, hanging: number) {
  await ask(sink, { kind: 'hang', hosts: hanging }, 'hanging');
  await publishPost({ ...ctx, now: new Date() }, hosterId, { fr: 'Bonjour', en: 'Hello' });
  await drainAll(federation);
  const wanted = (hosts - hanging) * inboxesEach;
  let liveCpuMs = 0;
  const began = performance.timeOrigin + performance.now();
  const cpu = process.cpuUsage();
  const done = await watched(async () => {
    const delivering = deliverDue(federation, { budgetMs: 60_000 });
    let arrived: number[] = [];
    while (arrived.length < wanted) {
      await pause(200);
      arrived = (await ask(sink, { kind: 'arrivals' }, 'arrived')).at;
      if (arrived.length >= wanted) liveCpuMs = cpuSince(cpu);
    }
    const report = await delivering;
    const after = (part: number): number => Math.round((arrived[Math.ceil(part * wanted) - 1] ?? 0) - began);
    return { sent: report.sent, halfMs: after(0.5), nineTenthsMs: after(0.9), liveMs: after(1) };
  });
  return { ...done, liveCpuMs, wholeMs: Math.round(performance.timeOrigin + performance.now() - began) };
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / 1000);
}

const { privateKey: limitKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signOne = promisify((text: Buffer, done: (error: Error | null, signature: Buffer) => void) =>
  sign('RSA-SHA256', text, limitKey, done),
);

/** As many signatures as there are live inboxes, off the main thread as the deliveries make them. */
async function timeSignatures(): Promise<number> {
  const started = performance.now();
  const texts = Array.from({ length: (hosts - hung) * inboxesEach }, (_, n) =>
    Buffer.from(`(request-target): post ${n}`),
  );
  await rate(texts, async (text) => void (await signOne(text)));
  return Math.round(performance.now() - started);
}

/** The same, each then sent by undici as it is, to the same hosts, two at a time to each; no queue, no store. */
async function timeBare(federation: Federation): Promise<number> {
  const agent = new Agent({ connections: 2 });
  const live = federation.house.privateHosts.slice(1 + hung);
  const body = 'x'.repeat(3000);
  const wanted = Array.from({ length: inboxesEach }, (_, n) =>
    live.map((host) => `http://${host}/users/${n}/inbox`),
  ).flat();
  const started = performance.now();
  await rate(wanted, async (url) => {
    const signature = (await signOne(Buffer.from(url))).toString('base64');
    const answer = await request(url, { method: 'POST', headers: { signature }, body, dispatcher: agent });
    await answer.body.dump();
  });
  const ms = Math.round(performance.now() - started);
  await agent.close();
  return ms;
}

async function drainAll(federation: Federation): Promise<void> {
  const consumers = [federationConsumer(federation)];
  await drainEvents({ ...federation.house, collections: eventfulCollections, consumers });
}

/** How many a second, fifty at once. */
async function rate<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<number> {
  const queue = items[Symbol.iterator]();
  const started = performance.now();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return Math.round((items.length / (performance.now() - started)) * 1000);
}

function percent(part: number, whole: number): number {
  return Math.round((part / whole) * 100);
}
