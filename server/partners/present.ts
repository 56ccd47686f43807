// Followers as plain data for templates. Names come from other servers: shown as text, always with the address behind them.
import { editPath, paged, presentEditFrame, safeHref } from '../collectives/present.js';
import { mayManageCollective } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Actor, Language } from '../context.js';
import type { FollowPage } from './queries.js';
import type { Follow, RemoteActor } from './schema.js';

export function followersPath(collective: Pick<Collective, '_id'>): string {
  return `${editPath(collective)}/followers`;
}

export function presentFollowers(
  actor: Actor,
  collective: Collective,
  { requests, followers }: { requests: FollowPage; followers: FollowPage },
  { fediverseName, language }: { fediverseName: string; language: Language },
) {
  const base = followersPath(collective);
  const canDecide = mayManageCollective(actor, collective);
  return {
    frame: presentEditFrame(actor, collective, 'followers', language),
    fediverseName,
    isByHand: collective.acceptsFollowers === 'by-hand',
    requests: requests.items.map((item) => presentFollow(item, base, canDecide)),
    requestsTotal: requests.total,
    followers: followers.items.map((item) => presentFollow(item, base, canDecide)),
    followersTotal: followers.total,
    can: { decide: canDecide },
    paging: paged(base, {}, { page: followers.page, pages: followers.pages }),
  };
}

function presentFollow(
  { follow, actor }: { follow: Follow; actor: RemoteActor | null },
  base: string,
  canDecide: boolean,
) {
  const handle = actor ? `@${actor.handle}` : follow.follower;
  const deed = (verb: string) => (canDecide ? `${base}/${follow._id}/${verb}` : null);
  return {
    name: actor?.name || handle,
    handle,
    href: safeHref(actor?.url ?? null) ?? safeHref(follow.follower),
    since: follow.decidedAt ?? follow.requestedAt,
    acceptAction: deed('accept'),
    rejectAction: deed('reject'),
    removeAction: deed('remove'),
  };
}
