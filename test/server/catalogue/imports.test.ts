import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { createFetch } from '../../../federation/fetch.js';
import {
  applyImport,
  beginImport,
  correctImport,
  pruneImports,
  skipInImport,
  viewImport,
} from '../../../server/catalogue/actions/imports.js';
import { closeService, updateService, withdrawService } from '../../../server/catalogue/actions/services.js';
import { refreshDueSources, restartSource } from '../../../server/catalogue/actions/sources.js';
import { crawlOrganization, type ReceivedFile } from '../../../server/catalogue/crawl.js';
import {
  fileAddress,
  readOrganizationModel,
  readServiceModel,
  toMetrics,
  toOrganization,
  toService,
} from '../../../server/catalogue/infos.js';
import {
  findSourceOf,
  importsOf,
  infoFilesOf,
  listServicesOf,
  servicesOf,
  sourcesOf,
} from '../../../server/catalogue/queries.js';
import { needs, type ServiceProfile, serviceProfileShape } from '../../../server/catalogue/schema.js';
import { updateProfile } from '../../../server/collectives/actions.js';
import { getCollective } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { DomainError } from '../../../server/errors.js';
import type { FetchOutcome, FetchText } from '../../../server/fetching.js';
import { readMetrics, readOrganization, readService } from '../../../server/formats/chatonsinfos/read.js';
import { writeChatonsInfos } from '../../../server/formats/chatonsinfos/write.js';
import { listChanges } from '../../../server/history/queries.js';
import { actorFor, buildPerson, buildTestHouse, contextFor, type TestHouse } from '../../support/appSupport.js';
import {
  type Behaviour,
  oversizedProperties,
  quirkyChatonsInfosFiles,
  startChatonsInfosServer,
} from '../../support/chatonsinfosServer.js';
import { buildCollective, buildService, drain, systemContext } from './catalogueSupport.js';

const base = 'https://bouture.example';
const hour = 60 * 60 * 1000;

/** The quirky hoster as files by address, with its own address filled in. */
function quirkyFiles(): Map<string, Buffer> {
  return new Map(
    [...quirkyChatonsInfosFiles()].map(([path, bytes]) => [
      base + path,
      Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('{{base}}', base), 'latin1'),
    ]),
  );
}

interface Asked {
  url: string;
  etag: string | null;
}

function fetchFrom(files: ReadonlyMap<string, Uint8Array | FetchOutcome>, asked: Asked[] = []): FetchText {
  return async (url, request) => {
    asked.push({ url, etag: request.etag ?? null });
    const found = files.get(url);
    if (found === undefined) return { outcome: 'failed', reason: 'bad-status', status: 404 };
    if (!(found instanceof Uint8Array)) return found;
    const etag = `"${createHash('sha256').update(found).digest('hex')}"`;
    if (request.etag === etag) return { outcome: 'not-modified' };
    return { outcome: 'read', body: found, etag, lastModified: null, finalUrl: url };
  };
}

async function crawled(fetchText: FetchText, url = `${base}/organization.properties`) {
  const result = await crawlOrganization(fetchText, url);
  if (!result.ok) throw new Error(result.failure.key);
  return { origin: { kind: 'url' as const, url }, files: result.files, failures: result.failures };
}

async function refusal(deed: Promise<unknown>): Promise<string> {
  try {
    await deed;
  } catch (error) {
    if (error instanceof DomainError) return `${error.code} ${error.safeMessage.key}`;
    throw error;
  }
  return 'done';
}

async function wholeCatalogue(house: TestHouse): Promise<string> {
  const collectives = await house.store.collection('collectives').find().toArray();
  const services = await servicesOf(house.store).find().toArray();
  return JSON.stringify([collectives, services, await sourcesOf(house.store).find().toArray()]);
}

describe('imports', () => {
  let house: TestHouse;
  let hoster: Collective;
  const ctx = () => systemContext(house);
  beforeEach(async () => {
    house = await buildTestHouse();
    hoster = await buildCollective(house, { handle: 'bouture', name: 'Bouture' });
    await drain(house);
  });

  async function confirm(importId: string, everyHours: number | null = null) {
    const { plan } = await viewImport(ctx(), hoster._id, importId);
    return applyImport(ctx(), hoster._id, importId, { digest: plan.digest, publish: true, everyHours });
  }

  it('shows what the quirky hoster would become, every warning at its line, and changes nothing', async () => {
    const before = await wholeCatalogue(house);
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(quirkyFiles())));
    const { plan } = await viewImport(ctx(), hoster._id, draft._id);
    expect(plan.services.map(({ slug, what }) => [slug, what])).to.deep.equal([
      ['pads', 'create'],
      ['nuage', 'create'],
      ['video', 'create'],
      ['courriel', 'create'],
    ]);
    const pads = plan.files.find(({ address }) => address.endsWith('/pads.properties'));
    expect(pads?.remarks.map(({ line, key, message }) => [line, key, message.key])).to.deep.equal([
      [23, 'software.license.url', 'formats.warning.license-url-mismatch'],
      [33, 'host.server.type', 'formats.warning.host-incoherent'],
    ]);
    expect(pads?.remarks[0]?.text).to.equal('software.license.url = https://spdx.org/licenses/MIT.html');
    expect(pads?.remarks[0]?.value).to.equal('https://spdx.org/licenses/MIT.html');
    const organization = plan.files[0];
    expect(organization?.remarks.map(({ message }) => message.key)).to.include.members([
      'formats.warning.bad-line',
      'formats.warning.duplicate-key',
      'formats.warning.bad-url',
      'formats.warning.missing',
    ]);
    expect(await wholeCatalogue(house)).to.equal(before);
  });

  it('carries out what was shown: profile, services with figures, history, unknown keys kept and written back', async () => {
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(quirkyFiles())));
    expect(await confirm(draft._id)).to.deep.equal({ created: 4, changed: 0 });
    const collective = await getCollective(house.store, hoster._id);
    expect(collective.profile).to.deep.include({
      name: { fr: "L'Atelier de la Bouture", en: '' },
      startDate: '2019-03-14',
      website: 'https://bouture.example/',
      legalForm: 'ASSOCIATION',
    });
    expect(collective.profile.description.fr).to.equal(
      'Services libres: courriel, pads et nuage.\nPour les associations de la vallée.\nAdhésion à prix libre.',
    );
    expect(collective.profile.place).to.deep.include({ latitude: 45.764, longitude: 4.8357, countryCode: 'FR' });
    expect(collective.unknownProperties.map(({ key }) => key)).to.include.members([
      'organization.mascot',
      'x-bouture.note',
    ]);
    const services = await listServicesOf(house.store, hoster._id);
    expect(services.map(({ slug }) => slug)).to.have.members(['pads', 'nuage', 'video', 'courriel']);
    const pads = services.find(({ slug }) => slug === 'pads');
    expect(pads?.profile).to.deep.include({
      startDate: '2020-05-02',
      status: 'OK',
      registration: 'None',
      needs: ['write'],
    });
    expect(pads?.metrics.find(({ path }) => path === 'http.visits.humans')?.values).to.deep.equal([null, 73, 33, 10]);
    expect(pads?.origin).to.equal(`${base}/pads.properties`);
    const events = await drain(house);
    expect(events.map(({ type }) => type)).to.have.members([
      'collective.updated',
      ...services.map(() => 'service.edited'),
    ]);
    expect(
      (await listChanges(house.store, { collectiveId: hoster._id })).slice(0, 5).map(({ what }) => what),
    ).to.deep.equal(Array(5).fill('imported'));
    const written = writeChatonsInfos(toOrganization(house.site, collective, services, null));
    expect(written).to.include('organization.mascot = Le bouturage').and.to.include('organization.chatrooms.irc = ');
    expect(await importsOf(house.store).countDocuments()).to.equal(0);
    expect(await infoFilesOf(house.store).countDocuments()).to.equal(0);
  });

  it('leaves everything alone when the same files come again', async () => {
    const files = quirkyFiles();
    await confirm((await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files))))._id);
    const before = await wholeCatalogue(house);
    const again = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files)));
    const { plan } = await viewImport(ctx(), hoster._id, again._id);
    expect(plan.collective?.changes).to.deep.equal([]);
    expect(plan.services.map(({ what, changes }) => [what, changes])).to.deep.equal(Array(4).fill(['same', []]));
    expect(await confirm(again._id)).to.deep.equal({ created: 0, changed: 0 });
    expect(await wholeCatalogue(house)).to.equal(before);
  });

  it('leaves our own files alone when they come back', async () => {
    await confirm((await beginImport(ctx(), hoster._id, await crawled(fetchFrom(quirkyFiles()))))._id);
    const collective = await getCollective(house.store, hoster._id);
    const services = await listServicesOf(house.store, hoster._id);
    const address = fileAddress(house.site, hoster.handle);
    const file = (where: string, text: string, subKey: string | null, parent: string | null): ReceivedFile => ({
      address: where,
      subKey,
      parent,
      body: Buffer.from(text),
      etag: null,
      lastModified: null,
    });
    const files = [
      file(address, writeChatonsInfos(toOrganization(house.site, collective, services, null)), null, null),
    ];
    for (const service of services) {
      const own = fileAddress(house.site, hoster.handle, service.slug);
      files.push(file(own, writeChatonsInfos(toService(house.site, service)), service.slug, address));
      files.push(file(`${own}-m`, writeChatonsInfos(toMetrics(service)), 'metrics', own));
    }
    const draft = await beginImport(ctx(), hoster._id, { origin: { kind: 'files' }, files, failures: [] });
    const { plan } = await viewImport(ctx(), hoster._id, draft._id);
    expect(plan.collective?.changes).to.deep.equal([]);
    expect(plan.services.map(({ what, changes }) => [what, changes])).to.deep.equal(Array(4).fill(['same', []]));
    expect(plan.absent).to.deep.equal([]);
  });

  it('takes a correction made in the preview, and leaves out what a member skips', async () => {
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(quirkyFiles())));
    const correct = { address: `${base}/pads.properties`, line: 33, key: 'host.server.type', value: 'VIRTUAL' };
    await correctImport(ctx(), hoster._id, draft._id, correct);
    await correctImport(ctx(), hoster._id, draft._id, {
      ...correct,
      line: 0,
      key: 'service.guide.user',
      value: 'https://aide.example/é',
    });
    await skipInImport(ctx(), hoster._id, draft._id, { part: `${base}/nuage.properties`, skip: true });
    await skipInImport(ctx(), hoster._id, draft._id, { part: 'collective', skip: true });
    const { plan } = await viewImport(ctx(), hoster._id, draft._id);
    expect(
      plan.files.find(({ address }) => address === correct.address)?.remarks.map(({ line }) => line),
    ).to.deep.equal([23]);
    expect(await confirm(draft._id)).to.deep.equal({ created: 3, changed: 0 });
    const services = await listServicesOf(house.store, hoster._id);
    expect(services.map(({ slug }) => slug)).to.have.members(['pads', 'video', 'courriel']);
    const pads = services.find(({ slug }) => slug === 'pads');
    expect(pads?.profile.host.serverType).to.equal('VIRTUAL');
    expect(pads?.profile.userGuideUrl).to.equal('https://aide.example/%C3%A9');
    expect((await getCollective(house.store, hoster._id)).profile.name.fr).to.equal('Bouture');
  });

  it('corrects a line of a Latin-1 file without touching the accents of the others', async () => {
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(quirkyFiles())));
    const address = `${base}/video-latin1.properties`;
    const { plan } = await viewImport(ctx(), hoster._id, draft._id);
    const untouched = plan.services.find((item) => item.address === address)?.reading.profile;
    await correctImport(ctx(), hoster._id, draft._id, {
      address,
      line: 0,
      key: 'service.status.description',
      value: 'Réparé – enfin ✓',
    });
    const after = (await viewImport(ctx(), hoster._id, draft._id)).plan.services.find(
      (item) => item.address === address,
    );
    expect(after?.reading.profile).to.deep.equal({
      ...untouched,
      statusDescription: { fr: 'Réparé – enfin ✓', en: '' },
    });
  });

  it('does nothing when the catalogue or the choices changed since the preview', async () => {
    const files = quirkyFiles();
    await confirm((await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files))))._id);
    files.set(
      `${base}/pads.properties`,
      Buffer.from(String(files.get(`${base}/pads.properties`)).replace('Apache-2.0', 'MIT')),
    );
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files)));
    const { plan } = await viewImport(ctx(), hoster._id, draft._id);
    expect(plan.services[0]?.changes).to.deep.equal([
      { path: 'software.licenseName', before: 'Apache-2.0', after: 'MIT' },
    ]);
    const shown = { digest: plan.digest, publish: true, everyHours: null };
    const pads = (await listServicesOf(house.store, hoster._id)).find(({ slug }) => slug === 'pads');
    if (!pads) throw new Error('no pads');
    const edited = await updateService(ctx(), pads._id, {
      version: pads.version,
      profile: { ...pads.profile, load: 'FULL' },
    });
    const before = await wholeCatalogue(house);
    expect(await refusal(applyImport(ctx(), hoster._id, draft._id, shown))).to.equal(
      'conflict catalogue.import.changedMeanwhile',
    );
    expect(await wholeCatalogue(house)).to.equal(before);
    await updateService(ctx(), pads._id, { version: edited.version, profile: pads.profile });
    const second = (await viewImport(ctx(), hoster._id, draft._id)).plan;
    await skipInImport(ctx(), hoster._id, draft._id, { part: `${base}/pads.properties`, skip: true });
    const late = applyImport(ctx(), hoster._id, draft._id, { ...shown, digest: second.digest });
    expect(await refusal(late)).to.equal('conflict catalogue.import.changedMeanwhile');
  });

  it('carries a confirmation out once, however often it is clicked', async () => {
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(quirkyFiles())));
    const { plan } = await viewImport(ctx(), hoster._id, draft._id);
    const click = () =>
      refusal(applyImport(ctx(), hoster._id, draft._id, { digest: plan.digest, publish: true, everyHours: null }));
    const answers = await Promise.all([click(), click(), click()]);
    expect(answers.filter((answer) => answer === 'done')).to.have.length(1);
    expect(await servicesOf(house.store).countDocuments({ collectiveId: hoster._id })).to.equal(4);
  });

  it('announces only what opened lately, when the hoster was there before', async () => {
    const files = quirkyFiles();
    const fresh = String(files.get(`${base}/pads.properties`)).replace('02/05/2020', '2026-05-20');
    files.set(`${base}/pads.properties`, Buffer.from(fresh));
    await confirm((await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files))))._id);
    const events = await drain(house);
    const published = events.filter(({ type }) => type === 'service.published');
    const pads = (await listServicesOf(house.store, hoster._id)).find(({ slug }) => slug === 'pads');
    expect(published.map((event) => ('serviceId' in event ? event.serviceId : ''))).to.deep.equal([pads?._id]);
  });

  it('names what a source no longer holds and leaves it; a withdrawn service stays withdrawn', async () => {
    const files = quirkyFiles();
    await confirm((await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files))))._id);
    const byHand = await buildService(house, hoster, 'À la main');
    const nuage = (await listServicesOf(house.store, hoster._id)).find(({ slug }) => slug === 'nuage');
    await withdrawService(ctx(), nuage?._id ?? '');
    const organization = String(files.get(`${base}/organization.properties`)).replace(/subs\.video.*/, '');
    files.set(`${base}/organization.properties`, Buffer.from(organization));
    files.set(`${base}/courriel-bom.properties`, Buffer.from(oversizedProperties()));
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files)));
    const { plan } = await viewImport(ctx(), hoster._id, draft._id);
    expect(plan.absent.map(({ name }) => name.fr)).to.have.length(1);
    expect(plan.services.map(({ slug, what }) => [slug, what])).to.deep.equal([
      ['pads', 'same'],
      ['nuage', 'withdrawn'],
    ]);
    expect(plan.failures.map(({ key }) => key)).to.deep.equal(['formats.refusal.too-large']);
    await confirm(draft._id);
    expect(await listServicesOf(house.store, hoster._id)).to.have.length(4);
    expect(byHand.origin).to.equal(null);
  });

  it('belongs to its hoster: others see and do nothing', async () => {
    const [mine, theirs] = [await buildPerson(house, { password: null }), await buildPerson(house, { password: null })];
    const own = await buildCollective(house, { members: [{ personId: mine._id, role: 'member' }] });
    const other = await buildCollective(house, { members: [{ personId: theirs._id, role: 'representative' }] });
    const me = contextFor(house, await actorFor(house, mine));
    const them = contextFor(house, await actorFor(house, theirs));
    const draft = await beginImport(me, own._id, await crawled(fetchFrom(quirkyFiles())));
    const { plan } = await viewImport(me, own._id, draft._id);
    const confirmation = { digest: plan.digest, publish: true, everyHours: 12 };
    const part = { part: 'collective', skip: true };
    expect(await refusal(viewImport(them, own._id, draft._id))).to.match(/^not-found/);
    expect(await refusal(viewImport(them, other._id, draft._id))).to.match(/^gone/);
    expect(await refusal(applyImport(them, other._id, draft._id, confirmation))).to.match(/^gone/);
    expect(await refusal(skipInImport(them, own._id, draft._id, part))).to.match(/^not-found/);
    expect(await refusal(beginImport(them, own._id, await crawled(fetchFrom(quirkyFiles()))))).to.match(/^not-found/);
    expect(await refusal(restartSource(them, own._id))).to.match(/^not-found/);
    expect(await servicesOf(house.store).countDocuments({ collectiveId: own._id })).to.equal(0);
  });

  it('waits for a day, then is gone with its files', async () => {
    const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(quirkyFiles())));
    house.pass(23 * hour);
    expect(await pruneImports(ctx())).to.equal(0);
    house.pass(2 * hour);
    expect(await refusal(viewImport(ctx(), hoster._id, draft._id))).to.match(/^gone/);
    expect(await pruneImports(ctx())).to.equal(1);
    expect(await infoFilesOf(house.store).countDocuments()).to.equal(0);
  });

  describe('sources', () => {
    async function follow(files: Map<string, Buffer | FetchOutcome>) {
      const draft = await beginImport(ctx(), hoster._id, await crawled(fetchFrom(files)));
      await skipInImport(ctx(), hoster._id, draft._id, { part: `${base}/nuage.properties`, skip: true });
      await confirm(draft._id, 12);
      await drain(house);
    }

    it('reads again when the time has come, asks only for what changed, and takes it over', async () => {
      const files: Map<string, Buffer | FetchOutcome> = quirkyFiles();
      await follow(files);
      const asked: Asked[] = [];
      expect(await refreshDueSources(ctx(), fetchFrom(files, asked))).to.deep.include({ read: 0 });
      house.pass(12 * hour);
      expect(await refreshDueSources(ctx(), fetchFrom(files, asked))).to.deep.equal({
        read: 1,
        failed: 0,
        created: 0,
        changed: 0,
      });
      expect(asked).to.have.length(6);
      expect(asked.every(({ etag }) => etag !== null)).to.equal(true);
      const pads = Buffer.from(
        String(quirkyFiles().get(`${base}/pads.properties`)).replace('load = open', 'load = full'),
      );
      files.set(`${base}/pads.properties`, pads);
      house.pass(12 * hour);
      expect(await refreshDueSources(ctx(), fetchFrom(files))).to.deep.include({ read: 1, created: 0, changed: 1 });
      const service = (await listServicesOf(house.store, hoster._id)).find(({ slug }) => slug === 'pads');
      expect(service?.profile.load).to.equal('FULL');
      expect((await drain(house)).map(({ type, change }) => [type, change?.by])).to.deep.equal([
        ['service.updated', 'system:test'],
      ]);
    });

    it('lets the source win for what it gives, and leaves what it does not give', async () => {
      const files = quirkyFiles();
      await follow(files);
      const pads = (await listServicesOf(house.store, hoster._id)).find(({ slug }) => slug === 'pads');
      if (!pads) throw new Error('no pads');
      const profile = {
        ...pads.profile,
        load: 'FULL' as const,
        priceNote: { fr: 'Prix libre', en: '' },
        name: { ...pads.profile.name, en: 'Our pads' },
      };
      await updateService(ctx(), pads._id, { version: pads.version, profile });
      house.pass(12 * hour);
      await refreshDueSources(ctx(), fetchFrom(files));
      const after = (await listServicesOf(house.store, hoster._id)).find(({ slug }) => slug === 'pads');
      expect(after?.profile).to.deep.include({ load: 'OPEN', priceNote: { fr: 'Prix libre', en: '' } });
      expect(after?.profile.name.en).to.equal('Our pads');
    });

    it('keeps the last good copy and tells the members after three failures in a row', async () => {
      const files: Map<string, Buffer | FetchOutcome> = quirkyFiles();
      await follow(files);
      const before = await listServicesOf(house.store, hoster._id);
      files.set(`${base}/organization.properties`, { outcome: 'failed', reason: 'timeout' });
      for (let strike = 1; strike <= 3; strike += 1) {
        house.pass(12 * hour);
        expect(await refreshDueSources(ctx(), fetchFrom(files))).to.deep.include({ failed: 1 });
        const source = await findSourceOf(house.store, hoster._id);
        expect(source?.strikes).to.equal(strike);
        expect(source?.events?.map(({ type }) => type) ?? []).to.deep.equal(strike === 3 ? ['source.failed'] : []);
      }
      house.pass(48 * hour);
      expect(await refreshDueSources(ctx(), fetchFrom(files))).to.deep.equal({
        read: 0,
        failed: 0,
        created: 0,
        changed: 0,
      });
      expect((await findSourceOf(house.store, hoster._id))?.lastError).to.deep.equal({
        key: 'catalogue.fetch.timeout',
        params: { address: `${base}/organization.properties` },
      });
      expect(await listServicesOf(house.store, hoster._id)).to.deep.equal(before);
      await restartSource(ctx(), hoster._id);
      expect(await refreshDueSources(ctx(), fetchFrom(quirkyFiles()))).to.deep.include({ read: 1, failed: 0 });
      expect(await findSourceOf(house.store, hoster._id)).to.deep.include({
        strikes: 0,
        stoppedAt: null,
        lastError: null,
      });
    });

    it('uses the last good copy of one file that fails, and names it', async () => {
      const files: Map<string, Buffer | FetchOutcome> = quirkyFiles();
      await follow(files);
      files.set(`${base}/pads.properties`, { outcome: 'failed', reason: 'bad-status', status: 500 });
      house.pass(12 * hour);
      expect(await refreshDueSources(ctx(), fetchFrom(files))).to.deep.include({ read: 1, changed: 0 });
      expect((await findSourceOf(house.store, hoster._id))?.lastError?.params).to.deep.equal({
        status: 500,
        address: `${base}/pads.properties`,
      });
      expect(await listServicesOf(house.store, hoster._id)).to.have.length(3);
    });
  });

  describe('bad input, over the real network', () => {
    const behaviours: [string, Behaviour, string][] = [
      ['a file of 2 MB', 'oversized', 'catalogue.fetch.too-large'],
      ['a body without end', 'endless-body', 'catalogue.fetch.too-large'],
      ['a binary file', 'binary', 'formats.refusal.binary'],
      ['redirects without end', 'endless-redirect', 'catalogue.fetch.too-many-redirects'],
      ['a server that drips', 'slow-drip', 'catalogue.fetch.timeout'],
      ['a silent server', 'silent', 'catalogue.fetch.timeout'],
      ['nothing there', 'not-found', 'catalogue.fetch.bad-status'],
    ];
    for (const [what, behaviour, key] of behaviours) {
      it(`ends in a clear message, and no change: ${what}`, async () => {
        const server = await startChatonsInfosServer({
          files: quirkyChatonsInfosFiles(),
          behaviours: { '/organization.properties': behaviour },
        });
        const fetch = createFetch({
          ownOrigin: house.site.baseUrl,
          userAgent: 'test',
          privateHosts: [new URL(server.baseUrl).host],
          now: house.now,
        });
        try {
          const url = `${server.baseUrl}/organization.properties`;
          const result = await crawlOrganization(fetch.fetchText, url, { fileTimeoutMs: 400 });
          expect(result.ok ? 'read' : result.failure.key).to.equal(key);
          for (const language of ['fr', 'en'] as const) {
            expect(house.i18n.has(language, key), `${language} ${key}`).to.equal(true);
          }
        } finally {
          await server.close();
          await fetch.close();
        }
      });
    }

    it('ends after the time for all files, with what it has', async () => {
      const files = quirkyFiles();
      const slow: FetchText = async (url, request) => {
        if (url.endsWith('organization.properties')) return fetchFrom(files)(url, request);
        return new Promise((resolve) =>
          request.signal?.addEventListener('abort', () => resolve({ outcome: 'failed', reason: 'timeout' })),
        );
      };
      const result = await crawlOrganization(slow, `${base}/organization.properties`, { totalTimeoutMs: 50 });
      expect(result.ok && result.failures.map(({ key }) => key)).to.deep.equal(
        Array(4).fill('catalogue.fetch.total-timeout'),
      );
    });

    it('never asks for more than four files at once, nor for a file twice, nor below the figures', async () => {
      let [open, most] = [0, 0];
      const asked: string[] = [];
      const many = Array.from(
        { length: 30 },
        (_, number) => `subs.s${number % 25} = ${base}/s${number % 25}.properties`,
      ).join('\n');
      const fetchText: FetchText = async (url) => {
        asked.push(url);
        open += 1;
        most = Math.max(most, open);
        await new Promise((resolve) => setTimeout(resolve, 1));
        open -= 1;
        const isRoot = url.endsWith('/o.properties');
        const kind = isRoot ? 'organization' : url.includes('-m') ? 'metrics' : 'service';
        const subs = isRoot
          ? many
          : `subs.m = ${url.replace('.properties', '-m.properties')}\nsubs.up = ${base}/o.properties`;
        const text = `file.class = ${kind}\n${kind}.name = X\n${subs}`;
        return { outcome: 'read', body: Buffer.from(text), etag: null, lastModified: null, finalUrl: url };
      };
      const result = await crawlOrganization(fetchText, `${base}/o.properties`);
      expect(result.ok && result.files).to.have.length(51);
      expect(new Set(asked).size).to.equal(asked.length);
      expect(asked).to.have.length(51);
      expect(most).to.equal(4);
    });

    it('refuses a file whose class is not that of its place', async () => {
      const files = quirkyFiles();
      const service = await crawlOrganization(fetchFrom(files), `${base}/pads.properties`);
      expect(service.ok ? '' : service.failure.key).to.equal('formats.refusal.wrong-class');
      const network = await crawlOrganization(fetchFrom(files), `${base}/federation.properties`);
      expect(network.ok ? '' : network.failure.key).to.equal('catalogue.fetch.is-federation');
      files.set(`${base}/nuage.properties`, files.get(`${base}/pads-metrics.properties`) ?? Buffer.alloc(0));
      const result = await crawlOrganization(fetchFrom(files), `${base}/organization.properties`);
      expect(result.ok && result.failures.map(({ address, key }) => [address, key])).to.deep.equal([
        [`${base}/nuage.properties`, 'formats.refusal.wrong-class'],
      ]);
    });
  });

  it('writes any profile so that it is read back the same', () => {
    const text = (max: number) =>
      fc
        .stringMatching(/^[\p{L}\p{N} .,;:=!#'"\\<>/&-]*$/u, { maxLength: 60 })
        .map((value) => value.normalize('NFC').trim().slice(0, max))
        .map((value) => (/^(null)?$/i.test(value.trim()) ? '' : value.trim()));
    const lines = (max: number) =>
      fc
        .array(text(60), { maxLength: 3 })
        .map((parts) => parts.join('\n').trim().slice(0, max))
        .map((value) => (/^null$/i.test(value) ? '' : value));
    const both = (of: fc.Arbitrary<string>) => fc.record({ fr: of, en: of });
    const url = fc.option(
      fc.webUrl({ withQueryParameters: true }).map((value) => new URL(value).href),
      { nil: null },
    );
    const day = fc.option(
      fc
        .date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
        .map((date) => date.toISOString().slice(0, 10)),
      { nil: null },
    );
    const given: fc.Arbitrary<Record<string, unknown>> = fc.record({
      name: both(text(120)).map((name) => (name.fr || name.en ? name : { fr: 'X', en: '' })),
      description: both(lines(2000)),
      website: url,
      logoUrl: url,
      legalUrl: url,
      technicalGuideUrl: url,
      userGuideUrl: url,
      contactUrl: url,
      contactEmail: fc.constantFrom(null, 'a@b.example', 'jean-luc.o+x@mail.example'),
      startDate: day,
      endDate: day,
      status: fc.constantFrom('OK', 'WARNING', 'ALERT', 'ERROR', 'OVER', 'VOID'),
      statusDescription: both(text(300)),
      registration: fc.constantFrom('None', 'Free', 'Member', 'Client'),
      load: fc.constantFrom('OPEN', 'FULL'),
      installType: fc.constantFrom(null, 'PACKAGE', 'CONTAINER'),
      needs: fc.uniqueArray(fc.constantFrom(...needs), { maxLength: 5 }),
      priceNote: both(text(300)),
      limits: both(lines(1000)),
      languages: fc.uniqueArray(fc.constantFrom('fr', 'en', 'oc', 'pt-br'), { maxLength: 3 }),
      software: fc.record({
        name: text(120),
        website: url,
        licenseName: text(120),
        licenseUrl: url,
        version: text(60),
        sourceUrl: url,
        modules: fc.uniqueArray(
          fc
            .stringMatching(/^[a-z_0-9 .-]{1,20}$/)
            .map((item) => item.trim())
            .filter((item) => item !== '' && item !== 'null'),
          { maxLength: 4 },
        ),
      }),
      host: fc.record({
        name: text(120),
        description: lines(1000),
        serverType: fc.constantFrom(null, 'NANO', 'VIRTUAL'),
        distribution: text(120),
        providerType: fc.constantFrom(null, 'HOME', 'OUTSOURCED'),
        hypervisor: text(120),
        countryName: text(120),
        countryCode: fc.constantFrom(null, 'FR', 'BE'),
      }),
    });
    const series = fc.uniqueArray(
      fc.record({
        path: fc.constantFrom('http.visits.humans', 'service.users'),
        year: fc.integer({ min: 2000, max: 2050 }),
        step: fc.constantFrom('months' as const, 'weeks' as const, 'year' as const),
        values: fc
          .array(fc.option(fc.nat(), { nil: null }), { maxLength: 1 })
          .map((values) => (values.at(-1) === null ? [] : values)),
      }),
      { maxLength: 4, selector: ({ path, year, step }) => `${path} ${year} ${step}` },
    );
    fc.assert(
      fc.property(given, series, (raw, metrics) => {
        const profile: ServiceProfile = serviceProfileShape.parse(raw);
        const site = { baseUrl: 'https://ici.example', host: 'ici.example', defaultLanguage: 'fr' as const };
        const service = {
          profile,
          slug: 'x',
          hoster: { handle: 'h', name: { fr: 'H', en: '' } },
          metrics,
          metricsLabels: [{ path: 'service.users', name: 'Comptes', description: '' }],
          unknownProperties: [{ key: 'x-other.key', value: 'gardé' }],
          unknownMetrics: [],
          updatedAt: new Date('2026-05-21T10:00:00Z'),
        };
        const file = writeChatonsInfos(toService(site, service));
        const figures = writeChatonsInfos(toMetrics(service));
        const read = readService(Buffer.from(file));
        const readFigures = readMetrics(Buffer.from(figures));
        if (!read.ok || !readFigures.ok) throw new Error('not read');
        const again = readServiceModel(read.model, [readFigures.model], null, 'fr');
        expect(again.profile).to.deep.equal(profile);
        // Whatever the language of the hoster who reads it.
        expect(readServiceModel(read.model, [readFigures.model], null, 'en').profile).to.deep.equal(profile);
        expect(again.refused).to.deep.equal([]);
        expect(again.metrics).to.deep.equal(metrics);
        expect(again.metricsLabels).to.deep.equal(service.metricsLabels);
        expect(again.unknownProperties).to.deep.equal(service.unknownProperties);
        // Over a service that says something else: what our own file does not give is empty.
        const other = {
          profile: { ...profile, website: 'https://autre.example/', limits: { fr: 'a', en: 'b' } },
          metrics: [],
          metricsLabels: [],
          unknownMetrics: [],
        };
        expect(readServiceModel(read.model, [readFigures.model], other, 'fr').profile).to.deep.equal(profile);
      }),
      { numRuns: 150 },
    );
  });

  it('writes a collective so that it is read back the same', async () => {
    const collective = await getCollective(house.store, hoster._id);
    const profile = {
      ...collective.profile,
      name: { fr: '', en: 'The Cutting' },
      tagline: { fr: 'Cinq mots tout au plus', en: 'Five words' },
      description: { fr: 'Une ligne.\nUne autre.', en: '' },
      statusDescription: { fr: '', en: 'Paused' },
      status: 'IDLE' as const,
      privacyUrl: 'https://x.example/vie',
      languages: ['fr', 'oc'],
      memberOf: [
        { key: 'roseau', startDate: '2024-05-12', endDate: null, status: 'ACTIVE' as const, statusDescription: '' },
        { key: 'chatons', startDate: '2019-11-02', endDate: '2024-01-01', status: null, statusDescription: 'Parti' },
      ],
      socialNetworks: [{ key: 'mastodon', url: 'https://m.example/@x' }],
      chatRooms: [{ key: 'xmpp', url: 'xmpp:a@b.example?join' }],
      place: { address: 'Rue du Port', countryCode: 'FR', countryName: 'France', latitude: 47.998, longitude: -2.733 },
      guarantees: {
        backupPolicy: { fr: 'Chaque nuit', en: 'Nightly' },
        othersWithAccess: { fr: 'Personne', en: '' },
        noticeDays: 90,
      },
    };
    const updated = await updateProfile(ctx(), hoster._id, { version: collective.version, profile });
    const read = readOrganization(Buffer.from(writeChatonsInfos(toOrganization(house.site, updated, [], null))));
    if (!read.ok) throw new Error('not read');
    expect(readOrganizationModel(read.model, updated.profile, 'fr', house.site).patch).to.deep.equal(updated.profile);
    const onlyLong = { ...updated, profile: { ...updated.profile, tagline: { fr: '', en: '' } } };
    const second = readOrganization(Buffer.from(writeChatonsInfos(toOrganization(house.site, onlyLong, [], null))));
    if (!second.ok) throw new Error('not read');
    expect(readOrganizationModel(second.model, updated.profile, 'fr', house.site).patch).to.deep.equal(
      onlyLong.profile,
    );
    await closeService(ctx(), (await buildService(house, hoster, 'X'))._id, {
      endDate: '2026-12-31',
      reason: { fr: '', en: '' },
    });
  });
});
