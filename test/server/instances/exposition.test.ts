// The text form of figures: what a reader of the format takes out of it is what was put in.
import { expect } from 'chai';
import fc from 'fast-check';
import { expose, Histogram } from '../../../server/instances/exposition.js';

/** Reads one sample as the format's description says: escapes \\ \" \n inside label values. */
function readSample(line: string): { name: string; labels: Record<string, string>; value: string } {
  const [, name = '', , inside = '', value = ''] = /^([a-z_]+)(\{(.*)\})? (\S+)$/s.exec(line) ?? [];
  const labels: Record<string, string> = {};
  for (const [, label = '', text = ''] of inside.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/gs)) {
    labels[label] = text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
  }
  return { name, labels, value };
}

describe('figures for Prometheus', () => {
  it('are one family after the other, each with its help and type', () => {
    const text = expose([
      { name: 'a_total', help: 'Some\nhelp \\ more', type: 'counter', samples: [{ value: 3 }] },
      { name: 'b', help: 'None yet', type: 'gauge', samples: [] },
    ]);
    expect(text).to.equal(
      '# HELP a_total Some\\nhelp \\\\ more\n# TYPE a_total counter\na_total 3\n# HELP b None yet\n# TYPE b gauge\n',
    );
  });

  it('keep any value of a label, on one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.double(), (job, route, value) => {
        const text = expose([{ name: 'x', help: 'x', type: 'gauge', samples: [{ labels: { job, route }, value }] }]);
        const [, , line = '', ...rest] = text.split('\n');
        expect(rest).to.deep.equal(['']);
        const read = readSample(line);
        expect(read.labels).to.deep.equal({ job, route });
        expect(Number(read.value.replace('Inf', 'Infinity'))).to.deep.equal(value + 0);
      }),
    );
  });

  it('count durations up to each bound, the bound itself included, and all of them at the end', () => {
    const histogram = new Histogram([0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe({ route: '/' }, value);
    histogram.observe({ route: '/about' }, 0.2);
    const lines = expose([{ name: 'd', help: 'd', type: 'histogram', samples: histogram.samples() }]).split('\n');
    expect(lines.slice(2, -1)).to.deep.equal([
      'd_bucket{route="/",le="0.1"} 2',
      'd_bucket{route="/",le="1"} 3',
      'd_bucket{route="/",le="+Inf"} 4',
      'd_sum{route="/"} 7.65',
      'd_count{route="/"} 4',
      'd_bucket{route="/about",le="0.1"} 0',
      'd_bucket{route="/about",le="1"} 1',
      'd_bucket{route="/about",le="+Inf"} 1',
      'd_sum{route="/about"} 0.2',
      'd_count{route="/about"} 1',
    ]);
  });
});
