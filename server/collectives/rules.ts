// Who may do what with a collective, and which steps are possible. Pure: no store, no clock of its own.
import type { Actor, CollectiveRole } from '../context.js';
import { DomainError } from '../errors.js';
import type { Collective, CollectiveProfile, Member } from './schema.js';

/** What the rules need to know; read it fresh, so that a role taken away ends at once. */
export type Membered = Pick<Collective, '_id' | 'members'>;
type Visible = Membered & Pick<Collective, 'published' | 'deletedAt'>;

/** Days in the bin before a collective is gone for good. */
export const binDays = 30;

/** The role of a person in the collective as it is stored now. */
function roleIn(actor: Actor, collective: Membered): CollectiveRole | null {
  if (actor?.kind !== 'person') return null;
  return collective.members.find((member) => member.personId === actor.personId)?.role ?? null;
}

export function isAdministrator(actor: Actor): boolean {
  return actor?.kind === 'system' || (actor?.kind === 'person' && actor.instanceRole === 'administrator');
}

/** Everybody sees what is published and not in the bin; members and administrators see all of theirs. */
export function maySeeCollective(actor: Actor, collective: Visible): boolean {
  return isPublic(collective) || mayEditCollective(actor, collective);
}

export function isPublic(collective: Pick<Collective, 'published' | 'deletedAt'>): boolean {
  return collective.published && collective.deletedAt === null;
}

/** Profile, logo, services and posts: members, representatives, administrators. */
export function mayEditCollective(actor: Actor, collective: Membered): boolean {
  return isAdministrator(actor) || roleIn(actor, collective) !== null;
}

/** Members, followers, deletion: representatives, administrators. */
export function mayManageCollective(actor: Actor, collective: Membered): boolean {
  return isAdministrator(actor) || roleIn(actor, collective) === 'representative';
}

/** Refuses: not-found. For those who are not of the collective its inside does not exist, published or not. */
export function checkMayEditCollective(actor: Actor, collective: Membered): void {
  if (!mayEditCollective(actor, collective)) throw notFound();
}

/** Refuses: not-found to strangers, not-allowed to plain members. */
export function checkMayManageCollective(actor: Actor, collective: Membered): void {
  checkMayEditCollective(actor, collective);
  if (!mayManageCollective(actor, collective)) {
    throw new DomainError('not-allowed', 'collectives.error.representativesOnly');
  }
}

/** Refuses: not-allowed. */
export function checkMayCreateCollective(actor: Actor): void {
  if (!isAdministrator(actor)) throw new DomainError('not-allowed', 'collectives.error.administratorsOnly');
}

/** Refuses: closed. What lies in the bin is taken out first, then changed. */
export function checkNotInBin(collective: Pick<Collective, 'deletedAt'>): void {
  if (collective.deletedAt !== null) throw new DomainError('closed', 'collectives.error.inBin');
}

/** Refuses: conflict. The page from which the change comes shows an older state. */
export function checkVersion(collective: Pick<Collective, 'version'>, version: number): void {
  if (collective.version !== version) throw changedMeanwhile();
}

export function changedMeanwhile(): DomainError {
  return new DomainError('conflict', 'collectives.error.changedMeanwhile');
}

export function isLastRepresentative(members: readonly Member[], personId: string): boolean {
  const representatives = members.filter((member) => member.role === 'representative');
  return representatives.length === 1 && representatives[0]?.personId === personId;
}

/** Refuses: closed. A collective that has a representative keeps one. */
export function checkNotLastRepresentative(members: readonly Member[], personId: string): void {
  if (isLastRepresentative(members, personId)) {
    throw new DomainError('closed', 'collectives.error.lastRepresentative');
  }
}

/** When a collective in the bin is gone for good. */
export function purgeDate(deletedAt: Date): Date {
  return new Date(deletedAt.getTime() + binDays * 24 * 60 * 60 * 1000);
}

/** What a visitor looks for first and the profile does not say yet, most useful first. Names keys of the form. */
export function missingParts(profile: CollectiveProfile, hasLogo: boolean): string[] {
  const { contactEmail, contactUrl, description, guarantees, languages, legalUrl, place, tagline } = profile;
  const parts: [string, boolean][] = [
    ['tagline', Boolean(tagline.fr && tagline.en)],
    ['description', Boolean(description.fr && description.en)],
    ['contact', contactEmail !== null || contactUrl !== null],
    ['website', profile.website !== null],
    ['logo', hasLogo || profile.logoUrl !== null],
    ['country', place.countryCode !== null],
    ['languages', languages.length > 0],
    ['startDate', profile.startDate !== null],
    ['legalUrl', legalUrl !== null],
    ['backupPolicy', Boolean(guarantees.backupPolicy.fr || guarantees.backupPolicy.en)],
    ['othersWithAccess', Boolean(guarantees.othersWithAccess.fr || guarantees.othersWithAccess.en)],
    ['noticeDays', guarantees.noticeDays !== null],
  ];
  return parts.flatMap(([name, isFilled]) => (isFilled ? [] : [name]));
}

/** How many parts missingParts() looks at. */
export const partCount = 12;

export function notFound(): DomainError {
  return new DomainError('not-found', 'error.notFound');
}
