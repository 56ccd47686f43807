// TABLE: activity -> what it does here. A handler is parse, then deed; it sees only the normalised activity, the actor whose it
// is, and what is stored. What we take note of and do nothing about says so. What is about surveys has been taken
// out before (receiveSurveys.ts).

import { hastenSource, watchActor } from '../server/elsewhere/actions/sources.js';
import { DomainError } from '../server/errors.js';
import { receiveGroupPostChange, receiveGroupRemoval } from '../server/groups/actions/receive.js';
import { listVotesByIri } from '../server/groups/queries.js';
import { readPolicy } from '../server/instances/queries.js';
import { isLimitedPeer } from '../server/instances/rules.js';
import { receiveReport } from '../server/moderation/actions.js';
import { receiveBlock } from '../server/partners/actions/blocking.js';
import {
  receiveBoost,
  receivePost,
  receivePostChange,
  receivePostDeletion,
  receiveUndoBoost,
  receiveUndoBoostById,
} from '../server/partners/actions/feed.js';
import { moveFollowings, receiveFollowAnswer } from '../server/partners/actions/following.js';
import { receiveMentions } from '../server/partners/actions/mentions.js';
import { receiveReaction, receiveUndoReaction, receiveUndoReactionById } from '../server/partners/actions/reactions.js';
import { forgetRemoteActor, receiveFollow, receiveUndoFollow } from '../server/partners/actions.js';
import {
  findFollowByIri,
  findReactionByIri,
  findRemoteActor,
  findRemotePost,
  isAskedFromHere,
  isFollowedHere,
} from '../server/partners/queries.js';
import { isPublicAudience } from '../server/partners/rules.js';
import { type InteractionKind, postTypes, type RemoteActor, type RemotePost } from '../server/partners/schema.js';
import { takeBackVotes } from '../server/surveys/actions/polls.js';
import { forgetSurveysOf } from '../server/surveys/actions/receiving.js';
import { acceptsAtOnce, findLocalActor, type LocalActor } from './actors.js';
import { addressedBy, ownerToldBy } from './addressed.js';
import { isKnownHoster, receiveServiceEnd, receiveServiceIn } from './catalogues.js';
import type { Errand } from './errand.js';
import { contextFor, type Federation } from './federation.js';
import { bringPost, bringRemoval, bringVote, isForGroups, standsInGroup, targetIn } from './groups.js';
import { isLocal, localHandleIn, sameOrigin } from './iris.js';
import { isObject, readJson } from './json.js';
import type { ReceivedActivity, ReceivedObject } from './normalise.js';
import { Refusal } from './refusal.js';
import { fetchActor } from './remoteActors.js';
import { fetchBrought } from './remoteObjects.js';
import { isDeletedAlready, noteDeletion } from './unseenDeletions.js';
import { hasVoted, isVote, receiveVoteIn } from './votes.js';
import { fromFlag } from './wire/flag.js';
import { fromPost } from './wire/remotePost.js';

export interface Inbound {
  federation: Federation;
  activity: ReceivedActivity;
  /** Whose activity it is (activity.actor): who signed the request, or who is shown to have said it (authorship.ts). */
  sender: RemoteActor;
  /** The bytes that were verified; read again only for what normalise leaves out. */
  raw: Buffer;
  errand: Errand;
}

/**
 * check: may be refused. concerns: false when nobody here has asked for it; then it is forgotten, but for what `otherwise` keeps. deed: takes effect once, by
 * the id of its activity. ignored: is forgotten.
 */
export type Handler =
  | {
      check?: (inbound: Inbound) => void;
      concerns?: (inbound: Inbound) => Promise<boolean>;
      otherwise?: (inbound: Inbound) => Promise<void>;
      deed: (inbound: Inbound) => Promise<void>;
    }
  | 'ignored';

const ignored = 'ignored';

export const handlers: Readonly<Record<string, Handler>> = {
  Accept: { concerns: isAsked, deed: (inbound) => receiveAnswer(inbound, 'accept') },
  Add: ignored,
  Announce: { concerns: isPartnerOrOfOurs, deed: receiveAnnounce },
  Arrive: ignored,
  Block: { concerns: isAboutOurs, deed: receiveBlockActivity },
  Create: { check: checkOwnObject, concerns: isHeard, deed: receiveCreate },
  Delete: { concerns: isDeletable, otherwise: noteDeletion, deed: receiveDelete },
  Dislike: { concerns: isInGroup, deed: receiveGroupVoteIn },
  EmojiReact: { concerns: isOfOurs, deed: receiveLike },
  Flag: { concerns: flagsOurs, deed: receiveFlag },
  Follow: { deed: receiveFollowActivity },
  Ignore: ignored,
  Invite: ignored,
  Join: ignored,
  Leave: ignored,
  Like: { concerns: isOfOursOrInGroup, deed: receiveLike },
  Listen: ignored,
  Move: { concerns: isPartnerOrNewHome, deed: receiveMove },
  Offer: ignored,
  Reject: { concerns: isAsked, deed: (inbound) => receiveAnswer(inbound, 'reject') },
  Read: ignored,
  Remove: { concerns: isInGroup, deed: receiveRemove },
  TentativeAccept: ignored,
  TentativeReject: ignored,
  Travel: ignored,
  Undo: { check: checkUndo, concerns: undoesHere, deed: receiveUndo },
  Update: { check: checkOwn, concerns: isChangeable, deed: receiveUpdate },
  View: ignored,
};

/** Whether such an activity is more than acknowledged here. */
export function isActedOn(type: string): boolean {
  return Object.hasOwn(handlers, type) && handlers[type] !== ignored;
}

const actorTypes: ReadonlySet<string> = new Set(['Application', 'Group', 'Organization', 'Person', 'Service']);

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
  const isDecided = kind === 'collective' || kind === 'person';
  const isLimited = isDecided && isLimitedPeer(await readPolicy(federation.house.store), sender.host);
  await receiveFollow(contextFor(federation), {
    followIri: activity.id,
    follower: sender,
    followed: { iri, kind, ownerId, acceptsAtOnce: acceptsAtOnce(followed) && !isLimited },
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

/** Which activities about an object of ours are counted as what. EmojiReact: Pleroma and Misskey say likes with a picture. */
const reactionTypes: Readonly<Record<string, InteractionKind>> = {
  Like: 'like',
  EmojiReact: 'like',
  Announce: 'boost',
};

function mayBeUndone(type: string | null): boolean {
  return type === null || type === 'Follow' || Object.hasOwn(reactionTypes, type);
}

function checkUndo({ activity: { object }, sender }: Inbound): void {
  if (object === null) throw new Refusal(400, 'an Undo needs an object');
  if (!mayBeUndone(object.type) || object.actor === null || object.actor === sender._id) return;
  throw new Refusal(403, 'only the actor itself may undo');
}

/** Whether it takes back what is known here, or what is about one of ours: an Undo may come first. */
async function undoesHere(inbound: Inbound): Promise<boolean> {
  const { federation, activity, sender } = inbound;
  const { object } = activity;
  const { store, site } = federation.house;
  if (object === null) return false;
  if (await standsInGroup(federation, object.object)) return true;
  if (object.id !== null && (await listVotesByIri(store, object.id)).length > 0) return true;
  if (!mayBeUndone(object.type)) return false;
  if (object.id !== null && (await findFollowByIri(store, object.id))) return true;
  if (object.id !== null && (await findReactionByIri(store, object.id))) return true;
  if ((object.type === 'Announce' || object.type === null) && (await isPartner(inbound))) return true;
  if (object.type !== null && object.type !== 'Follow')
    return (await reactionTo(federation, object.object, sender._id)) !== null;
  const handle = object.object === null ? null : localHandleIn(site, object.object);
  const followed = handle === null ? null : await findLocalActor(federation, handle);
  return followed !== null && followed !== 'gone';
}

/** Undo of a Follow, by its id or by whom it followed; of a like or boost; of anything else nothing is kept. */
async function receiveUndo(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  const { object } = activity;
  await receiveGroupVoteIn(inbound);
  if (object === null || !mayBeUndone(object.type)) return;
  const ctx = contextFor(federation);
  if (object.type === 'Announce' && object.object !== null) await receiveUndoBoost(ctx, object.object, sender._id);
  if (object.type !== 'Follow' && object.id !== null) {
    if (await receiveUndoReactionById(ctx, object.id, sender._id)) return;
    if (await receiveUndoBoostById(ctx, object.id, sender._id)) return;
  }
  const kind = reactionTypes[object.type ?? ''];
  if (kind !== undefined) {
    const of = await reactionTo(federation, object.object, sender._id);
    if (of !== null) await receiveUndoReaction(ctx, { ...of, kind, activityIri: object.id });
    return;
  }
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

/** An actor deletes itself: its follows end, what it wrote goes. Of a post: its author deletes it. */
async function receiveDelete(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  const ctx = contextFor(federation);
  if (activity.object?.id === sender._id) {
    await forgetSurveysOf(ctx, { owner: sender._id });
    return forgetRemoteActor(ctx, sender._id);
  }
  const iri = activity.object?.id ?? '';
  const brought = broughtBy(inbound);
  const removal = brought ? await receiveGroupRemoval(ctx, { ...brought, iri, type: 'Delete' }) : 'none';
  // A moderator deletes what is another's: it leaves the group, and is nobody else's business.
  if (removal === 'removed' && !sameOrigin(iri, sender._id)) return;
  checkOwnObject(inbound);
  await takeBackVotes(ctx, { actor: sender._id, iri });
  await receiveServiceEnd(inbound);
  if (removal === 'refused') throw new Refusal(403, 'the object is somebody else’s');
  const known = await findRemotePost(ctx.store, iri);
  if (known && !known.authors.includes(sender._id) && removal === 'removed') return;
  if (known && !known.authors.includes(sender._id)) throw new Refusal(403, 'the object is somebody else’s');
  await receivePostDeletion(ctx, iri, sender._id);
}

/** An actor changed: its own server is asked, the inline copy counts for nothing. A post: by its author, if newer. */
async function receiveUpdate(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  if (activity.object?.id === sender._id) {
    await fetchActor(federation, sender._id, await errandOf(inbound));
    await hastenSource(contextFor(federation), sender._id);
    return;
  }
  await receiveServiceIn(inbound);
  const known = await findRemotePost(federation.house.store, activity.object?.id ?? '');
  if (known && !known.authors.includes(sender._id)) throw new Refusal(403, 'the object is somebody else’s');
  const isGrouped = await standsInGroup(federation, activity.object?.id);
  const post = known || isGrouped ? await postOf(inbound) : null;
  if (post === null || !post.authors.includes(sender._id)) return;
  if (known) await receivePostChange(contextFor(federation), post);
  const brought = broughtBy(inbound);
  if (isGrouped && brought) await receiveGroupPostChange(contextFor(federation), { ...brought, post });
}

/** The activity for groups, which pass on as it came only what has an id. */
function broughtBy({ activity, raw, sender }: Inbound) {
  return activity.id === null ? null : { activityIri: activity.id, raw: raw.toString('utf8'), author: sender._id };
}

/** A moderator elsewhere takes a post out of a group of ours, where it is named as the target. */
async function receiveRemove(inbound: Inbound): Promise<void> {
  const { activity, federation, raw } = inbound;
  const brought = broughtBy(inbound);
  const iri = activity.object?.id;
  if (!brought || !iri) return;
  await bringRemoval(federation, { ...brought, iri, target: targetIn(raw, federation.house.privateHosts) });
}

async function isInGroup({ federation, activity }: Inbound): Promise<boolean> {
  return standsInGroup(federation, activity.object?.id);
}

/** Whether somebody here follows the sender: whoever nobody asked for leaves no trace. */
async function isPartner({ federation, sender }: Inbound): Promise<boolean> {
  return isFollowedHere(federation.house.store, sender._id);
}

/** Before anything is fetched: whoever is followed here is no stranger. */
async function errandOf(inbound: Inbound): Promise<Errand> {
  if (await isPartner(inbound)) inbound.errand.stranger = null;
  return inbound.errand;
}

/**
 * Whether we read what the sender publishes: it is a vote in a poll of ours, somebody here follows it or is told, its catalogue is known here, or it may write
 * into a group of ours that the activity names.
 */
async function isHeard(inbound: Inbound): Promise<boolean> {
  const { federation, raw, sender } = inbound;
  if (await isVote(inbound)) return true;
  if (inbound.activity.hasSeveral) return false;
  if ((await isPartnerOrToUs(inbound)) || (await isKnownHoster(federation, sender))) return true;
  return isForGroups(federation, raw, sender._id);
}

/** The sender itself, or a post that is kept here. Strangers say much of what nobody here has ever read. */
async function isKnown({ federation, activity, sender }: Inbound): Promise<boolean> {
  const id = activity.object?.id ?? '';
  return id === sender._id || (await findRemotePost(federation.house.store, id)) !== null;
}

async function isChangeable(inbound: Inbound): Promise<boolean> {
  if ((await isKnown(inbound)) || (await isInGroup(inbound))) return true;
  return isKnownHoster(inbound.federation, inbound.sender);
}

/** Also what a partner deletes before it has arrived. What stands in a group of ours its moderators may delete, whosever it is. */
async function isDeletable(inbound: Inbound): Promise<boolean> {
  if (await isInGroup(inbound)) return true;
  checkOwn(inbound);
  if (await hasVoted(inbound)) return true;
  return (await isChangeable(inbound)) || isPartner(inbound);
}

/** Whether one of ours has asked the sender for anything that can still be answered. */
async function isAsked({ federation, sender }: Inbound): Promise<boolean> {
  return isAskedFromHere(federation.house.store, sender._id);
}

/** An answer to a Follow of ours. What stands inline only names it; what we stored decides (AP-44). */
async function receiveAnswer(inbound: Inbound, answer: 'accept' | 'reject'): Promise<void> {
  const { federation, activity, sender } = inbound;
  const { object } = activity;
  const { site } = federation.house;
  if (object === null || (object.type !== null && object.type !== 'Follow')) return;
  const isOurs = object.id !== null && isLocal(site, object.id);
  // Some servers make up an id of their own for our Follow: then its two ends name it.
  const follower = object.actor !== null && object.object === sender._id ? object.actor : null;
  await receiveFollowAnswer(contextFor(federation), {
    answer,
    followed: sender._id,
    followIri: isOurs ? object.id : null,
    follower: isOurs ? null : follower,
  });
  if (answer === 'accept' && (await isPartner(inbound))) {
    await watchActor(contextFor(federation), sender);
  }
}

/** Whether it is by a partner, or an inline post by its own author that answers or names one of ours. */
async function isPartnerOrToUs(inbound: Inbound): Promise<boolean> {
  if (await isPartner(inbound)) return true;
  const post = inbound.activity.object?.type === null ? null : postIn(inbound);
  if (post === null || !isBy(post, inbound.sender)) return false;
  return (await addressedBy(inbound.federation, post)).length > 0;
}

/** A post of a followed actor: inline, as its author signed it; or only its id, then from its own server. */
async function receiveCreate(inbound: Inbound): Promise<void> {
  const { federation, sender } = inbound;
  if (await receiveVoteIn(inbound)) return;
  await receiveServiceIn(inbound);
  const post = await postOf(inbound);
  if (post === null || !isBy(post, sender)) return;
  if (await isDeletedAlready(federation, post.iri, sender._id)) return;
  const ctx = contextFor(federation);
  await receivePost(ctx, post, sender._id);
  await receiveMentions(ctx, post, await addressedBy(federation, post));
  const brought = broughtBy(inbound);
  if (brought) await bringPost(federation, { ...brought, post, postId: null });
}

function isBy(post: RemotePost, sender: RemoteActor): boolean {
  return post.authors.includes(sender._id);
}

async function postOf(inbound: Inbound): Promise<RemotePost | null> {
  const { activity, federation } = inbound;
  if (activity.object?.type !== null) return postIn(inbound);
  const post = await fetchBrought(federation, activity.object?.id ?? '', await errandOf(inbound));
  return post === 'gone' || post === null ? null : underOwnName(post, inbound.sender);
}

/** The post inside the signed bytes, when it is the object that was checked. */
function postIn({ federation, activity, raw, sender }: Inbound): RemotePost | null {
  const { now, privateHosts } = federation.house;
  const { object, to, cc } = readJson(raw);
  const [inline] = Array.isArray(object) ? object : [object];
  // An object that names no audience has that of its activity (ActivityPub §6.2).
  const addressed =
    isObject(inline) && inline.to === undefined && inline.cc === undefined ? { ...inline, to, cc } : inline;
  const post = fromPost(addressed, privateHosts, now());
  return post && post.iri === activity.object?.id ? underOwnName(post, sender) : null;
}

/** Whoever signs stands first among its authors, and is shown: a neighbour who is named besides has not said it (AP-24). */
function underOwnName(post: RemotePost, { _id }: RemoteActor): RemotePost {
  if (!post.authors.includes(_id)) return post;
  return { ...post, authors: [_id, ...post.authors.filter((author) => author !== _id)] };
}

/** Whether it is about a public object of ours, by somebody from whom more is taken today. */
async function isOfOurs({ federation, activity, sender }: Inbound): Promise<boolean> {
  return (await reactionTo(federation, activity.object?.id ?? null, sender._id)) !== null;
}

async function isPartnerOrOfOurs(inbound: Inbound): Promise<boolean> {
  return (await isPartner(inbound)) || (await isOfOurs(inbound));
}

async function reactionTo(federation: Federation, object: string | null, actor: string) {
  const owner = object === null ? null : await ownerToldBy(federation, object, actor);
  return object === null || owner === null ? null : { object, owner, actor };
}

/** A like or dislike in a group of ours, or the end of one. */
async function receiveGroupVoteIn(inbound: Inbound): Promise<void> {
  const brought = broughtBy(inbound);
  if (brought) await bringVote(inbound.federation, brought, inbound.activity);
}

async function isOfOursOrInGroup(inbound: Inbound): Promise<boolean> {
  return (await isOfOurs(inbound)) || isInGroup(inbound);
}

/** Somebody likes or passes on an object of ours: counted once. What stands in a group of ours is passed on. */
async function receiveLike(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  await receiveGroupVoteIn(inbound);
  const of = await reactionTo(federation, activity.object?.id ?? null, sender._id);
  const kind = reactionTypes[activity.type];
  if (of === null || kind === undefined) return;
  await receiveReaction(contextFor(federation), { ...of, kind, activityIri: activity.id });
}

/** What a followed actor boosts, or a followed group passes on (FEP-1b12): always read from its own server. */
async function receiveAnnounce(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  const { object } = activity;
  if (object?.id && isLocal(federation.house.site, object.id)) return receiveLike(inbound);
  const ctx = contextFor(federation);
  const isRemoval = object?.type === 'Delete' || object?.type === 'Remove';
  const isActivity = isRemoval || object?.type === 'Create' || object?.type === 'Update';
  const iri = isActivity ? object?.object : object?.id;
  if (!iri || isLocal(federation.house.site, iri) || (object?.type && !isActivity && !isPostType(object.type))) return;
  const known = await findRemotePost(ctx.store, iri);
  if (known?.deletedAt) return;
  const post = known && !isActivity ? known : await fetchBrought(federation, iri, await errandOf(inbound));
  if (post === 'gone') {
    // What is not for all may be hidden from us, and be there all the same: its author alone deletes it.
    const [author] = known && isPublicAudience(known.audience) ? known.authors : [];
    if (author !== undefined) await receivePostDeletion(ctx, iri, author);
  } else if (isRemoval) {
    // Its author keeps it; the group wants it no more (FEP-1b12).
    await receiveUndoBoost(ctx, iri, sender._id);
  } else if (post !== null) {
    if (known && known !== post) await receivePostChange(ctx, post);
    await receiveBoost(ctx, post, sender._id, ctx.now, activity.id);
  }
}

function isPostType(type: string): boolean {
  return postTypes.some((one) => one === type);
}

/** Whether a partner says it, or the account to which a partner is said to have moved. */
async function isPartnerOrNewHome(inbound: Inbound): Promise<boolean> {
  const { federation, activity, sender } = inbound;
  if (await isPartner(inbound)) return true;
  const old = activity.object?.id ?? '';
  return targetOf(inbound) === sender._id && (await isFollowedHere(federation.house.store, old));
}

function targetOf({ federation, raw }: Inbound): string | null {
  return targetIn(raw, federation.house.privateHosts);
}

/** An actor moved: only when it says so itself and its new home, asked now, lists it (AP-134). */
async function receiveMove(inbound: Inbound): Promise<void> {
  const { federation, activity, sender } = inbound;
  const { object } = activity;
  const iri = targetOf(inbound);
  if (object?.id !== sender._id) {
    if (object?.id && iri === sender._id) return receiveMoveFromNewHome(inbound, object.id);
    // A topic of a forum goes to another category (NodeBB): nothing here depends on where it stands.
    if (object?.id && sameOrigin(object.id, sender._id) && !(await isActor(federation, object))) return;
    throw new Refusal(403, 'an actor moves only itself');
  }
  if (iri === null) throw new Refusal(400, 'a Move names its target');
  if (isLocal(federation.house.site, iri) || iri === sender._id) return;
  const home = await fetchActor(federation, iri, await errandOf(inbound));
  if (!home.alsoKnownAs?.includes(sender._id)) throw new Refusal(403, 'the target does not know the actor');
  await moveFollowings(contextFor(federation), sender, home);
}

/** The new account says it (FEP-7628, pull mode): both servers are asked now, and each has to name the other account. */
async function receiveMoveFromNewHome({ federation, sender, errand }: Inbound, old: string): Promise<void> {
  const { site, store } = federation.house;
  if (isLocal(site, old) || !(await isFollowedHere(store, old))) return;
  const home = await fetchActor(federation, sender._id, errand);
  if (!home.alsoKnownAs?.includes(old)) throw new Refusal(403, 'the target does not know the actor');
  const said = await fetchActor(federation, old, errand);
  const isNamed = said.leadsTo ? said.leadsTo === home._id : said.alsoKnownAs?.includes(home._id);
  if (!isNamed) throw new Refusal(403, 'the old account does not know the new one');
  // As it is kept: when it moved last is ours to know.
  const known = await findRemoteActor(store, old);
  if (known) await moveFollowings(contextFor(federation), known, home);
}

/** As it says itself, or as it is known here. */
async function isActor({ house }: Federation, { id, type }: ReceivedObject): Promise<boolean> {
  if (type !== null && actorTypes.has(type)) return true;
  return (await findRemoteActor(house.store, id ?? '')) !== null;
}

/** Whether its object is an actor of ours. */
async function isAboutOurs({ federation, activity }: Inbound): Promise<boolean> {
  return localHandleIn(federation.house.site, activity.object?.id ?? '') !== null;
}

/** Somebody elsewhere blocks one of ours. Taking it back needs no deed: nothing that ended comes back by itself. */
async function receiveBlockActivity({ federation, activity, sender }: Inbound): Promise<void> {
  await receiveBlock(contextFor(federation), { blocker: sender._id, blocked: activity.object?.id ?? '' });
}

/** Whether a report names anything of ours: what is reported elsewhere is not kept. */
async function flagsOurs({ federation, raw }: Inbound): Promise<boolean> {
  return fromFlag(readJson(raw), federation.house.site).objects.length > 0;
}

/** A report about us, from the server of whoever made it. Refuses: 429 (too many of that server are open). */
async function receiveFlag({ federation, activity, sender, raw }: Inbound): Promise<void> {
  const flag = fromFlag(readJson(raw), federation.house.site);
  await receiveReport(contextFor(federation), { ...flag, host: sender.host, activityIri: activity.id, raw });
}

/** An actor itself, or an object of its own. */
function checkOwn(inbound: Inbound): void {
  if (inbound.activity.object?.id !== inbound.sender._id) checkOwnObject(inbound);
}

/** Refuses (403) an object from another origin than its sender, ours included, or by somebody else; 400 one without id. */
export function checkOwnObject({ activity, sender }: Inbound): void {
  const { object } = activity;
  if (object?.id === undefined || object.id === null)
    throw new Refusal(400, `a ${activity.type} needs an object with an id`);
  if (!sameOrigin(object.id, sender._id)) throw new Refusal(403, 'the object is from another server');
  checkAuthors(object, sender);
}

/**
 * A list is fine when the sender is in it and all are of one server (PeerTube: a person and a channel). So is a group to which
 * the sender, who is named as `actor`, attributes it (Mobilizon). It is shown under the sender's name.
 */
function checkAuthors(object: ReceivedObject, sender: RemoteActor): void {
  const authors = object.actor === sender._id ? [sender._id, ...object.attributedTo] : object.attributedTo;
  if (authors.length === 0) return;
  if (!authors.includes(sender._id) || !authors.every((author) => sameOrigin(author, sender._id))) {
    throw new Refusal(403, 'the object is somebody else’s');
  }
}
