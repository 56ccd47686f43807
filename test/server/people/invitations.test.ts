import { expect } from 'chai';
import { createCollective } from '../../../server/collectives/actions.js';
import { getCollective } from '../../../server/collectives/queries.js';
import {
  acceptInvitation,
  checkInvitation,
  invitePerson,
  joinByInvitation,
  revokeInvitation,
} from '../../../server/people/actions/invitations.js';
import {
  findPersonByUsername,
  getPerson,
  invitationsIn,
  listOpenInvitations,
  peopleIn,
} from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import {
  actorFor,
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

const day = 24 * 60 * 60 * 1000;

describe('invitations', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await buildTestHouse();
  });

  const ctx = () => contextFor(house, systemActor);
  const visitor = () => contextFor(house, null);
  const input = (username: string) => ({ username, displayName: 'Noor', password: testPassword });
  const invite = (overrides: Partial<Parameters<typeof invitePerson>[1]> = {}) =>
    invitePerson(ctx(), {
      email: 'noor@example.org',
      instanceRole: null,
      collective: null,
      language: 'fr',
      ...overrides,
    });
  const collective = () =>
    createCollective(ctx(), {
      handle: 'pads',
      name: { fr: 'Les Pads', en: '' },
      legalForm: 'ASSOCIATION',
      members: [],
    });

  it('are written with the news of them', async () => {
    const invitation = await invite({ instanceRole: 'moderator' });
    expect(await waiting(house, 'invitations', 'person.invited')).to.have.lengthOf(1);
    expect(invitation.expiresAt.getTime() - house.now().getTime()).to.equal(14 * day);
    expect(JSON.stringify(await invitationsIn(house.store).find().toArray())).not.to.contain(
      linkTo(house, 'invitations', invitation._id),
    );
  });

  it('make an account with the invited address and role, and say so', async () => {
    const invitation = await invite({ instanceRole: 'moderator' });
    const person = await acceptInvitation(visitor(), invitation._id, input('noor'));
    const stored = await getPerson(house.store, person._id);
    expect(stored).to.include({
      username: 'noor',
      email: 'noor@example.org',
      instanceRole: 'moderator',
      language: 'fr',
    });
    expect((await waiting(house, 'people', 'person.created')).map((event) => event.personId)).to.deep.equal([
      person._id,
    ]);
    await expectRefusal(checkInvitation(visitor(), invitation._id), 'gone', 'people.invitation.used');
  });

  it('make one account when they are used fifty times at once', async () => {
    const invitation = await invite();
    const tries = Array.from({ length: 50 }, (_one, n) =>
      acceptInvitation(visitor(), invitation._id, { ...input(`noor${n}`), password: testPassword }),
    );
    expect(await winners(tries, 'gone')).to.equal(1);
    expect(await peopleIn(house.store).countDocuments()).to.equal(1);
  }).timeout(60_000);

  it('take the person into the collective, in the role that was meant', async () => {
    const { _id } = await collective();
    const invitation = await invite({ collective: { id: _id, role: 'member' } });
    const person = await acceptInvitation(visitor(), invitation._id, input('noor'));
    expect(
      (await getCollective(house.store, _id)).members.map(({ personId, role }) => ({ personId, role })),
    ).to.deep.equal([{ personId: person._id, role: 'member' }]);
  });

  it('stay good after a name that was taken, and open nothing when too old, revoked, used or unknown', async () => {
    await buildPerson(house, { username: 'noor', email: 'other@example.org', password: null });
    const invitation = await invite();
    await expectRefusal(acceptInvitation(visitor(), invitation._id, input('noor')), 'conflict', 'handle.taken');
    await expectRefusal(acceptInvitation(visitor(), invitation._id, input('n')), 'invalid', 'handle.invalid');
    await expectRefusal(acceptInvitation(visitor(), invitation._id, input('admin')), 'invalid', 'handle.invalid');
    await acceptInvitation(visitor(), invitation._id, input('noor2'));
    await expectRefusal(acceptInvitation(visitor(), invitation._id, input('noor3')), 'gone', 'people.invitation.used');
    const old = await invite({ email: 'old@example.org' });
    house.pass(14 * day);
    await expectRefusal(acceptInvitation(visitor(), old._id, input('old')), 'gone', 'people.invitation.expired');
    const revoked = await invite({ email: 'revoked@example.org' });
    await revokeInvitation(ctx(), revoked._id);
    await revokeInvitation(ctx(), revoked._id);
    await expectRefusal(
      acceptInvitation(visitor(), revoked._id, input('revoked')),
      'gone',
      'people.invitation.revoked',
    );
    await expectRefusal(acceptInvitation(visitor(), 'unknown', input('unknown')), 'gone');
    await expectRefusal(revokeInvitation(ctx(), invitation._id), 'closed', 'people.invitation.used');
    await expectRefusal(revokeInvitation(ctx(), 'unknown'), 'not-found');
    expect(await findPersonByUsername(house.store, 'revoked')).to.equal(null);
  });

  it('are either used or revoked, never both, when both happen at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const invitation = await invite({ email: `race${round}@example.org` });
      await Promise.allSettled([
        acceptInvitation(visitor(), invitation._id, input(`race${round}`)),
        revokeInvitation(ctx(), invitation._id),
      ]);
      const stored = await invitationsIn(house.store).findOne({ _id: invitation._id });
      const person = await findPersonByUsername(house.store, `race${round}`);
      expect(stored?.revokedAt === null).to.equal(person !== null);
    }
  });

  it('can be used again when the process died before the account was made', async () => {
    const invitation = await invite();
    await invitationsIn(house.store).updateOne(
      { _id: invitation._id },
      { $set: { usedAt: house.now(), usedBy: 'nobody' } },
    );
    await expectRefusal(acceptInvitation(visitor(), invitation._id, input('noor')), 'gone');
    house.pass(5 * 60_000);
    expect((await acceptInvitation(visitor(), invitation._id, input('noor'))).username).to.equal('noor');
  });

  it('are written by administrators and by representatives for their own collective only', async () => {
    const { _id } = await collective();
    const stranger = await actorFor(house, await buildPerson(house, { password: null }));
    const asStranger = contextFor(house, stranger);
    const place = { id: _id, role: 'member' as const };
    const draft = { email: 'noor@example.org', instanceRole: null, collective: place, language: 'fr' as const };
    await expectRefusal(invitePerson(asStranger, draft), 'not-allowed', 'people.error.mayNotInvite');
    await expectRefusal(invitePerson(visitor(), draft), 'not-allowed');
    await expectRefusal(invitePerson(asStranger, { ...draft, collective: null }), 'not-allowed');
    const member = contextFor(house, { ...stranger, memberships: { [_id]: 'member' } });
    await expectRefusal(invitePerson(member, draft), 'not-allowed');
    const representative = contextFor(house, { ...stranger, memberships: { [_id]: 'representative' } });
    await expectRefusal(invitePerson(representative, { ...draft, instanceRole: 'administrator' }), 'not-allowed');
    const invitation = await invitePerson(representative, draft);
    await expectRefusal(revokeInvitation(asStranger, invitation._id), 'not-allowed');
    expect(await listOpenInvitations(house.store, house.now(), _id)).to.have.lengthOf(1);
  });

  it('replace an open one to the same address for the same place, and stop at three mails an hour', async () => {
    const { _id } = await collective();
    const first = await invite();
    const second = await invite({ email: 'NOOR@example.org' });
    const elsewhere = await invite({ collective: { id: _id, role: 'member' } });
    await expectRefusal(checkInvitation(visitor(), first._id), 'gone', 'people.invitation.revoked');
    expect((await checkInvitation(visitor(), second._id))._id).to.equal(second._id);
    expect((await checkInvitation(visitor(), elsewhere._id))._id).to.equal(elsewhere._id);
    const refusal = await expectRefusal(invite(), 'too-many', 'people.error.tooManyMails');
    expect(refusal.retryAfter).to.equal(3600);
    house.pass(60 * 60_000 + 1);
    await invite();
  });

  it('do not give a role to an account that exists: the list of people does', async () => {
    await buildPerson(house, { username: 'noor', password: null });
    await expectRefusal(invite({ instanceRole: 'moderator' }), 'conflict', 'people.error.hasAccount');
  });

  describe('to somebody who has an account', () => {
    it('are accepted with it, once, and by nobody else', async () => {
      const { _id } = await collective();
      const person = await buildPerson(house, { username: 'noor', password: null });
      const other = await buildPerson(house, { password: null });
      const invitation = await invite({ collective: { id: _id, role: 'representative' } });
      await expectRefusal(
        joinByInvitation(visitor(), invitation._id, other._id),
        'not-allowed',
        'people.invitation.otherAddress',
      );
      await expectRefusal(
        acceptInvitation(visitor(), invitation._id, input('noor2')),
        'conflict',
        'people.error.emailTaken',
      );
      const tries = Array.from({ length: 10 }, () => joinByInvitation(visitor(), invitation._id, person._id));
      expect(await winners(tries, 'gone')).to.equal(1);
      const { members } = await getCollective(house.store, _id);
      expect(members.map(({ personId, role }) => ({ personId, role }))).to.deep.equal([
        { personId: person._id, role: 'representative' },
      ]);
    });
  });

  describe('in the browser', () => {
    it('are shown without being used up, and keep their address to themselves', async () => {
      const app = await startTestApp(house, [peopleRoutes]);
      const invitation = await invite();
      const path = linkTo(house, 'invitations', invitation._id);
      for (let n = 0; n < 3; n += 1) {
        const page = await app.client().get(path);
        expect(page.status).to.equal(200);
        expect(page.headers.get('referrer-policy')).to.equal('no-referrer');
        expect(page.headers.get('cache-control')).to.equal('no-store');
      }
      const client = app.client();
      const answer = await client.post(path, {
        ...input('noor'),
        email: 'other@example.org',
        instanceRole: 'administrator',
        collectiveId: 'x',
      });
      expect(answer.location).to.equal('/me');
      expect(await findPersonByUsername(house.store, 'noor')).to.include({
        email: 'noor@example.org',
        instanceRole: null,
      });
      expect((await client.get('/me')).status).to.equal(200);
      expect((await client.get(path)).status).to.equal(410);
    });

    it('are refused from the session of somebody else, who is told to sign out', async () => {
      const app = await startTestApp(house, [peopleRoutes]);
      const invitation = await invite();
      const client = app.client();
      await signIn(client, await buildPerson(house));
      const path = linkTo(house, 'invitations', invitation._id);
      const page = await client.get(path);
      expect(page.text).to.contain('Sign out, then open the link again');
      expect((await client.post(path, input('noor'), '/me/profile')).status).to.equal(403);
      expect((await client.post(`${path}/join`, {}, '/me/profile')).status).to.equal(403);
      expect(await findPersonByUsername(house.store, 'noor')).to.equal(null);
    });

    it('open nothing when the link was changed by one letter, or made for something else', async () => {
      const app = await startTestApp(house, [peopleRoutes]);
      const invitation = await invite();
      const path = linkTo(house, 'invitations', invitation._id);
      const last = path.at(-1) === 'A' ? 'B' : 'A';
      expect((await app.client().get(path.slice(0, -1) + last)).status).to.equal(410);
      expect(
        (await app.client().get(linkTo(house, 'reset', invitation._id).replace('/reset/', '/invitations/'))).status,
      ).to.equal(410);
      expect((await app.client().get(`/invitations/${invitation._id}`)).status).to.equal(410);
    });
  });
});
