// Copies of the store: backup and restore of the embedded file, archives between engines.
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { exportStore, importStore } from '../../../server/store/archive.js';
import { ArchiveError } from '../../../server/store/errors.js';
import { openStore } from '../../../server/store/openStore.js';
import { restoreBackup } from '../../../server/store/restore.js';
import type { Doc, Store } from '../../../server/store/store.js';
import { closeTestStores, openTestEmbedded, openTestMongo, temporaryFolder } from '../../support/storeSupport.js';
import { refusal } from './contract.js';

interface Thing extends Doc {
  [field: string]: unknown;
}

const ENGINES: [name: string, open: () => Promise<Store>][] = [['embedded', openTestEmbedded]];
if (process.env.TEST_MONGODB_URI !== undefined) ENGINES.push(['mongodb', openTestMongo]);

async function fill(store: Store): Promise<void> {
  const values = {
    at: new Date(5),
    old: new Date('1850-01-01'),
    bytes: Buffer.from([0, 255]),
    no: null,
    in: { z: 1, a: [{}] },
  };
  await store
    .collection<Thing>('people')
    .insertMany([{ _id: 'é', ...values }, { _id: 'b' }, { _id: '😀', text: 'line\nbreak \u2028' }]);
  await store
    .collection<Thing>('posts')
    .insertMany(Array.from({ length: 450 }, (_, i) => ({ _id: `p${i}`, i, half: i / 2 })));
}

async function exported(store: Store): Promise<string> {
  const file = join(temporaryFolder(), 'archive.ndjson');
  await exportStore(store, createWriteStream(file));
  return readFileSync(file, 'utf8');
}

const contentOf = (store: Store, name: string) =>
  store
    .collection<Thing>(name)
    .find({}, { sort: { _id: 1 } })
    .toArray();

describe('a backup', () => {
  after(closeTestStores);

  it('is whole and private while writing goes on, and restores into an empty folder', async () => {
    const dataDir = temporaryFolder();
    const store = await openStore({ dataDir });
    await store.ensureIndexes({ people: [{ keys: { n: 1 } }] });
    const people = store.collection<Thing>('people');
    await people.insertMany(Array.from({ length: 500 }, (_, i) => ({ _id: `a${i}`, n: i })));
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) await people.insertOne({ _id: `w${i}`, n: 1000 + i });
      return people.countDocuments();
    })();
    const file = join(temporaryFolder(), 'backup.db');
    await store.backup(file);
    writing = false;
    const total = await writer;
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(join(file, '..'))).to.deep.equal(['backup.db']);
    await store.close();

    const restored = join(temporaryFolder(), 'new');
    restoreBackup(file, restored);
    expect(readdirSync(restored)).to.deep.equal(['chatiere.db']);
    expect(statSync(join(restored, 'chatiere.db')).mode & 0o777).to.equal(0o600);
    const copy = await openStore({ dataDir: restored, onScan: 'error' });
    const count = await copy.collection<Thing>('people').countDocuments();
    expect(count).to.be.within(500, total);
    expect(await copy.collection<Thing>('people').countDocuments({ n: { $gte: 0 } })).to.equal(count);
    await copy.collection<Thing>('people').insertOne({ _id: 'goes on', n: -1 });
    await copy.close();
  });

  it('never replaces a file', async () => {
    const store = await openTestEmbedded();
    const file = join(temporaryFolder(), 'backup.db');
    writeFileSync(file, 'precious');
    expect(await refusal(store.backup(file))).to.be.instanceOf(ArchiveError);
    expect(readFileSync(file, 'utf8')).to.equal('precious');
  });

  it('leaves nothing behind where it cannot be written', async () => {
    const store = await openTestEmbedded();
    const folder = join(temporaryFolder(), 'missing');
    await refusal(store.backup(join(folder, 'backup.db')));
    expect(existsSync(folder)).to.equal(false);
  });

  describe('is not restored', () => {
    let good: string;
    before(async () => {
      const store = await openTestEmbedded();
      await fill(store);
      good = join(temporaryFolder(), 'good.db');
      await store.backup(good);
    });

    const refuses = (file: string, dataDir: string, pattern: RegExp) => {
      const before_ = existsSync(dataDir) ? readdirSync(dataDir) : [];
      expect(() => restoreBackup(file, dataDir)).to.throw(ArchiveError, pattern);
      expect(existsSync(dataDir) ? readdirSync(dataDir) : []).to.deep.equal(before_);
    };

    it('into a folder that is not empty', () => {
      const dataDir = temporaryFolder();
      writeFileSync(join(dataDir, 'chatiere.db-wal'), '');
      refuses(good, dataDir, /not empty/);
    });

    it('when it is missing, damaged, cut, or something else', () => {
      const folder = temporaryFolder();
      const bytes = readFileSync(good);
      const altered = Buffer.from(bytes);
      altered.fill(0x5a, 4096, 12_288);
      writeFileSync(join(folder, 'altered.db'), altered);
      writeFileSync(join(folder, 'cut.db'), bytes.subarray(0, bytes.length - 8192));
      writeFileSync(join(folder, 'text.db'), 'hello '.repeat(5000));
      writeFileSync(join(folder, 'empty.db'), '');
      for (const name of ['missing', 'altered', 'cut', 'text', 'empty']) {
        refuses(join(folder, `${name}.db`), temporaryFolder(), /no backup|damaged|not a backup/);
      }
    });

    it('when a journal lies beside it', () => {
      const file = join(temporaryFolder(), 'used.db');
      writeFileSync(file, readFileSync(good));
      writeFileSync(`${file}-wal`, 'rest');
      refuses(file, temporaryFolder(), /in use/);
    });
  });
});

for (const [name, open] of ENGINES) {
  describe(`an archive of the ${name} engine`, () => {
    after(closeTestStores);

    it('moves everything unchanged, to the byte, to either engine and back', async () => {
      const source = await open();
      await fill(source);
      const archive = await exported(source);
      for (const [, openTarget] of ENGINES) {
        const target = await openTarget();
        const summary = await importStore(target, Readable.from([archive]));
        expect(summary.counts).to.deep.equal({ people: 3, posts: 450 });
        expect(await contentOf(target, 'people')).to.deep.equal(await contentOf(source, 'people'));
        expect(await exported(target)).to.equal(archive);
      }
    });

    it('of an empty store is whole as well', async () => {
      const archive = await exported(await open());
      expect(archive.split('\n')).to.have.length(3);
      expect((await importStore(await open(), Readable.from([archive]))).counts).to.deep.equal({});
    });

    it('is not read into a store that holds anything', async () => {
      const store = await open();
      await fill(store);
      const archive = await exported(store);
      const error = await refusal(importStore(store, Readable.from([archive])));
      expect(error).to.be.instanceOf(ArchiveError);
      expect(await contentOf(store, 'people')).to.have.length(3);
    });

    it('that is cut, altered or foreign is refused, and the store stays empty', async () => {
      const source = await open();
      await fill(source);
      const archive = await exported(source);
      const lines = archive.split('\n');
      const broken: Record<string, string> = {
        'cut in a line': archive.slice(0, archive.length / 2),
        'cut after a line': `${lines.slice(0, 300).join('\n')}\n`,
        'without its last line': `${lines.slice(0, -2).join('\n')}\n`,
        'with a line lost': [...lines.slice(0, 5), ...lines.slice(6)].join('\n'),
        'with a value changed': archive.replace('"half":3.5', '"half":4.5'),
        'with more after its end': `${archive}["people",{"_id":"late"}]\n`,
        'of a newer format': archive.replace('"version":1', '"version":2'),
        'of something else': '{"hello":"world"}\n',
        empty: '',
      };
      const target = await open();
      for (const [what, text] of Object.entries(broken)) {
        expect(await refusal(importStore(target, Readable.from([text]))), what).to.be.instanceOf(ArchiveError);
        expect(await target.listCollections(), what).to.deep.equal([]);
      }
      await importStore(target, Readable.from([archive]));
    });

    it('that is not there gives an error, not an empty store', async () => {
      const store = await open();
      const missing = createReadStream(join(temporaryFolder(), 'missing.ndjson'));
      expect(await refusal(importStore(store, missing))).to.be.instanceOf(ArchiveError);
    });
  });
}

if (process.env.TEST_MONGODB_URI !== undefined) {
  describe('a backup of the mongodb engine', () => {
    after(closeTestStores);
    it('is an archive, and never replaces a file', async () => {
      const store = await openTestMongo();
      await fill(store);
      const folder = join(temporaryFolder(), 'backups');
      mkdirSync(folder);
      const file = join(folder, 'backup.ndjson');
      await store.backup(file);
      expect(readFileSync(file, 'utf8')).to.equal(await exported(store));
      expect(readdirSync(folder)).to.deep.equal(['backup.ndjson']);
      expect(await refusal(store.backup(file))).to.be.instanceOf(ArchiveError);
    });
  });
}
