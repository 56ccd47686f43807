// TABLE: numbered steps that bring data of older versions to the shape that this one expects. A step is idempotent, never
// changed after a release, and never removed.
import type { Migration } from './store/migrations.js';
import type { Doc, Store } from './store/store.js';
import { secretCollections } from './surveys/queries.js';

export const migrations: Migration[] = [
  { id: 1, name: 'several lists for a followed actor', up: severalLists },
  { id: 2, name: 'posts belong to a collective or a person', up: ownPosts },
  { id: 3, name: 'receipts of anonymous answers stand apart from what was answered', up: receiptsApart },
  { id: 4, name: 'surveys that anybody may answer say whether they are listed', up: listedSurveys },
];

/** `list: 'a'` becomes `lists: ['a']`; no list becomes none. */
async function severalLists(store: Store): Promise<void> {
  for (const name of ['followings', 'feedEntries']) {
    const documents = store.collection<Doc & { list?: string; lists?: string[] }>(name);
    for await (const { _id, list } of documents.find({}, { projection: { list: 1 } })) {
      if (list === undefined) continue;
      await documents.updateOne({ _id }, { $set: { lists: list === '' ? [] : [list] }, $unset: { list: '' } });
    }
  }
}

async function ownPosts(store: Store): Promise<void> {
  const posts = store.collection<Doc & { collectiveId?: string; ownerKind?: string; ownerId?: string }>('posts');
  for await (const { _id, collectiveId } of posts.find({ ownerId: { $exists: false } })) {
    const set = { ownerKind: 'collective', ownerId: collectiveId ?? '' };
    await posts.updateOne({ _id }, { $set: set, $unset: { collectiveId: '' } });
  }
}

/** The hash of the number leaves the ballot for a collection of its own; then nothing tells any more where it came from. */
async function receiptsApart(store: Store): Promise<void> {
  const ballots = store.collection<Doc & { surveyId: string; receipt?: string }>('surveyBallots');
  const counted = store.collection<Doc & { surveyId: string }>('surveyCounted');
  let moved = 0;
  for await (const { _id, surveyId, receipt } of ballots.find({ receipt: { $exists: true } })) {
    if (receipt !== undefined) await counted.replaceOne({ _id: receipt }, { surveyId }, { upsert: true });
    await ballots.updateOne({ _id }, { $unset: { receipt: '' } });
    moved += 1;
  }
  if (moved > 0) await store.settle(secretCollections);
}

/** Those that were listed and announced stay so. */
async function listedSurveys(store: Store): Promise<void> {
  const surveys = store.collection<Doc & { answerBy: string; listed?: boolean }>('surveys');
  await surveys.updateMany({ answerBy: 'anyone', listed: { $exists: false } }, { $set: { listed: true } });
}
