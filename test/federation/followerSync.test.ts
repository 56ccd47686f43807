// FEP-8fcf as the side that follows: what the two sides remember differently is put right, from the followed actor's own
// server, after the answer, at most once an hour.
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { whenSynchronised } from '../../federation/followerSync.js';
import { followActor } from '../../server/partners/actions/following.js';
import { findFollowing, followingsIn } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { contextFor, systemActor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import type { SignOptions } from '../support/peer/signing.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

describe('followers that two sides remember', () => {
  let app: FederatedApp;
  let peer: Peer;
  let alice: PeerActor;
  let ours: string;
  let other: string;
  let list: string;

  beforeEach(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    peer.now = app.house.now;
    alice = peer.addActor('alice', { followers: `${peer.origin}/users/alice/followers` });
    list = `${peer.origin}/users/alice/synchronization`;
    const [one, two] = [await addCollective(app), await addCollective(app)];
    ours = `${app.baseUrl}/actors/${one.handle}`;
    other = `${app.baseUrl}/actors/${two.handle}`;
    // Its actor becomes known by an activity of its own.
    await deliver(null);
    const ctx = contextFor(app.house, systemActor);
    await followActor(ctx, { kind: 'collective', id: one._id }, { actor: alice.iri });
    await app.run();
    await set('accepted');
    app.pass(1);
  });

  const set = (state: 'accepted' | 'pending') =>
    followingsIn(app.house.store).updateOne({ followed: alice.iri }, { $set: { state, decidedAt: app.house.now() } });
  const stateOf = async (iri: string) => (await findFollowing(app.house.store, followKey(iri, alice.iri)))?.state;
  const asked = () => peer.log.filter((line) => line.endsWith('/synchronization')).length;

  function serve(followers: unknown, change: object = {}): void {
    peer.serveJson('/users/alice/synchronization', {
      '@context': 'https://www.w3.org/ns/activitystreams',
      ...{ id: list, type: 'OrderedCollection', orderedItems: followers, ...change },
    });
  }

  function headerFor(followers: readonly string[], change: Record<string, string> = {}): string {
    const sums = followers.map((one) => createHash('sha256').update(one).digest());
    const digest = Buffer.alloc(32);
    for (const sum of sums) for (let at = 0; at < 32; at++) digest[at] = (digest[at] ?? 0) ^ (sum[at] ?? 0);
    const claim = { collectionId: `${alice.iri}/followers`, url: list, digest: digest.toString('hex'), ...change };
    return Object.entries(claim)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ');
  }

  async function deliver(header: string | null, sign: Partial<SignOptions> = {}): Promise<void> {
    const object = `${app.baseUrl}/actors/instance`;
    const like = { ...{ id: peer.nextId(), type: 'Like', actor: alice.iri, object } };
    const more: Record<string, string> = header === null ? {} : { 'collection-synchronization': header };
    expect((await peer.post(alice, `${app.baseUrl}/inbox`, like, { ...sign, more })).status).to.equal(202);
    await whenSynchronised(app.federation);
  }

  it('asks nothing while both remember the same', async () => {
    await deliver(headerFor([ours]));
    expect(asked()).to.equal(0);
    expect(await stateOf(ours)).to.equal('accepted');
  });

  it('takes no account of a header that the signature does not cover', async () => {
    serve([]);
    await deliver(headerFor([]), { headers: ['(request-target)', 'host', 'date', 'digest'] });
    expect(asked()).to.equal(0);
    expect(await stateOf(ours)).to.equal('accepted');
  });

  it('ends a follow that stands only here, and says nothing', async () => {
    serve([]);
    peer.received.length = 0;
    await deliver(headerFor([]));
    expect(asked()).to.equal(1);
    expect(await stateOf(ours)).to.equal('rejected');
    await app.run();
    expect(peer.received).to.deep.equal([]);
  });

  it('takes back a follow that stands only there, and takes a lost answer for given', async () => {
    await set('pending');
    serve([ours, other, `${app.baseUrl}/actors/nobody`, 'https://elsewhere.example/u', 7]);
    await deliver(headerFor([ours, other]));
    expect(await stateOf(ours)).to.equal('accepted');
    expect(await stateOf(other)).to.equal('undone');
    await app.run();
    const [undo, ...more] = peer.ofType('Undo');
    expect(more).to.deep.equal([]);
    expect(undo?.json).to.deep.include({ actor: other });
    expect(undo?.json.object).to.deep.include({ type: 'Follow', actor: other, object: alice.iri });
  });

  it('leaves alone what was decided after the list was asked for', async () => {
    serve([]);
    await followingsIn(app.house.store).updateOne(
      { followed: alice.iri },
      { $set: { decidedAt: new Date(app.house.now().getTime() + 60_000) } },
    );
    await deliver(headerFor([]));
    expect(asked()).to.equal(1);
    expect(await stateOf(ours)).to.equal('accepted');
  });

  it('reads the list of an actor once an hour', async () => {
    serve([ours, other]);
    for (let count = 0; count < 3; count++) await deliver(headerFor([other]));
    expect(asked()).to.equal(1);
    app.pass(61);
    await deliver(headerFor([other]));
    expect(asked()).to.equal(2);
  });

  it('believes no list that is in pages, none, somebody else’s, or about others', async () => {
    for (const change of [{ orderedItems: undefined }, { first: `${list}?page=1` }, { orderedItems: 'x' }]) {
      serve([], change);
      await deliver(headerFor([]));
      app.pass(61);
    }
    expect(asked()).to.equal(3);
    peer.serveJson('/users/alice/synchronization', 'gone', { status: 404 } as object);
    for (const change of [
      { url: 'https://evil.example/list' },
      { url: `${app.baseUrl}/actors/instance` },
      { collectionId: `${peer.origin}/users/bob/followers` },
      { digest: 'abc' },
    ])
      await deliver(headerFor([], change));
    expect(asked()).to.equal(3);
    expect(await stateOf(ours)).to.equal('accepted');
  });
});
