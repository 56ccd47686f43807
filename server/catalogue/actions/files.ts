// Received files are kept under an owner: an import that waits for its confirmation, or a source with its last good copy.
import type { Context } from '../../context.js';
import { newId } from '../../ids.js';
import type { ReceivedFile } from '../crawl.js';
import { infoFilesOf } from '../queries.js';

/** Keeps the files in their order. Returns the owner's id under which they are found. */
export async function keepFiles(
  ctx: Context,
  files: readonly ReceivedFile[],
  ownerId: string = newId(),
): Promise<string> {
  const docs = files.map((file, position) => ({ ...file, _id: newId(), ownerId, position }));
  if (docs.length > 0) await infoFilesOf(ctx.store).insertMany(docs);
  return ownerId;
}

export async function dropFiles(ctx: Context, ownerId: string): Promise<void> {
  await infoFilesOf(ctx.store).deleteMany({ ownerId });
}
