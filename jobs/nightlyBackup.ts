// A copy of everything each night, in the data folder, for a number of days. Copies elsewhere are the administrator's
// business (docs/deployment/backup.md).
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { backupsDir } from '../server/instances/dataFolder.js';
import type { JobResult } from '../server/instances/schema.js';
import type { JobTools } from './tools.js';

const day = 24 * 3_600_000;

/** Writes chatiere-<date>.backup, replaces one of the same day, takes away those older than backupKeepDays. */
export async function nightlyBackup({ store, now, dataDir, backupKeepDays }: JobTools): Promise<JobResult> {
  if (backupKeepDays === 0) return { written: 0, removed: 0 };
  const folder = backupsDir(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const date = now().toISOString().slice(0, 10);
  const today = `chatiere-${date}.backup`;
  // The store refuses to overwrite, and its copy gets the name only when it is whole.
  rmSync(join(folder, today), { force: true });
  await store.backup(join(folder, today));
  let removed = 0;
  for (const name of readdirSync(folder)) {
    if (!/^chatiere-\d{4}-\d{2}-\d{2}\.backup$/.test(name) || name === today) continue;
    const made = name.slice('chatiere-'.length, -'.backup'.length);
    if (Date.parse(date) - Date.parse(made) <= backupKeepDays * day) continue;
    rmSync(join(folder, name));
    removed += 1;
  }
  return { written: 1, removed, bytes: statSync(join(folder, today)).size };
}
