// Deeds on groups themselves: open, name, close, delete one, and take a post out of it on a page here. What is written in them:
// actions/receive.ts.
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import { type DomainEvent, pending } from '../events.js';
import { claimHandle, retireHandle } from '../handles/handles.js';
import { newId } from '../ids.js';
import { checkMayAdminister } from '../instances/rules.js';
import { DuplicateKeyError } from '../store/store.js';
import { emptyGroup, removeHere } from './actions/receive.js';
import { announcementsSlot, findAnnouncements, findGroupPostByKey, groupsIn } from './queries.js';
import { checkGroupVersion, mayModerate } from './rules.js';
import type { Group, GroupInput } from './schema.js';

/** Switches the announcements group on. Emits group.changed. Refuses: not-found, invalid and conflict (the name). */
export async function openAnnouncements(ctx: Context, input: GroupInput): Promise<Group> {
  checkMayAdminister(ctx.actor);
  if (await findAnnouncements(ctx.store)) throw new DomainError('conflict', 'groups.error.exists');
  const { handle, name, summary, hostersModerate, moderators, postingRestrictedToMods } = input;
  const _id = newId();
  await claimHandle(ctx, handle, 'group', _id);
  const group: Group = {
    _id,
    slot: announcementsSlot,
    handle,
    ...{ name, summary, hostersModerate, moderators, postingRestrictedToMods },
    createdAt: ctx.now,
    updatedAt: ctx.now,
    closedAt: null,
    deletedAt: null,
    version: 1,
  };
  try {
    await groupsIn(ctx.store).insertOne({ ...group, events: [changed(ctx, _id)] });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    await retireHandle(ctx, handle);
    throw new DomainError('conflict', 'groups.error.exists', { cause: error });
  }
  return group;
}

/** Names it, says what it is for and who moderates; its address stays. Emits group.changed. Refuses: not-found, conflict. */
export async function changeAnnouncements(ctx: Context, input: GroupInput): Promise<void> {
  const group = await enter(ctx);
  checkGroupVersion(group, input.version);
  const { name, summary, hostersModerate, moderators, postingRestrictedToMods } = input;
  await save(ctx, group, { name, summary, hostersModerate, moderators, postingRestrictedToMods });
}

/** Takes nothing new from now on; what is there stays, and its actor answers. Emits group.changed. Refuses: not-found. */
export async function closeAnnouncements(ctx: Context): Promise<void> {
  await save(ctx, await enter(ctx), { closedAt: ctx.now });
}

/** Emits group.changed. Refuses: not-found. */
export async function reopenAnnouncements(ctx: Context): Promise<void> {
  await save(ctx, await enter(ctx), { closedAt: null });
}

/**
 * Ends the group for good: followers are told to forget it, its name answers 410. Emits group.deleted. Refuses: not-found,
 * invalid (the name typed to confirm is another).
 */
export async function deleteAnnouncements(ctx: Context, typed: string): Promise<void> {
  const group = await enter(ctx);
  if (typed !== group.handle) throw new DomainError('invalid', 'groups.error.typeHandle', { field: 'handle' });
  const event: DomainEvent = { type: 'group.deleted', groupId: group._id };
  await groupsIn(ctx.store).updateOne(
    { _id: group._id, deletedAt: null },
    { $set: { slot: group._id, deletedAt: ctx.now }, $push: { events: pending(event, ctx.now) }, $inc: { version: 1 } },
  );
  await retireHandle(ctx, group.handle);
  await emptyGroup(ctx, group._id);
}

/**
 * A moderator of the instance takes a post out of a group; a thread goes with its first post. Emits group.acted. Refuses:
 * not-found (whoever is no moderator, another group's post); once removed: nothing.
 */
export async function removeFromGroup(ctx: Context, groupId: string, key: string): Promise<void> {
  const post = await findGroupPostByKey(ctx.store, key);
  if (!mayModerate(ctx.actor) || post?.groupId !== groupId) throw new DomainError('not-found', 'error.notFound');
  if (post.removedAt !== null) return;
  const group = await groupsIn(ctx.store).findOne({ _id: groupId });
  if (!group || group.deletedAt !== null) throw new DomainError('not-found', 'error.notFound');
  await removeHere(ctx, group, post, 'moderator');
}

async function enter(ctx: Context): Promise<Group> {
  checkMayAdminister(ctx.actor);
  const group = await findAnnouncements(ctx.store);
  if (!group) throw new DomainError('not-found', 'error.notFound');
  return group;
}

async function save(ctx: Context, group: Group, fields: Partial<Group>): Promise<void> {
  const saved = await groupsIn(ctx.store).updateOne(
    { _id: group._id, version: group.version, deletedAt: null },
    { $set: { ...fields, updatedAt: ctx.now }, $inc: { version: 1 }, $push: { events: changed(ctx, group._id) } },
  );
  if (saved.matchedCount === 0) throw new DomainError('conflict', 'groups.error.changedMeanwhile');
}

function changed(ctx: Context, groupId: string) {
  return pending({ type: 'group.changed', groupId }, ctx.now);
}
