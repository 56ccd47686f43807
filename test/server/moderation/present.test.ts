import { expect } from 'chai';
import fc from 'fast-check';
import { presentFound } from '../../../server/moderation/present.js';

const site = { baseUrl: 'https://us.example', host: 'us.example', defaultLanguage: 'fr' } as const;

describe('an address in a report, as a link', () => {
  const hrefOf = (address: string) => presentFound({ kind: 'unknown' }, address, site, 'en').href;

  it('stays on this instance, however many strokes another server writes behind our name', () => {
    expect(hrefOf('https://us.example/somewhere')).to.equal('/somewhere');
    expect(hrefOf('https://evil.example/somewhere')).to.equal(null);
    const strokes = fc.string({ unit: fc.constantFrom('/', '\\', '.', '\t', '%2f', '@'), maxLength: 6 });
    fc.assert(
      fc.property(strokes, strokes, (before, between) => {
        const href = hrefOf(`https://us.example/${before}evil.example${between}/x`);
        if (href !== null) expect(new URL(href, site.baseUrl).origin).to.equal(site.baseUrl);
      }),
    );
  });
});
