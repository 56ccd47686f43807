// The questions as fields of a form, filled in with what was answered or typed so far: for answering, for the preview, and for
// surveys of other instances alike.
import type { Language } from '../context.js';
import type { Message } from '../errors.js';
import { dateFormat } from '../formatters.js';
import type { FieldError } from '../http/form.js';
import type { Translate } from '../i18n.js';
import { pickText } from './rules.js';
import type { Condition, Question, Section, Texts } from './schema.js';

export interface FormInput {
  sections: readonly Section[];
  languages: readonly string[];
  /** In it slots are shown. */
  timeZone: string;
  /** That of the reader, shown beside it where it differs; absent: a script knows it. */
  readerZone?: string | undefined;
  language: Language;
  t: Translate;
  /** Question id -> a stored value, or what a form sent. */
  given: Readonly<Record<string, unknown>>;
  errors: readonly FieldError[];
  /** Services of whoever answers, for questions about each of them. */
  services: readonly { id: string; label: string }[];
}

/** What views/partials/surveySections.hbs shows. Names of fields are "a.<question>…", as answers.ts reads them. */
export function presentForm(input: FormInput) {
  const all = new Map(input.sections.flatMap(({ questions }) => questions.map((one) => [one.id, one] as const)));
  const shown = (condition: Condition | null) => condition && presentCondition(input, all, condition);
  return input.sections.map((section) => ({
    id: section.id,
    title: texts(input, section.title),
    intro: texts(input, section.intro),
    condition: shown(section.showIf),
    questions: section.questions.map((question) => ({
      ...presentQuestion(input, question),
      condition: shown(question.showIf),
    })),
  }));
}

type Text = { text: string; lang: string };

function texts({ language, languages }: Pick<FormInput, 'language' | 'languages'>, given: Texts): Text {
  return pickText(given, language, languages);
}

function presentQuestion(input: FormInput, question: Question) {
  const name = `a.${question.id}`;
  const given = Object.hasOwn(input.given, question.id) ? input.given[question.id] : undefined;
  return {
    name,
    kind: question.kind,
    [`is_${question.kind}`]: true,
    label: texts(input, question.label),
    help: texts(input, question.help),
    required: question.required,
    error: errorOf(input.errors, name),
    ...fieldsOf(input, question, name, given),
  };
}

function errorOf(errors: readonly FieldError[], name: string): Message | null {
  return errors.find(({ field }) => field === name || field.startsWith(`${name}.`))?.message ?? null;
}

function fieldsOf(input: FormInput, question: Question, name: string, given: unknown): object {
  switch (question.kind) {
    case 'shortText':
    case 'longText':
    case 'date':
    case 'link':
      return { value: inside(given, 'text') };
    case 'number':
      return {
        value: typed(inside(given, 'number'), input.language),
        unit: texts(input, question.unit),
        min: question.min,
        max: question.max,
      };
    case 'scale':
      return scaleOf(input, question, name, String(inside(given, 'number') ?? ''));
    case 'single':
    case 'multiple':
      return choicesOf(input, question, name, given);
    case 'ranking':
      return rankingOf(input, question, name, given);
    case 'grid':
      return gridOf(input, question, name, given);
    case 'availability':
      return slotsOf(input, question, name, given);
  }
}

/** What takes a choice back, where no answer is needed: of boxes one at a time cannot be emptied. */
function noneOf({ required }: Question, id: string, name = id): { id: string; name: string } | null {
  return required ? null : { id: `${id}--none`, name };
}

/** A number as people of that language write it. */
function typed(value: unknown, language: Language): unknown {
  return typeof value === 'number' && language === 'fr' ? String(value).replace('.', ',') : value;
}

function scaleOf(
  input: FormInput,
  question: Extract<Question, { kind: 'scale' }>,
  name: string,
  current: string,
): object {
  const steps = Array.from({ length: question.to - question.from + 1 }, (_, index) => String(question.from + index));
  return {
    fromLabel: texts(input, question.fromLabel),
    toLabel: texts(input, question.toLabel),
    steps: steps.map((value) => ({ id: `${name}-${value}`, value, checked: value === current })),
    none: noneOf(question, name),
  };
}

function choicesOf(
  input: FormInput,
  question: Extract<Question, { kind: 'single' | 'multiple' }>,
  name: string,
  given: unknown,
): object {
  const fields = isObject(given) ? given : { is: given };
  const list = ([] as unknown[]).concat(fields.chosen ?? fields.is ?? []);
  const other = typeof fields.other === 'string' ? fields.other : '';
  const isOther = list.includes('other') || ('chosen' in fields && other !== '');
  return {
    field: `${name}.is`,
    multiple: question.kind === 'multiple',
    none: question.kind === 'single' ? noneOf(question, name, `${name}.is`) : null,
    bounds: boundsOf(question),
    choices: question.choices.map(({ id, label }) => ({
      id: `${name}-${id}`,
      value: id,
      label: texts(input, label),
      checked: list.includes(id),
    })),
    other: question.other ? { id: `${name}-other`, name: `${name}.other`, checked: isOther, value: other } : null,
  };
}

/** What the hint says about how many to choose. */
function boundsOf({ kind, min, max }: { kind: string; min: number | null; max: number | null }): Message | null {
  if (kind !== 'multiple' || (min === null && max === null)) return null;
  const params = { min: min ?? 0, max: max ?? 0 };
  if (min !== null && max !== null) {
    return min === max ? { key: 'surveys.form.exactly', params } : { key: 'surveys.form.between', params };
  }
  return { key: min === null ? 'surveys.form.atMost' : 'surveys.form.atLeast', params };
}

function rankingOf(
  input: FormInput,
  question: Extract<Question, { kind: 'ranking' }>,
  name: string,
  given: unknown,
): object {
  const fields = isObject(given) ? given : {};
  const ranked = Array.isArray(fields.ranked) ? fields.ranked : null;
  return {
    items: question.choices.map(({ id, label }) => {
      const current = ranked ? String(ranked.indexOf(id) + 1) : String(fields[id] ?? '');
      return {
        id: `${name}-${id}`,
        name: `${name}.${id}`,
        label: texts(input, label),
        places: question.choices.map((_, index) => ({
          value: String(index + 1),
          selected: String(index + 1) === current,
        })),
      };
    }),
  };
}

function gridOf(input: FormInput, question: Extract<Question, { kind: 'grid' }>, name: string, given: unknown): object {
  const chosen = chosenInRows(given);
  const isOwn = question.rowsFrom === 'services';
  const rows: { id: string; label: Text }[] = isOwn
    ? input.services.map(({ id, label }) => ({ id, label: { text: label, lang: '' } }))
    : question.rows.map(({ id, label }) => ({ id, label: texts(input, label) }));
  return {
    columns: question.choices.map(({ label }) => texts(input, label)),
    hasNoRows: rows.length === 0,
    required: question.required && rows.length > 0,
    rows: rows.map(({ id, label }) => ({
      label,
      hidden: isOwn ? { name: `${name}.${id}.label`, value: label.text } : null,
      cells: question.choices.map((choice) => ({
        id: `${name}-${id}-${choice.id}`,
        name: isOwn ? `${name}.${id}.choice` : `${name}.${id}`,
        value: choice.id,
        label: texts(input, choice.label),
        row: label,
        checked: chosen.get(id) === choice.id,
      })),
      none: noneOf(question, `${name}-${id}`, isOwn ? `${name}.${id}.choice` : `${name}.${id}`),
    })),
  };
}

function chosenInRows(given: unknown): Map<string, unknown> {
  if (!isObject(given)) return new Map();
  if (Array.isArray(given.rows)) {
    return new Map((given.rows as unknown[]).filter(isObject).map((row) => [String(row.id), row.choice]));
  }
  return new Map(Object.entries(given).map(([id, cell]) => [id, isObject(cell) ? cell.choice : cell]));
}

const availabilities = ['yes', 'maybe', 'no'] as const;

function slotsOf(
  input: FormInput,
  question: Extract<Question, { kind: 'availability' }>,
  name: string,
  given: unknown,
): object {
  const fields = isObject(given) ? given : {};
  const stored = Array.isArray(fields.slots) ? (fields.slots as unknown[]).filter(isObject) : null;
  const current = new Map(stored ? stored.map(({ id, is }) => [String(id), is]) : Object.entries(fields));
  return {
    timeZone: input.timeZone,
    slots: question.slots.map((slot) => {
      const label = slotText(slot, input);
      const own = input.readerZone && slotText(slot, { ...input, timeZone: input.readerZone });
      const { startsAt, endsAt } = slot;
      return {
        label,
        own: own === label ? null : own,
        slot: input.readerZone ? null : { startsAt, endsAt, zone: input.timeZone },
        cells: availabilities.map((is) => ({
          id: `${name}-${slot.id}-${is}`,
          name: `${name}.${slot.id}`,
          value: is,
          key: `surveys.form.${is}`,
          row: label,
          checked: current.get(slot.id) === is,
        })),
        none: noneOf(question, `${name}-${slot.id}`, `${name}.${slot.id}`),
      };
    }),
  };
}

/** "jeu. 10 décembre, 19:00–20:30" in the survey's time zone. */
export function slotText(
  { startsAt, endsAt }: { startsAt: Date; endsAt: Date | null },
  { language, timeZone }: { language: Language; timeZone: string },
): string {
  const format = dateFormat(language === 'en' ? 'en-GB' : language, {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
  });
  return endsAt === null ? format.format(startsAt) : format.formatRange(startsAt, endsAt);
}

/** In words where no script runs, and as data for the script that hides and shows. */
function presentCondition(input: FormInput, all: ReadonlyMap<string, Question>, condition: Condition) {
  const question = all.get(condition.question);
  const values = question && 'choices' in question ? question.choices : [];
  const labels = values.filter(({ id }) => condition.values.includes(id)).map(({ label }) => texts(input, label).text);
  return {
    json: JSON.stringify({ ...condition, question: `a.${condition.question}` }),
    message: {
      key: `surveys.form.onlyIf.${condition.test}`,
      params: {
        question: question ? texts(input, question.label).text : '',
        values: labels.join(', '),
        number: condition.number ?? 0,
      },
    },
  };
}

/** What is wrong, each with the question that it is about. */
export function presentMistakes({
  sections,
  errors,
  language,
  languages,
}: Pick<FormInput, 'sections' | 'errors' | 'language' | 'languages'>) {
  const all = sections.flatMap(({ questions }) => questions);
  return errors.map(({ field, message }) => {
    const question = all.find(({ id }) => field === `a.${id}` || field.startsWith(`a.${id}.`));
    const isField = ['name', 'email'].includes(field);
    return {
      message,
      field: question ? `a.${question.id}` : isField ? field : null,
      label: question ? texts({ language, languages }, question.label) : null,
      key: isField ? `surveys.guest.${field}` : null,
    };
  });
}

/** Conditions under which another page follows, as data for the script that names the button. */
export function presentWays(ways: readonly Condition[][]): string {
  return JSON.stringify(ways.map((conditions) => conditions.map((one) => ({ ...one, question: `a.${one.question}` }))));
}

/** The value of a stored answer, or what a form sent itself. */
function inside(given: unknown, field: string): unknown {
  return isObject(given) ? given[field] : given;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
