// A process that is killed, again and again, while it writes reminders. In the end each has one, and nobody two.
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { mailsIn } from '../../../server/notices/queries.js';
import { openStore } from '../../../server/store/openStore.js';
import { buildPerson, buildTestHouse } from '../../support/appSupport.js';
import { temporaryFolder } from '../../support/storeSupport.js';
import { buildMember } from '../collectives/collectiveSupport.js';
import { buildSurvey } from '../surveys/surveySupport.js';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`../../support/reminderWorker.${extension}`, import.meta.url).pathname;
const day = 24 * 3_600_000;

describe('reminders of a process that dies', function () {
  this.timeout(240_000);

  it('are written once to each, wherever it died before', async () => {
    const dataDir = temporaryFolder();
    const store = await openStore({ dataDir, onScan: 'error' });
    const house = await buildTestHouse({ store });
    const others = [await buildPerson(house, { password: null }), await buildPerson(house, { password: null })];
    const { ctx, collective } = await buildMember(house, 'member');
    const members = others.map(({ _id }) => ({ personId: _id, role: 'member' as const }));
    const asked = (await buildMember(house, 'representative', { members })).collective;
    const closesAt = new Date(house.now().getTime() + 3 * day);
    await buildSurvey(ctx, collective, [asked], { closesAt });
    const { baseUrl } = house.site;
    const at = new Date(house.now().getTime() + 2.1 * day).toISOString();
    await store.close();

    let deaths = 0;
    for (const nth of [4, 5, 6, 7, 8, 0]) {
      const args = [...process.execArgv, entry, dataDir, baseUrl, at, String(nth)];
      const { signal, status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (signal === 'SIGKILL') deaths += 1;
      else expect(status, stderr).to.equal(0);
    }
    expect(deaths).to.be.greaterThan(2);
    const after = await openStore({ dataDir, onScan: 'error' });
    const mails = await mailsIn(after).find({}).toArray();
    await after.close();
    expect(mails.map(({ kind }) => kind)).to.deep.equal(['surveyReminder', 'surveyReminder']);
    expect(new Set(mails.map(({ to }) => to)).size).to.equal(2);
  });
});
