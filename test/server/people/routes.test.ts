import { expect } from 'chai';
import { listSessions } from '../../../server/http/session.js';
import { invitePerson } from '../../../server/people/actions/invitations.js';
import { getPerson, invitationsIn, resetsIn } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  contextFor,
  signIn,
  startTestApp,
  systemActor,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';

const nobodysId = '01890000-0000-7000-8000-000000000000';
const who = ['visitor', 'person', 'moderator', 'administrator'] as const;
type Who = (typeof who)[number];

/** The whole face of this room: each route, and what each kind of visitor gets from GET, or from POST with a right token. */
const table: Record<string, Record<Who, number>> = {
  'get /sign-in': { visitor: 200, person: 303, moderator: 303, administrator: 303 },
  'post /sign-in': { visitor: 422, person: 422, moderator: 422, administrator: 422 },
  'post /sign-out': { visitor: 303, person: 303, moderator: 303, administrator: 303 },
  'get /forgot': { visitor: 200, person: 200, moderator: 200, administrator: 200 },
  'post /forgot': { visitor: 422, person: 422, moderator: 422, administrator: 422 },
  'get /setup/:token': { visitor: 410, person: 410, moderator: 410, administrator: 410 },
  'post /setup/:token': { visitor: 410, person: 410, moderator: 410, administrator: 410 },
  'get /invitations/:token': { visitor: 410, person: 410, moderator: 410, administrator: 410 },
  'post /invitations/:token': { visitor: 410, person: 403, moderator: 403, administrator: 403 },
  'post /invitations/:token/join': { visitor: 403, person: 410, moderator: 410, administrator: 410 },
  'get /reset/:token': { visitor: 410, person: 410, moderator: 410, administrator: 410 },
  'post /reset/:token': { visitor: 410, person: 410, moderator: 410, administrator: 410 },
  'get /email-changes/:token': { visitor: 410, person: 410, moderator: 410, administrator: 410 },
  'post /email-changes/:token': { visitor: 410, person: 410, moderator: 410, administrator: 410 },
  'get /me': { visitor: 303, person: 200, moderator: 200, administrator: 200 },
  'get /me/profile': { visitor: 303, person: 200, moderator: 200, administrator: 200 },
  'post /me/profile': { visitor: 403, person: 422, moderator: 422, administrator: 422 },
  'get /me/security': { visitor: 303, person: 200, moderator: 200, administrator: 200 },
  'post /me/security/password': { visitor: 403, person: 422, moderator: 422, administrator: 422 },
  'post /me/security/email': { visitor: 403, person: 422, moderator: 422, administrator: 422 },
  'get /me/sessions': { visitor: 303, person: 200, moderator: 200, administrator: 200 },
  'post /me/sessions/end-others': { visitor: 403, person: 303, moderator: 303, administrator: 303 },
  'post /me/sessions/:key/end': { visitor: 403, person: 404, moderator: 404, administrator: 404 },
  'get /me/preferences': { visitor: 303, person: 200, moderator: 200, administrator: 200 },
  'post /me/preferences': { visitor: 403, person: 422, moderator: 422, administrator: 422 },
  'get /me/data': { visitor: 303, person: 200, moderator: 200, administrator: 200 },
  'post /me/data': { visitor: 403, person: 422, moderator: 422, administrator: 422 },
  'get /me/delete': { visitor: 303, person: 200, moderator: 200, administrator: 200 },
  'post /me/delete': { visitor: 403, person: 422, moderator: 422, administrator: 422 },
  'get /admin/people': { visitor: 303, person: 404, moderator: 404, administrator: 200 },
  'post /admin/people/invite': { visitor: 403, person: 404, moderator: 404, administrator: 422 },
  'post /admin/invitations/:id/revoke': { visitor: 403, person: 404, moderator: 404, administrator: 404 },
  'get /admin/people/:id': { visitor: 303, person: 404, moderator: 404, administrator: 404 },
  'post /admin/people/:id/role': { visitor: 403, person: 404, moderator: 404, administrator: 404 },
  'post /admin/people/:id/disable': { visitor: 403, person: 404, moderator: 404, administrator: 404 },
  'post /admin/people/:id/enable': { visitor: 403, person: 404, moderator: 404, administrator: 404 },
  'post /admin/people/:id/reset': { visitor: 403, person: 404, moderator: 404, administrator: 404 },
  'get /@:name': { visitor: 404, person: 404, moderator: 404, administrator: 404 },
};

describe('the pages about people', () => {
  let house: TestHouse;
  let app: TestApp;

  beforeEach(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes]);
  });

  async function clientOf(kind: Who): Promise<Client> {
    const client = app.client();
    const instanceRole = kind === 'moderator' || kind === 'administrator' ? kind : null;
    if (kind !== 'visitor') await signIn(client, await buildPerson(house, { instanceRole }));
    return client;
  }

  it('are all in the table of who may enter', () => {
    const routes = peopleRoutes(house).list.map((route) => `${route.method} ${route.path}`);
    expect(routes.sort()).to.deep.equal(Object.keys(table).sort());
  });

  for (const kind of who) {
    it(`let a ${kind} in where the table says so, and nowhere else`, async () => {
      await buildPerson(house, { instanceRole: 'administrator', password: null });
      const got: Record<string, number> = {};
      const wanted: Record<string, number> = {};
      for (const [route, expected] of Object.entries(table)) {
        const client = await clientOf(kind);
        const [method = '', path = ''] = route.split(' ');
        const address = path.replace(/:(\w+)/g, (_whole, name: string) =>
          name === 'key' ? 'a'.repeat(64) : name === 'id' ? nobodysId : 'nobody',
        );
        const fields = path.includes('role') ? { instanceRole: 'moderator' } : {};
        const full = {
          password: 'long enough for it',
          username: 'noor',
          displayName: 'Noor',
          email: 'n@example.org',
          language: '',
          instanceName: '',
          collectiveName: '',
        };
        const token = await client.csrf(kind === 'visitor' ? '/forgot' : '/me/profile');
        const body = path.includes(':token') ? full : fields;
        const answer =
          method === 'get' ? await client.get(address) : await client.postRaw(address, { _csrf: token ?? '', ...body });
        got[route] = answer.status;
        wanted[route] = expected[kind];
      }
      expect(got).to.deep.equal(wanted);
    }).timeout(60_000);
  }

  it('are never kept by a cache, as each depends on who reads', async () => {
    const client = await clientOf('administrator');
    for (const path of ['/sign-in', '/forgot', '/me/security', '/me/sessions', '/admin/people', '/setup/x.y']) {
      expect((await client.get(path)).headers.get('cache-control'), path).to.equal('no-store');
    }
    expect((await app.client().get('/sign-in')).headers.get('cache-control')).to.equal('no-store');
  });

  it('are complete in both languages: no key shows through', async () => {
    for (const language of ['fr', 'en'] as const) {
      const client = app.client({ language });
      await signIn(client, await buildPerson(house, { instanceRole: 'administrator' }));
      const paths = [
        '/forgot',
        '/me',
        '/me/profile',
        '/me/security',
        '/me/sessions',
        '/me/preferences',
        '/me/data',
        '/me/delete',
        '/admin/people',
        '/admin/people?q=nobody-at-all',
      ];
      for (const path of paths) {
        const { text } = await client.get(path);
        expect(text, `${language} ${path}`).not.to.match(/\b(people|layout|notices)\.[a-z][\w.]+/i);
      }
    }
  });

  describe('sessions', () => {
    it('are listed with this one marked, and ended one by one or all others', async () => {
      const person = await buildPerson(house);
      const here = app.client({ headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0' } });
      const there = app.client({ headers: { 'user-agent': 'Mozilla/5.0 (Android 14) Firefox/128.0' } });
      const third = app.client({ headers: { 'user-agent': '<script>alert(1)</script>' } });
      for (const client of [here, there, third]) await signIn(client, person);
      const page = await here.get('/me/sessions');
      expect(page.text)
        .to.contain('Firefox, Linux')
        .and.to.contain('Firefox, Android')
        .and.to.contain('does not say what it is');
      expect(page.text.match(/>here</g) ?? []).to.have.lengthOf(1);
      expect(page.text).not.to.contain('alert(1)');
      const other = (await listSessions(house.store, person._id, house.now())).find(
        (one) => one.device === 'Firefox, Android',
      );
      expect((await here.post(`/me/sessions/${other?._id}/end`, {}, '/me/sessions')).status).to.equal(303);
      expect((await there.get('/me')).status).to.equal(303);
      expect((await third.get('/me')).status).to.equal(200);
      await here.post('/me/sessions/end-others', {}, '/me/sessions');
      expect((await third.get('/me')).status).to.equal(303);
      expect((await here.get('/me')).status).to.equal(200);
    });

    it('let each of several tabs opened at once send its form', async () => {
      const client = app.client();
      await signIn(client, await buildPerson(house));
      const tokens = await Promise.all(Array.from({ length: 4 }, () => client.csrf('/me/preferences')));
      for (const token of tokens) {
        const answer = await client.postRaw('/me/sessions/end-others', { _csrf: token ?? '' });
        expect(answer.status).to.equal(303);
      }
    });

    it('of somebody else cannot be ended', async () => {
      const victim = await buildPerson(house);
      const theirs = app.client();
      await signIn(theirs, victim);
      const [session] = await listSessions(house.store, victim._id, house.now());
      const client = await clientOf('administrator');
      expect((await client.post(`/me/sessions/${session?._id}/end`, {}, '/me/sessions')).status).to.equal(404);
      expect((await theirs.get('/me')).status).to.equal(200);
    });
  });

  describe('the administration', () => {
    let client: Client;
    let person: Person;

    beforeEach(async () => {
      client = await clientOf('administrator');
      person = await buildPerson(house, { username: 'camille' });
    });

    const path = () => `/admin/people/${person._id}`;

    it('finds people and shows one', async () => {
      expect((await client.get('/admin/people?q=cami')).text).to.contain('camille@example.org');
      expect((await client.get('/admin/people?q=zzz')).text).to.contain('Nobody by that name');
      expect((await client.get(path())).text).to.contain('camille@example.org');
      expect((await client.get('/admin/people?page=zero')).status).to.equal(422);
    });

    it('gives and takes roles, shuts and opens accounts, starts resets', async () => {
      await client.post(`${path()}/role`, { instanceRole: 'moderator' }, path());
      expect((await getPerson(house.store, person._id)).instanceRole).to.equal('moderator');
      expect((await client.post(`${path()}/role`, { instanceRole: 'emperor' }, path())).status).to.equal(422);
      await client.post(`${path()}/disable`, {}, path());
      expect((await getPerson(house.store, person._id)).disabledAt).not.to.equal(null);
      await client.post(`${path()}/enable`, {}, path());
      expect((await getPerson(house.store, person._id)).disabledAt).to.equal(null);
      for (let n = 0; n < 3; n += 1) expect((await client.post(`${path()}/reset`, {}, path())).status).to.equal(303);
      expect((await client.post(`${path()}/reset`, {}, path())).status).to.equal(429);
      expect(
        await resetsIn(house.store).countDocuments({ personId: person._id, requestedBy: 'administrator' }),
      ).to.equal(3);
    });

    it('has no way to set a password', async () => {
      const page = await client.get(path());
      expect(page.text).not.to.contain('type="password"');
      const answer = await client.post(
        `${path()}/role`,
        { instanceRole: '', password: 'chosen by somebody', 'credentials.password': 'x' },
        path(),
      );
      expect(answer.status).to.equal(303);
      await signIn(app.client(), person);
    });

    it('says why the last administrator stays', async () => {
      const [me] = await house.store.collection<Person>('people').find({ instanceRole: 'administrator' }).toArray();
      const own = `/admin/people/${me?._id}`;
      const answer = await client.post(`${own}/role`, { instanceRole: '' }, own);
      expect(answer.status).to.equal(422);
      expect(answer.text).to.contain('This is the last administrator');
      expect((await client.get('/admin/people')).status).to.equal(200);
    });

    it('invites and takes back', async () => {
      expect(
        (await client.post('/admin/people/invite', { email: 'noor@example.org', instanceRole: '' }, '/admin/people'))
          .status,
      ).to.equal(303);
      expect((await client.get('/admin/people')).text).to.contain('noor@example.org');
      const [invitation] = await invitationsIn(house.store).find().toArray();
      expect(
        (await client.post('/admin/people/invite', { email: 'camille@example.org', instanceRole: '' }, '/admin/people'))
          .status,
      ).to.equal(422);
      await client.post(`/admin/invitations/${invitation?._id}/revoke`, {}, '/admin/people');
      expect((await invitationsIn(house.store).findOne({ _id: invitation?._id ?? '' }))?.revokedAt).not.to.equal(null);
    });

    it('shows names as text, whatever they are', async () => {
      await buildPerson(house, { username: 'evil', displayName: '<img src=x onerror=alert(1)>', password: null });
      await invitePerson(contextFor(house, systemActor), {
        email: 'a&b@example.org',
        instanceRole: null,
        collective: null,
        language: 'fr',
      });
      const { text } = await client.get('/admin/people');
      expect(text).to.contain('&lt;img src').and.not.to.contain('<img src=x');
    });
  });
});
