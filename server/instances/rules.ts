// Who may run the instance, and what its state is worth a warning.
import type { Actor } from '../context.js';
import { DomainError } from '../errors.js';

export function mayAdminister(actor: Actor): boolean {
  return actor?.kind === 'system' || (actor?.kind === 'person' && actor.instanceRole === 'administrator');
}

/** Refuses: not-found, since the administration does not exist for others. */
export function checkMayAdminister(actor: Actor): void {
  if (!mayAdminister(actor)) throw new DomainError('not-found', 'error.notFound');
}
