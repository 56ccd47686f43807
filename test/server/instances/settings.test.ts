// The settings as every page reads them: seldom from the store, and never older than what this process wrote.
import { expect } from 'chai';
import { defaultSettings, readSettings, writeSettings } from '../../../server/instances/settings.js';
import type { Coll, Doc, Store } from '../../../server/store/store.js';
import { openTestStore } from '../../support/storeSupport.js';

describe('the settings of the instance', () => {
  const { now } = performance;
  let reads: number;
  let store: Store;

  beforeEach(async () => {
    reads = 0;
    store = countingReads(await openTestStore(), () => {
      reads += 1;
    });
  });

  afterEach(() => {
    performance.now = now;
  });

  it('are read once for many pages', async () => {
    for (let page = 0; page < 20; page += 1) expect((await readSettings(store)).name).to.equal('Chatière');
    expect(reads).to.equal(1);
  });

  it('are the new ones as soon as they are written, also for those who ask at the same moment', async () => {
    await readSettings(store);
    for (const name of ['Un', 'Deux', 'Trois']) {
      await Promise.all([writeSettings(store, { ...defaultSettings, name }), readSettings(store)]);
      expect((await readSettings(store)).name).to.equal(name);
    }
  });

  it('are read again after a second, since another process may have written', async () => {
    await readSettings(store);
    const began = now.call(performance);
    performance.now = () => began + 900;
    await readSettings(store);
    expect(reads).to.equal(1);
    performance.now = () => began + 1100;
    await readSettings(store);
    expect(reads).to.equal(2);
  });

  it('of one store are not those of another', async () => {
    await writeSettings(store, { ...defaultSettings, name: 'Ici' });
    expect((await readSettings(store)).name).to.equal('Ici');
    expect((await readSettings(await openTestStore())).name).to.equal('Chatière');
  });
});

/** The same store; says when a document is read. */
function countingReads(store: Store, onRead: () => void): Store {
  const collection = <T extends Doc>(name: string): Coll<T> =>
    new Proxy(store.collection<T>(name), {
      get(coll, key) {
        if (key === 'findOne') onRead();
        const value: unknown = Reflect.get(coll, key);
        return typeof value === 'function' ? value.bind(coll) : value;
      },
    });
  return new Proxy(store, {
    get(real, key) {
      const value: unknown = key === 'collection' ? collection : Reflect.get(real, key);
      return typeof value === 'function' && key !== 'collection' ? value.bind(real) : value;
    },
  });
}
