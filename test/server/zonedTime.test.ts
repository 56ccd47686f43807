// Moments written in a time zone and back, also where clocks change.
import { expect } from 'chai';
import fc from 'fast-check';
import { localTime, momentOf } from '../../server/zonedTime.js';

const iso = (written: string, zone: string) => momentOf(written, zone)?.toISOString() ?? null;

describe('times in a zone', () => {
  it('are moments, in winter and in summer', () => {
    expect(iso('2026-12-10T19:00', 'Europe/Paris')).to.equal('2026-12-10T18:00:00.000Z');
    expect(iso('2026-07-10T19:00', 'Europe/Paris')).to.equal('2026-07-10T17:00:00.000Z');
    expect(iso('2026-07-10 19:00', 'America/Montreal')).to.equal('2026-07-10T23:00:00.000Z');
    expect(iso('2026-07-10T19:00', 'UTC')).to.equal('2026-07-10T19:00:00.000Z');
  });

  it('take the first of an hour that comes twice', () => {
    expect(iso('2026-10-25T02:30', 'Europe/Paris')).to.equal('2026-10-25T00:30:00.000Z');
    expect(iso('2026-10-25T03:30', 'Europe/Paris')).to.equal('2026-10-25T02:30:00.000Z');
  });

  it('go on after an hour that is missing', () => {
    const moment = momentOf('2026-03-29T02:30', 'Europe/Paris');
    expect(moment?.toISOString()).to.equal('2026-03-29T01:30:00.000Z');
    expect(localTime(moment ?? new Date(0), 'Europe/Paris')).to.equal('2026-03-29T03:30');
  });

  it('are none where the date does not exist or is written otherwise', () => {
    for (const written of ['', 'tomorrow', '2026-02-30T10:00', '2026-12-10', '2026-12-10T25:00', '2026-12-10T19:60']) {
      expect(iso(written, 'Europe/Paris'), written).to.equal(null);
    }
  });

  it('come back as they were written', () => {
    const zones = fc.constantFrom('Europe/Paris', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Apia', 'UTC');
    const minutes = fc.integer({ min: Date.UTC(2000, 0) / 60_000, max: Date.UTC(2040, 0) / 60_000 });
    const property = fc.property(minutes, zones, (minute, zone) => {
      const written = localTime(new Date(minute * 60_000), zone);
      expect(localTime(momentOf(written, zone) ?? new Date(0), zone)).to.equal(written);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
