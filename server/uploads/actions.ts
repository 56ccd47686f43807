// Keeps and forgets pictures. Whether somebody may is asked by the slice to which the picture belongs.
import type { Context } from '../context.js';
import { newId } from '../ids.js';
import { checkImage } from './image.js';
import { uploadsOf } from './queries.js';
import type { Upload } from './schema.js';

/** Keeps what makes the picture under a name nobody can guess. Refuses: invalid (see checkImage). */
export async function keepImage(ctx: Context, collectiveId: string, bytes: Buffer): Promise<Upload> {
  const image = checkImage(bytes);
  const upload: Upload = { _id: newId(), collectiveId, ...image, createdAt: ctx.now };
  await uploadsOf(ctx.store).insertOne(upload);
  return upload;
}

/** Forgets all pictures of a collective. */
export async function forgetUploadsOf(ctx: Context, collectiveId: string): Promise<void> {
  await uploadsOf(ctx.store).deleteMany({ collectiveId });
}

/** Forgets the picture that was replaced, and what a crash left behind: anything but `keep` older than an hour. */
export async function sweepUploads(
  ctx: Context,
  collectiveId: string,
  { keep, replaced }: { keep: string | null; replaced: string | null },
): Promise<void> {
  // Younger ones may belong to an upload that goes on at the same time.
  const hourAgo = new Date(ctx.now.getTime() - 60 * 60 * 1000);
  const old = { collectiveId, createdAt: { $lt: hourAgo } };
  await uploadsOf(ctx.store).deleteMany(keep === null ? old : { ...old, _id: { $ne: keep } });
  if (replaced !== null && replaced !== keep) await uploadsOf(ctx.store).deleteOne({ _id: replaced });
}
