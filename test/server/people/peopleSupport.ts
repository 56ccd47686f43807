// What the tests about people share: how a refusal is expected, how a link is made as the mail would hold it.
import { expect } from 'chai';
import { DomainError, type ErrorCode } from '../../../server/errors.js';
import type { EventOf, EventType, PendingEvent } from '../../../server/events.js';
import type { House } from '../../../server/house.js';
import { signLink } from '../../../server/secrets.js';
import type { Doc } from '../../../server/store/store.js';

/** The deed is refused with this code and message key. */
export async function expectRefusal(deed: Promise<unknown>, code: ErrorCode, key?: string): Promise<DomainError> {
  try {
    await deed;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    expect(error.code).to.equal(code);
    if (key !== undefined) expect(error.safeMessage.key).to.equal(key);
    return error;
  }
  throw new Error(`it was not refused (${code} expected)`);
}

export function linkTo(house: House, page: 'setup' | 'invitations' | 'reset' | 'email-changes', id: string): string {
  const purpose = page === 'invitations' ? 'invitation' : page === 'email-changes' ? 'email-change' : page;
  return `/${page}/${signLink(house.secret, purpose, id)}`;
}

/** Events of a type that wait in a collection, oldest first. */
export async function waiting<T extends EventType>(
  house: House,
  collection: string,
  type: T,
): Promise<(EventOf<T> & PendingEvent)[]> {
  const docs = await house.store.collection<Doc & { events?: PendingEvent[] }>(collection).find().toArray();
  return docs
    .flatMap((one) => one.events ?? [])
    .filter((event): event is EventOf<T> & PendingEvent => event.type === type);
}

/** How many of the deeds went through; the others must have been refused with this code. */
export async function winners(deeds: Promise<unknown>[], code: ErrorCode): Promise<number> {
  const outcomes = await Promise.allSettled(deeds);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected')
      expect((outcome.reason as DomainError).code, String(outcome.reason)).to.equal(code);
  }
  return outcomes.filter((one) => one.status === 'fulfilled').length;
}
