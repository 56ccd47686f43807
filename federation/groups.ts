// Between the wire and the groups of this instance (FEP-1b12): which of them an activity names, and what of it is brought to
// them. What comes from elsewhere and what our own collectives say go through the same deeds, in server/groups.
import {
  receiveGroupPost,
  receiveGroupPostChange,
  receiveGroupRemoval,
  receiveGroupVote,
} from '../server/groups/actions/receive.js';
import { findGroup, listGroupPostsByIri, standingOf } from '../server/groups/queries.js';
import { contextIri, isOpen, mayWrite } from '../server/groups/rules.js';
import type { Group, GroupVote } from '../server/groups/schema.js';
import { findRemoteActor } from '../server/partners/queries.js';
import { actorIri, isPublicAudience } from '../server/partners/rules.js';
import type { RemotePost } from '../server/partners/schema.js';
import type { Activity } from './activities.js';
import { findLocalActor } from './actors.js';
import { contextFor, type Federation } from './federation.js';
import { localHandleIn, readIri } from './iris.js';
import { isObject, readJson } from './json.js';
import { normalise, type ReceivedObject } from './normalise.js';
import { fromPost } from './wire/remotePost.js';

type Json = Record<string, unknown>;

/** Addresses of ours that are looked at in one activity. */
const maxNamed = 5;

/** Groups here that the activity or its object is addressed to: in `to`, `cc` or `audience`, themselves or their followers. */
export async function groupsNamedIn(federation: Federation, json: Json): Promise<Group[]> {
  const { site } = federation.house;
  const [object] = [json.object].flat();
  const iris = [json, ...(isObject(object) ? [object] : [])].flatMap(addresseesOf);
  const handles = iris.map((iri) => localHandleIn(site, iri.replace(/\/followers$/, ''))).filter((one) => one !== null);
  const groups: Group[] = [];
  for (const handle of [...new Set(handles)].slice(0, maxNamed)) {
    const actor = await findLocalActor(federation, handle);
    if (actor !== null && actor !== 'gone' && actor.kind === 'group') groups.push(actor.group);
  }
  return groups;
}

function addresseesOf({ to, cc, audience }: Json): string[] {
  return [to, cc, audience]
    .flat()
    .map((one) => (isObject(one) ? one.id : one))
    .filter((one) => typeof one === 'string');
}

/** Whether the sender may write into a group that the activity names: of whoever may not, nothing is kept or fetched. */
export async function isForGroups(federation: Federation, raw: Buffer, sender: string): Promise<boolean> {
  const { site, store } = federation.house;
  for (const group of await groupsNamedIn(federation, readJson(raw))) {
    if (mayWrite(group, await standingOf(store, site, group, sender), 'comment')) return true;
  }
  return false;
}

interface Brought {
  activityIri: string;
  raw: string;
  author: string;
}

/** A post for the groups that its activity names. */
export async function bringPost(
  federation: Federation,
  brought: Brought & { post: RemotePost; postId: string | null },
): Promise<void> {
  const groups = await groupsNamedIn(federation, JSON.parse(brought.raw) as Json);
  for (const group of groups) await receiveGroupPost(contextFor(federation), group, brought);
}

/** A removal by a moderator names the group, or the thread, as its target: one from `featured` is none. */
export async function bringRemoval(
  federation: Federation,
  brought: Brought & { iri: string; target: string | null },
): Promise<void> {
  const { site } = federation.house;
  await receiveGroupRemoval(contextFor(federation), { ...brought, type: 'Remove' }, (group, { thread }) => {
    const iri = actorIri(site, group.handle);
    return [iri, `${iri}/outbox`, contextIri(site, thread)].some((one) => one === brought.target);
  });
}

function voteOf(type: string | null): GroupVote | null {
  return type === 'Like' || type === 'Dislike' ? type : null;
}

/** A like or dislike of what stands in groups here, or the end of one (FEP-1b12). What was said to its author alone stays there. */
export async function bringVote(
  federation: Federation,
  brought: Brought,
  { type, object }: { type: string; object: ReceivedObject | null },
): Promise<void> {
  const { site } = federation.house;
  const isUndo = type === 'Undo';
  const vote = voteOf(isUndo ? (object?.type ?? null) : type);
  if (object === null || (vote === null && !(isUndo && object.type === null))) return;
  if (isUndo && object.actor !== null && object.actor !== brought.author) return;
  const said = addresseesOf(JSON.parse(brought.raw) as Json);
  // NodeBB says it to its followers and the author.
  const sender = await findRemoteActor(federation.house.store, brought.author);
  const followers = sender?.followers ?? `${brought.author}/followers`;
  const isOpen = said.length === 0 || isPublicAudience(said) || said.includes(followers);
  const isFor = (group: Group): boolean => {
    const iri = actorIri(site, group.handle);
    return isOpen || said.some((one) => one === iri || one === `${iri}/followers`);
  };
  await receiveGroupVote(
    contextFor(federation),
    {
      ...brought,
      ...(isUndo
        ? { type: 'Undo' as const, iri: object.object, undoes: object.id }
        : { type: vote ?? 'Like', iri: object.id, undoes: null }),
      vote,
    },
    isFor,
  );
}

/** Where a Remove takes from; null: it does not say. */
export function targetIn(raw: Buffer, privateHosts: readonly string[]): string | null {
  const { target } = readJson(raw);
  return readIri(isObject(target) ? target.id : target, privateHosts);
}

export async function standsInGroup(federation: Federation, iri: string | null | undefined): Promise<boolean> {
  return typeof iri === 'string' && (await listGroupPostsByIri(federation.house.store, iri)).length > 0;
}

/** Ids of the groups here in which a post stands: whoever of ours likes it says so to them too. */
export async function groupsOfPost({ house }: Federation, iri: string): Promise<string[]> {
  const standing = (await listGroupPostsByIri(house.store, iri)).filter(({ removedAt }) => removedAt === null);
  const groups = await Promise.all(standing.map(({ groupId }) => findGroup(house.store, groupId)));
  return groups.flatMap((group) => (group && isOpen(group) ? [actorIri(house.site, group.handle)] : []));
}

/** What one of ours said about a post, for the groups here: as if it came from elsewhere. Idempotent. */
export async function bringOwn(federation: Federation, activity: Activity): Promise<void> {
  const [, kind, postId = ''] = /^(post|interaction):(.+)$/.exec(activity.subject) ?? [];
  if (kind === undefined || activity.json === '') return;
  const { house, apex } = federation;
  const json = JSON.parse(activity.json) as Json;
  const brought = {
    activityIri: apex.activityIri(activity._id),
    raw: activity.json,
    author: apex.actorIri(activity.actor),
  };
  const ownHosts = [...house.privateHosts, house.site.host];
  if (kind === 'interaction') return bringVote(federation, brought, await normalise(apex, json, ownHosts));
  if (activity.objectIri === null) return;
  if (activity.type === 'Delete') {
    await receiveGroupRemoval(contextFor(federation), { ...brought, iri: activity.objectIri, type: 'Delete' });
    return;
  }
  const post = fromPost(json.object, ownHosts, house.now());
  if (post === null) return;
  if (activity.type === 'Create') await bringPost(federation, { ...brought, post, postId });
  if (activity.type === 'Update') await receiveGroupPostChange(contextFor(federation), { ...brought, post });
}
