import { expect } from 'chai';
import { deleteCollective, setStatus } from '../../../server/collectives/actions.js';
import {
  countPublicCollectives,
  findCollectiveByHandle,
  findPublicly,
  listAllCollectives,
  listCollectivesOf,
  listCountries,
  listPublicCollectives,
  termsOf,
} from '../../../server/collectives/queries.js';
import { type CollectiveProfile, emptyProfile } from '../../../server/collectives/schema.js';
import { retireHandle } from '../../../server/handles/handles.js';
import { buildTestHouse, contextFor, systemActor, type TestHouse } from '../../support/appSupport.js';
import { buildCollective, buildMember, refusalOf } from './collectiveSupport.js';

describe('finding collectives', () => {
  let house: TestHouse;

  const place = (address: string, countryCode: string): CollectiveProfile['place'] => ({
    ...emptyProfile().place,
    address,
    countryCode,
  });

  before(async () => {
    house = await buildTestHouse();
    const build = (fr: string, profile: Partial<CollectiveProfile> = {}, published = true) =>
      buildCollective(house, { name: { fr, en: '' }, profile, published });
    await build('L’Écluse Libre', { place: place('Montargis', 'FR') });
    await build('Tuile & Lierre', { place: place('Saint-Girons', 'FR'), tagline: { fr: 'Courriel', en: 'Mail' } });
    await build('Serre Commune', { place: place('Namur', 'BE') });
    await build('Brouillon', { place: place('Oslo', 'NO') }, false);
    const gone = await build('Corbeille', { place: place('Rome', 'IT') });
    await deleteCollective(contextFor(house, systemActor), gone._id, gone.handle);
  });

  const names = async (search: Parameters<typeof listPublicCollectives>[1]) =>
    (await listPublicCollectives(house.store, search)).items.map((one) => one.profile.name.fr);

  it('lists what is published by name, accents folded; no draft, nothing from the bin', async () => {
    expect(await names({})).to.deep.equal(['L’Écluse Libre', 'Serre Commune', 'Tuile & Lierre']);
    expect(await countPublicCollectives(house.store)).to.equal(3);
    expect(await listCountries(house.store)).to.deep.equal(['BE', 'FR']);
  });

  it('finds by the beginning of each word, without accents, in any case', async () => {
    expect(await names({ q: 'ECLUSE' })).to.deep.equal(['L’Écluse Libre']);
    expect(await names({ q: 'éclu mont' })).to.deep.equal(['L’Écluse Libre']);
    expect(await names({ q: 'mail girons' })).to.deep.equal(['Tuile & Lierre']);
    expect(await names({ q: 'luse' })).to.deep.equal([]);
    expect(await names({ q: 'brouillon' })).to.deep.equal([]);
    expect(await names({ q: '.*' })).to.have.length(3);
  });

  it('narrows by country and situation', async () => {
    expect(await names({ country: 'FR' })).to.deep.equal(['L’Écluse Libre', 'Tuile & Lierre']);
    const serre = (await listPublicCollectives(house.store, { q: 'serre' })).items[0];
    await setStatus(contextFor(house, systemActor), serre?._id ?? '', {
      version: serre?.version ?? 0,
      status: 'IDLE',
      statusDescription: { fr: 'x', en: '' },
      endDate: null,
    });
    expect(await names({ status: 'IDLE' })).to.deep.equal(['Serre Commune']);
    expect(await names({ status: 'IDLE', country: 'FR' })).to.deep.equal([]);
  });

  it('gives pages, and the last one for a number beyond', async () => {
    const first = await listPublicCollectives(house.store, { limit: 2 });
    expect({ ...first, items: first.items.length }).to.deep.equal({ items: 2, total: 3, page: 1, pages: 2 });
    const last = await listPublicCollectives(house.store, { limit: 2, page: 9 });
    expect(last.items.map((one) => one.profile.name.fr)).to.deep.equal(['Tuile & Lierre']);
    expect(last.page).to.equal(2);
  });

  it('shows the administration everything, and the bin apart', async () => {
    const all = await listAllCollectives(house.store, { limit: 50 });
    expect(all.items.map((one) => one.profile.name.fr)).to.include.members(['Brouillon']);
    expect(all.total).to.equal(4);
    const bin = await listAllCollectives(house.store, { bin: true });
    expect(bin.items.map((one) => one.profile.name.fr)).to.deep.equal(['Corbeille']);
  });

  it('lists the collectives of a person, drafts too, those in the bin last', async () => {
    const { person, collective } = await buildMember(house, 'representative', { name: { fr: 'A', en: '' } });
    const members = [{ personId: person._id, role: 'member' as const }];
    const draft = await buildCollective(house, { members, name: { fr: 'B', en: '' }, published: false });
    await deleteCollective(contextFor(house, systemActor), collective._id, collective.handle);
    const mine = await listCollectivesOf(house.store, person._id);
    expect(mine.map((one) => one._id)).to.deep.equal([draft._id, collective._id]);
  });

  it('finds by handle in any case, and shows a draft to its members only', async () => {
    const { ctx, collective } = await buildMember(house, 'member', { published: false });
    const visitor = contextFor(house, null);
    expect((await findCollectiveByHandle(house.store, collective.handle.toUpperCase()))?._id).to.equal(collective._id);
    expect((await findPublicly(ctx, collective.handle))?._id).to.equal(collective._id);
    expect(await refusalOf(findPublicly(visitor, collective.handle))).to.equal('not-found error.notFound');
    expect(await findPublicly(visitor, 'nobody')).to.equal(null);
  });

  it('says that a hoster ended here, when its name is all that is left', async () => {
    const { collective } = await buildMember(house, 'member');
    const visitor = contextFor(house, null);
    await retireHandle(visitor, collective.handle);
    await house.store.collection('collectives').deleteOne({ _id: collective._id });
    expect(await refusalOf(findPublicly(visitor, collective.handle))).to.equal('gone collectives.error.gone');
  });

  it('keeps each search word once', () => {
    const profile = { ...emptyProfile(), name: { fr: 'Pads Pads', en: 'PADS' }, place: place('Évry', 'FR') };
    expect(termsOf(profile, 'pads')).to.deep.equal(['pads', 'evry']);
  });
});
