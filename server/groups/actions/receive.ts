// What is done in a group by whoever may: the same deeds for what arrives from elsewhere and for what collectives of ours
// write. Each bears being done again: a post stands once, an activity is passed on once, what was removed stays removed.
import { getCollective } from '../../collectives/queries.js';
import type { Context } from '../../context.js';
import { type DomainEvent, pending } from '../../events.js';
import { actorIri, isNewer, isPublicAudience } from '../../partners/rules.js';
import type { RemotePost } from '../../partners/schema.js';
import { DuplicateKeyError } from '../../store/store.js';
import {
  countActivities,
  findGroup,
  findGroupPost,
  findGroupPostByKey,
  findLastVote,
  groupActivitiesIn,
  groupPostsIn,
  groupsIn,
  listGroupPostsByIri,
  listVotesByIri,
  standingOf,
  voteTypes,
} from '../queries.js';
import { activitiesAnHour, groupKey, isOpen, mayWrite } from '../rules.js';
import type { Group, GroupActivity, GroupPost, GroupVote } from '../schema.js';

export interface Arrival {
  activityIri: string;
  /** The activity as it came: it is passed on like that. */
  raw: string;
  /** IRI of the actor whose activity it is, which has been proven. */
  author: string;
}

export interface PostArrival extends Arrival {
  post: RemotePost;
  /** Of a collective of ours: its post. */
  postId: string | null;
}

const hour = 3_600_000;

/**
 * Takes a public post into a group: as a new thread, or as a comment on a post of the group. Emits group.acted. Whoever may
 * not, and what answers nothing here, changes nothing.
 */
export async function receiveGroupPost(ctx: Context, group: Group, arrival: PostArrival): Promise<void> {
  const { post, author, activityIri, postId } = arrival;
  const known = await findGroupPost(ctx.store, group._id, post.iri);
  if (known !== null) {
    // Kept, and not yet recorded: a crash came between.
    const isSame = known.createdBy === activityIri && known.author === author;
    if (isSame && known.removedAt === null) await record(ctx, known, 'Create', arrival);
    return;
  }
  const parent = await parentIn(ctx, group, post);
  if (parent === 'unknown' || !isPublicAudience(post.audience)) return;
  const standing = await standingOf(ctx.store, ctx.site, group, author);
  if (!mayWrite(group, standing, parent === null ? 'begin' : 'comment') || (await hasHadEnough(ctx, group, author)))
    return;
  const _id = groupKey(group._id, post.iri);
  const kept: GroupPost = {
    _id,
    groupId: group._id,
    thread: parent?.thread ?? _id,
    iri: post.iri,
    inReplyTo: post.inReplyTo,
    author,
    postId,
    content: postId === null ? post : null,
    position: `${String(ctx.now.getTime()).padStart(15, '0')}${_id}`,
    createdBy: activityIri,
    receivedAt: ctx.now,
    removedAt: null,
    removedBy: null,
  };
  await insertOnce(() => groupPostsIn(ctx.store).insertOne(kept));
  const first = await findGroupPostByKey(ctx.store, _id);
  // Another activity may have brought the same post meanwhile: what came first is passed on, the other is not.
  if (first?.createdBy === activityIri && first.author === author) await record(ctx, first, 'Create', arrival);
}

/** Null: it begins a thread. 'unknown': it answers something that does not stand in this group. */
async function parentIn(ctx: Context, group: Group, post: RemotePost): Promise<GroupPost | 'unknown' | null> {
  if (post.inReplyTo === null) return null;
  const parent = await findGroupPost(ctx.store, group._id, post.inReplyTo);
  if (parent === null || parent.removedAt !== null) return 'unknown';
  const first = await findGroupPostByKey(ctx.store, parent.thread);
  return first?.removedAt === null ? parent : 'unknown';
}

async function hasHadEnough(ctx: Context, group: Group, author: string): Promise<boolean> {
  const since = new Date(ctx.now.getTime() - hour);
  return (await countActivities(ctx.store, group._id, author, since)) >= activitiesAnHour;
}

/**
 * Its author corrects a post, in every group where it stands and where they may still write. An older version changes nothing;
 * what is not for everybody any more leaves the group. Emits group.acted.
 */
export async function receiveGroupPostChange(ctx: Context, arrival: Arrival & { post: RemotePost }): Promise<void> {
  const { author, post } = arrival;
  for (const known of await listGroupPostsByIri(ctx.store, post.iri)) {
    const group = await findGroup(ctx.store, known.groupId);
    if (!group || !isOpen(group) || known.author !== author || known.removedAt !== null) continue;
    if (known.content !== null && !isNewer(known.content, post.updatedAt)) continue;
    if (!isPublicAudience(post.audience)) {
      await removeHere(ctx, group, known, 'author');
      continue;
    }
    if (!mayWrite(group, await standingOf(ctx.store, ctx.site, group, author), 'comment')) continue;
    if (await hasHadEnough(ctx, group, author)) continue;
    await record(ctx, known, 'Update', arrival);
    if (known.content === null) continue;
    const { publishedAt, receivedAt, authors } = known.content;
    const content = { ...post, publishedAt, receivedAt, authors };
    await groupPostsIn(ctx.store).updateOne({ _id: known._id, removedAt: null }, { $set: { content } });
  }
}

/**
 * Takes a post out of the groups where its author, or a moderator of the group, wants it gone. Judged by what is stored alone.
 * Emits group.acted. 'refused': it stands in a group, and whoever asks may not. 'none': it stands nowhere, or no more.
 */
export async function receiveGroupRemoval(
  ctx: Context,
  arrival: Arrival & { iri: string; type: 'Delete' | 'Remove' },
  isAbout: (group: Group, post: GroupPost) => boolean = () => true,
): Promise<'removed' | 'refused' | 'none'> {
  let outcome: 'removed' | 'refused' | 'none' = 'none';
  for (const known of await listGroupPostsByIri(ctx.store, arrival.iri)) {
    const group = await findGroup(ctx.store, known.groupId);
    if (!group || group.deletedAt !== null || known.removedAt !== null || !isAbout(group, known)) continue;
    const isAuthor = known.author === arrival.author;
    if (!isAuthor && !(await standingOf(ctx.store, ctx.site, group, arrival.author)).isModerator) {
      if (outcome === 'none') outcome = 'refused';
      continue;
    }
    await record(ctx, known, arrival.type, arrival);
    await empty(ctx, known, isAuthor ? 'author' : 'moderator');
    outcome = 'removed';
  }
  return outcome;
}

/**
 * Somebody who may comment likes or dislikes a post, in every group where it stands, or takes that back: by what it was about,
 * or by its id alone. Emits group.acted. What was said already, and what was never said and is taken back, changes nothing.
 */
export async function receiveGroupVote(
  ctx: Context,
  arrival: Arrival & { iri: string | null; vote: GroupVote | null; undoes: string | null; type: GroupVote | 'Undo' },
  isFor: (group: Group) => boolean = () => true,
): Promise<void> {
  const { author, iri, type, undoes, vote } = arrival;
  for (const known of iri === null ? await postsOfVote(ctx, undoes) : await listGroupPostsByIri(ctx.store, iri)) {
    const group = await findGroup(ctx.store, known.groupId);
    if (!group || known.removedAt !== null || !isFor(group)) continue;
    if (!mayWrite(group, await standingOf(ctx.store, ctx.site, group, author), 'comment')) continue;
    // Two at once follow the same one before: the store takes one of them, the other looks again.
    for (let tries = 0; tries < 5; tries += 1) {
      const last = await findLastVote(ctx.store, known._id, author);
      const stands = last === null || last.type === 'Undo' ? null : last;
      const isNews =
        type === 'Undo'
          ? stands !== null && (vote === null ? stands.activityIri === undoes : stands.type === vote)
          : stands?.type !== type;
      if (!isNews || (await hasHadEnough(ctx, group, author))) break;
      const follows = groupKey(known._id, `${author} ${last?._id ?? ''}`);
      if (await record(ctx, known, type, arrival, { follows })) break;
    }
  }
}

async function postsOfVote(ctx: Context, activityIri: string | null): Promise<GroupPost[]> {
  const votes = activityIri === null ? [] : await listVotesByIri(ctx.store, activityIri);
  const posts = await Promise.all(votes.map(({ post }) => findGroupPostByKey(ctx.store, post)));
  return posts.filter((post) => post !== null);
}

const keepVoteDays = 90;

/** Removes likes and dislikes that were passed on more than 90 days ago. Returns how many. */
export async function pruneGroupVotes(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepVoteDays * 24 * hour);
  const old = { type: { $in: voteTypes }, at: { $lt: before } };
  return (await groupActivitiesIn(ctx.store).deleteMany(old)).deletedCount;
}

/**
 * An actor is gone for good, or nobody here deals with its server any more: what it wrote in groups goes, and those to whom it
 * was passed on are told. Emits group.acted for each post.
 */
export async function forgetGroupPostsOf(ctx: Context, author: string): Promise<void> {
  for await (const post of groupPostsIn(ctx.store).find({ author, removedAt: null })) {
    const group = await findGroup(ctx.store, post.groupId);
    if (group) await removeHere(ctx, group, post, 'author');
  }
}

/** For purgeDeleted() of the collectives. */
export async function purgeGroupPostsOf(ctx: Context, collectiveId: string): Promise<void> {
  const { handle } = await getCollective(ctx.store, collectiveId);
  await forgetGroupPostsOf(ctx, actorIri(ctx.site, handle));
  await forgetModerator(ctx, handle);
}

/** One of ours is gone for good: nobody's name stands among the moderators any more. */
export async function forgetModerator(ctx: Context, handle: string): Promise<void> {
  const moderators = actorIri(ctx.site, handle);
  await groupsIn(ctx.store).updateMany({ moderators }, { $pull: { moderators } });
}

/** Takes a post out without an activity that asks for it: the group itself says so. Emits group.acted, once. */
export async function removeHere(
  ctx: Context,
  group: Group,
  post: GroupPost,
  removedBy: 'author' | 'moderator',
): Promise<void> {
  const author = actorIri(ctx.site, group.handle);
  await record(ctx, post, 'removal', { activityIri: removalOf(post), raw: '', author });
  await empty(ctx, post, removedBy);
}

/** Names the group's own removal of a post: with a space in it, no activity from elsewhere can bear it as its id. */
function removalOf({ iri }: GroupPost): string {
  return `removal ${iri}`;
}

/** A group ends: nothing of what was written there is kept in it. Idempotent. */
export async function emptyGroup(ctx: Context, groupId: string): Promise<void> {
  const gone = { content: null, removedAt: ctx.now, removedBy: 'moderator' as const };
  await groupPostsIn(ctx.store).updateMany({ groupId, removedAt: null }, { $set: gone });
  await groupActivitiesIn(ctx.store).updateMany({ groupId }, { $set: { raw: '' } });
}

/** What it said is gone at once, here and in what was kept to be passed on. */
async function empty(ctx: Context, post: GroupPost, removedBy: 'author' | 'moderator'): Promise<void> {
  const gone = { content: null, removedAt: ctx.now, removedBy };
  await groupPostsIn(ctx.store).updateOne({ _id: post._id, removedAt: null }, { $set: gone });
  const said = { post: post._id, type: { $in: ['Create', 'Update', ...voteTypes] as GroupActivity['type'][] } };
  await groupActivitiesIn(ctx.store).updateMany(said, { $set: { raw: '' } });
}

/** Once for each activity, with the news of it; false: it was there, or what it follows is followed. A change or removal may bear the id of the Create: then its words tell it apart. */
async function record(
  ctx: Context,
  post: GroupPost,
  type: GroupActivity['type'],
  arrival: Arrival,
  more: Pick<GroupActivity, 'follows'> = {},
): Promise<boolean> {
  const first = groupKey(post.groupId, arrival.activityIri);
  const before = await groupActivitiesIn(ctx.store).findOne({ _id: first }, { projection: { type: 1 } });
  const isOther = before !== null && before.type !== type;
  const _id = isOther ? groupKey(post.groupId, `${arrival.activityIri} ${arrival.raw}`) : first;
  const event: DomainEvent = { type: 'group.acted', groupActivityId: _id };
  const acted: GroupActivity = {
    _id,
    groupId: post.groupId,
    post: post._id,
    type,
    ...(type === 'Like' || type === 'Dislike' ? { activityIri: arrival.activityIri } : {}),
    ...more,
    author: arrival.author,
    raw: arrival.raw,
    at: ctx.now,
    events: [pending(event, ctx.now)],
  };
  return insertOnce(() => groupActivitiesIn(ctx.store).insertOne(acted));
}

async function insertOnce(insert: () => Promise<unknown>): Promise<boolean> {
  try {
    await insert();
    return true;
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    return false;
  }
}
