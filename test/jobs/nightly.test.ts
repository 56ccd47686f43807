import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createFederation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { expireSessions } from '../../jobs/expireSessions.js';
import { nightlyBackup } from '../../jobs/nightlyBackup.js';
import { prune } from '../../jobs/prune.js';
import type { JobTools } from '../../jobs/tools.js';
import { createCollective, deleteCollective } from '../../server/collectives/actions.js';
import { findCollective } from '../../server/collectives/queries.js';
import { withinLimit } from '../../server/http/limits.js';
import type { SessionDoc } from '../../server/http/session.js';
import type { Doc } from '../../server/store/store.js';
import { buildTestHouse, contextFor, systemActor, type TestHouse } from '../support/appSupport.js';
import { dealRsaKeysLater } from '../support/rsaKeys.js';
import { temporaryFolder } from '../support/storeSupport.js';

const day = 24 * 3_600_000;
const never = new AbortController().signal;

describe('the jobs of the night', () => {
  let house: TestHouse;
  let tools: JobTools;

  beforeEach(async () => {
    house = await buildTestHouse();
    await house.store.ensureIndexes(federationIndexes);
    const federation = createFederation(house, { version: 'test', workerId: 'test', makeRsaKeys: dealRsaKeysLater });
    tools = {
      house,
      federation,
      store: house.store,
      log: house.log,
      now: house.now,
      mailTransport: null,
      dataDir: temporaryFolder(),
      backupKeepDays: 3,
      collections: [],
      consumers: [],
    };
  });

  afterEach(() => tools.federation.fetch.close());

  describe('the backup', () => {
    const files = () => readdirSync(join(tools.dataDir, 'backups')).sort();

    it('writes one file a night, keeps those of the last days, and leaves what is not its own alone', async () => {
      for (let night = 0; night < 6; night += 1) {
        expect(await nightlyBackup(tools)).to.include({ written: 1, removed: night < 4 ? 0 : 1 });
        if (night === 0) writeFileSync(join(tools.dataDir, 'backups', 'before-update.backup'), 'mine');
        house.pass(day);
      }
      expect(files()).to.deep.equal([
        'before-update.backup',
        ...['2026-05-23', '2026-05-24', '2026-05-25', '2026-05-26'].map((date) => `chatiere-${date}.backup`),
      ]);
      expect(statSync(join(tools.dataDir, 'backups')).mode & 0o777).to.equal(0o700);
    });

    it('replaces the one of the same day', async () => {
      await nightlyBackup(tools);
      expect(await nightlyBackup(tools)).to.include({ written: 1, removed: 0 });
      expect(files()).to.have.length(1);
    });

    it('makes none when the days to keep are none', async () => {
      expect(await nightlyBackup({ ...tools, backupKeepDays: 0 })).to.deep.equal({ written: 0, removed: 0 });
      expect(existsSync(join(tools.dataDir, 'backups'))).to.equal(false);
    });
  });

  describe('the emptying of bins', () => {
    it('takes away what has expired and leaves the rest', async () => {
      const limit = { name: 'test', limit: 1, windowMs: 60_000 };
      await withinLimit(house, limit, 'old');
      house.pass(2 * day);
      await withinLimit(house, limit, 'young');
      expect((await prune(tools, never)).limits).to.equal(1);
      expect(await house.store.collection('limits').countDocuments()).to.equal(1);
    });

    it('ends a hoster thirty days after it was put into the bin, once its news have gone out', async () => {
      const ctx = () => contextFor(house, systemActor);
      const name = { fr: 'A', en: 'A' };
      const { _id, handle } = await createCollective(ctx(), { handle: 'ancien', name, legalForm: 'OTHER' });
      await deleteCollective(ctx(), _id, handle);
      house.pass(31 * day);
      expect((await prune(tools, never)).collectives).to.equal(0);
      await house.store
        .collection<Doc & { events: unknown[] }>('collectives')
        .updateOne({ _id }, { $set: { events: [] } });
      expect((await prune(tools, never)).collectives).to.equal(1);
      expect(await findCollective(house.store, _id)).to.equal(null);
    });

    it('goes on with the others when one cannot be emptied, and then counts as failed', async () => {
      await withinLimit(house, { name: 'test', limit: 1, windowMs: 60_000 }, 'old');
      house.pass(2 * day);
      const broken = new Proxy(house.store, {
        get: (store, name) => (name === 'collection' ? (wanted: string) => open(wanted) : Reflect.get(store, name)),
      });
      const open = (wanted: string) => {
        if (wanted === 'mails') throw new Error('no mails today');
        return house.store.collection(wanted);
      };
      await prune({ ...tools, house: { ...house, store: broken } }, never).then(
        () => expect.fail('it should have failed'),
        (error: Error) => expect(error.message).to.match(/^1 of \d+ could not be pruned$/),
      );
      expect(await house.store.collection('limits').countDocuments()).to.equal(0);
    });
  });

  it('closes sessions that are over', async () => {
    const session = (_id: string, expiresAt: Date): SessionDoc => {
      const at = house.now();
      return { _id, data: '{}', startedAt: at, seenAt: at, expiresAt, device: '' };
    };
    const sessions = house.store.collection<SessionDoc>('sessions');
    await sessions.insertMany([session('over', house.now()), session('open', new Date(house.now().getTime() + 1000))]);
    expect(await expireSessions(tools)).to.deep.equal({ expired: 1 });
    expect((await sessions.find().toArray()).map(({ _id }) => _id)).to.deep.equal(['open']);
  });
});
