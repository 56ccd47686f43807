// What somebody deleted before it came, of whom nothing is kept here: a bare hash, so that what arrives late stays deleted.
// Of partners a Tombstone is kept with the posts (server/partners/actions/feed.ts).
import { createHash } from 'node:crypto';
import type { Doc } from '../server/store/store.js';
import type { Federation } from './federation.js';
import type { Inbound } from './handlers.js';

/** _id: SHA-256 of the object's and its author's ids. */
export interface UnseenDeletion extends Doc {
  until: Date;
}

const keepDays = 30;

/** Its sender deletes something of its own that is not known here: so many a day of one server, the others are forgotten. */
export async function noteDeletion({ federation, activity, sender }: Inbound): Promise<void> {
  const iri = activity.object?.id ?? null;
  if (iri === null || iri === sender._id || !federation.deletionLimit.take(sender.host)) return;
  const until = new Date(federation.house.now().getTime() + keepDays * 24 * 60 * 60 * 1000);
  await deletionsIn(federation).replaceOne({ _id: keyOf(iri, sender._id) }, { until }, { upsert: true });
}

export async function isDeletedAlready(federation: Federation, iri: string, author: string): Promise<boolean> {
  const found = await deletionsIn(federation).findOne({ _id: keyOf(iri, author) });
  return found !== null && found.until > federation.house.now();
}

/** Removes what is no longer remembered. Returns how many. */
export async function pruneDeletions(federation: Federation): Promise<number> {
  return (await deletionsIn(federation).deleteMany({ until: { $lt: federation.house.now() } })).deletedCount;
}

function deletionsIn(federation: Federation) {
  return federation.house.store.collection<UnseenDeletion>('unseenDeletions');
}

function keyOf(iri: string, author: string): string {
  return createHash('sha256').update(`${iri} ${author}`).digest('hex');
}
