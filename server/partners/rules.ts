// What may become of a follow. Pure: no store, no clock of its own.
import { createHash } from 'node:crypto';
import type { Site } from '../context.js';
import { DomainError } from '../errors.js';
import { readCsv } from '../formats/csv.js';
import { parentDomain, readDomain } from '../instances/rules.js';
import type {
  BlockKind,
  Follow,
  FollowingState,
  FollowState,
  InteractionKind,
  OwnMove,
  RemoteActor,
  RemotePoll,
  RemotePost,
} from './schema.js';
import { maxImported, maxLists } from './schema.js';

/** The key of the one document about this pair. */
export function followKey(follower: string, followed: string): string {
  return createHash('sha256').update(`${follower} ${followed}`).digest('hex');
}

/** The id of a local actor, as it is minted once and for all. */
export function actorIri(site: Site, handle: string): string {
  return `${site.baseUrl}/actors/${handle}`;
}

export function deliveryInbox(actor: Pick<RemoteActor, 'inbox' | 'sharedInbox'>): string {
  return actor.sharedInbox ?? actor.inbox;
}

/**
 * The state after a Follow arrived with this id; null: nothing changes, it is a repeat, or it was taken back or refused
 * under the same id already.
 */
export function stateAfterFollow(
  known: Pick<Follow, 'state' | 'followIri'> | null,
  followIri: string,
  mood: 'at-once' | 'by-hand' | 'blocked',
): Exclude<FollowState, 'undone'> | null {
  if (known?.followIri === followIri) return null;
  if (mood === 'blocked') return 'rejected';
  if (known?.state === 'accepted') return 'accepted';
  return mood === 'at-once' ? 'accepted' : 'requested';
}

const steps: Record<'accept' | 'reject' | 'remove', { from: FollowState; to: FollowState }> = {
  accept: { from: 'requested', to: 'accepted' },
  reject: { from: 'requested', to: 'rejected' },
  remove: { from: 'accepted', to: 'rejected' },
};
export type Decision = keyof typeof steps;

/** Refuses: conflict. Somebody else decided meanwhile, or the follower took it back. */
export function checkMayDecide(
  follow: Pick<Follow, 'state'>,
  decision: Decision,
): { from: FollowState; to: FollowState } {
  const step = steps[decision];
  if (follow.state !== step.from) throw new DomainError('conflict', 'partners.error.decidedMeanwhile');
  return step;
}

/** Refuses: closed. Nobody elsewhere could answer an actor that cannot be seen. */
export function checkMayFollow(party: { isPublic: boolean }): void {
  if (!party.isPublic) throw new DomainError('closed', 'partners.error.notPublic');
}

/** What an answer to our Follow makes of it; null: nothing. Only what still waits can be accepted. */
export function stateAfterAnswer(state: FollowingState, answer: 'accept' | 'reject'): FollowingState | null {
  if (answer === 'accept') return state === 'pending' ? 'accepted' : null;
  return state === 'pending' || state === 'accepted' ? 'rejected' : null;
}

/** Days between two moves of one actor. */
const moveCooldownDays = 7;

const nameDays = 30;

/** Whether the server of its name said not long ago that it bears it. */
export function isNameFresh(actor: { acctAt?: Date | null }, now: Date): boolean {
  return !!actor.acctAt && now.getTime() - actor.acctAt.getTime() < nameDays * 24 * 60 * 60 * 1000;
}

export function mayMove(actor: { movedAt?: Date | null }, now: Date): boolean {
  if (!actor.movedAt) return true;
  return now.getTime() - actor.movedAt.getTime() >= moveCooldownDays * 24 * 60 * 60 * 1000;
}

/** Accounts elsewhere that one of ours may name as its own. */
const maxAliases = 10;

/** Refuses: invalid. */
export function checkMayAlias(move: Pick<OwnMove, 'aliases'>): void {
  if (move.aliases.length >= maxAliases) {
    throw new DomainError('invalid', 'partners.moves.error.tooMany', { field: 'address' });
  }
}

/** Refuses: closed (moved already, or within a week of the last move), invalid (the target does not name us: AP-134). */
export function checkMayLeave(
  move: Pick<OwnMove, 'movedTo' | 'movedAt'>,
  iri: string,
  target: Pick<RemoteActor, 'alsoKnownAs' | 'goneAt'>,
  now: Date,
): void {
  if (move.movedTo !== null) throw new DomainError('closed', 'partners.moves.error.moved');
  if (!mayMove(move, now)) throw new DomainError('closed', 'partners.moves.error.soon');
  if (target.goneAt !== null || !target.alsoKnownAs?.includes(iri)) {
    throw new DomainError('invalid', 'partners.moves.error.notNamed', { field: 'target' });
  }
}

/** Refuses: closed. Followers were sent elsewhere: what is said here would reach nobody. */
export function checkHasNotMoved(move: Pick<OwnMove, 'movedTo'> | null): void {
  if (move?.movedTo) throw new DomainError('closed', 'partners.moves.error.moved');
}

const maxUnread = 50;

/**
 * The accounts in a list: the first column of a CSV, as Mastodon and others export it, or one address a line. Each once, in lower
 * case; those of our own host count as unread.
 */
export function readAccounts(
  text: string,
  ownHost: string,
): { accounts: string[]; unread: { line: number; text: string }[] } {
  const accounts = new Set<string>();
  const unread: { line: number; text: string }[] = [];
  for (const [index, [cell = '']] of readCsv(text, maxImported * 5).entries()) {
    const [, user, host] = /^'?@?([\p{L}\p{N}._-]{1,100})@([^\s@/,]{1,253})$/u.exec(cell.trim()) ?? [];
    const isHeader = index === 0 && !cell.includes('@');
    if (user && host && URL.canParse(`https://${host}/`) && host.toLowerCase() !== ownHost) {
      accounts.add(`${user}@${new URL(`https://${host}/`).host}`.toLowerCase());
    } else if (!isHeader && unread.length < maxUnread) unread.push({ line: index + 1, text: cell.slice(0, 200) });
  }
  return { accounts: [...accounts], unread };
}

export function postKey(iri: string): string {
  return createHash('sha256').update(iri).digest('hex');
}

/** Refuses: invalid. One reader has so many lists at most. */
export function checkLists(known: readonly string[], wanted: readonly string[]): void {
  if (new Set([...known, ...wanted]).size > maxLists && wanted.some((name) => !known.includes(name))) {
    throw new DomainError('invalid', 'partners.error.tooManyLists', { field: 'newList' });
  }
}

/** Names a picture of a post in our addresses: what is at its address may be asked for by nothing else. */
export function mediaKey(url: string): string {
  return createHash('sha256').update(`media ${url}`).digest('hex');
}

/** Sorts as time does; never later than now, whatever the other side says. */
export function feedPosition(at: Date, now: Date, key: string): string {
  const time = Math.max(0, Math.min(at.getTime(), now.getTime()));
  return `${String(time).padStart(15, '0')}${key}`;
}

/** Whether a reader who follows `from` may have this post in the feed (ActivityPub §5.6 and §7.1). */
export function mayRead(
  post: Pick<RemotePost, 'audience'>,
  reader: string,
  from: Pick<RemoteActor, '_id' | 'followers'>,
): boolean {
  const { audience } = post;
  if (isPublicAudience(audience) || audience.includes(reader)) return true;
  return from.followers ? audience.includes(from.followers) : audience.includes(`${from._id}/followers`);
}

const publicNames = ['https://www.w3.org/ns/activitystreams#Public', 'as:Public', 'Public'];

export function isPublicAudience(audience: readonly string[]): boolean {
  return audience.some((one) => publicNames.includes(one));
}

/** Whether what arrived is newer than what is kept: a repeat and an older version change nothing. */
export function isNewer(known: Pick<RemotePost, 'updatedAt' | 'publishedAt'>, updatedAt: Date | null): boolean {
  if (updatedAt === null) return false;
  return updatedAt > (known.updatedAt ?? known.publishedAt);
}

/** Mentions and answers kept within a day: from one actor, from one server, for one of ours. What is above is dropped. */
export const mentionsADay = { author: 50, host: 300, reader: 1000 } as const;

/** Likes and boosts of what is ours that are kept within a day from one server. */
export const reactionsADay = 2000;

/** Whether a post is for one of ours by name: written to it, or before all and naming it. */
export function isMeantFor(post: Pick<RemotePost, 'audience' | 'mentions'>, reader: string): boolean {
  if (post.audience.includes(reader)) return true;
  return isPublicAudience(post.audience) && (post.mentions ?? []).includes(reader);
}

/** Refuses: closed. What was written for few is not passed on to all (AP-47). */
export function checkMayInteract(kind: InteractionKind, post: Pick<RemotePost, 'audience'>): void {
  if (kind !== 'like' && !isPublicAudience(post.audience)) throw new DomainError('closed', 'partners.error.notForAll');
}

export function blockKey(blocker: string, kind: BlockKind, target: string): string {
  return createHash('sha256').update(`${blocker} ${kind} ${target}`).digest('hex');
}

/** What a block may name so that it covers this actor: its id, its domain and those above. */
export function blockTargetsOf(iri: string): string[] {
  const targets = [iri];
  for (let domain = readDomain(iri); domain !== null; domain = parentDomain(domain)) targets.push(domain);
  return targets;
}

/** Whether a host (with or without port) is of that domain or below it. */
export function isOfDomain(host: string, domain: string): boolean {
  return blockTargetsOf(host).slice(1).includes(domain);
}

/** Refuses: closed. Who cannot be seen has nobody to keep away. */
export function checkMayBlock(party: { isPublic: boolean }): void {
  if (!party.isPublic) throw new DomainError('closed', 'partners.error.notPublic');
}

/** The domain as blocks compare it. Refuses: invalid (no domain; our own). */
export function checkBlockableDomain(site: Site, text: string): string {
  const domain = readDomain(text);
  if (domain === null) throw new DomainError('invalid', 'partners.error.badDomain', { field: 'domain' });
  if (isOfDomain(site.host, domain)) throw new DomainError('invalid', 'partners.error.ownDomain', { field: 'domain' });
  return domain;
}

/** What is for everybody is answered before everybody, what was written to us is answered to its author; nothing else. */
export function mayReply(post: Pick<RemotePost, 'audience'>, reader: string): boolean {
  return isPublicAudience(post.audience) || post.audience.includes(reader);
}

/** Refuses: closed (AP-47). */
export function checkMayReply(post: Pick<RemotePost, 'audience'>, reader: string): void {
  if (!mayReply(post, reader)) throw new DomainError('closed', 'partners.error.notForAll');
}

/** Whether the poll still takes votes, by what its server last said. */
export function isPollOpen(poll: RemotePoll, now: Date): boolean {
  return !poll.closed && (poll.endsAt === null || poll.endsAt > now);
}

/** The names of the options chosen by their place. Refuses: closed (no poll, or over), invalid (none, several of one, unknown). */
export function checkVote(poll: RemotePoll | null, choices: readonly number[], now: Date): string[] {
  if (poll === null || !isPollOpen(poll, now)) throw new DomainError('closed', 'partners.vote.closed');
  const places = [...new Set(choices)];
  const names = places.flatMap((place) => poll.options[place]?.name ?? []);
  if (names.length === 0) throw new DomainError('invalid', 'partners.vote.none', { field: 'choices' });
  if (names.length !== places.length || (!poll.multiple && names.length > 1)) {
    throw new DomainError('invalid', 'partners.vote.unfit', { field: 'choices' });
  }
  return names;
}

/** Minutes after which what stands around a post is asked for again: by itself, and when a reader asks. */
const threadMinutes = { opened: 15, again: 1 } as const;

export function isThreadStale(
  post: Pick<RemotePost, 'threadReadAt' | 'deletedAt'>,
  now: Date,
  isAgain: boolean,
): boolean {
  if (post.deletedAt !== null) return false;
  const minutes = isAgain ? threadMinutes.again : threadMinutes.opened;
  return !post.threadReadAt || now.getTime() - post.threadReadAt.getTime() >= minutes * 60 * 1000;
}

const refreshMinutes = 5;

/** Whether the counts of a poll are old enough to be asked for again. */
export function isPollStale(
  post: Pick<RemotePost, 'poll' | 'receivedAt' | 'refreshedAt' | 'deletedAt'>,
  now: Date,
): boolean {
  if (post.poll === null || post.poll.closed || post.deletedAt !== null) return false;
  return now.getTime() - (post.refreshedAt ?? post.receivedAt).getTime() >= refreshMinutes * 60 * 1000;
}
