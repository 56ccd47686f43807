// Random sequences of operations, done on both engines: they must answer alike and end alike.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Coll, Doc, Filter, Store, UpdateFilter } from '../../../server/store/store.js';

interface Thing extends Doc {
  [field: string]: unknown;
}

type Loose = Record<string, unknown>;
type Deed = (things: Coll<Thing>) => Promise<unknown>;

const id = fc.constantFrom('a', 'b', 'c', 'd');
const value = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 2, 1.5, 'x', 'xy', '😀', true, null),
  fc.constantFrom(0, 5).map((time) => new Date(time)),
);
const bound = fc.constantFrom<unknown>(0, 1, 2, 'x', '\uff5e');
const list = fc.array(fc.constantFrom<unknown>(1, 2, 'x'), { maxLength: 3 });
const path = fc.constantFrom('n', 'in.x', 'tags');
const condition = fc.oneof(
  value,
  fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), bound).map(([operator, one]) => ({ [operator]: one })),
  fc
    .tuple(fc.constantFrom('$in', '$nin'), fc.array(value, { maxLength: 2 }))
    .map(([operator, all]) => ({ [operator]: all })),
  value.map((one) => ({ $ne: one })),
  fc.boolean().map((there) => ({ $exists: there })),
);
const filter: fc.Arbitrary<Loose> = fc.oneof(
  id.map((_id): Loose => ({ _id })),
  fc.dictionary(path, condition, { maxKeys: 2 }),
  fc
    .array(fc.dictionary(path, condition, { minKeys: 1, maxKeys: 1 }), { minLength: 1, maxLength: 2 })
    .map((any) => ({ $or: any })),
);
const fields = fc.record({ n: value, in: fc.record({ x: value }), tags: list }, { requiredKeys: [] });
const update: fc.Arbitrary<Loose> = fc.oneof(
  fc.tuple(path, value).map(([at, one]) => ({ $set: { [at]: one } })),
  path.map((at) => ({ $unset: { [at]: '' } })),
  fc.tuple(path, fc.constantFrom(1, -2, 0.5)).map(([at, by]) => ({ $inc: { [at]: by } })),
  fc
    .tuple(fc.constantFrom('$push', '$addToSet', '$pull'), fc.constantFrom<unknown>(1, 2, 'x'))
    .map(([operator, one]) => ({ [operator]: { tags: one } })),
  fc
    .tuple(fc.constantFrom('$min', '$max'), fc.constantFrom<unknown>(0, 1, 'x'))
    .map(([operator, one]) => ({ [operator]: { n: one } })),
);

const query = (loose: Loose) => loose as Filter<Thing>;
const change = (loose: Loose) => loose as UpdateFilter<Thing>;
const byId = { sort: { _id: 1 } } as const;

const deed: fc.Arbitrary<{ title: string; run: Deed }> = fc.oneof(
  named(
    'insertOne',
    fc.tuple(id, fields),
    ([_id, rest]) =>
      (things) =>
        things.insertOne({ _id, ...rest }),
  ),
  named(
    'replaceOne',
    fc.tuple(id, fields),
    ([_id, rest]) =>
      (things) =>
        things.replaceOne({ _id }, rest, { upsert: true }),
  ),
  named(
    'updateOne',
    fc.tuple(id, update),
    ([_id, one]) =>
      (things) =>
        things.updateOne({ _id }, change(one), { upsert: true }),
  ),
  named(
    'updateMany',
    fc.tuple(filter, update),
    ([wanted, one]) =>
      (things) =>
        things.updateMany(query(wanted), change(one)),
  ),
  named(
    'findOneAndUpdate',
    fc.tuple(filter, update),
    ([wanted, one]) =>
      (things) =>
        things.findOneAndUpdate(query(wanted), change(one), { ...byId, returnDocument: 'after' }),
  ),
  named('deleteMany', filter, (wanted) => (things) => things.deleteMany(query(wanted))),
  named('findOneAndDelete', filter, (wanted) => (things) => things.findOneAndDelete(query(wanted), byId)),
  named('find', filter, (wanted) => (things) => things.find(query(wanted), byId).toArray()),
  named('count', filter, (wanted) => (things) => things.countDocuments(query(wanted))),
  named('distinct', path, (at) => (things) => things.distinct(at)),
);

function named<T>(name: string, input: fc.Arbitrary<T>, deedOf: (input: T) => Deed) {
  return input.map((given) => ({ title: `${name} ${JSON.stringify(given)}`, run: deedOf(given) }));
}

/** The answer of a deed, or the name of its refusal. */
async function answerOf(run: Deed, things: Coll<Thing>): Promise<unknown> {
  try {
    return await run(things);
  } catch (error) {
    return error instanceof Error ? error.name : error;
  }
}

/** Runs the sequences on two stores. FC_SEED repeats a run. */
export function describeDifferences(openOne: () => Promise<Store>, openOther: () => Promise<Store>): void {
  it('answers as the other engine does, and ends alike', async () => {
    const [one, other] = [await openOne(), await openOther()];
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 12 }), async (deeds) => {
        const name = `things${++number}`;
        const specs = { [name]: [{ keys: { n: 1 } }, { keys: { tags: 1 } }, { keys: { 'in.x': -1 } }] } as const;
        for (const store of [one, other]) await store.ensureIndexes({ [name]: [...(specs[name] ?? [])] });
        for (const { run, title } of deeds) {
          const answers = [await answerOf(run, one.collection(name)), await answerOf(run, other.collection(name))];
          expect(answers[0], title).to.deep.equal(answers[1]);
        }
        const ends = [one, other].map((store) => store.collection<Thing>(name).find({}, byId).toArray());
        expect(await ends[0]).to.deep.equal(await ends[1]);
      }),
      { seed: Number(process.env.FC_SEED ?? 20_240_229), numRuns: Number(process.env.FC_RUNS ?? 60) },
    );
  }).timeout(60_000);
}
