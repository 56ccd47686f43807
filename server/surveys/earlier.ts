// What a survey asked in an earlier version and asks no more: it is counted and exported beside the rest, since somebody
// answered it. Pure.
import type { Question, Section, SurveyVersion } from './schema.js';
import type { QuestionResult, SurveyResult } from './tally.js';

/** The section in which questions stand that are asked no more: after all others, under no title of its own. */
export const earlierId = 'earlier';

/**
 * The sections of one version, with the choices, rows and slots that questions had before, each after those of now; and the
 * questions that are asked no more, as they were last asked.
 */
export function withEarlier(sections: readonly Section[], earlier: readonly SurveyVersion[]): Section[] {
  const gone = new Map<string, Question>();
  const before = new Map<string, Question[]>();
  const asked = new Set(sections.flatMap(({ questions }) => questions.map(({ id }) => id)));
  for (const { sections: then } of [...earlier].sort((a, b) => b.number - a.number)) {
    for (const question of then.flatMap(({ questions }) => questions)) {
      if (asked.has(question.id)) before.set(question.id, [...(before.get(question.id) ?? []), question]);
      else gone.set(question.id, merged(gone.get(question.id) ?? question, [question]));
    }
  }
  const now = sections.map((section) => ({
    ...section,
    questions: section.questions.map((question) => merged(question, before.get(question.id) ?? [])),
  }));
  if (gone.size === 0) return now;
  return [...now, { id: earlierId, title: {}, intro: {}, showIf: null, questions: [...gone.values()] }];
}

function merged(question: Question, before: readonly Question[]): Question {
  let one = question;
  for (const then of before) one = mergedOnce(one, then);
  return one;
}

function mergedOnce(one: Question, then: Question): Question {
  if (one.kind === 'grid' && then.kind === 'grid') {
    return { ...one, choices: joined(one.choices, then.choices), rows: joined(one.rows, then.rows) };
  }
  if (one.kind === 'availability' && then.kind === 'availability') {
    return { ...one, slots: joined(one.slots, then.slots) };
  }
  if (one.kind !== then.kind || !('choices' in one) || !('choices' in then)) return one;
  return { ...one, choices: joined(one.choices, then.choices) };
}

function joined<T extends { id: string }>(now: readonly T[], then: readonly T[]): T[] {
  const known = new Set(now.map(({ id }) => id));
  return [...now, ...then.filter(({ id }) => !known.has(id))];
}

/** Without what was taken out before anybody had said it. `sections`: those of now. */
export function withoutIdle(counted: SurveyResult, sections: readonly Section[]): SurveyResult {
  const now = new Map(sections.flatMap(({ questions }) => questions.map((one) => [one.id, one] as const)));
  const all = counted.sections.map(({ section, questions }) => {
    const left = questions
      .filter(({ question, answered }) => now.has(question.id) || answered > 0)
      .map((one) => said(one, now.get(one.question.id)));
    return { section: { ...section, questions: left.map(({ question }) => question) }, questions: left };
  });
  return {
    ...counted,
    sections: all.filter(({ section }) => section.id !== earlierId || section.questions.length > 0),
  };
}

/** Only choices are looked through: rows and slots that nobody answered are seldom taken out once answers are there. */
function said(result: QuestionResult, now: Question | undefined): QuestionResult {
  const { question, choices } = result;
  if (now === undefined || choices === undefined || !('choices' in now) || !('choices' in question)) return result;
  const known = new Set([...now.choices, ...choices.filter(({ count }) => count > 0)].map(({ id }) => id));
  const kept = <T extends { id: string }>(list: readonly T[]) => list.filter(({ id }) => known.has(id));
  return { ...result, choices: kept(choices), question: { ...question, choices: kept(question.choices) } };
}
