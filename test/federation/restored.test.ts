// An old backup comes back (RL-17): what it holds may have been sent since, so nothing of it goes out by itself; what is said
// afterwards does, under new ids; and what an administrator lets go bears the id that it had.
import { expect } from 'chai';
import { deliveriesIn, pruneDeliveries } from '../../federation/delivery.js';
import { dropHeld, markRestored, releaseHeld } from '../../server/instances/actions/restored.js';
import { publishPost } from '../../server/posts/actions.js';
import { contextFor, systemActor } from '../support/appSupport.js';
import type { Peer } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

describe('after the restore of a backup', () => {
  let app: FederatedApp;
  let peer: Peer;
  let hosterId: string;

  beforeEach(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    peer.now = app.house.now;
    const hoster = await addCollective(app);
    hosterId = hoster._id;
    const alice = peer.addActor('alice');
    const iri = `${app.baseUrl}/actors/${hoster.handle}`;
    expect((await peer.post(alice, `${app.baseUrl}/inbox`, peer.follow(alice, iri))).status).to.equal(202);
    await app.run();
    // One waits in the queue, one is an event that was not handed on yet.
    peer.behaviour = { status: 503 };
    await say('un');
    await app.run();
    await say('deux');
    peer.behaviour = { status: 202 };
    peer.received.length = 0;
    app.pass(1);
    expect(await markRestored(app.house.store, app.house.now())).to.equal(1);
    app.pass(5);
  });

  const say = (fr: string) => publishPost(app.ctx(), hosterId, { fr, en: '' });
  const heard = () => peer.ofType('Create').map(({ json }) => JSON.stringify(json).match(/>(un|deux|trois)</)?.[1]);
  const administrator = () => contextFor(app.house, systemActor);

  it('sends nothing of what the backup held, however long it waits', async () => {
    for (const minutes of [0, 60, 24 * 60]) {
      app.pass(minutes);
      await app.run();
    }
    expect(peer.received).to.deep.equal([]);
    expect(await deliveriesIn(app.federation).countDocuments({ state: 'held' })).to.equal(2);
  });

  it('sends what is said afterwards, under an id that was never used', async () => {
    await say('trois');
    await app.run();
    expect(heard()).to.deep.equal(['trois']);
    const held = await deliveriesIn(app.federation).find({ state: 'held' }).toArray();
    const id = String(peer.ofType('Create')[0]?.json.id);
    expect(held.filter(({ activityId }) => id.endsWith(activityId))).to.deep.equal([]);
  });

  it('sends what an administrator lets go, in order and under the ids that it had', async () => {
    await app.run();
    const before = await deliveriesIn(app.federation).find({ state: 'held' }).toArray();
    expect(await releaseHeld(administrator())).to.equal(2);
    await app.run();
    expect(heard()).to.have.members(['un', 'deux']);
    const ids = peer.ofType('Create').map(({ json }) => String(json.id).split('/').at(-1));
    expect(ids).to.have.members(before.map(({ activityId }) => activityId));
  });

  it('forgets what an administrator drops, and after a month what nobody decided about', async () => {
    await app.run();
    expect(await dropHeld(administrator())).to.equal(2);
    await app.run();
    expect(peer.received).to.deep.equal([]);
    await markRestored(app.house.store, app.house.now());
    peer.behaviour = { status: 503 };
    app.pass(1);
    await say('trois');
    await app.run();
    expect(await markRestored(app.house.store, app.house.now())).to.equal(1);
    app.pass(31 * 24 * 60);
    expect(await pruneDeliveries(app.federation)).to.equal(1);
  });
});
