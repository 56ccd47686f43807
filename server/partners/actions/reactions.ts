// Likes and boosts of what is ours, by anybody elsewhere: counted once for each actor, taken back by that actor alone. A repeat
// changes nothing, and what was taken back before it arrived does not count.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { readPolicy } from '../../instances/queries.js';
import { isLimitedPeer } from '../../instances/rules.js';
import { DuplicateKeyError } from '../../store/store.js';
import { findReactionByIri, isFollowedHere, reactionsIn } from '../queries.js';
import { postKey } from '../rules.js';
import type { InteractionKind, Reaction } from '../schema.js';

export type ReactionInput = Pick<Reaction, 'object' | 'owner' | 'kind' | 'actor' | 'activityIri'>;

/** From a limited server it counts only when its actor is followed here. */
export async function receiveReaction(ctx: Context, input: ReactionInput): Promise<void> {
  if (isLimitedPeer(await readPolicy(ctx.store), input.actor) && !(await isFollowedHere(ctx.store, input.actor)))
    return;
  await write(ctx, input, false);
}

/** What is known of it decides whose it is. Returns whether there was one under this id. Refuses: not-allowed. */
export async function receiveUndoReactionById(ctx: Context, activityIri: string, actor: string): Promise<boolean> {
  const known = await findReactionByIri(ctx.store, activityIri);
  if (known === null) return false;
  if (known.actor !== actor) throw new DomainError('not-allowed', 'partners.error.otherFollower');
  await reactionsIn(ctx.store).updateOne({ _id: known._id }, { $set: { undone: true, at: ctx.now } });
  return true;
}

/** By what was liked or passed on; remembered when the undo comes first. */
export async function receiveUndoReaction(ctx: Context, input: ReactionInput): Promise<void> {
  await write(ctx, input, true);
}

async function write(ctx: Context, input: ReactionInput, undone: boolean): Promise<void> {
  const _id = reactionKey(input);
  const fields = { ...input, host: new URL(input.actor).host, undone, at: ctx.now };
  try {
    await reactionsIn(ctx.store).insertOne({ _id, ...fields });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    // The activity that was taken back does not come again; another one counts.
    const isSpent = !undone && input.activityIri !== null;
    const standing = { _id, undone: !undone, ...(isSpent ? { activityIri: { $ne: input.activityIri } } : {}) };
    const activityIri = input.activityIri === null ? {} : { activityIri: input.activityIri };
    await reactionsIn(ctx.store).updateOne(standing, { $set: { undone, at: ctx.now, ...activityIri } });
  }
}

function reactionKey({ actor, kind, object }: { actor: string; kind: InteractionKind; object: string }): string {
  return postKey(`${actor} ${kind} ${object}`);
}

const keepDays = 30;

/** Removes what was taken back more than 30 days ago. Returns how many. */
export async function pruneReactions(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  return (await reactionsIn(ctx.store).deleteMany({ undone: true, at: { $lt: before } })).deletedCount;
}
