// TABLE: when what is done. Times are of the instance's time zone: second minute hour day month weekday.
// Those with onWake also run right after a write, those that follow another right after that one did something; those with
// everywhere in every process, the others in the one that leads.
import { closeDueSurveys } from './closeDueSurveys.js';
import { deliver } from './deliver.js';
import { drainEvents } from './drainEvents.js';
import { expireSessions } from './expireSessions.js';
import { followImported } from './followImported.js';
import { nightlyBackup } from './nightlyBackup.js';
import { openDueSurveys } from './openDueSurveys.js';
import { prune } from './prune.js';
import { publishDueSurveys } from './publishDueSurveys.js';
import { refreshElsewhere } from './refreshElsewhere.js';
import { refreshPeers } from './refreshPeers.js';
import { refreshSources } from './refreshSources.js';
import { remindSurveys } from './remindSurveys.js';
import type { Job } from './run.js';
import { sendDigests } from './sendDigests.js';
import { sendMails } from './sendMails.js';
import { sortElsewhere } from './sortElsewhere.js';
import { tellPolls } from './tellPolls.js';
import type { JobTools } from './tools.js';

export const schedule: readonly Job<JobTools>[] = [
  { name: 'drainEvents', cron: '*/10 * * * * *', quiet: true, onWake: true, run: drainEvents },
  { name: 'deliver', cron: '5-59/10 * * * * *', quiet: true, everywhere: true, follows: 'drainEvents', run: deliver },
  { name: 'sendMails', cron: '25 * * * * *', quiet: true, follows: 'drainEvents', run: sendMails },
  { name: 'openDueSurveys', cron: '0 * * * * *', quiet: true, run: openDueSurveys },
  { name: 'closeDueSurveys', cron: '2 * * * * *', quiet: true, run: closeDueSurveys },
  { name: 'publishDueSurveys', cron: '4 * * * * *', quiet: true, run: publishDueSurveys },
  { name: 'remindSurveys', cron: '40 */15 * * * *', quiet: true, run: remindSurveys },
  { name: 'sendDigests', cron: '50 5,35 * * * *', quiet: true, run: sendDigests },
  { name: 'tellPolls', cron: '35 * * * * *', quiet: true, run: tellPolls },
  { name: 'refreshSources', cron: '20 */5 * * * *', quiet: true, run: refreshSources },
  { name: 'refreshElsewhere', cron: '40 * * * * *', quiet: true, onWake: true, run: refreshElsewhere },
  { name: 'sortElsewhere', cron: '15 25 * * * *', quiet: true, run: sortElsewhere },
  { name: 'followImported', cron: '55 * * * * *', quiet: true, run: followImported },
  { name: 'refreshPeers', cron: '45 */10 * * * *', quiet: true, run: refreshPeers },
  { name: 'expireSessions', cron: '0 17 * * * *', run: expireSessions },
  { name: 'prune', cron: '0 40 3 * * *', run: prune },
  { name: 'nightlyBackup', cron: '0 10 4 * * *', run: nightlyBackup },
];
