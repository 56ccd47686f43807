// A real process, killed as by a power cut at every point where it waits for its store while it takes in a Follow, answers
// it and delivers the answer. Afterwards the effect is there once and the answer has arrived, under one id (RL-02, RL-03).
import { type ChildProcess, fork } from 'node:child_process';
import { expect } from 'chai';
import type { Order, Report } from '../support/crashingServer.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { freePort } from '../support/serverProcess.js';
import { temporaryFolder, withDatabase } from '../support/storeSupport.js';
import { startPeer } from './federatedApp.js';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`../support/crashingServer.${extension}`, import.meta.url);
const minutes = 60_000;

class Child {
  private readonly process: ChildProcess = fork(entry, {
    execArgv: process.execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  private errors = '';
  dying: string | null = null;
  readonly gone: Promise<void>;

  constructor() {
    this.gone = new Promise((resolve) => this.process.once('exit', () => resolve()));
    this.process.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
    this.process.on('message', (report: Report) => {
      if (report.done === 'dying') this.dying = report.step;
    });
  }

  /** Null: it died over it. */
  async order<T extends Order['do']>(order: Extract<Order, { do: T }>): Promise<Extract<Report, { done: T }> | null> {
    const answered = new Promise<Extract<Report, { done: T }>>((resolve) => {
      const listen = (report: Report): void => {
        if (report.done !== order.do) return;
        this.process.off('message', listen);
        resolve(report as Extract<Report, { done: T }>);
      };
      this.process.on('message', listen);
    });
    if (this.process.connected) this.process.send(order);
    const result = await Promise.race([answered, this.gone.then(() => null)]);
    if (result === null && this.dying === null) throw new Error(`the process ended by itself: ${this.errors}`);
    return result;
  }

  kill(): Promise<void> {
    this.process.kill('SIGKILL');
    return this.gone;
  }
}

describe('a process that dies', function () {
  this.timeout(240_000);
  let peer: Peer;
  let first: PeerActor;
  let port: number;
  let dataDir: string;
  let mongodbUri: string | null = null;
  let skewMs = 0;
  let spare: Child | null = null;

  before(async () => {
    peer = await startPeer();
    peer.now = () => new Date(Date.now() + skewMs);
    first = peer.addActor('first');
    port = await freePort();
    dataDir = temporaryFolder();
    const address = process.env.TEST_MONGODB_URI;
    if (process.env.CHATIERE_TEST_ENGINE === 'mongodb' && address) {
      mongodbUri = withDatabase(address, `crash${Date.now()}`);
    }
  });

  after(() => spare?.kill());

  /** The one that was warming up; two minutes later, so that leases of the dead have run out. */
  async function start(): Promise<Child> {
    const child = spare ?? new Child();
    spare = new Child();
    skewMs += 2 * minutes;
    if ((await child.order({ do: 'open', dataDir, mongodbUri, port, privateHosts: [peer.host], skewMs })) === null) {
      throw new Error('the process did not start');
    }
    return child;
  }

  /** Another actor with the same key: making keys takes longer than dying. */
  function actor(name: string): PeerActor {
    const iri = `${peer.origin}/users/${name}`;
    const made = { ...first, name, iri, inbox: `${iri}/inbox`, keyId: `${iri}#main-key`, proofKeyId: `${iri}#ed` };
    peer.actors.set(name, made);
    peer.serveJson(`/users/${name}`, peer.document(made));
    return made;
  }

  for (const when of ['before', 'after'] as const) {
    it(`loses and doubles nothing, whichever step it dies ${when}`, async () => {
      let child = await start();
      const steps: string[] = [];
      for (let at = 1; ; at++) {
        const follower = actor(`${when}${at}`);
        const base = `http://127.0.0.1:${port}`;
        const activity = peer.follow(follower, `${base}/actors/hoster`);
        const send = (): Promise<number> =>
          peer.post(follower, `${base}/inbox`, activity).then(
            (answer) => answer.status,
            () => 0,
          );
        await child.order({ do: 'arm', at, when });
        const acknowledged = await send();
        const survived = child.dying === null && (await child.order({ do: 'work' })) !== null;
        if (!survived) {
          await child.gone;
          steps.push(child.dying ?? '');
          child = await start();
          // Servers repeat what was not acknowledged, and only that.
          if (acknowledged !== 202) expect(await send(), `${child.dying}`).to.equal(202);
          await child.order({ do: 'work' });
        }
        const found = await child.order({ do: 'look', follower: follower.iri });
        const where = steps.at(-1) ?? 'no crash';
        expect(found, where).to.deep.equal({ done: 'look', states: ['accepted'], waiting: 0, activities: 1 });
        const accepts = peer.ofType('Accept').filter((one) => JSON.stringify(one.json).includes(follower.iri));
        expect(accepts.length, where).to.be.within(1, 2);
        expect(new Set(accepts.map((one) => one.json.id)).size, where).to.equal(1);
        if (survived) break;
      }
      await child.kill();
      // Every room of the way was visited.
      const all = steps.join('\n');
      for (const room of ['follows.', 'received.insertOne', 'activities.insertOne']) {
        expect(all).to.contain(room);
      }
      for (const room of ['deliveries.insertMany', 'deliveries.updateMany', 'deliveries.deleteMany']) {
        expect(all).to.contain(room);
      }
      expect(steps.length).to.be.above(10);
    });
  }
});
