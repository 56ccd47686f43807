import { expect } from 'chai';
import fc from 'fast-check';
import { isNewer, nextReading, nextTry, serviceKey, siteOf, sourceKey } from '../../../server/elsewhere/rules.js';

const hour = 3_600_000;
const day = 24 * hour;
const at = (time: number) => new Date(Date.UTC(2026, 4, 21) + time);

describe('elsewhere: rules', () => {
  it('takes addresses of one site for one site', () => {
    const one = ['https://www.pad.example/', 'http://pad.example', 'https://pad.example//', 'https://PAD.example/#x'];
    expect(new Set(one.map(siteOf))).to.deep.equal(new Set(['pad.example']));
    expect(siteOf('https://pad.example/a/')).to.equal('pad.example/a');
    expect(siteOf('https://pad.example/?a=1')).not.to.equal(siteOf('https://pad.example/?a=2'));
    expect(siteOf('https://pad.example:8443/')).not.to.equal('pad.example');
    expect([siteOf(null), siteOf('nothing')]).to.deep.equal([null, null]);
  });

  it('lets nothing older replace what is known, and only something later what was withdrawn', () => {
    const known = { saidAt: at(0), isTombstone: false };
    expect([-1, 0, 1].map((time) => isNewer(known, at(time)))).to.deep.equal([false, true, true]);
    const gone = { saidAt: at(0), isTombstone: true };
    expect([-1, 0, 1].map((time) => isNewer(gone, at(time)))).to.deep.equal([false, false, true]);
  });

  it('reads instances about weekly and files about daily, not all at once', () => {
    fc.assert(
      fc.property(fc.webUrl(), (address) => {
        for (const [kind, span] of [
          ['actor', 7 * day],
          ['organization', day],
        ] as const) {
          const wait = nextReading({ _id: sourceKey(kind, address), kind }, at(0)).getTime() - at(0).getTime();
          expect(wait).to.be.within(span * 0.85, span * 1.15);
        }
      }),
      { numRuns: 30 },
    );
    const waits = Array.from({ length: 50 }, (_, index) =>
      nextReading({ _id: sourceKey('actor', `https://a.example/${index}`), kind: 'actor' }, at(0)).getTime(),
    );
    expect(new Set(waits).size).to.equal(50);
  });

  it('asks a silent server after five minutes at first, once a day in the end', () => {
    const waits = [0, hour, 5 * hour, 40 * day].map(
      (silent) => nextTry(at(0), at(silent)).getTime() - at(silent).getTime(),
    );
    expect(waits).to.deep.equal([hour / 12, hour, 5 * hour, day]);
  });

  it('keeps the services of two hosters apart, whatever ids they claim', () => {
    expect(serviceKey('a', 'https://x.example/1')).not.to.equal(serviceKey('b', 'https://x.example/1'));
  });
});
