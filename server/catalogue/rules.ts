// What a service may become and what follows from its profile. Pure: no store, no clock of its own.
import type { Collective } from '../collectives/schema.js';
import { DomainError } from '../errors.js';
import type { Change } from '../events.js';
import { isCoherentHost } from '../formats/chatonsinfos/lint.js';
import { fold } from '../shapes.js';
import type { Service, ServiceProfile } from './schema.js';
import { everydayWords } from './softwareNeeds.js';

/** Days in the bin before a service is gone for good. */
export const binDays = 30;
/** Failed readings in a row after which a source rests until a member starts it again. */
export const maxStrikes = 3;
/** Series of figures of one service: what a document can hold with room to spare, daily figures included. */
export const maxSeriesPerService = 400;
/** Hours that an import waits for its confirmation. */
export const importHours = 24;

type Hoster = Pick<Collective, 'handle' | 'profile' | 'published' | 'deletedAt'>;

/** Everybody sees it: published, not in the bin, and its hoster is public. */
export function isListed(service: Pick<Service, 'published' | 'deletedAt'>, hoster: Hoster | null): boolean {
  if (!hoster?.published || hoster.deletedAt !== null) return false;
  return service.published && service.deletedAt === null;
}

/** Refuses: conflict. The page from which the change comes shows an older state. */
export function checkVersion(service: Pick<Service, 'version'>, version: number): void {
  if (service.version !== version) throw changedMeanwhile();
}

export function changedMeanwhile(): DomainError {
  return new DomainError('conflict', 'catalogue.error.changedMeanwhile');
}

/** Refuses: closed. What lies in the bin is taken out first, then changed. */
export function checkNotInBin(service: Pick<Service, 'deletedAt'>): void {
  if (service.deletedAt !== null) throw new DomainError('closed', 'catalogue.error.inBin');
}

/** Nobody can use it any more on that day (YYYY-MM-DD). */
export function isOver(profile: Pick<ServiceProfile, 'status' | 'endDate'>, today: string): boolean {
  return (
    profile.status === 'OVER' || profile.status === 'VOID' || (profile.endDate !== null && profile.endDate < today)
  );
}

export function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

/** When a service in the bin is gone for good. */
export function purgeDate(deletedAt: Date): Date {
  return new Date(deletedAt.getTime() + binDays * 24 * 60 * 60 * 1000);
}

/** Paths of a service's profile that only its hoster cares for; a change of nothing else is no news. */
const quietPaths =
  /^(metrics\.|metricsLabels|unknown|published|origin|host\.(hypervisor|distribution)|software\.(version|modules|sourceUrl)|installType|logoUrl)/;

export function isNews(fields: Change['fields']): boolean {
  return fields.some(({ path }) => !quietPaths.test(path));
}

/** What people search in: each word once, folded. */
export function termsOf(profile: ServiceProfile, hoster: Hoster): string[] {
  const { name, description, software } = profile;
  const place = hoster.profile.place;
  const text = [
    ...[name.fr, name.en, software.name, hoster.handle, hoster.profile.name.fr, hoster.profile.name.en],
    ...[place.address, place.countryName, description.fr, description.en],
  ].join(' ');
  return [...new Set(fold(text).split(' ').filter(Boolean))].slice(0, 300);
}

/** The words of the table of needs, so that "visio" finds what nobody calls so. */
export function everydayTerms(profile: Pick<ServiceProfile, 'needs'>): string[] {
  return profile.needs.flatMap(everydayWords);
}

export function sortNameOf(profile: Pick<ServiceProfile, 'name'>): string {
  return fold(profile.name.fr || profile.name.en);
}

/** What is repeated from the hoster into the service's document, and what is derived from both. */
export function derivedFields(
  service: Pick<Service, 'profile' | 'published' | 'deletedAt'>,
  hoster: Hoster,
): Pick<Service, 'listed' | 'terms' | 'sortName' | 'hoster' | 'country'> {
  return {
    listed: isListed(service, hoster),
    terms: termsOf(service.profile, hoster),
    sortName: sortNameOf(service.profile),
    hoster: { handle: hoster.handle, name: hoster.profile.name },
    country: service.profile.host.countryCode ?? hoster.profile.place.countryCode,
  };
}

/** Letters, digits and single hyphens, at most 40; '' when nothing is left. Never "…-metrics": files end so. */
export function slugOf(text: string): string {
  const words = fold(text)
    .replace(/[^a-z0-9 ]+/g, '')
    .trim()
    .replace(/ +/g, '-');
  const short = words.slice(0, 40).replace(/-+$/, '');
  return /(^|-)metrics$/.test(short) ? `${short}-1` : short;
}

/** Friendly remarks on a profile that is allowed as it is (domain.md §2.7 and what visitors ask first). */
export function lintProfile(profile: ServiceProfile): string[] {
  const { host, software } = profile;
  const remarks: [string, boolean][] = [
    [
      'host',
      host.providerType !== null && host.serverType !== null && !isCoherentHost(host.providerType, host.serverType),
    ],
    ['needs', profile.needs.length === 0],
    ['description', profile.description.fr === '' && profile.description.en === ''],
    ['website', profile.website === null],
    ['price', profile.registration === 'Client' && profile.priceNote.fr === '' && profile.priceNote.en === ''],
    ['license', software.name !== '' && software.licenseName === ''],
    ['country', host.countryCode === null],
    ['dates', profile.startDate !== null && profile.endDate !== null && profile.endDate < profile.startDate],
  ];
  return remarks.flatMap(([name, applies]) => (applies ? [name] : []));
}

/** Days of notice that are missing for what the hoster promised; 0 when the promise is kept or none was made. */
export function missingNotice(endDate: string, today: string, noticeDays: number | null): number {
  const days = (Date.parse(endDate) - Date.parse(today)) / (24 * 60 * 60 * 1000);
  return noticeDays === null ? 0 : Math.max(0, noticeDays - days);
}
