import { expect } from 'chai';
import { type CollectiveProfile, emptyProfile, profileForm } from '../../../server/collectives/schema.js';
import { fieldErrors, nest } from '../../../server/http/form.js';
import { formFields } from './collectiveSupport.js';

const full: CollectiveProfile = {
  ...emptyProfile(),
  name: { fr: 'L’Écluse', en: 'The Lock' },
  description: { fr: 'Une ligne\n\nUne autre', en: '' },
  legalForm: 'COOPERATIVE',
  status: 'IDLE',
  startDate: '2019-04-01',
  endDate: '2026-01-01',
  website: 'https://ecluse.example/',
  contactEmail: 'bonjour@ecluse.example',
  owner: { name: 'Mairie', website: 'https://mairie.example/', logo: null },
  place: { address: 'Montargis', countryCode: 'FR', countryName: 'France', latitude: 47.998, longitude: -2.5 },
  languages: ['fr', 'en'],
  memberOf: [{ key: 'chatons', startDate: '2024-05-12', endDate: null, status: 'ACTIVE', statusDescription: '' }],
  socialNetworks: [{ key: 'mastodon', url: 'https://social.example/@ecluse' }],
  chatRooms: [{ key: 'xmpp', url: 'xmpp:ecluse@salons.example?join' }],
  guarantees: { backupPolicy: { fr: 'Chaque nuit', en: '' }, othersWithAccess: { fr: '', en: '' }, noticeDays: 90 },
};

function read(fields: Record<string, string>) {
  const parsed = profileForm.safeParse(nest(fields));
  if (parsed.success) return parsed.data;
  return Object.fromEntries(fieldErrors(parsed.error).map(({ field, message }) => [field, message.key]));
}

describe('the form of a profile', () => {
  it('gives back what it shows, for an empty and for a full profile', () => {
    const named = { ...emptyProfile(), name: { fr: 'A', en: '' } };
    expect(read(formFields(named, 3))).to.deep.equal({ version: 3, ...named });
    expect(read(formFields(full, 4))).to.deep.equal({ version: 4, ...full });
  });

  it('says each mistake at its field', () => {
    const wrong = {
      ...formFields(full, 1),
      'name.fr': ' ',
      'name.en': '',
      legalForm: 'BANK',
      website: 'javascript:alert(1)',
      contactEmail: 'nobody',
      startDate: '2026-02-30',
      'place.countryCode': 'XX',
      'place.latitude': '91',
      languages: 'français',
      'guarantees.noticeDays': '-1',
      'socialNetworks.0.url': 'ftp://x.example',
      'socialNetworks.2.key': 'peertube',
      'socialNetworks.2.url': '',
      'funding.0.key': '',
      'funding.0.url': 'https://liberapay.example/',
    };
    expect(read(wrong)).to.deep.include({
      'name.fr': 'collectives.error.nameMissing',
      legalForm: 'shape.invalid',
      website: 'shape.url',
      contactEmail: 'shape.email',
      startDate: 'shape.day',
      'place.countryCode': 'shape.country',
      'place.latitude': 'collectives.error.degrees',
      languages: 'shape.languages',
      'guarantees.noticeDays': 'collectives.error.days',
      'socialNetworks.0.url': 'shape.url',
    });
    const rows = { 'socialNetworks.2.key': 'peertube', 'socialNetworks.2.url': '' };
    expect(read({ ...formFields(full, 1), ...rows })).to.deep.equal({ 'socialNetworks.2.url': 'shape.required' });
    const keyless = { 'funding.0.key': '', 'funding.0.url': 'https://liberapay.example/' };
    expect(read({ ...formFields(full, 1), ...keyless })).to.deep.equal({ 'funding.0.key': 'shape.required' });
  });

  it('wants both coordinates or none, and an end after the beginning', () => {
    expect(read({ ...formFields(full, 1), 'place.longitude': '' })).to.deep.equal({
      'place.longitude': 'collectives.error.bothDegrees',
    });
    expect(read({ ...formFields(full, 1), endDate: '2018-01-01' })).to.deep.equal({
      endDate: 'collectives.error.endBeforeStart',
    });
  });

  it('reads degrees with a comma, and folds a list’s key', () => {
    const fields = { ...formFields(full, 1), 'place.latitude': ' 48,5 ', 'socialNetworks.0.key': 'Mastodon ' };
    const profile = read(fields) as CollectiveProfile;
    expect(profile.place.latitude).to.equal(48.5);
    expect(profile.socialNetworks[0]?.key).to.equal('mastodon');
  });

  it('leaves spare rows out and keeps the others in their order', () => {
    const row = (n: number, key: string) => ({
      [`funding.${n}.key`]: key,
      [`funding.${n}.url`]: key && 'https://a.example/',
    });
    const profile = read({ ...formFields(full, 1), ...row(10, 'c'), ...row(0, ''), ...row(2, 'b'), ...row(1, 'a') });
    expect((profile as CollectiveProfile).funding.map((link) => link.key)).to.deep.equal(['a', 'b', 'c']);
  });

  it('refuses more than twenty rows, and rows that are not numbered', () => {
    const many = Object.fromEntries(
      Array.from({ length: 21 }, (_, n) => [
        [`funding.${n}.key`, 'a'],
        [`funding.${n}.url`, 'https://a.example/'],
      ]).flat(),
    );
    expect(read({ ...formFields(full, 1), ...many })).to.deep.equal({ funding: 'collectives.error.tooManyRows' });
    const odd = { 'funding.x.key': 'a', 'funding.x.url': 'https://a.example/' };
    expect(read({ ...formFields(full, 1), ...odd })).to.have.keys(['funding.x']);
  });

  it('ignores what is not a field of the profile', () => {
    const extra = { members: 'x', published: 'on', 'owner.role': 'x', collectiveId: 'x', handle: 'x' };
    expect(read({ ...formFields(full, 1), ...extra })).to.deep.equal({ version: 1, ...full });
  });
});
