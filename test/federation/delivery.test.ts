// The queue: nothing lost, nobody delayed by others, given up only with a reason (RL-03, RL-05 to RL-08, RL-20).
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { type Delivery, deliverDue, deliveriesIn, domainOf, pruneDeliveries } from '../../federation/delivery.js';
import { fanOut } from '../../federation/fanOut.js';
import { announceEvent } from '../../federation/outbox.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { pending } from '../../server/events.js';
import { listPeerDeliveries } from '../../server/instances/peerQueries.js';
import { followsIn } from '../../server/partners/queries.js';
import type { Follow } from '../../server/partners/schema.js';
import { publishPost, updatePost } from '../../server/posts/actions.js';
import type { Peer } from '../support/peer/peer.js';
import { isSlowEngine } from '../support/storeSupport.js';
import {
  addCollective,
  type FederatedApp,
  followOf,
  knowsCavage,
  startFederatedApp,
  startPeer,
} from './federatedApp.js';

const minute = 60_000;

describe('the delivery queue', () => {
  let app: FederatedApp;
  let peer: Peer;
  let hoster: Collective;

  const ofServer = (server: string, name: string, shared: boolean, of = app, whom = hoster): Follow =>
    followOf(of, whom.handle, `${server}/users/${name}`, shared ? `${server}/inbox` : undefined);
  async function follower(
    server: string,
    name: string,
    shared: boolean,
    of: FederatedApp = app,
    whom = hoster,
  ): Promise<void> {
    await followsIn(of.house.store).insertOne(ofServer(server, name, shared, of, whom));
  }

  const rows = (of: FederatedApp = app): Promise<Delivery[]> => deliveriesIn(of.federation).find({}).toArray();

  beforeEach(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    hoster = await addCollective(app);
    await app.run();
    await follower(peer.origin, 'a', true);
    // No stranger: what is asked of strangers is in knocking.test.ts.
    await knowsCavage(app, peer);
  });

  afterEach(async () => {
    await app.stop();
    await peer.stop();
  });

  const say = (text: string) => publishPost(app.ctx(), hoster._id, { fr: text, en: '' });

  it('sends once to a shared inbox, however many follow there, and to each inbox of its own', async () => {
    for (const name of ['b', 'c', 'd']) await follower(peer.origin, name, true);
    for (const name of ['x', 'y']) await follower(peer.origin, name, false);
    await say('Bonjour');
    const report = await app.run();
    expect(report).to.deep.equal({ sent: 3, postponed: 0, failed: 0 });
    expect(peer.received.map((one) => one.path).sort()).to.deep.equal(['/inbox', '/users/x/inbox', '/users/y/inbox']);
    expect(await rows()).to.deep.equal([]);
  });

  it('gives every follower their row, a page at a time, and goes on where it was interrupted', async () => {
    const many = Array.from({ length: 603 }, (_, index) =>
      ofServer(`http://host${index}.example`, 'u', index % 2 === 0),
    );
    await followsIn(app.house.store).insertMany(many);
    const post = await say('À tout le monde');
    const [event] = (await app.house.store
      .collection<{ _id: string; events: ReturnType<typeof pending>[] }>('posts')
      .findOne({ _id: post._id }))!.events;
    await announceEvent(app.federation, event!);
    expect((await rows()).length).to.equal(604);
    const activity = (await activitiesIn(app.federation).findOne({ _id: event!.eventId }))!;
    const half = (
      await deliveriesIn(app.federation)
        .find({}, { sort: { _id: 1 } })
        .toArray()
    )
      .map((row) => row.inbox)
      .sort();
    await deliveriesIn(app.federation).deleteMany({ inbox: { $gt: half[550]! } });
    await fanOut(app.federation, { ...activity, isFannedOut: false, fanOutCursor: half[450]! });
    expect((await rows()).length).to.equal(604);
    await announceEvent(app.federation, event!);
    expect((await rows()).length).to.equal(604);
    expect(await activitiesIn(app.federation).countDocuments({})).to.equal(1);
  });

  it('sends again after a crash in the middle: same activity, fresh signature; the row goes only after a 2xx (RL-03)', async () => {
    peer.behaviour = 'hang';
    await say('Bonjour');
    const stopped = new AbortController();
    const running = app.run();
    while (peer.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const [held] = await rows();
    expect(held?.leasedBy).to.equal(app.federation.workerId);
    // The process is gone: its lease stands, nobody else sends before it ends.
    const other = { ...app.federation, workerId: 'other', sending: new Map<string, number>() };
    peer.behaviour = { status: 202 };
    expect(await deliverDue(other)).to.deep.equal({ sent: 0, postponed: 0, failed: 0 });
    app.pass(2);
    expect(await deliverDue(other)).to.deep.equal({ sent: 1, postponed: 0, failed: 0 });
    expect(await rows()).to.deep.equal([]);
    const [first, second] = peer.received;
    expect(second?.body.toString()).to.equal(first?.body.toString());
    expect(second?.headers.signature).not.to.equal(first?.headers.signature);
    stopped.abort();
    // What the first worker finds out later changes nothing.
    await peer.stop();
    await running;
    expect(await rows()).to.deep.equal([]);
  });

  it('lets two workers share the work without sending anything twice', async () => {
    for (let index = 0; index < 40; index++) await follower(peer.origin, `u${index}`, false);
    await say('Bonjour');
    const other = { ...app.federation, workerId: 'other', sending: new Map<string, number>() };
    const [one, two] = await Promise.all([
      app.run(),
      (async () => {
        while ((await rows()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        return deliverDue(other);
      })(),
    ]);
    expect(one.sent + two.sent).to.equal(41);
    expect(new Set(peer.received.map((request) => request.path)).size).to.equal(41);
    expect(peer.received.length).to.equal(41);
  });

  it('lets only one of many workers that see the same row at the same moment send it', async () => {
    await say('Bonjour');
    await app.announce();
    const workers = Array.from({ length: 6 }, (_, index) => ({
      ...app.federation,
      workerId: `w${index}`,
      sending: new Map<string, number>(),
    }));
    const reports = await Promise.all(workers.map((worker) => deliverDue(worker)));
    expect(reports.reduce((sum, report) => sum + report.sent, 0)).to.equal(1);
    expect(peer.received.length).to.equal(1);
  });

  it('never lets a hung server delay a good one, and keeps to two connections a host (RL-07)', async () => {
    const hung = await startPeer();
    hung.behaviour = 'hang';
    const mixed = await startFederatedApp({ privateHosts: [peer.host, hung.host] });
    const whom = await addCollective(mixed);
    await mixed.run();
    for (let index = 0; index < 50; index++) await follower(hung.origin, `h${index}`, false, mixed, whom);
    await follower(peer.origin, 'good', false, mixed, whom);
    await publishPost(mixed.ctx(), whom._id, { fr: 'Bonjour', en: '' });
    await mixed.announce();
    // The good one stands last in the queue.
    const last = { $set: { nextAt: mixed.house.now() } };
    await deliveriesIn(mixed.federation).updateMany({ host: peer.host }, last);
    const started = Date.now();
    const running = mixed.run();
    while (peer.received.length === 0 && Date.now() - started < 5000)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(peer.received.length).to.equal(1);
    expect(Date.now() - started).to.be.below(2000);
    expect(hung.received.length).to.be.at.most(2);
    await hung.stop();
    await running;
    await mixed.stop();
  });

  it('never lets hundreds of names under one domain, each just in time, delay a good server (AP-78)', async () => {
    // Those names answer later than the good one has to be served.
    const withinMs = isSlowEngine ? 15_000 : 3000;
    const names = Array.from({ length: 700 }, (_, index) => `http://a${index}.evil.example`);
    await followsIn(app.house.store).insertMany(names.map((origin) => ofServer(origin, 'u', false)));
    const { fetch } = app.federation;
    const real = fetch.post.bind(fetch);
    let underWay = 0;
    let most = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    Object.assign(fetch, {
      post: async (...[address, ...others]: Parameters<typeof real>) => {
        if (!address.includes('.evil.example')) return real(address, ...others);
        underWay += 1;
        most = Math.max(most, underWay);
        await Promise.race([released, pause(withinMs + 1000, undefined, { ref: false })]);
        underWay -= 1;
        return { status: 202, headers: new Headers(), body: Buffer.alloc(0), url: address };
      },
    });
    await say('Bonjour');
    await app.announce();
    // The good one stands last in the queue.
    const last = { $set: { nextAt: app.house.now() } };
    await deliveriesIn(app.federation).updateMany({ host: peer.host }, last);
    const started = Date.now();
    const running = deliverDue(app.federation, { budgetMs: withinMs });
    while (peer.received.length === 0 && Date.now() - started < withinMs) await pause(10);
    expect(peer.received.length).to.equal(1);
    expect(most).to.be.within(1, 32);
    release();
    await running;
    await deliverDue(app.federation, { budgetMs: 0 }, AbortSignal.abort());
  });

  it('counts names by their last two labels, and addresses one by one', () => {
    expect(['a1.evil.org', 'EVIL.org:8443'.toLowerCase(), 'x.y.evil.org.'].map(domainOf)).to.deep.equal([
      ...['evil.org', 'evil.org', 'evil.org'],
    ]);
    expect(['192.0.2.1:81', '[2001:db8::1]:443', 'localhost'].map(domainOf)).to.deep.equal([
      ...['192.0.2.1:81', '[2001:db8::1]:443', 'localhost'],
    ]);
  });

  it('waits for no server that hangs: what comes next goes out, also when the place of others is still taken', async () => {
    const hung = await startPeer();
    hung.behaviour = 'hang';
    const mixed = await startFederatedApp({ privateHosts: [peer.host, hung.host] });
    const whom = await addCollective(mixed);
    await mixed.run();
    for (const name of ['h0', 'h1', 'h2']) await follower(hung.origin, name, false, mixed, whom);
    await publishPost(mixed.ctx(), whom._id, { fr: 'Un', en: '' });
    await mixed.announce();
    const started = Date.now();
    const first = await deliverDue(mixed.federation, { budgetMs: 300 });
    expect(first).to.deep.equal({ sent: 0, postponed: 0, failed: 0 });
    expect(Date.now() - started).to.be.below(1500);
    await follower(peer.origin, 'good', false, mixed, whom);
    await publishPost(mixed.ctx(), whom._id, { fr: 'Deux', en: '' });
    await mixed.announce();
    expect((await deliverDue(mixed.federation, { budgetMs: 300 })).sent).to.equal(1);
    expect(hung.received.length, 'still two at a time').to.equal(2);
    // What ends later counts then; a stop waits for it.
    await hung.stop();
    const stopped = AbortSignal.abort();
    expect((await deliverDue(mixed.federation, {}, stopped)).postponed).to.equal(2);
    expect((await rows(mixed)).every((row) => row.leaseUntil <= mixed.house.now())).to.equal(true);
    await mixed.stop();
  });

  it('keeps an Update behind its Create while that cannot be delivered (order for each object)', async () => {
    peer.behaviour = { status: 500 };
    const post = await say('Un');
    await app.run();
    await updatePost(app.ctx(), hoster._id, post._id, { version: post.version, text: { fr: 'Deux', en: '' } });
    await app.run();
    expect(peer.received.map((one) => one.json.type)).to.deep.equal(['Create']);
    peer.behaviour = { status: 202 };
    app.pass(2);
    await app.run();
    app.pass(1);
    await app.run();
    expect(peer.received.map((one) => one.json.type)).to.deep.equal(['Create', 'Create', 'Update']);
    expect(await rows()).to.deep.equal([]);
  });

  it('keeps an Update behind its Create also when only that one was refused', async () => {
    peer.behaviour = { status: 401 };
    const post = await say('Un');
    await app.run();
    await updatePost(app.ctx(), hoster._id, post._id, { version: post.version, text: { fr: 'Deux', en: '' } });
    await say('Autre chose');
    await app.run();
    const texts = peer.received.map(
      (one) => `${String(one.json.type)} ${String((one.json.object as { content: string }).content)}`,
    );
    // Each of them in both signature schemes.
    expect([...new Set(texts)]).to.deep.equal(['Create <p>Un</p>', 'Create <p>Autre chose</p>']);
  });

  it('knocks once or twice each time at a server that does not answer, however much waits for it', async () => {
    peer.behaviour = { status: 500 };
    for (let index = 0; index < 30; index++) await follower(peer.origin, `u${index}`, false);
    await say('Bonjour');
    await app.run();
    for (let round = 0; round < 4; round++) {
      const before = peer.received.length;
      app.pass(24 * 60);
      await deliverDue(app.federation);
      expect(peer.received.length - before).to.be.within(1, 2);
    }
    expect((await rows()).length).to.equal(31);
  });

  it('waits longer each time, leaves the whole server alone meanwhile, and gives up after a week with a reason (RL-05)', async function () {
    this.timeout(60_000);
    peer.behaviour = { status: 503 };
    await say('Un');
    await app.run();
    await say('Deux');
    await app.run();
    expect(peer.received.length, 'asked again at once').to.equal(1);
    let asked = 0;
    for (let hours = 0; hours < 7 * 24 + 16; hours++) {
      app.pass(60);
      const before = peer.received.length;
      await deliverDue(app.federation);
      asked += peer.received.length - before;
    }
    expect(asked).to.be.within(15, 60);
    const left = await rows();
    expect(left.map((row) => row.state)).to.deep.equal(['failed', 'failed']);
    expect(left[0]?.lastError).to.equal('no answer for a week: HTTP 503');
    expect(left[0]?.lastStatus).to.equal(503);
    app.pass(31 * 24 * 60);
    expect(await pruneDeliveries(app.federation)).to.equal(2);
  });

  it('lets everything that waited go as soon as the server answers again', async () => {
    peer.behaviour = { status: 503 };
    for (const text of ['Un', 'Deux', 'Trois']) await say(text);
    await app.run();
    app.pass(2);
    await app.run();
    peer.behaviour = { status: 202 };
    app.pass(10);
    await deliverDue(app.federation);
    app.pass(1);
    await deliverDue(app.federation);
    expect(await rows()).to.deep.equal([]);
  });

  for (const [status, headers, expected] of [
    [200, {}, null],
    [201, {}, null],
    [429, { 'retry-after': '3600' }, { state: 'waiting', atLeast: 60 }],
    [503, { 'retry-after': '99999999' }, { state: 'waiting', atLeast: 24 * 60 }],
    [500, {}, { state: 'waiting', atLeast: 0.8 }],
    [408, {}, { state: 'waiting', atLeast: 0.8 }],
    [425, {}, { state: 'waiting', atLeast: 0.8 }],
    [401, {}, { state: 'waiting', atLeast: 0.8 }],
    [301, { location: '/elsewhere' }, { state: 'waiting', atLeast: 0.8 }],
    [302, { location: 'http://127.0.0.1:9/inbox' }, { state: 'waiting', atLeast: 0.8 }],
    [307, { location: '/inbox' }, { state: 'waiting', atLeast: 0.8 }],
    [308, { location: '/inbox' }, { state: 'waiting', atLeast: 0.8 }],
    [404, {}, { state: 'failed', reason: 'inbox gone' }],
    [410, {}, { state: 'failed', reason: 'inbox gone' }],
    [400, {}, { state: 'failed', reason: 'not accepted' }],
    [413, {}, { state: 'failed', reason: 'not accepted' }],
  ] as [number, Record<string, string>, null | { state: string; atLeast?: number; reason?: string }][]) {
    it(`does the right thing after ${status} (RL-06)`, async () => {
      peer.behaviour = { status, headers };
      await say('Bonjour');
      const before = app.house.now().getTime();
      await app.run();
      const [row] = await rows();
      expect(peer.received.length).to.equal(status === 400 || status === 401 ? 2 : 1);
      if (expected === null) return expect(row).to.equal(undefined);
      expect(row?.state).to.equal(expected.state);
      if (expected.atLeast !== undefined)
        expect(row!.nextAt.getTime() - before).to.be.within(expected.atLeast * minute, 24 * 60 * minute + 60_000);
      if (expected.reason !== undefined) expect(row?.lastError).to.equal(`${expected.reason}: HTTP ${status}`);
    });
  }

  it('tries five times when refused with 401 or 403, then stops (RL-06)', async () => {
    peer.behaviour = { status: 403 };
    await say('Bonjour');
    await app.run();
    for (let round = 0; round < 8; round++) {
      app.pass(24 * 60);
      await deliverDue(app.federation);
    }
    expect(peer.received.length, 'five times in two schemes').to.equal(10);
    expect((await rows())[0]?.lastError).to.equal('refused: HTTP 403');
  });

  it('never follows a redirect, and stops after five of them (RL-06)', async () => {
    peer.behaviour = { status: 302, headers: { location: `${peer.origin}/trap` } };
    await say('Bonjour');
    await app.run();
    for (let round = 0; round < 8; round++) {
      app.pass(24 * 60);
      await deliverDue(app.federation);
    }
    expect(peer.log.filter((line) => line.includes('trap'))).to.deep.equal([]);
    expect(peer.received.length).to.equal(5);
    expect((await rows())[0]?.lastError).to.equal('redirects: HTTP 302');
  });

  it('gives up at once on an inbox that may not be asked', async () => {
    await follower('https://192.168.1.1', 'x', false);
    await say('Bonjour');
    expect(await app.run()).to.deep.equal({ sent: 1, postponed: 0, failed: 1 });
    expect((await rows())[0]?.lastError).to.match(/^address refused: /);
  });

  it('goes on with the others when one row cannot be sent at all (RL-08, RL-20)', async () => {
    await follower(peer.origin, 'b', false);
    await say('Bonjour');
    const failing = { ...app.federation, sending: new Map<string, number>() };
    let calls = 0;
    failing.fetch = {
      ...app.federation.fetch,
      post: (...request) => {
        calls += 1;
        if (calls === 1) throw new Error('a mistake of ours');
        return app.federation.fetch.post(...request);
      },
    };
    await app.house.store.collection('posts').find({}).toArray();
    const { federationConsumer } = await import('../../federation/outbox.js');
    const { drainEvents } = await import('../../jobs/drainEvents.js');
    const { eventfulCollections } = await import('../../server/store/schema.js');
    await drainEvents({ ...app.house, collections: eventfulCollections, consumers: [federationConsumer(failing)] });
    expect((await deliverDue(failing)).sent).to.equal(1);
    expect(app.house.logged.some((line) => line.includes('a delivery broke'))).to.equal(true);
    app.pass(2);
    expect((await deliverDue(failing)).sent).to.equal(1);
  });

  it('loses nothing that waited long for its server by one mistake of ours', async () => {
    await say('Un');
    await app.announce();
    await deliveriesIn(app.federation).updateMany({}, { $set: { attempts: 20 } });
    const failing = { ...app.federation, sending: new Map<string, number>() };
    failing.fetch = { ...app.federation.fetch, post: () => Promise.reject(new TypeError('a mistake of ours')) };
    await deliverDue(failing);
    expect((await deliveriesIn(app.federation).findOne({}))?.state).to.equal('waiting');
    app.pass(24 * 60);
    await deliverDue(app.federation);
    expect(peer.received.map((one) => one.json.type)).to.deep.equal(['Create']);
  });

  it('gives up on a row that breaks each time: its reason is kept and shown, its lane is free (RL-20)', async () => {
    const post = await say('Un');
    await app.announce();
    await updatePost(app.ctx(), hoster._id, post._id, { version: post.version, text: { fr: 'Deux', en: '' } });
    await app.announce();
    const failing = { ...app.federation, sending: new Map<string, number>() };
    failing.fetch = {
      ...app.federation.fetch,
      post: (url, body, headers) => {
        if (Buffer.from(body).toString().includes('"Create"')) throw new TypeError('a mistake of ours');
        return app.federation.fetch.post(url, body, headers);
      },
    };
    for (let hours = 0; hours < 60; hours++) {
      await deliverDue(failing);
      app.pass(60);
    }
    const [left, ...more] = await listPeerDeliveries(app.house.store, peer.host, 10);
    expect(more).to.deep.equal([]);
    expect(left?.row.state).to.equal('failed');
    expect(left?.row.lastError).to.equal('our mistake: TypeError: a mistake of ours');
    expect(left?.row.attempts).to.equal(8);
    expect(left?.activity?.json).to.contain('Un');
    expect(peer.received.map((one) => one.json.type)).to.deep.equal(['Update']);
  });
});
