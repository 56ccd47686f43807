// A copy of the database file while it is in use, checked before it gets its name. Restoring is in ../restore.ts.
import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { ArchiveError } from '../errors.js';
import { syncPath } from '../files.js';
import { APPLICATION_ID, type Connection } from './connection.js';

/**
 * Effect: a consistent, checked, synced copy of the store at `file`, mode 0600. Refuses a file that exists.
 * The name appears only when the copy is whole.
 */
export async function writeBackup(connection: Connection, file: string): Promise<void> {
  if (existsSync(file)) throw new ArchiveError(`${file} exists already: choose another name for the backup`);
  const partial = `${file}.partial-${process.pid}`;
  rmSync(partial, { force: true });
  try {
    closeSync(openSync(partial, 'wx', 0o600));
    await connection.copyTo(partial);
    checkDatabase(partial);
    syncPath(partial);
    if (existsSync(file)) throw new ArchiveError(`${file} exists already: choose another name for the backup`);
    renameSync(partial, file);
    syncPath(dirname(file));
  } finally {
    rmSync(partial, { force: true });
  }
}

/** Refuses a file that is no database of ours or is damaged. Not for a database in use: it opens the file itself. */
export function checkDatabase(file: string): void {
  let database: Database.Database | null = null;
  try {
    database = new Database(file);
    const read = (sql: string) => (database?.prepare(sql).raw().get([]) as unknown[] | undefined)?.[0];
    if (read('PRAGMA application_id') !== APPLICATION_ID) throw new ArchiveError(`${file} is not a backup of Chatière`);
    if (read('PRAGMA integrity_check') !== 'ok') throw new ArchiveError(`${file} is damaged`);
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause;
    throw new ArchiveError(`${file} is not a backup of Chatière`, { cause });
  } finally {
    database?.close();
  }
}
