// Small deeds on files that must survive a power cut. No database here.
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Effect: what was written to a file or folder is on the disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
