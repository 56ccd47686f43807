// The catalogue of the whole network on every instance: two whole instances that follow each other, and homes that lie, hang,
// vanish or are blocked.
import { expect } from 'chai';
import { deliverDue } from '../../federation/delivery.js';
import { federationConsumer } from '../../federation/outbox.js';
import { policyConsumer } from '../../federation/policy.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { refreshElsewhere } from '../../jobs/refreshElsewhere.js';
import type { JobTools } from '../../jobs/tools.js';
import { updateService, withdrawService } from '../../server/catalogue/actions/services.js';
import { searchServices } from '../../server/catalogue/finder.js';
import { finderQuery, type ServiceProfile } from '../../server/catalogue/schema.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Context } from '../../server/context.js';
import { pruneEntries } from '../../server/elsewhere/actions/entries.js';
import { addKnownHoster, refreshSource, removeKnownHoster } from '../../server/elsewhere/actions/known.js';
import { addSource, sortSources } from '../../server/elsewhere/actions/sources.js';
import { findSource, remoteCollectivesIn, remoteServicesIn, sourcesIn } from '../../server/elsewhere/queries.js';
import { graceDays, lastingDays, maxServicesPerHoster, sourceKey } from '../../server/elsewhere/rules.js';
import { removeRule, setRule } from '../../server/instances/actions/domainRules.js';
import { followActor, unfollowActor } from '../../server/partners/actions/following.js';
import { findFollowing, followingsIn, remoteActorsIn } from '../../server/partners/queries.js';
import { actorIri, followKey } from '../../server/partners/rules.js';
import { eventfulCollections } from '../../server/store/schema.js';
import { buildCollective, buildService } from '../server/catalogue/catalogueSupport.js';
import { buildPerson, contextFor, signIn, systemActor } from '../support/appSupport.js';
import { startChatonsInfosServer } from '../support/chatonsinfosServer.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const day = 24 * 60;
const noReasons = { publicReason: '', privateReason: '' };
let skew = 0;
const pass = (minutes: number) => {
  skew += minutes * 60_000;
};
const now = () => new Date(Date.now() + skew);

async function startApp(privateHosts: string[]): Promise<WholeApp> {
  const app = await startWholeApp({ house: { privateHosts, now } });
  app.house.fetchText = app.federation.fetch.fetchText;
  privateHosts.push(app.house.site.host);
  return app;
}

const ctxOf = (app: WholeApp): Context => contextFor(app.house, systemActor);
const iriOf = (app: WholeApp, hoster: Collective) => actorIri(app.house.site, hoster.handle);

/** Hands events on and delivers, on all of them, until nothing is left to say. */
async function talk(...apps: WholeApp[]): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    for (const { federation, house } of apps) {
      const { store, log } = house;
      const consumers = [policyConsumer(federation), federationConsumer(federation)];
      await drainEvents({ store, log, now, collections: eventfulCollections, consumers });
      await deliverDue(federation);
    }
  }
}

async function read({ federation, house }: WholeApp): Promise<void> {
  await refreshElsewhere({ federation, house } as unknown as JobTools, new AbortController().signal);
}

async function find(app: WholeApp, query: Record<string, string> = {}) {
  return searchServices(app.house.store, finderQuery.parse(query), now());
}

const namesIn = async (app: WholeApp, query: Record<string, string> = {}) =>
  (await find(app, query)).items.map(({ name }) => name.fr || name.en);

async function follow(app: WholeApp, hoster: Collective, address: string): Promise<void> {
  const found = await app.house.lookUpActor(address);
  if (found.outcome !== 'found') throw new Error(`${address}: ${JSON.stringify(found)}`);
  await followActor(ctxOf(app), { kind: 'collective', id: hoster._id }, { actor: found.actor._id });
}

describe('the catalogue of the whole network', () => {
  let here: WholeApp;
  let there: WholeApp;
  let serre: Collective;
  let ecluse: Collective;
  let following: string;

  before(async () => {
    const privateHosts: string[] = [];
    here = await startApp(privateHosts);
    there = await startApp(privateHosts);
    serre = await buildCollective(here.house, { handle: 'serre', name: 'La Serre' });
    await buildService(here.house, serre, 'Pads de la Serre', { website: 'https://pads.serre.example/' });
    ecluse = await buildCollective(there.house, {
      handle: 'ecluse',
      name: 'L’Écluse',
      profile: { website: 'https://ecluse.example/', tagline: { fr: 'Au fil de l’eau', en: '' } },
    });
    following = followKey(iriOf(here, serre), iriOf(there, ecluse));
    for (let number = 1; number <= 60; number += 1) {
      await buildService(there.house, ecluse, `Nuage ${number}`, {
        needs: ['files'],
        website: `https://nuage${number}.example/`,
      });
    }
    await buildService(there.house, ecluse, 'Brouillon', { published: false });
    await talk(here, there);
  });

  const service = async (name: string) => {
    const found = await there.house.store
      .collection<{ _id: string; sortName: string; version: number }>('services')
      .findOne({ sortName: name });
    if (!found) throw new Error(`no ${name}`);
    return found;
  };

  it('is offered as a paged collection that anybody may read and keep', async () => {
    const peer = await startPeer();
    const actor = await peer.getJson(iriOf(there, ecluse));
    expect(actor).to.include({ catalogue: `${iriOf(there, ecluse)}/catalogue`, website: 'https://ecluse.example/' });
    const collection = await peer.getJson(String(actor.catalogue));
    expect(collection).to.include({ type: 'OrderedCollection', totalItems: 60 });
    const first = await peer.getJson(String(collection.first));
    const second = await peer.getJson(String(first.next));
    const items = [...(first.orderedItems as Json[]), ...(second.orderedItems as Json[])];
    expect(items.length).to.equal(60);
    expect(second.next).to.equal(undefined);
    expect(new Set(items.map(({ hoster }) => hoster))).to.deep.equal(new Set([iriOf(there, ecluse)]));
    const answer = await fetch(String(collection.first), { headers: { accept: 'application/activity+json' } });
    expect(answer.headers.get('cache-control')).to.equal('public, max-age=60');
    expect(answer.headers.get('etag')).to.be.a('string');
    const instance = await peer.getJson(`${there.url}/actors/instance/catalogue?page=1`);
    expect(instance.orderedItems).to.deep.equal([iriOf(there, ecluse)]);
  });

  it('gives a new follower the past, with a mark of where it is from', async () => {
    await follow(here, serre, `@ecluse@${there.house.site.host}`);
    await talk(here, there);
    expect((await findFollowing(here.house.store, following))?.state).to.equal('accepted');
    await read(here);
    const found = await find(here);
    expect(found.places).to.deep.equal({ here: 1, everywhere: 61 });
    expect(await namesIn(here, { where: 'here' })).to.deep.equal(['Pads de la Serre']);
    expect((await find(here, { need: 'files' })).total).to.equal(60);
    const page = await here.client().get('/services?q=nuage');
    expect(page.text).to.include(`${there.url}/@ecluse/services/nuage-1"`);
    expect(page.text).to.include(`<bdi>${there.house.site.host}</bdi>`);
    const list = await here.client().get('/collectives');
    expect(list.text).to.include('Au fil de l’eau').and.to.include(`href="${there.url}/@ecluse"`);
    expect((await here.client().get('/collectives?where=here')).text).not.to.include('Au fil de l’eau');
    expect((await there.client().get('/services')).text).not.to.include('Where to search');
  });

  it('exports it when asked, with its home, and ours alone otherwise', async () => {
    const ours = (await (await fetch(`${here.url}/catalogue.json`)).json()) as { services: Json[] };
    expect(ours.services.length).to.equal(1);
    expect(ours.services[0]).not.to.have.property('home');
    const all = (await (await fetch(`${here.url}/catalogue.json?where=everywhere`)).json()) as { services: Json[] };
    expect(all.services.length).to.equal(61);
    expect(all.services.at(-1)).to.include({ home: there.house.site.host });
    const csv = await (await fetch(`${here.url}/catalogue.csv?where=everywhere`)).text();
    expect(csv.split('\r\n')[0]).to.match(/,home,seen_at$/);
    expect(csv).to.include(`ecluse@${there.house.site.host}`);
  });

  it('follows a change at once, and a withdrawal for good', async () => {
    const one = await service('nuage 1');
    const stored = await there.house.store.collection<Json & { _id: string }>('services').findOne({ _id: one._id });
    const profile = { ...(stored?.profile as ServiceProfile), name: { fr: 'Cumulus', en: '' } };
    pass(1);
    await updateService(ctxOf(there), one._id, { profile, version: one.version });
    await talk(there);
    expect(await namesIn(here, { q: 'cumulus' })).to.deep.equal(['Cumulus']);
    pass(1);
    await withdrawService(ctxOf(there), one._id);
    await talk(there);
    expect(await namesIn(here, { q: 'cumulus' })).to.deep.equal([]);
    expect((await find(here)).places.everywhere).to.equal(60);
  });

  it('takes out what is no longer in the collection when it is read again, although no word of it came', async () => {
    const two = await service('nuage 2');
    await there.house.store.collection('services').updateOne({ _id: two._id }, { $set: { listed: false } });
    pass(10 * day);
    await read(here);
    expect(await namesIn(here, { q: 'nuage 2 ' })).not.to.include('Nuage 2');
    expect((await find(here)).places.everywhere).to.equal(59);
  });

  it('shows a service that we list ourselves once', async () => {
    await buildService(here.house, serre, 'Nuage 3 chez nous', { website: 'http://www.nuage3.example' });
    const names = await namesIn(here, { q: 'nuage 3' });
    expect(names).to.include('Nuage 3 chez nous').and.not.to.include('Nuage 3');
  });

  it('stays two weeks after the last follower, then goes; with a new one it is back', async () => {
    const ref = { kind: 'collective', id: serre._id } as const;
    await unfollowActor(ctxOf(here), ref, following);
    await talk(here, there);
    await sortSources(ctxOf(here));
    pass((graceDays - 1) * day);
    await sortSources(ctxOf(here));
    expect((await find(here)).knowsOthers).to.equal(true);
    pass(2 * day);
    await sortSources(ctxOf(here));
    expect((await find(here)).knowsOthers).to.equal(false);
    await follow(here, serre, `@ecluse@${there.house.site.host}`);
    await talk(here, there);
    await read(here);
    expect((await find(here)).places.everywhere).to.be.greaterThan(50);
    pass(2 * day);
    await pruneEntries(ctxOf(here));
    expect((await find(here)).places.everywhere).to.be.greaterThan(50);
  });

  it('reads all hosters of an allowed domain, and of an instance whose actor is followed', async () => {
    const tuile = await buildCollective(there.house, { handle: 'tuile', name: 'La Tuile' });
    await buildService(there.house, tuile, 'Visio de la Tuile');
    await setRule(ctxOf(here), '127.0.0.1', { kind: 'allow', ...noReasons });
    await talk(here);
    await read(here);
    await read(here);
    expect(await namesIn(here, { q: 'tuile' })).to.deep.equal(['Visio de la Tuile']);
    await removeRule(ctxOf(here), '127.0.0.1');
    await sortSources(ctxOf(here));
    pass((graceDays + 1) * day);
    await sortSources(ctxOf(here));
    expect(await namesIn(here, { q: 'tuile' })).to.deep.equal([]);
    // Followed by itself, the other one stays.
    expect((await find(here)).places.everywhere).to.be.greaterThan(50);
    await follow(here, serre, `@instance@${there.house.site.host}`);
    await talk(here, there);
    await read(here);
    await read(here);
    expect(await namesIn(here, { q: 'tuile' })).to.deep.equal(['Visio de la Tuile']);
  });
});

describe('a catalogue elsewhere', () => {
  let app: WholeApp;
  let hoster: Collective;
  let peer: Peer;
  let alice: PeerActor;
  let base: string;
  const privateHosts: string[] = [];

  before(async () => {
    app = await startApp(privateHosts);
    hoster = await buildCollective(app.house, { handle: 'marais' });
  });

  /** A home at an address of its own, with a hoster whom one of ours follows. */
  async function settle(address: string): Promise<void> {
    peer = await startPeer(0, address);
    privateHosts.push(peer.host);
    alice = peer.addActor('alice', { type: 'Organization', name: 'Chez Alice', catalogue: `${peer.origin}/catalogue` });
    base = `${peer.origin}/services/`;
    offer([item('pads')]);
    const found = await app.house.lookUpActor(alice.iri);
    if (found.outcome !== 'found') throw new Error('not found');
    await followActor(ctxOf(app), { kind: 'collective', id: hoster._id }, { actor: alice.iri });
    await followingsIn(app.house.store).updateMany({ followed: alice.iri }, { $set: { state: 'accepted' } });
    await sortSources(ctxOf(app));
    await read(app);
  }

  const item = (name: string, change: Json = {}): Json => ({
    ...{ id: `${base}${name}`, type: 'HostedService', hoster: alice.iri, url: `${base}${name}/page`, name },
    ...{ updated: now().toISOString(), needs: ['write'], registration: 'None', room: 'OPEN', serviceStatus: 'OK' },
    ...change,
  });
  const offer = (items: unknown[], change: Json = {}) => {
    const document = { id: `${peer.origin}/catalogue`, type: 'OrderedCollection', orderedItems: items, ...change };
    peer.serveJson('/catalogue', document);
  };
  const source = () => findSource(app.house.store, sourceKey('actor', alice.iri));
  const again = async (): Promise<void> => {
    const found = await source();
    if (!found) throw new Error('no source');
    await refreshSource(ctxOf(app), found._id);
    pass(2 * 60);
    await read(app);
  };
  const say = async (by: PeerActor, activity: Json, from = peer): Promise<number> => {
    const whole = {
      '@context': 'https://www.w3.org/ns/activitystreams',
      id: from.nextId(),
      actor: by.iri,
      ...activity,
    };
    return (await from.post(by, `${app.url}/inbox`, whole, { date: now() })).status;
  };
  const noteOf = (hostedService: unknown, by = alice, change: Json = {}): Json => ({
    ...{ id: `${by.iri}/notes/${Math.random()}`, type: 'Note', attributedTo: by.iri, content: 'x', hostedService },
    ...{ to: ['https://www.w3.org/ns/activitystreams#Public'], cc: [] },
    ...change,
  });

  describe('that is honest', () => {
    before(() => settle('127.0.0.2'));

    it('is kept without a write when nothing changed, and confirmed', async () => {
      expect(await namesIn(app)).to.deep.equal(['pads']);
      const before = await remoteServicesIn(app.house.store).find({}).toArray();
      const seen = (await remoteCollectivesIn(app.house.store).findOne({ _id: sourceKey('actor', alice.iri) }))?.seenAt;
      offer([item('pads', { updated: before[0]?.saidAt.toISOString() })]);
      await again();
      expect(await remoteServicesIn(app.house.store).find({}).toArray()).to.deep.equal(before);
      const later = (await remoteCollectivesIn(app.house.store).findOne({ _id: sourceKey('actor', alice.iri) }))
        ?.seenAt;
      expect(later?.getTime()).to.be.greaterThan(seen?.getTime() ?? 0);
    });

    it('is never set back by something older, nor brought back by something late', async () => {
      const late = item('pads', { name: 'old', updated: '2020-01-01T00:00:00Z' });
      expect(await say(alice, { type: 'Update', object: noteOf(late) })).to.equal(202);
      expect(await namesIn(app)).to.deep.equal(['pads']);
      const tombstone = { id: `${alice.iri}/notes/1`, type: 'Tombstone', deleted: now().toISOString() };
      const current = item('pads');
      pass(1);
      const end = { ...tombstone, deleted: now().toISOString(), hostedService: `${base}pads` };
      expect(await say(alice, { type: 'Delete', object: end })).to.equal(202);
      expect(await namesIn(app)).to.deep.equal([]);
      await say(alice, { type: 'Create', object: noteOf(current) });
      offer([current]);
      await again();
      expect(await namesIn(app)).to.deep.equal([]);
      pass(1);
      const anew = item('pads');
      await say(alice, { type: 'Create', object: noteOf(anew) });
      expect(await namesIn(app)).to.deep.equal(['pads']);
      offer([anew]);
    });

    it('is changed by nobody else', async () => {
      // A hoster whom we read as well, on the same server.
      const catalogue = `${peer.origin}/mallory/catalogue`;
      const mallory = peer.addActor('mallory', { type: 'Organization', catalogue });
      peer.serveJson('/mallory/catalogue', { id: catalogue, type: 'OrderedCollection', orderedItems: [item('pads')] });
      await addSource(ctxOf(app), { kind: 'actor', address: mallory.iri, reason: 'following' });
      await read(app);
      const known = await findSource(app.house.store, sourceKey('actor', mallory.iri));
      expect({ error: known?.error, wasRead: (known?.lastSuccessAt.getTime() ?? 0) > 0 }).to.deep.equal({
        error: null,
        wasRead: true,
      });
      const stranger = await startPeer(0, '127.0.0.4');
      privateHosts.push(stranger.host);
      const trudy = stranger.addActor('trudy');
      const forged = item('pads', { name: 'forged' });
      for (const type of ['Create', 'Update']) {
        await say(mallory, { type, object: noteOf(forged, mallory) });
        await say(mallory, { type, object: noteOf(forged, alice) });
        await say(trudy, { type, object: noteOf(forged, trudy) }, stranger);
        await say(trudy, { type, object: noteOf(forged, alice) }, stranger);
      }
      expect(await namesIn(app)).to.deep.equal(['pads']);
      const end = { type: 'Tombstone', deleted: now().toISOString(), hostedService: `${base}pads` };
      await say(mallory, { type: 'Delete', object: { id: `${mallory.iri}/notes/1`, ...end } });
      await say(trudy, { type: 'Delete', object: { id: `${trudy.iri}/notes/1`, ...end } }, stranger);
      expect(await namesIn(app)).to.deep.equal(['pads']);
      // What a hoster says of services on another origin counts for nothing either.
      const foreign = item('x', { id: `${stranger.origin}/services/1`, hoster: alice.iri });
      await say(alice, { type: 'Create', object: noteOf(foreign) });
      expect(await namesIn(app)).to.deep.equal(['pads']);
    });

    it('shows what others write as text, and links only to their pages', async () => {
      const nasty = { name: '<img src=x onerror=alert(1)>\u202e', url: 'javascript:alert(1)', website: 'javascript:1' };
      offer([item('pads', { ...nasty, summary: 'a'.repeat(100_000) })]);
      await again();
      const page = (await app.client().get('/services')).text;
      expect(page).to.include('&lt;img src&#x3D;x').and.not.include('<img src=x').and.not.include('javascript:');
      expect(page).not.to.include('\u202e');
      const [kept] = await remoteServicesIn(app.house.store).find({ listed: true }).toArray();
      expect(kept?.url).to.equal(`${base}pads`);
      expect(kept?.profile.description.fr.length).to.equal(2000);
      expect(kept?.profile.website).to.equal(null);
      offer([item('pads')]);
      await again();
    });

    it('keeps its last entries while its server is down, says so, and for 90 days only', async () => {
      await peer.stop();
      await again();
      expect(await namesIn(app)).to.deep.equal(['pads']);
      expect((await app.client().get('/services')).text).to.include('This server has not answered since');
      expect((await source())?.error?.key).to.equal('elsewhere.error.silent');
      pass((lastingDays - 2) * day);
      await sortSources(ctxOf(app));
      expect(await namesIn(app)).to.deep.equal(['pads']);
      pass(3 * day);
      await sortSources(ctxOf(app));
      expect(await namesIn(app)).to.deep.equal([]);
    });
  });

  describe('that lies', () => {
    before(() => settle('127.0.0.3'));

    it('speaks for nobody else', async () => {
      offer([
        item('mine'),
        item('foreign', { id: 'https://other.example/services/1' }),
        item('anothers', { hoster: 'https://other.example/actors/x' }),
        item('typeless', { type: 'Note' }),
        'https://other.example/services/2',
        null,
        item('nameless', { name: '' }),
        item('mine', { name: 'twice' }),
      ]);
      await again();
      expect(await namesIn(app)).to.deep.equal(['mine']);
    });

    it('is read to the end of our patience: loops, endless pages, too many items, foreign pages', async () => {
      const page = (number: number) => `${peer.origin}/catalogue/${number}`;
      offer([], { orderedItems: undefined, first: page(0) });
      for (let number = 0; number < 60; number += 1) {
        const items = Array.from({ length: 40 }, (_, index) => item(`s${number}-${index}`));
        const document = {
          id: page(number),
          type: 'OrderedCollectionPage',
          orderedItems: items,
          next: page(number + 1),
        };
        peer.serveJson(`/catalogue/${number}`, document);
      }
      const asked = peer.log.length;
      await again();
      expect((await source())?.count).to.equal(maxServicesPerHoster);
      expect((await find(app)).total).to.equal(maxServicesPerHoster);
      expect(peer.log.length - asked).to.be.lessThan(20);
      pass(1);
      await say(alice, { type: 'Create', object: noteOf(item('one-more')) });
      expect((await find(app)).total).to.equal(maxServicesPerHoster);

      peer.serveJson('/catalogue/0', {
        id: page(0),
        type: 'OrderedCollectionPage',
        orderedItems: [item('a')],
        next: page(0),
      });
      const looped = peer.log.length;
      await again();
      expect(await namesIn(app)).to.deep.equal(['a']);
      expect(peer.log.length - looped).to.be.lessThan(8);
      const away = {
        id: page(0),
        type: 'OrderedCollectionPage',
        orderedItems: [item('b')],
        next: 'https://other.example/',
      };
      peer.serveJson('/catalogue/0', away);
      await again();
      expect(await namesIn(app)).to.deep.equal(['b']);
      for (let number = 0; number < 60; number += 1) {
        const document = { id: page(number), type: 'OrderedCollectionPage', orderedItems: [], next: page(number + 1) };
        peer.serveJson(`/catalogue/${number}`, document);
      }
      const before = peer.log.length;
      pass(5);
      await again();
      expect(peer.log.length - before).to.be.lessThan(40);
    });

    it('keeps what it had when a page cannot be read', async () => {
      offer([item('a'), item('b')]);
      await again();
      offer([item('a')], { first: `${peer.origin}/nowhere` });
      peer.serveJson('/nowhere', {}, { status: 500 });
      await again();
      expect(await namesIn(app)).to.deep.equal(['a', 'b']);
      offer([item('a')], { id: 'https://other.example/catalogue' });
      await again();
      expect(await namesIn(app)).to.deep.equal(['a', 'b']);
      expect((await source())?.error?.key).to.equal('elsewhere.error.unreadable');
    });

    it('keeps what it had when a further page is missing, and nothing once its beginning is', async () => {
      const beginning = `${peer.origin}/beginning`;
      offer([item('a'), item('b')]);
      await again();
      offer([], { orderedItems: undefined, first: beginning });
      const first = { id: beginning, type: 'OrderedCollectionPage', orderedItems: [item('a')] };
      peer.serveJson('/beginning', { ...first, next: `${peer.origin}/missing` });
      peer.serveJson('/missing', {}, { status: 404 });
      await again();
      expect(await namesIn(app)).to.deep.equal(['a', 'b']);
      expect((await source())?.error?.key).to.equal('elsewhere.error.unreadable');
      peer.serveJson('/beginning', {}, { status: 404 });
      await again();
      expect(await namesIn(app)).to.deep.equal([]);
      expect((await source())?.error?.key).to.equal('elsewhere.error.gone');
      pass(61);
    });

    it('is gone with its hoster', async () => {
      offer([item('a')]);
      await again();
      expect(await say(alice, { type: 'Delete', object: alice.iri })).to.equal(202);
      expect(await namesIn(app)).to.deep.equal([]);
      expect(await source()).to.equal(null);
      await remoteActorsIn(app.house.store).deleteMany({ _id: alice.iri });
    });
  });

  describe('of a domain that is blocked', () => {
    before(() => settle('127.0.0.5'));

    it('goes at once and does not come back', async () => {
      expect(await namesIn(app)).to.deep.equal(['pads']);
      await setRule(ctxOf(app), '127.0.0.5', { kind: 'block', ...noReasons });
      await talk(app);
      expect(await namesIn(app)).to.deep.equal([]);
      expect(await source()).to.equal(null);
      expect(await say(alice, { type: 'Create', object: noteOf(item('pads')) })).to.equal(403);
      await sortSources(ctxOf(app));
      await read(app);
      expect(await namesIn(app)).to.deep.equal([]);
    });
  });
});

describe('a hoster known by its ChatonsInfos address', () => {
  const organization = (name: string, services: string[], website: string) =>
    [
      ...['file.class = organization', `organization.name = ${name}`, `organization.website = ${website}`],
      ...services.map((service) => `subs.${service} = {{base}}/${service}.properties`),
    ].join('\n');
  const service = (name: string, website: string) =>
    ['file.class = service', `service.name = ${name}`, `service.website = ${website}`, 'software.name = Etherpad'].join(
      '\n',
    );

  it('is read by the crawler into entries of its own, as a file or by its network, and managed on a page', async () => {
    const server = await startChatonsInfosServer({
      files: new Map([
        ['/organization.properties', organization('Les Causses', ['pads', 'chat'], 'https://causses.example/')],
        ['/pads.properties', service('Pads des Causses', 'https://pads.causses.example/')],
        ['/chat.properties', service('Salon des Causses', 'https://chat.causses.example/')],
        ['/local.properties', organization('La Serre', [], 'https://serre.example/')],
        [
          '/network.properties',
          'file.class = federation\nfederation.name = Réseau\nsubs.causses = {{base}}/organization.properties\nsubs.serre = {{base}}/local.properties\n',
        ],
      ]),
    });
    try {
      const { host } = new URL(server.baseUrl);
      const app = await startApp([host]);
      await buildCollective(app.house, { handle: 'serre', profile: { website: 'https://www.serre.example' } });
      const administrator = await buildPerson(app.house, { instanceRole: 'administrator' });
      const client = app.client();
      await signIn(client, administrator);
      const path = '/admin/known-hosters';
      const wrong = await client.post(path, { url: 'nonsense' });
      expect(wrong.status).to.equal(422);
      expect(wrong.text).to.include('nonsense');
      expect((await client.post(path, { url: `${app.url}/.well-known/x.properties` })).status).to.equal(422);
      const added = await client.post(path, { url: `${server.baseUrl}/network.properties` });
      expect(added.status).to.equal(303);
      expect((await client.post(path, { url: `${server.baseUrl}/network.properties` })).status).to.equal(422);
      await read(app);
      await read(app);
      expect(await namesIn(app)).to.deep.equal(['Pads des Causses', 'Salon des Causses']);
      const page = (await client.get(path)).text;
      expect(page).to.include('Les Causses').and.to.include('is not shown twice').and.to.include('names 2');
      expect((await app.client().get('/collectives')).text).to.include('https://causses.example/');

      server.publish('/organization.properties', organization('Les Causses', ['chat'], 'https://causses.example/'));
      pass(2 * day);
      await read(app);
      expect(await namesIn(app)).to.deep.equal(['Salon des Causses']);
      server.behave('/organization.properties', 'server-error');
      pass(2 * day);
      await read(app);
      expect(await namesIn(app)).to.deep.equal(['Salon des Causses']);
      expect((await client.get('/services')).text).to.include('has not answered since');

      const network = await sourcesIn(app.house.store).findOne({ kind: 'network' });
      await removeKnownHoster(ctxOf(app), network?._id ?? '');
      expect(await namesIn(app)).to.deep.equal([]);
      expect(await sourcesIn(app.house.store).countDocuments({})).to.equal(0);
      expect(await app.house.store.collection('infoFiles').countDocuments({})).to.equal(0);

      server.behave('/organization.properties', null);
      await addKnownHoster(ctxOf(app), `${server.baseUrl}/organization.properties`);
      await read(app);
      expect(await namesIn(app)).to.deep.equal(['Salon des Causses']);
      // The same hoster, as its own instance tells of it, wins.
      const home = await startPeer(0, '127.0.0.6');
      (app.house.privateHosts as string[]).push(home.host);
      const iri = `${home.origin}/users/causses`;
      const catalogue = `${home.origin}/catalogue`;
      const told = { type: 'HostedService', hoster: iri, name: 'Salon, dit par elle-même' };
      home.addActor('causses', { type: 'Organization', catalogue, website: 'https://causses.example' });
      home.serveJson('/catalogue', {
        ...{ id: catalogue, type: 'OrderedCollection' },
        orderedItems: [{ id: `${home.origin}/s/1`, ...told, website: 'https://salon.example/' }],
      });
      const serre = await app.house.store.collection<Collective>('collectives').findOne({ handle: 'serre' });
      await follow(app, serre as Collective, iri);
      await followingsIn(app.house.store).updateMany({}, { $set: { state: 'accepted' } });
      await sortSources(ctxOf(app));
      await read(app);
      expect(await namesIn(app)).to.deep.equal(['Salon, dit par elle-même']);
      expect((await app.client().get('/collectives')).text.match(/From /g)?.length).to.equal(1);

      await setRule(ctxOf(app), '127.0.0.9', { kind: 'block', ...noReasons });
      const refused = await client.post(path, { url: 'http://127.0.0.9/organization.properties' });
      expect(refused.status).to.equal(422);
      expect(refused.text).to.include('refuses this domain');
    } finally {
      await server.close();
    }
  });
});
