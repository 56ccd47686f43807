// Which sources there are and when each is read: those that somebody here follows, those of allowed domains, those that an
// administrator added, and what they name in turn. The reading itself is read.ts (files) and federation/catalogues.ts.
import { dropFiles } from '../../catalogue/actions/files.js';
import type { Context } from '../../context.js';
import { listAllowedOrigins, readPolicy } from '../../instances/queries.js';
import { isRefusedPeer } from '../../instances/rules.js';
import { isFollowedHere, listFollowedHere } from '../../partners/queries.js';
import type { RemoteActor } from '../../partners/schema.js';
import { DuplicateKeyError } from '../../store/store.js';
import { findSource, remoteCollectivesIn, sourcesIn } from '../queries.js';
import { graceEnd, lastingSince, maxHostersPerSource, nextReading, nextTry, sourceKey } from '../rules.js';
import type { Reason, RemoteSource, SourceKind } from '../schema.js';
import { dropEntries, withdrawHoster } from './entries.js';

interface Wish {
  kind: SourceKind;
  address: string;
  reason: Reason;
  parent?: string;
}

/** Adds a source, to be read as soon as possible; one that is there stays as it is. False: refused by our rules. */
export async function addSource(ctx: Context, wish: Wish): Promise<boolean> {
  const { host } = new URL(wish.address);
  if (isRefusedPeer(await readPolicy(ctx.store), host)) return false;
  const source: RemoteSource = {
    _id: sourceKey(wish.kind, wish.address),
    kind: wish.kind,
    address: wish.address,
    home: host,
    reason: wish.reason,
    parent: wish.parent ?? null,
    addedAt: ctx.now,
    nextAt: ctx.now,
    lastAttemptAt: null,
    lastSuccessAt: new Date(0),
    silentSince: null,
    error: null,
    leavesAt: null,
    filesId: null,
    count: 0,
  };
  try {
    await sourcesIn(ctx.store).insertOne(source);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
  return true;
}

/** Somebody here follows this actor: if it offers a catalogue, it is read, and what was to leave stays. */
export async function watchActor(ctx: Context, actor: RemoteActor): Promise<void> {
  if (!actor.catalogue || actor.goneAt !== null) return;
  const wish = wishFor(actor);
  await addSource(ctx, wish);
  await sourcesIn(ctx.store).updateOne({ _id: sourceKey(wish.kind, wish.address) }, { $set: { leavesAt: null } });
}

/** Following the actor of an instance is following all its hosters. */
function wishFor(actor: RemoteActor): Wish {
  const reason = 'following' as const;
  return actor.type === 'Application'
    ? { kind: 'instance', address: new URL(actor._id).origin, reason }
    : { kind: 'actor', address: actor._id, reason };
}

/** A hoster says that it changed: it is read again, at most once in ten minutes. */
export async function hastenSource(ctx: Context, actorIri: string): Promise<void> {
  const source = await findSource(ctx.store, sourceKey('actor', actorIri));
  if (source === null) return;
  const soonest = new Date((source.lastAttemptAt?.getTime() ?? 0) + 10 * 60_000);
  const nextAt = soonest > ctx.now ? soonest : ctx.now;
  await sourcesIn(ctx.store).updateOne({ _id: source._id, nextAt: { $gt: nextAt } }, { $set: { nextAt } });
}

/**
 * Brings the sources in step with whom we follow and whom our rules allow, and takes away what nobody has wanted for two
 * weeks or confirmed for 90 days. Returns how many came and went. Idempotent.
 */
export async function sortSources(ctx: Context): Promise<{ added: number; removed: number; expired: number }> {
  const known = await sourcesIn(ctx.store).find({}).toArray();
  const ids = new Set(known.map(({ _id }) => _id));
  const wanted = new Map<string, Wish>();
  const want = (wish: Wish) => wanted.set(sourceKey(wish.kind, wish.address), wish);
  for (const address of await listAllowedOrigins(ctx.store)) {
    if (address !== ctx.site.baseUrl) want({ kind: 'instance', address, reason: 'rule' });
  }
  for (const actor of await listFollowedHere(ctx.store)) if (actor.catalogue) want(wishFor(actor));
  let added = 0;
  for (const [id, wish] of wanted) if (!ids.has(id) && (await addSource(ctx, wish))) added += 1;
  const removed = await leave(ctx, known, new Set(wanted.keys()));
  return { added, removed, expired: await expire(ctx) };
}

/** What nobody wants gets two weeks, then goes with what it names. */
async function leave(ctx: Context, known: readonly RemoteSource[], wanted: ReadonlySet<string>): Promise<number> {
  const ids = new Set(known.map(({ _id }) => _id));
  let removed = 0;
  for (const { _id, reason, parent, leavesAt } of known) {
    const isWanted = reason === 'administrator' || wanted.has(_id) || (parent !== null && ids.has(parent));
    if (isWanted && leavesAt !== null) await set(ctx, _id, { leavesAt: null });
    if (!isWanted && leavesAt === null) await set(ctx, _id, { leavesAt: graceEnd(ctx.now) });
    if (!isWanted && leavesAt !== null && leavesAt <= ctx.now) removed += await removeSource(ctx, _id);
  }
  return removed;
}

async function expire(ctx: Context): Promise<number> {
  const old = await remoteCollectivesIn(ctx.store)
    .find({ listed: true, seenAt: { $lt: lastingSince(ctx.now) } }, { projection: { _id: 1 } })
    .toArray();
  for (const { _id } of old) await withdrawHoster(ctx, _id);
  return old.length;
}

/** The source, its entries, and what it names and nobody else wants. Returns how many sources went. */
export async function removeSource(ctx: Context, id: string): Promise<number> {
  const source = await findSource(ctx.store, id);
  if (source === null) return 0;
  await sourcesIn(ctx.store).deleteOne({ _id: id });
  await dropEntries(ctx, id);
  if (source.filesId !== null) await dropFiles(ctx, source.filesId);
  let removed = 1;
  for (const child of await sourcesIn(ctx.store).find({ parent: id }).toArray()) {
    if (child.kind === 'actor' && (await isFollowedHere(ctx.store, child.address))) {
      await set(ctx, child._id, { parent: null, reason: 'following' });
    } else removed += await removeSource(ctx, child._id);
  }
  return removed;
}

/** An actor elsewhere is gone for good, and its services with it. */
export async function forgetSource(ctx: Context, actorIri: string): Promise<void> {
  await removeSource(ctx, sourceKey('actor', actorIri));
}

/** Nothing of refused domains is kept; an address that an administrator typed stays, with the reason. Returns how many went. */
export async function dropRefused(ctx: Context): Promise<number> {
  const policy = await readPolicy(ctx.store);
  let dropped = 0;
  for (const home of await sourcesIn(ctx.store).distinct('home', {})) {
    if (typeof home !== 'string' || !isRefusedPeer(policy, home)) continue;
    for (const source of await sourcesIn(ctx.store).find({ home }).toArray()) {
      if (source.reason !== 'administrator') dropped += await removeSource(ctx, source._id);
      else if (source.error?.key !== refusedKey) {
        await dropEntries(ctx, source._id);
        await set(ctx, source._id, { error: { key: refusedKey, params: {} }, count: 0 });
        dropped += 1;
      }
    }
  }
  return dropped;
}

export const refusedKey = 'elsewhere.error.refused';

/** What an instance or a network names now: the new ones are read soon, those no longer named go. Returns how many stay. */
export async function keepChildren(
  ctx: Context,
  source: RemoteSource,
  kind: SourceKind,
  addresses: readonly string[],
): Promise<number> {
  const named = [...new Set(addresses)].slice(0, maxHostersPerSource);
  const ids = new Set(named.map((address) => sourceKey(kind, address)));
  for (const address of named) {
    await addSource(ctx, { kind, address, reason: 'source', parent: source._id });
    const alone = { _id: sourceKey(kind, address), parent: null, reason: { $ne: 'administrator' as const } };
    await sourcesIn(ctx.store).updateOne(alone, { $set: { parent: source._id } });
  }
  for (const child of await sourcesIn(ctx.store).find({ parent: source._id }).toArray()) {
    if (ids.has(child._id)) continue;
    if (child.kind === 'actor' && (await isFollowedHere(ctx.store, child.address))) {
      await set(ctx, child._id, { parent: null, reason: 'following' });
    } else await removeSource(ctx, child._id);
  }
  return ids.size;
}

/** It was read whole. */
export async function noteRead(
  ctx: Context,
  source: RemoteSource,
  done: Pick<RemoteSource, 'count'> & Partial<Pick<RemoteSource, 'error' | 'kind' | 'filesId'>>,
): Promise<void> {
  const nextAt = nextReading(source, ctx.now);
  const times = { nextAt, lastAttemptAt: ctx.now, lastSuccessAt: ctx.now, silentSince: null };
  await set(ctx, source._id, { ...times, error: null, ...done });
  await remoteCollectivesIn(ctx.store).updateOne({ _id: source._id }, { $set: { seenAt: ctx.now, silentSince: null } });
}

/** It could not be read: what we know stays, and says since when its home has not answered. */
export async function noteFailure(ctx: Context, source: RemoteSource, error: RemoteSource['error']): Promise<void> {
  const silentSince = source.silentSince ?? ctx.now;
  await set(ctx, source._id, { nextAt: nextTry(silentSince, ctx.now), lastAttemptAt: ctx.now, silentSince, error });
  await remoteCollectivesIn(ctx.store).updateOne({ _id: source._id }, { $set: { silentSince } });
}

/** Not its fault: we have asked its server too much at once, or are about to ask and do not know how that ends. */
export async function postpone(ctx: Context, source: RemoteSource): Promise<void> {
  await set(ctx, source._id, { nextAt: new Date(ctx.now.getTime() + 90_000) });
}

async function set(ctx: Context, id: string, fields: Partial<Omit<RemoteSource, '_id'>>): Promise<void> {
  await sourcesIn(ctx.store).updateOne({ _id: id }, { $set: fields });
}
