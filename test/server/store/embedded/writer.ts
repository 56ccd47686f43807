// A process to be killed: opens the store of a folder, then holds it, or writes and tells what was acknowledged. Slowly: one
// after the other, and ends.
import { openStore } from '../../../../server/store/openStore.js';
import type { Doc } from '../../../../server/store/store.js';

interface Entry extends Doc {
  n: number;
  tags: string[];
}

const [dataDir = '', mode = ''] = process.argv.slice(2);
const store = await openStore({ dataDir });
process.stdout.write('open\n');
if (mode === 'hold') {
  setInterval(() => {}, 1000);
} else if (mode === 'slowly') {
  const entries = store.collection<Entry>('entries');
  for (let i = 0; i < 20; i++) {
    await entries.insertOne({ _id: `slowly-${i}`, n: i, tags: [] });
    process.stdout.write(`done slowly-${i}\n`);
  }
  await store.close();
} else {
  const entries = store.collection<Entry>('entries');
  await store.ensureIndexes({ entries: [{ keys: { tags: 1 } }, { keys: { n: 1 } }] });
  const write = async (lane: number) => {
    for (let i = 0; ; i++) {
      const _id = `${mode}-${lane}-${i}`;
      await entries.insertOne({ _id, n: i, tags: [`n${i}`, 'all'] });
      await entries.updateOne({ _id }, { $set: { n: i + 1, tags: [`n${i + 1}`, 'all'] } });
      process.stdout.write(`done ${_id}\n`);
    }
  };
  await Promise.all([0, 1, 2, 3].map(write));
}
