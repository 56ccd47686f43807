// Who is asked one by one is fixed by the opening: who joins later is not asked, who leaves still counts.
import { expect } from 'chai';
import { collectivesOf } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { listMissing } from '../../../server/notices/actions/surveyLetters.js';
import { listNeeds } from '../../../server/notices/needs.js';
import { deletePerson } from '../../../server/people/actions/deletion.js';
import type { Person } from '../../../server/people/schema.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { findAskedPerson, listAskedPerson, personAnswerer } from '../../../server/surveys/askedPeople.js';
import { countAsked, getSurvey } from '../../../server/surveys/queries.js';
import { isOneOfThose, listMissingPeople, listTurnout } from '../../../server/surveys/results.js';
import type { Survey } from '../../../server/surveys/schema.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  contextFor,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';
import { buildCollective, refusalOf } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

const question = {
  ...{ id: 'q', label: { fr: 'Pourquoi ?' }, help: {}, required: false, showIf: null, criterion: '' },
  kind: 'shortText' as const,
};
const sections = [{ id: 's', title: {}, intro: {}, showIf: null, questions: [question] }];

describe('who is asked one by one', () => {
  let house: TestHouse;
  let ours: Collective;
  let [stays, leaves, joins]: Person[] = [];
  let ctx: Context;
  let survey: Survey;

  const person = (one: Person | undefined): Person => {
    if (one === undefined) throw new Error('nobody');
    return one;
  };
  const actor = async (one: Person | undefined) => actorFor(house, person(one));
  const answer = async (one: Person | undefined) =>
    submitAnswer(ctx, {
      surveyId: survey._id,
      answerer: personAnswerer(await actor(one)),
      ...{ by: person(one)._id, byName: '', home: '', version: 1, raw: { q: 'x' } },
    });
  const members = (people: (Person | undefined)[]) =>
    people.map((one, at) => ({
      personId: person(one)._id,
      role: at === 0 ? ('representative' as const) : ('member' as const),
    }));

  beforeEach(async () => {
    house = await buildTestHouse();
    [stays, leaves, joins] = [await buildPerson(house), await buildPerson(house), await buildPerson(house)];
    ours = await buildCollective(house, { members: members([stays, leaves]) });
    ctx = contextFor(house, await actor(stays));
    survey = await buildSurvey(ctx, ours, [ours], { sections, answerBy: 'person' });
    const now = members([stays, joins]).map((one) => ({ ...one, since: house.now() }));
    await collectivesOf(house.store).updateOne({ _id: ours._id }, { $set: { members: now } });
  });

  it('is fixed by the opening, at every door', async () => {
    const newcomer = await actor(joins);
    expect(await findAskedPerson(ctx, newcomer, survey._id)).to.equal(null);
    expect(await listAskedPerson(ctx, newcomer)).to.deep.equal([]);
    expect(await isOneOfThose(ctx, survey, newcomer)).to.equal(false);
    expect(await refusalOf(answer(joins))).to.equal('not-allowed surveys.error.notAsked');
    expect(await listNeeds(contextFor(house, newcomer), person(joins), 'en')).to.deep.equal([]);
    const told = (await listMissing(house.store, survey, true)).flatMap(({ people }) => people.map(({ _id }) => _id));
    expect(told).to.deep.equal([person(stays)._id]);
  });

  it('counts who left, who may still answer', async () => {
    const leaver = await actor(leaves);
    expect((await findAskedPerson(ctx, leaver, survey._id))?.key).to.equal(survey._id);
    expect((await listAskedPerson(ctx, leaver)).map(({ asked }) => asked.key)).to.deep.equal([survey._id]);
    await answer(leaves);
    expect(await countAsked(house.store, survey)).to.equal(2);
    expect((await listTurnout(ctx, survey)).map(({ answered, asked }) => [answered, asked])).to.deep.equal([[1, 2]]);
  });

  it('names to organisers who is missing, where names are for them', async () => {
    await answer(leaves);
    const names = async (one: Survey) => [...(await listMissingPeople(ctx, one)).values()];
    expect(await names(survey)).to.deep.equal([[person(stays).displayName]]);
    expect(await names({ ...survey, names: 'hiddenUntilClose' })).to.deep.equal([]);
    expect(await names({ ...survey, names: 'anonymous', state: 'closed' })).to.deep.equal([]);
  });

  it('forgets who deletes the account, and not how many were asked once it is over', async () => {
    await closeSurvey(ctx, survey._id);
    const goer = contextFor(house, await actor(leaves));
    await deletePerson(goer, person(leaves)._id, { current: testPassword });
    const after = await getSurvey(house.store, survey._id);
    expect(JSON.stringify(after.askedPeople)).to.not.include(person(leaves)._id);
    expect(await countAsked(house.store, after)).to.equal(2);
  });
});
