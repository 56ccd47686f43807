import { expect } from 'chai';
import { DomainError } from '../../../server/errors.js';
import { addressKey, type Limit, limitInMemory, pruneLimits, withinLimit } from '../../../server/http/limits.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';

const minute = 60_000;
const limit: Limit = { name: 'test', limit: 3, windowMs: 10 * minute };

describe('limits', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await buildTestHouse();
  });

  async function allowed(tries: number, grows = false): Promise<number> {
    let count = 0;
    for (let n = 0; n < tries; n += 1) if (await withinLimit(house, { ...limit, grows }, 'somebody')) count += 1;
    return count;
  }

  it('lets so many through in a window, and again in the next one', async () => {
    expect(await allowed(5)).to.equal(3);
    house.pass(10 * minute);
    expect(await allowed(5)).to.equal(3);
  });

  it('counts each key by itself', async () => {
    expect(await allowed(3)).to.equal(3);
    expect(await withinLimit(house, limit, 'somebody else')).to.equal(true);
  });

  it('counts parallel tries one by one', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => withinLimit(house, limit, 'somebody')));
    expect(answers.filter(Boolean)).to.have.lengthOf(3);
  });

  it('doubles the wait after each exhausted window, and forgets after a day of quiet', async () => {
    expect(await allowed(5, true)).to.equal(3);
    house.pass(10 * minute);
    expect(await allowed(5, true)).to.equal(3);
    house.pass(10 * minute);
    expect(await allowed(2, true), 'the second window lasts twenty minutes').to.equal(0);
    house.pass(10 * minute);
    expect(await allowed(5, true)).to.equal(3);
    house.pass(3 * 24 * 60 * minute);
    expect(await allowed(5, true)).to.equal(3);
    house.pass(10 * minute);
    expect(await allowed(1, true), 'back to ten minutes, as the quiet was long').to.equal(1);
  });

  it('survives a restart, keeps no name, and is taken away when over', async () => {
    expect(await allowed(5)).to.equal(3);
    const again = await buildTestHouse({ store: house.store });
    expect(await withinLimit(again, limit, 'somebody')).to.equal(false);
    const stored = await house.store.collection('limits').find().toArray();
    expect(JSON.stringify(stored)).not.to.contain('somebody');
    house.pass(10 * minute + 24 * 60 * minute);
    expect(await pruneLimits(house.store, house.now())).to.equal(1);
  });

  it('counts in memory alone where nothing may be kept, window by window', async () => {
    const take = limitInMemory(house, limit);
    const tries = (key: string) => {
      try {
        take(key);
        return 'in';
      } catch (error) {
        return error instanceof DomainError ? `${error.code} ${error.retryAfter}` : error;
      }
    };
    house.pass(10 * minute - (house.now().getTime() % (10 * minute)));
    expect(['a', 'a', 'a', 'b'].map(tries)).to.deep.equal(['in', 'in', 'in', 'in']);
    expect(tries('a')).to.equal('too-many 600');
    house.pass(10 * minute);
    expect(tries('a')).to.equal('in');
    expect(await house.store.collection('limits').find().toArray()).to.deep.equal([]);
  });

  it('counts an IPv6 household as one, and an IPv4 address however it is written', () => {
    const key = (ip: string) => addressKey({ ip } as Parameters<typeof addressKey>[0]);
    expect(key('2001:db8:1:2::1')).to.equal(key('2001:db8:1:2:ffff::9'));
    expect(key('2001:db8:1:2::1')).not.to.equal(key('2001:db8:1:3::1'));
    expect(key('::ffff:192.0.2.7')).to.equal(key('192.0.2.7'));
    expect(key('192.0.2.8')).not.to.equal(key('192.0.2.7'));
  });
});

describe('too many sign-ins', () => {
  let house: TestHouse;
  let app: TestApp;

  beforeEach(async () => {
    house = await buildTestHouse({ trustProxy: 1 });
    app = await startTestApp(house, [peopleRoutes]);
  });

  const attempt = (client: Client, login: string, password = 'not the right one') =>
    client.post('/sign-in', { login, password });

  it('ends after ten wrong passwords, for address and user name together, wherever they come from', async () => {
    const person = await buildPerson(house);
    for (let n = 0; n < 10; n += 1) {
      const client = app.client({ headers: { 'x-forwarded-for': `192.0.2.${n}` } });
      expect((await attempt(client, n % 2 ? person.email : person.username)).status).to.equal(422);
    }
    const answer = await attempt(app.client(), person.email.toUpperCase(), testPassword);
    expect(answer.status).to.equal(429);
    expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 900);
    expect(answer.text).to.contain('15 minutes');
    house.pass(15 * minute);
    await signIn(app.client(), person);
  });

  it('counts a path spelt otherwise in the same counter', async () => {
    const person = await buildPerson(house);
    const client = app.client();
    for (let n = 0; n < 10; n += 1) {
      const answer = await client.post('/sign-in/', { login: person.username, password: 'wrong' }, '/sign-in');
      expect(answer.status).to.equal(422);
    }
    expect((await attempt(client, person.username)).status).to.equal(429);
    for (const path of ['/SIGN-IN', '/sign-in.', '/sign-in.json', '/%73ign-in']) {
      const answer = await client.post(path, { login: person.username, password: testPassword }, '/sign-in');
      expect([404, 429], path).to.include(answer.status);
    }
  });

  it('still lets the person in from a browser that signed in before', async () => {
    const person = await buildPerson(house);
    const known = app.client();
    await signIn(known, person);
    await known.post('/sign-out', {}, '/me');
    const stranger = app.client({ headers: { 'x-forwarded-for': '198.51.100.7' } });
    for (let n = 0; n < 11; n += 1) await attempt(stranger, person.username);
    expect((await attempt(stranger, person.username, testPassword)).status).to.equal(429);
    await signIn(known, person);
    const thief = app.client();
    thief.cookies.set('device', known.cookies.get('device') ?? '');
    for (let n = 0; n < 10; n += 1) await attempt(thief, person.username);
    expect((await attempt(thief, person.username)).status, 'a known browser has its own ten tries').to.equal(429);
  });

  it('ends after fifty wrong passwords of one household, whatever the accounts', async () => {
    for (let n = 0; n < 50; n += 1) {
      const client = app.client({ headers: { 'x-forwarded-for': `2001:db8::${n.toString(16)}` } });
      expect((await attempt(client, `nobody${n}`)).status).to.equal(422);
    }
    expect(
      (await attempt(app.client({ headers: { 'x-forwarded-for': '2001:db8::ffff' } }), 'nobody-else')).status,
    ).to.equal(429);
    expect(
      (await attempt(app.client({ headers: { 'x-forwarded-for': '2001:db9::1' } }), 'nobody-else')).status,
    ).to.equal(422);
  }).timeout(60_000);

  it('believes X-Forwarded-For from trusted proxies only', async () => {
    const direct = await buildTestHouse({ trustProxy: 0 });
    const alone = await startTestApp(direct, [peopleRoutes]);
    for (let n = 0; n < 50; n += 1) {
      await attempt(alone.client({ headers: { 'x-forwarded-for': `192.0.2.${n}` } }), `nobody${n}`);
    }
    const answer = await attempt(alone.client({ headers: { 'x-forwarded-for': '203.0.113.9' } }), 'nobody-else');
    expect(answer.status).to.equal(429);
  }).timeout(60_000);

  it('does not count sign-ins that succeed', async () => {
    const person = await buildPerson(house);
    const client = app.client();
    for (let n = 0; n < 12; n += 1) {
      await signIn(client, person);
      client.cookies.clear();
    }
  }).timeout(60_000);
});

describe('sessions of visitors', () => {
  it('are begun so many times an hour from one address, then no more are stored', async () => {
    const house = await buildTestHouse();
    const app = await startTestApp(house, [peopleRoutes]);
    const statuses = new Map<number, number>();
    for (let n = 0; n < 605; n += 1) {
      const { status } = await fetch(`${app.url}/sign-in`, { headers: { accept: 'text/html' } });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect([...statuses]).to.deep.equal([
      [200, 600],
      [429, 5],
    ]);
    expect(await house.store.collection('sessions').countDocuments()).to.equal(600);
    house.pass(61 * minute);
    expect((await fetch(`${app.url}/sign-in`, { headers: { accept: 'text/html' } })).status).to.equal(200);
  });
});
