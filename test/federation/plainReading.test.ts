// The short way of reading gives what the JSON-LD processor gives, for every document that it takes on; and it does take on
// what other programs really send.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { buildApex } from '../../federation/apex.js';
import { withoutContexts } from '../../federation/contexts.js';
import { readJson } from '../../federation/json.js';
import { interpret, readAsJsonLd } from '../../federation/normalise.js';
import { readPlainly } from '../../federation/plainReading.js';
import { Refusal } from '../../federation/refusal.js';
import { projectDir } from '../../server/paths.js';

const apex = buildApex({ baseUrl: 'https://us.example', host: 'us.example', defaultLanguage: 'fr' });
const hosts = ['peer.example:80'];

type Json = Record<string, unknown>;

async function outcome(read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Refusal) return `${error.status} ${error.reason}`;
    throw error;
  }
}

/** True: taken on, and the same. */
async function compare(json: Json): Promise<boolean> {
  const plain = withoutContexts(readJson(Buffer.from(JSON.stringify(json))));
  const short = readPlainly(plain);
  if (short === null) return false;
  const one = await outcome(async () => interpret(short, plain, hosts));
  const other = await outcome(async () => interpret(await readAsJsonLd(apex, plain), plain, hosts));
  expect(one).to.deep.equal(other);
  return true;
}

const address = fc.constantFrom(
  'https://a.example/u/1',
  'https://a.example/u/1#main-key',
  'https://us.example/actors/ecluse',
  'http://peer.example/x',
  'http://other.example/x',
  'https://www.w3.org/ns/activitystreams#Public',
  'https://w3id.org/security#Key',
  'http://schema.org#x',
  'https://A.example/u?q=1&r=%20',
  'https://a.example/é',
  'as:Public',
  'Public',
  'u/1',
  'mailto:a@a.example',
  '_:b0',
  '@id',
  '',
);
const type = fc.constantFrom<unknown>(
  ...[
    'Follow',
    'Create',
    'Undo',
    'Note',
    'Public',
    'Hashtag',
    'EmojiReact',
    'as:Follow',
    'Key',
    'id',
    '@id',
    'Collection',
  ],
  ...[['Note'], ['Note', 'Person'], [], null, 3, ''],
);
const word = fc.constantFrom(
  ...[
    'id',
    'type',
    'actor',
    'object',
    'attributedTo',
    'to',
    'tag',
    'content',
    'contentMap',
    'nameMap',
    'name',
    'items',
  ],
  ...['orderedItems', 'published', 'needs', 'as:actor', 'as:object', 'as:attributedTo', '@id', '@type', '@value'],
  ...[
    'https://www.w3.org/ns/activitystreams#object',
    '_misskey_content',
    'proof',
    'publicKey',
    'endpoints',
    'sensitive',
  ],
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    address,
    address,
    fc.constantFrom<unknown>(null, true, 0, 1.5, 'text', 'fr', [], {}),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    fc.record({ id: address, type, attributedTo: tie('value'), content: tie('value') }, { requiredKeys: [] }),
    fc.dictionary(fc.constantFrom('fr', 'en-GB', 'x', '@none', 'de'), tie('value'), { maxKeys: 2 }),
  ),
}));
const odd = fc.record(
  { id: value, type, actor: value, object: value, extra: value },
  { requiredKeys: ['type', 'actor'] },
);
/** Mostly as servers send them, with one or two odd places. */
const plainIri = fc.constantFrom('https://a.example/u/1', 'https://a.example/u/2', 'https://us.example/actors/ecluse');
const node = fc.record(
  {
    ...{
      id: fc.oneof(plainIri, address),
      type: fc.constantFrom('Note', 'Follow', 'Person', 'Collection'),
      actor: fc.oneof(plainIri, value),
    },
    ...{
      object: fc.oneof(plainIri, value),
      attributedTo: fc.oneof(plainIri, fc.array(plainIri, { maxLength: 3 }), value),
    },
    ...{ contentMap: fc.oneof(fc.constant({ fr: 'x' }), value), tag: value, replies: value },
  },
  { requiredKeys: ['id', 'type'] },
);
const likely = fc
  .record(
    {
      ...{ id: plainIri, type: fc.constantFrom('Follow', 'Create', 'Undo', 'Announce'), actor: plainIri },
      ...{ object: fc.oneof(plainIri, node, node), cc: value },
    },
    { requiredKeys: ['type', 'actor'] },
  )
  .chain((activity) => fc.dictionary(word, value, { maxKeys: 1 }).map((more) => ({ ...more, ...activity })));

describe('reading without a JSON-LD processor', () => {
  it('gives what the processor gives', async function () {
    this.timeout(60_000);
    let taken = 0;
    const check = fc.asyncProperty(fc.oneof(odd, likely, likely, likely), async (json) => {
      // What readJson refuses reaches neither.
      try {
        readJson(Buffer.from(JSON.stringify(json)));
        withoutContexts(json);
      } catch {
        return;
      }
      if (await compare(json)) taken += 1;
    });
    await fc.assert(check, { numRuns: 3000 });
    expect(taken).to.be.greaterThan(300);
  });

  it('takes on most of what other programs send, and gives the same', async () => {
    const folder = join(projectDir, 'test/fixtures/activities');
    const left: string[] = [];
    let taken = 0;
    for (const program of readdirSync(folder)) {
      for (const file of readdirSync(join(folder, program))) {
        const json = JSON.parse(readFileSync(join(folder, program, file), 'utf8')) as Json;
        if (await compare(json)) taken += 1;
        else left.push(`${program}/${file}`);
      }
    }
    expect(taken, left.join(', ')).to.be.greaterThan(left.length);
  });

  it('leaves to the processor what could mean something else', () => {
    const follow = {
      id: 'https://a.example/1',
      type: 'Follow',
      actor: 'https://a.example/u',
      object: 'https://b.example/u',
    };
    expect(readPlainly(follow)).not.to.equal(null);
    for (const change of [
      { 'as:object': 'https://c.example/u' },
      { 'https://www.w3.org/ns/activitystreams#actor': 'https://c.example/u' },
      { '@id': 'https://c.example/1' },
      { object: 'https://www.w3.org/ns/activitystreams#Public' },
      { object: { 'as:attributedTo': 'bob', id: 'https://a.example/2' } },
      { object: { id: 'https://a.example/2', tag: [{ '@value': 1 }] } },
      { type: 'EmojiReact' },
      { type: ['Follow'] },
      { contentMap: { fr: { id: 'x' } } },
    ])
      expect(readPlainly({ ...follow, ...change }), JSON.stringify(change)).to.equal(null);
  });
});
