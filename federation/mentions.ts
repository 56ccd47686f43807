// Whom a post names: actors of ours by their handle, actors elsewhere by user@host, from our records or by WebFinger
// (RFC 7033). A name that cannot be resolved stays text: a post never waits for somebody else's server.
import { setTimeout as pause } from 'node:timers/promises';
import { findRemoteActorByHandle } from '../server/partners/queries.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { findLocalActor } from './actors.js';
import type { Federation } from './federation.js';
import { readIri, sameOrigin } from './iris.js';
import { isObject } from './json.js';
import { Refusal } from './refusal.js';
import { fetchActor, GoneError } from './remoteActors.js';

export interface Mentioned {
  /** As in the text, without the leading @. */
  mention: string;
  iri: string;
  /** The page for people. */
  page: string;
  /** Null: an actor of ours. */
  actor: RemoteActor | null;
}

/** Names looked up over the network for one post. */
const maxLookups = 5;
/** For all of them together: what is said waits for nobody longer, and neither does what comes after it. */
const patienceMs = 2500;

interface Lookups {
  left: number;
  /** When nobody is waited for any more. */
  over: Promise<null>;
}

/** All at once and for a moment: an actor found too late is known the next time. */
export async function resolveMentions(federation: Federation, names: readonly string[]): Promise<Mentioned[]> {
  const timer = new AbortController();
  const over = pause(patienceMs, null, { signal: timer.signal, ref: false }).catch(() => null);
  const lookups = { left: maxLookups, over };
  try {
    const found = await Promise.all(names.map((mention) => resolve(federation, mention, lookups)));
    return found.filter((one) => one !== null);
  } finally {
    timer.abort();
  }
}

async function resolve(federation: Federation, mention: string, lookups: Lookups): Promise<Mentioned | null> {
  const { site, store } = federation.house;
  const [user = '', host = site.host] = mention.split('@');
  if (host === site.host) {
    const local = await findLocalActor(federation, user);
    if (local === null || local === 'gone') return null;
    return { mention, iri: local.iri, page: `${site.baseUrl}/@${local.handle}`, actor: null };
  }
  const known = await findRemoteActorByHandle(store, mention);
  const actor =
    known && known.goneAt === null
      ? known
      : lookups.left-- > 0
        ? await Promise.race([lookUp(federation, user, host), lookups.over])
        : null;
  return actor && { mention, iri: actor._id, page: actor.url ?? actor._id, actor };
}

/** The actor that a server names for user@host and that bears this name; null: none that can be read now. */
async function lookUp(federation: Federation, user: string, host: string): Promise<RemoteActor | null> {
  const actor = await finger(federation, user, host);
  return actor?.handle === `${user}@${host}` ? actor : null;
}

/** The actor that a server names for user@host, wherever it lives: show its own handle, not the one asked for. */
export async function finger(federation: Federation, user: string, host: string): Promise<RemoteActor | null> {
  const scheme = federation.house.privateHosts.includes(host) ? 'http' : 'https';
  const iri = await ask(federation, `${scheme}://${host}`, `acct:${user}@${host}`);
  if (iri === null) return null;
  try {
    return await fetchActor(federation, iri);
  } catch (error) {
    if (error instanceof Refusal || error instanceof GoneError) return null;
    throw error;
  }
}

/** Id of the actor by which a server itself acts (FEP-d556: WebFinger of its front page), on its own origin; null: none. */
export async function findInstanceActor(federation: Federation, origin: string): Promise<string | null> {
  const iri = await ask(federation, origin, `${origin}/`);
  return iri !== null && sameOrigin(iri, origin) ? iri : null;
}

async function ask(federation: Federation, origin: string, resource: string): Promise<string | null> {
  const query = encodeURIComponent(resource);
  const answer = await federation.fetch.fetchText(`${origin}/.well-known/webfinger?resource=${query}`, {
    maxBytes: 100_000,
    timeoutMs: 5000,
    accept: 'application/jrd+json, application/json;q=0.9',
  });
  return answer.outcome === 'read' ? selfOf(answer.body, federation.house.privateHosts) : null;
}

function selfOf(body: Uint8Array, privateHosts: readonly string[]): string | null {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
  const links = isObject(json) && Array.isArray(json.links) ? json.links : [];
  const self = links.find(
    (link) => isObject(link) && link.rel === 'self' && /activity\+json|ld\+json/.test(String(link.type)),
  );
  return isObject(self) ? readIri(self.href, privateHosts) : null;
}
