import { expect } from 'chai';
import { purgeWithdrawnServices } from '../../../server/catalogue/actions/purge.js';
import { withdrawService } from '../../../server/catalogue/actions/services.js';
import { countServicesByNeed, perPage, searchServices } from '../../../server/catalogue/finder.js';
import {
  countListedServices,
  eachListedService,
  listRecentServices,
  listServicesOf,
} from '../../../server/catalogue/queries.js';
import { finderQuery, type Need, type Service, type ServiceProfile } from '../../../server/catalogue/schema.js';
import { knownSoftwareCount, needsOfSoftware } from '../../../server/catalogue/softwareNeeds.js';
import { seedServices } from '../../bench/finder.js';
import { buildTestHouse, type TestHouse } from '../../support/appSupport.js';
import { buildCollective, buildService, drain, systemContext } from './catalogueSupport.js';

type Given = Partial<ServiceProfile>;
const software = (name: string): ServiceProfile['software'] => ({
  name,
  website: null,
  licenseName: '',
  licenseUrl: null,
  version: '',
  sourceUrl: null,
  modules: [],
});
const host = (overrides: Partial<ServiceProfile['host']>): ServiceProfile['host'] => ({
  name: '',
  description: '',
  serverType: null,
  distribution: '',
  providerType: null,
  hypervisor: '',
  countryName: '',
  countryCode: null,
  ...overrides,
});

async function ask(house: TestHouse, query: Record<string, string>) {
  return searchServices(house.store, finderQuery.parse(query), house.now());
}

async function names(house: TestHouse, query: Record<string, string>): Promise<string[]> {
  return (await ask(house, query)).items.map(({ name }) => name.fr || name.en);
}

describe('finder', () => {
  let house: TestHouse;

  before(async () => {
    house = await buildTestHouse();
    const place = { address: 'Montargis', countryCode: 'FR', countryName: 'France', latitude: null, longitude: null };
    const ecluse = await buildCollective(house, { handle: 'ecluse', name: "L'Écluse Libre", profile: { place } });
    const serre = await buildCollective(house, {
      handle: 'serre',
      name: 'Serre Commune',
      profile: { place: { ...place, address: 'Namur', countryCode: 'BE', countryName: 'Belgique' } },
    });
    const given: [typeof ecluse, string, Given][] = [
      [
        ecluse,
        "Pads de l'Écluse",
        {
          needs: ['write', 'notes'],
          software: software('Etherpad'),
          languages: ['fr', 'en'],
          description: { fr: 'Écrire à plusieurs, sans compte.', en: 'Write together, without an account.' },
          host: host({ countryCode: 'CH', serverType: 'VIRTUAL', providerType: 'HOSTEDBAY' }),
        },
      ],
      [
        ecluse,
        'Nuage',
        { needs: ['files', 'calendar'], registration: 'Member', load: 'FULL', software: software('Nextcloud') },
      ],
      [serre, 'Salon Serre', { needs: ['chat'], registration: 'Member', software: software('Mattermost') }],
      [serre, 'Formulaires', { needs: ['forms'], registration: 'Free', software: software('Yakforms') }],
      [
        serre,
        'Vidéos',
        {
          needs: ['video'],
          registration: 'Free',
          load: 'FULL',
          software: software('PeerTube'),
          description: { fr: 'Comme un pad, en images', en: '' },
        },
      ],
      [serre, 'Ancien pad', { needs: ['write'], status: 'OVER' }],
    ];
    for (const [hoster, name, profile] of given) await buildService(house, hoster, name, profile);
    await buildService(house, serre, 'Brouillon de pad', { needs: ['write'], published: false });
    const hidden = await buildCollective(house, { name: 'Cachée', published: false });
    await buildService(house, hidden, 'Pad caché', { needs: ['write'] });
    await drain(house);
  });

  const table: [string, Record<string, string>, string[]][] = [
    [
      'everything that is for everybody and goes on, by name',
      {},
      ['Formulaires', 'Nuage', "Pads de l'Écluse", 'Salon Serre', 'Vidéos'],
    ],
    ['without accents and case', { q: 'ECLUSE' }, ["Pads de l'Écluse", 'Nuage']],
    ['with accents', { q: 'écluse' }, ["Pads de l'Écluse", 'Nuage']],
    ['the beginning of a word', { q: 'form' }, ['Formulaires']],
    ['not the middle of a word', { q: 'ulaires' }, []],
    ['all words, in any order, small words left aside', { q: 'un nuage de la Écluse' }, ['Nuage']],
    ['one word missing, nothing', { q: 'nuage serre' }, []],
    ['the software', { q: 'peertube' }, ['Vidéos']],
    ['the place of the hoster', { q: 'namur' }, ['Formulaires', 'Salon Serre', 'Vidéos']],
    ['the description in French', { q: 'plusieurs' }, ["Pads de l'Écluse"]],
    ['the description in English', { q: 'together' }, ["Pads de l'Écluse"]],
    ['an everyday word in French', { q: 'sondage' }, []],
    ['an everyday word that no page uses, in French', { q: 'messagerie' }, ['Salon Serre']],
    ['an everyday word in English', { q: 'questionnaire' }, ['Formulaires']],
    ['a word of the name before the same word in a description', { q: 'pad' }, ["Pads de l'Écluse", 'Vidéos']],
    ['what would be an operator or a pattern is only letters', { q: '$where .* (pads' }, []],
    ['a need', { need: 'write' }, ["Pads de l'Écluse"]],
    ['a second need of a service', { need: 'calendar' }, ['Nuage']],
    ['no account', { signup: 'None' }, ["Pads de l'Écluse"]],
    ['room', { room: 'OPEN' }, ['Formulaires', "Pads de l'Écluse", 'Salon Serre']],
    ['where the machine is, not the hoster', { country: 'CH' }, ["Pads de l'Écluse"]],
    [
      'where the hoster is, when nothing is said of the machine',
      { country: 'BE' },
      ['Formulaires', 'Salon Serre', 'Vidéos'],
    ],
    ['software, in any case', { software: 'NEXTCLOUD' }, ['Nuage']],
    ['whose machine', { provider: 'HOSTEDBAY' }, ["Pads de l'Écluse"]],
    ['which machine', { server: 'VIRTUAL' }, ["Pads de l'Écluse"]],
    ['language of the service', { language: 'en' }, ["Pads de l'Écluse"]],
    ['several at once', { q: 'serre', signup: 'Free', room: 'OPEN' }, ['Formulaires']],
    [
      'an unknown value is left aside',
      { need: 'teleport', sort: 'random', page: 'x' },
      ['Formulaires', 'Nuage', "Pads de l'Écluse", 'Salon Serre', 'Vidéos'],
    ],
    [
      'a page beyond the last is the last',
      { page: '99' },
      ['Formulaires', 'Nuage', "Pads de l'Écluse", 'Salon Serre', 'Vidéos'],
    ],
  ];
  for (const [what, query, expected] of table) {
    it(`finds ${what}: ${JSON.stringify(query)}`, async () => {
      expect(await names(house, query)).to.deep.equal(expected);
    });
  }

  it('counts what each choice would leave, the other filters staying', async () => {
    const { facets, total, all } = await ask(house, { signup: 'Free', need: 'forms' });
    expect([total, all]).to.deep.equal([1, 5]);
    expect(facets.need.map(({ value, count }) => [value, count])).to.deep.equal([
      ['forms', 1],
      ['video', 1],
    ]);
    expect(facets.signup.map(({ value, count }) => [value, count])).to.deep.equal([['Free', 1]]);
    expect(facets.room.map(({ value, count }) => [value, count])).to.deep.equal([['OPEN', 1]]);
  });

  it('says what stands in the way when nothing is found', async () => {
    const { total, without } = await ask(house, { q: 'nuage', signup: 'None' });
    expect(total).to.equal(0);
    expect(without).to.deep.equal([
      { filter: 'signup', count: 1 },
      { filter: 'q', count: 1 },
    ]);
  });

  it('counts services by need for the home page', async () => {
    const counts = await countServicesByNeed(house.store, house.now());
    expect(Object.fromEntries(counts.map(({ need, count }) => [need, count]))).to.deep.equal({
      write: 1,
      notes: 1,
      files: 1,
      calendar: 1,
      chat: 1,
      forms: 1,
      video: 1,
    });
  });

  it('sees what was written a moment ago, and no longer what was withdrawn', async () => {
    const own = await buildTestHouse();
    const hoster = await buildCollective(own);
    expect(await names(own, {})).to.deep.equal([]);
    const services = await Promise.all(['Un', 'Deux', 'Trois'].map((name) => buildService(own, hoster, name)));
    expect(await names(own, {})).to.deep.equal(['Deux', 'Trois', 'Un']);
    await withdrawService(systemContext(own), services[1]?._id ?? '');
    expect(await names(own, {})).to.deep.equal(['Trois', 'Un']);
  });

  it('sees a service whose write was stamped before one that was seen', async () => {
    const own = await buildTestHouse();
    const hoster = await buildCollective(own);
    const [late] = await Promise.all([buildService(own, hoster, 'Tard'), buildService(own, hoster, 'Tôt')]);
    const services = own.store.collection<typeof late>('services');
    const kept = await services.findOneAndDelete({ _id: late?._id ?? '' });
    if (!kept) throw new Error('not there');
    expect(await names(own, {})).to.deep.equal(['Tôt']);
    await services.insertOne(kept);
    own.pass(11_000);
    expect(await names(own, {})).to.deep.equal(['Tard', 'Tôt']);
  });

  it('pages through everything once, newest first when asked', async () => {
    const own = await buildTestHouse();
    const hoster = await buildCollective(own);
    for (let number = 0; number < perPage + 3; number += 1) {
      await buildService(own, hoster, `Service ${String(number).padStart(2, '0')}`);
      own.pass(1000);
    }
    const first = await ask(own, { sort: 'newest' });
    const second = await ask(own, { sort: 'newest', page: '2' });
    expect([first.pages, first.total, first.items.length, second.items.length]).to.deep.equal([2, 23, 20, 3]);
    const all = [...first.items, ...second.items].map(({ name }) => name.fr);
    expect(all).to.deep.equal([...all].sort().reverse());
    expect(new Set(all).size).to.equal(23);
  });

  it('reads a large catalogue by its indexes alone', async () => {
    // Above a thousand documents the tests' store refuses to read a collection from end to end.
    const own = await buildTestHouse();
    const { store } = own;
    await seedServices(store, 1300);
    expect((await ask(own, { q: 'nuage', room: 'OPEN' })).all).to.equal(1300);
    const [recent] = await listRecentServices(store, 3);
    expect(recent?.slug).to.equal('service-0');
    expect(await listServicesOf(store, recent?.collectiveId ?? '')).to.have.length(20);
    expect(await countListedServices(store)).to.equal(1300);
    let count = 0;
    for await (const { listed } of eachListedService(store)) count += Number(listed);
    expect(count).to.equal(1300);
    expect(await purgeWithdrawnServices(systemContext(own))).to.equal(0);
    const [last] = await store
      .collection<Service>('services')
      .find({ listed: true }, { sort: { sortName: -1 }, limit: 1 })
      .toArray();
    await withdrawService(systemContext(own), last?._id ?? '');
    expect((await ask(own, {})).total).to.equal(1299);
  });

  it('knows what well-known software is for', () => {
    const expected: [string, Need[]][] = [
      ['Etherpad', ['write']],
      ['HedgeDoc', ['write', 'notes']],
      ['nextcloud 29', ['files', 'calendar']],
      ['Dovecot + Postfix', ['mail']],
      ['Mobilizon', ['events']],
      ['PeerTube', ['video']],
      ['Forgejo', ['code']],
      ['Mattermost', ['chat']],
      ['Jitsi Meet', ['meet']],
      ['GoToSocial', ['social']],
      ['Galène', ['meet']],
      ['Quelque chose de rare', []],
    ];
    for (const [name, needs] of expected) expect(needsOfSoftware(name), name).to.deep.equal(needs);
    expect(knownSoftwareCount).to.be.greaterThan(200);
  });
});
