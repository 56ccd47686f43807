// A real process, killed as by a power cut before and after each write to its store while it takes in a follow, a vote or a
// post for a group, and delivers what follows from it. Afterwards the effect is there once, and what had to be said has
// arrived, under one id (RL-02, RL-03).
import { type ChildProcess, fork } from 'node:child_process';
import { expect } from 'chai';
import type { Found, Fuse, Order, Report } from '../support/crashingServer.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { freePort } from '../support/serverProcess.js';
import { isSlowEngine, temporaryFolder, withDatabase } from '../support/storeSupport.js';
import { startPeer } from './federatedApp.js';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`../support/crashingServer.${extension}`, import.meta.url);
const minutes = 60_000;
/** What it leaves when it dies before a write, it leaves when it dies after the one before: on a slow engine that is enough. */
const moments = isSlowEngine ? (['after'] as const) : (['before', 'after'] as const);

class Child {
  private readonly process: ChildProcess = fork(entry, {
    // Whatever arrives, no prototype is reached by its old name: nothing of the way in needs it (AP-95).
    execArgv: [...process.execArgv, '--disable-proto=delete'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  private errors = '';
  isDying = false;
  readonly gone: Promise<void>;

  constructor() {
    this.gone = new Promise((resolve) => this.process.once('exit', () => resolve()));
    this.process.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
    this.process.on('message', (report: Report) => {
      if (report.done === 'dying') this.isDying = true;
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
    if (result === null && !this.isDying) throw new Error(`the process ended by itself: ${this.errors}`);
    return result;
  }

  kill(): Promise<void> {
    this.process.kill('SIGKILL');
    return this.gone;
  }
}

type Json = Record<string, unknown>;

/** What somebody elsewhere does, what must be there in the end, and how what we say of it is told from the rest. */
interface Story {
  activity(actor: PeerActor): Json;
  /** Follows the group before. */
  isMember: boolean;
  found: Found;
  said: readonly (readonly [type: string, isAbout: (json: Json, activity: Json) => boolean])[];
  /** Where it must have died, among others. */
  rooms: readonly string[];
}

const publicIri = 'https://www.w3.org/ns/activitystreams#Public';
const nothing: Found = { follows: [], votes: 0, groupPosts: 0, groupActivities: 0, activities: 0, waiting: 0 };
const outgoing = ['activities.insertOne', 'deliveries.insertMany', 'deliveries.updateMany', 'deliveries.deleteMany'];

describe('a process that dies', function () {
  this.timeout(240_000);
  let peer: Peer;
  let first: PeerActor;
  let port: number;
  let dataDir: string;
  let mongodbUri: string | null = null;
  let poll = '';
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

  /** The one that was warming up; ten minutes later, so that leases of the dead have run out. */
  async function start(): Promise<Child> {
    const child = spare ?? new Child();
    spare = new Child();
    skewMs += 10 * minutes;
    const opened = await child.order({ do: 'open', dataDir, mongodbUri, port, privateHosts: [peer.host], skewMs });
    if (opened === null) throw new Error('the process did not start');
    poll = opened.poll;
    await child.order({ do: 'work' });
    return child;
  }

  let serial = 0;
  /** Another actor with the same key: making keys takes longer than dying. */
  function newActor(): PeerActor {
    const name = `actor${++serial}x`;
    const iri = `${peer.origin}/users/${name}`;
    const made = { ...first, name, iri, inbox: `${iri}/inbox`, keyId: `${iri}#main-key`, proofKeyId: `${iri}#ed` };
    peer.actors.set(name, made);
    peer.serveJson(`/users/${name}`, peer.document(made));
    return made;
  }

  const base = (): string => `http://127.0.0.1:${port}`;
  const send = (actor: PeerActor, activity: Json): Promise<number> =>
    peer.post(actor, `${base()}/inbox`, activity).then(
      (answer) => answer.status,
      () => 0,
    );
  const create = (actor: PeerActor, object: Json): Json => ({
    ...{
      '@context': 'https://www.w3.org/ns/activitystreams',
      id: `${actor.iri}/create`,
      type: 'Create',
      actor: actor.iri,
    },
    ...{ to: object.to, cc: object.cc, object: { attributedTo: actor.iri, type: 'Note', ...object } },
  });

  const group = (): string => `${base()}/actors/annonces`;
  const stories: Record<string, Story> = {
    'a follow': {
      activity: (actor) => peer.follow(actor, `${base()}/actors/hoster`, `${actor.iri}/follow`),
      isMember: false,
      found: { ...nothing, follows: ['accepted'], activities: 1 },
      said: [['Accept', (json, activity) => (json.object as Json).id === activity.id]],
      rooms: ['follows.insertOne', 'received.insertOne', ...outgoing],
    },
    'a vote': {
      activity: (actor) => {
        const inReplyTo = `${base()}/objects/${poll}`;
        const to = `${base()}/actors/hoster`;
        return create(actor, { id: `${actor.iri}/vote`, name: 'Oui / Yes', inReplyTo, to, cc: [] });
      },
      isMember: false,
      found: { ...nothing, votes: 1 },
      said: [],
      rooms: ['fediVotes.insertOne', 'received.insertOne'],
    },
    'a post for a group': {
      activity: (actor) =>
        create(actor, { id: `${actor.iri}/post`, content: '<p>Bonjour</p>', to: [publicIri], cc: [group()] }),
      isMember: true,
      // The Accept of its follow, what it wrote, and the thread that begins with it.
      found: { ...nothing, follows: ['accepted'], groupPosts: 1, groupActivities: 1, activities: 3 },
      said: [
        ['Announce', (json, activity) => (json.object as Json).id === activity.id],
        ['Announce', (json, activity) => json.object === (activity.object as Json).id],
      ],
      rooms: ['groupPosts.insertOne', 'groupActivities.insertOne', 'received.insertOne', ...outgoing],
    },
  };

  for (const [what, story] of Object.entries(stories)) {
    it(`loses and doubles nothing of ${what}, whichever write it dies at`, async () => {
      let child = await start();

      /** Lives the story with a new actor, dying where told; and checks how it ends. */
      async function live(fuse: Fuse | null): Promise<{ writes: string[]; hasDied: boolean }> {
        const actor = newActor();
        const where = fuse === null ? 'no crash' : `${fuse.when} ${fuse.step} ${fuse.nth}`;
        const activity = story.activity(actor);
        if (story.isMember) {
          expect(await send(actor, peer.follow(actor, group(), `${actor.iri}/follow`))).to.equal(202);
          await child.order({ do: 'work' });
        }
        await child.order({ do: 'arm', fuse });
        const acknowledged = await send(actor, activity);
        const hasDied = child.isDying || (await child.order({ do: 'work' })) === null;
        if (hasDied) {
          await child.gone;
          child = await start();
          // Servers repeat what was not acknowledged, and only that.
          if (acknowledged !== 202) expect(await send(actor, activity), where).to.equal(202);
          await child.order({ do: 'work' });
        }
        const looked = await child.order({ do: 'look', actor: actor.iri });
        expect(looked?.found, where).to.deep.equal(story.found);
        for (const [type, isAbout] of story.said) {
          const said = peer.ofType(type).filter(({ json }) => isAbout(json, activity));
          expect(said.length, where).to.be.within(1, 2);
          expect(new Set(said.map(({ json }) => json.id)).size, where).to.equal(1);
        }
        return { writes: looked?.writes ?? [], hasDied };
      }

      // The first one wakes what is made once: keys, what is known of the peer.
      await live(null);
      const { writes } = await live(null);
      const died: string[] = [];
      for (const [index, step] of writes.entries()) {
        const nth = writes.slice(0, index + 1).filter((one) => one === step).length;
        for (const when of moments) if ((await live({ step, nth, when })).hasDied) died.push(`${when} ${step}`);
      }
      await child.kill();
      for (const room of story.rooms) for (const when of moments) expect(died).to.include(`${when} ${room}`);
    });
  }
});
