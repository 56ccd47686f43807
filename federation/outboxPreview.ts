// The last public posts of an actor elsewhere, for somebody who thinks about following it. Read from the first page of its own
// outbox, at most four documents besides; nothing is kept.
import { isPublicAudience } from '../server/partners/rules.js';
import type { RemoteActor, RemotePost } from '../server/partners/schema.js';
import type { Federation } from './federation.js';
import { readIri, sameOrigin } from './iris.js';
import { isObject } from './json.js';
import { Refusal } from './refusal.js';
import { fetchDocument, GoneError } from './remoteActors.js';
import { fromPost } from './wire/remotePost.js';

const maxPosts = 3;
const maxItems = 40;

/** Newest first. Empty when it shows none, or cannot be read now. */
export async function readLastPosts(federation: Federation, actor: RemoteActor): Promise<RemotePost[]> {
  try {
    const page = actor.outbox ? await firstPage(federation, actor, actor.outbox) : null;
    return page === null ? [] : await postsIn(federation, actor, itemsOf(page));
  } catch (error) {
    if (error instanceof Refusal || error instanceof GoneError) return [];
    throw error;
  }
}

type Json = Record<string, unknown>;

/** The page, or the collection itself when it holds its items. Only from the actor's own server. */
async function firstPage(federation: Federation, actor: RemoteActor, outbox: string): Promise<Json | null> {
  const collection = await ownDocument(federation, actor, outbox);
  if (collection === null || itemsOf(collection).length > 0) return collection;
  if (isObject(collection.first)) return collection.first;
  const first = readIri(collection.first, federation.house.privateHosts);
  return first === null ? null : ownDocument(federation, actor, first);
}

async function ownDocument(federation: Federation, actor: RemoteActor, address: string): Promise<Json | null> {
  if (!sameOrigin(address, actor._id)) return null;
  const { json, url } = await fetchDocument(federation, address);
  return isObject(json) && sameOrigin(url, actor._id) ? json : null;
}

function itemsOf(page: Json): unknown[] {
  const items = page.orderedItems ?? page.items;
  return Array.isArray(items) ? items.slice(0, maxItems) : [];
}

async function postsIn(federation: Federation, actor: RemoteActor, items: unknown[]): Promise<RemotePost[]> {
  const posts: RemotePost[] = [];
  let fetches = maxPosts;
  for (const item of items) {
    if (posts.length === maxPosts) break;
    if (!isObject(item)) continue;
    const object = item.type === 'Create' ? item.object : item;
    const address = readIri(object, federation.house.privateHosts);
    if (address !== null && fetches === 0) break;
    if (address !== null) fetches -= 1;
    const document = address === null ? object : await ownDocument(federation, actor, address);
    const post = fromPost(document, federation.house.privateHosts, federation.house.now());
    if (post?.authors.includes(actor._id) && isPublicAudience(post.audience)) posts.push(post);
  }
  return posts;
}
