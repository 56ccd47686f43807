// Changes of the questions as an editor makes them: put, move, duplicate and remove a question or a section. Each takes the
// sections as they are and gives new ones. Pure.
import { randomBytes } from 'node:crypto';
import { DomainError } from '../errors.js';
import type { Condition, Question, Section } from './schema.js';

export type Direction = 'up' | 'down';

/** A new identifier. Never one that was used before: answers keep naming what they answered. */
export function newPartId(letter: 'q' | 's' | 'c'): string {
  return letter + randomBytes(4).toString('hex');
}

export function findQuestion(
  sections: readonly Section[],
  id: string,
): { question: Question; section: Section } | null {
  for (const section of sections) {
    const question = section.questions.find((one) => one.id === id);
    if (question) return { question, section };
  }
  return null;
}

/** Those that come before the one given, or before the end of the section when it is new: a condition may be about them. */
export function questionsBefore(
  sections: readonly Section[],
  part: { section: string; question: string | null },
): Question[] {
  const at = sections.findIndex(({ id }) => id === part.section);
  const here = sections[at]?.questions ?? [];
  const position = part.question === null ? here.length : here.findIndex(({ id }) => id === part.question);
  return [
    ...sections.slice(0, Math.max(at, 0)).flatMap(({ questions }) => questions),
    ...here.slice(0, Math.max(position, 0)),
  ];
}

/** Writes a question: in its place, else at the end of the section. Another section than before moves it to the end of that. Refuses: not-found. */
export function putQuestion(sections: readonly Section[], sectionId: string, question: Question): Section[] {
  if (!sections.some(({ id }) => id === sectionId)) throw notFound();
  return sections.map((section) => {
    const stands = section.questions.some(({ id }) => id === question.id);
    const isHome = section.id === sectionId;
    if (!isHome) return { ...section, questions: section.questions.filter(({ id }) => id !== question.id) };
    const questions = stands
      ? section.questions.map((one) => (one.id === question.id ? question : one))
      : [...section.questions, question];
    return { ...section, questions };
  });
}

/** Refuses: not-found; invalid (a condition hangs on it). */
export function removeQuestion(sections: readonly Section[], id: string): Section[] {
  if (findQuestion(sections, id) === null) throw notFound();
  const left = sections.map((section) => ({ ...section, questions: section.questions.filter((one) => one.id !== id) }));
  checkNothingHangs(left, [id]);
  return left;
}

/** A copy right after it. Nothing hangs on the copy yet. Refuses: not-found. */
export function duplicateQuestion(sections: readonly Section[], id: string): Section[] {
  const found = findQuestion(sections, id);
  if (found === null) throw notFound();
  const copy = { ...found.question, id: newPartId('q') };
  return sections.map((section) => ({
    ...section,
    questions: section.questions.flatMap((one) => (one.id === id ? [one, copy] : [one])),
  }));
}

/** One place up or down; from the first or last place into the section beside. At the very end nothing changes. Refuses: not-found. */
export function moveQuestion(sections: readonly Section[], id: string, direction: Direction): Section[] {
  const at = sections.findIndex(({ questions }) => questions.some((one) => one.id === id));
  const section = sections[at];
  const position = section?.questions.findIndex((one) => one.id === id) ?? -1;
  const question = section?.questions[position];
  if (!section || !question) throw notFound();
  const step = direction === 'up' ? -1 : 1;
  if (section.questions[position + step]) {
    return sections.map((one) =>
      one === section ? { ...one, questions: swapped(one.questions, position, step) } : one,
    );
  }
  const beside = sections[at + step];
  if (!beside) return [...sections];
  return sections.map((one) => {
    if (one === section) return { ...one, questions: one.questions.filter((other) => other !== question) };
    if (one !== beside) return one;
    return { ...one, questions: direction === 'up' ? [...one.questions, question] : [question, ...one.questions] };
  });
}

/** Writes what a section says of itself; its questions stay. A new one stands last. */
export function putSection(sections: readonly Section[], section: Omit<Section, 'questions'>): Section[] {
  if (!sections.some(({ id }) => id === section.id)) return [...sections, { ...section, questions: [] }];
  return sections.map((one) => (one.id === section.id ? { ...section, questions: one.questions } : one));
}

/** With its questions. Refuses: not-found; invalid (a condition hangs on one of them). */
export function removeSection(sections: readonly Section[], id: string): Section[] {
  const section = sections.find((one) => one.id === id);
  if (!section) throw notFound();
  const left = sections.filter((one) => one !== section);
  checkNothingHangs(
    left,
    section.questions.map((question) => question.id),
  );
  return left;
}

/** A copy right after it; conditions among its questions hold among the copies. Refuses: not-found. */
export function duplicateSection(sections: readonly Section[], id: string): Section[] {
  const section = sections.find((one) => one.id === id);
  if (!section) throw notFound();
  const ids = new Map(section.questions.map((question) => [question.id, newPartId('q')]));
  const renamed = (condition: Condition | null) =>
    condition && { ...condition, question: ids.get(condition.question) ?? condition.question };
  const questions = section.questions.map((question) => ({
    ...question,
    id: ids.get(question.id) ?? newPartId('q'),
    showIf: renamed(question.showIf),
  }));
  const copy = { ...section, id: newPartId('s'), questions };
  return sections.flatMap((one) => (one === section ? [one, copy] : [one]));
}

/** Refuses: not-found. */
export function moveSection(sections: readonly Section[], id: string, direction: Direction): Section[] {
  const position = sections.findIndex((one) => one.id === id);
  if (position < 0) throw notFound();
  return swapped(sections, position, direction === 'up' ? -1 : 1);
}

/** To a place among the questions of its section, from 1; beyond the end: last. Refuses: not-found. */
export function placeQuestion(sections: readonly Section[], id: string, place: number): Section[] {
  if (findQuestion(sections, id) === null) throw notFound();
  return sections.map((section) => ({ ...section, questions: placed(section.questions, id, place) }));
}

/** To a place among the sections, from 1; beyond the end: last. Refuses: not-found. */
export function placeSection(sections: readonly Section[], id: string, place: number): Section[] {
  if (!sections.some((one) => one.id === id)) throw notFound();
  return placed(sections, id, place);
}

function placed<T extends { id: string }>(list: readonly T[], id: string, place: number): T[] {
  const one = list.find((other) => other.id === id);
  if (one === undefined) return [...list];
  return list.filter((other) => other !== one).toSpliced(place - 1, 0, one);
}

function swapped<T>(list: readonly T[], position: number, step: 1 | -1): T[] {
  const [here, there] = [list[position], list[position + step]];
  if (here === undefined || there === undefined) return [...list];
  return list.map((one) => (one === here ? there : one === there ? here : one));
}

function checkNothingHangs(sections: readonly Section[], ids: readonly string[]): void {
  const parts = sections.flatMap((section) => [section, ...section.questions]);
  if (parts.some(({ showIf }) => showIf !== null && ids.includes(showIf.question))) {
    throw new DomainError('invalid', 'surveys.error.hangs');
  }
}

function notFound(): DomainError {
  return new DomainError('not-found', 'error.notFound');
}
