// The pages that belong to no slice: what a visitor and an administrator find at the front door, and where the switch of
// language may lead.
import { expect } from 'chai';
import fc from 'fast-check';
import { newsOf, servicesOf } from '../../../server/catalogue/queries.js';
import { type Service, serviceProfileShape } from '../../../server/catalogue/schema.js';
import { newId } from '../../../server/ids.js';
import { defaultSettings, writeSettings } from '../../../server/instances/settings.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import { siteRoutes, styleguideRoutes } from '../../../server/site/routes.js';
import { ownPath } from '../../../server/site/schema.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';

async function addService(house: TestHouse, overrides: Partial<Service> = {}): Promise<Service> {
  const service = {
    _id: newId(),
    collectiveId: newId(),
    slug: 'pads',
    profile: serviceProfileShape.parse({ name: { fr: 'Pads & <b>', en: '' }, needs: ['write'] }),
    published: true,
    listed: true,
    hoster: { handle: 'ecluse', name: { fr: 'L’Écluse', en: '' } },
    country: null,
    stamp: newId(),
    origin: null,
    metrics: [],
    metricsLabels: [],
    unknownProperties: [],
    unknownMetrics: [],
    terms: [],
    sortName: 'pads',
    createdAt: house.now(),
    updatedAt: house.now(),
    publishedAt: house.now(),
    deletedAt: null,
    version: 1,
    ...overrides,
  } as Service;
  await servicesOf(house.store).insertOne(service);
  return service;
}

describe('the front door', () => {
  let house: TestHouse;
  let app: TestApp;
  let visitor: Client;

  beforeEach(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [siteRoutes, styleguideRoutes, peopleRoutes]);
    visitor = app.client();
  });

  it('teaches a visitor of an empty instance, and offers no search in nothing', async () => {
    const { status, text } = await visitor.get('/');
    expect(status).to.equal(200);
    expect(text).to.include('Nothing to find yet').and.not.include('type="search"').and.not.include('To begin');
  });

  it('tells an administrator what to do next, until all is done', async () => {
    const administrator = await buildPerson(house, { instanceRole: 'administrator' });
    await signIn(visitor, administrator);
    const before = (await visitor.get('/')).text;
    expect(before).to.include('To begin').and.include('href="/admin/settings"');
    await writeSettings(house.store, { ...defaultSettings, description: { fr: 'Ici', en: '' } });
    expect((await visitor.get('/')).text.match(/step--done/g)).to.have.length(1);
  });

  it('finds services by need and by words, and shows what is published only', async () => {
    await addService(house);
    await addService(house, { slug: 'secret', listed: false });
    const text = (await visitor.get('/')).text.replaceAll('&#x3D;', '=');
    expect(text)
      .to.include('href="/services?need=write"')
      .and.include('action="/services"')
      .and.include('type="search"');
    expect(text).to.include('href="/@ecluse/services/pads"').and.not.include('secret');
    expect(text).to.include('Pads &amp; &lt;b&gt;').and.not.include('<b>');
  });

  it('counts the services that are open, not those that have closed', async () => {
    await addService(house);
    await addService(house, {
      slug: 'closed',
      profile: serviceProfileShape.parse({ name: { fr: 'Fermé', en: '' }, endDate: '2026-05-20' }),
    });
    expect((await visitor.get('/')).text).to.match(/open service<\/dt>\s*<dd>1<\/dd>/);
  });

  it('tells the news by their kind, without a way to what is gone', async () => {
    const service = await addService(house);
    const news = { at: house.now(), serviceId: service._id, collectiveId: service.collectiveId, slug: 'gone' };
    await newsOf(house.store).insertOne({
      _id: newId(),
      ...news,
      kind: 'withdrawn',
      serviceName: { fr: 'Parti', en: 'Gone' },
      hoster: service.hoster,
      endDate: null,
      hidden: false,
    });
    const { text } = await visitor.get('/');
    expect(text).to.match(/Withdrawn[\s\S]*<span lang="en">Gone<\/span>/);
    expect(text).to.not.include('/services/gone');
  });

  it('is in the language of the browser, of the cookie, of the instance', async () => {
    expect((await visitor.get('/', { 'accept-language': 'fr-CA, en;q=0.5' })).text).to.include('<html lang="fr">');
    expect((await visitor.get('/', { 'accept-language': 'de' })).text).to.include('<html lang="fr">');
    const { status, location } = await visitor.get('/language?to=en&back=%2Fabout%3Fa%3D1');
    expect([status, location]).to.deep.equal([303, '/about?a=1']);
    expect((await visitor.get('/about', { 'accept-language': 'fr' })).text).to.include('<html lang="en">');
  });

  it('keeps the language of somebody signed in with their account', async () => {
    const person = await buildPerson(house);
    await signIn(visitor, person);
    expect((await visitor.post('/language', { to: 'fr', back: '/about' }, '/about')).location).to.equal('/about');
    expect((await visitor.get('/about', { 'accept-language': 'en' })).text).to.include('<html lang="fr">');
    expect((await visitor.postRaw('/language', { to: 'en', back: '/about' })).status).to.equal(403);
  });

  it('refuses a language that it does not speak', async () => {
    expect((await visitor.get('/language?to=de&back=/')).status).to.equal(422);
  });

  it('says what it is, how to write to it, and how accessible it is, in both languages', async () => {
    await writeSettings(house.store, {
      ...defaultSettings,
      description: { fr: 'Un.\n\nDeux <i>.', en: '' },
      contactEmail: 'bonjour@example.org',
    });
    const about = await visitor.get('/about');
    expect(about.text).to.include('mailto:bonjour@example.org').and.include('AGPL-3.0');
    expect(about.text).to.include('<div class="prose" lang="fr">').and.include('Deux &lt;i&gt;.');
    expect((await visitor.get('/accessibility')).text).to.include('no complete audit');
    expect((await visitor.get('/accessibility', { 'accept-language': 'fr' })).text).to.include('Aucun audit');
  });

  it('keeps robots out of what is personal', async () => {
    const { headers, text } = await visitor.get('/robots.txt');
    expect(headers.get('content-type')).to.include('text/plain');
    expect(text).to.include('Disallow: /me').and.include('Disallow: /admin');
  });

  it('shows every part of the house in either theme', async () => {
    expect((await visitor.get('/styleguide?theme=dark')).text).to.include('/styleguide/dark.css');
    const [light, dark] = await Promise.all(['light', 'dark'].map((theme) => visitor.get(`/styleguide/${theme}.css`)));
    expect(light?.headers.get('content-type')).to.include('text/css');
    expect(dark?.text).to.include('color-scheme: dark').and.not.equal(light?.text);
    expect((await visitor.get('/styleguide/other.css')).status).to.equal(404);
  });
});

describe('a path to go back to', () => {
  it('never leads to another server', () => {
    const evil = [
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'https://evil.example',
      'javascript:1',
      '',
      '/\n/e',
    ];
    for (const path of evil) expect(ownPath.parse(path), path).to.equal('/');
    const pieces = fc.array(
      fc.constantFrom('/', '\\', '\t', '\n', '.', ':', '@', 'evil.example', '?', '#', '%2f', 'https:'),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          pieces.map((parts) => parts.join('')),
          fc.string(),
        ),
        (path) => {
          expect(new URL(ownPath.parse(path), 'https://own.example').origin).to.equal('https://own.example');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps the query of a page', () => {
    expect(ownPath.parse('/services?q=é&need=write#a')).to.equal('/services?q=é&need=write#a');
  });
});
