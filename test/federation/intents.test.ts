// Visitors with an account elsewhere act from their own server; members arrive from elsewhere and act here.
import { expect } from 'chai';
import { createCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import { updateProfile } from '../../server/people/actions/profile.js';
import { publishPost } from '../../server/posts/actions.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { startPeer } from './federatedApp.js';

const ours = { headers: { 'sec-fetch-site': 'same-origin' } };
/** As a browser reads the address in an attribute. */
const plain = (html: string) => html.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&');
const subscribe = 'http://ostatus.org/schema/1.0/subscribe';

describe('acting from one’s own server', () => {
  let app: WholeApp;
  let peer: Peer;
  let you: PeerActor;
  let hoster: Collective;
  let visitor: Client;

  const ctx = () => contextFor(app.house, systemActor);
  const go = (account: string, rest = 'actor=ecluse&wish=follow', client = visitor) =>
    client.get(`/interact/go?${rest}&account=${encodeURIComponent(account)}`);
  const offer = (links: object[]) =>
    peer.serveJson(
      '/.well-known/webfinger',
      { subject: `acct:you@${peer.host}`, links },
      { type: 'application/jrd+json' },
    );
  const asked = () => peer.log.filter((line) => line.includes('webfinger')).length;

  before(async () => {
    peer = await startPeer();
    const privateHosts = [peer.host];
    app = await startWholeApp({ house: { privateHosts } });
    app.house.fetchText = app.federation.fetch.fetchText;
    you = peer.addActor('you');
    hoster = await createCollective(ctx(), {
      handle: 'ecluse',
      name: { fr: 'L’Écluse', en: 'The Lock' },
      legalForm: 'ASSOCIATION',
      published: true,
    });
    visitor = app.client(ours);
  });

  beforeEach(async () => {
    await app.house.store.collection('limits').deleteMany({});
    offer([{ rel: subscribe, template: `${peer.origin}/authorize_interaction?uri={uri}` }]);
  });

  it('begins on the page of a hoster, of a public person and of a post', async () => {
    const post = await publishPost(ctx(), hoster._id, { fr: 'Bonjour', en: '' });
    expect((await visitor.get('/@ecluse')).text).to.contain('href="/interact?actor=ecluse"');
    expect(plain((await visitor.get(`/@ecluse/posts/${post._id}`)).text)).to.contain(
      `href="/interact?post=${post._id}"`,
    );
    const form = await visitor.get('/interact?actor=ecluse');
    expect(form.text).to.contain('The Lock').and.contain(`@ecluse@${app.house.site.host}`);
    expect(form.headers.get('content-security-policy')).to.contain("form-action 'self' https:");
    expect((await visitor.get('/about')).headers.get('content-security-policy')).to.match(/form-action 'self';/);
    const answer = await go(`@you@${peer.host}`, `post=${post._id}&wish=reply`);
    const object = encodeURIComponent(`${app.url}/objects/${post._id}`);
    expect(answer.location ?? answer.headers.get('location')).to.contain(`/authorize_interaction?uri=${object}`);
  });

  it('leads to the page that one’s server names, by 303', async () => {
    const answer = await go(`@you@${peer.host}`);
    expect(answer.status).to.equal(303);
    const uri = encodeURIComponent(`${app.url}/actors/ecluse`);
    expect(answer.headers.get('location')).to.equal(`${peer.origin}/authorize_interaction?uri=${uri}`);
  });

  it('says what to do instead, with the form filled in, when the server is silent or offers nothing', async () => {
    offer([{ rel: 'self', type: 'application/activity+json', href: you.iri }]);
    const nothing = await go(`@you@${peer.host}`);
    expect(nothing.status).to.equal(422);
    expect(nothing.text).to.contain('offers no page for this').and.contain(`value="@you@${peer.host}"`);
    expect(nothing.text).to.contain(`@ecluse@${app.house.site.host}`);
    peer.pages.set('/.well-known/webfinger', (_req, res) => void res.writeHead(404).end());
    expect((await go(`@you@${peer.host}`)).text).to.contain('does not know this account');
    peer.pages.set('/.well-known/webfinger', (_req, res) => void res.writeHead(200).end('<html>'));
    expect((await go(`@you@${peer.host}`)).status).to.equal(422);
    const wrong = await go('nobody');
    expect(wrong.status).to.equal(422);
    expect(wrong.text).to.contain('no address of the Fediverse');
  });

  it('is no open redirect: another site, and another server than the account’s, lead nowhere', async () => {
    const before = asked();
    for (const client of [app.client({ headers: { 'sec-fetch-site': 'cross-site' } }), app.client()]) {
      const answer = await go(`@you@${peer.host}`, 'actor=ecluse&wish=follow', client);
      expect(answer.status).to.equal(200);
      expect(answer.text).to.contain(`value="@you@${peer.host}"`);
    }
    expect(asked()).to.equal(before);
    offer([{ rel: subscribe, template: 'https://evil.example/?u={uri}' }]);
    expect((await go(`@you@${peer.host}`)).status).to.equal(422);
  });

  for (const host of [
    '127.0.0.1:9',
    'localhost',
    '169.254.169.254',
    '[::1]',
    '10.0.0.1',
    'intranet',
    'metadata.google.internal:80',
  ]) {
    it(`asks nothing of ${host}`, async () => {
      expect((await go(`@you@${host}`)).status).to.equal(422);
    });
  }

  it('shows nothing of what is not public', async () => {
    await createCollective(ctx(), {
      handle: 'draft',
      name: { fr: 'B', en: 'B' },
      legalForm: 'ASSOCIATION',
      published: false,
    });
    expect((await visitor.get('/interact?actor=draft')).status).to.equal(404);
    expect((await visitor.get('/interact?actor=nobody')).status).to.equal(404);
    expect((await visitor.get('/interact')).status).to.equal(404);
  });

  it('has a limit for each address', async () => {
    for (let turn = 0; turn < 30; turn++) await go(`@you@${peer.host}`);
    const answer = await go(`@you@${peer.host}`);
    expect(answer.status).to.equal(429);
    expect(answer.headers.get('retry-after')).to.equal('3600');
  });

  describe('the other way', () => {
    let member: Client;
    let personId: string;

    before(async () => {
      const person = await buildPerson(app.house, { username: 'camille' });
      personId = person._id;
      member = app.client();
      await signIn(member, person);
      await app.house.store
        .collection('collectives')
        .updateOne({ _id: hoster._id }, { $set: { members: [{ personId, role: 'member', since: new Date() }] } });
    });

    it('WebFinger says where: the subscribe template and FEP-3b86', async () => {
      const resource = encodeURIComponent(`acct:ecluse@${app.house.site.host}`);
      const answer = await peer.get(`${app.url}/.well-known/webfinger?resource=${resource}`, '*/*');
      const { links } = JSON.parse(answer.text) as { links: { rel: string; template?: string }[] };
      const template = (rel: string) => links.find((link) => link.rel === rel)?.template;
      expect(template(subscribe)).to.equal(`${app.url}/authorize_interaction?uri={uri}`);
      expect(template('https://w3id.org/fep/3b86/Follow')).to.equal(`${app.url}/authorize_interaction?uri={object}`);
      expect(template('https://w3id.org/fep/3b86/Create')).to.equal(`${app.url}/authorize_interaction?uri={inReplyTo}`);
    });

    it('asks to sign in first, and comes back', async () => {
      const answer = await app.client().get('/authorize_interaction?uri=https%3A%2F%2Fa.example%2F1');
      expect(answer.location).to.match(/^\/sign-in\?next=%2Fauthorize_interaction/);
    });

    it('leads on in the one name there is, or asks in whose', async () => {
      const path = `/authorize_interaction?uri=${encodeURIComponent(you.iri)}`;
      const one = await member.get(path);
      expect(one.location).to.equal(`/my/collectives/${hoster._id}/partners/find?q=${encodeURIComponent(you.iri)}`);
      const profile = { displayName: 'Camille', bio: { fr: '', en: '' }, publicProfile: true, handle: 'camille' };
      await updateProfile(ctx(), personId, profile);
      const two = await member.get(path);
      expect(plain(two.text)).to.contain('In whose name').and.contain('href="/me/partners/find?q=');
      expect(plain((await member.get(`/authorize_interaction?uri=acct%3Ayou%40${peer.host}`)).text)).to.contain(
        'q=%40you%40',
      );
      expect((await member.get('/authorize_interaction')).status).to.equal(422);
    });

    it('opens the conversation when it is a post, and keeps none that is not public', async () => {
      const note = { id: `${you.iri}/posts/1`, type: 'Note', attributedTo: you.iri, content: 'Answer me' };
      const to = ['https://www.w3.org/ns/activitystreams#Public'];
      peer.serveJson('/users/you/posts/1', { ...note, to });
      const find = `/my/collectives/${hoster._id}/partners/find?q=`;
      const answer = await member.get(find + encodeURIComponent(note.id));
      expect(answer.location).to.match(/\/partners\/posts\/[0-9a-f]{64}$/);
      expect((await member.get(answer.location ?? '')).text)
        .to.contain('Answer me')
        .and.contain('Reply');
      const few = { ...note, id: `${you.iri}/posts/2`, to: [`${you.iri}/followers`] };
      peer.serveJson('/users/you/posts/2', few);
      expect((await member.get(find + encodeURIComponent(few.id))).text).to.contain('Nobody answers');
      expect(await app.house.store.collection('remotePosts').countDocuments({ iri: few.id })).to.equal(0);
    });
  });
});
