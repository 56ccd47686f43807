import { expect } from 'chai';
import { fromPost } from '../../../federation/wire/remotePost.js';
import { reviewAnswers, reviewSections, reviewTitle } from '../../../jobs/roseauReview.js';
import { createCollective } from '../../../server/collectives/actions.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { stopMails } from '../../../server/notices/actions/choosing.js';
import { writeDigests } from '../../../server/notices/actions/digests.js';
import { sendDueMails } from '../../../server/notices/actions/sendDueMails.js';
import type { OutgoingMail } from '../../../server/notices/actions/transport.js';
import { stopAddress } from '../../../server/notices/links.js';
import { listNeeds } from '../../../server/notices/needs.js';
import { feedsIn, mailsIn } from '../../../server/notices/queries.js';
import { noticeRoutes } from '../../../server/notices/routes.js';
import { letterKinds } from '../../../server/notices/schema.js';
import { castVote, replyToPost } from '../../../server/partners/actions/interact.js';
import { receiveMentions, seeMentions } from '../../../server/partners/actions/mentions.js';
import { feedEntriesIn, remotePostsIn, votesIn } from '../../../server/partners/queries.js';
import { actorIri, postKey } from '../../../server/partners/rules.js';
import type { RemotePost } from '../../../server/partners/schema.js';
import { getPerson, peopleIn } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { receiveSurvey } from '../../../server/surveys/actions/receiving.js';
import { closeSurvey, extendSurvey } from '../../../server/surveys/actions/running.js';
import { receiveReceipt, sendAnswer } from '../../../server/surveys/actions/sending.js';
import { findSentAnswer, remoteSurveyKey } from '../../../server/surveys/remoteSurveys.js';
import type { Survey } from '../../../server/surveys/schema.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  contextFor,
  signIn,
  startTestApp,
  systemActor,
  type TestApp,
  type TestHouse,
} from '../../support/appSupport.js';
import { breachesOf } from '../formats/icalRules.js';
import { expectRefusal } from '../people/peopleSupport.js';
import { answererOf, buildSurvey } from '../surveys/surveySupport.js';

const hour = 3_600_000;
const day = 24 * hour;

describe('what needs a person', () => {
  let house: TestHouse;
  let pads: Collective;
  let camille: Person;

  beforeEach(async () => {
    house = await buildTestHouse();
    camille = await buildPerson(house, { username: 'camille', displayName: 'Camille', language: 'en' });
    pads = await createCollective(ctx(), {
      handle: 'pads',
      name: { fr: 'Les Pads', en: 'The Pads' },
      legalForm: 'ASSOCIATION',
      members: [{ personId: camille._id, role: 'representative' }],
    });
  });

  const ctx = () => contextFor(house, systemActor);
  const asCamille = async () => contextFor(house, await actorFor(house, camille));
  const ask = async (days: number): Promise<Survey> =>
    buildSurvey(await asCamille(), pads, [pads], { closesAt: new Date(house.now().getTime() + days * day) });
  const needs = async () => listNeeds(ctx(), await getPerson(house.store, camille._id), 'en');
  const answer = async (one: Survey) =>
    submitAnswer(ctx(), {
      surveyId: one._id,
      answerer: answererOf(ctx(), pads),
      ...{ by: 'p', byName: 'P', home: '', version: 1 },
      raw: { ...Object.values(reviewAnswers)[0] },
    });
  const choose = (set: Partial<Person>) => peopleIn(house.store).updateOne({ _id: camille._id }, { $set: set });

  it('is found without a look into what is over: every page says how many there are', async () => {
    for (let year = 0; year < 3; year += 1) await closeSurvey(await asCamille(), (await ask(9))._id);
    await ask(9);
    const asked: string[] = [];
    const store = new Proxy(house.store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (key === 'collection') asked.push(String(given[0]));
          return value.apply(target, given);
        };
      },
    });
    const found = await listNeeds({ ...ctx(), store }, await getPerson(house.store, camille._id), 'en');
    expect(found).to.have.length(1);
    expect(asked.filter((name) => name === 'surveyVersions')).to.have.length(1);
    expect(asked.filter((name) => name === 'surveyDrafts')).to.have.length(1);
  });

  it('is what is due first at the top, and goes away when it is done', async () => {
    const late = await ask(9);
    const soon = await ask(1);
    expect((await needs()).map(({ id, urgency }) => [id, urgency])).to.deep.equal([
      [`survey:${soon._id}:${pads._id}`, 'now'],
      [`survey:${late._id}:${pads._id}`, 'soon'],
    ]);
    await answer(soon);
    expect((await needs()).map(({ id }) => id)).to.deep.equal([`survey:${late._id}:${pads._id}`]);
    await answer(late);
    expect(await needs()).to.deep.equal([]);
    await closeSurvey(await asCamille(), late._id);
    expect((await needs()).map(({ what, href }) => [what.key, href])).to.deep.equal([
      ['notices.need.results', `/my/collectives/${pads._id}/surveys/${late._id}/results`],
    ]);
    house.pass(15 * day);
    expect(await needs()).to.deep.equal([]);
  });

  it('is nobody else’s', async () => {
    await ask(9);
    const stranger = await buildPerson(house, { password: null });
    expect(await listNeeds(ctx(), stranger, 'en')).to.deep.equal([]);
    const moderator = await buildPerson(house, { password: null, instanceRole: 'moderator' });
    expect(await listNeeds(ctx(), moderator, 'en')).to.deep.equal([]);
  });

  describe('from elsewhere', () => {
    const author = 'https://there.example/users/noor';
    const ours = () => actorIri(house.site, pads.handle);
    const write = (name: string, more: object = {}): RemotePost => {
      const to = ['https://www.w3.org/ns/activitystreams#Public'];
      const said = { id: `${author}/${name}`, type: 'Note', attributedTo: author, to, content: '<p>?</p>', ...more };
      const post = fromPost({ published: house.now().toISOString(), ...said }, [], house.now());
      if (!post) throw new Error('no post');
      return post;
    };
    beforeEach(async () => {
      const hosters = house.store.collection<Collective>('collectives');
      await hosters.updateOne({ _id: pads._id }, { $set: { published: true } });
    });
    const keys = async () => (await needs()).map(({ what, collective }) => [what.key, what.params, collective]);

    it('is to read what answers or names, until it is seen or answered', async () => {
      const before = house.now();
      const first = write('1');
      await receiveMentions(contextFor(house, systemActor), first, [{ reader: ours(), answered: null }]);
      house.pass(hour);
      await receiveMentions(contextFor(house, systemActor), write('2'), [{ reader: ours(), answered: null }]);
      expect(await keys()).to.deep.equal([['notices.need.mentions', { count: 2 }, 'The Pads']]);
      const [need] = await needs();
      expect(need?.since.getTime()).to.equal(before.getTime() + hour);
      expect(need?.href).to.equal(`/my/collectives/${pads._id}/partners/mentions`);
      const as = await asCamille();
      await replyToPost(as, { kind: 'collective', id: pads._id }, first._id, { fr: 'Oui', en: '' });
      expect(await keys()).to.deep.equal([['notices.need.mentions', { count: 1 }, 'The Pads']]);
      await seeMentions(as, { kind: 'collective', id: pads._id });
      expect(await keys()).to.deep.equal([]);
    });

    it('is to vote where one whom the hoster follows asks, while it runs; not what they pass on, nor what others ask', async () => {
      const endTime = new Date(house.now().getTime() + day).toISOString();
      const oneOf = [
        { type: 'Note', name: 'Ja', replies: { totalItems: 0 } },
        { type: 'Note', name: 'Nee', replies: { totalItems: 0 } },
      ];
      const polls = ['asked', 'boosted', 'unread'].map((name) => write(name, { type: 'Question', oneOf, endTime }));
      await remotePostsIn(house.store).insertMany([...polls, write('endless', { type: 'Question', oneOf })]);
      // However many strangers ask, and however soon theirs end.
      const soon = { type: 'Question', oneOf, endTime: new Date(house.now().getTime() + hour).toISOString() };
      await remotePostsIn(house.store).insertMany(Array.from({ length: 60 }, (_, index) => write(`s${index}`, soon)));
      for (const [index, from] of [author, 'https://there.example/users/booster'].entries()) {
        const post = polls[index]?._id ?? '';
        await feedEntriesIn(house.store).insertOne({
          ...{ _id: postKey(`${ours()} ${post}`), reader: ours(), position: `${index}`, post, from },
          ...{ lists: [], muted: false, at: house.now() },
        });
      }
      expect(await keys()).to.deep.equal([['notices.need.poll', { name: author }, 'The Pads']]);
      const as = await asCamille();
      await castVote(as, { kind: 'collective', id: pads._id }, polls[0]?._id ?? '', [0]);
      expect(await keys()).to.deep.equal([]);
      await votesIn(house.store).deleteMany({});
      house.pass(day);
      expect(await keys()).to.deep.equal([]);
    });

    it('is to send again what did not arrive, or was refused', async () => {
      const iri = 'https://there.example/objects/one';
      const [key, owner] = [remoteSurveyKey(iri), 'https://there.example/actors/there'];
      await receiveSurvey(ctx(), {
        ...{ _id: key, iri, owner, host: 'there.example', url: null, link: null, asked: [ours()], revision: 1 },
        ...{ version: 1, organiser: { name: 'There', handle: 'there@there.example' }, title: reviewTitle, intro: {} },
        ...{ languages: ['fr', 'en'], timeZone: 'UTC', names: 'named', late: 'refuse', state: 'open' },
        ...{ closesAt: new Date(house.now().getTime() + 20 * day), closedAt: null, sections: reviewSections },
        ...{ chosenSlot: null, results: null, receivedAt: house.now(), deletedAt: null },
      });
      const raw = { ...Object.values(reviewAnswers)[0] };
      const answerer = answererOf(ctx(), pads);
      const title = reviewTitle.en;
      const send = () => sendAnswer(ctx(), { surveyId: key, answerer, by: 'p', byName: 'P', version: 1, raw });
      expect(await keys()).to.deep.equal([['notices.need.survey', { title }, 'The Pads']]);
      await send();
      expect(await keys()).to.deep.equal([]);
      house.pass(8 * day);
      expect(await keys()).to.deep.equal([['notices.need.lost', { title }, 'The Pads']]);
      await send();
      expect(await keys()).to.deep.equal([]);
      const sent = await findSentAnswer(house.store, iri, answerer.key);
      const refusal = { errors: [], text: 'No' };
      const about = { owner, survey: iri, answerer: answerer.key, sentAt: sent?.sentAt ?? new Date(0), refusal };
      await receiveReceipt(ctx(), about);
      expect(await keys()).to.deep.equal([['notices.need.refused', { title }, 'The Pads']]);
    });
  });

  describe('as a summary by mail', () => {
    const digests = async () => mailsIn(house.store).find({ kind: 'digest' }).toArray();

    it('leaves each morning, once, in the reader’s time zone; about nothing, nothing leaves', async () => {
      await choose({ digest: 'daily', timeZone: 'Pacific/Auckland' });
      for (let n = 0; n < 48; n += 1) {
        await Promise.all([writeDigests(house, ctx()), writeDigests(house, ctx())]);
        house.pass(hour);
      }
      expect(await digests()).to.deep.equal([]);
      await ask(9);
      for (let n = 0; n < 72; n += 1) {
        await Promise.all([writeDigests(house, ctx()), writeDigests(house, ctx())]);
        house.pass(hour);
      }
      const found = await digests();
      expect(found).to.have.length(3);
      // 8 o'clock there is 20:00 UTC in May.
      for (const { createdAt } of found) expect(createdAt.getUTCHours()).to.equal(20);
      expect(found[0]?.text)
        .to.match(/\* The Pads: Answer “Review 2026” \(until .* 2026 at \d\d:00\)/)
        .and.to.contain('http://localhost:3000/my/collectives/');
    });

    it('leaves on Mondays, or only about what presses and then once, as chosen', async () => {
      await ask(29);
      await choose({ digest: 'weekly', timeZone: 'UTC' });
      for (let n = 0; n < 14 * 24; n += 1) {
        await writeDigests(house, ctx());
        house.pass(hour);
      }
      const weekly = await digests();
      expect(weekly.map(({ createdAt }) => createdAt.getUTCDay())).to.deep.equal([1, 1]);
      await choose({ digest: 'important' });
      for (let n = 0; n < 14 * 24; n += 1) {
        await writeDigests(house, ctx());
        house.pass(hour);
      }
      expect(await digests()).to.have.length(3);
    });
  });

  it('presses once: that one thing is done is no reason to tell of the others again', async () => {
    await choose({ digest: 'important', timeZone: 'UTC' });
    const one = await ask(1.5);
    await ask(1.6);
    for (let n = 0; n < 24; n += 1) {
      await writeDigests(house, ctx());
      if ((await mailsIn(house.store).findOne({ kind: 'digest' })) !== null) break;
      house.pass(hour);
    }
    await answer(one);
    await writeDigests(house, ctx());
    expect(await mailsIn(house.store).find({ kind: 'digest' }).toArray()).to.have.length(1);
    await ask(1);
    await writeDigests(house, ctx());
    expect(await mailsIn(house.store).find({ kind: 'digest' }).toArray()).to.have.length(2);
  });

  describe('over HTTP', () => {
    let app: TestApp;

    beforeEach(async () => {
      app = await startTestApp(house, [peopleRoutes, noticeRoutes]);
    });

    it('is where one lands after signing in, with its number in the title and the navigation', async () => {
      const client = app.client();
      const signedIn = await client.post('/sign-in', { login: 'camille', password: 'un mot de passe assez long' });
      expect(signedIn.location).to.equal('/my');
      expect((await client.get('/my')).text).to.contain('Nothing waits for you');
      await ask(1);
      const page = await client.get('/my');
      expect(page.text).to.match(/<title>\(1\) What needs me/);
      expect(page.text).to.contain('Answer “Review 2026”').and.to.contain('<span class="tabs-count">1</span>');
      expect((await app.client().get('/my')).status).to.equal(303);
    });

    it('has private feeds whose addresses can be revoked and stand nowhere in the store', async () => {
      await ask(1);
      const client = app.client();
      await signIn(client, camille);
      await client.post('/me/notices/feed', {}, '/me/notices');
      const page = await client.get('/me/notices');
      const [atom = ''] = /\/feeds\/[\w.-]+\.atom/.exec(page.text) ?? [];
      const reader = app.client();
      const feed = await reader.get(atom);
      expect(feed.headers.get('content-type')).to.contain('application/atom+xml');
      expect(feed.headers.get('cache-control')).to.equal('no-store');
      expect(feed.text).to.contain('Review 2026').and.not.to.contain('rel="self"');
      const calendar = await reader.get(atom.replace(/atom$/, 'ics'));
      expect(calendar.headers.get('content-type')).to.contain('text/calendar');
      expect(calendar.text).to.contain('DTSTART:20260522T100000Z').and.to.contain('BEGIN:VEVENT');
      expect(breachesOf(calendar.text)).to.deep.equal([]);
      const token = atom.slice('/feeds/'.length, -'.atom'.length);
      const stored = JSON.stringify(await feedsIn(house.store).find({}).toArray());
      expect(stored).not.to.contain(token.split('.')[1]);
      await client.post('/me/notices/feed', {}, '/me/notices');
      expect((await reader.get(atom)).status, 'replaced').to.equal(410);
      await client.post('/me/notices/feed/revoke', {}, '/me/notices');
      expect(await feedsIn(house.store).countDocuments()).to.equal(0);
      expect((await reader.get(`${atom.slice(0, -9)}xxxx.atom`)).status).to.equal(410);
    });

    it('dates each line of its feeds with what it is about, and moves an end that was moved', async () => {
      const client = app.client();
      await signIn(client, camille);
      await client.post('/me/notices/feed', {}, '/me/notices');
      const [path = ''] = /\/feeds\/[\w.-]+(?=\.atom)/.exec((await client.get('/me/notices')).text) ?? [];
      const reader = app.client();
      const dates = async () => {
        const { text } = await reader.get(`${path}.atom`);
        return [...text.matchAll(/<updated>(.*?)<\/updated>/g)].map(([, date]) => date);
      };
      const calendar = async () => (await reader.get(`${path}.ics`)).text;
      const made = house.now().toISOString();
      expect(await dates()).to.deep.equal([made]);
      expect(breachesOf(await calendar())).to.deep.equal([]);
      house.pass(hour);
      const survey = await ask(3);
      const opened = house.now().toISOString();
      house.pass(hour);
      expect(await dates()).to.deep.equal([opened, opened]);
      expect(await calendar()).to.contain(`SEQUENCE:${survey.revision}`);
      const closesAt = new Date(house.now().getTime() + 5 * day);
      await extendSurvey(await asCamille(), survey._id, { closesAt, revision: survey.revision });
      const extended = house.now().toISOString();
      house.pass(hour);
      expect(await dates()).to.deep.equal([extended, extended]);
      const moved = await calendar();
      expect(breachesOf(moved)).to.deep.equal([]);
      expect(moved)
        .to.contain(`SEQUENCE:${survey.revision + 1}`)
        .and.contain('LAST-MODIFIED:20260521T120000Z');
    });

    it('stops a kind of mail by the one click of a mail program: no page, no session, no token', async () => {
      const address = stopAddress(house, { kind: 'surveyReminder', personId: camille._id }) ?? '';
      const path = address.slice(house.site.baseUrl.length);
      const client = app.client();
      expect((await client.get(path)).text).to.contain('Stop the mails “Survey reminder”?');
      expect((await getPerson(house.store, camille._id)).mailChoices.surveyReminder, 'GET acts').to.equal(undefined);
      const bare = { origin: '', 'sec-fetch-site': '', accept: '*/*' };
      const answer = await client.postRaw(path, { 'List-Unsubscribe': 'One-Click' }, bare);
      expect(answer.status).to.equal(200);
      expect((await getPerson(house.store, camille._id)).mailChoices.surveyReminder).to.equal('off');
      await client.postRaw(path, { 'List-Unsubscribe': 'One-Click', again: 'on' });
      expect((await getPerson(house.store, camille._id)).mailChoices.surveyReminder).to.equal('at-once');
      expect((await client.postRaw(`${path.slice(0, -3)}xxx`, {}, bare)).status).to.equal(410);
      expect(client.cookies.size).to.equal(0);
    });

    it('shows the administrator what each mail says, in both languages', async () => {
      const administrator = await buildPerson(house, { instanceRole: 'administrator' });
      const client = app.client();
      await signIn(client, administrator);
      for (const kind of letterKinds) {
        const page = await client.get(`/admin/mails/templates?kind=${kind}`);
        expect(page.status, kind).to.equal(200);
        expect(page.text, kind).to.contain('Bonjour').and.to.contain('Hello').and.not.to.contain('%%');
        expect(page.text.match(/<iframe [^>]*\bsandbox\b(?!=)/g), kind).to.have.length(2);
      }
      const opened = async (query: string) =>
        (await client.get(`/admin/mails/templates?kind=surveyOpened${query}`)).text;
      expect(await opened(''))
        .to.contain('ROSEAU invites L’Écluse Libre to answer')
        .and.contain('until Thursday 31 December 2026 at 18:00 (Europe/Paris)');
      expect(await opened('&names=anonymous')).to.contain('The answer is anonymous');
      expect(await opened('&who=person&end=without'))
        .to.contain('ROSEAU invites you to answer')
        .and.contain('No closing date')
        .and.contain('<option value="person" selected>');
      expect((await client.get('/admin/mails/templates?kind=surveyOpened&who=x')).status).to.equal(422);
    });
  });

  it('lets nobody stop mails about the account, or those of who is gone', async () => {
    for (const kind of ['reset', 'nothing']) {
      await expectRefusal(stopMails(ctx(), { personId: camille._id, kind, again: false }), 'gone');
    }
    await expectRefusal(stopMails(ctx(), { personId: 'nobody', kind: 'digest', again: false }), 'gone');
    expect(stopAddress(house, { kind: 'reset', personId: camille._id })).to.equal(null);
  });

  it('says that an address refuses mails, after which no further mail that one may do without is written', async () => {
    await ask(9);
    await choose({ digest: 'daily', timeZone: 'UTC' });
    await writeDigests(house, ctx());
    const sent: OutgoingMail[] = [];
    const refuse = Object.assign(new Error('550 5.1.1 no such user'), {
      ...{ code: 'EENVELOPE', responseCode: 550, command: 'RCPT TO', response: '550 5.1.1 no such user' },
    });
    await sendDueMails(house, {
      send: async (mail) => {
        sent.push(mail);
        throw refuse;
      },
      close: () => {},
    });
    expect(sent[0]?.stop).to.match(/^http:\/\/localhost:3000\/unsubscribe\//);
    expect(sent[0]?.text).to.contain(sent[0]?.stop ?? 'nothing');
    expect((await needs())[0]?.what.key).to.equal('notices.need.address');
    house.pass(day);
    expect(await writeDigests(house, ctx())).to.equal(0);
    const app = await startTestApp(house, [peopleRoutes, noticeRoutes]);
    const client = app.client();
    await signIn(client, camille);
    expect((await client.get('/me/notices')).text).to.contain('no such user');
    await client.post('/me/notices/address', {}, '/me/notices');
    expect(await writeDigests(house, ctx())).to.equal(1);
  });
});
