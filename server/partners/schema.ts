// Who follows whom across servers, and the actors elsewhere that we know. Shapes only.
import { z } from 'zod';
import type { Eventful } from '../events.js';
import type { HandleKind } from '../handles/handles.js';
import { maxPostLength } from '../posts/schema.js';
import { line } from '../shapes.js';
import type { Doc } from '../store/store.js';

/** undone: taken back by the follower. rejected: refused or removed by the one followed. */
export const followStates = ['requested', 'accepted', 'rejected', 'undone'] as const;
export type FollowState = (typeof followStates)[number];

/** One actor follows another. One document for each pair, whatever happens between them. */
export interface Follow extends Doc, Eventful {
  /** IRIs of both actors. */
  follower: string;
  followed: string;
  /** The local side: which collective (or person, or the instance) is followed. */
  ownerKind: HandleKind;
  ownerId: string;
  /** Id of the last Follow activity: what our answer embeds, and what a repeat is known by. */
  followIri: string;
  state: FollowState;
  /** Where posts for this follower go: the shared inbox of their server when it has one. */
  deliverTo: string;
  requestedAt: Date;
  /** When it was accepted, rejected or undone. */
  decidedAt: Date | null;
}

export interface RemoteKey {
  id: string;
  kind: 'rsa' | 'ed25519';
  /** PEM for rsa, Multikey for ed25519. */
  value: string;
}

/** An actor elsewhere as its own server last described it. Only ever written from a document fetched from its id. */
export interface RemoteActor extends Doc {
  type: string;
  host: string;
  /** "user@host"; the name is only as good as the server that says it. */
  handle: string;
  /** The same, as the server of that name gave it to this actor, and when it did: what a mention goes by. */
  acct?: string | null;
  acctAt?: Date | null;
  /** The name that its own document claims, perhaps of another server (FEP-2c59). */
  webfinger?: string | null;
  name: string;
  /** Its page for people; null when it names none on its own server. */
  url: string | null;
  inbox: string;
  sharedInbox: string | null;
  keys: RemoteKey[];
  fetchedAt: Date;
  /** Its server says that it is gone for good. */
  goneAt: Date | null;
  /** What it says of itself, as HTML from elsewhere: cleaned when shown. */
  summary?: string;
  /** Its portrait, wherever it is kept: shown only through our own server. */
  icon?: string | null;
  /** What its page lists, as "name: HTML from elsewhere", cleaned when shown. */
  fields?: { name: string; value: string }[];
  /** Where its server lists what it published. */
  outbox?: string | null;
  /** IRI of its followers: an audience of its posts. */
  followers?: string | null;
  /** Other names that it claims: a Move counts only when the new home lists the old one. */
  alsoKnownAs?: string[];
  /** Where its own document says that it has moved. */
  leadsTo?: string | null;
  /** IRI of the collection of its services (our vocabulary), on its own origin. */
  catalogue?: string | null;
  /** When its follows were last moved to another actor, and to which: what was begun can be brought to its end. */
  movedAt?: Date | null;
  movedTo?: string | null;
}

/** Who acts on the Fediverse for us: a collective, or a person whose profile is public. */
export type PartyRef = { kind: 'collective' | 'person'; id: string };

/** undone: taken back by us. rejected: refused, or ended, by the one followed. */
export type FollowingState = 'pending' | 'accepted' | 'rejected' | 'undone';

/** One of ours follows an actor elsewhere. One document for each pair, whatever happens between them. */
export interface Following extends Doc, Eventful {
  /** IRIs of both actors. */
  follower: string;
  followed: string;
  ownerKind: PartyRef['kind'];
  ownerId: string;
  /** Id of our last Follow: the only one that an answer can be about. */
  followIri: string;
  state: FollowingState;
  /** The lists in which it is read. */
  lists: string[];
  /** Stays followed, and its posts are not shown. */
  muted: boolean;
  requestedAt: Date;
  decidedAt: Date | null;
}

export const postTypes = ['Note', 'Article', 'Page', 'Question', 'Event', 'Video'] as const;
export type PostType = (typeof postTypes)[number];

export interface RemotePoll {
  options: { name: string; votes: number }[];
  multiple: boolean;
  endsAt: Date | null;
  closed: boolean;
}

/** What somebody elsewhere wrote, as their own server tells it. Texts are theirs: cleaned when shown. */
export interface RemotePost extends Doc {
  /** _id: SHA-256 of the iri. */
  iri: string;
  type: PostType;
  /** The first is shown; any of them may correct or delete it. All of one origin with the iri. */
  authors: string[];
  publishedAt: Date;
  updatedAt: Date | null;
  title: string;
  content: string;
  isHtml: boolean;
  /** Content warning; empty: none. */
  warning: string;
  language: string | null;
  /** The same in other languages (contentMap, nameMap), where its author wrote them. */
  translations?: { language: string; title: string; content: string }[];
  /** What an article says of itself before its text (FEP-b2b8: summary or preview). HTML of theirs too. */
  lead?: string;
  url: string | null;
  inReplyTo: string | null;
  /** Whom it is addressed to. */
  audience: string[];
  /** Whom it names by a tag; absent on older ones. */
  mentions?: string[];
  /** Stands beneath a post of ours: kept as long as the mention of it. */
  isAnswer?: boolean;
  attachments: { url: string; name: string; mediaType: string }[];
  poll: RemotePoll | null;
  startsAt: Date | null;
  endsAt: Date | null;
  place: string;
  receivedAt: Date;
  /** When its own server was last asked for it again. */
  refreshedAt?: Date;
  /** When other servers were last asked for what stands around it. */
  threadReadAt?: Date;
  /** Deleted by its author: nothing brings it back. */
  deletedAt: Date | null;
}

/** A post in the feed of one of ours. */
export interface FeedEntry extends Doc {
  /** IRI of the local actor who reads. */
  reader: string;
  /** Milliseconds, 15 digits, and the key of the post: sorts as time does. */
  position: string;
  /** Key of the RemotePost. */
  post: string;
  /** IRI of the followed actor by whom it came: its author, or who boosted it. */
  from: string;
  /** Id of the Announce by which it came; null or absent: it is its author's own, or had none. */
  boostIri?: string | null;
  /** As of the following by which it came. */
  lists: string[];
  muted: boolean;
  /** Kept until then at least. */
  at: Date;
}

/** What one of ours says of its accounts elsewhere. */
export interface OwnMove extends Doc, Eventful {
  /** _id: its handle. */
  aliases: { iri: string; handle: string }[];
  movedTo: { iri: string; handle: string } | null;
  /** When it last moved, also if that was taken back. */
  movedAt: Date | null;
  version: number;
}

/** shown: beneath our post, if it answers one. waiting: from a limited server, until somebody of ours looks. hidden: by us. */
export type MentionState = 'shown' | 'waiting' | 'hidden';

/** A post elsewhere that answers one of ours or names one of ours, whoever follows its author. One for each reader and post. */
export interface Mention extends Doc {
  /** IRI of the local actor who is answered or named. */
  reader: string;
  /** As in a feed. */
  position: string;
  /** Key of the RemotePost. */
  post: string;
  author: string;
  host: string;
  /** IRI of the object of the reader beneath which it stands; null: it only names the reader. */
  answered: string | null;
  isPublic: boolean;
  state: MentionState;
  isSeen: boolean;
  at: Date;
}

/** Somebody elsewhere likes or passes on an object of ours. One document for each actor, kind and object. */
export interface Reaction extends Doc {
  /** IRI of the object, and of the local actor whose it is. */
  object: string;
  owner: string;
  kind: InteractionKind;
  actor: string;
  host: string;
  /** Id of the activity that said so; null: it had none. */
  activityIri: string | null;
  /** Taken back, perhaps before it arrived. */
  undone: boolean;
  at: Date;
}

export const interactionKinds = ['like', 'boost'] as const;
export type InteractionKind = (typeof interactionKinds)[number];

/** One of ours likes or passes on a post from elsewhere. One document for each actor, kind and post. */
export interface Interaction extends Doc, Eventful {
  /** IRI of the local actor. */
  actor: string;
  kind: InteractionKind;
  /** Key and IRI of the post, and its author. */
  post: string;
  postIri: string;
  author: string;
  /** Id of the activity that said so: what an undo embeds. */
  activityIri: string;
  undone: boolean;
  at: Date;
}

/**
 * actor: one actor; it is told. domain: everybody there and below, nobody is told but those whose follow ends. mute: what
 * comes from a domain is not read here, and nothing else changes; muteActor: the same of one actor, followed or not.
 */
export const blockKinds = ['actor', 'muteActor', 'domain', 'mute'] as const;
export type BlockKind = (typeof blockKinds)[number];

/** One of ours wants nothing from an actor or a domain elsewhere. One document for each pair and kind. */
export interface Block extends Doc, Eventful {
  /** IRI of the local actor. */
  blocker: string;
  kind: BlockKind;
  /** IRI of the actor, or the domain as rules compare it. */
  target: string;
  /** For those who act for the blocker only. */
  note: string;
  /** Id of the Block that said so: what an undo embeds. */
  activityIri: string;
  undone: boolean;
  at: Date;
}

/** One of ours voted in a poll elsewhere: once for each actor and poll, never taken back. */
export interface Vote extends Doc, Eventful {
  /** IRI of the local actor. */
  actor: string;
  /** Key and IRI of the question, and its author. */
  post: string;
  postIri: string;
  author: string;
  /** Names of the options, as they were. */
  choices: string[];
  at: Date;
}

/** Accounts that one list may bring along. */
export const maxImported = 1000;

/** A list of accounts that one of ours brought along to follow them. One for each. */
export interface FollowImport extends Doc {
  follower: string;
  ownerKind: PartyRef['kind'];
  ownerId: string;
  /** Who set it to work: it goes on as long as that person may. */
  startedBy: string | null;
  state: 'preview' | 'running' | 'done';
  /** By "user@host". known: followed or asked before. `reason`: a text of the catalogue. */
  rows: { address: string; state: 'waiting' | 'followed' | 'known' | 'failed'; reason?: string }[];
  /** Lines that hold no address. */
  unread: { line: number; text: string }[];
  changedAt: Date;
  version: number;
}

/** Asks a post's own server for it again, where that is due; takes a moment at most and never rejects. */
export type RefreshPost = (post: RemotePost) => Promise<void>;

/** Asks other servers for what stands around a post, where that is due. 'late': not all has come yet. Never rejects. */
export type ReadThread = (post: RemotePost, isAgain: boolean) => Promise<'read' | 'late'>;

/** An actor elsewhere, before following it. */
export type LookUp =
  /** `posts`: its last public ones, as its own server shows them; kept nowhere. */
  | { outcome: 'found'; actor: RemoteActor; followersCount: number | null; posts: RemotePost[] }
  | { outcome: 'local'; handle: string }
  | { outcome: 'failed'; reason: 'invalid' | 'not-found' | 'unavailable' };

/** Finds an actor by "@user@host" or by its address; asks the network. */
export type LookUpActor = (address: string) => Promise<LookUp>;

/** Lists of one reader. */
export const maxLists = 50;

const listNameShape = z
  .string()
  .trim()
  .max(40, 'partners.error.listTooLong')
  .transform((name) => name.replace(/[\p{C}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/gu, ''));
const actorAddress = z.string().max(1000);
const hexKey = z.string().regex(/^[0-9a-f]{64}$/);
/** `id` is there for a collective and absent for a person. */
export const partyParams = z.object({ id: z.uuid().optional() });
export const followingParams = z.object({ id: z.uuid().optional(), following: hexKey });
export const addressShape = z.object({ address: z.string().trim().min(1, 'shape.required').max(1000) });
export const aliasShape = z.object({ iri: actorAddress });
export const targetShape = z.object({ target: addressShape.shape.address });
export const confirmMoveShape = targetShape.extend({ handle: z.string().trim().max(60) });
export const findQuery = z.object({ q: z.string().trim().max(1000).default('') });
export const blockParams = z.object({ id: z.uuid().optional(), block: hexKey });
/** What the page before a block is about: an actor that is known here, or a domain as somebody types it. */
export const blockQuery = z.object({ actor: actorAddress.default(''), domain: z.string().max(300).default('') });
export const blockShape = z.object({
  actor: actorAddress.default(''),
  domain: z.string().max(300).default(''),
  kind: z.enum(blockKinds, 'partners.error.chooseBlock'),
  note: line(300).default(''),
});
const listFields = {
  lists: z
    .union([z.string(), z.array(z.string()).max(maxLists, 'partners.error.tooManyLists')])
    .default([])
    .transform((names) => (typeof names === 'string' ? [names] : names))
    .pipe(z.array(listNameShape)),
  newList: listNameShape.default(''),
};
/** The boxes that are ticked and the new name, each once. */
function allLists({ lists, newList }: { lists: string[]; newList: string }): string[] {
  return [...new Set([...lists, newList])].filter(Boolean);
}
export const followShape = z
  .object({ actor: actorAddress, ...listFields })
  .transform(({ actor, ...names }) => ({ actor, lists: allLists(names) }));
export const listsShape = z.object(listFields).transform((names) => ({ lists: allLists(names) }));
export const listQuery = z.object({ name: z.string().max(40).default('') });
export const renameShape = z.object({
  name: z.string().min(1).max(40),
  to: listNameShape.pipe(z.string().min(1, 'shape.required')),
});
const position = z.string().regex(/^\d{15}[0-9a-f]{64}$/);
export const feedQuery = z.object({ list: z.string().max(40).optional(), before: position.optional() });
export const mentionsQuery = z.object({ before: position.optional() });

/** Options by their place: one, or several. */
export const voteShape = z.object({
  choices: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .transform((given) => [given ?? []].flat().map(Number)),
});
export const mentionParams = z.object({ id: z.uuid().optional(), mention: hexKey });

export const followParams = z.object({ id: z.uuid().optional(), follow: z.string().regex(/^[0-9a-f]{64}$/) });
export const followersQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).default(1) });
export const replyShape = z.object({ text: z.string().trim().min(1, 'posts.error.empty').max(maxPostLength) });
export const mediaParams = z.object({ id: z.uuid().optional(), post: hexKey, media: hexKey });
export const portraitQuery = z.object({ of: actorAddress });
export const threadQuery = z.object({ look: z.literal('again').optional().catch(undefined) });
export const postParams = z.object({ id: z.uuid().optional(), post: hexKey });
