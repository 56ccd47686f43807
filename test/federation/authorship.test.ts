// Whose an activity is when somebody else brings it: a proof of its actor, or the actor's own server (AP-48, AP-93).
import { expect } from 'chai';
import type { Collective } from '../../server/collectives/schema.js';
import { findFollow } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { canonical, proven } from '../support/peer/signing.js';
import { addCollective, type FederatedApp, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;

describe('activities that somebody else brings', () => {
  let app: FederatedApp;
  let peer: Peer;
  let relay: Peer;
  let bob: PeerActor;
  let carol: PeerActor;
  let mallory: PeerActor;
  let hoster: Collective;
  let hosterIri: string;

  before(async () => {
    peer = await startPeer();
    relay = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host, relay.host] });
    peer.now = app.house.now;
    relay.now = app.house.now;
    hoster = await addCollective(app);
    hosterIri = `${app.baseUrl}/actors/${hoster.handle}`;
    mallory = relay.addActor('mallory');
    expect((await relay.post(mallory, inbox(), relay.follow(mallory, hosterIri))).status).to.equal(202);
    await app.run();
  });

  beforeEach(() => {
    const serial = peer.nextId().replace(/\D/g, '');
    bob = peer.addActor(`bob${serial}`);
    carol = peer.addActor(`carol${serial}`);
  });

  const inbox = (): string => `${app.baseUrl}/inbox`;
  const followOf = (actor: PeerActor) => findFollow(app.house.store, followKey(actor.iri, hosterIri));
  const byMallory = (activity: unknown) => relay.post(mallory, inbox(), activity);

  /** Documents of actors may be kept: they were fetched from their own servers. */
  async function refused(status: number, activity: unknown): Promise<void> {
    app.pass(6);
    const answer = await nothingStored(app, () => byMallory(activity), ['remoteActors']);
    expect(answer.status, answer.text).to.equal(status);
    expect(await followOf(bob)).to.equal(null);
  }

  it('counts as its actor’s with a proof by a key that the actor lists, fetching no more than that actor', async () => {
    const follow = proven(peer.follow(bob, hosterIri), bob.proofKeyId, bob.proofKey);
    const before = peer.log.length;
    expect((await byMallory(follow)).status).to.equal(202);
    expect((await followOf(bob))?.state).to.equal('accepted');
    expect(peer.log.slice(before)).to.deep.equal([`GET /users/${bob.name}`]);
    // A repeat, by whomever, does nothing.
    await nothingStored(app, () => byMallory(follow));
  });

  it('counts when its server shows it at its id, and then what that server shows', async () => {
    const follow = peer.follow(bob, hosterIri);
    peer.serveJson(new URL(String(follow.id)).pathname, follow);
    expect((await byMallory({ ...follow, summary: 'as the relay tells it' })).status).to.equal(202);
    expect((await followOf(bob))?.state).to.equal('accepted');
    const update = { id: peer.nextId(), type: 'Update', actor: bob.iri, object: { id: bob.iri, type: 'Person' } };
    peer.serveJson(new URL(update.id).pathname, update);
    expect((await byMallory({ ...update, summary: 'as the relay tells it' })).status).to.equal(202);
    const kept = await app.house.store.collection<{ _id: string; raw: string }>('received').findOne({ _id: update.id });
    expect(kept?.raw).to.equal(JSON.stringify(update));
  });

  it('grants nothing without a proof, or with one that does not hold (AP-48)', async () => {
    const follow = (): Json => peer.follow(bob, hosterIri);
    const good = proven(follow(), bob.proofKeyId, bob.proofKey);
    const proof = good.proof as Json;
    for (const activity of [
      follow(),
      { ...good, object: `${app.baseUrl}/actors/instance` },
      { ...good, extra: 'x' },
      { ...good, proof: { ...proof, proofValue: `${String(proof.proofValue).slice(0, -2)}11` } },
      { ...good, proof: { ...proof, proofPurpose: 'authentication' } },
      { ...good, proof: { ...proof, cryptosuite: 'eddsa-rdfc-2022' } },
      { ...good, proof: { ...proof, type: 'Ed25519Signature2020' } },
      { ...good, proof: [proof, proof] },
      { ...good, proof: { ...proof, created: '2020-01-01T00:00:00Z' } },
      // By somebody else's key: the relay's own, another actor's of the same server, an RSA key's name.
      proven(follow(), mallory.proofKeyId, mallory.proofKey),
      proven(follow(), carol.proofKeyId, carol.proofKey),
      proven(follow(), bob.proofKeyId, mallory.proofKey),
      proven(follow(), bob.keyId, mallory.proofKey),
      proven(follow(), `${bob.iri}#no-such-key`, mallory.proofKey),
    ])
      await refused(403, activity);
  });

  it('believes a key only when the actor that it is said to be of lists it (FEP-521a)', async () => {
    // The server shows a key document that names bob, who does not list it.
    const keyId = `${peer.origin}/keys/${bob.name}`;
    peer.serveJson(`/keys/${bob.name}`, {
      id: keyId,
      type: 'Multikey',
      controller: bob.iri,
      publicKeyMultibase: mallory.proofMultikey,
    });
    await refused(403, proven(peer.follow(bob, hosterIri), keyId, mallory.proofKey));
  });

  it('grants nothing for a Linked Data Signature (AP-93)', async () => {
    const signature = { type: 'RsaSignature2017', creator: bob.keyId, created: '2026-05-21T10:00:00Z' };
    await refused(403, { ...peer.follow(bob, hosterIri), signature: { ...signature, signatureValue: 'AAAA' } });
  });

  it('does not take for the activity what says something else at its id', async () => {
    for (const change of [
      { type: 'Undo' },
      { actor: carol.iri },
      { id: `${peer.origin}/other` },
      { actor: mallory.iri },
    ]) {
      const follow = peer.follow(bob, hosterIri);
      peer.serveJson(new URL(String(follow.id)).pathname, { ...follow, ...change });
      await refused(403, follow);
    }
    const follow = peer.follow(bob, hosterIri);
    peer.serveJson(new URL(String(follow.id)).pathname, follow, { type: 'application/json' });
    await refused(403, follow);
  });

  it('follows no redirect to another id, and never asks ourselves', async () => {
    const follow = peer.follow(bob, hosterIri);
    const elsewhere = `/x${bob.name}`;
    peer.pages.set(new URL(String(follow.id)).pathname, (_req, res) =>
      res.writeHead(302, { location: elsewhere }).end(),
    );
    peer.serveJson(elsewhere, follow);
    await refused(403, follow);
    await refused(403, { ...peer.follow(bob, hosterIri), id: `${app.baseUrl}/activities/1` });
    await refused(403, { ...peer.follow(bob, hosterIri), actor: hosterIri, id: `${app.baseUrl}/activities/1` });
  });

  it('asks only once for what is not there, and not at all for what it would ignore', async () => {
    const follow = peer.follow(bob, hosterIri);
    await refused(403, follow);
    const asked = peer.log.length;
    await refused(403, follow);
    await refused(403, { id: peer.nextId(), type: 'Arrive', actor: bob.iri, object: hosterIri });
    expect(peer.log.slice(asked).filter((line) => line.includes('/activities/'))).to.deep.equal([]);
  });

  it('asks the sender to come back while the origin cannot be asked', async () => {
    const follow = peer.follow(bob, hosterIri);
    peer.pages.set(new URL(String(follow.id)).pathname, (_req, res) => res.writeHead(503).end());
    await refused(503, follow);
  });

  it('refuses its own sender too when the proof does not hold; a proof that we cannot read says nothing', async () => {
    const post = (activity: Json) => peer.post(bob, inbox(), activity);
    const good = proven(peer.follow(bob, hosterIri), bob.proofKeyId, bob.proofKey);
    expect((await post({ ...good, summary: 'changed' })).status).to.equal(401);
    expect(await followOf(bob)).to.equal(null);
    const odd = { ...peer.follow(bob, hosterIri), proof: { type: 'DataIntegrityProof', cryptosuite: 'bbs-2023' } };
    expect((await post(odd)).status).to.equal(202);
    expect((await post(good)).status).to.equal(202);
  });

  it('believes no proof that is dated ahead of the hour, old, or has expired', async () => {
    const hour = 3_600_000;
    const at = (ms: number) => new Date(app.house.now().getTime() + ms);
    const follow = () => peer.follow(bob, hosterIri);
    const made = (ms: number, more: Json = {}) => proven(follow(), bob.proofKeyId, bob.proofKey, at(ms), more);
    for (const ms of [2 * hour, 400 * 24 * hour, -61 * 24 * hour]) await refused(403, made(ms));
    await refused(403, made(0, { expires: at(-hour).toISOString() }));
    await refused(403, made(0, { expires: 'never' }));
    expect((await byMallory(made(hour / 2, { expires: at(hour).toISOString() }))).status).to.equal(202);
    expect((await followOf(bob))?.state).to.equal('accepted');
  });

  it('takes the one proof that we can read among several, and none when there are two of them or one builds on another', async () => {
    const { proof, ...follow } = proven(peer.follow(bob, hosterIri), bob.proofKeyId, bob.proofKey, app.house.now());
    const unknown = { type: 'DataIntegrityProof', cryptosuite: 'bbs-2023', verificationMethod: `${bob.iri}#bbs` };
    await refused(403, { ...follow, proof: [proof, proof] });
    await refused(403, { ...follow, proof: [] });
    await refused(403, { ...follow, proof: [{ ...(proof as Json), previousProof: 'urn:x:1' }, unknown] });
    await refused(403, { ...follow, summary: 'changed', proof: [unknown, proof] });
    expect((await byMallory({ ...follow, proof: [unknown, proof] })).status).to.equal(202);
    expect((await followOf(bob))?.state).to.equal('accepted');
  });

  it('takes a proof by a new key after asking the actor afresh', async () => {
    expect((await peer.post(bob, inbox(), peer.follow(bob, hosterIri))).status).to.equal(202);
    const renewed = peer.addActor(bob.name);
    app.pass(6);
    const undo = { id: peer.nextId(), type: 'Undo', actor: bob.iri, object: peer.follow(bob, hosterIri) };
    expect((await byMallory(proven(undo, renewed.proofKeyId, renewed.proofKey))).status).to.equal(202);
    expect((await followOf(bob))?.state).to.equal('undone');
  });

  it('writes canonical JSON as the peer does for the documents of this test', () => {
    expect(canonical({ b: [1, 'é"'], a: { d: null, c: true } })).to.equal('{"a":{"c":true,"d":null},"b":[1,"é\\""]}');
  });
});
