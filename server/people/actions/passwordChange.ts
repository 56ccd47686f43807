// New passwords: by who knows the old one, or by a link to the mailbox. Every session ends with the old password.
import type { Context, Language } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { endSessions } from '../../http/session.js';
import { newId } from '../../ids.js';
import { emailChangesIn, findPersonByEmail, getPerson, peopleIn, resetsIn } from '../queries.js';
import { checkMayManagePeople, isLinkOpen, lifetimes, mayEnter, spentLink } from '../rules.js';
import type { Person, Reset } from '../schema.js';
import { hashPassword } from './passwords.js';
import { checkProof } from './signIn.js';

/** Emits person.securityChanged; ends every session, this one too. Refuses: invalid (old password). Returns the person as now. */
export async function changePassword(
  ctx: Context,
  personId: string,
  input: { current: string; password: string },
): Promise<Person> {
  const person = await getPerson(ctx.store, personId);
  await checkProof(person, input.current);
  return setPassword(ctx, person, input.password);
}

/** For the command line on the machine itself; administrators in the browser start a reset instead. Refuses: not-allowed. */
export async function setPasswordBySystem(ctx: Context, personId: string, password: string): Promise<Person> {
  if (ctx.actor?.kind !== 'system') throw new DomainError('not-allowed', 'people.error.administratorsOnly');
  return setPassword(ctx, await getPerson(ctx.store, personId), password);
}

async function setPassword(ctx: Context, person: Person, password: string): Promise<Person> {
  const hash = await hashPassword(password);
  const event = pending({ type: 'person.securityChanged', personId: person._id, what: 'password' }, ctx.now);
  const updated = await peopleIn(ctx.store).findOneAndUpdate(
    { _id: person._id, sessionEpoch: person.sessionEpoch, deletedAt: null },
    {
      $set: { 'credentials.password': { hash, changedAt: ctx.now } },
      $inc: { sessionEpoch: 1 },
      $push: { events: event },
    },
    { returnDocument: 'after' },
  );
  if (!updated) throw new DomainError('conflict', 'people.error.changedMeanwhile');
  await voidResets(ctx, person._id);
  await voidEmailChanges(ctx, person._id);
  await endSessions(ctx.store, person._id);
  return updated;
}

/**
 * Somebody asks for a link to choose a new password. Emits person.resetRequested when the address is of somebody who
 * may enter; else leaves a link that opens nothing, so that both cost the same. Never refuses, never says which.
 */
export async function requestReset(ctx: Context, email: string): Promise<void> {
  const person = await findPersonByEmail(ctx.store, email);
  const known = person !== null && mayEnter(person);
  await voidResets(ctx, known ? person._id : 'nobody');
  await insertReset(ctx, known ? person._id : null, 'self');
}

/** An administrator sends somebody a link to choose a new password. Emits person.resetRequested. Refuses: not-allowed, not-found, closed. */
export async function startReset(ctx: Context, personId: string): Promise<Reset> {
  checkMayManagePeople(ctx.actor);
  const person = await getPerson(ctx.store, personId);
  if (!mayEnter(person)) throw new DomainError('closed', 'people.error.disabledPerson');
  await voidResets(ctx, personId);
  return insertReset(ctx, personId, 'administrator');
}

async function insertReset(ctx: Context, personId: string | null, requestedBy: Reset['requestedBy']): Promise<Reset> {
  const _id = newId();
  const reset: Reset = {
    _id,
    personId,
    requestedBy,
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + lifetimes.reset),
    usedAt: null,
    events: personId === null ? [] : [pending({ type: 'person.resetRequested', resetId: _id }, ctx.now)],
  };
  await resetsIn(ctx.store).insertOne(reset);
  return reset;
}

/** The link is good, and its person may enter. Looking does not use it up: mail scanners look. Refuses: gone. */
export async function checkReset(
  ctx: Context,
  resetId: string,
): Promise<{ person: Person; language: Language | null }> {
  const reset = await resetsIn(ctx.store).findOne({ _id: resetId });
  if (!reset?.personId || !isLinkOpen(reset, ctx.now)) throw spentLink('people.reset.spent');
  const person = await getPerson(ctx.store, reset.personId);
  if (!mayEnter(person)) throw spentLink('people.reset.spent');
  return { person, language: person.language };
}

/**
 * A new password by link: works once, also when sent fifty times at once. Emits person.securityChanged; ends every
 * session; whoever used it still has to sign in. Refuses: gone.
 */
export async function resetPassword(ctx: Context, resetId: string, password: string): Promise<void> {
  const { person } = await checkReset(ctx, resetId);
  const claimed = await resetsIn(ctx.store).findOneAndUpdate(
    { _id: resetId, usedAt: null, expiresAt: { $gt: ctx.now } },
    { $set: { usedAt: ctx.now } },
  );
  if (!claimed) throw spentLink('people.reset.spent');
  await setPassword(ctx, person, password);
}

/** Links sent before open nothing any more: a newer one, a new password or a new address took their place. */
export async function voidResets(ctx: Context, personId: string): Promise<void> {
  await resetsIn(ctx.store).updateMany({ personId, usedAt: null }, { $set: { usedAt: ctx.now } });
}

/** Nor does a new address that was asked for with the old password, perhaps by somebody who had stolen it. */
export async function voidEmailChanges(ctx: Context, personId: string): Promise<void> {
  await emailChangesIn(ctx.store).updateMany({ personId, usedAt: null }, { $set: { usedAt: ctx.now } });
}
