// A new address: asked for with the password, confirmed from the new mailbox, told to the old one.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { newId } from '../../ids.js';
import { DuplicateKeyError } from '../../store/store.js';
import { emailChangesIn, findPersonByEmail, getPerson, peopleIn, termsOf } from '../queries.js';
import { emailKeyOf, isLinkOpen, lifetimes, mayEnter, spentLink } from '../rules.js';
import type { EmailChange, Person } from '../schema.js';
import { voidEmailChanges, voidResets } from './passwordChange.js';
import { checkProof } from './signIn.js';

/**
 * Sends a link to the new address; the old one stays until it is opened. Emits person.emailChangeRequested, unless the
 * address is somebody's already: then nothing is sent, and the answer is the same. Refuses: invalid (password, same).
 */
export async function requestEmailChange(
  ctx: Context,
  personId: string,
  input: { email: string; proof: string },
): Promise<void> {
  const person = await getPerson(ctx.store, personId);
  await checkProof(person, input.proof, 'proof');
  if (emailKeyOf(input.email) === person.emailKey && input.email === person.email) {
    throw new DomainError('invalid', 'people.email.same', { field: 'email' });
  }
  const holder = await findPersonByEmail(ctx.store, input.email);
  const taken = holder !== null && holder._id !== personId;
  await voidEmailChanges(ctx, personId);
  const _id = newId();
  const change: EmailChange = {
    _id,
    personId,
    email: input.email,
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + lifetimes.emailChange),
    usedAt: taken ? ctx.now : null,
    events: taken ? [] : [pending({ type: 'person.emailChangeRequested', changeId: _id }, ctx.now)],
  };
  await emailChangesIn(ctx.store).insertOne(change);
}

/** What a link would do. Looking does not use it up. Refuses: gone. */
export async function checkEmailChange(
  ctx: Context,
  changeId: string,
): Promise<{ change: EmailChange; person: Person }> {
  const change = await emailChangesIn(ctx.store).findOne({ _id: changeId });
  if (!change || !isLinkOpen(change, ctx.now)) throw spentLink('people.emailChange.spent');
  const person = await getPerson(ctx.store, change.personId);
  if (!mayEnter(person)) throw spentLink('people.emailChange.spent');
  return { change, person };
}

/**
 * The new address is the person's. Emits person.securityChanged with the old address; links sent to the old mailbox open
 * nothing any more. Refuses: gone, conflict (somebody took the address meanwhile).
 */
export async function confirmEmailChange(ctx: Context, changeId: string): Promise<void> {
  const { change, person } = await checkEmailChange(ctx, changeId);
  const claimed = await emailChangesIn(ctx.store).findOneAndUpdate(
    { _id: changeId, usedAt: null, expiresAt: { $gt: ctx.now } },
    { $set: { usedAt: ctx.now } },
  );
  if (!claimed) throw spentLink('people.emailChange.spent');
  const { email } = change;
  const set = { email, emailKey: emailKeyOf(email), terms: termsOf({ ...person, email }) };
  const event = pending(
    { type: 'person.securityChanged', personId: person._id, what: 'email', oldEmail: person.email },
    ctx.now,
  );
  try {
    await peopleIn(ctx.store).updateOne({ _id: person._id, deletedAt: null }, { $set: set, $push: { events: event } });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    throw new DomainError('conflict', 'people.error.emailTaken', { cause: error });
  }
  await voidResets(ctx, person._id);
}
