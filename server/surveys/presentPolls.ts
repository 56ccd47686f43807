// Polls on the Fediverse as plain data for templates: for organisers, beside results, and for everybody.
import { editPath } from '../collectives/present.js';
import type { Language } from '../context.js';
import type { PollResult } from './pollQueries.js';
import { pollOptions } from './pollRules.js';
import { pickText } from './rules.js';
import type { Section, Survey } from './schema.js';

export function pollPath(pollId: string): string {
  return `/polls/${pollId}`;
}

export function fediversePath(survey: Pick<Survey, '_id' | 'collectiveId'>): string {
  return `${editPath({ _id: survey.collectiveId })}/surveys/${survey._id}/fediverse`;
}

/** What the Fediverse said, question by question; empty: nothing was offered. For the page of results too: partial "polls". */
export function presentFediverse(results: readonly PollResult[], language: Language) {
  return results.map(({ poll, options, voters }) => ({
    id: poll._id,
    questionId: poll.questionId,
    href: pollPath(poll._id),
    label: pickText(poll.label, language, poll.languages),
    isOpen: poll.state === 'open',
    multiple: poll.multiple,
    end: poll.closedAt ?? poll.endsAt,
    voters,
    options: options.map(({ name, count }) => ({
      name,
      count,
      percent: voters === 0 ? 0 : Math.round((count * 100) / voters),
    })),
  }));
}

/** The questions of a survey: which can be offered, which are, and why others cannot. */
export function presentOffer(
  survey: Survey,
  sections: readonly Section[],
  results: readonly PollResult[],
  language: Language,
) {
  const offered = new Set(results.map(({ poll }) => poll.questionId));
  const questions = sections.flatMap((section) => section.questions);
  const named = questions.map((question) => ({
    value: question.id,
    label: pickText(question.label, language, survey.languages).text,
    options: pollOptions(question, survey.languages),
  }));
  const path = fediversePath(survey);
  return {
    action: path,
    possible: named
      .filter(({ value, options }) => Array.isArray(options) && !offered.has(value))
      .map(({ value, label, options }) => ({ value, label, count: options.length })),
    impossible: named.flatMap(({ label, options }) =>
      Array.isArray(options) ? [] : [{ label, reason: `polls.obstacle.${options}` }],
    ),
    polls: presentFediverse(results, language).map((poll) => ({
      ...poll,
      withdrawAction: `${path}/${poll.id}/withdraw`,
    })),
  };
}
