import { inflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { writeOds } from '../../../server/formats/ods.js';

/** The entries of an archive by its directory, as another program reads them. */
function entriesOf(file: Buffer): Map<string, { method: number; text: string; at: number }> {
  const end = file.lastIndexOf(Buffer.from('PK\u0005\u0006'));
  let at = file.readUInt32LE(end + 16);
  const found = new Map<string, { method: number; text: string; at: number }>();
  for (let left = file.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameSize = file.readUInt16LE(at + 28);
    const name = file.toString('utf8', at + 46, at + 46 + nameSize);
    const start = file.readUInt32LE(at + 42);
    const body = start + 30 + file.readUInt16LE(start + 26);
    const bytes = file.subarray(body, body + file.readUInt32LE(at + 20));
    const method = file.readUInt16LE(at + 10);
    found.set(name, { method, text: (method === 0 ? bytes : inflateRawSync(bytes)).toString('utf8'), at: start });
    at += 46 + nameSize;
  }
  return found;
}

describe('a spreadsheet', () => {
  it('is an OpenDocument file that programs know by its first bytes', async () => {
    const file = await writeOds([{ name: 'Réponses', rows: [['Nom'], ['L’Écluse']] }]);
    const entries = entriesOf(file);
    expect([...entries.keys()]).to.deep.equal(['mimetype', 'META-INF/manifest.xml', 'content.xml']);
    const type = 'application/vnd.oasis.opendocument.spreadsheet';
    expect(entries.get('mimetype')).to.deep.equal({ method: 0, text: type, at: 0 });
    expect(file.toString('latin1', 38, 38 + type.length)).to.equal(type);
  });

  it('types every cell: numbers as numbers, texts as texts even where they look like a formula', async () => {
    const file = await writeOds([{ name: 'a', rows: [['x'], ['=1+1'], [4.5], [null], ['a\nb']] }]);
    const content = entriesOf(file).get('content.xml')?.text ?? '';
    expect(content).not.to.include('table:formula');
    expect(content).to.include('office:value-type="string"><text:p>=1+1</text:p>');
    expect(content).to.include('office:value-type="float" office:value="4.5"');
    expect(content).to.include('<text:p>a</text:p><text:p>b</text:p>');
  });

  it('lets no text out of its cell', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
        const sheet = { name: text, rows: [[text], [`${text}<x table:formula="of:=1">&`]] };
        const content = entriesOf(await writeOds([sheet])).get('content.xml')?.text ?? '';
        expect(content.replace(/<[^>]*>/g, '')).not.to.match(/[<>]/);
        expect(content).not.to.match(/<x/);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
        expect(content).not.to.match(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
      }),
      { numRuns: 50 },
    );
  });
});
