// What a service's document repeats from its hoster is brought in step when the hoster changes.
import { findCollective } from '../../collectives/queries.js';
import type { Collective } from '../../collectives/schema.js';
import type { Context } from '../../context.js';
import { diff } from '../../history/diff.js';
import { newId } from '../../ids.js';
import { newsOf, servicesOf } from '../queries.js';
import { derivedFields } from '../rules.js';
import type { Service } from '../schema.js';
import { tellFirstListing } from './news.js';

/**
 * Brings listing, search words, sort name and the hoster's name of all services of a collective in step with it. No
 * event: the hoster's own change is the news. Idempotent; a service changed at the same moment is looked at again.
 */
export async function refreshListing(ctx: Context, collectiveId: string): Promise<void> {
  const hoster = await findCollective(ctx.store, collectiveId);
  if (!hoster) return;
  const hidden = !hoster.published || hoster.deletedAt !== null;
  const name = { handle: hoster.handle, name: hoster.profile.name };
  await newsOf(ctx.store).updateMany({ collectiveId }, { $set: { hidden, hoster: name } });
  for (const service of await servicesOf(ctx.store).find({ collectiveId }).toArray()) {
    await bringInStep(ctx, service, hoster);
  }
}

async function bringInStep(ctx: Context, found: Service, hoster: Collective): Promise<void> {
  let service: Service | null = found;
  for (let attempt = 0; service && attempt < 5; attempt += 1) {
    const derived = derivedFields(service, hoster);
    const { listed, terms, sortName, hoster: itsHoster, country } = service;
    if (diff({ listed, terms, sortName, hoster: itsHoster, country }, derived).length === 0) return;
    const first = derived.listed && service.publishedAt === null;
    // The line of news first: after a crash the second run would not know that the service was new.
    if (first) await tellFirstListing(ctx, { ...service, ...derived }, ctx.now);
    const saved = await servicesOf(ctx.store).updateOne(
      { _id: service._id, version: service.version },
      { $set: { ...derived, ...(first ? { publishedAt: ctx.now } : {}), stamp: newId() } },
    );
    if (saved.matchedCount > 0) return;
    service = await servicesOf(ctx.store).findOne({ _id: service._id });
  }
}
