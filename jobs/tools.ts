// What the jobs work with: the house, and the few things that only jobs need. Put together by server/main.ts.
import type { Federation } from '../federation/federation.js';
import type { House } from '../server/house.js';
import type { MailTransport } from '../server/notices/actions/transport.js';
import type { DrainTools } from './drainEvents.js';

export interface JobTools extends DrainTools {
  house: House;
  federation: Federation;
  /** Null: no mail server is set; mails are kept for the administrator. */
  mailTransport: MailTransport | null;
  dataDir: string;
  /** Days for which nightly backups are kept; 0: none is made. */
  backupKeepDays: number;
}
