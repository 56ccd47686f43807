// Puts a backup of the embedded engine into an empty data folder. For an archive of lines, see archive.ts.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkDatabase } from './embedded/backup.js';
import { DATABASE_FILE } from './embedded/connection.js';
import { ArchiveError } from './errors.js';
import { syncPath } from './files.js';

/**
 * Effect: `dataDir` holds the database of the backup, modes 0700 and 0600. Refuses: a missing file, one that still has
 * a journal beside it, a damaged or foreign one, and a folder that is not empty. On refusal the folder stays empty.
 */
export function restoreBackup(file: string, dataDir: string): void {
  if (!existsSync(file)) throw new ArchiveError(`there is no backup at ${file}`);
  for (const journal of [`${file}-wal`, `${file}-shm`, `${file}-journal`]) {
    if (existsSync(journal))
      throw new ArchiveError(`${journal} lies beside the backup: it is a database in use, not a backup`);
  }
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new ArchiveError(`${dataDir} is not empty: restore into a new folder, then start with it as DATA_DIR`);
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const partial = join(dataDir, `${DATABASE_FILE}.partial`);
  try {
    copyFileSync(file, partial);
    chmodSync(partial, 0o600);
    checkDatabase(partial);
    syncPath(partial);
    renameSync(partial, join(dataDir, DATABASE_FILE));
    syncPath(dataDir);
  } finally {
    for (const rest of [partial, `${partial}-wal`, `${partial}-shm`]) rmSync(rest, { force: true });
  }
}
