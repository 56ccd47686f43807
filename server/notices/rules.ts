// When to try a mail again and when to give up; which headers are too dangerous to write. Pure.
import type { Mail, MailState } from './schema.js';

const minute = 60 * 1000;

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

export function stateOfMail(mail: Pick<Mail, 'sentAt' | 'keptAt' | 'failedAt'>): MailState {
  if (mail.sentAt) return 'sent';
  if (mail.failedAt) return 'failed';
  return mail.keptAt ? 'kept' : 'waiting';
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
