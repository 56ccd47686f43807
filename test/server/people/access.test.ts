import { expect } from 'chai';
import { claimHandle } from '../../../server/handles/handles.js';
import { changeInstanceRole, disablePerson, enablePerson } from '../../../server/people/actions/access.js';
import { createPerson } from '../../../server/people/actions/accounts.js';
import { deletePerson } from '../../../server/people/actions/deletion.js';
import { countAdministrators, getPerson, listPeople } from '../../../server/people/queries.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  contextFor,
  systemActor,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';
import { expectRefusal, waiting, winners } from './peopleSupport.js';

describe('accounts and roles', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await buildTestHouse();
  });

  const system = () => contextFor(house, systemActor);
  const quick = (overrides: Parameters<typeof buildPerson>[1] = {}) =>
    buildPerson(house, { password: null, ...overrides });

  it('come into being with their event and its line of history, which names nobody', async () => {
    const person = await createPerson(system(), {
      username: ' Camille ',
      email: 'camille@example.org',
      displayName: 'Camille Canary',
      password: null,
      instanceRole: 'moderator',
    });
    expect(await getPerson(house.store, person._id)).to.include({ username: 'camille', instanceRole: 'moderator' });
    const [event] = await waiting(house, 'people', 'person.created');
    expect(event?.personId).to.equal(person._id);
    expect(event?.change).to.deep.include({ subject: 'person', what: 'created', by: 'system:test' });
    expect(JSON.stringify(event)).not.to.contain('Canary').and.not.to.contain('example.org');
  });

  it('are refused to who may not, and for a name or an address that is taken, reserved or impossible', async () => {
    const draft = { username: 'camille', email: 'camille@example.org', displayName: 'C', password: null };
    await expectRefusal(createPerson(contextFor(house, null), draft), 'not-allowed');
    await expectRefusal(
      createPerson(contextFor(house, await actorFor(house, await quick({ instanceRole: 'moderator' }))), draft),
      'not-allowed',
    );
    await claimHandle(system(), 'pads', 'collective', 'a-collective');
    await expectRefusal(createPerson(system(), { ...draft, username: 'pads' }), 'conflict', 'handle.taken');
    for (const username of ['admin', 'a', 'with space', '_under', 'é', 'x'.repeat(31)]) {
      await expectRefusal(createPerson(system(), { ...draft, username }), 'invalid', 'handle.invalid');
    }
    await createPerson(system(), draft);
    await expectRefusal(createPerson(system(), { ...draft, email: 'x@example.org' }), 'conflict', 'handle.taken');
    await expectRefusal(
      createPerson(system(), { ...draft, username: 'other', email: 'CAMILLE@example.org' }),
      'conflict',
      'people.error.emailTaken',
    );
  });

  it('are made once for one name or one address, also by many at once', async () => {
    const draft = (n: number) => ({
      username: 'camille',
      email: `camille${n}@example.org`,
      displayName: 'C',
      password: null,
    });
    expect(
      await winners(
        Array.from({ length: 20 }, (_one, n) => createPerson(system(), draft(n))),
        'conflict',
      ),
    ).to.equal(1);
    const other = (n: number) => ({
      username: `name${n}`,
      email: 'same@example.org',
      displayName: 'C',
      password: null,
    });
    expect(
      await winners(
        Array.from({ length: 20 }, (_one, n) => createPerson(system(), other(n))),
        'conflict',
      ),
    ).to.equal(1);
  });

  it('change roles with a line of history, for administrators only', async () => {
    const administrator = contextFor(house, await actorFor(house, await quick({ instanceRole: 'administrator' })));
    const person = await quick();
    await changeInstanceRole(administrator, person._id, 'moderator');
    expect((await getPerson(house.store, person._id)).instanceRole).to.equal('moderator');
    const [event] = await waiting(house, 'people', 'person.profileChanged');
    expect(event?.change?.fields).to.deep.equal([{ path: 'instanceRole', before: null, after: 'moderator' }]);
    await changeInstanceRole(administrator, person._id, 'moderator');
    expect(await waiting(house, 'people', 'person.profileChanged')).to.have.lengthOf(1);
    const moderator = contextFor(house, await actorFor(house, await getPerson(house.store, person._id)));
    await expectRefusal(changeInstanceRole(moderator, person._id, 'administrator'), 'not-allowed');
    await expectRefusal(disablePerson(moderator, person._id), 'not-allowed');
    await expectRefusal(enablePerson(moderator, person._id), 'not-allowed');
    await expectRefusal(changeInstanceRole(administrator, 'unknown', null), 'not-found');
  });

  it('keep an administrator who can sign in: the last one can neither step down nor be shut out', async () => {
    const last = await quick({ instanceRole: 'administrator' });
    const shut = await quick({ instanceRole: 'administrator' });
    await disablePerson(system(), shut._id);
    for (const deed of [
      changeInstanceRole(system(), last._id, null),
      changeInstanceRole(system(), last._id, 'moderator'),
      disablePerson(system(), last._id),
    ]) {
      await expectRefusal(deed, 'closed', 'people.error.lastAdministrator');
    }
    expect(await getPerson(house.store, last._id)).to.include({ instanceRole: 'administrator', disabledAt: null });
    await enablePerson(system(), shut._id);
    await changeInstanceRole(system(), last._id, null);
    expect(await countAdministrators(house.store)).to.equal(1);
  });

  it('keep an administrator when the last two step down, are shut out and go at the same time', async () => {
    for (let round = 0; round < 6; round += 1) {
      const one = await buildPerson(house, { instanceRole: 'administrator' });
      const two = await buildPerson(house, { instanceRole: 'administrator' });
      const asTwo = contextFor(house, await actorFor(house, two));
      await Promise.allSettled([
        round % 2 ? disablePerson(system(), one._id) : changeInstanceRole(system(), one._id, null),
        round % 3
          ? deletePerson(asTwo, two._id, { current: testPassword })
          : changeInstanceRole(system(), two._id, null),
      ]);
      expect(await countAdministrators(house.store)).to.be.at.least(1);
      for (const left of (await listPeople(house.store, {})).items) {
        await house.store
          .collection<{ _id: string; instanceRole: null }>('people')
          .updateOne({ _id: left._id }, { $set: { instanceRole: null } });
      }
    }
  });

  it('are found by the beginning of any word, accents aside, page by page', async () => {
    await quick({ username: 'ndiaye', displayName: 'Éloïse N’Diaye' });
    for (let n = 0; n < 60; n += 1) await quick({ username: `many${n}`, displayName: 'Many' });
    const names = async (q: string) => (await listPeople(house.store, { q })).items.map((person) => person.username);
    expect(await names('eloi')).to.deep.equal(['ndiaye']);
    expect(await names('DIA elo')).to.deep.equal(['ndiaye']);
    expect(await names('.*')).to.have.lengthOf(50);
    expect(await names('loise')).to.deep.equal([]);
    const second = await listPeople(house.store, { q: 'many', page: 2 });
    expect(second).to.include({ total: 60, page: 2, pages: 2 });
    expect(second.items).to.have.lengthOf(10);
    expect((await listPeople(house.store, { page: 99 })).page).to.equal(2);
  });
});
