// Small numbers of an anonymous survey: what fewer than five said is told nowhere (security.md AP-117).
import { expect } from 'chai';
import fc from 'fast-check';
import { compliance } from '../../../server/surveys/compliance.js';
import { crossable } from '../../../server/surveys/results.js';
import type { Question, Section, Values } from '../../../server/surveys/schema.js';
import { isUnanimous, withoutFew } from '../../../server/surveys/smallCounts.js';
import { type QuestionResult, Tally } from '../../../server/surveys/tally.js';

const shared = { label: { fr: 'Question' }, help: {}, required: false, showIf: null, criterion: '' };
const choices = ['a', 'b'].map((id) => ({ id, label: { fr: id } }));
const questions: Question[] = [
  { ...shared, id: 'one', kind: 'single', choices, other: true, min: null, max: null, criterion: 'INF-1' },
  { ...shared, id: 'size', kind: 'scale', from: 1, to: 5, fromLabel: {}, toLabel: {} },
  { ...shared, id: 'grid', kind: 'grid', rowsFrom: 'rows', rows: choices, choices },
  { ...shared, id: 'why', kind: 'longText' },
  { ...shared, id: 'day', kind: 'date' },
  { ...shared, id: 'order', kind: 'ranking', choices },
];
const sections: Section[] = [{ id: 's', title: {}, intro: {}, showIf: null, questions }];

function count(answers: readonly Values[]) {
  const tally = new Tally(sections);
  for (const values of answers) tally.add(values);
  return tally.result();
}
const told = (answers: readonly Values[]): QuestionResult[] =>
  withoutFew('anonymous', count(answers)).sections.flatMap((section) => section.questions);
const some = (times: number, values: Values): Values[] => Array.from({ length: times }, () => values);

const id = fc.constantFrom('a', 'b');
const anyAnswer: fc.Arbitrary<Values> = fc.record(
  {
    one: fc.record({ chosen: fc.uniqueArray(id, { maxLength: 1 }), other: fc.constantFrom('', 'zq-other') }),
    size: fc.record({ number: fc.integer({ min: 1, max: 5 }) }),
    grid: fc.record({
      rows: fc.uniqueArray(fc.record({ id, label: fc.constant(''), choice: id }), { selector: (row) => row.id }),
    }),
    why: fc.record({ text: fc.constantFrom('zq-text') }),
    day: fc.record({ text: fc.constantFrom('2026-01-02', '2026-03-04') }),
    order: fc.record({ ranked: fc.shuffledSubarray(['a', 'b'], { minLength: 2 }) }),
  },
  { requiredKeys: [] },
);

describe('of an anonymous survey', () => {
  it('no question, row or other text that fewer than five gave is told, whatever was answered', () => {
    fc.assert(
      fc.property(fc.array(anyAnswer, { maxLength: 14 }), (answers) => {
        const said = (key: string) => answers.filter((values) => values[key] !== undefined).length;
        for (const result of told(answers)) {
          if (said(result.question.id) < 5) {
            expect(Object.keys(result).sort()).to.deep.equal(['answered', 'isTooFew', 'question']);
            expect(result.answered).to.equal(0);
            continue;
          }
          for (const row of result.rows ?? []) {
            expect(row.counts.reduce((sum, one) => sum + one.count, 0)).to.be.at.least(5);
          }
          if (result.others !== undefined) expect(result.others.length).to.be.at.least(5);
          if (result.question.id === 'why') expect(result.texts).to.have.length(said('why'));
        }
      }),
    );
  });

  it('another survey tells all', () => {
    const counted = count([{ why: { text: 'zq' } }]);
    expect(withoutFew('named', counted)).to.equal(counted);
    expect(withoutFew('hiddenUntilClose', counted)).to.equal(counted);
  });

  it('what is not told measures no criterion, and is set against nothing', () => {
    const few = withoutFew('anonymous', count([...some(4, { one: { chosen: ['a'], other: '' } }), {}]));
    expect(compliance(few)).to.deep.equal([]);
    expect(crossable(few)).to.deep.equal([]);
    const many = withoutFew('anonymous', count(some(5, { one: { chosen: ['a'], other: '' } })));
    expect(compliance(many).map(({ share }) => share)).to.deep.equal([1]);
    expect(crossable(many).map((question) => question.id)).to.deep.equal(['one']);
  });

  it('an answer that all gave is known to be so', () => {
    const unanimous = (answers: readonly Values[]) =>
      told(answers)
        .filter(isUnanimous)
        .map(({ question }) => question.id);
    const same: Values = {
      one: { chosen: ['a'], other: '' },
      size: { number: 3 },
      grid: { rows: [{ id: 'a', label: '', choice: 'b' }] },
      why: { text: 'the same words' },
      day: { text: '2026-01-02' },
      order: { ranked: ['a', 'b'] },
    };
    expect(unanimous(some(5, same))).to.deep.equal(['one', 'size', 'grid', 'day', 'order']);
    const another: Values = {
      one: { chosen: ['b'], other: '' },
      size: { number: 4 },
      grid: { rows: [{ id: 'a', label: '', choice: 'a' }] },
      day: { text: '2026-03-04' },
      order: { ranked: ['b', 'a'] },
    };
    expect(unanimous([...some(5, same), another])).to.deep.equal([]);
  });
});
