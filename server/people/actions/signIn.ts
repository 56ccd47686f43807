// Proof of who somebody is. Says nothing about which accounts exist: an unknown name costs the same time as a wrong
// password and gets the same answer.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { findPersonByLogin, peopleIn } from '../queries.js';
import { mayEnter } from '../rules.js';
import type { Person } from '../schema.js';
import { hashPassword, isPassword, isWeakHash } from './passwords.js';

/**
 * The person whose name and password these are. A hash with weaker parameters than today's is renewed on the way.
 * Refuses: invalid (wrong name or password, without saying which; or the account is disabled, said only to who knows
 * its password).
 */
export async function authenticate(ctx: Context, login: string, password: string): Promise<Person> {
  const person = await findPersonByLogin(ctx.store, login);
  const stored = person?.credentials.password?.hash ?? null;
  const matches = await isPassword(stored, password);
  if (!person || stored === null || !matches) throw new DomainError('invalid', 'people.signIn.wrong');
  if (!mayEnter(person)) throw new DomainError('invalid', 'people.signIn.disabled');
  if (isWeakHash(stored)) {
    const hash = await hashPassword(password);
    await peopleIn(ctx.store).updateOne(
      { _id: person._id, 'credentials.password.hash': stored },
      { $set: { 'credentials.password.hash': hash } },
    );
  }
  return person;
}

/** The password again, before something that a stolen session must not do. Refuses: invalid. */
export async function checkProof(person: Person, typed: string, field = 'current'): Promise<void> {
  if (await isPassword(person.credentials.password?.hash ?? null, typed)) return;
  throw new DomainError('invalid', 'people.error.wrongPassword', { field });
}
