// The form itself, the same at every door: for a collective, from another instance, for a person, for a guest. Sent as a browser
// without a script sends it.
import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { noticeEvent } from '../../../server/notices/actions/noticeEvent.js';
import { withLink } from '../../../server/notices/links.js';
import { mailsIn } from '../../../server/notices/queries.js';
import { peopleIn } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import { saveSections } from '../../../server/surveys/actions/drafting.js';
import { receiveSurvey } from '../../../server/surveys/actions/receiving.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { recallAnswer, sendAnswer } from '../../../server/surveys/actions/sending.js';
import { answererFor } from '../../../server/surveys/askedSurveys.js';
import { answersIn, ballotsIn, draftsIn, getSurvey } from '../../../server/surveys/queries.js';
import { remoteSurveyKey, remoteSurveysIn, sentAnswersIn } from '../../../server/surveys/remoteSurveys.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
import type { Condition, Question, Section, Survey, Values } from '../../../server/surveys/schema.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  type Client,
  contextFor,
  signIn,
  startTestApp,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';
import { readForms } from '../../support/visitor.js';
import { buildService } from '../catalogue/catalogueSupport.js';
import { buildCollective, eventsOf, refusalOf } from '../collectives/collectiveSupport.js';
import { buildSurvey } from './surveySupport.js';

const shared = { help: {}, required: false, showIf: null, criterion: '' };
const text = (id: string): Question => ({ ...shared, id, kind: 'shortText', label: { en: `About ${id}` } });
const yesOrNo = (id: string): Question => ({
  ...{ ...shared, id, kind: 'single', label: { en: `Do you ${id}?` }, min: null, max: null, other: false },
  choices: ['yes', 'no'].map((one) => ({ id: one, label: { en: one } })),
});
const when = (question: string): Condition => ({ question, test: 'oneOf', values: ['yes'], number: null });
const section = (id: string, questions: Question[], showIf: Condition | null = null): Section => ({
  ...{ id, title: { en: `Page ${id}` }, intro: {}, showIf, questions },
});

const doors = ['collective', 'elsewhere', 'person', 'guest'] as const;
type Door = (typeof doors)[number];

describe('the form of a survey', () => {
  let house: TestHouse;
  let app: TestApp;
  let ctx: Context;
  let owner: Collective;
  let person: Person;
  let colleague: Person;

  before(async () => {
    house = await buildTestHouse();
    app = await startTestApp(house, [peopleRoutes, surveyRoutes]);
    person = await buildPerson(house);
    colleague = await buildPerson(house);
    const members = [person, colleague].map(({ _id }) => ({ personId: _id, role: 'representative' as const }));
    owner = await buildCollective(house, { members });
    ctx = contextFor(house, await actorFor(house, person));
  });

  async function fromElsewhere(sections: Section[]): Promise<string> {
    const iri = `https://far.example/objects/${Math.random()}`;
    const _id = remoteSurveyKey(iri);
    const { key } = answererFor(ctx, owner);
    await receiveSurvey(ctx, {
      ...{ _id, iri, owner: 'https://far.example/actors/x', host: 'far.example', url: null, link: null },
      ...{ organiser: { name: 'Far', handle: 'x@far.example' }, asked: [key], revision: 1, version: 1 },
      ...{ title: { en: 'Far survey' }, intro: {}, languages: ['en'], timeZone: 'Europe/Paris', names: 'named' },
      ...{ late: 'refuse', state: 'open', closesAt: null, closedAt: null, sections, chosenSlot: null },
      ...{ results: null, receivedAt: ctx.now, deletedAt: null },
    });
    return _id;
  }

  const byDoor: Record<Door, Survey['answerBy']> = {
    ...{ collective: 'collective', elsewhere: 'collective', person: 'person', guest: 'anyone' },
  };

  /** The form of a survey with these sections; `sent`: what was sent. */
  async function open(door: Door, sections: Section[], language: 'fr' | 'en' = 'en') {
    const client = app.client({ language });
    if (door !== 'guest') await signIn(client, person);
    const asked = door === 'guest' ? [] : [owner];
    const key =
      door === 'elsewhere'
        ? await fromElsewhere(sections)
        : (await buildSurvey(ctx, owner, asked, { sections, answerBy: byDoor[door] }))._id;
    const paths: Record<Door, string> = {
      collective: `/my/collectives/${owner._id}/asked/${key}`,
      elsewhere: `/my/collectives/${owner._id}/asked/${key}`,
      person: `/me/surveys/${key}`,
      guest: `/surveys/${key}/answer`,
    };
    const sent = async (): Promise<Values | undefined> =>
      door === 'elsewhere'
        ? (await sentAnswersIn(house.store).findOne({ surveyKey: key }))?.values
        : (await answersIn(house.store).findOne({ surveyId: key }))?.values;
    return { key, client, path: paths[door], sent };
  }

  /** Fills in the form as it stands at an address. */
  async function fill(client: Client, path: string, query: string, fields: Record<string, string>) {
    const page = await client.get(`${path}${query}`);
    const form = readForms(page.text, house.site.baseUrl).find(({ action }) => action === path);
    return client.postRaw(path, { ...Object.fromEntries(form?.values ?? []), ...fields });
  }

  describe('page by page, with a last page that depends on the one before', () => {
    const sections = [
      section('one', [text('name')]),
      section('two', [yesOrNo('host')]),
      section('three', [text('machines')], when('host')),
    ];

    for (const door of doors) {
      it(`asks it before anything is sent, at the door of: ${door}`, async () => {
        const { client, path, sent } = await open(door, sections);
        const guest = door === 'guest' ? { name: 'Ana', email: 'ana@b.example' } : {};
        expect((await fill(client, path, '?page=1', { 'a.name': 'Us', step: 'next' })).location).to.equal(
          `${path}?page=2`,
        );
        const second = await client.get(`${path}?page=2`);
        expect(second.text).to.include('Page 2 of 2 or more').and.include('Continue or send');
        const more = await fill(client, path, '?page=2', { 'a.host.is': 'yes', step: 'send', ...guest });
        expect(more.location).to.equal(`${path}?page=3`);
        expect(await sent()).to.equal(undefined);
        const third = await client.get(`${path}?page=3`);
        expect(third.text).to.include('About machines').and.include('Page 3 of 3').and.not.include('Continue');
        for (const typed of Object.values(guest)) expect(third.text).to.include(`value="${typed}"`);
        const done = await fill(client, path, '?page=3', { 'a.machines': 'Two', step: 'send' });
        expect(done.location).to.match(/\/done(\?mailed=yes)?$/);
        expect(await sent()).to.deep.equal({
          ...{ name: { text: 'Us' }, host: { chosen: ['yes'], other: '' }, machines: { text: 'Two' } },
        });
      });

      it(`sends at once where no page follows, at the door of: ${door}`, async () => {
        const { client, path, sent } = await open(door, sections);
        await fill(client, path, '?page=1', { 'a.name': 'Us', step: 'next' });
        const done = await fill(client, path, '?page=2', { 'a.host.is': 'no', step: 'send' });
        expect(done.location).to.match(/\/done(\?mailed=yes)?$/);
        expect(await sent()).to.deep.equal({ name: { text: 'Us' }, host: { chosen: ['no'], other: '' } });
      });
    }

    it('introduces itself on the first page alone, and names for whom one answers', async () => {
      const { key, client, path } = await open('elsewhere', sections);
      expect(key).to.have.length(64);
      const first = await client.get(`${path}?page=1`);
      expect(first.text).to.include('Survey by Far, answer for').and.include('<h1 lang="en">Far survey</h1>');
      await fill(client, path, '?page=1', { 'a.name': 'Us', step: 'next' });
      expect((await client.get(`${path}?page=1`)).text).to.include('A draft is waiting');
      expect((await client.get(`${path}?page=2`)).text).to.not.include('A draft is waiting');
    });

    it('gives back what was kept of the other pages too when it closes in the middle', async () => {
      const { key, client, path } = await open('person', sections);
      await fill(client, path, '?page=1', { 'a.name': 'Us', step: 'next' });
      const csrf = await client.csrf(`${path}?page=2`);
      await closeSurvey(ctx, key);
      const typed = { 'a.host.is': 'yes', version: '1', page: '2', section: 'two', step: 'send', _csrf: csrf ?? '' };
      const late = await client.postRaw(path, typed);
      expect(late.status).to.equal(422);
      expect(late.text).to.include('<dd>Us</dd>').and.include('<dd>yes</dd>').and.include('closed while you were');
    });

    for (const door of ['collective', 'elsewhere', 'person', 'guest'] as const) {
      it(`shows what was kept and never sent, once it has closed, at the door of: ${door}`, async () => {
        const { key, client, path } = await open(door, sections);
        await fill(client, path, '?page=1', { 'a.name': 'Half a thought', step: 'next' });
        if (door === 'elsewhere') {
          const set = { $set: { state: 'closed' as const, closedAt: ctx.now } };
          await remoteSurveysIn(house.store).updateOne({ _id: key }, set);
        } else await closeSurvey(ctx, key);
        const page = await client.get(path);
        expect(page.text).to.include('<dd>Half a thought</dd>').and.include('not sent before the end');
        expect(page.text).to.not.include('data-survey');
      });
    }

    it('says what is wrong on the page before it goes on', async () => {
      const wrong = [sections[0], section('two', [yesOrNo('host'), { ...text('url'), kind: 'link' }]), sections[2]];
      const { client, path, sent } = await open(
        'person',
        wrong.filter((one) => one !== undefined),
      );
      const refused = await fill(client, path, '?page=2', { 'a.host.is': 'yes', 'a.url': 'no address', step: 'send' });
      expect(refused.status).to.equal(422);
      expect(refused.text).to.include('no address').and.include('About url');
      expect(await sent()).to.equal(undefined);
    });

    for (const step of ['save', 'back']) {
      it(`keeps what can be read and gives back what cannot, at the button: ${step}`, async () => {
        const pages = [
          section('one', [text('name')]),
          section('two', [text('why'), { ...text('site'), kind: 'link' }]),
        ];
        const { client, path } = await open('person', pages);
        await fill(client, path, '?page=1', { 'a.name': 'Us', step: 'next' });
        const typed = { 'a.why': 'Because', 'a.site': 'our site, to be looked up', step };
        const again = await fill(client, path, '?page=2', typed);
        expect(again.status).to.equal(422);
        expect(again.text).to.include('value="our site, to be looked up"').and.include('Because');
        expect((await client.get(`${path}?page=all`)).text)
          .to.include('Because')
          .and.include('value="Us"');
      });
    }

    it('keeps what was written to a page that is not asked for a while, and sends it only where it is', async () => {
      const { client, path, sent } = await open('person', sections);
      await fill(client, path, '?page=2', { 'a.host.is': 'yes', step: 'next' });
      await fill(client, path, '?page=3', { 'a.machines': 'Two, and a spare one', step: 'back' });
      await fill(client, path, '?page=2', { 'a.host.is': 'no', step: 'back' });
      expect((await client.get(`${path}?page=1`)).text).to.include('Page 1 of 2');
      await fill(client, path, '?page=2', { 'a.host.is': 'yes', step: 'next' });
      expect((await client.get(`${path}?page=3`)).text).to.include('Two, and a spare one');
      await fill(client, path, '?page=2', { 'a.host.is': 'no', step: 'send' });
      expect(await sent()).to.deep.equal({ host: { chosen: ['no'], other: '' } });
    });

    it('says what is wrong also where a question hangs on an earlier page', async () => {
      const site: Question = { ...text('site'), kind: 'link', showIf: when('host') };
      const pages = [section('one', [yesOrNo('host')]), section('two', [site]), section('three', [text('last')])];
      const { client, path } = await open('person', pages);
      await fill(client, path, '?page=1', { 'a.host.is': 'yes', step: 'next' });
      const refused = await fill(client, path, '?page=2', { 'a.site': 'somewhere', step: 'next' });
      expect(refused.status).to.equal(422);
      expect(refused.text).to.include('value="somewhere"');
    });

    it('goes on from the section that was filled in, though another window has changed the pages', async () => {
      const long = [section('zero', [yesOrNo('start')]), section('more', [text('extra')], when('start')), ...sections];
      const { key, client, path } = await open('person', long);
      const page = await client.get(`${path}?page=2`);
      expect(page.text).to.include('About name');
      const form = readForms(page.text, house.site.baseUrl).find(({ action }) => action === path);
      await fill(client, path, '?page=1', { 'a.start.is': 'yes', step: 'next' });
      await fill(client, path, '?page=2', { 'a.extra': 'Kept', step: 'next' });
      const typed = { ...Object.fromEntries(form?.values ?? []), 'a.name': 'Us', step: 'next' };
      expect((await client.postRaw(path, typed)).location).to.equal(`${path}?page=4`);
      const draft = await draftsIn(house.store).findOne({ surveyId: key });
      expect(draft?.values).to.deep.include({ extra: { text: 'Kept' }, name: { text: 'Us' } });
    });
  });

  describe('of an anonymous survey', () => {
    const sections = [section('one', [text('why')])];

    it('tells the second of two delegates that this was not counted, and gives the words back', async () => {
      const asked = { sections, answerBy: 'collective', names: 'anonymous' } as const;
      const survey = await buildSurvey(ctx, owner, [owner], asked);
      const path = `/my/collectives/${owner._id}/asked/${survey._id}`;
      const clients = [app.client(), app.client()];
      for (const client of clients) await signIn(client, person);
      const csrfs = await Promise.all(clients.map((client) => client.csrf(path)));
      const answers = await Promise.all(
        clients.map((client, place) =>
          client.postRaw(path, { 'a.why': `Words ${place}`, version: '1', _csrf: csrfs[place] ?? '' }),
        ),
      );
      const second = answers.findIndex(({ status }) => status === 422);
      expect(answers[1 - second]?.status).to.equal(200);
      expect(answers[second]?.text)
        .to.include('Somebody else answered first: this was not counted')
        .and.include(`<dd>Words ${second}</dd>`)
        .and.not.include('Your collective has answered')
        .and.not.include('data-survey');
    });

    it('gives the words back to a guest who sends twice', async () => {
      const survey = await buildSurvey(ctx, owner, [], { sections, answerBy: 'anyone', names: 'anonymous' });
      const path = `/surveys/${survey._id}/answer`;
      const client = app.client();
      const csrf = (await client.csrf(path)) ?? '';
      const send = (words: string) => client.postRaw(path, { 'a.why': words, version: '1', _csrf: csrf });
      expect((await send('First')).status).to.equal(200);
      const again = await send('Second');
      expect(again.status).to.equal(422);
      expect(again.text).to.include('already given from this browser').and.include('<dd>Second</dd>');
    });

    it('counts a guest with a name once, too, and the last words stand', async () => {
      const survey = await buildSurvey(ctx, owner, [], { sections, answerBy: 'anyone' });
      const path = `/surveys/${survey._id}/answer`;
      const client = app.client();
      const csrf = (await client.csrf(path)) ?? '';
      const send = (words: string) => client.postRaw(path, { 'a.why': words, version: '1', _csrf: csrf });
      const answers = await Promise.all([send('First'), send('Second')]);
      expect(answers.map(({ status }) => status)).to.deep.equal([303, 303]);
      expect(await answersIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(1);
    });

    it('counts a guest once who sends from two tabs at the same moment', async () => {
      const survey = await buildSurvey(ctx, owner, [], { sections, answerBy: 'anyone', names: 'anonymous' });
      const path = `/surveys/${survey._id}/answer`;
      const client = app.client();
      const csrf = (await client.csrf(path)) ?? '';
      await client.get(path);
      const send = (words: string) => client.postRaw(path, { 'a.why': words, version: '1', _csrf: csrf });
      const answers = await Promise.all([send('First'), send('Second')]);
      expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([200, 422]);
      expect(answers.find(({ status }) => status === 422)?.text).to.include('already given from this browser');
      expect(await ballotsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(1);
      // What the browser keeps afterwards is the same for all: it leads to no entry of who has answered.
      expect(client.cookies.get('answered')).to.equal('yes');
      expect((await app.client().get(path)).headers.get('cache-control')).to.equal('no-store');
    });
  });

  describe('with two people of one collective', () => {
    const sections = [section('one', [text('why'), text('how')])];

    for (const door of ['collective', 'elsewhere'] as const) {
      it(`shows what the other one sent meanwhile beside one’s own words, at the door of: ${door}`, async () => {
        const { client, path, sent } = await open(door, sections);
        const other = app.client();
        await signIn(other, colleague);
        const [first, second] = await Promise.all([client, other].map((one) => one.get(path)));
        const valuesOf = (html = '') =>
          Object.fromEntries(readForms(html, house.site.baseUrl).find(({ action }) => action === path)?.values ?? []);
        await client.postRaw(path, { ...valuesOf(first?.text), 'a.why': 'Camille wrote this', step: 'send' });
        const mine = { ...valuesOf(second?.text), 'a.why': 'Sacha wrote that', 'a.how': '', step: 'send' };
        const kept = await other.postRaw(path, { ...mine, step: 'save' });
        const refused = await other.postRaw(path, mine);
        for (const page of [kept, refused]) {
          expect(page.status).to.equal(422);
          expect(page.text)
            .to.include(`${person.displayName} sent an answer meanwhile`)
            .and.include('<dd>Camille wrote this</dd>')
            .and.include('value="Sacha wrote that"');
        }
        expect(await sent()).to.deep.equal({ why: { text: 'Camille wrote this' } });
        const again = { ...valuesOf(refused.text), 'a.why': 'Sacha wrote that, and read', step: 'send' };
        expect((await other.postRaw(path, again)).status).to.equal(303);
        expect(await sent()).to.deep.equal({ why: { text: 'Sacha wrote that, and read' } });
        expect((await client.get(path)).text)
          .to.include('<dd>Camille wrote this</dd>')
          .and.include('<summary>');
      });

      it(`says it still when there was another mistake first, at the door of: ${door}`, async () => {
        const needed = [section('one', [{ ...text('why'), required: true }, text('how')])];
        const { client, path } = await open(door, needed);
        const other = app.client();
        await signIn(other, colleague);
        const form = async () => readForms((await other.get(path)).text, house.site.baseUrl);
        const empty = Object.fromEntries((await form()).find(({ action }) => action === path)?.values ?? []);
        await fill(client, path, '', { 'a.why': 'Camille wrote this', step: 'send' });
        const mistaken = await other.postRaw(path, { ...empty, 'a.how': 'Somehow', step: 'send' });
        expect(mistaken.text).to.include('needs an answer');
        const corrected = readForms(mistaken.text, house.site.baseUrl).find(({ action }) => action === path);
        const fields = { ...Object.fromEntries(corrected?.values ?? []), 'a.why': 'Sacha', step: 'send' };
        expect((await other.postRaw(path, fields)).text).to.include('sent an answer meanwhile');
      });
    }

    it('keeps each of twenty answers to a survey elsewhere that are sent at once', async () => {
      const { key: surveyId } = await open('elsewhere', sections);
      const answerer = answererFor(ctx, owner);
      const all = Array.from({ length: 20 }, (_, place) => {
        const by = `p${place}`;
        return sendAnswer(ctx, { surveyId, answerer, by, byName: by, version: 1, raw: { why: by } });
      });
      const outcomes = await Promise.all(all);
      expect(outcomes.filter(({ isFirst }) => isFirst)).to.have.length(1);
      const kept = await sentAnswersIn(house.store).find({ surveyKey: surveyId }).toArray();
      expect(kept).to.have.length(1);
      const names = [...(kept[0]?.edits ?? []), { byName: kept[0]?.byName }].map(({ byName }) => byName);
      expect(names.toSorted()).to.deep.equal(all.map((_, place) => `p${place}`).toSorted());
    });

    it('lets one of twenty answer elsewhere where none was shown an answer, and tells the others', async () => {
      const { key: surveyId } = await open('elsewhere', sections);
      const answerer = answererFor(ctx, owner);
      const all = Array.from({ length: 20 }, (_, place) => {
        const by = `p${place}`;
        const raw = { why: by };
        return refusalOf(sendAnswer(ctx, { surveyId, answerer, by, byName: by, version: 1, raw, shown: new Date(0) }));
      });
      const outcomes = (await Promise.all(all)).toSorted();
      expect(outcomes).to.deep.equal([...Array(19).fill('conflict surveys.error.answerOther'), 'done']);
    });

    it('takes back elsewhere what stands, and refuses when another answer came between', async () => {
      const { key: surveyId } = await open('elsewhere', sections);
      const answerer = answererFor(ctx, owner);
      const send = (why: string) =>
        sendAnswer(ctx, { surveyId, answerer, by: 'p', byName: 'P', version: 1, raw: { why } });
      await send('first');
      const outcomes = await Promise.all([
        refusalOf(recallAnswer(ctx, surveyId, answerer)),
        refusalOf(recallAnswer(ctx, surveyId, answerer)),
      ]);
      // Whoever comes second finds another answer than was read, or none any more.
      const [second, ...others] = outcomes.filter((outcome) => outcome !== 'done');
      expect(second).to.be.oneOf(['conflict surveys.error.answerChanged', 'not-found error.notFound']);
      expect(others).to.deep.equal([]);
    });
  });

  describe('with a question about each service that needs an answer', () => {
    const grid: Question = {
      ...{ ...shared, id: 'each', kind: 'grid', label: { en: 'Is it in use?' }, required: true, rowsFrom: 'services' },
      ...{ rows: [], choices: ['yes', 'no'].map((one) => ({ id: one, label: { en: one } })) },
    };
    const sections = [section('one', [text('why')]), section('two', [grid])];

    for (const door of doors) {
      it(`asks nothing of those who have no service, at the door of: ${door}`, async () => {
        const { client, path, sent } = await open(door, sections);
        const page = await client.get(path);
        expect(page.text).to.include('There are none: nothing to answer.').and.not.include('class="needed"');
        expect((await fill(client, path, '', { 'a.why': 'So', step: 'send' })).status).to.equal(303);
        expect(await sent()).to.deep.equal({ why: { text: 'So' } });
      });
    }

    for (const door of ['collective', 'elsewhere'] as const) {
      it(`asks those who have some, also page by page, at the door of: ${door}`, async () => {
        const had = owner;
        owner = await buildCollective(house, { members: [{ personId: person._id, role: 'representative' }] });
        const { _id } = await buildService(house, owner, 'Pads');
        const { client, path, sent } = await open(door, sections);
        expect((await client.get(path)).text).to.include('class="needed"');
        await fill(client, path, '?page=1', { 'a.why': 'So', step: 'next' });
        const refused = await fill(client, path, '?page=2', { step: 'send' });
        expect(refused.status).to.equal(422);
        expect(refused.text).to.include('needs an answer');
        const done = await fill(client, path, '?page=2', { [`a.each.${_id}.choice`]: 'yes', step: 'send' });
        expect(done.status).to.equal(303);
        expect(await sent()).to.have.property('each');
        owner = had;
      });
    }
  });

  it('names the question of each mistake and leads to it', async () => {
    const needed = (id: string): Question => ({ ...text(id), required: true });
    const { client, path } = await open('guest', [
      section('one', [needed('why'), { ...yesOrNo('host'), required: true }]),
    ]);
    const page = await fill(client, path, '', { email: 'no address', step: 'send' });
    const mistakes = await fill(client, path, '', { step: 'send' });
    expect(page.text).to.include('<a href="#f-email" data-named>Your e-mail address: ');
    const links = [...mistakes.text.matchAll(/<a href="#([^"]+)" data-named>(.*?)<\/a>/g)];
    expect(links.map(([, , words]) => words?.replace(/<[^>]+>/g, ''))).to.deep.equal([
      'About why: This question needs an answer.',
      'Do you host?: This question needs an answer.',
    ]);
    for (const [, id] of links) expect(mistakes.text).to.include(` id="${id}"`);
  });

  for (const door of doors) {
    it(`keeps a draft, and gives back what it cannot keep rather than lose it, at the door of: ${door}`, async () => {
      const number = { ...shared, id: 'hours', kind: 'number', label: { en: 'Hours' }, unit: {}, decimals: 0 } as const;
      const three = ['red', 'green', 'blue'].map((one) => ({ id: one, label: { en: one } }));
      const choices = { ...shared, kind: 'multiple', choices: three, other: false, min: 2, max: null } as const;
      const ranking = { ...shared, id: 'order', kind: 'ranking', label: { en: 'Order' }, choices: three } as const;
      const colours = { ...choices, id: 'colours', label: { en: 'Colours' } };
      const asked = [section('one', [text('why'), { ...number, min: null, max: null }, colours, ranking])];
      const { client, path } = await open(door, asked);
      const typed = {
        'a.why': 'So',
        'a.hours': 'a lot',
        'a.colours.is': 'green',
        'a.order.red': '1',
        'a.order.blue': '1',
      };
      const kept = await fill(client, path, '', { ...typed, step: 'save' });
      expect(kept.status).to.equal(422);
      expect(kept.text).to.include('value="a lot"').and.include('Hours').and.include('Order');
      expect([...kept.text.matchAll(/data-named/g)]).to.have.length(2);
      const later = await client.get(path);
      expect(later.text).to.include('value="So"').and.not.include('a lot');
      expect(later.text).to.match(/value="green" checked/);
      const whole = { 'a.hours': '2', 'a.order.red': '1', 'a.order.blue': '2', 'a.order.green': '3', step: 'save' };
      expect((await fill(client, path, '', whole)).status).to.equal(303);
    });
  }

  it('lets every choice be taken back, where no answer is needed', async () => {
    const scale = { ...shared, id: 'load', kind: 'scale', label: { en: 'Load' }, from: 1, to: 5 } as const;
    const choices = ['yes', 'no'].map((one) => ({ id: one, label: { en: one } }));
    const grid = { ...shared, id: 'rows', kind: 'grid', label: { en: 'Rows' }, rowsFrom: 'rows', choices } as const;
    const slots = [{ id: 's1', startsAt: new Date('2026-12-10T18:00:00Z'), endsAt: null }];
    const all: Question[] = [
      yesOrNo('host'),
      { ...scale, fromLabel: {}, toLabel: {} },
      { ...grid, rows: [{ id: 'r1', label: { en: 'Row' } }] },
      { ...shared, id: 'when', kind: 'availability', label: { en: 'When' }, slots },
    ];
    const given = { 'a.host.is': 'yes', 'a.load': '3', 'a.rows.r1': 'no', 'a.when.s1': 'maybe' };
    const { client, path, sent } = await open('person', [section('one', [text('why'), ...all])]);
    await fill(client, path, '', { ...given, 'a.why': 'So', step: 'send' });
    expect(Object.keys((await sent()) ?? {})).to.deep.equal(['why', 'host', 'load', 'rows', 'when']);
    const page = await client.get(path);
    for (const name of Object.keys(given)) expect(page.text).to.include(`name="${name}" type="radio" value=""`);
    const none = Object.fromEntries(Object.keys(given).map((name) => [name, '']));
    expect((await fill(client, path, '', { ...none, step: 'send' })).status).to.equal(303);
    expect(await sent()).to.deep.equal({ why: { text: 'So' } });
    const needed = all.map((one) => ({ ...one, required: true }));
    const other = await open('person', [section('one', needed)]);
    expect((await other.client.get(other.path)).text).to.not.include('type="radio" value=""');
  });

  it('says that the questions have changed since a draft or an answer', async () => {
    const { key, client, path } = await open('person', [section('one', [text('why')])]);
    const change = async (title: string) => {
      const { revision } = await getSurvey(house.store, key);
      const sections = [{ ...section('one', [text('why'), text(title)]), title: { en: title } }];
      await saveSections(ctx, key, { revision, sections });
    };
    await fill(client, path, '', { 'a.why': 'So', step: 'send' });
    expect((await client.get(path)).text).to.not.include('have changed since');
    await change('more');
    expect((await client.get(path)).text)
      .to.include('The questions have changed since')
      .and.include('Your answer counts as it was sent');
    await fill(client, path, '', { 'a.more': 'That', step: 'save' });
    expect((await client.get(path)).text).to.not.include('have changed since');
    await change('less');
    expect((await client.get(path)).text)
      .to.include('The questions have changed since')
      .and.include('filled in as it was kept');
  });

  it('sends a copy by mail of what was answered elsewhere, until it is taken back', async () => {
    const { key, client, path } = await open('elsewhere', [section('one', [text('why')])]);
    await fill(client, path, '', { 'a.why': 'For the joy of it', step: 'send' });
    expect((await client.post(`${path}/copy`, {}, path)).status).to.equal(303);
    const [sent] = await sentAnswersIn(house.store).find({ surveyKey: key }).toArray();
    const events = await eventsOf(house, 'sentAnswers', sent?._id ?? '');
    for (const event of events) if (event.type === 'survey.copyRequested') await noticeEvent({ house }, event);
    const mails = await mailsIn(house.store).find({ kind: 'surveyCopy' }).toArray();
    expect(mails.map(({ to }) => to)).to.deep.equal([person.email]);
    const { text: words } = withLink(house, mails[0] ?? expect.fail('no mail'));
    expect(words).to.include('About why\nFor the joy of it').and.include(path);
    expect((await client.post(`${path}/withdraw`, {}, path)).status).to.equal(303);
    expect((await client.post(`${path}/copy`, {}, path)).status).to.equal(404);
  });

  it('tells the times of slots in the time zone that the reader has chosen, where it differs', async () => {
    const slots = [{ id: 's1', startsAt: new Date('2026-12-10T18:00:00Z'), endsAt: null }];
    const when: Question = { ...shared, id: 'when', kind: 'availability', label: { en: 'When' }, slots };
    const { client, path } = await open('person', [section('one', [when])]);
    const choose = (timeZone: string) => peopleIn(house.store).updateOne({ _id: person._id }, { $set: { timeZone } });
    await choose('America/Montreal');
    expect((await client.get(path)).text)
      .to.match(/19:00.*Your time: [^<]*13:00/s)
      .and.not.include('data-starts');
    await choose('Europe/Brussels');
    expect((await client.get(path)).text)
      .to.include('19:00')
      .and.not.include('Your time');
    await peopleIn(house.store).updateOne({ _id: person._id }, { $set: { timeZone: null } });
    expect((await client.get(path)).text).to.include('data-starts="2026-12-10T18:00:00.000Z"');
  });
});
