// Sends the mails that are due. What is written, and to whom, is server/notices.
import type { JobResult } from '../server/instances/schema.js';
import { sendDueMails } from '../server/notices/actions/sendDueMails.js';
import type { JobTools } from './tools.js';

export async function sendMails({ house, mailTransport }: JobTools, signal: AbortSignal): Promise<JobResult> {
  return { ...(await sendDueMails(house, mailTransport, signal)) };
}
