// Results as plain data for templates: each question with its bars, its figures, or its first texts; and the words of one answer.
import type { Language } from '../context.js';
import { dateFormat, numberFormat } from '../formatters.js';
import type { Translate } from '../i18n.js';
import { compliance } from './compliance.js';
import { type Crossable, type CrossTable, keysOf } from './crossTable.js';
import { earlierId } from './earlier.js';
import { slotText } from './presentForm.js';
import type { TurnoutLine } from './results.js';
import { pickText } from './rules.js';
import type { NameRule, Question, Section, Survey, Texts, Value } from './schema.js';
import { isUnanimous } from './smallCounts.js';
import type { ChoiceCount, NumberFigures, QuestionResult, SurveyResult } from './tally.js';

/** In whose words. */
export interface Words {
  language: Language;
  languages: readonly string[];
  timeZone: string;
  t: Translate;
}

type Text = { text: string; lang: string };

interface Bar {
  label: Text;
  count: number;
  /** "33 %" */
  share: string;
  /** Of 100. */
  width: number;
  before: { count: number; share: string; width: number } | null;
}

export interface ResultsInput extends Words {
  names: NameRule;
  counted: SurveyResult;
  before: SurveyResult | null;
  /** Ids of the questions that others do not see; only organisers are told. */
  hidden: readonly string[];
  /** Address of the page with all texts of a question; null: there is none. */
  textsHref: ((question: string) => string) | null;
  chosenSlot: Survey['chosenSlot'];
  /** Shows the button that chooses a slot. */
  mayChoose: boolean;
}

/** What views/partials/surveyResults.hbs shows. */
export function presentResults(input: ResultsInput) {
  const earlier = new Map(
    (input.before?.sections ?? []).flatMap(({ questions }) => questions.map((one) => [one.question.id, one] as const)),
  );
  return {
    hasBefore: input.before !== null,
    axes: presentAxes(input),
    sections: input.counted.sections.map(({ section, questions }) => ({
      id: section.id,
      title:
        section.id === earlierId
          ? { text: input.t('surveys.results.noLongerAsked'), lang: input.language }
          : say(input, section.title),
      questions: questions.map((one) => presentQuestion(input, one, sameKind(one, earlier.get(one.question.id)))),
    })),
  };
}

/** What can be set beside it: the same sort of question, of a scale with the same steps. */
function sameKind({ question }: QuestionResult, before: QuestionResult | undefined): QuestionResult | null {
  if (before === undefined || before.isTooFew) return null;
  const then = before.question;
  if (question.kind === 'scale' && then.kind === 'scale') {
    return question.from === then.from && question.to === then.to ? before : null;
  }
  return then.kind === question.kind ? before : null;
}

function say({ language, languages }: Pick<Words, 'language' | 'languages'>, texts: Texts): Text {
  return pickText(texts, language, languages);
}

function presentQuestion(input: ResultsInput, result: QuestionResult, before: QuestionResult | null) {
  const { question, answered } = result;
  return {
    id: question.id,
    label: say(input, question.label),
    criterion: question.criterion,
    answered,
    total: input.counted.answers,
    answeredBefore: before?.answered ?? null,
    hasBefore: before !== null,
    hasBarsBefore: before !== null,
    isLeftOut: input.hidden.includes(question.id),
    isTooFew: result.isTooFew === true,
    isUnanimous: input.names === 'anonymous' && isUnanimous(result),
    ...(result.isTooFew ? {} : partsOf(input, result, before)),
  };
}

/** What one has to know of all its figures, in sentences. */
export function remarksOf({ names, answerBy }: { names: NameRule; answerBy: Survey['answerBy'] }): string[] {
  return [
    ...(answerBy === 'anyone' ? ['surveys.results.repeated'] : []),
    ...(names === 'anonymous' ? ['surveys.results.few'] : []),
  ];
}

function partsOf(input: ResultsInput, result: QuestionResult, before: QuestionResult | null): object {
  const { question } = result;
  switch (question.kind) {
    case 'single':
    case 'multiple':
      return {
        bars: choiceBars(input, result, before),
        texts: textsOf(input, result.others, result.others ? result.otherCount : 0, result),
      };
    case 'scale':
      return {
        bars: scaleBars(input, question, result, before),
        facts: factsOf(input, result.numbers, before?.numbers),
        ends: { from: say(input, question.fromLabel), to: say(input, question.toLabel) },
      };
    case 'number':
      return {
        // Steps of another width would not be the same.
        hasBarsBefore: false,
        bars: numberBars(input, result.numbers, result.answered, question.decimals),
        facts: factsOf(input, result.numbers, before?.numbers, {
          unit: say(input, question.unit),
          digits: question.decimals,
        }),
      };
    case 'ranking':
      return { ranking: rankingOf(input, result, before) };
    case 'grid':
      return { stack: gridOf(input, question, result) };
    case 'availability':
      return { stack: slotsOf(input, question, result), zone: input.timeZone };
    case 'date':
      return { days: daysOf(input, result.texts ?? []) };
    case 'shortText':
    case 'longText':
    case 'link':
      return { texts: textsOf(input, result.texts, result.answered, result) };
  }
}

function percent(language: Language, count: number, total: number): string {
  return total === 0
    ? '–'
    : numberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(count / total);
}

/** Of 100, with one digit: what an SVG needs. */
function width(count: number, total: number): number {
  return total === 0 ? 0 : Math.round((count / total) * 1000) / 10;
}

function bar(
  { language }: Words,
  label: Text,
  [count, total]: [number, number],
  before: [count: number, total: number] | null,
): Bar {
  const part = (some: number, all: number) => ({
    count: some,
    share: percent(language, some, all),
    width: width(some, all),
  });
  return { label, ...part(count, total), before: before && part(...before) };
}

function choiceBars(input: ResultsInput, result: QuestionResult, before: QuestionResult | null): Bar[] {
  const { question, answered } = result;
  if (question.kind !== 'single' && question.kind !== 'multiple') return [];
  const then = (id: string): [number, number] | null =>
    before && [before.choices?.find((one) => one.id === id)?.count ?? 0, before.answered];
  const bars = question.choices.map(({ id, label }) =>
    bar(input, say(input, label), [countOf(result.choices, id), answered], then(id)),
  );
  if (!question.other) return bars;
  const other = { text: input.t('surveys.results.other'), lang: input.language };
  return [
    ...bars,
    bar(input, other, [result.otherCount ?? 0, answered], before && [before.otherCount ?? 0, before.answered]),
  ];
}

function countOf(counts: readonly ChoiceCount[] | undefined, id: string): number {
  return counts?.find((one) => one.id === id)?.count ?? 0;
}

function scaleBars(
  input: ResultsInput,
  question: Extract<Question, { kind: 'scale' }>,
  { numbers, answered }: QuestionResult,
  before: QuestionResult | null,
): Bar[] {
  const at = (figures: NumberFigures | undefined, step: string) =>
    figures?.counts.find(({ number }) => String(number) === step)?.count ?? 0;
  // Steps that were there once and are no more were answered too: the bars add up to the answers.
  const counted = [numbers, before?.numbers].flatMap((one) => one?.counts ?? []).map(({ number }) => number);
  const all = [...new Set([...keysOf(question).map(Number), ...counted])].sort((a, b) => a - b);
  return all
    .map(String)
    .map((step) =>
      bar(
        input,
        { text: step, lang: input.language },
        [at(numbers, step), answered],
        before && [at(before.numbers, step), before.answered],
      ),
    );
}

/** More different numbers than these are put together in so many steps of the same width. */
const mostNumbers = 12;
const steps = 8;

function numberBars(input: ResultsInput, numbers: NumberFigures | undefined, answered: number, digits: number): Bar[] {
  const { counts = [], least, most } = numbers ?? {};
  const write = (number: number) => plainNumber(input.language, number, digits);
  const one = (text: string, count: number) => bar(input, { text, lang: input.language }, [count, answered], null);
  if (counts.length <= mostNumbers) return counts.map(({ number, count }) => one(write(number), count));
  const from = least ?? 0;
  const step = ((most ?? 0) - from) / steps;
  // One end for two neighbours: reckoned twice it would differ by a last binary digit, and what lies on it fall between.
  const edge = (index: number) => from + index * step;
  return Array.from({ length: steps }, (_, index) => {
    const [start, end] = [edge(index), edge(index + 1)];
    const isLast = index === steps - 1;
    const inside = counts.filter(({ number }) => number >= start && (isLast || number < end));
    const text = input.t(isLast ? 'surveys.results.range' : 'surveys.results.rangeBelow', {
      from: write(start),
      to: write(end),
    });
    return one(
      text,
      inside.reduce((sum, { count }) => sum + count, 0),
    );
  });
}

/** At most two digits after the comma, or as many as were asked for. */
function plainNumber(language: Language, number: number, digits = 0): string {
  return numberFormat(language, { maximumFractionDigits: Math.max(2, digits) }).format(number);
}

function factsOf(
  { language }: Words,
  numbers: NumberFigures | undefined,
  before: NumberFigures | undefined,
  { unit = null, digits = 0 }: { unit?: Text | null; digits?: number } = {},
) {
  if (!numbers || numbers.counts.length === 0) return null;
  const names = ['median', 'mean', 'least', 'most'] as const;
  return names.map((name) => ({
    key: `surveys.results.${name}`,
    value: plainNumber(language, numbers[name] ?? 0, digits),
    unit: unit?.text ? unit : null,
    before: before && before[name] !== null ? plainNumber(language, before[name], digits) : null,
  }));
}

function rankingOf(input: ResultsInput, { question, ranking = [] }: QuestionResult, before: QuestionResult | null) {
  if (question.kind !== 'ranking') return [];
  const most = Math.max(1, ...ranking.map(({ points }) => points));
  const place = (mean: number | null) => (mean === null || mean === 0 ? '–' : plainNumber(input.language, mean));
  return ranking.map(({ id, points, firsts, meanPlace }) => ({
    label: say(input, question.choices.find((one) => one.id === id)?.label ?? {}),
    points,
    firsts,
    meanPlace: place(meanPlace),
    width: width(points, most),
    before: before && place(before.ranking?.find((one) => one.id === id)?.meanPlace ?? null),
  }));
}

interface StackRow {
  label: Text;
  parts: { x: number; width: number; opacity: number }[];
  cells: { count: number; label: Text }[];
  slot: { value: string; isChosen: boolean } | null;
}

/** Rows of one bar each that is cut into parts, the darkest first. */
function stackOf(columns: readonly Text[], rows: { label: Text; counts: number[]; slot?: StackRow['slot'] }[]) {
  const opacity = (index: number) => Math.round((1 - (0.85 * index) / Math.max(1, columns.length - 1)) * 100) / 100;
  return {
    columns: columns.map((label, index) => ({ label, opacity: opacity(index) })),
    rows: rows.map(({ label, counts, slot = null }): StackRow => {
      const total = counts.reduce((sum, count) => sum + count, 0);
      let x = 0;
      const parts = counts.map((count, index) => {
        const part = { x, width: width(count, total), opacity: opacity(index) };
        x += part.width;
        return part;
      });
      const cells = counts.map((count, index) => ({ count, label: columns[index] ?? { text: '', lang: '' } }));
      return { label, parts: parts.filter((part) => part.width > 0), cells, slot };
    }),
    mayChoose: rows.some(({ slot }) => slot),
  };
}

function gridOf(input: ResultsInput, question: Extract<Question, { kind: 'grid' }>, { rows = [] }: QuestionResult) {
  const all = { text: input.t('surveys.results.allServices'), lang: input.language };
  const labelOf = (id: string) =>
    id === '' ? all : say(input, question.rows.find((row) => row.id === id)?.label ?? {});
  return stackOf(
    question.choices.map(({ label }) => say(input, label)),
    rows.map(({ id, counts }) => ({ label: labelOf(id), counts: counts.map(({ count }) => count) })),
  );
}

function slotsOf(
  input: ResultsInput,
  question: Extract<Question, { kind: 'availability' }>,
  { slots = [] }: QuestionResult,
) {
  const word = (key: string) => ({ text: input.t(key), lang: input.language });
  const { chosenSlot } = input;
  // Of an anonymous survey one that few have answered is not told.
  const shown =
    input.names === 'anonymous'
      ? question.slots.filter(({ id }) => slots.some((one) => one.id === id))
      : question.slots;
  return stackOf(
    [word('surveys.form.yes'), word('surveys.form.maybe'), word('surveys.form.no')],
    shown.map((slot) => {
      const { yes = 0, maybe = 0, no = 0 } = slots.find(({ id }) => id === slot.id) ?? {};
      const isChosen = chosenSlot?.question === question.id && chosenSlot.slot === slot.id;
      const choice = input.mayChoose || isChosen ? { value: `${question.id} ${slot.id}`, isChosen } : null;
      return { label: { text: slotText(slot, input), lang: input.language }, counts: [yes, maybe, no], slot: choice };
    }),
  );
}

function textsOf(input: ResultsInput, texts: readonly string[] = [], count = 0, { question }: QuestionResult) {
  if (count === 0) return null;
  return {
    items: texts.slice(0, 5),
    count,
    isLink: question.kind === 'link',
    href: input.textsHref?.(question.id) ?? null,
    isMore: count > Math.min(5, texts.length),
  };
}

/** Days by year and month, with how many; and the first and the last. */
function daysOf(input: ResultsInput, days: readonly string[]) {
  if (days.length === 0) return null;
  const months = new Map<string, number>();
  for (const day of days) months.set(day.slice(0, 7), (months.get(day.slice(0, 7)) ?? 0) + 1);
  const format = dateFormat(input.language === 'en' ? 'en-GB' : input.language, {
    year: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  });
  const most = Math.max(...months.values());
  return {
    first: days[0],
    last: days.at(-1),
    months: [...months].map(([month, count]) => ({
      label: format.format(new Date(`${month}-01T00:00:00Z`)),
      count,
      width: width(count, most),
    })),
  };
}

function presentAxes(input: ResultsInput) {
  const { answers } = input.counted;
  return compliance(input.counted).map(({ code, criteria, share }) => ({
    code,
    share: percent(input.language, share, 1),
    width: width(share, 1),
    criteria: criteria.map((one) => ({
      code: one.code,
      label: say(input, one.question.label),
      met: one.met,
      answers,
      share: percent(input.language, one.met, answers),
      width: width(one.met, answers),
    })),
  }));
}

/** What one collective said to each question that it was asked, in words. */
export function presentAnswer(words: Words, sections: readonly Section[], values: Readonly<Record<string, Value>>) {
  return sections.map((section) => ({
    title: say(words, section.title),
    questions: section.questions.map((question) => {
      const value = values[question.id];
      return { label: say(words, question.label), lines: value === undefined ? null : wordsOf(words, question, value) };
    }),
  }));
}

/** A value in words, a line for each thing that it says. */
export function wordsOf(words: Words, question: Question, value: Value): string[] {
  const labelOf = (list: readonly { id: string; label: Texts }[], id: string): string => {
    const found = list.find((one) => one.id === id);
    return found ? say(words, found.label).text : id;
  };
  if ('text' in value) return [question.kind === 'date' ? dayText(words, value.text) : value.text];
  if ('number' in value) {
    const unit = question.kind === 'number' ? say(words, question.unit).text : '';
    const number = plainNumber(words.language, value.number, question.kind === 'number' ? question.decimals : 0);
    return [unit === '' ? number : `${number} ${unit}`];
  }
  const choices = 'choices' in question ? question.choices : [];
  if ('chosen' in value) {
    const chosen = value.chosen.map((id) => labelOf(choices, id));
    return value.other === '' ? chosen : [...chosen, `${words.t('surveys.form.other')} ${value.other}`];
  }
  if ('ranked' in value) return value.ranked.map((id, index) => `${index + 1}. ${labelOf(choices, id)}`);
  if ('slots' in value) {
    const slots = question.kind === 'availability' ? question.slots : [];
    return value.slots.map(({ id, is }) => {
      const slot = slots.find((one) => one.id === id);
      return `${slot ? slotText(slot, words) : id} – ${words.t(`surveys.form.${is}`)}`;
    });
  }
  const rows = question.kind === 'grid' ? question.rows : [];
  return value.rows.map(({ id, label, choice }) => `${label || labelOf(rows, id)} – ${labelOf(choices, choice)}`);
}

function dayText({ language }: Words, day: string): string {
  const format = dateFormat(language === 'en' ? 'en-GB' : language, { dateStyle: 'long', timeZone: 'UTC' });
  return format.format(new Date(`${day}T00:00:00Z`));
}

export function presentTurnout(
  words: Words,
  lines: readonly TurnoutLine[],
  answerHref: ((id: string) => string) | null,
  missing: ReadonlyMap<string, readonly string[]> = new Map(),
) {
  if (lines.length === 0) return null;
  const rows = lines.map(({ invited, answered, asked, answerId }) => ({
    name: invited.name,
    missing: (missing.get(invited.iri) ?? []).join(', '),
    handle: invited.collectiveId === null ? `@${invited.handle}` : '',
    isMany: asked > 1,
    answered,
    asked,
    share: percent(words.language, answered, asked),
    state:
      answered === 0
        ? { kind: 'none', label: 'surveys.results.notYet' }
        : { kind: 'well', label: 'surveys.results.hasAnswered' },
    href: answerId === null ? null : (answerHref?.(answerId) ?? null),
  }));
  // Where each gives one answer, its share says no more than its state.
  return { lines: rows, hasMany: rows.some(({ isMany }) => isMany) };
}

export function presentCross(words: Words, table: CrossTable, names: Survey['names']) {
  const cells = table.cells(names);
  const label = (question: Crossable, key: string): Text => {
    if (question.kind === 'scale') return { text: key, lang: words.language };
    const choice = question.choices.find(({ id }) => id === key);
    return choice ? say(words, choice.label) : { text: words.t('surveys.results.other'), lang: words.language };
  };
  const columns = keysOf(table.columns).map((key) => label(table.columns, key));
  const most = Math.max(1, ...(cells ?? []).flat());
  return {
    rowsLabel: say(words, table.rows.label),
    columnsLabel: say(words, table.columns.label),
    answers: table.answers,
    isTooFew: cells === null,
    columns,
    rows: keysOf(table.rows).map((key, index) => ({
      label: label(table.rows, key),
      cells: (cells?.[index] ?? []).map((count, column) => ({
        count,
        label: columns[column] ?? { text: '', lang: '' },
        // 0 to 4: how dark it is.
        level: Math.ceil((count / most) * 4),
      })),
    })),
  };
}

/** The questions that can be set against each other, for two select fields. */
export function crossOptions(words: Words, questions: readonly Crossable[]) {
  return questions.map(({ id, label }) => ({ value: id, label: say(words, label).text }));
}
