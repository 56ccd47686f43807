// What an anonymous survey tells of small numbers: a question, a row or an "other" that few have answered is shown to nobody,
// not to those who organise either, in no page, file or activity. Pure.
import { fewestAnonymous } from './rules.js';
import type { NameRule } from './schema.js';
import type { QuestionResult, SurveyResult } from './tally.js';

/** Of an anonymous survey without what fewer than five have said (AP-117); any other as it is. */
export function withoutFew(names: NameRule, counted: SurveyResult): SurveyResult {
  if (names !== 'anonymous') return counted;
  const sections = counted.sections.map(({ section, questions }) => ({ section, questions: questions.map(enough) }));
  return { ...counted, sections };
}

function enough(result: QuestionResult): QuestionResult {
  const { others, ...counts } = result;
  const rows = counts.rows?.filter(({ counts: cells }) => isMany(cells.map(({ count }) => count)));
  const slots = counts.slots?.filter(({ yes, maybe, no }) => isMany([yes, maybe, no]));
  const isEmpty = rows?.length === 0 || slots?.length === 0;
  if (!isMany([result.answered]) || isEmpty) return { question: result.question, answered: 0, isTooFew: true };
  return {
    ...counts,
    ...(rows && { rows }),
    ...(slots && { slots }),
    ...(others && isMany([result.otherCount ?? 0]) && { others }),
  };
}

function isMany(counts: readonly number[]): boolean {
  return counts.reduce((sum, count) => sum + count, 0) >= fewestAnonymous;
}

/** Whether all who answered said the same thing here: then everybody knows what each of them said. */
export function isUnanimous({ question, answered, choices, numbers, ranking, rows, slots, texts }: QuestionResult) {
  if (answered === 0) return false;
  const all = (counts: readonly number[]) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return total > 0 && counts.includes(total);
  };
  return (
    (choices ?? []).some(({ count }) => count === answered) ||
    numbers?.counts.length === 1 ||
    (ranking ?? []).some(({ firsts }) => firsts === answered) ||
    (rows ?? []).some(({ counts }) => all(counts.map(({ count }) => count))) ||
    (slots ?? []).some(({ yes, maybe, no }) => all([yes, maybe, no])) ||
    (question.kind === 'date' && new Set(texts).size === 1)
  );
}
