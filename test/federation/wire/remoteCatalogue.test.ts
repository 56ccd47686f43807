// Services and hosters in our vocabulary: what we say is what we read, and what others say is bounded.
import { expect } from 'chai';
import fc from 'fast-check';
import { fromHostedService, fromHoster } from '../../../federation/wire/remoteCatalogue.js';
import { toHostedService } from '../../../federation/wire/service.js';
import { emptyProfile } from '../../../server/catalogue/actions/services.js';
import { type Service, type ServiceProfile, serviceProfileShape } from '../../../server/catalogue/schema.js';

const baseUrl = 'https://us.example';
const hoster = `${baseUrl}/actors/ecluse`;
const id = '01909d2e-0000-7000-8000-000000000000';

const profile: ServiceProfile = {
  ...emptyProfile({ fr: 'Blocs-notes', en: 'Pads' }),
  description: { fr: 'Écrire à plusieurs.\n\nSans compte.', en: 'Write together.' },
  website: 'https://pads.example/',
  startDate: '2020-01-02',
  endDate: '2030-01-02',
  status: 'WARNING',
  statusDescription: { fr: 'Lent', en: '' },
  registration: 'Client',
  load: 'FULL',
  needs: ['write', 'notes'],
  priceNote: { fr: '2 €', en: '€2' },
  limits: { fr: '', en: 'ten pads' },
  languages: ['fr', 'en-gb'],
};
const { software, host } = profile;
const service = {
  _id: id,
  publishedAt: new Date('2026-01-01T00:00:00Z'),
  updatedAt: new Date('2026-02-01T00:00:00Z'),
  country: 'BE',
  profile: {
    ...profile,
    software: {
      ...software,
      name: 'Etherpad',
      website: 'https://etherpad.org/',
      version: '2.1',
      licenseName: 'Apache',
    },
    host: { ...host, name: 'Chez nous', providerType: 'HOME', serverType: 'PHYSICAL', countryCode: 'BE' },
  },
} as unknown as Service;

const said = (change: Record<string, unknown> = {}) => ({
  ...toHostedService(service, hoster, { baseUrl, url: `${baseUrl}/@ecluse/services/pads` }, 'fr'),
  ...change,
});

describe('wire: catalogues of others', () => {
  it('reads from what we say what we know', () => {
    expect(fromHostedService(JSON.parse(JSON.stringify(said())), hoster, [])).to.deep.equal({
      key: `${baseUrl}/services/${id}`,
      url: `${baseUrl}/@ecluse/services/pads`,
      profile: service.profile,
      publishedAt: service.publishedAt,
      saidAt: service.updatedAt,
    });
  });

  it('takes the word of its hoster on its own origin alone', () => {
    const refused = [
      said({ hoster: `${baseUrl}/actors/other` }),
      said({ id: 'https://other.example/services/1' }),
      said({ id: 'https://us.example.evil.example/services/1' }),
      said({ id: 'http://us.example/services/1' }),
      said({ id: undefined }),
      said({ type: 'Note' }),
      said({ name: '', nameMap: {} }),
      null,
      'text',
      [],
    ];
    for (const json of refused) expect(fromHostedService(json, hoster, [])).to.equal(null);
    expect(fromHostedService(said({ url: 'https://other.example/' }), hoster, [])?.url).to.equal(
      `${baseUrl}/services/${id}`,
    );
  });

  it('makes of anything at all a profile that is possible here, or nothing', () => {
    const odd = fc.oneof(
      fc.anything(),
      fc.string({ maxLength: 3000 }),
      fc.constantFrom('javascript:alert(1)', '\u202eabc', 'a\u0000b', '2020-99-99', 'ZZ', '\ud83d'.repeat(200)),
    );
    const names = Object.keys(said()).filter((name) => !['id', 'type', 'hoster'].includes(name));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), odd), (change) => {
        const read = fromHostedService(said(change), hoster, []);
        if (read === null) return;
        expect(serviceProfileShape.safeParse(read.profile).success).to.equal(true);
        expect(JSON.stringify(read)).not.to.include('\u202e');
        for (const address of [read.profile.website, read.profile.software.website]) {
          expect(address ?? 'https://').to.match(/^https?:/);
        }
        expect(read.url.startsWith(`${baseUrl}/`)).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it('knows a hoster by its own document, with a catalogue on its own origin', () => {
    const actor = { id: hoster, preferredUsername: 'Ecluse', name: 'L’Écluse', catalogue: `${hoster}/catalogue` };
    const read = fromHoster({ ...actor, country: 'be', website: 'javascript:1', memberOf: ['chatons', 3] }, hoster, []);
    expect(read?.hoster).to.include({ handle: 'ecluse@us.example', country: 'BE', website: null, url: hoster });
    expect(read?.hoster.networks).to.deep.equal(['chatons']);
    for (const change of [{ id: `${baseUrl}/x` }, { catalogue: 'https://other.example/' }, { catalogue: undefined }]) {
      expect(fromHoster({ ...actor, ...change }, hoster, [])).to.equal(null);
    }
  });
});
