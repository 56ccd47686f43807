// A move that the new account tells of (FEP-7628, pull mode): believed only when both servers, asked at that moment, name the
// other account (AP-134).
import { expect } from 'chai';
import { findFollowing, followingsIn } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { fingerprint } from '../support/oracles.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, type Json, startConversation } from './conversation.js';

describe('a move that the new account tells of', () => {
  let at: Conversation;
  let serial = 0;

  before(async () => {
    at = await startConversation();
  });

  interface Pair {
    old: PeerActor;
    home: PeerActor;
  }

  /** An account that is followed here, and another that says to be its new home. */
  async function pair(
    oldSays: (home: string) => Json,
    homeSays: (old: string) => Json,
    followed = true,
  ): Promise<Pair> {
    serial += 1;
    const [oldIri, homeIri] = [`${at.peer.origin}/users/old${serial}`, `${at.other.origin}/users/home${serial}`];
    const old = at.peer.addActor(`old${serial}`, oldSays(homeIri));
    const home = at.other.addActor(`home${serial}`, homeSays(oldIri));
    if (followed) {
      await followingsIn(at.app.house.store).insertOne({
        _id: followKey(at.iri, old.iri),
        ...{ follower: at.iri, followed: old.iri, ownerKind: 'collective', ownerId: at.hoster._id },
        ...{ followIri: `${old.iri}/follow`, state: 'accepted', lists: ['network'], muted: false },
        ...{ requestedAt: new Date(), decidedAt: null, events: [] },
      });
    }
    return { old, home };
  }

  const names = (iri: string): Json => ({ alsoKnownAs: [iri] });
  const nothing = (): Json => ({});
  const move = ({ old, home }: Pair, change: Json = {}): Promise<number> =>
    at.send(home, { id: at.other.nextId(), type: 'Move', object: old.iri, target: home.iri, ...change }, at.other);
  const state = async (actor: PeerActor) =>
    (await findFollowing(at.app.house.store, followKey(at.iri, actor.iri)))?.state ?? null;

  async function refused(status: number, work: () => Promise<number>): Promise<void> {
    const except = ['keyFailures', 'peers', 'remoteActors'];
    const before = await fingerprint(at.app.house.store, except);
    expect(await work()).to.equal(status);
    expect(await fingerprint(at.app.house.store, except)).to.deep.equal(before);
  }

  it('is followed when both name each other, once', async () => {
    const both = await pair(names, names);
    expect(await move(both)).to.equal(202);
    expect([await state(both.old), await state(both.home)]).to.deep.equal(['undone', 'pending']);
    await at.run();
    expect(at.other.ofType('Follow').map(({ json }) => json.object)).to.deep.equal([both.home.iri]);
    expect(at.peer.ofType('Undo').at(-1)?.json.object).to.include({ type: 'Follow', object: both.old.iri });
    await move(both);
    await at.run();
    expect(at.other.ofType('Follow')).to.have.length(1);
  });

  it('is followed when the old account says itself that it has moved there', async () => {
    const both = await pair((home) => ({ movedTo: home }), names);
    expect(await move(both)).to.equal(202);
    expect([await state(both.old), await state(both.home)]).to.deep.equal(['undone', 'pending']);
  });

  it('is refused when the old account does not name the new one, or says that it is elsewhere', async () => {
    for (const oldSays of [nothing, () => names('https://third.example/u')]) {
      const taken = await pair(oldSays, names);
      await refused(403, () => move(taken));
      expect(await state(taken.old)).to.equal('accepted');
    }
    const away = await pair((home) => ({ ...names(home), movedTo: 'https://third.example/u' }), names);
    await refused(403, () => move(away));
  });

  it('is refused when the new account does not name the old one, whose server is not even asked', async () => {
    const one = await pair(names, nothing);
    await refused(403, () => move(one));
    expect(at.peer.log).not.to.include(`GET /users/${one.old.name}`);
  });

  it('waits while the old server cannot be asked: its word of long ago does not count', async () => {
    const both = await pair(names, names);
    at.peer.pages.set(`/users/${both.old.name}`, (_req, res) => res.writeHead(503).end());
    await refused(503, () => move(both));
    expect(await state(both.old)).to.equal('accepted');
  });

  it('is nothing when nobody here follows the old account, when it is ours, or when somebody else tells of it', async () => {
    const unknown = await pair(names, names, false);
    const asked = at.peer.log.length;
    await refused(202, () => move(unknown));
    await refused(202, () => move(unknown, { object: at.iri }));
    const both = await pair(names, names);
    await refused(202, () =>
      at.send(
        unknown.home,
        { id: at.other.nextId(), type: 'Move', object: both.old.iri, target: both.home.iri },
        at.other,
      ),
    );
    expect(at.peer.log.slice(asked)).to.deep.equal([]);
    expect(await state(both.old)).to.equal('accepted');
  });

  it('goes to a second new home after a week at the earliest', async () => {
    const both = await pair(names, names);
    expect(await move(both)).to.equal(202);
    const next = at.other.addActor('next', names(both.old.iri));
    at.peer.serveJson(`/users/${both.old.name}`, { ...at.peer.document(both.old), ...names(next.iri) });
    const _id = followKey(at.iri, both.old.iri);
    await followingsIn(at.app.house.store).updateOne({ _id }, { $set: { state: 'accepted' } });
    expect(await move({ old: both.old, home: next })).to.equal(202);
    expect(await state(next)).to.equal(null);
    at.pass(8 * 24 * 3_600_000);
    expect(await move({ old: both.old, home: next })).to.equal(202);
    expect(await state(next)).to.equal('pending');
  });
});
