// A server that is away: asked seldom however much waits for it, and not buried when it is back (RL-05, RL-06).

import { expect } from 'chai';
import { type Delivery, deliverDue, deliveriesIn, pruneDeliveries, whenDelivered } from '../../federation/delivery.js';
import { OwnLimitError } from '../../federation/fetchErrors.js';
import { hostRestsIn } from '../../federation/hostRest.js';
import type { Collective } from '../../server/collectives/schema.js';
import { retryDelivery, retryPeer } from '../../server/instances/actions/peers.js';
import { listPeerDeliveries, parkedAt } from '../../server/instances/peerQueries.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Peer } from '../support/peer/peer.js';
import { isSlowEngine } from '../support/storeSupport.js';
import {
  addCollective,
  addFollowers,
  type FederatedApp,
  knowsCavage,
  startFederatedApp,
  startPeer,
} from './federatedApp.js';

describe('a host that rests', () => {
  let app: FederatedApp;
  let peer: Peer;
  let hoster: Collective;

  beforeEach(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    hoster = await addCollective(app);
    await app.run();
    await knowsCavage(app, peer);
  });

  afterEach(async () => {
    await app.stop();
    await peer.stop();
  });

  const followers = (count: number) => addFollowers(app, hoster.handle, peer.origin, count);

  const say = async (text: string) => {
    await publishPost(app.ctx(), hoster._id, { fr: text, en: '' });
    await app.announce();
  };
  const rows = (): Promise<Delivery[]> => deliveriesIn(app.federation).find({}).toArray();

  it('is asked every half hour at most once it is surely away, with a hundred deliveries waiting (RL-05)', async function () {
    this.timeout(60_000);
    const [waiting, step] = isSlowEngine ? [20, 5] : [100, 1];
    await followers(waiting);
    peer.behaviour = { status: 503 };
    await say('Bonjour');
    const knocks: number[] = [];
    for (let minutes = 0; minutes < 24 * 60; minutes += step) {
      const before = peer.received.length;
      await deliverDue(app.federation);
      for (let more = before; more < peer.received.length; more++) knocks.push(minutes);
      app.pass(step);
    }
    // Two were under way together when nobody knew yet.
    const after = knocks.slice(3);
    expect(knocks.length).to.be.within(5, 12);
    const gaps = after.slice(1).map((at, index) => at - (after[index] ?? 0));
    expect(Math.min(...gaps), `minutes: ${knocks}`).to.be.at.least(30);
    expect((await rows()).length).to.equal(waiting);
    const rest = await hostRestsIn(app.federation).findOne({ _id: peer.host });
    expect(rest?.failures).to.equal(knocks.length - 1);
    expect(rest?.lastError).to.equal('HTTP 503');
  });

  it('gets what waited at a few a second when it is back, and what is new behind it (RL-05)', async function () {
    this.timeout(60_000);
    await followers(30);
    peer.behaviour = { status: 503 };
    await say('Un');
    await deliverDue(app.federation);
    app.pass(2);
    peer.received.length = 0;
    peer.behaviour = { status: 202 };
    const started = Date.now();
    await deliverDue(app.federation, { budgetMs: 3000 });
    // A busy machine gets fewer out in that time, never more.
    expect(peer.received.length).to.be.within(1, 15);
    await say('Deux');
    while ((await rows()).length > 0 && Date.now() - started < 40_000) await deliverDue(app.federation);
    expect(peer.received.length).to.equal(60);
    const texts = peer.received.map((one) => JSON.stringify(one.json).includes('<p>Un</p>'));
    // But for those few that had knocked and failed.
    expect(texts.indexOf(false), `${texts}`).to.be.at.least(24);
    expect(peer.received.every((one, at) => one.at - (peer.received[at - 8]?.at ?? 0) > 1000)).to.equal(true);
    expect(await hostRestsIn(app.federation).countDocuments({})).to.equal(0);
    // As any other host again: at once.
    await say('Trois');
    const again = Date.now();
    await deliverDue(app.federation);
    expect(peer.received.length).to.equal(90);
    expect(Date.now() - again, 'at a few a second it would be longer').to.be.below(7000);
  });

  /** Answers by inbox, before the peer is asked. */
  function answerFor(choose: (url: string) => { status: number; retryAfter?: number; afterMs?: number } | null): void {
    const { post } = app.federation.fetch;
    app.federation.fetch.post = async (url, body, headers) => {
      const chosen = choose(url);
      if (chosen === null) return post(url, body, headers);
      await new Promise((resolve) => setTimeout(resolve, chosen.afterMs ?? 0));
      return { status: chosen.status, retryAfter: chosen.retryAfter ?? null };
    };
  }

  it('waits as long as it asked for, also when another delivery that was under way arrives (RL-06)', async () => {
    await followers(6);
    peer.behaviour = { status: 503 };
    await say('Bonjour');
    await deliverDue(app.federation);
    app.pass(2);
    let limitedAt = 0;
    const arrived: number[] = [];
    answerFor((url) => {
      if (limitedAt === 0 && arrived.length > 0 && !url.endsWith('f0/inbox')) {
        limitedAt = app.house.now().getTime();
        return { status: 429, retryAfter: 3600 };
      }
      arrived.push(app.house.now().getTime());
      return { status: 202, afterMs: 200 };
    });
    await deliverDue(app.federation);
    expect(limitedAt).to.be.above(0);
    for (let minutes = 0; minutes < 55; minutes += 5) {
      app.pass(5);
      await deliverDue(app.federation);
    }
    expect(
      arrived.filter((at) => at > limitedAt + 1000),
      'asked before it wanted to be',
    ).to.deep.equal([]);
    app.pass(20);
    await deliverDue(app.federation);
    await deliverDue(app.federation);
    expect(await rows()).to.deep.equal([]);
  });

  it('lets the others pass without cutting short the wait of one that was refused with 403 (RL-06)', async () => {
    await followers(5);
    peer.behaviour = { status: 503 };
    await say('Bonjour');
    await deliverDue(app.federation);
    app.pass(2);
    let refused = 0;
    answerFor((url) => {
      if (!url.endsWith('f1/inbox')) return { status: 202 };
      refused += 1;
      return { status: 403 };
    });
    await deliverDue(app.federation);
    const [left, ...more] = await rows();
    expect(more).to.deep.equal([]);
    expect(left?.lastStatus).to.equal(403);
    expect((left?.nextAt.getTime() ?? 0) - app.house.now().getTime()).to.be.above(30_000);
    expect(refused, 'once in two schemes').to.equal(2);
  });

  it('is not shut off by one delivery that it never takes: the others pass, that one is given up alone', async function () {
    this.timeout(60_000);
    await followers(3);
    await say('Bonjour');
    const [poison] = (await rows()).map((row) => row.inbox).sort();
    answerFor((url) => ({ status: url === poison ? 500 : 202 }));
    await deliverDue(app.federation);
    for (let minutes = 0; minutes < 10; minutes += 2) {
      app.pass(2);
      await deliverDue(app.federation);
    }
    expect((await rows()).map((row) => row.inbox)).to.deep.equal([poison]);
    for (let days = 0; days < 10; days++) {
      app.pass(24 * 60);
      await say(`Encore ${days}`);
      await deliveriesIn(app.federation).deleteMany({ inbox: poison ?? '', attempts: 0 });
      await deliverDue(app.federation);
      app.pass(2);
      await deliverDue(app.federation);
    }
    const left = (await rows()).map((row) => `${row.state} ${row.lastError}`);
    expect(left).to.deep.equal(['failed no answer for a week: HTTP 500']);
  });

  it('is asked at once when an administrator wants it: with the delivery they chose, or with any', async () => {
    await followers(5);
    peer.behaviour = { status: 503 };
    await say('Bonjour');
    for (const minutes of [2, 10, 40]) {
      await deliverDue(app.federation);
      app.pass(minutes);
    }
    await deliverDue(app.federation);
    peer.received.length = 0;
    const chosen = (await rows()).find((row) => row.attempts === 1);
    await retryDelivery(app.ctx(), peer.host, chosen?._id ?? '');
    await deliverDue(app.federation);
    expect(peer.received.map((one) => `${peer.origin}${one.path}`)).to.deep.equal([chosen?.inbox]);
    peer.behaviour = { status: 202 };
    expect((await retryPeer(app.ctx(), peer.host)).deliveries).to.equal(5);
    await deliverDue(app.federation);
    expect(await rows()).to.deep.equal([]);
  });

  it('is shared by several processes: one delivery knocks, not one of each', async () => {
    await followers(20);
    peer.behaviour = { status: 503 };
    await say('Bonjour');
    await deliverDue(app.federation);
    app.pass(2);
    peer.received.length = 0;
    const workers = Array.from({ length: 4 }, (_, at) => ({
      ...app.federation,
      workerId: `w${at}`,
      sending: new Map<string, number>(),
    }));
    await Promise.all(workers.map((one) => deliverDue(one)));
    expect(peer.received.length).to.equal(1);
  });

  it('is none for want of a place here: its delivery goes a minute later, however often that happens', async () => {
    await followers(1);
    await say('Bonjour');
    const { fetch } = app.federation;
    const { post } = fetch;
    fetch.post = () => Promise.reject(new OwnLimitError('no place before the deadline'));
    for (let tries = 0; tries < 10; tries++) {
      await deliverDue(app.federation);
      app.pass(2);
    }
    expect(await hostRestsIn(app.federation).findOne({ _id: peer.host })).to.equal(null);
    expect((await rows()).map(({ state, attempts }) => [state, attempts])).to.deep.equal([['waiting', 10]]);
    fetch.post = post;
    await deliverDue(app.federation);
    expect(peer.received.length).to.equal(1);
  });

  it('is what a server becomes where more than a hundred inboxes get the same: the others need not look past them all', async () => {
    const crowd = 130;
    await followers(crowd);
    await say('Bonjour');
    const parked = (await rows()).filter(({ nextAt }) => nextAt.getTime() === parkedAt.getTime());
    expect([(await rows()).length, parked.length]).to.deep.equal([crowd, crowd - 100]);
    await deliverDue(app.federation, { budgetMs: 2500 });
    await whenDelivered(app.federation);
    const arrived = new Set(peer.received.map(({ path }) => path));
    expect(arrived.size).to.equal(peer.received.length).and.to.be.within(4, 20);
    expect((await rows()).length).to.equal(crowd - arrived.size);
    expect((await hostRestsIn(app.federation).findOne({ _id: peer.host }))?.failures).to.equal(0);
    // All that waits for it goes the same way, and what is forgotten by a crash is seen at night.
    await hostRestsIn(app.federation).deleteMany({});
    await pruneDeliveries(app.federation);
    expect(await hostRestsIn(app.federation).findOne({ _id: peer.host })).not.to.equal(null);
  });

  it('is remembered when nothing waits any more, and asked once for what comes next', async () => {
    await followers(1);
    peer.behaviour = { status: 503 };
    await say('Un');
    for (let hours = 0; hours < 9 * 24; hours++) {
      app.pass(60);
      await deliverDue(app.federation);
    }
    expect((await rows()).map((row) => row.state)).to.deep.equal(['failed']);
    app.pass(24 * 60);
    await deliverDue(app.federation);
    peer.received.length = 0;
    await say('Deux');
    for (let minutes = 0; minutes < 120; minutes += 5) {
      await deliverDue(app.federation);
      app.pass(5);
    }
    expect(peer.received.length).to.equal(1);
    app.pass(45 * 24 * 60);
    await pruneDeliveries(app.federation);
    expect(await hostRestsIn(app.federation).countDocuments({ nextAt: parkedAt })).to.equal(0);
  });

  it('shows administrators when it is asked next', async () => {
    await followers(3);
    peer.behaviour = { status: 503 };
    await say('Un');
    await deliverDue(app.federation);
    await deliverDue(app.federation);
    const rest = await hostRestsIn(app.federation).findOne({ _id: peer.host });
    const shown = await listPeerDeliveries(app.house.store, peer.host, 10);
    expect(shown.map(({ row }) => row.nextAt.getTime()).sort()[0]).to.equal(rest?.nextAt.getTime());
    expect(shown.every(({ row }) => row.nextAt < parkedAt)).to.equal(true);
  });

  it('leaves nothing parked for ever that was parked while another process saw nothing waiting', async () => {
    await followers(1);
    await say('Bonjour');
    await deliveriesIn(app.federation).updateMany({}, { $set: { nextAt: parkedAt } });
    const at = app.house.now();
    const silent = { failures: 1, since: at, at, nextAt: parkedAt, callId: '', lastError: 'HTTP 503' };
    await hostRestsIn(app.federation).insertOne({ _id: peer.host, ...silent });
    await deliverDue(app.federation);
    expect(peer.received.length).to.equal(0);
    await pruneDeliveries(app.federation);
    await deliverDue(app.federation);
    expect(peer.received.length).to.equal(1);
  });

  it('leaves nothing parked for ever, even when the note of its rest is lost', async () => {
    await followers(3);
    peer.behaviour = { status: 503 };
    await say('Un');
    await deliverDue(app.federation);
    await hostRestsIn(app.federation).deleteMany({});
    peer.behaviour = { status: 202 };
    await pruneDeliveries(app.federation);
    app.pass(2);
    await deliverDue(app.federation);
    app.pass(2);
    await deliverDue(app.federation);
    expect(await rows()).to.deep.equal([]);
  });
});
