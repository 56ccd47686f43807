import { expect } from 'chai';
import { reviewAnswers } from '../../../jobs/roseauReview.js';
import { collectiveRoutes } from '../../../server/collectives/routes.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { readCsv } from '../../../server/formats/csv.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { getSurvey } from '../../../server/surveys/queries.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
import type { Survey } from '../../../server/surveys/schema.js';
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
import { buildCollective } from '../collectives/collectiveSupport.js';
import { answererOf, buildSurvey } from './surveySupport.js';

const handles = Object.keys(reviewAnswers);

describe('pages of results', function () {
  this.timeout(20_000);
  let house: TestHouse;
  let app: TestApp;
  let ctx: Context;
  let owner: Collective;
  let asked: Collective[];
  let organiser: Client;
  let member: Client;

  before(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes, collectiveRoutes, surveyRoutes]);
    ctx = contextFor(house, systemActor);
    const [one, two] = [await buildPerson(house), await buildPerson(house)];
    owner = await buildCollective(house, { members: [{ personId: one._id, role: 'member' }] });
    asked = [];
    for (let n = 0; n < 6; n += 1) {
      asked.push(await buildCollective(house, { members: [{ personId: two._id, role: 'member' }] }));
    }
    organiser = app.client({ language: 'en' });
    await signIn(organiser, one);
    member = app.client({ language: 'en' });
    await signIn(member, two);
  });

  async function review(overrides: Parameters<typeof buildSurvey>[3] = {}): Promise<Survey> {
    const survey = await buildSurvey(ctx, owner, asked, overrides);
    for (const [n, who] of asked.entries()) {
      const raw = reviewAnswers[handles[n] ?? ''] ?? {};
      const by = { by: 'p', byName: 'zqxby', home: '', version: 1 };
      await submitAnswer(ctx, { surveyId: survey._id, answerer: answererOf(ctx, who), ...by, raw });
    }
    return survey;
  }
  const pathOf = (survey: Survey) => `/my/collectives/${owner._id}/surveys/${survey._id}`;
  const askedPathOf = (survey: Survey) => `/my/collectives/${asked[0]?._id}/asked/${survey._id}`;
  const revisionOf = async (survey: Survey) => String((await getSurvey(house.store, survey._id)).revision);

  it('show each question with its figures, and two questions against each other', async () => {
    const survey = await review();
    const page = await organiser.get(`${pathOf(survey)}/results?rows=legal&columns=load`);
    expect(page.status).to.equal(200);
    expect(page.text).to.include('How many hours a month can you give to coordination?').and.include('2.83');
    expect(page.text).to.include('6 answers to both');
    expect(page.text).not.to.include('zqxby');
    expect((await member.get(`${pathOf(survey)}/results`)).status).to.equal(404);
  });

  it('find the words of texts, and show an answer at a time with its name', async () => {
    const survey = await review();
    const texts = await organiser.get(`${pathOf(survey)}/results/texts?of=stop&q=reunions`);
    expect(texts.text).to.include('Les réunions sans ordre du jour.').and.not.to.include('Deux listes');
    expect((await organiser.get(`${pathOf(survey)}/results/texts?of=nothing`)).status).to.equal(404);
    const answers = `${pathOf(survey)}/results/answers`;
    const list = (await organiser.get(answers)).text;
    const links = [...list.matchAll(/answers\?of&#x3D;[0-9a-f]{64}/g)];
    expect(links.length).to.be.greaterThan(2);
    const nobody = (await organiser.get(`${answers}?q=zzzz`)).text;
    expect(nobody).to.include('Nobody of that name').and.not.include('answers?of');
    const first = await organiser.get(`${answers}?page=1`);
    expect(first.text).to.include(asked[0]?.profile.name.fr).and.include('Page 1 of 6');
    const second = await organiser.get(`${pathOf(survey)}/results/answers?page=2`);
    expect(second.text).to.include(asked[1]?.profile.name.fr).and.include('10 hours');
    expect((await organiser.get(`${pathOf(survey)}/results/answers?page=7`)).status).to.equal(404);
  });

  it('give every answer as CSV, ODS and JSON; no text becomes a formula', async () => {
    const survey = await review();
    const csv = await organiser.get(`${pathOf(survey)}/results.csv`);
    expect(csv.headers.get('content-type')).to.include('text/csv');
    const [head = [], ...rows] = readCsv(csv.text, 100);
    expect(rows).to.have.length(6);
    const stop = head.indexOf('What should stop');
    expect(rows.map((row) => row[stop])).to.include("'=1+1");
    expect(rows.map((row) => row[head.indexOf('Which tasks would you take? – Welcome')])).to.deep.equal([
      '0',
      '0',
      '1',
      '1',
      '',
      '0',
    ]);
    const cookie = [...organiser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const ods = await fetch(`${app.url}${pathOf(survey)}/results.ods`, { headers: { cookie } });
    const bytes = Buffer.from(await ods.arrayBuffer());
    expect(bytes.toString('latin1', 0, 2)).to.equal('PK');
    const json = JSON.parse((await organiser.get(`${pathOf(survey)}/results.json`)).text);
    expect(json).to.include({ answers: 6, asked: 6 });
    expect(json.each[1]).to.deep.include({ name: asked[1]?.profile.name.fr, version: 1 });
    expect(JSON.stringify(json)).not.to.include('zqxby');
  });

  it('keep an anonymous survey so: nothing before its end, then no names, no times, no row that is an answer', async () => {
    const survey = await review({ names: 'anonymous' });
    const open = await organiser.get(`${pathOf(survey)}/results`);
    expect(open.text).to.include('The results appear once it is closed').and.not.to.include('2.83');
    for (const ending of ['csv', 'ods', 'json', '/texts?of=stop']) {
      const path = ending.startsWith('/')
        ? `${pathOf(survey)}/results${ending}`
        : `${pathOf(survey)}/results.${ending}`;
      expect((await organiser.get(path)).status).to.equal(409);
    }
    await closeSurvey(ctx, survey._id);
    expect((await organiser.get(`${pathOf(survey)}/results`)).text).to.include('2.83');
    expect((await organiser.get(`${pathOf(survey)}/results/answers`)).status).to.equal(404);
    const cross = await organiser.get(`${pathOf(survey)}/results?rows=legal&columns=load`);
    expect(cross.text).to.include('Too few answers in a cell');
    const json = await organiser.get(`${pathOf(survey)}/results.json`);
    expect(JSON.parse(json.text)).to.include({ answers: 6 }).and.not.have.property('each');
    for (const who of asked) expect(json.text).not.to.include(who.handle);
    const csv = await organiser.get(`${pathOf(survey)}/results.csv`);
    expect(readCsv(csv.text, 1)[0]?.[0]).to.equal('How many hours a month can you give to coordination?');
  });

  it('give of an anonymous survey columns that are shuffled each by itself, and none that few have filled', async () => {
    const shared = { help: {}, required: false, showIf: null, criterion: '' };
    const questions = ['left', 'right', 'rare'].map((id) => ({
      ...{ ...shared, id, kind: 'shortText' as const, label: { fr: id } },
    }));
    const sections = [{ id: 's', title: {}, intro: {}, showIf: null, questions }];
    const survey = await buildSurvey(ctx, owner, asked, { names: 'anonymous', sections });
    for (const [n, who] of asked.entries()) {
      const raw = { left: `mark ${n}`, right: `mark ${n}`, ...(n < 4 && { rare: 'zqrare' }) };
      const by = { by: 'p', byName: '', home: '', version: 1 };
      await submitAnswer(ctx, { surveyId: survey._id, answerer: answererOf(ctx, who), ...by, raw });
    }
    await closeSurvey(ctx, survey._id);
    let together = 0;
    for (let n = 0; n < 20; n += 1) {
      const csv = await organiser.get(`${pathOf(survey)}/results.csv`);
      const [head, ...rows] = readCsv(csv.text, 100);
      expect(head).to.deep.equal(['left', 'right']);
      for (const place of [0, 1]) {
        const marks = rows.map((row) => row[place]).toSorted();
        expect(marks).to.deep.equal(asked.map((_who, one) => `mark ${one}`));
      }
      together += rows.filter(([left, right]) => left === right).length;
    }
    // By chance one row in six: 20 of 120; 45 would come less than once in ten million runs.
    expect(together).to.be.lessThan(45);
    const page = await organiser.get(`${pathOf(survey)}/results`);
    expect(page.text).to.include('no row is one person’s answer').and.include('Fewer than 5 answers to this question');
    const ods = await organiser.get(`${pathOf(survey)}/results.ods`);
    const json = await organiser.get(`${pathOf(survey)}/results.json`);
    for (const { text } of [page, ods, json]) expect(text).not.to.include('zqrare');
    expect((await organiser.get(`${pathOf(survey)}/results/texts?of=rare`)).status).to.equal(404);
  });

  it('are published after a look at what others will read: to those asked, then to everybody, then to nobody', async () => {
    const survey = await review();
    const publish = `${pathOf(survey)}/results/publish`;
    expect((await organiser.get(publish)).text).to.include('By themselves, when the survey closes');
    const planned = {
      readers: 'members',
      when: 'closing',
      revision: String((await getSurvey(house.store, survey._id)).revision),
    };
    expect((await organiser.post(publish, planned)).status).to.equal(303);
    expect((await organiser.get(`${pathOf(survey)}/results`)).text).to.include(
      'publish themselves when the survey closes',
    );
    const unset = { ...planned, when: 'at', revision: String((await getSurvey(house.store, survey._id)).revision) };
    expect((await organiser.post(publish, unset)).status).to.equal(422);
    expect((await member.get(`${askedPathOf(survey)}/results`)).text).to.include('Results not published');
    await closeSurvey(ctx, survey._id);
    const leadsThere = async () =>
      (await member.get(askedPathOf(survey))).text.includes(`href="${askedPathOf(survey)}/results"`);
    expect(await leadsThere()).to.equal(false);
    const visitor = app.client({ language: 'en' });
    const fields = async (readers: string) => ({
      readers,
      hidden: 'stop',
      'notes.en': 'Thank you all.',
      'notes.fr': '',
      revision: await revisionOf(survey),
    });

    const preview = await organiser.post(publish, { ...(await fields('public')), step: 'preview' });
    expect(preview.status).to.equal(200);
    expect(preview.text).to.include('This is what others would read').and.include('2.83');
    expect(preview.text).not.to.include('ordre du jour');
    expect((await visitor.get(`/surveys/${survey._id}/results`)).status).to.equal(404);

    expect((await organiser.post(publish, await fields('members'))).status).to.equal(303);
    expect(await leadsThere()).to.equal(true);
    const seen = await member.get(`${askedPathOf(survey)}/results`);
    expect(seen.text).to.include('Thank you all.').and.include('2.83').and.not.to.include('ordre du jour');
    expect((await member.get(`${askedPathOf(survey)}/results/texts?of=stop`)).status).to.equal(404);
    expect((await visitor.get(`/surveys/${survey._id}/results`)).status).to.equal(404);

    expect((await organiser.post(publish, await fields('public'))).status).to.equal(303);
    const open = await visitor.get(`/surveys/${survey._id}/results`);
    expect(open.text).to.include('2.83').and.not.to.include('ordre du jour');
    for (const who of asked) expect(open.text).not.to.include(who.profile.name.en);
    const json = JSON.parse((await visitor.get(`/surveys/${survey._id}/results.json`)).text);
    expect(json).to.include({ answers: 6 }).and.not.to.have.property('each');
    expect(open.headers.get('set-cookie')).to.equal(null);

    expect((await organiser.post(publish, await fields('organisers'))).status).to.equal(303);
    expect((await visitor.get(`/surveys/${survey._id}/results`)).status).to.equal(404);
  });

  it('keep what was typed when somebody else changed the survey meanwhile', async () => {
    const survey = await review();
    await closeSurvey(ctx, survey._id);
    const sent = { readers: 'members', hidden: 'load', 'notes.en': 'Typed at length', revision: '1' };
    const answer = await organiser.post(`${pathOf(survey)}/results/publish`, sent);
    expect(answer.status).to.equal(422);
    expect(answer.text).to.include('Typed at length').and.include('Somebody else changed this survey');
  });

  it('end a date poll in a slot that everybody asked can put into a calendar', async () => {
    const survey = await review();
    await closeSurvey(ctx, survey._id);
    expect((await member.get(`${askedPathOf(survey)}/slot.ics`)).status).to.equal(404);
    const action = `${pathOf(survey)}/results/slot`;
    expect((await organiser.post(action, { slot: 'slot thu' }, `${pathOf(survey)}/results`)).status).to.equal(303);
    const page = await member.get(`${askedPathOf(survey)}/results`);
    expect(page.text).to.include('Date chosen').and.include('slot.ics');
    const form = await member.get(askedPathOf(survey));
    expect(form.text)
      .to.include('Date chosen')
      .and.include(`${askedPathOf(survey)}/slot.ics`);
    const file = await member.get(`${askedPathOf(survey)}/slot.ics`);
    expect(file.headers.get('content-type')).to.include('text/calendar');
    expect(file.text).to.include('DTSTART:20261210T180000Z\r\nDTEND:20261210T193000Z\r\nSUMMARY:Review 2026');
    expect((await organiser.post(action, { slot: 'slot sun' }, `${pathOf(survey)}/results`)).status).to.equal(422);
    await organiser.post(action, { slot: '' }, `${pathOf(survey)}/results`);
    expect((await member.get(`${askedPathOf(survey)}/slot.ics`)).status).to.equal(404);
  });

  it('count a person once who belongs to several of those asked, also before the end', async () => {
    const survey = await buildSurvey(ctx, owner, asked, { answerBy: 'person', names: 'hiddenUntilClose' });
    const figures = async () => {
      const { text } = await organiser.get(`${pathOf(survey)}/results`);
      return [...text.matchAll(/<div class="stat"><dt>[^<]*<\/dt><dd>([^<]*)<\/dd>/g)].map(([, figure]) => figure);
    };
    expect(await figures()).to.deep.equal(['0', '1', '0%']);
    const key = `person:${asked[0]?.members[0]?.personId}`;
    await submitAnswer(ctx, {
      ...{ surveyId: survey._id, answerer: { kind: 'person' as const, key, name: '', handle: '' } },
      ...{ by: 'p', byName: 'P', home: '', version: 1, raw: { ...Object.values(reviewAnswers)[0] } },
    });
    expect(await figures()).to.deep.equal(['1', '1', '100%']);
  });

  it('are for a person who was asked as such at an address of their own', async () => {
    const survey = await buildSurvey(ctx, owner, asked, { answerBy: 'person' });
    expect((await member.get(`/me/surveys/${survey._id}/results`)).text).to.include('Results not published');
    expect((await organiser.get(`/me/surveys/${survey._id}/results`)).status).to.equal(404);
  });
});
