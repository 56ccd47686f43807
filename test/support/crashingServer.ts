// A process for test/federation/crash.test.ts: the wire and its queue on a real data folder, told by messages when to work
// and before or after which write to its store to die as by a power cut. A hoster, a poll and a group are there.
import { createServer } from 'node:http';
import express from 'express';
import { activitiesIn } from '../../federation/activities.js';
import { deliverDue, deliveriesIn } from '../../federation/delivery.js';
import { createFederation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { federationConsumer } from '../../federation/outbox.js';
import { federationRouter } from '../../federation/routes.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { createCollective } from '../../server/collectives/actions.js';
import { findCollectiveByHandle } from '../../server/collectives/queries.js';
import { openAnnouncements } from '../../server/groups/actions.js';
import { groupActivitiesIn, groupPostsIn } from '../../server/groups/queries.js';
import { loadI18n } from '../../server/i18n.js';
import { followsIn } from '../../server/partners/queries.js';
import { viewsDir } from '../../server/paths.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes, eventfulCollections } from '../../server/store/schema.js';
import { offerPolls } from '../../server/surveys/actions/polls.js';
import { pollsIn, votesIn } from '../../server/surveys/pollQueries.js';
import { buildSurvey, choiceSection } from '../server/surveys/surveySupport.js';
import { watchStore } from './watchedStore.js';

/** The nth write of that name since the order. What is read tells nothing new: between two writes the data is the same. */
export interface Fuse {
  step: string;
  nth: number;
  when: 'before' | 'after';
}

export type Order =
  | { do: 'open'; dataDir: string; mongodbUri: string | null; port: number; privateHosts: string[]; skewMs: number }
  /** Null: note the writes, and live. */
  | { do: 'arm'; fuse: Fuse | null }
  | { do: 'work' }
  | { do: 'look'; actor: string };

/** What the store knows of one actor elsewhere. */
export interface Found {
  follows: string[];
  votes: number;
  groupPosts: number;
  groupActivities: number;
  /** Activities of ours that answer or pass on what it did. */
  activities: number;
  /** Deliveries that wait, of anybody. */
  waiting: number;
}

export type Report =
  | { done: 'open'; poll: string }
  | { done: 'arm' | 'work' }
  | { done: 'look'; found: Found; writes: string[] }
  | { done: 'dying' };

const say = (report: Report): void => void process.send?.(report);
const announcements = {
  handle: 'annonces',
  hostersModerate: true,
  moderators: [],
  postingRestrictedToMods: false,
  version: 0,
};
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

let fuse: Fuse | null = null;
let written: string[] = [];

/** Says so, and is gone: nothing after this line runs. */
function watch(step: string, when: 'before' | 'after'): void {
  if (!/\.(insert|update|replace|delete|findOneAnd|bulkWrite)/.test(step)) return;
  if (when === 'before') written.push(step);
  if (fuse?.step !== step || fuse.when !== when || written.filter((one) => one === step).length < fuse.nth) return;
  process.send?.({ done: 'dying' } satisfies Report);
  process.kill(process.pid, 'SIGKILL');
}

async function open(order: Extract<Order, { do: 'open' }>) {
  const { dataDir, mongodbUri } = order;
  const database = mongodbUri === null ? {} : { mongodbUri };
  const store = watchStore(await openStore({ dataDir, ...database, onScan: 'error' }), watch);
  await store.ensureIndexes({ ...allIndexes, ...federationIndexes });
  const host = `127.0.0.1:${order.port}`;
  let skewMs = order.skewMs;
  const now = (): Date => new Date(Date.now() + skewMs);
  const site = { baseUrl: `http://${host}`, host, defaultLanguage: 'fr' as const };
  const privateHosts = [...order.privateHosts, host];
  const house = { store, site, log: quiet, i18n: loadI18n(`${viewsDir}/locales`), privateHosts, now };
  if ((await findCollectiveByHandle(store, 'hoster')) === null) {
    const actor = { kind: 'system', name: 'test' } as const;
    const name = { fr: 'L’Écluse', en: 'The Lock' };
    const input = { handle: 'hoster', name, legalForm: 'ASSOCIATION' as const, published: true };
    const ctx = { store, site, log: quiet, now: now(), actor };
    const hoster = await createCollective(ctx, input);
    await openAnnouncements(ctx, { ...announcements, name, summary: name });
    const closesAt = new Date(now().getTime() + 90 * 24 * 3_600_000);
    const survey = await buildSurvey(ctx, hoster, [hoster], { sections: [choiceSection({ one: 'single' })], closesAt });
    await offerPolls(ctx, survey._id, { questions: ['one'], endsAt: null });
  }
  const federation = createFederation(house, { version: '0', workerId: `crash-${process.pid}` });
  const app = express().use(federationRouter(federation, { version: '0' }));
  await new Promise<void>((resolve) => createServer(app).listen(order.port, '127.0.0.1', resolve));
  const pass = (milliseconds: number): void => {
    skewMs += milliseconds;
  };
  return { store, federation, house, pass };
}

type World = Awaited<ReturnType<typeof open>>;
let world: World | null = null;

async function follow(order: Order): Promise<void> {
  if (order.do === 'open') {
    world = await open(order);
    const [poll] = await pollsIn(world.store).find({}).toArray();
    return say({ done: 'open', poll: poll?._id ?? '' });
  }
  if (world === null) throw new Error('not open');
  if (order.do === 'arm') {
    fuse = order.fuse;
    written = [];
    return say({ done: 'arm' });
  }
  if (order.do === 'work') {
    await work(world);
    return say({ done: 'work' });
  }
  fuse = null;
  const writes = [...written];
  say({ done: 'look', found: await look(world, order.actor), writes });
}

/** Until nothing waits: of two activities about one thing the second goes a moment later. */
async function work({ house, federation, pass }: World): Promise<void> {
  const consumers = [federationConsumer(federation)];
  for (let round = 0; round < 4; round++) {
    await drainEvents({ ...house, collections: eventfulCollections, consumers });
    await deliverDue(federation);
    if ((await deliveriesIn(federation).countDocuments({})) === 0) return;
    pass(60_000);
  }
}

async function look({ store, federation }: World, actor: string): Promise<Found> {
  const follows = await followsIn(store).find({ follower: actor }).toArray();
  const passedOn = await groupActivitiesIn(store).find({}).toArray();
  const said = await activitiesIn(federation).find({}).toArray();
  return {
    follows: follows.map(({ state }) => state),
    votes: await votesIn(store).countDocuments({ actor }),
    groupPosts: await groupPostsIn(store).countDocuments({ author: actor }),
    groupActivities: passedOn.filter((one) => JSON.stringify(one).includes(`${actor}"`)).length,
    activities: said.filter(({ json }) => json.includes(`${actor}"`) || json.includes(`${actor}/`)).length,
    waiting: await deliveriesIn(federation).countDocuments({}),
  };
}

process.on('message', (order: Order) => {
  follow(order).catch((error: unknown) => {
    console.error(error);
    process.exit(3);
  });
});
// A parent that is gone needs no server.
process.on('disconnect', () => process.exit(0));
