// Deeds on posts. What is published travels to followers at once; a deletion can only ask others to forget it.
import { findCollective } from '../collectives/queries.js';
import { checkMayEditCollective, notFound } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import { actorName, type Context } from '../context.js';
import { DomainError } from '../errors.js';
import { pending } from '../events.js';
import { newId } from '../ids.js';
import { checkMayModerate } from '../moderation/rules.js';
import { findMove } from '../partners/queries.js';
import { checkHasNotMoved } from '../partners/rules.js';
import type { LocalText } from '../shapes.js';
import { findPost, getPost, postsOf } from './queries.js';
import { findMentions } from './render.js';
import { changedMeanwhile, checkMaySpeak, checkPostVersion } from './rules.js';
import type { Post } from './schema.js';

/** Emits post.published. Refuses: not-found, closed (the collective is a draft, in the bin, or has moved). */
export async function publishPost(
  ctx: Context,
  collectiveId: string,
  text: LocalText,
  inReplyTo?: Post['inReplyTo'],
): Promise<Post> {
  const collective = await collectiveFor(ctx, collectiveId);
  checkMaySpeak(collective);
  checkHasNotMoved(await findMove(ctx.store, collective.handle));
  const post: Post = {
    _id: newId(),
    collectiveId,
    authorPersonId: actorName(ctx.actor),
    text,
    mentions: await findMentions(text),
    ...(inReplyTo ? { inReplyTo } : {}),
    publishedAt: ctx.now,
    updatedAt: null,
    deletedAt: null,
    version: 1,
  };
  const event = pending({ type: 'post.published', postId: post._id }, ctx.now);
  await postsOf(ctx.store).insertOne({ ...post, events: [event] });
  return post;
}

/** Emits post.updated, or nothing when nothing differs. Refuses: not-found, gone, closed, conflict. */
export async function updatePost(
  ctx: Context,
  collectiveId: string,
  postId: string,
  input: { version: number; text: LocalText },
): Promise<Post> {
  checkMaySpeak(await collectiveFor(ctx, collectiveId));
  const post = await getPost(ctx.store, collectiveId, postId);
  checkPostVersion(post, input.version);
  if (post.text.fr === input.text.fr && post.text.en === input.text.en) return post;
  const mentions = await findMentions(input.text);
  // Federated readers take a correction only when its date is later than the one they have.
  const updatedAt = new Date(Math.max(ctx.now.getTime(), (post.updatedAt ?? post.publishedAt).getTime() + 1));
  const saved = await postsOf(ctx.store).findOneAndUpdate(
    { _id: post._id, version: post.version, deletedAt: null },
    {
      $set: { text: input.text, mentions, updatedAt },
      $inc: { version: 1 },
      $push: { events: pending({ type: 'post.updated', postId }, ctx.now) },
    },
    { returnDocument: 'after' },
  );
  if (!saved) throw changedMeanwhile();
  return saved;
}

/** Leaves a Tombstone: text and mentions are gone at once. Emits post.deleted. Refuses: not-found, gone. */
export async function deletePost(ctx: Context, collectiveId: string, postId: string): Promise<void> {
  await collectiveFor(ctx, collectiveId);
  await bury(ctx, await getPost(ctx.store, collectiveId, postId));
}

/** A moderator deletes a post, whosever it is. Emits post.deleted. Refuses: not-found, gone. */
export async function takeDownPost(ctx: Context, postId: string): Promise<void> {
  checkMayModerate(ctx.actor);
  const post = await findPost(ctx.store, postId);
  if (!post) throw notFound();
  if (post.deletedAt !== null) throw new DomainError('gone', 'posts.error.deleted');
  await bury(ctx, post);
}

async function bury(ctx: Context, { _id: postId }: Post): Promise<void> {
  await postsOf(ctx.store).updateOne(
    { _id: postId, deletedAt: null },
    {
      $set: { text: { fr: '', en: '' }, mentions: [], deletedAt: ctx.now },
      $inc: { version: 1 },
      $push: { events: pending({ type: 'post.deleted', postId }, ctx.now) },
    },
  );
}

/** A collective ends: its posts become Tombstones; it speaks no more, so no event tells of it. Idempotent. */
export async function purgePostsOf(ctx: Context, collectiveId: string): Promise<void> {
  await postsOf(ctx.store).updateMany(
    { collectiveId, deletedAt: null },
    { $set: { text: { fr: '', en: '' }, mentions: [], authorPersonId: '', deletedAt: ctx.now }, $inc: { version: 1 } },
  );
}

/** Refuses: not-found. */
async function collectiveFor(ctx: Context, collectiveId: string): Promise<Collective> {
  const collective = await findCollective(ctx.store, collectiveId);
  if (!collective) throw notFound();
  checkMayEditCollective(ctx.actor, collective);
  return collective;
}
