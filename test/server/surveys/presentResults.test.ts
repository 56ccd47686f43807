// How results are put into words, where rounding or an earlier edition could make them wrong.
import { expect } from 'chai';
import { loadI18n } from '../../../server/i18n.js';
import { viewsDir } from '../../../server/paths.js';
import { presentResults, wordsOf } from '../../../server/surveys/presentResults.js';
import type { Question, Section, Values } from '../../../server/surveys/schema.js';
import { Tally } from '../../../server/surveys/tally.js';

const base = { help: {}, required: false, showIf: null, criterion: '', label: { en: 'Question' } };
const fine: Question = { ...base, id: 'q', kind: 'number', min: null, max: null, decimals: 4, unit: {} };
const scale = (to: number): Question => {
  return { ...base, id: 'q', kind: 'scale', from: 1, to, fromLabel: {}, toLabel: {} };
};
const sectionOf = (question: Question): Section[] => [
  { id: 's', title: {}, intro: {}, showIf: null, questions: [question] },
];

function counted(question: Question, ...numbers: number[]) {
  const tally = new Tally(sectionOf(question));
  for (const number of numbers) tally.add({ q: { number } } satisfies Values);
  return tally.result();
}

describe('results in words', () => {
  const t = loadI18n(`${viewsDir}/locales`).translator('en');
  const words = { language: 'en' as const, languages: ['en'], timeZone: 'UTC', t };
  const rest = { names: 'named' as const, hidden: [], textsHref: null, chosenSlot: null, mayChoose: false };
  const shown = (question: Question, numbers: number[], before: Parameters<typeof counted> | null = null) => {
    const earlier = before === null ? null : counted(...before);
    const results = presentResults({ ...words, ...rest, counted: counted(question, ...numbers), before: earlier });
    return results.sections[0]?.questions[0] as unknown as {
      bars: { label: { text: string }; count: number; before: unknown }[];
      facts: { key: string; value: string; before: string | null }[];
      hasBefore: boolean;
    };
  };

  it('give as many digits as a question asks for', () => {
    expect(wordsOf(words, fine, { number: 0.1234 })).to.deep.equal(['0.1234']);
    const { bars, facts } = shown(fine, [0.0001, 0.0002]);
    expect(bars.map(({ label }) => label.text)).to.deep.equal(['0.0001', '0.0002']);
    expect(facts.map(({ value }) => value)).to.deep.equal(['0.0002', '0.0002', '0.0001', '0.0002']);
  });

  it('count each number in one bar, also where the steps between have no end', () => {
    const question: Question = { ...fine, decimals: 2 };
    const numbers = Array.from({ length: 17 }, (_, index) => Math.round(index * 5) / 100);
    const { bars } = shown(question, numbers);
    expect(bars.reduce((sum, { count }) => sum + count, 0)).to.equal(17);
  });

  it('have a bar for steps that a scale has no more: they add up to the answers', () => {
    const { bars } = shown(scale(3), [1, 3, 5, 10, 10]);
    expect(bars.map(({ label, count }) => [label.text, count])).to.deep.equal([
      ...[
        ['1', 1],
        ['2', 0],
        ['3', 1],
        ['5', 1],
        ['10', 2],
      ],
    ]);
  });

  it('compare a scale with an earlier one only where it has the same steps', () => {
    expect(shown(scale(5), [3], [scale(5), 4])).to.have.property('hasBefore', true);
    const other = shown(scale(5), [3], [scale(10), 8]);
    expect(other.hasBefore).to.equal(false);
    expect(other.facts.map(({ before }) => before)).to.deep.equal(Array(4).fill(null));
  });
});
