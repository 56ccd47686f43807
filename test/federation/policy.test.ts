// Whom the instance does not deal with gains nothing and hears nothing: rows AP-130 to AP-132 and AP-135 of security.md, for
// blocked domains and for island mode. The hostile peer stands at 127.0.0.2, the honest one at 127.0.0.1.
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { deliveriesIn } from '../../federation/delivery.js';
import { FetchError } from '../../federation/fetchErrors.js';
import { fetchActor } from '../../federation/remoteActors.js';
import type { Collective } from '../../server/collectives/schema.js';
import { removeRule, setIsland, setRule } from '../../server/instances/actions/domainRules.js';
import type { RuleKind } from '../../server/instances/schema.js';
import { findFollow, findRemoteActor } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Peer, PeerActor, PeerAnswer } from '../support/peer/peer.js';
import {
  addCollective,
  type FederatedApp,
  followBy,
  nothingStored,
  startFederatedApp,
  startPeer,
} from './federatedApp.js';

const noReasons = { publicReason: '', privateReason: '' };

for (const way of ['a block', 'island mode'] as const) {
  describe(`the door, with ${way}`, () => {
    let app: FederatedApp;
    let friend: Peer;
    let evil: Peer;
    let bob: PeerActor;
    let mallory: PeerActor;
    let hoster: Collective;
    let hosterIri: string;
    let inboxes: string[];

    before(async () => {
      friend = await startPeer();
      evil = await startPeer(0, '127.0.0.2');
      app = await startFederatedApp({ privateHosts: [friend.host, evil.host] });
      bob = friend.addActor('bob');
      mallory = evil.addActor('mallory');
      hoster = await addCollective(app);
      hosterIri = `${app.baseUrl}/actors/${hoster.handle}`;
      inboxes = [`${app.baseUrl}/inbox`, `${hosterIri}/inbox`];
      await followBy(app, hosterIri, [
        [friend, bob],
        [evil, mallory],
      ]);
      await app.run();
      expect(evil.ofType('Accept')).to.have.length(1);
    });

    async function rule(domain: string, kind: RuleKind): Promise<void> {
      await setRule(app.ctx(), domain, { kind, ...noReasons });
    }

    async function close(): Promise<void> {
      if (way === 'a block') return rule('127.0.0.2', 'block');
      await rule('127.0.0.1', 'allow');
      await setIsland(app.ctx(), true);
    }

    async function write(text: string): Promise<void> {
      await publishPost(app.ctx(), hoster._id, { fr: text, en: '' });
    }

    /** Turned away at both inboxes: 403 or 401, nothing stored, nothing asked of anybody. */
    async function turnedAway(send: (inbox: string) => Promise<PeerAnswer>, what: string, status = 403): Promise<void> {
      for (const inbox of inboxes) {
        const asked = friend.log.length + evil.log.length;
        const answer = await nothingStored(app, () => send(inbox));
        expect(answer.status, what).to.equal(status);
        expect(friend.log.length + evil.log.length, `${what}: something was fetched`).to.equal(asked);
      }
    }

    it('ends follows, forgets actors and drops what waits, with the reason', async () => {
      evil.behaviour = { status: 503 };
      await write('before the rule');
      await app.run();
      expect(await deliveriesIn(app.federation).countDocuments({ state: 'waiting', host: evil.host })).to.equal(1);
      await close();
      await app.announce();
      expect((await findFollow(app.house.store, followKey(mallory.iri, hosterIri)))?.state).to.equal('undone');
      expect((await findFollow(app.house.store, followKey(bob.iri, hosterIri)))?.state).to.equal('accepted');
      expect(await findRemoteActor(app.house.store, mallory.iri)).to.equal(null);
      const dropped = await deliveriesIn(app.federation).find({ host: evil.host }).toArray();
      expect(dropped.map(({ state, lastError }) => [state, lastError])).to.deep.equal([
        ['failed', 'refused by the rules of this instance'],
      ]);
      evil.behaviour = { status: 202 };
    });

    it('AP-132: sends nothing to a refused server, not even what was queued, and asks nothing of it', async () => {
      const asked = evil.log.length;
      app.pass(24 * 60);
      await write('after the rule');
      await app.run();
      const post = await activitiesIn(app.federation).findOne({ type: 'Create' }, { sort: { _id: -1 } });
      expect(friend.received.some((one) => one.json.id === app.federation.apex.activityIri(post?._id ?? ''))).to.equal(
        true,
      );
      const refused = await app.federation.fetch.fetchActivityJson(mallory.iri).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(FetchError).with.property('reason', 'refused-address');
      const posted = await app.federation.fetch.post(mallory.inbox, Buffer.from('{}'), {}).catch((e: unknown) => e);
      expect(posted).to.be.instanceOf(FetchError).with.property('reason', 'refused-address');
      const text = await app.federation.fetch.fetchText(`${evil.origin}/x`, { maxBytes: 10, timeoutMs: 1000 });
      expect(text).to.deep.equal({ outcome: 'failed', reason: 'refused-address' });
      expect(evil.log.length).to.equal(asked);
    });

    it('AP-130: turns away what a refused server signs, before anything is fetched', async () => {
      friend.now = app.house.now;
      evil.now = app.house.now;
      const follow = evil.follow(mallory, hosterIri);
      await turnedAway((inbox) => evil.post(mallory, inbox, follow), 'its own key');
      await turnedAway((inbox) => evil.post(mallory, inbox, 'not JSON'), 'its own key, nonsense inside');
      const stranger = evil.addActor('stranger');
      await turnedAway((inbox) => evil.post(stranger, inbox, evil.follow(stranger, hosterIri)), 'a new actor');
    });

    it('AP-130: turns away an actor of a refused server whose key stands elsewhere', async () => {
      const elsewhere = { keyId: `${friend.origin}/keys/unknown` };
      await turnedAway((inbox) => evil.post(mallory, inbox, evil.follow(mallory, hosterIri), elsewhere), 'foreign key');
      const embedded = { ...evil.follow(mallory, hosterIri), actor: { id: mallory.iri, type: 'Person' } };
      await turnedAway((inbox) => evil.post(mallory, inbox, embedded, elsewhere), 'embedded actor');
    });

    it('AP-130: knows a refused domain in every spelling, with every port and below it', async () => {
      await rule('evil.example', 'block');
      await rule('évêché.example', 'block');
      const spellings: Record<string, number> = {
        'https://evil.example/u#main-key': 403,
        'https://sub.evil.example/u#main-key': 403,
        'https://a.b.evil.example/u#main-key': 403,
        'https://evil.example:8443/u#main-key': 403,
        'https://xn--vch-9ladd.example/u#main-key': 403,
        // Other spellings are no ids at all, which is said before.
        'https://EVIL.example/u#main-key': 401,
        'https://evil.example./u#main-key': 401,
        'https://évêché.example/u#main-key': 401,
      };
      for (const [keyId, status] of Object.entries(spellings)) {
        const name = encodeURI(keyId) === keyId ? keyId : keyId.replaceAll('é', '\u00e9').replaceAll('ê', '\u00ea');
        const send = (inbox: string) => friend.post(bob, inbox, friend.follow(bob, hosterIri), { keyId: latin(name) });
        await turnedAway(send, keyId, status);
      }
    });

    it('AP-131: takes nothing of a refused server from a third one', async () => {
      const note = { id: `${evil.origin}/notes/1`, type: 'Note', attributedTo: mallory.iri, content: 'x' };
      const base = { '@context': 'https://www.w3.org/ns/activitystreams', actor: bob.iri };
      for (const object of [note, note.id]) {
        const announce = { ...base, id: friend.nextId(), type: 'Announce', object };
        await turnedAway((inbox) => friend.post(bob, inbox, announce), 'a boost', 202);
      }
      // Without a rule this would be answered with 403: it is another server's.
      const create = { ...base, id: friend.nextId(), type: 'Create', object: note };
      await turnedAway((inbox) => friend.post(bob, inbox, create), 'content of its own', 202);
      const asked = evil.log.length;
      friend.pages.set('/moved', (_req, res) => res.writeHead(302, { location: mallory.iri }).end());
      const moved = await fetchActor(app.federation, `${friend.origin}/moved`).catch((error: unknown) => error);
      expect(moved).to.be.an('error');
      expect(evil.log.length, 'the redirect was followed').to.equal(asked);
      expect(await findRemoteActor(app.house.store, mallory.iri)).to.equal(null);
    });

    it('still deals with everybody else', async () => {
      const like = { id: friend.nextId(), type: 'Like', actor: bob.iri, object: `${hosterIri}/x` };
      expect((await friend.post(bob, inboxes[0] ?? '', like)).status).to.equal(202);
    });

    it('opens again when the rule goes, for those who ask anew', async () => {
      if (way === 'a block') await removeRule(app.ctx(), '127.0.0.2');
      else await setIsland(app.ctx(), false);
      await app.announce();
      const follow = evil.follow(mallory, hosterIri);
      expect((await evil.post(mallory, inboxes[0] ?? '', follow)).status).to.equal(202);
      expect((await findFollow(app.house.store, followKey(mallory.iri, hosterIri)))?.state).to.equal('accepted');
    });
  });
}

describe('the door, with rules of other kinds', () => {
  it('AP-135: in island mode knows nobody who is not allowed, from the first request on', async () => {
    const stranger = await startPeer();
    const app = await startFederatedApp({ privateHosts: [stranger.host] });
    const eve = stranger.addActor('eve');
    const hoster = await addCollective(app);
    await setIsland(app.ctx(), true);
    const iri = `${app.baseUrl}/actors/${hoster.handle}`;
    const answer = await nothingStored(app, () =>
      stranger.post(eve, `${app.baseUrl}/inbox`, stranger.follow(eve, iri)),
    );
    expect(answer.status).to.equal(403);
    const pulled = await app.federation.fetch.fetchText(`${stranger.origin}/x`, { maxBytes: 9, timeoutMs: 999 });
    expect(pulled).to.deep.equal({ outcome: 'failed', reason: 'refused-address' });
    expect(stranger.log).to.deep.equal([]);
    // Our own people are at home on an island too.
    expect((await stranger.get(iri)).status).to.equal(200);
  });

  it('lets a follow from a limited domain wait, although the hoster accepts at once', async () => {
    const loud = await startPeer();
    const app = await startFederatedApp({ privateHosts: [loud.host] });
    const ann = loud.addActor('ann');
    const hoster = await addCollective(app);
    await setRule(app.ctx(), '127.0.0.1', { kind: 'limit', ...noReasons });
    const iri = `${app.baseUrl}/actors/${hoster.handle}`;
    expect((await loud.post(ann, `${app.baseUrl}/inbox`, loud.follow(ann, iri))).status).to.equal(202);
    expect((await findFollow(app.house.store, followKey(ann.iri, iri)))?.state).to.equal('requested');
  });
});

/** Headers are bytes: letters outside ASCII go out as they are. */
function latin(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
