// What the embedded engine promises about the disk: nothing acknowledged is lost, nothing is half written, and one
// process at a time owns the folder.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import Database from 'libsql';
import { Connection, openConnection } from '../../../../server/store/embedded/connection.js';
import { StoreInUseError, StoreOpenError } from '../../../../server/store/errors.js';
import { openStore } from '../../../../server/store/openStore.js';
import { type Doc, DuplicateKeyError, type Store } from '../../../../server/store/store.js';
import { closeTestStores, openTestEmbedded, temporaryFolder } from '../../../support/storeSupport.js';
import { refusal } from '../contract.js';

interface Entry extends Doc {
  n: number;
  tags?: string[];
}

const isTypeScript = import.meta.url.endsWith('.ts');
const writer = fileURLToPath(new URL(isTypeScript ? './writer.ts' : './writer.js', import.meta.url));

const children: ChildProcess[] = [];

/** Starts a process that opens the folder and writes until it is killed, telling each acknowledged _id. */
function startWriter(dataDir: string, mode: string): ChildProcess {
  const loader = isTypeScript ? ['--import=tsx'] : [];
  const child = spawn(process.execPath, [...loader, writer, dataDir, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) return line;
  return '';
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('embedded store on disk', () => {
  after(closeTestStores);
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('loses nothing acknowledged and keeps its indexes true when it is killed, time after time', async () => {
    const dataDir = temporaryFolder();
    const acknowledged = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const child = startWriter(dataDir, `round${round}`);
      const lines = createInterface({ input: child.stdout ?? process.stdin });
      let heard = 0;
      for await (const line of lines) {
        if (line.startsWith('done ')) acknowledged.add(line.slice(5));
        if (++heard === 120 + round * 37) child.kill('SIGKILL');
      }
      const store = await openStore({ dataDir, onScan: 'error' });
      const entries = store.collection<Entry>('entries');
      const all = await entries.find().toArray();
      const present = new Set(all.map(({ _id }) => _id));
      expect([...acknowledged].filter((id) => !present.has(id))).to.deep.equal([]);
      for (const { _id, n, tags } of all) expect(tags, _id).to.deep.equal([`n${n}`, 'all']);
      expect(await entries.countDocuments({ tags: 'all' })).to.equal(all.length);
      await store.close();
      expect(integrityOf(dataDir)).to.equal('ok');
    }
    expect(acknowledged.size).to.be.greaterThan(300);
  }).timeout(30_000);

  it('syncs at every commit, keeps a write-ahead log, waits for others, and is private', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const connection = openConnection(dataDir, false);
    const read = (name: string) => connection.row(`PRAGMA ${name}`)?.[0];
    expect(read('synchronous')).to.equal(2);
    expect(read('journal_mode')).to.equal('wal');
    expect(read('busy_timeout')).to.equal(5000);
    expect(read('journal_size_limit')).to.equal(16_777_216);
    connection.exec('CREATE TABLE t (a)');
    for (const name of ['chatiere.db', 'chatiere.db-wal', 'chatiere.lock']) {
      expect(statSync(join(dataDir, name)).mode & 0o777, name).to.equal(0o600);
    }
    expect(statSync(dataDir).mode & 0o777).to.equal(0o700);
    connection.close();
  });

  it('has the disk write before it acknowledges, each time (RL-04)', async function () {
    this.timeout(30_000);
    const traces = join(temporaryFolder(), 'calls');
    const watch = ['-f', '-e', 'trace=fdatasync,fsync,write', '-e', 'signal=none', '-s', '24', '-o', traces];
    const isTraced = spawnSync('strace', [...watch, 'true']).status === 0;
    if (!isTraced) return this.skip();
    const loader = isTypeScript ? ['--import=tsx'] : [];
    const run = [...watch, process.execPath, ...loader, writer, temporaryFolder(), 'slowly'];
    const child = spawnSync('strace', run, { encoding: 'utf8' });
    expect(child.status, child.stderr).to.equal(0);
    const calls = readFileSync(traces, 'utf8').match(/f(?:data)?sync\(|write\(1, "done slowly-\d+/g) ?? [];
    const acknowledged = calls.filter((call) => call.startsWith('write'));
    expect(acknowledged).to.have.length(20);
    const unsafe = calls.filter((call, at) => call.startsWith('write') && !calls[at - 1]?.includes('sync('));
    expect(unsafe).to.deep.equal([]);
  });

  it('commits what is asked for in one turn together, each part for itself', async () => {
    const file = join(temporaryFolder(), 'group.db');
    const database = new Database(file);
    database.exec('CREATE TABLE t (a INTEGER PRIMARY KEY)');
    const statements: string[] = [];
    const exec = database.exec.bind(database);
    database.exec = (sql: string) => {
      statements.push(sql);
      return exec(sql);
    };
    const connection = new Connection(file, database, null);
    const insert = (a: number) => connection.write(() => connection.run('INSERT INTO t VALUES (?)', [a]));
    const outcomes = await Promise.allSettled([1, 2, 2, 3].map(insert));
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(statements.filter((sql) => sql === 'COMMIT')).to.have.length(1);
    expect(connection.rows('SELECT a FROM t')).to.deep.equal([[1], [2], [3]]);
    await insert(4);
    expect(statements.filter((sql) => sql === 'COMMIT')).to.have.length(2);
    connection.close();
  });

  it('resolves no write before its commit, and refuses all of a group whose commit fails', async () => {
    const file = join(temporaryFolder(), 'failing.db');
    const database = new Database(file);
    database.exec('CREATE TABLE t (a INTEGER PRIMARY KEY)');
    const exec = database.exec.bind(database);
    let failing = true;
    database.exec = (sql: string) => {
      if (sql === 'COMMIT' && failing) throw new Error('disk full');
      return exec(sql);
    };
    const connection = new Connection(file, database, null);
    const insert = (a: number) => connection.write(() => connection.run('INSERT INTO t VALUES (?)', [a]));
    const outcomes = await Promise.allSettled([1, 2].map(insert));
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(connection.rows('SELECT a FROM t')).to.deep.equal([]);
    failing = false;
    await insert(3);
    expect(connection.rows('SELECT a FROM t')).to.deep.equal([[3]]);
    connection.close();
  });

  it('finishes what was asked for before it closes, and refuses what comes after', async () => {
    const dataDir = temporaryFolder();
    const store = await openStore({ dataDir });
    const entries = store.collection<Entry>('entries');
    const pending = entries.insertOne({ _id: 'last', n: 1 });
    await store.close();
    await pending;
    for (const attempt of [
      () => entries.insertOne({ _id: 'late', n: 1 }),
      () => entries.findOne({ _id: 'last' }),
      () => store.ping(),
    ]) {
      expect(await refusal(attempt())).to.be.instanceOf(StoreOpenError);
    }
    const again = await openStore({ dataDir });
    expect(await again.collection<Entry>('entries').find().toArray()).to.deep.equal([{ _id: 'last', n: 1 }]);
    await again.close();
  });

  it('belongs to one process, with one sentence for the second; a killed one leaves no lock behind', async () => {
    const dataDir = temporaryFolder();
    const owner = startWriter(dataDir, 'hold');
    expect(await firstLine(owner)).to.equal('open');
    const error = await refusal(openStore({ dataDir }));
    expect(error).to.be.instanceOf(StoreInUseError);
    expect(error.message).to.match(/^another Chatière is running on the data folder .*: stop it first/);
    await kill(owner);
    const store = await openStore({ dataDir });
    expect(await refusal(openStore({ dataDir }))).to.be.instanceOf(StoreInUseError);
    await store.close();
    await (await openStore({ dataDir })).close();
  });

  it('lets a command beside the server read and write, each seeing what the other did', async () => {
    const dataDir = temporaryFolder();
    const server = await openStore({ dataDir, onScan: 'error' });
    const ours = server.collection<Entry>('entries');
    await server.ensureIndexes({ entries: [{ keys: { n: 1 } }] });
    await ours.insertOne({ _id: 'a', n: 1 });
    const command = await openStore({ dataDir, shared: true, onScan: 'error' });
    const theirs = command.collection<Entry>('entries');
    await command.ensureIndexes({ entries: [{ keys: { tags: 1 } }], more: [{ keys: { n: 1 }, unique: true }] });
    await theirs.insertOne({ _id: 'b', n: 2, tags: ['x', 'y'] });
    expect(await ours.findOne({ tags: 'y' })).to.include({ _id: 'b' });
    await ours.insertOne({ _id: 'c', n: 3, tags: ['y'] });
    expect(await theirs.countDocuments({ tags: { $in: ['x', 'y'] } })).to.equal(2);
    const more = server.collection<Entry>('more');
    await Promise.all([
      more.insertOne({ _id: 'a', n: 1 }),
      command.collection<Entry>('more').insertOne({ _id: 'b', n: 2 }),
    ]);
    expect(await refusal(more.insertOne({ _id: 'c', n: 2 }))).to.be.instanceOf(DuplicateKeyError);
    await command.close();
    await server.close();
  });

  it('keeps an index that another process has just made', async () => {
    const dataDir = temporaryFolder();
    const server = await openStore({ dataDir });
    const ours = server.collection<Entry>('entries');
    await ours.insertOne({ _id: 'a', n: 1 });
    const command = await openStore({ dataDir, shared: true });
    await command.ensureIndexes({ entries: [{ keys: { n: 1 } }] });
    await ours.insertOne({ _id: 'b', n: 2 });
    expect(await command.collection<Entry>('entries').findOne({ n: 2 })).to.include({ _id: 'b' });
    await command.close();
    await server.close();
  });

  it('makes a file private that others could read', async () => {
    const dataDir = temporaryFolder();
    await (await openStore({ dataDir })).close();
    chmodSync(join(dataDir, 'chatiere.db'), 0o644);
    await (await openStore({ dataDir })).close();
    expect(statSync(join(dataDir, 'chatiere.db')).mode & 0o777).to.equal(0o600);
  });

  it('answers a range rightly when another process has just put an array there', async () => {
    const dataDir = temporaryFolder();
    const server = await openStore({ dataDir });
    await server.ensureIndexes({ entries: [{ keys: { n: 1 } }] });
    await server.collection<Entry>('entries').insertOne({ _id: 'a', n: 5 });
    const command = await openStore({ dataDir, shared: true });
    await command.collection<Doc & { n: number[] }>('entries').insertOne({ _id: 'b', n: [0, 9] });
    const found = await server
      .collection<Entry>('entries')
      .find({ n: { $gt: 2, $lt: 8 } }, { sort: { _id: 1 } })
      .toArray();
    expect(found.map(({ _id }) => _id)).to.deep.equal(['a', 'b']);
    await command.close();
    await server.close();
  });

  it('refuses what is not its own in one sentence: a foreign file, a newer one, a folder that is a file', async () => {
    const foreign = temporaryFolder();
    writeFileSync(
      join(foreign, 'chatiere.db'),
      'This is a text, and long enough to be no SQLite file at all.'.repeat(40),
    );
    expect((await refusal(openStore({ dataDir: foreign }))).message).to.match(/chatiere\.db cannot be opened/);
    const other = temporaryFolder();
    const database = new Database(join(other, 'chatiere.db'));
    database.exec('CREATE TABLE photos (a)');
    database.close();
    expect((await refusal(openStore({ dataDir: other }))).message).to.match(/is not a database of Chatière/);
    const newer = temporaryFolder();
    await (await openStore({ dataDir: newer })).close();
    const later = new Database(join(newer, 'chatiere.db'));
    later.exec('PRAGMA user_version = 99');
    later.close();
    expect((await refusal(openStore({ dataDir: newer }))).message).to.match(/newer version/);
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect((await refusal(openStore({ dataDir: file }))).message).to.match(/cannot be written/);
    for (const folder of [foreign, other, newer]) mkdirSync(join(folder, 'still-usable'));
  });

  it('tells that it cannot write, when asked', async () => {
    const store: Store = await openTestEmbedded();
    await store.ping();
    await store.close();
    expect(await refusal(store.ping())).to.be.instanceOf(StoreOpenError);
  });
});

function integrityOf(dataDir: string): unknown {
  expect(existsSync(join(dataDir, 'chatiere.db'))).to.equal(true);
  expect(readFileSync(join(dataDir, 'chatiere.db')).subarray(0, 15).toString()).to.equal('SQLite format 3');
  const database = new Database(join(dataDir, 'chatiere.db'));
  const row = database.prepare('PRAGMA integrity_check').raw().get([]) as unknown[];
  database.close();
  return row[0];
}
