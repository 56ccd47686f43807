// Other instances and what waits for them as plain data. Names and errors come from elsewhere: shown as text only.
import type { PeerDelivery, PeerLine } from './peerQueries.js';
import type { Peer } from './schema.js';

export function presentPeer({ peer, waiting, failed, leftOut }: PeerLine) {
  return {
    inboundLimit: peer.inboundLimit ?? null,
    host: peer._id,
    href: `/admin/peers/${peer._id}`,
    software: [peer.software, peer.version].filter(Boolean).join(' '),
    lastInAt: peer.lastInAt,
    lastOutAt: peer.lastOutAt,
    firstSeenAt: peer.firstSeenAt,
    waiting,
    failed,
    leftOut,
  };
}

/** A failure that happens often, in words (key); null: only what was noted of it can be shown. */
export function whyNot(error: string | null): string | null {
  const [, why] = /(?:^|: )(timeout|unreachable|refused-address): /.exec(error ?? '') ?? [];
  return why === undefined ? null : `instances.deliveries.why.${why}`;
}

export function presentPeerDelivery({ row, activity }: PeerDelivery) {
  const base = `/admin/peers/${row.host}/deliveries/${encodeURIComponent(row._id)}`;
  return {
    type: activity?.type ?? row.activityId,
    inbox: row.inbox,
    isFailed: row.state === 'failed',
    isHeld: row.state === 'held',
    at: row.failedAt ?? row.nextAt,
    attempts: row.attempts,
    why: whyNot(row.lastError),
    error: row.lastError ?? '',
    payload: readable(activity?.json ?? ''),
    retryAction: `${base}/retry`,
    dropAction: `${base}/drop`,
  };
}

/** How many activities of the instance were refused on this day because they were too many. */
export function refusedOn({ refusedDay, refusedCount }: Peer, now: Date): number {
  return refusedDay === now.toISOString().slice(0, 10) ? (refusedCount ?? 0) : 0;
}

/** The activity as it is sent, one field a line. */
function readable(json: string): string {
  return json === '' ? '' : JSON.stringify(JSON.parse(json), null, 2);
}
