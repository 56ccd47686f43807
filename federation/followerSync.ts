// Follower synchronisation (FEP-8fcf), both sides. As the one followed: with every delivery to followers goes a digest of those
// of them who live on the receiving server, and that server may read its own part of the list, nobody else's. As the one
// that follows: when such a digest differs from ours, our part of the list is read and put right, after the answer.
import { createHash } from 'node:crypto';
import { reconcileFollowings } from '../server/partners/actions/following.js';
import { listAcceptedFollowers, listFollowersOn } from '../server/partners/queries.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { findLocalActor } from './actors.js';
import { contextFor, type Federation } from './federation.js';
import { localHandleIn, originOf, readIri, sameOrigin } from './iris.js';
import { isObject } from './json.js';
import { Refusal } from './refusal.js';
import { fetchDocument, GoneError } from './remoteActors.js';

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

/** An actor's list is read again after this at the earliest. */
const restMs = 3_600_000;
/** Actors whose lists wait to be looked at; more are left to their next delivery. */
const mostWaiting = 100;
const maxRemembered = 10_000;

interface Followed {
  /** When the list of an actor was last read. */
  readAt: Map<string, number>;
  waiting: Map<string, () => Promise<void>>;
  running: Promise<void> | null;
}

const followed = new WeakMap<Federation, Followed>();

/**
 * The header of a delivery by an actor, after it was taken: looked at later, one actor after the other. Counts only when it is
 * about the actor's own followers and names a list on its own server.
 */
export function noteSynchronisation(federation: Federation, header: unknown, sender: RemoteActor): void {
  const claim = typeof header === 'string' ? readHeader(federation, header, sender) : null;
  if (claim === null) return;
  const state = followed.get(federation) ?? { readAt: new Map(), waiting: new Map(), running: null };
  followed.set(federation, state);
  const now = federation.house.now().getTime();
  if (now - (state.readAt.get(sender._id) ?? 0) < restMs || state.waiting.size >= mostWaiting) return;
  state.waiting.set(sender._id, () => synchronise(federation, state, sender, claim));
  state.running ??= work(federation, state);
}

/** Resolves when nothing waits any more. */
export async function whenSynchronised(federation: Federation): Promise<void> {
  await followed.get(federation)?.running;
}

async function work(federation: Federation, state: Followed): Promise<void> {
  for (;;) {
    const [next] = state.waiting;
    if (next === undefined) break;
    const [iri, look] = next;
    await look().catch((error: unknown) =>
      federation.house.log.warn({ err: error, actor: iri }, 'followers could not be compared'),
    );
    state.waiting.delete(iri);
  }
  state.running = null;
}

interface SynchronisationClaim {
  url: string;
  digest: string;
}

function readHeader(federation: Federation, header: string, sender: RemoteActor): SynchronisationClaim | null {
  if (header.length > 4096) return null;
  const { privateHosts } = federation.house;
  const parameters = new Map(
    [...header.matchAll(/([A-Za-z]{1,20})="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const url = readIri(parameters.get('url'), privateHosts);
  const collection = readIri(parameters.get('collectionId'), privateHosts);
  const digest = parameters.get('digest') ?? '';
  if (url === null || collection === null || !/^[0-9a-f]{64}$/.test(digest)) return null;
  if (!sameOrigin(url, sender._id) || collection !== sender.followers) return null;
  return { url, digest };
}

async function synchronise(
  federation: Federation,
  { readAt }: Followed,
  sender: RemoteActor,
  { url, digest }: SynchronisationClaim,
): Promise<void> {
  const { store, site, now, privateHosts } = federation.house;
  const ours = await listAcceptedFollowers(store, sender._id, most + 1);
  if (ours.length > most || followersDigest(ours) === digest) return;
  if (readAt.size >= maxRemembered) readAt.clear();
  const asOf = now();
  readAt.set(sender._id, asOf.getTime());
  const found = await fetchDocument(federation, url).catch(nothing);
  if (found === null || !sameOrigin(found.url, sender._id) || !isObject(found.json)) return;
  const { orderedItems, items } = found.json;
  const list = Array.isArray(orderedItems) ? orderedItems : items;
  // A list in pages, or none: a part of it would end the follows that are left out.
  if (!Array.isArray(list) || list.length > most || found.json.first !== undefined || found.json.next !== undefined)
    return;
  const listed = new Set(list.map((one: unknown) => readIri(isObject(one) ? one.id : one, privateHosts)));
  const named = [...listed].flatMap((iri) => (iri === null ? [] : (localHandleIn(site, iri) ?? [])));
  const known = new Set(ours);
  const actors = [];
  for (const handle of named) {
    if (known.has(federation.apex.actorIri(handle))) continue;
    const actor = await findLocalActor(federation, handle);
    if (actor === null || actor === 'gone') continue;
    const { iri, kind, ownerId } = actor;
    if (kind === 'collective' || kind === 'person') actors.push({ iri, kind, ownerId });
    if (actors.length >= mostUndone) break;
  }
  const report = await reconcileFollowings(contextFor(federation), sender._id, { listed, actors, asOf });
  federation.house.log.info({ actor: sender._id, ...report }, 'followers were compared');
}

/** Follows unknown here that are taken back in one go. */
const mostUndone = 50;

function nothing(error: unknown): null {
  if (error instanceof Refusal || error instanceof GoneError) return null;
  throw error;
}
