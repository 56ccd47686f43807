// Our answers to those who ask to follow. Called by federation/outbox.ts only.
import { findFollow, findRemoteActor } from '../../server/partners/queries.js';
import type { FollowState } from '../../server/partners/schema.js';
import type { Federation } from '../federation.js';
import { localHandleIn } from '../iris.js';
import type { Announced, Draft } from '../outbox.js';
import { toFollow } from '../wire/follow.js';

export function announceAccept(federation: Federation, event: Announced<'follow.accepted'>): Promise<Draft[]> {
  return answer(federation, event.followId, 'Accept', 'accepted');
}

export function announceReject(federation: Federation, event: Announced<'follow.rejected'>): Promise<Draft[]> {
  return answer(federation, event.followId, 'Reject', 'rejected');
}

/** Nothing is said when it has been decided otherwise meanwhile: that decision has its own event. */
async function answer(
  federation: Federation,
  followId: string,
  type: 'Accept' | 'Reject',
  state: FollowState,
): Promise<Draft[]> {
  const { site, store } = federation.house;
  const follow = await findFollow(store, followId);
  const handle = follow === null ? null : localHandleIn(site, follow.followed);
  if (follow?.state !== state || handle === null) return [];
  const follower = await findRemoteActor(store, follow.follower);
  return [
    {
      actor: handle,
      type,
      subject: `follow:${followId}`,
      objectIri: null,
      object: toFollow(follow),
      to: [follow.follower],
      cc: [],
      toFollowers: false,
      inboxes: [follower?.inbox ?? follow.deliverTo],
      listed: false,
    },
  ];
}
