import { expect } from 'chai';
import { isSafeHeader, leaseMs, nextTry, stateOfMail } from '../../../server/notices/rules.js';

const now = new Date('2026-05-21T10:00:00Z');

describe('rules about mails', () => {
  it('try again ever later, over four days, then give up', () => {
    const waits = Array.from({ length: 10 }, (_one, n) => (nextTry(n + 1, now)?.getTime() ?? 0) - now.getTime());
    expect(waits).to.deep.equal([...waits].sort((a, b) => a - b));
    expect(waits[0]).to.equal(60_000);
    const days = waits.reduce((sum, wait) => sum + wait, 0) / 86_400_000;
    expect(days).to.be.within(3, 5);
    expect(nextTry(11, now)).to.equal(null);
    expect(leaseMs).to.be.greaterThan(2 * 60_000);
  });

  it('know what became of a mail', () => {
    const none = { sentAt: null, keptAt: null, failedAt: null, attempts: 0 };
    expect(stateOfMail(none)).to.equal('waiting');
    expect(stateOfMail({ ...none, heldUntil: now })).to.equal('held');
    expect(stateOfMail({ ...none, heldUntil: now, attempts: 1 })).to.equal('waiting');
    expect(stateOfMail({ ...none, sentAt: now })).to.equal('sent');
    expect(stateOfMail({ ...none, keptAt: now })).to.equal('kept');
    expect(stateOfMail({ ...none, failedAt: now })).to.equal('failed');
  });

  it('let no second header and no second recipient through', () => {
    expect(isSafeHeader({ to: 'noor@example.org', subject: 'Un sujet : « été » 🐈' })).to.equal(true);
    for (const control of ['\r', '\n', '\r\n', '\u0000', '\u2028', '\u2029', '\u0085', '\t']) {
      expect(isSafeHeader({ to: `noor@example.org${control}Bcc: x@example.org`, subject: 's' })).to.equal(false);
      expect(isSafeHeader({ to: 'noor@example.org', subject: `s${control}Bcc: x@example.org` })).to.equal(false);
    }
    for (const to of [
      'a@example.org,b@example.org',
      'a@b@example.org',
      'Name <a@example.org>',
      '"a@evil x"@example.org',
      'a;b@example.org',
      '@example.org',
      'a@',
      'a',
    ]) {
      expect(isSafeHeader({ to, subject: 's' }), to).to.equal(false);
    }
  });
});
