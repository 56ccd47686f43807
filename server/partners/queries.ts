// Reads of follows and of actors elsewhere, and the collections' indexes.
import { getCollective } from '../collectives/queries.js';
import { checkMayEditCollective, isPublic } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import { eventIndex } from '../events.js';
import { readPolicy } from '../instances/queries.js';
import { isRefusedPeer } from '../instances/rules.js';
import { getPerson } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import { hiddenFrom, isBlockedBy } from './blockQueries.js';
import { actorIri, isPublicAudience, mentionsADay, postKey, reactionsADay } from './rules.js';
import type {
  FeedEntry,
  Follow,
  Following,
  FollowingState,
  FollowState,
  Interaction,
  InteractionKind,
  Mention,
  OwnMove,
  PartyRef,
  Reaction,
  RemoteActor,
  RemotePost,
  Vote,
} from './schema.js';

export const partnersIndexes: CollectionIndexes = {
  follows: [
    { keys: { followed: 1, state: 1, _id: 1 } },
    { keys: { followed: 1, state: 1, requestedAt: -1, _id: 1 } },
    { keys: { followed: 1, state: 1, deliverTo: 1 } },
    { keys: { followed: 1, state: 1, follower: 1 } },
    { keys: { follower: 1 } },
    { keys: { followIri: 1 } },
    { keys: { state: 1, decidedAt: 1 } },
    eventIndex,
  ],
  remoteActors: [
    { keys: { 'keys.id': 1 } },
    { keys: { acct: 1 } },
    { keys: { fetchedAt: 1 } },
    { keys: { host: 1 } },
    { keys: { inbox: 1 } },
  ],
  followings: [
    { keys: { followIri: 1 } },
    { keys: { followed: 1, state: 1 } },
    { keys: { follower: 1, state: 1, requestedAt: -1, _id: 1 } },
    { keys: { state: 1, decidedAt: 1 } },
    eventIndex,
  ],
  moves: [eventIndex],
  interactions: [{ keys: { actor: 1, post: 1, undone: 1 } }, { keys: { undone: 1, at: 1 } }, eventIndex],
  remotePosts: [
    { keys: { iri: 1 }, unique: true },
    { keys: { authors: 1 } },
    { keys: { inReplyTo: 1, publishedAt: 1, _id: 1 } },
    { keys: { receivedAt: 1 } },
    { keys: { 'poll.endsAt': 1 }, sparse: true },
  ],
  feedEntries: [
    { keys: { reader: 1, muted: 1, position: -1 } },
    { keys: { reader: 1, lists: 1, muted: 1, position: -1 } },
    { keys: { from: 1, reader: 1 } },
    { keys: { post: 1 } },
    { keys: { boostIri: 1 }, sparse: true },
    { keys: { at: 1 } },
  ],
  votes: [{ keys: { actor: 1 } }, { keys: { at: 1 } }, eventIndex],
  reactions: [
    { keys: { object: 1, undone: 1, kind: 1 } },
    { keys: { object: 1, undone: 1, at: -1, _id: 1 } },
    { keys: { owner: 1 } },
    { keys: { actor: 1 } },
    { keys: { host: 1, at: 1 } },
    { keys: { activityIri: 1 } },
    { keys: { undone: 1, at: 1 } },
  ],
  mentions: [
    { keys: { reader: 1, position: -1 } },
    { keys: { reader: 1, isSeen: 1 } },
    { keys: { reader: 1, at: 1 } },
    { keys: { answered: 1, state: 1, isPublic: 1, position: 1 } },
    { keys: { host: 1, at: 1 } },
    { keys: { author: 1, at: 1 } },
    { keys: { post: 1 } },
    { keys: { at: 1 } },
  ],
};

export function followsIn(store: Store): Coll<Follow> {
  return store.collection<Follow>('follows');
}

export function remoteActorsIn(store: Store): Coll<RemoteActor> {
  return store.collection<RemoteActor>('remoteActors');
}

export async function findFollow(store: Store, id: string): Promise<Follow | null> {
  return followsIn(store).findOne({ _id: id });
}

export async function findFollowByIri(store: Store, followIri: string): Promise<Follow | null> {
  return followsIn(store).findOne({ followIri });
}

/** As last described by its own server; also those that are gone. */
export async function findRemoteActor(store: Store, iri: string): Promise<RemoteActor | null> {
  return remoteActorsIn(store).findOne({ _id: iri });
}

export async function findRemoteActorByKey(store: Store, keyId: string): Promise<RemoteActor | null> {
  return remoteActorsIn(store).findOne({ 'keys.id': keyId });
}

/** The one to whom "user@host" was given by the server of that name; null: not known, or gone. */
export async function findRemoteActorByName(store: Store, acct: string): Promise<RemoteActor | null> {
  return remoteActorsIn(store).findOne({ acct, goneAt: null });
}

/** The newest request to follow that waits for a yes or a no. */
export async function findLastRequest(store: Store, followed: string): Promise<Follow | null> {
  return followsIn(store).findOne({ followed, state: 'requested' }, { sort: { requestedAt: -1, _id: 1 } });
}

export async function countFollows(store: Store, followed: string, state: FollowState): Promise<number> {
  return followsIn(store).countDocuments({ followed, state });
}

/** Accepted followers in the order of their keys, after the one given: for paged collections. */
export async function listFollowersAfter(
  store: Store,
  followed: string,
  after: string | null,
  limit: number,
): Promise<Follow[]> {
  const key = after === null ? {} : { _id: { $gt: after } };
  return followsIn(store)
    .find({ followed, state: 'accepted', ...key }, { sort: { _id: 1 }, limit })
    .toArray();
}

/** Ids of the accepted followers on one origin, in order. */
export async function listFollowersOn(
  store: Store,
  followed: string,
  origin: string,
  limit: number,
): Promise<string[]> {
  // "0" is the character after "/".
  const follower = { $gte: `${origin}/`, $lt: `${origin}0` };
  const found = await followsIn(store)
    .find({ followed, state: 'accepted', follower }, { sort: { follower: 1 }, limit, projection: { follower: 1 } })
    .toArray();
  return found.map((follow) => follow.follower);
}

/** Inboxes of the accepted followers in order, each once, after the one given. At most `limit` followers are read. */
export async function listFollowerInboxes(
  store: Store,
  followed: string,
  after: string | null,
  limit: number,
): Promise<{ inboxes: string[]; isLast: boolean }> {
  const beyond = after === null ? {} : { deliverTo: { $gt: after } };
  const found = await followsIn(store)
    .find({ followed, state: 'accepted', ...beyond }, { sort: { deliverTo: 1 }, limit, projection: { deliverTo: 1 } })
    .toArray();
  return { inboxes: [...new Set(found.map((follow) => follow.deliverTo))], isLast: found.length < limit };
}

/** Of these own inboxes those whose owner has a shared one too, with that. */
export async function mapSharedInboxes(store: Store, inboxes: readonly string[]): Promise<Map<string, string>> {
  const found = await remoteActorsIn(store)
    .find({ inbox: { $in: [...inboxes] } }, { projection: { inbox: 1, sharedInbox: 1 } })
    .toArray();
  return new Map(found.flatMap(({ inbox, sharedInbox }) => (sharedInbox === null ? [] : [[inbox, sharedInbox]])));
}

/** Actors elsewhere that are reached at an inbox, their own or a shared one on the same host. */
export async function listActorsAtInbox(store: Store, inbox: string, limit: number): Promise<RemoteActor[]> {
  const { host } = new URL(inbox);
  return remoteActorsIn(store)
    .find({ host, goneAt: null, $or: [{ inbox }, { sharedInbox: inbox }] }, { limit })
    .toArray();
}

export interface FollowPage {
  items: { follow: Follow; actor: RemoteActor | null }[];
  total: number;
  page: number;
  pages: number;
}

/** Follows of one local actor with what is known of each follower, newest first. Pages from 1. */
export async function pageFollows(
  store: Store,
  followed: string,
  state: FollowState,
  { page, perPage }: { page: number; perPage: number },
): Promise<FollowPage> {
  const total = await countFollows(store, followed, state);
  const pages = Math.max(1, Math.ceil(total / perPage));
  const current = Math.min(page, pages);
  const options = { sort: { requestedAt: -1, _id: 1 } as const, skip: (current - 1) * perPage, limit: perPage };
  const follows = await followsIn(store).find({ followed, state }, options).toArray();
  const iris = follows.map((follow) => follow.follower);
  const actors =
    iris.length === 0
      ? []
      : await remoteActorsIn(store)
          .find({ _id: { $in: iris } })
          .toArray();
  const byIri = new Map(actors.map((actor) => [actor._id, actor]));
  return {
    items: follows.map((follow) => ({ follow, actor: byIri.get(follow.follower) ?? null })),
    total,
    page: current,
    pages,
  };
}

/** Accepted followers on one host, of whomever here. */
export async function countFollowersFrom(store: Store, host: string): Promise<number> {
  const actors = await remoteActorsIn(store)
    .find({ host }, { projection: { _id: 1 }, limit: 5_000 })
    .toArray();
  if (actors.length === 0) return 0;
  return followsIn(store).countDocuments({ follower: { $in: actors.map(({ _id }) => _id) }, state: 'accepted' });
}

/** The hosts of all actors elsewhere that we know. */
export async function listActorHosts(store: Store): Promise<string[]> {
  const hosts = await remoteActorsIn(store).distinct('host');
  return hosts.filter((host) => typeof host === 'string');
}

export function followingsIn(store: Store): Coll<Following> {
  return store.collection<Following>('followings');
}

export function remotePostsIn(store: Store): Coll<RemotePost> {
  return store.collection<RemotePost>('remotePosts');
}

export function feedEntriesIn(store: Store): Coll<FeedEntry> {
  return store.collection<FeedEntry>('feedEntries');
}

/** Who acts, read afresh. */
export interface Party {
  ref: PartyRef;
  /** Null: the person has no public name yet. */
  handle: string;
  iri: string;
  /** Its actor can be seen: only then can it be answered. */
  isPublic: boolean;
  collective: Collective | null;
  /** Whether each request to follow waits for an answer. */
  decidesByHand: boolean;
}

/** The collective of which one is a member, or oneself. Refuses: not-found. */
export async function getParty(ctx: Context, ref: PartyRef): Promise<Party> {
  if (ref.kind === 'collective') {
    const collective = await getCollective(ctx.store, ref.id);
    checkMayEditCollective(ctx.actor, collective);
    const iri = actorIri(ctx.site, collective.handle);
    return {
      ref,
      handle: collective.handle,
      iri,
      isPublic: isPublic(collective),
      collective,
      decidesByHand: collective.acceptsFollowers === 'by-hand',
    };
  }
  if (ctx.actor?.kind !== 'person' || ctx.actor.personId !== ref.id) {
    throw new DomainError('not-found', 'error.notFound');
  }
  const person = await getPerson(ctx.store, ref.id);
  const handle = person.handle ?? '';
  return {
    ref,
    handle,
    iri: actorIri(ctx.site, handle),
    isPublic: handle !== '' && isPublicPerson(person),
    collective: null,
    decidesByHand: person.acceptsFollowers === 'by-hand',
  };
}

export async function findFollowing(store: Store, id: string): Promise<Following | null> {
  return followingsIn(store).findOne({ _id: id });
}

/** Whether anybody here follows that actor. */
export async function isFollowedHere(store: Store, iri: string): Promise<boolean> {
  return (await followingsIn(store).findOne({ followed: iri, state: 'accepted' }, { projection: { _id: 1 } })) !== null;
}

/** Every actor elsewhere whom one of ours follows, as last described. */
export async function listFollowedHere(store: Store): Promise<RemoteActor[]> {
  const followed = await followingsIn(store).distinct('followed', { state: 'accepted' });
  const iris = followed.filter((iri): iri is string => typeof iri === 'string');
  const actors: RemoteActor[] = [];
  for (let from = 0; from < iris.length; from += 200) {
    const found = remoteActorsIn(store).find({ _id: { $in: iris.slice(from, from + 200) }, goneAt: null });
    actors.push(...(await found.toArray()));
  }
  return actors;
}

/** Whether one of ours follows that actor, or waits for its answer. */
export async function isAskedFromHere(store: Store, iri: string): Promise<boolean> {
  const open = { followed: iri, state: { $in: ['pending', 'accepted'] as FollowingState[] } };
  return (await followingsIn(store).findOne(open, { projection: { _id: 1 } })) !== null;
}

/** Ids of those of ours whose follow of that actor stands, at most `limit`. */
export async function listAcceptedFollowers(store: Store, followed: string, limit: number): Promise<string[]> {
  const found = await followingsIn(store)
    .find({ followed, state: 'accepted' }, { limit, projection: { follower: 1 } })
    .toArray();
  return found.map(({ follower }) => follower);
}

const maxFollowings = 1000;

/** Whom one of ours follows or asked to follow, newest first, with what is known of each. */
export async function listFollowings(
  store: Store,
  follower: string,
  state: FollowingState,
): Promise<{ following: Following; actor: RemoteActor | null }[]> {
  const options = { sort: { requestedAt: -1, _id: 1 } as const, limit: maxFollowings };
  const followings = await followingsIn(store).find({ follower, state }, options).toArray();
  const actors = await mapActors(
    store,
    followings.map(({ followed }) => followed),
  );
  return followings.map((following) => ({ following, actor: actors.get(following.followed) ?? null }));
}

/** What is known of these actors, by their IRI. */
export async function mapActors(store: Store, iris: readonly string[]): Promise<Map<string, RemoteActor>> {
  const wanted = [...new Set(iris)];
  if (wanted.length === 0) return new Map();
  const found = await remoteActorsIn(store)
    .find({ _id: { $in: wanted } })
    .toArray();
  return new Map(found.map((actor) => [actor._id, actor]));
}

export const feedPageSize = 20;

export interface FeedItem {
  entry: FeedEntry;
  post: RemotePost;
  author: RemoteActor | null;
  from: RemoteActor | null;
}

/** One page of a feed, newest first; `before` is the position of the last one seen. */
export async function pageFeed(
  store: Store,
  reader: string,
  { list, before }: { list?: string | undefined; before?: string | undefined },
): Promise<{ items: FeedItem[]; next: string | null }> {
  const filter = {
    reader,
    muted: false,
    ...(list === undefined ? {} : { lists: list }),
    ...(before === undefined ? {} : { position: { $lt: before } }),
  };
  const entries = await feedEntriesIn(store)
    .find(filter, { sort: { position: -1 }, limit: feedPageSize + 1 })
    .toArray();
  const shown = entries.slice(0, feedPageSize);
  const posts =
    shown.length === 0
      ? []
      : await postsByKey(
          store,
          shown.map(({ post }) => post),
        );
  const byKey = new Map(posts.map((post) => [post._id, post]));
  const actors = await mapActors(store, [
    ...posts.map((post) => post.authors[0] ?? ''),
    ...shown.map(({ from }) => from),
  ]);
  const items = shown.flatMap((entry) => {
    const post = byKey.get(entry.post);
    if (!post || post.deletedAt !== null) return [];
    return [{ entry, post, author: actors.get(post.authors[0] ?? '') ?? null, from: actors.get(entry.from) ?? null }];
  });
  return { items, next: entries.length > feedPageSize ? (shown.at(-1)?.position ?? null) : null };
}

function postsByKey(store: Store, keys: readonly string[]): Promise<RemotePost[]> {
  return remotePostsIn(store)
    .find({ _id: { $in: [...new Set(keys)] } })
    .toArray();
}

/** The names of the lists of one reader, in order. */
export async function listNames(store: Store, follower: string): Promise<string[]> {
  const found = await followingsIn(store)
    .find({ follower, state: { $in: ['pending', 'accepted'] } }, { projection: { lists: 1 }, limit: maxFollowings })
    .toArray();
  return [...new Set(found.flatMap(({ lists }) => lists))].sort((a, b) => a.localeCompare(b));
}

/** Also what was deleted. */
export async function findRemotePost(store: Store, iri: string): Promise<RemotePost | null> {
  return remotePostsIn(store).findOne({ iri });
}

/** Those of these posts that are known here, also what was deleted: their addresses. */
export async function listKnownPosts(store: Store, iris: readonly string[]): Promise<{ iri: string }[]> {
  if (iris.length === 0) return [];
  return remotePostsIn(store)
    .find({ _id: { $in: iris.map(postKey) } }, { projection: { iri: 1 } })
    .toArray();
}

/** By its key. Null: unknown, deleted, or nothing that this reader may see. */
export async function findReadablePost(store: Store, reader: string, key: string): Promise<RemotePost | null> {
  const post = await remotePostsIn(store).findOne({ _id: key });
  return post && post.deletedAt === null && (await maySee(store, reader, post)) ? post : null;
}

/** Public, in the reader's own feed, or written to the reader. */
export async function maySee(store: Store, reader: string, post: RemotePost): Promise<boolean> {
  if (isPublicAudience(post.audience)) return true;
  const own = { _id: postKey(`${reader} ${post._id}`) };
  return (await feedEntriesIn(store).findOne(own)) !== null || (await mentionsIn(store).findOne(own)) !== null;
}

export function mentionsIn(store: Store): Coll<Mention> {
  return store.collection<Mention>('mentions');
}

/** Posts of which one stands beneath a post of ours are found again by the post that they answer. */
export async function findMentionOf(store: Store, post: string): Promise<Mention | null> {
  return mentionsIn(store).findOne({ post, answered: { $ne: null } });
}

export async function countUnseenMentions(store: Store, reader: string): Promise<number> {
  return mentionsIn(store).countDocuments({ reader, isSeen: false }, { limit: 1000 });
}

export async function findLastUnseenMention(store: Store, reader: string): Promise<Mention | null> {
  const [last] = await mentionsIn(store)
    .find({ reader, isSeen: false }, { sort: { at: -1 }, limit: 1 })
    .toArray();
  return last ?? null;
}

/** The newest of a feed, among which polls are looked for: what strangers ask crowds none out. Older ones show in the feed alone. */
const mostEntries = 1000;

/** Polls with an end that run, asked by those whom one of ours follows, on which it has not voted; the next to end first. */
export async function listOpenPolls(
  store: Store,
  reader: string,
  now: Date,
): Promise<{ post: RemotePost; author: string }[]> {
  const options = { sort: { position: -1 }, limit: mostEntries, projection: { post: 1, from: 1 } } as const;
  const entries = await feedEntriesIn(store).find({ reader, muted: false }, options).toArray();
  const from = new Map(entries.map((entry) => [entry.post, entry.from]));
  const polls = await remotePostsIn(store)
    .find(
      { _id: { $in: [...from.keys()] }, 'poll.endsAt': { $gt: now }, deletedAt: null },
      { sort: { 'poll.endsAt': 1 } },
    )
    .toArray();
  const found = await Promise.all(
    polls.map(async (post) => {
      const asker = from.get(post._id) ?? '';
      if (!post.authors.includes(asker) || post.poll?.closed) return [];
      if ((await findVoteOn(store, reader, post._id)) !== null) return [];
      return [{ post, author: (await findRemoteActor(store, asker))?.handle ?? asker }];
    }),
  );
  return found.flat();
}

export async function countMentions(store: Store, reader: string): Promise<number> {
  return mentionsIn(store).countDocuments({ reader });
}

export interface MentionItem {
  mention: Mention;
  post: RemotePost;
  author: RemoteActor | null;
}

/**
 * What answers or names one of ours, newest first; `before` is the position of the last one seen. `left`: how many on this page
 * are by whom the reader has muted.
 */
export async function pageMentions(
  store: Store,
  reader: string,
  before: string | undefined,
): Promise<{ items: MentionItem[]; left: number; next: string | null }> {
  const filter = { reader, ...(before === undefined ? {} : { position: { $lt: before } }) };
  const found = await mentionsIn(store)
    .find(filter, { sort: { position: -1 }, limit: feedPageSize + 1 })
    .toArray();
  const shown = found.slice(0, feedPageSize);
  const next = found.length > feedPageSize ? (shown.at(-1)?.position ?? null) : null;
  const hidden = await hiddenFrom(
    store,
    reader,
    shown.map(({ author }) => author),
  );
  const wanted = shown.filter(({ author }) => !hidden.has(author));
  return { items: await withPosts(store, wanted), left: shown.length - wanted.length, next };
}

export const answersPerPage = 30;

/** What everybody may read beneath an object of ours, oldest first. Pages from 1. */
export async function pageAnswers(
  store: Store,
  objectIri: string,
  wanted: number,
): Promise<{ items: MentionItem[]; total: number; page: number; pages: number }> {
  const filter = { answered: objectIri, state: 'shown' as const, isPublic: true };
  const total = await mentionsIn(store).countDocuments(filter);
  const pages = Math.max(1, Math.ceil(total / answersPerPage));
  const page = Math.min(wanted, pages);
  const found = await mentionsIn(store)
    .find(filter, { sort: { position: 1 }, skip: (page - 1) * answersPerPage, limit: answersPerPage })
    .toArray();
  return { items: await withPosts(store, found), total, page, pages };
}

async function withPosts(store: Store, mentions: readonly Mention[]): Promise<MentionItem[]> {
  if (mentions.length === 0) return [];
  const posts = await postsByKey(
    store,
    mentions.map(({ post }) => post),
  );
  const byKey = new Map(posts.map((post) => [post._id, post]));
  const actors = await mapActors(
    store,
    mentions.map(({ author }) => author),
  );
  return mentions.flatMap((mention) => {
    const post = byKey.get(mention.post);
    if (!post || post.deletedAt !== null) return [];
    return [{ mention, post, author: actors.get(mention.author) ?? null }];
  });
}

/** Whether one of ours takes nothing from that actor: neither answers nor likes nor votes. */
export async function isUnwelcome(store: Store, reader: string, remote: string): Promise<boolean> {
  return isRefusedPeer(await readPolicy(store), remote) || isBlockedBy(store, reader, remote);
}

/** Whether more can come from that actor, its server, and to that reader today; who is followed here is not counted. */
export async function hasRoomForMention(store: Store, reader: string, author: string, now: Date): Promise<boolean> {
  if (await isFollowedHere(store, author)) return true;
  const at = { $gt: new Date(now.getTime() - 24 * 60 * 60 * 1000) };
  const bounds = [
    [{ author, at }, mentionsADay.author],
    [{ host: new URL(author).host, at }, mentionsADay.host],
    [{ reader, at }, mentionsADay.reader],
  ] as const;
  for (const [filter, limit] of bounds) {
    if ((await mentionsIn(store).countDocuments(filter, { limit })) >= limit) return false;
  }
  return true;
}

export function movesIn(store: Store): Coll<OwnMove> {
  return store.collection<OwnMove>('moves');
}

/** What one of ours says of its accounts elsewhere; null: nothing. */
export async function findMove(store: Store, handle: string): Promise<OwnMove | null> {
  return movesIn(store).findOne({ _id: handle });
}

/** The account elsewhere to which one of ours says that it has moved, as it is shown; null: it has not. */
export async function findMovedTo(store: Store, handle: string): Promise<{ handle: string; href: string } | null> {
  const movedTo = (await findMove(store, handle))?.movedTo;
  if (!movedTo) return null;
  const actor = await findRemoteActor(store, movedTo.iri);
  return { handle: `@${movedTo.handle}`, href: actor?.url ?? movedTo.iri };
}

export function interactionsIn(store: Store): Coll<Interaction> {
  return store.collection<Interaction>('interactions');
}

export async function findInteraction(store: Store, id: string): Promise<Interaction | null> {
  return interactionsIn(store).findOne({ _id: id });
}

/** What an actor of ours has done with one post and not taken back. */
export async function listInteractions(store: Store, actor: string, post: string): Promise<Interaction[]> {
  return interactionsIn(store).find({ actor, post, undone: false }).toArray();
}

export function reactionsIn(store: Store): Coll<Reaction> {
  return store.collection<Reaction>('reactions');
}

export async function findReactionByIri(store: Store, activityIri: string): Promise<Reaction | null> {
  return reactionsIn(store).findOne({ activityIri });
}

/** Actors elsewhere who like an object of ours, or pass it on: each counted once. */
export async function countReactions(store: Store, object: string, kind: InteractionKind): Promise<number> {
  return reactionsIn(store).countDocuments({ object, undone: false, kind });
}

/** Whether more can come from that server today. */
export async function hasRoomForReaction(store: Store, actor: string, now: Date): Promise<boolean> {
  const at = { $gt: new Date(now.getTime() - 24 * 60 * 60 * 1000) };
  const { host } = new URL(actor);
  return (await reactionsIn(store).countDocuments({ host, at }, { limit: reactionsADay })) < reactionsADay;
}

/** Who likes an object of ours or passes it on, newest first. Pages from 1. */
export async function pageReactions(store: Store, object: string, wanted: number) {
  const perPage = 50;
  const filter = { object, undone: false };
  const total = await reactionsIn(store).countDocuments(filter);
  const pages = Math.max(1, Math.ceil(total / perPage));
  const page = Math.min(wanted, pages);
  const found = await reactionsIn(store)
    .find(filter, { sort: { at: -1, _id: 1 }, skip: (page - 1) * perPage, limit: perPage })
    .toArray();
  const actors = await mapActors(
    store,
    found.map(({ actor }) => actor),
  );
  return {
    items: found.map((reaction) => ({ reaction, actor: actors.get(reaction.actor) ?? null })),
    total,
    page,
    pages,
  };
}

export function votesIn(store: Store): Coll<Vote> {
  return store.collection<Vote>('votes');
}

export async function findVote(store: Store, id: string): Promise<Vote | null> {
  return votesIn(store).findOne({ _id: id });
}

/** What one of ours voted in a poll elsewhere. */
export async function findVoteOn(store: Store, actor: string, post: string): Promise<Vote | null> {
  return findVote(store, postKey(`${actor} vote ${post}`));
}
