// Deeds on reports: made here, received from elsewhere, looked after by the moderators. What a report is about is changed by
// the deeds of its own slice.
import { createHash } from 'node:crypto';
import { listCollectivesById } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import { pending } from '../events.js';
import { newId } from '../ids.js';
import { findReadablePost } from '../partners/queries.js';
import { actorIri } from '../partners/rules.js';
import { findMemberships, findPerson } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import { takeDownPost } from '../posts/actions.js';
import { isShown } from '../posts/queries.js';
import { objectIri } from '../posts/rules.js';
import { DuplicateKeyError } from '../store/store.js';
import { type Found, findTarget, getReport, isFull, reportsIn } from './queries.js';
import {
  afterDeed,
  changedMeanwhile,
  checkMayModerate,
  checkReportVersion,
  type Deed,
  readTarget,
  stepOf,
} from './rules.js';
import type { Report, ReportInput } from './schema.js';

/** What somebody here may report: the thing, the ids by which it is known, the actor elsewhere if it is not ours. */
export interface Reportable {
  found: Found;
  objects: string[];
  about: string | null;
}

/**
 * Looks at what is to be reported. Ours, and what stands in a group of ours: what everybody sees. Elsewhere: what this person may read here, or an actor that we
 * know. Refuses: not-found.
 */
export async function enterReportable(ctx: Context, address: string): Promise<Reportable> {
  const found = await findTarget(ctx.store, ctx.site, address);
  const { site } = ctx;
  const missing = new DomainError('not-found', 'error.notFound');
  switch (found.kind) {
    case 'collective':
      if (!isPublic(found.collective)) throw missing;
      return { found, objects: [actorIri(site, found.collective.handle)], about: null };
    case 'person':
      if (!isPublicPerson(found.person)) throw missing;
      return { found, objects: [actorIri(site, found.person.handle ?? '')], about: null };
    case 'service': {
      if (!found.service.listed || !isPublic(found.collective)) throw missing;
      const page = `${site.baseUrl}/@${found.collective.handle}/services/${found.service.slug}`;
      return { found, objects: [actorIri(site, found.collective.handle), page], about: null };
    }
    case 'post': {
      const { post, owner } = found;
      if (post.deletedAt !== null || post.isPrivate || !isShown(owner)) throw missing;
      return { found, objects: [actorIri(site, owner.handle ?? ''), objectIri(site, post)], about: null };
    }
    case 'remotePost': {
      const author = found.author;
      if (author === null || !(await mayRead(ctx, found.post._id))) throw missing;
      return { found, objects: [author._id, found.post.iri], about: author._id };
    }
    case 'groupPost': {
      const { author, post } = found;
      const about = ctx.actor?.kind === 'person' ? (author?._id ?? null) : null;
      return { found, objects: [...(author ? [author._id] : []), post.iri], about };
    }
    case 'remoteActor':
      if (ctx.actor?.kind !== 'person' || found.actor.goneAt !== null) throw missing;
      return { found, objects: [found.actor._id], about: found.actor._id };
    case 'unknown':
      throw missing;
  }
}

/** By oneself, or in the name of a collective of which one is a member. */
async function mayRead(ctx: Context, postKey: string): Promise<boolean> {
  if (ctx.actor?.kind !== 'person') return false;
  const person = await findPerson(ctx.store, ctx.actor.personId);
  const memberships = await findMemberships(ctx.store, ctx.actor.personId);
  const collectives = await listCollectivesById(ctx.store, Object.keys(memberships));
  for (const handle of [person?.handle, ...collectives.map((one) => one.handle)]) {
    if (handle && (await findReadablePost(ctx.store, actorIri(ctx.site, handle), postKey))) return true;
  }
  return false;
}

/**
 * Somebody here reports something. Emits report.made. Refuses: not-found, too-many (visitors' reports pile up). A contact is
 * kept of visitors only, and only members tell other servers.
 */
export async function makeReport(ctx: Context, input: ReportInput): Promise<Report> {
  const { objects, about } = await enterReportable(ctx, input.about);
  const personId = ctx.actor?.kind === 'person' ? ctx.actor.personId : null;
  const source = personId === null ? 'visitor' : 'person';
  if (await isFull(ctx.store, { source, host: null })) throw tooMany();
  const _id = newId();
  const report: Report = {
    ...blank(ctx, _id),
    ...{ source, personId, objects, about, reason: input.reason, comment: input.comment, dedupeKey: _id },
    contact: personId === null ? input.contact : null,
    tellsTheirs: about !== null && input.tellsTheirs,
  };
  await reportsIn(ctx.store).insertOne({ ...report, ...news(ctx, _id) });
  return report;
}

export interface ReceivedReport {
  /** The server that sent it. */
  host: string;
  objects: string[];
  comment: string;
  /** Null: it has no id, and its bytes tell it from others. */
  activityIri: string | null;
  raw: Uint8Array;
}

/** A server reports something of ours. Emits report.made. A repeat: nothing. Refuses: too-many (of that server, open). */
export async function receiveReport(ctx: Context, input: ReceivedReport): Promise<void> {
  const { host, objects, comment } = input;
  const dedupeKey = input.activityIri ?? createHash('sha256').update(input.raw).digest('hex');
  if (await reportsIn(ctx.store).findOne({ dedupeKey }, { projection: { _id: 1 } })) return;
  if (await isFull(ctx.store, { source: 'server', host })) throw tooMany();
  const _id = newId();
  const report: Report = { ...blank(ctx, _id), source: 'server', host, objects, comment, dedupeKey };
  try {
    await reportsIn(ctx.store).insertOne({ ...report, ...news(ctx, _id) });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

function blank(ctx: Context, _id: string): Omit<Report, 'source' | 'objects' | 'comment' | 'dedupeKey'> {
  return {
    ...{ _id, host: null, personId: null, contact: null, reason: null, about: null, tellsTheirs: false },
    ...{ status: 'open', outcome: null, assignedTo: null, steps: [], createdAt: ctx.now, closedAt: null, version: 1 },
  };
}

function news(ctx: Context, reportId: string) {
  return { events: [pending({ type: 'report.made', reportId }, ctx.now)] };
}

function tooMany(): DomainError {
  return new DomainError('too-many', 'moderation.error.full', { retryAfter: 24 * 60 * 60 });
}

/** Takes, gives back, closes or reopens a report. Refuses: not-found (also for those who do not moderate), conflict. */
export async function stepReport(ctx: Context, id: string, version: number, deed: Deed): Promise<void> {
  const { personId } = checkMayModerate(ctx.actor);
  const report = await getReport(ctx.store, id);
  checkReportVersion(report, version);
  const done = await reportsIn(ctx.store).updateOne(
    { _id: id, version },
    {
      $set: afterDeed(report, deed, personId, ctx.now),
      $push: { steps: stepOf(deed, personId, ctx.now) },
      $inc: { version: 1 },
    },
  );
  if (done.matchedCount === 0) throw changedMeanwhile();
}

/** Writes something down for the other moderators; of several at once each is kept. Refuses: not-found. */
export async function noteReport(ctx: Context, id: string, text: string): Promise<void> {
  const { personId } = checkMayModerate(ctx.actor);
  await getReport(ctx.store, id);
  const step = { at: ctx.now, by: personId, what: 'noted' as const, text, outcome: null };
  await reportsIn(ctx.store).updateOne({ _id: id }, { $push: { steps: step }, $inc: { version: 1 } });
}

/**
 * Takes down a post of ours that an open report is about. Emits post.deleted. Refuses: not-found, conflict, invalid (the
 * report is not about that post), gone.
 */
export async function removeReportedPost(ctx: Context, id: string, version: number, postId: string): Promise<void> {
  const { personId } = checkMayModerate(ctx.actor);
  const report = await getReport(ctx.store, id);
  checkReportVersion(report, version);
  const deed = { what: 'removed' as const, text: '' };
  afterDeed(report, deed, personId, ctx.now);
  const isMeant = report.objects.some((address) => {
    const target = readTarget(ctx.site, address);
    return target?.kind === 'post' && target.id === postId;
  });
  if (!isMeant) throw new DomainError('invalid', 'moderation.error.otherPost', { field: 'post' });
  await takeDownPost(ctx, postId);
  await reportsIn(ctx.store).updateOne(
    { _id: id },
    { $push: { steps: stepOf(deed, personId, ctx.now) }, $inc: { version: 1 } },
  );
}

/** Somebody is gone for good: their reports stay without a name or an address, what they looked after is free. */
export async function forgetReporter(ctx: Context, person: { _id: string; email: string }): Promise<void> {
  const reports = reportsIn(ctx.store);
  await reports.updateMany({ personId: person._id }, { $set: { personId: null } });
  await reports.updateMany({ contact: person.email }, { $set: { contact: null } });
  await reports.updateMany({ assignedTo: person._id }, { $set: { assignedTo: null } });
}

const keepDays = 180;

/** Removes reports that were closed more than 180 days ago. Returns how many. */
export async function pruneReports(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - keepDays * 24 * 60 * 60 * 1000);
  return (await reportsIn(ctx.store).deleteMany({ status: 'closed', closedAt: { $lt: before } })).deletedCount;
}
