// What a group says: what it is, and what was done in it, passed on exactly as it came (FEP-1b12). Called by
// federation/outbox.ts only. Never what another announced: only what stands in server/groups is passed on.
import { findGroup, findGroupActivity, findGroupPostByKey, voteTypes } from '../../server/groups/queries.js';
import type { Group, GroupActivity, GroupPost } from '../../server/groups/schema.js';
import { activitiesIn } from '../activities.js';
import { keysOf } from '../actorKeys.js';
import type { Federation } from '../federation.js';
import type { Announced, Draft } from '../outbox.js';
import { addProof } from '../signatures/proofs.js';
import { actorContext, type Json, publicAudienceOf } from '../wire/namespace.js';
import { deleteOf, updateOf } from './actors.js';

export async function announceGroup(federation: Federation, event: Announced<'group.changed'>): Promise<Draft[]> {
  const group = await findGroup(federation.house.store, event.groupId);
  return group && group.deletedAt === null ? updateOf(federation, group.handle) : [];
}

/** What it passed on is not kept either. */
export async function announceGroupGone(federation: Federation, event: Announced<'group.deleted'>): Promise<Draft[]> {
  const group = await findGroup(federation.house.store, event.groupId);
  if (group === null) return [];
  const passedOn = { actor: group.handle, type: 'Announce' };
  await activitiesIn(federation).updateMany(passedOn, { $set: { json: '', listed: false } });
  return deleteOf(federation, group.handle);
}

/**
 * The activity as it came, to followers. The first post of a thread is announced by its id too, for those who know boosts and
 * no groups (Mastodon); that is undone when the post goes.
 */
export async function announceGroupActivity(federation: Federation, event: Announced<'group.acted'>): Promise<Draft[]> {
  const { store } = federation.house;
  const acted = await findGroupActivity(store, event.groupActivityId);
  const group = acted && (await findGroup(store, acted.groupId));
  const post = acted && (await findGroupPostByKey(store, acted.post));
  if (!acted || !group || !post || group.deletedAt !== null) return [];
  const isOwnRemoval = acted.type === 'removal';
  // Removed before it was passed on: there is nothing to say.
  if (acted.raw === '' && !isOwnRemoval) return [];
  const frame = frameOf(federation, group, acted);
  const isFirst = post.thread === post._id;
  const object = isOwnRemoval ? await removalOf(federation, group, post, event) : (JSON.parse(acted.raw) as Json);
  if (acted.type === 'Create') {
    const told: Draft = { ...frame, object, listed: true };
    return isFirst ? [told, { ...frame, object: post.iri }] : [told];
  }
  if (acted.type === 'Update' || voteTypes.includes(acted.type)) return [{ ...frame, object }];
  const undo = isFirst ? await undoneBoost(federation, frame, post) : [];
  return [{ ...frame, object, withdrawsSubject: true }, ...undo];
}

function frameOf(federation: Federation, group: Group, acted: GroupActivity): Omit<Draft, 'object'> {
  const { followers } = federation.apex.streamsOf(group.handle);
  const author = acted.author === federation.apex.actorIri(group.handle) ? [] : [acted.author];
  return {
    actor: group.handle,
    type: 'Announce',
    subject: `group:${acted.post}`,
    objectIri: null,
    ...publicAudienceOf(followers, author),
    toFollowers: true,
    inboxes: [],
    listed: false,
    context: actorContext,
  };
}

/** A moderator took it out on a page here: the group says so itself, with a proof of its own. */
async function removalOf(
  federation: Federation,
  group: Group,
  post: GroupPost,
  event: Announced<'group.acted'>,
): Promise<Json> {
  const { apex, house } = federation;
  const { ed25519 } = await keysOf(federation, group.handle);
  const removal = {
    '@context': actorContext,
    id: `${apex.activityIri(event.eventId)}#removal`,
    type: 'Delete',
    actor: apex.actorIri(group.handle),
    ...publicAudienceOf(apex.streamsOf(group.handle).followers),
    audience: apex.actorIri(group.handle),
    published: event.at.toISOString(),
    object: post.iri,
  };
  return addProof(removal, { verificationMethod: ed25519.id, privateKey: ed25519.privateKey }, house.now());
}

/** Nothing where it was never announced. */
async function undoneBoost(federation: Federation, frame: Omit<Draft, 'object'>, post: GroupPost): Promise<Draft[]> {
  const first = await activitiesIn(federation).findOne(
    { subject: frame.subject, type: 'Announce' },
    { sort: { _id: 1 } },
  );
  if (first === null) return [];
  const { apex } = federation;
  const boost = {
    id: apex.activityIri(`${first._id}-2`),
    type: 'Announce',
    actor: apex.actorIri(frame.actor),
    object: post.iri,
  };
  return [{ ...frame, type: 'Undo', object: boost }];
}
