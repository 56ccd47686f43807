// TABLE: what somebody may try with an answer -> what becomes of it at the form and in a signed delivery. The doors differ on
// purpose in one thing: what a form may send by itself (fields that a condition has hidden) is left out, what another instance
// sends is what it means, and is refused. Votes in polls have one door; both of their ends are at the foot.
import { expect } from 'chai';
import { surveyIriFor } from '../../../federation/announce/surveys.js';
import { fetchActor } from '../../../federation/remoteActors.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { readCsv } from '../../../server/formats/csv.js';
import { setRule } from '../../../server/instances/actions/domainRules.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import { saveSections } from '../../../server/surveys/actions/drafting.js';
import { offerPolls } from '../../../server/surveys/actions/polls.js';
import { closeSurvey } from '../../../server/surveys/actions/running.js';
import { listPollResults } from '../../../server/surveys/pollQueries.js';
import { answersIn, countAnswers, findAnswer, getSurvey, getVersion } from '../../../server/surveys/queries.js';
import { remoteSurveyKey, remoteSurveysIn } from '../../../server/surveys/remoteSurveys.js';
import { findResults } from '../../../server/surveys/results.js';
import { surveyRoutes } from '../../../server/surveys/routes.js';
import type { Invited, Section, Survey, Values } from '../../../server/surveys/schema.js';
import {
  addCollective,
  type FederatedApp,
  nothingStored,
  startFederatedApp,
  startPeer,
} from '../../federation/federatedApp.js';
import { buildPerson, type Client, signIn, startTestApp, type TestApp } from '../../support/appSupport.js';
import type { Peer, PeerActor } from '../../support/peer/peer.js';
import { refusalOf } from '../collectives/collectiveSupport.js';
import { buildSurvey, invitedOf } from './surveySupport.js';

type Json = Record<string, unknown>;
type Fields = [name: string, value: string][];
const hour = 3_600_000;

const asked = { help: {}, required: false, criterion: '' };
const choices = ['a', 'b', 'c'].map((id) => ({ id, label: { fr: `Choix ${id}`, en: `Choice ${id}` } }));
const several = { other: false, min: null, max: null };
const ifB = { question: 'pick', test: 'oneOf' as const, values: ['b'], number: null };
const sections: Section[] = [
  {
    ...{ id: 's', title: {}, intro: {}, showIf: null },
    questions: [
      { ...asked, ...several, id: 'pick', kind: 'single', label: { fr: 'Lequel', en: 'Which' }, choices, showIf: null },
      { ...asked, id: 'why', kind: 'shortText', label: { fr: 'Pourquoi', en: 'Why' }, showIf: ifB },
      {
        ...asked,
        ...several,
        id: 'many',
        kind: 'multiple',
        label: { fr: 'Lesquels', en: 'Which ones' },
        choices,
        showIf: null,
      },
      { ...asked, id: 'free', kind: 'longText', label: { fr: 'Le reste', en: 'The rest' }, showIf: null },
    ],
  },
];

/** left out: the rest is taken. too much: not read at all, nothing is stored, no receipt. */
type Outcome = 'taken' | 'left out' | 'refused' | 'too much';

interface Row {
  what: string;
  form: Fields;
  wire: Json;
  version?: number;
  at: { form: Outcome; inbox: Outcome };
  /** Why it is refused, wherever it is. */
  says?: string;
  /** What stands where it is taken. */
  stands?: Values;
}

const pickedA: Values = { pick: { chosen: ['a'], other: '' } };
const tenThousand = Array.from({ length: 10_000 }, (_, n) => `o${n}`);
const refused = { form: 'refused', inbox: 'refused' } as const;
const rows: Row[] = [
  {
    what: 'an honest answer',
    form: [['a.pick', 'a']],
    wire: { pick: { chosen: ['a'] } },
    at: { form: 'taken', inbox: 'taken' },
    stands: pickedA,
  },
  {
    what: 'an answer to a hidden question',
    ...{
      form: [
        ['a.pick', 'a'],
        ['a.why', 'hidden'],
      ],
      wire: { pick: { chosen: ['a'] }, why: { text: 'hidden' } },
    },
    ...{ at: { form: 'left out', inbox: 'refused' }, says: 'surveys.answer.notAsked', stands: pickedA },
  },
  {
    what: 'an answer to a question that is not there',
    ...{
      form: [
        ['a.pick', 'a'],
        ['a.nonsense', 'x'],
      ],
      wire: { pick: { chosen: ['a'] }, nonsense: { text: 'x' } },
    },
    ...{ at: { form: 'left out', inbox: 'refused' }, says: 'surveys.answer.unknown', stands: pickedA },
  },
  {
    what: 'an option that is not there',
    form: [['a.pick', 'z']],
    wire: { pick: { chosen: ['z'] } },
    at: refused,
    says: 'surveys.answer.option',
  },
  {
    what: 'two options where one may be chosen',
    ...{
      form: [
        ['a.pick', 'a'],
        ['a.pick', 'b'],
      ],
      wire: { pick: { chosen: ['a', 'b'] } },
    },
    ...{ at: refused, says: 'surveys.answer.onlyOne' },
  },
  {
    what: 'one option twice',
    ...{
      form: [
        ['a.pick', 'a'],
        ['a.pick', 'a'],
      ],
      wire: { pick: { chosen: ['a', 'a'] } },
    },
    ...{ at: { form: 'taken', inbox: 'taken' }, stands: pickedA },
  },
  {
    what: 'a thousand options that are not there',
    form: tenThousand.slice(0, 1000).map((id) => ['a.many', id]),
    ...{ wire: { many: { chosen: tenThousand.slice(0, 1000) } }, at: refused, says: 'shape.invalid' },
  },
  {
    what: 'ten thousand options',
    ...{ form: tenThousand.map((id) => ['a.many', id]), wire: { many: { chosen: tenThousand } } },
    at: { form: 'too much', inbox: 'too much' },
    says: 'error.tooLarge',
  },
  { what: 'nothing at all', form: [], wire: {}, at: refused, says: 'surveys.answer.nothing' },
  {
    what: 'a version that is not there',
    form: [['a.pick', 'a']],
    wire: { pick: { chosen: ['a'] } },
    version: 9,
    at: refused,
    says: 'surveys.error.version',
  },
];

describe('an answer, through both doors,', function () {
  this.timeout(30_000);
  let app: FederatedApp;
  let web: TestApp;
  let peer: Peer;
  let hoster: PeerActor;
  let stranger: PeerActor;
  let asking: Collective;
  let local: Collective;
  let delegates: Client[];
  let organiser: Client;
  let outsider: Client;

  before(async () => {
    peer = await startPeer(0, '127.0.0.2');
    app = await startFederatedApp({ privateHosts: [peer.host] });
    web = await startTestApp(app.house, [peopleRoutes, surveyRoutes]);
    peer.now = app.house.now;
    hoster = peer.addActor('hoster', { type: 'Organization' });
    stranger = peer.addActor('stranger', { type: 'Organization' });
    for (const { iri } of [hoster, stranger]) await fetchActor(app.federation, iri);
    const people = await Promise.all([1, 2, 3, 4].map(() => buildPerson(app.house)));
    const [first = '', second = '', third = '', fourth = ''] = people.map(({ _id }) => _id);
    const members = (...ids: string[]) => ({
      members: ids.map((personId) => ({ personId, role: 'representative' as const })),
    });
    local = await addCollective(app, { handle: 'local', ...members(first, second) });
    asking = await addCollective(app, { handle: 'asking', ...members(third) });
    await addCollective(app, { handle: 'outside', ...members(fourth) });
    const clients = people.map(() => web.client({ language: 'en' }));
    for (const [index, client] of clients.entries()) {
      const person = people[index];
      if (person) await signIn(client, person);
    }
    delegates = clients.slice(0, 2);
    [organiser, outsider] = clients.slice(2) as [Client, Client];
  });

  const invited = (): Invited[] => [
    { iri: hoster.iri, collectiveId: null, name: 'Hoster', handle: `hoster@${peer.host}` },
    invitedOf(app.ctx(), local),
  ];
  const open = async (): Promise<Survey> => {
    const closesAt = new Date(app.house.now().getTime() + 48 * hour);
    const survey = await buildSurvey(app.ctx(), asking, [], { sections, invited: invited(), closesAt });
    await app.run();
    peer.received.length = 0;
    return survey;
  };

  // The door of the form.
  const formOf = (survey: Survey) => `/my/collectives/${local._id}/asked/${survey._id}`;
  async function send(survey: Survey, fields: Fields, { by = 0, version = 1 } = {}) {
    const client = delegates[by] as Client;
    const csrf = (await client.csrf(formOf(survey))) ?? '';
    const body = new URLSearchParams([['_csrf', csrf], ['version', String(version)], ['page', 'all'], ...fields]);
    return client.postRaw(formOf(survey), body.toString());
  }
  const byForm = async (survey: Survey) =>
    findAnswer(app.house.store, survey._id, `${app.baseUrl}/actors/${local.handle}`);

  // The door of the inbox.
  let serial = 0;
  interface Wire {
    as?: PeerActor;
    version?: number;
    sentAt?: Date;
    attributedTo?: string;
  }
  function activity(survey: Survey, values: Json, { as = hoster, version = 1, ...more }: Wire = {}): Json {
    serial += 1;
    const sentAt = (more.sentAt ?? app.house.now()).toISOString();
    const object = {
      ...{ id: `${peer.origin}/answers/${serial}`, type: 'SurveyAnswer', attributedTo: more.attributedTo ?? as.iri },
      inReplyTo: surveyIriFor(app.federation, survey._id, more.attributedTo ?? as.iri),
      answer: { version, sentAt, values: JSON.stringify(values) },
    };
    const actor = more.attributedTo ?? as.iri;
    const context = 'https://www.w3.org/ns/activitystreams';
    return {
      '@context': context,
      id: peer.nextId(),
      type: 'Create',
      actor,
      to: [`${app.baseUrl}/actors/asking`],
      object,
    };
  }
  const deliver = async (json: Json, as = hoster) => (await peer.post(as, `${app.baseUrl}/inbox`, json)).status;
  async function receipts(): Promise<{ accepts: number; rejects: string[] }> {
    await app.run();
    const reasons = peer.ofType('Reject').flatMap(({ json }) => {
      const { errors } = json.refusal as { errors: { message: { key: string } }[] };
      return errors[0]?.message.key ?? '';
    });
    return { accepts: peer.ofType('Accept').length, rejects: reasons };
  }
  const byInbox = (survey: Survey) => findAnswer(app.house.store, survey._id, hoster.iri);

  for (const { what, form, wire, version = 1, at, says = '', stands = {} } of rows) {
    it(`${what}: ${at.form} at the form, ${at.inbox} in the inbox`, async () => {
      const survey = await open();
      const page = await send(survey, form, { version });
      const status = { taken: 303, 'left out': 303, refused: 422, 'too much': 422 }[at.form];
      expect(page.status, page.text.slice(0, 2000)).to.equal(status);
      if (status === 422) expect(page.text).to.contain(app.house.i18n.translator('en')(says));
      const isIn = at.form === 'taken' || at.form === 'left out';
      expect((await byForm(survey))?.values ?? null).to.deep.equal(isIn ? stands : null);

      expect(await deliver(activity(survey, wire, { version }))).to.equal(at.inbox === 'too much' ? 413 : 202);
      const told = { accepts: at.inbox === 'taken' ? 1 : 0, rejects: at.inbox === 'refused' ? [says] : [] };
      expect(await receipts()).to.deep.equal(told);
      expect((await byInbox(survey))?.values ?? null).to.deep.equal(at.inbox === 'taken' ? stands : null);
    });
  }

  it('a second one takes the place of the first', async () => {
    const survey = await open();
    for (const choice of ['a', 'b']) {
      await send(survey, [['a.pick', choice]]);
      await deliver(activity(survey, { pick: { chosen: [choice] } }));
    }
    for (const kept of [await byForm(survey), await byInbox(survey)]) {
      expect(kept?.values).to.deep.equal({ pick: { chosen: ['b'], other: '' } });
      expect(kept?.edits).to.have.length(1);
    }
    expect(await countAnswers(app.house.store, survey)).to.equal(2);
  });

  it('of two delegates in a race counts once: at the form the second is asked, in the inbox the last stands', async () => {
    const survey = await open();
    const picks = ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b'];
    const pages = await Promise.all(picks.map((pick, index) => send(survey, [['a.pick', pick]], { by: index % 2 })));
    // Whoever has not seen what the other sent does not replace it unasked; the other goes on.
    const taken = pages.filter(({ status }) => status === 303);
    expect(taken.length).to.be.above(0);
    for (const { status, text } of pages) {
      if (status !== 303)
        expect(text, String(status)).to.match(/Yours is not sent yet|was changed meanwhile|was sent later/);
    }
    expect((await byForm(survey))?.edits).to.have.length(taken.length - 1);
    const now = app.house.now().getTime();
    const told = picks.map((pick, index) =>
      activity(survey, { pick: { chosen: [pick] } }, { sentAt: new Date(now + index) }),
    );
    const statuses = await Promise.all(told.toReversed().map((json) => deliver(json)));
    expect(statuses).to.deep.equal(picks.map(() => 202));
    const { accepts, rejects } = await receipts();
    expect(accepts + rejects.length).to.equal(picks.length);
    for (const reason of rejects) expect(reason).to.equal('surveys.error.laterOne');
    expect((await byInbox(survey))?.values, 'the one sent last').to.deep.equal({ pick: { chosen: ['b'], other: '' } });
    expect(await answersIn(app.house.store).countDocuments({ surveyId: survey._id })).to.equal(2);
    const results = await findResults(app.ctx(), await getSurvey(app.house.store, survey._id), {
      organises: true,
      isMember: true,
    });
    expect(results?.answers).to.equal(2);
  });

  it('after the end is refused, and what was typed comes back', async () => {
    const survey = await open();
    const csrf = (await (delegates[0] as Client).csrf(formOf(survey))) ?? '';
    await closeSurvey(app.ctx(), survey._id);
    await app.run();
    peer.received.length = 0;
    const late = { _csrf: csrf, version: '1', page: 'all', 'a.free': 'zqxlate' };
    const page = await (delegates[0] as Client).postRaw(formOf(survey), late);
    expect(page.status).to.equal(422);
    expect(page.text).to.contain('What you had written').and.contain('zqxlate');
    expect(await deliver(activity(survey, { free: { text: 'zqxlate' } }))).to.equal(202);
    expect(await receipts()).to.deep.equal({ accepts: 0, rejects: ['surveys.error.closed'] });
    expect(await countAnswers(app.house.store, survey)).to.equal(0);
  });

  it('in the name of another collective is refused, and nothing of it is kept', async () => {
    const survey = await open();
    const csrf = (await outsider.csrf('/me/preferences')) ?? '';
    const forged = { _csrf: csrf, version: '1', page: 'all', 'a.pick': 'a' };
    expect((await outsider.postRaw(formOf(survey), forged)).status).to.equal(404);
    expect((await web.client().postRaw(formOf(survey), forged)).status).to.be.oneOf([303, 403]);
    const theirs = activity(survey, { pick: { chosen: ['a'] } }, { attributedTo: hoster.iri });
    expect(await nothingStored(app, () => deliver(theirs, stranger))).to.equal(403);
    const unasked = activity(survey, { pick: { chosen: ['a'] } }, { as: stranger });
    expect(await nothingStored(app, () => deliver(unasked, stranger))).to.equal(403);
    expect(await countAnswers(app.house.store, survey)).to.equal(0);
  });

  it('to questions that were changed meanwhile is taken as it was asked, and says so', async () => {
    const survey = await open();
    await send(survey, [['a.free', 'before']]);
    const [section] = sections;
    const added = { ...asked, id: 'new', kind: 'shortText' as const, label: { fr: 'Neuf' }, showIf: null };
    const questions = [...(section?.questions.filter(({ id }) => id !== 'many') ?? []), added];
    const { revision } = await getSurvey(app.house.store, survey._id);
    const changed = [{ ...(section as Section), questions }];
    const saved = await saveSections(app.ctx(), survey._id, { revision, sections: changed });
    expect(saved.version).to.equal(2);
    await app.run();
    peer.received.length = 0;
    expect(
      (
        await send(survey, [
          ['a.many', 'a'],
          ['a.new', 'x'],
        ])
      ).status,
    ).to.equal(303);
    await deliver(activity(survey, { many: { chosen: ['a'] } }));
    expect(await receipts()).to.deep.equal({ accepts: 1, rejects: [] });
    for (const kept of [await byForm(survey), await byInbox(survey)]) {
      expect(kept).to.deep.include({ version: 1, values: { many: { chosen: ['a'], other: '' } } });
    }
    await deliver(activity(survey, { new: { text: 'x' } }));
    expect((await receipts()).rejects).to.deep.equal(['surveys.answer.unknown']);
    await deliver(activity(survey, { new: { text: 'x' } }, { version: 2 }));
    expect(await byInbox(survey)).to.deep.include({ version: 2, values: { new: { text: 'x' } } });
  });

  it('with a formula is text in every export, whichever way it came', async () => {
    const survey = await open();
    const formulas = ['=HYPERLINK("https://evil.example";"x")', '＝1+1'];
    await send(survey, [['a.free', formulas[0] ?? '']]);
    await deliver(activity(survey, { free: { text: formulas[1] } }));
    const csv = await organiser.get(`/my/collectives/${asking._id}/surveys/${survey._id}/results.csv`);
    const [head = [], ...lines] = readCsv(csv.text, 10);
    const column = head.indexOf('The rest');
    expect(lines.map((line) => line[column]).sort()).to.deep.equal(formulas.map((one) => `'${one}`).sort());
  });

  it('to a survey from elsewhere shows no label of it as markup', async () => {
    const raw = ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '"><svg onload=alert(1)>'] as const;
    const [script, image, vector] = raw;
    const hostile = [
      {
        ...{ id: 's', title: { en: script }, intro: { en: image }, showIf: null },
        questions: [
          {
            ...asked,
            ...several,
            id: 'q',
            kind: 'single',
            label: { en: image },
            help: { en: vector },
            showIf: null,
            choices: [
              { id: 'a', label: { en: script } },
              { id: 'b', label: { en: vector } },
            ],
          },
        ],
      },
    ];
    const head = { revision: 1, version: 1, title: { en: vector }, intro: { en: script }, languages: ['en'] };
    const rest = {
      timeZone: 'UTC',
      names: 'named',
      late: 'refuse',
      answerBy: 'collective',
      state: 'open',
      closesAt: null,
      closedAt: null,
    };
    const survey = { ...head, ...rest, questions: JSON.stringify(hostile) };
    const iri = `${peer.origin}/surveys/hostile`;
    const to = [`${app.baseUrl}/actors/${local.handle}`];
    const object = { id: iri, type: 'Note', attributedTo: hoster.iri, to, content: '<p>Please</p>', survey };
    const frame = { '@context': 'https://www.w3.org/ns/activitystreams', id: peer.nextId(), type: 'Create' };
    expect(await deliver({ ...frame, actor: hoster.iri, to, object })).to.equal(202);
    const list = `/my/collectives/${local._id}/asked`;
    for (const path of [list, `${list}/${remoteSurveyKey(iri)}`]) {
      const page = await (delegates[0] as Client).get(path);
      expect(page.status).to.equal(200);
      for (const one of raw) expect(page.text, path).not.to.contain(one);
    }
    const form = await (delegates[0] as Client).get(`${list}/${remoteSurveyKey(iri)}`);
    expect(form.text).to.contain('&lt;script&gt;').and.contain('&lt;img').and.contain('&lt;svg');
  });

  it('to a survey with ten thousand choices cannot be given: no editor makes one, none is taken from elsewhere', async () => {
    const draft = await buildSurvey(app.ctx(), asking, [], { sections, invited: invited(), isDraft: true });
    const base = `/my/collectives/${asking._id}/surveys/${draft._id}`;
    const path = `${base}/questions/new`;
    const csrf = (await organiser.csrf(path)) ?? '';
    const fields = (count: number): string => {
      const labels = tenThousand.slice(0, count).map((id, n): [string, string] => [`choices.${n}.label.fr`, id]);
      const frame = { _csrf: csrf, kind: 'single', revision: String(draft.revision), 'label.fr': 'Lequel' };
      return new URLSearchParams([...Object.entries(frame), ...labels]).toString();
    };
    expect((await organiser.postRaw(path, fields(10_000))).text).to.contain(
      app.house.i18n.translator('en')('error.tooLarge'),
    );
    expect((await organiser.postRaw(path, fields(150))).status).to.equal(422);
    const many = tenThousand.map((id) => ({ id, label: { en: id } }));
    const question = {
      ...asked,
      ...several,
      id: 'q',
      kind: 'single' as const,
      label: { en: 'Q' },
      choices: many,
      showIf: null,
    };
    const huge: Section[] = [{ id: 's', title: {}, intro: {}, showIf: null, questions: [question] }];
    const saving = saveSections(app.ctx(), draft._id, { revision: draft.revision, sections: huge });
    expect(await refusalOf(saving)).to.match(/^invalid /);
    expect((await getVersion(app.house.store, draft._id, 1)).sections).to.deep.equal(sections);
    const survey = { questions: JSON.stringify(huge) };
    const to = [`${app.baseUrl}/actors/${local.handle}`];
    const object = {
      id: `${peer.origin}/surveys/huge`,
      type: 'Note',
      attributedTo: hoster.iri,
      to,
      content: 'x',
      survey,
    };
    const frame = { '@context': 'https://www.w3.org/ns/activitystreams', id: peer.nextId(), type: 'Create' };
    expect(await nothingStored(app, () => deliver({ ...frame, actor: hoster.iri, to, object }))).to.equal(413);
    expect(await remoteSurveysIn(app.house.store).countDocuments({ iri: object.id })).to.equal(0);
  });

  it('as a vote from the Fediverse counts once, for one option, from nobody who is blocked', async () => {
    const survey = await open();
    const [poll] = await offerPolls(app.ctx(), survey._id, { questions: ['pick'], endsAt: null });
    await app.run();
    const to = `${app.baseUrl}/actors/asking`;
    const vote = (as: PeerActor, name: string): Json => {
      serial += 1;
      const id = `${as.iri}#votes/${serial}`;
      const inReplyTo = `${app.baseUrl}/objects/${poll?._id}`;
      const object = { id, type: 'Note', name, attributedTo: as.iri, inReplyTo, to };
      return {
        '@context': 'https://www.w3.org/ns/activitystreams',
        id: `${id}/x`,
        type: 'Create',
        actor: as.iri,
        to,
        object,
      };
    };
    const counts = async () => {
      const [result] = await listPollResults(app.house.store, survey._id);
      return { counts: result?.options.map(({ count }) => count), voters: result?.voters };
    };
    const names = ['a', 'b', 'c'].map((id) => `Choix ${id} / Choice ${id}`);
    const [a = '', b = ''] = names;
    const voter = peer.addActor('voter');
    const first = vote(voter, a);
    for (const json of [first, first, vote(voter, a), vote(voter, b)]) expect(await deliver(json, voter)).to.equal(202);
    const racer = peer.addActor('racer');
    const raced = await Promise.all([b, b, b, b].map((name) => deliver(vote(racer, name), racer)));
    expect(raced).to.deep.equal([202, 202, 202, 202]);
    expect(await counts()).to.deep.equal({ counts: [1, 1, 0], voters: 2 });
    expect(await countAnswers(app.house.store, survey), 'no answer').to.equal(0);
    await setRule(app.ctx(), '127.0.0.2', { kind: 'block', publicReason: 'Spam', privateReason: '' });
    const late = peer.addActor('late');
    expect(await deliver(vote(late, a), late)).to.equal(403);
    expect((await counts()).voters).to.be.at.most(2);
  });
});
