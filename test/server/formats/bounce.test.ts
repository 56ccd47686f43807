import { expect } from 'chai';
import fc from 'fast-check';
import { readBounce } from '../../../server/formats/bounce.js';

const id = '01931b2e-7c1a-7f00-8000-0123456789ab@chatiere.example';

/** As Postfix writes them (bounce(8)). */
const postfix = `Return-Path: <>
From: MAILER-DAEMON@mail.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: chatiere@chatiere.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XtQ2v0kZzz1.1732312345/mail.example"

This is a MIME-encapsulated message.

--4XtQ2v0kZzz1.1732312345/mail.example
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

Your message could not be delivered. Message-ID: <nobody@nowhere.example>
Action: failed
Status: 5.9.9

--4XtQ2v0kZzz1.1732312345/mail.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
X-Postfix-Queue-ID: 4XtQ2v0kZzz1
Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0100 (CET)

Final-Recipient: rfc822; camille@gone.example
Original-Recipient: rfc822;camille@gone.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.gone.example
Diagnostic-Code: smtp; 550 5.1.1 <camille@gone.example>: Recipient address
    rejected: User unknown

--4XtQ2v0kZzz1.1732312345/mail.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: =?utf-8?Q?Chati=C3=A8re?= <chatiere@chatiere.example>
Message-ID:
 <${id}>
Subject: x

Message-ID: <other@nowhere.example>
--4XtQ2v0kZzz1.1732312345/mail.example--
Action: failed
`;

/** As Exim writes them: headers only, and the report in quoted-printable as some relays make of it. */
const exim = `Content-type: Multipart/Report; boundary=1732312345-eximdsn-1; Report-Type="Delivery-Status"

--1732312345-eximdsn-1
Content-type: text/plain

x
--1732312345-eximdsn-1
Content-type: message/delivery-status
Content-Transfer-Encoding: quoted-printable

Reporting-MTA: dns; mail.example

Action: delayed
Final-Recipient: rfc822;a@there.example
Status: 4.4.1

Action: failed
Final-Recipient: rfc822;=
b@there.example
Status: 5.2.2
Diagnostic-Code: smtp; 552 mailbox =C3=A9 full
--1732312345-eximdsn-1
Content-type: text/rfc822-headers

Message-Id: <${id}>
--1732312345-eximdsn-1--
`;

describe('a report of a mail server', () => {
  it('names the mail, what became of it and why, whatever else stands around it', () => {
    const said = { action: 'failed', status: '5.1.1', messageId: id };
    const reason = '5.1.1 550 5.1.1 <camille@gone.example>: Recipient address rejected: User unknown';
    expect(readBounce(postfix)).to.deep.equal({ ...said, reason });
    expect(readBounce(postfix.replaceAll('\n', '\r\n'))).to.deep.equal({ ...said, reason });
    const late = readBounce(exim);
    expect(late).to.include({ action: 'failed', status: '5.2.2', messageId: id });
  });

  it('is known by what it was sent under when the mail itself did not come back', () => {
    const alone = postfix
      .replace('message/rfc822', 'image/png')
      .replace('Reporting-MTA:', `Original-Envelope-Id: ${id}\nReporting-MTA:`);
    expect(readBounce(alone)).to.include({ messageId: id });
    expect(readBounce(postfix.replace('message/rfc822', 'image/png'))).to.include({ messageId: null });
  });

  it('is nothing else: no answer of somebody on holiday, no other report, no words that look like one', () => {
    for (const [what, by] of [
      ['multipart/report', 'multipart/mixed'],
      ['report-type=delivery-status', 'report-type=disposition-notification'],
      ['message/delivery-status', 'text/plain'],
      ['Status: 5.1.1', 'Status: broken'],
      ['Action: failed\nStatus: 5.1.1', 'Action: exploded\nStatus: 5.1.1'],
    ] as const) {
      expect(readBounce(postfix.replace(what, by)), by).to.equal(null);
    }
    expect(readBounce('')).to.equal(null);
    expect(readBounce(postfix.slice(0, 200))).to.equal(null);
  });

  it('is read back as it was written, with any boundary, order of fields and folding', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
    const status = fc.tuple(fc.constantFrom(2, 4, 5), fc.nat(99), fc.nat(99)).map((numbers) => numbers.join('.'));
    const action = fc.constantFrom('failed', 'delayed', 'delivered', 'relayed', 'expanded');
    const boundary = fc.stringMatching(/^[0-9A-Za-z'()+_,./:=?-]{1,69}$/);
    fc.assert(
      fc.property(
        word,
        status,
        action,
        boundary,
        fc.boolean(),
        fc.boolean(),
        (name, code, act, mark, isFolded, isUpper) => {
          const fold = isFolded ? '\n\t' : ' ';
          const lines = [`Status:${fold}${code}`, `Action:${fold}${isUpper ? act.toUpperCase() : act}`];
          const raw = [
            `Content-Type: multipart/report;${fold}report-type=delivery-status; boundary="${mark}"`,
            '',
            `--${mark}`,
            'Content-Type: message/delivery-status',
            '',
            `Reporting-MTA: dns; ${name}`,
            '',
            ...(isUpper ? lines.reverse() : lines),
            `--${mark}`,
            'Content-Type: text/rfc822-headers',
            '',
            `MESSAGE-ID:${fold}<${name}@x>`,
            `--${mark}--`,
          ].join('\n');
          const read = readBounce(raw);
          expect(read).to.include({ action: act, status: code, messageId: `${name}@x` });
        },
      ),
    );
  });

  it('is read, or not, at any damage, and never in more than a moment', () => {
    const damage = fc.tuple(fc.nat(postfix.length), fc.nat(200), fc.string({ unit: 'binary', maxLength: 50 }));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 5 }), (damages) => {
        const raw = damages.reduce((text, [at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone), postfix);
        const read = readBounce(raw);
        if (read !== null) expect(read.reason).to.match(/^[^\n\r]{0,300}$/);
      }),
    );
    const start = performance.now();
    readBounce(`Content-Type: multipart/report${'; a="\\'.repeat(100_000)}\n\n${'--x\n'.repeat(200_000)}`);
    readBounce(postfix.replace('Reporting-MTA', `${'\n \n'.repeat(200_000)}Reporting-MTA`));
    readBounce(postfix.replace('smtp;', ' \t'.repeat(300_000)));
    expect(performance.now() - start).to.be.lessThan(2_000);
  });
});
