// The way of a mail out of the house: taken under a lease, sent, tried again over days, or kept for the administrator.

import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import type { House } from '../../house.js';
import { markAddressProblem } from '../../people/queries.js';
import { isAdministrator } from '../../people/rules.js';
import type { Store } from '../../store/store.js';
import { stopAddress, withLink } from '../links.js';
import { findMail, mailsIn } from '../queries.js';
import { isSafeHeader, keepDays, leaseMs, nextTry } from '../rules.js';
import type { Mail } from '../schema.js';
import { isStillAsked } from './surveyLetters.js';
import type { MailTransport } from './transport.js';

export interface MailRun {
  sent: number;
  /** To be tried again, or given up. */
  failed: number;
  /** No mail server is set: waiting for the administrator. */
  kept: number;
}

/** Mails in one run, and failures in a row after which the mail server is left alone until the next run. */
const batch = 100;
const patience = 3;

/**
 * Sends what is due. Several processes may run it: each mail is taken by one, for leaseMs. With no transport nothing is
 * sent, and the mails are kept for the administrator's page. A reminder of what was answered meanwhile is taken away.
 */
export async function sendDueMails(
  house: Pick<House, 'store' | 'site' | 'secret' | 'log' | 'now'>,
  transport: MailTransport | null,
  signal?: AbortSignal,
): Promise<MailRun> {
  const run: MailRun = { sent: 0, failed: 0, kept: 0 };
  let inARow = 0;
  for (let done = 0; done < batch && inARow < patience && !signal?.aborted; done += 1) {
    const mail = await takeNext(house);
    if (!mail) break;
    if (!(await isStillDue(house, mail))) {
      await mailsIn(house.store).deleteOne({ _id: mail._id, attempts: mail.attempts });
      continue;
    }
    const outcome = transport ? await sendOne(house, transport, mail) : await keep(house, mail);
    run[outcome] += 1;
    inARow = outcome === 'failed' ? inARow + 1 : 0;
  }
  return run;
}

async function takeNext(house: Pick<House, 'store' | 'now'>): Promise<Mail | null> {
  const now = house.now();
  return mailsIn(house.store).findOneAndUpdate(
    { nextAt: { $lte: now } },
    { $set: { nextAt: new Date(now.getTime() + leaseMs) }, $inc: { attempts: 1 } },
    { sort: { nextAt: 1 }, returnDocument: 'after' },
  );
}

/** A letter that only those get who have not answered waited, for the morning or for the mail server: they may have since. */
async function isStillDue(house: Pick<House, 'store' | 'site' | 'now'>, mail: Mail): Promise<boolean> {
  const { kind, about, personId } = mail;
  if (kind !== 'surveyReminder' && kind !== 'surveyExtended') return true;
  return about === undefined || personId === null || isStillAsked(house, about, personId);
}

async function keep(house: Pick<House, 'store' | 'now'>, mail: Mail): Promise<'kept'> {
  await finish(house, mail, { keptAt: house.now(), nextAt: null });
  return 'kept';
}

async function sendOne(
  house: Pick<House, 'store' | 'site' | 'secret' | 'log' | 'now'>,
  transport: MailTransport,
  mail: Mail,
): Promise<'sent' | 'failed'> {
  if (!isSafeHeader(mail)) {
    await finish(house, mail, { nextAt: null, failedAt: house.now(), lastError: 'the header is not safe to send' });
    return 'failed';
  }
  try {
    const id = `<${mail._id}@${new URL(house.site.baseUrl).hostname}>`;
    const stop = stopAddress(house, mail);
    await transport.send({
      id,
      to: mail.to,
      subject: mail.subject,
      language: mail.language,
      ...withLink(house, mail),
      stop,
    });
  } catch (error) {
    await putBack(house, mail, error);
    if (isForGood(error)) await markAddress(house, mail, error);
    return 'failed';
  }
  await finish(house, mail, { sentAt: house.now(), nextAt: null, lastError: null });
  return 'sent';
}

async function putBack(house: Pick<House, 'store' | 'log' | 'now'>, mail: Mail, error: unknown): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  const nextAt = isForGood(error) ? null : nextTry(mail.attempts, house.now());
  await finish(house, mail, {
    nextAt,
    failedAt: nextAt === null ? house.now() : null,
    lastError: reason.slice(0, 300),
  });
  house.log.warn(
    { mailId: mail._id, attempts: mail.attempts, givenUp: nextAt === null, reason },
    'a mail was not sent',
  );
}

/** The person is told here, on their pages, and no further mail that one may do without is written. */
async function markAddress(house: Pick<House, 'store' | 'now'>, mail: Mail, error: unknown): Promise<void> {
  if (mail.personId === null || !isAboutRecipient(error)) return;
  const reason = (error instanceof Error ? error.message : String(error)).slice(0, 300);
  await markAddressProblem(house.store, mail.personId, { email: mail.to, at: house.now(), reason });
}

/** It was the recipient that was refused, not what the mail says: RCPT, or 5.1.x (RFC 3463 §3.2). */
function isAboutRecipient(error: unknown): boolean {
  const { code, command, response } = error as { code?: unknown; command?: unknown; response?: unknown };
  return (code === 'EENVELOPE' && command !== 'MAIL FROM') || /^\d{3}[ -]5\.1\./.test(String(response ?? ''));
}

/** The mail server refuses this recipient or this mail, and will again (RFC 5321 §4.2.1, 5yz); not our own sign-in there. */
function isForGood(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  return (code === 'EENVELOPE' || code === 'EMESSAGE') && typeof responseCode === 'number' && responseCode >= 500;
}

async function finish(house: Pick<House, 'store'>, mail: Mail, set: Partial<Mail>): Promise<void> {
  await mailsIn(house.store).updateOne({ _id: mail._id, attempts: mail.attempts }, { $set: set });
}

/** The administrator lets a mail that failed, or was kept, go again. Refuses: not-allowed, not-found, closed (sent or waiting). */
export async function retryMail(ctx: Context, mailId: string): Promise<void> {
  if (!isAdministrator(ctx.actor)) throw new DomainError('not-allowed', 'notices.error.administratorsOnly');
  const mail = await findMail(ctx.store, mailId);
  if (!mail) throw new DomainError('not-found', 'error.notFound');
  const freed = await mailsIn(ctx.store).updateOne(
    { _id: mailId, sentAt: null, nextAt: null },
    { $set: { nextAt: ctx.now, attempts: 0, keptAt: null, failedAt: null, lastError: null } },
  );
  if (freed.matchedCount === 0) throw new DomainError('closed', 'notices.error.onItsWay');
}

/** For the nightly job: mails older than keepDays go. Returns how many. */
export async function pruneMails(store: Store, now: Date): Promise<number> {
  const before = new Date(now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  return (await mailsIn(store).deleteMany({ createdAt: { $lt: before } })).deletedCount;
}
