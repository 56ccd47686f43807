// The form of a question: what it holds is what is read again, and each mistake stands at its field.
import { expect } from 'chai';
import { reviewSections } from '../../../jobs/roseauReview.js';
import { questionValues, readQuestion, withLines } from '../../../server/surveys/editForms.js';
import type { Question } from '../../../server/surveys/schema.js';
import { templateNames, templateOf } from '../../../server/surveys/templates.js';

const now = new Date('2026-05-21T10:00:00Z');
const zone = 'Europe/Paris';
const every: Question[] = [
  ...reviewSections,
  ...templateNames.flatMap((name) => templateOf(name, now, zone).sections),
].flatMap(({ questions }) => questions);
const input = { id: 'q1', languages: ['fr', 'en'], timeZone: zone, before: every };
const wrong = (kind: Question['kind'], raw: Record<string, unknown>) =>
  readQuestion(kind, raw, input).errors.map(({ field, message }) => `${field} ${message.key}`);
const label = { fr: 'Quoi ?', en: '' };

describe('the form of a question', () => {
  it('gives back every question that was put into it', () => {
    expect(new Set(every.map(({ kind }) => kind)).size).to.be.greaterThan(8);
    for (const question of every) {
      const values = questionValues(question, 's', zone);
      const read = readQuestion(question.kind, values, { ...input, id: question.id });
      expect(read.value, question.id).to.deep.equal(question);
    }
  });

  it('takes many choices at once, one a line, after those that are there', () => {
    const choices = { 0: { id: 'c1', label: { fr: 'Un' } }, 1: { label: { fr: '' } }, 2: { label: {} } };
    const raw = withLines({ label, choices, choicesLines: ' Deux \r\n\nTrois' }, ['fr', 'en']);
    const { value } = readQuestion('single', raw, input);
    const found = value?.kind === 'single' ? value.choices : [];
    expect(found.map((one) => one.label)).to.deep.equal([{ fr: 'Un' }, { fr: 'Deux' }, { fr: 'Trois' }]);
    expect(found[0]?.id).to.equal('c1');
    expect(raw.choicesLines).to.equal('');
  });

  it('takes many slots at once, and gives back the lines that say none', () => {
    const slotsLines = ['2026-12-10 19:00-20:30', '10/12/2026 9h', '1.6.2026, 08:00 – 09:15', 'Tuesday'].join('\n');
    const raw = withLines({ label, slotsLines }, ['fr']);
    expect(Object.values(raw.slots as object)).to.deep.equal([
      { date: '2026-12-10', start: '19:00', end: '20:30' },
      { date: '2026-12-10', start: '09:00', end: '' },
      { date: '2026-06-01', start: '08:00', end: '09:15' },
    ]);
    expect(raw.slotsLines).to.equal('Tuesday');
    expect(wrong('availability', raw)).to.deep.equal(['slotsLines surveys.error.slotLines']);
    expect(wrong('availability', { ...raw, slotsLines: '' })).to.deep.equal([]);
  });

  it('says at each field what is wrong with it', () => {
    expect(wrong('shortText', { label: { fr: ' ' } })).to.deep.equal(['label.fr shape.required']);
    const one = { 0: { label: { fr: 'Oui' } }, 1: { label: { fr: '', en: ' ' } } };
    expect(wrong('single', { label, choices: one })).to.deep.equal(['choices surveys.error.choices']);
    const long = { 0: { label: { fr: 'a' } }, 3: { label: { fr: 'x'.repeat(501) } } };
    expect(wrong('ranking', { label, choices: long })).to.deep.equal(['choices.3.label.fr shape.tooLong']);
    expect(wrong('number', { label, min: 'few', max: '3,5' })).to.deep.equal(['min surveys.answer.number']);
    const slots = {
      0: { date: '2026-02-30', start: '10:00' },
      1: { date: '2026-06-02', start: '10:00', end: '09:00' },
    };
    expect(wrong('availability', { label, slots })).to.deep.equal([
      'slots.0.date surveys.error.moment',
      'slots.1.end surveys.error.slotEnds',
    ]);
  });

  it('reads conditions about what comes before, and asks for the choices or the number that they lack', () => {
    const given = (showIf: object) => readQuestion('date', { label, showIf }, input);
    expect(given({ on: 'hours|atLeast', number: '2,5' }).value?.showIf).to.deep.include({
      test: 'atLeast',
      number: 2.5,
    });
    expect(given({ on: 'legal|oneOf', values: ['legal|later', 'tasks|minutes'] }).value?.showIf?.values).to.deep.equal([
      'later',
    ]);
    expect(given({ on: 'legal|oneOf' }).errors[0]?.field).to.equal('showIf.values');
    expect(given({ on: 'hours|atMost', number: '' }).errors[0]?.field).to.equal('showIf.number');
    expect(given({ on: 'elsewhere|answered' }).errors[0]?.field).to.equal('showIf.on');
    expect(given({ on: '' }).value?.showIf).to.equal(null);
  });

  it('orders rows by their places, drops those left empty, and keeps the identifiers', () => {
    const choices = {
      0: { id: 'one', place: '3', label: { fr: 'Un' } },
      1: { id: 'two', place: '1', label: { fr: 'Deux' } },
      2: { id: 'gone', place: '2', label: { fr: '' } },
      10: { id: '', place: '2', label: { fr: 'Neuf' } },
    };
    const { value } = readQuestion('single', { label, choices }, input);
    const ids = value?.kind === 'single' ? value.choices.map(({ id }) => id) : [];
    expect(ids[0]).to.equal('two');
    expect(ids[1]).to.match(/^c[0-9a-f]{8}$/);
    expect(ids[2]).to.equal('one');
  });
});
