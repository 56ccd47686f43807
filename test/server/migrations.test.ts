// What data of older versions becomes.
import { expect } from 'chai';
import { migrations } from '../../server/migrations.js';
import { postIndexes, postsOf } from '../../server/posts/queries.js';
import type { Doc } from '../../server/store/store.js';
import { openTestStore } from '../support/storeSupport.js';

describe('data of older versions', () => {
  it('has posts of collectives, which stay theirs; run again it changes nothing', async () => {
    const store = await openTestStore();
    await store.ensureIndexes(postIndexes);
    const old = store.collection<Doc & { collectiveId: string; version: number }>('posts');
    await old.insertOne({ _id: 'p1', collectiveId: 'c1', version: 3 });
    for (let round = 0; round < 2; round++) for (const { up } of migrations) await up(store);
    expect(await postsOf(store).findOne({ _id: 'p1' })).to.deep.equal({
      ...{ _id: 'p1', ownerKind: 'collective', ownerId: 'c1', version: 3 },
    });
  });
});
