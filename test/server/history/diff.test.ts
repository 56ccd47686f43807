import { expect } from 'chai';
import fc from 'fast-check';
import { diff } from '../../../server/history/diff.js';

describe('what differs', () => {
  it('names fields by dotted paths, with what stood and what stands', () => {
    const before = { name: { fr: 'A', en: '' }, place: { latitude: 1 }, same: 3 };
    const after = { name: { fr: 'B', en: '' }, place: { latitude: null }, same: 3 };
    expect(diff(before, after)).to.deep.equal([
      { path: 'name.fr', before: 'A', after: 'B' },
      { path: 'place.latitude', before: 1, after: null },
    ]);
  });

  it('compares lists as a whole and by value', () => {
    const links = [{ key: 'matrix', url: 'https://a.example/' }];
    expect(diff({ links }, { links: structuredClone(links) })).to.deep.equal([]);
    expect(diff({ links }, { links: [] })).to.deep.equal([{ path: 'links', before: links, after: [] }]);
    expect(diff({ tags: ['a', 'b'] }, { tags: ['b', 'a'] })).to.have.length(1);
  });

  it('compares dates by their time', () => {
    const day = () => new Date('2026-05-21T00:00:00Z');
    expect(diff({ at: day() }, { at: day() })).to.deep.equal([]);
    expect(diff({ at: day() }, { at: new Date(0) })).to.deep.equal([{ path: 'at', before: day(), after: new Date(0) }]);
  });

  it('takes a missing field for null, and tells of what only one side has', () => {
    expect(diff({ a: undefined }, { a: null })).to.deep.equal([]);
    expect(diff({ gone: 1 }, { come: { x: 2 } })).to.deep.equal([
      { path: 'come.x', before: null, after: 2 },
      { path: 'gone', before: 1, after: null },
    ]);
  });

  it('finds nothing between equals and something between others', () => {
    const values = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.jsonValue());
    fc.assert(
      fc.property(values, (value) => {
        expect(diff(value, structuredClone(value))).to.deep.equal([]);
        expect(diff(value, { ...value, '!': 1 })).to.deep.equal([{ path: '!', before: null, after: 1 }]);
      }),
    );
  });
});
