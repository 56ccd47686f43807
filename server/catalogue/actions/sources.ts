// Sources: the address from which a hoster's files are read again and again. What a source gives wins over what was
// typed here (docs/decisions/0004-source-wins.md); its last good copy stays when it cannot be read.
import { findCollective, getCollective } from '../../collectives/queries.js';
import { checkMayEditCollective, checkNotInBin } from '../../collectives/rules.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import type { FetchText } from '../../fetching.js';
import { newId } from '../../ids.js';
import { type CrawlFailure, crawlOrganization, type ReceivedFile } from '../crawl.js';
import { findSourceOf, listDueSources, listInfoFiles, sourcesOf } from '../queries.js';
import { maxStrikes } from '../rules.js';
import type { Correction, Source } from '../schema.js';
import { applyPlan } from './applyPlan.js';
import { dropFiles, keepFiles } from './files.js';
import { planFor } from './planFor.js';
import { forgetSourceOf } from './purge.js';

export const defaultHours = 12;

interface NewSource {
  url: string;
  everyHours: number;
  corrections: Correction[];
  skipped: string[];
  files: readonly ReceivedFile[];
  warningCount: number;
}

/** Remembers where a confirmed import came from, in place of an earlier source. Refuses: not-found. */
export async function saveSource(ctx: Context, collectiveId: string, input: NewSource): Promise<Source> {
  checkMayEditCollective(ctx.actor, await getCollective(ctx.store, collectiveId));
  const { files, ...given } = input;
  const filesId = await keepFiles(ctx, files);
  const before = await findSourceOf(ctx.store, collectiveId);
  const source: Source = {
    _id: before?._id ?? newId(),
    collectiveId,
    ...given,
    filesId,
    fileCount: files.length,
    nextAt: later(ctx.now, input.everyHours),
    lastSuccessAt: ctx.now,
    lastAttemptAt: ctx.now,
    lastError: null,
    strikes: 0,
    stoppedAt: null,
  };
  const { _id, ...fields } = source;
  await sourcesOf(ctx.store).updateOne({ _id }, { $set: fields }, { upsert: true });
  if (before) await dropFiles(ctx, before.filesId);
  return source;
}

/** How often the source is read: 1 to 336 hours. Refuses: not-found. */
export async function setSourceHours(ctx: Context, collectiveId: string, everyHours: number): Promise<void> {
  const source = await sourceOf(ctx, collectiveId);
  const since = source.lastAttemptAt ?? ctx.now;
  await sourcesOf(ctx.store).updateOne({ _id: source._id }, { $set: { everyHours, nextAt: later(since, everyHours) } });
}

/** Reads again from now on, soon, after it stopped by itself or to see a change at once. Refuses: not-found. */
export async function restartSource(ctx: Context, collectiveId: string): Promise<void> {
  const source = await sourceOf(ctx, collectiveId);
  const change = { strikes: 0, stoppedAt: null, nextAt: ctx.now };
  await sourcesOf(ctx.store).updateOne({ _id: source._id }, { $set: change });
}

/** No more reading; what was read stays. Refuses: not-found. */
export async function removeSource(ctx: Context, collectiveId: string): Promise<void> {
  await sourceOf(ctx, collectiveId);
  await forgetSourceOf(ctx, collectiveId);
}

async function sourceOf(ctx: Context, collectiveId: string): Promise<Source> {
  checkMayEditCollective(ctx.actor, await getCollective(ctx.store, collectiveId));
  const source = await findSourceOf(ctx.store, collectiveId);
  if (!source) throw new DomainError('not-found', 'error.notFound');
  return source;
}

export interface RefreshSummary {
  read: number;
  failed: number;
  created: number;
  changed: number;
}

/** Reads the sources whose time has come, one after the other, at most `limit`. For a job, as the system. */
export async function refreshDueSources(ctx: Context, fetchText: FetchText, limit = 20): Promise<RefreshSummary> {
  const summary = { read: 0, failed: 0, created: 0, changed: 0 };
  for (const source of await listDueSources(ctx.store, ctx.now, limit)) {
    const done = await refreshSource(ctx, fetchText, source);
    if (done === null) summary.failed += 1;
    else {
      summary.read += 1;
      summary.created += done.created;
      summary.changed += done.changed;
    }
  }
  return summary;
}

/** Reads one source and carries out what it says; null when it could not be read, or what it says cannot be. */
async function refreshSource(ctx: Context, fetchText: FetchText, source: Source) {
  const collective = await findCollective(ctx.store, source.collectiveId);
  if (!collective || collective.deletedAt !== null) {
    await sourcesOf(ctx.store).updateOne({ _id: source._id }, { $set: { nextAt: later(ctx.now, source.everyHours) } });
    return { created: 0, changed: 0 };
  }
  const known = await listInfoFiles(ctx.store, source.filesId);
  const result = await crawlOrganization(fetchText, source.url, { known: known.map(receivedFile) });
  if (!result.ok) {
    await strike(ctx, source, result.failure);
    return null;
  }
  const choices = { ...source, failures: result.failures };
  const plan = await planFor(ctx, collective, result.files, choices);
  try {
    checkNotInBin(collective);
    const summary = await applyPlan(ctx, source.collectiveId, plan, { publish: true });
    await keepReading(ctx, source, result.files, result.failures[0], plan.warningCount);
    return summary;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const params = Object.fromEntries(
      Object.entries(error.safeMessage.params ?? {}).map(([key, value]) => [key, String(value)]),
    );
    await strike(ctx, source, { address: source.url, key: error.safeMessage.key, params });
    return null;
  }
}

function receivedFile(file: ReceivedFile): ReceivedFile {
  const { address, subKey, parent, body, etag, lastModified } = file;
  return { address, subKey, parent, body, etag, lastModified };
}

/** The files just read become the last good copy. A single file that failed is named, and is no strike. */
async function keepReading(
  ctx: Context,
  source: Source,
  files: readonly ReceivedFile[],
  failure: CrawlFailure | undefined,
  warningCount: number,
): Promise<void> {
  const filesId = await keepFiles(ctx, files);
  const saved = await sourcesOf(ctx.store).updateOne(
    { _id: source._id, filesId: source.filesId },
    {
      $set: {
        filesId,
        fileCount: files.length,
        warningCount,
        nextAt: later(ctx.now, source.everyHours),
        lastSuccessAt: ctx.now,
        lastAttemptAt: ctx.now,
        lastError: failure ? errorOf(failure) : null,
        strikes: 0,
      },
    },
  );
  // A member removed or replaced the source while it was being read.
  await dropFiles(ctx, saved.matchedCount > 0 ? source.filesId : filesId);
}

/** One more failure in a row; at the third, reading stops and its members are told. Emits source.failed then. */
async function strike(ctx: Context, source: Source, failure: CrawlFailure): Promise<void> {
  const strikes = source.strikes + 1;
  const stops = strikes >= maxStrikes;
  const { _id: sourceId, collectiveId } = source;
  const event = pending({ type: 'source.failed', sourceId, collectiveId }, ctx.now);
  await sourcesOf(ctx.store).updateOne(
    { _id: sourceId, strikes: source.strikes },
    {
      $set: {
        strikes,
        stoppedAt: stops ? ctx.now : null,
        nextAt: later(ctx.now, source.everyHours),
        lastAttemptAt: ctx.now,
        lastError: errorOf(failure),
      },
      ...(stops ? { $push: { events: event } } : {}),
    },
  );
}

function errorOf({ address, key, params }: CrawlFailure): NonNullable<Source['lastError']> {
  return { key, params: { ...params, address } };
}

function later(at: Date, hours: number): Date {
  return new Date(at.getTime() + hours * 60 * 60 * 1000);
}
