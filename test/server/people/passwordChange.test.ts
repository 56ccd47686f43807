import { expect } from 'chai';
import { disablePerson } from '../../../server/people/actions/access.js';
import {
  changePassword,
  checkReset,
  requestReset,
  resetPassword,
  setPasswordBySystem,
  startReset,
} from '../../../server/people/actions/passwordChange.js';
import { authenticate } from '../../../server/people/actions/signIn.js';
import { getPerson, resetsIn } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import {
  actorFor,
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
import { expectRefusal, linkTo, waiting, winners } from './peopleSupport.js';

const minute = 60_000;
const newOne = 'une autre phrase assez longue';

describe('passwords that change', () => {
  let house: TestHouse;
  let app: TestApp;
  let person: Person;

  beforeEach(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes]);
    person = await buildPerson(house, { username: 'camille' });
  });

  const ctx = () => contextFor(house, null);
  const system = () => contextFor(house, systemActor);
  const lastReset = async () => {
    const all = await resetsIn(house.store)
      .find({ personId: person._id }, { sort: { _id: -1 } })
      .toArray();
    return all[0]?._id ?? '';
  };

  it('by the old one: tells of it, and ends every session but the one made anew', async () => {
    const here = app.client();
    const there = app.client();
    await signIn(here, person);
    await signIn(there, person);
    const answer = await here.post(
      '/me/security/password',
      { current: testPassword, password: newOne },
      '/me/security',
    );
    expect(answer.location).to.equal('/me/security');
    expect((await here.get('/me')).status).to.equal(200);
    expect((await there.get('/me')).status).to.equal(303);
    expect((await waiting(house, 'people', 'person.securityChanged')).map((event) => event.what)).to.deep.equal([
      'password',
    ]);
    await expectRefusal(authenticate(ctx(), 'camille', testPassword), 'invalid');
    expect((await authenticate(ctx(), 'camille', newOne))._id).to.equal(person._id);
  });

  it('by the old one: refuses a wrong one, too short a new one, and too many tries', async () => {
    await expectRefusal(
      changePassword(ctx(), person._id, { current: 'wrong password', password: newOne }),
      'invalid',
      'people.error.wrongPassword',
    );
    const client = app.client();
    await signIn(client, person);
    const short = await client.post(
      '/me/security/password',
      { current: testPassword, password: 'short' },
      '/me/security',
    );
    expect(short.status).to.equal(422);
    expect(short.text).to.contain('too short').and.not.to.contain(testPassword);
    for (let n = 0; n < 10; n += 1) {
      expect(
        (await client.post('/me/security/password', { current: 'wrong', password: newOne }, '/me/security')).status,
      ).to.equal(422);
    }
    expect(
      (await client.post('/me/security/password', { current: testPassword, password: newOne }, '/me/security')).status,
    ).to.equal(429);
    expect(
      (await client.post('/me/delete', { current: testPassword })).status,
      'all tries at the password count together',
    ).to.equal(429);
  });

  it('a sign-in that began with the old password is worth nothing after the change', async () => {
    const before = await authenticate(ctx(), 'camille', testPassword);
    await changePassword(ctx(), person._id, { current: testPassword, password: newOne });
    expect((await getPerson(house.store, person._id)).sessionEpoch).to.be.greaterThan(before.sessionEpoch);
  });

  it('one of two changes at once wins, and its password is the one that opens', async () => {
    const tries = ['premier mot de passe', 'second mot de passe'].map((password) =>
      changePassword(ctx(), person._id, { current: testPassword, password }),
    );
    expect(await winners(tries, 'conflict')).to.equal(1);
  });

  describe('by a link', () => {
    it('work once, also when sent fifty times at once, and end every session', async () => {
      const client = app.client();
      await signIn(client, person);
      await requestReset(ctx(), 'CAMILLE@example.org');
      const id = await lastReset();
      const tries = Array.from({ length: 50 }, (_one, n) => resetPassword(ctx(), id, `${newOne} ${n}`));
      expect(await winners(tries, 'gone')).to.equal(1);
      expect((await client.get('/me')).status).to.equal(303);
      await expectRefusal(authenticate(ctx(), 'camille', testPassword), 'invalid');
      expect(await waiting(house, 'people', 'person.securityChanged')).to.have.lengthOf(1);
    }).timeout(60_000);

    it('open nothing after 30 minutes, after a newer one, after a change of password, for who is shut out', async () => {
      await requestReset(ctx(), person.email);
      const first = await lastReset();
      await requestReset(ctx(), person.email);
      const second = await lastReset();
      await expectRefusal(resetPassword(ctx(), first, newOne), 'gone', 'people.reset.spent');
      house.pass(30 * minute);
      await expectRefusal(resetPassword(ctx(), second, newOne), 'gone');
      await requestReset(ctx(), person.email);
      const third = await lastReset();
      await changePassword(ctx(), person._id, { current: testPassword, password: newOne });
      await expectRefusal(resetPassword(ctx(), third, newOne), 'gone');
      await requestReset(ctx(), person.email);
      const fourth = await lastReset();
      await disablePerson(system(), person._id);
      await expectRefusal(checkReset(ctx(), fourth), 'gone');
      await expectRefusal(resetPassword(ctx(), 'unknown', newOne), 'gone');
    });

    it('leave a trace that opens nothing for an address that nobody has', async () => {
      await requestReset(ctx(), 'nobody@example.org');
      const [decoy] = await resetsIn(house.store).find().toArray();
      expect(decoy?.personId).to.equal(null);
      expect(await waiting(house, 'resets', 'person.resetRequested')).to.deep.equal([]);
      await expectRefusal(resetPassword(ctx(), decoy?._id ?? '', newOne), 'gone');
    });

    it('answer the same for an address known, unknown, or over its three mails an hour', async () => {
      const page = async (email: string) => {
        const answer = await app.client().post('/forgot', { email });
        return `${answer.status} ${answer.text}`;
      };
      const known = await page(person.email);
      expect(known).to.match(/^200 /);
      expect(await page('nobody@example.org')).to.equal(known);
      for (let n = 0; n < 4; n += 1) expect(await page(person.email)).to.equal(known);
      expect(await waiting(house, 'resets', 'person.resetRequested')).to.have.lengthOf(3);
      expect(await page('not an address')).to.equal(known);
    });

    it('send at most three mails when asked fifty times at once', async () => {
      const clients = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const client = app.client();
          return { client, csrf: (await client.csrf('/forgot')) ?? '' };
        }),
      );
      await Promise.all(
        clients.map(({ client, csrf }) => client.postRaw('/forgot', { email: person.email, _csrf: csrf })),
      );
      expect(await waiting(house, 'resets', 'person.resetRequested')).to.have.lengthOf(3);
    });

    it('are not used up by being looked at, sign nobody in, and are made of the configured address', async () => {
      await requestReset(ctx(), person.email);
      const path = linkTo(house, 'reset', await lastReset());
      const client = app.client();
      for (let n = 0; n < 3; n += 1) {
        const page = await client.get(path, { host: 'evil.example', 'x-forwarded-host': 'evil.example' });
        expect(page.status).to.equal(200);
        expect(page.text).not.to.contain('evil.example');
        expect(page.headers.get('referrer-policy')).to.equal('no-referrer');
      }
      expect((await client.post(path, { password: 'short' })).status).to.equal(422);
      expect((await client.post(path, { password: newOne })).location).to.equal('/sign-in');
      expect((await client.get('/me')).status).to.equal(303);
      expect((await client.get(path)).status).to.equal(410);
      await signIn(client, person, newOne);
    });
  });

  describe('by an administrator', () => {
    it('start a link, and nothing else', async () => {
      const administrator = contextFor(
        house,
        await actorFor(house, await buildPerson(house, { instanceRole: 'administrator' })),
      );
      const reset = await startReset(administrator, person._id);
      expect(await waiting(house, 'resets', 'person.resetRequested')).to.have.lengthOf(1);
      await expectRefusal(setPasswordBySystem(administrator, person._id, newOne), 'not-allowed');
      expect((await authenticate(ctx(), 'camille', testPassword))._id).to.equal(person._id);
      await resetPassword(ctx(), reset._id, newOne);
      const moderator = contextFor(
        house,
        await actorFor(house, await buildPerson(house, { instanceRole: 'moderator' })),
      );
      await expectRefusal(startReset(moderator, person._id), 'not-allowed');
      await expectRefusal(startReset(administrator, 'unknown'), 'not-found');
      await disablePerson(administrator, person._id);
      await expectRefusal(startReset(administrator, person._id), 'closed');
    });

    it('are set from the command line of the machine, for who lost everything', async () => {
      await setPasswordBySystem(system(), person._id, newOne);
      expect((await authenticate(ctx(), 'camille', newOne))._id).to.equal(person._id);
    });
  });
});
