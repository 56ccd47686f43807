import { expect } from 'chai';
import { deleteCollective, publishCollective, setLogo, updateProfile } from '../../../server/collectives/actions.js';
import { getCollective } from '../../../server/collectives/queries.js';
import { collectiveRoutes } from '../../../server/collectives/routes.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { historyRoutes } from '../../../server/history/routes.js';
import { newId } from '../../../server/ids.js';
import type { Person } from '../../../server/people/schema.js';
import { publishPost } from '../../../server/posts/actions.js';
import { listPublicPosts } from '../../../server/posts/queries.js';
import { postRoutes } from '../../../server/posts/routes.js';
import { uploadRoutes } from '../../../server/uploads/routes.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  contextFor,
  signIn,
  systemActor,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';
import { buildService, drain } from '../catalogue/catalogueSupport.js';
import { jpeg, png } from '../uploads/pictures.js';
import { buildCollective, formFields, startCollectiveApp } from './collectiveSupport.js';

describe('pages of collectives', () => {
  let house: TestHouse;
  let app: TestApp;
  let collective: Collective;
  let other: Collective;
  const people: Record<string, Person> = {};
  const clients: Record<string, Client> = {};

  before(async function () {
    this.timeout(60_000);
    house = await buildTestHouse();
    app = await startCollectiveApp(house);
    people.administrator = await buildPerson(house, { instanceRole: 'administrator' });
    for (const name of ['representative', 'member', 'stranger']) people[name] = await buildPerson(house);
    const role = (name: 'representative' | 'member') => ({ personId: people[name]?._id ?? '', role: name });
    collective = await buildCollective(house, {
      handle: 'ecluse',
      name: { fr: 'L’Écluse Libre', en: '' },
      members: [role('representative'), role('member')],
      profile: { place: { address: 'Montargis', countryCode: 'FR', countryName: '', latitude: 48, longitude: 2.7 } },
    });
    const canary = { personId: people.stranger?._id ?? '', role: 'representative' as const };
    other = await buildCollective(house, {
      handle: 'canary',
      name: { fr: 'Canary', en: 'Canary' },
      members: [canary],
      published: false,
    });
    for (const [name, person] of Object.entries(people)) {
      clients[name] = app.client();
      await signIn(clients[name] as Client, person);
    }
    clients.visitor = app.client();
  });

  const as = (name: string): Client => clients[name] ?? app.client();
  const reload = () => getCollective(house.store, collective._id);
  const base = (id = collective._id) => `/my/collectives/${id}`;
  const system = () => contextFor(house, systemActor);

  describe('who may enter', () => {
    /** What each role is answered by GET; R: sent to sign in. */
    const table: Record<string, string> = {
      //                                                     visitor stranger member representative administrator
      '/collectives': '200 200 200 200 200',
      '/@:name': '200 200 200 200 200',
      '/@:name/posts': '200 200 200 200 200',
      '/@:name/posts.atom': '200 200 200 200 200',
      '/@:name/posts/:post': '200 200 200 200 200',
      '/media/:id': '200 200 200 200 200',
      '/my/collectives': 'R 200 200 200 200',
      '/my/collectives/new': 'R 403 403 403 200',
      '/my/collectives/:id': 'R 404 200 200 200',
      '/my/collectives/:id/profile': 'R 404 200 200 200',
      '/my/collectives/:id/logo': 'R 404 200 200 200',
      '/my/collectives/:id/members': 'R 404 200 200 200',
      '/my/collectives/:id/settings': 'R 404 403 200 200',
      '/my/collectives/:id/history': 'R 404 200 200 200',
      '/my/collectives/:id/posts': 'R 404 200 200 200',
      '/my/collectives/:id/posts/new': 'R 404 200 200 200',
      '/my/collectives/:id/posts/:post/edit': 'R 404 200 200 200',
      '/my/collectives/:id/posts/:post/delete': 'R 404 200 200 200',
      '/my/collectives/:id/posts/:post/reactions': 'R 404 200 200 200',
      '/admin/collectives': 'R 404 404 404 200',
    };
    /** What each role is answered when it posts a form that asks for nothing harmful; 303: done. */
    const deeds: Record<string, [Record<string, string>, string]> = {
      '/my/collectives/new': [{ 'name.fr': '', 'name.en': '', handle: '', legalForm: 'OTHER' }, '403 403 403 403 422'],
      '/my/collectives/:id/status': [{ version: '0' }, '403 404 422 422 422'],
      '/my/collectives/:id/publish': [{}, '403 404 303 303 303'],
      '/my/collectives/:id/unpublish': [{}, '403 404 403 303 303'],
      '/my/collectives/:id/profile': [{ version: '0' }, '403 404 422 422 422'],
      '/my/collectives/:id/logo': [{}, '403 404 422 422 422'],
      '/my/collectives/:id/logo/remove': [{}, '403 404 303 303 303'],
      '/my/collectives/:id/settings': [{ version: '0', acceptsFollowers: 'at-once' }, '403 404 403 422 422'],
      '/my/collectives/:id/delete': [{ handle: 'wrong' }, '403 404 403 422 422'],
      '/my/collectives/:id/restore': [{}, '403 404 403 303 303'],
      '/my/collectives/:id/members/invite': [{ email: 'no', role: 'member' }, '403 404 422 422 422'],
      '/my/collectives/:id/members/invitations/:invitation/revoke': [{}, '403 404 403 404 404'],
      '/my/collectives/:id/members/:person/role': [{ role: 'member' }, '403 404 403 404 404'],
      '/my/collectives/:id/members/:person/remove': [{}, '403 404 403 404 404'],
      '/my/collectives/:id/posts/new': [{ 'text.fr': 'x', 'text.en': '', step: 'preview' }, '403 404 200 200 200'],
      '/my/collectives/:id/posts/:post/edit': [
        { 'text.fr': 'x', 'text.en': '', step: 'preview', version: '1' },
        '403 404 200 200 200',
      ],
      '/my/collectives/:id/posts/:post/delete': [{}, '403 404 303 410 410'],
    };
    const roles = ['visitor', 'stranger', 'member', 'representative', 'administrator'];
    let logoId: string;
    let postId: string;

    before(async () => {
      logoId = (await setLogo(system(), collective._id, png)).logoId ?? '';
      postId = (await publishPost(system(), collective._id, { fr: 'Bonjour', en: '' }))._id;
    });
    // The table's own deeds unpublish and delete: put back what the other tests read.
    after(async () => {
      await publishCollective(system(), collective._id);
    });

    const concrete = (path: string) =>
      path
        .replace('/media/:id', `/media/${logoId}`)
        .replace(':id', collective._id)
        .replace(':name', 'ecluse')
        .replace(':post', postId)
        .replace(':person', newId())
        .replace(':invitation', newId());

    it('is written down for every route there is', () => {
      const all = [collectiveRoutes, postRoutes, historyRoutes, uploadRoutes].flatMap((slice) => slice(house).list);
      // A person's own posts are tried with the people: test/security/access.ts has every route.
      const here = all.filter(({ path }) => !path.startsWith('/me/'));
      const paths = (method: string) => here.filter((one) => one.method === method).map((one) => one.path);
      expect(Object.keys(table).sort()).to.deep.equal(paths('get').sort());
      expect(Object.keys(deeds).sort()).to.deep.equal(paths('post').sort());
    });

    it('is so for reading', async () => {
      for (const [path, expected] of Object.entries(table)) {
        const answers: string[] = [];
        for (const role of roles) {
          const answer = await as(role).get(concrete(path));
          answers.push(answer.location?.startsWith('/sign-in?next=') ? 'R' : String(answer.status));
        }
        expect(answers.join(' '), path).to.equal(expected);
      }
    });

    it('is so for acting', async () => {
      for (const [path, [fields, expected]] of Object.entries(deeds)) {
        const answers: number[] = [];
        for (const role of roles) {
          const csrf = role === 'visitor' ? 'none' : await as(role).csrf('/my/collectives');
          answers.push((await as(role).postRaw(concrete(path), { _csrf: csrf ?? '', ...fields })).status);
        }
        expect(answers.join(' '), path).to.equal(expected);
      }
    });

    it('refuses every deed without the token of the session', async () => {
      const { version } = await reload();
      for (const [path, [fields]] of Object.entries(deeds)) {
        const answer = await as('administrator').postRaw(concrete(path), fields);
        expect(answer.status, path).to.equal(403);
      }
      expect((await reload()).version).to.equal(version);
    });

    it('answers the same for another’s collective and for none at all', async () => {
      for (const path of Object.keys(table).filter((one) => one.startsWith('/my/collectives/:id'))) {
        const [theirs, none] = await Promise.all(
          [other._id, newId()].map((id) => as('member').get(concrete(path.replace(':id', id)))),
        );
        const plain = (text = '') => text.replace(/[0-9a-f-]{36}/g, 'ID').replace(/value="[^"]*"/g, '');
        expect(theirs?.status, path).to.equal(404);
        expect(plain(theirs?.text), path).to.equal(plain(none?.text));
      }
      expect((await as('member').get('/my/collectives/not-an-id')).status).to.equal(404);
    });

    it('never shows a draft to others, not even its name', async () => {
      for (const path of [
        '/collectives',
        '/collectives?q=canary',
        '/@canary',
        '/@canary/posts',
        '/@canary/posts.atom',
      ]) {
        for (const role of ['visitor', 'member']) {
          const answer = await as(role).get(path);
          expect(answer.text.replaceAll('q=canary', '').replaceAll('value="canary"', ''), path).to.not.contain(
            'Canary',
          );
          if (path.startsWith('/@')) expect(answer.status, path).to.equal(404);
        }
      }
    });
  });

  describe('the list', () => {
    it('shows hosters, searches, and says how many', async () => {
      const list = await as('visitor').get('/collectives?q=eclu&country=FR');
      expect(list.text).to.contain('href="/@ecluse"').and.to.contain('1 result');
      const none = await as('visitor').get('/collectives?q=zzz');
      expect(none.text).to.contain('Nothing matches');
    });

    it('takes nonsense in its address for nothing', async () => {
      const answer = await as('visitor').get('/collectives?status=X&country=%3Cscript%3E&page=-4');
      expect(answer.status).to.equal(200);
      expect(answer.text).to.not.contain('<script>');
    });

    it('is there in French too', async () => {
      const list = await app.client({ language: 'fr' }).get('/collectives?q=eclu');
      expect(list.text).to.contain('1 résultat').and.to.contain('lang="fr"');
    });
  });

  describe('the page of a hoster', () => {
    it('says who it is, names its services, and leads to its other faces', async () => {
      await buildService(house, collective, 'Pads');
      await drain(house);
      const { text } = await as('visitor').get('/@ecluse');
      expect(text).to.contain('L’Écluse Libre').and.to.contain('@ecluse@localhost:3000');
      expect(text).to.contain('/@ecluse/services/pads');
      expect(text).to.contain('https://www.openstreetmap.org/?mlat&#x3D;48.0000&amp;mlon&#x3D;2.7000');
      expect(text).to.contain('<link rel="alternate" type="application/activity+json" href="/actors/ecluse">');
      expect(text).to.contain('href="/@ecluse/librehost.json"').and.to.contain('href="/@ecluse/posts.atom"');
      const jsonLd = JSON.parse(/<script type="application\/ld\+json">(.*?)<\/script>/.exec(text)?.[1] ?? '{}');
      expect(jsonLd).to.deep.include({ '@type': 'Organization', name: 'L’Écluse Libre' });
    });

    it('is at one address only', async () => {
      const answer = await as('visitor').get('/@Ecluse');
      expect([answer.status, answer.location]).to.deep.equal([303, '/@ecluse']);
      expect((await as('visitor').get('/@nobody-here')).status).to.equal(404);
    });

    it('makes no link of an address that could act', async () => {
      const bad = await buildCollective(house, {
        handle: 'bad',
        profile: {
          website: 'javascript:alert(1)',
          chatRooms: [{ key: 'x"><script>', url: 'data:text/html,<script>alert(1)</script>' }],
          description: { fr: '<img src=x onerror=alert(1)>', en: '' },
        },
      });
      const { text } = await as('visitor').get(`/@${bad.handle}`);
      expect(text).to.not.match(/href="(javascript|data):/);
      expect(text).to.not.contain('<img src=x').and.to.not.contain('"><script>');
    });

    it('is gone from view in the bin, except for its members, who are told until when', async () => {
      const binned = await buildCollective(house, {
        handle: 'binned',
        members: [{ personId: people.member?._id ?? '', role: 'representative' }],
      });
      await deleteCollective(system(), binned._id, 'binned');
      expect((await as('visitor').get('/@binned')).status).to.equal(404);
      expect((await as('member').get('/@binned')).text)
        .to.contain('In the bin')
        .and.to.contain('20 June 2026');
      const overview = await as('member').get(base(binned._id));
      expect(overview.text).to.contain(`${base(binned._id)}/restore`);
      await as('member').post(`${base(binned._id)}/restore`, {}, base(binned._id));
      expect((await as('visitor').get('/@binned')).status).to.equal(200);
    });
  });

  describe('editing', () => {
    it('saves the profile as typed, and says so on the next page', async () => {
      const { profile, version } = await reload();
      const fields = {
        ...formFields(profile, version),
        'tagline.fr': 'Pads & courriel',
        'funding.1.key': 'liberapay',
        'funding.1.url': 'https://liberapay.com/x',
      };
      const answer = await as('member').post(`${base()}/profile`, fields);
      expect([answer.status, answer.location]).to.deep.equal([303, base()]);
      expect((await as('member').get(base())).text).to.contain('The profile is saved.');
      const saved = (await reload()).profile;
      expect(saved.tagline.fr).to.equal('Pads & courriel');
      expect(saved.funding).to.deep.equal([{ key: 'liberapay', url: 'https://liberapay.com/x' }]);
    });

    it('gives back everything typed, with each mistake at its field', async () => {
      const { profile, version } = await reload();
      const typed = {
        ...formFields(profile, version),
        'name.fr': '',
        'name.en': '',
        website: 'nonsense',
        'description.fr': 'Un long texte que personne ne veut retaper',
        'chatRooms.1.key': 'matrix',
        'chatRooms.1.url': 'not an address',
      };
      const answer = await as('member').post(`${base()}/profile`, typed);
      expect(answer.status).to.equal(422);
      expect(answer.text).to.contain('Un long texte que personne ne veut retaper').and.to.contain('value="nonsense"');
      expect(answer.text).to.contain('id="f-website-error"').and.to.contain('id="f-name-fr-error"');
      expect(answer.text).to.contain('value="not an address"').and.to.contain('id="f-chatRooms-1-url-error"');
      expect((await reload()).version).to.equal(version);
    });

    it('keeps the words of who comes second, and saves them when they insist', async () => {
      const { profile, version } = await reload();
      const fields = { ...formFields(profile, version), 'description.fr': 'Le mien' };
      await updateProfile(system(), collective._id, {
        version,
        profile: { ...profile, website: 'https://x.example/' },
      });
      const refused = await as('member').post(`${base()}/profile`, fields);
      expect(refused.status).to.equal(422);
      expect(refused.text).to.contain('Le mien').and.to.contain('Somebody saved a change while you were writing');
      const shown = /name="version" value="(\d+)"/.exec(refused.text)?.[1] ?? '';
      expect(Number(shown)).to.equal(version + 1);
      const saved = await as('member').post(`${base()}/profile`, { ...fields, version: shown });
      expect(saved.status).to.equal(303);
      expect((await reload()).profile.description.fr).to.equal('Le mien');
    });

    it('takes no other field than those of the form', async () => {
      const before = await reload();
      const more = {
        published: 'false',
        handle: 'stolen',
        'members.0.personId': 'x',
        'members.0.role': 'representative',
        collectiveId: other._id,
        logoId: 'x',
        deletedAt: '2020-01-01',
        'profile.name.fr': 'stolen',
        role: 'administrator',
      };
      await as('member').post(`${base()}/profile`, { ...formFields(before.profile, before.version), ...more });
      await as('representative').post(`${base()}/settings`, {
        version: String(before.version),
        acceptsFollowers: 'by-hand',
        ...more,
      });
      const after = await reload();
      const { members, published, handle, logoId, deletedAt, profile } = before;
      expect(after).to.deep.include({ members, published, handle, logoId, deletedAt, profile });
      expect(after.acceptsFollowers).to.equal('by-hand');
    });

    it('refuses names that could reach into the store or a prototype', async () => {
      const { profile, version } = await reload();
      for (const name of ['__proto__.x', 'constructor.prototype.x', '$set.published', 'name.$gt', '_id', 'a.b.c.d.e']) {
        const answer = await as('member').post(`${base()}/profile`, { ...formFields(profile, version), [name]: 'x' });
        expect(answer.status, name).to.equal(422);
      }
      expect((await reload()).version).to.equal(version);
    });

    it('announces a pause with its reason', async () => {
      const { version } = await reload();
      const fields = {
        version: String(version),
        status: 'IDLE',
        'statusDescription.fr': '',
        'statusDescription.en': '',
        endDate: '',
      };
      const refused = await as('member').post(`${base()}/status`, fields, base());
      expect(refused.status).to.equal(422);
      expect(refused.text).to.contain('Say briefly why');
      const done = await as('member').post(
        `${base()}/status`,
        { ...fields, 'statusDescription.en': 'Until June' },
        base(),
      );
      expect(done.status).to.equal(303);
      expect((await as('visitor').get('/@ecluse')).text)
        .to.contain('Paused')
        .and.to.contain('Until June');
    });

    it('creates a collective for an administrator, who finds it as a draft', async () => {
      const fields = { 'name.fr': 'Neuf', 'name.en': '', handle: '@Neuf', legalForm: 'INFORMAL' };
      const answer = await as('administrator').post('/my/collectives/new', fields);
      expect(answer.status).to.equal(303);
      expect((await as('administrator').get(answer.location ?? '')).text).to.contain('Draft');
      const again = await as('administrator').post('/my/collectives/new', fields);
      expect(again.status).to.equal(422);
      expect(again.text).to.contain('id="f-handle-error"').and.to.contain('value="Neuf"');
    });

    it('deletes only when the name was typed', async () => {
      const doomed = await buildCollective(house, {
        handle: 'doomed',
        members: [{ personId: people.representative?._id ?? '', role: 'representative' }],
      });
      const path = `${base(doomed._id)}/delete`;
      const wrong = await as('representative').post(path, { handle: 'ecluse' }, `${base(doomed._id)}/settings`);
      expect(wrong.status).to.equal(422);
      expect(wrong.text).to.contain('Nothing was deleted');
      const right = await as('representative').post(path, { handle: 'doomed' }, `${base(doomed._id)}/settings`);
      expect(right.status).to.equal(303);
      expect((await as('administrator').get('/admin/collectives?show=bin')).text).to.contain('@doomed');
    });
  });

  describe('members', () => {
    it('are invited by mail, into this collective only and with no role of the instance', async () => {
      const fields = {
        email: 'new@example.org',
        role: 'member',
        instanceRole: 'administrator',
        'collective.id': other._id,
      };
      const answer = await as('representative').post(`${base()}/members/invite`, fields, `${base()}/members`);
      expect(answer.status).to.equal(303);
      const [invitation] = await house.store
        .collection<{ _id: string; email: string }>('invitations')
        .find({ email: 'new@example.org' })
        .toArray();
      expect(invitation).to.deep.include({ instanceRole: null, collective: { id: collective._id, role: 'member' } });
      const page = await as('representative').get(`${base()}/members`);
      expect(page.text).to.contain('new@example.org');
      expect((await as('member').get(`${base()}/members`)).text).to.not.contain('new@example.org');
      const revoke = `${base()}/members/invitations/${invitation?._id}/revoke`;
      expect((await as('representative').post(revoke, {}, `${base()}/members`)).status).to.equal(303);
      expect((await as('representative').get(`${base()}/members`)).text).to.not.contain('new@example.org');
    });

    it('cannot invite, nor give themselves a role', async () => {
      const csrf = (await as('member').csrf(`${base()}/members`)) ?? '';
      const invite = await as('member').postRaw(`${base()}/members/invite`, {
        _csrf: csrf,
        email: 'a@b.example',
        role: 'representative',
      });
      expect(invite.status).to.equal(403);
      const me = people.member?._id ?? '';
      const promote = await as('member').postRaw(`${base()}/members/${me}/role`, {
        _csrf: csrf,
        role: 'representative',
      });
      expect(promote.status).to.equal(403);
      expect((await reload()).members.find((one) => one.personId === me)?.role).to.equal('member');
    });

    it('leave by themselves; the last representative is told to name another first', async () => {
      const team = await buildCollective(house, {
        members: [
          { personId: people.member?._id ?? '', role: 'member' },
          { personId: people.representative?._id ?? '', role: 'representative' },
        ],
      });
      const path = (name: string) => `${base(team._id)}/members/${people[name]?._id}/remove`;
      const from = `${base(team._id)}/members`;
      const left = await as('member').post(path('member'), {}, from);
      expect([left.status, left.location]).to.deep.equal([303, '/my/collectives']);
      expect((await as('member').get(from)).status).to.equal(404);
      const last = await as('representative').post(path('representative'), {}, from);
      expect(last.status).to.equal(422);
      expect(last.text).to.contain('Name another one first');
    });
  });

  describe('posts', () => {
    const fields = (fr: string, step: string, version = 0) => ({
      'text.fr': fr,
      'text.en': '',
      step,
      version: String(version),
    });

    before(async () => {
      await publishCollective(system(), collective._id);
    });

    it('are looked at before they are published, without a script', async () => {
      const path = `${base()}/posts/new`;
      const before = (await listPublicPosts(house.store, collective._id)).length;
      const preview = await as('member').post(path, fields('**Fort** <b>', 'preview'));
      expect(preview.status).to.equal(200);
      expect(preview.text)
        .to.contain('<strong>Fort</strong> &lt;b&gt;')
        .and.to.contain('**Fort** &lt;b&gt;</textarea>');
      expect(await listPublicPosts(house.store, collective._id)).to.have.length(before);
      const published = await as('member').post(path, fields('**Fort**', 'publish'));
      expect(published.status).to.equal(303);
      const page = await as('visitor').get(published.location ?? '');
      expect(page.text).to.contain('<strong>Fort</strong>');
      expect(page.text).to.contain('type="application/activity+json" href="/objects/');
      expect(page.text).to.not.contain(people.member?.displayName ?? 'Person');
      expect((await as('visitor').get('/@ecluse')).text).to.contain('<strong>Fort</strong>');
    });

    it('are refused empty or over five thousand characters, and nothing typed is lost', async () => {
      const path = `${base()}/posts/new`;
      expect((await as('member').post(path, fields('', 'publish'))).status).to.equal(422);
      const long = await as('member').post(path, fields('é'.repeat(5001), 'publish'));
      expect(long.status).to.equal(422);
      expect(long.text).to.contain('é'.repeat(5001));
      expect((await as('member').post(path, fields('é'.repeat(5000), 'preview'))).status).to.equal(200);
    });

    it('are corrected and deleted, and answer 410 from then on', async () => {
      const post = await publishPost(system(), collective._id, { fr: 'Avant', en: '' });
      const path = `${base()}/posts/${post._id}`;
      const edited = await as('member').post(`${path}/edit`, fields('Après', 'publish', 1));
      expect(edited.status).to.equal(303);
      const stale = await as('member').post(`${path}/edit`, fields('Trop tard', 'publish', 1));
      expect(stale.status).to.equal(422);
      expect(stale.text).to.contain('Trop tard');
      expect((await as('member').get(`${path}/delete`)).text).to.contain('no way back');
      expect((await as('member').post(`${path}/delete`)).status).to.equal(303);
      expect((await as('visitor').get(`/@ecluse/posts/${post._id}`)).status).to.equal(410);
      expect((await as('visitor').get('/@ecluse/posts')).text).to.not.contain('Après');
    });

    it('come as a feed with permanent ids and whole addresses', async () => {
      const post = await publishPost(system(), collective._id, { fr: 'Voir @ecluse & co', en: '' });
      const feed = await as('visitor').get('/@ecluse/posts.atom', { accept: 'application/atom+xml' });
      expect(feed.headers.get('content-type')).to.contain('application/atom+xml');
      expect(feed.text).to.contain(`http://localhost:3000/objects/${post._id}`);
      expect(feed.text).to.match(/href=("|&quot;)http:\/\/localhost:3000\/@ecluse("|&quot;)/);
    });

    it('link a name of this instance only when everybody sees its page', async () => {
      await publishPost(system(), collective._id, { fr: 'Avec @canary et @ecluse', en: '' });
      const { text } = await as('visitor').get('/@ecluse/posts');
      expect(text).to.contain('Avec @canary et <a href="/@ecluse"');
    });

    it('are not found under the name of another collective', async () => {
      const post = await publishPost(system(), collective._id, { fr: 'a', en: '' });
      await buildCollective(house, { handle: 'neighbour' });
      expect((await as('visitor').get(`/@neighbour/posts/${post._id}`)).status).to.equal(404);
      expect((await as('visitor').get('/@ecluse/posts/not-an-id')).status).to.equal(404);
    });
  });

  describe('history', () => {
    it('says who changed what, from what to what, in words', async () => {
      const { profile, version } = await reload();
      await as('member').post(`${base()}/profile`, {
        ...formFields(profile, version),
        'guarantees.noticeDays': '90',
        legalForm: 'COOPERATIVE',
      });
      await drain(house);
      const { text } = await as('representative').get(`${base()}/history`);
      expect(text).to.contain(people.member?.displayName ?? '?');
      expect(text).to.contain('<dt>Legal form</dt>');
      expect(text).to.contain('<del>Association</del> <ins>Cooperative</ins>');
      const french = await (async () => {
        const client = app.client({ language: 'fr' });
        await signIn(client, people.representative as Person);
        return client.get(`${base()}/history`);
      })();
      expect(french.text).to.contain('<del>Association</del> <ins>Coopérative</ins>');
    });

    it('narrows to one thing, and pages back', async () => {
      for (let n = 0; n < 30; n += 1) {
        const { profile, version } = await reload();
        const next = { ...profile, website: `https://${n}.example/` };
        await updateProfile(system(), collective._id, { version, profile: next });
      }
      await drain(house);
      const first = await as('member').get(`${base()}/history?of=${collective._id}`);
      expect(first.text).to.contain('https://29.example/');
      const older = /href="([^"]*before[^"]*)"/
        .exec(first.text)?.[1]
        ?.replaceAll('&amp;', '&')
        .replaceAll('&#x3D;', '=');
      const second = await as('member').get(older ?? '');
      expect(second.text).to.contain('https://3.example/').and.to.not.contain('https://29.example/');
      expect((await as('member').get(`${base()}/history?of=${newId()}`)).text).to.contain('Nothing yet');
    });
  });

  describe('pictures', () => {
    /** Sends a file as a browser does. */
    async function upload(client: Client, bytes: Buffer, fileName: string, type: string) {
      const body = new FormData();
      body.append('_csrf', (await client.csrf(`${base()}/logo`)) ?? '');
      body.append('logo', new Blob([new Uint8Array(bytes)], { type }), fileName);
      const cookie = [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { cookie, origin: house.site.baseUrl, 'sec-fetch-site': 'same-origin', accept: 'text/html' };
      const answer = await fetch(`${app.url}${base()}/logo`, { method: 'POST', body, headers, redirect: 'manual' });
      return { status: answer.status, text: await answer.text() };
    }

    it('are taken by content, and served as nothing but a picture', async () => {
      const sent = await upload(
        as('member'),
        Buffer.concat([jpeg, Buffer.from('{"type":"Delete"}')]),
        '../../x.json',
        'application/activity+json',
      );
      expect(sent.status).to.equal(303);
      const { logoId } = await reload();
      const answer = await fetch(`${app.url}/media/${logoId}`, { headers: { accept: 'application/activity+json' } });
      const headers = Object.fromEntries(answer.headers);
      expect(Buffer.from(await answer.arrayBuffer()).equals(jpeg)).to.equal(true);
      expect(headers).to.deep.include({
        'content-type': 'image/jpeg',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
        'content-disposition': 'inline; filename="logo.jpg"',
        'cache-control': 'public, max-age=31536000, immutable',
      });
      expect(headers['set-cookie']).to.equal(undefined);
    });

    it('are refused when they are something else, with a word about what to do', async () => {
      const { logoId } = await reload();
      for (const [name, bytes] of Object.entries({
        svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        html: Buffer.from('<!doctype html><script>alert(1)</script>'),
        activity: Buffer.from('{"@context":"https://www.w3.org/ns/activitystreams","type":"Note"}'),
        nothing: Buffer.alloc(0),
      })) {
        const answer = await upload(as('member'), bytes, 'logo.png', 'image/png');
        expect(answer.status, name).to.equal(422);
        expect(answer.text, name).to.contain('id="f-logo-error"');
      }
      const heavy = await upload(as('member'), Buffer.alloc(600 * 1024, png), 'logo.png', 'image/png');
      expect(heavy.status).to.equal(422);
      expect((await reload()).logoId).to.equal(logoId);
    });

    it('disappear with their replacement, and stay within a draft', async () => {
      const before = (await reload()).logoId;
      await setLogo(system(), collective._id, png);
      expect((await as('visitor').get(`/media/${before}`)).status).to.equal(404);
      const logo = (await setLogo(system(), other._id, png)).logoId;
      expect((await as('visitor').get(`/media/${logo}`)).status).to.equal(404);
      const own = await as('stranger').get(`/media/${logo}`);
      expect([own.status, own.headers.get('cache-control')]).to.deep.equal([200, 'private, no-store']);
    });
  });
});
