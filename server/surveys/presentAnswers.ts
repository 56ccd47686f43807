// What was answered, in words: to be read again, copied, or sent by mail.
import { readAnswers } from './answers.js';
import { type Words, wordsOf } from './presentResults.js';
import { pickText } from './rules.js';
import type { Section, Texts, Values } from './schema.js';

/** In whose words, and in which time zone. */
export type Reader = Words;

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
      return [{ label: words(question.label, reader), lines: wordsOf(reader, question, value) }];
    }),
  );
}

/** What was typed into a form that can no longer be sent: what can be read in words, the rest as it was typed. */
export function presentTyped(
  sections: readonly Section[],
  typed: Readonly<Record<string, unknown>>,
  reader: Reader,
): AnswerInWords[] {
  const { values } = readAnswers(sections, typed, { partial: true, everything: true });
  return sections.flatMap(({ questions }) =>
    questions.flatMap((question) => {
      const value = values[question.id];
      const raw = Object.hasOwn(typed, question.id) ? typed[question.id] : undefined;
      const lines =
        value !== undefined ? wordsOf(reader, question, value) : typeof raw === 'string' && raw !== '' ? [raw] : [];
      return lines.length === 0 ? [] : [{ label: words(question.label, reader), lines }];
    }),
  );
}

function words(texts: Texts, { language, languages }: Reader): { text: string; lang: string } {
  return pickText(texts, language, languages);
}
