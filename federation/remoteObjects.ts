// What others wrote, asked of its own server: for boosts, whose inline copies are never believed (FEP-fe34), and for threads.
// At most three fetches for one object: the document, the same under its own id, its author.

import { claimRefresh, receivePostChange } from '../server/partners/actions/feed.js';
import { findRemoteActor } from '../server/partners/queries.js';
import { isPollStale } from '../server/partners/rules.js';
import type { RemotePost } from '../server/partners/schema.js';
import type { Errand } from './errand.js';
import { contextFor, type Federation } from './federation.js';
import { isLocal, readIri, sameDocument, sameOrigin, withoutFragment } from './iris.js';
import { isObject } from './json.js';
import { Refusal } from './refusal.js';
import { fetchActor, fetchDocument, GoneError } from './remoteActors.js';
import { fromPost } from './wire/remotePost.js';

/** 'gone': its server says that it is no more. Null: not readable now, or nothing that is read here. */
export async function fetchPost(federation: Federation, iri: string): Promise<RemotePost | 'gone' | null> {
  try {
    return await readPost(federation, iri, null);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** Since when hosts could not be read, for a day. */
const unreadable = new WeakMap<Federation, Map<string, number>>();
/** Milliseconds for which those who bring something of such a host are asked to come again; a dead one keeps up nobody. */
const mostWaitMs = 30 * 60_000;
const forgottenMs = 24 * 60 * 60_000;
const maxUnreadable = 2000;

/**
 * The same, for somebody who brings it and can bring it again. Null: not readable for good, or for long already. Refuses (503)
 * what can perhaps be read in a while.
 */
export async function fetchBrought(
  federation: Federation,
  iri: string,
  errand: Errand,
): Promise<RemotePost | 'gone' | null> {
  const since = unreadable.get(federation) ?? new Map<string, number>();
  unreadable.set(federation, since);
  const { host } = new URL(iri);
  try {
    const post = await readPost(federation, iri, errand);
    since.delete(host);
    return post;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status !== 429 && error.status !== 503) return null;
    const now = federation.house.now().getTime();
    const before = since.get(host) ?? now;
    if (since.size >= maxUnreadable) since.clear();
    since.set(host, now - before > forgottenMs ? now : before);
    if (now - before > mostWaitMs && now - before <= forgottenMs) return null;
    throw new Refusal(503, 'what it is about cannot be read now', error.retryAfter ?? 60);
  }
}

async function readPost(
  federation: Federation,
  iri: string,
  errand: Errand | null,
): Promise<RemotePost | 'gone' | null> {
  if (isLocal(federation.house.site, iri)) return null;
  try {
    const json = await fetchOwn(federation, iri, errand);
    if (isObject(json) && json.type === 'Tombstone') return 'gone';
    const post = fromPost(json, federation.house.privateHosts, federation.house.now());
    if (post) await knowAuthor(federation, post, errand);
    return post;
  } catch (error) {
    if (error instanceof GoneError) return 'gone';
    throw error;
  }
}

/** The document that bears the id of its own address; under another id on the same origin it is asked there, once. */
export async function fetchOwn(federation: Federation, iri: string, errand: Errand | null): Promise<unknown> {
  const { privateHosts } = federation.house;
  const first = await fetchDocument(federation, withoutFragment(iri), errand);
  const id = isObject(first.json) ? readIri(first.json.id, privateHosts) : null;
  if (id === null || sameDocument(id, first.url)) return first.json;
  if (!sameOrigin(id, first.url)) return null;
  const second = await fetchDocument(federation, withoutFragment(id), errand);
  return isObject(second.json) && second.json.id === id && sameDocument(second.url, id) ? second.json : null;
}

/** Without its author's name a post can still be read. */
async function knowAuthor(federation: Federation, post: RemotePost, errand: Errand | null): Promise<void> {
  const [author] = post.authors;
  if (author === undefined || (await findRemoteActor(federation.house.store, author))) return;
  try {
    await fetchActor(federation, author, errand);
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof GoneError)) throw error;
  }
}

/** Milliseconds for which a page waits for another server. */
const patience = 2500;

/** The counts of a poll, asked for again when they are some minutes old. A dead server holds nobody up and harms nothing. */
export async function refreshPost(federation: Federation, post: RemotePost): Promise<void> {
  const ctx = contextFor(federation);
  if (!isPollStale(post, ctx.now) || !(await claimRefresh(ctx, post))) return;
  await inTime(takeFresh(federation, post), undefined);
}

/** What a page waits for, or else; the work goes on. */
export async function inTime<T, E>(work: Promise<T>, otherwise: E): Promise<T | E> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<E>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), patience);
  });
  return Promise.race([work, enough]).finally(() => clearTimeout(timer));
}

/** A newer version by the same author, from its own server. */
export async function keepFresh(
  federation: Federation,
  known: Pick<RemotePost, 'iri' | 'authors'>,
  fresh: RemotePost,
): Promise<void> {
  if (fresh.iri !== known.iri || fresh.authors[0] !== known.authors[0]) return;
  await receivePostChange(contextFor(federation), fresh);
}

async function takeFresh(federation: Federation, { iri, authors }: RemotePost): Promise<void> {
  try {
    const fresh = await fetchPost(federation, iri);
    // One that is not found may only be closed to those who ask without its reader's name: a Delete would say so.
    if (fresh !== null && fresh !== 'gone') await keepFresh(federation, { iri, authors }, fresh);
  } catch (error) {
    federation.house.log.warn({ err: error, iri }, 'a poll could not be read again');
  }
}
