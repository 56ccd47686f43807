// What becomes of what others say of their services: kept, brought up to date, withdrawn. Nothing here asks the network;
// whoever calls has checked that it is the home itself that speaks.
import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../../context.js';
import { newId } from '../../ids.js';
import { readPolicy } from '../../instances/queries.js';
import { isRefusedPeer } from '../../instances/rules.js';
import { DuplicateKeyError } from '../../store/store.js';
import { findSource, remoteCollectivesIn, remoteServicesIn } from '../queries.js';
import { hosterTerms, isNewer, maxServicesPerHoster, serviceKey, serviceTerms, siteOf, sortNameOf } from '../rules.js';
import type { HosterReading, RemoteCollective, RemoteService, RemoteSource, ServiceReading } from '../schema.js';

/**
 * Keeps what a source says of its hoster and of its services, at most 500. `isComplete`: what it does not name any more is
 * withdrawn. Nothing from a refused domain, nor from a source that was removed meanwhile. Returns how many are kept.
 */
export async function keepHoster(
  ctx: Context,
  source: RemoteSource,
  hoster: HosterReading,
  services: readonly ServiceReading[],
  isComplete: boolean,
): Promise<number> {
  if (isRefusedPeer(await readPolicy(ctx.store), source.home)) return 0;
  await keepCollective(ctx, source, hoster);
  const entries = remoteServicesIn(ctx.store);
  const found = await entries.find({ hosterId: source._id }).toArray();
  const known = new Map(found.map((entry) => [entry._id, entry]));
  const seen = new Set<string>();
  for (const service of services) {
    if (seen.size >= maxServicesPerHoster) break;
    const _id = serviceKey(source._id, service.key);
    if (seen.has(_id)) continue;
    seen.add(_id);
    await keepEntry(ctx, known.get(_id) ?? null, entryOf(ctx, source, hoster, service));
  }
  if (isComplete) {
    const missing = found.filter(({ _id, listed }) => listed && !seen.has(_id));
    for (const { _id } of missing) await hide(ctx, { _id });
  }
  // Removed or blocked while it was being read.
  if ((await findSource(ctx.store, source._id)) === null) await dropEntries(ctx, source._id);
  return seen.size;
}

/** One service, as its hoster tells of it now. Unknown hosters, and more than 500 of one, change nothing. */
export async function keepService(ctx: Context, hosterId: string, service: ServiceReading): Promise<void> {
  const source = await findSource(ctx.store, hosterId);
  const hoster = await remoteCollectivesIn(ctx.store).findOne({ _id: hosterId });
  if (source === null || hoster === null) return;
  const known = await remoteServicesIn(ctx.store).findOne({ _id: serviceKey(hosterId, service.key) });
  const count = await remoteServicesIn(ctx.store).countDocuments({ hosterId });
  if (known === null && count >= maxServicesPerHoster) return;
  await keepEntry(ctx, known, entryOf(ctx, source, hoster, service));
}

/** The hoster withdraws one of its services; what was said before `saidAt` does not bring it back. */
export async function withdrawEntry(ctx: Context, hosterId: string, key: string, saidAt: Date): Promise<void> {
  const _id = serviceKey(hosterId, key);
  const set = { listed: false, isTombstone: true, saidAt, stamp: newId(), seenAt: ctx.now };
  await remoteServicesIn(ctx.store).updateOne({ _id, hosterId, saidAt: { $lte: saidAt } }, { $set: set });
}

/** Nothing of this hoster is shown, until it is read again. */
export async function withdrawHoster(ctx: Context, hosterId: string): Promise<void> {
  await remoteCollectivesIn(ctx.store).updateOne({ _id: hosterId }, { $set: { listed: false } });
  const shown = remoteServicesIn(ctx.store).find({ hosterId, listed: true }, { projection: { _id: 1 } });
  for (const { _id } of await shown.toArray()) await hide(ctx, { _id });
}

/** Everything that we know of a hoster goes: hidden now, so that every finder's copy learns it, and removed a day later. */
export async function dropEntries(ctx: Context, hosterId: string): Promise<void> {
  await withdrawHoster(ctx, hosterId);
  const forgotten = { goneAt: ctx.now, saidAt: new Date(0), isTombstone: false };
  await remoteServicesIn(ctx.store).updateMany({ hosterId }, { $set: forgotten });
  await remoteCollectivesIn(ctx.store).deleteOne({ _id: hosterId });
}

/** Removes entries that were dropped more than a day ago. Returns how many. */
export async function pruneEntries(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - 24 * 60 * 60 * 1000);
  return (await remoteServicesIn(ctx.store).deleteMany({ goneAt: { $lt: before } })).deletedCount;
}

async function hide(ctx: Context, filter: { _id: string }): Promise<void> {
  await remoteServicesIn(ctx.store).updateOne(filter, { $set: { listed: false, stamp: newId() } });
}

async function keepCollective(ctx: Context, source: RemoteSource, hoster: HosterReading): Promise<void> {
  const { _id, ...fields }: RemoteCollective = {
    ...hoster,
    _id: source._id,
    home: source.home,
    by: byOf(source),
    site: siteOf(hoster.website),
    listed: true,
    terms: hosterTerms(hoster),
    sortName: sortNameOf(hoster.name),
    seenAt: ctx.now,
    silentSince: null,
  };
  await remoteCollectivesIn(ctx.store).replaceOne({ _id }, fields, { upsert: true });
}

function byOf({ kind }: RemoteSource): RemoteCollective['by'] {
  return kind === 'actor' ? 'activity' : 'file';
}

function entryOf(ctx: Context, source: RemoteSource, hoster: HosterReading, service: ServiceReading): RemoteService {
  const { profile, url, publishedAt, saidAt } = service;
  return {
    _id: serviceKey(source._id, service.key),
    hosterId: source._id,
    home: source.home,
    by: byOf(source),
    url,
    profile,
    hoster: { handle: hoster.handle, name: hoster.name, url: hoster.url, site: siteOf(hoster.website) },
    country: profile.host.countryCode ?? hoster.country,
    site: siteOf(profile.website),
    publishedAt,
    saidAt,
    isTombstone: false,
    goneAt: null,
    listed: true,
    terms: serviceTerms(service, hoster),
    sortName: sortNameOf(profile.name),
    stamp: newId(),
    seenAt: ctx.now,
  };
}

/** Written only when it says something new, so that a weekly reading costs no finder anything. */
async function keepEntry(ctx: Context, known: RemoteService | null, entry: RemoteService): Promise<void> {
  const entries = remoteServicesIn(ctx.store);
  if (known === null) {
    try {
      await entries.insertOne(entry);
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
    return;
  }
  if (!isNewer(known, entry.saidAt)) return;
  const { seenAt, stamp } = entry;
  if (isDeepStrictEqual({ ...known, seenAt, stamp }, entry)) return;
  const { _id, ...fields } = entry;
  await entries.replaceOne({ _id, stamp: known.stamp }, fields);
}
