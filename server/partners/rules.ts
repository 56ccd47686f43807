// What may become of a follow. Pure: no store, no clock of its own.
import { createHash } from 'node:crypto';
import type { Site } from '../context.js';
import { DomainError } from '../errors.js';
import type { Follow, FollowState, RemoteActor } from './schema.js';

/** The key of the one document about this pair. */
export function followKey(follower: string, followed: string): string {
  return createHash('sha256').update(`${follower} ${followed}`).digest('hex');
}

/** The id of a local actor, as it is minted once and for all. */
export function actorIri(site: Site, handle: string): string {
  return `${site.baseUrl}/actors/${handle}`;
}

export function deliveryInbox(actor: Pick<RemoteActor, 'inbox' | 'sharedInbox'>): string {
  return actor.sharedInbox ?? actor.inbox;
}

/**
 * The state after a Follow arrived with this id; null: nothing changes, it is a repeat, or it was taken back or refused
 * under the same id already.
 */
export function stateAfterFollow(
  known: Pick<Follow, 'state' | 'followIri'> | null,
  followIri: string,
  acceptsAtOnce: boolean,
): FollowState | null {
  if (known?.followIri === followIri) return null;
  if (known?.state === 'accepted') return 'accepted';
  return acceptsAtOnce ? 'accepted' : 'requested';
}

const steps: Record<'accept' | 'reject' | 'remove', { from: FollowState; to: FollowState }> = {
  accept: { from: 'requested', to: 'accepted' },
  reject: { from: 'requested', to: 'rejected' },
  remove: { from: 'accepted', to: 'rejected' },
};
export type Decision = keyof typeof steps;

/** Refuses: conflict. Somebody else decided meanwhile, or the follower took it back. */
export function checkMayDecide(
  follow: Pick<Follow, 'state'>,
  decision: Decision,
): { from: FollowState; to: FollowState } {
  const step = steps[decision];
  if (follow.state !== step.from) throw new DomainError('conflict', 'partners.error.decidedMeanwhile');
  return step;
}
