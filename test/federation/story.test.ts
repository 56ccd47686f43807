// From end to end with an independent peer: it looks a hoster up, follows, is accepted, gets the news of a service and of a
// post signed and whole, sees the change and the end.
import { createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import { deliveriesIn } from '../../federation/delivery.js';
import { readEd25519Multikey } from '../../federation/signatures/keys.js';
import { verifyProof } from '../../federation/signatures/proofs.js';
import {
  closeService,
  createService,
  emptyProfile,
  publishService,
  unpublishService,
  updateService,
  withdrawService,
} from '../../server/catalogue/actions/services.js';
import { getService } from '../../server/catalogue/queries.js';
import { deleteCollective, updateProfile } from '../../server/collectives/actions.js';
import { getCollective } from '../../server/collectives/queries.js';
import type { Collective } from '../../server/collectives/schema.js';
import { findFollow } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { deletePost, publishPost, updatePost } from '../../server/posts/actions.js';
import type { Peer, PeerActor, ReceivedRequest } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const publicIri = 'https://www.w3.org/ns/activitystreams#Public';

describe('the story of a follower elsewhere', () => {
  let app: FederatedApp;
  let peer: Peer;
  let alice: PeerActor;
  let hoster: Collective;
  let actor: Json;

  before(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    alice = peer.addActor('alice');
    hoster = await addCollective(app, { handle: 'ecluse' });
    await app.run();
  });

  async function last(type: string): Promise<ReceivedRequest> {
    await app.run();
    const found = peer.ofType(type).at(-1);
    if (!found) throw new Error(`no ${type} arrived: ${peer.log.slice(-10).join(', ')}`);
    return found;
  }

  /** Everything that leaves is signed, whole, addressed in full, and carries a proof of its own. */
  function expectSound({ digestFits, headers, json, signature }: ReceivedRequest): void {
    expect(signature).to.equal('valid');
    expect(digestFits).to.equal(true);
    expect(headers['content-type']).to.equal('application/activity+json');
    expect(json.actor).to.equal(actor.id);
    expect(json.id).to.match(new RegExp(`^${app.baseUrl}/activities/[0-9a-f-]+$`));
    const [method] = actor.assertionMethod as { id: string; publicKeyMultibase: string }[];
    expect((json.proof as Json).verificationMethod).to.equal(method!.id);
    expect(Object.keys(json).at(-1)).to.equal('proof');
    expect(verifyProof(json, readEd25519Multikey(method!.publicKeyMultibase)!)).to.equal(true);
  }

  function expectPublic(json: Json): Json {
    const object = json.object as Json;
    for (const one of [json, object]) {
      expect(one.to).to.deep.equal([publicIri]);
      expect(one.cc).to.deep.equal([`${String(actor.id)}/followers`]);
    }
    return object;
  }

  it('finds the hoster by WebFinger and reads its actor', async () => {
    actor = await peer.lookUp(app.baseUrl, `ecluse@${app.house.site.host}`);
    expect(actor.id).to.equal(`${app.baseUrl}/actors/ecluse`);
    expect(actor.type).to.equal('Organization');
    expect(actor.preferredUsername).to.equal('ecluse');
    expect(actor.webfinger).to.equal(`ecluse@${app.house.site.host}`);
    expect(actor.nameMap).to.deep.equal({ fr: 'L’Écluse', en: 'The Lock' });
    expect(actor.url).to.equal(`${app.baseUrl}/@ecluse`);
    expect(actor.endpoints).to.deep.equal({ sharedInbox: `${app.baseUrl}/inbox` });
    expect(actor.manuallyApprovesFollowers).to.equal(false);
    const key = actor.publicKey as { id: string; owner: string; publicKeyPem: string };
    expect(key.id).to.equal(`${String(actor.id)}#main-key`);
    expect(key.owner).to.equal(actor.id);
    expect(createPublicKey(key.publicKeyPem).asymmetricKeyDetails?.modulusLength).to.equal(2048);
    expect((actor.generator as { implements: { href: string }[] }).implements.map((one) => one.href)).to.include(
      'urn:x-chatiere:ns:v1',
    );
  });

  it('is accepted, and the Accept embeds the Follow as it was sent', async () => {
    const follow = peer.follow(alice, String(actor.id));
    expect((await peer.post(alice, `${app.baseUrl}/actors/ecluse/inbox`, follow)).status).to.equal(202);
    const accept = await last('Accept');
    expectSound(accept);
    expect(accept.path).to.equal('/users/alice/inbox');
    expect(accept.json.to).to.deep.equal([alice.iri]);
    expect(accept.json.object).to.deep.equal({
      id: follow.id,
      type: 'Follow',
      actor: alice.iri,
      object: actor.id,
    });
    const stored = await findFollow(app.house.store, followKey(alice.iri, String(actor.id)));
    expect(stored?.state).to.equal('accepted');
    expect(stored?.deliverTo).to.equal(`${peer.origin}/inbox`);
    expect((await peer.getJson(`${String(actor.followers)}`)).totalItems).to.equal(1);
    expect((await peer.getJson(`${String(actor.followers)}?page=1`)).orderedItems).to.deep.equal([alice.iri]);
  });

  let serviceId: string;
  let noteIri: string;

  it('gets a new service as a Note in both languages, with the service as data', async () => {
    const profile = emptyProfile({ fr: 'Blocs-notes', en: 'Pads' });
    const service = await createService(app.ctx(), hoster._id, {
      profile: {
        ...profile,
        description: { fr: 'Écrire <b>ensemble</b>.', en: 'Write together.' },
        website: 'https://pads.ecluse.example/',
        needs: ['write'],
        software: { ...profile.software, name: 'Etherpad' },
        languages: ['fr'],
      },
      published: true,
    });
    serviceId = service._id;
    const create = await last('Create');
    expectSound(create);
    expect(create.path).to.equal('/inbox');
    const note = expectPublic(create.json);
    noteIri = String(note.id);
    expect(note.type).to.equal('Note');
    expect(note.attributedTo).to.equal(actor.id);
    expect(note.url).to.equal(`${app.baseUrl}/@ecluse/services/${service.slug}`);
    const { fr, en } = note.contentMap as { fr: string; en: string };
    expect(fr).to.contain('Nouveau service : Blocs-notes').and.contain('Écrire &#60;b&#62;ensemble&#60;/b&#62;.');
    expect(en).to.contain('New service: Pads').and.contain('Write together.');
    expect(note.content).to.contain(fr).and.contain(en);
    expect(note.tag).to.deep.equal([
      { type: 'Hashtag', name: '#etherpad', href: `${app.baseUrl}/services?software=etherpad` },
      { type: 'Hashtag', name: '#write', href: `${app.baseUrl}/services?need=write` },
    ]);
    expect(note.hostedService).to.deep.include({
      id: `${app.baseUrl}/services/${serviceId}`,
      type: 'HostedService',
      hoster: actor.id,
      softwareName: 'Etherpad',
      needs: ['write'],
      serviceLanguages: ['fr'],
      website: 'https://pads.ecluse.example/',
      nameMap: { fr: 'Blocs-notes', en: 'Pads' },
    });
    const context = create.json['@context'] as unknown[];
    expect(context[0]).to.equal('https://www.w3.org/ns/activitystreams');
    expect(context).to.include(`${app.baseUrl}/ns/v1`);
    expect(JSON.stringify(create.json)).not.to.contain('as:Public');
  });

  it('can read the Note at its id, at its page, and in the outbox', async () => {
    const note = await peer.getJson(noteIri);
    expect(note.contentMap).to.have.keys('fr', 'en');
    expect(note.proof).to.be.an('object');
    const page = String(note.url);
    const atPage = await peer.get(
      page,
      'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams", text/html;q=0.1',
    );
    expect(JSON.parse(atPage.text)).to.deep.equal(note);
    expect((await peer.get(page, 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8')).text).to.contain('no page');
    expect((await peer.get(noteIri, 'text/html')).headers.location).to.equal(page);
    const outbox = await peer.getJson(String(actor.outbox));
    expect(outbox.totalItems).to.equal(1);
    const first = await peer.getJson(String(outbox.first));
    const [item] = first.orderedItems as Json[];
    expect((item!.object as Json).id).to.equal(noteIri);
    expect(first).not.to.have.property('next');
    expect((await peer.getJson(String(item?.id))).type).to.equal('Create');
  });

  it('sees the change as an Update of the same Note, with a later date even when our clock was set back', async () => {
    app.pass(-5);
    const service = await getService(app.house.store, serviceId);
    await updateService(app.ctx(), serviceId, {
      version: service.version,
      profile: { ...service.profile, load: 'FULL' },
    });
    const update = await last('Update');
    expectSound(update);
    const note = expectPublic(update.json);
    expect(note.id).to.equal(noteIri);
    expect(String(note.content)).to.contain('complet pour le moment');
    expect(Date.parse(String(note.updated))).to.be.above(Date.parse(String(note.published)));
    expect(await peer.getJson(noteIri)).to.have.property('updated', note.updated);
  });

  it('is told in a Note of its own that the service closes', async () => {
    const before = peer.ofType('Create').length;
    await closeService(app.ctx(), serviceId, { endDate: '2026-12-31', reason: { fr: '', en: '' } });
    const create = await last('Create');
    expect(peer.ofType('Create').length).to.equal(before + 1);
    expectSound(create);
    expect(String(expectPublic(create.json).content)).to.contain('Ce service ferme : Blocs-notes');
    expect((peer.ofType('Update').at(-1)!.json.object as Json).id).to.equal(noteIri);
  });

  it('is told to delete it when it is withdrawn; its address then answers 410', async () => {
    await withdrawService(app.ctx(), serviceId);
    const gone = await last('Delete');
    expectSound(gone);
    expect(gone.json.object).to.deep.include({ id: noteIri, type: 'Tombstone', formerType: 'Note' });
    const answer = await peer.get(noteIri);
    expect(answer.status).to.equal(410);
    expect((JSON.parse(answer.text) as Json).type).to.equal('Tombstone');
    const outbox = await peer.getJson(`${String(actor.outbox)}?page=1`);
    expect(JSON.stringify(outbox)).not.to.contain('Nouveau service');
  });

  it('gets a new Note when the service is published again, since the old id is known as deleted', async () => {
    const profile = emptyProfile({ fr: 'Visio', en: 'Calls' });
    const service = await createService(app.ctx(), hoster._id, { profile, published: true });
    const first = (await last('Create')).json.object as Json;
    await unpublishService(app.ctx(), service._id);
    await last('Delete');
    await publishService(app.ctx(), service._id);
    const second = (await last('Create')).json.object as Json;
    expect(second.id).not.to.equal(first.id);
    expect((await peer.get(String(first.id))).status).to.equal(410);
    expect((await peer.get(String(second.id))).status).to.equal(200);
  });

  it('gets a post with links and mentions, its correction, and its deletion', async () => {
    const text = { fr: `Bonjour @alice@${peer.host} et @ecluse, voyez https://example.org/`, en: '' };
    const post = await publishPost(app.ctx(), hoster._id, text);
    const create = await last('Create');
    expectSound(create);
    const note = create.json.object as Json;
    expect(note.id).to.equal(`${app.baseUrl}/objects/${post._id}`);
    expect(note.contentMap).to.have.all.keys('fr');
    expect(String(note.content)).to.contain('href="https://example.org/"').and.contain(`href="${alice.iri}"`);
    expect(note.tag).to.deep.include({ type: 'Mention', name: `@alice@${peer.host}`, href: alice.iri });
    expect(note.cc).to.deep.equal([`${String(actor.id)}/followers`, alice.iri, actor.id]);
    expect(create.json.cc).to.deep.equal(note.cc);

    await updatePost(app.ctx(), hoster._id, post._id, {
      version: post.version,
      text: { fr: 'Bonsoir', en: 'Good evening' },
    });
    const update = await last('Update');
    expect((update.json.object as Json).contentMap).to.deep.equal({
      fr: '<p>Bonsoir</p>',
      en: '<p>Good evening</p>',
    });

    await deletePost(app.ctx(), hoster._id, post._id);
    const gone = await last('Delete');
    expect((gone.json.object as Json).id).to.equal(note.id);
    expect((await peer.get(String(note.id))).status).to.equal(410);
    expect((await peer.get(String(create.json.id))).status).to.equal(410);
    expect(JSON.stringify(await app.house.store.collection('activities').find({}).toArray())).not.to.contain('Bonjour');
  });

  it('hears of a change of the hoster itself', async () => {
    const { profile, version } = await getCollective(app.house.store, hoster._id);
    await updateProfile(app.ctx(), hoster._id, {
      version,
      profile: { ...profile, tagline: { fr: 'Passez', en: 'Go through' } },
    });
    const update = await last('Update');
    expectSound(update);
    expect(update.json.object).to.deep.include({
      id: actor.id,
      type: 'Organization',
      preferredUsername: 'ecluse',
    });
    expect(String((update.json.object as Json).summary)).to.contain('Passez');
  });

  it('hears nothing more after taking the follow back, by id or without', async () => {
    const follow = peer.follow(alice, String(actor.id));
    const undo = {
      id: peer.nextId(),
      type: 'Undo',
      actor: alice.iri,
      object: { type: 'Follow', actor: alice.iri, object: actor.id },
    };
    expect((await peer.post(alice, `${app.baseUrl}/inbox`, undo)).status).to.equal(202);
    const before = peer.received.length;
    await publishPost(app.ctx(), hoster._id, { fr: 'Personne ?', en: '' });
    await app.run();
    expect(peer.received.length).to.equal(before);

    expect((await peer.post(alice, `${app.baseUrl}/inbox`, follow)).status).to.equal(202);
    expect((await last('Accept')).json.object).to.deep.include({ id: follow.id });
    const byId = { id: peer.nextId(), type: 'Undo', actor: alice.iri, object: follow.id };
    expect((await peer.post(alice, `${app.baseUrl}/inbox`, byId)).status).to.equal(202);
    expect((await peer.getJson(String(actor.followers))).totalItems).to.equal(0);
  });

  it('hears of the end of the hoster, whose actor then answers 410', async () => {
    expect((await peer.post(alice, `${app.baseUrl}/inbox`, peer.follow(alice, String(actor.id)))).status).to.equal(202);
    await app.run();
    await deleteCollective(app.ctx(), hoster._id, 'ecluse');
    const gone = await last('Delete');
    expectSound({ ...gone, signature: 'valid' });
    expect(gone.json.object).to.equal(actor.id);
    const answer = await peer.get(String(actor.id));
    expect(answer.status).to.equal(410);
    expect(
      (await peer.get(`${app.baseUrl}/.well-known/webfinger?resource=acct:ecluse@${app.house.site.host}`)).status,
    ).to.equal(410);
    expect(await deliveriesIn(app.federation).countDocuments({})).to.equal(0);
  });

  it('found every signature valid and every digest right', () => {
    expect(peer.received.filter((one) => one.signature !== 'valid' || !one.digestFits)).to.deep.equal([]);
  });
});
