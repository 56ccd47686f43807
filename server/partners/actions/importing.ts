// Following many accounts at once, from the list that another server gave its user: looked at before anything is said, then a
// few at a time by jobs/followImported.ts, in the name and with the rights of whoever started it.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { actorOf, findPerson } from '../../people/queries.js';
import { mayEnter } from '../../people/rules.js';
import { findImport, importKey, importsIn } from '../importQueries.js';
import { findMove, getParty, listFollowings } from '../queries.js';
import { checkHasNotMoved, checkMayFollow, readAccounts } from '../rules.js';
import { type FollowImport, maxImported, type PartyRef, type RemoteActor } from '../schema.js';
import { followActor } from './following.js';

/**
 * Keeps what a list says, for the page before: nobody is asked or followed yet. A list that was looked at before, or is done,
 * makes room. Refuses: invalid (no address in it, too many), conflict (one is at work), closed (our side is not public, moved).
 */
export async function beginFollowImport(ctx: Context, ref: PartyRef, text: string): Promise<void> {
  const party = await getParty(ctx, ref);
  checkMayFollow(party);
  checkHasNotMoved(await findMove(ctx.store, party.handle));
  const { accounts, unread } = readAccounts(text, ctx.site.host);
  if (accounts.length === 0) throw new DomainError('invalid', 'partners.import.error.none', { field: 'list' });
  if (accounts.length > maxImported)
    throw new DomainError('invalid', 'partners.import.error.tooMany', { field: 'list' });
  const known = await knownHandles(ctx, party.iri);
  const rows = accounts.map((address) => ({ address, state: known.has(address) ? 'known' : 'waiting' }) as const);
  const fields: Omit<FollowImport, '_id'> = {
    ...{ follower: party.iri, ownerKind: ref.kind, ownerId: ref.id, startedBy: null, state: 'preview', rows, unread },
    changedAt: ctx.now,
    version: 1,
  };
  const kept = await findImport(ctx.store, party.iri);
  if (kept?.state === 'running') throw new DomainError('conflict', 'partners.import.error.running', { field: 'list' });
  await importsIn(ctx.store).replaceOne({ _id: importKey(party.iri) }, fields, { upsert: true });
}

async function knownHandles(ctx: Context, iri: string): Promise<Set<string>> {
  const found = await Promise.all([
    listFollowings(ctx.store, iri, 'accepted'),
    listFollowings(ctx.store, iri, 'pending'),
  ]);
  return new Set(found.flat().map(({ actor }) => actor?.handle.toLowerCase() ?? ''));
}

/** Sets it to work: what waits, and what failed before. Refuses: not-found, closed. While it is at work: nothing. */
export async function startFollowImport(ctx: Context, ref: PartyRef): Promise<void> {
  const { known, party } = await getImport(ctx, ref);
  checkMayFollow(party);
  if (known.state === 'running') return;
  const rows = known.rows.map((row) =>
    row.state === 'failed' ? { address: row.address, state: 'waiting' as const } : row,
  );
  const startedBy = ctx.actor?.kind === 'person' ? ctx.actor.personId : null;
  await importsIn(ctx.store).updateOne(
    { _id: known._id, version: known.version },
    { $set: { rows, startedBy, state: 'running', changedAt: ctx.now }, $inc: { version: 1 } },
  );
}

/** Forgets the list, and stops where it is at work; whoever was followed stays followed. Refuses: not-found. */
export async function dropFollowImport(ctx: Context, ref: PartyRef): Promise<void> {
  const { known } = await getImport(ctx, ref);
  await importsIn(ctx.store).deleteOne({ _id: known._id });
}

async function getImport(ctx: Context, ref: PartyRef) {
  const party = await getParty(ctx, ref);
  const known = await findImport(ctx.store, party.iri);
  if (!known) throw new DomainError('not-found', 'error.notFound');
  return { party, known };
}

/** Who was found at an address; null: nobody now. */
export type Imported = { address: string; actor: RemoteActor | null };

/**
 * Follows the next few of a list, as they were looked up. Emits following.requested for each. Who started it must still be
 * allowed to; whatever refuses stands beside the address. Returns how many were followed.
 */
export async function followImported(ctx: Context, known: FollowImport, found: readonly Imported[]): Promise<number> {
  const person = known.startedBy === null ? null : await findPerson(ctx.store, known.startedBy);
  const actor = person && mayEnter(person) ? await actorOf(ctx.store, person) : null;
  const outcomes = new Map<string, FollowImport['rows'][number]>();
  for (const one of found) outcomes.set(one.address, await followOne({ ...ctx, actor }, known, one));
  const rows = known.rows.map((row) => outcomes.get(row.address) ?? row);
  const isDone = rows.every(({ state }) => state !== 'waiting');
  // A new list in the place of this one begins with the same number.
  await importsIn(ctx.store).updateOne(
    { _id: known._id, version: known.version, changedAt: known.changedAt, state: 'running' },
    { $set: { rows, state: isDone ? 'done' : 'running', changedAt: ctx.now }, $inc: { version: 1 } },
  );
  return [...outcomes.values()].filter(({ state }) => state === 'followed').length;
}

async function followOne(ctx: Context, known: FollowImport, { address, actor }: Imported) {
  const failed = (reason: string) => ({ address, state: 'failed' as const, reason });
  if (actor === null) return failed('partners.import.silent');
  try {
    await followActor(ctx, { kind: known.ownerKind, id: known.ownerId }, { actor: actor._id });
    return { address, state: 'followed' as const };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return failed(error.code === 'closed' ? error.safeMessage.key : 'partners.import.refused');
  }
}

const keepDays = 30;

/** Removes lists that nobody touched for 30 days. Returns how many. */
export async function pruneFollowImports(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  return (await importsIn(ctx.store).deleteMany({ changedAt: { $lt: before } })).deletedCount;
}
