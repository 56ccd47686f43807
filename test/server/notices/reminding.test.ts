import { expect } from 'chai';
import fc from 'fast-check';
import { reviewAnswers, reviewSections, reviewTitle } from '../../../jobs/roseauReview.js';
import { createCollective } from '../../../server/collectives/actions.js';
import { collectivesOf } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import { type DomainEvent, pending, type RemoteNews } from '../../../server/events.js';
import { noticeEvent } from '../../../server/notices/actions/noticeEvent.js';
import { planReminder, remindByHand, remindDue } from '../../../server/notices/actions/reminding.js';
import { sendDueMails } from '../../../server/notices/actions/sendDueMails.js';
import type { MailTransport } from '../../../server/notices/actions/transport.js';
import { mailsIn } from '../../../server/notices/queries.js';
import { noticeRoutes } from '../../../server/notices/routes.js';
import { afterQuiet, isQuiet, localMoment, reminderAt } from '../../../server/notices/rules.js';
import type { LetterKind, Mail } from '../../../server/notices/schema.js';
import { actorIri } from '../../../server/partners/rules.js';
import { markAddressProblem, peopleIn } from '../../../server/people/queries.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { receiveSurvey } from '../../../server/surveys/actions/receiving.js';
import { chooseSlot, closeSurvey, extendSurvey, publishResults } from '../../../server/surveys/actions/running.js';
import { markAnswered, receiveReceipt, sendAnswer } from '../../../server/surveys/actions/sending.js';
import { getSurvey } from '../../../server/surveys/queries.js';
import {
  findSentAnswer,
  type RemoteSurvey,
  remoteSurveyKey,
  remoteSurveysIn,
} from '../../../server/surveys/remoteSurveys.js';
import type { Section, Survey } from '../../../server/surveys/schema.js';
import {
  actorFor,
  buildPerson,
  buildTestHouse,
  contextFor,
  signIn,
  startTestApp,
  systemActor,
  type TestHouse,
} from '../../support/appSupport.js';
import { expectRefusal } from '../people/peopleSupport.js';
import { answererOf, buildSurvey } from '../surveys/surveySupport.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('the moments of reminders', () => {
  const from = new Date('2026-05-01T10:00:00Z');
  const all = { halfTime: true, twoDays: true, lastDay: true };
  const at = (ms: number) => new Date(from.getTime() + ms);

  it('are half time, two days and a day before the end, and the last one due is the one that counts', () => {
    const survey = { openedAt: from, closesAt: at(10 * day), reminders: all };
    const slots = [0, 4.9, 5.1, 6.9, 7.1, 8.1, 9.1, 9.99, 10, 12].map((days) => reminderAt(survey, at(days * day)));
    expect(slots).to.deep.equal([
      ...[null, null, 'halfTime', 'halfTime', null, 'twoDays'],
      ...['lastDay', 'lastDay', null, null],
    ]);
  });

  it('are left out where they would follow the opening too closely, or are not wanted, or nothing has an end', () => {
    const survey = { openedAt: from, closesAt: at(2 * day), reminders: all };
    expect([0.1, 0.9, 1.1, 1.9].map((days) => reminderAt(survey, at(days * day)))).to.deep.equal([
      ...[null, null],
      ...['lastDay', 'lastDay'],
    ]);
    const unwanted = { ...survey, reminders: { ...all, lastDay: false } };
    expect(reminderAt(unwanted, at(1.5 * day))).to.equal(null);
    expect(reminderAt({ ...survey, closesAt: null }, at(day))).to.equal(null);
    expect(reminderAt({ ...survey, openedAt: null }, at(day))).to.equal(null);
  });

  it('never lie at night, in any time zone, and wait half a day at most', () => {
    const zones = fc.constantFrom('Europe/Paris', 'Pacific/Auckland', 'America/St_Johns', 'Asia/Kathmandu', 'UTC');
    fc.assert(
      fc.property(fc.date({ min: from, max: at(700 * day), noInvalidDate: true }), zones, (now, zone) => {
        const moment = afterQuiet(now, zone);
        expect(isQuiet(moment, zone)).to.equal(false);
        expect(moment.getTime() - now.getTime()).to.be.within(0, 12.5 * hour);
        expect(localMoment(moment, zone).hour).to.be.within(8, 20);
      }),
    );
  });
});

const slotAt = (id: string, day: number) => ({ id, startsAt: new Date(Date.UTC(2026, 11, day, 19)), endsAt: null });
const dateSections: Section[] = [
  {
    ...{ id: 's', title: {}, intro: {}, showIf: null },
    questions: [
      {
        ...{ id: 'when', label: { fr: 'Quand ?' }, help: {}, required: false, showIf: null, criterion: '' },
        kind: 'availability',
        slots: [slotAt('d1', 1), slotAt('d2', 2)],
      },
    ],
  },
];

describe('letters about surveys', () => {
  let house: TestHouse;
  let owner: Collective;
  let asked: Collective;
  let others: Collective;
  let camille: Person;
  let noor: Person;
  let kim: Person;

  beforeEach(async () => {
    house = await buildTestHouse();
    camille = await buildPerson(house, { username: 'camille', language: 'fr', password: null });
    noor = await buildPerson(house, { username: 'noor', language: 'en', timeZone: 'Pacific/Auckland', password: null });
    kim = await buildPerson(house, { username: 'kim', language: 'en' });
    const make = (handle: string, people: Person[]) =>
      createCollective(contextFor(house, systemActor), {
        handle,
        name: { fr: `Les ${handle}`, en: `The ${handle}` },
        legalForm: 'ASSOCIATION',
        members: people.map(({ _id }) => ({ personId: _id, role: 'representative' as const })),
      });
    owner = await make('reseau', [kim]);
    asked = await make('pads', [camille, noor]);
    others = await make('forge', [noor]);
  });

  const ctx = () => contextFor(house, systemActor);
  const organiser = async () => contextFor(house, await actorFor(house, kim));
  const survey = async (days: number, overrides: Parameters<typeof buildSurvey>[3] = {}): Promise<Survey> => {
    const closesAt = new Date(house.now().getTime() + days * day);
    return buildSurvey(await organiser(), owner, [asked, others], { closesAt, ...overrides });
  };
  const tell = (event: DomainEvent) => noticeEvent({ house }, pending(event, house.now()));
  const mails = async (kind: LetterKind): Promise<Mail[]> => mailsIn(house.store).find({ kind }).toArray();
  const tos = async (kind: LetterKind) => (await mails(kind)).map(({ to }) => to.split('@')[0]).sort();
  async function answer(one: Survey, collective: Collective): Promise<void> {
    await submitAnswer(ctx(), {
      surveyId: one._id,
      answerer: answererOf(ctx(), collective),
      ...{ by: 'p', byName: 'P', home: '', version: 1 },
      raw: { ...Object.values(reviewAnswers)[0] } as Record<string, unknown>,
    });
  }

  it('go to everybody asked at the opening, in their language, with no title in the subject', async () => {
    const one = await survey(10);
    await tell({ type: 'survey.opened', surveyId: one._id });
    expect(await tos('surveyOpened')).to.deep.equal(['camille', 'noor', 'noor']);
    const [french] = (await mails('surveyOpened')).filter(({ to }) => to.startsWith('camille'));
    expect(french?.subject).to.equal('Les pads : une enquête attend une réponse');
    expect(french?.text).to.contain(one.title.fr).and.to.contain('Les reseau').and.to.contain('%%LINK%%');
    expect(french?.link).to.deep.equal({ path: `/my/collectives/${asked._id}/asked/${one._id}` });
  });

  it('do not promise corrections of an anonymous answer', async () => {
    const one = await survey(10, { names: 'anonymous' });
    await tell({ type: 'survey.opened', surveyId: one._id });
    const text = (await mails('surveyOpened')).find(({ language }) => language === 'en')?.text;
    expect(text).to.contain('Once sent, it cannot be changed').and.not.to.contain('correct it');
  });

  it('about more time go to those who have not answered, about results to all who may read them', async () => {
    const one = await survey(10);
    await answer(one, asked);
    await extendSurvey(await organiser(), one._id, {
      closesAt: new Date(house.now().getTime() + 20 * day),
      revision: one.revision,
    });
    await tell({ type: 'survey.extended', surveyId: one._id });
    expect(await tos('surveyExtended')).to.deep.equal(['noor']);
    await closeSurvey(await organiser(), one._id);
    const { revision } = await getSurvey(house.store, one._id);
    await tell({ type: 'survey.published', surveyId: one._id });
    expect(await tos('surveyPublished')).to.deep.equal([]);
    await publishResults(await organiser(), one._id, { revision, readers: 'members', hidden: [], notes: {} });
    await tell({ type: 'survey.published', surveyId: one._id });
    expect(await tos('surveyPublished')).to.deep.equal(['camille', 'noor', 'noor']);
  });

  it('tell all who were asked which date was chosen', async () => {
    const one = await survey(10, { sections: dateSections });
    await chooseSlot(await organiser(), one._id, { question: 'when', slot: 'd2' });
    await tell({ type: 'survey.slotChosen', surveyId: one._id });
    expect(await tos('surveyDate')).to.deep.equal(['camille', 'noor', 'noor']);
    const [french] = (await mails('surveyDate')).filter(({ to }) => to.startsWith('camille'));
    expect(french?.subject).to.equal('Les pads : la date est fixée, mer. 2 décembre à 20:00 (Europe/Paris)');
    expect(french?.link).to.deep.equal({ path: `/my/collectives/${asked._id}/asked/${one._id}` });
    await chooseSlot(await organiser(), one._id, null);
    await tell({ type: 'survey.slotChosen', surveyId: one._id });
    expect(await mails('surveyDate')).to.have.length(3);
  });

  it('lead each person to results that they may read', async () => {
    const one = await survey(10, { answerBy: 'person' });
    await closeSurvey(await organiser(), one._id);
    const { revision } = await getSurvey(house.store, one._id);
    await publishResults(await organiser(), one._id, { revision, readers: 'members', hidden: [], notes: {} });
    await tell({ type: 'survey.published', surveyId: one._id });
    const [mail] = await mails('surveyPublished');
    expect(mail?.link).to.deep.equal({ path: `/me/surveys/${one._id}/results` });
  });

  it('keep the words of a title in its line, and are not written for an organiser in the bin', async () => {
    const title = { fr: 'Revue\n\nVotre compte est fermé : https://evil.example\n\nFin', en: 'Review\n\nCome here' };
    const one = await survey(10, { title });
    await tell({ type: 'survey.opened', surveyId: one._id });
    const found = await mails('surveyOpened');
    expect(found).to.have.length(3);
    for (const { text } of found) expect(text).not.to.match(/^(Votre compte|Come here)/m);
    await collectivesOf(house.store).updateOne({ _id: owner._id }, { $set: { deletedAt: house.now() } });
    await tell({ type: 'survey.extended', surveyId: one._id });
    expect(await mails('surveyExtended')).to.deep.equal([]);
  });

  it('to each person of a survey of people, once, whatever hosters they belong to', async () => {
    const one = await survey(10, { answerBy: 'person' });
    await tell({ type: 'survey.opened', surveyId: one._id });
    expect(await tos('surveyOpened')).to.deep.equal(['camille', 'noor']);
  });

  it('are left out for who said no, chose the summary, or whose address refuses mails', async () => {
    const one = await survey(10);
    await peopleIn(house.store).updateOne({ _id: camille._id }, { $set: { 'mailChoices.surveyOpened': 'digest' } });
    const { email } = noor;
    await markAddressProblem(house.store, noor._id, { email, at: house.now(), reason: '550 5.1.1' });
    await tell({ type: 'survey.opened', surveyId: one._id });
    expect(await tos('surveyOpened')).to.deep.equal([]);
    await markAddressProblem(house.store, noor._id, { email: 'before@example.org', at: house.now(), reason: '550' });
    await tell({ type: 'survey.opened', surveyId: one._id });
    expect(await tos('surveyOpened'), 'the address has changed since').to.deep.equal(['noor', 'noor']);
  });

  it('remind each who has not answered once in each slot, never at night, though two leaders run it all the time', async function () {
    this.timeout(60_000);
    const one = await survey(10);
    const end = house.now().getTime() + 10 * day;
    const seen = new Set<string>();
    await answer(one, others);
    while (house.now().getTime() < end + hour) {
      // Two processes at once, and once more as after a restart.
      await Promise.all([remindDue(house, ctx()), remindDue(house, ctx())]);
      await remindDue(house, ctx());
      for (const mail of await mails('surveyReminder')) {
        if (seen.has(mail._id)) continue;
        seen.add(mail._id);
        const zone = mail.to.startsWith('noor') ? 'Pacific/Auckland' : 'Europe/Paris';
        expect(isQuiet(mail.createdAt, zone), `${mail.to} ${mail.createdAt.toISOString()}`).to.equal(false);
      }
      house.pass(3 * hour);
    }
    // The forge has answered; of the pads two people, three slots each.
    expect(await tos('surveyReminder')).to.deep.equal([...Array(3).fill('camille'), ...Array(3).fill('noor')]);
  });

  it('remind again of the new end after an extension', async () => {
    const one = await survey(2);
    house.pass(1.1 * day);
    await remindDue(house, ctx());
    expect(await tos('surveyReminder')).to.include('camille');
    const before = (await mails('surveyReminder')).length;
    const closesAt = new Date(house.now().getTime() + 4 * day);
    await extendSurvey(await organiser(), one._id, { closesAt, revision: one.revision });
    await remindDue(house, ctx());
    expect(await mails('surveyReminder')).to.have.length(before);
    house.pass(3 * day);
    await remindDue(house, ctx());
    expect((await mails('surveyReminder')).length).to.be.greaterThan(before);
  });

  describe('of a survey of another instance', () => {
    const iri = 'https://canopee.example/objects/one';
    const key = remoteSurveyKey(iri);
    const owner = 'https://canopee.example/actors/canopee';
    const raw = { ...Object.values(reviewAnswers)[0] } as Record<string, unknown>;
    const keep = async (days: number, revision: number, change: Partial<RemoteSurvey> = {}) => {
      const asks = [asked, others].map(({ handle }) => actorIri(house.site, handle));
      const survey: RemoteSurvey = {
        ...{ _id: key, iri, owner, host: 'canopee.example', url: null, link: null, asked: asks, revision, version: 1 },
        organiser: { name: 'Réseau Canopée', handle: 'canopee@canopee.example' },
        ...{ title: reviewTitle, intro: {}, languages: ['fr', 'en'], timeZone: 'Europe/Paris', names: 'named' },
        ...{ late: 'refuse', state: 'open', closesAt: new Date(house.now().getTime() + days * day), closedAt: null },
        ...{ sections: reviewSections, chosenSlot: null, results: null, receivedAt: house.now(), deletedAt: null },
        ...change,
      };
      await receiveSurvey(ctx(), survey);
    };
    const send = (collective: Collective) => {
      const answerer = answererOf(ctx(), collective);
      return sendAnswer(ctx(), { surveyId: key, answerer, by: 'p', byName: 'P', version: 1, raw });
    };
    const arrived = (what: RemoteNews) => tell({ type: 'remoteSurvey.received', surveyKey: key, what });

    it('go to the people of those of ours whom it asks, about the opening, more time and results', async () => {
      await keep(10, 1);
      await arrived('opened');
      expect(await tos('surveyOpened')).to.deep.equal(['camille', 'noor', 'noor']);
      const [french] = (await mails('surveyOpened')).filter(({ to }) => to.startsWith('camille'));
      expect(french?.text).to.contain('Réseau Canopée invite Les pads à répondre').and.to.contain(reviewTitle.fr);
      expect(french?.link).to.deep.equal({ path: `/my/collectives/${asked._id}/asked/${key}` });
      await send(asked);
      await keep(20, 2);
      await arrived('extended');
      expect(await tos('surveyExtended'), 'who has answered').to.deep.equal(['noor']);
      const results = { publishedAt: house.now(), answers: 1, asked: 2, notes: {}, questions: [], isShortened: false };
      await keep(20, 3, { state: 'closed', closedAt: house.now(), results });
      await arrived('changed');
      await arrived('published');
      expect(await tos('surveyPublished')).to.deep.equal(['camille', 'noor', 'noor']);
      const chosenSlot = { question: 'when', slot: 'd1' };
      const closed = { state: 'closed' as const, closedAt: house.now(), results, sections: dateSections, chosenSlot };
      await keep(20, 4, closed);
      await keep(20, 5, closed);
      const news = (await remoteSurveysIn(house.store).findOne({ _id: key }))?.events ?? [];
      expect(news.map((one) => 'what' in one && one.what)).to.deep.equal([
        ...['opened', 'extended', 'published', 'slotChosen', 'changed'],
      ]);
      await arrived('slotChosen');
      expect(await tos('surveyDate')).to.deep.equal(['camille', 'noor', 'noor']);
    });

    it('remind those who have not answered, at the moments that their own instance knows, though it is told again', async () => {
      await keep(10, 1);
      await send(others);
      house.pass(5.1 * day);
      await keep(4.9, 2);
      for (let at = 0; at < 12; at += 1) {
        await remindDue(house, ctx());
        house.pass(3 * hour);
      }
      expect(await tos('surveyReminder')).to.deep.equal(['camille', 'noor']);
    });

    it('remind only at the moments that their organisers chose', async () => {
      await keep(10, 1, { reminders: { halfTime: false, twoDays: false, lastDay: true } });
      const seen: (string | undefined)[] = [];
      for (let at = 0; at < 80; at += 1) {
        await remindDue(house, ctx());
        house.pass(3 * hour);
      }
      for (const { createdAt } of await mails('surveyReminder')) seen.push(createdAt.toISOString().slice(0, 10));
      expect(seen).to.deep.equal(Array(3).fill('2026-05-30'));
    });

    it('remind of an anonymous one those who have not said here that they answered it: nobody else can know', async () => {
      await keep(2, 1, { names: 'anonymous', link: 'https://canopee.example/surveys/by-link/x' });
      await markAnswered(ctx(), key, answererOf(ctx(), others), true);
      house.pass(1.1 * day);
      for (let at = 0; at < 6; at += 1) {
        await remindDue(house, ctx());
        house.pass(3 * hour);
      }
      expect(await tos('surveyReminder')).to.deep.equal(['camille', 'noor']);
      const [french] = (await mails('surveyReminder')).filter(({ to }) => to.startsWith('camille'));
      expect(french?.text).to.include('Personne n’a encore noté que Les pads a répondu');
    });

    it('say that an answer was not taken, and ask that collective again', async () => {
      await keep(2, 1);
      await send(asked);
      await send(others);
      const answerer = actorIri(house.site, asked.handle);
      const sent = await findSentAnswer(house.store, iri, answerer);
      const refusal = { errors: [{ field: '', message: { key: 'surveys.error.version' } }], text: '' };
      await receiveReceipt(ctx(), { owner, survey: iri, answerer, sentAt: sent?.sentAt ?? new Date(0), refusal });
      await tell({ type: 'surveyAnswer.refused', answerId: sent?._id ?? '' });
      expect(await tos('surveyRefused')).to.deep.equal(['camille', 'noor']);
      house.pass(1.1 * day);
      await remindDue(house, ctx());
      house.pass(12 * hour);
      await remindDue(house, ctx());
      expect(await tos('surveyReminder')).to.deep.equal(['camille', 'noor']);
    });
  });

  describe('by hand', () => {
    it('say before who gets what, leave once a day, and at night in the morning', async () => {
      const one = await survey(10);
      await answer(one, others);
      const as = await organiser();
      const plan = await planReminder(as, one._id);
      expect(plan.missing.map(({ invited, reached }) => [invited.handle, reached])).to.deep.equal([['pads', 2]]);
      expect(plan).to.include({ mails: 2, mayRemind: true, lastAt: null });
      expect(await remindByHand(house, as, one._id)).to.equal(2);
      // 10:00 UTC is 22:00 in Auckland.
      const held = (await mails('surveyReminder')).find(({ to }) => to.startsWith('noor'));
      expect(held?.nextAt?.toISOString()).to.equal('2026-05-21T20:00:00.000Z');
      await expectRefusal(remindByHand(house, as, one._id), 'closed', 'notices.remind.tooSoon');
      house.pass(day);
      expect(await remindByHand(house, await organiser(), one._id)).to.equal(2);
    });

    it('do not leave in the morning to those who answered in the evening, nor about what is over', async () => {
      const transport: MailTransport = {
        send: async ({ to }) => void left.push(to.split('@')[0] ?? ''),
        close: () => {},
      };
      const left: string[] = [];
      const one = await survey(10);
      const other = await survey(10);
      const bare = { ...house, secret: house.secret };
      await remindByHand(house, await organiser(), one._id);
      await remindByHand(house, await organiser(), other._id);
      // Noor, for whom it is night, is asked for two.
      await answer(one, asked);
      await closeSurvey(await organiser(), other._id);
      await mailsIn(house.store).deleteMany({ nextAt: { $lte: house.now() } });
      house.pass(day);
      await sendDueMails(bare, transport);
      expect(left).to.deep.equal(['noor']);
      expect(await mailsIn(house.store).countDocuments({ kind: 'surveyReminder', sentAt: null })).to.equal(0);
    });

    it('put off those that would have left by themselves within half a day', async () => {
      const one = await survey(3);
      house.pass(2 * day + hour);
      const byHand = await remindByHand(house, await organiser(), one._id);
      expect(byHand).to.equal(3);
      const due = () => remindDue(house, ctx());
      expect(await due()).to.equal(0);
      house.pass(11 * hour);
      expect(await due()).to.equal(0);
      house.pass(10 * hour);
      expect(await due()).to.be.greaterThan(0);
    });

    it('are the organisers’ business, for a survey that is open', async () => {
      const one = await survey(10);
      const stranger = contextFor(house, await actorFor(house, camille));
      await expectRefusal(remindByHand(house, stranger, one._id), 'not-found');
      await closeSurvey(await organiser(), one._id);
      await expectRefusal(remindByHand(house, await organiser(), one._id), 'closed', 'surveys.error.closed');
    });

    it('have a page with the letter, and a button', async () => {
      const one = await survey(10);
      const app = await startTestApp(house, [peopleRoutes, noticeRoutes]);
      const client = app.client();
      await signIn(client, kim);
      const path = `/my/collectives/${owner._id}/surveys/${one._id}/remind`;
      const page = await client.get(path);
      expect(page.text).to.contain('The pads').and.to.contain('a survey still waits for an answer');
      // One letter for each language in which one leaves, and how many go where.
      expect(page.text).to.contain('une enquête attend encore une réponse').and.contain('1 in French, 1 in English');
      expect(page.text).not.to.contain(camille.displayName).and.not.to.contain(noor.displayName);
      expect((await client.post(path)).location).to.equal(path);
      expect(await tos('surveyReminder')).to.deep.equal(['camille', 'noor', 'noor']);
      expect((await client.get(path)).text).to.contain('Reminders left within the last day');
      expect((await client.get(`/my/collectives/${asked._id}/surveys/${one._id}/remind`)).status).to.equal(404);
    });
  });
});
