// What lies in the data folder: its size, and the nightly backups (made by jobs/nightlyBackup.ts).
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export function backupsDir(dataDir: string): string {
  return join(dataDir, 'backups');
}

export interface BackupFile {
  name: string;
  at: Date;
  bytes: number;
}

export function findLastBackup(dataDir: string): BackupFile | null {
  const folder = backupsDir(dataDir);
  if (!existsSync(folder)) return null;
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.backup'))
    .sort();
  const name = files.at(-1);
  if (name === undefined) return null;
  const { mtime, size } = statSync(join(folder, name));
  return { name, at: mtime, bytes: size };
}

/** Bytes of the files directly in a folder; 0 when there is none. */
export function folderBytes(folder: string): number {
  try {
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    return files.reduce((sum, { name }) => sum + statSync(join(folder, name)).size, 0);
  } catch {
    return 0;
  }
}
