import { expect } from 'chai';
import { reviewAnswers, reviewSections } from '../../../jobs/roseauReview.js';
import { collectivesOf } from '../../../server/collectives/queries.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { personOf } from '../../../server/http/routes.js';
import { listNeeds } from '../../../server/notices/needs.js';
import { getPerson } from '../../../server/people/queries.js';
import { allIndexes } from '../../../server/store/schema.js';
import {
  type AnswerInput,
  compareBallots,
  isCounted,
  saveDraft,
  submitAnswer,
  withdrawAnswer,
} from '../../../server/surveys/actions/answering.js';
import {
  deleteSurvey,
  duplicateSurvey,
  editSections,
  eraseSurvey,
  pruneDrafts,
  purgeSurveys,
  restoreSurvey,
  saveSections,
  saveSettings,
  undoEdit,
} from '../../../server/surveys/actions/drafting.js';
import {
  closeDueSurveys,
  closeSurvey,
  extendSurvey,
  openDueSurveys,
  openSurvey,
  publishResults,
  reopenSurvey,
} from '../../../server/surveys/actions/running.js';
import { readAnswers } from '../../../server/surveys/answers.js';
import {
  answersIn,
  ballotsIn,
  countAnswers,
  countedIn,
  draftsIn,
  findAnswer,
  findDraft,
  findSurvey,
  getSurvey,
  getVersion,
  hasAnswered,
  listOpenFor,
  readSections,
  surveysIn,
  turnoutsIn,
  versionsIn,
} from '../../../server/surveys/queries.js';
import { receiptsIn } from '../../../server/surveys/remoteSurveys.js';
import type { Section, Survey } from '../../../server/surveys/schema.js';
import { buildTestHouse, contextFor, systemActor, type TestHouse } from '../../support/appSupport.js';
import { buildMember, eventsOf, refusalOf } from '../collectives/collectiveSupport.js';
import { answererOf, buildSurvey, invitedOf } from './surveySupport.js';

const hour = 3_600_000;

describe('surveys', () => {
  let house: TestHouse;
  let ctx: Context;
  let owner: Collective;
  let asked: Collective;
  let strangers: Context;

  before(async () => {
    house = await buildTestHouse();
  });
  beforeEach(async () => {
    ({ ctx, collective: owner } = await buildMember(house, 'member'));
    ({ collective: asked, ctx: strangers } = await buildMember(house, 'member'));
  });
  const later = (ms: number, from = ctx) => ({ ...from, now: new Date(ctx.now.getTime() + ms) });
  const inputFor = (survey: Survey, overrides: Partial<AnswerInput> = {}): AnswerInput => ({
    surveyId: survey._id,
    answerer: answererOf(ctx, asked),
    by: 'p1',
    byName: 'Camille',
    home: '',
    version: survey.version,
    raw: reviewAnswers.ecluse ?? {},
    ...overrides,
  });

  /** The store, in which something happens once, right before something is written there. */
  function meanwhile(collection: string, deed: () => Promise<unknown>, method = 'insertOne') {
    let left = 1;
    const proxied = (one: object): never =>
      new Proxy(one, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function') return value;
          if (key !== method) return value.bind(target);
          return async (...given: unknown[]) => {
            left -= 1;
            if (left === 0) await deed();
            return value.apply(target, given);
          };
        },
      }) as never;
    return new Proxy(house.store, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        if (key !== 'collection') return value.bind(target);
        return (name: string) => (name === collection ? proxied(target.collection(name)) : target.collection(name));
      },
    });
  }

  it('opens now, or when its moment has come, once', async () => {
    const opensAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { isDraft: true, opensAt });
    expect((await openSurvey(ctx, survey._id)).state).to.equal('scheduled');
    expect(await openDueSurveys(later(hour - 1))).to.equal(0);
    const both = await Promise.all([openDueSurveys(later(hour)), openDueSurveys(later(hour))]);
    expect(both.toSorted()).to.deep.equal([0, 1]);
    const types = (await eventsOf(house, 'surveys', survey._id)).map(({ type }) => type);
    expect(types).to.deep.equal(['survey.opened']);
  });

  it('waits while the collective that asks is in the bin, and opens when it is back', async () => {
    const opensAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { opensAt });
    const put = (deletedAt: Date | null) =>
      collectivesOf(house.store).updateOne({ _id: owner._id }, { $set: { deletedAt } });
    await put(ctx.now);
    await openDueSurveys(later(2 * hour));
    expect((await getSurvey(house.store, survey._id)).state).to.equal('scheduled');
    await put(null);
    await openDueSurveys(later(3 * hour));
    expect((await getSurvey(house.store, survey._id)).state).to.equal('open');
  });

  it('refuses to open without questions, without anybody asked, or with its end past', async () => {
    const system = contextFor(house, systemActor);
    const nothing = await buildSurvey(system, owner, [asked], { isDraft: true, sections: [] });
    expect(await refusalOf(openSurvey(system, nothing._id))).to.equal('invalid surveys.error.noQuestions');
    const nobody = await buildSurvey(ctx, owner, [], { isDraft: true });
    expect(await refusalOf(openSurvey(ctx, nobody._id))).to.equal('invalid surveys.error.nobodyAsked');
    const past = await buildSurvey(ctx, owner, [asked], { isDraft: true, closesAt: ctx.now });
    expect(await refusalOf(openSurvey(ctx, past._id))).to.equal('invalid surveys.error.closesInPast');
  });

  it('stays scheduled only with a moment to come', async () => {
    const opensAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { opensAt });
    const save = (given: Partial<Survey>) => saveSettings(ctx, survey._id, { ...survey, ...given });
    expect(await refusalOf(save({ opensAt: null }))).to.equal('invalid surveys.error.opensAtNeeded');
    expect(await refusalOf(save({ opensAt: ctx.now }))).to.equal('invalid surveys.error.opensAtNeeded');
    expect(await refusalOf(save({ invited: [] }))).to.equal('invalid surveys.error.nobodyAsked');
    expect((await save({ opensAt: new Date(ctx.now.getTime() + 2 * hour) })).state).to.equal('scheduled');
  });

  it('is a draft again when its moment comes and it cannot open, and says why', async () => {
    const opensAt = new Date(ctx.now.getTime() + hour);
    const { collective: leaver, ctx: leaving } = await buildMember(house, 'member');
    const cases: [Partial<Survey>, string][] = [
      [{ closesAt: new Date(ctx.now.getTime() + 2 * hour) }, 'surveys.error.closesInPast'],
      [{ opensAt: null }, 'surveys.error.opensAtNeeded'],
    ];
    for (const [stored, why] of cases) {
      const survey = await buildSurvey(ctx, owner, [asked], { opensAt });
      await surveysIn(house.store).updateOne({ _id: survey._id }, { $set: stored });
      await openDueSurveys(later(3 * hour));
      const { state, notOpened } = await getSurvey(house.store, survey._id);
      expect({ state, notOpened }).to.deep.equal({ state: 'draft', notOpened: why });
    }
    const survey = await buildSurvey(ctx, owner, [leaver], { opensAt });
    await collectivesOf(house.store).updateOne({ _id: leaver._id }, { $set: { deletedAt: leaving.now } });
    expect(await openDueSurveys(later(hour))).to.equal(0);
    expect((await getSurvey(house.store, survey._id)).notOpened).to.equal('surveys.error.nobodyAsked');
    const needs = await listNeeds(later(hour), await getPerson(house.store, personOf(ctx).personId), 'en');
    expect(needs.filter(({ id }) => id === `unopened:${survey._id}`).map(({ urgency }) => urgency)).to.deep.equal([
      'now',
    ]);
    const now = await getSurvey(house.store, survey._id);
    await saveSettings(ctx, survey._id, { ...now, opensAt: null, invited: [invitedOf(ctx, asked)] });
    expect((await openSurvey(ctx, survey._id)).notOpened).to.equal(null);
  });

  it('asks elsewhere only as one that is published, and never person by person', async () => {
    const far = { iri: 'https://far.example/h', collectiveId: null, name: 'Loin', handle: 'h@far.example' };
    const persons = await buildSurvey(ctx, owner, [asked], { isDraft: true, answerBy: 'person' });
    await surveysIn(house.store).updateOne({ _id: persons._id }, { $push: { invited: far } });
    expect(await refusalOf(openSurvey(ctx, persons._id))).to.equal('invalid surveys.error.personElsewhere');
    const survey = await buildSurvey(ctx, owner, [], { isDraft: true, invited: [far] });
    await collectivesOf(house.store).updateOne({ _id: owner._id }, { $set: { published: false } });
    expect(await refusalOf(openSurvey(ctx, survey._id))).to.equal('invalid surveys.error.ownerNotPublic');
    await collectivesOf(house.store).updateOne({ _id: owner._id }, { $set: { published: true } });
    expect((await openSurvey(ctx, survey._id)).state).to.equal('open');
  });

  it('tells of published results once: what is corrected afterwards is a change', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await closeSurvey(ctx, survey._id);
    const publish = async (readers: Survey['results']['readers']) => {
      const { revision } = await getSurvey(house.store, survey._id);
      await publishResults(ctx, survey._id, { revision, readers, hidden: [], notes: {} });
      return (await eventsOf(house, 'surveys', survey._id)).at(-1)?.type;
    };
    expect(await publish('organisers')).to.equal('survey.changed');
    expect(await publish('members')).to.equal('survey.published');
    expect(await publish('members')).to.equal('survey.changed');
    expect(await publish('public')).to.equal('survey.changed');
    expect(await publish('organisers')).to.equal('survey.changed');
    expect(await publish('public')).to.equal('survey.published');
  });

  it('publishes nothing of an anonymous survey with fewer than five answers', async () => {
    const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
    await closeSurvey(ctx, survey._id);
    const { revision } = await getSurvey(house.store, survey._id);
    const publish = (readers: Survey['results']['readers']) =>
      publishResults(ctx, survey._id, { revision, readers, hidden: [], notes: {} });
    expect(await refusalOf(publish('members'))).to.equal('closed surveys.error.tooFewAnswers');
    expect((await getSurvey(house.store, survey._id)).results.publishedAt).to.equal(null);
    await publish('organisers');
  });

  it('is duplicated for the year after, without the slots that are past', async () => {
    const slot = (id: string, hours: number) => ({
      id,
      startsAt: new Date(ctx.now.getTime() + hours * hour),
      endsAt: null,
    });
    const dates = (...slots: ReturnType<typeof slot>[]): Section[] => [
      {
        ...{ id: 's', title: {}, intro: {}, showIf: null },
        questions: [
          {
            ...{ id: 'when', label: { fr: 'Quand ?' }, help: {}, required: false, showIf: null, criterion: '' },
            ...{ kind: 'availability', slots },
          },
        ],
      },
    ];
    const some = await buildSurvey(ctx, owner, [asked], { sections: dates(slot('d1', -5), slot('d2', 5)) });
    const copy = await duplicateSurvey(ctx, some._id);
    expect(copy.title).to.deep.equal({ fr: 'Revue 2027', en: 'Review 2027' });
    expect(copy.previousId).to.equal(some._id);
    const [section] = (await getVersion(house.store, copy._id, 1)).sections;
    expect(section?.questions[0]).to.deep.include({ slots: [slot('d2', 5)] });
    const past = await buildSurvey(ctx, owner, [asked], { sections: dates(slot('d1', -5)) });
    const empty = await duplicateSurvey(ctx, past._id);
    expect(await refusalOf(openSurvey(ctx, empty._id))).to.equal('invalid surveys.error.slots');
  });

  it('may follow any other survey of the same collective, and no other one', async () => {
    const before = await buildSurvey(ctx, owner, [asked]);
    const survey = await buildSurvey(ctx, owner, [asked], { isDraft: true });
    const { ctx: theirs, collective } = await buildMember(house, 'member');
    const foreign = await buildSurvey(theirs, collective, [asked]);
    const save = async (previousId: string | null) =>
      (await saveSettings(ctx, survey._id, { ...(await getSurvey(house.store, survey._id)), previousId })).previousId;
    expect(await save(before._id)).to.equal(before._id);
    for (const wrong of [survey._id, foreign._id, 'none']) {
      expect(await refusalOf(save(wrong))).to.equal('invalid surveys.error.previous');
    }
    expect(await save(null)).to.equal(null);
  });

  it('is nobody’s to change but of those who ask', async () => {
    const survey = await buildSurvey(ctx, owner, [asked], { isDraft: true });
    for (const deed of [openSurvey, closeSurvey, deleteSurvey, duplicateSurvey]) {
      expect(await refusalOf(deed(strangers, survey._id))).to.equal('not-found error.notFound');
    }
  });

  it('takes one answer of a collective; the latest counts, and its people see the ones before', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    expect(await submitAnswer(ctx, inputFor(survey))).to.include({ isFirst: true, receipt: null });
    const second = inputFor(survey, { by: 'p2', byName: 'Sacha', raw: reviewAnswers.fournil ?? {} });
    expect(await submitAnswer(later(hour), second)).to.include({ isFirst: false });
    const kept = await findAnswer(house.store, survey._id, answererOf(ctx, asked).key);
    const first = readAnswers(reviewSections, reviewAnswers.ecluse ?? {}).values;
    const edit = { at: ctx.now, by: 'p1', byName: 'Camille', version: 1, values: first };
    expect(kept).to.deep.include({ byName: 'Sacha', edits: [edit] });
    expect(kept?.values.hours).to.deep.equal({ number: 2 });
    expect(await countAnswers(house.store, survey)).to.equal(1);
  });

  it('keeps what the last five said, and of those before who and when', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    for (let count = 0; count < 8; count += 1) {
      await submitAnswer(later(count * hour), inputFor(survey, { byName: `${count}` }));
    }
    const kept = await findAnswer(house.store, survey._id, answererOf(ctx, asked).key);
    expect(kept?.edits.map(({ byName, values }) => [byName, values !== undefined])).to.deep.equal(
      ['0', '1', '2', '3', '4', '5', '6'].map((name, place) => [name, place >= 2]),
    );
  });

  it('keeps no words of a hoster elsewhere, nor of a person', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    for (const byName of ['A', 'B']) await submitAnswer(ctx, inputFor(survey, { home: 'b.example', byName }));
    const kept = await findAnswer(house.store, survey._id, answererOf(ctx, asked).key);
    expect(kept?.edits).to.deep.equal([{ at: ctx.now, by: 'p1', byName: 'A' }]);
  });

  it('does not replace what somebody else has sent since the form was shown', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const none = new Date(0);
    await submitAnswer(ctx, inputFor(survey, { by: 'p1', byName: 'Camille', shown: none }));
    const other = { by: 'p2', byName: 'Sacha' };
    const unseen = submitAnswer(later(hour), inputFor(survey, { ...other, shown: none }));
    expect(await refusalOf(unseen)).to.equal('conflict surveys.error.answerOther');
    const own = submitAnswer(later(hour), inputFor(survey, { by: 'p1', byName: 'Camille', shown: none }));
    expect(await refusalOf(own)).to.equal('done');
    const seen = submitAnswer(later(2 * hour), inputFor(survey, { ...other, shown: later(hour).now }));
    expect(await refusalOf(seen)).to.equal('done');
  });

  it('lets one of two replace what both were shown', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await submitAnswer(ctx, inputFor(survey, { by: 'p0' }));
    const both = ['p1', 'p2'].map((by) =>
      refusalOf(submitAnswer(later(hour), inputFor(survey, { by, byName: by, shown: ctx.now }))),
    );
    expect((await Promise.all(both)).toSorted()).to.deep.equal(['conflict surveys.error.answerOther', 'done']);
  });

  it('keeps one answer when two delegates send fifty at once', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const sent = Array.from({ length: 50 }, (_, index) =>
      submitAnswer(ctx, inputFor(survey, { by: `p${index % 2}`, byName: `${index}` })),
    );
    await Promise.all(sent);
    expect(await answersIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(1);
  });

  it('keeps of two that arrive out of order the one that was sent later', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await submitAnswer(later(hour), inputFor(survey, { sentAt: later(hour).now, home: 'b.example' }));
    const early = inputFor(survey, { sentAt: ctx.now, home: 'b.example', raw: reviewAnswers.fournil ?? {} });
    expect(await refusalOf(submitAnswer(later(hour), early))).to.equal('conflict surveys.error.laterOne');
  });

  it('refuses those who are not asked, wrong answers, unknown versions, and what comes too early or too late', async () => {
    const closesAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { closesAt });
    const refused = (overrides: Partial<AnswerInput>, at = ctx) =>
      refusalOf(submitAnswer(at, inputFor(survey, overrides)));
    expect(await refused({ answerer: answererOf(ctx, owner) })).to.equal('not-allowed surveys.error.notAsked');
    const guest = { kind: 'anyone', key: 'guest:1', name: '', handle: '' } as const;
    expect(await refused({ answerer: guest })).to.equal('not-allowed surveys.error.notAsked');
    expect(await refused({ raw: { hours: '99' } })).to.equal('invalid surveys.answer.tooLarge');
    expect(await refused({ version: 2 })).to.equal('invalid surveys.error.version');
    expect(await refused({ raw: { ...reviewAnswers.ecluse, nope: 1 }, strict: true })).to.equal(
      'invalid surveys.answer.unknown',
    );
    expect(await refused({}, later(hour - 1))).to.equal('done');
    expect(await refused({}, later(hour))).to.equal('closed surveys.error.closed');
    const draft = await buildSurvey(ctx, owner, [asked], { isDraft: true });
    expect(await refusalOf(submitAnswer(ctx, inputFor(draft)))).to.equal('closed surveys.error.notOpenYet');
  });

  it('takes what was sent in time for a day, where the survey says so', async () => {
    const closesAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { closesAt, late: 'sentInTime' });
    const sent = (sentAt: Date, arrives: number) =>
      refusalOf(submitAnswer(later(arrives), inputFor(survey, { sentAt, home: 'b.example' })));
    expect(await sent(closesAt, 2 * hour)).to.equal('closed surveys.error.closed');
    expect(await sent(ctx.now, 26 * hour)).to.equal('closed surveys.error.closed');
    expect(await sent(ctx.now, 2 * hour)).to.equal('done');
  });

  it('takes nothing any more that says it was sent in time once results are published: whoever sends it may have read them', async () => {
    const closesAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { closesAt, late: 'sentInTime' });
    const over = later(2 * hour);
    await closeDueSurveys(over);
    const { revision } = await getSurvey(ctx.store, survey._id);
    await publishResults(over, survey._id, { revision, readers: 'public', hidden: [], notes: {} });
    const late = inputFor(survey, { sentAt: ctx.now, home: 'b.example' });
    expect(await refusalOf(submitAnswer(later(3 * hour), late))).to.equal('closed surveys.error.closed');
    const withdrawn = withdrawAnswer(later(3 * hour), survey._id, answererOf(ctx, asked), ctx.now);
    expect(await refusalOf(withdrawn)).to.equal('closed surveys.error.closed');
  });

  it('remembers each of many corrections that come at once', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const names = Array.from({ length: 8 }, (_one, index) => `Person ${index}`);
    await submitAnswer(ctx, inputFor(survey, { byName: 'First' }));
    await Promise.all(names.map((byName) => submitAnswer(ctx, inputFor(survey, { byName }))));
    const answer = await findAnswer(ctx.store, survey._id, answererOf(ctx, asked).key);
    const all = [...(answer?.edits ?? []).map(({ byName }) => byName), answer?.byName];
    expect(all.toSorted()).to.deep.equal(['First', ...names]);
  });

  it('closes at its end as the moment, once, and by hand before', async () => {
    await closeDueSurveys(later(2 * hour));
    const closesAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { closesAt });
    const both = await Promise.all([closeDueSurveys(later(2 * hour)), closeDueSurveys(later(2 * hour))]);
    expect(both.toSorted()).to.deep.equal([0, 1]);
    expect(await findSurvey(house.store, survey._id)).to.deep.include({ state: 'closed', closedAt: closesAt });
    const byHand = await buildSurvey(ctx, owner, [asked]);
    await closeSurvey(later(hour), byHand._id);
    expect(await refusalOf(closeSurvey(ctx, byHand._id))).to.equal('conflict surveys.error.changedMeanwhile');
  });

  it('gives more time, only later, and opens again only what was named', async () => {
    const closesAt = new Date(ctx.now.getTime() + hour);
    const survey = await buildSurvey(ctx, owner, [asked], { closesAt });
    const extended = (at: Date, revision = survey.revision) =>
      refusalOf(extendSurvey(ctx, survey._id, { closesAt: at, revision }));
    expect(await extended(closesAt)).to.equal('invalid surveys.error.notLater');
    expect(await extended(later(2 * hour).now)).to.equal('done');
    expect(await extended(later(3 * hour).now)).to.equal('conflict surveys.error.changedMeanwhile');
    await closeSurvey(ctx, survey._id);
    expect(await refusalOf(reopenSurvey(ctx, survey._id, { closesAt: null }))).to.equal('done');
    const secret = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
    await closeSurvey(ctx, secret._id);
    expect(await refusalOf(reopenSurvey(ctx, secret._id, { closesAt: null }))).to.equal('closed surveys.error.promise');
  });

  it('makes a new version once somebody has answered, and keeps the old one with the old answers', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const fewer = reviewSections.slice(0, 2);
    const same = await saveSections(ctx, survey._id, { revision: survey.revision, sections: reviewSections });
    expect(same.version).to.equal(1);
    await submitAnswer(ctx, inputFor(survey));
    const changed = await saveSections(ctx, survey._id, { revision: same.revision, sections: fewer });
    expect(changed.version).to.equal(2);
    expect((await getVersion(house.store, survey._id, 1)).sections).to.deep.equal(reviewSections);
    // Somebody who had the old page open loses nothing.
    expect(await refusalOf(submitAnswer(later(hour), inputFor(survey)))).to.equal('done');
    expect((await findAnswer(house.store, survey._id, answererOf(ctx, asked).key))?.version).to.equal(1);
  });

  it('keeps the questions of one of two who change them at once, before and after answers, and undoes', async () => {
    for (const isAnswered of [false, true]) {
      const survey = await buildSurvey(ctx, owner, [asked]);
      if (isAnswered) await submitAnswer(strangers, inputFor(survey));
      const { revision } = await getSurvey(ctx.store, survey._id);
      const cut = (count: number) => editSections(ctx, survey._id, revision, (all) => all.slice(0, count));
      const outcomes = await Promise.all([refusalOf(cut(1)), refusalOf(cut(2))]);
      const standing = outcomes.indexOf('done') + 1;
      expect(outcomes.toSorted()).to.deep.equal(['conflict surveys.error.changedMeanwhile', 'done']);
      const { version, revision: now } = await getSurvey(ctx.store, survey._id);
      expect(version).to.equal(isAnswered ? 2 : 1);
      const { sections } = await getVersion(ctx.store, survey._id, version);
      expect(sections.length).to.equal(standing);
      const undone = await undoEdit(ctx, survey._id, now);
      expect((await getVersion(ctx.store, survey._id, undone.version)).sections).to.deep.equal(reviewSections);
      const again = await undoEdit(ctx, survey._id, undone.revision);
      expect((await getVersion(ctx.store, survey._id, again.version)).sections).to.deep.equal(sections);
      const fresh = await buildSurvey(ctx, owner, [asked], { isDraft: true });
      expect(await refusalOf(undoEdit(ctx, fresh._id, fresh.revision))).to.match(/^conflict/);
    }
  });

  it('keeps its promises once it is open', async () => {
    const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
    const { title, intro, languages, invited, timeZone, opensAt, closesAt, late, reminders, revision } = survey;
    const same = { title, intro, languages, invited, timeZone, opensAt, closesAt, late, reminders, revision };
    const refused = (changes: Pick<Survey, 'names' | 'answerBy'>) =>
      refusalOf(saveSettings(ctx, survey._id, { ...same, ...changes }));
    expect(await refused({ names: 'named', answerBy: 'collective' })).to.equal('closed surveys.error.promise');
    expect(await refused({ names: 'anonymous', answerBy: 'person' })).to.equal('closed surveys.error.promise');
    expect(await refused({ names: 'anonymous', answerBy: 'collective' })).to.equal('done');
  });

  it('asks those whom it asked when it opened, whoever is added, taken away or renamed afterwards', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const { collective: newcomer } = await buildMember(house, 'member');
    await saveSettings(ctx, survey._id, { ...survey, invited: [invitedOf(ctx, newcomer)] });
    expect((await getSurvey(house.store, survey._id)).invited).to.deep.equal(survey.invited);
    const late = inputFor(survey, { answerer: answererOf(ctx, newcomer) });
    expect(await refusalOf(submitAnswer(ctx, late))).to.equal('not-allowed surveys.error.notAsked');
    const renamed = { ...answererOf(ctx, asked), name: 'Another name' };
    expect(await refusalOf(submitAnswer(ctx, inputFor(survey, { answerer: renamed })))).to.equal('done');
    expect(await countAnswers(house.store, survey)).to.equal(1);
  });

  it('keeps a draft of what can be read, until it is sent', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const { key } = answererOf(ctx, asked);
    await saveDraft(ctx, inputFor(survey, { raw: { hours: '4', load: 'nine' } }));
    expect((await findDraft(house.store, survey._id, key))?.values).to.deep.equal({ hours: { number: 4 } });
    await submitAnswer(ctx, inputFor(survey));
    expect(await findDraft(house.store, survey._id, key)).to.equal(null);
  });

  it('takes an answer back while it is open', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await submitAnswer(ctx, inputFor(survey));
    await withdrawAnswer(ctx, survey._id, answererOf(ctx, asked));
    expect(await hasAnswered(house.store, survey, answererOf(ctx, asked).key)).to.equal(false);
    await closeSurvey(ctx, survey._id);
    expect(await refusalOf(withdrawAnswer(ctx, survey._id, answererOf(ctx, asked)))).to.equal(
      'closed surveys.error.closed',
    );
  });

  describe('anonymous', () => {
    it('are told to the log when they closed with more ballots than have answered, or fewer', async () => {
      const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      await submitAnswer(strangers, inputFor(survey));
      const [ballot] = await ballotsIn(house.store).find({ surveyId: survey._id }).toArray();
      expect(await compareBallots(ctx)).to.equal(0);
      await closeSurvey(ctx, survey._id);
      expect(await compareBallots(ctx)).to.equal(0);
      await ballotsIn(house.store).insertOne({ ...ballot, _id: 'left-by-a-crash' } as NonNullable<typeof ballot>);
      expect(await compareBallots(ctx)).to.equal(1);
      const told = house.logged.findLast((line) => line.includes('not as many ballots'));
      expect(told).to.include(`"survey":"${survey._id}","ballots":2,"turnouts":1`).and.not.include(asked.handle);
      await ballotsIn(house.store).deleteMany({ surveyId: survey._id });
      expect(await compareBallots(ctx)).to.equal(1);
      expect(await compareBallots(later(8 * 24 * hour))).to.equal(0);
    });

    it('keeps who answered and what was answered apart, with nothing in common but the survey', async () => {
      const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      const { receipt, answer } = await submitAnswer(ctx, inputFor(survey));
      expect(answer).to.equal(null);
      const [ballot] = await ballotsIn(house.store).find({ surveyId: survey._id }).toArray();
      const [turnout] = await turnoutsIn(house.store).find({ surveyId: survey._id }).toArray();
      expect(Object.keys(ballot ?? {}).toSorted()).to.deep.equal(['_id', 'surveyId', 'values', 'version']);
      expect(turnout).to.deep.equal({
        _id: turnout?._id,
        surveyId: survey._id,
        key: answererOf(ctx, asked).key,
      });
      expect(await isCounted(ctx, survey._id, ` ${receipt?.toUpperCase()} `)).to.equal(true);
      expect(await isCounted(ctx, survey._id, 'ff')).to.equal(false);
      expect(await answersIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
      const told = (await eventsOf(house, 'surveys', survey._id)).map(({ type }) => type);
      expect(told).to.deep.equal(['survey.opened']);
    });

    it('keeps its questions once somebody has answered: a new one would tell who came before it and who after', async () => {
      const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      const edit = async (change: (sections: Section[]) => Section[]) => {
        const { revision } = await getSurvey(ctx.store, survey._id);
        return refusalOf(editSections(ctx, survey._id, revision, change));
      };
      const drop = (all: Section[]) => all.slice(0, -1);
      expect(await edit(drop)).to.equal('done');
      await submitAnswer(strangers, inputFor(survey, { raw: reviewAnswers.ecluse ?? {} }));
      const [first] = (await getVersion(ctx.store, survey._id, 1)).sections;
      expect(await edit(drop)).to.equal('closed surveys.error.anonymousChange');
      expect(await refusalOf(undoEdit(ctx, survey._id, (await getSurvey(ctx.store, survey._id)).revision))).to.equal(
        'closed surveys.error.anonymousChange',
      );
      expect(await edit((all) => all.map((one) => ({ ...one, title: { fr: 'Mieux dit' } })))).to.equal('done');
      expect((await getSurvey(ctx.store, survey._id)).version).to.equal(1);
      expect(first?.title).not.to.deep.equal((await getVersion(ctx.store, survey._id, 1)).sections[0]?.title);
    });

    it('asks nobody for their own services, whose names would tell who answered', async () => {
      const secret = { names: 'anonymous', sections: reviewSections } as const;
      const draft = await buildSurvey(ctx, owner, [asked], { ...secret, isDraft: true });
      expect(await refusalOf(openSurvey(ctx, draft._id))).to.equal('invalid surveys.error.anonymousServices');
      const open = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      const change = saveSections(ctx, open._id, { revision: open.revision, sections: reviewSections });
      expect(await refusalOf(change)).to.equal('invalid surveys.error.anonymousServices');
      const opensAt = new Date(ctx.now.getTime() + hour);
      const coming = await buildSurvey(ctx, owner, [asked], { opensAt });
      const { title, intro, languages, answerBy, invited, timeZone, closesAt, late, reminders, revision } = coming;
      const same = {
        title,
        intro,
        languages,
        answerBy,
        invited,
        timeZone,
        opensAt,
        closesAt,
        late,
        reminders,
        revision,
      };
      expect(await refusalOf(saveSettings(ctx, coming._id, { ...same, names: 'anonymous' }))).to.equal(
        'invalid surveys.error.anonymousServices',
      );
    });

    it('keeps no draft', async () => {
      const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      await saveDraft(ctx, inputFor(survey));
      expect(await draftsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
    });

    it('takes none that is written after the end, though it was looked at before: no two counts may be compared', async () => {
      const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      const late = { ...ctx, store: meanwhile('surveyTurnouts', () => closeSurvey(ctx, survey._id)) };
      expect(await refusalOf(submitAnswer(late, inputFor(survey)))).to.match(/^closed/);
      for (const kept of [ballotsIn, turnoutsIn, countedIn]) {
        expect(await kept(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
      }
    });

    it('is looked at again where its questions changed meanwhile, and lets none change under it', async () => {
      const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      const { sections } = await getVersion(house.store, survey._id, 1);
      const fewer = sections.slice(0, 1);
      const edit = async (revision: number) => saveSections(ctx, survey._id, { revision, sections: fewer });
      const slow = { ...ctx, store: meanwhile('surveyTurnouts', () => edit(survey.revision)) };
      await submitAnswer(slow, inputFor(survey));
      const [ballot] = await ballotsIn(house.store).find({ surveyId: survey._id }).toArray();
      const asks = new Set(fewer.flatMap(({ questions }) => questions.map(({ id }) => id)));
      expect(Object.keys(ballot?.values ?? {}).filter((id) => !asks.has(id))).to.deep.equal([]);

      const other = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      const store = meanwhile('surveys', () => submitAnswer(ctx, inputFor(other)), 'findOneAndUpdate');
      const late = saveSections({ ...ctx, store }, other._id, { revision: other.revision, sections: fewer });
      expect(await refusalOf(late)).to.match(/^closed surveys.error.anonymousChange/);
      expect((await getVersion(house.store, other._id, 1)).sections).to.deep.equal(sections);
    });

    it('takes one of fifty sent at once, and no second one', async () => {
      const survey = await buildSurvey(ctx, owner, [asked], { names: 'anonymous' });
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, () => refusalOf(submitAnswer(ctx, inputFor(survey)))),
      );
      expect(outcomes.filter((one) => one === 'done')).to.have.length(1);
      expect(new Set(outcomes)).to.deep.equal(new Set(['done', 'conflict surveys.error.alreadyCast']));
      expect(await ballotsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(1);
    });
  });

  it('publishes results when it is over', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const input = { readers: 'public' as const, hidden: ['stop'], notes: { fr: 'Merci.' } };
    const early = publishResults(ctx, survey._id, { ...input, revision: survey.revision });
    expect(await refusalOf(early)).to.equal('closed surveys.error.notClosedYet');
    await closeSurvey(ctx, survey._id);
    const { revision } = await getSurvey(house.store, survey._id);
    await publishResults(ctx, survey._id, { ...input, revision });
    expect((await getSurvey(house.store, survey._id)).results).to.deep.equal({ ...input, publishedAt: ctx.now });
  });

  it('is put away, taken back, and after 30 days gone with every answer', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await submitAnswer(ctx, inputFor(survey));
    await deleteSurvey(ctx, survey._id);
    expect(await refusalOf(submitAnswer(ctx, inputFor(survey)))).to.equal('gone surveys.error.gone');
    expect(await listOpenFor(house.store, [asked._id], ctx.now)).to.deep.equal([]);
    await restoreSurvey(ctx, survey._id);
    expect(await listOpenFor(house.store, [asked._id], ctx.now)).to.have.length(1);
    await deleteSurvey(ctx, survey._id);
    expect(await purgeSurveys(later(29 * 24 * hour))).to.equal(0);
    expect(await purgeSurveys(later(31 * 24 * hour))).to.equal(1);
    expect(await findSurvey(house.store, survey._id)).to.equal(null);
    expect(await answersIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
  });

  it('goes for good with everything that has its id, in every collection', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await submitAnswer(ctx, inputFor(survey));
    await saveDraft(ctx, inputFor(survey));
    const { _id: surveyId } = survey;
    const receipt = { surveyId, answerIri: 'a', surveyIri: 's', to: 't', isWithdrawal: false, refusal: null };
    await receiptsIn(house.store).insertOne({ _id: surveyId, ...receipt, sentAt: ctx.now, at: ctx.now });
    const poll = { _id: `poll-${surveyId}`, surveyId, state: 'closed' };
    await house.store.collection('fediPolls').insertOne(poll);
    const vote = { _id: `vote-${surveyId}`, pollId: poll._id };
    await house.store.collection('fediVotes').insertOne(vote);
    await eraseSurvey(house.store, surveyId);
    for (const name of Object.keys(allIndexes)) {
      const left = await house.store.collection(name).find({}).toArray();
      const naming = left.filter((one) => name !== 'changes' && JSON.stringify(one).includes(surveyId));
      expect(naming, name).to.deep.equal([]);
    }
  });

  it('keeps one of two drafts that two people save at once, and tells the other', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const save = (byName: string, seen: Date, ms: number) =>
      refusalOf(saveDraft(later(ms, strangers), { ...inputFor(survey), byName, seen }));
    const both = (seen: Date, ms: number) => Promise.all(['Noor', 'Kim'].map((name) => save(name, seen, ms)));
    expect((await both(new Date(0), 0)).toSorted()).to.deep.equal(['conflict surveys.draft.other', 'done']);
    await draftsIn(house.store).deleteMany({ surveyId: survey._id });
    expect(await save('Camille', new Date(0), 0)).to.equal('done');
    expect((await both(ctx.now, 1000)).toSorted()).to.deep.equal(['conflict surveys.draft.other', 'done']);
    expect(await save('Kim', later(1000).now, 2000)).to.equal('done');
  });

  it('is read by its new questions, also where an answer came while they were being written', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await surveysIn(house.store).updateOne(
      { _id: survey._id },
      { $inc: { revision: 1 }, $set: { changedAt: ctx.now } },
    );
    const between = await getSurvey(house.store, survey._id);
    const [first] = await readSections(house.store, between, 1, ctx.now);
    expect(first?.questions.length).to.be.greaterThan(1);
    await versionsIn(house.store).updateOne({ _id: `${survey._id}-1` }, { $set: { sections: [] } });
    expect(await readSections(house.store, between, 1, ctx.now)).to.deep.equal([]);
  });

  it('lets drafts go a month after their last change, once it has closed', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    await saveDraft(strangers, inputFor(survey));
    const month = 31 * 24 * hour;
    expect(await pruneDrafts(later(month))).to.equal(0);
    await closeSurvey(ctx, survey._id);
    expect(await pruneDrafts(later(month / 2))).to.equal(0);
    expect(await pruneDrafts(later(month))).to.equal(1);
    expect(await draftsIn(house.store).countDocuments({ surveyId: survey._id })).to.equal(0);
  });

  it('is duplicated with its questions, and remembers the edition before', async () => {
    const survey = await buildSurvey(ctx, owner, [asked]);
    const copy = await duplicateSurvey(ctx, survey._id);
    expect(copy).to.deep.include({ previousId: survey._id, state: 'draft', invited: survey.invited, version: 1 });
    expect((await getVersion(house.store, copy._id, 1)).sections).to.deep.equal(reviewSections);
  });
});
