import { expect } from 'chai';
import { disablePerson } from '../../../server/people/actions/access.js';
import {
  checkEmailChange,
  confirmEmailChange,
  requestEmailChange,
} from '../../../server/people/actions/emailChange.js';
import { requestReset, resetPassword } from '../../../server/people/actions/passwordChange.js';
import { emailChangesIn, findPersonByEmail, getPerson, resetsIn } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import {
  buildPerson,
  buildTestHouse,
  contextFor,
  signIn,
  startTestApp,
  systemActor,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';
import { expectRefusal, linkTo, waiting, winners } from './peopleSupport.js';

describe('a new e-mail address', () => {
  let house: TestHouse;
  let person: Person;

  beforeEach(async () => {
    house = await buildTestHouse();
    person = await buildPerson(house, { username: 'camille' });
  });

  const ctx = () => contextFor(house, null);
  const ask = (email = 'new@example.org', proof = testPassword) =>
    requestEmailChange(ctx(), person._id, { email, proof });
  const last = async () =>
    (
      await emailChangesIn(house.store)
        .find({}, { sort: { _id: -1 } })
        .toArray()
    )[0]?._id ?? '';

  it('is asked for with the password, and the old one stays until the link is opened', async () => {
    await expectRefusal(ask('new@example.org', 'wrong password'), 'invalid', 'people.error.wrongPassword');
    await ask();
    expect((await getPerson(house.store, person._id)).email).to.equal('camille@example.org');
    expect(await waiting(house, 'emailChanges', 'person.emailChangeRequested')).to.have.lengthOf(1);
  });

  it('is in place once confirmed, and the old address is told', async () => {
    await ask();
    await confirmEmailChange(ctx(), await last());
    expect((await findPersonByEmail(house.store, 'NEW@example.org'))?._id).to.equal(person._id);
    expect(await findPersonByEmail(house.store, 'camille@example.org')).to.equal(null);
    const [told] = await waiting(house, 'people', 'person.securityChanged');
    expect(told).to.include({ what: 'email', oldEmail: 'camille@example.org' });
  });

  it('is confirmed once, also when sent many times at once', async () => {
    await ask();
    const id = await last();
    expect(
      await winners(
        Array.from({ length: 20 }, () => confirmEmailChange(ctx(), id)),
        'gone',
      ),
    ).to.equal(1);
  });

  it('voids links for a new password that were sent to the old mailbox', async () => {
    await requestReset(ctx(), person.email);
    const [reset] = await resetsIn(house.store).find({ personId: person._id }).toArray();
    await ask();
    await confirmEmailChange(ctx(), await last());
    await expectRefusal(resetPassword(ctx(), reset?._id ?? '', 'une autre phrase longue'), 'gone');
  });

  it('is void once there is a new password: whoever knew the old one gets no way back in', async () => {
    await ask('thief@example.org');
    const stolen = await last();
    await requestReset(ctx(), person.email);
    const [reset] = await resetsIn(house.store).find({ personId: person._id }).toArray();
    await resetPassword(ctx(), reset?._id ?? '', 'une autre phrase longue');
    await expectRefusal(confirmEmailChange(ctx(), stolen), 'gone');
    expect((await getPerson(house.store, person._id)).email).to.equal('camille@example.org');
  });

  it('does not tell that somebody else has it, and sends that person nothing', async () => {
    await buildPerson(house, { email: 'taken@example.org', password: null });
    await ask('taken@example.org');
    expect(await waiting(house, 'emailChanges', 'person.emailChangeRequested')).to.deep.equal([]);
    await expectRefusal(confirmEmailChange(ctx(), await last()), 'gone');
  });

  it('is refused at the end when somebody took it meanwhile', async () => {
    await ask();
    await buildPerson(house, { email: 'NEW@example.org', password: null });
    await expectRefusal(confirmEmailChange(ctx(), await last()), 'conflict', 'people.error.emailTaken');
    expect((await getPerson(house.store, person._id)).email).to.equal('camille@example.org');
  });

  it('is refused when it is the same, after a day, after a newer one, for who is shut out', async () => {
    await expectRefusal(ask('camille@example.org'), 'invalid', 'people.email.same');
    await ask();
    const first = await last();
    await ask('newer@example.org');
    await expectRefusal(checkEmailChange(ctx(), first), 'gone');
    const second = await last();
    house.pass(24 * 60 * 60_000);
    await expectRefusal(confirmEmailChange(ctx(), second), 'gone');
    await ask();
    await disablePerson(contextFor(house, systemActor), person._id);
    await expectRefusal(confirmEmailChange(ctx(), await last()), 'gone');
    await expectRefusal(confirmEmailChange(ctx(), 'unknown'), 'gone');
  });

  it('goes through its pages; three mails an hour to one mailbox, whoever asks', async () => {
    const app = await startTestApp(house, [peopleRoutes]);
    const client = app.client();
    await signIn(client, person);
    const post = (email: string) => client.post('/me/security/email', { email, proof: testPassword }, '/me/security');
    for (const bad of [
      '"a@evil x"@example.org',
      'a@b@c.org',
      'a b@example.org',
      `${'a'.repeat(320)}@example.org`,
      'a@example.org\r\nBcc: b@example.org',
    ]) {
      expect((await post(bad)).status, bad).to.equal(422);
    }
    expect((await post('victim@example.org')).status).to.equal(303);
    const path = linkTo(house, 'email-changes', await last());
    expect((await client.get(path)).text).to.contain('victim@example.org');
    expect((await app.client().post(path)).location).to.equal('/sign-in');
    expect((await getPerson(house.store, person._id)).email).to.equal('victim@example.org');
    for (let n = 0; n < 2; n += 1) expect((await post('other@example.org')).status).to.equal(303);
    await app.client().post('/forgot', { email: 'OTHER@example.org' });
    expect((await post('other@example.org')).status).to.equal(429);
  });
});
