import { expect } from 'chai';
import { leadership } from '../../jobs/leadership.js';
import type { Lease } from '../../server/instances/schema.js';
import type { Store } from '../../server/store/store.js';
import { openTestStore } from '../support/storeSupport.js';

describe('the lease of the jobs', () => {
  let store: Store;
  let time: number;
  const now = () => new Date(time);
  const build = (holder: string) => leadership(store, now, { holder, ttlMs: 60_000 });

  beforeEach(async () => {
    time = Date.parse('2026-05-21T10:00:00Z');
    store = await openTestStore();
    await store.ensureIndexes({ leases: [] });
  });

  it('goes to one of two who ask at once, and stays there while it is renewed', async () => {
    const [a, b] = [build('other-host:1:a'), build('other-host:2:b')];
    const first = await Promise.all([a.claim(), b.claim()]);
    expect(first.filter((fence) => fence !== null)).to.deep.equal([1]);
    const [leader, other] = first[0] === null ? [b, a] : [a, b];
    time += 50_000;
    expect(await leader.claim()).to.equal(1);
    time += 50_000;
    expect(await other.claim()).to.equal(null);
  });

  it('goes to another when it has run out, with a higher token, and the old holder knows it', async () => {
    const [a, b] = [build('other-host:1:a'), build('other-host:2:b')];
    expect(await a.claim()).to.equal(1);
    time += 60_001;
    expect(await b.claim()).to.equal(2);
    expect(await a.claim()).to.equal(null);
    expect(a.current()).to.equal(null);
    expect(b.current()).to.equal(2);
  });

  it('is free at once when its holder lets go', async () => {
    const [a, b] = [build('other-host:1:a'), build('other-host:2:b')];
    await a.claim();
    await a.release();
    expect(await b.claim()).to.equal(2);
  });

  it('is taken at once from a process of this machine that is gone', async () => {
    const { hostname } = await import('node:os');
    const until = new Date(time + 59_000);
    await store
      .collection<Lease>('leases')
      .insertOne({ _id: 'jobs', holder: `${hostname()}:4194305:x`, until, fence: 7 });
    expect(await build('me:1:a').claim()).to.equal(8);
  });

  it('is left to a process of this machine that lives', async () => {
    const { hostname } = await import('node:os');
    const until = new Date(time + 59_000);
    await store.collection<Lease>('leases').insertOne({ _id: 'jobs', holder: `${hostname()}:1:x`, until, fence: 7 });
    expect(await build('me:1:a').claim()).to.equal(null);
  });

  it('is not held for days by a clock that ran ahead', async () => {
    const until = new Date(time + 3 * 24 * 3_600_000);
    await store.collection<Lease>('leases').insertOne({ _id: 'jobs', holder: 'far:1:x', until, fence: 3 });
    expect(await build('me:1:a').claim()).to.equal(4);
  });
});
