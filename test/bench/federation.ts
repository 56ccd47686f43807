// The wire beside its limits: signed activities taken in and kept, against verifying and inserting alone; one post to a
// thousand inboxes on two hundred hosts of which twenty hang, against making the signatures alone.
import { createHash, createSign, createVerify, generateKeyPairSync, sign } from 'node:crypto';
import { Agent, createServer, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { promisify } from 'node:util';
import express from 'express';
import { deliverDue } from '../../federation/delivery.js';
import { createFederation, type Federation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { WindowLimit } from '../../federation/limits.js';
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

const many = 2000;
const atOnce = 50;
const hosts = 200;
const hung = 20;
const inboxesEach = 5;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export async function benchFederation(folder: string): Promise<Record<string, unknown>> {
  const store = await openStore({ dataDir: folder });
  const servers: Server[] = [];
  const listen = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const app = express();
  const host = await listen(app);
  const sender = await makeSender(listen);
  const arrived: number[] = [];
  const all = await Promise.all(
    Array.from({ length: hosts }, (_, index) =>
      listen((req, res) => {
        req.resume();
        if (index < hung) return;
        arrived.push(performance.now());
        req.on('end', () => res.writeHead(202).end());
      }),
    ),
  );
  const site = { baseUrl: `http://${host}`, host, defaultLanguage: 'fr' as const };
  const privateHosts = [host, sender.host, ...all];
  const i18n = loadI18n(`${viewsDir}/locales`);
  const house = { store, site, log: quiet, i18n, privateHosts, now: () => new Date() };
  const federation = createFederation(house, { version: 'bench', workerId: 'bench' });
  federation.inboundLimit = new WindowLimit(1e9, 60_000, house.now);
  app.use(federationRouter(federation, { version: 'bench' }));
  try {
    await store.ensureIndexes({ ...allIndexes, ...federationIndexes });
    const ctx: Context = { store, site, log: quiet, now: new Date(), actor: { kind: 'system', name: 'bench' } };
    const name = { fr: 'Banc', en: 'Bench' };
    const hoster = await createCollective(ctx, { handle: 'bench', name, legalForm: 'ASSOCIATION', published: true });
    const followed = `${site.baseUrl}/actors/bench`;
    const inbox = await watched(() => benchInbox(`${site.baseUrl}/inbox`, followed, sender, store));
    await followsIn(store).deleteMany({});
    await drainAll(federation);
    await store.collection('deliveries').deleteMany({});
    const at = new Date();
    await followsIn(store).insertMany(
      all.flatMap((one) =>
        Array.from({ length: inboxesEach }, (_, index) => {
          const follower = `http://${one}/users/${index}`;
          return {
            ...{ _id: followKey(follower, followed), follower, followed, ownerKind: 'collective' as const },
            ...{ ownerId: hoster._id, followIri: `${follower}/follow`, state: 'accepted' as const },
            ...{ deliverTo: `${follower}/inbox`, requestedAt: at, decidedAt: at },
          };
        }),
      ),
    );
    const fanOut = await watched(() => benchFanOut(federation, ctx, hoster._id, arrived));
    return { inbox, fanOut };
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await store.close();
  }
}

/** What happened to the event loop and the memory meanwhile. */
async function watched<T extends object>(work: () => Promise<T>): Promise<T & Record<string, number>> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const before = process.memoryUsage().rss;
  delay.enable();
  const result = await work();
  delay.disable();
  const loop = { loopP99Ms: Math.round(delay.percentile(99) / 1e6), loopMaxMs: Math.round(delay.max / 1e6) };
  return { ...result, ...loop, grownMb: Math.round((process.memoryUsage().rss - before) / 2 ** 20) };
}

async function makeSender(listen: (listener: RequestListener) => Promise<string>) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const host = await listen((_req, res) => res.writeHead(404).end());
  return { host, publicKey, privateKey };
}

type Sender = Awaited<ReturnType<typeof makeSender>>;

/** A Follow by another known actor each time: kept with its bytes, and a record and its event written. */
async function benchInbox(inbox: string, followed: string, sender: Sender, store: Store) {
  const pem = sender.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const actors = Array.from({ length: many }, (_, index) => `http://${sender.host}/users/u${index}`);
  await remoteActorsIn(store).insertMany(
    actors.map((iri, index) => ({
      ...{ _id: iri, type: 'Person', host: sender.host, handle: `u${index}@${sender.host}`, name: '', url: null },
      ...{ inbox: `${iri}/inbox`, sharedInbox: null, fetchedAt: new Date(), goneAt: null },
      keys: [{ id: `${iri}#main-key`, kind: 'rsa' as const, value: pem }],
    })),
  );
  const prepared = actors.map((actor) => {
    const follow = { id: `${actor}/follow`, type: 'Follow', actor, object: followed };
    const body = Buffer.from(JSON.stringify(follow));
    return { body, ...signed(new URL(inbox), body, `${actor}#main-key`, sender) };
  });
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const send = ({ body, headers }: (typeof prepared)[number]): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request(inbox, { method: 'POST', headers, agent }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      });
      outgoing.on('error', reject).end(body);
    });
  const first = prepared.shift();
  if (first === undefined || (await send(first)) !== 202) throw new Error('the first activity was not taken');
  let refused = 0;
  const perSecond = await rate(prepared, async (one) => {
    if ((await send(one)) !== 202) refused += 1;
  });
  agent.destroy();
  const alone = store.collection<{ _id: string; raw: string }>('benchInserts');
  const limit = await rate(prepared, async ({ body, text, signature }) => {
    createHash('sha256').update(body).digest('base64');
    if (!createVerify('RSA-SHA256').update(text).verify(sender.publicKey, signature)) throw new Error('does not fit');
    await alone.insertOne({ _id: createHash('sha256').update(body).digest('hex'), raw: body.toString() });
  });
  return { perSecond, verifyAndInsertPerSecond: limit, percentOfLimit: percent(perSecond, limit), refused };
}

function signed(url: URL, body: Buffer, keyId: string, { privateKey }: Sender) {
  const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
  const date = new Date().toUTCString();
  const text = `(request-target): post ${url.pathname}\nhost: ${url.host}\ndate: ${date}\ndigest: ${digest}`;
  const signature = createSign('RSA-SHA256').update(text).sign(privateKey);
  const names = '(request-target) host date digest';
  const value = `keyId="${keyId}",algorithm="rsa-sha256",headers="${names}",signature="${signature.toString('base64')}"`;
  const headers = { host: url.host, date, digest, 'content-type': 'application/activity+json', signature: value };
  return { text, signature, headers: { ...headers, 'content-length': String(body.length) } };
}

async function benchFanOut(federation: Federation, ctx: Context, hosterId: string, arrived: readonly number[]) {
  await publishPost(ctx, hosterId, { fr: 'Bonjour', en: 'Hello' });
  await drainAll(federation);
  const wanted = (hosts - hung) * inboxesEach;
  const started = performance.now();
  const report = await deliverDue(federation, { budgetMs: 60_000 });
  const after = (part: number): number => Math.round((arrived.at(Math.ceil(part * arrived.length) - 1) ?? 0) - started);
  const liveMs = after(1);
  const wholeMs = Math.round(performance.now() - started);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signOne = promisify((text: Buffer, done: (error: Error | null, signature: Buffer) => void) =>
    sign('RSA-SHA256', text, privateKey, done),
  );
  const signing = performance.now();
  await rate(Array.from({ length: wanted }), async () => void (await signOne(Buffer.from('(request-target): post'))));
  const limitMs = Math.round(performance.now() - signing);
  return {
    sent: report.sent,
    arrived: arrived.length,
    halfMs: after(0.5),
    nineTenthsMs: after(0.9),
    liveMs,
    wholeMs,
    signaturesAloneMs: limitMs,
    percentOfLimit: percent(limitMs, liveMs),
  };
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
