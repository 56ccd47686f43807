// The forms with which organisers write a survey: what stands in their fields, and what is read from them. Pure: names of fields
// are those of views/surveys/{settings,question,section}.hbs.
import { z } from 'zod';
import { DomainError, type Message } from '../errors.js';
import { type FieldError, fieldErrors } from '../http/form.js';
import { checkbox, languageList, line } from '../shapes.js';
import { isTimeZone, localTime, momentOf } from '../zonedTime.js';
import { newPartId } from './arrange.js';
import {
  answererKinds,
  type Choice,
  type Condition,
  conditionTests,
  lateRules,
  limits,
  nameRules,
  type Question,
  type QuestionKind,
  questionKinds,
  questionShape,
  type Section,
  type Slot,
  sectionShape,
  type Texts,
  textsShape,
} from './schema.js';
import { templateNames } from './templates.js';

type Raw = Readonly<Record<string, unknown>>;

const partId = z.string().regex(/^[a-z][a-z0-9]{0,19}$/);
export const surveyParams = z.object({ id: z.uuid(), survey: z.uuid() });
export const questionParams = surveyParams.extend({ question: partId });
export const sectionParams = surveyParams.extend({ section: partId });
export const newQuestionQuery = z.object({ kind: z.enum(questionKinds), section: partId });
export const listQuery = z.object({ page: z.coerce.number().int().min(1).max(1000).default(1) });
export const previewQuery = z.object({ version: z.coerce.number().int().min(1).max(limits.versions).optional() });

const revision = z.coerce.number().int().min(1);
/** save: keep it. more: show more empty rows, or the choices of the question that a condition is about; nothing is kept. */
const step = z.enum(['save', 'more']).default('save');
const typed = z.string().max(20_000).optional();
const typedTexts = z.record(z.string(), z.string().max(20_000)).optional();
const typedRow = z.object({ id: typed, place: typed, label: typedTexts, date: typed, start: typed, end: typed });
const typedRows = z.union([z.record(z.string(), typedRow), z.array(typedRow)]).optional();
/** What a form of a part sends, each field once; what it says is read by readQuestion and readSection. */
export const partForm = z.looseObject({
  ...{ revision, step, kind: typed, section: typed, criterion: typed, required: typed, other: typed, rowsFrom: typed },
  ...{ min: typed, max: typed, decimals: typed, from: typed, to: typed },
  ...{ label: typedTexts, help: typedTexts, unit: typedTexts, fromLabel: typedTexts, toLabel: typedTexts },
  ...{ choicesLines: typed, rowsLines: typed, slotsLines: typed },
  ...{ title: typedTexts, intro: typedTexts, choices: typedRows, rows: typedRows, slots: typedRows },
  showIf: z
    .looseObject({ on: typed, number: typed, values: z.union([z.string(), z.array(z.string())]).optional() })
    .optional(),
});
export const newQuestionForm = partForm.extend({ kind: z.enum(questionKinds) });
export const endForm = z.object({ revision, closesAt: z.string().max(40).default('') });

/** "up question q1", "remove section s1", "undo". */
export const editDeed = z.object({
  revision,
  deed: z.string().regex(/^(undo|(place|up|down|duplicate|remove) (question|section) [a-z][a-z0-9]{0,19})$/),
  /** With "place": where it is to stand among those beside it, from 1. */
  place: z.coerce
    .number('surveys.error.place')
    .int('surveys.error.place')
    .min(1, 'surveys.error.place')
    .max(1000)
    .optional(),
});

const titles = textsShape(200).transform(withoutEmpty);
export const newSurveyForm = z.object({
  template: z.enum(templateNames).default('empty'),
  title: titles.default({}),
});

const severalOf = z
  .union([z.string().max(1000), z.array(z.string().max(1000)).max(limits.invited)])
  .default([])
  .transform((given) => [given].flat());

export const settingsForm = z.object({
  revision,
  title: titles.refine((title) => Object.keys(title).length > 0, 'shape.required'),
  intro: textsShape(limits.intro).transform(withoutEmpty).default({}),
  /** Check boxes, or codes in one text. */
  languages: z.preprocess(
    (given) => (Array.isArray(given) ? given.filter((one) => typeof one === 'string').join(',') : (given ?? '')),
    languageList,
  ),
  /** The one in which it was written. */
  firstLanguage: z.string().max(20).default(''),
  /** Codes of those that are not offered. */
  otherLanguages: languageList.default([]),
  /** filter: shows the form again with the hosters whose name holds the words; nothing is kept. */
  step: z.enum(['save', 'filter']).default('save'),
  filter: z.string().max(100).default(''),
  // Missing when what was promised can no longer change: such fields are shown, and not sent.
  answerBy: z.enum(answererKinds).optional(),
  names: z.enum(nameRules).optional(),
  listed: checkbox,
  invited: severalOf,
  elsewhere: severalOf,
  allHere: checkbox,
  /** Addresses of hosters elsewhere, one a line. */
  others: z.string().max(5000, 'shape.tooLong').default(''),
  timeZone: line(60).refine(isTimeZone, 'shape.timeZone'),
  opensAt: z.string().max(40).default(''),
  closesAt: z.string().max(40).default(''),
  late: z.enum(lateRules).default('refuse'),
  reminders: z.object({ halfTime: checkbox, twoDays: checkbox, lastDay: checkbox }).default({
    halfTime: false,
    twoDays: false,
    lastDay: false,
  }),
});

/** The languages that the form says, the first one first. Refuses: invalid. */
export function languagesOf({ languages, firstLanguage, otherLanguages }: LanguageChoice): string[] {
  const all = [...new Set([...languages, ...otherLanguages])];
  const field = 'languages';
  if (all.length === 0) throw new DomainError('invalid', 'shape.required', { field });
  if (all.length > limits.languages) throw new DomainError('invalid', 'surveys.error.tooManyLanguages', { field });
  return all.includes(firstLanguage) ? [firstLanguage, ...all.filter((tag) => tag !== firstLanguage)] : all;
}

type LanguageChoice = Pick<z.output<typeof settingsForm>, 'languages' | 'firstLanguage' | 'otherLanguages'>;

function withoutEmpty(texts: Texts): Texts {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

/** A moment of a form; '' is null. An error where it is none. */
export function readMoment(written: string, timeZone: string): Date | null | 'wrong' {
  if (written.trim() === '') return null;
  return momentOf(written, timeZone) ?? 'wrong';
}

export type Read<T> = { value: T; errors: [] } | { value: null; errors: FieldError[] };

export interface ReadFor {
  /** Of the question; new ones get theirs before. */
  id: string;
  languages: readonly string[];
  /** In it slots are written. */
  timeZone: string;
  /** What a condition may be about. */
  before: readonly Question[];
}

/** Reads the form of one question. Errors bear the names of its fields. */
export function readQuestion(kind: QuestionKind, raw: Raw, input: ReadFor): Read<Question> {
  const numbers = new Numbers(raw);
  const choices = rowsOf(raw.choices).filter(isFilledRow).sort(byPlace);
  const rows = rowsOf(raw.rows).filter(isFilledRow).sort(byPlace);
  const slots = rowsOf(raw.slots).filter(isFilledSlot);
  const candidate = {
    kind,
    id: input.id,
    label: textsOf(raw.label),
    help: textsOf(raw.help),
    required: isOn(raw.required),
    criterion: String(raw.criterion ?? ''),
    showIf: readCondition(raw.showIf),
    other: isOn(raw.other),
    choices: choices.map(({ row }) => choiceOf(row)),
    rows: rows.map(({ row }) => choiceOf(row)),
    rowsFrom: raw.rowsFrom === 'services' ? 'services' : 'rows',
    slots: slots.map(({ row }) => slotOf(row, input.timeZone)),
    unit: textsOf(raw.unit),
    fromLabel: textsOf(raw.fromLabel),
    toLabel: textsOf(raw.toLabel),
    ...numbers.of(kind),
  };
  const parsed = questionShape.safeParse(candidate);
  const wrong = [
    ...numbers.errors,
    ...conditionErrors(candidate.showIf, input.before),
    ...slotErrors(slots, candidate.slots),
    ...(raw.slotsLines ? [{ field: 'slotsLines', message: { key: 'surveys.error.slotLines' } }] : []),
  ];
  if (parsed.success && wrong.length === 0) return { value: parsed.data, errors: [] };
  const places = { choices, rows, slots };
  const found = parsed.success ? [] : fieldErrors(parsed.error).map((error) => placed(error, places, input.languages));
  const said = new Set(wrong.map(({ field }) => field));
  return { value: null, errors: [...wrong, ...found.filter(({ field }) => !said.has(field))] };
}

/** Reads what a section says of itself. */
export function readSection(raw: Raw, input: Omit<ReadFor, 'timeZone'>): Read<Omit<Section, 'questions'>> {
  const { id, languages, before } = input;
  const showIf = readCondition(raw.showIf);
  const parsed = sectionShape
    .omit({ questions: true })
    .safeParse({ id, title: textsOf(raw.title), intro: textsOf(raw.intro), showIf });
  const wrong = conditionErrors(showIf, before);
  if (parsed.success && wrong.length === 0) return { value: parsed.data, errors: [] };
  const found = parsed.success ? [] : fieldErrors(parsed.error).map((error) => placed(error, {}, languages));
  return { value: null, errors: [...wrong, ...found] };
}

/**
 * What was written one a line becomes rows after those that are there: choices and rows in the first language, slots as
 * "2026-12-10 19:00 20:30" or "10/12/2026 19h-20h30". Lines that say no slot stay as they are, and are refused.
 */
export function withLines(raw: Raw, [first = 'fr']: readonly string[]): Raw {
  const lines = (name: string) =>
    String(raw[`${name}Lines`] ?? '')
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter(Boolean);
  const slots = lines('slots').map((line) => [line, slotOfLine(line)] as const);
  const added: Record<string, Raw[]> = {
    choices: lines('choices').map((line) => ({ label: { [first]: line } })),
    rows: lines('rows').map((line) => ({ label: { [first]: line } })),
    slots: slots.flatMap(([, slot]) => (slot === null ? [] : [slot])),
  };
  const all = Object.entries(added)
    .filter(([, more]) => more.length > 0)
    .map(([name, more]) => [name, appended(raw[name], more)]);
  const left = slots.filter(([, slot]) => slot === null).map(([line]) => line);
  return { ...raw, ...Object.fromEntries(all), choicesLines: '', rowsLines: '', slotsLines: left.join('\n') };
}

/** After the last row in which something stands. */
function appended(given: unknown, more: readonly Raw[]): Raw {
  const rows = rowsOf(given).filter((one) => isFilledRow(one) || isFilledSlot(one));
  const next = (rows.at(-1)?.at ?? -1) + 1;
  return Object.fromEntries([
    ...rows.map(({ at, row }) => [at, row]),
    ...more.map((row, index) => [next + index, row] as const),
  ]);
}

const slotLine =
  /^(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[/.](\d{1,2})[/.](\d{4}))[\s,]+(\d{1,2})[:h](\d{2})?(?:\s*[-–\s]\s*(\d{1,2})[:h](\d{2})?)?$/;

function slotOfLine(line: string): Raw | null {
  const found = slotLine.exec(line);
  if (found === null) return null;
  const [, y1, m1, d1, d2, m2, y2, hour = '', minute = '00', endHour, endMinute = '00'] = found;
  const two = (part = '') => part.padStart(2, '0');
  return {
    date: `${y1 ?? y2}-${two(m1 ?? m2)}-${two(d1 ?? d2)}`,
    start: `${two(hour)}:${minute}`,
    end: endHour === undefined ? '' : `${two(endHour)}:${endMinute}`,
  };
}

/** "choices.1.label" of what was read -> "choices.4.label.fr" of the form; a text that is missing is asked in the first language. */
function placed(
  { field, message }: FieldError,
  places: Readonly<Record<string, readonly Row[]>>,
  [first = 'fr']: readonly string[],
): FieldError {
  const parts = field.split('.');
  const [list = '', index] = parts;
  const row = places[list]?.[Number(index)];
  if (row && index !== undefined) parts[1] = String(row.at);
  const last = parts[parts.length - 1] ?? '';
  if (['label', 'title', 'help', 'intro', 'unit', 'fromLabel', 'toLabel'].includes(last)) parts.push(first);
  return { field: parts.join('.'), message };
}

interface Row {
  /** Its number in the form. */
  at: number;
  row: Raw;
}

/** Rows as a form sends them, an object by number, or as a list. */
function rowsOf(given: unknown): Row[] {
  if (!isObject(given) && !Array.isArray(given)) return [];
  return Object.entries(given)
    .flatMap(([at, row]) => (isObject(row) && /^\d{1,3}$/.test(at) ? [{ at: Number(at), row }] : []))
    .sort((a, b) => a.at - b.at);
}

function isFilledRow({ row }: Row): boolean {
  return Object.values(textsOf(row.label)).some((text) => text.trim() !== '');
}

function isFilledSlot({ row }: Row): boolean {
  return String(row.date ?? '').trim() !== '' || String(row.start ?? '').trim() !== '';
}

function byPlace(a: Row, b: Row): number {
  const place = ({ row, at }: Row) => Number(row.place) || at + 1;
  return place(a) - place(b) || a.at - b.at;
}

function choiceOf(row: Raw): { id: string; label: Texts } {
  return { id: idOf(row, 'c'), label: textsOf(row.label) };
}

function idOf(row: Raw, letter: 'c'): string {
  return typeof row.id === 'string' && row.id !== '' ? row.id : newPartId(letter);
}

function slotOf(row: Raw, timeZone: string): { id: string; startsAt: Date | null; endsAt: Date | null } {
  const at = (time: unknown) => momentOf(`${String(row.date ?? '').trim()}T${String(time ?? '').trim()}`, timeZone);
  return {
    id: idOf(row, 'c'),
    startsAt: at(row.start),
    endsAt: String(row.end ?? '').trim() === '' ? null : at(row.end),
  };
}

function slotErrors(
  rows: readonly Row[],
  slots: readonly { startsAt: Date | null; endsAt: Date | null }[],
): FieldError[] {
  return rows.flatMap(({ at, row }, index): FieldError[] => {
    const slot = slots[index];
    const wrong = (field: string, key: string) => [{ field: `slots.${at}.${field}`, message: { key } }];
    if (!slot?.startsAt) return wrong(momentOf(`${row.date}T00:00`, 'UTC') ? 'start' : 'date', 'surveys.error.moment');
    if (slot.endsAt === null) return String(row.end ?? '').trim() === '' ? [] : wrong('end', 'surveys.error.moment');
    return slot.endsAt <= slot.startsAt ? wrong('end', 'surveys.error.slotEnds') : [];
  });
}

/** Fields of numbers: what is empty is none, what is no number is said. */
class Numbers {
  readonly errors: FieldError[] = [];
  constructor(private readonly raw: Raw) {}

  of(kind: QuestionKind): object {
    if (kind === 'scale') return { from: this.read('from') ?? 1, to: this.read('to') ?? 5 };
    if (kind === 'number')
      return { min: this.read('min'), max: this.read('max'), decimals: this.read('decimals') ?? 0 };
    if (kind === 'multiple') return { min: this.read('min'), max: this.read('max') };
    return { min: null, max: null };
  }

  private read(field: string): number | null {
    const written = String(this.raw[field] ?? '')
      .replace(/\s/g, '')
      .replace(',', '.');
    if (written === '') return null;
    const value = Number(written);
    if (Number.isFinite(value)) return value;
    this.errors.push({ field, message: { key: 'surveys.answer.number' } });
    return null;
  }
}

/** "hours|atLeast" with a number, "legal|oneOf" with choices, "load|answered"; nothing: always shown. */
function readCondition(given: unknown): Condition | null {
  const fields = isObject(given) ? given : {};
  const [question = '', test = ''] = String(fields.on ?? '').split('|');
  const known = conditionTests.find((one) => one === test);
  if (question === '' || known === undefined) return null;
  const written = String(fields.number ?? '')
    .replace(',', '.')
    .trim();
  const isNumber = known === 'atLeast' || known === 'atMost';
  return {
    question,
    test: known,
    // Those of another question, ticked before that one was chosen, fall away.
    values: known === 'oneOf' ? listOf(fields.values).flatMap((one) => ownChoice(one, question)) : [],
    number: isNumber && written !== '' ? Number(written) : null,
  };
}

function ownChoice(written: string, question: string): string[] {
  const [of, choice] = written.split('|');
  return of === question && choice !== undefined ? [choice] : [];
}

function conditionErrors(condition: Condition | null, before: readonly Question[]): FieldError[] {
  if (condition === null) return [];
  const question = before.find(({ id }) => id === condition.question);
  const wrong = (field: string, key: string): FieldError[] => [{ field: `showIf.${field}`, message: { key } }];
  if (!question) return wrong('on', 'surveys.error.conditionLater');
  if (condition.test === 'oneOf' && condition.values.length === 0)
    return wrong('values', 'surveys.error.conditionPick');
  const needsNumber = condition.test === 'atLeast' || condition.test === 'atMost';
  if (needsNumber && !Number.isFinite(condition.number ?? Number.NaN)) return wrong('number', 'surveys.answer.number');
  return [];
}

/** What a form of a new question shows first. */
export function newQuestionValues(kind: QuestionKind, section: string): Raw {
  return {
    section,
    ...(kind === 'scale' ? { from: '1', to: '5' } : {}),
    ...(kind === 'grid' ? { rowsFrom: 'rows' } : {}),
  };
}

/** The question as its form holds it: texts, numbers as text, lists as rows. */
export function questionValues(question: Question, section: string, timeZone: string): Raw {
  return {
    ...question,
    section,
    required: question.required ? 'on' : '',
    showIf: conditionValues(question.showIf),
    ...('other' in question ? { other: question.other ? 'on' : '' } : {}),
    ...('slots' in question ? { slots: question.slots.map((slot) => slotValues(slot, timeZone)) } : {}),
  };
}

function slotValues({ id, startsAt, endsAt }: Slot, timeZone: string): Raw {
  const [date, start] = localTime(startsAt, timeZone).split('T');
  const end = endsAt === null ? '' : (localTime(endsAt, timeZone).split('T')[1] ?? '');
  return { id, date, start, end };
}

export function conditionValues(condition: Condition | null): Raw {
  if (condition === null) return { on: '' };
  const { question, test, number, values } = condition;
  return { on: `${question}|${test}`, number: number ?? '', values: values.map((value) => `${question}|${value}`) };
}

/** Lists of rows with their numbers and with empty ones at the end. */
export function rowsWithSpare(given: unknown, most: number, spare: number): { at: number; row: Raw }[] {
  const rows = rowsOf(given);
  const last = rows.at(-1)?.at ?? -1;
  const empty = Array.from({ length: spare }, (_, index) => ({ at: last + 1 + index, row: {} }));
  return [...rows, ...empty].slice(0, most);
}

/** The texts of a form or of a document; what is no text is none. */
export function textsOf(given: unknown): Texts {
  if (!isObject(given)) return {};
  const texts = Object.entries(given).flatMap(([language, text]) =>
    typeof text === 'string' ? [[language, text]] : [],
  );
  return withoutEmpty(Object.fromEntries(texts) as Texts);
}

export function listOf(given: unknown): string[] {
  return [given].flat().filter((one) => typeof one === 'string');
}

function isOn(given: unknown): boolean {
  return given === 'on' || given === true;
}

function isObject(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given);
}

/** Every text that a question or a section holds, for what is missing in a language. */
export function textsIn(part: Question | Omit<Section, 'questions'>): Texts[] {
  if (!('kind' in part)) return [part.title, part.intro];
  const labels = (list: readonly Choice[]) => list.map(({ label }) => label);
  const own = [part.label, part.help];
  if ('choices' in part) own.push(...labels(part.choices));
  if (part.kind === 'grid' && part.rowsFrom === 'rows') own.push(...labels(part.rows));
  if (part.kind === 'scale') own.push(part.fromLabel, part.toLabel);
  if (part.kind === 'number') own.push(part.unit);
  return own;
}

/**
 * Refusals of the whole questionnaire (rules.ts, checkSections) where the form of one question can show them: under its own
 * fields, or as a word that another question hangs on this one.
 */
export function nearForm(field: string, message: Message, own: string): FieldError {
  if (field.startsWith(`${own}.`))
    return { field: field.slice(own.length + 1).replace(/^showIf$/, 'showIf.on'), message };
  return field.endsWith('.showIf') ? { field: '', message: { key: 'surveys.error.hangs' } } : { field: '', message };
}
