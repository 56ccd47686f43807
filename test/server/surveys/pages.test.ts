// Answering over HTTP: people for themselves, anybody by an address, with and without names; what closing in the middle leaves.
import { expect } from 'chai';
import { collectivesOf } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { noticeEvent } from '../../../server/notices/actions/noticeEvent.js';
import { withLink } from '../../../server/notices/links.js';
import { mailsIn } from '../../../server/notices/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import { signLink } from '../../../server/secrets.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { closeSurvey, publishResults } from '../../../server/surveys/actions/running.js';
import { guestAnswerer } from '../../../server/surveys/askedPeople.js';
import { answersIn, ballotsIn, draftsIn, getSurvey, surveysIn, turnoutsIn } from '../../../server/surveys/queries.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
import type { Section, Survey } from '../../../server/surveys/schema.js';
import {
  actorFor,
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
import { readForms } from '../../support/visitor.js';
import { buildCollective, eventsOf, refusalOf } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

const shared = { help: {}, required: false, showIf: null, criterion: '' };
const sections: Section[] = [
  {
    id: 's1',
    title: { fr: 'Une page' },
    intro: {},
    showIf: null,
    questions: [
      { ...shared, id: 'why', kind: 'longText', label: { fr: 'Pourquoi ?', en: 'Why?' }, required: true },
      { ...shared, id: 'hours', kind: 'number', label: { fr: 'Heures' }, min: 0, max: 9, decimals: 0, unit: {} },
    ],
  },
];
const answer = { 'a.why': 'Pour le plaisir', 'a.hours': '3', version: '1' };

describe('the pages on which surveys are answered', () => {
  let house: TestHouse;
  let app: TestApp;
  let ctx: Context;
  let owner: Collective;
  let person: Person;
  let client: Client;

  before(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes, surveyRoutes]);
    person = await buildPerson(house);
    owner = await buildCollective(house, { members: [{ personId: person._id, role: 'representative' }] });
    ctx = contextFor(house, await actorFor(house, person));
    client = app.client();
    await signIn(client, person);
  });

  const mails = async (surveyId: string) => {
    for (const one of await answersIn(house.store).find({ surveyId }).toArray()) {
      for (const event of await eventsOf(house, 'surveyAnswers', one._id)) await noticeEvent({ house }, event);
    }
    const found = await mailsIn(house.store).find({}).toArray();
    await mailsIn(house.store).deleteMany({});
    return found.map((mail) => ({ ...mail, ...withLink(house, mail) }));
  };

  describe('of a person', () => {
    it('ask people of the collectives asked, and exist for nobody else', async () => {
      const survey = await buildSurvey(ctx, owner, [owner], { sections, answerBy: 'person' });
      expect((await client.get('/me/surveys')).text).to.include(`/me/surveys/${survey._id}`);
      expect((await client.get(`/me/surveys/${survey._id}`)).text).to.include('Why?');
      expect((await client.get(`/surveys/${survey._id}`)).location).to.equal(`/me/surveys/${survey._id}`);
      const other = app.client();
      await signIn(other, await buildPerson(house));
      expect((await other.get('/me/surveys')).text).to.not.include(survey._id);
      expect((await other.get(`/me/surveys/${survey._id}`)).status).to.equal(404);
      expect((await other.get(`/surveys/${survey._id}`)).status).to.equal(404);
      expect((await app.client().get(`/surveys/${survey._id}`)).location).to.match(/^\/sign-in\?next=/);
    });

    it('take one answer of each, show it again, send a copy, take it back', async () => {
      const survey = await buildSurvey(ctx, owner, [owner], { sections, answerBy: 'person' });
      const path = `/me/surveys/${survey._id}`;
      expect(await client.post(path, answer)).to.include({ status: 303, location: `${path}/done` });
      expect((await client.post(path, { ...answer, 'a.hours': '4' })).status).to.equal(303);
      const [kept] = await answersIn(house.store).find({ surveyId: survey._id }).toArray();
      expect(kept).to.deep.include({ values: { why: { text: 'Pour le plaisir' }, hours: { number: 4 } } });
      expect(kept?.answerer).to.deep.include({ kind: 'person', key: `person:${person._id}`, name: person.displayName });
      expect((await client.get(path)).text).to.include('Pour le plaisir');
      expect((await client.post(`${path}/copy`, {}, path)).status).to.equal(303);
      const [mail] = await mails(survey._id);
      expect(mail?.to).to.equal(person.email);
      expect(mail?.text).to.include('Pourquoi ?\nPour le plaisir\n\nHeures\n4');
      expect(mail?.html).to.include('<p>Pourquoi ?<br>Pour le plaisir</p>');
      expect(mail?.subject).to.not.include('plaisir');
      expect((await client.post(`${path}/withdraw`, {}, path)).location).to.equal('/me/surveys');
      expect(await answersIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
    });

    it('keep the draft for a script without a word, and say when somebody else kept another', async () => {
      const survey = await buildSurvey(ctx, owner, [owner], { sections, answerBy: 'person' });
      const path = `/me/surveys/${survey._id}`;
      const fields = { ...answer, 'a.hours': '', _csrf: (await client.csrf(path)) ?? '', step: 'save' };
      const save = (more: Record<string, string> = {}) =>
        client.postRaw(path, { ...fields, ...more }, { accept: 'application/json' });
      expect(await save()).to.include({ status: 204, text: '' });
      expect((await client.get(path)).text)
        .to.include('Pour le plaisir')
        .and.not.include('notice--flash');
      await draftsIn(house.store).updateOne({ surveyId: survey._id }, { $set: { byName: 'Sacha' } });
      const refused = await save();
      expect(refused.status).to.equal(422);
      expect(JSON.parse(refused.text).message).to.match(/^Sacha has kept a draft/);
      const again = await client.postRaw(path, fields);
      const seen = /name="seen" value="(\d+)"/.exec(again.text)?.[1] ?? '';
      expect((await save({ seen })).status).to.equal(204);
    });

    it('show what was typed when it closes in the middle, to be copied', async () => {
      const survey = await buildSurvey(ctx, owner, [owner], { sections, answerBy: 'person' });
      const path = `/me/surveys/${survey._id}`;
      const csrf = await client.csrf(path);
      await closeSurvey(ctx, survey._id);
      for (const step of ['send', 'save']) {
        const late = await client.postRaw(path, { ...answer, 'a.hours': 'a lot', step, _csrf: csrf ?? '' });
        expect(late.status).to.equal(422);
        expect(late.text).to.include('What you had written').and.include('Pour le plaisir').and.include('a lot');
        expect(late.text).to.not.include('data-survey');
      }
    });

    it('of an anonymous one show a number once, with which anybody asked finds it counted', async () => {
      const survey = await buildSurvey(ctx, owner, [owner], { sections, answerBy: 'person', names: 'anonymous' });
      const path = `/me/surveys/${survey._id}`;
      const sent = await client.post(path, answer);
      const receipt = /<code>([0-9a-f]{24})<\/code>/.exec(sent.text)?.[1];
      const check = `/surveys/${survey._id}/receipt`;
      expect((await client.post(check, { number: ` ${receipt} ` })).text)
        .to.include('Yes:')
        .and.include('crumbs');
      expect((await client.post(check, { number: '0'.repeat(24) })).text).to.include('No answer');
      expect((await client.get(`${check}?number=${receipt}`)).text).to.not.include('Yes:');
      const own = await client.get(path);
      expect(own.text).to.include('An anonymous answer was given').and.not.include('plaisir');
      expect((await client.post(path, answer, '/me/surveys')).status).to.equal(422);
      expect(await ballotsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(1);
      expect((await client.post(`${path}/copy`, {}, '/me/surveys')).status).to.equal(404);
    });
  });

  it('send what a browser sends: the form as it stands passes through all its pages', async () => {
    const many = Array.from({ length: 7 }, (_, index) => ({
      ...shared,
      id: `n${index}`,
      kind: 'shortText' as const,
      label: { fr: `Question ${index}` },
    }));
    const long = ['p1', 'p2'].map((id, place) => ({
      id,
      title: {},
      intro: {},
      showIf: null,
      questions: many.map((one) => ({ ...one, id: `${one.id}p${place}` })),
    }));
    const survey = await buildSurvey(ctx, owner, [owner], { sections: long, answerBy: 'person' });
    const path = `/me/surveys/${survey._id}`;
    const fieldsOf = async (address: string) => {
      const page = await client.get(address);
      const form = readForms(page.text, house.site.baseUrl).find(({ action }) => action === path);
      return Object.fromEntries(form?.values ?? []);
    };
    const first = { ...(await fieldsOf(path)), 'a.n0p0': 'Un', step: 'next' };
    const next = await client.postRaw(path, first);
    expect(next.location).to.equal(`${path}?page=2`);
    const second = { ...(await fieldsOf(`${path}?page=2`)), 'a.n0p1': 'Deux', step: 'send' };
    expect((await client.postRaw(path, second)).location).to.equal(`${path}/done`);
    const [kept] = await answersIn(house.store).find({ surveyId: survey._id }).toArray();
    expect(kept?.values).to.deep.equal({ n0p0: { text: 'Un' }, n0p1: { text: 'Deux' } });
  });

  describe('of anybody', () => {
    const open = (more = {}) => buildSurvey(ctx, owner, [], { sections, answerBy: 'anyone', listed: true, ...more });

    it('exist no more while the collective that asks is in the bin, and stand in no list while it is not published', async () => {
      const asking = await buildCollective(house, { members: [{ personId: person._id, role: 'representative' }] });
      const open = await buildSurvey(ctx, asking, [], { sections, answerBy: 'anyone', listed: true });
      const told = await buildSurvey(ctx, asking, [owner], { sections });
      await closeSurvey(ctx, told._id);
      const { revision } = await getSurvey(house.store, told._id);
      await publishResults(ctx, told._id, { revision, readers: 'public', hidden: [], notes: {} });
      const pages = [open, told].map(({ _id }) => `/surveys/${_id}`);
      pages.push(`/surveys/${open._id}/answer`, `/surveys/${told._id}/results`, `/surveys/${told._id}/results.json`);
      const statuses = async () => {
        const got = [];
        for (const page of pages) got.push((await app.client().get(page)).status);
        return got;
      };
      const isListed = async () => (await app.client().get('/surveys')).text.includes(open._id);
      const set = (fields: Partial<Collective>) =>
        collectivesOf(house.store).updateOne({ _id: asking._id }, { $set: fields });
      await set({ published: true });
      expect(await statuses()).to.deep.equal([200, 200, 200, 200, 200]);
      expect(await isListed()).to.equal(true);
      await set({ published: false });
      expect(await isListed()).to.equal(false);
      await set({ published: true, deletedAt: house.now() });
      expect(await statuses()).to.deep.equal([303, 303, 404, 404, 404]);
      expect(await isListed()).to.equal(false);
      const guest = { answerer: guestAnswerer('g', ''), by: '', byName: '', home: '', version: 1, raw: { why: 'x' } };
      expect(await refusalOf(submitAnswer(ctx, { surveyId: open._id, ...guest }))).to.equal(
        'closed surveys.error.closed',
      );
    });

    it('are listed for everybody only when that was said, the next to close first, twenty to a page', async () => {
      const quiet = await open({ listed: false });
      expect((await app.client().get(`/surveys/${quiet._id}`)).text).to.include('noindex');
      const closing = (hours: number) => new Date(ctx.now.getTime() + hours * 3_600_000);
      const all: Survey[] = [];
      for (let at = 0; at < 21; at += 1) all.push(await open({ closesAt: closing(500 - at) }));
      const first = (await app.client().get('/surveys')).text;
      expect(first).to.not.include(quiet._id);
      const [soonest, before] = [all[20]?._id ?? '', all[19]?._id ?? ''];
      expect(first.indexOf(soonest)).to.be.within(1, first.indexOf(before));
      expect(first).to.include('href="/surveys?open&#x3D;2"');
      const second = (await app.client().get('/surveys?open=2')).text;
      expect(second).to.include(all[0]?._id).and.not.include(soonest);
      for (const { _id } of all) await closeSurvey(ctx, _id);
    });

    it('say what it is without a session, and begin one with the form', async () => {
      const survey = await open();
      const guest = app.client();
      const page = await guest.get(`/surveys/${survey._id}`);
      expect(page.status).to.equal(200);
      expect(page.text).to.include(`/surveys/${survey._id}/answer`);
      expect((await guest.get('/surveys')).text).to.include(survey._id);
      expect(guest.cookies.size).to.equal(0);
      expect((await guest.get(`/surveys/${survey._id}/answer`)).text).to.include('Why?');
      expect(guest.cookies.size).to.equal(1);
    });

    it('give a guest a link that opens the one answer, which can be changed and taken back', async () => {
      const survey = await open();
      const guest = app.client();
      const first = await guest.post(`/surveys/${survey._id}/answer`, {
        ...answer,
        name: 'Ana',
        email: 'ana@b.example',
      });
      expect(first.status).to.equal(303);
      const link = first.location?.replace(/\/done\?mailed=yes$/, '') ?? '';
      const done = await app.client().get(first.location ?? '');
      expect(done.text).to.include(link).and.include('ana@b.example');
      expect(done.headers.get('referrer-policy')).to.equal('no-referrer');
      const [mail] = await mails(survey._id);
      expect(mail).to.deep.include({ to: 'ana@b.example', kind: 'surveyLink', personId: null });
      expect(mail?.text).to.include(`http://localhost:3000${link}`).and.not.include('plaisir').and.not.include('Ana');
      // From another browser, by the link; and again from the first one: it is the same answer.
      const later = app.client();
      expect((await later.get(link)).text)
        .to.include('Pour le plaisir')
        .and.include('value="Ana"');
      expect((await later.post(link, { ...answer, 'a.hours': '5', name: 'Ana', email: '' })).status).to.equal(303);
      await guest.post(`/surveys/${survey._id}/answer`, { ...answer, 'a.hours': '6', name: 'Anaïs', email: '' });
      const kept = await answersIn(house.store).find({ surveyId: survey._id }).toArray();
      expect(kept.map(({ values, answerer }) => [values.hours, answerer.name])).to.deep.equal([
        [{ number: 6 }, 'Anaïs'],
      ]);
      expect((await later.get(link.replace(/.{8}$/, 'zzzzzzzz'))).status).to.equal(404);
      expect((await later.post(`${link}/withdraw`, {}, link)).status).to.equal(303);
      expect(await answersIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
    });

    it('mail the link once to an address, and say so only then', async () => {
      const survey = await open();
      const guest = app.client();
      const path = `/surveys/${survey._id}/answer`;
      const send = async (email: string) => {
        const { location } = await guest.post(path, { ...answer, name: '', email });
        return (await guest.get(location ?? '')).text;
      };
      expect(await send('once@b.example')).to.include('The link also goes to once@b.example');
      expect(await send('once@b.example')).to.not.include('The link also goes to');
      expect(await send('Once@b.example')).to.not.include('The link also goes to');
      expect(await send('other@b.example')).to.include('The link also goes to other@b.example');
      expect(await send('')).to.not.include('The link also goes to');
      for (let count = 0; count < 3; count += 1) {
        await app.client().post(path, { ...answer, name: '', email: 'full@b.example' });
      }
      expect(await send('full@b.example')).to.not.include('The link also goes to');
      await draftsIn(house.store).deleteMany({});
      const [first] = await answersIn(house.store).find({ surveyId: survey._id }).toArray();
      const asked = (await eventsOf(house, 'surveyAnswers', first?._id ?? '')).filter(
        ({ type }) => type === 'survey.copyRequested',
      );
      expect(asked).to.have.length(2);
    });

    it('say when a guest without a name has answered, and nothing of an account', async () => {
      const survey = await open();
      const guest = app.client();
      for (let count = 0; count < 2; count += 1) {
        await guest.post(`/surveys/${survey._id}/answer`, { ...answer, name: '', email: '' });
      }
      const path = `/surveys/${survey._id}/answer`;
      expect((await guest.get(path)).text)
        .to.match(/Sent on \d/)
        .and.not.include('account any more');
      await closeSurvey(ctx, survey._id);
      expect((await guest.get(path)).text)
        .to.match(/Sent on \d/)
        .and.not.include('account any more');
    });

    it('take what a guest typed about themselves back into a form with a mistake', async () => {
      const survey = await open();
      const wrong = { ...answer, 'a.hours': '99', name: 'Ana', email: 'no address' };
      const page = await app.client().post(`/surveys/${survey._id}/answer`, wrong);
      expect(page.status).to.equal(422);
      expect(page.text).to.include('value="Ana"').and.include('value="no address"').and.include('Pour le plaisir');
    });

    it('mail at most three times an hour to one address', async () => {
      const survey = await open();
      for (let count = 0; count < 5; count += 1) {
        const sent = { ...answer, name: '', email: 'many@b.example' };
        expect((await app.client().post(`/surveys/${survey._id}/answer`, sent)).status).to.equal(303);
      }
      expect((await mails(survey._id)).filter(({ to }) => to === 'many@b.example')).to.have.length(3);
    });

    it('let those who type for long, or many behind one address, send in the end: drafts are not counted as answers', async () => {
      const survey = await open();
      const path = `/surveys/${survey._id}/answer`;
      const guest = app.client();
      const fields = { ...answer, name: '', email: '', _csrf: (await guest.csrf(path)) ?? '' };
      for (let count = 0; count < 125; count += 1) {
        const kept = await guest.postRaw(path, { ...fields, step: 'save' }, { accept: 'application/json' });
        expect(kept.status).to.equal(204);
      }
      const sent = await guest.postRaw(path, { ...fields, step: 'send' });
      expect(sent.status).to.equal(303);
      const link = sent.location?.replace(/\/done.*$/, '') ?? '';
      expect((await guest.postRaw(link, { ...fields, step: 'save' })).status).to.equal(303);
    });

    it('give back what was typed when the survey was deleted meanwhile', async () => {
      const survey = await open();
      const path = `/surveys/${survey._id}/answer`;
      const guest = app.client();
      const _csrf = (await guest.csrf(path)) ?? '';
      await surveysIn(house.store).updateOne({ _id: survey._id }, { $set: { deletedAt: house.now() } });
      const lost = await guest.postRaw(path, { ...answer, 'a.typed': 'Tapé longuement', step: 'send', _csrf });
      expect([404, 410]).to.include(lost.status);
      expect(lost.text).to.include('Tapé longuement');
      expect(lost.headers.get('cache-control')).to.equal('no-store');
    });

    it('take the answers of a whole assembly behind one address, named or not', async () => {
      for (const names of ['named', 'anonymous'] as const) {
        const survey = await open({ names });
        const path = `/surveys/${survey._id}/answer`;
        const guest = app.client();
        // Each is counted, and none of them can be taken.
        const fields = { ...answer, version: '7', step: 'send', _csrf: (await guest.csrf(path)) ?? '' };
        const statuses = new Set<number>();
        for (let count = 0; count < 150; count += 1) statuses.add((await guest.postRaw(path, fields)).status);
        expect([...statuses], names).to.deep.equal([422]);
      }
    });

    it('keep nothing that leads from an anonymous answer to a guest: no name, address, draft, link or session', async () => {
      const survey = await open({ names: 'anonymous' });
      const limits = () => house.store.collection('limits').find({}).toArray();
      const before = await limits();
      const guest = app.client();
      const path = `/surveys/${survey._id}/answer`;
      expect((await guest.get(path)).text).to.not.include('name="email"');
      const sent = await guest.post(path, { ...answer, name: 'Ana', email: 'secret@b.example' });
      expect(sent.text).to.match(/<code>[0-9a-f]{24}<\/code>/);
      expect((await guest.post(path, answer, '/sign-in')).status).to.equal(422);
      expect(await ballotsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(1);
      expect(await mails(survey._id)).to.deep.equal([]);
      expect(await draftsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
      expect(await turnoutsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(1);
      const [turnout] = await turnoutsIn(house.store).find({ surveyId: survey._id }).toArray();
      const token = signLink(house.secret, 'survey-answer', `${survey._id}_${turnout?.key.slice('guest:'.length)}`);
      expect((await app.client().get(`/surveys/answer/${token}`)).status).to.equal(404);
      const sessions = await house.store.collection('sessions').find({}).toArray();
      expect(JSON.stringify(sessions)).to.not.include(survey._id);
      expect(await limits(), 'from where, or when').to.deep.equal(before);
    });

    it('lead to the results once they are for all, also of a survey that asked others', async () => {
      const survey = await buildSurvey(ctx, owner, [owner], { sections });
      await closeSurvey(ctx, survey._id);
      const { revision } = await getSurvey(house.store, survey._id);
      expect((await app.client().get('/surveys')).text).to.not.include(survey._id);
      const system = contextFor(house, systemActor);
      await publishResults(system, survey._id, { revision, readers: 'public', hidden: [], notes: {} });
      expect((await app.client().get('/surveys')).text).to.include(`/surveys/${survey._id}/results`);
      expect((await app.client().get(`/surveys/${survey._id}`)).text).to.include(`/surveys/${survey._id}/results`);
      expect((await app.client().get(`/surveys/${survey._id}/answer`)).status).to.equal(404);
    });
  });
});
