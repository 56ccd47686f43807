// Inboxes that answer 404 or 410: whoever had them is asked where they are now, and is forgotten when they are gone. An
// inbox without an owner that says so is counted by days, and left out of what goes to followers after a week of them
// (RL-06). What reaches it after all, as the answer to a new Follow, brings it back.
import { goneInboxesIn, leftOutAfterDays } from '../server/instances/peerQueries.js';
import { forgetRemoteActor } from '../server/partners/actions.js';
import { listActorsAtInbox } from '../server/partners/queries.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { DuplicateKeyError } from '../server/store/store.js';
import { contextFor, type Federation } from './federation.js';
import { Refusal } from './refusal.js';
import { fetchActor, GoneError } from './remoteActors.js';

/** Owners asked for one inbox and day: a shared one has many, and any of them may say where it is now. */
const askedAtOnce = 3;
/** After this an inbox that was left out is tried again for a week. */
const forgetMs = 90 * 24 * 3_600_000;

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** Once a day and inbox: counts the day, and asks the owners. */
export async function noteGoneInbox(federation: Federation, inbox: string): Promise<void> {
  const { store } = federation.house;
  const days = await countDay(federation, inbox);
  if (days === null) return;
  const isSure = days >= leftOutAfterDays;
  for (const actor of await listActorsAtInbox(store, inbox, askedAtOnce)) {
    if (await isGone(federation, actor, isSure)) await forgetRemoteActor(contextFor(federation), actor._id);
  }
}

/** How many days it has been so; null: today is counted already. */
async function countDay(federation: Federation, inbox: string): Promise<number | null> {
  const { store, now } = federation.house;
  const lastDay = dayOf(now());
  try {
    const noted = await goneInboxesIn(store).findOneAndUpdate(
      { _id: inbox, lastDay: { $ne: lastDay } },
      { $set: { host: new URL(inbox).host, lastDay, lastAt: now() }, $inc: { days: 1 } },
      { upsert: true, returnDocument: 'after' },
    );
    return noted?.days ?? 1;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return null;
    throw error;
  }
}

/** Gone is who answers 410, or 404 on the last of the days. Reading who is there keeps their inbox of today. */
async function isGone(federation: Federation, { _id }: RemoteActor, isSure: boolean): Promise<boolean> {
  try {
    await fetchActor(federation, _id);
    return false;
  } catch (error) {
    if (error instanceof Refusal) return false;
    if (!(error instanceof GoneError)) throw error;
    return isSure || error.isForGood;
  }
}

/** Those of these inboxes that get nothing any more of what goes to followers. */
export async function leftOutOf(federation: Federation, inboxes: readonly string[]): Promise<Set<string>> {
  const found = await goneInboxesIn(federation.house.store)
    .find({ _id: { $in: [...inboxes] }, days: { $gte: leftOutAfterDays } }, { projection: { _id: 1 } })
    .toArray();
  return new Set(found.map(({ _id }) => _id));
}

/** Something was taken there: they are inboxes like any other. */
export async function noteReached(federation: Federation, inboxes: readonly string[]): Promise<void> {
  await goneInboxesIn(federation.house.store).deleteMany({ _id: { $in: [...new Set(inboxes)] } });
}

/** Forgets inboxes that have not been tried for three months. Returns how many. */
export async function pruneGoneInboxes(federation: Federation): Promise<number> {
  const lastAt = { $lt: new Date(federation.house.now().getTime() - forgetMs) };
  return (await goneInboxesIn(federation.house.store).deleteMany({ lastAt })).deletedCount;
}
