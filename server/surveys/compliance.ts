// How far what was answered meets the charter, by axis: from questions that name a criterion ("INF-3": criterion 3 of the axis
// INF). Pure.
import { earlierId } from './earlier.js';
import type { Question } from './schema.js';
import type { QuestionResult, SurveyResult } from './tally.js';

export interface Criterion {
  code: string;
  question: Question;
  /** Answers that meet it. */
  met: number;
}

export interface Axis {
  code: string;
  criteria: Criterion[];
  /** Met, of all criteria in all answers: 0 to 1. */
  share: number;
}

/**
 * The axes in the order in which they are asked. An answer meets a criterion when it chose "yes" (the choice called "yes", else
 * the first one), reached three quarters of a scale (4 of 1 to 5), gave a number above nothing, chose something of several, or
 * gave a date, a link or a text. One that says nothing does not meet it. Grids, rankings and dates for a meeting measure nothing.
 */
export function compliance({ answers, sections }: SurveyResult): Axis[] {
  const axes = new Map<string, Criterion[]>();
  const now = sections.filter(({ section }) => section.id !== earlierId);
  for (const result of now.flatMap(({ questions }) => questions)) {
    const { question } = result;
    const met = metIn(result);
    if (question.criterion === '' || met === null) continue;
    const axis = question.criterion.replace(/[-. ]?\d.*$/, '').toUpperCase() || question.criterion;
    axes.set(axis, [...(axes.get(axis) ?? []), { code: question.criterion, question, met }]);
  }
  return [...axes].map(([code, criteria]) => {
    const met = criteria.reduce((sum, one) => sum + one.met, 0);
    return { code, criteria, share: answers === 0 ? 0 : met / (answers * criteria.length) };
  });
}

function metIn({ question, answered, choices, numbers, isTooFew }: QuestionResult): number | null {
  if (isTooFew) return null;
  switch (question.kind) {
    case 'single': {
      const yes = choices?.find(({ id }) => id === 'yes') ?? choices?.[0];
      return yes?.count ?? 0;
    }
    case 'scale': {
      const least = question.from + 0.75 * (question.to - question.from);
      return sum(numbers, (number) => number >= least);
    }
    case 'number':
      return sum(numbers, (number) => number > 0);
    case 'multiple':
    case 'date':
    case 'link':
    case 'shortText':
    case 'longText':
      return answered;
    case 'ranking':
    case 'grid':
    case 'availability':
      return null;
  }
}

function sum(numbers: QuestionResult['numbers'], counts: (number: number) => boolean): number {
  return (numbers?.counts ?? []).reduce((all, one) => all + (counts(one.number) ? one.count : 0), 0);
}
