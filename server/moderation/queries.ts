// Reads of reports and of what they are about, and the collection's indexes.

import { findServiceBySlug } from '../catalogue/queries.js';
import type { Service } from '../catalogue/schema.js';
import { findCollectiveByHandle } from '../collectives/queries.js';
import type { Collective } from '../collectives/schema.js';
import type { Site } from '../context.js';
import { DomainError } from '../errors.js';
import { eventIndex } from '../events.js';
import { findGroup, listGroupPostsByIri } from '../groups/queries.js';
import type { Group } from '../groups/schema.js';
import { findRemoteActor, findRemotePost } from '../partners/queries.js';
import type { RemoteActor, RemotePost } from '../partners/schema.js';
import { findPersonByHandle } from '../people/queries.js';
import type { Person } from '../people/schema.js';
import { findOwner, findPost, type Owner } from '../posts/queries.js';
import type { Post } from '../posts/schema.js';
import type { Coll, CollectionIndexes, Filter, Store } from '../store/store.js';
import { mailEveryMs, maxOpen, readTarget } from './rules.js';
import type { Report } from './schema.js';

export const moderationIndexes: CollectionIndexes = {
  reports: [
    { keys: { dedupeKey: 1 }, unique: true },
    { keys: { status: 1, createdAt: -1, _id: -1 } },
    { keys: { status: 1, source: 1, host: 1 } },
    { keys: { createdAt: 1 } },
    { keys: { personId: 1 } },
    { keys: { contact: 1 } },
    { keys: { assignedTo: 1 } },
    { keys: { status: 1, closedAt: 1 } },
    eventIndex,
  ],
};

export function reportsIn(store: Store): Coll<Report> {
  return store.collection<Report>('reports');
}

export async function findReport(store: Store, id: string): Promise<Report | null> {
  return reportsIn(store).findOne({ _id: id });
}

/** Refuses: not-found. */
export async function getReport(store: Store, id: string): Promise<Report> {
  const report = await findReport(store, id);
  if (!report) throw new DomainError('not-found', 'error.notFound');
  return report;
}

/** The newest that waits. */
export async function findLastOpenReport(store: Store): Promise<Report | null> {
  return reportsIn(store).findOne({ status: 'open' }, { sort: { createdAt: -1, _id: -1 } });
}

export async function countOpenReports(store: Store): Promise<number> {
  return reportsIn(store).countDocuments({ status: 'open' });
}

/** Whether so many of a server, or of all visitors, wait that no more are taken. */
export async function isFull(store: Store, from: Pick<Report, 'source' | 'host'>): Promise<boolean> {
  if (from.source === 'person') return false;
  const limit = maxOpen[from.source];
  const open: Filter<Report> = { status: 'open', source: from.source, host: from.host };
  return (await reportsIn(store).countDocuments(open, { limit })) >= limit;
}

/** Whether no other was made just before: the moderators are written to about the first of each quarter of an hour. */
export async function isFirstForAWhile(store: Store, report: Pick<Report, '_id' | 'createdAt'>): Promise<boolean> {
  const begun = new Date(Math.floor(report.createdAt.getTime() / mailEveryMs) * mailEveryMs);
  const window = await reportsIn(store)
    .find(
      { createdAt: { $gte: begun, $lte: report.createdAt } },
      { sort: { createdAt: 1, _id: 1 }, limit: 1, projection: { _id: 1 } },
    )
    .toArray();
  return window[0]?._id === report._id;
}

export interface ReportPage {
  items: Report[];
  total: number;
  page: number;
  pages: number;
}

/** Open or closed reports, newest first. Pages from 1. */
export async function pageReports(
  store: Store,
  status: Report['status'],
  { page, perPage }: { page: number; perPage: number },
): Promise<ReportPage> {
  const total = await reportsIn(store).countDocuments({ status });
  const pages = Math.max(1, Math.ceil(total / perPage));
  const current = Math.min(page, pages);
  const options = { sort: { createdAt: -1, _id: -1 } as const, skip: (current - 1) * perPage, limit: perPage };
  return { items: await reportsIn(store).find({ status }, options).toArray(), total, page: current, pages };
}

/** What a person reported, newest first: for the download of one's own data. */
export async function listReportsBy(store: Store, personId: string): Promise<Report[]> {
  return reportsIn(store)
    .find({ personId }, { sort: { createdAt: -1 }, limit: 1000 })
    .toArray();
}

/** What an address of ours or elsewhere names, as far as we hold it. Also what is hidden or deleted. */
export type Found =
  | { kind: 'collective'; collective: Collective }
  | { kind: 'person'; person: Person }
  | { kind: 'service'; service: Service; collective: Collective }
  | { kind: 'post'; post: Post; owner: Owner }
  | { kind: 'remotePost'; post: RemotePost; author: RemoteActor | null }
  /** From elsewhere too, and public on a page of ours. */
  | { kind: 'groupPost'; post: RemotePost; author: RemoteActor | null; group: Group; key: string; thread: string }
  | { kind: 'remoteActor'; actor: RemoteActor }
  | { kind: 'unknown' };

const unknown = { kind: 'unknown' } as const;

export async function findTarget(store: Store, site: Site, address: string): Promise<Found> {
  const target = readTarget(site, address);
  if (target === null) return findElsewhere(store, address);
  if (target.kind === 'other') return unknown;
  if (target.kind === 'post') {
    const post = await findPost(store, target.id);
    const owner = post && (await findOwner(store, post));
    return post && owner ? { kind: 'post', post, owner } : unknown;
  }
  const collective = await findCollectiveByHandle(store, target.handle);
  if (target.kind === 'service') {
    const service = collective && (await findServiceBySlug(store, collective._id, target.slug));
    return service && collective ? { kind: 'service', service, collective } : unknown;
  }
  if (collective) return { kind: 'collective', collective };
  const person = await findPersonByHandle(store, target.handle);
  return person ? { kind: 'person', person } : unknown;
}

async function findElsewhere(store: Store, iri: string): Promise<Found> {
  for (const { _id, groupId, thread, content, removedAt } of await listGroupPostsByIri(store, iri)) {
    const group = await findGroup(store, groupId);
    if (!group || group.deletedAt !== null || content === null || removedAt !== null) continue;
    const author = await findRemoteActor(store, content.authors[0] ?? '');
    return { kind: 'groupPost', post: content, author, group, key: _id, thread };
  }
  const post = await findRemotePost(store, iri);
  if (post) return { kind: 'remotePost', post, author: await findRemoteActor(store, post.authors[0] ?? '') };
  const actor = await findRemoteActor(store, iri);
  return actor ? { kind: 'remoteActor', actor } : unknown;
}
