// What the jobs work with: the house, and the few things that only jobs need. Put together by server/main.ts.
import type { House } from '../server/house.js';
import type { DrainTools } from './drainEvents.js';

export interface JobTools extends DrainTools {
  house: House;
  dataDir: string;
  /** Days for which nightly backups are kept; 0: none is made. */
  backupKeepDays: number;
}
