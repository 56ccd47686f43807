// The .properties reader: every encoding, escape and refusal, and that what is written is read back.
import { expect } from 'chai';
import fc from 'fast-check';
import { PROPERTIES_MAX_BYTES, readProperties, writeProperty } from '../../../server/formats/properties.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(input: string | Uint8Array) {
  const result = readProperties(typeof input === 'string' ? utf8(input) : input);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return { entries: result.entries, encoding: result.encoding, warnings: result.warnings.list() };
}

function values(input: string | Uint8Array): Record<string, string> {
  return Object.fromEntries(read(input).entries.map(({ key, value }) => [key, value]));
}

function refusal(bytes: Uint8Array): string {
  const result = readProperties(bytes);
  return result.ok ? 'accepted' : result.refusal;
}

const codes = (input: string | Uint8Array) => read(input).warnings.map(({ code, line }) => `${code}@${line}`);

describe('readProperties', () => {
  it('gives each entry with the line where it starts', () => {
    expect(read('# head\n\na.b = 1\r\n! note\rc=2\nd   =3\n').entries).to.deep.equal([
      { key: 'a.b', value: '1', line: 3 },
      { key: 'c', value: '2', line: 5 },
      { key: 'd', value: '3', line: 6 },
    ]);
  });

  it('takes matching quotes off, but leaves quotes that belong to the text', () => {
    const text = `a='https://x.example/'\nb="two words"\nc='one' and 'two'\nd=l'eau\ne='\nf=''\ng=\\'kept\\'`;
    expect(values(text)).to.deep.equal({
      a: 'https://x.example/',
      b: 'two words',
      c: "'one' and 'two'",
      d: "l'eau",
      e: "'",
      f: '',
      g: "'kept'",
    });
  });

  it('undoes Java escapes and reads <br/> as a line break', () => {
    const text =
      "a=l\\'April\nb=x\\ny\nc=http\\://x\nd=\\u00e9t\\u00E9\ne=un<br/>deux<BR />trois<br>\nf=c:\\\\d\ng=\\<br/>";
    expect(values(text)).to.deep.equal({
      a: "l'April",
      b: 'x\ny',
      c: 'http://x',
      d: 'été',
      e: 'un\ndeux\ntrois\n',
      f: 'c:\\d',
      g: '<br/>',
    });
  });

  it('joins continued lines and keeps the line numbers right after them', () => {
    expect(read('a = one \\\n    two \\\r\n  three\nb = x\\\\\nc = y\\').entries).to.deep.equal([
      { key: 'a', value: 'one two three', line: 1 },
      { key: 'b', value: 'x\\', line: 4 },
      { key: 'c', value: 'y', line: 5 },
    ]);
  });

  it('accepts a colon after a path, but takes no address for a key', () => {
    expect(values('organization.name: Tuile: toit\nhttps://x.example/?a=b')).to.deep.equal({
      'organization.name': 'Tuile: toit',
      'https://x.example/?a': 'b',
    });
  });

  it('lets the last of several equal keys win and warns at the line that loses', () => {
    expect(read('a=1\nb=2\na=3').entries).to.deep.equal([
      { key: 'a', value: '3', line: 3 },
      { key: 'b', value: '2', line: 2 },
    ]);
    expect(read('a=1\nb=2\na=3').warnings).to.deep.equal([
      { line: 1, key: 'a', code: 'duplicate-key', level: 'warning', details: { keptLine: 3 } },
    ]);
  });

  it('warns of lines without a key, broken escapes and control characters', () => {
    expect(codes('just prose\n= x\na=\\u12\nb=x\u0007y\nc=\\ud800z')).to.deep.equal([
      'bad-line@1',
      'bad-line@2',
      'bad-escape@3',
      'control-character@4',
      'bad-escape@5',
    ]);
    expect(values('a=\\u12\nb=x\u0007y\nc=\\ud800z')).to.deep.equal({ a: '\\u12', b: 'xy', c: '\uFFFDz' });
  });

  it('removes a byte-order mark and says so', () => {
    const bytes = Uint8Array.from([0xef, 0xbb, 0xbf, ...utf8('a=é')]);
    expect(values(bytes)).to.deep.equal({ a: 'é' });
    expect(codes(bytes)).to.deep.equal(['byte-order-mark@1']);
  });

  it('falls back to Latin-1 and names the first line that is not UTF-8', () => {
    const bytes = Uint8Array.from(Buffer.from('x=1\r\nnom=L\u00c9cluse\u0080', 'latin1'));
    expect(read(bytes).encoding).to.equal('latin-1');
    expect(values(bytes)).to.deep.equal({ x: '1', nom: 'LÉcluse€' });
    expect(codes(bytes)).to.deep.equal(['latin-1@2']);
  });

  it('refuses UTF-16 with and without a mark', () => {
    expect(refusal(Uint8Array.from([0xff, 0xfe, 0x61, 0]))).to.equal('utf-16');
    expect(refusal(Uint8Array.from([0xfe, 0xff, 0, 0x61]))).to.equal('utf-16');
    expect(refusal(Uint8Array.from(Buffer.from('file.class = service', 'utf16le')))).to.equal('utf-16');
  });

  it('refuses binary content, with and without zero bytes', () => {
    expect(refusal(Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]))).to.equal('binary');
    expect(refusal(Uint8Array.from({ length: 600 }, (_, index) => 1 + ((index * 37) % 255)))).to.equal('binary');
    expect(refusal(Uint8Array.from({ length: 600 }, (_, index) => 0x80 + (index % 60)))).to.equal('binary');
  });

  it('refuses a web page', () => {
    expect(refusal(utf8('\n <!DOCTYPE html><html lang="fr">'))).to.equal('web-page');
    expect(refusal(utf8('<html>'))).to.equal('web-page');
  });

  it('accepts one mebibyte and refuses one byte more', () => {
    expect(refusal(utf8(`a=${'x'.repeat(PROPERTIES_MAX_BYTES - 2)}`))).to.equal('accepted');
    expect(refusal(utf8(`a=${'x'.repeat(PROPERTIES_MAX_BYTES - 1)}`))).to.equal('too-large');
  });

  it('refuses more entries than any real file has', () => {
    const text = Array.from({ length: 20_001 }, (_, index) => `k${index}=1`).join('\n');
    expect(refusal(utf8(text))).to.equal('too-many-entries');
  });

  it('keeps 200 warnings and counts the rest', () => {
    const { warnings } = read('prose\n'.repeat(1000));
    expect(warnings).to.have.length(201);
    expect(warnings.at(-1)).to.deep.equal({
      line: 0,
      code: 'more-warnings',
      level: 'warning',
      details: { count: 800 },
    });
  });

  it('reads and writes hostile text of the largest size without long computation', () => {
    const size = PROPERTIES_MAX_BYTES - 10;
    const hostile = [
      `${'a.'.repeat(size / 4)} ${':'.repeat(size / 2)}`,
      `a=x${' '.repeat(size - 3)}y`,
      `a='${"\\'".repeat(size / 2 - 4)}'`,
      `a=${'<br'.repeat(size / 4)}`,
      `a=${'\\'.repeat(size - 4)}`,
    ];
    const started = performance.now();
    for (const text of hostile) for (const { key, value } of read(text).entries) writeProperty(key, value);
    expect(performance.now() - started).to.be.lessThan(3000);
  });
});

describe('writeProperty', () => {
  const word = fc
    .string({ unit: 'binary', minLength: 1 })
    .map((text) => text.replace(/(?!\t|\n)\p{Cc}/gu, ''))
    .filter((text) => text !== '');
  const awkward = fc
    .array(fc.constantFrom('\\', "'", '"', ' ', '\t', '\n', '<br/>', '<', 'é', '\u2028', '\uFEFF', '=', ':', '#', 'a'))
    .map((parts) => parts.join(''));

  it('writes what readProperties reads back, for any key and value', () => {
    fc.assert(
      fc.property(word, fc.oneof(word, awkward), (key, value) => {
        const result = read(writeProperty(key, value));
        expect(result.entries).to.deep.equal([{ key, value, line: 1 }]);
        expect(result.warnings).to.deep.equal([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves accents and addresses as they are', () => {
    expect(writeProperty('organization.website', 'https://é.example/?a=b#c')).to.equal(
      'organization.website = https://é.example/?a=b#c',
    );
  });

  it('never breaks out of its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(writeProperty('k', value).split(/\r\n|\n|\r/)).to.have.length(1);
      }),
    );
  });
});
