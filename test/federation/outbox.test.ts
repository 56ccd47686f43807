// Events to activities: the same event handed over again, after a crash at any point, says nothing twice and leaves nothing
// half said.
import { expect } from 'chai';
import { activitiesIn, pruneActivities } from '../../federation/activities.js';
import { deliverDue, deliveriesIn } from '../../federation/delivery.js';
import { announceEvent } from '../../federation/outbox.js';
import {
  createService,
  emptyProfile,
  updateService,
  withdrawService,
} from '../../server/catalogue/actions/services.js';
import { servicesOf } from '../../server/catalogue/queries.js';
import { addMember, updateProfile } from '../../server/collectives/actions.js';
import { getCollective } from '../../server/collectives/queries.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Eventful, PendingEvent } from '../../server/events.js';
import { deletePost, publishPost } from '../../server/posts/actions.js';
import { postsOf } from '../../server/posts/queries.js';
import type { Doc } from '../../server/store/store.js';
import { buildPerson } from '../support/appSupport.js';
import type { Peer } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

describe('the outbox', () => {
  let app: FederatedApp;
  let peer: Peer;
  let hoster: Collective;

  before(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    hoster = await addCollective(app);
    await app.run();
    const bob = peer.addActor('bob');
    await peer.post(bob, `${app.baseUrl}/inbox`, peer.follow(bob, `${app.baseUrl}/actors/${hoster.handle}`));
    await app.run();
  });

  async function lastEvent(collection: string, id: string): Promise<PendingEvent> {
    const doc = await app.house.store.collection<Doc & Eventful>(collection).findOne({ _id: id });
    const event = doc?.events?.at(-1);
    if (!event) throw new Error('no event');
    return event;
  }

  const count = async (): Promise<number> => activitiesIn(app.federation).countDocuments({});

  it('says once what is handed over many times, at once and later', async () => {
    const post = await publishPost(app.ctx(), hoster._id, { fr: 'Bonjour', en: '' });
    const event = await lastEvent('posts', post._id);
    const before = await count();
    await Promise.all(Array.from({ length: 5 }, () => announceEvent(app.federation, event)));
    expect(await count()).to.equal(before + 1);
    expect((await deliverDue(app.federation)).sent).to.equal(1);
    await announceEvent(app.federation, event);
    expect((await deliverDue(app.federation)).sent).to.equal(0);
  });

  it('goes on after a crash between the activity and its deliveries', async () => {
    const post = await publishPost(app.ctx(), hoster._id, { fr: 'Encore', en: '' });
    const event = await lastEvent('posts', post._id);
    await announceEvent(app.federation, event);
    const [first] = await activitiesIn(app.federation).find({ _id: event.eventId }).toArray();
    await deliveriesIn(app.federation).deleteMany({ state: 'waiting' });
    await activitiesIn(app.federation).updateOne(
      { _id: event.eventId },
      { $set: { isFannedOut: false, fanOutCursor: null } },
    );
    await announceEvent(app.federation, event);
    expect(await deliveriesIn(app.federation).countDocuments({ state: 'waiting' })).to.equal(1);
    expect((await activitiesIn(app.federation).findOne({ _id: event.eventId }))?.json).to.equal(first?.json);
    await app.run();
  });

  it('takes the text of what was deleted out of what it keeps, also after a crash in the middle', async () => {
    const post = await publishPost(app.ctx(), hoster._id, { fr: 'Secret', en: '' });
    await app.run();
    const [kept] = await activitiesIn(app.federation)
      .find({ subject: `post:${post._id}` })
      .toArray();
    await deletePost(app.ctx(), hoster._id, post._id);
    const event = await lastEvent('posts', post._id);
    await announceEvent(app.federation, event);
    await activitiesIn(app.federation).updateOne({ _id: kept!._id }, { $set: { json: kept!.json, listed: true } });
    await announceEvent(app.federation, event);
    expect((await activitiesIn(app.federation).findOne({ _id: kept!._id }))?.json).to.equal('');
    await app.run();
  });

  it('sends only the deletion to those whom the text has not reached', async () => {
    peer.behaviour = { status: 500 };
    const post = await publishPost(app.ctx(), hoster._id, { fr: 'Retiré aussitôt', en: '' });
    await app.run();
    await deletePost(app.ctx(), hoster._id, post._id);
    peer.behaviour = { status: 202 };
    const before = peer.received.length;
    for (let round = 0; round < 3; round++) {
      app.pass(10);
      await app.run();
    }
    const after = peer.received.slice(before);
    expect(after.map((one) => one.json.type)).to.deep.equal(['Delete']);
  });

  it('is silent about drafts, figures, what is gone before it is told, and deeds of no concern to others', async () => {
    await app.run();
    const before = await count();
    const profile = emptyProfile({ fr: 'Brouillon', en: '' });
    const draft = await createService(app.ctx(), hoster._id, { profile });
    await updateService(app.ctx(), draft._id, {
      version: draft.version,
      profile: { ...profile, website: 'https://x.example/' },
    });
    const brief = await createService(app.ctx(), hoster._id, {
      profile: emptyProfile({ fr: 'Bref', en: '' }),
      published: true,
    });
    await withdrawService(app.ctx(), brief._id);
    const post = await publishPost(app.ctx(), hoster._id, { fr: 'Bref', en: '' });
    await deletePost(app.ctx(), hoster._id, post._id);
    const person = await buildPerson(app.house, { password: null });
    await addMember(app.ctx(), hoster._id, { personId: person._id, role: 'member' });
    await app.run();
    expect(await count()).to.equal(before);
    expect(await servicesOf(app.house.store).countDocuments({ 'events.eventId': { $gt: '' } })).to.equal(0);
    expect(await postsOf(app.house.store).countDocuments({ 'events.eventId': { $gt: '' } })).to.equal(0);
  });

  it('keeps what is public, and forgets answers to follows and changes of actors after two months', async () => {
    await updateProfile(app.ctx(), hoster._id, {
      version: (await getCollective(app.house.store, hoster._id)).version,
      profile: { ...hoster.profile, website: 'https://x.example/' },
    });
    await app.run();
    expect(await pruneActivities(app.federation)).to.equal(0);
    const before = await count();
    app.pass(61 * 24 * 60);
    expect(await pruneActivities(app.federation)).to.equal(2);
    expect(await count()).to.equal(before - 2);
  });

  it('waits for no server that names somebody: what cannot be found in three seconds stays text', async function () {
    this.timeout(20_000);
    const slow = await startPeer();
    const app2 = await startFederatedApp({ privateHosts: [slow.host] });
    const whom = await addCollective(app2);
    await app2.run();
    slow.pages.set('/.well-known/webfinger', () => {});
    const names = Array.from({ length: 5 }, (_, at) => `@u${at}@${slow.host}`).join(' ');
    await publishPost(app2.ctx(), whom._id, { fr: `Bonjour ${names}`, en: '' });
    await publishPost(app2.ctx(), whom._id, { fr: 'La suite', en: '' });
    const started = Date.now();
    await app2.announce();
    expect(
      slow.log.some((line) => line.includes('webfinger')),
      'it was asked',
    ).to.equal(true);
    expect(Date.now() - started).to.be.below(4000);
    const said = await activitiesIn(app2.federation).find({ type: 'Create' }).toArray();
    expect(said.map(({ json }) => json.includes('Bonjour') || json.includes('La suite'))).to.deep.equal([true, true]);
    await app2.stop();
    await slow.stop();
  });
});
