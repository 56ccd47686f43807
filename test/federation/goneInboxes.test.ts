// Inboxes that are no longer there (RL-06): their owners are asked, forgotten when they are gone, followed when they moved.
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { deliverDue, deliveriesIn } from '../../federation/delivery.js';
import { noteGoneInbox } from '../../federation/goneInboxes.js';
import type { Collective } from '../../server/collectives/schema.js';
import { retryPeer } from '../../server/instances/actions/peers.js';
import { findPeer, goneInboxesIn } from '../../server/instances/peerQueries.js';
import { findRemoteActor, followsIn } from '../../server/partners/queries.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

describe('an inbox that is no longer there', () => {
  let app: FederatedApp;
  let peer: Peer;
  let hoster: Collective;
  let alice: PeerActor;

  beforeEach(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    peer.now = app.house.now;
    hoster = await addCollective(app);
    alice = peer.addActor('alice', { endpoints: {} });
    await follow();
    expect(peer.ofType('Accept').length).to.equal(1);
    peer.received.length = 0;
  });

  afterEach(async () => {
    await app.stop();
    await peer.stop();
  });

  async function follow(): Promise<void> {
    const activity = peer.follow(alice, `${app.baseUrl}/actors/${hoster.handle}`);
    expect((await peer.post(alice, `${app.baseUrl}/inbox`, activity)).status).to.equal(202);
    await app.run();
  }

  const say = async (text: string) => {
    await publishPost(app.ctx(), hoster._id, { fr: text, en: '' });
    await app.run();
  };
  const states = async () => (await followsIn(app.house.store).find({}).toArray()).map((one) => one.state);
  const tried = () => peer.received.filter(({ path }) => path === '/users/alice/inbox').length;

  it('ends the follows of whoever is gone with it, at once when their own page says so (410)', async () => {
    peer.behaviour = { status: 410 };
    peer.serveJson('/users/alice', {}, { status: 410 });
    await say('Bonjour');
    expect(await states()).to.deep.equal(['undone']);
    expect((await findRemoteActor(app.house.store, alice.iri))?.goneAt).to.be.instanceOf(Date);
  });

  it('forgets nobody for a 404 until it has said so on seven days', async () => {
    peer.behaviour = { status: 404 };
    peer.serveJson('/users/alice', {}, { status: 404 });
    for (let day = 1; day <= 7; day++) {
      expect(await states(), `day ${day}`).to.deep.equal(['accepted']);
      await say(`Jour ${day}`);
      await say(`Jour ${day}, encore`);
      app.pass(24 * 60);
    }
    expect(await states()).to.deep.equal(['undone']);
  });

  it('finds out where somebody has their inbox now', async () => {
    peer.behaviour = { status: 404 };
    peer.serveJson('/users/alice', { ...peer.document(alice), endpoints: {}, inbox: `${peer.origin}/new/alice` });
    await say('Un');
    peer.behaviour = { status: 202 };
    peer.received.length = 0;
    await say('Deux');
    expect(peer.received.map(({ path }) => path)).to.deep.equal(['/new/alice']);
  });

  it('gets nothing more after seven days, while its owner is there; a new Follow brings it back', async () => {
    peer.behaviour = { status: 404 };
    for (let day = 1; day <= 9; day++) {
      await say(`Jour ${day}`);
      await say(`Jour ${day}, encore`);
      expect(tried(), `day ${day}`).to.equal(Math.min(day * 2, 13));
      app.pass(24 * 60);
    }
    expect(await states()).to.deep.equal(['accepted']);
    expect((await findPeer(app.house.store, peer.host))?.leftOut).to.equal(1);
    peer.behaviour = { status: 202 };
    await follow();
    peer.received.length = 0;
    await say('De retour');
    expect(tried()).to.equal(1);
    expect((await findPeer(app.house.store, peer.host))?.leftOut).to.equal(0);
  });

  it('counts days and not tries, and begins again when something arrived', async () => {
    peer.behaviour = { status: 404 };
    for (let post = 0; post < 9; post++) await say(`Envoi ${post}`);
    expect(tried()).to.equal(9);
    for (let day = 0; day < 6; day++) {
      app.pass(24 * 60);
      peer.behaviour = { status: day === 2 ? 202 : 404 };
      await say(`Jour ${day}`);
    }
    expect(tried()).to.equal(15);
    expect((await findPeer(app.house.store, peer.host))?.leftOut).to.equal(0);
  });

  it('is counted once a day also by two that find out at once, and by nothing that was never sent', async () => {
    const inbox = `${peer.origin}/users/alice/inbox`;
    const days = async () => (await goneInboxesIn(app.house.store).findOne({ _id: inbox }))?.days;
    for (const day of [1, 2]) {
      await Promise.all([noteGoneInbox(app.federation, inbox), noteGoneInbox(app.federation, inbox)]);
      expect(await days()).to.equal(day);
      app.pass(24 * 60);
    }
    await publishPost(app.ctx(), hoster._id, { fr: 'Effacé', en: '' });
    await app.announce();
    await activitiesIn(app.federation).updateMany({}, { $set: { json: '' } });
    await deliverDue(app.federation);
    expect(tried()).to.equal(0);
    expect(await deliveriesIn(app.federation).countDocuments({})).to.equal(0);
    expect(await days()).to.equal(2);
  });

  it('comes back when an administrator tries all again', async () => {
    peer.behaviour = { status: 404 };
    for (let day = 1; day <= 8; day++) {
      await say(`Jour ${day}`);
      app.pass(24 * 60);
    }
    peer.behaviour = { status: 202 };
    peer.received.length = 0;
    expect(await retryPeer(app.ctx(), peer.host)).to.deep.equal({ deliveries: 7, inboxes: 1 });
    await deliverDue(app.federation);
    await say('Encore');
    expect(tried()).to.equal(8);
  });
});
