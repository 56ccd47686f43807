// `chatiere bounce`: a mail server pipes what comes back to MAIL_FROM into it, one message on the standard input. Ends with the
// codes that mail servers know (sysexits.h): 0, also for what is no report, so that nothing is bounced back; 75, to try later.
import { text } from 'node:stream/consumers';
import { readBounce } from '../formats/bounce.js';
import { receiveBounce } from '../notices/actions/bounces.js';
import { StoreOpenError } from '../store/errors.js';
import type { PrintOptions } from './archives.js';
import { print, withDesk } from './environment.js';
import { explain } from './failure.js';

const tryLater = 75;
/** Characters that are looked at; what a mail server adds to a report is far less. */
const mostCharacters = 2_000_000;

export async function bounceCommand(options: PrintOptions): Promise<void> {
  const bounce = readBounce((await text(process.stdin)).slice(0, mostCharacters));
  if (bounce === null)
    return print(options, { outcome: 'none' }, ['This is no report of a mail server: nothing was done.']);
  try {
    const outcome = await withDesk(({ ctx }) => receiveBounce(ctx, bounce));
    const sentence = outcome === 'marked' ? `The mail came back: ${bounce.reason}` : 'Nothing was to be done.';
    print(options, { outcome, status: bounce.status }, [sentence]);
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = tryLater;
  }
}
