// An anonymous survey of another instance: what a collective says here of its own answer, since nobody else can know.
import { expect } from 'chai';
import { collectiveRoutes } from '../../../server/collectives/routes.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { listNeeds } from '../../../server/notices/needs.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import { receiveSurvey } from '../../../server/surveys/actions/receiving.js';
import { markAnswered } from '../../../server/surveys/actions/sending.js';
import { answererFor, listAsked } from '../../../server/surveys/askedSurveys.js';
import { type RemoteSurvey, remoteSurveyKey, remoteSurveysIn } from '../../../server/surveys/remoteSurveys.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
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
import { buildCollective, refusalOf } from '../collectives/collectiveSupport.js';

const link = 'https://canopee.example/surveys/by-link/x';

describe('an anonymous survey elsewhere', () => {
  let house: TestHouse;
  let app: TestApp;
  let person: Person;
  let member: Client;
  let ours: Collective;
  let others: Collective;

  before(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes, collectiveRoutes, surveyRoutes]);
    person = await buildPerson(house);
    ours = await buildCollective(house, { members: [{ personId: person._id, role: 'member' }] });
    others = await buildCollective(house);
    member = app.client({ language: 'en' });
    await signIn(member, person);
  });

  const ctx = () => contextFor(house, systemActor);
  const needs = async () => (await listNeeds(ctx(), person, 'en')).map(({ href }) => href);

  async function keep(name: string, change: Partial<RemoteSurvey> = {}): Promise<string> {
    const iri = `https://canopee.example/objects/${name}`;
    const asked = [ours, others].map((one) => answererFor(ctx(), one).key);
    await receiveSurvey(ctx(), {
      ...{ _id: remoteSurveyKey(iri), iri, owner: 'https://canopee.example/actors/c', host: 'canopee.example' },
      ...{ url: null, link, asked, revision: 1, version: 1, title: { en: 'Elsewhere' }, intro: {} },
      organiser: { name: 'Canopée', handle: 'c@canopee.example' },
      ...{ languages: ['en'], timeZone: 'Europe/Paris', names: 'anonymous', late: 'refuse', state: 'open' },
      ...{ closesAt: null, closedAt: null, sections: [], chosenSlot: null, results: null },
      ...{ receivedAt: house.now(), deletedAt: null },
      ...change,
    });
    return remoteSurveyKey(iri);
  }

  it('leaves the dashboard once its people say that they have answered, and comes back when they say they have not', async () => {
    const key = await keep('one');
    const path = `/my/collectives/${ours._id}/asked/${key}`;
    expect(await needs()).to.deep.equal([path]);
    expect((await member.get(path)).text)
      .to.include('We have answered')
      .and.include(link);
    const said = await member.post(`${path}/answered`, { is: 'yes' }, path);
    expect([said.status, said.location]).to.deep.equal([303, path]);
    expect(await needs()).to.deep.equal([]);
    const page = await member.get(path);
    expect(page.text).to.include('A member of your hoster noted it here').and.include('We have not answered yet');
    const [line] = await listAsked(ctx(), others);
    expect(line?.isAnswered, 'of the others nothing is said').to.equal(false);
    await member.post(`${path}/answered`, { is: 'no' }, path);
    expect(await needs()).to.deep.equal([path]);
  });

  it('keeps that they said so, and neither who nor when nor in which order; its owner hears nothing, nor undoes it', async () => {
    const key = await keep('two');
    for (const one of [others, ours]) await markAnswered(ctx(), key, answererFor(ctx(), one), true);
    await Promise.all([ours, others].map((one) => markAnswered(ctx(), key, answererFor(ctx(), one), true)));
    const before = await remoteSurveysIn(house.store).findOne({ _id: key });
    expect(before?.marked).to.deep.equal([ours, others].map((one) => answererFor(ctx(), one).key).toSorted());
    expect(before?.events?.map(({ type }) => type)).to.deep.equal(['remoteSurvey.received']);
    expect(JSON.stringify(before)).to.not.include(person._id);
    await keep('two', { revision: 2, title: { en: 'Elsewhere, again' } });
    expect((await remoteSurveysIn(house.store).findOne({ _id: key }))?.marked).to.deep.equal(before?.marked);
  });

  it('is the only kind of which this is said, and by those whom it asks', async () => {
    const named = await keep('named', { names: 'named', link: null });
    const path = `/my/collectives/${ours._id}/asked/${named}`;
    expect((await member.get(path)).text).to.not.include('We have answered');
    expect((await member.post(`${path}/answered`, { is: 'yes' }, path)).status).to.equal(404);
    const key = await keep('three', { asked: [answererFor(ctx(), others).key] });
    expect(await refusalOf(markAnswered(ctx(), key, answererFor(ctx(), ours), true))).to.match(/^not-allowed/);
  });
});
