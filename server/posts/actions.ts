// Deeds on posts. What is published travels to followers at once; a deletion can only ask others to forget it.
import { findCollective } from '../collectives/queries.js';
import { checkMayEditCollective, isPublic, notFound } from '../collectives/rules.js';
import { actorName, type Context } from '../context.js';
import { DomainError } from '../errors.js';
import { pending } from '../events.js';
import { findGroup, standingOf } from '../groups/queries.js';
import { checkMayWrite } from '../groups/rules.js';
import { newId } from '../ids.js';
import { checkMayModerate } from '../moderation/rules.js';
import { findMove, reactionsIn } from '../partners/queries.js';
import { actorIri, checkHasNotMoved } from '../partners/rules.js';
import { findPerson } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import type { LocalText } from '../shapes.js';
import { findPost, getPost, postsOf } from './queries.js';
import { findMentions } from './render.js';
import { changedMeanwhile, checkMaySpeak, checkPostVersion, objectIri } from './rules.js';
import type { OwnerRef, Post } from './schema.js';

/** What a post answers, and the group for which it is. */
export type PostPlace = Pick<Post, 'inReplyTo' | 'groupId'>;

/**
 * Emits post.published. Refuses: not-found, closed (the collective is a draft, in the bin, or has moved; the group does not
 * take it).
 */
export async function publishPost(
  ctx: Context,
  collectiveId: string,
  text: LocalText,
  place: PostPlace = {},
): Promise<Post> {
  return publish(ctx, { kind: 'collective', id: collectiveId }, text, place);
}

export interface Answered {
  inReplyTo: { iri: string; author: string };
  /** Only for the author of what is answered. */
  isPrivate: boolean;
}

/** Answers a post elsewhere. Emits post.published. Refuses: not-found, closed (whoever answers is not public). */
export async function publishReply(
  ctx: Context,
  owner: OwnerRef,
  text: LocalText,
  { inReplyTo, isPrivate }: Answered,
): Promise<Post> {
  return publish(ctx, owner, text, { inReplyTo, ...(isPrivate ? { isPrivate } : {}) });
}

async function publish(
  ctx: Context,
  owner: OwnerRef,
  text: LocalText,
  more: Pick<Post, 'inReplyTo' | 'isPrivate' | 'groupId'>,
): Promise<Post> {
  checkMaySpeak(await isOwnerPublic(ctx, owner));
  const handle = await handleOf(ctx, owner);
  checkHasNotMoved(await findMove(ctx.store, handle));
  if (more.groupId !== undefined) await checkGroupTakes(ctx, handle, more.groupId, more.inReplyTo !== undefined);
  const post: Post = {
    _id: newId(),
    ownerKind: owner.kind,
    ownerId: owner.id,
    authorPersonId: actorName(ctx.actor),
    text,
    mentions: await findMentions(text),
    ...more,
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
  ownerId: string,
  postId: string,
  input: { version: number; text: LocalText },
): Promise<Post> {
  checkMaySpeak(await isOwnerPublic(ctx, await ownerOf(ctx, ownerId, postId)));
  const post = await getPost(ctx.store, ownerId, postId);
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
export async function deletePost(ctx: Context, ownerId: string, postId: string): Promise<void> {
  await isOwnerPublic(ctx, await ownerOf(ctx, ownerId, postId));
  await bury(ctx, await getPost(ctx.store, ownerId, postId));
}

/** A moderator deletes a post, whosever it is. Emits post.deleted. Refuses: not-found, gone. */
export async function takeDownPost(ctx: Context, postId: string): Promise<void> {
  checkMayModerate(ctx.actor);
  const post = await findPost(ctx.store, postId);
  if (!post) throw notFound();
  if (post.deletedAt !== null) throw new DomainError('gone', 'posts.error.deleted');
  await bury(ctx, post);
}

async function bury(ctx: Context, post: Post): Promise<void> {
  const { _id: postId } = post;
  await postsOf(ctx.store).updateOne(
    { _id: postId, deletedAt: null },
    {
      $set: { text: { fr: '', en: '' }, mentions: [], deletedAt: ctx.now },
      $inc: { version: 1 },
      $push: { events: pending({ type: 'post.deleted', postId }, ctx.now) },
    },
  );
  await reactionsIn(ctx.store).deleteMany({ object: objectIri(ctx.site, post) });
}

/** A collective ends: its posts become Tombstones; it speaks no more, so no event tells of it. Idempotent. */
export async function purgePostsOf(ctx: Context, collectiveId: string): Promise<void> {
  await postsOf(ctx.store).updateMany(
    { ownerId: collectiveId, deletedAt: null },
    { $set: { text: { fr: '', en: '' }, mentions: [], authorPersonId: '', deletedAt: ctx.now }, $inc: { version: 1 } },
  );
}

/** A person goes: what they wrote in their own name becomes Tombstones that keep nothing. Emits post.deleted for each. */
export async function erasePostsOf(ctx: Context, personId: string): Promise<void> {
  const standing = postsOf(ctx.store).find({ ownerId: personId, deletedAt: null }, { projection: { _id: 1 } });
  for await (const { _id } of standing) {
    await postsOf(ctx.store).updateOne(
      { _id, deletedAt: null },
      {
        $set: { text: { fr: '', en: '' }, mentions: [], authorPersonId: '', deletedAt: ctx.now },
        $unset: { inReplyTo: '' },
        $inc: { version: 1 },
        $push: { events: pending({ type: 'post.deleted', postId: _id }, ctx.now) },
      },
    );
  }
}

/** Whose that post is; a collective's when there is none. */
async function ownerOf(ctx: Context, ownerId: string, postId: string): Promise<OwnerRef> {
  const post = await findPost(ctx.store, postId);
  return { kind: post?.ownerId === ownerId ? post.ownerKind : 'collective', id: ownerId };
}

/** The name of whoever speaks; empty: none yet. */
async function handleOf(ctx: Context, { kind, id }: OwnerRef): Promise<string> {
  const owner = kind === 'collective' ? await findCollective(ctx.store, id) : await findPerson(ctx.store, id);
  return owner?.handle ?? '';
}

/** Whether whoever the actor speaks for can be seen. Refuses: not-found (not theirs). */
async function isOwnerPublic(ctx: Context, { kind, id }: OwnerRef): Promise<boolean> {
  if (kind === 'collective') {
    const collective = await findCollective(ctx.store, id);
    if (!collective) throw notFound();
    checkMayEditCollective(ctx.actor, collective);
    return isPublic(collective);
  }
  const person = await findPerson(ctx.store, id);
  if (!person || ctx.actor?.kind !== 'person' || ctx.actor.personId !== id) throw notFound();
  return isPublicPerson(person) && person.handle !== null;
}

/** The rule by which the group will judge the post when it gets there, asked while its writer can still be told. */
async function checkGroupTakes(ctx: Context, handle: string, groupId: string, isComment: boolean): Promise<void> {
  const group = await findGroup(ctx.store, groupId);
  if (!group) throw new DomainError('not-found', 'error.notFound');
  const standing = await standingOf(ctx.store, ctx.site, group, actorIri(ctx.site, handle));
  checkMayWrite(group, standing, isComment ? 'comment' : 'begin');
}
