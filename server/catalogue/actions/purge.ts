// What ends for good: services long in the bin, everything of a collective that ends.
import type { Context } from '../../context.js';
import { findSourceOf, importsOf, newsOf, servicesOf, sourcesOf } from '../queries.js';
import { binDays } from '../rules.js';
import { dropFiles } from './files.js';

/** Takes away for good what has been in the bin for 30 days. Returns how many. For the nightly job. */
export async function purgeWithdrawnServices(ctx: Context): Promise<number> {
  const limit = new Date(ctx.now.getTime() - binDays * 24 * 60 * 60 * 1000);
  let purged = 0;
  for (const service of await servicesOf(ctx.store)
    .find({ deletedAt: { $lt: limit } })
    .toArray()) {
    // Unsent news first: the drain needs the document that carries it. It is back at the next run.
    if (service.events?.length) continue;
    // Its source would bring it back as new.
    if (service.origin !== null) await skipInSource(ctx, service.collectiveId, service.origin);
    const gone = await servicesOf(ctx.store).deleteOne({ _id: service._id, version: service.version });
    purged += gone.deletedCount;
  }
  return purged;
}

/** The services, source and news of a collective end with it. For purgeDeleted() of the collectives. */
export async function purgeCatalogueOf(ctx: Context, collectiveId: string): Promise<void> {
  await forgetSourceOf(ctx, collectiveId);
  await newsOf(ctx.store).deleteMany({ collectiveId });
  await servicesOf(ctx.store).deleteMany({ collectiveId });
}

/** Without asking who asks: for the end of a collective. */
export async function forgetSourceOf(ctx: Context, collectiveId: string): Promise<void> {
  const source = await findSourceOf(ctx.store, collectiveId);
  if (source) {
    await sourcesOf(ctx.store).deleteOne({ _id: source._id });
    await dropFiles(ctx, source.filesId);
  }
  for (const { _id } of await importsOf(ctx.store).find({ collectiveId }).toArray()) {
    await importsOf(ctx.store).deleteOne({ _id });
    await dropFiles(ctx, _id);
  }
}

/** A service that was taken away for good here is not brought back by its file. */
async function skipInSource(ctx: Context, collectiveId: string, address: string): Promise<void> {
  await sourcesOf(ctx.store).updateOne({ collectiveId }, { $addToSet: { skipped: address } });
}
