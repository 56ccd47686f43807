// Which signature a peer gets: cavage for strangers, RFC 9421 for those who say or showed that they take it, the other one
// after a refusal. Checked by the independent peer's own cryptography.
import { expect } from 'chai';
import { noteDeclared, postSigned, pruneSchemes } from '../../federation/knocking.js';
import { fetchActor } from '../../federation/remoteActors.js';
import type { Collective } from '../../server/collectives/schema.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

const rfc9421 = 'https://datatracker.ietf.org/doc/html/rfc9421';

describe('double-knocking', () => {
  let app: FederatedApp;
  let peer: Peer;
  let bob: PeerActor;
  let hoster: Collective;

  beforeEach(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    peer.now = app.house.now;
    bob = peer.addActor('bob');
    hoster = await addCollective(app);
    await app.run();
  });

  afterEach(async () => {
    await app.stop();
    await peer.stop();
  });

  const follow = async (): Promise<void> => {
    const iri = `${app.baseUrl}/actors/${hoster.handle}`;
    expect((await peer.post(bob, `${app.baseUrl}/inbox`, peer.follow(bob, iri))).status).to.equal(202);
  };
  const say = (text: string) => publishPost(app.ctx(), hoster._id, { fr: text, en: '' });
  const schemes = (): string[] => peer.received.map((one) => `${one.scheme} ${one.signature} ${one.digestFits}`);
  const memory = () => app.house.store.collection('signatureSchemes').findOne({ _id: peer.host });

  it('signs with cavage to a stranger who takes it, and asks once', async () => {
    peer.takes = 'cavage';
    await follow();
    expect(await app.run()).to.deep.include({ sent: 1 });
    expect(schemes()).to.deep.equal(['cavage valid true']);
    expect(await memory()).to.include({ scheme: 'cavage', why: 'proven' });
  });

  for (const refusal of [400, 401, 403, 500]) {
    it(`asks again with RFC 9421 after ${refusal}, and begins with it the next time`, async () => {
      Object.assign(peer, { takes: 'rfc9421', refusal });
      await follow();
      expect(await app.run()).to.deep.equal({ sent: 1, postponed: 0, failed: 0 });
      await say('Bonjour');
      await app.run();
      expect(schemes()).to.deep.equal(['cavage valid true', 'rfc9421 valid true', 'rfc9421 valid true']);
      expect(await memory()).to.include({ scheme: 'rfc9421', why: 'proven' });
    });
  }

  for (const status of [404, 410, 429, 502, 503, 307]) {
    it(`does not knock twice after ${status}: that is no word about signatures`, async () => {
      peer.behaviour = { status, headers: { location: `${peer.origin}/elsewhere`, 'retry-after': '120' } };
      await follow();
      await app.run();
      expect(peer.received.length).to.equal(1);
      expect(peer.log.filter((line) => line.includes('elsewhere'))).to.deep.equal([]);
    });
  }

  it('knocks twice after a 500 from a stranger only once, not with every delivery', async () => {
    peer.behaviour = { status: 500 };
    await follow();
    await app.run();
    expect(schemes()).to.deep.equal(['cavage valid true', 'rfc9421 valid true']);
    app.pass(3);
    await app.run();
    expect(schemes().slice(2)).to.deep.equal(['cavage valid true']);
  });

  it('begins with RFC 9421 where the actor’s generator declares it (FEP-844e)', async () => {
    const generator = { type: 'Application', implements: [{ href: rfc9421, name: 'RFC 9421' }] };
    bob = peer.addActor('bob', { generator });
    peer.takes = 'rfc9421';
    await follow();
    await app.run();
    expect(schemes()).to.deep.equal(['rfc9421 valid true']);
  });

  it('comes back to cavage when what was declared is not true', async () => {
    bob = peer.addActor('bob', { implements: [{ href: rfc9421 }] });
    peer.takes = 'cavage';
    await follow();
    await app.run();
    await say('Bonjour');
    await app.run();
    expect(schemes()).to.deep.equal(['rfc9421 valid true', 'cavage valid true', 'cavage valid true']);
    await noteDeclared(app.federation, peer.host);
    expect(await memory(), 'shown counts more than said').to.include({ scheme: 'cavage' });
  });

  it('believes no other word in implements', async () => {
    bob = peer.addActor('bob', { generator: { implements: [{ href: `${rfc9421}#x` }, 7, null, 'rfc9421'] } });
    await follow();
    await app.run();
    expect(peer.received.map((one) => one.scheme)).to.deep.equal(['cavage']);
  });

  it('forgets after a week, and starts again as with a stranger', async () => {
    peer.takes = 'rfc9421';
    await follow();
    await app.run();
    app.pass(7 * 24 * 60 + 1);
    expect(await pruneSchemes(app.federation)).to.equal(1);
    peer.received.length = 0;
    await say('Bonjour');
    await app.run();
    expect(peer.received.map((one) => one.scheme)).to.deep.equal(['cavage', 'rfc9421']);
  });

  it('reads documents of servers that want signatures, in the one scheme that each takes', async () => {
    for (const scheme of ['cavage', 'rfc9421'] as const) {
      const strict = await startPeer();
      const reader = await startFederatedApp({ privateHosts: [strict.host] });
      Object.assign(strict, { takes: scheme, wantsSignedGets: true, now: reader.house.now });
      const carol = strict.addActor('carol');
      expect((await fetchActor(reader.federation, carol.iri))._id).to.equal(carol.iri);
      const asked = strict.log.filter((line) => line === 'GET /users/carol').length;
      expect(asked).to.equal(scheme === 'cavage' ? 1 : 2);
      await fetchActor(reader.federation, carol.iri);
      expect(strict.log.filter((line) => line === 'GET /users/carol').length - asked, 'remembered').to.equal(1);
      await reader.stop();
    }
  });

  it('covers further headers with either signature', async () => {
    const { keysOf } = await import('../../federation/actorKeys.js');
    const { rsa } = await keysOf(app.federation, hoster.handle);
    const signer = { keyId: rsa.id, privateKey: rsa.privateKey };
    peer.script.push({ status: 401 });
    const url = new URL(`${peer.origin}/inbox?x=1`);
    const headers = { 'collection-synchronization': 'collectionId="x"' };
    const request = { method: 'POST', url, body: Buffer.from('{}'), contentType: 'application/activity+json', headers };
    expect((await postSigned(app.federation, request, signer)).status).to.equal(202);
    expect(schemes()).to.deep.equal(['cavage valid true', 'rfc9421 valid true']);
    for (const one of peer.received) {
      const covered = String(one.headers['signature-input'] ?? one.headers.signature);
      expect(covered).to.contain('collection-synchronization');
      expect(one.headers['collection-synchronization']).to.equal('collectionId="x"');
    }
  });
});
