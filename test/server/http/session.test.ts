import { expect } from 'chai';
import express from 'express';
import {
  absoluteDays,
  endSessions,
  idleDays,
  listSessions,
  pruneSessions,
  type SessionDoc,
  sessionKey,
  sessions,
  visitorHours,
} from '../../../server/http/session.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import {
  buildPerson,
  buildTestHouse,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';

const hour = 60 * 60 * 1000;
const day = 24 * hour;

describe('sessions', () => {
  let house: TestHouse;
  let app: TestApp;

  beforeEach(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes]);
  });

  const stored = () => house.store.collection<SessionDoc>('sessions').find().toArray();

  it('keeps nothing and sets no cookie for a page without a form', async () => {
    const client = app.client();
    await client.get('/nothing-here');
    expect(client.cookies.size).to.equal(0);
    expect(await stored()).to.deep.equal([]);
  });

  it('never stores the value of the cookie', async () => {
    const client = app.client();
    await signIn(client, await buildPerson(house));
    const sid = /^s%3A([^.]+)\./.exec(client.cookies.get('sid') ?? '')?.[1] ?? '';
    expect(sid).to.have.lengthOf.at.least(32);
    const found = await stored();
    expect(JSON.stringify(found)).not.to.contain(sid);
    expect(found.map((one) => one._id)).to.include(sessionKey(decodeURIComponent(sid)));
  });

  it('gives a new session at sign-in: the one that was planted is dead', async () => {
    const client = app.client();
    await client.get('/sign-in');
    const planted = client.cookies.get('sid') ?? '';
    await signIn(client, await buildPerson(house));
    expect(client.cookies.get('sid')).not.to.equal(planted);
    const thief = app.client();
    thief.cookies.set('sid', planted);
    expect((await thief.get('/me')).status).to.equal(303);
  });

  it('ignores a cookie that we did not sign, and does not take its value over', async () => {
    const client = app.client();
    client.cookies.set('sid', 's%3Achosen-by-somebody.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
    await client.get('/sign-in');
    expect(client.cookies.get('sid')).not.to.contain('chosen-by-somebody');
  });

  it('destroys the session at sign-out', async () => {
    const client = app.client();
    const person = await buildPerson(house);
    await signIn(client, person);
    const old = client.cookies.get('sid') ?? '';
    expect((await client.post('/sign-out', {}, '/me')).location).to.equal('/');
    expect(await listSessions(house.store, person._id, house.now())).to.deep.equal([]);
    client.cookies.set('sid', old);
    expect((await client.get('/me')).status).to.equal(303);
  });

  it('ends after the idle time without a visit', async () => {
    const client = app.client();
    await signIn(client, await buildPerson(house));
    house.pass(idleDays * day - hour);
    expect((await client.get('/me')).status).to.equal(200);
    house.pass(idleDays * day + hour);
    expect((await client.get('/me')).status).to.equal(303);
  });

  it('ends after the absolute time, however often it is used', async () => {
    const client = app.client();
    await signIn(client, await buildPerson(house));
    for (let week = 1; week * 7 < absoluteDays; week += 1) {
      house.pass(7 * day);
      // A page with a form writes the session too: its birth date must survive that.
      expect(
        (
          await client.post('/me/preferences', {
            language: '',
            timeZone: '',
            'mailChoices.sourceFailed': 'off',
            'mailChoices.followRequested': 'off',
          })
        ).status,
      ).to.equal(303);
    }
    house.pass(7 * day);
    expect((await client.get('/me')).status).to.equal(303);
  });

  it('does not come back when it is revoked while a request of it is running', async () => {
    let release = () => {};
    let reached = () => {};
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const slow = express();
    slow.use(sessions(house));
    slow.get('/start', (req, res) => {
      req.session.passport = { user: 'somebody' };
      res.send('ok');
    });
    slow.get('/slow', async (req, res) => {
      reached();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      req.session.flash = { key: 'written late' };
      res.send(req.session.passport?.user ?? 'nobody');
    });
    const server = slow.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    try {
      const start = await fetch(`${url}/start`);
      const cookie = (start.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
      const running = fetch(`${url}/slow`, { headers: { cookie } });
      await isReached;
      await endSessions(house.store, 'somebody');
      release();
      expect(await (await running).text()).to.equal('somebody');
      expect(await stored()).to.deep.equal([]);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('is dead when the account has moved on, even if its record is still stored', async () => {
    const client = app.client();
    const person = await buildPerson(house);
    await signIn(client, person);
    await house.store
      .collection<{ _id: string; sessionEpoch: number }>('people')
      .updateOne({ _id: person._id }, { $inc: { sessionEpoch: 1 } });
    expect((await client.get('/me')).status).to.equal(303);
    expect(await listSessions(house.store, person._id, house.now())).to.deep.equal([]);
  });

  it('is marked for https with the __Host- prefix, Secure, HttpOnly and SameSite=Lax', async () => {
    const secure = await buildTestHouse({
      site: { baseUrl: 'https://chatiere.example', host: 'chatiere.example', defaultLanguage: 'fr' },
      trustProxy: 1,
    });
    const behindProxy = await startTestApp(secure, [peopleRoutes]);
    const answer = await behindProxy.client().get('/sign-in', { 'x-forwarded-proto': 'https' });
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).to.match(/^__Host-sid=/);
    expect(cookie)
      .to.contain('; Path=/')
      .and.to.contain('; HttpOnly')
      .and.to.contain('; Secure')
      .and.to.contain('; SameSite=Lax');
    expect(cookie).not.to.contain('Domain');
  });

  it('writes at most once a minute when pages are only read', async () => {
    const client = app.client();
    const person = await buildPerson(house);
    await signIn(client, person);
    await client.get('/me');
    const first = (await listSessions(house.store, person._id, house.now()))[0]?.seenAt;
    house.pass(30_000);
    await client.get('/me');
    expect((await listSessions(house.store, person._id, house.now()))[0]?.seenAt).to.deep.equal(first);
    house.pass(40_000);
    await client.get('/me');
    expect((await listSessions(house.store, person._id, house.now()))[0]?.seenAt).to.deep.equal(house.now());
  });

  it('forgets visitors sooner than people, and takes away what has expired', async () => {
    await app.client().get('/sign-in');
    const client = app.client();
    await signIn(client, await buildPerson(house));
    house.pass(visitorHours * hour + 1);
    expect(await pruneSessions(house.store, house.now())).to.equal(1);
    expect(await stored()).to.have.lengthOf(1);
    expect((await client.get('/me')).status).to.equal(200);
  });
});
