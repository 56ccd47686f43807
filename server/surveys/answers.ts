// What was answered, checked against what was asked: the one reading for forms, other instances and imports. Pure.
import type { FieldError } from '../http/form.js';
import {
  type Availability,
  type Condition,
  limits,
  type Question,
  type Section,
  type Value,
  type Values,
} from './schema.js';

/** How a condition looks at what was answered. */
function holds(condition: Condition | null, values: Values): boolean {
  if (condition === null) return true;
  const value = values[condition.question];
  if (value === undefined) return false;
  if (condition.test === 'answered') return true;
  if (condition.test === 'oneOf') {
    return 'chosen' in value && value.chosen.some((one) => condition.values.includes(one));
  }
  if (!('number' in value) || condition.number === null) return false;
  return condition.test === 'atLeast' ? value.number >= condition.number : value.number <= condition.number;
}

/**
 * The sections with the questions that are asked, given what was answered so far. What hangs on a question that is not asked
 * is not asked either.
 */
export function askedSections(sections: readonly Section[], values: Values): Section[] {
  const counted: Values = {};
  return sections.flatMap((section) => {
    if (!holds(section.showIf, counted)) return [];
    const questions = section.questions.filter((question) => {
      if (!holds(question.showIf, counted)) return false;
      const value = values[question.id];
      if (value !== undefined) counted[question.id] = value;
      return true;
    });
    return questions.length === 0 && section.questions.length > 0 ? [] : [{ ...section, questions }];
  });
}

/**
 * The ways on from a page, given what was answered before it: for each question further on, the conditions that are left to what
 * is answered on this page. One without any: a page follows for sure. None at all: it is the last one.
 */
export function waysOn(sections: readonly Section[], values: Values, here: Section): Condition[][] {
  const place = sections.findIndex(({ id }) => id === here.id);
  const before = askedSections(sections.slice(0, place), values).flatMap(({ questions }) => questions);
  const counted = Object.fromEntries(before.flatMap(({ id }) => (values[id] ? [[id, values[id]] as const] : [])));
  const isHere = ({ question }: Condition) => here.questions.some(({ id }) => id === question);
  return sections.slice(place + 1).flatMap((section) =>
    section.questions.flatMap((question) => {
      const conditions = [section.showIf, question.showIf].filter((one) => one !== null);
      const isOpen = conditions.every((one) => isHere(one) || holds(one, counted));
      return isOpen ? [conditions.filter(isHere)] : [];
    }),
  );
}

export interface Reading {
  /** What counts: only of questions that are asked. */
  values: Values;
  errors: FieldError[];
}

export interface ReadingOptions {
  strict?: boolean;
  partial?: boolean;
  everything?: boolean;
  hasServices?: boolean;
}

/**
 * Reads raw answers by question id, as a form or another instance gives them, and checks them: kinds, bounds, what is needed,
 * what does not exist. Answers to questions that are not asked, or do not exist, are refused too (`strict`), or left out as a
 * form does with fields that a script has hidden. `partial`: a draft, or one page: nothing is missed, nothing too few. `everything`: as if no
 * question hung on another, so that a draft keeps what may be asked again. `hasServices`: questions
 * about each service of whoever answers had rows to fill in; without any, or where it is not known, none is missed. Fields are "a.<id>".
 */
export function readAnswers(
  sections: readonly Section[],
  raw: Readonly<Record<string, unknown>>,
  { strict = false, partial = false, everything = false, hasServices = false }: ReadingOptions = {},
): Reading {
  const errors: FieldError[] = [];
  const values: Values = {};
  const known = new Set<string>();
  const asked = new Set<string>();
  for (const section of sections) {
    const isSectionAsked = everything || holds(section.showIf, values);
    for (const question of section.questions) {
      known.add(question.id);
      if (!isSectionAsked || !(everything || holds(question.showIf, values))) continue;
      asked.add(question.id);
      const read = readValue(question, Object.hasOwn(raw, question.id) ? raw[question.id] : undefined, partial);
      if (typeof read === 'string') errors.push(wrong(question, read));
      else if (read !== null) values[question.id] = read;
      else if (question.required && !partial && (hasServices || !asksServices(question)))
        errors.push(wrong(question, 'surveys.answer.needed'));
    }
  }
  if (strict) {
    for (const id of Object.keys(raw)) {
      if (!known.has(id)) errors.push({ field: 'a', message: { key: 'surveys.answer.unknown' } });
      else if (!asked.has(id)) errors.push({ field: `a.${id}`, message: { key: 'surveys.answer.notAsked' } });
    }
  }
  return { values, errors };
}

/** Whether its rows are the services of whoever answers. */
function asksServices(question: Question): boolean {
  return question.kind === 'grid' && question.rowsFrom === 'services';
}

function wrong(question: Question, key: string): FieldError {
  const params = key === 'shape.tooLong' ? { max: lengthOf(question.kind) } : boundsOf(question);
  return { field: `a.${question.id}`, message: { key, params } };
}

/** Characters that an answer in words may have. */
function lengthOf(kind: Question['kind']): number {
  if (kind === 'longText') return limits.longText;
  return kind === 'link' ? limits.link : limits.shortText;
}

/** What a message about too much or too little names: numbers, choices, rows or slots. */
function boundsOf(question: Question): { min: number; max: number } {
  if (question.kind === 'grid') return { min: 0, max: limits.rows };
  if (question.kind === 'availability') return { min: 0, max: limits.slots };
  return 'min' in question ? { min: question.min ?? 0, max: question.max ?? 0 } : { min: 0, max: 0 };
}

/** The value; null: not answered; a key: what is wrong. Takes form fields (texts) and the stored form alike. */
function readValue(question: Question, raw: unknown, partial: boolean): Value | null | string {
  switch (question.kind) {
    case 'shortText':
    case 'longText':
    case 'date':
    case 'link':
      return readText(question.kind, raw);
    case 'number':
    case 'scale':
      return readNumber(question, raw);
    case 'single':
    case 'multiple':
      return readChosen(question, raw, partial);
    case 'ranking':
      return readRanking(
        question.choices.map(({ id }) => id),
        raw,
      );
    case 'grid':
      return readGrid(question, raw, partial);
    case 'availability':
      return readSlots(
        question.slots.map(({ id }) => id),
        raw,
      );
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

function readText(kind: 'shortText' | 'longText' | 'date' | 'link', raw: unknown): Value | null | string {
  const given = isObject(raw) && 'text' in raw ? raw.text : raw;
  if (given === undefined || given === null) return null;
  if (typeof given !== 'string') return 'shape.invalid';
  const text = given.normalize('NFC').replace(/\r\n?/g, '\n').trim();
  if (text === '') return null;
  if (controls.test(text)) return 'shape.controlCharacter';
  if (text.length > lengthOf(kind)) return 'shape.tooLong';
  if (kind === 'shortText' && text.includes('\n')) return 'shape.invalid';
  if (kind === 'date' && !isDay(text)) return 'shape.day';
  if (kind === 'link') {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return 'shape.url';
    return { text: url.href };
  }
  return { text };
}

/** A day that there is, as YYYY-MM-DD. */
export function isDay(text: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  return date !== null && !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text;
}

type Numeric = Extract<Question, { kind: 'number' | 'scale' }>;

function readNumber(question: Numeric, raw: unknown): Value | null | string {
  const given = isObject(raw) && 'number' in raw ? raw.number : raw;
  if (given === undefined || given === null) return null;
  if (typeof given !== 'number' && typeof given !== 'string') return 'shape.invalid';
  const text = String(given).trim();
  if (text === '') return null;
  // A comma is how French writes it; thin and fixed spaces part thousands.
  const plain = text.replace(/[\s\u00a0\u202f]/g, '').replace(',', '.');
  const isWhole = question.kind === 'number' && question.decimals === 0;
  if (!/^-?\d{1,12}(\.\d{1,12})?$/.test(plain)) return isWhole ? 'surveys.answer.whole' : 'surveys.answer.number';
  const number = Number(plain);
  if (question.kind === 'scale') {
    const fits = Number.isInteger(number) && number >= question.from && number <= question.to;
    return fits ? { number } : 'surveys.answer.scale';
  }
  if ((plain.split('.')[1]?.replace(/0+$/, '').length ?? 0) > question.decimals) {
    return isWhole ? 'surveys.answer.whole' : 'surveys.answer.decimals';
  }
  if (question.min !== null && number < question.min) return 'surveys.answer.tooSmall';
  if (question.max !== null && number > question.max) return 'surveys.answer.tooLarge';
  return { number: number === 0 ? 0 : number };
}

type Choosing = Extract<Question, { kind: 'single' | 'multiple' }>;

/** A form sends "c1", ["c1", "other"] or { is: …, other: "text" }; the stored form is { chosen, other }. */
function readChosen(question: Choosing, raw: unknown, partial: boolean): Value | null | string {
  const from = isObject(raw) ? (raw.chosen ?? raw.is) : raw;
  const written = isObject(raw) && typeof raw.other === 'string' ? raw.other.normalize('NFC').trim() : '';
  const listed = listOfTexts(from);
  if (listed === null || controls.test(written)) return 'shape.invalid';
  if (written.length > limits.shortText) return 'shape.tooLong';
  // The same box twice is one choice: some peers send doubles (AP-112).
  const chosen = [...new Set(listed.filter((one) => one !== '' && one !== 'other'))];
  const saysOther = listed.includes('other') || (written !== '' && isObject(raw) && isMeant(question, raw));
  if (saysOther && !question.other) return 'surveys.answer.option';
  if (saysOther && written === '') return 'surveys.answer.other';
  const known = new Set(question.choices.map(({ id }) => id));
  if (!chosen.every((one) => known.has(one))) return 'surveys.answer.option';
  const count = chosen.length + (saysOther ? 1 : 0);
  if (count === 0) return null;
  if (question.kind === 'single' && count > 1) return 'surveys.answer.onlyOne';
  if (!partial && question.min !== null && count < question.min) return 'surveys.answer.tooFew';
  if (question.max !== null && count > question.max) return 'surveys.answer.tooMany';
  const order = new Map(question.choices.map(({ id }, index) => [id, index]));
  chosen.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { chosen, other: saysOther ? written : '' };
}

/**
 * Whether words under "other" count though it is not ticked: they are not lost of somebody who wrote and did not tick. Of a
 * single choice another one, or none, may have been chosen after they were written.
 */
function isMeant({ kind }: Choosing, raw: Record<string, unknown>): boolean {
  return 'chosen' in raw || kind === 'multiple' || raw.is === undefined;
}

/** A form sends the place of each choice ({ c1: "2", c2: "1" }); the stored form is { ranked: ["c2", "c1"] }. */
function readRanking(ids: readonly string[], raw: unknown): Value | null | string {
  if (raw === undefined || raw === null || raw === '') return null;
  if (!isObject(raw)) return 'shape.invalid';
  const ranked = 'ranked' in raw ? listOfTexts(raw.ranked) : orderOf(raw);
  if (ranked === null) return 'surveys.answer.ranking';
  if (ranked.length === 0) return null;
  if (ranked.length !== ids.length || new Set(ranked).size !== ids.length) return 'surveys.answer.ranking';
  return ranked.every((one) => ids.includes(one)) ? { ranked } : 'surveys.answer.option';
}

/** Ids by the places given; null: a place twice, or none. Empty: no places at all. */
function orderOf(places: Record<string, unknown>): string[] | null {
  const given = Object.entries(places).filter(([, place]) => place !== '');
  const numbers = given.map(([, place]) => Number(place));
  if (!numbers.every((place) => Number.isInteger(place) && place >= 1)) return null;
  if (new Set(numbers).size < numbers.length) return null;
  return given.sort(([, a], [, b]) => Number(a) - Number(b)).map(([id]) => id);
}

type Grid = Extract<Question, { kind: 'grid' }>;

/**
 * A form sends { r1: "c2" }, for services { s1: "c2", "s1-label": … } as { s1: { label, choice } }; the stored form is
 * { rows: [{ id, label, choice }] }.
 */
function readGrid(question: Grid, raw: unknown, partial: boolean): Value | null | string {
  if (raw === undefined || raw === null || raw === '') return null;
  if (!isObject(raw)) return 'shape.invalid';
  const rows = Array.isArray(raw.rows) ? raw.rows : Object.entries(raw).map(([id, cell]) => rowOf(id, cell));
  if (rows.length > limits.rows) return 'surveys.answer.tooMany';
  const choices = new Set(question.choices.map(({ id }) => id));
  const known = new Set(question.rows.map(({ id }) => id));
  const read = new Map<string, { id: string; label: string; choice: string }>();
  for (const row of rows as unknown[]) {
    if (!isObject(row) || typeof row.id !== 'string' || typeof row.choice !== 'string') return 'shape.invalid';
    if (row.choice === '') continue;
    const label = typeof row.label === 'string' ? row.label.normalize('NFC').trim().slice(0, 200) : '';
    const isKnown = question.rowsFrom === 'rows' ? known.has(row.id) : /^[a-z0-9-]{1,40}$/.test(row.id) && label !== '';
    if (!isKnown || !choices.has(row.choice) || read.has(row.id) || controls.test(label))
      return 'surveys.answer.option';
    read.set(row.id, { id: row.id, label: question.rowsFrom === 'rows' ? '' : label, choice: row.choice });
  }
  if (read.size === 0) return null;
  if (!partial && question.required && question.rowsFrom === 'rows' && read.size < known.size)
    return 'surveys.answer.everyRow';
  return { rows: [...read.values()] };
}

function rowOf(id: string, cell: unknown): unknown {
  return isObject(cell) ? { id, label: cell.label, choice: cell.choice ?? '' } : { id, choice: cell };
}

/** A form sends { s1: "yes" }; the stored form is { slots: [{ id, is }] }. */
function readSlots(ids: readonly string[], raw: unknown): Value | null | string {
  if (raw === undefined || raw === null || raw === '') return null;
  if (!isObject(raw)) return 'shape.invalid';
  const given = Array.isArray(raw.slots) ? raw.slots : Object.entries(raw).map(([id, is]) => ({ id, is }));
  if (given.length > limits.slots) return 'surveys.answer.tooMany';
  const read = new Map<string, Availability>();
  for (const slot of given as unknown[]) {
    if (!isObject(slot) || typeof slot.id !== 'string') return 'shape.invalid';
    if (slot.is === '') continue;
    const { is } = slot;
    if (!ids.includes(slot.id) || read.has(slot.id) || (is !== 'yes' && is !== 'maybe' && is !== 'no')) {
      return 'surveys.answer.option';
    }
    read.set(slot.id, is);
  }
  if (read.size === 0) return null;
  return { slots: ids.flatMap((id) => (read.has(id) ? [{ id, is: read.get(id) ?? 'no' }] : [])) };
}

/** A text or a list of texts; null: something else. */
function listOfTexts(value: unknown): string[] | null {
  if (value === undefined || value === null || value === '') return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > limits.choices + 1) return null;
  return list.every((one) => typeof one === 'string') ? (list as string[]) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
