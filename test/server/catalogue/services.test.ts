import { expect } from 'chai';
import { purgeCatalogueOf, purgeWithdrawnServices } from '../../../server/catalogue/actions/purge.js';
import {
  closeService,
  createService,
  publishService,
  restoreService,
  setMetrics,
  unpublishService,
  updateService,
  withdrawService,
} from '../../../server/catalogue/actions/services.js';
import { searchServices } from '../../../server/catalogue/finder.js';
import {
  findServiceBySlug,
  getService,
  listRecentServices,
  listServiceNews,
  listServicesOf,
} from '../../../server/catalogue/queries.js';
import type { Service } from '../../../server/catalogue/schema.js';
import {
  deleteCollective,
  publishCollective,
  unpublishCollective,
  updateProfile,
} from '../../../server/collectives/actions.js';
import { findCollective, getCollective } from '../../../server/collectives/queries.js';
import type { Context } from '../../../server/context.js';
import { DomainError } from '../../../server/errors.js';
import { listChanges } from '../../../server/history/queries.js';
import { actorFor, buildPerson, buildTestHouse, contextFor, type TestHouse } from '../../support/appSupport.js';
import { buildCollective, buildService, drain, profileOf, systemContext } from './catalogueSupport.js';

const day = 24 * 60 * 60 * 1000;

async function refusal(deed: Promise<unknown>): Promise<string> {
  try {
    await deed;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'done';
}

async function finds(house: TestHouse, q: string): Promise<string[]> {
  const result = await searchServices(house.store, { q, where: 'here', sort: 'name', page: 1 }, house.now());
  return result.items.map(({ name }) => name.fr || name.en);
}

describe('services: deeds', () => {
  let house: TestHouse;
  let ctx: Context;
  beforeEach(async () => {
    house = await buildTestHouse();
    ctx = systemContext(house);
  });

  const eventsOf = async (service: Service) =>
    ((await getService(house.store, service._id)).events ?? []).map(({ type }) => type);

  it('keeps a new service as a draft, with its line of history and without public news', async () => {
    const hoster = await buildCollective(house);
    const service = await createService(ctx, hoster._id, { profile: profileOf("Pads de l'Écluse") });
    expect(service).to.include({
      slug: 'pads-de-l-ecluse',
      published: false,
      listed: false,
      version: 1,
      publishedAt: null,
    });
    const [event] = (await getService(house.store, service._id)).events ?? [];
    expect(event?.type).to.equal('service.edited');
    expect(event?.change).to.deep.include({ what: 'created', by: 'system:test', subjectId: service._id });
    expect(event?.change?.fields).to.deep.include({ path: 'name.fr', before: '', after: "Pads de l'Écluse" });
    expect(await finds(house, 'pads')).to.deep.equal([]);
  });

  it('gives every service of a hoster its own address, whatever they are called', async () => {
    const hoster = await buildCollective(house);
    const slugs = await Promise.all(
      ['Pads', 'Pads', 'Pads', 'Chat metrics', '漢字'].map(
        async (name) => (await createService(ctx, hoster._id, { profile: profileOf(name) })).slug,
      ),
    );
    expect(slugs.sort()).to.deep.equal(['chat-metrics-1', 'pads', 'pads-2', 'pads-3', 'service']);
  });

  it('announces a service when it is published, once', async () => {
    const hoster = await buildCollective(house);
    const service = await createService(ctx, hoster._id, { profile: profileOf('Pads') });
    const published = await publishService(ctx, service._id);
    await publishService(ctx, service._id);
    expect(published).to.include({ listed: true });
    expect(published.publishedAt).to.deep.equal(house.now());
    expect(await eventsOf(service)).to.deep.equal(['service.edited', 'service.published']);
    expect(await finds(house, 'pads')).to.deep.equal(['Pads']);
  });

  it('shows a published service only when its hoster is public, and then tells it as opened', async () => {
    const hoster = await buildCollective(house, { published: false });
    const service = await buildService(house, hoster, 'Pads');
    await drain(house);
    expect(service).to.include({ published: true, listed: false });
    expect(await finds(house, 'pads')).to.deep.equal([]);
    house.pass(day);
    await publishCollective(systemContext(house), hoster._id);
    await drain(house);
    expect(await finds(house, 'pads')).to.deep.equal(['Pads']);
    const { items } = await listServiceNews(house.store, 1, 20);
    expect(items.map(({ kind, at }) => ({ kind, at }))).to.deep.equal([{ kind: 'opened', at: house.now() }]);
    expect((await listRecentServices(house.store, 3)).map(({ _id }) => _id)).to.deep.equal([service._id]);
    await unpublishCollective(systemContext(house), hoster._id);
    await drain(house);
    expect(await finds(house, 'pads')).to.deep.equal([]);
    expect((await listServiceNews(house.store, 1, 20)).items).to.deep.equal([]);
  });

  it('follows the name of its hoster', async () => {
    const hoster = await buildCollective(house, { name: 'Tuile et Lierre' });
    await buildService(house, hoster, 'Courriel');
    await drain(house);
    expect(await finds(house, 'lierre')).to.deep.equal(['Courriel']);
    const { version, profile } = await getCollective(house.store, hoster._id);
    await updateProfile(ctx, hoster._id, { version, profile: { ...profile, name: { fr: 'Ardoise', en: '' } } });
    await drain(house);
    expect(await finds(house, 'lierre')).to.deep.equal([]);
    expect(await finds(house, 'ardoi')).to.deep.equal(['Courriel']);
    const [service] = await listServicesOf(house.store, hoster._id);
    expect(service?.hoster.name.fr).to.equal('Ardoise');
  });

  it('disappears with its hoster in the bin', async () => {
    const hoster = await buildCollective(house);
    await buildService(house, hoster, 'Pads');
    await drain(house);
    await deleteCollective(ctx, hoster._id, hoster.handle);
    await drain(house);
    expect(await finds(house, 'pads')).to.deep.equal([]);
    expect(await listServicesOf(house.store, hoster._id)).to.deep.equal([]);
    expect(await listServicesOf(house.store, hoster._id, { which: 'own' })).to.have.length(1);
  });

  it('tells everybody of a change that people notice, and nobody of the version of the hypervisor', async () => {
    const hoster = await buildCollective(house);
    const service = await buildService(house, hoster, 'Pads');
    await drain(house);
    const quiet = await updateService(ctx, service._id, {
      version: service.version,
      profile: { ...service.profile, host: { ...service.profile.host, hypervisor: 'KVM' } },
    });
    const loud = await updateService(ctx, service._id, {
      version: quiet.version,
      profile: { ...quiet.profile, load: 'FULL' },
    });
    const same = await updateService(ctx, service._id, { version: loud.version, profile: loud.profile });
    expect(same.version).to.equal(loud.version);
    expect(await eventsOf(service)).to.deep.equal(['service.edited', 'service.updated']);
    await drain(house);
    const [last] = await listChanges(house.store, { collectiveId: hoster._id, subjectId: service._id });
    expect(last?.fields).to.deep.equal([{ path: 'load', before: 'OPEN', after: 'FULL' }]);
  });

  it('refuses a change made from an older page', async () => {
    const hoster = await buildCollective(house);
    const service = await buildService(house, hoster, 'Pads');
    await updateService(ctx, service._id, { version: 1, profile: { ...service.profile, load: 'FULL' } });
    const late = updateService(ctx, service._id, {
      version: 1,
      profile: { ...service.profile, website: 'https://x.example/' },
    });
    expect(await refusal(late)).to.equal('conflict');
    expect((await getService(house.store, service._id)).profile).to.deep.include({ load: 'FULL', website: null });
  });

  it('closes a service: announced, then out of the finder from the day after', async () => {
    const hoster = await buildCollective(house);
    const service = await buildService(house, hoster, 'Pads');
    await drain(house);
    const closed = await closeService(ctx, service._id, { endDate: '2026-05-25', reason: { fr: 'Fin', en: '' } });
    expect(closed.profile).to.deep.include({
      endDate: '2026-05-25',
      status: 'OK',
      statusDescription: { fr: 'Fin', en: '' },
    });
    expect(await eventsOf(service)).to.deep.equal(['service.closed']);
    await drain(house);
    expect((await listServiceNews(house.store, 1, 5)).items[0]).to.include({ kind: 'closed', endDate: '2026-05-25' });
    house.pass(4 * day);
    expect(await finds(house, 'pads')).to.deep.equal(['Pads']);
    house.pass(day);
    expect(await finds(house, 'pads')).to.deep.equal([]);
  });

  it('closes at once when the day has come, and refuses a day before the opening', async () => {
    const hoster = await buildCollective(house);
    const service = await buildService(house, hoster, 'Pads', { startDate: '2026-01-01' });
    const early = closeService(ctx, service._id, { endDate: '2025-12-31', reason: { fr: '', en: '' } });
    expect(await refusal(early)).to.equal('invalid');
    const closed = await closeService(ctx, service._id, { endDate: '2026-05-21', reason: { fr: '', en: '' } });
    expect(closed.profile.status).to.equal('OVER');
    expect(await finds(house, 'pads')).to.deep.equal([]);
  });

  it('withdraws into the bin, gives back as a draft, and ends after 30 days', async () => {
    const hoster = await buildCollective(house);
    const service = await buildService(house, hoster, 'Pads');
    await drain(house);
    await withdrawService(ctx, service._id);
    expect(await eventsOf(service)).to.deep.equal(['service.withdrawn']);
    expect(await finds(house, 'pads')).to.deep.equal([]);
    expect(await listServicesOf(house.store, hoster._id, { which: 'bin' })).to.have.length(1);
    const change = updateService(ctx, service._id, { version: 2, profile: profileOf('Autre') });
    expect(await refusal(change)).to.equal('closed');
    expect(await refusal(publishService(ctx, service._id))).to.equal('closed');
    const back = await restoreService(ctx, service._id);
    expect(back).to.include({ published: false, listed: false, deletedAt: null });
    await withdrawService(ctx, service._id);
    await drain(house);
    house.pass(29 * day);
    expect(await purgeWithdrawnServices(systemContext(house))).to.equal(0);
    house.pass(2 * day);
    expect(await purgeWithdrawnServices(systemContext(house))).to.equal(1);
    expect(await findServiceBySlug(house.store, hoster._id, 'pads')).to.equal(null);
  });

  it('takes a published service back to a draft, which is a withdrawal for everybody', async () => {
    const hoster = await buildCollective(house);
    const service = await buildService(house, hoster, 'Pads');
    await drain(house);
    await unpublishService(ctx, service._id);
    expect(await eventsOf(service)).to.deep.equal(['service.withdrawn']);
    expect(await finds(house, 'pads')).to.deep.equal([]);
  });

  it('keeps figures by year, replaces them and takes them away, without news', async () => {
    const hoster = await buildCollective(house);
    const service = await buildService(house, hoster, 'Pads');
    await drain(house);
    const series = { path: 'http.visits.humans', year: 2026, step: 'months' as const };
    await setMetrics(ctx, service._id, { ...series, values: [820, null, 1004, null, null] });
    const kept = await setMetrics(ctx, service._id, { ...series, values: [1, 2, 3] });
    expect(kept.metrics).to.deep.equal([{ ...series, values: [1, 2, 3] }]);
    expect(await eventsOf(service)).to.deep.equal(['service.edited', 'service.edited']);
    const gone = await setMetrics(ctx, service._id, { ...series, values: [null, null] });
    expect(gone.metrics).to.deep.equal([]);
  });

  it('does not exist for people of another hoster', async () => {
    const [mine, theirs] = [await buildPerson(house, { password: null }), await buildPerson(house, { password: null })];
    const hoster = await buildCollective(house, { members: [{ personId: mine._id, role: 'member' }] });
    await buildCollective(house, { members: [{ personId: theirs._id, role: 'representative' }] });
    const service = await buildService(house, hoster, 'Pads');
    const stranger = contextFor(house, await actorFor(house, theirs));
    const profile = profileOf('Volé');
    const deeds = [
      createService(stranger, hoster._id, { profile }),
      updateService(stranger, service._id, { version: 1, profile }),
      publishService(stranger, service._id),
      unpublishService(stranger, service._id),
      closeService(stranger, service._id, { endDate: '2026-06-01', reason: { fr: '', en: '' } }),
      withdrawService(stranger, service._id),
      restoreService(stranger, service._id),
      setMetrics(stranger, service._id, { path: 'a.b', year: 2026, step: 'months', values: [1] }),
      publishService(contextFor(house, null), service._id),
    ];
    expect(await Promise.all(deeds.map(refusal))).to.deep.equal(deeds.map(() => 'not-found'));
    expect(await getService(house.store, service._id)).to.include({ version: 1, published: true });
    const member = contextFor(house, await actorFor(house, mine));
    expect((await updateService(member, service._id, { version: 1, profile })).profile.name.fr).to.equal('Volé');
  });

  it('ends with its collective, and only with it', async () => {
    const [one, two] = [await buildCollective(house), await buildCollective(house)];
    await buildService(house, one, 'Pads');
    await buildService(house, two, 'Nuage');
    await drain(house);
    await purgeCatalogueOf(ctx, one._id);
    expect(await listServicesOf(house.store, one._id, { which: 'own' })).to.deep.equal([]);
    expect((await listServicesOf(house.store, two._id)).map(({ slug }) => slug)).to.deep.equal(['nuage']);
    expect((await listServiceNews(house.store, 1, 9)).items.map(({ collectiveId }) => collectiveId)).to.deep.equal([
      two._id,
    ]);
    expect(await findCollective(house.store, two._id)).to.not.equal(null);
  });

  it('refuses a new service of a collective in the bin', async () => {
    const hoster = await buildCollective(house);
    await deleteCollective(ctx, hoster._id, hoster.handle);
    expect(await refusal(createService(ctx, hoster._id, { profile: profileOf('Pads') }))).to.equal('closed');
  });
});
