import { expect } from 'chai';
import { noticeRoutes } from '../../../server/notices/routes.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';

/** What must not change when a request is refused: all but sessions and the counters of tries (security.md 0.2). */
async function everything(house: TestHouse): Promise<string> {
  const names = (await house.store.listCollections()).filter((name) => !['sessions', 'limits'].includes(name));
  const all = await Promise.all(names.map(async (name) => [name, await house.store.collection(name).find().toArray()]));
  return JSON.stringify(all);
}

describe('cross-site requests', () => {
  let house: TestHouse;
  let app: TestApp;
  let client: Client;
  let token: string;

  before(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes, noticeRoutes]);
    client = app.client();
    await signIn(client, await buildPerson(house, { instanceRole: 'administrator' }));
    token = (await client.csrf('/me/profile')) ?? '';
    expect(token).to.have.lengthOf.at.least(32);
  });

  const fields = () => ({ displayName: 'Other', 'bio.fr': '', 'bio.en': '', _csrf: token });
  const refusals: [string, Record<string, string>][] = [
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a sister domain', { origin: 'http://sister.localhost:3000', 'sec-fetch-site': 'same-site' }],
    ['another site, from an old browser', { origin: 'https://evil.example', 'sec-fetch-site': '' }],
    ['nowhere that it tells', { origin: '', 'sec-fetch-site': '' }],
    ['a hidden origin, from an old browser', { origin: 'null', 'sec-fetch-site': '' }],
    ['a sandboxed page', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a typed address', { origin: '', 'sec-fetch-site': 'none' }],
    ['an origin that only begins like ours', { origin: 'http://localhost:3000.evil.example', 'sec-fetch-site': '' }],
  ];

  for (const [from, headers] of refusals) {
    it(`refuses a request from ${from}, though its token is right`, async () => {
      const before = await everything(house);
      const answer = await client.postRaw('/me/profile', fields(), headers);
      expect(answer.status).to.equal(403);
      expect(await everything(house)).to.equal(before);
    });
  }

  it('takes a form of a page without referrer, which hides its origin from its own site', async () => {
    const answer = await client.postRaw('/me/profile', fields(), { origin: 'null', 'sec-fetch-site': 'same-origin' });
    expect(answer.status).to.equal(303);
  });

  it('refuses no token, an empty one, one of another person and one of an older session', async () => {
    const other = app.client();
    const person = await buildPerson(house);
    await signIn(other, person);
    const foreign = (await other.csrf('/me/profile')) ?? '';
    await other.post('/sign-out', {}, '/me');
    await signIn(other, person);
    const before = await everything(house);
    for (const wrong of ['', foreign, token.slice(1)]) {
      expect((await client.postRaw('/me/profile', { ...fields(), _csrf: wrong })).status).to.equal(403);
    }
    expect((await other.postRaw('/me/profile', { ...fields(), _csrf: foreign })).status).to.equal(403);
    expect(await everything(house)).to.equal(before);
  });

  it('refuses signing in with the form of somebody else', async () => {
    const person = await buildPerson(house);
    const answer = await app
      .client()
      .postRaw('/sign-in', { login: person.username, password: 'un mot de passe assez long' });
    expect(answer.status).to.equal(403);
  });

  it('refuses a body that is not a form', async () => {
    const answer = await fetch(`${app.url}/me/profile`, {
      method: 'POST',
      headers: {
        cookie: `sid=${client.cookies.get('sid')}`,
        origin: house.site.baseUrl,
        'content-type': 'text/plain',
      },
      body: JSON.stringify(fields()),
    });
    expect(answer.status).to.equal(403);
  });

  it('guards every unsafe route of people and mails, and answers nothing unsafe to GET', async () => {
    const deeds = [...peopleRoutes(house).list, ...noticeRoutes(house).list].filter(
      // That one is for mail programs (RFC 8058): its signed address is the proof.
      ({ method, path }) => method === 'post' && path !== '/unsubscribe/:token',
    );
    expect(deeds.length).to.be.greaterThan(15);
    const before = await everything(house);
    for (const { path } of deeds) {
      const address = path.replace(/:(id|key|token)/g, (_whole, name: string) =>
        name === 'key' ? 'a'.repeat(64) : '01890000-0000-7000-8000-000000000000',
      );
      expect((await client.postRaw(address, { displayName: 'x' })).status, `POST ${path}`).to.equal(403);
      expect((await client.postRaw(`${address}?_csrf=${token}`, {})).status, `POST ${path}?_csrf`).to.equal(403);
      await client.get(address);
    }
    expect(await everything(house)).to.equal(before);
    expect((await client.get('/me')).status).to.equal(200);
  });
});
