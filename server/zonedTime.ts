// Moments as people write them on a form, "2026-12-10T19:00" in a time zone, and back. Pure; the zones are the platform's.
import { dateFormat } from './formatters.js';

const pattern = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::00)?$/;

/** "2026-12-10T19:00": what a field of type datetime-local holds. */
export function localTime(at: Date, timeZone: string): string {
  const format = dateFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year?.padStart(4, '0')}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

/**
 * The moment at which clocks of that zone show this time; null: there is no such date or it is not written so. When clocks are
 * put back the hour comes twice: the first is meant. When they are put forward an hour is missing: as long after the change as
 * it stands after the missing hour's beginning (ECMAScript Temporal, disambiguation "compatible").
 */
export function momentOf(written: string, timeZone: string): Date | null {
  const [, year, month, day, hour, minute] = (pattern.exec(written.trim()) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return null;
  const asUtc = Date.UTC(year, month - 1, day, hour, minute);
  const wanted = new Date(asUtc).toISOString().slice(0, 16);
  if (wanted !== written.trim().slice(0, 16).replace(' ', 'T')) return null;
  const dayMs = 24 * 60 * 60 * 1000;
  // The zone's offsets on both sides of a change that may lie near.
  const [before, after] = [asUtc - dayMs, asUtc + dayMs].map((at) => offsetAt(new Date(at), timeZone));
  const candidates = [asUtc - (before ?? 0), asUtc - (after ?? 0)].sort((a, b) => a - b);
  const fitting = candidates.find((at) => localTime(new Date(at), timeZone) === wanted);
  return new Date(fitting ?? asUtc - (before ?? 0));
}

/** Milliseconds by which the zone's clocks are ahead of UTC then. */
function offsetAt(at: Date, timeZone: string): number {
  const whole = Math.floor(at.getTime() / 60_000) * 60_000;
  return Date.parse(`${localTime(new Date(whole), timeZone)}:00Z`) - whole;
}

/** Whether the platform knows a zone of that name (IANA). */
export function isTimeZone(name: string): boolean {
  return name === 'UTC' || Intl.supportedValuesOf('timeZone').includes(name);
}
