import { expect } from 'chai';
import { deliveriesIn } from '../../federation/delivery.js';
import { prunePeers, refreshPeers } from '../../federation/peers.js';
import { dropDelivery, retryDelivery, retryPeer } from '../../server/instances/actions/peers.js';
import { findPeer, listPeerDeliveries, peersIn } from '../../server/instances/peerQueries.js';
import { publishPost } from '../../server/posts/actions.js';
import { addCollective, startFederatedApp, startPeer } from './federatedApp.js';

describe('the instances that we know', () => {
  async function begin() {
    const peer = await startPeer();
    const app = await startFederatedApp({ privateHosts: [peer.host] });
    const bob = peer.addActor('bob');
    const hoster = await addCollective(app);
    peer.now = app.house.now;
    const send = () =>
      peer.post(bob, `${app.baseUrl}/inbox`, peer.follow(bob, `${app.baseUrl}/actors/${hoster.handle}`));
    expect((await send()).status).to.equal(202);
    const write = () => publishPost(app.ctx(), hoster._id, { fr: 'Bonjour', en: '' });
    return { peer, app, write };
  }

  it('are noted with what came and what arrived', async () => {
    const { peer, app } = await begin();
    const { store } = app.house;
    const heard = (await findPeer(store, peer.host))?.peer;
    expect(heard?.lastInAt).to.be.instanceOf(Date);
    expect(heard?.lastOutAt).to.equal(null);
    await app.run();
    expect((await findPeer(store, peer.host))?.peer.lastOutAt).to.be.instanceOf(Date);
  });

  it('are asked once a week what they run, on their own server only', async () => {
    const { peer, app } = await begin();
    const { store } = app.house;
    const rel = 'http://nodeinfo.diaspora.software/ns/schema/2.0';
    const point = (href: string) =>
      peer.serveJson('/.well-known/nodeinfo', { links: [{ rel, href }] }, { type: 'application/json' });
    peer.serveJson(
      '/nodeinfo/2.0',
      { software: { name: 'masto\u202edon', version: '4.5.1' } },
      { type: 'application/json' },
    );
    point('http://127.0.0.2:1/nodeinfo/2.0');
    expect(await refreshPeers(app.federation)).to.deep.equal({ asked: 1, answered: 0 });
    expect(await refreshPeers(app.federation)).to.deep.equal({ asked: 0, answered: 0 });
    point(`${peer.origin}/nodeinfo/2.0`);
    app.pass(8 * 24 * 60);
    expect(await refreshPeers(app.federation)).to.deep.equal({ asked: 1, answered: 1 });
    expect((await findPeer(store, peer.host))?.peer).to.include({ software: 'mastodon', version: '4.5.1' });
  });

  it('are forgotten when nothing went between us for half a year, unless something was set for them', async () => {
    const { peer, app } = await begin();
    await app.run();
    const peers = peersIn(app.house.store);
    const long = { origin: 'https://x.example', software: '', version: '', checkedAt: new Date(0) };
    const at = app.house.now();
    await peers.insertOne({ _id: 'limited.example', ...long, firstSeenAt: at, lastInAt: at, lastOutAt: null });
    await peers.updateOne({ _id: 'limited.example' }, { $set: { inboundLimit: 10 } });
    await peers.insertOne({ _id: 'silent.example', ...long, firstSeenAt: at, lastInAt: null, lastOutAt: at });
    app.pass(181 * 24 * 60);
    await peers.updateOne({ _id: peer.host }, { $set: { lastInAt: app.house.now() } });
    expect(await prunePeers(app.federation)).to.equal(1);
    const left = await peers.find({}, { sort: { _id: 1 } }).toArray();
    expect(left.map(({ _id }) => _id)).to.deep.equal([peer.host, 'limited.example']);
  });

  it('get again what was given up when an administrator asks, and never what was dropped', async () => {
    const { peer, app, write } = await begin();
    await app.run();
    peer.behaviour = { status: 400 };
    await write();
    await write();
    await app.run();
    const failed = await listPeerDeliveries(app.house.store, peer.host, 10);
    expect(failed.map(({ row, activity }) => [row.state, activity?.type])).to.deep.equal([
      ['failed', 'Create'],
      ['failed', 'Create'],
    ]);
    expect(failed[0]?.activity?.json).to.include('Bonjour');
    peer.behaviour = { status: 202 };
    const [first, second] = failed.map(({ row }) => row._id);
    await dropDelivery(app.ctx(), peer.host, first ?? '');
    await retryDelivery(app.ctx(), peer.host, second ?? '');
    const before = peer.received.length;
    await app.run();
    expect(peer.received.length).to.equal(before + 1);
    expect(await deliveriesIn(app.federation).countDocuments({})).to.equal(0);
    expect((await retryPeer(app.ctx(), peer.host)).deliveries).to.equal(0);
    const refused = await dropDelivery(app.ctx(), peer.host, first ?? '').catch((error: unknown) => error);
    expect(refused).to.have.property('code', 'not-found');
  });

  it('are tried at once when all that waits is asked for', async () => {
    const { peer, app, write } = await begin();
    await app.run();
    peer.behaviour = { status: 503 };
    await write();
    await app.run();
    peer.behaviour = { status: 202 };
    expect((await app.run()).sent).to.equal(0);
    expect((await retryPeer(app.ctx(), peer.host)).deliveries).to.equal(1);
    expect((await app.run()).sent).to.equal(1);
  });
});
