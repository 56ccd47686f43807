import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context, PersonActor } from '../../../server/context.js';
import { deletePerson } from '../../../server/people/actions/deletion.js';
import { collectOwnData } from '../../../server/people/actions/ownData.js';
import type { Person } from '../../../server/people/schema.js';
import { saveDraft, submitAnswer } from '../../../server/surveys/actions/answering.js';
import { forgetGuestAddresses, purgeSurveysOf } from '../../../server/surveys/actions/forgetting.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { guestAnswerer, personAnswerer } from '../../../server/surveys/askedPeople.js';
import { answererFor } from '../../../server/surveys/askedSurveys.js';
import {
  answersIn,
  countAnswers,
  countAsked,
  draftsIn,
  findAnswer,
  findDraft,
  findSurvey,
  getSurvey,
  surveysIn,
  turnoutsIn,
} from '../../../server/surveys/queries.js';
import { sentAnswersIn } from '../../../server/surveys/remoteSurveys.js';
import { listTurnout } from '../../../server/surveys/results.js';
import type { Answerer, Survey } from '../../../server/surveys/schema.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  contextFor,
  type TestHouse,
  testPassword,
} from '../../support/appSupport.js';
import { buildCollective } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

describe('what surveys keep of those who go', () => {
  let house: TestHouse;
  let person: Person;
  let actor: PersonActor;
  let other: Context;
  let ours: Collective;
  let ctx: Context;

  before(async () => {
    house = await buildTestHouse();
  });
  beforeEach(async () => {
    person = await buildPerson(house);
    const stays = await buildPerson(house, { password: null });
    ours = await buildCollective(house, {
      members: [
        { personId: person._id, role: 'member' },
        { personId: stays._id, role: 'representative' },
      ],
    });
    actor = await actorFor(house, person);
    ctx = contextFor(house, actor);
    other = contextFor(house, await actorFor(house, stays));
  });

  const sections = [
    {
      id: 's',
      title: {},
      intro: {},
      showIf: null,
      questions: [
        {
          id: 'q',
          kind: 'shortText' as const,
          label: { fr: 'Quoi' },
          help: {},
          required: false,
          showIf: null,
          criterion: '',
        },
      ],
    },
  ];
  const asking = (more: object = {}) => buildSurvey(other, ours, [ours], { sections, answerBy: 'person', ...more });
  const send = (survey: Survey, answerer: Answerer, by: { _id: string; displayName: string } = person) =>
    submitAnswer(ctx, {
      ...{ surveyId: survey._id, answerer, by: by._id, byName: by.displayName, home: '', version: 1 },
      raw: { q: 'Canari' },
    });
  const leave = () => deletePerson(ctx, person._id, { current: testPassword });

  it('takes their own answers back while open, keeps them without a name once closed, and drops drafts', async () => {
    const own = personAnswerer(actor);
    const [open, closed, drafted, secret] = [
      await asking(),
      await asking(),
      await asking(),
      await asking({ names: 'anonymous' }),
    ];
    for (const survey of [open, closed, secret]) await send(survey, own);
    await saveDraft(ctx, { surveyId: drafted._id, answerer: own, byName: own.name, version: 1, raw: { q: 'Canari' } });
    await closeSurvey(other, closed._id);
    await leave();
    expect(await findAnswer(house.store, open._id, own.key)).to.equal(null);
    const [kept] = await answersIn(house.store).find({ surveyId: closed._id }).toArray();
    expect(kept).to.deep.include({ values: { q: { text: 'Canari' } }, by: '', byName: '' });
    expect(JSON.stringify(kept)).to.not.include(person._id).and.not.include(person.displayName);
    expect(await draftsIn(house.store).countDocuments({ surveyId: drafted._id })).to.equal(0);
    expect(await countAnswers(house.store, secret)).to.equal(1);
    expect(JSON.stringify(await turnoutsIn(house.store).find({}).toArray())).to.not.include(person._id);
  });

  it('count as many asked as before, where their answer stays: no more than those who were', async () => {
    const theirs = await buildCollective(house, { members: [{ personId: person._id, role: 'representative' }] });
    const asked = [ours, theirs];
    const closed = await buildSurvey(other, ours, asked, { sections, answerBy: 'person' });
    const secret = await buildSurvey(other, ours, asked, { sections, answerBy: 'person', names: 'anonymous' });
    const silent = await buildSurvey(other, ours, asked, { sections, answerBy: 'person', names: 'anonymous' });
    for (const survey of [closed, secret]) await send(survey, personAnswerer(actor));
    await closeSurvey(other, closed._id);
    await leave();
    const counts = [closed, secret, silent].map(async ({ _id }) => {
      const survey = await getSurvey(house.store, _id);
      expect(JSON.stringify(survey)).to.not.include(person._id);
      return countAsked(house.store, survey);
    });
    expect(await Promise.all(counts)).to.deep.equal([2, 2, 1]);
    // Each collective through which they were asked has their answer still.
    for (const { _id } of [closed, secret]) {
      const turnout = await listTurnout(other, await getSurvey(house.store, _id));
      const lines = turnout.map((one) => [one.invited.collectiveId, one.answered, one.asked]);
      expect(lines).to.have.deep.members([
        [ours._id, 1, 2],
        [theirs._id, 1, 1],
      ]);
    }
  });

  it('leaves what they said for a collective to it, without their name, also in what was said before', async () => {
    const survey = await asking({ answerBy: 'collective' });
    const collective = answererFor(ctx, ours);
    await send(survey, collective);
    await send(survey, collective, { _id: 'p2', displayName: 'Sacha' });
    const also = await asking({ answerBy: 'collective' });
    await send(also, collective);
    await saveDraft(ctx, {
      surveyId: survey._id,
      answerer: collective,
      byName: person.displayName,
      version: 1,
      raw: {},
    });
    await leave();
    const kept = await findAnswer(house.store, survey._id, collective.key);
    expect(kept).to.deep.include({ by: 'p2', byName: 'Sacha' });
    expect(kept?.edits.map(({ byName }) => byName)).to.deep.equal(['']);
    expect(await findAnswer(house.store, also._id, collective.key)).to.deep.include({ by: '', byName: '' });
    expect((await findDraft(house.store, survey._id, collective.key))?.byName).to.equal('');
  });

  it('forgets who answered elsewhere for a collective, also one that they left before, and under a former name', async () => {
    const sent = { surveyKey: 'k', survey: 'https://there.example/s', owner: 'https://there.example/o' };
    const collective = answererFor(ctx, ours);
    const at = ctx.now;
    const edits = [
      { at, by: person._id, byName: 'Canari Ancien' },
      { at, by: 'p2', byName: 'Sacha' },
    ];
    const said = { version: 1, values: {}, state: 'accepted' as const, receiptAt: at, refusal: null, sentAt: at };
    await sentAnswersIn(house.store).insertOne({
      ...{
        _id: `sent-${person._id}`,
        ...sent,
        host: 'there.example',
        collectiveId: ours._id,
        answerer: collective.key,
      },
      ...{ ...said, by: person._id, byName: person.displayName, edits },
    });
    const here = await asking({ answerBy: 'collective' });
    await send(here, collective, { _id: person._id, displayName: 'Canari Ancien' });
    await send(here, collective, { _id: 'p2', displayName: 'Sacha' });
    await house.store
      .collection<Collective>('collectives')
      .updateOne({ _id: ours._id }, { $pull: { members: { personId: person._id } } });
    const { surveyAnswers } = await collectOwnData(ctx, person);
    expect(surveyAnswers).to.deep.include({
      ...{ survey: {}, answerer: collective.key, sentTo: 'there.example', state: 'accepted', values: {}, sentAt: at },
    });
    await leave();
    const kept = await sentAnswersIn(house.store).findOne({ _id: `sent-${person._id}` });
    expect(kept).to.deep.include({ by: '', byName: '', edits: [{ at, by: '', byName: '' }, edits[1]] });
    const answer = await findAnswer(house.store, here._id, collective.key);
    expect(answer?.edits.map(({ by, byName }) => [by, byName])).to.deep.equal([['', '']]);
  });

  it('drops the addresses of guests a month after the end, and again when it was opened once more', async () => {
    const survey = await asking({ answerBy: 'anyone' });
    const guest = guestAnswerer('g'.repeat(20), '');
    const said = { surveyId: survey._id, answerer: guest, by: '', byName: '', home: '', version: 1, raw: { q: 'x' } };
    await submitAnswer(ctx, { ...said, email: 'guest@example.org' });
    await closeSurvey(other, survey._id);
    const later = (days: number) => ({ ...ctx, now: new Date(ctx.now.getTime() + days * 24 * 60 * 60 * 1000) });
    const email = async () => (await findAnswer(house.store, survey._id, guest.key))?.email;
    await forgetGuestAddresses(later(29));
    expect(await email()).to.equal('guest@example.org');
    expect(await forgetGuestAddresses(later(31))).to.equal(1);
    expect(await email()).to.equal(null);
    expect(await forgetGuestAddresses(later(32))).to.equal(0);
    const again = { $set: { closedAt: later(40).now } };
    await surveysIn(house.store).updateOne({ _id: survey._id }, again);
    expect(await forgetGuestAddresses(later(60))).to.equal(0);
    expect(await forgetGuestAddresses(later(71))).to.equal(1);
  });

  it('gives them their answers in the download of their data', async () => {
    const survey = await asking();
    await send(survey, personAnswerer(actor));
    const { surveyAnswers } = await collectOwnData(ctx, person);
    expect(surveyAnswers).to.deep.equal([
      { survey: survey.title, answerer: person.displayName, values: { q: { text: 'Canari' } }, sentAt: ctx.now },
    ]);
  });

  it('ends the surveys of a collective with it, and what it answered where that is still open', async () => {
    const own = await asking();
    await send(own, personAnswerer(actor));
    const elsewhere = await buildCollective(house);
    const system = contextFor(house, { kind: 'system', name: 'test' });
    const asked = await buildSurvey(system, elsewhere, [ours], { sections });
    const over = await buildSurvey(system, elsewhere, [ours], { sections });
    for (const survey of [asked, over]) await send(survey, answererFor(ctx, ours));
    await closeSurvey(system, over._id);
    await purgeSurveysOf(system, ours._id);
    expect(await findSurvey(house.store, own._id)).to.equal(null);
    expect(await answersIn(house.store).countDocuments({ surveyId: own._id })).to.equal(0);
    expect(await countAnswers(house.store, asked)).to.equal(0);
    expect(await countAnswers(house.store, over)).to.equal(1);
  });
});
