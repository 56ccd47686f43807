// Invitations by mail link: one person, one role, once, within 14 days, unless taken back before.

import { addMember } from '../../collectives/actions.js';
import { actorName, type Context, type Language } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { newId } from '../../ids.js';
import { actorOf, findPerson, findPersonByEmail, getPerson, invitationsIn } from '../queries.js';
import {
  checkMayInvite,
  emailKeyOf,
  hour,
  isAdministrator,
  lifetimes,
  mayEnter,
  mayInvite,
  type Offer,
  spentLink,
  stateOfInvitation,
} from '../rules.js';
import type { AccountInput, Invitation, Person } from '../schema.js';
import { changeInstanceRole } from './access.js';
import { insertPerson } from './accounts.js';

export interface NewInvitation extends Offer {
  email: string;
  /** Language of the mail and of the page; the inviter's unless told. */
  language: Language;
}

/** Mails that one address may be sent in an hour. */
const mailsPerHour = 3;

/**
 * Sends an invitation; an open one to the same address for the same place is replaced. Emits person.invited.
 * Refuses: not-allowed, conflict (is there already), too-many (three an hour to one address).
 */
export async function invitePerson(ctx: Context, input: NewInvitation): Promise<Invitation> {
  checkMayInvite(ctx.actor, input);
  const emailKey = emailKeyOf(input.email);
  await checkIsWorthwhile(ctx, input);
  const since = new Date(ctx.now.getTime() - hour);
  const recent = await invitationsIn(ctx.store).countDocuments({ emailKey, createdAt: { $gt: since } });
  if (recent >= mailsPerHour) {
    throw new DomainError('too-many', 'people.error.tooManyMails', { field: 'email', retryAfter: hour / 1000 });
  }
  const _id = newId();
  const invitation: Invitation = {
    _id,
    email: input.email,
    emailKey,
    instanceRole: input.instanceRole,
    collective: input.collective,
    language: input.language,
    invitedBy: actorName(ctx.actor),
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + lifetimes.invitation),
    usedAt: null,
    usedBy: null,
    revokedAt: null,
    events: [pending({ type: 'person.invited', invitationId: _id }, ctx.now)],
  };
  await invitationsIn(ctx.store).insertOne(invitation);
  await invitationsIn(ctx.store).updateMany(
    { emailKey, createdAt: { $lte: ctx.now }, _id: { $ne: _id }, usedAt: null, revokedAt: null, ...samePlace(input) },
    { $set: { revokedAt: ctx.now } },
  );
  return invitation;
}

function samePlace(offer: Offer) {
  return offer.collective ? { 'collective.id': offer.collective.id } : { collective: null };
}

/** Who has an account is invited into a collective only; an account or a role comes from the list of people. */
async function checkIsWorthwhile(ctx: Context, input: NewInvitation): Promise<void> {
  if (input.collective || !isAdministrator(ctx.actor)) return;
  if (await findPersonByEmail(ctx.store, input.email)) {
    throw new DomainError('conflict', 'people.error.hasAccount', { field: 'email' });
  }
}

/** Takes an invitation back: its link opens nothing any more. Refuses: not-found, not-allowed, closed (used). Idempotent. */
export async function revokeInvitation(ctx: Context, invitationId: string): Promise<void> {
  const invitation = await invitationsIn(ctx.store).findOne({ _id: invitationId });
  if (!invitation) throw new DomainError('not-found', 'error.notFound');
  checkMayInvite(ctx.actor, invitation);
  const revoked = await invitationsIn(ctx.store).updateOne(
    { _id: invitationId, usedAt: null },
    { $set: { revokedAt: invitation.revokedAt ?? ctx.now } },
  );
  if (revoked.matchedCount === 0) throw new DomainError('closed', 'people.invitation.used');
}

/** The invitation as long as its link is good. Looking does not use it up. Refuses: gone. */
export async function checkInvitation(ctx: Context, invitationId: string): Promise<Invitation> {
  const invitation = await invitationsIn(ctx.store).findOne({ _id: invitationId });
  const state = invitation ? stateOfInvitation(invitation, ctx.now) : 'expired';
  if (!invitation || (state !== 'open' && !(state === 'used' && (await isHalfDone(ctx, invitation))))) {
    throw spentLink(`people.invitation.${state}`);
  }
  if (!(await isStillMeant(ctx, invitation))) throw spentLink('people.invitation.revoked');
  return invitation;
}

/** Who lost the right to invite keeps no way back through the invitations written before. */
async function isStillMeant(ctx: Context, invitation: Invitation): Promise<boolean> {
  if (invitation.invitedBy.startsWith('system:')) return true;
  const inviting = await findPerson(ctx.store, invitation.invitedBy);
  return inviting !== null && mayEnter(inviting) && mayInvite(await actorOf(ctx.store, inviting), invitation);
}

/** The process died between taking the link and making the account: five minutes later the link is good again. */
async function isHalfDone(ctx: Context, invitation: Invitation): Promise<boolean> {
  if (!invitation.usedBy || !invitation.usedAt || ctx.now.getTime() - invitation.usedAt.getTime() < 5 * 60_000)
    return false;
  return (await findPerson(ctx.store, invitation.usedBy)) === null;
}

/**
 * A new account by invitation, with the invited address and role and no other. Emits person.created. Works once, also
 * when sent many times at once. Refuses: gone, invalid, conflict (name taken, or the address has an account: join instead).
 */
export async function acceptInvitation(ctx: Context, invitationId: string, input: AccountInput): Promise<Person> {
  const invitation = await checkInvitation(ctx, invitationId);
  const personId = newId();
  await claim(ctx, invitation, personId);
  let person: Person;
  try {
    person = await insertPerson(ctx, personId, {
      ...input,
      email: invitation.email,
      instanceRole: invitation.instanceRole,
      language: invitation.language,
      invitationId,
    });
  } catch (error) {
    await release(ctx, invitationId, personId);
    throw error;
  }
  await takeIn(ctx, invitation, person);
  return person;
}

/** Who has an account already takes the invited place with it. Refuses: gone, not-allowed (invitation to another address). */
export async function joinByInvitation(ctx: Context, invitationId: string, personId: string): Promise<void> {
  const invitation = await checkInvitation(ctx, invitationId);
  const person = await getPerson(ctx.store, personId);
  if (person.emailKey !== invitation.emailKey || !mayEnter(person)) {
    throw new DomainError('not-allowed', 'people.invitation.otherAddress');
  }
  await claim(ctx, invitation, personId);
  try {
    await takeIn(ctx, invitation, person);
    if (invitation.instanceRole && person.instanceRole !== 'administrator') {
      await changeInstanceRole(inviter(ctx), personId, invitation.instanceRole);
    }
  } catch (error) {
    await release(ctx, invitationId, personId);
    throw error;
  }
}

/** One of many wins: the link is used from here on. Refuses: gone. */
async function claim(ctx: Context, invitation: Invitation, personId: string): Promise<void> {
  const claimed = await invitationsIn(ctx.store).findOneAndUpdate(
    { _id: invitation._id, usedBy: invitation.usedBy, revokedAt: null, expiresAt: { $gt: ctx.now } },
    { $set: { usedAt: ctx.now, usedBy: personId } },
  );
  if (!claimed) throw spentLink('people.invitation.used');
}

async function release(ctx: Context, invitationId: string, personId: string): Promise<void> {
  await invitationsIn(ctx.store).updateOne(
    { _id: invitationId, usedBy: personId },
    { $set: { usedAt: null, usedBy: null } },
  );
}

async function takeIn(ctx: Context, invitation: Invitation, person: Person): Promise<void> {
  if (!invitation.collective) return;
  const { id, role } = invitation.collective;
  try {
    await addMember(inviter(ctx), id, { personId: person._id, role });
  } catch (error) {
    const isMemberAlready = error instanceof DomainError && error.code === 'conflict';
    if (!isMemberAlready) throw error;
  }
}

/** The right is that of who invited, looked at with the link; who uses it has none yet. */
function inviter(ctx: Context): Context {
  return { ...ctx, actor: { kind: 'system', name: 'invitation' } };
}
