// CSV: quoting of RFC 4180, and no cell that a spreadsheet would compute.
import { expect } from 'chai';
import fc from 'fast-check';
import { type CsvValue, toCsv } from '../../../server/formats/csv.js';

const column = { header: 'value', value: (row: CsvValue) => row };
const body = (value: CsvValue): string => toCsv([value], [column]).slice('value\r\n'.length, -2);

/** Cells of a file as a simple reader splits it; quotes anywhere but at the start of a cell are text. */
function cells(text: string, separator: string): string[] {
  const found: string[] = [];
  let index = 0;
  while (index <= text.length) {
    let cell = '';
    if (text[index] === '"') {
      index += 1;
      while (index < text.length && !(text[index] === '"' && text[index + 1] !== '"')) {
        cell += text[index];
        index += text[index] === '"' ? 2 : 1;
      }
      index += 1;
    }
    while (index < text.length && text[index] !== separator && text[index] !== '\n' && text[index] !== '\r') {
      cell += text[index];
      index += 1;
    }
    found.push(cell);
    index += text[index] === '\r' && text[index + 1] === '\n' ? 2 : 1;
  }
  return found;
}

describe('toCsv', () => {
  it('writes a header, CR LF and quotes where they are needed', () => {
    const text = toCsv(
      [
        { name: 'Pads, "libres"', visits: -3.5, open: true, since: new Date(0) },
        { name: '', visits: null, open: false, since: undefined },
      ],
      [
        { header: 'Nom', value: (row) => row.name },
        { header: 'Visites', value: (row) => row.visits },
        { header: 'Ouvert', value: (row) => row.open },
        { header: 'Depuis', value: (row) => row.since },
      ],
    );
    expect(text).to.equal(
      'Nom,Visites,Ouvert,Depuis\r\n"Pads, ""libres""",-3.5,true,1970-01-01T00:00:00.000Z\r\n,,false,\r\n',
    );
  });

  it('starts with a byte-order mark only when asked', () => {
    expect(toCsv(['é'], [column], { bom: true })).to.equal('\uFEFFvalue\r\né\r\n');
    expect(toCsv(['é'], [column])).to.equal('value\r\né\r\n');
  });

  for (const sign of ['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
    it(`makes no formula of ${sign}, at the start, after spaces or where another separator starts a cell`, () => {
      expect(body(`${sign}1+cmd`)).to.equal(`"'${sign}1+cmd"`);
      expect(body(` ${sign}1`)).to.equal(`" '${sign}1"`);
      expect(body(`a;${sign}1`)).to.equal(`"a;'${sign}1"`);
      expect(body(`a\t${sign}1`)).to.equal(`"a\t'${sign}1"`);
      expect(body(`a\n${sign}1`)).to.equal(`"a\n'${sign}1"`);
      expect(body(`"${sign}1`)).to.equal(`"""'${sign}1"`);
    });
  }

  it('protects texts that start with a tab or a line end, and the header too', () => {
    expect(body('\tx')).to.equal('"\'\tx"');
    expect(body('\r\nx')).to.equal('"\'\r\nx"');
    expect(toCsv([], [{ header: '=x', value: () => '' }])).to.equal('"\'=x"\r\n');
  });

  it('leaves numbers and harmless texts alone', () => {
    expect(body(-12)).to.equal('-12');
    expect(body('a-b=c @ d')).to.equal('a-b=c @ d');
    expect(body(Number.NaN)).to.equal('');
  });

  it('gives no reader a cell that starts with a sign, whatever the text and the separator', () => {
    const risky = fc
      .array(fc.constantFrom('=', '+', '-', '@', '＝', ';', ',', '\t', '\n', '\r', '"', "'", ' ', 'a', '\0'), {
        maxLength: 12,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.array(risky, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(',', ';', '\t'),
        (row, separator) => {
          const columns = row.map((value, index) => ({ header: `c${index}`, value: () => value }));
          const text = toCsv([null], columns);
          const unsafe = separator === ',' ? /^\s*[=+\-@＝]|^[\t\r\n]/ : /^\s*[=+\-@＝]/;
          expect(cells(text, separator).filter((cell) => unsafe.test(cell))).to.deep.equal([]);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
