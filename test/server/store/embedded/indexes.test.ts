// Traps of indexes over arrays, nulls and patterns, each of which gave a wrong answer in some engine once.
import { expect } from 'chai';
import { openStore } from '../../../../server/store/openStore.js';
import {
  type Coll,
  type Doc,
  DuplicateKeyError,
  type Filter,
  type IndexSpec,
  type Store,
  StoreUsageError,
} from '../../../../server/store/store.js';
import { closeTestStores, openTestEmbedded, temporaryFolder } from '../../../support/storeSupport.js';
import { refusal } from '../contract.js';

interface Thing extends Doc {
  [field: string]: unknown;
}

describe('indexes of the embedded store', () => {
  let store: Store;
  let number = 0;
  before(async () => {
    store = await openTestEmbedded();
  });
  after(closeTestStores);

  async function filled(keys: IndexSpec['keys'], documents: Record<string, Omit<Thing, '_id'>>): Promise<Coll<Thing>> {
    const things = store.collection<Thing>(`things${++number}`);
    await store.ensureIndexes({ [things.name]: [{ keys }] });
    await things.insertMany(Object.entries(documents).map(([_id, fields]): Thing => ({ _id, ...fields })));
    return things;
  }

  async function ids(things: Coll<Thing>, filter: object, options = {}): Promise<string> {
    const found = await things.find(filter as Filter<Thing>, options).toArray();
    return found.map(({ _id }) => _id).join('');
  }

  it('let two elements of an array meet the two bounds of a range', async () => {
    const things = await filled({ a: 1 }, { x: { a: [0, 9] }, y: { a: 5 }, z: { a: [0, 1] } });
    expect(await ids(things, { a: { $gt: 2, $lt: 8 } }, { sort: { _id: 1 } })).to.equal('xy');
    expect(await things.countDocuments({ a: { $gt: 2, $lt: 8 } })).to.equal(2);
  });

  it('sort arrays by their least or greatest element, not by the one in the range', async () => {
    const things = await filled({ a: 1 }, { x: { a: [1, 5] }, y: { a: 3 }, z: { a: 4 } });
    expect(await ids(things, { a: { $gte: 3 } }, { sort: { a: 1 } })).to.equal('xyz');
    expect(await ids(things, { a: { $lte: 3 } }, { sort: { a: -1 } })).to.equal('xy');
    expect(await ids(things, { a: 5 }, { sort: { a: -1 } })).to.equal('x');
  });

  it('count a document once, however many of its elements match', async () => {
    const things = await filled({ a: 1 }, { x: { a: [1, 2, 3] }, y: { a: 2 } });
    expect(await things.countDocuments({ a: { $in: [1, 2, 3] } })).to.equal(2);
    expect(await things.countDocuments({ a: { $gte: 1 } })).to.equal(2);
    expect(await ids(things, { a: { $gte: 1 } }, { limit: 2 })).to.have.length(2);
  });

  it('tell null and missing fields from arrays without any object', async () => {
    const documents = { x: { a: [] }, y: { a: [1] }, z: { a: null }, w: {}, v: { a: [{ b: 1 }, {}] }, u: { a: 4 } };
    const things = await filled({ 'a.b': 1 }, documents);
    expect(await ids(things, { 'a.b': null })).to.satisfy((found: string) => [...found].sort().join('') === 'uvwz');
    expect(await things.countDocuments({ 'a.b': null })).to.equal(4);
  });

  it('keep the order of a sort when the first field has several values', async () => {
    const things = await filled({ a: 1, b: 1 }, { x: { a: 1, b: 2 }, y: { a: 2, b: 1 }, z: { a: 1, b: 3 } });
    expect(await ids(things, { a: { $in: [1, 2] } }, { sort: { b: 1 } })).to.equal('yxz');
    expect(await ids(things, { a: { $in: [1, 2] } }, { sort: { b: 1 }, limit: 1 })).to.equal('y');
  });

  it('do not pair fields of different elements', async () => {
    const things = await filled(
      { 'a.k': 1 },
      {
        x: {
          a: [
            { k: 1, v: 2 },
            { k: 2, v: 1 },
          ],
        },
        y: { a: [{ k: 1, v: 1 }] },
      },
    );
    expect(await ids(things, { 'a.k': 1, 'a.v': 1 })).to.equal('xy');
  });

  it('remember that a field holds arrays after a refused write beside an accepted one', async () => {
    const dataDir = temporaryFolder();
    const first = await openStore({ dataDir });
    const specs: IndexSpec[] = [{ keys: { a: 1 } }, { keys: { u: 1 }, unique: true, sparse: true }];
    await first.ensureIndexes({ things: specs });
    const things = first.collection<Thing>('things');
    await things.insertOne({ _id: 'w', a: 3, u: 1 });
    const refused = refusal(things.insertOne({ _id: 'x', a: [1, 2], u: 1 }));
    const accepted = things.insertOne({ _id: 'y', a: [0, 9] });
    expect(await refused).to.be.instanceOf(DuplicateKeyError);
    await accepted;
    await first.close();
    const second = await openStore({ dataDir });
    expect(await ids(second.collection<Thing>('things'), { a: { $gt: 2, $lt: 8 } })).to.equal('wy');
    await second.close();
  });

  it('refuse arrays in two fields of one index, and then keep nothing of the document', async () => {
    const things = await filled({ a: 1, b: 1 }, { x: { a: [1], b: 1 } });
    expect(await refusal(things.insertOne({ _id: 'y', a: [1], b: [2] }))).to.be.instanceOf(StoreUsageError);
    expect(await refusal(things.updateOne({ _id: 'x' }, { $set: { b: [2] } }))).to.be.instanceOf(StoreUsageError);
    expect(await things.find().toArray()).to.deep.equal([{ _id: 'x', a: [1], b: 1 }]);
  });

  it('serve the beginning of a pattern, and only a beginning that is certain', async () => {
    const things = await filled({ s: 1 }, { x: { s: 'ab' }, y: { s: 'a' }, z: { s: 'b' }, w: { s: 'a.c' } });
    expect(await ids(things, { s: /^ab?/ })).to.have.length(3);
    expect(await ids(things, { s: /^b|^a\./ })).to.have.length(2);
    expect(await ids(things, { s: /^a\.c/ })).to.equal('w');
    expect(await ids(things, { s: /^A/i })).to.have.length(3);
  });
});

describe('reading a large collection without an index', () => {
  const many = Array.from({ length: 1001 }, (_, i) => ({
    _id: `p${String(i).padStart(4, '0')}`,
    n: i,
    s: `s${i % 7}`,
  }));
  after(closeTestStores);

  it('is refused, with the collection and the fields', async () => {
    const store = await openTestEmbedded();
    const things = store.collection<Thing>('things');
    await store.ensureIndexes({ things: [{ keys: { s: 1, n: 1 } }] });
    await things.insertMany(many.slice(1));
    expect(await things.countDocuments({ n: 5 })).to.equal(1);
    await things.insertMany(many.slice(0, 1));
    for (const attempt of [
      () => things.find({ n: 5, z: 1 }).toArray(),
      () => things.findOne({ n: 5 }),
      () => things.countDocuments({ n: { $ne: 5 } }),
      () => things.updateMany({ n: 5 }, { $set: { z: 1 } }),
      () => things.deleteOne({ n: 5 }),
      () => things.find({}, { sort: { n: 1 }, limit: 3 }).toArray(),
      () => things.find({ n: 5 }, { sort: { _id: 1 }, limit: 3 }).toArray(),
      () => things.find({ $or: [{ s: 's1' }, { n: 5 }] }).toArray(),
      () => things.distinct('n'),
    ]) {
      const error = await refusal(attempt());
      expect(error).to.be.instanceOf(StoreUsageError);
      expect(error.message).to.match(/no index of things serves .*n/);
    }
    expect(await things.find().toArray()).to.have.length(1001);
    expect(await things.countDocuments()).to.equal(1001);
    expect(await things.find({ s: 's3' }, { sort: { n: -1 }, limit: 1 }).toArray()).to.deep.equal([many[997]]);
    expect(await things.find({ s: 's3', n: { $gt: 990 } }).toArray()).to.deep.equal([many[997]]);
    expect(await things.find({ $or: [{ s: 's1', n: 1 }, { _id: 'p0005' }] }).toArray()).to.have.length(2);
    expect(await things.distinct('s')).to.have.length(7);
  });

  it('is logged once for each shape where it is allowed', async () => {
    const lines: object[] = [];
    const store = await openStore({
      dataDir: temporaryFolder(),
      log: (message, details) => lines.push({ message, ...details }),
    });
    const things = store.collection<Thing>('things');
    await things.insertMany(many);
    expect(await things.find({ n: 5 }).toArray()).to.have.length(1);
    expect(await things.find({ n: 6 }).toArray()).to.have.length(1);
    expect(lines).to.deep.equal([
      { message: 'a whole collection is read for want of an index', collection: 'things', shape: 'filter {n}' },
    ]);
    await store.close();
  });
});
