// A store that calls somebody before and after each of its operations: to count them, to fail one, to die at one. So a
// test reaches every point where the house waits for its store, and the house knows nothing of it.
import type { Coll, Cursor, Doc, Store } from '../../server/store/store.js';

/** May throw, or not come back. `step` is "collection.method". */
export type Watch = (step: string, when: 'before' | 'after') => void;

const reads = ['findOne', 'countDocuments', 'distinct'];
const writes = [
  ...['insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne', 'findOneAndUpdate', 'findOneAndDelete'],
  ...['deleteOne', 'deleteMany', 'bulkWrite'],
];

export function watchStore(store: Store, watch: Watch): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'collection') return (of: string) => watchCollection(target.collection(of), watch);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function watchCollection(collection: Coll<Doc>, watch: Watch): Coll<Doc> {
  return new Proxy(collection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const step = `${target.name}.${String(name)}`;
      if (name === 'find') return (...given: unknown[]) => watchCursor(value.apply(target, given), step, watch);
      if (![...reads, ...writes].includes(String(name))) return value.bind(target);
      return async (...given: unknown[]) => {
        watch(step, 'before');
        const result: unknown = await value.apply(target, given);
        watch(step, 'after');
        return result;
      };
    },
  });
}

function watchCursor(cursor: Cursor<unknown>, step: string, watch: Watch): Cursor<unknown> {
  return {
    async toArray() {
      watch(step, 'before');
      return cursor.toArray();
    },
    async *[Symbol.asyncIterator]() {
      watch(step, 'before');
      yield* cursor;
    },
  };
}
