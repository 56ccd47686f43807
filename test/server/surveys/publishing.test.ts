// Results that publish themselves: at the end or at a moment, once, whoever leads and whoever dies.
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { openStore } from '../../../server/store/openStore.js';
import {
  type PublicationPlan,
  planPublication,
  publishDueSurveys,
} from '../../../server/surveys/actions/publishing.js';
import { closeDueSurveys, closeSurvey, publishResults, reopenSurvey } from '../../../server/surveys/actions/running.js';
import { getSurvey, surveysIn } from '../../../server/surveys/queries.js';
import type { Survey } from '../../../server/surveys/schema.js';
import { buildTestHouse, type TestHouse } from '../../support/appSupport.js';
import { temporaryFolder } from '../../support/storeSupport.js';
import { buildMember, eventsOf, refusalOf } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

const hour = 3_600_000;
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`../../support/publishWorker.${extension}`, import.meta.url).pathname;

describe('results that publish themselves', () => {
  let house: TestHouse;
  let ctx: Context;
  let owner: Collective;
  let asked: Collective;

  before(async () => {
    house = await buildTestHouse();
    ({ ctx, collective: owner } = await buildMember(house, 'member'));
    ({ collective: asked } = await buildMember(house, 'member'));
  });

  const at = (hours: number) => new Date(ctx.now.getTime() + hours * hour);
  const later = (hours: number): Context => ({ ...ctx, now: at(hours) });
  const fresh = (survey: Survey) => getSurvey(house.store, survey._id);
  const plan = async (survey: Survey, when: PublicationPlan['when'], given: Partial<PublicationPlan> = {}) => {
    const { revision } = await fresh(survey);
    await planPublication(ctx, survey._id, { revision, readers: 'members', hidden: [], notes: {}, when, ...given });
  };
  const open = (given: Parameters<typeof buildSurvey>[3] = {}) =>
    buildSurvey(ctx, owner, [asked], { closesAt: at(2), ...given });
  const news = async (survey: Survey) =>
    (await eventsOf(house, 'surveys', survey._id)).filter(({ type }) => type === 'survey.published').length;

  it('at the end, once, whoever else tries, and not before', async () => {
    const survey = await open();
    await plan(survey, 'closing');
    await publishDueSurveys(later(1));
    expect((await fresh(survey)).results.publishedAt).to.equal(null);
    await closeDueSurveys(later(3));
    await Promise.all([1, 2, 3].map(() => publishDueSurveys(later(3))));
    await publishDueSurveys(later(4));
    const { results } = await fresh(survey);
    expect(results).to.include({ readers: 'members', publishAt: null, atClosing: false });
    expect(results.publishedAt).to.deep.equal(at(3));
    expect(await news(survey)).to.equal(1);
  });

  it('at the moment chosen, also when the survey is closed by hand or later than planned', async () => {
    const early = await open();
    await plan(early, at(5));
    await closeSurvey(ctx, early._id);
    const late = await open({ closesAt: null });
    await plan(late, at(5));
    await publishDueSurveys(later(4));
    expect((await fresh(early)).results.publishedAt).to.equal(null);
    await publishDueSurveys(later(6));
    expect((await fresh(early)).results.publishedAt).to.deep.equal(at(6));
    expect((await fresh(late)).results.publishedAt).to.equal(null);
    await closeSurvey(later(7), late._id);
    await publishDueSurveys(later(7));
    expect((await fresh(late)).results.publishedAt).to.deep.equal(at(7));
  });

  it('a day after the end where what was sent in time still counts', async () => {
    const survey = await open({ late: 'sentInTime' });
    await plan(survey, 'closing');
    await closeDueSurveys(later(3));
    await publishDueSurveys(later(25));
    expect((await fresh(survey)).results.publishedAt).to.equal(null);
    await publishDueSurveys(later(27));
    expect((await fresh(survey)).results.publishedAt).to.deep.equal(at(27));
  });

  it('never of too few anonymous answers: their organisers read why', async () => {
    const survey = await open({ names: 'anonymous' });
    await plan(survey, 'closing');
    await closeDueSurveys(later(3));
    expect(await publishDueSurveys(later(3))).to.equal(0);
    const { results } = await fresh(survey);
    expect(results).to.include({ publishedAt: null, publishAt: null, notPublished: 'surveys.error.tooFewAnswers' });
    expect(await publishDueSurveys(later(4))).to.equal(0);
  });

  it('no more once taken back, published by hand, or opened again', async () => {
    const survey = await open();
    await plan(survey, 'closing');
    await plan(survey, null);
    await closeSurvey(ctx, survey._id);
    await publishDueSurveys(later(3));
    expect((await fresh(survey)).results.publishedAt).to.equal(null);
    await plan(survey, at(5));
    await reopenSurvey(ctx, survey._id, { closesAt: at(9) });
    await closeDueSurveys(later(10));
    await publishDueSurveys(later(10));
    expect((await fresh(survey)).results.publishedAt).to.equal(null);
    const { revision } = await fresh(survey);
    await publishResults(ctx, survey._id, { revision, readers: 'public', hidden: [], notes: {} });
    expect(await refusalOf(plan(survey, at(20)))).to.equal('closed surveys.error.changedMeanwhile');
  });

  it('only at a moment to come, after the end, for somebody', async () => {
    const survey = await open();
    expect(await refusalOf(plan(survey, at(-1)))).to.equal('invalid surveys.error.publishInPast');
    expect(await refusalOf(plan(survey, at(1)))).to.equal('invalid surveys.error.publishBeforeEnd');
    expect(await refusalOf(plan(survey, at(3), { readers: 'organisers' }))).to.equal(
      'invalid surveys.error.publishForNobody',
    );
  });

  it('once, wherever the process dies', async function () {
    this.timeout(120_000);
    const dataDir = temporaryFolder();
    const store = await openStore({ dataDir, onScan: 'error' });
    const place = await buildTestHouse({ store });
    const { ctx: there, collective } = await buildMember(place, 'member');
    const others = (await buildMember(place, 'member')).collective;
    const survey = await buildSurvey(there, collective, [others]);
    const { revision } = survey;
    await planPublication(there, survey._id, { revision, readers: 'members', hidden: [], notes: {}, when: 'closing' });
    await closeSurvey(there, survey._id);
    await store.close();
    let deaths = 0;
    for (const nth of [1, 2, 3, 4, 5, 6, 0]) {
      const moment = new Date(there.now.getTime() + hour).toISOString();
      const args = [...process.execArgv, entry, dataDir, place.site.baseUrl, moment, String(nth)];
      const { signal, status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (signal === 'SIGKILL') deaths += 1;
      else expect(status, stderr).to.equal(0);
    }
    expect(deaths).to.be.greaterThan(2);
    const after = await openStore({ dataDir, onScan: 'error' });
    const found = await surveysIn(after).findOne({ _id: survey._id });
    await after.close();
    expect(found?.results.publishedAt).to.not.equal(null);
    expect(found?.events?.filter(({ type }) => type === 'survey.published')).to.have.length(1);
  });
});
