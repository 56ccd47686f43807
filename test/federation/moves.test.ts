// One of ours names its accounts elsewhere and moves its followers to one of them, with an independent peer looking on.
import { expect } from 'chai';
import { createCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import { findMove } from '../../server/partners/queries.js';
import { actorIri } from '../../server/partners/rules.js';
import { updateProfile } from '../../server/people/actions/profile.js';
import { publishPost } from '../../server/posts/actions.js';
import { refusalOf } from '../server/collectives/collectiveSupport.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { announceAndDeliver, startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { startPeer } from './federatedApp.js';

const day = 24 * 60 * 60 * 1000;

describe('moves of our own', () => {
  let app: WholeApp;
  let peer: Peer;
  let hoster: Collective;
  let iri: string;
  let page: string;
  let representative: Client;
  let member: Client;
  let old: PeerActor;
  let home: PeerActor;
  let follower: PeerActor;
  let skew = 0;

  const ctx = () => contextFor(app.house, systemActor);
  const post = (client: Client, verb: string, fields: Record<string, string>) =>
    client.post(`${page}/${verb}`, fields, page);
  const at = (actor: PeerActor) => `@${actor.name}@${peer.host}`;
  const document = async (path = '/actors/ecluse') => JSON.parse((await peer.get(app.url + path)).text);

  const run = () => announceAndDeliver(app);

  before(async () => {
    peer = await startPeer();
    const privateHosts = [peer.host];
    app = await startWholeApp({ house: { privateHosts, now: () => new Date(Date.now() + skew) } });
    privateHosts.push(app.house.site.host);
    old = peer.addActor('old');
    follower = peer.addActor('follower');
    hoster = await createCollective(ctx(), {
      handle: 'ecluse',
      name: { fr: 'L’Écluse', en: 'The Lock' },
      legalForm: 'ASSOCIATION',
      published: true,
    });
    iri = actorIri(app.house.site, 'ecluse');
    home = peer.addActor('home', { alsoKnownAs: [iri] });
    page = `/my/collectives/${hoster._id}/partners/moves`;
    const people = [await buildPerson(app.house), await buildPerson(app.house)];
    const members = people.map(({ _id }, index) => ({
      ...{ personId: _id, role: index === 0 ? 'representative' : 'member', since: new Date() },
    }));
    await app.house.store.collection('collectives').updateOne({ _id: hoster._id }, { $set: { members } });
    [representative, member] = people.map(() => app.client()) as [Client, Client];
    for (const [index, client] of [representative, member].entries()) {
      const person = people[index];
      if (person) await signIn(client, person);
    }
    await peer.post(follower, `${app.url}/inbox`, peer.follow(follower, iri));
    await run();
  });

  it('name an account that was looked up, publish it, and take it back', async () => {
    expect((await post(representative, 'aliases', { address: at(old) })).status).to.equal(303);
    await run();
    expect((await document()).alsoKnownAs).to.deep.equal([old.iri]);
    const update = peer.ofType('Update').at(-1)?.json.object;
    expect(update).to.deep.include({ id: iri, alsoKnownAs: [old.iri] });
    await post(representative, 'aliases', { address: at(old) });
    expect((await findMove(app.house.store, 'ecluse'))?.aliases).to.have.length(1);
    await post(representative, 'aliases/remove', { iri: old.iri });
    expect(await document()).not.to.have.property('alsoKnownAs');
  });

  it('name no account that is not there or is of this instance', async () => {
    const nobody = await post(representative, 'aliases', { address: `@nobody@${peer.host}` });
    expect(nobody.status).to.equal(422);
    expect(nobody.text).to.contain('Nobody answers').and.contain(`value="@nobody@${peer.host}"`);
    expect((await post(representative, 'aliases', { address: `@ecluse@${app.house.site.host}` })).status).to.equal(422);
    expect(await document()).not.to.have.property('alsoKnownAs');
  });

  it('are for representatives', async () => {
    for (const [verb, fields] of [
      ['aliases', { address: at(old) }],
      ['aliases/remove', { iri: old.iri }],
      ['confirm', { target: at(home) }],
      ['go', { target: at(home), handle: 'ecluse' }],
      ['undo', {}],
    ] as const) {
      expect((await post(member, verb, fields)).status, verb).to.equal(403);
    }
    expect((await member.get(page)).text).not.to.contain('/moves/aliases');
  });

  it('go nowhere that does not name us, asked at that moment (AP-134)', async () => {
    const other = peer.addActor('other', { alsoKnownAs: [`${iri}x`] });
    const answer = await post(representative, 'confirm', { target: at(other) });
    expect(answer.status).to.equal(422);
    expect(answer.text).to.contain('does not name yours');
    const changed = peer.addActor('changed', { alsoKnownAs: [iri] });
    expect((await post(representative, 'confirm', { target: at(changed) })).status).to.equal(200);
    peer.serveJson('/users/changed', { ...peer.document(changed), alsoKnownAs: [] });
    const late = await post(representative, 'go', { target: at(changed), handle: 'ecluse' });
    expect(late.status).to.equal(422);
    expect((await findMove(app.house.store, 'ecluse'))?.movedTo ?? null).to.equal(null);
  });

  it('tell what happens first, and ask for the name', async () => {
    const confirm = await post(representative, 'confirm', { target: at(home) });
    expect(confirm.text).to.contain('1 follower is asked').and.contain(at(home));
    expect((await findMove(app.house.store, 'ecluse'))?.movedTo ?? null).to.equal(null);
    expect((await post(representative, 'go', { target: at(home), handle: 'wrong' })).status).to.equal(422);
    expect(peer.ofType('Move')).to.deep.equal([]);
  });

  it('are said once to followers: the actor with movedTo, then the Move', async () => {
    expect((await post(representative, 'go', { target: at(home), handle: '@ecluse' })).status).to.equal(303);
    for (let turn = 0; turn < 3; turn++) {
      await run();
      // Deliveries that met a busy host wait a moment.
      skew += 5000;
    }
    const moves = peer.ofType('Move');
    expect(moves).to.have.length(1);
    expect(moves[0]?.signature).to.equal('valid');
    expect(moves[0]?.json).to.deep.include({ actor: iri, object: iri, target: home.iri, to: [`${iri}/followers`] });
    expect(peer.ofType('Update').at(-1)?.json.object).to.deep.include({ movedTo: home.iri });
    expect((await document()).movedTo).to.equal(home.iri);
    expect((await app.client().get('/@ecluse')).text)
      .to.contain('This account has moved')
      .and.contain(at(home));
  });

  it('leave nothing to publish from, until the note is taken away; then a week passes before the next', async () => {
    const text = { fr: 'Encore', en: '' };
    expect(await refusalOf(publishPost(ctx(), hoster._id, text))).to.equal('closed partners.moves.error.moved');
    expect((await post(representative, 'go', { target: at(home), handle: 'ecluse' })).status).to.equal(422);
    expect((await post(representative, 'undo', {})).status).to.equal(303);
    await run();
    expect(await document()).not.to.have.property('movedTo');
    expect(peer.ofType('Move')).to.have.length(1);
    await publishPost(ctx(), hoster._id, text);
    const soon = await post(representative, 'go', { target: at(home), handle: 'ecluse' });
    expect(soon.text).to.contain('less than seven days old');
    skew += 8 * day;
    expect((await post(representative, 'go', { target: at(home), handle: 'ecluse' })).status).to.equal(303);
  });

  it('are a person’s own too', async () => {
    const paula = await buildPerson(app.house, { username: 'paula' });
    const client = app.client();
    await signIn(client, paula);
    expect((await client.post('/me/partners/moves/aliases', { address: at(old) }, '/me')).status).to.equal(422);
    const profile = { displayName: 'Paula', bio: { fr: '', en: '' }, publicProfile: true, handle: 'paula' };
    await updateProfile(ctx(), paula._id, profile);
    expect((await client.post('/me/partners/moves/aliases', { address: at(old) }, '/me')).status).to.equal(303);
    expect((await document('/actors/paula')).alsoKnownAs).to.deep.equal([old.iri]);
  });
});
