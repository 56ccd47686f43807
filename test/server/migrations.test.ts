// What older versions stored, brought to the shape of today: each step twice, since it may have been cut off.
import { expect } from 'chai';
import { migrations } from '../../server/migrations.js';
import { postIndexes, postsOf } from '../../server/posts/queries.js';
import type { Doc } from '../../server/store/store.js';
import { countedIn, surveyIndexes } from '../../server/surveys/queries.js';
import { closeTestStores, openTestStore } from '../support/storeSupport.js';

interface Listed extends Doc {
  list?: string;
  lists?: string[];
  muted: boolean;
}

describe('migrations of this program', () => {
  afterEach(closeTestStores);

  it('bear numbers that are never used twice', () => {
    const ids = migrations.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('make several lists of the one in which a followed actor was', async () => {
    const store = await openTestStore();
    for (const name of ['followings', 'feedEntries']) {
      await store.collection<Listed>(name).insertMany([
        { _id: 'a', list: 'network', muted: false },
        { _id: 'b', list: '', muted: true },
        { _id: 'c', lists: ['new', 'shape'], muted: false },
      ]);
    }
    const step = migrations.find(({ id }) => id === 1);
    await step?.up(store);
    await step?.up(store);
    for (const name of ['followings', 'feedEntries']) {
      const found = await store
        .collection<Listed>(name)
        .find({}, { sort: { _id: 1 } })
        .toArray();
      expect(found).to.deep.equal([
        { _id: 'a', lists: ['network'], muted: false },
        { _id: 'b', lists: [], muted: true },
        { _id: 'c', lists: ['new', 'shape'], muted: false },
      ]);
    }
  });

  it('part the number of an anonymous answer from what was answered', async () => {
    const store = await openTestStore();
    await store.ensureIndexes(surveyIndexes);
    const ballots = store.collection<Doc & { surveyId: string; version: number; receipt?: string }>('surveyBallots');
    await ballots.insertMany([
      { _id: 'b1', surveyId: 's', version: 1, receipt: 'aa' },
      { _id: 'b2', surveyId: 's', version: 1, receipt: 'bb' },
      { _id: 'b3', surveyId: 's', version: 1 },
    ]);
    const step = migrations.find(({ id }) => id === 3);
    await step?.up(store);
    await step?.up(store);
    expect(await ballots.find({}, { sort: { _id: 1 } }).toArray()).to.deep.equal(
      ['b1', 'b2', 'b3'].map((_id) => ({ _id, surveyId: 's', version: 1 })),
    );
    expect(
      await countedIn(store)
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    ).to.deep.equal(['aa', 'bb'].map((_id) => ({ _id, surveyId: 's' })));
  });

  it('leave surveys that anybody may answer in the public list, and no others', async () => {
    const store = await openTestStore();
    const surveys = store.collection<Doc & { answerBy: string; listed?: boolean }>('surveys');
    await surveys.insertMany([
      { _id: 'a', answerBy: 'anyone' },
      { _id: 'b', answerBy: 'anyone', listed: false },
      { _id: 'c', answerBy: 'person' },
    ]);
    const step = migrations.find(({ id }) => id === 4);
    await step?.up(store);
    await step?.up(store);
    const found = await surveys.find({}, { sort: { _id: 1 } }).toArray();
    expect(found.map(({ listed }) => listed)).to.deep.equal([true, false, undefined]);
  });

  it('give posts to the collective that wrote them', async () => {
    const store = await openTestStore();
    await store.ensureIndexes(postIndexes);
    const posts = store.collection<Doc & { collectiveId?: string; version: number }>('posts');
    await posts.insertOne({ _id: 'p1', collectiveId: 'c1', version: 3 });
    const step = migrations.find(({ id }) => id === 2);
    await step?.up(store);
    await step?.up(store);
    expect(await postsOf(store).findOne({ _id: 'p1' })).to.deep.equal({
      ...{ _id: 'p1', ownerKind: 'collective', ownerId: 'c1', version: 3 },
    });
  });
});
