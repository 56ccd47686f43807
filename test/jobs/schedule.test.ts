import { join } from 'node:path';
import { expect } from 'chai';
import cron from 'node-cron';
import { schedule } from '../../jobs/schedule.js';
import { languages } from '../../server/context.js';
import { loadI18n } from '../../server/i18n.js';
import { viewsDir } from '../../server/paths.js';

describe('the table of jobs', () => {
  const i18n = loadI18n(join(viewsDir, 'locales'));

  for (const job of schedule) {
    it(`has times for ${job.name} that can be read, and words for it in each language`, () => {
      expect(cron.validate(job.cron)).to.equal(true);
      expect(job.cron.split(' ')).to.have.length(6);
      for (const language of languages) {
        for (const key of [`jobs.name.${job.name}`, `jobs.about.${job.name}`])
          expect(i18n.has(language, key), key).to.equal(true);
      }
    });
  }

  it('delivers in every process: what is sent is shared by leases', () => {
    expect(schedule.flatMap(({ name, everywhere }) => (everywhere ? [name] : []))).to.deep.equal(['deliver']);
  });

  it('names each job once, and lets none follow a job that is not there', () => {
    const names = schedule.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const { follows } of schedule) if (follows !== undefined) expect(names).to.include(follows);
  });
});
