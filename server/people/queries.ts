// Reads of people and of the links that were sent to them, and the indexes of these collections.
import type { CollectiveRole, InstanceRole, PersonActor } from '../context.js';
import { DomainError } from '../errors.js';
import { eventIndex } from '../events.js';
import { fold } from '../shapes.js';
import type { Coll, CollectionIndexes, Doc, Filter, Store } from '../store/store.js';
import { emailKeyOf } from './rules.js';
import type { EmailChange, Invitation, Person, Reset, Setup } from './schema.js';

/** Collections here with events: people, invitations, resets, emailChanges. */
export const peopleIndexes: CollectionIndexes = {
  people: [
    { keys: { username: 1 }, unique: true },
    { keys: { emailKey: 1 }, unique: true, sparse: true },
    { keys: { handle: 1 } },
    { keys: { terms: 1 } },
    { keys: { instanceRole: 1 } },
    { keys: { deletedAt: 1, _id: -1 } },
    eventIndex,
  ],
  invitations: [
    { keys: { emailKey: 1, createdAt: -1 } },
    { keys: { expiresAt: 1 } },
    { keys: { 'collective.id': 1 } },
    { keys: { usedBy: 1 } },
    eventIndex,
  ],
  resets: [{ keys: { personId: 1 } }, { keys: { expiresAt: 1 } }, eventIndex],
  emailChanges: [{ keys: { personId: 1 } }, { keys: { expiresAt: 1 } }, eventIndex],
  setups: [{ keys: { usedAt: 1 } }],
};

export const peopleIn = (store: Store): Coll<Person> => store.collection<Person>('people');
export const invitationsIn = (store: Store): Coll<Invitation> => store.collection<Invitation>('invitations');
export const resetsIn = (store: Store): Coll<Reset> => store.collection<Reset>('resets');
export const emailChangesIn = (store: Store): Coll<EmailChange> => store.collection<EmailChange>('emailChanges');
export const setupsIn = (store: Store): Coll<Setup> => store.collection<Setup>('setups');

export async function findPerson(store: Store, id: string): Promise<Person | null> {
  return peopleIn(store).findOne({ _id: id });
}

/** Refuses: not-found. */
export async function getPerson(store: Store, id: string): Promise<Person> {
  const person = await findPerson(store, id);
  if (!person) throw new DomainError('not-found', 'error.notFound');
  return person;
}

/** By e-mail address or user name, as typed at sign-in. */
export async function findPersonByLogin(store: Store, login: string): Promise<Person | null> {
  return login.includes('@') ? findPersonByEmail(store, login) : findPersonByUsername(store, login);
}

export async function findPersonByEmail(store: Store, email: string): Promise<Person | null> {
  return peopleIn(store).findOne({ emailKey: emailKeyOf(email) });
}

export async function findPersonByUsername(store: Store, username: string): Promise<Person | null> {
  return peopleIn(store).findOne({ username: username.trim().toLowerCase() });
}

/** Also those whose profile is not public (any more): the caller decides with isPublicPerson. */
export async function findPersonByHandle(store: Store, handle: string): Promise<Person | null> {
  return peopleIn(store).findOne({ handle: handle.toLowerCase() });
}

/** Names for lists and histories; people gone have an empty one. */
export async function listPeopleById(store: Store, ids: readonly string[]): Promise<Person[]> {
  if (ids.length === 0) return [];
  return peopleIn(store)
    .find({ _id: { $in: [...new Set(ids)] } })
    .toArray();
}

interface Membered extends Doc {
  members: { personId: string; role: CollectiveRole }[];
  deletedAt: Date | null;
}

/** Collective id -> role there, as stored now. Collectives in the bin give none. */
export async function findMemberships(store: Store, personId: string): Promise<Record<string, CollectiveRole>> {
  const found = await store
    .collection<Membered>('collectives')
    .find({ 'members.personId': personId, deletedAt: null }, { projection: { members: 1 } })
    .toArray();
  return Object.fromEntries(
    found.flatMap((one) =>
      one.members.filter((member) => member.personId === personId).map((member) => [one._id, member.role]),
    ),
  );
}

/** The person as an actor, with memberships as stored now. */
export async function actorOf(store: Store, person: Person): Promise<PersonActor> {
  return {
    kind: 'person',
    personId: person._id,
    username: person.username,
    displayName: person.displayName,
    instanceRole: person.instanceRole,
    memberships: await findMemberships(store, person._id),
  };
}

/** Administrators who can sign in. */
export async function countAdministrators(store: Store): Promise<number> {
  return peopleIn(store).countDocuments({ instanceRole: 'administrator', disabledAt: null, deletedAt: null });
}

/** All who look after the instance and may enter: moderators and administrators. */
export async function listModerators(store: Store): Promise<Person[]> {
  const roles = { $in: ['moderator', 'administrator'] as InstanceRole[] };
  return peopleIn(store).find({ instanceRole: roles, disabledAt: null, deletedAt: null }, { limit: 500 }).toArray();
}

export const peoplePerPage = 50;

export interface PeoplePage {
  items: Person[];
  total: number;
  page: number;
  pages: number;
}

/** Everybody with an account, the newest first; each word of `q` begins a word of name, user name or address. */
export async function listPeople(store: Store, search: { q?: string; page?: number }): Promise<PeoplePage> {
  const words = fold(search.q ?? '')
    .split(' ')
    .filter(Boolean)
    .slice(0, 8);
  const filter: Filter<Person> =
    words.length === 0
      ? { deletedAt: null }
      : { $and: words.map((word) => ({ terms: { $regex: `^${word}` } })), deletedAt: null };
  const total = await peopleIn(store).countDocuments(filter);
  const pages = Math.max(1, Math.ceil(total / peoplePerPage));
  const page = Math.min(search.page ?? 1, pages);
  const items = await peopleIn(store)
    .find(filter, { sort: { _id: -1 }, skip: (page - 1) * peoplePerPage, limit: peoplePerPage })
    .toArray();
  return { items, total, page, pages };
}

/** Invitations that still open something, the newest first; of one collective when asked for. */
export async function listOpenInvitations(store: Store, now: Date, collectiveId?: string): Promise<Invitation[]> {
  const open: Filter<Invitation> = { expiresAt: { $gt: now }, usedAt: null, revokedAt: null };
  const filter: Filter<Invitation> = collectiveId === undefined ? open : { ...open, 'collective.id': collectiveId };
  const found = await invitationsIn(store).find(filter, { limit: 500 }).toArray();
  return found.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

/** What the search of the administration compares. */
export function termsOf(person: { username: string; displayName: string; email: string }): string[] {
  return [...new Set(fold(`${person.displayName} ${person.username} ${person.email}`).split(' ').filter(Boolean))];
}
