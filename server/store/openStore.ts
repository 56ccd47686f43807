// Opens the store and picks the engine: MongoDB when an address is given, else the embedded file in the data folder.

import { refuseScan } from './embedded/reader.js';
import { openEmbeddedStore } from './embedded/store.js';
import { openMongoStore } from './mongodb/store.js';
import type { Store } from './store.js';

export interface StoreOptions {
  dataDir: string;
  mongodbUri?: string;
  /** Reading a whole collection of more than 1,000 documents for want of an index: refused, or logged once a shape. */
  onScan?: 'error' | 'warn';
  /** Do not take the data folder: for commands that run beside the server. */
  shared?: boolean;
  log?: (message: string, details: object) => void;
}

/**
 * Opens the store. Refuses: a data folder in use by another process (StoreInUseError), one that cannot be written, a
 * file that is not ours, a MongoDB that does not answer (StoreOpenError). Each message is one sentence for people.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, mongodbUri, onScan = 'warn', shared = false, log = () => {} } = options;
  if (mongodbUri !== undefined) {
    return openMongoStore(mongodbUri, log);
  }
  return openEmbeddedStore(dataDir, shared, onScan === 'error' ? refuseScan : warnOnce(log));
}

function warnOnce(log: (message: string, details: object) => void): (collection: string, shape: string) => void {
  const told = new Set<string>();
  return (collection, shape) => {
    const key = `${collection} ${shape}`;
    if (told.has(key) || told.size >= 1000) return;
    told.add(key);
    log('a whole collection is read for want of an index', { collection, shape });
  };
}
