// What was answered, in words: to be read again, copied, or sent by mail.
import type { Language } from '../context.js';
import { numberFormat } from '../formatters.js';
import type { Translate } from '../i18n.js';
import { readAnswers } from './answers.js';
import { slotText } from './presentForm.js';
import { pickText } from './rules.js';
import type { Choice, Question, Section, Texts, Value, Values } from './schema.js';

export interface Reader {
  languages: readonly string[];
  timeZone: string;
  language: Language;
  t: Translate;
}

export interface AnswerInWords {
  label: { text: string; lang: string };
  lines: string[];
}

/** Question by question, only what was answered. */
export function presentAnswers(sections: readonly Section[], values: Values, reader: Reader): AnswerInWords[] {
  return sections.flatMap(({ questions }) =>
    questions.flatMap((question) => {
      const value = Object.hasOwn(values, question.id) ? values[question.id] : undefined;
      if (value === undefined) return [];
      return [{ label: words(question.label, reader), lines: linesOf(question, value, reader) }];
    }),
  );
}

/** What was typed into a form that can no longer be sent: what can be read in words, the rest as it was typed. */
export function presentTyped(
  sections: readonly Section[],
  typed: Readonly<Record<string, unknown>>,
  reader: Reader,
): AnswerInWords[] {
  const { values } = readAnswers(sections, typed, { partial: true });
  return sections.flatMap(({ questions }) =>
    questions.flatMap((question) => {
      const value = values[question.id];
      const raw = Object.hasOwn(typed, question.id) ? typed[question.id] : undefined;
      const lines =
        value !== undefined ? linesOf(question, value, reader) : typeof raw === 'string' && raw !== '' ? [raw] : [];
      return lines.length === 0 ? [] : [{ label: words(question.label, reader), lines }];
    }),
  );
}

function words(texts: Texts, { language, languages }: Reader): { text: string; lang: string } {
  return pickText(texts, language, languages);
}

function linesOf(question: Question, value: Value, reader: Reader): string[] {
  if ('text' in value) return [value.text];
  if ('number' in value) return [numberLine(question, value.number, reader)];
  if ('chosen' in value) {
    const chosen = value.chosen.map((id) => choiceText(question, id, reader));
    return value.other === '' ? chosen : [...chosen, `${reader.t('surveys.form.other')} ${value.other}`];
  }
  if ('ranked' in value) return value.ranked.map((id, index) => `${index + 1}. ${choiceText(question, id, reader)}`);
  const between = reader.t('layout.colon');
  if ('rows' in value) {
    const rows = question.kind === 'grid' ? question.rows : [];
    return value.rows.map(
      ({ id, label, choice }) =>
        `${label || textOf(rows, id, reader)}${between}${choiceText(question, choice, reader)}`,
    );
  }
  const slots = question.kind === 'availability' ? question.slots : [];
  return value.slots.map(({ id, is }) => {
    const slot = slots.find((one) => one.id === id);
    return `${slot ? slotText(slot, reader) : id}${between}${reader.t(`surveys.form.${is}`)}`;
  });
}

function numberLine(question: Question, number: number, reader: Reader): string {
  const unit = question.kind === 'number' ? words(question.unit, reader).text : '';
  const written = numberFormat(reader.language, { maximumFractionDigits: 4 }).format(number);
  return unit === '' ? written : `${written} ${unit}`;
}

function choiceText(question: Question, id: string, reader: Reader): string {
  return textOf('choices' in question ? question.choices : [], id, reader);
}

function textOf(choices: readonly Choice[], id: string, reader: Reader): string {
  const choice = choices.find((one) => one.id === id);
  return choice ? words(choice.label, reader).text : id;
}
