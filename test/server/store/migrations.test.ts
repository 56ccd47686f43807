import { expect } from 'chai';
import { SchemaTooNewError } from '../../../server/store/errors.js';
import { type Migration, migrate } from '../../../server/store/migrations.js';
import type { Doc, Store } from '../../../server/store/store.js';
import { closeTestStores, openTestStore } from '../../support/storeSupport.js';
import { refusal } from './contract.js';

interface Person extends Doc {
  names: string[];
}

describe('migrations', () => {
  let store: Store;
  let ran: number[];
  const quiet = () => {};
  beforeEach(async () => {
    store = await openTestStore();
    ran = [];
  });
  afterEach(closeTestStores);

  const step = (id: number, up: (store: Store) => Promise<void> = async () => {}): Migration => ({
    id,
    name: `step ${id}`,
    up: async (target) => {
      ran.push(id);
      await up(target);
    },
  });
  const withData = () => store.collection<Person>('people').insertOne({ _id: 'a', names: [] });

  it('are recorded, not run, on a fresh store', async () => {
    await migrate(store, [step(1), step(2)], quiet);
    await withData();
    await migrate(store, [step(1), step(2)], quiet);
    expect(ran).to.deep.equal([]);
  });

  it('run once each, in the order of their numbers', async () => {
    await withData();
    await migrate(store, [step(2), step(1), step(10)], quiet);
    await migrate(store, [step(1), step(2), step(10)], quiet);
    await migrate(store, [step(1), step(2), step(10), step(11)], quiet);
    expect(ran).to.deep.equal([1, 2, 10, 11]);
  });

  it('go on with the step that was cut off', async () => {
    await withData();
    const add = (name: string) => async (target: Store) => {
      await target.collection<Person>('people').updateMany({}, { $addToSet: { names: name } });
    };
    const failing = step(2, async (target) => {
      await add('half')(target);
      throw new Error('power cut');
    });
    expect((await refusal(migrate(store, [step(1, add('one')), failing, step(3)], quiet))).message).to.equal(
      'power cut',
    );
    expect(ran).to.deep.equal([1, 2]);
    const whole = step(2, async (target) => {
      await add('half')(target);
      await add('two')(target);
    });
    await migrate(store, [step(1), whole, step(3)], quiet);
    expect(ran).to.deep.equal([1, 2, 2, 3]);
    expect(await store.collection<Person>('people').findOne({ _id: 'a' })).to.deep.equal({
      _id: 'a',
      names: ['one', 'half', 'two'],
    });
  });

  it('refuse data that a newer version wrote, also one that was cut off there', async () => {
    await withData();
    await migrate(store, [step(1), step(2)], quiet);
    const error = await refusal(migrate(store, [step(1)], quiet));
    expect(error).to.be.instanceOf(SchemaTooNewError);
    expect(error.message).to.match(/newer version of Chatière \(step 2, this one knows 1\)/);
    const failing = step(3, async () => Promise.reject(new Error('cut')));
    await refusal(migrate(store, [step(1), step(2), failing], quiet));
    expect(await refusal(migrate(store, [step(1), step(2)], quiet))).to.be.instanceOf(SchemaTooNewError);
  });

  it('refuse two steps of one number', async () => {
    expect((await refusal(migrate(store, [step(1), step(1)], quiet))).message).to.match(/same number/);
  });

  it('say what they do', async () => {
    await withData();
    const lines: object[] = [];
    await migrate(store, [step(7)], (message, details) => lines.push({ message, ...details }));
    expect(lines).to.deep.equal([
      { message: 'migration begins', number: 7, name: 'step 7' },
      { message: 'migration done', number: 7, name: 'step 7' },
    ]);
  });
});
