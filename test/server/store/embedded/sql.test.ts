// SQL is made of words of our own: names of tables that the catalogue numbers, and numbers of ours. Everything else is bound.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectDir } from '../../../../server/paths.js';
import { openTestEmbedded } from '../../../support/storeSupport.js';

const folder = join(projectDir, 'server/store/embedded');
/** What may stand inside a statement: made in this room, never by a caller. */
const own =
  /^(table\.documents|index\.table|plan\.index\.table|documents|order|primary|what|within\(range(, 'i\.')?\)|name|[A-Z_]+)$/;

describe('the SQL of the embedded store', () => {
  it('holds no text that comes from a caller (AP-142)', () => {
    const foreign = readdirSync(folder)
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const text = readFileSync(join(folder, file), 'utf8');
        return [...text.matchAll(/`\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA)\b[^`]*`/g)].flatMap(
          ([sql]) =>
            [...sql.matchAll(/\$\{([^}]*)\}/g)]
              .filter(([, inside = '']) => !own.test(inside))
              .map(([part]) => `${file}: ${part}`),
        );
      });
    expect(foreign).to.deep.equal([]);
  });

  it('keeps and finds texts that look like SQL as what they are', async () => {
    const store = await openTestEmbedded();
    await store.ensureIndexes({ notes: [{ keys: { text: 1 } }] });
    const notes = store.collection<{ _id: string; text: string }>('notes');
    const texts = ["'; DROP TABLE notes; --", '") OR 1=1 --', '%_', '?1', '\\', "''", '"', 'NEAR/2 *', 'x\u0000y'];
    for (const [at, text] of texts.entries()) {
      const kept = notes.insertOne({ _id: `n${at}`, text });
      if (text.includes('\u0000')) await kept.catch(() => {});
      else await kept;
      const found = await notes.find({ text }).toArray();
      expect(found.map((one) => one.text)).to.deep.equal(found.length === 0 ? [] : [text]);
    }
    expect(await notes.countDocuments({})).to.be.at.least(texts.length - 1);
  });
});
