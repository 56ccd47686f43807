// How others find and read us: WebFinger, NodeInfo, host-meta, actors, negotiation, caching, and what does not answer.
import { expect } from 'chai';
import fc from 'fast-check';
import { keysOf } from '../../federation/actorKeys.js';
import { createFederation } from '../../federation/federation.js';
import { isLocal, localHandleIn, readIri, sameOrigin } from '../../federation/iris.js';
import { prefersActivity, prefersPage } from '../../federation/negotiate.js';
import { actorIri } from '../../server/partners/rules.js';
import { deletePerson } from '../../server/people/actions/deletion.js';
import { updateProfile } from '../../server/people/actions/profile.js';
import { actorFor, buildPerson, contextFor, testPassword } from '../support/appSupport.js';
import type { Peer } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const mastodonSearch =
  'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams", text/html;q=0.1';
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('being found and read', () => {
  let app: FederatedApp;
  let peer: Peer;

  before(async () => {
    peer = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host] });
    await addCollective(app, { handle: 'ecluse' });
    await addCollective(app, { handle: 'brouillon', published: false });
  });

  const finger = (resource: string) =>
    peer.get(`${app.baseUrl}/.well-known/webfinger?resource=${encodeURIComponent(resource)}`, '*/*');

  it('answers WebFinger by account, by actor and by page, with the canonical subject', async () => {
    const { host } = app.house.site;
    for (const resource of [
      `acct:ecluse@${host}`,
      `acct:@ECLUSE@${host.toUpperCase()}`,
      `${app.baseUrl}/actors/ecluse`,
      `${app.baseUrl}/@ecluse`,
    ]) {
      const answer = await finger(resource);
      expect(answer.status, resource).to.equal(200);
      expect(answer.headers['content-type']).to.contain('application/jrd+json');
      expect(answer.headers['access-control-allow-origin']).to.equal('*');
      const jrd = JSON.parse(answer.text) as { subject: string; aliases: string[]; links: Json[] };
      expect(jrd.subject).to.equal(`acct:ecluse@${host}`);
      expect(jrd.aliases).to.deep.equal([`${app.baseUrl}/actors/ecluse`, `${app.baseUrl}/@ecluse`]);
      expect(jrd.links).to.deep.include({
        rel: 'self',
        type: 'application/activity+json',
        href: `${app.baseUrl}/actors/ecluse`,
      });
    }
    const front = JSON.parse((await finger(`${app.baseUrl}/`)).text) as { links: Json[] };
    expect(front.links.map((link) => link.rel)).to.include('https://www.w3.org/ns/activitystreams#Service');
  });

  it('answers 400 to what is no resource and 404 to whom it does not know, drafts included', async () => {
    const { host } = app.house.site;
    for (const bad of ['', 'ecluse', 'mailto:x@y', 'acct:ecluse', 'acct:a b@c', `x:${'a'.repeat(2000)}`])
      expect((await finger(bad)).status, bad).to.equal(400);
    expect((await peer.get(`${app.baseUrl}/.well-known/webfinger`, '*/*')).status).to.equal(400);
    expect((await peer.get(`${app.baseUrl}/.well-known/webfinger?resource=a&resource=b`, '*/*')).status).to.equal(400);
    for (const unknown of [
      `acct:nobody@${host}`,
      'acct:ecluse@elsewhere.example',
      `acct:brouillon@${host}`,
      `${app.baseUrl}/x`,
      'https://elsewhere.example/@ecluse',
      `acct:__proto__@${host}`,
    ]) {
      expect((await finger(unknown)).status, unknown).to.equal(404);
    }
  });

  it('describes itself by NodeInfo and host-meta', async () => {
    const index = JSON.parse((await peer.get(`${app.baseUrl}/.well-known/nodeinfo`)).text) as {
      links: { rel: string; href: string }[];
    };
    for (const version of ['2.0', '2.1']) {
      const link = index.links.find((one) => one.rel === `http://nodeinfo.diaspora.software/ns/schema/${version}`);
      const answer = await peer.get(link!.href, '*/*');
      expect(answer.headers['content-type']).to.equal(
        `application/json; profile="http://nodeinfo.diaspora.software/ns/schema/${version}#"; charset=utf-8`,
      );
      const node = JSON.parse(answer.text) as Json;
      expect(node).to.deep.include({ version, protocols: ['activitypub'], openRegistrations: false });
      expect((node.software as Json).name).to.match(/^[a-z0-9-]+$/);
      expect((node.usage as { users: Json }).users.total).to.be.a('number');
    }
    expect(index.links.find((one) => one.rel === 'https://www.w3.org/ns/activitystreams#Application')?.href).to.equal(
      `${app.baseUrl}/actors/instance`,
    );
    const meta = await peer.get(`${app.baseUrl}/.well-known/host-meta`, '*/*');
    expect(meta.text).to.contain(`template="${app.baseUrl.replaceAll('&', '')}/.well-known/webfinger?resource={uri}"`);
  });

  it('lets anybody read the instance actor unsigned, and who signs its requests', async () => {
    const instance = await peer.getJson(`${app.baseUrl}/actors/instance`);
    expect(instance.type).to.equal('Application');
    expect((instance.publicKey as Json).id).to.equal(`${app.baseUrl}/actors/instance#main-key`);
    expect((instance.assertionMethod as Json[])[0]).to.deep.include({ type: 'Multikey', controller: instance.id });
  });

  it('gives ActivityStreams or the page by weight, and says that it depends', async () => {
    const actor = `${app.baseUrl}/actors/ecluse`;
    const page = `${app.baseUrl}/@ecluse`;
    expect((await peer.get(page, mastodonSearch)).headers['content-type']).to.contain('application/activity+json');
    const html = await peer.get(page, browser);
    expect(html.headers['content-type']).to.contain('text/html');
    expect(html.headers.vary).to.contain('Accept');
    expect(html.headers.link).to.contain(`<${actor}>; rel="alternate"; type="application/activity+json"`);
    expect((await peer.get(actor, browser)).headers.location).to.equal('/@ecluse');
    for (const accept of ['application/activity+json', '*/*', '', 'application/json', 'image/png']) {
      expect((await peer.get(actor, accept)).status, accept).to.equal(200);
    }
    expect((await peer.get(`${app.baseUrl}/@brouillon`, 'application/activity+json')).status).to.equal(404);
    expect((await peer.get(`${app.baseUrl}/actors/brouillon`)).status).to.equal(404);
    expect((await peer.get(`${app.baseUrl}/actors/Ecluse`)).status).to.equal(404);
  });

  it('weighs Accept as RFC 9110 says', () => {
    const cases: [string | undefined, boolean, boolean][] = [
      [undefined, false, false],
      ['*/*', false, false],
      [browser, false, true],
      [mastodonSearch, true, false],
      ['application/ld+json; profile="https://www.w3.org/ns/activitystreams"', true, false],
      ['text/html, application/activity+json', false, true],
      ['application/activity+json, text/html', true, false],
      ['application/activity+json;q=0.5, text/html;q=0.4', true, false],
      ['application/activity+json;q=0, text/html;q=0', false, false],
      ['application/activity+json;q=x', false, false],
    ];
    for (const [accept, activity, html] of cases) {
      expect(prefersActivity(accept), accept).to.equal(activity);
      expect(prefersPage(accept), accept).to.equal(html);
    }
  });

  it('answers 304 to who has it already', async () => {
    const first = await peer.get(`${app.baseUrl}/actors/ecluse`);
    const etag = String(first.headers.etag);
    expect(
      (await peer.get(`${app.baseUrl}/actors/ecluse`, 'application/activity+json', { 'if-none-match': etag })).status,
    ).to.equal(304);
  });

  it('serves its vocabulary at a stable address', async () => {
    const answer = await peer.get(`${app.baseUrl}/ns/v1`, 'application/ld+json');
    expect((JSON.parse(answer.text) as { '@context': Json })['@context'].HostedService).to.equal(
      'chatiere:HostedService',
    );
  });

  it('shows nothing of inboxes and unknown objects, and refuses odd pages and methods', async () => {
    for (const path of ['/inbox', '/actors/ecluse/inbox'])
      expect((await peer.get(app.baseUrl + path)).status).to.equal(405);
    for (const path of [
      '/objects/x',
      '/activities/x',
      '/actors/nobody',
      '/actors/nobody/outbox',
      '/@ecluse/posts/x',
      '/@ecluse/services/x',
      '/objects/%00',
      '/actors/%2e%2e',
      '/proxy',
      '/actors/ecluse/blocked',
      '/actors/ecluse/liked',
    ]) {
      expect((await peer.get(app.baseUrl + path)).status, path).to.equal(404);
    }
    for (const path of [
      '/actors/%E0%A4%A',
      '/actors/ecluse/outbox?page=1&after=x',
      '/actors/ecluse/outbox?page=1&after=a&after=b',
    ]) {
      expect((await peer.get(app.baseUrl + path)).status, path).to.equal(400);
    }
    expect((await peer.getJson(`${app.baseUrl}/actors/ecluse/outbox`)).totalItems).to.equal(0);
  });

  it('shows people only while they choose to be seen, and no more of them than that', async () => {
    const person = await buildPerson(app.house, { username: 'ada' });
    expect((await peer.get(`${app.baseUrl}/actors/ada`)).status).to.equal(404);
    const ctx = contextFor(app.house, await actorFor(app.house, person));
    await updateProfile(ctx, person._id, {
      displayName: 'Ada',
      bio: { fr: 'Bonjour', en: '' },
      publicProfile: true,
      handle: 'ada',
    });
    const actor = await peer.getJson(`${app.baseUrl}/actors/ada`);
    expect(actor.type).to.equal('Person');
    expect(JSON.stringify(actor)).not.to.contain('@example.org');
    const bob = peer.addActor('bob');
    peer.now = app.house.now;
    expect((await peer.post(bob, `${app.baseUrl}/inbox`, peer.follow(bob, String(actor.id)))).status).to.equal(202);
    await app.run();
    expect(peer.ofType('Accept').length).to.equal(1);
    expect(await peer.getJson(`${app.baseUrl}/actors/ada/followers?page=1`)).to.not.have.property('orderedItems');
    await updateProfile(ctx, person._id, { displayName: 'Ada', bio: { fr: '', en: '' }, publicProfile: false });
    await app.run();
    expect((await peer.get(`${app.baseUrl}/actors/ada`)).status).to.equal(404);
    expect(peer.ofType('Delete').at(-1)?.json.object).to.equal(actor.id);
    await updateProfile(ctx, person._id, { displayName: 'Ada', bio: { fr: '', en: '' }, publicProfile: true });
    expect((await peer.get(`${app.baseUrl}/actors/ada`)).status).to.equal(200);
    await deletePerson(ctx, person._id, { current: testPassword });
    await app.run();
    const gone = await peer.get(`${app.baseUrl}/actors/ada`);
    expect(gone.status).to.equal(410);
    expect((JSON.parse(gone.text) as Json).type).to.equal('Tombstone');
    expect(peer.ofType('Delete').length).to.equal(2);
    expect(peer.ofType('Delete').at(-1)?.signature).to.equal('valid');
  });

  it('makes the keys of an actor once, however many processes ask at the same time', async () => {
    const { house } = app;
    const workers = Array.from({ length: 4 }, (_, index) =>
      createFederation(house, { version: '0', workerId: `w${index}` }),
    );
    const made = await Promise.all(workers.map((worker) => keysOf(worker, 'ecluse')));
    expect(new Set(made.map((keys) => keys.rsa.publicPem)).size).to.equal(1);
    expect(new Set(made.map((keys) => keys.ed25519.multikey)).size).to.equal(1);
    for (const worker of workers) await worker.fetch.close();
  });

  it('compares ids by their origin, never by how they begin (AP-27 to AP-29)', () => {
    const site = { baseUrl: 'https://us.example', host: 'us.example', defaultLanguage: 'fr' as const };
    expect(localHandleIn(site, 'https://us.example/actors/bob')).to.equal('bob');
    expect(actorIri(site, 'bob')).to.equal('https://us.example/actors/bob');
    for (const bad of [
      'https://us.example.evil.org/actors/bob',
      'https://us.example@evil.org/actors/bob',
      'https://us.example:444/actors/bob',
      'http://us.example/actors/bob',
      'https://usXexample/actors/bob',
      'https://evil.org/https://us.example/actors/bob',
      'x',
    ]) {
      expect(isLocal(site, bad), bad).to.equal(false);
      expect(localHandleIn(site, bad), bad).to.equal(null);
    }
    for (const bad of [
      'https://us.example/actors/bob/',
      'https://us.example/actors/bob?x',
      'https://us.example/actors/bob#main-key',
      'https://us.example/actors/Bob',
      'https://us.example//actors/bob',
    ]) {
      expect(localHandleIn(site, bad), bad).to.equal(null);
    }
    expect(isLocal(site, 'https://US.EXAMPLE/x')).to.equal(true);
    expect(readIri('https://US.EXAMPLE/x', [])).to.equal(null);
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['https'] }), fc.webUrl({ validSchemes: ['https'] }), (one, other) => {
        expect(sameOrigin(one, other)).to.equal(new URL(one).origin === new URL(other).origin);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => readIri(text, []) === null || new URL(text).protocol === 'https:'));
  });
});
