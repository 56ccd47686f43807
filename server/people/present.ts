// People and their links as plain data for templates and for the download of one's own data. Never a hash, never a token.
import type { Collective } from '../collectives/schema.js';
import type { Site } from '../context.js';
import type { SessionDoc } from '../http/session.js';
import type { LocalText } from '../shapes.js';
import type { PeoplePage } from './queries.js';
import { isPublicPerson } from './rules.js';
import type { Invitation, Person } from './schema.js';

type Stored = Omit<Person, 'events'>;

/** What the download holds of each field. 'withheld': it would open a door to whoever finds the file. */
export const personExport: { [K in keyof Required<Stored>]: 'withheld' | ((person: Stored) => unknown) } = {
  _id: (person) => person._id,
  username: (person) => person.username,
  email: (person) => person.email,
  emailKey: (person) => person.emailKey,
  displayName: (person) => person.displayName,
  bio: (person) => person.bio,
  handle: (person) => person.handle,
  publicProfile: (person) => person.publicProfile,
  credentials: (person) => ({ passwordChangedAt: person.credentials.password?.changedAt ?? null }),
  sessionEpoch: (person) => person.sessionEpoch,
  instanceRole: (person) => person.instanceRole,
  language: (person) => person.language,
  timeZone: (person) => person.timeZone,
  mailChoices: (person) => person.mailChoices,
  digest: (person) => person.digest ?? 'off',
  addressProblem: (person) => person.addressProblem ?? null,
  showsPictures: (person) => person.showsPictures ?? false,
  acceptsFollowers: (person) => person.acceptsFollowers ?? 'at-once',
  terms: (person) => person.terms,
  invitationId: 'withheld',
  createdAt: (person) => person.createdAt,
  disabledAt: (person) => person.disabledAt,
  deletedAt: (person) => person.deletedAt,
};

export function exportPerson(person: Person): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(personExport).flatMap(([field, read]) => (read === 'withheld' ? [] : [[field, read(person)]])),
  );
}

export function presentTabs(path: string): object[] {
  const pages = ['', '/profile', '/security', '/sessions', '/preferences', '/surveys', '/notices', '/data'];
  return pages.map((page) => ({
    href: `/me${page}`,
    key: `people.tab${page.replace('/', '.') || '.home'}`,
    current: path === `/me${page}`,
  }));
}

export function presentHome(person: Person, collectives: readonly Collective[]): object {
  const role = (one: Collective) => one.members.find((member) => member.personId === person._id)?.role;
  return {
    displayName: person.displayName,
    isAdministrator: person.instanceRole === 'administrator',
    isModerator: person.instanceRole !== null,
    publicHandle: isPublicPerson(person) ? person.handle : null,
    collectives: collectives
      .filter((one) => one.deletedAt === null)
      .map((one) => ({
        name: one.profile.name,
        tagline: one.profile.tagline,
        href: `/my/collectives/${one._id}`,
        publicHref: `/@${one.handle}`,
        published: one.published,
        role: `people.role.${role(one)}`,
        logo: one.logoId ? `/uploads/${one.logoId}` : null,
      })),
  };
}

export function presentSession(session: SessionDoc, here: string): object {
  return {
    device: session.device,
    startedAt: session.startedAt,
    seenAt: session.seenAt,
    isHere: session._id === here,
    end: `/me/sessions/${session._id}/end`,
  };
}

/** What going means for each collective. */
export function presentLeaving(person: Person, collectives: readonly Collective[]): object {
  return {
    handle: person.handle,
    collectives: collectives
      .filter((one) => one.deletedAt === null)
      .map((one) => ({ name: one.profile.name, alone: one.members.length === 1 })),
  };
}

export function presentInvitation(
  invitation: Invitation,
  facts: { collective: LocalText | null; reader: Person | null; hasAccount: boolean },
): object {
  const { reader } = facts;
  return {
    email: invitation.email,
    expiresAt: invitation.expiresAt,
    collective: facts.collective,
    role: roleOf(invitation),
    // Which of four pages it is: make an account, join with it, sign in first, or another person is signed in.
    isForReader: reader !== null && reader.emailKey === invitation.emailKey,
    isForOther: reader !== null && reader.emailKey !== invitation.emailKey,
    mustSignIn: reader === null && facts.hasAccount,
    mayCreate: reader === null && !facts.hasAccount,
    readerName: reader?.displayName,
  };
}

function roleOf(invitation: Invitation): string | null {
  const role = invitation.collective?.role ?? invitation.instanceRole;
  return role ? `people.role.${role}` : null;
}

export function presentInvitationLine(invitation: Invitation, collective: LocalText | null): object {
  return {
    email: invitation.email,
    role: roleOf(invitation),
    collective,
    expiresAt: invitation.expiresAt,
    revoke: `/admin/invitations/${invitation._id}/revoke`,
  };
}

export function presentPeoplePage(found: PeoplePage, q: string): object {
  const href = (page: number) => `/admin/people?${new URLSearchParams({ ...(q ? { q } : {}), page: String(page) })}`;
  return {
    q,
    total: found.total,
    at: found.page,
    pages: found.pages,
    previous: found.page > 1 ? href(found.page - 1) : null,
    next: found.page < found.pages ? href(found.page + 1) : null,
    people: found.items.map((person) => ({
      href: `/admin/people/${person._id}`,
      displayName: person.displayName,
      username: person.username,
      email: person.email,
      role: person.instanceRole ? `people.role.${person.instanceRole}` : null,
      createdAt: person.createdAt,
      isDisabled: person.disabledAt !== null,
    })),
  };
}

export function presentPerson(person: Person, collectives: readonly Collective[]): object {
  return {
    action: `/admin/people/${person._id}`,
    displayName: person.displayName,
    username: person.username,
    email: person.email,
    handle: person.handle,
    instanceRole: person.instanceRole ?? '',
    createdAt: person.createdAt,
    disabledAt: person.disabledAt,
    deletedAt: person.deletedAt,
    isOpen: person.disabledAt === null && person.deletedAt === null,
    collectives: collectives.map((one) => ({ name: one.profile.name, href: `/@${one.handle}` })),
  };
}

export function presentPublicPerson(person: Person, site: Site): object {
  return {
    displayName: person.displayName,
    handle: person.handle,
    address: `@${person.handle}@${site.host}`,
    bio: person.bio,
    hasBio: person.bio.fr !== '' || person.bio.en !== '',
  };
}
