// librehost.json: the standard's keys, no more and no fewer; the directory as its network publishes it.
import { expect } from 'chai';
import { writeLibrehost, writeLibrehostDirectory } from '../../../server/formats/librehost.js';

const KEYS = [
  '@context',
  '@type',
  'organizationType',
  'name',
  'tagLine',
  'homeUrl',
  'logo',
  'description',
  'communicationLanguages',
  'contactUrl',
  'privacyPolicyUrl',
  'termsOfServiceUrl',
  'isServiceProvider',
  'foundingDate',
  'version',
  'dateCreated',
  'dateModified',
];
const times = { createdAt: new Date('2026-01-02T03:04:05.678Z'), modifiedAt: new Date('2026-02-02T03:04:05Z') };

describe('writeLibrehost', () => {
  it('has exactly the keys of the standard, even when the hoster gives next to nothing', () => {
    const bare = JSON.parse(JSON.stringify(writeLibrehost({ name: 'Écluse', isServiceProvider: false, ...times })));
    expect(Object.keys(bare)).to.deep.equal(KEYS);
    expect(bare.tagLine).to.equal('');
    expect(bare.communicationLanguages).to.deep.equal([]);
  });

  it('writes what it is given, times in UTC without fractions', () => {
    const written = writeLibrehost({
      name: 'Écluse',
      organizationType: 'Association',
      tagLine: 'Services libres',
      homeUrl: 'https://ecluse.example/',
      communicationLanguages: ['fr', 'nl'],
      isServiceProvider: true,
      foundingDate: '2020-01-01',
      ...times,
    });
    expect(written).to.deep.include({
      '@context': 'http://schema.org',
      '@type': 'Organization',
      version: '0.0.1',
      homeUrl: 'https://ecluse.example/',
      communicationLanguages: ['fr', 'nl'],
      isServiceProvider: true,
      dateCreated: '2026-01-02T03:04:05Z',
      dateModified: '2026-02-02T03:04:05Z',
    });
  });
});

describe('writeLibrehostDirectory', () => {
  it('maps slugs to addresses, in order, whatever the slug', () => {
    const directory = writeLibrehostDirectory([
      { slug: 'ruisseau', url: 'https://r.example/librehost.json' },
      { slug: 'ecluse', url: 'https://e.example/librehost.json' },
      { slug: '__proto__', url: 'https://p.example/librehost.json' },
    ]);
    expect(JSON.stringify(directory)).to.equal(
      '{"__proto__":"https://p.example/librehost.json","ecluse":"https://e.example/librehost.json","ruisseau":"https://r.example/librehost.json"}',
    );
  });
});
