// What counts of what others say of themselves, how long it counts, and when two entries are about one thing. Pure.
import { createHash } from 'node:crypto';
import { fold, type LocalText } from '../shapes.js';
import type { HosterReading, RemoteService, RemoteSource, ServiceReading, SourceKind } from './schema.js';

/** Services kept of one hoster. */
export const maxServicesPerHoster = 500;
/** Hosters kept of one instance or network. */
export const maxHostersPerSource = 300;
/** Days after which what was not confirmed is no longer shown. */
export const lastingDays = 90;
/** Days for which entries stay after the last one here has stopped following their hoster. */
export const graceDays = 14;

const hour = 3_600_000;
const day = 24 * hour;

export function sourceKey(kind: SourceKind, address: string): string {
  return createHash('sha256').update(`${kind} ${address}`).digest('hex');
}

/** One entry for each service of a hoster, whatever else claims the same id. */
export function serviceKey(hosterId: string, key: string): string {
  return createHash('sha256').update(`${hosterId} ${key}`).digest('hex');
}

/** "https://www.example.org/pad/" and "http://example.org/pad" are one site; null: there is none. */
export function siteOf(website: string | null): string | null {
  if (website === null || !URL.canParse(website)) return null;
  const { host, pathname, search } = new URL(website);
  return `${host.replace(/^www\./, '')}${pathname.replace(/\/+$/, '')}${search}`;
}

/** Whether what is said replaces what we have: never something older, and only something later than a withdrawal. */
export function isNewer(known: Pick<RemoteService, 'saidAt' | 'isTombstone'>, saidAt: Date): boolean {
  return known.isTombstone ? saidAt > known.saidAt : saidAt >= known.saidAt;
}

/** When a source that was read is read again. Instances tell of changes themselves, so weekly is enough; files daily. */
export function nextReading(source: Pick<RemoteSource, '_id' | 'kind'>, now: Date): Date {
  const span = source.kind === 'actor' || source.kind === 'instance' ? 7 * day : day;
  // Spread by the source's own key, so that those added together are not read together for ever.
  const spread = (Number.parseInt(source._id.slice(0, 8), 16) / 0xffffffff - 0.5) * 0.3;
  return new Date(now.getTime() + span * (1 + spread));
}

/** After a failure: from five minutes to a day, as long as it has been silent. */
export function nextTry(silentSince: Date, now: Date): Date {
  const wait = Math.min(Math.max(now.getTime() - silentSince.getTime(), hour / 12), day);
  return new Date(now.getTime() + wait);
}

export function graceEnd(now: Date): Date {
  return new Date(now.getTime() + graceDays * day);
}

/** What was last confirmed before this is no longer shown. */
export function lastingSince(now: Date): Date {
  return new Date(now.getTime() - lastingDays * day);
}

/** What search compares, as for our own services. */
export function serviceTerms({ profile }: Pick<ServiceReading, 'profile'>, hoster: HosterReading): string[] {
  const { name, description, software } = profile;
  return words([
    ...[name.fr, name.en, software.name, hoster.handle, hoster.name.fr, hoster.name.en],
    ...[hoster.place, description.fr, description.en],
  ]).slice(0, 300);
}

export function hosterTerms({ handle, name, tagline, place }: HosterReading): string[] {
  return words([handle, name.fr, name.en, tagline.fr, tagline.en, place]).slice(0, 200);
}

function words(texts: readonly string[]): string[] {
  return [...new Set(fold(texts.join(' ')).split(' ').filter(Boolean))];
}

export function sortNameOf(name: LocalText): string {
  return fold(name.fr || name.en);
}
