// TABLE: activity -> what it does here. A handler is parse, then deed; it sees only the normalised activity, the actor whose
// key signed it, and what is stored. What we take note of and do nothing about says so.
import { DomainError } from '../server/errors.js';
import { forgetRemoteActor, receiveFollow, receiveUndoFollow } from '../server/partners/actions.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { acceptsAtOnce, findLocalActor, type LocalActor } from './actors.js';
import { contextFor, type Federation } from './federation.js';
import { localHandleIn, sameOrigin } from './iris.js';
import type { ReceivedActivity, ReceivedObject } from './normalise.js';
import { Refusal } from './refusal.js';
import { fetchActor } from './remoteActors.js';

export interface Inbound {
  federation: Federation;
  activity: ReceivedActivity;
  /** The actor whose key signed the request; the same as activity.actor. */
  sender: RemoteActor;
}

/** deed: takes effect once, by the id of its activity. check: may be refused, else is forgotten. ignored: is forgotten. */
export type Handler = { deed: (inbound: Inbound) => Promise<void> } | { check: (inbound: Inbound) => void } | 'ignored';

const ignored = 'ignored';

export const handlers: Readonly<Record<string, Handler>> = {
  Accept: ignored,
  Add: ignored,
  Announce: ignored,
  Arrive: ignored,
  Block: ignored,
  Create: { check: checkOwnObject },
  Delete: { deed: receiveDelete },
  Dislike: ignored,
  Flag: ignored,
  Follow: { deed: receiveFollowActivity },
  Ignore: ignored,
  Invite: ignored,
  Join: ignored,
  Leave: ignored,
  Like: ignored,
  Listen: ignored,
  Move: ignored,
  Offer: ignored,
  Reject: ignored,
  Read: ignored,
  Remove: ignored,
  TentativeAccept: ignored,
  TentativeReject: ignored,
  Travel: ignored,
  Undo: { deed: receiveUndo },
  Update: { deed: receiveUpdate },
  View: ignored,
};

/** Whether such an activity is more than acknowledged here. */
export function isActedOn(type: string): boolean {
  return Object.hasOwn(handlers, type) && handlers[type] !== ignored;
}

/** ActivityStreams types that are no activities: an "activity" of such a type is malformed. */
export const notActivities: ReadonlySet<string> = new Set(
  'Application Group Organization Person Service Article Audio Document Event Image Note Page Place Profile Relationship Tombstone Video Link Mention Hashtag Object Collection OrderedCollection CollectionPage OrderedCollectionPage Question Key Multikey'.split(
    ' ',
  ),
);

/** Refuses: 400 (no object, no id), 404 and 410 (nobody here). */
async function receiveFollowActivity({ federation, activity, sender }: Inbound): Promise<void> {
  const followed = await followedActor(federation, activity.object?.id ?? null);
  if (activity.id === null) throw new Refusal(400, 'a Follow needs an id');
  const { iri, kind, ownerId } = followed;
  await receiveFollow(contextFor(federation), {
    followIri: activity.id,
    follower: sender,
    followed: { iri, kind, ownerId, acceptsAtOnce: acceptsAtOnce(followed) },
  });
}

async function followedActor(federation: Federation, iri: string | null): Promise<LocalActor> {
  const handle = iri === null ? null : localHandleIn(federation.house.site, iri);
  if (handle === null) throw new Refusal(400, 'a Follow names an actor of this server');
  const actor = await findLocalActor(federation, handle);
  if (actor === 'gone') throw new Refusal(410, 'that actor is gone');
  if (actor === null) throw new Refusal(404, 'there is no such actor');
  return actor;
}

/** Undo of a Follow, by its id or by whom it followed; of anything else: nothing of it is kept, so nothing to undo. */
async function receiveUndo({ federation, activity, sender }: Inbound): Promise<void> {
  const { object } = activity;
  if (object === null) throw new Refusal(400, 'an Undo needs an object');
  if (object.type !== null && object.type !== 'Follow') return;
  if (object.actor !== null && object.actor !== sender._id) throw new Refusal(403, 'only the actor itself may undo');
  const handle = object.object === null ? null : localHandleIn(federation.house.site, object.object);
  const followed = handle === null ? null : await findLocalActor(federation, handle);
  const isActor = followed !== null && followed !== 'gone';
  try {
    await receiveUndoFollow(contextFor(federation), {
      follower: sender,
      followIri: object.id !== null && sameOrigin(object.id, sender._id) ? object.id : null,
      followed: isActor ? { iri: followed.iri, kind: followed.kind, ownerId: followed.ownerId } : null,
    });
  } catch (error) {
    if (error instanceof DomainError) throw new Refusal(403, 'the follow is somebody else’s');
    throw error;
  }
}

/** An actor deletes itself: its follows end. Of an object: nothing of it is kept here. */
async function receiveDelete(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  if (activity.object?.id === sender._id) return forgetRemoteActor(contextFor(federation), sender._id);
  checkOwnObject(inbound);
}

/** An actor changed: its own server is asked, the inline copy counts for nothing. */
async function receiveUpdate(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  if (activity.object?.id !== sender._id) return checkOwnObject(inbound);
  await fetchActor(federation, sender._id);
}

/** Refuses (403) an object from another origin than its sender, ours included, or by somebody else; 400 one without id. */
function checkOwnObject({ activity, sender }: Inbound): void {
  const { object } = activity;
  if (object?.id === undefined || object.id === null)
    throw new Refusal(400, `a ${activity.type} needs an object with an id`);
  if (!sameOrigin(object.id, sender._id)) throw new Refusal(403, 'the object is from another server');
  checkAuthors(object, sender);
}

/** A list is fine when the sender is in it and all are of one server (PeerTube: a person and a channel). */
function checkAuthors(object: ReceivedObject, sender: RemoteActor): void {
  const authors = object.attributedTo;
  if (authors.length === 0) return;
  if (!authors.includes(sender._id) || !authors.every((author) => sameOrigin(author, sender._id))) {
    throw new Refusal(403, 'the object is somebody else’s');
  }
}
