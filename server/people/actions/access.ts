// Roles of the instance, and accounts shut for a while. The instance always keeps an administrator who can sign in.
import type { Context, InstanceRole } from '../../context.js';
import { DomainError } from '../../errors.js';
import { endSessions } from '../../http/session.js';
import { countAdministrators, getPerson } from '../queries.js';
import { checkMayManagePeople, mayEnter } from '../rules.js';
import type { Person } from '../schema.js';
import { personChange, updatePerson } from './accounts.js';

/** Emits person.profileChanged. Refuses: not-allowed, not-found, closed (the last administrator; an account that is gone). */
export async function changeInstanceRole(ctx: Context, personId: string, role: InstanceRole | null): Promise<void> {
  checkMayManagePeople(ctx.actor);
  const person = await getPerson(ctx.store, personId);
  if (person.deletedAt) throw new DomainError('closed', 'people.error.gone');
  if (person.instanceRole === role) return;
  await change(ctx, person, { instanceRole: role }, 'instanceRole', person.instanceRole, role);
  if (person.instanceRole === 'administrator')
    await keepAnAdministrator(ctx, person, { instanceRole: 'administrator' });
}

/** Ends all sessions; nothing opens until enabled again. Emits person.profileChanged. Refuses as changeInstanceRole. */
export async function disablePerson(ctx: Context, personId: string): Promise<void> {
  checkMayManagePeople(ctx.actor);
  const person = await getPerson(ctx.store, personId);
  if (!mayEnter(person)) return;
  const set = { disabledAt: ctx.now, sessionEpoch: person.sessionEpoch + 1 };
  await change(ctx, person, set, 'disabledAt', null, ctx.now);
  if (person.instanceRole === 'administrator') await keepAnAdministrator(ctx, person, { disabledAt: null });
  await endSessions(ctx.store, personId);
}

/** Emits person.profileChanged. Refuses: not-allowed, not-found, closed (gone for good). */
export async function enablePerson(ctx: Context, personId: string): Promise<void> {
  checkMayManagePeople(ctx.actor);
  const person = await getPerson(ctx.store, personId);
  if (person.deletedAt) throw new DomainError('closed', 'people.error.gone');
  if (!person.disabledAt) return;
  await change(ctx, person, { disabledAt: null }, 'disabledAt', person.disabledAt, null);
}

/**
 * Counts after the write: of two last administrators who step down at once, each sees the other's step and takes its own
 * back. Refuses: closed, with the write undone.
 */
export async function keepAnAdministrator(ctx: Context, person: Person, undo: Partial<Person>): Promise<void> {
  if ((await countAdministrators(ctx.store)) > 0) return;
  await updatePerson(ctx, { _id: person._id }, undo, null);
  throw new DomainError('closed', 'people.error.lastAdministrator');
}

async function change(
  ctx: Context,
  person: Person,
  set: Partial<Person>,
  path: string,
  before: unknown,
  after: unknown,
): Promise<void> {
  const line = personChange(ctx, person._id, 'updated', [{ path, before, after }]);
  const event = { type: 'person.profileChanged', personId: person._id } as const;
  await updatePerson(ctx, { _id: person._id, deletedAt: null }, set, event, line);
}
