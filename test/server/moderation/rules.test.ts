import { expect } from 'chai';
import fc from 'fast-check';
import { afterDeed, readTarget } from '../../../server/moderation/rules.js';
import { maxComment, reportComment } from '../../../server/moderation/schema.js';

const site = { baseUrl: 'https://us.example', host: 'us.example', defaultLanguage: 'fr' } as const;
const now = new Date('2026-05-21T10:00:00Z');
const id = '0190c3a0-0000-7000-8000-000000000001';

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
}

describe('rules of reports', () => {
  const open = { status: 'open', assignedTo: null } as const;
  const mine = { status: 'open', assignedTo: 'me' } as const;
  const closed = { status: 'closed', assignedTo: 'me' } as const;
  const close = { what: 'closed', outcome: 'handled', text: '' } as const;

  it('lets an open one be taken, also from another, given back, closed; a closed one be opened again', () => {
    expect(afterDeed(open, { what: 'taken' }, 'me', now)).to.deep.equal({ assignedTo: 'me' });
    expect(afterDeed(mine, { what: 'taken' }, 'you', now)).to.deep.equal({ assignedTo: 'you' });
    expect(afterDeed(mine, { what: 'released' }, 'me', now)).to.deep.equal({ assignedTo: null });
    expect(afterDeed(mine, close, 'me', now)).to.deep.equal({ status: 'closed', outcome: 'handled', closedAt: now });
    const reopened = { status: 'open', outcome: null, closedAt: null };
    expect(afterDeed(closed, { what: 'reopened' }, 'you', now)).to.deep.equal(reopened);
  });

  it('lets nothing be done twice, nor to a closed one', () => {
    expect(refusal(() => afterDeed(mine, { what: 'taken' }, 'me', now))).to.equal('conflict');
    expect(refusal(() => afterDeed(open, { what: 'released' }, 'me', now))).to.equal('conflict');
    expect(refusal(() => afterDeed(open, { what: 'reopened' }, 'me', now))).to.equal('conflict');
    for (const deed of [{ what: 'taken' }, { what: 'released' }, { what: 'removed', text: '' }, close] as const) {
      expect(
        refusal(() => afterDeed(closed, deed, 'you', now)),
        deed.what,
      ).to.equal('conflict');
    }
  });

  it('reads what an address of ours names, in either form, and nothing of others', () => {
    const named: [string, unknown][] = [
      ['https://us.example/actors/ecluse', { kind: 'actor', handle: 'ecluse' }],
      ['https://us.example/@ecluse', { kind: 'actor', handle: 'ecluse' }],
      ['/@Ecluse', { kind: 'actor', handle: 'ecluse' }],
      ['/@ecluse/services/pads', { kind: 'service', handle: 'ecluse', slug: 'pads' }],
      [`/@ecluse/posts/${id}`, { kind: 'post', id }],
      [`https://us.example/objects/${id}`, { kind: 'post', id }],
      ['https://us.example/objects/x', { kind: 'other' }],
      ['/admin', { kind: 'other' }],
      ['https://us.example.evil.example/@ecluse', null],
      ['https://us.example@evil.example/@ecluse', null],
      ['http://us.example/@ecluse', null],
      ['//evil.example/@ecluse', null],
      ['javascript:alert(1)', null],
      ['https://', null],
    ];
    for (const [address, target] of named) expect(readTarget(site, address), address).to.deep.equal(target);
  });

  it('keeps of a comment from elsewhere what can be shown, and no more than fits', () => {
    expect(reportComment(' a\r\nb\u0000\u202ec ')).to.equal('a\nbc');
    expect(reportComment(`${'x'.repeat(maxComment - 1)}\u{1f600}`)).to.equal('x'.repeat(maxComment - 1));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        const kept = reportComment(text.repeat(100));
        expect(kept.length).to.be.at.most(maxComment);
        expect(reportComment(kept)).to.equal(kept.trim());
      }),
    );
  });
});
