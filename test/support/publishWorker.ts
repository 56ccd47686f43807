// A process for test/server/surveys/publishing.test.ts: publishes what is due on a real data folder, and dies as by a power cut
// before or after the n-th operation of its store.

import { openStore } from '../../server/store/openStore.js';
import { publishDueSurveys } from '../../server/surveys/actions/publishing.js';
import { watchStore } from './watchedStore.js';

const [dataDir = '', baseUrl = '', at = '', when = ''] = process.argv.slice(2);
const nth = Number(when);
let left = Math.ceil(nth / 2);
const store = watchStore(await openStore({ dataDir, onScan: 'error' }), (_step, side) => {
  if (nth === 0 || side !== (nth % 2 === 0 ? 'before' : 'after') || --left > 0) return;
  process.kill(process.pid, 'SIGKILL');
});
const log = { debug() {}, info() {}, warn() {}, error() {} };
const site = { baseUrl, host: new URL(baseUrl).host, defaultLanguage: 'fr' as const };
await publishDueSurveys({ store, site, log, now: new Date(at), actor: { kind: 'system', name: 'test' } });
await store.close();
