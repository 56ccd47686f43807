// What other instances send about surveys, where it is odd or much: what is kept of it, and what pages make of it.
import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import { pruneDrafts } from '../../../server/surveys/actions/drafting.js';
import { pruneRemoteSurveys, receiveSurvey } from '../../../server/surveys/actions/receiving.js';
import { recallAnswer, receiveReceipt, saveRemoteDraft, sendAnswer } from '../../../server/surveys/actions/sending.js';
import { answererFor, findAsked, findOwnAnswer } from '../../../server/surveys/askedSurveys.js';
import { draftsIn } from '../../../server/surveys/queries.js';
import {
  findSentAnswer,
  type RemoteSurvey,
  remoteSurveyKey,
  remoteSurveysIn,
} from '../../../server/surveys/remoteSurveys.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
import type { Question } from '../../../server/surveys/schema.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  type Client,
  contextFor,
  signIn,
  startTestApp,
  type TestHouse,
} from '../../support/appSupport.js';
import { buildCollective, refusalOf } from '../collectives/collectiveSupport.js';

const day = 24 * 60 * 60 * 1000;
const shared = { help: {}, required: false, showIf: null, criterion: '' };
const questions = (['date', 'link', 'shortText'] as const).map(
  (kind): Question => ({ ...shared, id: kind.toLowerCase(), kind, label: { en: `About ${kind}` } }),
);

describe('a survey of another instance', () => {
  let house: TestHouse;
  let ctx: Context;
  let client: Client;
  let asked: Collective;
  let neighbour: Collective;

  beforeEach(async () => {
    house = await buildTestHouse();
    const app = await startTestApp(house, [peopleRoutes, surveyRoutes]);
    const person = await buildPerson(house);
    const members = [{ personId: person._id, role: 'member' as const }];
    asked = await buildCollective(house, { members });
    neighbour = await buildCollective(house, { members });
    ctx = contextFor(house, await actorFor(house, person));
    client = app.client({ language: 'en' });
    await signIn(client, person);
  });

  function surveyFor(collective: Collective, name: string, overrides: Partial<RemoteSurvey> = {}): RemoteSurvey {
    const iri = `https://far.example/objects/${name}`;
    return {
      ...{ _id: remoteSurveyKey(iri), iri, owner: 'https://far.example/actors/x', host: 'far.example' },
      ...{ url: null, link: null, organiser: { name: 'Far', handle: 'x@far.example' } },
      ...{ asked: [answererFor(ctx, collective).key], revision: 1, version: 1, title: { en: 'Far survey' }, intro: {} },
      ...{ languages: ['en'], timeZone: 'Europe/Paris', names: 'named', late: 'refuse', state: 'open' },
      ...{ closesAt: null, closedAt: null, chosenSlot: null, results: null, receivedAt: ctx.now, deletedAt: null },
      sections: [{ id: 's', title: {}, intro: {}, showIf: null, questions }],
      ...overrides,
    };
  }

  it('is taken for each of ours that it asks, however many hosters live here', async () => {
    for (let n = 0; n < 200; n += 1) await receiveSurvey(ctx, surveyFor(asked, `a${n}`));
    await receiveSurvey(ctx, surveyFor(neighbour, 'b'));
    expect(await remoteSurveysIn(house.store).countDocuments({})).to.equal(201);
    expect(await refusalOf(receiveSurvey(ctx, surveyFor(asked, 'one-more')))).to.equal(
      'too-many surveys.error.tooManyFromHost',
    );
  });

  it('has its results shown, whatever its owner says that somebody wrote: no day that is none, no address that acts', async () => {
    const texts = {
      date: ['2026-13-45', 'soon', '2026-02-03'],
      link: ['javascript:alert(1)', 'https://fine.example/x', 'data:text/html,x'],
      shorttext: ['javascript:alert(1)'],
    };
    const counts = Object.entries(texts).map(([id, said]) => ({ id, answered: said.length, texts: said }));
    const at = { publishedAt: ctx.now, answers: 3, asked: 3, notes: {}, isShortened: false };
    const survey = surveyFor(asked, 'over', { state: 'closed', results: { ...at, questions: counts } });
    await receiveSurvey(ctx, survey);
    const page = await client.get(`/my/collectives/${asked._id}/asked/${survey._id}/results`);
    expect(page.status).to.equal(200);
    expect(page.text).to.include('datetime="2026-02-03"').and.include('href="https://fine.example/x"');
    expect(page.text).to.not.match(/href="(javascript|data):/);
  });

  it('has its answer shown where it did not take it back, and nothing of it where it did', async () => {
    for (const outcome of ['refused', 'accepted', 'silent'] as const) {
      const survey = surveyFor(asked, outcome);
      await receiveSurvey(ctx, survey);
      const answerer = answererFor(ctx, asked);
      const input = { surveyId: survey._id, answerer, by: 'p', byName: 'P', version: 1 };
      await sendAnswer(ctx, { ...input, raw: { shorttext: 'Our words' } });
      await recallAnswer(ctx, survey._id, answerer);
      const sent = async () => {
        const found = await findSentAnswer(house.store, survey.iri, answerer.key);
        if (found === null) throw new Error('nothing was sent');
        return found;
      };
      const { sentAt } = await sent();
      const refusal =
        outcome === 'refused' ? { errors: [{ field: '', message: { key: 'surveys.error.closed' } }], text: '' } : null;
      const about = { owner: survey.owner, survey: survey.iri, answerer: answerer.key, sentAt };
      if (outcome !== 'silent') await receiveReceipt(ctx, { ...about, refusal });
      else await pruneRemoteSurveys({ ...ctx, now: new Date(ctx.now.getTime() + 31 * day) });
      const shown = await findAsked(ctx, asked, survey._id);
      if (shown === null) throw new Error('it is not asked');
      const stands = outcome === 'refused';
      const values = stands ? { shorttext: { text: 'Our words' } } : null;
      expect(await findOwnAnswer(ctx, shown, answerer), outcome).to.deep.include({ values, isAnswered: stands });
      expect(JSON.stringify(await sent()).includes('Our words'), outcome).to.equal(stands);
    }
  });

  it('lets drafts go a month after it has closed', async () => {
    const survey = surveyFor(asked, 'drafted');
    await receiveSurvey(ctx, survey);
    const input = { surveyId: survey._id, answerer: answererFor(ctx, asked), byName: 'Us', version: 1 };
    await saveRemoteDraft(ctx, { ...input, raw: { shorttext: 'half' } });
    const later = (days: number) => ({ ...ctx, now: new Date(ctx.now.getTime() + days * day) });
    expect(await pruneDrafts(later(40))).to.equal(0);
    await receiveSurvey(ctx, { ...survey, revision: 2, state: 'closed', closedAt: ctx.now });
    expect(await pruneDrafts(later(20))).to.equal(0);
    expect(await pruneDrafts(later(40))).to.equal(1);
    expect(await draftsIn(house.store).countDocuments({})).to.equal(0);
  });
});
