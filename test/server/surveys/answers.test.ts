import { expect } from 'chai';
import fc from 'fast-check';
import { reviewAnswers, reviewSections } from '../../../jobs/roseauReview.js';
import { askedSections, readAnswers } from '../../../server/surveys/answers.js';
import { type Question, type Section, sectionsShape } from '../../../server/surveys/schema.js';
import { Tally } from '../../../server/surveys/tally.js';

const base = { help: {}, required: false, showIf: null, criterion: '', label: { fr: 'Question' } };
const choices = ['c1', 'c2', 'c3'].map((id) => ({ id, label: { fr: id } }));
const sectionOf = (...questions: Question[]): Section[] => [{ id: 's', title: {}, intro: {}, showIf: null, questions }];
const single: Question = { ...base, id: 'q', kind: 'single', choices, other: true, min: null, max: null };
const several: Question = { ...base, id: 'q', kind: 'multiple', choices, other: true, min: 2, max: 2 };
const amount: Question = { ...base, id: 'q', kind: 'number', min: 0, max: 40, decimals: 1, unit: {} };
const scale: Question = { ...base, id: 'q', kind: 'scale', from: 1, to: 5, fromLabel: {}, toLabel: {} };
const ranking: Question = { ...base, id: 'q', kind: 'ranking', choices };
const rows = [
  { id: 'r1', label: { fr: 'un' } },
  { id: 'r2', label: { fr: 'deux' } },
];
const grid: Question = { ...base, id: 'q', kind: 'grid', rowsFrom: 'rows', rows, choices };
const services: Question = { ...base, id: 'q', kind: 'grid', rowsFrom: 'services', rows: [], choices };
const slots = ['d1', 'd2'].map((id) => ({ id, startsAt: new Date(0), endsAt: null }));
const availability: Question = { ...base, id: 'q', kind: 'availability', slots };
const text = (kind: 'shortText' | 'longText' | 'date' | 'link'): Question => ({ ...base, id: 'q', kind });

/** What one raw answer to one question becomes: its value, or the key of the error. */
function read(question: Question, raw: unknown) {
  const { values, errors } = readAnswers(sectionOf(question), { q: raw });
  return errors[0]?.message.key ?? values.q ?? null;
}

describe('answers to a survey', () => {
  const table: [string, Question, unknown, unknown][] = [
    ['a text, trimmed', text('shortText'), ' oui ', { text: 'oui' }],
    ['a short text of two lines', text('shortText'), 'a\nb', 'shape.invalid'],
    ['a text that is too long', text('shortText'), 'a'.repeat(301), 'shape.tooLong'],
    ['a text with a control character', text('longText'), 'a\u0000b', 'shape.controlCharacter'],
    ['no text', text('longText'), '  ', null],
    ['a day', text('date'), '2026-02-28', { text: '2026-02-28' }],
    ['a day that does not exist', text('date'), '2026-02-30', 'shape.day'],
    ['an address', text('link'), 'https://a.example/x', { text: 'https://a.example/x' }],
    ['a script as address', text('link'), 'javascript:alert(1)', 'shape.url'],
    ['a number written in French', amount, '1 2,5'.replace('1 2', '12'), { number: 12.5 }],
    ['a number with too many digits', amount, '1,25', 'surveys.answer.decimals'],
    ['a number that is too large', amount, '41', 'surveys.answer.tooLarge'],
    ['a negative number', amount, '-1', 'surveys.answer.tooSmall'],
    ['an exponent', amount, '1e9', 'surveys.answer.number'],
    ['minus zero', amount, '-0', { number: 0 }],
    ['a step of the scale', scale, '5', { number: 5 }],
    ['a step beyond the scale', scale, '6', 'surveys.answer.scale'],
    ['a half step', scale, '2.5', 'surveys.answer.scale'],
    ['one choice', single, 'c2', { chosen: ['c2'], other: '' }],
    ['two choices of one', single, ['c1', 'c2'], 'surveys.answer.onlyOne'],
    ['an option that does not exist', single, 'c9', 'surveys.answer.option'],
    ['something else, in words', single, { is: 'other', other: ' autre ' }, { chosen: [], other: 'autre' }],
    ['something else without words', single, { is: 'other', other: '' }, 'surveys.answer.other'],
    ['words of something else that was not chosen', single, { is: 'c1', other: 'x' }, { chosen: ['c1'], other: '' }],
    ['words of something else that was not ticked', single, { other: 'x' }, { chosen: [], other: 'x' }],
    ['words of something else after which none was chosen', single, { is: '', other: 'x' }, null],
    ['words of something else beside a box', several, { is: 'c1', other: 'x' }, { chosen: ['c1'], other: 'x' }],
    ['several, in the order of the question', several, ['c3', 'c1'], { chosen: ['c1', 'c3'], other: '' }],
    ['the same box twice', several, ['c1', 'c1'], 'surveys.answer.tooFew'],
    ['too many', several, ['c1', 'c2', 'c3'], 'surveys.answer.tooMany'],
    ['10,000 options', several, Array.from({ length: 10_000 }, () => 'c1'), 'shape.invalid'],
    ['places', ranking, { c1: '2', c2: '3', c3: '1' }, { ranked: ['c3', 'c1', 'c2'] }],
    ['a place twice', ranking, { c1: '1', c2: '1', c3: '2' }, 'surveys.answer.ranking'],
    ['a place missing', ranking, { c1: '1', c2: '2', c3: '' }, 'surveys.answer.ranking'],
    ['no places', ranking, { c1: '', c2: '', c3: '' }, null],
    ['rows', grid, { r1: 'c1', r2: '' }, { rows: [{ id: 'r1', label: '', choice: 'c1' }] }],
    ['a row that does not exist', grid, { r9: 'c1' }, 'surveys.answer.option'],
    [
      'services with their names',
      services,
      { pads: { label: 'Pads', choice: 'c1' } },
      { rows: [{ id: 'pads', label: 'Pads', choice: 'c1' }] },
    ],
    ['a service without a name', services, { pads: { choice: 'c1' } }, 'surveys.answer.option'],
    ['slots', availability, { d1: 'yes', d2: '' }, { slots: [{ id: 'd1', is: 'yes' }] }],
    ['an answer to a slot that does not exist', availability, { d1: 'perhaps' }, 'surveys.answer.option'],
    ['a list where a text belongs', text('shortText'), ['a'], 'shape.invalid'],
    ['an object where a number belongs', amount, { a: 1 }, 'shape.invalid'],
    ['no number', amount, ' ', null],
  ];
  for (const [name, question, raw, expected] of table) {
    it(`reads ${name}`, () => expect(read(question, raw)).to.deep.equal(expected));
  }

  it('says how much is too much, in what is counted', () => {
    const many = Array.from({ length: 61 }, (_, index) => [`r${index}`, 'c1']);
    const given: [Question, unknown, number][] = [
      [grid, Object.fromEntries(many), 60],
      [availability, Object.fromEntries(many), 60],
      [several, ['c1', 'c2', 'c3'], 2],
      [several, { is: ['c1', 'other'], other: 'a'.repeat(301) }, 300],
      [text('link'), `https://a.example/${'a'.repeat(2000)}`, 2000],
    ];
    for (const [question, raw, max] of given) {
      const { errors } = readAnswers(sectionOf(question), { q: raw });
      expect(errors[0]?.message.params?.max, question.kind).to.equal(max);
    }
  });

  it('reads what it has read once more as the same', () => {
    for (const [, question, raw] of table) {
      const first = read(question, raw);
      if (first !== null && typeof first === 'object') expect(read(question, first)).to.deep.equal(first);
    }
  });

  it('names the question that was needed and left out; a draft may leave it out', () => {
    const sections = sectionOf({ ...scale, required: true });
    expect(readAnswers(sections, {}).errors.map(({ field }) => field)).to.deep.equal(['a.q']);
    expect(readAnswers(sections, {}, { partial: true }).errors).to.deep.equal([]);
  });

  it('asks and keeps only what the conditions show, chains of them too', () => {
    const when = (question: string, ...values: string[]) => ({
      question,
      test: 'oneOf' as const,
      values,
      number: null,
    });
    const sections = sectionOf(
      { ...single, id: 'a' },
      { ...single, id: 'b', showIf: when('a', 'c1') },
      { ...text('shortText'), id: 'c', required: true, showIf: when('b', 'c2') },
    );
    const raw = { a: 'c1', b: 'c2', c: 'oui' };
    expect(Object.keys(readAnswers(sections, raw).values)).to.deep.equal(['a', 'b', 'c']);
    const changed = readAnswers(sections, { ...raw, a: 'c3' });
    expect(changed.errors).to.deep.equal([]);
    expect(Object.keys(changed.values)).to.deep.equal(['a']);
    const shown = askedSections(sections, changed.values).flatMap(({ questions }) => questions.map(({ id }) => id));
    expect(shown).to.deep.equal(['a']);
  });

  it('refuses, from another instance, answers to what was not asked and to what does not exist', () => {
    const condition = { question: 'a', test: 'oneOf' as const, values: ['c1'], number: null };
    const sections = sectionOf({ ...single, id: 'a' }, { ...single, id: 'b', showIf: condition });
    const { errors } = readAnswers(sections, { a: 'c2', b: 'c1', z: 'x' }, { strict: true });
    expect(errors.map(({ field, message }) => `${field} ${message.key}`)).to.deep.equal([
      'a.b surveys.answer.notAsked',
      'a surveys.answer.unknown',
    ]);
  });

  it('never throws and never keeps what it would not read again, whatever is sent', () => {
    const ids = reviewSections.flatMap(({ questions }) => questions.map(({ id }) => id));
    const anything = fc.dictionary(fc.constantFrom(...ids, '__proto__', 'constructor'), fc.jsonValue());
    fc.assert(
      fc.property(anything, (raw) => {
        const { values } = readAnswers(reviewSections, raw, { partial: true });
        const again = readAnswers(reviewSections, values, { partial: true });
        expect(again.values).to.deep.equal(values);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the results of the Revue 2026', () => {
  const readOf = (handle: string) => readAnswers(reviewSections, reviewAnswers[handle] ?? {}, { strict: true });
  const tally = (handles: readonly string[]) => {
    const counted = new Tally(reviewSections);
    for (const handle of handles) counted.add(readOf(handle).values);
    return counted.result();
  };
  const handles = Object.keys(reviewAnswers);
  const resultOf = (id: string) =>
    tally(handles)
      .sections.flatMap(({ questions }) => questions)
      .find(({ question }) => question.id === id);

  it('takes every answer', () => {
    for (const handle of handles) expect(readOf(handle).errors, handle).to.deep.equal([]);
    expect(tally(handles).answers).to.equal(6);
  });

  it('counts hours: median 4', () => {
    const { median, mean, sum, least, most } = resultOf('hours')?.numbers ?? {};
    expect({ median, mean, sum, least, most }).to.deep.equal({ median: 4, mean: 29 / 6, sum: 29, least: 2, most: 10 });
  });

  it('counts the load: mean 2.83', () => {
    expect(resultOf('load')?.numbers?.mean?.toFixed(2)).to.equal('2.83');
  });

  it('counts the legal person: 2 yes, 1 no, 2 later, 1 without opinion', () => {
    expect(resultOf('legal')?.choices).to.deep.equal([
      { id: 'yes', count: 2 },
      { id: 'no', count: 1 },
      { id: 'later', count: 2 },
      { id: 'none', count: 1 },
    ]);
  });

  it('counts ranks, services, slots, and what was written', () => {
    const points = resultOf('modes')?.ranking?.map(({ id, points: given, firsts }) => `${id} ${given} ${firsts}`);
    expect(points).to.deep.equal(['consent 8 3', 'judgement 4 1', 'majority 3 1']);
    expect(resultOf('room')?.rows).to.deep.equal([
      {
        id: '',
        counts: [
          { id: 'yes', count: 1 },
          { id: 'few', count: 0 },
          { id: 'no', count: 1 },
        ],
      },
    ]);
    expect(resultOf('slot')?.slots).to.deep.equal([
      { id: 'thu', yes: 4, maybe: 1, no: 1 },
      { id: 'fri', yes: 3, maybe: 1, no: 2 },
      { id: 'sat', yes: 1, maybe: 1, no: 4 },
    ]);
    expect(resultOf('tasks')?.others).to.deep.equal(['Traductions']);
    expect(resultOf('stop')?.texts).to.have.length(3);
  });

  it('is the same in whatever order the answers come', () => {
    const expected = tally(handles);
    fc.assert(
      fc.property(fc.shuffledSubarray(handles, { minLength: handles.length }), (shuffled) => {
        expect(tally(shuffled)).to.deep.equal(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the mean of tenths exact', () => {
    const tenths: Question = { ...amount, id: 'q' };
    const counted = new Tally(sectionOf(tenths));
    for (const number of [0.1, 0.2, 0.3]) counted.add({ q: { number } });
    const [first] = counted.result().sections[0]?.questions ?? [];
    expect(first?.numbers?.sum).to.equal(0.6);
  });
});

describe('questions', () => {
  it('are never called what every object has by itself', () => {
    const named = (id: string) => [{ id: 's', questions: [{ id, kind: 'shortText', label: { fr: 'Quoi ?' } }] }];
    expect(sectionsShape.safeParse(named('constructors')).success).to.equal(true);
    for (const id of ['constructor', '__proto__', 'toString']) {
      expect(sectionsShape.safeParse(named(id)).success, id).to.equal(false);
    }
  });
});
