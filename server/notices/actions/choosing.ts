// What a person decides about what reaches them: stop a kind of mail, say that an address works, the private feeds.
import { randomUUID } from 'node:crypto';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { updatePerson } from '../../people/actions/accounts.js';
import { findPerson, markAddressProblem } from '../../people/queries.js';
import { mayEnter } from '../../people/rules.js';
import type { Person } from '../../people/schema.js';
import { feedsIn, forgetFeeds } from '../queries.js';
import { isOptional } from '../rules.js';
import { type LetterKind, letterKinds } from '../schema.js';

/**
 * Stops the mails of a kind to a person, or lets them go again. The caller has proved that it holds the address from such a
 * mail. Idempotent. Refuses: gone (no such person or kind any more).
 */
export async function stopMails(
  ctx: Context,
  { personId, kind, again }: { personId: string; kind: string; again: boolean },
): Promise<void> {
  const person = await findPerson(ctx.store, personId);
  const known = letterKinds.find((one): one is LetterKind => one === kind);
  if (!person || !mayEnter(person) || known === undefined || !isOptional(known)) {
    throw new DomainError('gone', 'notices.stop.spent');
  }
  const set: Partial<Person> =
    known === 'digest'
      ? { digest: again ? 'weekly' : 'off' }
      : { mailChoices: { ...person.mailChoices, [known]: again ? 'at-once' : 'off' } };
  await updatePerson(ctx, { _id: personId, deletedAt: null }, set, null);
}

/** Mails that one may do without go out again to an address that a mail server had refused. */
export async function confirmAddress(ctx: Context, personId: string): Promise<void> {
  await markAddressProblem(ctx.store, personId, null);
}

/** A new private address for the person's feeds; the one before opens nothing any more. */
export async function makeFeed(ctx: Context, personId: string): Promise<void> {
  await forgetFeeds(ctx.store, personId);
  await feedsIn(ctx.store).insertOne({ _id: randomUUID(), personId, createdAt: ctx.now });
}

export async function revokeFeed(ctx: Context, personId: string): Promise<void> {
  await forgetFeeds(ctx.store, personId);
}
