// A process for test/server/notices/crash.test.ts: writes reminders on a real data folder, and dies as by a power cut before or
// after the n-th operation of its store.

import { loadViews } from '../../server/http/views.js';
import { loadI18n } from '../../server/i18n.js';
import { remindDue } from '../../server/notices/actions/reminding.js';
import { viewsDir } from '../../server/paths.js';
import { openStore } from '../../server/store/openStore.js';
import { watchStore } from './watchedStore.js';

const [dataDir = '', baseUrl = '', at = '', when = ''] = process.argv.slice(2);
const [nth = 0, moment = 0] = [Number(when), Date.parse(at)];
let left = nth;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const store = watchStore(await openStore({ dataDir, onScan: 'error' }), (_step, side) => {
  if (nth === 0 || side !== (nth % 2 === 0 ? 'before' : 'after') || --left > 0) return;
  process.kill(process.pid, 'SIGKILL');
});
const now = () => new Date(moment);
const site = { baseUrl, host: new URL(baseUrl).host, defaultLanguage: 'fr' as const };
const views = loadViews(viewsDir);
const house = { store, site, log: quiet, views, i18n: loadI18n(`${viewsDir}/locales`), now };
const actor = { kind: 'system', name: 'test' } as const;
await remindDue(house, { store, site, log: quiet, now: now(), actor });
await store.close();
