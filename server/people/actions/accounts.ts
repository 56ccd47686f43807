// Accounts come into being here, whoever asks: the set-up page, an invitation, the command line, the bootstrap file.
import type { Context, InstanceRole, Language } from '../../context.js';
import { actorName } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type Change, type DomainEvent, pending } from '../../events.js';
import { findHandle, isHandle } from '../../handles/handles.js';
import { newId } from '../../ids.js';
import { DuplicateKeyError } from '../../store/store.js';
import { findPersonByEmail, findPersonByUsername, peopleIn, termsOf } from '../queries.js';
import { checkMayManagePeople, emailKeyOf } from '../rules.js';
import type { Person } from '../schema.js';
import { hashPassword } from './passwords.js';

export interface NewPerson {
  username: string;
  email: string;
  displayName: string;
  /** Null: the person chooses one by a link (invitation or reset). */
  password: string | null;
  instanceRole?: InstanceRole | null;
  language?: Language | null;
  timeZone?: string | null;
}

/**
 * Creates an account. Emits person.created. For administrators and the system (command line, bootstrap).
 * Refuses: not-allowed, invalid (user name), conflict (user name or address taken).
 */
export async function createPerson(ctx: Context, input: NewPerson): Promise<Person> {
  checkMayManagePeople(ctx.actor);
  return insertPerson(ctx, newId(), input);
}

/** Refuses: invalid, conflict. The caller has checked that this account may come into being. */
export async function insertPerson(
  ctx: Context,
  id: string,
  input: NewPerson & { invitationId?: string },
): Promise<Person> {
  const username = input.username.trim().toLowerCase();
  await checkNameIsFree(ctx, username, input.email);
  const person: Person = {
    _id: id,
    username,
    email: input.email,
    emailKey: emailKeyOf(input.email),
    displayName: input.displayName || username,
    bio: { fr: '', en: '' },
    handle: null,
    publicProfile: false,
    credentials: {
      password: input.password === null ? null : { hash: await hashPassword(input.password), changedAt: ctx.now },
    },
    sessionEpoch: 0,
    instanceRole: input.instanceRole ?? null,
    language: input.language ?? null,
    timeZone: input.timeZone ?? null,
    mailChoices: { sourceFailed: 'at-once', followRequested: 'at-once' },
    terms: termsOf({ username, displayName: input.displayName, email: input.email }),
    ...(input.invitationId === undefined ? {} : { invitationId: input.invitationId }),
    createdAt: ctx.now,
    disabledAt: null,
    deletedAt: null,
  };
  const change = personChange(ctx, id, 'created', [{ path: 'instanceRole', before: null, after: person.instanceRole }]);
  const stored = { ...person, events: [pending({ type: 'person.created', personId: id }, ctx.now, change)] };
  try {
    await peopleIn(ctx.store).insertOne(stored);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    await checkNameIsFree(ctx, username, input.email);
    throw new DomainError('conflict', 'people.error.taken', { cause: error });
  }
  return stored;
}

async function checkNameIsFree(ctx: Context, username: string, email: string): Promise<void> {
  if (!isHandle(username)) throw new DomainError('invalid', 'handle.invalid', { field: 'username' });
  if ((await findPersonByUsername(ctx.store, username)) || (await findHandle(ctx.store, username))) {
    throw new DomainError('conflict', 'handle.taken', { field: 'username' });
  }
  if (await findPersonByEmail(ctx.store, email)) {
    throw new DomainError('conflict', 'people.error.emailTaken', { field: 'email' });
  }
}

/** The line of history of a deed on an account: roles and states only, never who the person is. */
export function personChange(ctx: Context, personId: string, what: Change['what'], fields: Change['fields']): Change {
  return { subject: 'person', subjectId: personId, collectiveId: null, by: actorName(ctx.actor), what, fields };
}

/** A change of one person and the news of it, in one write. False: the filter no longer fits. */
export async function updatePerson(
  ctx: Context,
  filter: { _id: string } & Record<string, unknown>,
  set: Partial<Person>,
  event: DomainEvent | null,
  change?: Change,
): Promise<boolean> {
  const update = event ? { $set: set, $push: { events: pending(event, ctx.now, change) } } : { $set: set };
  return (await peopleIn(ctx.store).updateOne(filter, update)).matchedCount === 1;
}
