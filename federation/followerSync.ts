// Follower synchronisation (FEP-8fcf), our side as the one followed: with every delivery to followers goes a digest of those
// of them who live on the receiving server, and that server may read its own part of the list, nobody else's.
import { createHash } from 'node:crypto';
import { listFollowersOn } from '../server/partners/queries.js';
import type { Federation } from './federation.js';
import { originOf } from './iris.js';

/** More followers on one server than this are not counted anew for every delivery: then no digest is sent. */
const most = 5000;
const keepMs = 60_000;
const maxKept = 2000;

interface Known {
  digest: string | null;
  until: number;
}

const memory = new WeakMap<Federation, Map<string, Known>>();

export function synchronisationIri(federation: Federation, handle: string): string {
  return `${federation.apex.streamsOf(handle).followers}/synchronization`;
}

/** The header Collection-Synchronization for a delivery; null: nobody there follows, or too many do. */
export async function synchronisationHeader(
  federation: Federation,
  handle: string,
  inbox: string,
): Promise<string | null> {
  const origin = originOf(inbox);
  const digest = origin === null ? null : await digestFor(federation, handle, origin);
  if (digest === null) return null;
  const { followers } = federation.apex.streamsOf(handle);
  return `collectionId="${followers}", url="${synchronisationIri(federation, handle)}", digest="${digest}"`;
}

/** Ids of the accepted followers on one origin. Null: too many; a part of the list would end the follows left out. */
export async function followersOn(federation: Federation, handle: string, origin: string): Promise<string[] | null> {
  const { store } = federation.house;
  const followers = await listFollowersOn(store, federation.apex.actorIri(handle), origin, most + 1);
  return followers.length > most ? null : followers;
}

/** FEP-8fcf: the SHA-256 digests of the ids, combined by exclusive or. */
export function followersDigest(followers: readonly string[]): string {
  const sum = Buffer.alloc(32);
  for (const follower of followers) {
    const one = createHash('sha256').update(follower).digest();
    for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) ^ (one[at] ?? 0);
  }
  return sum.toString('hex');
}

/** Kept for a minute: a thousand deliveries need not count the same followers a thousand times. */
async function digestFor(federation: Federation, handle: string, origin: string): Promise<string | null> {
  const known = memory.get(federation) ?? new Map<string, Known>();
  memory.set(federation, known);
  const name = `${handle} ${origin}`;
  const kept = known.get(name);
  const now = federation.house.now().getTime();
  if (kept !== undefined && kept.until > now) return kept.digest;
  const followers = await followersOn(federation, handle, origin);
  const digest = followers === null || followers.length === 0 ? null : followersDigest(followers);
  if (known.size >= maxKept) known.clear();
  known.set(name, { digest, until: now + keepMs });
  return digest;
}
