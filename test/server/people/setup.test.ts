import { expect } from 'chai';
import { findCollectiveByHandle } from '../../../server/collectives/queries.js';
import { readSettings } from '../../../server/instances/settings.js';
import { completeSetup, openSetup } from '../../../server/people/actions/setup.js';
import { findPersonByUsername, peopleIn, setupsIn } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import {
  buildPerson,
  buildTestHouse,
  contextFor,
  startTestApp,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';
import { expectRefusal, winners } from './peopleSupport.js';

describe('the first start', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await buildTestHouse();
  });

  const input = {
    username: 'camille',
    displayName: 'Camille',
    email: 'camille@example.org',
    password: testPassword,
    language: 'fr' as const,
    instanceName: '',
    collectiveName: '',
  };
  const idOf = async () =>
    (
      await setupsIn(house.store)
        .find({}, { sort: { _id: -1 } })
        .toArray()
    )[0]?._id ?? '';
  const pathOf = (link: string | null) => new URL(link ?? '').pathname;

  it('offers one link, the same at each start, until there is an administrator', async () => {
    const link = await openSetup(house);
    expect(link).to.match(/^http:\/\/localhost:3000\/setup\/[\w-]+\.[\w-]{27}$/);
    expect(await openSetup(house)).to.equal(link);
    await buildPerson(house, { instanceRole: 'administrator', password: null });
    expect(await openSetup(house)).to.equal(null);
    await expectRefusal(completeSetup(contextFor(house, null), await idOf(), input), 'gone', 'people.setup.spent');
  });

  it('makes the administrator, names the place, begins the first hoster, and signs in', async () => {
    const app = await startTestApp(house, [peopleRoutes]);
    const path = pathOf(await openSetup(house));
    const client = app.client();
    expect((await client.get(path)).headers.get('referrer-policy')).to.equal('no-referrer');
    const answer = await client.post(path, {
      ...input,
      instanceName: 'ROSEAU',
      collectiveName: 'Les Pads de l’Écluse',
    });
    const collective = await findCollectiveByHandle(house.store, 'lespadsdelecluse');
    expect(answer.location).to.equal(`/my/collectives/${collective?._id}`);
    expect(collective?.profile.name).to.deep.equal({ fr: 'Les Pads de l’Écluse', en: '' });
    const person = await findPersonByUsername(house.store, 'camille');
    expect(person).to.include({ instanceRole: 'administrator', language: 'fr' });
    expect(collective?.members.map((member) => [member.personId, member.role])).to.deep.equal([
      [person?._id, 'representative'],
    ]);
    expect((await readSettings(house.store)).name).to.equal('ROSEAU');
    expect((await client.get('/admin/people')).status).to.equal(200);
    expect((await app.client().get(path)).status).to.equal(410);
    expect((await app.client().get('/setup/wrong.token')).status).to.equal(410);
  });

  it('works without a hoster, and leads to the page that makes one', async () => {
    const app = await startTestApp(house, [peopleRoutes]);
    const answer = await app.client().post(pathOf(await openSetup(house)), { ...input });
    expect(answer.location).to.equal('/my/collectives/new');
  });

  it('makes one administrator when the link is used many times at once', async () => {
    await openSetup(house);
    const id = await idOf();
    const tries = Array.from({ length: 10 }, (_one, n) =>
      completeSetup(contextFor(house, null), id, {
        ...input,
        username: `camille${n}`,
        email: `camille${n}@example.org`,
      }),
    );
    expect(await winners(tries, 'gone')).to.equal(1);
    expect(await peopleIn(house.store).countDocuments()).to.equal(1);
  });

  it('leaves the link as it was after a mistake, and says what to correct', async () => {
    const app = await startTestApp(house, [peopleRoutes]);
    const path = pathOf(await openSetup(house));
    const client = app.client();
    const refused: Record<string, string>[] = [
      { username: 'admin' },
      { password: 'short' },
      { email: 'nowhere' },
      { collectiveName: '!!!' },
      { displayName: '' },
    ];
    for (const wrong of refused) {
      const answer = await client.post(path, { ...input, ...wrong });
      expect(answer.status, JSON.stringify(wrong)).to.equal(422);
      expect(answer.text).not.to.contain(testPassword);
    }
    expect(await peopleIn(house.store).countDocuments()).to.equal(0);
    expect((await client.post(path, { ...input })).status).to.equal(303);
  });
});
