import { hash } from '@node-rs/argon2';
import { expect } from 'chai';
import { disablePerson } from '../../../server/people/actions/access.js';
import { hashing, hashPassword, isPassword, isWeakHash } from '../../../server/people/actions/passwords.js';
import { authenticate } from '../../../server/people/actions/signIn.js';
import { getPerson, peopleIn } from '../../../server/people/queries.js';
import { deviceOf } from '../../../server/people/routes/door.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import {
  buildPerson,
  buildTestHouse,
  contextFor,
  signIn,
  startTestApp,
  systemActor,
  type TestApp,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';
import { expectRefusal } from './peopleSupport.js';

describe('passwords', () => {
  it('are hashed with argon2id as OWASP asks', async () => {
    expect(await hashPassword('a password')).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hashing).to.deep.equal({ memoryCost: 19456, timeCost: 2, parallelism: 1 });
  });

  it('are the same in every composition of accents, and keep spaces and NUL', async () => {
    const stored = await hashPassword(' d\u00e9cembre\u0000 ');
    expect(await isPassword(stored, ' de\u0301cembre\u0000 ')).to.equal(true);
    expect(await isPassword(stored, ' d\u00e9cembre')).to.equal(false);
    expect(await isPassword(stored, 'd\u00e9cembre\u0000')).to.equal(false);
  });

  it('open nothing where there is none, and nothing when too long', async () => {
    expect(await isPassword(null, '')).to.equal(false);
    expect(await isPassword(null, testPassword)).to.equal(false);
    const long = 'a'.repeat(1025);
    expect(await isPassword(await hash(long, hashing), long)).to.equal(false);
  });
});

describe('signing in', () => {
  let house: TestHouse;
  let app: TestApp;

  beforeEach(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes]);
  });

  const ctx = () => contextFor(house, null);

  it('takes the user name or the address, in any case', async () => {
    const person = await buildPerson(house, { username: 'camille', email: 'Camille@Example.org' });
    for (const login of ['camille', ' CAMILLE', 'camille@example.org', 'CAMILLE@EXAMPLE.ORG']) {
      expect((await authenticate(ctx(), login, testPassword))._id).to.equal(person._id);
    }
  });

  it('refuses in the same words a wrong password, an unknown name and an account without a password', async () => {
    await buildPerson(house, { username: 'camille' });
    await buildPerson(house, { username: 'nobody', password: null });
    await expectRefusal(authenticate(ctx(), 'camille', 'wrong password'), 'invalid', 'people.signIn.wrong');
    await expectRefusal(authenticate(ctx(), 'unknown', testPassword), 'invalid', 'people.signIn.wrong');
    await expectRefusal(authenticate(ctx(), 'nobody', testPassword), 'invalid', 'people.signIn.wrong');
    await expectRefusal(authenticate(ctx(), 'unknown@example.org', testPassword), 'invalid', 'people.signIn.wrong');
  });

  it('tells only who knows the password that the account is shut', async () => {
    const person = await buildPerson(house, { username: 'camille' });
    await disablePerson(contextFor(house, systemActor), person._id);
    await expectRefusal(authenticate(ctx(), 'camille', testPassword), 'invalid', 'people.signIn.disabled');
    await expectRefusal(authenticate(ctx(), 'camille', 'wrong password'), 'invalid', 'people.signIn.wrong');
  });

  it('takes as long for an unknown name as for a wrong password', async () => {
    await buildPerson(house, { username: 'camille' });
    const time = async (login: string) => {
      const begun = process.hrtime.bigint();
      await authenticate(ctx(), login, 'wrong password').catch(() => {});
      return Number(process.hrtime.bigint() - begun) / 1e6;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let n = 0; n < 15; n += 1) {
      known.push(await time('camille'));
      unknown.push(await time(`nobody${n}`));
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[7] ?? 0;
    // Without the dummy hash an unknown name would take a twentieth of the time.
    expect(median(unknown) / median(known)).to.be.within(0.5, 2);
  });

  it('shows the same page for a wrong password and an unknown name', async () => {
    await buildPerson(house, { username: 'camille' });
    const page = async (login: string) => {
      const answer = await app.client().post('/sign-in', { login, password: 'wrong password' });
      return `${answer.status} ${answer.text.replace(/name="_csrf" value="[^"]+"/g, '').replaceAll(login, 'LOGIN')}`;
    };
    expect(await page('camille')).to.equal(await page('nobody1'));
    expect(await page('camille')).to.match(/^422 /);
  });

  it('renews a hash whose parameters are no longer enough', async () => {
    const person = await buildPerson(house, { username: 'camille' });
    const weak = await hash(testPassword, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    expect(isWeakHash(weak)).to.equal(true);
    await peopleIn(house.store).updateOne({ _id: person._id }, { $set: { 'credentials.password.hash': weak } });
    await authenticate(ctx(), 'camille', testPassword);
    const renewed = (await getPerson(house.store, person._id)).credentials.password?.hash ?? '';
    expect(isWeakHash(renewed)).to.equal(false);
    expect(await isPassword(renewed, testPassword)).to.equal(true);
  });

  it('never shows the password again, nor in the log', async () => {
    const answer = await app.client().post('/sign-in', { login: 'camille', password: 'canary password' });
    expect(answer.text).not.to.contain('canary');
    expect(house.logged.join()).not.to.contain('canary');
  });

  it('leads to where the person wanted to go, and nowhere outside', async () => {
    const person = await buildPerson(house);
    const go = async (next: string) =>
      (await app.client().post('/sign-in', { login: person.username, password: testPassword, next })).location;
    expect(await go('/my/collectives?page=2')).to.equal('/my/collectives?page=2');
    expect(await go('//evil.example')).to.equal('/');
    expect(await go('https://evil.example/me')).to.equal('/');
    const page = await app.client().get('/me/profile');
    expect(page.location).to.equal('/sign-in?next=%2Fme%2Fprofile');
  });

  it('refuses a name given twice, as an object, or in the address instead of the form', async () => {
    const person = await buildPerson(house);
    const client = app.client();
    const csrf = (await client.csrf('/sign-in')) ?? '';
    const send = (body: string, path = '/sign-in') =>
      fetch(app.url + path, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          cookie: `sid=${client.cookies.get('sid')}`,
          origin: house.site.baseUrl,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: `_csrf=${csrf}&${body}`,
      });
    const password = encodeURIComponent(testPassword);
    expect((await send(`login=${person.username}&login=x&password=${password}`)).status).to.equal(422);
    expect((await send(`login[$ne]=x&password=${password}`)).status).to.equal(422);
    expect((await send(`login.$ne=x&password=${password}`)).status).to.equal(422);
    expect((await send('', `/sign-in?login=${person.username}&password=${password}`)).status).to.equal(422);
  });

  it('reads the person afresh at each request: shut out, or without a role, at once', async () => {
    const person = await buildPerson(house, { instanceRole: 'administrator' });
    await buildPerson(house, { instanceRole: 'administrator' });
    const client = app.client();
    await signIn(client, person);
    expect((await client.get('/admin/people')).status).to.equal(200);
    await peopleIn(house.store).updateOne({ _id: person._id }, { $set: { instanceRole: null } });
    expect((await client.get('/admin/people')).status).to.equal(404);
    expect((await client.get('/me')).status).to.equal(200);
    await peopleIn(house.store).updateOne({ _id: person._id }, { $set: { disabledAt: house.now() } });
    expect((await client.get('/me')).status).to.equal(303);
    await peopleIn(house.store).updateOne({ _id: person._id }, { $set: { disabledAt: null } });
    expect((await client.get('/me')).status, 'the session is gone for good').to.equal(303);
  });

  it('goes on answering others while twenty people sign in at once', async () => {
    const person = await buildPerson(house);
    let isDone = false;
    const tries = Promise.all(Array.from({ length: 20 }, () => authenticate(ctx(), person.username, testPassword)));
    tries.finally(() => {
      isDone = true;
    });
    // On the thread that answers, twenty hashes would leave it some twenty turns; on the worker pool it has thousands.
    let turns = 0;
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    await tries;
    expect(turns).to.be.greaterThan(200);
  });
});

describe('the name of a browser', () => {
  it('is enough to know one from another, and no more', () => {
    expect(deviceOf('Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0')).to.equal(
      'Firefox, Linux',
    );
    expect(
      deviceOf(
        'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1',
      ),
    ).to.equal('Safari, iOS');
    expect(
      deviceOf('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36 Edg/126.0'),
    ).to.equal('Edge, Windows');
    expect(deviceOf('curl/8.5.0')).to.equal('');
  });
});
