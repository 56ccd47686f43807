// Answers as a table and as JSON, for those who organise: one row an answer. Of an anonymous survey no row is an answer: each
// column is shuffled by itself, what few have said is left out, and JSON has counts only.
import { randomInt } from 'node:crypto';
import { toCsv } from '../formats/csv.js';
import { writeOds } from '../formats/ods.js';
import type { Store } from '../store/store.js';
import { slotText } from './presentForm.js';
import { type Words, wordsOf } from './presentResults.js';
import { answersIn, ballotsIn } from './queries.js';
import { fewestAnonymous, pickText } from './rules.js';
import type { Question, Section, Survey, SurveyAnswer, Texts, Value, Values } from './schema.js';
import type { SurveyResult } from './tally.js';

/** One answer as a file has it; who and when is missing where nobody may know. */
export interface ExportRow {
  who: { name: string; handle: string; instance: string; at: Date } | null;
  version: number;
  values: Values;
}

/** Every answer, the first one first; of an anonymous survey in no order. */
export async function listExportRows(store: Store, survey: Survey): Promise<ExportRow[]> {
  const filter = { surveyId: survey._id };
  if (survey.names === 'anonymous') {
    const rows: ExportRow[] = [];
    for await (const { version, values } of ballotsIn(store).find(filter)) rows.push({ who: null, version, values });
    return rows;
  }
  const rows: ExportRow[] = [];
  for await (const answer of answersIn(store).find(filter, { sort: { at: 1 } })) rows.push(namedRow(answer));
  return rows;
}

function namedRow({ answerer, home, at, version, values }: SurveyAnswer): ExportRow {
  return { who: { name: answerer.name, handle: answerer.handle, instance: home, at }, version, values };
}

/** With chance that cannot be foreseen. */
function shuffled<T>(cells: readonly T[]): T[] {
  const left = [...cells];
  return cells.flatMap(() => left.splice(randomInt(left.length), 1));
}

type Cell = string | number | null;

interface Column {
  header: string;
  value(row: ExportRow): Cell;
}

/** One column a question, or one for each choice, row or slot of it; numbers stay numbers. */
function columnsOf(words: Words, sections: readonly Section[], names: Survey['names']): Column[] {
  const questions = sections
    .flatMap((section) => section.questions)
    .flatMap((question) => questionColumns(words, question));
  const { t } = words;
  if (names === 'anonymous') return questions;
  return [
    { header: t('surveys.export.name'), value: ({ who }) => who?.name ?? '' },
    { header: t('surveys.export.handle'), value: ({ who }) => who?.handle ?? '' },
    { header: t('surveys.export.instance'), value: ({ who }) => who?.instance ?? '' },
    { header: t('surveys.export.at'), value: ({ who }) => who?.at.toISOString() ?? '' },
    ...questions,
  ];
}

function questionColumns(words: Words, question: Question): Column[] {
  const said = (texts: Texts) => pickText(texts, words.language, words.languages).text;
  const label = said(question.label);
  const column = (part: string, read: (value: Value) => string | number | null): Column => ({
    header: part === '' ? label : `${label} – ${part}`,
    value: ({ values }) => {
      const value = values[question.id];
      return value === undefined ? null : read(value);
    },
  });
  const other = column(words.t('surveys.results.other'), (value) => ('other' in value ? value.other : null));
  switch (question.kind) {
    case 'shortText':
    case 'longText':
    case 'date':
    case 'link':
      return [column('', (value) => ('text' in value ? value.text : null))];
    case 'number':
    case 'scale':
      return [column('', (value) => ('number' in value ? value.number : null))];
    case 'single': {
      const choice = column('', (value) =>
        'chosen' in value ? (wordsOf(words, question, { ...value, other: '' })[0] ?? null) : null,
      );
      return question.other ? [choice, other] : [choice];
    }
    case 'multiple': {
      const chosen = question.choices.map(({ id, label: choice }) =>
        column(said(choice), (value) => ('chosen' in value ? Number(value.chosen.includes(id)) : null)),
      );
      return question.other ? [...chosen, other] : chosen;
    }
    case 'ranking':
      return question.choices.map(({ id, label: choice }) =>
        column(said(choice), (value) => ('ranked' in value ? value.ranked.indexOf(id) + 1 || null : null)),
      );
    case 'grid':
      return gridColumns(words, question, column);
    case 'availability':
      return question.slots.map((slot) =>
        column(slotText(slot, words), (value) => {
          const is = 'slots' in value ? value.slots.find(({ id }) => id === slot.id)?.is : undefined;
          return is === undefined ? null : words.t(`surveys.form.${is}`);
        }),
      );
  }
}

function gridColumns(
  words: Words,
  question: Extract<Question, { kind: 'grid' }>,
  column: (part: string, read: (value: Value) => string | null) => Column,
): Column[] {
  if (question.rowsFrom === 'services') return [column('', (value) => wordsOf(words, question, value).join('\n'))];
  const said = (texts: Texts | undefined) => pickText(texts ?? {}, words.language, words.languages).text;
  return question.rows.map((row) =>
    column(said(row.label), (value) => {
      const choice = 'rows' in value ? value.rows.find(({ id }) => id === row.id)?.choice : undefined;
      return choice === undefined ? null : said(question.choices.find(({ id }) => id === choice)?.label);
    }),
  );
}

interface Table {
  head: string[];
  rows: Cell[][];
}

function tableOf(words: Words, survey: Survey, sections: readonly Section[], rows: readonly ExportRow[]): Table {
  const columns = columnsOf(words, sections, survey.names).map(({ header, value }) => ({
    header,
    cells: rows.map(value),
  }));
  const told = survey.names === 'anonymous' ? columns.filter(isTold).map(mixed) : columns;
  return {
    head: told.map(({ header }) => header),
    rows: rows.map((_row, place) => told.map(({ cells }) => cells[place] ?? null)),
  };
}

function isTold({ cells }: { cells: readonly Cell[] }): boolean {
  return cells.filter((cell) => cell !== null && cell !== '').length >= fewestAnonymous;
}

function mixed<C extends { cells: Cell[] }>(column: C): C {
  return { ...column, cells: shuffled(column.cells) };
}

export function answersCsv(
  words: Words,
  survey: Survey,
  sections: readonly Section[],
  rows: readonly ExportRow[],
): string {
  const table = tableOf(words, survey, sections, rows);
  const columns = table.head.map((header, place) => ({ header, value: (row: Cell[]) => row[place] }));
  return toCsv(table.rows, columns, { bom: true });
}

export async function answersOds(
  words: Words,
  survey: Survey,
  sections: readonly Section[],
  rows: readonly ExportRow[],
): Promise<Buffer> {
  const { head, rows: cells } = tableOf(words, survey, sections, rows);
  const name = pickText(survey.title, words.language, words.languages).text;
  return writeOds([{ name, rows: [head, ...cells] }]);
}

/** Counts by question, for programs. */
export function countsJson(survey: Survey, counted: SurveyResult, asked: number | null): object {
  const { _id, title, languages, timeZone, answerBy, names, state, openedAt, closedAt } = survey;
  return {
    survey: { id: _id, title, languages, timeZone, answerBy, names, state, openedAt, closedAt },
    notes: survey.results.notes,
    chosenSlot: survey.chosenSlot,
    asked,
    answers: counted.answers,
    sections: counted.sections.map(({ section, questions }) => ({
      id: section.id,
      title: section.title,
      questions: questions.map((one) => (one.isTooFew ? { question: one.question, isTooFew: true } : one)),
    })),
  };
}

/** Counts, and each answer as it was given, unless they are anonymous. */
export function answersJson(
  survey: Survey,
  counted: SurveyResult,
  asked: number | null,
  rows: readonly ExportRow[],
): object {
  const counts = countsJson(survey, counted, asked);
  if (survey.names === 'anonymous') return counts;
  return { ...counts, each: rows.map(({ who, version, values }) => ({ ...who, version, values })) };
}
