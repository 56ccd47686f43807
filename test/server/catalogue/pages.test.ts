import { expect } from 'chai';
import { publishService, setMetrics, withdrawService } from '../../../server/catalogue/actions/services.js';
import { findServiceBySlug, getService, listServicesOf, servicesOf } from '../../../server/catalogue/queries.js';
import { catalogueRoutes } from '../../../server/catalogue/routes.js';
import type { Service } from '../../../server/catalogue/schema.js';
import { unpublishCollective } from '../../../server/collectives/actions.js';
import { collectiveRoutes } from '../../../server/collectives/routes.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { readMetrics, readOrganization, readService } from '../../../server/formats/chatonsinfos/read.js';
import { historyRoutes } from '../../../server/history/routes.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';
import { oversizedProperties, quirkyChatonsInfosFiles } from '../../support/chatonsinfosServer.js';
import { buildCollective, buildService, drain, systemContext } from './catalogueSupport.js';

const base = 'https://bouture.example';
const quirky = new Map(
  [...quirkyChatonsInfosFiles()].map(([path, bytes]) => [
    base + path,
    Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('{{base}}', base), 'latin1'),
  ]),
);

/** Every catalogue key that a page shows as it is: a text is missing. */
function missingTexts(html: string): string[] {
  return [...html.matchAll(/\b(?:catalogue|formats|layout|collectives)\.[a-z]+(?:\.[\w-]+)*\b(?=[^"]*[<])/g)]
    .map(([key]) => key)
    .filter((key) => !/\.(json|csv|atom|example)\b/.test(key));
}

describe('catalogue pages', () => {
  let house: TestHouse;
  let app: TestApp;
  let ecluse: Collective;
  let serre: Collective;
  let pads: Service;
  let member: Person;
  let visitor: Client;
  let french: Client;
  let signedIn: Client;

  before(async () => {
    house = await buildTestHouse({
      fetchText: async (url) => {
        const body = quirky.get(url);
        return body
          ? { outcome: 'read', body, etag: '"1"', lastModified: null, finalUrl: url }
          : { outcome: 'failed', reason: 'bad-status', status: 404 };
      },
    });
    app = await startTestApp(house, [peopleRoutes, catalogueRoutes, historyRoutes, collectiveRoutes]);
    member = await buildPerson(house);
    ecluse = await buildCollective(house, {
      handle: 'ecluse',
      name: "L'Écluse Libre",
      members: [{ personId: member._id, role: 'member' }],
    });
    serre = await buildCollective(house, { handle: 'serre', name: 'Serre Commune' });
    pads = await buildService(house, ecluse, "Pads de l'Écluse", {
      needs: ['write'],
      description: { fr: 'Écrire à plusieurs <b>sans</b> compte.', en: 'Write together without an account.' },
      website: 'https://pads.ecluse.example/',
      priceNote: { fr: '=CMD()', en: 'Free' },
    });
    await buildService(house, serre, 'Formulaires', { needs: ['forms'], registration: 'Free' });
    await buildService(house, serre, 'Brouillon', { published: false });
    await drain(house);
    visitor = app.client();
    french = app.client({ language: 'fr' });
    signedIn = app.client();
    await signIn(signedIn, member);
  });

  const edit = (path = '') => `/my/collectives/${ecluse._id}/services${path}`;

  async function upload(
    files: [string, string | Buffer][],
    text = '',
  ): Promise<{ status: number; location: string | null; text: string }> {
    const from = `/my/collectives/${ecluse._id}/chatonsinfos`;
    const form = new FormData();
    form.set('_csrf', (await signedIn.csrf(from)) ?? '');
    form.set('text', text);
    for (const [name, content] of files) form.append('files', new Blob([new Uint8Array(Buffer.from(content))]), name);
    const response = await fetch(`${app.url}${from}/files`, {
      method: 'POST',
      body: form,
      redirect: 'manual',
      headers: {
        origin: house.site.baseUrl,
        accept: 'text/html',
        'accept-language': 'en',
        'sec-fetch-site': 'same-origin',
        cookie: [...signedIn.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    });
    return { status: response.status, location: response.headers.get('location'), text: await response.text() };
  }

  describe('for everybody', () => {
    it('finds a service by need in French and in English, without a script', async () => {
      const fr = await french.get('/services?need=write');
      expect(fr.status).to.equal(200);
      expect(fr.text)
        .to.include('Pads de l&#x27;Écluse')
        .and.to.include('Écrire à plusieurs')
        .and.to.not.include('Formulaires</a>');
      const en = await visitor.get('/services?need=write&q=together');
      expect(en.text).to.include('Write together without an account.').and.to.include('No account needed');
      for (const { text } of [fr, en]) expect(missingTexts(text)).to.deep.equal([]);
    });

    it('keeps the choices in the address, counts them, and lets each be undone', async () => {
      const { text } = await visitor.get('/services?need=forms&signup=Free&sort=newest');
      expect(text).to.include('<option value="forms" selected>Make a form (1)</option>');
      expect(text).to.include('href="/services?signup&#x3D;Free&amp;sort&#x3D;newest"');
      expect(text).to.include('href="/services?need&#x3D;forms&amp;sort&#x3D;newest"');
    });

    it('helps when nothing is found', async () => {
      const { text, status } = await visitor.get('/services?q=formulaires&need=write');
      expect(status).to.equal(200);
      expect(text).to.include('No service fits all of this').and.to.include('href="/services?need&#x3D;write"');
      expect(missingTexts(text)).to.deep.equal([]);
    });

    it('survives any query', async () => {
      const odd = [
        '?need=x&page=-1&country=%00',
        '?q=%24where%5B%5D',
        '?q=a&q=b',
        '?page=99999999999',
        `?q=${'é'.repeat(500)}`,
      ];
      for (const query of odd) expect((await visitor.get(`/services${query}`)).status, query).to.equal(200);
      expect((await visitor.get('/services?__proto__.x=1')).status).to.equal(422);
    });

    it('shows a service in the reader’s language, with data for search engines, and what people wrote as text', async () => {
      await setMetrics(systemContext(house), pads._id, {
        path: 'http.visits.humans',
        year: 2026,
        step: 'months',
        values: [820, null, 1004],
      });
      const { text, status } = await visitor.get('/@ecluse/services/pads-de-l-ecluse');
      expect(status).to.equal(200);
      expect(text)
        .to.include('Write together without an account.')
        .and.to.include('Visits by people')
        .and.to.include('1,004');
      expect(text).to.include('application/ld+json').and.to.include('"WebApplication"');
      expect(text).to.include('/.well-known/chatonsinfos/ecluse-pads-de-l-ecluse.properties');
      const fr = await french.get('/@ecluse/services/pads-de-l-ecluse');
      expect(fr.text).to.include('&lt;b&gt;sans&lt;/b&gt;').and.to.not.include('<b>sans');
      for (const page of [text, fr.text]) expect(missingTexts(page)).to.deep.equal([]);
    });

    it('sends the short address on, in any case of the handle', async () => {
      expect((await visitor.get(`/services/${pads._id}`)).location).to.equal('/@ecluse/services/pads-de-l-ecluse');
      expect((await visitor.get('/@Ecluse/services/pads-de-l-ecluse')).status).to.equal(200);
    });

    it('hides drafts from strangers and shows them to members', async () => {
      const draft = await buildService(house, ecluse, 'Secret', { published: false });
      for (const path of [
        '/@ecluse/services/secret',
        `/services/${draft._id}`,
        '/@serre/services/brouillon',
        '/@ecluse/services/none',
        '/@nobody/services/x',
      ]) {
        expect((await visitor.get(path)).status, path).to.equal(404);
      }
      expect((await signedIn.get('/@ecluse/services/secret')).text).to.include('Draft');
      expect((await signedIn.get('/@serre/services/brouillon')).status).to.equal(404);
    });

    it('answers 410 for a service that was withdrawn', async () => {
      const gone = await buildService(house, serre, 'Parti');
      await withdrawService(systemContext(house), gone._id);
      expect((await visitor.get('/@serre/services/parti')).status).to.equal(410);
    });

    it('tells what changed, as a page and as a feed', async () => {
      const page = await visitor.get('/changes');
      expect(page.text).to.include('Pads de l&#x27;Écluse').and.to.include('May 2026').and.to.not.include('Brouillon');
      expect(missingTexts(page.text)).to.deep.equal([]);
      const feed = await french.get('/changes.atom');
      expect(feed.headers.get('content-type')).to.match(/^application\/atom\+xml/);
      expect(feed.text).to.include('Nouveau service').and.to.include('/@serre/services/formulaires');
    });
  });

  describe('files', () => {
    const file = (name: string) => `/.well-known/chatonsinfos/${name}.properties`;

    it('publishes instance, collective, service and figures, each naming the next', async () => {
      const federation = await visitor.get(file('federation'));
      expect(federation.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
      expect(federation.headers.get('access-control-allow-origin')).to.equal('*');
      expect(federation.text).to.include(
        'subs.ecluse = http://localhost:3000/.well-known/chatonsinfos/ecluse.properties',
      );
      const organization = readOrganization(Buffer.from((await visitor.get(file('ecluse'))).text));
      if (!organization.ok) throw new Error(organization.refusal);
      expect(organization.model.subs).to.deep.equal([
        {
          key: 'pads-de-l-ecluse',
          url: 'http://localhost:3000/.well-known/chatonsinfos/ecluse-pads-de-l-ecluse.properties',
        },
      ]);
      const service = readService(Buffer.from((await visitor.get(file('ecluse-pads-de-l-ecluse'))).text));
      expect(service.ok && service.model.name).to.equal("Pads de l'Écluse");
      expect(service.ok && service.model.subs.map(({ key }) => key)).to.deep.equal(['metrics']);
      const metrics = readMetrics(Buffer.from((await visitor.get(file('ecluse-pads-de-l-ecluse-metrics'))).text));
      expect(metrics.ok && metrics.model.series[0]?.values).to.deep.equal([820, null, 1004]);
    });

    it('answers 304 to who has it already, by tag and by date', async () => {
      const first = await visitor.get(file('ecluse'));
      const etag = first.headers.get('etag') ?? '';
      // Node's fetch would else ask for a fresh copy whatever we have.
      const ordinary = { 'cache-control': 'max-age=0' };
      expect((await visitor.get(file('ecluse'), { 'if-none-match': etag, ...ordinary })).status).to.equal(304);
      const modified = first.headers.get('last-modified') ?? '';
      expect((await visitor.get(file('ecluse'), { 'if-modified-since': modified, ...ordinary })).status).to.equal(304);
    });

    it('publishes nothing that is not public, even to members', async () => {
      const hidden = await buildCollective(house, { handle: 'cachee' });
      const service = await buildService(house, hidden, 'Ombre');
      expect((await visitor.get(file('cachee-ombre'))).status).to.equal(200);
      await unpublishCollective(systemContext(house), hidden._id);
      await drain(house);
      for (const path of [
        file('cachee'),
        file('cachee-ombre'),
        '/@cachee/librehost.json',
        file('serre-brouillon'),
        file('none'),
        file('ecluse-none'),
      ]) {
        expect((await signedIn.get(path)).status, path).to.equal(404);
      }
      for (const path of ['/catalogue.json', '/catalogue.csv', '/directory.json', file('federation')]) {
        const { text } = await visitor.get(path);
        expect(text, path).to.not.include('cachee').and.to.not.include('Ombre').and.to.not.include('Brouillon');
      }
      expect((await getService(house.store, service._id)).published).to.equal(true);
    });

    it('publishes librehost.json and the directory', async () => {
      const librehost = JSON.parse((await visitor.get('/@ecluse/librehost.json')).text);
      expect(librehost).to.include({ name: "L'Écluse Libre", isServiceProvider: true });
      const directory = JSON.parse((await visitor.get('/directory.json')).text);
      expect(directory.ecluse).to.equal('http://localhost:3000/@ecluse/librehost.json');
    });

    it('publishes the whole catalogue as JSON and as a table without formulas', async () => {
      const { services } = JSON.parse((await visitor.get('/catalogue.json')).text);
      const listed = await servicesOf(house.store).countDocuments({ listed: true });
      expect(services).to.have.length(listed);
      expect(services.find((one: { id: string }) => one.id === pads._id)).to.deep.include({
        needs: ['write'],
        website: 'https://pads.ecluse.example/',
      });
      const csv = (await visitor.get('/catalogue.csv')).text;
      expect(csv.split('\r\n')).to.have.length(listed + 2);
      expect(csv)
        .to.include("'=CMD()")
        .and.to.not.match(/(^|,)=/m);
    });
  });

  describe('for members', () => {
    it('sends visitors to the sign-in page and strangers nowhere', async () => {
      expect((await visitor.get(edit())).location).to.match(/^\/sign-in\?next=/);
      const stranger = app.client();
      await signIn(stranger, await buildPerson(house));
      const paths = ['', '/new', `/${pads._id}`, `/${pads._id}/close`, `/${pads._id}/withdraw`, `/${pads._id}/metrics`];
      for (const path of paths) expect((await stranger.get(edit(path))).status, path).to.equal(404);
      const csrf = (await stranger.csrf('/me')) ?? '';
      for (const path of [
        '/new',
        `/${pads._id}`,
        `/${pads._id}/publish`,
        `/${pads._id}/withdraw`,
        `/${pads._id}/unpublish`,
      ]) {
        const answer = await stranger.postRaw(edit(path), { _csrf: csrf, 'name.fr': 'Volé', version: '1' });
        expect([404, 422], path).to.include(answer.status);
      }
      expect((await getService(house.store, pads._id)).profile.name.fr).to.equal("Pads de l'Écluse");
    });

    it('does not reach a service through another hoster', async () => {
      const foreign = await findServiceBySlug(house.store, serre._id, 'formulaires');
      for (const path of ['', '/close', '/metrics'])
        expect((await signedIn.get(edit(`/${foreign?._id}${path}`))).status).to.equal(404);
      expect((await signedIn.post(edit(`/${foreign?._id}/withdraw`), {}, edit('/new'))).status).to.equal(404);
      expect((await getService(house.store, foreign?._id ?? '')).deletedAt).to.equal(null);
    });

    it('describes, completes and publishes a service', async () => {
      const created = await signedIn.post(edit('/new'), {
        'name.fr': 'Agenda',
        'name.en': 'Diary',
        software: 'Mobilizon',
      });
      expect(created.status).to.equal(303);
      const path = created.location ?? '';
      const page = await signedIn.get(path);
      expect(page.text)
        .to.match(/value="events" checked/)
        .and.to.include('Draft: only members');
      expect(missingTexts(page.text)).to.deep.equal([]);
      const fields = {
        version: '1',
        'name.fr': 'Agenda',
        'name.en': 'Diary',
        needs: 'events',
        registration: 'Free',
        load: 'OPEN',
        status: 'OK',
        'host.providerType': 'OUTSOURCED',
        'host.serverType': 'NANO',
        'software.modules': 'a, b',
      };
      expect((await signedIn.post(path, fields)).status).to.equal(303);
      expect((await signedIn.get(path)).text).to.include('does not go with this kind of hosting');
      expect((await signedIn.post(`${path}/publish`, {}, path)).status).to.equal(303);
      const service = await findServiceBySlug(house.store, ecluse._id, 'agenda');
      expect(service).to.include({ listed: true, version: 3 });
      expect(service?.profile).to.deep.include({ needs: ['events'], registration: 'Free' });
      await drain(house);
      const history = await signedIn.get(`/my/collectives/${ecluse._id}/history?of=${service?._id}`);
      expect(history.text).to.include('Account open to everybody');
      expect(missingTexts(history.text)).to.deep.equal([]);
    });

    it('shows the form again with what was typed and what is wrong', async () => {
      const service = await buildService(house, ecluse, 'Nuage');
      const path = edit(`/${service._id}`);
      const bad = await signedIn.post(path, {
        version: '1',
        'name.fr': '',
        website: 'javascript:alert(1)',
        contactEmail: 'x',
        startDate: '2026-02-31',
        needs: 'teleport',
        registration: 'Free',
        load: 'OPEN',
        status: 'OK',
        'priceNote.en': 'Cheap',
      });
      expect(bad.status).to.equal(422);
      expect(bad.text)
        .to.include('value="Cheap"')
        .and.to.include('This address is not valid')
        .and.to.include('This date does not exist');
      const fine = { version: '1', 'name.fr': 'Nuage', registration: 'Free', load: 'OPEN', status: 'OK' };
      expect((await signedIn.post(path, fine)).status).to.equal(303);
      const late = await signedIn.post(path, { ...fine, load: 'FULL' });
      expect(late.status).to.equal(422);
      expect(late.text).to.include('Somebody changed this service in the meantime');
      expect((await getService(house.store, service._id)).profile.load).to.equal('OPEN');
    });

    it('takes figures pasted or typed, and refuses what is no number', async () => {
      const path = edit(`/${pads._id}/metrics`);
      const year = { path: 'service.users', year: '2026' };
      expect((await signedIn.post(path, { ...year, pasted: '1,2,,4' })).status).to.equal(303);
      expect(
        (await signedIn.post(path, { path: 'service.accounts', year: '2025', 'months.m1': '10', 'months.m12': '12,5' }))
          .status,
      ).to.equal(303);
      const bad = await signedIn.post(path, { ...year, pasted: '1,beaucoup' });
      expect(bad.status).to.equal(422);
      expect((await signedIn.post(path, { ...year, pasted: Array(13).fill(1).join(',') })).text).to.include(
        'A year has twelve months',
      );
      const { metrics } = await getService(house.store, pads._id);
      expect(metrics.find(({ path: one }) => one === 'service.users')?.values).to.deep.equal([1, 2, null, 4]);
      expect(metrics.find(({ path: one }) => one === 'service.accounts')?.values.at(-1)).to.equal(12.5);
      const page = await signedIn.get(path);
      expect(missingTexts(page.text)).to.deep.equal([]);
    });

    it('closes, withdraws and restores with a page that says what happens', async () => {
      const service = await buildService(house, ecluse, 'Éphémère');
      const path = edit(`/${service._id}`);
      for (const page of ['/close', '/withdraw', '/metrics', ''])
        expect(missingTexts((await signedIn.get(path + page)).text), page).to.deep.equal([]);
      expect((await signedIn.post(`${path}/close`, { endDate: '' })).status).to.equal(422);
      expect(
        (await signedIn.post(`${path}/close`, { endDate: '2026-06-30', 'reason.fr': 'Plus de place' })).status,
      ).to.equal(303);
      const shown = await visitor.get('/@ecluse/services/ephemere');
      expect(shown.text).to.include('This service ends on 30 June 2026');
      expect((await signedIn.post(`${path}/withdraw`)).location).to.equal(edit());
      expect((await signedIn.get(edit())).text).to.include('Gone for good on 20 June 2026');
      expect((await signedIn.post(`${path}/restore`, {}, edit())).status).to.equal(303);
      expect(await getService(house.store, service._id)).to.include({ deletedAt: null, published: false });
      await publishService(systemContext(house), service._id);
    });
  });

  describe('imports', () => {
    const start = () => `/my/collectives/${ecluse._id}/chatonsinfos`;

    it('reads an address, shows what would change, takes a correction, and does it on confirmation', async () => {
      const own = await buildCollective(house, {
        handle: 'bouture',
        members: [{ personId: member._id, role: 'member' }],
      });
      const path = `/my/collectives/${own._id}/chatonsinfos`;
      const read = await signedIn.post(`${path}/url`, { url: `${base}/organization.properties` }, path);
      expect(read.status).to.equal(303);
      const preview = read.location ?? '';
      const page = await signedIn.get(preview);
      expect(page.text)
        .to.include('4 services are created.')
        .and.to.include('Line 23')
        .and.to.include('software.license.url');
      expect(missingTexts(page.text)).to.deep.equal([]);
      expect(await listServicesOf(house.store, own._id, { which: 'own' })).to.deep.equal([]);
      const corrected = await signedIn.post(
        `${preview}/correct`,
        {
          address: `${base}/pads.properties`,
          line: '23',
          key: 'software.license.url',
          value: 'https://spdx.org/licenses/Apache-2.0.html',
        },
        preview,
      );
      expect(corrected.status).to.equal(303);
      const second = await signedIn.get(preview);
      expect(second.text).to.include('1 correction made here').and.to.not.include('Line 23');
      await signedIn.post(`${preview}/skip`, { part: `${base}/nuage.properties`, skip: 'on' }, preview);
      const digest = /name="digest" value="([0-9a-f]+)"/.exec((await signedIn.get(preview)).text)?.[1] ?? '';
      const stale = await signedIn.post(`${preview}/apply`, { digest: '0'.repeat(32), publish: 'on' }, preview);
      expect([stale.status, stale.text.includes('changed since this was shown')]).to.deep.equal([422, true]);
      const done = await signedIn.post(
        `${preview}/apply`,
        { digest, publish: 'on', follow: 'on', everyHours: '24' },
        preview,
      );
      expect(done.location).to.equal(`/my/collectives/${own._id}/services`);
      const list = await signedIn.get(done.location ?? '');
      expect(list.text).to.include('3 services created').and.to.include('3 published services');
      expect(missingTexts(list.text)).to.deep.equal([]);
      expect((await visitor.get('/@bouture/services/pads')).text).to.include('Apache-2.0');
      const source = await signedIn.get(path);
      expect(source.text).to.include('Last successful reading').and.to.include('value="24"');
      expect(missingTexts(source.text)).to.deep.equal([]);
      expect((await signedIn.post(`${path}/source/restart`, {}, path)).status).to.equal(303);
      expect((await signedIn.post(`${path}/source/hours`, { everyHours: '400' }, path)).status).to.equal(422);
      expect((await signedIn.post(`${path}/source/remove`, {}, path)).status).to.equal(303);
      expect((await signedIn.get(preview)).status).to.equal(410);
    });

    it('says what is wrong with an address', async () => {
      const unread = await signedIn.post(`${start()}/url`, { url: `${base}/nothing.properties` }, start());
      expect(unread.status).to.equal(422);
      expect(unread.text)
        .to.include('The server has no file at this address (answer 404)')
        .and.to.include(`value="${base}/nothing.properties"`);
      expect((await signedIn.post(`${start()}/url`, { url: 'file:///etc/passwd' }, start())).status).to.equal(422);
      expect(
        (await signedIn.post(`${start()}/url`, { url: `${base}/federation.properties` }, start())).text,
      ).to.include('the file of a network');
      expect((await signedIn.post(`${start()}/url`, { url: `${base}/binary.properties` }, start())).text).to.include(
        'not a text file',
      );
    });

    it('takes files and pasted text, and names those it cannot read', async () => {
      const before = await listServicesOf(house.store, ecluse._id, { which: 'own' });
      const files: [string, Buffer][] = ['pads.properties', 'pads-metrics.properties', 'binary.properties'].map(
        (name) => [name, quirky.get(`${base}/${name}`) ?? Buffer.alloc(0)],
      );
      const sent = await upload(
        files,
        'file.class = service\nservice.name = Collé\nfile.class = service\nservice.name = Collé aussi\n',
      );
      expect(sent.status).to.equal(303);
      const page = await signedIn.get(sent.location ?? '');
      expect(page.text)
        .to.include('3 services are created.')
        .and.to.include('Collé aussi')
        .and.to.include('This is not a text file');
      expect(missingTexts(page.text)).to.deep.equal([]);
      expect(await listServicesOf(house.store, ecluse._id, { which: 'own' })).to.deep.equal(before);
      expect((await signedIn.post(`${sent.location}/cancel`, {}, sent.location ?? '')).status).to.equal(303);
    });

    it('refuses nothing, and a file of 2 MB, in one sentence', async () => {
      const nothing = await upload([]);
      expect([nothing.status, nothing.text.includes('Give at least one file')]).to.deep.equal([422, true]);
      const large = await upload([['gros.properties', oversizedProperties()]]);
      expect([large.status, large.text.includes('This is too large')]).to.deep.equal([422, true]);
    });
  });
});
