// When to try a mail again and when to give up; which headers are too dangerous to write. Pure.
import { dateFormat } from '../formatters.js';
import { mayEnter } from '../people/rules.js';
import { type DigestTime, type MailKind, mailKinds, type Person } from '../people/schema.js';
import type { LetterKind, Mail, MailState } from './schema.js';

const minute = 60 * 1000;
const hour = 60 * minute;
const day = 24 * hour;

/** Milliseconds to the next try after the first, second, ... failure: four days in all. */
const waits = [1, 5, 15, 60, 180, 360, 720, 1440, 1440, 1440].map((minutes) => minutes * minute);

/** Milliseconds in which a process must have sent a mail that it took; then another may take it. */
export const leaseMs = 10 * minute;
/** Days for which mails that are done are kept for the administrator. */
export const keepDays = 30;

/** When to try again after so many tries; null: give up. */
export function nextTry(attempts: number, now: Date): Date | null {
  const wait = waits[attempts - 1];
  return wait === undefined ? null : new Date(now.getTime() + wait);
}

export function stateOfMail(mail: Pick<Mail, 'sentAt' | 'keptAt' | 'failedAt' | 'heldUntil' | 'attempts'>): MailState {
  if (mail.sentAt) return 'sent';
  if (mail.failedAt) return 'failed';
  if (mail.keptAt) return 'kept';
  return mail.heldUntil && mail.attempts === 0 ? 'held' : 'waiting';
}

/** A line end or a second address in a header would write further headers or reach further people. */
export function isSafeHeader(mail: Pick<Mail, 'to' | 'subject'>): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  const controls = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/;
  return (
    !controls.test(mail.to) &&
    !controls.test(mail.subject) &&
    /^[^\s,;:<>()"[\]\\@]+@[^\s,;:<>()"[\]\\@]+$/.test(mail.to)
  );
}

/** Mails that one may do without, in a day and to one person, and the days for which more of them are held. */
const mostOptionalMails = 30;
const mostDaysHeld = 3;

/**
 * What becomes of one more such mail, when `count` of them left in the last day or are held: when it may leave, or that it is
 * left out (a reminder, that would come too late), or given up. A summary always leaves: there is one a day.
 */
export function holdMail(kind: LetterKind, count: number, now: Date): Date | 'leftOut' | 'givenUp' | null {
  const days = Math.floor(count / mostOptionalMails);
  if (days === 0 || !isOptional(kind) || kind === 'digest') return null;
  if (kind === 'surveyReminder') return 'leftOut';
  return days > mostDaysHeld ? 'givenUp' : new Date(now.getTime() + days * day);
}

/** The kinds that carry a way to stop them (RFC 8058). */
export const optionalKinds: readonly LetterKind[] = [...mailKinds, 'digest'];

export function isOptional(kind: LetterKind): kind is MailKind | 'digest' {
  return optionalKinds.includes(kind);
}

/** Whether mails that one may do without reach this person at all. */
export function isReachable(person: Pick<Person, 'email' | 'addressProblem' | 'disabledAt' | 'deletedAt'>): boolean {
  return mayEnter(person) && person.addressProblem?.email !== person.email;
}

export function wantsAtOnce(
  person: Pick<Person, 'email' | 'addressProblem' | 'disabledAt' | 'deletedAt' | 'mailChoices'>,
  kind: MailKind,
): boolean {
  return isReachable(person) && (person.mailChoices[kind] ?? 'at-once') === 'at-once';
}

/** No reminder arrives from the first hour on, or before the second. */
const quiet = { from: 21, to: 8 };

/** Year, month, day as "2026-05-21", hour and weekday (0: Sunday), in a time zone. */
export function localMoment(now: Date, timeZone: string): { date: string; hour: number; weekday: number } {
  const parts = Object.fromEntries(
    dateFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      hourCycle: 'h23',
      weekday: 'short',
    })
      .formatToParts(now)
      .map(({ type, value }) => [type, value]),
  );
  const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  const date = `${parts.year}-${parts.month}-${parts.day}`;
  return { date, hour: Number(parts.hour), weekday: weekdays.indexOf(parts.weekday ?? '') };
}

export function isQuiet(now: Date, timeZone: string): boolean {
  const { hour: at } = localMoment(now, timeZone);
  return at >= quiet.from || at < quiet.to;
}

/** The next moment that is not quiet: now, or the full hour at which the morning begins there. */
export function afterQuiet(now: Date, timeZone: string): Date {
  if (!isQuiet(now, timeZone)) return now;
  const quarter = 15 * minute;
  let moment = new Date(Math.ceil(now.getTime() / quarter) * quarter);
  while (isQuiet(moment, timeZone)) moment = new Date(moment.getTime() + quarter);
  return moment;
}

/**
 * In which slot a summary is due now, as part of its key: a day, or the Monday of a week; null: not now. They leave between 8
 * and 12 in the reader's time zone; one of the week also on Tuesday, when the server was down on Monday.
 */
export function digestSlot(when: DigestTime, now: Date, timeZone: string): string | null {
  const { date, hour: at, weekday } = localMoment(now, timeZone);
  if (when === 'off' || at < quiet.to || at >= 12) return null;
  if (when !== 'weekly') return date;
  if (weekday !== 1 && weekday !== 2) return null;
  const monday = new Date(Date.parse(`${date}T00:00:00Z`) - (weekday - 1) * day);
  return `week-${monday.toISOString().slice(0, 10)}`;
}

export const reminderSlots = ['halfTime', 'twoDays', 'lastDay'] as const;
export type ReminderSlot = (typeof reminderSlots)[number];

/** A reminder that could not leave for so long is not sent any more. */
const reminderWindow = 2 * day;

/**
 * Which reminder a survey is at, now; null: none. Only the last one that came due counts, so that a server that was down
 * does not send three. Those that would come too soon after the opening are left out.
 */
export function reminderAt(
  survey: {
    openedAt: Date | null;
    closesAt: Date | null;
    reminders: Readonly<Record<ReminderSlot, boolean>>;
  },
  now: Date,
): ReminderSlot | null {
  const { openedAt, closesAt, reminders } = survey;
  if (openedAt === null || closesAt === null || now >= closesAt) return null;
  const [from, to] = [openedAt.getTime(), closesAt.getTime()];
  const moments: Record<ReminderSlot, number> = {
    halfTime: to - from >= 6 * day ? from + (to - from) / 2 : Number.NaN,
    twoDays: to - 2 * day >= from + day ? to - 2 * day : Number.NaN,
    lastDay: to - day >= from + day / 2 ? to - day : Number.NaN,
  };
  const due = reminderSlots.filter((slot) => reminders[slot] && moments[slot] <= now.getTime());
  const slot = due.at(-1);
  return slot !== undefined && now.getTime() - moments[slot] < reminderWindow ? slot : null;
}
