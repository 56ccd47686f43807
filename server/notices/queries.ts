// Reads of mails for the administrator, and their indexes.
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import type { Mail } from './schema.js';

export const noticesIndexes: CollectionIndexes = {
  mails: [
    { keys: { dedupeKey: 1 }, unique: true },
    { keys: { nextAt: 1 } },
    { keys: { personId: 1 } },
    { keys: { to: 1 } },
    { keys: { createdAt: 1 } },
  ],
};

export const mailsIn = (store: Store): Coll<Mail> => store.collection<Mail>('mails');

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
