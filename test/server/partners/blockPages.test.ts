// The pages on which a hoster or a person keeps accounts and domains away, over HTTP.
import { expect } from 'chai';
import { createCollective } from '../../../server/collectives/actions.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { keepRemoteActor, receiveFollow } from '../../../server/partners/actions.js';
import { blocksIn } from '../../../server/partners/blockQueries.js';
import { findFollow } from '../../../server/partners/queries.js';
import { actorIri, blockKey, blockTargetsOf, followKey, isOfDomain } from '../../../server/partners/rules.js';
import type { RemoteActor } from '../../../server/partners/schema.js';
import type { Person } from '../../../server/people/schema.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../../support/appSupport.js';
import { startWholeApp, type WholeApp } from '../../support/wholeApp.js';

const eve: RemoteActor = {
  ...{ _id: 'https://social.evil.example/users/eve', type: 'Person', host: 'social.evil.example' },
  ...{ handle: 'eve@social.evil.example', name: 'Eve <b>', url: null, keys: [] },
  ...{ inbox: 'https://social.evil.example/users/eve/inbox', sharedInbox: null },
  ...{ fetchedAt: new Date('2026-05-21T10:00:00Z'), goneAt: null },
};

describe('the pages of blocks', function () {
  this.timeout(60_000);
  let app: WholeApp;
  let hoster: Collective;
  let person: Person;
  let member: Client;
  let base: string;
  let iri: string;

  before(async () => {
    app = await startWholeApp();
    person = await buildPerson(app.house, { username: 'lou' });
    const ctx = contextFor(app.house, systemActor);
    hoster = await createCollective(ctx, {
      ...{ handle: 'ecluse', name: { fr: 'L’Écluse', en: 'The Lock' }, legalForm: 'ASSOCIATION', published: true },
      members: [{ personId: person._id, role: 'member' }],
    });
    base = `/my/collectives/${hoster._id}/partners`;
    iri = actorIri(app.house.site, hoster.handle);
    await keepRemoteActor(ctx, eve);
    const followed = { iri, kind: 'collective', ownerId: hoster._id, acceptsAtOnce: true } as const;
    await receiveFollow(ctx, { followIri: `${eve._id}/follows/1`, follower: eve, followed });
    member = app.client();
    await signIn(member, person);
  });

  const asked = () => `${base}/block?actor=${encodeURIComponent(eve._id)}`;

  it('lead from a follower to a page that says what happens, and from there to the list', async () => {
    const followers = await member.get(`/my/collectives/${hoster._id}/followers`);
    expect(followers.text).to.contain(`href="${asked().replace('=', '&#x3D;')}"`);
    const page = await member.get(asked());
    expect(page.text).to.contain('Mute or block Eve &lt;b&gt;').and.contain('later requests are refused at once');
    expect(page.text).to.contain('This account lives on social.evil.example');
    expect((await member.get(`${base}/blocked`)).text).to.contain('Nobody is blocked');
    const answer = await member.post(`${base}/block`, { actor: eve._id, kind: 'actor', note: 'Why <i>' }, asked());
    expect(answer.location).to.equal(`${base}/blocked`);
    const list = await member.get(`${base}/blocked`);
    expect(list.text).to.contain('The account is blocked').and.contain('@eve@social.evil.example');
    expect(list.text).to.contain('Why &lt;i&gt;');
    expect((await findFollow(app.house.store, followKey(eve._id, iri)))?.state).to.equal('rejected');
  });

  it('take a block back', async () => {
    const undo = `${base}/blocked/${blockKey(iri, 'actor', eve._id)}/undo`;
    expect((await member.post(undo, {}, `${base}/blocked`)).location).to.equal(`${base}/blocked`);
    const list = await member.get(`${base}/blocked`);
    expect(list.text).to.contain('It is taken back').and.contain('Nobody is blocked');
  });

  it('block the domain of an account, or one that was typed, as it is compared', async () => {
    await member.post(`${base}/block`, { actor: eve._id, kind: 'domain', note: '' }, asked());
    const typed = `${base}/block?domain=${encodeURIComponent('https://Évil.example/x')}`;
    const page = await member.get(typed);
    expect(page.text).to.contain('value="xn--vil-9la.example"').and.not.contain('Block this account');
    await member.post(`${base}/block`, { domain: '*.xn--vil-9la.example', kind: 'mute', note: '' }, typed);
    const stored = await blocksIn(app.house.store).find({ undone: false }).toArray();
    expect(stored.map(({ kind, target }) => `${kind} ${target}`).sort()).to.deep.equal([
      'domain social.evil.example',
      'mute xn--vil-9la.example',
    ]);
  });

  it('say what is wrong, and keep what was typed', async () => {
    const from = `${base}/block?domain=nonsense`;
    const wrong = await member.post(`${base}/block`, { domain: 'nonsense', kind: 'domain', note: 'Kept' }, from);
    expect(wrong.status).to.equal(422);
    expect(wrong.text).to.contain('That is no domain').and.contain('value="nonsense"').and.contain('value="Kept"');
    const none = await member.post(`${base}/block`, { domain: 'evil.example', kind: '', note: '' }, from);
    expect(none.text).to.contain('Choose what should happen');
  });

  it('are for persons too, once their profile is public', async () => {
    const own = '/me/partners';
    expect((await member.get(`${own}/blocked`)).text).to.contain('Only what is public');
    const from = `${own}/block?domain=evil.example`;
    const answer = await member.post(`${own}/block`, { domain: 'evil.example', kind: 'domain', note: '' }, from);
    expect(answer.status).to.equal(422);
    expect(await blocksIn(app.house.store).countDocuments({ target: 'evil.example' })).to.equal(0);
    const profile = { displayName: 'Lou', 'bio.fr': '', 'bio.en': '', publicProfile: 'on', handle: 'louf' };
    await member.post('/me/profile', profile);
    await member.post(`${own}/block`, { domain: 'evil.example', kind: 'domain', note: '' }, from);
    const kept = await blocksIn(app.house.store).findOne({ target: 'evil.example' });
    expect(kept?.blocker).to.equal(actorIri(app.house.site, 'louf'));
  });

  it('compare domains from the right, by whole names', () => {
    expect(blockTargetsOf('https://a.b.example.org:8443/users/x')).to.deep.equal([
      'https://a.b.example.org:8443/users/x',
      'a.b.example.org',
      'b.example.org',
      'example.org',
    ]);
    expect(isOfDomain('social.example.org', 'example.org')).to.equal(true);
    expect(isOfDomain('example.org:443', 'example.org')).to.equal(true);
    expect(isOfDomain('notexample.org', 'example.org')).to.equal(false);
    expect(isOfDomain('example.org.evil.example', 'example.org')).to.equal(false);
    expect(isOfDomain('10.0.0.1', '0.0.1')).to.equal(false);
  });
});
