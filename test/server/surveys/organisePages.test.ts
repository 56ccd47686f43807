// The pages on which a collective's people make a survey, without a script: from nothing to closed, and what is refused where.
import { expect } from 'chai';
import { reviewAnswers } from '../../../jobs/roseauReview.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { recordChange } from '../../../server/history/actions.js';
import { historyRoutes } from '../../../server/history/routes.js';
import { followingsIn, remoteActorsIn } from '../../../server/partners/queries.js';
import { actorIri } from '../../../server/partners/rules.js';
import type { RemoteActor } from '../../../server/partners/schema.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { deleteSurvey } from '../../../server/surveys/actions/drafting.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { findSurvey, getVersion, listSurveysOf, surveysIn } from '../../../server/surveys/queries.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
import type { Question, Survey } from '../../../server/surveys/schema.js';
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
import { readForms } from '../../support/visitor.js';
import { buildCollective } from '../collectives/collectiveSupport.js';
import { answererOf, buildSurvey } from './surveySupport.js';

const elsewhere = (name: string, type: string): RemoteActor => ({
  _id: `https://far.example/actors/${name}`,
  type,
  host: 'far.example',
  handle: `${name}@far.example`,
  name: `Far ${name}`,
  url: null,
  inbox: `https://far.example/actors/${name}/inbox`,
  sharedInbox: null,
  keys: [],
  fetchedAt: new Date('2026-05-01'),
  goneAt: null,
});

describe('pages for making surveys', () => {
  let house: TestHouse;
  let app: TestApp;
  let collective: Collective;
  let other: Collective;
  /** Also of the member. */
  let second: Collective;
  let member: Client;
  let person: Person;
  let mine: string;

  before(async function () {
    this.timeout(60_000);
    house = await buildTestHouse({
      lookUpActor: async (address) => {
        if (address.includes('down')) return { outcome: 'failed', reason: 'unavailable' };
        const type = address.includes('person') ? 'Person' : 'Organization';
        return { outcome: 'found', actor: elsewhere('lock', type), followersCount: null, posts: [] };
      },
    });
    app = await startTestApp(house, [peopleRoutes, historyRoutes, surveyRoutes]);
    person = await buildPerson(house);
    collective = await buildCollective(house, { members: [{ personId: person._id, role: 'member' }] });
    other = await buildCollective(house, { name: { fr: 'Les Autres', en: 'The Others' } });
    second = await buildCollective(house, { members: [{ personId: person._id, role: 'member' }], published: false });
    member = app.client();
    await signIn(member, person);
    mine = `/my/collectives/${collective._id}/surveys`;
  });

  const system = () => contextFor(house, systemActor);
  const find = async (id: string): Promise<Survey> => {
    const survey = await findSurvey(house.store, id);
    if (!survey) throw new Error('no survey');
    return survey;
  };
  const questionsOf = async (id: string): Promise<Question[]> => {
    const { version } = await find(id);
    return (await getVersion(house.store, id, version)).sections.flatMap(({ questions }) => questions);
  };
  const draft = async (overrides = {}) =>
    (await buildSurvey(system(), collective, [other], { isDraft: true, ...overrides }))._id;
  const post = async (
    path: string,
    id: string,
    fields: Record<string, string> = {},
    from = `${mine}/${id}/questions`,
  ) => {
    const { revision } = await find(id);
    return member.post(`${mine}/${id}${path}`, { revision: String(revision), ...fields }, from);
  };
  const settings = {
    'title.fr': 'Une question',
    'title.en': '',
    languages: 'fr, en, br',
    answerBy: 'collective',
    names: 'named',
    timeZone: 'Europe/Paris',
    opensAt: '',
    closesAt: '2026-06-01T19:00',
    late: 'refuse',
    'reminders.twoDays': 'on',
  };

  it('begin from a template, which says its title when none is given', async () => {
    expect((await member.get(mine)).text).to.contain('No survey yet');
    const empty = await member.post(`${mine}/new`, { template: 'empty' });
    expect(empty.status).to.equal(422);
    expect(empty.text).to.contain('f-title-fr-error');
    const made = await member.post(`${mine}/new`, { template: 'review' });
    expect(made.location).to.match(/\/surveys\/[0-9a-f-]{36}\/questions$/);
    const [survey] = await listSurveysOf(house.store, collective._id);
    expect(survey?.title).to.deep.equal({ fr: 'Revue annuelle', en: 'Yearly review' });
    expect((await member.get(made.location ?? '')).text)
      .to.contain('INF-3')
      .and.to.contain('26 questions');
    expect((await member.get(mine)).text)
      .to.contain('Yearly review')
      .and.to.contain('Draft');
  });

  it('ask an earlier one again from where a new one is begun, and say how many it will ask', async () => {
    const open = await buildSurvey(system(), collective, [other]);
    const again = `${mine}/${open._id}/duplicate`;
    expect((await member.get(`${mine}/new`)).text).to.not.include(again);
    await closeSurvey(system(), open._id);
    expect((await member.get(`${mine}/${open._id}`)).text).to.include('not published yet');
    expect((await member.get(`${mine}/new`)).text).to.include(`action="${again}"`);
    const copy = await member.post(again, {}, `${mine}/new`);
    const page = await member.get(copy.location ?? '');
    expect(page.text).to.include('One hoster</a>').and.include('without automatic reminders');
  });

  it('show the form in the preview as it will be, with nothing that sends', async () => {
    const { text } = await member.get(`${mine}/${await draft()}/preview`);
    expect(text)
      .to.match(/<form class="form survey" data-survey/)
      .and.match(/<button [^>]*type="submit" disabled>/);
    expect(text).to.match(/survey\.js[^"]*"><\/script>/);
  });

  it('keep the settings: languages, dates by the clocks of the zone, who is asked, here and elsewhere', async () => {
    const id = await draft();
    const iri = (await find(id)).invited[0]?.iri ?? '';
    const page = `${mine}/${id}/settings`;
    const saved = await post('/settings', id, { ...settings, invited: iri, others: '@lock@far.example' }, page);
    expect(saved.location, saved.text).to.equal(page);
    const survey = await find(id);
    expect(survey.languages).to.deep.equal(['fr', 'en', 'br']);
    expect(survey.closesAt?.toISOString()).to.equal('2026-06-01T17:00:00.000Z');
    expect(survey.invited.map(({ handle }) => handle)).to.deep.equal([other.handle, 'lock@far.example']);
    expect(survey.reminders).to.deep.equal({ halfTime: false, twoDays: true, lastDay: false });
    const shown = (await member.get(page)).text;
    expect(shown).to.contain('name="title.br"').and.to.contain('value="2026-06-01T19:00"').and.to.contain('missing');
    const all = await post('/settings', id, { ...settings, allHere: 'on' }, page);
    expect(all.status).to.equal(303);
    expect((await find(id)).invited.map(({ collectiveId }) => collectiveId)).to.have.members([
      collective._id,
      other._id,
    ]);
  });

  it('say at each setting what is wrong, and keep what was typed', async () => {
    const id = await draft();
    const page = `${mine}/${id}/settings`;
    const refused = async (fields: Record<string, string>) => {
      const answer = await post('/settings', id, { ...settings, 'intro.fr': 'Un long texte', ...fields }, page);
      expect(answer.status).to.equal(422);
      expect(answer.text).to.contain('Un long texte');
      return answer.text;
    };
    expect(await refused({ closesAt: '2026-02-30T10:00' })).to.contain('f-closesAt-error');
    expect(await refused({ opensAt: '2026-07-01T10:00' })).to.contain('It closes before it opens');
    expect(await refused({ 'title.fr': ' ' })).to.contain('#f-title');
    expect(await refused({ timeZone: 'Europe/Nowhere' })).to.contain('f-timeZone-error');
    expect(await refused({ others: '@person@far.example' })).to.contain('@person@far.example is not a hoster');
    expect(await refused({ others: '@down@far.example' })).to.contain('does not answer');
    // Only those offered can be ticked: an address made up is nobody.
    expect((await post('/settings', id, { ...settings, invited: 'https://evil.example/x' }, page)).status).to.equal(
      303,
    );
    expect((await find(id)).invited).to.deep.equal([]);
  });

  it('offer hosters elsewhere that we know, and no people', async () => {
    for (const [name, type] of [
      ['mill', 'Organization'],
      ['bot', 'Service'],
    ] as const) {
      const actor = elsewhere(name, type);
      await remoteActorsIn(house.store).insertOne(actor);
      await followingsIn(house.store).insertOne({
        _id: name,
        follower: actorIri(house.site, collective.handle),
        followed: actor._id,
        ownerKind: 'collective',
        ownerId: collective._id,
        followIri: `https://here.example/${name}`,
        state: 'accepted',
        lists: [],
        muted: false,
        requestedAt: house.now(),
        decidedAt: house.now(),
      });
    }
    const page = (await member.get(`${mine}/${await draft()}/settings`)).text;
    expect(page).to.contain('Far mill (@mill@far.example)').and.not.to.contain('Far bot');
  });

  it('add, change, move, duplicate and delete questions, and take the last change back', async () => {
    const id = await draft();
    const before = await questionsOf(id);
    const section = (await getVersion(house.store, id, 1)).sections[0]?.id ?? '';
    const fresh = await member.get(`${mine}/${id}/questions/new?kind=single&section=${section}`);
    expect(fresh.text).to.contain('name="choices.0.label.fr"').and.to.contain('name="choices.2.label.en"');
    const fields = {
      kind: 'single',
      section,
      'label.fr': 'Thé ou café ?',
      'choices.0.label.fr': 'Thé',
      'choices.1.label.fr': '',
      'showIf.on': 'hours|atLeast',
      'showIf.number': '3',
    };
    const wrong = await post('/questions/new', id, fields);
    expect(wrong.status).to.equal(422);
    expect(wrong.text).to.contain('Thé ou café').and.to.contain('f-choices-error');
    const more = await post('/questions/new', id, { ...fields, 'choices.7.label.fr': 'Eau', step: 'more' });
    expect(more.status).to.equal(200);
    expect(more.text).to.contain('value="Eau"').and.to.contain('name="choices.10.label.fr"');
    expect((await post('/questions/new', id, { ...fields, 'choices.1.label.fr': 'Café' })).status).to.equal(303);
    const added = (await questionsOf(id)).find(({ label }) => label.fr === 'Thé ou café ?');
    expect(added?.showIf).to.deep.equal({ question: 'hours', test: 'atLeast', values: [], number: 3 });
    const list = (await member.get(`${mine}/${id}/questions`)).text;
    expect(list).to.contain('Translation incomplete').and.to.contain('Undo the last change');

    const deed = (words: string) => post('/questions', id, { deed: words });
    expect((await deed(`up question ${added?.id}`)).location).to.match(/#question-/);
    const hanging = await deed('remove question hours');
    expect(hanging.status).to.equal(422);
    expect(hanging.text).to.contain('depending on this answer');
    await deed(`duplicate question ${added?.id}`);
    expect((await questionsOf(id)).length).to.equal(before.length + 2);
    await deed('undo');
    expect((await questionsOf(id)).length).to.equal(before.length + 1);
    await deed(`remove question ${added?.id}`);
    expect(await questionsOf(id)).to.deep.equal(before);
    await deed('undo');
    expect((await questionsOf(id)).length).to.equal(before.length + 1);
    const page = await post('/sections/new', id, { 'title.fr': 'Pour finir', 'intro.fr': '' });
    expect(page.location).to.match(/#section-s[0-9a-f]{8}$/);
    expect((await member.get(`${mine}/${id}/preview`)).text).to.contain('Thé ou café');
  });

  it('show the words of who comes second, and save them when they insist', async () => {
    const id = await draft();
    const stale = { revision: '1', 'label.fr': 'Ma version' };
    const refused = await post('/questions/stop', id, stale);
    expect(refused.status).to.equal(422);
    expect(refused.text).to.contain('Ma version').and.to.contain('Somebody else changed');
    const shown = /name="revision" value="(\d+)"/.exec(refused.text)?.[1] ?? '';
    expect((await post('/questions/stop', id, { ...stale, revision: shown })).status).to.equal(303);
    expect((await questionsOf(id)).find((one) => one.id === 'stop')?.label.fr).to.equal('Ma version');
  });

  it('say at the question that another one hangs on a choice that it loses', async () => {
    const id = await draft();
    const { sections } = await getVersion(house.store, id, 1);
    const legal = sections.flatMap(({ questions }) => questions).find((one) => one.id === 'legal');
    const choices = legal?.kind === 'single' ? legal.choices : [];
    const last = sections.at(-1)?.id ?? '';
    const condition = { 'showIf.on': 'legal|oneOf', 'showIf.values': `legal|${choices[0]?.id}` };
    const added = await post('/questions/new', id, {
      kind: 'date',
      section: last,
      'label.fr': 'Quand ?',
      ...condition,
    });
    expect(added.status).to.equal(303);
    const kept = choices.slice(1).flatMap((choice, at) => [
      [`choices.${at}.id`, choice.id],
      [`choices.${at}.label.fr`, choice.label.fr ?? ''],
    ]);
    const refused = await post('/questions/legal', id, { 'label.fr': 'Juridique ?', ...Object.fromEntries(kept) });
    expect(refused.status).to.equal(422);
    expect(refused.text).to.contain('depending on this answer');
  });

  it('open, give more time, close, open again, duplicate, put away and take back', async () => {
    const id = await draft({ invited: [] });
    const overview = `${mine}/${id}`;
    const deed = (verb: string, fields = {}) => post(`/${verb}`, id, fields, overview);
    expect((await member.get(overview)).text).to.contain('Choose at least one hoster to ask');
    const refused = await deed('open');
    expect(refused.status).to.equal(422);
    const allHere = { ...settings, allHere: 'on', opensAt: '2026-05-25T08:00' };
    await post('/settings', id, allHere, `${overview}/settings`);
    await deed('open');
    expect((await find(id)).state).to.equal('scheduled');
    await deed('unschedule');
    await post('/settings', id, { ...allHere, opensAt: '' }, `${overview}/settings`);
    expect((await deed('open')).location).to.equal(overview);
    expect((await member.get(overview)).text)
      .to.contain('of 2')
      .and.to.contain('Give more time');

    const early = await deed('extend', { closesAt: '2026-05-30T10:00' });
    expect(early.status).to.equal(422);
    expect(early.text).to.contain('f-closesAt-error').and.to.contain('value="2026-05-30T10:00"');
    expect((await deed('extend', { closesAt: '2026-06-10T19:00' })).status).to.equal(303);
    expect((await find(id)).closesAt?.toISOString()).to.equal('2026-06-10T17:00:00.000Z');
    // Promises and dates of an open one are not this form's.
    await post('/settings', id, { ...settings, names: 'named', closesAt: '2026-05-22T10:00' }, `${overview}/settings`);
    expect((await find(id)).closesAt?.toISOString()).to.equal('2026-06-10T17:00:00.000Z');
    expect((await find(id)).invited.length).to.equal(2);

    await deed('close');
    expect((await member.get(overview)).text)
      .to.contain('See the results')
      .and.to.contain('Open the survey again');
    expect((await member.get(`${overview}/settings`)).location).to.equal(overview);
    expect((await deed('reopen', { closesAt: '' })).status).to.equal(303);
    const copy = (await deed('duplicate')).location ?? '';
    expect((await member.get(copy)).text).to.contain('Edition before');

    expect((await deed('delete')).location).to.equal(mine);
    expect((await member.get(mine)).text).to.contain('Take back');
    expect((await member.get(overview)).text).to.contain('This survey is in the bin');
    expect((await deed('close')).status).to.equal(410);
    await deed('restore');
    expect((await find(id)).deletedAt).to.equal(null);
  });

  it('do not exist for others, nor for a survey of another collective under one’s own address', async () => {
    const theirs = await buildSurvey(system(), second, [collective], { isDraft: true });
    expect((await member.get(`/my/collectives/${second._id}/surveys/${theirs._id}`)).status).to.equal(200);
    const own = await draft();
    for (const page of ['', '/settings', '/questions', '/preview', '/questions/hours', '/sections/work']) {
      expect((await member.get(`${mine}/${theirs._id}${page}`)).status, page).to.equal(404);
    }
    const stranger = app.client();
    await signIn(stranger, await buildPerson(house));
    expect((await stranger.get(`${mine}/${own}`)).status).to.equal(404);
    await deleteSurvey(system(), own);
    expect((await member.get(`${mine}/${own}/questions`)).location).to.equal(`${mine}/${own}`);
  });

  it('leave a line of history for what those asked are told', async () => {
    const id = await draft();
    await post('/open', id, {}, `${mine}/${id}`);
    await post('/extend', id, { closesAt: '2036-06-10T19:00' }, `${mine}/${id}`);
    const lines = ((await find(id)).events ?? []).map(({ change }) => change);
    expect(lines.map((line) => line?.what)).to.deep.equal(['opened', 'extended']);
    expect(lines[1]).to.include({ subject: 'survey', subjectId: id, collectiveId: collective._id, by: person._id });
    expect(lines[1]?.fields.map(({ path }) => path)).to.deep.equal(['closesAt']);
    for (const event of (await find(id)).events ?? []) await recordChange(house.store, event);
    expect((await member.get(`/my/collectives/${collective._id}/history`)).text).to.contain('Extended: Review 2026');
  });

  it('show markup of a label as text', async () => {
    const id = await draft();
    const raw = '<script>alert(1)</script>';
    await post('/questions/stop', id, { 'label.fr': raw });
    for (const page of ['/questions', '/questions/stop', '/preview', '']) {
      expect((await member.get(`${mine}/${id}${page}`)).text).not.to.contain(raw);
    }
  });

  it('offer of an anonymous one that somebody answered only what may still change: the words of every kind of question', async () => {
    const id = (await buildSurvey(system(), collective, [other], { names: 'anonymous' }))._id;
    const list = `${mine}/${id}/questions`;
    const before = await member.get(list);
    expect(before.text).to.include('After the first anonymous answer only the words').and.include('value="duplicate');
    const sent = { by: '', byName: '', home: '', version: 1, raw: reviewAnswers.fournil ?? {} };
    await submitAnswer(system(), { surveyId: id, answerer: answererOf(system(), other), ...sent });
    const page = await member.get(list);
    expect(page.text).to.include('you can still correct the words, nothing else');
    expect(page.text).to.not.match(/value="(up|down|duplicate|remove) |id="kind-|sections\/new/);
    const sectionOf = (await getVersion(house.store, id, 1)).sections[0]?.id;
    expect((await member.get(`${list}/new?kind=date&section=${sectionOf}`)).location).to.equal(list);
    expect((await member.get(`${mine}/${id}/sections/new`)).location).to.equal(list);
    const stood = await questionsOf(id);
    for (const question of stood) {
      const path = `${list}/${question.id}`;
      const form = readForms((await member.get(path)).text, path).find(({ action }) => action.endsWith(path));
      expect([...(form?.values.keys() ?? [])]).to.not.include.members(['required']);
      const fields = Object.fromEntries(
        [...(form?.values ?? [])].map(([name, value]) => [name, [value].flat()[0] ?? '']),
      );
      const saved = await member.postRaw(path, { ...fields, 'label.en': `${question.label.en} now`, step: 'save' });
      expect(saved.status, `${question.kind} ${saved.text}`).to.equal(303);
    }
    const now = await questionsOf(id);
    expect(now.map(({ label }) => label.en)).to.deep.equal(stood.map(({ label }) => `${label.en} now`));
    const { version } = await find(id);
    expect(version).to.equal(1);
    const { sections } = await getVersion(house.store, id, 1);
    const section = `${mine}/${id}/sections/${sections[1]?.id}`;
    expect(
      (await post(`/sections/${sections[1]?.id}`, id, { 'title.fr': 'Autrement', step: 'save' }, section)).status,
    ).to.equal(303);
    const moved = await post('/questions', id, { deed: `remove question ${stood[0]?.id}` });
    expect(moved.status).to.equal(422);
    expect(moved.text).to.include('only the wording can still change');
  });

  it('take languages by name and the first of them, and find hosters by name without losing what was typed', async () => {
    const id = await draft();
    const page = `${mine}/${id}/settings`;
    const chosen = { ...settings, languages: 'en, fr', firstLanguage: 'fr', otherLanguages: 'br' };
    expect((await post('/settings', id, chosen, page)).status).to.equal(303);
    expect((await find(id)).languages).to.deep.equal(['fr', 'en', 'br']);
    expect((await member.get(page)).text).to.include('Breton');
    for (let at = 0; at < 42; at += 1) {
      await buildCollective(house, { name: { fr: `Foule ${at}`, en: `Crowd ${at}` }, published: true });
    }
    expect((await member.get(page)).text).to.include('more hosters are not shown');
    const revision = String((await find(id)).revision);
    const typed = { ...chosen, revision, step: 'filter', filter: 'foule 41', 'intro.en': 'Typed at length' };
    const found = await member.post(page, typed, page);
    expect(found.status).to.equal(200);
    expect(found.text).to.include('Foule 41').and.include('Typed at length').and.not.include('Foule 40');
    expect((await find(id)).intro).to.not.have.property('en');
  });

  it('say who elsewhere was told, and why a survey did not open', async () => {
    const far = { iri: 'https://far.example/h', collectiveId: null, name: 'Lointain', handle: 'h@far.example' };
    const { _id } = await buildSurvey(system(), collective, [], { invited: [far] });
    const overview = (await member.get(`${mine}/${_id}`)).text;
    expect(overview).to.include('One hoster on other servers: 0 told, 1 waiting, 0 not told.');
    expect(overview).to.include('Lointain').and.include('Waiting');
    const held = await draft();
    await surveysIn(house.store).updateOne({ _id: held }, { $set: { notOpened: 'surveys.error.nobodyAsked' } });
    const page = (await member.get(`${mine}/${held}`)).text;
    expect(page).to.include('The survey could not open at the planned moment');
    expect(page).to.include('Choose at least one hoster to ask.');
  });
});
