// The pages of polls: what organisers fill in and are told, and what everybody reads.
import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import { listPolls } from '../../../server/surveys/pollQueries.js';
import type { Section, Survey } from '../../../server/surveys/schema.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../../support/appSupport.js';
import { startWholeApp, type WholeApp } from '../../support/wholeApp.js';
import { buildCollective } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

const asked = { help: {}, required: false, showIf: null, criterion: '', other: false, min: null, max: null };
const choices = [
  { id: 'yes', label: { fr: 'Oui', en: 'Yes' } },
  { id: 'no', label: { fr: 'Non', en: 'No' } },
];
const sections: Section[] = [
  {
    ...{ id: 's', title: {}, intro: {}, showIf: null },
    questions: [
      { ...asked, id: 'one', kind: 'single', label: { fr: 'Êtes-vous d’accord ?', en: 'Do you agree?' }, choices },
      { ...asked, id: 'why', kind: 'longText', label: { fr: 'Pourquoi ?', en: 'Why?' } },
    ],
  },
];

describe('the pages of polls', () => {
  let app: WholeApp;
  let member: Client;
  let owner: Collective;
  let survey: Survey;
  let path: string;

  before(async () => {
    app = await startWholeApp();
    const person = await buildPerson(app.house);
    owner = await buildCollective(app.house, { members: [{ personId: person._id, role: 'member' }] });
    member = app.client();
    await signIn(member, person);
    const ctx = contextFor(app.house, systemActor);
    const closesAt = new Date(ctx.now.getTime() + 9 * 24 * 3_600_000);
    survey = await buildSurvey(ctx, owner, [owner], { sections, closesAt });
    path = `/my/collectives/${owner._id}/surveys/${survey._id}/fediverse`;
  });

  it('say what can be offered, what cannot and why, and what a vote tells to whom', async () => {
    const { text } = await member.get(path);
    expect(text).to.contain('Do you agree?');
    expect(text).to.contain('It is not answered by choosing.');
    expect(text).to.contain(`tells ${app.house.site.host} which account`);
  });

  it('want a question and a yes to what it means, and keep what was filled in', async () => {
    const answer = await member.post(path, { questions: 'one', days: '7' });
    expect(answer.status).to.equal(422);
    expect(answer.text).to.contain('Confirm that you have read');
    expect(answer.text).to.match(/value="one" checked/);
    expect(answer.text).to.match(/value="7" selected/);
    const empty = await member.post(path, { days: '7', agreed: 'on' });
    expect(empty.status).to.equal(422);
    expect(empty.text).to.contain('Choose at least one question');
    expect(await listPolls(app.house.store, survey._id)).to.deep.equal([]);
  });

  it('offer a question, show it to everybody, and take it back', async () => {
    const offered = await member.post(path, { questions: 'one', days: '7', agreed: 'on' });
    expect(offered.status).to.equal(303);
    const [poll] = await listPolls(app.house.store, survey._id);
    expect((await member.get(path)).text).to.contain(`/polls/${poll?._id}`);
    const page = await app.client().get(`/polls/${poll?._id}`);
    expect(page.status).to.equal(200);
    expect(page.text).to.contain('Oui / Yes').and.contain(`${app.house.site.baseUrl}/objects/${poll?._id}`);
    expect((await member.post(`${path}/${poll?._id}/withdraw`, {}, path)).status).to.equal(303);
    expect((await app.client().get(`/polls/${poll?._id}`)).status).to.equal(410);
  });
});
