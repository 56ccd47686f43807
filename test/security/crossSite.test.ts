// Forged requests at every unsafe route: without a token, with somebody else's, from elsewhere, in another shape.
import { expect } from 'chai';
import { type Client, signIn } from '../support/appSupport.js';
import { fingerprint } from '../support/oracles.js';
import { access } from './access.js';
import { addressOf, copyOf, nameOf, raw, routesOf, targetsOf } from './requests.js';
import { startTwinHouse, type TwinHouse } from './tenants.js';

interface Forgery {
  name: string;
  headers?: Record<string, string>;
  /** Instead of the right token. */
  token?: string;
  type?: string;
  body?: (fields: Record<string, string>) => string;
}

describe('forged requests', function () {
  this.timeout(60_000);
  let app: TwinHouse;
  let victim: Client;
  let cookie: string;
  let right: string;
  let others: string;
  let ended: string;

  const cookieOf = (client: Client) => [...client.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

  before(async () => {
    app = await startTwinHouse();
    victim = app.clients.administrator;
    right = (await victim.csrf('/me')) ?? '';
    cookie = cookieOf(victim);
    others = (await app.clients.memberB.csrf('/me')) ?? '';
    const earlier = app.client();
    await signIn(earlier, app.people.administrator);
    ended = (await earlier.csrf('/me')) ?? '';
    await earlier.post('/sign-out', {}, '/me');
  });

  function forgeries(): Forgery[] {
    return [
      { name: 'without a token', token: '' },
      { name: 'with the token of somebody else', token: others },
      { name: 'with the token of a session that ended', token: ended },
      { name: 'from another site', headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } },
      { name: 'from another site that claims our origin', headers: { 'sec-fetch-site': 'cross-site' } },
      { name: 'from a neighbour on the same site', headers: { 'sec-fetch-site': 'same-site' } },
      { name: 'from a foreign origin', headers: { origin: 'https://evil.example', 'sec-fetch-site': '' } },
      {
        name: 'from an origin that begins like ours',
        headers: { origin: `${app.url}.evil.example`, 'sec-fetch-site': '' },
      },
      { name: 'from an opaque origin', headers: { origin: 'null', 'sec-fetch-site': '' } },
      { name: 'from nowhere', headers: { origin: '', 'sec-fetch-site': '' } },
      { name: 'typed into the address bar', headers: { origin: '', 'sec-fetch-site': 'none' } },
      { name: 'as JSON in a text', type: 'text/plain', body: (fields) => JSON.stringify(fields) },
      { name: 'as JSON', type: 'application/json', body: (fields) => JSON.stringify(fields) },
      { name: 'as an activity', type: 'application/activity+json', body: (fields) => JSON.stringify(fields) },
      { name: 'as a form without a type', type: '' },
      {
        name: 'with the token twice',
        body: (fields) => `${new URLSearchParams(fields)}&_csrf=${encodeURIComponent(fields._csrf ?? '')}`,
      },
    ];
  }

  it('are refused at every unsafe route, and nothing is stored', async () => {
    // A mail program posts to that one without a page of ours (RFC 8058): its signed address is the proof.
    const unsafe = routesOf(app).filter(({ method, path }) => method === 'post' && path !== '/unsubscribe/:token');
    expect(unsafe.length).to.be.greaterThan(50);
    const wrong: string[] = [];
    const { alpha } = targetsOf(app);
    for (const route of unsafe) {
      const before = await fingerprint(app.house.store, ['limits']);
      const path = addressOf(app, route.path, alpha);
      const rule = access[nameOf(route)];
      for (const forgery of forgeries()) {
        const fields = { ...rule?.body, _csrf: forgery.token ?? right };
        const headers: Record<string, string> = {
          cookie,
          accept: 'text/html',
          origin: app.house.site.baseUrl,
          'sec-fetch-site': 'same-origin',
          'content-type': forgery.type ?? 'application/x-www-form-urlencoded',
          ...forgery.headers,
        };
        for (const [name, value] of Object.entries(headers)) if (value === '') delete headers[name];
        const body = forgery.body?.(fields) ?? String(new URLSearchParams(fields));
        const answer = await raw(app, 'POST', path, headers, body);
        if (answer.status !== 403) wrong.push(`${nameOf(route)} ${forgery.name}: ${answer.status}`);
      }
      const after = await fingerprint(app.house.store, ['limits']);
      if (JSON.stringify(after) !== JSON.stringify(before)) wrong.push(`${nameOf(route)}: something was stored`);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('differ from the real one in nothing else: it is let in', async () => {
    for (const name of ['POST /me/preferences', 'POST /me/profile', 'POST /admin/people/invite', 'POST /language']) {
      const answer = await copyOf(app, victim).postRaw(name.slice(5), { ...access[name]?.body, _csrf: right });
      expect(answer.status, name).to.equal(303);
    }
  });

  it('gain nothing by another method, or by naming one', async () => {
    const { alpha } = targetsOf(app);
    const before = await fingerprint(app.house.store, ['limits']);
    const fields = { _csrf: right, _method: 'POST' };
    for (const route of routesOf(app).filter(({ method }) => method === 'post')) {
      const path = addressOf(app, route.path, alpha);
      const query = new URLSearchParams({ ...access[nameOf(route)]?.body, ...fields }).toString();
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const headers = { cookie, 'x-http-method-override': 'POST', accept: 'text/html' };
        const answer = await raw(app, method, `${path}?${query}`, headers);
        expect(answer.status, `${method} ${route.path}`).to.be.lessThan(500);
      }
    }
    expect(await fingerprint(app.house.store, ['limits', 'sessions'])).to.deep.equal(
      Object.fromEntries(Object.entries(before).filter(([name]) => name !== 'sessions')),
    );
  });

  it('cannot sign anybody in or out', async () => {
    const stranger = app.client();
    const token = (await stranger.csrf('/sign-in')) ?? '';
    const password = 'un mot de passe assez long';
    const fields = { login: app.people.plain.username, password };
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    const signedIn = await copyOf(app, stranger).postRaw('/sign-in', { ...fields, _csrf: token }, headers);
    expect(signedIn.status).to.equal(403);
    // The attacker's own token does not fit the browser of somebody else.
    const other = app.client();
    await other.get('/sign-in');
    expect((await other.postRaw('/sign-in', { ...fields, _csrf: token })).status).to.equal(403);
    expect((await copyOf(app, victim).postRaw('/sign-out', { _csrf: others })).status).to.equal(403);
    expect((await victim.get('/me')).status).to.equal(200);
  });
});
