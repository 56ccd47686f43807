// A conversation as one reader may see it: what was written elsewhere and what was written here, above a post and beneath it.
import type { Site } from '../context.js';
import { findOwner, findPost, isShown, listPublicReplies, type Owner } from '../posts/queries.js';
import { objectIri } from '../posts/rules.js';
import type { Post } from '../posts/schema.js';
import type { Store } from '../store/store.js';
import { hiddenFrom } from './blockQueries.js';
import { findReadablePost, findRemotePost, maySee, remotePostsIn } from './queries.js';
import { actorIri } from './rules.js';
import type { RemotePost } from './schema.js';

/** Posts above, and as many beneath. */
const maxThread = 50;

/** A post of this instance in a conversation, and whose it is. */
export interface OwnPost {
  own: Post;
  owner: Owner;
}

/** What is known here around a post, as far as this reader may see it. */
export interface Thread {
  /** What the first one answers and is not shown here; null: it answers nothing. */
  above: { iri: string; isDeleted: boolean } | null;
  ancestors: (RemotePost | OwnPost)[];
  post: RemotePost;
  /** Answers to it, oldest first; the reader's own are not among them. */
  replies: (RemotePost | OwnPost)[];
}

type Place = { store: Store; site: Site };

/** Null: nothing that this reader may see. Replies by whom the reader keeps away are left out. */
export async function findThread(place: Place, reader: string, key: string): Promise<Thread | null> {
  const post = await findReadablePost(place.store, reader, key);
  if (!post) return null;
  const [{ ancestors, above }, elsewhere, here] = await Promise.all([
    ancestorsOf(place, reader, post),
    repliesElsewhere(place.store, reader, post),
    repliesHere(place, reader, post),
  ]);
  const replies = [...elsewhere, ...here].sort((one, other) => publishedAt(one) - publishedAt(other));
  return { above, ancestors, post, replies };
}

function publishedAt(one: RemotePost | OwnPost): number {
  return ('own' in one ? one.own : one).publishedAt.getTime();
}

async function repliesElsewhere(store: Store, reader: string, post: RemotePost): Promise<RemotePost[]> {
  const answers = await remotePostsIn(store)
    .find({ inReplyTo: post.iri }, { sort: { publishedAt: 1, _id: 1 }, limit: maxThread })
    .toArray();
  const seen = await Promise.all(
    answers.map(async (one) => one.deletedAt === null && (await maySee(store, reader, one))),
  );
  const hidden = await hiddenFrom(
    store,
    reader,
    answers.flatMap(({ authors }) => authors),
  );
  return answers.filter((one, index) => seen[index] && !one.authors.some((author) => hidden.has(author)));
}

/** By others of this instance. */
async function repliesHere({ store, site }: Place, reader: string, post: RemotePost): Promise<OwnPost[]> {
  const answers = await listPublicReplies(store, post.iri, maxThread);
  const shown = await Promise.all(answers.map((own) => withOwner(store, own)));
  return shown.filter((one): one is OwnPost => one !== null && iriOf(site, one.owner) !== reader);
}

/** Upwards, until what is not known here, is deleted, or is not for this reader. */
async function ancestorsOf(
  place: Place,
  reader: string,
  post: RemotePost,
): Promise<Pick<Thread, 'above' | 'ancestors'>> {
  const ancestors: Thread['ancestors'] = [];
  const seen = new Set([post.iri]);
  let iri = post.inReplyTo;
  while (iri !== null && !seen.has(iri) && ancestors.length < maxThread) {
    seen.add(iri);
    const parent = (await findOwnPost(place, reader, iri)) ?? (await findRemotePost(place.store, iri));
    const isDeleted = parent !== null && !('own' in parent) && parent.deletedAt !== null;
    if (!parent || isDeleted || !(await isFor(place.store, reader, parent))) {
      return { ancestors, above: { iri, isDeleted } };
    }
    ancestors.unshift(parent);
    iri = 'own' in parent ? (parent.own.inReplyTo?.iri ?? null) : parent.inReplyTo;
  }
  return { ancestors, above: null };
}

async function isFor(store: Store, reader: string, post: RemotePost | OwnPost): Promise<boolean> {
  if ('own' in post) return true;
  return (await maySee(store, reader, post)) && (await hiddenFrom(store, reader, post.authors)).size === 0;
}

/** A post of this instance that everybody may see, or the reader's own. */
async function findOwnPost({ store, site }: Place, reader: string, iri: string): Promise<OwnPost | null> {
  const own = await findPost(store, iri.slice(iri.lastIndexOf('/') + 1));
  if (!own || own.deletedAt !== null || objectIri(site, own) !== iri) return null;
  const found = await withOwner(store, own);
  return found && (!own.isPrivate || iriOf(site, found.owner) === reader) ? found : null;
}

/** Null: whoever wrote it is gone, or not to be seen. */
async function withOwner(store: Store, own: Post): Promise<OwnPost | null> {
  const owner = await findOwner(store, own);
  return owner && isShown(owner) ? { own, owner } : null;
}

function iriOf(site: Site, { handle }: Owner): string | null {
  return handle ? actorIri(site, handle) : null;
}
