import { expect } from 'chai';
import { createCollective } from '../../../server/collectives/actions.js';
import { getCollective } from '../../../server/collectives/queries.js';
import { findHandle } from '../../../server/handles/handles.js';
import type { House } from '../../../server/house.js';
import { noticeEvent } from '../../../server/notices/actions/noticeEvent.js';
import { createPerson } from '../../../server/people/actions/accounts.js';
import { deletePerson } from '../../../server/people/actions/deletion.js';
import { requestEmailChange } from '../../../server/people/actions/emailChange.js';
import { acceptInvitation, invitePerson } from '../../../server/people/actions/invitations.js';
import type { collectOwnData } from '../../../server/people/actions/ownData.js';
import { changePassword, requestReset } from '../../../server/people/actions/passwordChange.js';
import { updateProfile } from '../../../server/people/actions/profile.js';
import { findPersonByUsername, getPerson } from '../../../server/people/queries.js';
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
import { expectRefusal, waiting } from './peopleSupport.js';

async function dump(house: House): Promise<string> {
  const names = await house.store.listCollections();
  return JSON.stringify(await Promise.all(names.map((name) => house.store.collection(name).find().toArray())));
}

describe('deleting an account', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await buildTestHouse();
    await buildPerson(house, { instanceRole: 'administrator', password: null });
  });

  const system = () => contextFor(house, systemActor);

  it('leaves nothing of the person in the store, except the name on the Fediverse and what the rest needs', async () => {
    const invitation = await invitePerson(system(), {
      email: 'canary@canary.example',
      instanceRole: 'moderator',
      collective: null,
      language: 'fr',
    });
    for (const event of await waiting(house, 'invitations', 'person.invited')) await noticeEvent({ house }, event);
    await acceptInvitation(contextFor(house, null), invitation._id, {
      username: 'canary',
      displayName: 'Canary',
      password: testPassword,
    });
    let person = await findPersonByUsername(house.store, 'canary');
    if (!person) throw new Error('no person');
    const app = await startTestApp(house, [peopleRoutes]);
    const client = app.client();
    await signIn(client, person);
    await updateProfile(system(), person._id, {
      displayName: 'Canary',
      bio: { fr: 'canary', en: 'canary' },
      publicProfile: true,
      handle: 'publicname',
    });
    await requestReset(contextFor(house, null), person.email);
    await requestEmailChange(contextFor(house, null), person._id, {
      email: 'canary2@canary.example',
      proof: testPassword,
    });
    await changePassword(contextFor(house, null), person._id, { current: testPassword, password: testPassword });
    const { _id } = await createCollective(system(), {
      handle: 'pads',
      name: { fr: 'Les Pads', en: '' },
      legalForm: 'ASSOCIATION',
      members: [{ personId: person._id, role: 'representative' }],
    });
    for (const collection of ['people', 'resets', 'emailChanges']) {
      for (const type of [
        'person.created',
        'person.resetRequested',
        'person.emailChangeRequested',
        'person.securityChanged',
      ] as const) {
        for (const event of await waiting(house, collection, type)) await noticeEvent({ house }, event);
      }
    }
    expect(await dump(house)).to.match(/canary/i);
    await signIn(client, person);
    const answer = await client.post('/me/delete', { current: testPassword });
    expect(answer.location).to.equal('/');
    expect((await client.get('/me')).status).to.equal(303);

    const [deleted] = await waiting(house, 'people', 'person.deleted');
    expect(deleted).to.include({ personId: person._id, handle: 'publicname' });
    if (deleted) await noticeEvent({ house }, deleted);
    expect(await dump(house)).not.to.match(/canary/i);
    expect((await findHandle(house.store, 'publicname'))?.retiredAt).to.deep.equal(house.now());
    expect((await getCollective(house.store, _id)).members).to.deep.equal([]);
    person = await getPerson(house.store, person._id);
    expect(person).to.include({ displayName: '', email: '', instanceRole: null, publicProfile: false });
    await expectRefusal(
      createPerson(system(), { username: 'publicname', email: 'x@example.org', displayName: 'X', password: null }),
      'conflict',
      'handle.taken',
    );
    expect((await app.client().get('/@publicname')).status).to.equal(410);
  });

  it('asks for the password, and is the person’s own deed', async () => {
    const person = await buildPerson(house);
    const other = await buildPerson(house, { instanceRole: 'administrator' });
    const self = contextFor(house, await actorFor(house, person));
    await expectRefusal(
      deletePerson(self, person._id, { current: 'wrong password' }),
      'invalid',
      'people.error.wrongPassword',
    );
    await expectRefusal(
      deletePerson(contextFor(house, await actorFor(house, other)), person._id, { current: testPassword }),
      'not-allowed',
    );
    await expectRefusal(deletePerson(system(), person._id, { current: testPassword }), 'not-allowed');
    expect((await getPerson(house.store, person._id)).deletedAt).to.equal(null);
  });

  it('is refused to the last administrator, who stays one', async () => {
    const alone = await buildTestHouse();
    const person = await buildPerson(alone, { instanceRole: 'administrator' });
    const self = contextFor(alone, await actorFor(alone, person));
    await expectRefusal(
      deletePerson(self, person._id, { current: testPassword }),
      'closed',
      'people.error.lastAdministrator',
    );
    expect(await getPerson(alone.store, person._id)).to.include({ instanceRole: 'administrator', deletedAt: null });
  });

  it('is refused to the last representative of a collective in which others remain, by its name', async () => {
    const person = await buildPerson(house);
    const other = await buildPerson(house, { password: null });
    await createCollective(system(), {
      handle: 'pads',
      name: { fr: 'Les Pads', en: '' },
      legalForm: 'ASSOCIATION',
      members: [
        { personId: person._id, role: 'representative' },
        { personId: other._id, role: 'member' },
      ],
    });
    const app = await startTestApp(house, [peopleRoutes]);
    const client = app.client({ language: 'fr' });
    await signIn(client, person);
    const answer = await client.post('/me/delete', { current: testPassword });
    expect(answer.status).to.equal(422);
    expect(answer.text).to.contain('Plus personne d’autre ne représente Les Pads');
    expect((await getPerson(house.store, person._id)).deletedAt).to.equal(null);
  });

  it('says before what goes and what stays', async () => {
    const person = await buildPerson(house);
    const app = await startTestApp(house, [peopleRoutes]);
    const client = app.client();
    await signIn(client, person);
    const page = await client.get('/me/delete');
    expect(page.text).to.contain('What goes').and.to.contain('What stays, and why').and.to.contain('Backups');
  });
});

describe('the download of one’s own data', () => {
  it('holds all that is kept about the person, and no key to the account', async () => {
    const house = await buildTestHouse();
    const person = await buildPerson(house, { username: 'camille' });
    await requestReset(contextFor(house, null), person.email);
    const app = await startTestApp(house, [peopleRoutes]);
    const client = app.client();
    await signIn(client, person);
    expect((await client.post('/me/data', { current: 'wrong password' })).status).to.equal(422);
    const answer = await client.post('/me/data', { current: testPassword });
    expect(answer.headers.get('content-type')).to.match(/^application\/json/);
    expect(answer.headers.get('content-disposition')).to.equal('attachment; filename=camille-2026-05-21.json');
    expect(answer.headers.get('cache-control')).to.equal('no-store');
    const data = JSON.parse(answer.text) as Awaited<ReturnType<typeof collectOwnData>>;
    expect(data.person).to.include({ username: 'camille', email: 'camille@example.org' });
    expect(data.sessions).to.have.lengthOf(1);
    expect(data.passwordResets).to.have.lengthOf(1);
    expect(answer.text).not.to.contain('argon2').and.not.to.contain('_csrf');
  });
});
