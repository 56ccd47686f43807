// The lists into which one of ours sorts those whom it follows, and by that what it reads. A list is its name: it is there as long
// as somebody is in it. Nobody elsewhere is told.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { feedEntriesIn, findFollowing, followingsIn, getParty, listNames } from '../queries.js';
import { checkLists } from '../rules.js';
import type { PartyRef } from '../schema.js';

/**
 * Puts a followed actor, and what came from it, into these lists and no others. Refuses: not-found, invalid (too many lists).
 */
export async function sortFollowing(
  ctx: Context,
  ref: PartyRef,
  followingId: string,
  lists: readonly string[],
): Promise<void> {
  const party = await getParty(ctx, ref);
  const following = await findFollowing(ctx.store, followingId);
  if (following?.follower !== party.iri) throw new DomainError('not-found', 'error.notFound');
  checkLists(await listNames(ctx.store, party.iri), lists);
  const set = { $set: { lists: [...lists] } };
  await followingsIn(ctx.store).updateOne({ _id: followingId }, set);
  await feedEntriesIn(ctx.store).updateMany({ reader: party.iri, from: following.followed }, set);
}

/** Gives a list another name; where a list of that name is already, both become one. Refuses: not-found. */
export async function renameList(ctx: Context, ref: PartyRef, name: string, to: string): Promise<void> {
  const iri = await enterList(ctx, ref, name);
  if (to === name) return;
  await followingsIn(ctx.store).updateMany({ follower: iri, lists: name }, { $addToSet: { lists: to } });
  await feedEntriesIn(ctx.store).updateMany({ reader: iri, lists: name }, { $addToSet: { lists: to } });
  await empty(ctx, iri, name);
}

/** Whoever was in the list stays followed. Refuses: not-found. */
export async function deleteList(ctx: Context, ref: PartyRef, name: string): Promise<void> {
  await empty(ctx, await enterList(ctx, ref, name), name);
}

/** The feed first: cut short, the list is still there to be emptied again. */
async function empty(ctx: Context, iri: string, name: string): Promise<void> {
  await feedEntriesIn(ctx.store).updateMany({ reader: iri, lists: name }, { $pull: { lists: name } });
  await followingsIn(ctx.store).updateMany({ follower: iri, lists: name }, { $pull: { lists: name } });
}

async function enterList(ctx: Context, ref: PartyRef, name: string): Promise<string> {
  const party = await getParty(ctx, ref);
  if (!(await listNames(ctx.store, party.iri)).includes(name)) throw new DomainError('not-found', 'error.notFound');
  return party.iri;
}
