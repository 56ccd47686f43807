// Answering from another instance by the personal link of an anonymous survey, over HTTP as a browser without an account does.
import { expect } from 'chai';
import { collectivesOf } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { signLink } from '../../../server/secrets.js';
import { isCounted } from '../../../server/surveys/actions/answering.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { ballotsIn, surveysIn } from '../../../server/surveys/queries.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
import { linkPurpose, linkRecord } from '../../../server/surveys/rules.js';
import type { Survey } from '../../../server/surveys/schema.js';
import { buildTestHouse, startTestApp, type TestApp, type TestHouse } from '../../support/appSupport.js';
import { buildMember } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

const far = { iri: 'https://far.example/actors/hoster', collectiveId: null, name: 'Lointain', handle: 'h@far.example' };
const question = {
  ...{ id: 'q', label: { fr: 'Pourquoi ?', en: 'Why?' }, help: {}, required: true, showIf: null, criterion: '' },
  kind: 'shortText' as const,
};
const sections = [{ id: 's', title: {}, intro: {}, showIf: null, questions: [question] }];

describe('the personal link to an anonymous survey', () => {
  let house: TestHouse;
  let app: TestApp;
  let ctx: Context;
  let owner: Collective;

  before(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [surveyRoutes]);
    ({ ctx, collective: owner } = await buildMember(house, 'member'));
  });

  const open = (names: Survey['names'] = 'anonymous') =>
    buildSurvey(ctx, owner, [], { invited: [far], names, sections });
  const pathOf = (survey: Survey, iri = far.iri) =>
    `/surveys/by-link/${signLink(house.secret, linkPurpose, linkRecord(survey._id, iri))}`;
  const count = (survey: Survey) => ballotsIn(house.store).countDocuments({ surveyId: survey._id });

  it('shows the form, counts one answer, and gives its number once', async () => {
    const survey = await open();
    const client = app.client({ language: 'en' });
    const page = await client.get(pathOf(survey));
    expect(page.status).to.equal(200);
    expect(page.text).to.include('Why?').and.to.include('Lointain').and.to.include('Anonymous');
    expect(page.text).to.include(`administers ${house.site.host} and keeps copies`).and.include('in your place');
    expect(page.headers.get('cache-control')).to.include('no-store');
    // What hangs on another answer comes and goes at once, as in every other form.
    expect(page.text).to.match(/<script type="module" src="[^"]*survey[^"]*js/);
    expect(await count(survey)).to.equal(0);
    const done = await client.post(pathOf(survey), { 'a.q': 'because', version: '1' });
    expect(done.status).to.equal(200);
    const [receipt = ''] = /\b[0-9a-f]{24}\b/.exec(done.text) ?? [];
    expect(await isCounted(ctx, survey._id, receipt)).to.equal(true);
    expect(done.text).to.include(`href="/surveys/${survey._id}/receipt"`);
    const checked = await app.client({ language: 'en' }).post(`/surveys/${survey._id}/receipt`, { number: receipt });
    expect(checked.text).to.include('Yes:');
    const again = await app.client({ language: 'en' }).get(pathOf(survey));
    expect(again.text).to.include('This link has been used').and.not.to.include('because');
    expect(again.text).to.not.include('name="a.q"');
  });

  it('counts one of two that are sent at once', async () => {
    const survey = await open();
    const clients = [app.client(), app.client()];
    const answers = await Promise.all(
      clients.map((client) => client.post(pathOf(survey), { 'a.q': 'moi', version: '1' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([200, 422]);
    const second = answers.find(({ status }) => status === 422)?.text;
    expect(second).to.include('Somebody else answered first: this was not counted').and.include('<dd>moi</dd>');
    expect(second).to.not.include('This link has been used').and.not.include('name="a.q"');
    expect(await count(survey)).to.equal(1);
  });

  it('keeps what was typed when something is wrong, and takes nothing after the end', async () => {
    const survey = await open();
    const client = app.client({ language: 'en' });
    const wrong = await client.post(pathOf(survey), { 'a.q': '', version: '1' });
    expect(wrong.status).to.equal(422);
    expect(wrong.text).to.include('This question needs an answer.');
    const csrf = await client.csrf(pathOf(survey));
    await closeSurvey(ctx, survey._id);
    const late = await client.postRaw(pathOf(survey), { 'a.q': 'late', version: '1', _csrf: csrf ?? '' });
    expect(late.status).to.equal(422);
    expect(late.text).to.include('The survey closed while you were answering').and.include('<dd>late</dd>');
    expect(await count(survey)).to.equal(0);
  });

  it('gives back what was typed when the survey was deleted meanwhile, to whoever typed it alone', async () => {
    const survey = await open();
    const client = app.client({ language: 'en' });
    const csrf = (await client.csrf(pathOf(survey))) ?? '';
    await surveysIn(house.store).updateOne({ _id: survey._id }, { $set: { deletedAt: ctx.now } });
    const fields = { 'a.q': 'Deux <mots>', version: '1', _csrf: csrf };
    const gone = await client.postRaw(pathOf(survey), fields);
    expect(gone.status).to.equal(410);
    expect(gone.text)
      .to.include('Nothing is lost')
      .and.include('Deux &lt;mots&gt;')
      .and.not.include('<form class="form"');
    expect(gone.headers.get('cache-control')).to.equal('no-store');
    const program = await client.postRaw(pathOf(survey), fields, { accept: 'application/json' });
    expect([program.status, JSON.parse(program.text).error]).to.deep.equal([410, 'gone']);
  });

  it('says that it is closed while who asks is in the bin, and gives back what was typed', async () => {
    const survey = await open();
    const client = app.client({ language: 'en' });
    const csrf = (await client.csrf(pathOf(survey))) ?? '';
    const inBin = (deletedAt: Date | null) =>
      collectivesOf(house.store).updateOne({ _id: owner._id }, { $set: { deletedAt } });
    await inBin(ctx.now);
    const page = await client.get(pathOf(survey));
    expect(page.text).to.include('This survey is closed').and.not.include('name="a.q"');
    const late = await client.postRaw(pathOf(survey), { 'a.q': 'late', version: '1', _csrf: csrf });
    expect(late.status).to.equal(422);
    expect(late.text).to.include('<dd>late</dd>').and.not.include('name="a.q"');
    await inBin(null);
    expect((await client.get(pathOf(survey))).text).to.include('name="a.q"');
  });

  it('is no link for others, for other surveys, or changed by a letter', async () => {
    const survey = await open();
    const named = await open('named');
    const path = pathOf(survey);
    const wrong = [pathOf(survey, 'https://other.example/a'), pathOf(named), `${path}x`, '/surveys/by-link/nothing'];
    for (const one of wrong) expect((await app.client().get(one)).status).to.equal(404);
  });

  it('gives a number that whoever has it may check, learning nothing else of the survey, and not without end', async () => {
    const survey = await open();
    const done = await app.client().post(pathOf(survey), { 'a.q': 'parce que', version: '1' });
    const [number = ''] = /\b[0-9a-f]{24}\b/.exec(done.text) ?? [];
    const check = `/surveys/${survey._id}/receipt`;
    const stranger = app.client({ language: 'en' });
    const page = await stranger.post(check, { number: ` ${number.toUpperCase()} ` });
    expect(page.text)
      .to.include('Yes:')
      .and.not.include(survey.title.fr ?? '?');
    expect(page.headers.get('cache-control')).to.include('no-store');
    expect((await stranger.get(`${check}?number=${number}`)).text).to.not.include('Yes:');
    const csrf = (await stranger.csrf(check)) ?? '';
    const tries = Array.from({ length: 61 }, () => stranger.postRaw(check, { number: '0', _csrf: csrf }));
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(new Set(statuses)).to.deep.equal(new Set([200, 429]));
    const late = await stranger.postRaw(check, { number: '0', _csrf: csrf });
    expect(late.text).to.include('Too many').and.include('name="number"');
    expect(late.headers.get('retry-after')).to.match(/^\d+$/);
    expect(JSON.stringify(await house.store.collection('limits').find({}).toArray())).to.equal('[]');
    expect((await stranger.get(`/surveys/${(await open('named'))._id}/receipt`)).status).to.equal(404);
  });
});
