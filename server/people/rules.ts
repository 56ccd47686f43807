// Who may do what with accounts, which links still open something, and what is left of a person who goes. Pure.
import type { Actor, CollectiveRole, InstanceRole } from '../context.js';
import { DomainError } from '../errors.js';
import type { Invitation, Person } from './schema.js';

export const minute = 60 * 1000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** How long links in mails open something. */
export const lifetimes = { invitation: 14 * day, reset: 30 * minute, emailChange: day } as const;

export function isAdministrator(actor: Actor): boolean {
  return actor?.kind === 'system' || (actor?.kind === 'person' && actor.instanceRole === 'administrator');
}

/** Refuses: not-allowed. */
export function checkMayManagePeople(actor: Actor): void {
  if (!isAdministrator(actor)) throw new DomainError('not-allowed', 'people.error.administratorsOnly');
}

/** Some mails are to stand in the summary only, and no summary leaves. */
export function waitsForNothing({
  mailChoices,
  digest,
}: {
  mailChoices: Person['mailChoices'];
  digest?: string | undefined;
}): boolean {
  return (digest ?? 'off') === 'off' && Object.values(mailChoices).includes('digest');
}

/** Disabled and deleted people are strangers: no session, no link and no password of theirs opens anything. */
export function mayEnter(person: Pick<Person, 'disabledAt' | 'deletedAt'>): boolean {
  return person.disabledAt === null && person.deletedAt === null;
}

export function isPublicPerson(person: Pick<Person, 'publicProfile' | 'disabledAt' | 'deletedAt'>): boolean {
  return person.publicProfile && mayEnter(person);
}

export interface Offer {
  instanceRole: InstanceRole | null;
  collective: { id: string; role: CollectiveRole } | null;
}

/** Administrators invite anyone; representatives invite into their own collective, and give no role of the instance. */
export function mayInvite(actor: Actor, offer: Offer): boolean {
  if (isAdministrator(actor)) return true;
  if (actor?.kind !== 'person' || offer.instanceRole !== null || offer.collective === null) return false;
  return actor.memberships[offer.collective.id] === 'representative';
}

/** Refuses: not-allowed. */
export function checkMayInvite(actor: Actor, offer: Offer): void {
  if (!mayInvite(actor, offer)) throw new DomainError('not-allowed', 'people.error.mayNotInvite');
}

export type InvitationState = 'open' | 'used' | 'revoked' | 'expired';

export function stateOfInvitation(
  invitation: Pick<Invitation, 'usedAt' | 'revokedAt' | 'expiresAt'>,
  now: Date,
): InvitationState {
  if (invitation.revokedAt) return 'revoked';
  if (invitation.usedAt) return 'used';
  return invitation.expiresAt > now ? 'open' : 'expired';
}

export function isLinkOpen(link: { usedAt: Date | null; expiresAt: Date }, now: Date): boolean {
  return link.usedAt === null && link.expiresAt > now;
}

/** A link that opens nothing any more says so, and what to do. */
export function spentLink(key: string): DomainError {
  return new DomainError('gone', key);
}

/** One mailbox, one key: Unicode composed, lower case. */
export function emailKeyOf(email: string): string {
  return email.normalize('NFC').trim().toLowerCase();
}

/** Kept when a person goes, and why it may be: said on the page before. */
export const remains = ['history', 'posts', 'handle', 'mails', 'backups'] as const;

type Stored = Omit<Person, 'events'>;

/** What becomes of each field when a person goes. 'kept' says that it holds nothing about who it was. */
export const personErasure: { [K in keyof Required<Stored>]: 'kept' | ((person: Stored, now: Date) => Stored[K]) } = {
  _id: 'kept',
  username: (person) => `gone-${person._id}`,
  email: () => '',
  emailKey: () => undefined,
  displayName: () => '',
  bio: () => ({ fr: '', en: '' }),
  handle: 'kept',
  publicProfile: () => false,
  credentials: () => ({ password: null }),
  sessionEpoch: (person) => person.sessionEpoch + 1,
  instanceRole: () => null,
  language: () => null,
  timeZone: () => null,
  mailChoices: () => ({ sourceFailed: 'off', followRequested: 'off' }),
  digest: () => undefined,
  addressProblem: () => undefined,
  showsPictures: () => undefined,
  acceptsFollowers: () => undefined,
  terms: () => [],
  invitationId: () => undefined,
  createdAt: 'kept',
  disabledAt: 'kept',
  deletedAt: (_person, now) => now,
};

/** The place on this server that `next` names, else `/`. Decided by the URL parser that browsers use too. */
export function safePath(next: string, baseUrl: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a browser drops them, and what is left may be another address
  if (!next.startsWith('/') || /^\/[/\\]|[\u0000-\u001f\u007f\\]/.test(next)) return '/';
  const url = URL.canParse(next, baseUrl) ? new URL(next, baseUrl) : null;
  if (!url || url.origin !== baseUrl || url.pathname.startsWith('//')) return '/';
  return url.pathname + url.search + url.hash;
}
