// What arrives from those whom we follow: kept once, and put into the feed of each of ours who follows. Every deed bears being
// done again: a repeat changes nothing, an older version loses, what was deleted stays deleted.
import type { Context } from '../../context.js';
import { forgetGroupPostsOf } from '../../groups/actions/receive.js';
import { type Doc, DuplicateKeyError } from '../../store/store.js';
import { listWhoHide } from '../blockQueries.js';
import { feedEntriesIn, findRemoteActor, followingsIn, mentionsIn, reactionsIn, remotePostsIn } from '../queries.js';
import { feedPosition, isNewer, isPublicAudience, isThreadStale, mayRead, postKey } from '../rules.js';
import type { FeedEntry, RemotePost } from '../schema.js';

/**
 * A followed actor published something of its own. Keeps it and puts it into the feeds of those who may read it. What nobody
 * here may read is not kept.
 */
export async function receivePost(ctx: Context, post: RemotePost, from: string): Promise<void> {
  const readers = await readersOf(ctx, post, from);
  if (readers.length === 0) return;
  const kept = await keepPost(ctx, post);
  // What is kept under this id decides, not what came now: a neighbour's post stays a neighbour's, and as private as it was.
  if (kept.deletedAt !== null || !kept.authors.includes(from)) return;
  await addEntries(ctx, kept, from, await readersOf(ctx, kept, from), kept.publishedAt);
}

/** A followed actor boosted a public post, which has been read from its own server. */
export async function receiveBoost(
  ctx: Context,
  post: RemotePost,
  from: string,
  at: Date,
  activityIri: string | null = null,
): Promise<void> {
  if (!isPublicAudience(post.audience)) return;
  const readers = await readersOf(ctx, post, from);
  if (readers.length === 0) return;
  const kept = await keepPost(ctx, post);
  if (kept.deletedAt === null && isPublicAudience(kept.audience)) {
    await addEntries(ctx, kept, from, readers, at, activityIri);
  }
}

/** A member opened a public post by its address: it is kept, so that it can be read and answered here. */
export async function keepOpenedPost(ctx: Context, post: RemotePost): Promise<void> {
  if (isPublicAudience(post.audience)) await keepPost(ctx, post);
}

/** A boost is taken back: its entries go; where its author is followed too, the post stays as the author's. */
export async function receiveUndoBoost(ctx: Context, iri: string, from: string): Promise<void> {
  const post = await remotePostsIn(ctx.store).findOne({ _id: postKey(iri) }, { projection: { authors: 1 } });
  if (!post || post.authors.includes(from)) return;
  const entries = await feedEntriesIn(ctx.store).find({ post: post._id, from }).toArray();
  for (const entry of entries) await withoutBoost(ctx, entry, post.authors);
}

/** A boost is taken back by its id alone, by whoever made it. False: no feed has it. */
export async function receiveUndoBoostById(ctx: Context, boostIri: string, from: string): Promise<boolean> {
  const entries = await feedEntriesIn(ctx.store).find({ boostIri, from }).toArray();
  for (const entry of entries) {
    const post = await remotePostsIn(ctx.store).findOne({ _id: entry.post }, { projection: { authors: 1 } });
    await withoutBoost(ctx, entry, post?.authors ?? []);
  }
  return entries.length > 0;
}

async function withoutBoost(ctx: Context, { _id, reader }: FeedEntry, authors: readonly string[]): Promise<void> {
  const asked = { follower: reader, followed: { $in: [...authors] }, state: 'accepted' as const };
  const own = authors.length === 0 ? null : await followingsIn(ctx.store).findOne(asked);
  if (own === null) await feedEntriesIn(ctx.store).deleteOne({ _id });
  else {
    const set = { from: own.followed, lists: own.lists, muted: own.muted, boostIri: null };
    await feedEntriesIn(ctx.store).updateOne({ _id }, { $set: set });
  }
}

/** A newer version of what is kept; a poll's counts also without a later date. Unknown or deleted: nothing. */
export async function receivePostChange(ctx: Context, post: RemotePost): Promise<void> {
  const known = await remotePostsIn(ctx.store).findOne({ _id: post._id });
  if (!known || known.deletedAt !== null) return;
  const unchanged = { _id: known._id, deletedAt: null, updatedAt: known.updatedAt };
  if (isNewer(known, post.updatedAt)) {
    const { _id, iri, publishedAt, receivedAt, authors, ...fields } = post;
    // Before it changes: a crash between takes away what its readers have seen, and shows nothing to others.
    if (!isPublicAudience(post.audience)) await narrow(ctx, { ...known, ...fields });
    await remotePostsIn(ctx.store).updateOne(unchanged, { $set: fields });
    await mentionsIn(ctx.store).updateMany({ post: _id }, { $set: { isPublic: isPublicAudience(post.audience) } });
  } else if (known.poll !== null && post.poll !== null && isSameVersion(known, post)) {
    await remotePostsIn(ctx.store).updateOne(unchanged, { $set: { poll: post.poll } });
  }
}

/** A post that is not for everybody leaves the sight of those for whom it is not, and comes to the others from its author. */
async function narrow(ctx: Context, post: RemotePost): Promise<void> {
  const readers = new Set<string>();
  for (const author of post.authors) {
    for (const { follower } of await readersOf(ctx, post, author)) readers.add(follower);
  }
  for (const entry of await feedEntriesIn(ctx.store).find({ post: post._id }).toArray()) {
    if (!readers.has(entry.reader)) await feedEntriesIn(ctx.store).deleteOne({ _id: entry._id });
    else if (!post.authors.includes(entry.from)) await withoutBoost(ctx, entry, post.authors);
  }
  await mentionsIn(ctx.store).deleteMany({ post: post._id, reader: { $nin: post.audience } });
}

/** Counts come without a later date, and after a correction with its date. */
function isSameVersion(known: RemotePost, post: RemotePost): boolean {
  return post.updatedAt === null || post.updatedAt.getTime() === known.updatedAt?.getTime();
}

/** Marks that its own server is asked again now. False: somebody else just did. */
export async function claimRefresh(ctx: Context, post: RemotePost): Promise<boolean> {
  const unchanged = { _id: post._id, ...(post.refreshedAt ? { refreshedAt: post.refreshedAt } : {}) };
  return (await remotePostsIn(ctx.store).updateOne(unchanged, { $set: { refreshedAt: ctx.now } })).matchedCount === 1;
}

/** Marks that it is asked for again now, with what stands around it. False: that was done lately. */
export async function claimThread(ctx: Context, post: RemotePost, isAgain: boolean): Promise<boolean> {
  if (!isThreadStale(post, ctx.now, isAgain)) return false;
  const unchanged = { _id: post._id, ...(post.threadReadAt ? { threadReadAt: post.threadReadAt } : {}) };
  const set = { threadReadAt: ctx.now, refreshedAt: ctx.now };
  return (await remotePostsIn(ctx.store).updateOne(unchanged, { $set: set })).matchedCount === 1;
}

/** Its author deletes it. What is not known yet is remembered as deleted, so that a late arrival does not bring it back. */
export async function receivePostDeletion(ctx: Context, iri: string, author: string): Promise<void> {
  const _id = postKey(iri);
  const posts = remotePostsIn(ctx.store);
  const gone = { ...emptied, deletedAt: ctx.now };
  const known = await posts.findOne({ _id }, { projection: { _id: 1 } });
  if (known) await posts.updateOne({ _id, deletedAt: null }, { $set: gone });
  else
    await insert(ctx, {
      _id,
      iri,
      type: 'Note',
      authors: [author],
      publishedAt: ctx.now,
      receivedAt: ctx.now,
      ...gone,
    });
  await feedEntriesIn(ctx.store).deleteMany({ post: _id });
  await mentionsIn(ctx.store).deleteMany({ post: _id });
}

const emptied = {
  updatedAt: null,
  title: '',
  content: '',
  isHtml: true,
  warning: '',
  language: null,
  translations: [],
  lead: '',
  url: null,
  inReplyTo: null,
  audience: [],
  mentions: [],
  isAnswer: false,
  attachments: [],
  poll: null,
  startsAt: null,
  endsAt: null,
  place: '',
};

/** An actor elsewhere is gone for good: what it wrote is no longer shown, what it liked no longer counted. */
export async function forgetPostsOf(ctx: Context, author: string): Promise<void> {
  const posts = remotePostsIn(ctx.store).find({ authors: author, deletedAt: null }, { projection: { iri: 1 } });
  for await (const { iri } of posts) await receivePostDeletion(ctx, iri, author);
  await feedEntriesIn(ctx.store).deleteMany({ from: author });
  await mentionsIn(ctx.store).deleteMany({ author });
  await reactionsIn(ctx.store).deleteMany({ actor: author });
  await forgetGroupPostsOf(ctx, author);
}

interface Reader extends Doc {
  follower: string;
  lists: string[];
  muted: boolean;
}

/** Those of ours who follow the actor by whom it came, and may read it; not who keeps it or the authors away; muted by whom. */
async function readersOf(ctx: Context, post: RemotePost, from: string): Promise<Reader[]> {
  const actor = await findRemoteActor(ctx.store, from);
  if (!actor || actor.goneAt !== null) return [];
  const followings = await followingsIn(ctx.store).find({ followed: from, state: 'accepted' }).toArray();
  if (followings.length === 0) return [];
  const how = await listWhoHide(ctx.store, [from, ...post.authors]);
  return followings
    .filter(({ follower }) => mayRead(post, follower, actor) && how.get(follower) !== 'hidden')
    .map(({ _id, follower, lists, muted }) => ({ _id, follower, lists, muted: muted || how.has(follower) }));
}

/** The post as kept: the first version that arrived, or what became of it. */
export async function keepPost(ctx: Context, post: RemotePost): Promise<RemotePost> {
  await insert(ctx, post);
  const kept = (await remotePostsIn(ctx.store).findOne({ _id: post._id })) ?? post;
  if (kept.deletedAt === null || kept.authors.some((author) => post.authors.includes(author))) return kept;
  // Whoever is not among its authors cannot have deleted it before it came.
  const { _id, ...fields } = post;
  await remotePostsIn(ctx.store).replaceOne({ _id, deletedAt: kept.deletedAt }, fields);
  return post;
}

async function insert(ctx: Context, post: RemotePost): Promise<void> {
  try {
    await remotePostsIn(ctx.store).insertOne(post);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

/** Once for each reader, however often and by whomever it comes. */
async function addEntries(
  ctx: Context,
  post: RemotePost,
  from: string,
  readers: Reader[],
  at: Date,
  boostIri: string | null = null,
): Promise<void> {
  const position = feedPosition(at, ctx.now, post._id);
  const entries = readers.map(
    ({ follower, lists, muted }): FeedEntry => ({
      _id: postKey(`${follower} ${post._id}`),
      ...{ reader: follower, position, post: post._id, from, lists, muted, boostIri, at: ctx.now },
    }),
  );
  try {
    await feedEntriesIn(ctx.store).insertMany(entries, { ordered: false });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

/** Days for which what others wrote is kept here, and for which it stands beneath a post of ours. */
export const keepPostDays = 90;
const keepAnswerDays = 730;

/** Removes from feeds what came long ago, then the posts themselves and the memory of what was deleted. Returns how many. */
export async function pruneRemotePosts(ctx: Context): Promise<number> {
  const daysAgo = (days: number) => new Date(ctx.now.getTime() - days * 24 * 60 * 60 * 1000);
  const [before, longBefore] = [daysAgo(keepPostDays), daysAgo(keepAnswerDays)];
  const counts = [
    await feedEntriesIn(ctx.store).deleteMany({ at: { $lt: before } }),
    await mentionsIn(ctx.store).deleteMany({ at: { $lt: before }, answered: null }),
    await mentionsIn(ctx.store).deleteMany({ at: { $lt: longBefore } }),
    await remotePostsIn(ctx.store).deleteMany({ receivedAt: { $lt: before }, isAnswer: { $ne: true } }),
    await remotePostsIn(ctx.store).deleteMany({ receivedAt: { $lt: longBefore } }),
  ];
  return counts.reduce((sum, { deletedCount }) => sum + deletedCount, 0);
}
