// One of ours and its accounts elsewhere: which ones are the same, and that it has moved. Followers on other servers follow on their
// own; no role, no right and no text moves. Nothing here asks the network: whoever is named was looked up just before.
import { checkMayManageCollective } from '../../collectives/rules.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type DomainEvent, pending } from '../../events.js';
import { DuplicateKeyError } from '../../store/store.js';
import { findMove, getParty, movesIn, type Party } from '../queries.js';
import { checkMayAlias, checkMayFollow, checkMayLeave } from '../rules.js';
import type { OwnMove, PartyRef, RemoteActor } from '../schema.js';

/** Says that an account elsewhere is the same. Emits actor.changed. Refuses: not-found, not-allowed, closed, invalid (too many). */
export async function addAlias(ctx: Context, ref: PartyRef, other: RemoteActor): Promise<void> {
  const party = await enter(ctx, ref);
  checkMayFollow(party);
  const move = await openMove(ctx, party);
  if (move.aliases.some(({ iri }) => iri === other._id)) return;
  checkMayAlias(move);
  const aliases = [...move.aliases, { iri: other._id, handle: other.handle }];
  await change(ctx, move, { aliases }, { type: 'actor.changed', handle: party.handle });
}

/** Emits actor.changed; one that is not there: nothing. Refuses: not-found, not-allowed. */
export async function removeAlias(ctx: Context, ref: PartyRef, iri: string): Promise<void> {
  const party = await enter(ctx, ref);
  const move = await openMove(ctx, party);
  if (!move.aliases.some((alias) => alias.iri === iri)) return;
  const aliases = move.aliases.filter((alias) => alias.iri !== iri);
  await change(ctx, move, { aliases }, { type: 'actor.changed', handle: party.handle });
}

/**
 * Tells all followers to follow an account elsewhere, which names this one among its own. Emits actor.moved. Refuses: not-found,
 * not-allowed, closed (not public, moved already, within a week of the last move), invalid (the target does not name us).
 */
export async function moveAway(ctx: Context, ref: PartyRef, target: RemoteActor): Promise<void> {
  const party = await enter(ctx, ref);
  checkMayFollow(party);
  const move = await openMove(ctx, party);
  checkMayLeave(move, party.iri, target, ctx.now);
  const set = { movedTo: { iri: target._id, handle: target.handle }, movedAt: ctx.now };
  await change(ctx, move, set, { type: 'actor.moved', handle: party.handle, target: target._id });
}

/** Takes the note away that it has moved; whoever followed on stays there. Emits actor.changed. Refuses: not-found, not-allowed. */
export async function undoMove(ctx: Context, ref: PartyRef): Promise<void> {
  const party = await enter(ctx, ref);
  const move = await openMove(ctx, party);
  if (move.movedTo === null) return;
  await change(ctx, move, { movedTo: null }, { type: 'actor.changed', handle: party.handle });
}

/** Representatives for a collective; oneself. */
async function enter(ctx: Context, ref: PartyRef): Promise<Party> {
  const party = await getParty(ctx, ref);
  if (party.collective) checkMayManageCollective(ctx.actor, party.collective);
  return party;
}

async function openMove(ctx: Context, { handle }: Party): Promise<OwnMove> {
  return (await findMove(ctx.store, handle)) ?? { _id: handle, aliases: [], movedTo: null, movedAt: null, version: 0 };
}

/** Refuses: conflict. Somebody else changed it meanwhile. */
async function change(
  ctx: Context,
  { _id, version }: OwnMove,
  set: Partial<Pick<OwnMove, 'aliases' | 'movedTo' | 'movedAt'>>,
  event: DomainEvent,
): Promise<void> {
  const news = pending(event, ctx.now);
  if (version === 0) {
    const fresh = { _id, aliases: [], movedTo: null, movedAt: null, ...set, version: 1, events: [news] };
    try {
      await movesIn(ctx.store).insertOne(fresh);
    } catch (error) {
      if (error instanceof DuplicateKeyError) throw changedMeanwhile();
      throw error;
    }
    return;
  }
  const update = { $set: { ...set, version: version + 1 }, $push: { events: news } };
  const { matchedCount } = await movesIn(ctx.store).updateOne({ _id, version }, update);
  if (matchedCount === 0) throw changedMeanwhile();
}

function changedMeanwhile(): DomainError {
  return new DomainError('conflict', 'partners.error.decidedMeanwhile');
}
