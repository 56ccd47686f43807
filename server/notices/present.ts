// Mails as plain data for the administrator's pages.
import type { House } from '../house.js';
import { withLink } from './links.js';
import type { MailPage } from './queries.js';
import { stateOfMail } from './rules.js';
import { linkMark, type Mail, stopMark } from './schema.js';

const kinds = { waiting: 'waiting', held: 'waiting', sent: 'well', kept: 'waiting', failed: 'broken' } as const;

function presentState(mail: Mail): object {
  const state = stateOfMail(mail);
  return { state: `notices.state.${state}`, kind: kinds[state] };
}

export function presentMailPage(found: MailPage): object {
  const href = (page: number) => `/admin/mails?page=${page}`;
  return {
    at: found.at,
    pages: found.pages,
    total: found.total,
    previous: found.at > 1 ? href(found.at - 1) : null,
    next: found.at < found.pages ? href(found.at + 1) : null,
    mails: found.items.map((mail) => ({
      href: `/admin/mails/${mail._id}`,
      to: mail.to,
      subject: mail.subject,
      createdAt: mail.createdAt,
      ...presentState(mail),
    })),
  };
}

/**
 * One mail. Its link works here only where no mail server sends it: else an administrator could open an account that is
 * not theirs.
 */
export function presentMail(house: Pick<House, 'site' | 'secret'>, mail: Mail, hiddenLink: string): object {
  const state = stateOfMail(mail);
  const written =
    state === 'kept'
      ? withLink(house, mail).text
      : mail.text.replaceAll(linkMark, `[${hiddenLink}]`).replaceAll(stopMark, `[${hiddenLink}]`);
  return {
    to: mail.to,
    subject: mail.subject,
    written,
    createdAt: mail.createdAt,
    sentAt: mail.sentAt,
    nextAt: mail.nextAt,
    attempts: mail.attempts,
    lastError: mail.lastError,
    isKept: state === 'kept',
    isHeld: state === 'held',
    mayRetry: state === 'failed' || state === 'kept',
    retry: `/admin/mails/${mail._id}/retry`,
    ...presentState(mail),
  };
}
