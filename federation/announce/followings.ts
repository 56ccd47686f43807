// What our side says to those whom it follows. Called by federation/outbox.ts only.
import { findFollowing, findRemoteActor } from '../../server/partners/queries.js';
import type { Following } from '../../server/partners/schema.js';
import type { Federation } from '../federation.js';
import { localHandleIn } from '../iris.js';
import type { Announced, Draft } from '../outbox.js';
import { toFollow } from '../wire/follow.js';

/** Nothing when it was taken back before it went out. */
export async function announceFollowing(
  federation: Federation,
  event: Announced<'following.requested'>,
): Promise<Draft[]> {
  const following = await findFollowing(federation.house.store, event.followingId);
  if (following?.state !== 'pending' || following.followIri !== federation.apex.activityIri(event.eventId)) return [];
  return draft(federation, following, 'Follow', following.followed);
}

/** With the whole Follow inside, since some peers match it by its parts. */
export async function announceUnfollowing(
  federation: Federation,
  event: Announced<'following.undone'>,
): Promise<Draft[]> {
  const following = await findFollowing(federation.house.store, event.followingId);
  if (following === null) return [];
  return draft(federation, following, 'Undo', toFollow({ ...following, followIri: event.followIri }));
}

async function draft(
  federation: Federation,
  following: Following,
  type: 'Follow' | 'Undo',
  object: Draft['object'],
): Promise<Draft[]> {
  const handle = localHandleIn(federation.house.site, following.follower);
  const followed = await findRemoteActor(federation.house.store, following.followed);
  if (handle === null || followed === null || followed.goneAt !== null) return [];
  return [
    {
      actor: handle,
      type,
      subject: `following:${following._id}`,
      objectIri: null,
      object,
      to: [following.followed],
      cc: [],
      toFollowers: false,
      inboxes: [followed.inbox],
      listed: false,
    },
  ];
}
