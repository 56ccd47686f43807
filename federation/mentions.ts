// Whom a post names: actors of ours by their handle, actors elsewhere by user@host, from our records or by WebFinger
// (RFC 7033). A name that cannot be resolved stays text: a post never waits for somebody else's server.
import { setTimeout as pause } from 'node:timers/promises';
import { confirmName } from '../server/partners/actions.js';
import { findRemoteActorByName } from '../server/partners/queries.js';
import { isNameFresh } from '../server/partners/rules.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { findLocalActor } from './actors.js';
import { contextFor, type Federation } from './federation.js';
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
  const name = mention.toLowerCase();
  const known = await findRemoteActorByName(store, name);
  if (known && isNameFresh(known, federation.house.now())) return mentioned(mention, known);
  const asked = lookups.left-- > 0 ? finger(federation, user.toLowerCase(), host.toLowerCase()) : null;
  const found = await Promise.race([asked, lookups.over]);
  if (found?.acct === name) return mentioned(mention, found);
  // Its server says nothing now: what it said last counts, unless it has given the name to somebody else.
  const last = known && (await findRemoteActorByName(store, name));
  return last && mentioned(mention, last);
}

function mentioned(mention: string, actor: RemoteActor): Mentioned {
  return { mention, iri: actor._id, page: actor.url ?? actor._id, actor };
}

/**
 * The actor that a server names for user@host, wherever it lives: show its own handle, not the one asked for. When the name is
 * the actor's own it is kept as such (`acct`): the host of a name alone says whose it is, never the actor's document.
 */
export async function finger(federation: Federation, user: string, host: string): Promise<RemoteActor | null> {
  const found = await fingerNow(federation, user, host);
  return found === 'silent' ? null : found;
}

/** As finger does; 'silent': a server that it takes does not answer now. */
export async function fingerNow(
  federation: Federation,
  user: string,
  host: string,
): Promise<RemoteActor | 'silent' | null> {
  const name = `${user}@${host}`;
  const said = await ask(federation, originFor(federation, host), `acct:${name}`);
  if (said.self === null) return said.isSilent ? 'silent' : null;
  try {
    const actor = await fetchActor(federation, said.self);
    if (actor._id !== said.self || !(await bears(federation, actor, name))) return actor;
    await confirmName(contextFor(federation), actor._id, name);
    return { ...actor, acct: name, handle: name };
  } catch (error) {
    if (error instanceof GoneError) return null;
    if (error instanceof Refusal) return error.status === 401 ? null : 'silent';
    throw error;
  }
}

/**
 * Whether an actor takes a name that the name's server gives it. Where that is another server than its own, its document must
 * say so (`webfinger`, FEP-2c59), or its own server's WebFinger.
 */
async function bears(federation: Federation, actor: RemoteActor, name: string): Promise<boolean> {
  if (name.endsWith(`@${actor.host}`)) return actor.handle === name;
  if (actor.webfinger) return actor.webfinger === name;
  const said = await ask(federation, originFor(federation, actor.host), `acct:${actor.handle}`);
  return said.self === actor._id && said.subject === `acct:${name}`;
}

function originFor(federation: Federation, host: string): string {
  return `${federation.house.privateHosts.includes(host) ? 'http' : 'https'}://${host}`;
}

/** Id of the actor by which a server itself acts (FEP-d556: WebFinger of its front page), on its own origin; null: none. */
export async function findInstanceActor(federation: Federation, origin: string): Promise<string | null> {
  const { self } = await ask(federation, origin, `${origin}/`);
  return self !== null && sameOrigin(self, origin) ? self : null;
}

interface Answer {
  /** In lower case. */
  subject: string | null;
  self: string | null;
  /** Nothing came, and may come later. */
  isSilent: boolean;
}

const noAnswer: Answer = { subject: null, self: null, isSilent: false };

async function ask(federation: Federation, origin: string, resource: string): Promise<Answer> {
  const query = encodeURIComponent(resource);
  const answer = await federation.fetch.fetchText(`${origin}/.well-known/webfinger?resource=${query}`, {
    maxBytes: 100_000,
    timeoutMs: 5000,
    accept: 'application/jrd+json, application/json;q=0.9',
  });
  if (answer.outcome === 'read') return readAnswer(answer.body, federation.house.privateHosts);
  const isSilent =
    answer.outcome === 'failed' &&
    (answer.reason === 'unreachable' || answer.reason === 'timeout' || (answer.status ?? 0) >= 500);
  return { ...noAnswer, isSilent };
}

function readAnswer(body: Uint8Array, privateHosts: readonly string[]): Answer {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return noAnswer;
  }
  if (!isObject(json)) return noAnswer;
  const links = Array.isArray(json.links) ? json.links : [];
  const self = links.find(
    (link) => isObject(link) && link.rel === 'self' && /activity\+json|ld\+json/.test(String(link.type)),
  );
  return {
    subject: typeof json.subject === 'string' ? json.subject.slice(0, 500).toLowerCase() : null,
    self: isObject(self) ? readIri(self.href, privateHosts) : null,
    isSilent: false,
  };
}
