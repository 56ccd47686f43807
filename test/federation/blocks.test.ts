// Blocks across servers, with two independent peers: what ends, who is told, what never comes back in; and blocks by others,
// which only they themselves can make.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { fetchActor } from '../../federation/remoteActors.js';
import type { Collective } from '../../server/collectives/schema.js';
import { block, muteFollowing, unblock } from '../../server/partners/actions/blocking.js';
import { followActor, forgetPartnersOf } from '../../server/partners/actions/following.js';
import { blocksIn, isBlockedBy } from '../../server/partners/blockQueries.js';
import { findThread } from '../../server/partners/conversation.js';
import {
  countUnseenMentions,
  feedEntriesIn,
  findFollow,
  findFollowing,
  pageFeed,
  pageMentions,
} from '../../server/partners/queries.js';
import { blockKey, followKey, postKey } from '../../server/partners/rules.js';
import { projectDir } from '../../server/paths.js';
import { refusalOf } from '../server/collectives/collectiveSupport.js';
import { systemActor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const publicIri = 'https://www.w3.org/ns/activitystreams#Public';

describe('blocks across servers', () => {
  let app: FederatedApp;
  /** On 127.0.0.2, a domain of its own: all that it says comes from there. */
  let peer: Peer;
  /** On 127.0.0.3. */
  let other: Peer;
  let hoster: Collective;
  let iri: string;
  let serial = 0;

  before(async () => {
    peer = await startPeer(0, '127.0.0.2');
    other = await startPeer(0, '127.0.0.3');
    app = await startFederatedApp({ privateHosts: [peer.host, other.host] });
    peer.now = app.house.now;
    other.now = app.house.now;
  });

  beforeEach(async () => {
    // What the test before left to be said.
    await settle();
    hoster = await addCollective(app);
    iri = `${app.baseUrl}/actors/${hoster.handle}`;
    peer.received.length = 0;
    other.received.length = 0;
  });

  /** Until nothing waits behind something else. */
  async function settle(): Promise<void> {
    await app.run();
    app.pass(1);
    await app.run();
  }

  const ref = () => ({ kind: 'collective' as const, id: hoster._id });
  const ctx = () => ({ ...app.ctx(), actor: systemActor });
  const follow = async (actor: PeerActor) => (await findFollow(app.house.store, followKey(actor.iri, iri)))?.state;
  const following = async (actor: PeerActor) =>
    (await findFollowing(app.house.store, followKey(iri, actor.iri)))?.state;
  const feed = async () => (await pageFeed(app.house.store, iri, {})).items.map(({ post }) => post.content);

  async function post(from: Peer, actor: PeerActor, activity: Json): Promise<number> {
    const document = { '@context': 'https://www.w3.org/ns/activitystreams', id: from.nextId(), actor: actor.iri };
    return (await from.post(actor, `${app.baseUrl}/inbox`, { ...document, ...activity })).status;
  }

  function note(actor: PeerActor, change: Json = {}): Json & { id: string } {
    serial += 1;
    const published = new Date(app.house.now().getTime() - 60_000 + serial).toISOString();
    const object = { id: `${actor.iri}/posts/${serial}`, type: 'Note', attributedTo: actor.iri, to: [publicIri] };
    return { ...object, published, content: `by ${actor.name}`, ...change };
  }

  /** An actor that follows our hoster and is followed by it, and has written something. */
  async function friend(from: Peer, name: string): Promise<PeerActor> {
    serial += 1;
    const actor = from.addActor(`${name}${serial}`);
    expect(await post(from, actor, { type: 'Follow', object: iri })).to.equal(202);
    await followActor(ctx(), ref(), { actor: actor.iri });
    await settle();
    const asked = from.ofType('Follow').findLast(({ json }) => json.object === actor.iri)?.json;
    expect(await post(from, actor, { type: 'Accept', object: asked })).to.equal(202);
    expect(await post(from, actor, { type: 'Create', object: note(actor) })).to.equal(202);
    expect([await follow(actor), await following(actor)]).to.deep.equal(['accepted', 'accepted']);
    expect(await feed()).to.include(`by ${actor.name}`);
    return actor;
  }

  const blockActor = (actor: PeerActor, note_ = '') => block(ctx(), ref(), { kind: 'actor', actor: actor.iri }, note_);

  describe('by one of ours', () => {
    it('end follows both ways, empty the feed, and are told to that actor’s inbox alone', async () => {
      const alice = await friend(peer, 'alice');
      const carol = await friend(other, 'carol');
      await blockActor(alice, 'zqxnote');
      expect([await follow(alice), await following(alice)]).to.deep.equal(['rejected', 'undone']);
      expect(await feed()).to.deep.equal([`by ${carol.name}`]);
      await settle();
      const [sent, ...more] = peer.ofType('Block');
      expect(more).to.deep.equal([]);
      expect(sent?.signature).to.equal('valid');
      expect(sent?.path).to.equal(`/users/${alice.name}/inbox`);
      expect(sent?.json).to.deep.include({ actor: iri, object: alice.iri, to: [alice.iri] });
      expect(sent?.body.toString()).not.to.contain('zqxnote');
      expect(peer.ofType('Reject').at(-1)?.json.object).to.deep.include({ actor: alice.iri, object: iri });
      expect(peer.ofType('Undo').at(-1)?.json.object).to.deep.include({ type: 'Follow', actor: iri });
      expect(other.ofType('Block')).to.deep.equal([]);
      expect(await follow(carol)).to.equal('accepted');
      const outbox = await other.getJson(`${iri}/outbox?page=true`);
      expect(JSON.stringify(outbox)).not.to.contain('Block');
      const id = String(sent?.json.id);
      expect((await other.get(id)).status).to.equal(404);
      expect((await peer.getSigned(alice, id)).status).to.equal(200);
    });

    it('refuse later follows at once, each with its answer', async () => {
      const alice = await friend(peer, 'alice');
      await blockActor(alice);
      await settle();
      peer.received.length = 0;
      const again = { type: 'Follow', object: iri, id: peer.nextId() };
      expect(await post(peer, alice, again)).to.equal(202);
      expect(await follow(alice)).to.equal('rejected');
      await settle();
      expect(peer.ofType('Reject').map(({ json }) => (json.object as Json).id)).to.deep.equal([again.id]);
      expect(await nothingStored(app, () => post(peer, alice, again), ['received'])).to.equal(202);
    });

    it('keep out what others pass on and what is answered', async () => {
      const alice = await friend(peer, 'alice');
      const carol = await friend(other, 'carol');
      const before = note(alice);
      peer.serveJson(new URL(before.id).pathname, before);
      expect(await post(other, carol, { type: 'Announce', object: before.id })).to.equal(202);
      const asked = note(carol);
      expect(await post(other, carol, { type: 'Create', object: asked })).to.equal(202);
      expect(await post(peer, alice, { type: 'Create', object: note(alice, { inReplyTo: asked.id }) })).to.equal(202);
      const replies = async () => (await findThread(app.house, iri, postKey(asked.id)))?.replies.length;
      expect([(await feed()).length, await replies()]).to.deep.equal([5, 1]);
      await blockActor(alice);
      expect(await feed()).to.deep.equal([`by ${carol.name}`, `by ${carol.name}`]);
      expect(await replies()).to.equal(0);
      const after = note(alice);
      peer.serveJson(new URL(after.id).pathname, after);
      expect(await post(other, carol, { type: 'Announce', object: after.id })).to.equal(202);
      expect(await feed()).to.have.length(2);
    });

    it('of a domain hold for everybody there, known or not, and say nothing but that follows end', async () => {
      const alice = await friend(peer, 'alice');
      const bob = await friend(peer, 'bob');
      const carol = await friend(other, 'carol');
      await block(ctx(), ref(), { kind: 'domain', domain: `https://${peer.host}/users/x` }, '');
      expect([await follow(alice), await following(bob)]).to.deep.equal(['rejected', 'undone']);
      expect(await feed()).to.deep.equal([`by ${carol.name}`]);
      await settle();
      expect(peer.ofType('Block')).to.deep.equal([]);
      expect(peer.ofType('Reject')).to.have.length(2);
      const stranger = peer.addActor('stranger');
      expect(await post(peer, stranger, { type: 'Follow', object: iri })).to.equal(202);
      expect(await follow(stranger)).to.equal('rejected');
      expect(await isBlockedBy(app.house.store, iri, stranger.iri)).to.equal(true);
      expect(await isBlockedBy(app.house.store, iri, carol.iri)).to.equal(false);
    });

    it('of one hoster are nothing to another', async () => {
      const alice = await friend(peer, 'alice');
      await blockActor(alice);
      const neighbour = await addCollective(app);
      const theirs = `${app.baseUrl}/actors/${neighbour.handle}`;
      expect(await post(peer, alice, { type: 'Follow', object: theirs })).to.equal(202);
      expect((await findFollow(app.house.store, followKey(alice.iri, theirs)))?.state).to.equal('accepted');
    });

    it('of reading only hide a domain and change nothing else', async () => {
      const alice = await friend(peer, 'alice');
      await settle();
      peer.received.length = 0;
      await block(ctx(), ref(), { kind: 'mute', domain: '127.0.0.2' }, '');
      expect([await follow(alice), await following(alice)]).to.deep.equal(['accepted', 'accepted']);
      expect(await post(peer, alice, { type: 'Create', object: note(alice) })).to.equal(202);
      expect(await feed()).to.deep.equal([]);
      expect(await isBlockedBy(app.house.store, iri, alice.iri)).to.equal(false);
      await settle();
      expect(peer.received.map(({ json }) => json.type)).to.deep.equal([]);
      await unblock(ctx(), ref(), blockKey(iri, 'mute', '127.0.0.2'));
      expect(await post(peer, alice, { type: 'Create', object: note(alice) })).to.equal(202);
      expect(await feed()).to.have.length(1);
      await settle();
      expect(peer.received.map(({ json }) => json.type)).to.deep.equal([]);
    });

    it('of reading one actor hide what it writes, whoever brings it, and give it back', async () => {
      const alice = await friend(peer, 'alice');
      const bob = await friend(peer, 'bob');
      const eve = peer.addActor('eve');
      const theirs = note(eve, { content: 'by eve' });
      peer.serveJson(new URL(theirs.id).pathname, theirs);
      const boost = { id: peer.nextId(), type: 'Announce', object: theirs.id, to: theirs.to };
      expect(await post(peer, bob, boost)).to.equal(202);
      expect(await feed()).to.include('by eve');
      const before = (await feed()).length;
      await settle();
      peer.received.length = 0;
      await block(ctx(), ref(), { kind: 'muteActor', actor: eve.iri }, '');
      expect(await feed())
        .to.have.length(before - 1)
        .and.not.include('by eve');
      const later = note(eve, { content: 'eve again' });
      peer.serveJson(new URL(later.id).pathname, later);
      await post(peer, bob, { id: peer.nextId(), type: 'Announce', object: later.id, to: later.to });
      const named = note(eve, { content: 'to you', tag: [{ type: 'Mention', href: iri, name: '@us' }] });
      expect(await post(peer, eve, { id: peer.nextId(), type: 'Create', object: named })).to.equal(202);
      expect(await feed()).to.have.length(before - 1);
      const mentions = async () => pageMentions(app.house.store, iri, undefined);
      expect((await mentions()).items.map(({ post: one }) => one.content)).not.to.include('to you');
      expect((await mentions()).left).to.equal(1);
      expect(await countUnseenMentions(app.house.store, iri)).to.equal(0);
      await muteFollowing(ctx(), ref(), followKey(iri, bob.iri), true);
      await unblock(ctx(), ref(), blockKey(iri, 'muteActor', eve.iri));
      expect(await feed(), 'who passed it on is muted too').not.to.include('by eve');
      await muteFollowing(ctx(), ref(), followKey(iri, bob.iri), false);
      expect(await feed())
        .to.include('by eve')
        .and.include('eve again');
      expect((await mentions()).items.map(({ post: one }) => one.content)).to.include('to you');
      await settle();
      expect(peer.received.map(({ json }) => json.type)).to.deep.equal([]);
      expect([await follow(alice), await following(bob)]).to.deep.equal(['accepted', 'accepted']);
    });

    it('are taken back with the whole Block inside, after which everybody may ask again', async () => {
      const alice = await friend(peer, 'alice');
      await blockActor(alice);
      await settle();
      const said = peer.ofType('Block')[0]?.json;
      expect(await refusalOf(followActor(ctx(), ref(), { actor: alice.iri }))).to.equal(
        'closed partners.error.blocked',
      );
      const blockId = blockKey(iri, 'actor', alice.iri);
      await unblock(ctx(), ref(), blockId);
      await unblock(ctx(), ref(), blockId);
      await settle();
      const undone = peer.ofType('Undo').filter(({ json }) => (json.object as Json).type === 'Block');
      expect(undone.map(({ json }) => (json.object as Json).id)).to.deep.equal([said?.id]);
      expect([await follow(alice), await following(alice)]).to.deep.equal(['rejected', 'undone']);
      expect(await post(peer, alice, { type: 'Follow', object: iri })).to.equal(202);
      expect(await follow(alice)).to.equal('accepted');
    });

    it('that were taken back before they went out are not said; the one made again is', async () => {
      const alice = await friend(peer, 'alice');
      const blockId = blockKey(iri, 'actor', alice.iri);
      await blockActor(alice);
      await unblock(ctx(), ref(), blockId);
      await blockActor(alice);
      await blockActor(alice, 'twice');
      await settle();
      expect(peer.ofType('Block')).to.have.length(1);
      expect((await blocksIn(app.house.store).findOne({ _id: blockId }))?.note).to.equal('twice');
    });

    it('are finished by doing them again, when a crash came between', async () => {
      const alice = await friend(peer, 'alice');
      const blockId = blockKey(iri, 'actor', alice.iri);
      await blocksIn(app.house.store).insertOne({
        ...{ _id: blockId, blocker: iri, kind: 'actor', target: alice.iri, note: '' },
        ...{ activityIri: `${app.baseUrl}/activities/x`, undone: false, at: app.house.now() },
      });
      expect(await follow(alice)).to.equal('accepted');
      await blockActor(alice);
      expect([await follow(alice), await following(alice)]).to.deep.equal(['rejected', 'undone']);
      expect(await feed()).to.deep.equal([]);
    });

    it('are refused of nobody known, of no domain, of our own', async () => {
      const of = (wish: Parameters<typeof block>[2]) => refusalOf(block(ctx(), ref(), wish, ''));
      const unknown = 'not-found partners.error.unknownToBlock';
      expect(await of({ kind: 'actor', actor: 'https://nobody.example/users/x' })).to.equal(unknown);
      expect(await of({ kind: 'actor', actor: iri })).to.equal(unknown);
      for (const domain of ['', 'org', 'not a domain', 'https://']) {
        expect(await of({ kind: 'domain', domain }), domain).to.equal('invalid partners.error.badDomain');
      }
      expect(await of({ kind: 'domain', domain: app.baseUrl })).to.equal('invalid partners.error.ownDomain');
    });

    it('of somebody else cannot be taken back, and go with whoever made them', async () => {
      const alice = await friend(peer, 'alice');
      await blockActor(alice);
      const neighbour = await addCollective(app);
      const theirs = { kind: 'collective' as const, id: neighbour._id };
      const blockId = blockKey(iri, 'actor', alice.iri);
      expect(await refusalOf(unblock(ctx(), theirs, blockId))).to.equal('not-found error.notFound');
      await forgetPartnersOf(ctx(), hoster.handle);
      expect(await blocksIn(app.house.store).findOne({ _id: blockId })).to.equal(null);
    });
  });

  describe('by somebody elsewhere', () => {
    function fixture(name: string, actor: PeerActor): Json {
      const text = readFileSync(join(projectDir, 'test/fixtures/activities/mastodon', `${name}.json`), 'utf8');
      const moved = text
        .replaceAll('https://mastodon.example/users/alice', actor.iri)
        .replaceAll('https://us.example/actors/ecluse', iri);
      return JSON.parse(moved) as Json;
    }

    it('end follows both ways and leave our feed; taken back, nothing returns', async () => {
      const alice = await friend(peer, 'alice');
      const carol = await friend(other, 'carol');
      await settle();
      peer.received.length = 0;
      expect(await post(peer, alice, fixture('block', alice))).to.equal(202);
      expect([await follow(alice), await following(alice)]).to.deep.equal(['undone', 'rejected']);
      expect(await feed()).to.deep.equal([`by ${carol.name}`]);
      expect([await follow(carol), await following(carol)]).to.deep.equal(['accepted', 'accepted']);
      const undo = fixture('undo-block', alice);
      expect(await nothingStored(app, () => post(peer, alice, undo), ['received'])).to.equal(202);
      await settle();
      expect(peer.received.map(({ json }) => json.type)).to.deep.equal([]);
    });

    it('count from the blocker alone', async () => {
      const alice = await friend(peer, 'alice');
      const mallory = peer.addActor('mallory');
      expect(await post(peer, mallory, { type: 'Like', object: iri })).to.equal(202);
      const forged = fixture('block', alice);
      const answer = () => peer.post(mallory, `${app.baseUrl}/inbox`, forged);
      // At the id that it bears stands alice herself, and no such activity.
      expect((await nothingStored(app, answer, ['remoteActors'])).status).to.equal(400);
      const unheard = { ...forged, id: peer.nextId() };
      const second = () => peer.post(mallory, `${app.baseUrl}/inbox`, unheard);
      expect((await nothingStored(app, second, ['remoteActors'])).status).to.equal(403);
      const own = { ...fixture('block', alice), id: peer.nextId(), actor: mallory.iri };
      expect(await post(peer, mallory, own)).to.equal(202);
      const undo = { ...fixture('undo-block', alice), id: peer.nextId(), actor: mallory.iri };
      expect(await post(peer, mallory, undo)).to.be.oneOf([202, 403]);
      expect([await follow(alice), await following(alice)]).to.deep.equal(['accepted', 'accepted']);
    });

    it('of nobody of ours are acknowledged and forgotten', async () => {
      const alice = await friend(peer, 'alice');
      await fetchActor(app.federation, alice.iri);
      for (const object of ['https://elsewhere.example/users/x', `${app.baseUrl}/objects/1`, alice.iri]) {
        expect(await nothingStored(app, () => post(peer, alice, { type: 'Block', object }))).to.equal(202);
      }
      expect(await feedEntriesIn(app.house.store).countDocuments({ reader: iri })).to.equal(1);
    });
  });
});
