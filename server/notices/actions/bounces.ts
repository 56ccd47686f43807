// Mails that came back after the mail server had taken them: marked as those that it refuses at once.
import type { Context } from '../../context.js';
import type { Bounce } from '../../formats/bounce.js';
import { markAddressProblem } from '../../people/queries.js';
import { findMail, mailsIn } from '../queries.js';

/**
 * What a report says of a mail of ours. 'ignored': it did not fail for good, is about no mail that is known, or is one that was
 * told before. Only who got the mail, or carried it, knows its id: a forged report concerns their own address alone.
 */
export async function receiveBounce(ctx: Context, bounce: Bounce): Promise<'marked' | 'ignored'> {
  const mail = await findMail(ctx.store, bounce.messageId?.split('@')[0] ?? '');
  const isFailed = bounce.action === 'failed';
  if (mail === null || mail.sentAt === null || !isFailed) return 'ignored';
  const { reason } = bounce;
  const set = { sentAt: null, nextAt: null, failedAt: ctx.now, lastError: reason };
  const { matchedCount } = await mailsIn(ctx.store).updateOne({ _id: mail._id, sentAt: mail.sentAt }, { $set: set });
  if (matchedCount === 0) return 'ignored';
  if (mail.personId !== null && isAboutAddress(bounce.status)) {
    await markAddressProblem(ctx.store, mail.personId, { email: mail.to, at: ctx.now, reason });
  }
  return 'marked';
}

/** No such address, or it takes no mail (RFC 3463 §3.2, §3.3, §3.5); not a full mailbox, nor a mail that was not liked. */
function isAboutAddress(status: string): boolean {
  return /^5\.(0\.0|1\.\d+|2\.[01]|4\.4)$/.test(status);
}
