// What stands around a public post elsewhere: what it answers, and some of what answers it. Each post is read from its own
// server, by its id; a collection of answers counts only where it lies on the server of the post that names it. Bounded in
// number and time; a dead server holds nobody up.

import { claimThread, keepOpenedPost } from '../server/partners/actions/feed.js';
import { findRemotePost, listKnownPosts } from '../server/partners/queries.js';
import { isPublicAudience } from '../server/partners/rules.js';
import type { RemotePost } from '../server/partners/schema.js';
import { contextFor, type Federation } from './federation.js';
import { isLocal, readIri, sameOrigin } from './iris.js';
import { isObject } from './json.js';
import { Refusal } from './refusal.js';
import { fetchDocument, GoneError } from './remoteActors.js';
import { fetchOwn, fetchPost, inTime, keepFresh } from './remoteObjects.js';
import { fromPost } from './wire/remotePost.js';

const maxAncestors = 5;
const maxAnswers = 10;
const maxPages = 3;
const atOnce = 4;
/** Seconds after which nothing more is asked for, whoever waits. */
const maxSeconds = 20;

/**
 * Reads a post again with what stands around it, and keeps that, where it is due. 'late': the rest arrives after the page was made. Of what is
 * not for everybody nothing is asked: its author could tell who reads it when.
 */
export async function readThread(federation: Federation, post: RemotePost, isAgain: boolean): Promise<'read' | 'late'> {
  const ctx = contextFor(federation);
  if (!isPublicAudience(post.audience) || !(await claimThread(ctx, post, isAgain))) return 'read';
  const until = new Date(ctx.now.getTime() + maxSeconds * 1000);
  const isDue = (): boolean => federation.house.now() < until;
  const work = Promise.all([readAncestors(federation, post, isDue), readAnswers(federation, post, isDue)])
    .then(() => 'read' as const)
    .catch((error: unknown) => {
      federation.house.log.warn({ err: error, iri: post.iri }, 'a conversation could not be read');
      return 'read' as const;
    });
  return inTime(work, 'late');
}

type IsDue = () => boolean;

/** Upwards, until something of ours, something that is not for everybody, or nothing. */
async function readAncestors(federation: Federation, post: RemotePost, isDue: IsDue): Promise<void> {
  const { site, store } = federation.house;
  const seen = new Set([post.iri]);
  let fetches = maxAncestors;
  for (let iri = post.inReplyTo; iri !== null && !isLocal(site, iri) && !seen.has(iri) && isDue(); ) {
    seen.add(iri);
    let parent = await findRemotePost(store, iri);
    if (parent === null && fetches > 0) {
      fetches -= 1;
      parent = await keepFetched(federation, iri, () => true);
    }
    if (parent === null || parent.deletedAt !== null || seen.size > 50) return;
    iri = parent.inReplyTo;
  }
}

/** What its server lists as answers (`replies`), and as its conversation (`context`, FEP-7888), as far as it answers this post. */
async function readAnswers(federation: Federation, post: RemotePost, isDue: IsDue): Promise<void> {
  const { site, store } = federation.house;
  const document = await orNothing(fetchOwn(federation, post.iri, null));
  if (!isObject(document) || document.id !== post.iri) return;
  const fresh = fromPost(document, federation.house.privateHosts, federation.house.now());
  if (fresh !== null) await keepFresh(federation, post, fresh);
  const listed: string[] = [];
  for (const named of [document.replies, document.context]) {
    if (isDue()) listed.push(...(await idsIn(federation, post.iri, named)));
  }
  const wanted = [...new Set(listed)].filter((iri) => iri !== post.iri && !isLocal(site, iri)).slice(0, 200);
  const known = new Set((await listKnownPosts(store, wanted)).map(({ iri }) => iri));
  const unknown = wanted.filter((iri) => !known.has(iri)).slice(0, maxAnswers);
  for (let from = 0; from < unknown.length && isDue(); from += atOnce) {
    const some = unknown.slice(from, from + atOnce);
    await Promise.all(some.map((iri) => keepFetched(federation, iri, (one) => one.inReplyTo === post.iri)));
  }
}

async function keepFetched(
  federation: Federation,
  iri: string,
  isWanted: (post: RemotePost) => boolean,
): Promise<RemotePost | null> {
  const post = await fetchPost(federation, iri);
  if (post === null || post === 'gone' || !isPublicAudience(post.audience) || !isWanted(post)) return null;
  await keepOpenedPost(contextFor(federation), post);
  return findRemotePost(federation.house.store, post.iri);
}

/** Ids in a collection that lies on the server of the post: itself, its first page and the next one. */
async function idsIn(federation: Federation, postIri: string, named: unknown): Promise<string[]> {
  const { privateHosts } = federation.house;
  const ids: string[] = [];
  let next = named;
  for (let pages = 0; pages < maxPages && next !== undefined && next !== null; pages++) {
    const page = isObject(next) ? next : await pageAt(federation, postIri, readIri(next, privateHosts));
    if (page === null) break;
    for (const item of [page.items, page.orderedItems].flat().slice(0, 100)) {
      const id = readIri(isObject(item) ? item.id : item, privateHosts);
      if (id !== null) ids.push(id);
    }
    next = page.first ?? page.next;
  }
  return ids;
}

async function pageAt(federation: Federation, postIri: string, address: string | null) {
  if (address === null || isLocal(federation.house.site, address) || !sameOrigin(address, postIri)) return null;
  const found = await orNothing(fetchDocument(federation, address));
  return found !== null && sameOrigin(found.url, postIri) && isObject(found.json) ? found.json : null;
}

/** A server that does not answer is no news. */
async function orNothing<T>(wanted: Promise<T>): Promise<T | null> {
  try {
    return await wanted;
  } catch (error) {
    if (error instanceof Refusal || error instanceof GoneError) return null;
    throw error;
  }
}
