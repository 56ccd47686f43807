// What was answered to questions and choices that are asked no more stays in results and files.
import { expect } from 'chai';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { submitAnswer } from '../../../server/surveys/actions/answering.js';
import { editSections } from '../../../server/surveys/actions/drafting.js';
import { compliance } from '../../../server/surveys/compliance.js';
import { earlierId, withEarlier } from '../../../server/surveys/earlier.js';
import { answersCsv, listExportRows } from '../../../server/surveys/exports.js';
import { getSurvey } from '../../../server/surveys/queries.js';
import { countInFull, countResults } from '../../../server/surveys/results.js';
import type { Question, Section, Survey } from '../../../server/surveys/schema.js';
import { Tally } from '../../../server/surveys/tally.js';
import { buildTestHouse, type TestHouse } from '../../support/appSupport.js';
import { buildMember } from '../collectives/collectiveSupport.js';
import { answererOf, buildSurvey } from './surveySupport.js';

const base = { help: {}, required: false, showIf: null, criterion: '' };
const single = (choices: string[]): Question => ({
  ...{ ...base, id: 'town', label: { fr: 'Ville' }, kind: 'single', other: false, min: null, max: null },
  choices: choices.map((id) => ({ id, label: { fr: `La ${id}` } })),
});
const text = (id: string): Question => ({
  ...base,
  id,
  label: { fr: `Texte ${id}` },
  kind: 'shortText',
  criterion: 'A-1',
});
const sectionOf = (...questions: Question[]): Section[] => [{ id: 's', title: {}, intro: {}, showIf: null, questions }];

const ranking = (choices: string[]): Question => ({
  ...{ ...base, id: 'order', label: { fr: 'Ordre' }, kind: 'ranking' },
  choices: choices.map((id) => ({ id, label: { fr: id } })),
});

describe('the mean place of what was not always there to be ranked', () => {
  it('is that among the answers which ranked it', () => {
    const tally = new Tally(withEarlier(sectionOf(ranking(['a', 'b', 'c'])), []));
    tally.add({ order: { ranked: ['a', 'b'] } });
    tally.add({ order: { ranked: ['a', 'b'] } });
    const again = new Tally(tally.sections);
    again.addPart(JSON.parse(JSON.stringify(tally.part())));
    again.add({ order: { ranked: ['c', 'b', 'a'] } });
    const [result] = again.result().sections[0]?.questions ?? [];
    const places = new Map(result?.ranking?.map(({ id, meanPlace }) => [id, meanPlace]));
    expect(places.get('c')).to.equal(1);
    expect(places.get('b')).to.equal(2);
    expect(places.get('a')).to.be.closeTo(5 / 3, 1e-9);
  });
});

describe('what a survey asks no more', () => {
  let house: TestHouse;
  let ctx: Context;
  let owner: Collective;
  let asked: Collective[];
  let survey: Survey;

  const answer = async (at: number, raw: Record<string, unknown>) => {
    const { version } = await getSurvey(house.store, survey._id);
    const answerer = answererOf(ctx, asked[at] as Collective);
    await submitAnswer(ctx, { surveyId: survey._id, answerer, by: '', byName: '', home: '', version, raw });
  };
  const edit = async (sections: Section[]) => {
    const { revision } = await getSurvey(house.store, survey._id);
    await editSections(ctx, survey._id, revision, () => sections);
    survey = await getSurvey(house.store, survey._id);
  };

  before(async () => {
    house = await buildTestHouse();
    ({ ctx, collective: owner } = await buildMember(house, 'member'));
    asked = [];
    for (let at = 0; at < 3; at += 1) asked.push((await buildMember(house, 'member')).collective);
    survey = await buildSurvey(ctx, owner, asked, {
      sections: sectionOf(single(['a', 'b', 'c']), text('old'), text('idle')),
    });
    await answer(0, { town: 'c', old: 'before' });
    await edit(sectionOf(single(['a', 'b']), text('new')));
    await answer(1, { town: 'a', new: 'now' });
  });

  it('stays counted: choices beside those of now, questions apart, and nothing that nobody had answered', async () => {
    for (const counted of [await countResults(ctx, survey), await countInFull(house.store, survey)]) {
      const [now, earlier, ...more] = counted.sections;
      expect(more).to.deep.equal([]);
      expect(now?.questions[0]?.choices).to.deep.equal([
        { id: 'a', count: 1 },
        { id: 'b', count: 0 },
        { id: 'c', count: 1 },
      ]);
      expect(earlier?.section.id).to.equal(earlierId);
      expect(earlier?.questions.map(({ question, texts }) => [question.id, texts])).to.deep.equal([
        ['old', ['before']],
      ]);
      expect(compliance(counted)[0]?.criteria.map(({ question }) => question.id)).to.deep.equal(['new']);
    }
  });

  it('stands in files under its own words', async () => {
    const { sections } = await countInFull(house.store, survey);
    const rows = await listExportRows(house.store, survey);
    const words = { language: 'fr' as const, languages: ['fr'], timeZone: 'UTC', t: house.i18n.translator('fr') };
    const parts = sections.map(({ section }) => section);
    const [head, first, second] = answersCsv(words, survey, parts, rows).trim().split('\r\n');
    expect(head?.split(',').slice(-3)).to.deep.equal(['Ville', 'Texte new', 'Texte old']);
    expect(first?.split(',').slice(-3)).to.deep.equal(['La c', '', 'before']);
    expect(second?.split(',').slice(-3)).to.deep.equal(['La a', 'now', '']);
  });

  it('is left out once its answer is corrected', async () => {
    await answer(0, { town: 'b' });
    const [now, ...more] = (await countResults(ctx, survey)).sections;
    expect(more).to.deep.equal([]);
    expect(now?.questions[0]?.choices?.map(({ id }) => id)).to.deep.equal(['a', 'b']);
  });
});
