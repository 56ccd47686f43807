import { expect } from 'chai';
import { claimHandle, findHandle } from '../../../server/handles/handles.js';
import { disablePerson } from '../../../server/people/actions/access.js';
import { updateProfile } from '../../../server/people/actions/profile.js';
import { getPerson } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import {
  buildPerson,
  buildTestHouse,
  type Client,
  contextFor,
  signIn,
  startTestApp,
  systemActor,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';
import { expectRefusal, waiting } from './peopleSupport.js';

describe('the profile', () => {
  let house: TestHouse;
  let app: TestApp;
  let person: Person;
  let client: Client;

  beforeEach(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes]);
    person = await buildPerson(house, { username: 'camille', displayName: 'Camille' });
    client = app.client();
    await signIn(client, person);
  });

  const ctx = () => contextFor(house, systemActor);
  const save = (fields: Record<string, string>) =>
    client.post('/me/profile', { displayName: 'Camille', 'bio.fr': '', 'bio.en': '', handle: 'camille', ...fields });

  it('claims no name and shows no page until the person chooses it', async () => {
    expect((await save({ 'bio.fr': 'Bonjour' })).location).to.equal('/me/profile');
    expect(await findHandle(house.store, 'camille')).to.equal(null);
    expect((await app.client().get('/@camille')).status).to.equal(404);
    expect(await waiting(house, 'people', 'person.profileChanged')).to.have.lengthOf(1);
  });

  it('takes a name for ever when it is made public, and a page with it', async () => {
    await save({ publicProfile: 'on', handle: 'Camille_P', 'bio.fr': 'Bonjour <b>à tous</b>' });
    expect((await findHandle(house.store, 'camille_p'))?.ownerId).to.equal(person._id);
    const page = await app.client().get('/@camille_p');
    expect(page.status).to.equal(200);
    expect(page.text).to.contain('Bonjour &lt;b&gt;à tous').and.to.contain('@camille_p@localhost:3000');
    expect(page.text).to.contain('http://localhost:3000/actors/camille_p');
    await save({ publicProfile: 'on', handle: 'another' });
    expect(await findHandle(house.store, 'another')).to.equal(null);
    expect((await getPerson(house.store, person._id)).handle).to.equal('camille_p');
    await save({});
    expect((await app.client().get('/@camille_p')).status).to.equal(404);
    expect((await findHandle(house.store, 'camille_p'))?.ownerId).to.equal(person._id);
  });

  it('refuses a name that is taken or reserved, and keeps what was typed', async () => {
    await claimHandle(ctx(), 'pads', 'collective', 'a-collective');
    const taken = await save({ publicProfile: 'on', handle: 'pads', 'bio.en': 'what I typed' });
    expect(taken.status).to.equal(422);
    expect(taken.text).to.contain('This name is taken.').and.to.contain('what I typed');
    expect((await save({ publicProfile: 'on', handle: 'admin' })).status).to.equal(422);
    expect((await getPerson(house.store, person._id)).publicProfile).to.equal(false);
    await expectRefusal(
      updateProfile(ctx(), 'unknown', { displayName: 'X', bio: { fr: '', en: '' }, publicProfile: false }),
      'not-found',
    );
  });

  it('hides the page of somebody who is shut out', async () => {
    await save({ publicProfile: 'on' });
    await disablePerson(ctx(), person._id);
    expect((await app.client().get('/@camille')).status).to.equal(404);
  });

  it('takes nothing that its form does not have', async () => {
    await save({
      instanceRole: 'administrator',
      username: 'other',
      email: 'x@example.org',
      sessionEpoch: '9',
      disabledAt: '2020-01-01',
      'credentials.password': 'x',
    });
    expect(await getPerson(house.store, person._id)).to.include({
      instanceRole: null,
      username: 'camille',
      email: 'camille@example.org',
      sessionEpoch: 0,
      disabledAt: null,
    });
  });
});

describe('preferences', () => {
  it('decide the language of the pages and the times they show', async () => {
    const house = await buildTestHouse();
    const app = await startTestApp(house, [peopleRoutes]);
    const person = await buildPerson(house);
    const client = app.client({ language: 'en' });
    await signIn(client, person);
    const save = (fields: Record<string, string>) =>
      client.post('/me/preferences', {
        language: '',
        timeZone: '',
        'mailChoices.sourceFailed': 'at-once',
        'mailChoices.followRequested': 'off',
        ...fields,
      });
    expect((await client.get('/me')).text).to.contain('<html lang="en"');
    expect((await save({ language: 'fr', timeZone: 'Pacific/Noumea' })).status).to.equal(303);
    expect((await client.get('/me')).text).to.contain('<html lang="fr"');
    expect((await client.get('/me/sessions')).text).to.contain('21:00');
    expect((await getPerson(house.store, person._id)).mailChoices).to.deep.equal({
      sourceFailed: 'at-once',
      followRequested: 'off',
    });
    expect((await save({ timeZone: 'Mars/Olympus' })).status).to.equal(422);
    expect((await save({ language: 'de' })).status).to.equal(422);
    expect((await save({ 'mailChoices.sourceFailed': 'weekly' })).status).to.equal(422);
    expect((await save({})).status).to.equal(303);
    expect((await client.get('/me')).text).to.contain('<html lang="en"');
  });
  it('let nothing wait for a summary that never leaves without saying so', async () => {
    const house = await buildTestHouse();
    const app = await startTestApp(house, [peopleRoutes]);
    const person = await buildPerson(house);
    const client = app.client({ language: 'en' });
    await signIn(client, person);
    const choose = async (kind: string, digest: string) => {
      const fields = { language: 'en', timeZone: '', 'mailChoices.surveyOpened': kind, digest };
      await client.post('/me/preferences', fields, '/me/preferences');
      return (await client.get('/me/preferences')).text;
    };
    const kept = async () => (await getPerson(house.store, person._id)).digest;
    expect(await choose('at-once', 'off'))
      .to.contain('Saved.')
      .and.not.to.contain('summary leaves');
    expect(await choose('digest', 'off')).to.contain('The summary leaves every day from now on');
    expect(await kept()).to.equal('daily');
    expect(await choose('digest', 'weekly')).to.not.contain('no summary leaves');
    // Who wants none is not overruled; the page says what follows.
    expect(await choose('digest', 'off')).to.contain('no summary leaves');
    expect(await kept()).to.equal('off');
    expect(await choose('digest', 'off')).to.contain('no summary leaves');
  });
});
