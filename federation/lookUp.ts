// Finds an actor elsewhere for somebody of ours, by "@user@host" or by address, before anything is said to it. Writes nothing
// but what its own server says of it.
import { findRemoteActorByName } from '../server/partners/queries.js';
import { isNameFresh, isPublicAudience } from '../server/partners/rules.js';
import type { LookUp, RemoteActor, RemotePost } from '../server/partners/schema.js';
import { findLocalActor } from './actors.js';
import type { Federation } from './federation.js';
import { isLocal, localHandleIn, readIri } from './iris.js';
import { isObject } from './json.js';
import { finger, fingerNow } from './mentions.js';
import { readLastPosts } from './outboxPreview.js';
import { Refusal } from './refusal.js';
import { fetchActor, fetchDocument, GoneError } from './remoteActors.js';
import { fetchPost } from './remoteObjects.js';
import { fromPost } from './wire/remotePost.js';

const handlePattern = /^@?([\p{L}\p{N}._-]{1,100})@([^\s@/]{1,253})$/u;

/** The public post at an address, from its own server; null: none, or none that can be read now. */
export async function lookUpPost(federation: Federation, typed: string): Promise<RemotePost | null> {
  const iri = readIri(typed.trim(), federation.house.privateHosts);
  const post = iri === null ? null : await fetchPost(federation, iri);
  return post !== null && post !== 'gone' && isPublicAudience(post.audience) ? post : null;
}

/** What stands at the address now. Never rejects for what the other side does. */
export async function lookUpActor(federation: Federation, typed: string): Promise<LookUp> {
  try {
    const found = await find(federation, typed.trim());
    if (found.outcome !== 'found') return found;
    const [followersCount, posts] = await Promise.all([
      countFollowers(federation, found.actor),
      inTime(readLastPosts(federation, found.actor), []),
    ]);
    return { ...found, followersCount, posts };
  } catch (error) {
    if (error instanceof GoneError) return { outcome: 'failed', reason: 'not-found' };
    if (error instanceof Refusal) {
      return { outcome: 'failed', reason: error.status === 401 ? 'not-found' : 'unavailable' };
    }
    throw error;
  }
}

async function find(federation: Federation, typed: string): Promise<LookUp> {
  const { privateHosts, site } = federation.house;
  const [, user = '', typedHost = ''] = handlePattern.exec(typed) ?? [];
  if (user !== '') {
    const host = asciiHost(typedHost);
    if (host === null) return { outcome: 'failed', reason: 'invalid' };
    if (host === site.host) return local(federation, user.toLowerCase());
    const actor = await fingerNow(federation, user.toLowerCase(), host);
    if (actor === 'silent') return { outcome: 'failed', reason: 'unavailable' };
    return actor ? found(actor) : { outcome: 'failed', reason: 'not-found' };
  }
  const iri = readIri(typed, privateHosts);
  if (iri === null) return { outcome: 'failed', reason: 'invalid' };
  if (isLocal(site, iri)) {
    const [, name] = /^\/@([a-z0-9_]{1,30})$/.exec(new URL(iri).pathname) ?? [];
    return local(federation, localHandleIn(site, iri) ?? name ?? '');
  }
  return found(await fetchByAddress(federation, iri));
}

/** A page for people often bears another address than its actor: the id that the document names is asked, once. */
async function fetchByAddress(federation: Federation, address: string): Promise<RemoteActor> {
  const { json } = await fetchDocument(federation, address);
  // Asked again as an actor, it would be remembered as something that cannot be read.
  if (fromPost(json, federation.house.privateHosts, federation.house.now())) throw new Refusal(401, 'it is a post');
  const id = isObject(json) ? readIri(json.id, federation.house.privateHosts) : null;
  if (id === null || isLocal(federation.house.site, id)) throw new Refusal(401, 'there is no actor at that address');
  return fetchActor(federation, id);
}

/** Who bears the name "user@host", by what is known here or by its own server; null: nobody that can be read now. */
export async function findNamed(federation: Federation, address: string): Promise<RemoteActor | null> {
  const [user = '', host = ''] = address.split('@');
  const { now, store } = federation.house;
  const known = await findRemoteActorByName(store, address.toLowerCase());
  return known && isNameFresh(known, now()) ? known : finger(federation, user.toLowerCase(), host.toLowerCase());
}

function found(actor: RemoteActor): LookUp {
  return { outcome: 'found', actor, followersCount: null, posts: [] };
}

async function local(federation: Federation, handle: string): Promise<LookUp> {
  const actor = await findLocalActor(federation, handle);
  return actor === null || actor === 'gone'
    ? { outcome: 'failed', reason: 'not-found' }
    : { outcome: 'local', handle: actor.handle };
}

/** In letters that every parser reads alike; null: no host. */
function asciiHost(host: string): string | null {
  return URL.canParse(`https://${host}/`) ? new URL(`https://${host}/`).host : null;
}

/** Milliseconds for what may be missing from the page. */
const patienceMs = 5000;

async function inTime<T>(wanted: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), patienceMs);
  });
  return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
}

/** As its own server claims; null: it does not say. */
async function countFollowers(federation: Federation, actor: RemoteActor): Promise<number | null> {
  if (!actor.followers) return null;
  try {
    const { json } = await fetchDocument(federation, actor.followers);
    const total = isObject(json) ? json.totalItems : null;
    return typeof total === 'number' && Number.isSafeInteger(total) && total >= 0 ? total : null;
  } catch (error) {
    if (error instanceof Refusal || error instanceof GoneError) return null;
    throw error;
  }
}
