// What both engines must do alike: every method, operator and error of the subset. Run on each engine by its own file.
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import {
  type Coll,
  type Doc,
  DuplicateKeyError,
  type Filter,
  type IndexSpec,
  type Store,
  StoreUsageError,
  type UpdateFilter,
} from '../../../server/store/store.js';

export interface Thing extends Doc {
  [field: string]: unknown;
}

type Loose = Record<string, unknown>;

/** The driver's types let no number be added to a field of unknown type. */
const COUNT = { $inc: { n: 1 } } as unknown as UpdateFilter<Thing>;

/** The rejection of a promise, or a failure when there is none. */
export async function refusal(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const DOCUMENTS: Thing[] = [
  { _id: 'a', n: 1, s: 'apple', tags: ['red', 'round'], at: new Date('2024-01-01'), in: { x: 1 }, ok: true },
  { _id: 'b', n: 2, s: 'banana', tags: ['yellow'], at: new Date('2024-02-01'), in: { x: 2, y: null }, ok: false },
  { _id: 'c', n: 3, s: 'cherry', tags: [], at: new Date('2024-03-01'), in: { x: 3 }, ok: true },
  {
    _id: 'd',
    n: 4,
    s: 'date',
    tags: ['red', 'brown'],
    at: null,
    list: [
      { k: 'p', v: 1 },
      { k: 'q', v: 9 },
    ],
  },
  { _id: 'e', n: 2.5, s: 'Éclair', tags: ['brown'], list: [{ k: 'q', v: 5 }], in: {} },
  { _id: 'f', n: null, s: '\uff5e wide', tags: ['😀'] },
  { _id: 'g', s: '😀 beyond', at: new Date('1960-05-05T05:05:05.005Z'), in: null },
];

const FILTERS: [what: string, filter: Loose, ids: string][] = [
  ['everything', {}, 'abcdefg'],
  ['an _id', { _id: 'c' }, 'c'],
  ['a number', { n: 2 }, 'b'],
  ['a text', { s: 'Éclair' }, 'e'],
  ['a boolean', { ok: true }, 'ac'],
  ['a date', { at: new Date('2024-02-01') }, 'b'],
  ['null, which is also what is missing', { n: null }, 'fg'],
  ['null at a deeper path', { 'in.y': null }, 'abcdefg'],
  ['an element of an array', { tags: 'red' }, 'ad'],
  ['a deeper field', { 'in.x': 2 }, 'b'],
  ['a field of objects in an array', { 'list.k': 'q' }, 'de'],
  ['a place in an array', { 'tags.0': 'red' }, 'ad'],
  ['two fields', { ok: true, n: 3 }, 'c'],
  ['a whole object', { in: { x: 1 } }, 'a'],
  ['$eq', { n: { $eq: 2 } }, 'b'],
  ['$ne', { n: { $ne: 2 } }, 'acdefg'],
  ['$ne on arrays', { tags: { $ne: 'red' } }, 'bcefg'],
  ['$ne null', { n: { $ne: null } }, 'abcde'],
  ['$gt', { n: { $gt: 2 } }, 'cde'],
  ['$gte', { n: { $gte: 2.5 } }, 'cde'],
  ['$lt', { n: { $lt: 2 } }, 'a'],
  ['$lte', { n: { $lte: 2 } }, 'ab'],
  ['a range', { n: { $gt: 1, $lt: 3 } }, 'be'],
  ['a range of texts', { s: { $gte: 'b', $lt: 'd' } }, 'bc'],
  ['texts by code point, not by UTF-16', { s: { $gt: '\uff5e zzz' } }, 'g'],
  ['a range of dates', { at: { $lt: new Date('2024-02-15') } }, 'abg'],
  ['a range over array elements', { tags: { $gte: 'y' } }, 'bf'],
  ['only the kind of the bound', { n: { $gt: '' } }, ''],
  ['$in', { n: { $in: [1, 4, 99] } }, 'ad'],
  ['$in with null', { n: { $in: [null, 1] } }, 'afg'],
  ['$in on arrays', { tags: { $in: ['brown', 'yellow'] } }, 'bde'],
  ['$in of nothing', { n: { $in: [] } }, ''],
  ['$nin', { n: { $nin: [1, 2, null] } }, 'cde'],
  ['$nin of nothing', { n: { $nin: [] } }, 'abcdefg'],
  ['$exists', { ok: { $exists: true } }, 'abc'],
  ['$exists false', { n: { $exists: false } }, 'g'],
  ['$exists on null', { at: { $exists: true } }, 'abcdg'],
  ['$exists at a deeper path', { 'in.x': { $exists: true } }, 'abc'],
  ['$size', { tags: { $size: 2 } }, 'ad'],
  ['$size of nothing', { tags: { $size: 0 } }, 'c'],
  ['$all', { tags: { $all: ['brown', 'red'] } }, 'd'],
  ['$regex', { s: { $regex: '^b' } }, 'b'],
  ['$regex without case', { s: { $regex: 'AN', $options: 'i' } }, 'b'],
  ['a pattern', { s: /rry$/ }, 'c'],
  ['$not', { n: { $not: { $gt: 2 } } }, 'abfg'],
  ['$not with a pattern', { s: { $not: /a/ } }, 'cfg'],
  ['$and', { $and: [{ n: { $gt: 1 } }, { tags: 'red' }] }, 'd'],
  ['$or', { $or: [{ n: 1 }, { tags: 'yellow' }] }, 'ab'],
  ['$or beside a field', { ok: true, $or: [{ n: 1 }, { n: 2 }] }, 'a'],
  ['$nor', { $nor: [{ n: 1 }, { tags: 'yellow' }] }, 'cdefg'],
];

const REFUSED_FILTERS: [what: string, filter: unknown][] = [
  ['undefined as a value', { owner: undefined }],
  ['undefined in $in', { n: { $in: [1, undefined] } }],
  ['undefined below $or', { $or: [{ n: undefined }] }],
  ['undefined below an operator', { n: { $gt: undefined } }],
  ['$where', { $where: 'true' }],
  ['$expr', { $expr: { $eq: ['$a', '$b'] } }],
  ['$function in a value', { a: { $function: { body: '' } } }],
  ['$text', { $text: { $search: 'x' } }],
  ['$type', { n: { $type: 'string' } }],
  ['$elemMatch', { list: { $elemMatch: { k: 'p' } } }],
  ['$mod', { n: { $mod: [2, 0] } }],
  ['operators mixed with fields', { in: { $gt: 1, x: 2 } }],
  ['an operator inside a value', { in: { x: { $ne: null } } }],
  ['an array for $in that is none', { n: { $in: 'abc' } }],
  ['a range over null', { n: { $gt: null } }],
  ['an object in $in', { n: { $in: [{ $ne: 1 }] } }],
  ['a pattern with other flags', { s: /x/m }],
  ['a broken pattern', { s: { $regex: '(' } }],
  ['an empty $or', { $or: [] }],
  ['a path led by $', { 'a.$b': 1 }],
  ['an empty part of a path', { 'a..b': 1 }],
  ['a prototype', { 'a.__proto__.b': 1 }],
  ['no object', 'everything'],
  ['null', null],
  ['a number that is none', { n: Number.NaN }],
];

const UPDATES: [what: string, before: Loose, update: Loose, after: Loose][] = [
  ['$set', { a: 1 }, { $set: { a: 2, b: 'x' } }, { a: 2, b: 'x' }],
  ['$set at a deeper path', { a: { b: 1 } }, { $set: { 'a.c.d': 2 } }, { a: { b: 1, c: { d: 2 } } }],
  ['$set of an array element', { a: [1, 2] }, { $set: { 'a.1': 9 } }, { a: [1, 9] }],
  ['$set of null', { a: 1 }, { $set: { a: null } }, { a: null }],
  ['$set of an object in another order', { a: { x: 1, y: 2 } }, { $set: { a: { y: 2, x: 1 } } }, { a: { y: 2, x: 1 } }],
  ['$unset', { a: 1, b: 2 }, { $unset: { a: '' } }, { b: 2 }],
  ['$unset of what is missing', { b: 2 }, { $unset: { 'a.c': '' } }, { b: 2 }],
  ['$inc', { a: 1 }, { $inc: { a: 2 } }, { a: 3 }],
  ['$inc of what is missing', {}, { $inc: { 'a.b': -2 } }, { a: { b: -2 } }],
  ['$inc of a fraction', { a: 1 }, { $inc: { a: 0.5 } }, { a: 1.5 }],
  ['$min that is less', { a: 5 }, { $min: { a: 3 } }, { a: 3 }],
  ['$min that is more', { a: 5 }, { $min: { a: 7 } }, { a: 5 }],
  ['$max that is more', { a: 5 }, { $max: { a: 7 } }, { a: 7 }],
  ['$max of what is missing', {}, { $max: { a: 7 } }, { a: 7 }],
  ['$max of dates', { a: new Date(5) }, { $max: { a: new Date(9) } }, { a: new Date(9) }],
  ['$push', { a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
  ['$push to what is missing', {}, { $push: { a: { x: 1 } } }, { a: [{ x: 1 }] }],
  ['$push with $each', { a: [1] }, { $push: { a: { $each: [2, 3] } } }, { a: [1, 2, 3] }],
  ['$addToSet', { a: [1] }, { $addToSet: { a: 2 } }, { a: [1, 2] }],
  ['$addToSet of what is there', { a: [1] }, { $addToSet: { a: 1 } }, { a: [1] }],
  ['$addToSet with $each', { a: ['x'] }, { $addToSet: { a: { $each: ['x', 'y', 'y'] } } }, { a: ['x', 'y'] }],
  ['$pull', { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
  [
    '$pull of a whole object',
    {
      a: [
        { x: 1, y: [2] },
        { x: 2, y: [2] },
      ],
    },
    { $pull: { a: { x: 1, y: [2] } } },
    { a: [{ x: 2, y: [2] }] },
  ],
  ['$pull from what is missing', { b: 1 }, { $pull: { a: 1 } }, { b: 1 }],
  [
    'several operators',
    { n: 1, l: [] },
    { $inc: { n: 1 }, $push: { l: 'x' }, $set: { z: true } },
    { n: 2, l: ['x'], z: true },
  ],
  ['$setOnInsert on what is there', { a: 1 }, { $setOnInsert: { a: 5 }, $set: { b: 1 } }, { a: 1, b: 1 }],
];

const REFUSED_UPDATES: [what: string, before: Loose, update: unknown][] = [
  ['undefined', {}, { $set: { a: undefined } }],
  ['undefined deep inside', {}, { $set: { a: { b: [undefined] } } }],
  ['a replacement by mistake', {}, { a: 1 }],
  ['no operator', {}, {}],
  ['an operator outside the subset', {}, { $rename: { a: 'b' } }],
  ['a pipeline', {}, [{ $set: { a: 1 } }]],
  ['a change of _id', {}, { $set: { _id: 'other' } }],
  ['two changes of one path', {}, { $set: { a: 1 }, $inc: { a: 1 } }],
  ['changes of a path and a part of it', {}, { $set: { a: {}, 'a.b': 1 } }],
  ['an array filter', { a: [1] }, { $set: { 'a.$[]': 1 } }],
  ['$inc on a text', { a: 'x' }, { $inc: { a: 1 } }],
  ['$inc on null', { a: null }, { $inc: { a: 1 } }],
  ['$inc by a text', { a: 1 }, { $inc: { a: '1' } }],
  ['$push on no array', { a: 1 }, { $push: { a: 1 } }],
  ['$addToSet on no array', { a: 'x' }, { $addToSet: { a: 1 } }],
  ['$pull on no array', { a: 'x' }, { $pull: { a: 1 } }],
  ['$push with $slice', { a: [] }, { $push: { a: { $each: [1], $slice: -1 } } }],
  ['$pull with a condition', { a: [1] }, { $pull: { a: { $gt: 0 } } }],
  ['$set through a text', { a: 'x' }, { $set: { 'a.b': 1 } }],
  ['$set through null', { a: null }, { $set: { 'a.b': 1 } }],
  ['a field led by $', {}, { $set: { a: { $b: 1 } } }],
  ['a field with a dot', {}, { $set: { a: { 'b.c': 1 } } }],
];

const REFUSED_DOCUMENTS: [what: string, document: unknown][] = [
  ['no _id', { a: 1 }],
  ['a number as _id', { _id: 1 }],
  ['an empty _id', { _id: '' }],
  ['an _id with NUL', { _id: 'a\0b' }],
  ['undefined', { _id: 'x', a: undefined }],
  ['undefined in an array', { _id: 'x', a: [undefined] }],
  ['a field led by $', { _id: 'x', $set: 1 }],
  ['a field with a dot', { _id: 'x', 'a.b': 1 }],
  ['a field with NUL', { _id: 'x', 'a\0': 1 }],
  ['an empty field name', { _id: 'x', '': 1 }],
  ['a prototype as a field', JSON.parse('{"_id":"x","__proto__":{"a":1}}')],
  ['a function', { _id: 'x', a: () => 1 }],
  ['a big integer', { _id: 'x', a: 1n }],
  ['a number that is none', { _id: 'x', a: Number.NaN }],
  ['an endless number', { _id: 'x', a: Number.POSITIVE_INFINITY }],
  ['an invalid date', { _id: 'x', a: new Date('never') }],
  ['an object of a class', { _id: 'x', a: new Map() }],
  ['what is too large', { _id: 'x', a: 'x'.repeat(4_000_001) }],
  ['an array', ['x']],
];

const INDEXES: IndexSpec[] = [
  { keys: { n: 1, s: -1 } },
  { keys: { s: 1 } },
  { keys: { tags: 1, n: 1 } },
  { keys: { at: -1 } },
  { keys: { 'in.x': 1 } },
  { keys: { 'list.k': 1 } },
  { keys: { ok: 1, n: -1 } },
];

/** Runs the contract on the stores that `open` gives, each of them empty. */
export function describeContract(open: () => Promise<Store>): void {
  let store: Store;
  let number = 0;
  const fresh = (): Coll<Thing> => store.collection<Thing>(`things${++number}`);
  const filled = async (indexes: IndexSpec[] = []): Promise<Coll<Thing>> => {
    const things = fresh();
    await store.ensureIndexes({ [things.name]: indexes });
    await things.insertMany(DOCUMENTS);
    return things;
  };
  const ids = async (things: Coll<Thing>, filter: Loose, options = {}): Promise<string> => {
    const found = await things.find(filter as Filter<Thing>, options).toArray();
    return found.map(({ _id }) => _id).join('');
  };
  const sortedIds = async (things: Coll<Thing>, filter: Loose): Promise<string> =>
    [...(await ids(things, filter))].sort().join('');

  before(async () => {
    store = await open();
  });

  for (const [how, indexes] of [
    ['without indexes', []],
    ['with indexes', INDEXES],
  ] as const) {
    describe(`finds, ${how},`, () => {
      let things: Coll<Thing>;
      before(async () => {
        things = await filled([...indexes]);
      });

      for (const [what, filter, expected] of FILTERS) {
        it(`by ${what}`, async () => {
          expect(await sortedIds(things, filter)).to.equal(expected);
          expect(await things.countDocuments(filter as Filter<Thing>)).to.equal(expected.length);
          const one = await things.findOne(filter as Filter<Thing>);
          expect(one === null ? '' : one._id).to.satisfy((id: string) =>
            expected === '' ? id === '' : expected.includes(id),
          );
        });
      }

      it('in the order of a sort, kinds in the order of BSON', async () => {
        expect(await ids(things, {}, { sort: { s: 1 } })).to.equal('abcdefg');
        expect(await ids(things, {}, { sort: { s: -1 } })).to.equal('gfedcba');
        expect(await ids(things, { n: { $gt: 0 } }, { sort: { n: 1 } })).to.equal('abecd');
        expect(await ids(things, {}, { sort: { n: 1, s: 1 } })).to.equal('fgabecd');
        expect(await ids(things, {}, { sort: { n: 1, s: -1 } })).to.equal('gfabecd');
        expect(await ids(things, { ok: true }, { sort: { n: -1 } })).to.equal('ca');
        expect(await ids(things, {}, { sort: { at: -1, _id: 1 } })).to.equal('cbagdef');
      });

      it('pages by skip and limit', async () => {
        expect(await ids(things, {}, { sort: { _id: 1 }, skip: 2, limit: 3 })).to.equal('cde');
        expect(await ids(things, {}, { sort: { _id: -1 }, limit: 2 })).to.equal('gf');
        expect(await ids(things, { n: { $gte: 2 } }, { sort: { n: 1 }, skip: 1, limit: 2 })).to.equal('ec');
        expect(await ids(things, { tags: 'red' }, { sort: { n: -1 }, skip: 1 })).to.equal('a');
        expect(await ids(things, {}, { sort: { _id: 1 }, skip: 50 })).to.equal('');
        expect(await things.countDocuments({}, { limit: 3 })).to.equal(3);
      });

      it('one after the other', async () => {
        const seen: string[] = [];
        for await (const { _id } of things.find({ n: { $gte: 2 } }, { sort: { n: -1 }, skip: 1 })) seen.push(_id);
        expect(seen.join('')).to.equal('ceb');
      });

      it('distinct values, elements of arrays singly, neither null nor missing ones', async () => {
        expect(await things.distinct('tags')).to.deep.equal(['brown', 'red', 'round', 'yellow', '😀']);
        expect(await things.distinct('n')).to.deep.equal([1, 2, 2.5, 3, 4]);
        expect(await things.distinct('ok', { n: { $lt: 3 } })).to.deep.equal([false, true]);
        expect(await things.distinct('list.k')).to.deep.equal(['p', 'q']);
        expect(await things.distinct('nowhere')).to.deep.equal([]);
      });
    });
  }

  describe('keeps', () => {
    it('every kind of value, and the order of fields with _id first', async () => {
      const things = fresh();
      const value = {
        text: 'é \0 😀 "quoted" \n',
        numbers: [0, -1, 1.5, 1e21, 2 ** 40, Number.MAX_SAFE_INTEGER, -1e-7],
        no: null,
        yes: true,
        dates: [new Date(0), new Date('2024-05-06T07:08:09.010Z'), new Date('1850-01-01'), new Date('9999-12-31')],
        binary: Buffer.from([0, 1, 2, 255]),
        nested: { z: 1, a: [{ deep: [] }, {}] },
      };
      await things.insertOne({ ...value, _id: 'x' } as Thing);
      const found = await things.findOne({ _id: 'x' });
      expect(found).to.deep.equal({ _id: 'x', ...value });
      expect(Object.keys(found ?? {})).to.deep.equal(['_id', ...Object.keys(value)]);
      expect(Object.keys(found?.nested ?? {})).to.deep.equal(['z', 'a']);
      expect(Buffer.isBuffer(found?.binary)).to.equal(true);
    });

    it('no negative zero and no half of a surrogate pair', async () => {
      const things = fresh();
      await things.insertOne({ _id: 'x', zero: -0, text: 'a\ud800b' });
      const found = await things.findOne({ _id: 'x' });
      expect(Object.is(found?.zero, 0)).to.equal(true);
      expect(found?.text).to.equal('a\ufffdb');
    });

    it('binaries of any bytes, given as Uint8Array', async () => {
      const things = fresh();
      const bytes = randomBytes(70_000);
      await things.insertOne({ _id: 'x', bytes: new Uint8Array(bytes) });
      expect((await things.findOne({ _id: 'x' }))?.bytes).to.deep.equal(bytes);
    });

    it('64 levels of objects and arrays, not more', async () => {
      const things = fresh();
      const nested = (levels: number): unknown =>
        levels === 0 ? 1 : levels % 2 === 0 ? { in: nested(levels - 1) } : [nested(levels - 1)];
      await things.insertOne({ _id: 'x', deep: nested(63) });
      expect((await things.findOne({ _id: 'x' }))?.deep).to.deep.equal(nested(63));
      expect(await refusal(things.insertOne({ _id: 'y', deep: nested(64) }))).to.be.instanceOf(StoreUsageError);
    });

    it('what was given, whatever the caller does to it afterwards', async () => {
      const things = fresh();
      const given = { _id: 'x', list: [1] };
      const inserting = things.insertOne(given);
      given.list.push(2);
      await inserting;
      const found = await things.findOne({ _id: 'x' });
      expect(found?.list).to.deep.equal([1]);
    });
  });

  describe('projects', () => {
    it('the fields to keep, with or without _id', async () => {
      const things = await filled();
      expect(await things.findOne({ _id: 'a' }, { projection: { s: 1, 'in.x': 1 } })).to.deep.equal({
        _id: 'a',
        s: 'apple',
        in: { x: 1 },
      });
      expect(await things.findOne({ _id: 'd' }, { projection: { 'list.k': 1, _id: 0 } })).to.deep.equal({
        list: [{ k: 'p' }, { k: 'q' }],
      });
      expect(await things.findOne({ _id: 'a' }, { projection: { _id: 1 } })).to.deep.equal({ _id: 'a' });
    });

    it('the fields to leave out', async () => {
      const things = await filled();
      expect(await things.findOne({ _id: 'd' }, { projection: { n: 0, tags: 0, at: 0, 'list.v': 0 } })).to.deep.equal({
        _id: 'd',
        s: 'date',
        list: [{ k: 'p' }, { k: 'q' }],
      });
    });

    it('refuses to keep and to leave out at once', async () => {
      const things = await filled();
      const error = await refusal(things.findOne({ _id: 'a' }, { projection: { n: 1, s: 0 } }));
      expect(error).to.be.instanceOf(StoreUsageError);
    });
  });

  describe('refuses a filter with', () => {
    for (const [what, filter] of REFUSED_FILTERS) {
      it(what, async () => {
        const things = fresh();
        await things.insertOne({ _id: 'x', n: 1, a: [], list: [{ k: 'p' }] });
        const bad = filter as Filter<Thing>;
        for (const attempt of [
          () => things.find(bad).toArray(),
          () => things.findOne(bad),
          () => things.countDocuments(bad),
          () => things.distinct('n', bad),
          () => things.updateOne(bad, { $set: { n: 2 } }),
          () => things.updateMany(bad, { $set: { n: 2 } }),
          () => things.replaceOne(bad, { n: 2 }),
          () => things.findOneAndUpdate(bad, { $set: { n: 2 } }),
          () => things.findOneAndDelete(bad),
          () => things.deleteOne(bad),
          () => things.deleteMany(bad),
          () => things.bulkWrite([{ deleteOne: { filter: bad } }]),
        ]) {
          expect(await refusal(attempt())).to.be.instanceOf(StoreUsageError);
        }
        expect(await things.findOne({ _id: 'x' })).to.include({ n: 1 });
      });
    }

    it('an odd sort, skip or limit', async () => {
      const things = fresh();
      for (const options of [{ sort: { n: 2 } }, { sort: { 'a.$b': 1 } }, { skip: -1 }, { limit: 0 }, { limit: 1.5 }]) {
        const error = await refusal(things.find({}, options as object).toArray());
        expect(error, JSON.stringify(options)).to.be.instanceOf(StoreUsageError);
      }
    });
  });

  describe('inserts', () => {
    it('one, and says which', async () => {
      const things = fresh();
      expect(await things.insertOne({ _id: 'x', a: 1 })).to.deep.include({ acknowledged: true, insertedId: 'x' });
      expect(await things.find().toArray()).to.deep.equal([{ _id: 'x', a: 1 }]);
    });

    it('several, and says which', async () => {
      const things = fresh();
      const result = await things.insertMany([{ _id: 'x' }, { _id: 'y' }]);
      expect(result).to.deep.include({ insertedCount: 2, insertedIds: { 0: 'x', 1: 'y' } });
    });

    it('refuses an _id that is there', async () => {
      const things = fresh();
      await things.insertOne({ _id: 'x', a: 1 });
      const error = await refusal(things.insertOne({ _id: 'x', a: 2 }));
      expect(error).to.be.instanceOf(DuplicateKeyError);
      expect(await things.findOne({ _id: 'x' })).to.deep.equal({ _id: 'x', a: 1 });
    });

    it('several in order up to the first that is refused, or all others when unordered', async () => {
      const [one, other] = [fresh(), fresh()];
      const documents = [{ _id: 'a' }, { _id: 'a' }, { _id: 'b' }];
      expect(await refusal(one.insertMany(documents))).to.be.instanceOf(DuplicateKeyError);
      expect(await ids(one, {})).to.equal('a');
      expect(await refusal(other.insertMany(documents, { ordered: false }))).to.be.instanceOf(DuplicateKeyError);
      expect(await sortedIds(other, {})).to.equal('ab');
    });

    it('a list after a refused one, and finds it as a list', async () => {
      const things = fresh();
      const email = { keys: { email: 1 as const }, unique: true, sparse: true };
      await store.ensureIndexes({ [things.name]: [{ keys: { n: 1 } }, email] });
      await things.insertOne({ _id: 'a', email: 'a@x' });
      const two = ['a@x', 'b@x'].map((address) => ({ _id: `of ${address}`, n: [1, 10], email: address }));
      expect(await refusal(things.insertMany(two, { ordered: false }))).to.be.instanceOf(DuplicateKeyError);
      expect(await ids(things, { n: { $gt: 5, $lt: 8 } })).to.equal('of b@x');
      expect(await things.countDocuments({ n: { $gte: 1 } })).to.equal(1);
    });

    for (const [what, document] of REFUSED_DOCUMENTS) {
      it(`refuses ${what}`, async () => {
        const things = fresh();
        expect(await refusal(things.insertOne(document as Thing))).to.be.instanceOf(StoreUsageError);
        expect(await refusal(things.insertMany([{ _id: 'ok' }, document as Thing]))).to.be.instanceOf(StoreUsageError);
        expect(await things.countDocuments()).to.equal(0);
      });
    }
  });

  describe('updates', () => {
    for (const [what, before, update, after] of UPDATES) {
      it(`with ${what}`, async () => {
        const things = fresh();
        await things.insertMany([
          { _id: 'x', ...before },
          { _id: 'other', ...before },
        ]);
        const result = await things.updateOne({ _id: 'x' }, update as UpdateFilter<Thing>);
        expect(await things.findOne({ _id: 'x' })).to.deep.equal({ _id: 'x', ...after });
        expect(await things.findOne({ _id: 'other' })).to.deep.equal({ _id: 'other', ...before });
        expect(result).to.include({ acknowledged: true, matchedCount: 1, upsertedCount: 0, upsertedId: null });
        const again = await things.findOneAndUpdate({ _id: 'other' }, update as UpdateFilter<Thing>, {
          returnDocument: 'after',
        });
        expect(again).to.deep.equal({ _id: 'other', ...after });
      });
    }

    for (const [what, before, update] of REFUSED_UPDATES) {
      it(`refuses ${what}`, async () => {
        const things = fresh();
        await things.insertOne({ _id: 'x', ...before });
        const bad = update as UpdateFilter<Thing>;
        expect(await refusal(things.updateOne({ _id: 'x' }, bad))).to.be.instanceOf(StoreUsageError);
        expect(await refusal(things.updateMany({ _id: 'x' }, bad))).to.be.instanceOf(StoreUsageError);
        expect(await refusal(things.findOneAndUpdate({ _id: 'x' }, bad))).to.be.instanceOf(StoreUsageError);
        expect(await things.findOne({ _id: 'x' })).to.deep.equal({ _id: 'x', ...before });
      });
    }

    it('one document only, and counts what it changed', async () => {
      const things = await filled();
      expect(await things.updateOne({ ok: true }, { $set: { n: 7 } })).to.include({
        matchedCount: 1,
        modifiedCount: 1,
      });
      expect(await things.countDocuments({ n: 7 })).to.equal(1);
      expect(await things.updateOne({ _id: 'b' }, { $set: { n: 2 } })).to.include({
        matchedCount: 1,
        modifiedCount: 0,
      });
      expect(await things.updateOne({ _id: 'nobody' }, { $set: { n: 2 } })).to.include({
        matchedCount: 0,
        modifiedCount: 0,
      });
    });

    it('many, and counts them', async () => {
      const things = await filled();
      const result = await things.updateMany({ tags: 'red' }, { $set: { n: 4 } });
      expect(result).to.include({ matchedCount: 2, modifiedCount: 1 });
      expect(await sortedIds(things, { n: 4 })).to.equal('ad');
    });

    it('inserts when nothing matches and it may', async () => {
      const things = fresh();
      const update = { $set: { b: 2 }, $setOnInsert: { c: 3 } };
      const result = await things.updateOne({ _id: 'x', a: 1 }, update, { upsert: true });
      expect(result).to.include({ matchedCount: 0, modifiedCount: 0, upsertedCount: 1, upsertedId: 'x' });
      expect(await things.findOne({ _id: 'x' })).to.deep.equal({ _id: 'x', a: 1, b: 2, c: 3 });
      await things.updateOne({ _id: 'x' }, { $set: { b: 4 }, $setOnInsert: { c: 9 } }, { upsert: true });
      expect(await things.findOne({ _id: 'x' })).to.deep.equal({ _id: 'x', a: 1, b: 4, c: 3 });
    });

    it('refuses an insert whose _id nothing tells', async () => {
      const things = fresh();
      const error = await refusal(things.updateOne({ a: 1 }, { $set: { b: 2 } }, { upsert: true }));
      expect(error).to.be.instanceOf(StoreUsageError);
      expect(await things.countDocuments()).to.equal(0);
    });

    it('refuses an insert whose _id another document has', async () => {
      const things = fresh();
      await things.insertOne({ _id: 'lease', holder: 'me' });
      const attempt = things.findOneAndUpdate({ _id: 'lease', holder: 'you' }, { $set: { till: 5 } }, { upsert: true });
      expect(await refusal(attempt)).to.be.instanceOf(DuplicateKeyError);
    });
  });

  describe('finds and changes', () => {
    it('the first in an order, and returns it as it was or as it is', async () => {
      const things = await filled();
      const was = await things.findOneAndUpdate({ n: { $gt: 0 } }, { $set: { done: 1 } }, { sort: { n: -1 } });
      expect(was).to.include({ _id: 'd' });
      expect(was).to.not.have.property('done');
      const is = await things.findOneAndUpdate(
        { n: { $gt: 0 } },
        { $set: { done: 1 } },
        { sort: { n: 1 }, returnDocument: 'after' },
      );
      expect(is).to.include({ _id: 'a', done: 1 });
    });

    it('nothing when nothing matches', async () => {
      const things = fresh();
      expect(await things.findOneAndUpdate({ _id: 'x' }, { $set: { a: 1 } })).to.equal(null);
      expect(await things.findOneAndDelete({ _id: 'x' })).to.equal(null);
      expect(await things.countDocuments()).to.equal(0);
    });

    it('what it had to insert', async () => {
      const things = fresh();
      const options = { upsert: true, returnDocument: 'after' } as const;
      expect(await things.findOneAndUpdate({ _id: 'x' }, COUNT, options)).to.deep.equal({ _id: 'x', n: 1 });
      expect(await things.findOneAndUpdate({ _id: 'y' }, COUNT, { upsert: true })).to.equal(null);
    });

    it('and deletes the first in an order', async () => {
      const things = await filled();
      expect(await things.findOneAndDelete({ tags: 'red' }, { sort: { n: -1 } })).to.include({ _id: 'd' });
      expect(await ids(things, {}, { sort: { _id: 1 } })).to.equal('abcefg');
    });
  });

  describe('in one step', () => {
    it('gives one winner when many change one document at once', async () => {
      const things = fresh();
      await things.insertOne({ _id: 'lease', holder: null, n: 0 });
      const takers = Array.from({ length: 50 }, (_, i) =>
        things.findOneAndUpdate(
          { _id: 'lease', holder: null },
          { $set: { holder: `p${i}` } },
          { returnDocument: 'after' },
        ),
      );
      const winners = (await Promise.all(takers)).filter((document) => document !== null);
      expect(winners).to.have.length(1);
      await Promise.all(Array.from({ length: 50 }, () => things.updateOne({ _id: 'lease' }, COUNT)));
      expect(await things.findOne({ _id: 'lease' })).to.include({ n: 50, holder: winners[0]?.holder });
    });
  });

  describe('replaces', () => {
    it('a whole document but its _id', async () => {
      const things = await filled();
      expect(await things.replaceOne({ n: 1 }, { z: 1 })).to.include({ matchedCount: 1, modifiedCount: 1 });
      expect(await things.findOne({ _id: 'a' })).to.deep.equal({ _id: 'a', z: 1 });
      expect(await things.replaceOne({ _id: 'nobody' }, { z: 1 })).to.include({ matchedCount: 0 });
    });

    it('or inserts it', async () => {
      const things = fresh();
      const result = await things.replaceOne({ _id: 'x' }, { z: 1 }, { upsert: true });
      expect(result).to.include({ upsertedCount: 1, upsertedId: 'x' });
      expect(await things.find().toArray()).to.deep.equal([{ _id: 'x', z: 1 }]);
    });

    it('takes the same _id, refuses another', async () => {
      const things = await filled();
      await things.replaceOne({ _id: 'a' }, { _id: 'a', z: 1 } as Loose);
      expect(await things.findOne({ _id: 'a' })).to.deep.equal({ _id: 'a', z: 1 });
      const error = await refusal(things.replaceOne({ _id: 'a' }, { _id: 'b', z: 1 } as Loose));
      expect(error).to.be.instanceOf(StoreUsageError);
    });

    it('refuses operators and undefined', async () => {
      const things = await filled();
      for (const document of [{ $set: { a: 1 } }, { a: undefined }]) {
        const error = await refusal(things.replaceOne({ _id: 'a' }, document));
        expect(error).to.be.instanceOf(StoreUsageError);
      }
    });
  });

  describe('deletes', () => {
    it('one', async () => {
      const things = await filled();
      expect(await things.deleteOne({ ok: true })).to.include({ deletedCount: 1 });
      expect(await things.countDocuments()).to.equal(6);
      expect(await things.deleteOne({ _id: 'nobody' })).to.include({ deletedCount: 0 });
    });

    it('many', async () => {
      const things = await filled();
      expect(await things.deleteMany({ tags: 'red' })).to.include({ deletedCount: 2 });
      expect(await sortedIds(things, {})).to.equal('bcefg');
      expect(await things.deleteMany({})).to.include({ deletedCount: 5 });
    });
  });

  describe('does in bulk', () => {
    it('operations of all kinds, and counts them', async () => {
      const things = await filled();
      const result = await things.bulkWrite([
        { insertOne: { document: { _id: 'x' } } },
        { updateOne: { filter: { _id: 'a' }, update: { $set: { n: 10 } } } },
        { updateOne: { filter: { _id: 'y' }, update: { $set: { n: 11 } }, upsert: true } },
        { replaceOne: { filter: { _id: 'b' }, replacement: { n: 12 } } },
        { deleteOne: { filter: { _id: 'c' } } },
        { deleteOne: { filter: { _id: 'nobody' } } },
      ]);
      expect(result.insertedCount).to.equal(1);
      expect(result.matchedCount).to.equal(2);
      expect(result.modifiedCount).to.equal(2);
      expect(result.upsertedCount).to.equal(1);
      expect(result.deletedCount).to.equal(1);
      expect(Object.values(result.upsertedIds)).to.deep.equal(['y']);
      expect(await sortedIds(things, { n: { $gte: 10 } })).to.equal('aby');
    });

    it('those before a refused one, and the others too when unordered', async () => {
      const [one, other] = [fresh(), fresh()];
      const operations = ['a', 'a', 'b'].map((_id) => ({ insertOne: { document: { _id } } }));
      expect(await refusal(one.bulkWrite(operations))).to.be.instanceOf(DuplicateKeyError);
      expect(await ids(one, {})).to.equal('a');
      expect(await refusal(other.bulkWrite(operations, { ordered: false }))).to.be.instanceOf(DuplicateKeyError);
      expect(await sortedIds(other, {})).to.equal('ab');
    });
  });

  describe('keeps unique', () => {
    it('what a unique index names, on insert, update and replacement', async () => {
      const things = fresh();
      await store.ensureIndexes({ [things.name]: [{ keys: { email: 1 }, unique: true, sparse: true }] });
      await things.insertMany([{ _id: 'a', email: 'a@x' }, { _id: 'b', email: 'b@x' }, { _id: 'c' }, { _id: 'd' }]);
      for (const attempt of [
        () => things.insertOne({ _id: 'e', email: 'a@x' }),
        () => things.updateOne({ _id: 'b' }, { $set: { email: 'a@x' } }),
        () => things.replaceOne({ _id: 'b' }, { email: 'a@x' }),
        () => things.findOneAndUpdate({ _id: 'c' }, { $set: { email: 'a@x' } }),
        () => things.updateOne({ _id: 'f' }, { $set: { email: 'a@x' } }, { upsert: true }),
      ]) {
        const error = await refusal(attempt());
        expect(error).to.be.instanceOf(DuplicateKeyError);
        expect((error as DuplicateKeyError).collection).to.equal(things.name);
      }
      expect(await things.find({ email: 'a@x' }).toArray()).to.deep.equal([{ _id: 'a', email: 'a@x' }]);
      await things.updateOne({ _id: 'a' }, { $set: { email: 'z@x' } });
      await things.insertOne({ _id: 'e', email: 'a@x' });
      expect(await ids(things, { email: 'a@x' })).to.equal('e');
    });

    it('pairs of fields', async () => {
      const things = fresh();
      await store.ensureIndexes({ [things.name]: [{ keys: { who: 1, what: 1 }, unique: true }] });
      await things.insertMany([
        { _id: 'a', who: 'x', what: 1 },
        { _id: 'b', who: 'x', what: 2 },
        { _id: 'c', who: 'y', what: 1 },
      ]);
      expect(await refusal(things.insertOne({ _id: 'd', who: 'x', what: 2 }))).to.be.instanceOf(DuplicateKeyError);
    });

    it('refuses an index on what is not unique, and leaves none behind', async () => {
      const things = fresh();
      await things.insertMany([
        { _id: 'a', k: 1 },
        { _id: 'b', k: 1 },
      ]);
      const error = await refusal(store.ensureIndexes({ [things.name]: [{ keys: { k: 1 }, unique: true }] }));
      expect(error).to.be.instanceOf(DuplicateKeyError);
      await things.insertOne({ _id: 'c', k: 1 });
    });
  });

  describe('as a whole', () => {
    it('creates an index once', async () => {
      const things = fresh();
      await store.ensureIndexes({ [things.name]: [{ keys: { k: 1 } }] });
      await store.ensureIndexes({ [things.name]: [{ keys: { k: 1 } }] });
      await things.insertOne({ _id: 'x', k: 1 });
      expect(await ids(things, { k: 1 })).to.equal('x');
    });

    it('fills an index with what is there already', async () => {
      const things = await filled();
      await store.ensureIndexes({ [things.name]: INDEXES });
      expect(await sortedIds(things, { tags: 'red' })).to.equal('ad');
      expect(await ids(things, { n: { $gte: 2 } }, { sort: { n: 1 } })).to.equal('becd');
    });

    it('settles collections: every document and index serves as before, whoever writes meanwhile', async () => {
      const things = await filled();
      await store.ensureIndexes({ [things.name]: INDEXES });
      const before = await things.find({}, { sort: { _id: 1 } }).toArray();
      const runs = ['x', 'y', 'z'].map(async (_id) => {
        await things.insertOne({ _id, tags: ['late'] } as Thing);
        await store.settle([things.name, 'no_such_thing']);
      });
      await Promise.all(runs);
      expect(await sortedIds(things, { tags: 'late' })).to.equal('xyz');
      expect(await sortedIds(things, { tags: 'red' })).to.equal('ad');
      await things.deleteMany({ tags: 'late' });
      expect(await things.find({}, { sort: { _id: 1 } }).toArray()).to.deep.equal(before);
    });

    it('lists the collections that hold documents', async () => {
      const [empty, full] = [fresh(), await filled()];
      await store.ensureIndexes({ [empty.name]: [{ keys: { a: 1 } }] });
      const names = await store.listCollections();
      expect(names).to.include(full.name).and.not.include(empty.name);
      expect(names).to.deep.equal([...names].sort());
    });

    it('finds nothing in a collection that does not exist', async () => {
      const things = fresh();
      expect(await things.find().toArray()).to.deep.equal([]);
      expect(await things.countDocuments()).to.equal(0);
      expect(await things.distinct('a')).to.deep.equal([]);
    });

    it('refuses names of collections that an engine might misread', () => {
      for (const name of ['', 'system.users', 'a"b', '$cmd', 'A', '_indexes', 'x'.repeat(100)]) {
        expect(() => store.collection(name), name).to.throw(StoreUsageError);
      }
    });

    it('answers a ping', async () => {
      await store.ping();
      await store.ping();
    });
  });
}

/** What MongoDB and the embedded engine do, but FerretDB 1.x does not: so nothing in the house relies on it. */
export function describeBeyondFerret(open: () => Promise<Store>): void {
  let store: Store;
  before(async () => {
    store = await open();
  });

  it('refuses an index that exists with other options', async () => {
    await store.ensureIndexes({ optioned: [{ keys: { k: 1 } }] });
    const error = await refusal(store.ensureIndexes({ optioned: [{ keys: { k: 1 }, unique: true }] }));
    expect(error).to.be.instanceOf(StoreUsageError);
  });

  it('counts what is missing as null in a unique index that is not sparse, and each element of an array', async () => {
    const things = store.collection<Thing>('singular');
    await store.ensureIndexes({ singular: [{ keys: { k: 1 }, unique: true }] });
    await things.insertMany([{ _id: 'a' }, { _id: 'b', k: [1, 2, 2] }]);
    for (const k of [null, 2, [3, 1]]) {
      expect(await refusal(things.insertOne({ _id: 'c', k }))).to.be.instanceOf(DuplicateKeyError);
    }
    expect(await refusal(things.insertOne({ _id: 'c' }))).to.be.instanceOf(DuplicateKeyError);
  });

  it('keeps arrays directly in arrays', async () => {
    const things = store.collection<Thing>('grids');
    await things.insertOne({ _id: 'x', grid: [[1, 2], [], [[3]]] });
    expect(await things.findOne({ _id: 'x' })).to.deep.equal({ _id: 'x', grid: [[1, 2], [], [[3]]] });
  });
}
