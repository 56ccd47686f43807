// Deeds by which one of ours keeps an actor or a whole domain away, and what becomes of a block by somebody elsewhere. A
// block stands first, then what it ends is ended, so that doing it again finishes what a crash left.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type DomainEvent, type PendingEvent, pending } from '../../events.js';
import { DuplicateKeyError } from '../../store/store.js';
import { blocksIn, listMutedActors } from '../blockQueries.js';
import {
  feedEntriesIn,
  findFollowing,
  findRemoteActor,
  followingsIn,
  followsIn,
  getParty,
  listActorHosts,
  mentionsIn,
  reactionsIn,
  remoteActorsIn,
  remotePostsIn,
} from '../queries.js';
import { blockKey, checkBlockableDomain, checkMayBlock, followKey, isOfDomain, postKey } from '../rules.js';
import type { Block, PartyRef } from '../schema.js';
import { endFollowing } from './following.js';

export type BlockWish = { kind: 'actor' | 'muteActor'; actor: string } | { kind: 'domain' | 'mute'; domain: string };

/**
 * Blocks or mutes an actor or a domain. Emits block.made, and for each follow that ends follow.rejected or following.undone;
 * muting a domain empties the feed of it, muting an actor hides it there until that is taken back. Again: nothing but the note.
 * Refuses: not-found (an actor that is not known here), invalid (no domain; our own), closed (our side is not public).
 */
export async function block(ctx: Context, ref: PartyRef, wish: BlockWish, note: string): Promise<void> {
  const party = await getParty(ctx, ref);
  // Who once followed reads on when the page is no longer public.
  if (wish.kind !== 'muteActor' || party.handle === '') checkMayBlock(party);
  const target = 'actor' in wish ? await knownActor(ctx, wish.actor) : checkBlockableDomain(ctx.site, wish.domain);
  await keep(ctx, { blocker: party.iri, kind: wish.kind, target, note });
  if (wish.kind === 'muteActor') await mute(ctx, party.iri, target);
  else if (wish.kind === 'actor') await part(ctx, party.iri, [target]);
  else await eachKnownOf(ctx, target, (iris) => (wish.kind === 'mute' ? hide : part)(ctx, party.iri, iris));
}

/** Mutes a followed actor, or takes that back; nobody is told. Refuses: as block and unblock do. */
export async function muteFollowing(ctx: Context, ref: PartyRef, followingId: string, muted: boolean): Promise<void> {
  const { iri } = await getParty(ctx, ref);
  const following = await findFollowing(ctx.store, followingId);
  if (following?.follower !== iri) throw new DomainError('not-found', 'error.notFound');
  const { followed: actor } = following;
  if (muted) return block(ctx, ref, { kind: 'muteActor', actor }, '');
  const known = await blocksIn(ctx.store).findOne({ _id: blockKey(iri, 'muteActor', actor), undone: false });
  if (known) await unblock(ctx, ref, known._id);
  else await unmute(ctx, iri, actor);
}

/** What an actor wrote or passed on is there and not shown, whoever brings it; what it writes to us calls nobody. */
async function mute(ctx: Context, reader: string, actor: string): Promise<void> {
  const muted = { $set: { muted: true } };
  await followingsIn(ctx.store).updateOne({ _id: followKey(reader, actor) }, muted);
  await feedEntriesIn(ctx.store).updateMany({ reader, from: actor }, muted);
  await eachEntryBy(ctx, reader, [actor], (_id) => feedEntriesIn(ctx.store).updateMany({ _id }, muted));
  await mentionsIn(ctx.store).updateMany({ reader, author: actor, isSeen: false }, { $set: { isSeen: true } });
}

/** Shows what was muted again, but for what another muted actor brought. */
async function unmute(ctx: Context, reader: string, actor: string): Promise<void> {
  const shown = { $set: { muted: false } };
  const others = (await listMutedActors(ctx.store, reader)).filter((one) => one !== actor);
  await followingsIn(ctx.store).updateOne({ _id: followKey(reader, actor) }, shown);
  await feedEntriesIn(ctx.store).updateMany({ reader, from: actor }, shown);
  const from = { $nin: others };
  await eachEntryBy(ctx, reader, [actor], (_id) => feedEntriesIn(ctx.store).updateMany({ _id, from }, shown));
  // What this one passed on of those who are still muted.
  const muted = { $set: { muted: true } };
  await eachEntryBy(ctx, reader, others, (_id) => feedEntriesIn(ctx.store).updateMany({ _id, from: actor }, muted));
}

async function knownActor(ctx: Context, iri: string): Promise<string> {
  const actor = await findRemoteActor(ctx.store, iri);
  if (!actor) throw new DomainError('not-found', 'partners.error.unknownToBlock');
  return actor._id;
}

async function keep(ctx: Context, wish: Pick<Block, 'blocker' | 'kind' | 'target' | 'note'>): Promise<void> {
  const _id = blockKey(wish.blocker, wish.kind, wish.target);
  const event = pending({ type: 'block.made', blockId: _id }, ctx.now);
  // The Block that goes out bears the id of the event from which it follows (federation/outbox.ts).
  const fields = {
    ...wish,
    activityIri: `${ctx.site.baseUrl}/activities/${event.eventId}`,
    undone: false,
    at: ctx.now,
  };
  try {
    await blocksIn(ctx.store).insertOne({ _id, ...fields, events: [event] });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    const again = await blocksIn(ctx.store).updateOne(
      { _id, undone: true },
      { $set: fields, $push: { events: event } },
    );
    if (again.matchedCount === 0) await blocksIn(ctx.store).updateOne({ _id }, { $set: { note: wish.note } });
  }
}

/** Takes a block back; nothing that ended comes back, what was muted of an actor is shown again. Emits block.undone. Refuses: not-found. */
export async function unblock(ctx: Context, ref: PartyRef, blockId: string): Promise<void> {
  const party = await getParty(ctx, ref);
  const known = await blocksIn(ctx.store).findOne({ _id: blockId });
  if (known?.blocker !== party.iri) throw new DomainError('not-found', 'error.notFound');
  const { _id, activityIri } = known;
  const event = pending({ type: 'block.undone', blockId: _id, activityIri }, ctx.now);
  await blocksIn(ctx.store).updateOne(
    { _id, activityIri, undone: false },
    { $set: { undone: true, at: ctx.now }, $push: { events: event } },
  );
  if (known.kind === 'muteActor') await unmute(ctx, party.iri, known.target);
}

/**
 * An actor elsewhere blocks one of ours: follows end both ways without an answer, and it leaves the feed. Idempotent;
 * taking that block back restores nothing.
 */
export async function receiveBlock(ctx: Context, { blocker, blocked }: Record<'blocker' | 'blocked', string>) {
  await followingsIn(ctx.store).updateOne(
    { _id: followKey(blocked, blocker), state: { $in: ['pending', 'accepted'] } },
    { $set: { state: 'rejected', decidedAt: ctx.now } },
  );
  await followsIn(ctx.store).updateOne(
    { _id: followKey(blocker, blocked), state: { $in: ['requested', 'accepted'] } },
    { $set: { state: 'undone', decidedAt: ctx.now } },
  );
  await hide(ctx, blocked, [blocker]);
}

/** Ends what is between one of ours and these actors, and tells them: Reject for their follow, Undo for ours. */
async function part(ctx: Context, ours: string, theirs: readonly string[]): Promise<void> {
  const toUs = { _id: { $in: theirs.map((iri) => followKey(iri, ours)) } };
  for (const { _id, state } of await followsIn(ctx.store).find(toUs).toArray()) {
    if (state !== 'requested' && state !== 'accepted') continue;
    const event: DomainEvent = { type: 'follow.rejected', followId: _id };
    await followsIn(ctx.store).updateOne(
      { _id, state },
      { $set: { state: 'rejected', decidedAt: ctx.now }, $push: { events: pending(event, ctx.now) as PendingEvent } },
    );
  }
  const fromUs = { _id: { $in: theirs.map((iri) => followKey(ours, iri)) } };
  for (const following of await followingsIn(ctx.store).find(fromUs).toArray()) await endFollowing(ctx, following);
  await hide(ctx, ours, theirs);
  // What they answered to us or said of us goes from our pages, and what they liked of ours is not counted.
  await mentionsIn(ctx.store).deleteMany({ reader: ours, author: { $in: [...theirs] } });
  await reactionsIn(ctx.store).deleteMany({ owner: ours, actor: { $in: [...theirs] } });
}

/** Takes out of a feed what came from these actors or was written by them. */
async function hide(ctx: Context, reader: string, iris: readonly string[]): Promise<void> {
  await feedEntriesIn(ctx.store).deleteMany({ reader, from: { $in: [...iris] } });
  await eachEntryBy(ctx, reader, iris, (_id) => feedEntriesIn(ctx.store).deleteMany({ _id }));
}

/** The entries of a feed with posts by these actors, whoever brought them, some at a time. */
async function eachEntryBy(
  ctx: Context,
  reader: string,
  authors: readonly string[],
  deed: (entries: { $in: string[] }) => Promise<unknown>,
): Promise<void> {
  if (authors.length === 0) return;
  const posts = remotePostsIn(ctx.store).find({ authors: { $in: [...authors] } }, { projection: { _id: 1 } });
  const keys = (await posts.toArray()).map(({ _id }) => postKey(`${reader} ${_id}`));
  for (const some of chunks(keys)) await deed({ $in: some });
}

/** The actors of a domain and below that are known here, some at a time. */
async function eachKnownOf(ctx: Context, domain: string, deed: (iris: string[]) => Promise<void>): Promise<void> {
  for (const host of await listActorHosts(ctx.store)) {
    if (!isOfDomain(host, domain)) continue;
    const actors = await remoteActorsIn(ctx.store)
      .find({ host }, { projection: { _id: 1 } })
      .toArray();
    for (const some of chunks(actors.map(({ _id }) => _id))) await deed(some);
  }
}

function chunks<T>(all: readonly T[], size = 100): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_one, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

const keepDays = 30;

/** Removes blocks that were taken back more than 30 days ago. Returns how many. */
export async function pruneBlocks(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  return (await blocksIn(ctx.store).deleteMany({ undone: true, at: { $lt: before } })).deletedCount;
}
