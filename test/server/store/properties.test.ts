// Random documents, filters, sorts and indexes: an index may never change an answer. FC_SEED repeats a run.
import { expect } from 'chai';
import fc from 'fast-check';
import { Context } from 'mingo/core';
import * as queryOperators from 'mingo/operators/query';
import { Query } from 'mingo/query';
import { decodeDocument, encodeDocument } from '../../../server/store/codec.js';
import { filterTest } from '../../../server/store/embedded/filter.js';
import { encodeValue, sortKey } from '../../../server/store/embedded/keys.js';
import { distinctValues } from '../../../server/store/embedded/reader.js';
import { compareValues, equalValues } from '../../../server/store/order.js';
import type { Coll, Doc, Filter, IndexSpec, Store, UpdateFilter } from '../../../server/store/store.js';
import { DuplicateKeyError, StoreUsageError } from '../../../server/store/store.js';
import { closeTestStores, openTestEmbedded } from '../../support/storeSupport.js';

type Loose = Record<string, unknown>;
interface Thing extends Doc {
  [field: string]: unknown;
}

const seed = Number(process.env.FC_SEED ?? 20_240_229);
const runs = (numRuns: number) => ({ seed, numRuns });

// Few values, so that documents, filters and bounds meet; some rare ones for the edges of the encoding.
const text = fc.constantFrom('', 'A', 'B', 'ab', 'abc', 'a\0', 'a\0b', 'é', '\uff5e', '😀', '😀a', '\ufffd');
const number = fc.constantFrom(0, 1, 2, 3, -1, 1.5, -1.5, 1e10, -1e-10);
const date = fc.constantFrom(0, 1, -1, 86_400_000).map((time) => new Date(time));
const common = fc.constantFrom<unknown>(0, 1, 2, 'a', 'aa', 'b', true, new Date(0));
const scalar = fc.oneof({ weight: 6, arbitrary: common }, text, number, fc.boolean(), date);
const nullable = fc.oneof({ weight: 8, arbitrary: scalar }, { weight: 1, arbitrary: fc.constant(null) });
const leaf = fc.oneof(
  { weight: 5, arbitrary: nullable },
  { weight: 2, arbitrary: fc.array(nullable, { maxLength: 3 }) },
);
const inner = fc.record({ x: leaf, y: nullable }, { requiredKeys: [] });
const fields = fc.record(
  {
    a: leaf,
    b: nullable,
    c: fc.oneof(inner, nullable, fc.array(fc.oneof(inner, nullable), { maxLength: 3 })),
    d: fc.array(fc.array(nullable, { maxLength: 2 }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const documents = fc
  .array(fields, { minLength: 4, maxLength: 16 })
  .map((all) => all.map((one, i): Thing => ({ _id: `id${i}`, ...one })));

const path = fc.constantFrom('a', 'a', 'a', 'b', 'b', 'c.x', 'c.x', 'c.y', 'c', 'd', '_id');
const bound = (operators: readonly string[]) =>
  fc.dictionary(fc.constantFrom(...operators), scalar, { minKeys: 1, maxKeys: 2 });
const condition: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 5, arbitrary: nullable },
  { weight: 3, arbitrary: bound(['$gt', '$gte', '$lt', '$lte']) },
  { weight: 2, arbitrary: fc.array(nullable, { maxLength: 3 }).map((list) => ({ $in: list })) },
  fc.array(nullable, { maxLength: 3 }).map((list) => ({ $nin: list })),
  nullable.map((value) => ({ $ne: value })),
  fc.boolean().map((value) => ({ $exists: value })),
  fc.nat({ max: 3 }).map((size) => ({ $size: size })),
  fc.array(nullable, { minLength: 1, maxLength: 2 }).map((list) => ({ $all: list })),
  fc
    .constantFrom(/^a/, /^aa?$/, /^ab*/, /^b|^a/, /^😀?/, /^A/i, /b$/, /^a\\.?/)
    .map((pattern) => ({ $regex: pattern })),
  bound(['$gt', '$lte']).map((range) => ({ $not: range })),
  fc.array(nullable, { maxLength: 2 }),
  inner,
);
const conditions = fc.dictionary(path, condition, { minKeys: 1, maxKeys: 2 });
const filter: fc.Arbitrary<Loose> = fc.oneof(
  { weight: 6, arbitrary: conditions },
  fc.constant({}),
  fc
    .tuple(conditions, fc.array(conditions, { minLength: 1, maxLength: 3 }))
    .map(([all, any]) => ({ ...all, $or: any })),
  fc.array(conditions, { minLength: 1, maxLength: 2 }).map((all) => ({ $and: all })),
  fc.array(conditions, { minLength: 1, maxLength: 2 }).map((none) => ({ $nor: none })),
);
const direction = fc.constantFrom<1 | -1>(1, -1);
const keys = fc.dictionary(path, direction, { minKeys: 1, maxKeys: 3 });
const indexes = fc
  .array(fc.record({ keys, sparse: fc.constantFrom(false, false, true) }), { minLength: 2, maxLength: 5 })
  .map((all): IndexSpec[] => {
    const named = new Map(all.map((spec) => [Object.entries(spec.keys).flat().join('_'), spec]));
    return [...named.values()];
  });
const sort = fc.dictionary(path, direction, { maxKeys: 2 });
const page = fc.record({ skip: fc.nat({ max: 3 }), limit: fc.integer({ min: 1, max: 6 }) });

const orders = fc.array(fc.tuple(filter, sort, page), { minLength: 6, maxLength: 6 });

type Order = Record<string, 1 | -1>;

describe('embedded store, on random data', () => {
  let store: Store;
  let number_ = 0;
  before(async () => {
    store = await openTestEmbedded();
  });
  after(closeTestStores);

  /** A new collection with these documents; those that an index refuses are left out. */
  async function filled(specs: IndexSpec[], all: Thing[]) {
    const things = store.collection<Thing>(`random${++number_}`);
    await store.ensureIndexes({ [things.name]: specs });
    const kept: Thing[] = [];
    const outcomes = await Promise.allSettled(all.map((document) => things.insertOne(document)));
    for (const [i, outcome] of outcomes.entries()) {
      const document = all[i];
      if (outcome.status === 'fulfilled' && document !== undefined) kept.push(document);
      else if (outcome.status === 'rejected') expect(outcome.reason).to.be.instanceOf(StoreUsageError);
    }
    return { things, kept };
  }

  it('finds, counts and lists with any indexes what a look at every document finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        documents,
        indexes,
        fc.array(filter, { minLength: 8, maxLength: 8 }),
        async (all, specs, filters) => {
          const { things, kept } = await filled(specs, all);
          for (const wanted of filters) {
            const expected = kept.filter(filterTest(wanted)).map(({ _id }) => _id);
            const query = wanted as Filter<Thing>;
            const found = await things.find(query).toArray();
            expect(found.map(({ _id }) => _id).sort()).to.deep.equal(expected.sort());
            expect(await things.countDocuments(query)).to.equal(expected.length);
            expect(await things.countDocuments(query, { limit: 2 })).to.equal(Math.min(2, expected.length));
            const streamed: string[] = [];
            for await (const { _id } of things.find(query)) streamed.push(_id);
            expect(streamed.sort()).to.deep.equal(expected);
          }
        },
      ),
      runs(200),
    );
  });

  it('sorts and pages with any indexes as it does without', async () => {
    await fc.assert(
      fc.asyncProperty(documents, indexes, orders, async (all, specs, asked) => {
        const { things, kept } = await filled(specs, all);
        for (const [wanted, order, { skip, limit }] of asked) await check(things, kept, wanted, order, skip, limit);
      }),
      runs(150),
    );

    async function check(things: Coll<Thing>, kept: Thing[], wanted: Loose, order: Order, skip: number, limit: number) {
      const spec = Object.entries(order);
      const keyed = kept.filter(filterTest(wanted)).map((document) => sortKey(document, spec).toString('hex'));
      const expected = keyed.sort();
      const query = wanted as Filter<Thing>;
      const found = await things.find(query, { sort: order }).toArray();
      expect(found.map((document) => sortKey(document, spec).toString('hex'))).to.deep.equal(expected);
      const some = await things.find(query, { sort: order, skip, limit }).toArray();
      expect(some.map((document) => sortKey(document, spec).toString('hex'))).to.deep.equal(
        expected.slice(skip, skip + limit),
      );
      const streamed: string[] = [];
      for await (const document of things.find(query, { sort: order, skip, limit })) {
        streamed.push(sortKey(document, spec).toString('hex'));
      }
      expect(streamed).to.deep.equal(expected.slice(skip, skip + limit));
    }
  });

  it('lists distinct values with any indexes as it does without', async () => {
    await fc.assert(
      fc.asyncProperty(documents, indexes, path, async (all, specs, at) => {
        const { things, kept } = await filled(specs, all);
        const values = kept.flatMap((document) => distinctValues(document, at)).sort(compareValues);
        const expected = values.filter((value, i) => i === 0 || !equalValues(value, values[i - 1]));
        expect(await things.distinct(at)).to.deep.equal(expected);
      }),
      runs(80),
    );
  });

  const step = fc.oneof(
    fc.tuple(fc.constantFrom('$set', '$push', '$addToSet', '$pull'), fc.constantFrom('a', 'b', 'c.x'), nullable),
    fc.tuple(fc.constant('$unset'), fc.constantFrom('a', 'b', 'c'), fc.constant('')),
    fc.tuple(fc.constant('$inc'), fc.constantFrom('a', 'b', 'c.y'), number),
    fc.tuple(fc.constant('delete'), fc.constant(''), fc.constant('')),
  );

  it('keeps every index true through any changes, refused ones too', async () => {
    const change = fc.tuple(conditions, step, fc.boolean());
    await fc.assert(
      fc.asyncProperty(documents, indexes, fc.array(change, { maxLength: 8 }), async (all, specs, changes) => {
        const unique: IndexSpec[] = [
          ...specs.filter(({ keys: k }) => Object.keys(k).join() !== 'b'),
          { keys: { b: 1 }, unique: true, sparse: true },
        ];
        const { things } = await filledLoosely(unique, all);
        for (const [wanted, [operator, at, value], many] of changes) {
          const query = wanted as Filter<Thing>;
          const update = { [operator]: { [at]: value } } as UpdateFilter<Thing>;
          const deed =
            operator === 'delete'
              ? many
                ? things.deleteMany(query)
                : things.deleteOne(query)
              : many
                ? things.updateMany(query, update)
                : things.updateOne(query, update);
          await deed.catch((error: unknown) => {
            if (!(error instanceof DuplicateKeyError || error instanceof StoreUsageError)) throw error;
          });
        }
        const now = await things.find().toArray();
        for (const document of now) {
          for (const spec of unique) {
            for (const [at] of Object.entries(spec.keys)) {
              for (const value of distinctValues(document, at)) {
                if (value !== null && typeof value === 'object' && !(value instanceof Date)) continue;
                const query = { [at]: value } as Filter<Thing>;
                const expected = now.filter(filterTest({ [at]: value })).map(({ _id }) => _id);
                const found = await things.find(query).toArray();
                expect(found.map(({ _id }) => _id).sort()).to.deep.equal(expected.sort());
                expect(await things.countDocuments(query)).to.equal(expected.length);
              }
            }
          }
        }
        const marks = now.flatMap(({ b }) => (b === undefined ? [] : [encodeValue(b).toString('hex')]));
        expect(new Set(marks).size, 'unique values').to.equal(marks.length);
      }),
      runs(80),
    );
  });

  async function filledLoosely(specs: IndexSpec[], all: Thing[]) {
    const things = store.collection<Thing>(`random${++number_}`);
    await store.ensureIndexes({ [things.name]: specs });
    await Promise.allSettled(all.map((document) => things.insertOne(document)));
    return { things };
  }

  it("agrees with mingo's own operators where mingo agrees with MongoDB", async () => {
    const plain = fc.record(
      {
        a: scalar,
        b: fc.array(fc.oneof(number, fc.constantFrom('a', 'b', 'c')), { maxLength: 3 }),
        c: fc.record({ x: number }),
      },
      { requiredKeys: [] },
    );
    const plainPath = fc.constantFrom('a', 'b', 'c.x');
    const plainValue = fc.oneof(number, fc.boolean(), date, fc.constantFrom('a', 'b', 'c'));
    const plainCondition = fc.oneof(
      plainValue,
      fc
        .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$ne', '$eq'), plainValue)
        .map(([operator, value]) => ({ [operator]: value })),
      fc
        .tuple(fc.constantFrom('$in', '$nin'), fc.array(plainValue, { maxLength: 3 }))
        .map(([operator, list]) => ({ [operator]: list })),
      fc.boolean().map((value) => ({ $exists: value })),
      fc.nat({ max: 3 }).map((size) => ({ $size: size })),
    );
    const plainFilter = fc.dictionary(plainPath, plainCondition, { maxKeys: 3 });
    const context = Context.init().addQueryOps(queryOperators as unknown as Parameters<Context['addQueryOps']>[0]);
    await fc.assert(
      fc.asyncProperty(fc.array(plain, { maxLength: 10 }), plainFilter, indexes, async (all, wanted, specs) => {
        const { things, kept } = await filled(
          specs,
          all.map((one, i): Thing => ({ _id: `id${i}`, ...one })),
        );
        const query = new Query(wanted as Loose, { context, scriptEnabled: false });
        const expected = kept.filter((document) => query.test(document)).map(({ _id }) => _id);
        const found = await things.find(wanted as Filter<Thing>).toArray();
        expect(found.map(({ _id }) => _id).sort()).to.deep.equal(expected.sort());
      }),
      runs(200),
    );
  });

  it('orders key bytes as it orders values', () => {
    const value = fc.oneof(
      leaf,
      inner,
      fc.array(inner, { maxLength: 2 }),
      fc.uint8Array({ maxLength: 4 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(value, value, (a, b) => {
        const sign = Math.sign(compareValues(a, b));
        expect(Math.sign(Buffer.compare(encodeValue(a), encodeValue(b)))).to.equal(sign);
        expect(Math.sign(Buffer.compare(encodeValue(b, -1), encodeValue(a, -1)))).to.equal(sign);
      }),
      runs(2000),
    );
  });

  it('gives back every document as it was, through Extended JSON', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        scalar,
        fc.constant(null),
        fc.date({ noInvalidDate: true }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.array(tie('any')),
        fc.dictionary(fc.stringMatching(/^[a-z]+$/), tie('any')),
      ),
    })).any;
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]+$/), value), (document) => {
        const plain = { ...document };
        expect(decodeDocument(encodeDocument(plain))).to.deep.equal(plain);
      }),
      runs(500),
    );
  });
});
