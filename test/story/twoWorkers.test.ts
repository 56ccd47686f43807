// Two processes that deliver from one store, on each engine: they share the work and double none of it; one dies in the
// middle and the other finishes; a server that is away for days gets everything when it is back, in order, each thing once.
import { type ChildProcess, fork } from 'node:child_process';
import { expect } from 'chai';
import { deliveriesIn } from '../../federation/delivery.js';
import { followsIn } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import type { Follow } from '../../server/partners/schema.js';
import { publishPost, updatePost } from '../../server/posts/actions.js';
import { openStore } from '../../server/store/openStore.js';
import type { Store } from '../../server/store/store.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from '../federation/federatedApp.js';
import type { WorkerOrder, WorkerReport } from '../support/deliveryWorker.js';
import { Peer, type ReceivedRequest } from '../support/peer/peer.js';
import { eventually } from '../support/place.js';
import { temporaryFolder } from '../support/storeSupport.js';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`../support/deliveryWorker.${extension}`, import.meta.url);
const mongodbUri = process.env.TEST_MONGODB_URI;
const hour = 3_600_000;
const leaseMs = 60_000;

if (process.env.CHATIERE_TEST_ENGINE !== 'mongodb') tellStory('the embedded engine', null);
if (mongodbUri) tellStory('MongoDB', mongodbUri);
else it('two workers on MongoDB were not run: TEST_MONGODB_URI is not set');

class Worker {
  private readonly process: ChildProcess = fork(entry, {
    execArgv: process.execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  private errors = '';
  private readonly gone = new Promise<void>((resolve) => this.process.once('exit', () => resolve()));

  constructor() {
    this.process.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
  }

  /** Null: it was killed over it. */
  async order<T extends WorkerOrder['do']>(order: Extract<WorkerOrder, { do: T }>) {
    const answered = new Promise<WorkerReport>((resolve) => this.process.once('message', resolve));
    this.process.send(order);
    const result = await Promise.race([answered, this.gone.then(() => null)]);
    if (result === null && this.process.exitCode !== null) throw new Error(`the worker ended: ${this.errors}`);
    return result as Extract<WorkerReport, { done: T }> | null;
  }

  kill(): Promise<void> {
    this.process.kill('SIGKILL');
    return this.gone;
  }
}

function tellStory(engine: string, uri: string | null): void {
  describe(`two workers on one store on ${engine}`, function () {
    this.timeout(40_000);
    const workers: Worker[] = [];
    const peers: Peer[] = [];
    const inboxesEach = 12;
    // FerretDB does not hold two findAndModify of one document apart, as MongoDB does: there a row may be taken twice, and the
    // id that never changes is what keeps its effect single.
    const isExact = uri === null;
    let skewMs = 0;
    let store: Store;
    let app: FederatedApp;
    let hosterId: string;
    let placement: Extract<WorkerOrder, { do: 'open' }>;

    before(async () => {
      const dataDir = temporaryFolder();
      const url = uri === null ? null : new URL(uri);
      if (url !== null) url.pathname = `/workers${Date.now()}`;
      const database = url === null ? {} : { mongodbUri: url.href };
      store = await openStore({ dataDir, shared: true, ...database });
      for (let index = 0; index < 5; index++) peers.push(await startPeer(0, `127.0.1.${index + 1}`));
      for (const peer of peers) peer.now = () => new Date(Date.now() + skewMs);
      app = await startFederatedApp({ privateHosts: [], store });
      const hoster = await addCollective(app);
      hosterId = hoster._id;
      await app.announce();
      const followed = `${app.baseUrl}/actors/${hoster.handle}`;
      const follows = peers.flatMap((peer) =>
        Array.from({ length: inboxesEach }, (_, index) =>
          followOf(`${peer.origin}/users/u${index}`, followed, hosterId),
        ),
      );
      await followsIn(store).insertMany(follows);
      const privateHosts = peers.map(({ host }) => host);
      placement = { do: 'open', dataDir, mongodbUri: url?.href ?? null, baseUrl: app.baseUrl, privateHosts };
      await Promise.all([hire(), hire()]);
    });

    after(async () => {
      await Promise.all(workers.map((worker) => worker.kill()));
      await store?.close();
    });

    beforeEach(() => {
      for (const peer of peers) peer.received.length = 0;
    });

    async function hire(): Promise<Worker> {
      const worker = new Worker();
      await worker.order(placement);
      workers.push(worker);
      return worker;
    }

    /** Kept and fanned out here; the workers only deliver. */
    async function say(fr: string) {
      const post = await publishPost(app.ctx(), hosterId, { fr, en: '' });
      await app.announce();
      return post;
    }

    /** What is left when leases have run out and somebody has looked again. */
    async function remaining(): Promise<number> {
      if (!isExact) {
        skewMs += leaseMs + 1000;
        await workers[0]?.order({ do: 'work', skewMs });
      }
      return waiting();
    }

    const waiting = () => deliveriesIn(app.federation).countDocuments({});
    const heard = (): ReceivedRequest[] => peers.flatMap((peer) => peer.received);
    const inboxOf = ({ headers, path }: ReceivedRequest): string => `http://${headers.host}${path}`;
    /** How often each inbox heard. */
    function counts(): Map<string, number> {
      const seen = new Map<string, number>();
      for (const request of heard()) seen.set(inboxOf(request), (seen.get(inboxOf(request)) ?? 0) + 1);
      return seen;
    }

    it('share the work: every inbox gets the activity, each once, from one or the other', async () => {
      await say('À tout le monde');
      const done = await Promise.all(workers.map((worker) => worker.order({ do: 'work', skewMs })));
      const sent = done.map((one) => one?.report.sent ?? 0);
      expect(sent[0]).to.be.greaterThan(0);
      expect(sent[1]).to.be.greaterThan(0);
      expect(counts().size).to.equal(peers.length * inboxesEach);
      if (isExact) expect(Math.max(...counts().values())).to.equal(1);
      expect(heard().filter(({ signature }) => signature !== 'valid')).to.deep.equal([]);
      expect(new Set(heard().map(({ json }) => json.id)).size).to.equal(1);
      expect(await remaining()).to.equal(0);
    });

    it('finish what one began that was killed over it: after its lease, with the same id, nothing twice but that', async () => {
      const [first, second] = workers as [Worker, Worker];
      const [hung] = peers as [Peer];
      hung.behaviour = 'hang';
      await say('Une seconde nouvelle');
      const work = first.order({ do: 'work', skewMs });
      await eventually('two deliveries hang', () => (hung.received.length === 2 ? true : undefined));
      await first.kill();
      expect(await work).to.equal(null);
      hung.behaviour = { status: 202 };
      const held = await deliveriesIn(app.federation)
        .find({ leaseUntil: { $gt: new Date() } })
        .toArray();
      const isHeld = (inbox: string): boolean => held.some((one) => one.inbox === inbox);
      expect(held.length).to.be.greaterThan(1);

      await second.order({ do: 'work', skewMs });
      if (isExact) expect(await waiting(), 'what the dead one holds is left alone').to.equal(held.length);

      skewMs += leaseMs + 1000;
      await second.order({ do: 'work', skewMs });
      expect(await waiting()).to.equal(0);
      expect(counts().size).to.equal(peers.length * inboxesEach);
      if (isExact) for (const [inbox, count] of counts()) expect(count, inbox).to.be.at.most(isHeld(inbox) ? 2 : 1);
      for (const request of hung.received.slice(0, 2)) expect(counts().get(inboxOf(request)), 'sent again').to.equal(2);
      expect(new Set(heard().map(({ json }) => json.id)).size, 'one id').to.equal(1);
    });

    it('bring everything to a server that was away for five days, in order, and knock seldom until then', async () => {
      const [, worker] = workers as [Worker, Worker];
      const away = peers[1] as Peer;
      const { host } = away;
      await away.stop();
      const post = await say('Pendant ton absence');
      await updatePost(app.ctx(), hosterId, post._id, {
        version: post.version,
        text: { fr: 'Corrigé depuis', en: '' },
      });
      await app.announce();
      for (const hours of [0, 1, 4, 12, 24, 48, 96, 119]) {
        await worker.order({ do: 'work', skewMs: skewMs + hours * hour });
      }
      const others = (peers.length - 1) * inboxesEach;
      expect([...counts().values()], 'Create and Update').to.deep.equal(Array(others).fill(2));
      expect(await waiting()).to.equal(2 * inboxesEach);
      const attempts = await deliveriesIn(app.federation).find({ state: 'waiting' }).toArray();
      expect(Math.max(...attempts.map((one) => one.attempts))).to.be.at.most(8);

      skewMs += 5 * 24 * hour;
      const back = await Peer.start(Number(host.split(':')[1]), host.split(':')[0]);
      back.now = away.now;
      try {
        // One knock finds it, the next brings the rest.
        for (const minutes of [0, 1, 2, 3]) {
          await worker.order({ do: 'work', skewMs: skewMs + 15 * hour + minutes * 60_000 });
        }
        expect(await waiting()).to.equal(0);
        for (let index = 0; index < inboxesEach; index++) {
          const mine = back.received.filter(({ path }) => path === `/users/u${index}/inbox`);
          expect(mine.map(({ json }) => json.type)).to.deep.equal(['Create', 'Update']);
        }
      } finally {
        await back.stop();
      }
    });
  });
}

function followOf(iri: string, followed: string, ownerId: string): Follow {
  const at = new Date();
  return {
    _id: followKey(iri, followed),
    follower: iri,
    followed,
    ownerKind: 'collective',
    ownerId,
    followIri: `${iri}/follow`,
    state: 'accepted',
    deliverTo: `${iri}/inbox`,
    requestedAt: at,
    decidedAt: at,
  };
}
