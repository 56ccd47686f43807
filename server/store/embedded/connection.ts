// The SQLite file: how it is opened, written in groups, locked and copied. Knows nothing of
// documents; queries are the reader's and the collection's.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'libsql';
import { StoreInUseError, StoreOpenError } from '../errors.js';

export const DATABASE_FILE = 'chatiere.db';
const LOCK_FILE = 'chatiere.lock';
/** "CHAT" in the file's header: tells our files from other SQLite files. */
export const APPLICATION_ID = 0x43484154;
/** Layout of the tables; higher ones are refused. */
export const LAYOUT = 1;
const BUSY_MS = 5000;
const LOCK_WAIT_MS = 1000;
/** A commit waits at most this long for more to join it, and only while each turn of the event loop brings more. */
const GATHER_MS = 2;

export type Value = string | number | Buffer | null;
type Job = { run(): unknown; resolve(value: unknown): void; reject(error: unknown): void };

/** What a part of a write came to. */
export type Outcome<T> = { value: T } | { error: unknown };

export class Connection {
  readonly #database: Database.Database;
  readonly #lock: Database.Database | null;
  readonly #statements = new Map<string, Database.Statement>();
  #jobs: Job[] = [];
  #open = true;
  /** Called inside each transaction before its first write, and after a part or the whole was rolled back. */
  onBegin: () => void = () => {};
  onRollback: () => void = () => {};

  constructor(
    readonly file: string,
    database: Database.Database,
    lock: Database.Database | null,
  ) {
    this.#database = database;
    this.#lock = lock;
  }

  rows(sql: string, values: Value[] = []): Value[][] {
    return this.#statement(sql).all(values) as Value[][];
  }

  row(sql: string, values: Value[] = []): Value[] | undefined {
    return this.#statement(sql).get(values) as Value[] | undefined;
  }

  /** Runs a statement that changes something; returns the row id it inserted. Only inside a job of write(). */
  run(sql: string, values: Value[] = []): number {
    return Number(this.#statement(sql).run(values).lastInsertRowid);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /**
   * Runs a job with all others asked for in the same turn of the event loop, and in the next ones while they bring more
   * (syncing costs the same for one and for many): one transaction, each in a savepoint of its own. Resolves after the
   * commit has reached the disk; a job that throws undoes only itself.
   */
  write<T>(run: () => T): Promise<T> {
    if (!this.#open) return Promise.reject(new StoreOpenError('the store is closed'));
    return new Promise<T>((resolve, reject) => {
      if (this.#jobs.length === 0) this.#gather(0, performance.now());
      this.#jobs.push({ run, resolve: resolve as (value: unknown) => void, reject });
    });
  }

  #gather(before: number, since: number): void {
    setImmediate(() => {
      const count = this.#jobs.length;
      if (count > before && performance.now() - since < GATHER_MS) this.#gather(count, since);
      else this.#flush();
    });
  }

  #flush(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    if (jobs.length === 0) return;
    try {
      this.exec('BEGIN IMMEDIATE');
      this.onBegin();
      const outcomes = jobs.map((job) => this.attempt(job.run));
      this.exec('COMMIT');
      for (const [i, job] of jobs.entries()) settle(job, outcomes[i]);
    } catch (error) {
      if (this.#database.inTransaction) this.exec('ROLLBACK');
      this.onRollback();
      for (const job of jobs) job.reject(error);
    }
  }

  /**
   * Runs a part of a write in a savepoint: all of it takes effect or nothing. Throws only when the whole transaction
   * is lost (a full disk, a failing one).
   */
  attempt<T>(run: () => T): Outcome<T> {
    this.run('SAVEPOINT part');
    try {
      const value = run();
      this.run('RELEASE part');
      return { value };
    } catch (error) {
      if (!this.#database.inTransaction) throw error;
      this.exec('ROLLBACK TO part; RELEASE part');
      this.onRollback();
      return { error };
    }
  }

  /**
   * Effect: moves the write-ahead log into the file and empties it, older contents of pages with it. False: somebody is
   * reading an older state (a backup), so the log has to stay. Does not wait for them: that would hold everybody up.
   */
  emptyLog(): boolean {
    this.assertOpen();
    this.exec('PRAGMA busy_timeout = 0');
    try {
      return this.row('PRAGMA wal_checkpoint(TRUNCATE)')?.[0] === 0;
    } finally {
      this.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    }
  }

  /** Effect: a consistent copy at `file`, made in a thread of its own while this connection goes on. */
  async copyTo(file: string): Promise<void> {
    const workerData = { libsql: createRequire(import.meta.url).resolve('libsql'), from: this.file, to: file, BUSY_MS };
    await new Promise<void>((resolve, reject) => {
      const worker = new Worker(COPY_SCRIPT, { eval: true, workerData, execArgv: [] });
      worker.once('error', reject);
      worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`copying stopped with code ${code}`))));
    });
  }

  /** Effect: finishes what was asked for, then releases the file. */
  close(): void {
    if (!this.#open) return;
    this.#flush();
    this.#open = false;
    this.#statements.clear();
    this.#database.close();
    this.#lock?.close();
  }

  get isOpen(): boolean {
    return this.#open;
  }

  assertOpen(): void {
    if (!this.#open) throw new StoreOpenError('the store is closed');
  }

  #statement(sql: string): Database.Statement {
    this.assertOpen();
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      if (/^(SELECT|PRAGMA)/.test(sql)) statement.raw();
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function settle(job: Job, outcome: Outcome<unknown> | undefined): void {
  if (outcome !== undefined && 'value' in outcome) job.resolve(outcome.value);
  else job.reject(outcome?.error);
}

const COPY_SCRIPT = `
  const { workerData } = require('node:worker_threads');
  const Database = require(workerData.libsql);
  const database = new Database(workerData.from);
  database.exec('PRAGMA busy_timeout = ' + workerData.BUSY_MS);
  database.exec('PRAGMA secure_delete = ON');
  database.prepare('VACUUM INTO ?').run([workerData.to]);
  database.close();
`;

/**
 * Opens or creates the file in a folder, with modes 0600 and 0700. Takes the folder for this process unless shared.
 * Refuses: a folder that another process holds (StoreInUseError); a folder that cannot be written, a file that is
 * not ours, of a newer layout, or that does not sync at every commit (StoreOpenError).
 */
export function openConnection(folder: string, shared: boolean): Connection {
  const file = join(folder, DATABASE_FILE);
  prepareFile(folder, file);
  const lock = shared ? null : takeLock(folder);
  let database: Database.Database | null = null;
  try {
    database = new Database(file);
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    checkHeader(database, file);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216');
    // What is deleted or replaced is overwritten with zeros, and nothing is sorted in files of its own.
    database.exec('PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY');
    checkDurability(database, file);
    return new Connection(file, database, lock);
  } catch (cause) {
    database?.close();
    lock?.close();
    if (cause instanceof StoreOpenError) throw cause;
    throw new StoreOpenError(`the database ${file} cannot be opened: ${reasonOf(cause)}`, { cause });
  }
}

function prepareFile(folder: string, file: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const path of [file, join(folder, LOCK_FILE)]) {
      if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
      chmodSync(path, 0o600);
    }
  } catch (cause) {
    throw new StoreOpenError(`the data folder ${folder} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Holds an exclusive SQLite lock on a file of its own. The system drops it when the process ends, however it ends, so
 * there is no stale lock to clear. (No one may open and close that file elsewhere in this process: POSIX would drop it.)
 */
function takeLock(folder: string): Database.Database {
  const lock = new Database(join(folder, LOCK_FILE));
  try {
    lock.exec(`PRAGMA busy_timeout = ${LOCK_WAIT_MS}; PRAGMA journal_mode = MEMORY`);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    if (codeOf(cause).startsWith('SQLITE_BUSY')) throw new StoreInUseError(folder, { cause });
    throw new StoreOpenError(`the data folder ${folder} cannot be locked: ${reasonOf(cause)}`, { cause });
  }
}

function checkHeader(database: Database.Database, file: string): void {
  const application = pragma(database, 'application_id');
  const layout = pragma(database, 'user_version');
  if (application !== APPLICATION_ID && !(application === 0 && pragma(database, 'schema_version') === 0)) {
    throw new StoreOpenError(`${file} is not a database of Chatière`);
  }
  if (layout > LAYOUT) throw new StoreOpenError(`${file} was written by a newer version of Chatière`);
}

/** Some builds of SQLite turn FULL into NORMAL in WAL mode: so it is read back. */
function checkDurability(database: Database.Database, file: string): void {
  const journal = database.prepare('PRAGMA journal_mode').raw().get([]) as unknown[];
  if (journal[0] !== 'wal')
    throw new StoreOpenError(`${file} cannot keep a write-ahead log; is it on a network folder?`);
  if (pragma(database, 'synchronous') !== 2) throw new StoreOpenError(`${file} would not be synced at every commit`);
}

function pragma(
  database: Database.Database,
  name: 'application_id' | 'user_version' | 'schema_version' | 'synchronous',
) {
  return Number((database.prepare(`PRAGMA ${name}`).raw().get([]) as unknown[])[0]);
}

/** SQLite's own code of an error, such as SQLITE_FULL; empty for others. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
