// What we have said: every activity as it was signed and sent, and by that the objects it carried. Their addresses answer
// from here, so what is read later is what was announced.
import type { Doc } from '../server/store/store.js';
import type { Federation } from './federation.js';

export interface Activity extends Doc {
  /** _id: the eventId from which it followed, with "-2" for a second one. The last part of its IRI. */
  actor: string;
  type: string;
  /** What it is about: "service:<id>", "post:<id>", "actor:<handle>", "follow:<id>". Orders deliveries. */
  subject: string;
  /** Orders deliveries instead of the subject, where it is said to each of several apart. */
  lane?: string;
  /** The object of ours that it creates, changes or deletes; null: none. */
  objectIri: string | null;
  /** The signed document, as sent. Empty once its object was deleted. */
  json: string;
  /** The object alone, signed by itself; null: none, or deleted. */
  objectJson: string | null;
  isPublic: boolean;
  /** Stands in the outbox. */
  listed: boolean;
  at: Date;
  /** Whom it goes to besides followers. */
  inboxes: string[];
  toFollowers: boolean;
  /** Followers' inboxes up to this one have their delivery. */
  fanOutCursor: string | null;
  isFannedOut: boolean;
  /** Where it stands among others about the same thing, when its key does not say so. */
  seq?: string;
  /** Goes to nobody there: it came from there (federation/forwarding.ts). */
  exceptHost?: string;
}

export function activitiesIn(federation: Federation) {
  return federation.house.store.collection<Activity>('activities');
}

/** The last thing said about an object of ours; null: nothing. */
export async function findLastOfObject(federation: Federation, objectIri: string): Promise<Activity | null> {
  return activitiesIn(federation).findOne({ objectIri }, { sort: { _id: -1 } });
}

/** The last thing said about a subject, before an event if one is given. */
export async function findLastOfSubject(
  federation: Federation,
  subject: string,
  beforeEvent?: string,
): Promise<Activity | null> {
  const before = beforeEvent === undefined ? {} : { _id: { $lt: beforeEvent } };
  return activitiesIn(federation).findOne({ subject, ...before }, { sort: { _id: -1 } });
}

export const outboxPageSize = 20;

/** The outbox, newest first, after the activity given. */
export async function listOutbox(federation: Federation, actor: string, after: string | null): Promise<Activity[]> {
  const older = after === null ? {} : { _id: { $lt: after } };
  return activitiesIn(federation)
    .find({ actor, listed: true, ...older }, { sort: { _id: -1 }, limit: outboxPageSize })
    .toArray();
}

export async function countOutbox(federation: Federation, actor: string): Promise<number> {
  return activitiesIn(federation).countDocuments({ actor, listed: true });
}

const keepDays = 60;

/**
 * Removes, after two months, what stands in no outbox: answers to follows, changes of actors, what was passed on; changes of
 * objects when a later one came. Returns how many.
 */
export async function pruneActivities(federation: Federation): Promise<number> {
  const at = { $lt: new Date(federation.house.now().getTime() - keepDays * 24 * 60 * 60 * 1000) };
  const activities = activitiesIn(federation);
  const passing = ['Accept', 'Reject', 'Follow', 'Undo', 'Like', 'Block', 'Flag', 'Move', 'Forward'];
  const { deletedCount } = await activities.deleteMany({ type: { $in: passing }, listed: false, at });
  const changes = activities.find({ type: 'Update', listed: false, at }, { projection: { objectIri: 1 } });
  let removed = deletedCount;
  for (const { _id, objectIri } of await changes.toArray()) {
    const last = objectIri === null ? null : await findLastOfObject(federation, objectIri);
    if (last?._id !== _id) removed += (await activities.deleteOne({ _id })).deletedCount;
  }
  return removed;
}
