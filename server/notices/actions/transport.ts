// The only file that speaks SMTP, through nodemailer; loaded when a mail server is set.
import type { Language } from '../../context.js';

export interface OutgoingMail {
  /** Message-ID: the same at every try, so that a mail sent twice is shown once. */
  id: string;
  to: string;
  subject: string;
  language: Language;
  /** Where mails of this kind are stopped by one click; null: they always go out. */
  stop: string | null;
  text: string;
  html: string;
}

export interface MailTransport {
  /** Rejects when the mail server did not take the mail. */
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

/** Milliseconds; all below the lease, so that a slow server cannot make two processes send the same mail. */
const timeouts = { connectionTimeout: 20_000, greetingTimeout: 20_000, socketTimeout: 60_000, dnsTimeout: 20_000 };

/** A way to the mail server at smtpUrl. Nothing is asked of it until the first mail. */
export async function openTransport(smtpUrl: string, from: string): Promise<MailTransport> {
  const { createTransport } = await import('nodemailer');
  const url = new URL(smtpUrl);
  for (const [name, value] of Object.entries(timeouts)) {
    if (!url.searchParams.has(name)) url.searchParams.set(name, String(value));
  }
  const transporter = createTransport(url.href, { from });
  return {
    async send(mail) {
      await transporter.sendMail({
        messageId: mail.id,
        to: { name: '', address: mail.to },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        headers: {
          // RFC 3834: no holiday reply, please.
          'Auto-Submitted': 'auto-generated',
          'X-Auto-Response-Suppress': 'All',
          'Content-Language': mail.language,
          // RFC 2369 and 8058: the mail program's own button; it posts, so that a scanner that opens links stops nothing.
          ...(mail.stop === null
            ? {}
            : { 'List-Unsubscribe': `<${mail.stop}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
        },
        // RFC 3461: what comes back names the mail, and holds its headers only.
        dsn: { id: mail.id.replace(/[<>]/g, ''), return: 'headers', notify: 'failure', recipient: mail.to },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    },
    close: () => transporter.close(),
  };
}
