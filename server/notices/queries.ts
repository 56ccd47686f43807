// Reads of mails for the administrator, and their indexes.
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import { optionalKinds } from './rules.js';
import type { Mail, NoticeFeed } from './schema.js';

export const noticesIndexes: CollectionIndexes = {
  mails: [
    { keys: { dedupeKey: 1 }, unique: true },
    { keys: { nextAt: 1 } },
    { keys: { personId: 1 } },
    { keys: { to: 1 } },
    { keys: { createdAt: 1 } },
    { keys: { failedAt: 1 } },
  ],
  noticeFeeds: [{ keys: { personId: 1 }, unique: true }],
};

export const mailsIn = (store: Store): Coll<Mail> => store.collection<Mail>('mails');

export const feedsIn = (store: Store): Coll<NoticeFeed> => store.collection<NoticeFeed>('noticeFeeds');

/** The one private address of a person's feeds; null: none was made. */
export async function findFeedOf(store: Store, personId: string): Promise<NoticeFeed | null> {
  return feedsIn(store).findOne({ personId });
}

export async function forgetFeeds(store: Store, personId: string): Promise<void> {
  await feedsIn(store).deleteMany({ personId });
}

/** Mails that one may do without, to a person, that left since then, or wait, or are held. */
export async function countOptionalMails(store: Store, personId: string, since: Date): Promise<number> {
  const kind = { $in: [...optionalKinds] };
  const found = await mailsIn(store)
    .find({ personId, kind, failedAt: null }, { projection: { createdAt: 1, heldUntil: 1 } })
    .toArray();
  return found.filter(({ createdAt, heldUntil }) => (heldUntil ?? createdAt) > since).length;
}

/** Ids of what summaries about what presses have told this person, as long as mails are kept. */
export async function listToldNeeds(store: Store, personId: string): Promise<Set<string>> {
  const found = await mailsIn(store)
    .find({ personId, kind: 'digest' }, { projection: { needs: 1 } })
    .toArray();
  return new Set(found.flatMap(({ needs }) => needs ?? []));
}

/** How the keys of reminders by hand begin. */
export const handKey = (surveyId: string): string => `reminder:${surveyId}:hand:`;

/** When reminders about a survey were last written by hand. */
export async function lastRemindedAt(store: Store, surveyId: string): Promise<Date | null> {
  const begin = handKey(surveyId);
  // ";" is the character after ":".
  const filter = { dedupeKey: { $gte: begin, $lt: `${begin.slice(0, -1)};` } };
  const last = await mailsIn(store).findOne(filter, { sort: { dedupeKey: -1 }, projection: { createdAt: 1 } });
  return last?.createdAt ?? null;
}

/** Mails that were given up, for those who administer. */
export async function countFailedMails(store: Store): Promise<number> {
  return mailsIn(store).countDocuments({ failedAt: { $ne: null } });
}

export async function findLastFailedMail(store: Store): Promise<Mail | null> {
  return mailsIn(store).findOne({ failedAt: { $ne: null } }, { sort: { failedAt: -1 } });
}

export async function findMail(store: Store, id: string): Promise<Mail | null> {
  return mailsIn(store).findOne({ _id: id });
}

/** Mails to somebody who goes hold a name and an address: they go too, those to the address alone as well. */
export async function forgetMails(store: Store, personId: string, email?: string): Promise<void> {
  await mailsIn(store).deleteMany({ personId });
  if (email) await mailsIn(store).deleteMany({ to: email });
}

export const mailsPerPage = 50;

export interface MailPage {
  items: Mail[];
  at: number;
  pages: number;
  total: number;
}

/** The newest first. */
export async function listMails(store: Store, wanted = 1): Promise<MailPage> {
  const total = await mailsIn(store).countDocuments();
  const pages = Math.max(1, Math.ceil(total / mailsPerPage));
  const at = Math.min(wanted, pages);
  const items = await mailsIn(store)
    .find({}, { sort: { createdAt: -1 }, skip: (at - 1) * mailsPerPage, limit: mailsPerPage })
    .toArray();
  return { items, at, pages, total };
}
