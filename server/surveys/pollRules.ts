// Which questions can be polls, and which votes count. Pure.
import { createHash } from 'node:crypto';
import { type FediPoll, maxOptions, type PollOption } from './pollSchema.js';
import { isOpen, pickText } from './rules.js';
import type { Question, Survey, Texts } from './schema.js';

/** kind: not to be answered by choosing. other: it has a field to fill in. bounds: only so many may be chosen. */
export type Obstacle = 'kind' | 'other' | 'bounds' | 'tooMany' | 'alike';

/** The options of a poll that asks this; or why it cannot be one. */
export function pollOptions(question: Question, languages: readonly string[]): PollOption[] | Obstacle {
  const options = optionsOf(question, languages);
  if (options === null) return 'kind';
  if ('choices' in question && question.kind !== 'ranking' && question.kind !== 'grid') {
    if (question.other) return 'other';
    if ((question.min ?? 0) > 1 || (question.max ?? options.length) < options.length) {
      if (question.kind === 'multiple') return 'bounds';
    }
  }
  if (options.length > maxOptions) return 'tooMany';
  return new Set(options.map(({ name }) => name)).size < options.length ? 'alike' : options;
}

function optionsOf(question: Question, languages: readonly string[]): PollOption[] | null {
  if (question.kind === 'single' || question.kind === 'multiple') {
    return question.choices.map(({ id, label }) => ({ id, name: nameOf(label, languages) }));
  }
  if (question.kind !== 'scale') return null;
  const { from, to } = question;
  return Array.from({ length: to - from + 1 }, (_one, index) => {
    const step = from + index;
    const end = step === from ? question.fromLabel : step === to ? question.toLabel : {};
    const words = nameOf(end, languages);
    return { id: String(step), name: words === '' ? String(step) : `${step} (${words})` };
  });
}

/** An option has one name for all readers: in the survey's first two languages where they differ. */
function nameOf(label: Texts, languages: readonly string[]): string {
  const said = languages.slice(0, 2).map((language) => plain(label[language] ?? ''));
  const names = [...new Set(said.filter((name) => name !== ''))];
  return names.length > 0 ? names.join(' / ') : plain(pickText(label, languages[0] ?? 'fr', languages).text);
}

/** As it arrives again: what software on the way does to spaces does not matter. */
export function plain(text: string): string {
  return text.normalize('NFC').replace(/\s+/gu, ' ').trim();
}

export function isPollOpen(poll: Pick<FediPoll, 'state' | 'endsAt'>, now: Date): boolean {
  return poll.state === 'open' && now < poll.endsAt;
}

/** A poll ends with its survey, also when that ends early or is put away. */
export function mustClose(poll: Pick<FediPoll, 'endsAt'>, survey: Survey, now: Date): boolean {
  return now >= poll.endsAt || !isOpen(survey, now);
}

/** One vote an actor; where several options may be chosen, one for each. */
export function voteKey(poll: Pick<FediPoll, '_id' | 'multiple'>, actor: string, option: string): string {
  const parts = poll.multiple ? [poll._id, actor, option] : [poll._id, actor];
  return createHash('sha256').update(parts.join(' ')).digest('hex');
}
