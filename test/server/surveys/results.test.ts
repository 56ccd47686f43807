import { expect } from 'chai';
import { reviewAnswers, reviewSections } from '../../../jobs/roseauReview.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { saveSections } from '../../../server/surveys/actions/drafting.js';
import { closeSurvey, publishResults } from '../../../server/surveys/actions/running.js';
import { readAnswers } from '../../../server/surveys/answers.js';
import { compliance } from '../../../server/surveys/compliance.js';
import { CrossTable, isCrossable } from '../../../server/surveys/crossTable.js';
import { answersIn, getSurvey, getVersion } from '../../../server/surveys/queries.js';
import {
  countInFull,
  countResults,
  countsIn,
  findPublished,
  findResults,
  listTexts,
  listTurnout,
  withoutHidden,
} from '../../../server/surveys/results.js';
import type { Question, Survey, SurveyAnswer, Values } from '../../../server/surveys/schema.js';
import { Tally } from '../../../server/surveys/tally.js';
import { buildTestHouse, type TestHouse } from '../../support/appSupport.js';
import { buildMember } from '../collectives/collectiveSupport.js';
import { answererOf, buildSurvey } from './surveySupport.js';

const minute = 60_000;
const handles = Object.keys(reviewAnswers);
const organiser = { organises: true, isMember: true };
const member = { organises: false, isMember: true };
const stranger = { organises: false, isMember: false };

function questionOf(id: string): Question {
  const found = reviewSections.flatMap(({ questions }) => questions).find((one) => one.id === id);
  if (!found) throw new Error(`no question ${id}`);
  return found;
}

describe('results of a survey', () => {
  let house: TestHouse;
  let ctx: Context;
  let owner: Collective;
  let asked: Collective[];

  before(async () => {
    house = await buildTestHouse();
    asked = [];
    for (let n = 0; n < 7; n += 1) asked.push((await buildMember(house, 'member')).collective);
  });
  beforeEach(async () => {
    ({ ctx, collective: owner } = await buildMember(house, 'member'));
  });
  const later = (ms: number) => ({ ...ctx, now: new Date(ctx.now.getTime() + ms) });

  async function answer(
    survey: Survey,
    n: number,
    raw: Record<string, unknown> = reviewAnswers[handles[n] ?? ''] ?? {},
  ) {
    const who = asked[n];
    if (!who) throw new Error('nobody');
    const by = { by: 'p', byName: 'Camille', home: '', version: 1 };
    await submitAnswer(ctx, { surveyId: survey._id, answerer: answererOf(ctx, who), ...by, raw });
  }
  async function review(overrides: Parameters<typeof buildSurvey>[3] = {}, answers = 6): Promise<Survey> {
    const survey = await buildSurvey(ctx, owner, asked, overrides);
    for (let n = 0; n < answers; n += 1) await answer(survey, n);
    return survey;
  }
  const fresh = (survey: Survey) => getSurvey(house.store, survey._id);

  it('are those of the Revue 2026: 6 of 7, median 4, mean 2.83', async () => {
    const survey = await review();
    const results = await findResults(ctx, survey, organiser);
    expect(results).to.include({ answers: 6, asked: 7 });
    const all = results?.counted?.sections.flatMap(({ questions }) => questions) ?? [];
    const of = (id: string) => all.find(({ question }) => question.id === id);
    expect(of('hours')?.numbers?.median).to.equal(4);
    expect(of('load')?.numbers?.mean?.toFixed(2)).to.equal('2.83');
    expect(of('legal')?.choices?.map(({ count }) => count)).to.deep.equal([2, 1, 2, 1]);
    expect(of('tasks')).to.deep.include({ otherCount: 1, others: ['Traductions'] });
  });

  it('say who is missing first, and nothing of what the others answered', async () => {
    const survey = await review();
    const turnout = await listTurnout(ctx, survey);
    expect(turnout.map(({ answered }) => answered)).to.deep.equal([0, 1, 1, 1, 1, 1, 1]);
    expect(turnout[0]?.invited.collectiveId).to.equal(asked[6]?._id);
    expect(Object.keys(turnout[1] ?? {}).sort()).to.deep.equal(['answerId', 'answered', 'asked', 'invited']);
  });

  it('name no answer of an anonymous survey, though they say who has answered', async () => {
    const survey = await review({ names: 'anonymous' });
    const turnout = await listTurnout(ctx, survey);
    expect(turnout.map(({ answered, answerId }) => [answered, answerId])).to.deep.equal([
      [0, null],
      ...Array.from({ length: 6 }, () => [1, null]),
    ]);
  });

  describe('are for whom they are', () => {
    it('live for organisers where names are shown, for nobody else before they are published', async () => {
      const survey = await review();
      expect(await findResults(ctx, survey, organiser)).not.to.equal(null);
      expect(await findResults(ctx, survey, member)).to.equal(null);
      expect(await findPublished(ctx, survey)).to.equal(null);
    });

    for (const names of ['hiddenUntilClose', 'anonymous'] as const) {
      it(`after the end where they are ${names}`, async () => {
        const survey = await review({ names });
        expect(await findResults(ctx, survey, organiser)).to.equal(null);
        await closeSurvey(ctx, survey._id);
        expect((await findResults(ctx, await fresh(survey), organiser))?.counted).not.to.equal(null);
      });
    }

    it('without what is left out, once published; strangers see only what is for everybody', async () => {
      const survey = await review();
      await closeSurvey(ctx, survey._id);
      const publish = async (readers: 'members' | 'public' | 'organisers') => {
        const { revision } = await fresh(survey);
        await publishResults(ctx, survey._id, { revision, readers, hidden: ['stop', 'publish'], notes: {} });
      };
      await publish('members');
      expect(await findResults(ctx, await fresh(survey), stranger)).to.equal(null);
      const seen = await findResults(ctx, await fresh(survey), member);
      const ids = seen?.counted?.sections.flatMap(({ questions }) => questions.map(({ question }) => question.id));
      expect(ids).to.deep.equal(['hours', 'tasks', 'load', 'legal', 'modes', 'restore', 'room', 'slot']);
      expect(JSON.stringify(seen)).not.to.include('ordre du jour').and.not.to.include('May we publish');
      await publish('public');
      expect(await findResults(ctx, await fresh(survey), stranger)).to.deep.equal(seen);
      const told = await findPublished(ctx, await fresh(survey));
      expect(JSON.stringify(told)).not.to.include('ordre du jour').and.not.to.include('May we publish');
      await publish('organisers');
      expect(await findResults(ctx, await fresh(survey), member)).to.equal(null);
    });

    it('not for anybody of an anonymous survey with fewer than 5 answers', async () => {
      const few = await review({ names: 'anonymous' }, 4);
      await closeSurvey(ctx, few._id);
      expect(await findResults(ctx, await fresh(few), organiser)).to.deep.equal({
        answers: 4,
        asked: 7,
        counted: null,
        before: null,
      });
      // Published when answers were still there.
      const published = { ...few, results: { ...few.results, readers: 'public' as const, publishedAt: ctx.now } };
      expect(await findPublished(ctx, { ...published, state: 'closed' })).to.equal(null);
    });
  });

  it('stand beside those of the edition before, for strangers only where those are public too', async () => {
    const before = await review({}, 3);
    await closeSurvey(ctx, before._id);
    const survey = { ...(await review()), previousId: before._id };
    expect((await findResults(ctx, survey, organiser))?.before?.answers).to.equal(3);
    const published = { ...survey, results: { ...survey.results, readers: 'public' as const, publishedAt: ctx.now } };
    expect((await findResults(ctx, published, stranger))?.before).to.equal(null);
  });

  it('give texts by page, by word without regard to accents, and with names only where those may be known', async () => {
    const survey = await review();
    const stop = questionOf('stop');
    const all = await listTexts(house.store, survey, stop, { q: '', page: 1, withNames: true });
    expect(all).to.deep.include({ count: 3, page: 1, pages: 1 });
    expect(all.lines.every(({ by }) => by !== null)).to.equal(true);
    const found = await listTexts(house.store, survey, stop, { q: 'REUNIONS ordre', page: 9, withNames: false });
    expect(found.lines).to.deep.equal([{ text: 'Les réunions sans ordre du jour.', by: null }]);
    const hidden = { ...survey, names: 'hiddenUntilClose' as const };
    const unnamed = await listTexts(house.store, hidden, stop, { q: '', page: 1, withNames: true });
    expect(unnamed.lines.map(({ by }) => by)).to.deep.equal([null, null, null]);
  });

  describe('of many answers', () => {
    const size = 1_300;
    const value = (n: number): Values => ({
      hours: { number: n % 40 },
      load: { number: 1 + (n % 5) },
      stop: { text: `texte ${n % 7}` },
      restore: { text: `2026-0${1 + (n % 9)}-01` },
      tasks: { chosen: n % 2 === 0 ? ['welcome'] : ['minutes', 'treasury'], other: n % 10 === 0 ? 'autre' : '' },
      modes: { ranked: n % 3 === 0 ? ['consent', 'majority', 'judgement'] : ['judgement', 'majority', 'consent'] },
    });
    async function many(): Promise<Survey> {
      const survey = await buildSurvey(ctx, owner, [], { answerBy: 'anyone' });
      const answers = Array.from({ length: size }, (_, n): SurveyAnswer => {
        // Two of each moment: a part never ends between them.
        const at = new Date(ctx.now.getTime() + Math.floor(n / 2) * 10);
        const answerer = { kind: 'anyone' as const, key: `guest:${n}`, name: '', handle: '' };
        const said = { answerer, version: 1, values: value(n), by: '', byName: '', home: '', at, sentAt: at };
        return { _id: `${survey._id}-${n}`, surveyId: survey._id, ...said, edits: [], email: null, events: [] };
      });
      await answersIn(house.store).insertMany(answers);
      return survey;
    }
    /** What a look at every answer gives, with so few texts as a page shows. */
    async function expectRight(survey: Survey, at: Context) {
      const full = await countInFull(house.store, survey);
      const shown = await countResults(at, survey);
      const plain = (result: typeof full) => ({
        answers: result.answers,
        questions: result.sections.flatMap(({ questions }) =>
          questions.map(({ texts: _texts, others: _others, question, ...rest }) => ({
            ...rest,
            days: question.kind === 'date' ? _texts : null,
          })),
        ),
      });
      expect(plain(shown)).to.deep.equal(plain(full));
      const texts = shown.sections
        .flatMap(({ questions }) => questions)
        .find(({ question }) => question.id === 'stop')?.texts;
      expect(texts).to.have.length(5);
    }
    const partsOf = (survey: Survey) => countsIn(house.store).countDocuments({ surveyId: survey._id });

    it('are kept in parts and the same, also after corrections, withdrawals and new questions', async () => {
      const survey = await many();
      await expectRight(survey, later(10 * minute));
      expect(await partsOf(survey)).to.equal(2);
      // Kept ones are really read: what stands in them shows.
      await expectRight(survey, later(10 * minute));

      const moved = later(20 * minute).now;
      await answersIn(house.store).updateOne(
        { _id: `${survey._id}-3` },
        { $set: { at: moved, values: { hours: { number: 39 } } } },
      );
      await expectRight(survey, later(30 * minute));
      await answersIn(house.store).deleteOne({ _id: `${survey._id}-700` });
      await expectRight(survey, later(30 * minute));

      const { sections } = await getVersion(house.store, survey._id, 1);
      const fewer = sections.map((section) => ({
        ...section,
        questions: section.questions.filter(({ id }) => id !== 'load'),
      }));
      await saveSections(ctx, survey._id, { revision: (await fresh(survey)).revision, sections: fewer });
      await expectRight(await fresh(survey), later(30 * minute));
    });

    it('keep nothing of what people wrote', async () => {
      const survey = await many();
      await expectRight(survey, later(10 * minute));
      const parts = await countsIn(house.store).find({ surveyId: survey._id }).toArray();
      expect(parts).to.have.length(2);
      expect(JSON.stringify(parts)).not.to.include('texte').and.not.to.include('autre');
    });

    it('are counted from kept parts: a part that is put there shows', async () => {
      const survey = await many();
      await countResults(later(10 * minute), survey);
      const part = await countsIn(house.store).findOne({ surveyId: survey._id });
      const other = JSON.stringify({ answers: part?.answers ?? 0, counters: [] });
      await countsIn(house.store).updateOne({ _id: part?._id ?? '' }, { $set: { part: other } });
      const shown = await countResults(later(10 * minute), survey);
      const hours = shown.sections
        .flatMap(({ questions }) => questions)
        .find(({ question }) => question.id === 'hours');
      expect(hours?.answered).to.equal(size - (part?.answers ?? 0));
    });

    it('keep no part of what was written within the last minute', async () => {
      const survey = await many();
      await expectRight(survey, ctx);
      expect(await partsOf(survey)).to.equal(0);
    });
  });
});

describe('a charter in a survey', () => {
  it('is met by yes, by three quarters of a scale, by a date; not by silence', () => {
    const asked = { label: { fr: 'Q' }, help: {}, required: false, showIf: null };
    const choices = [
      { id: 'no', label: { fr: 'Non' } },
      { id: 'yes', label: { fr: 'Oui' } },
    ];
    const ends = { from: 1, to: 5, fromLabel: {}, toLabel: {} };
    const sections = [
      {
        id: 's',
        title: {},
        intro: {},
        showIf: null,
        questions: [
          {
            ...asked,
            id: 'a',
            kind: 'single' as const,
            criterion: 'INF-1',
            choices,
            other: false,
            min: null,
            max: null,
          },
          { ...asked, id: 'b', kind: 'scale' as const, criterion: 'INF-2', ...ends },
          { ...asked, id: 'c', kind: 'date' as const, criterion: 'LIB-1' },
          { ...asked, id: 'd', kind: 'date' as const, criterion: '' },
        ],
      },
    ];
    const tally = new Tally(sections);
    const say = (raw: Record<string, unknown>) => tally.add(readAnswers(sections, raw).values);
    say({ a: 'yes', b: '4', c: '2026-01-01' });
    say({ a: 'no', b: '3', d: '2026-01-01' });
    expect(
      compliance(tally.result()).map(({ code, share, criteria }) => [code, share, criteria.map(({ met }) => met)]),
    ).to.deep.equal([
      ['INF', 0.5, [1, 1]],
      ['LIB', 0.5, [1]],
    ]);
  });
});

describe('two questions against each other', () => {
  const legal = questionOf('legal');
  const load = questionOf('load');
  if (!isCrossable(legal) || !isCrossable(load)) throw new Error('not these');

  it('count who said both, and of an anonymous survey tell nothing where a cell is small', () => {
    const table = new CrossTable(legal, load);
    for (const raw of Object.values(reviewAnswers)) table.add(readAnswers(reviewSections, raw).values);
    table.add({ legal: { chosen: ['yes'], other: '' } });
    expect(table.answers).to.equal(6);
    expect(table.cells('named')).to.deep.equal([
      [0, 0, 1, 1, 0],
      [0, 1, 0, 0, 0],
      [0, 0, 2, 0, 0],
      [0, 1, 0, 0, 0],
    ]);
    expect(table.cells('anonymous')).to.equal(null);
    const large = new CrossTable(legal, load);
    for (let n = 0; n < 5; n += 1) large.add({ legal: { chosen: ['yes'], other: '' }, load: { number: 1 } });
    expect(large.cells('anonymous')?.[0]).to.deep.equal([5, 0, 0, 0, 0]);
  });
});

describe('what is left out of results', () => {
  it('takes sections with it that have nothing else', () => {
    const results = { readers: 'public' as const, publishedAt: null, hidden: ['slot', 'publish'], notes: {} };
    const counted = withoutHidden({ results }, new Tally(reviewSections).result());
    expect(counted.sections.map(({ section }) => section.id)).to.deep.equal(['work', 'rules', 'services']);
    expect(JSON.stringify(counted)).not.to.include('Preferred slot');
  });
});
