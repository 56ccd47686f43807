// An import from its first reading to its confirmation: the files are kept, the plan is computed from them each time,
// nothing of the catalogue changes before a member has confirmed what was shown.
import { getCollective } from '../../collectives/queries.js';
import { checkMayEditCollective, checkNotInBin } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import { actorName, type Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { newId } from '../../ids.js';
import { correctFile, originalOf } from '../corrections.js';
import type { CrawlFailure, ReceivedFile } from '../crawl.js';
import type { ImportPlan } from '../importPlan.js';
import { findImport, importsOf, listInfoFiles } from '../queries.js';
import { importHours } from '../rules.js';
import type { Correction, ImportDraft } from '../schema.js';
import { applyPlan, type ImportSummary } from './applyPlan.js';
import { dropFiles, keepFiles } from './files.js';
import { planFor } from './planFor.js';
import { saveSource } from './sources.js';

export interface ImportedFiles {
  origin: ImportDraft['origin'];
  files: readonly ReceivedFile[];
  failures: readonly CrawlFailure[];
}

/** Keeps what was read until it is confirmed, 24 hours at most; an earlier one of the collective ends. Refuses: not-found,
 * closed (the collective is in the bin), invalid (nothing to read). */
export async function beginImport(ctx: Context, collectiveId: string, input: ImportedFiles): Promise<ImportDraft> {
  const collective = await getCollective(ctx.store, collectiveId);
  checkMayEditCollective(ctx.actor, collective);
  checkNotInBin(collective);
  if (input.files.length === 0) throw new DomainError('invalid', 'catalogue.import.nothingGiven', { field: 'url' });
  for (const draft of await importsOf(ctx.store).find({ collectiveId }).toArray()) await dropDraft(ctx, draft._id);
  const draft: ImportDraft = {
    _id: newId(),
    collectiveId,
    by: actorName(ctx.actor),
    origin: input.origin,
    corrections: [],
    skipped: [],
    failures: [...input.failures],
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + importHours * 60 * 60 * 1000),
    applyingAt: null,
  };
  await keepFiles(ctx, input.files, draft._id);
  await importsOf(ctx.store).insertOne(draft);
  return draft;
}

export interface ImportView {
  draft: ImportDraft;
  collective: Collective;
  plan: ImportPlan;
}

/** The import as it stands, with what it would do now. Refuses: not-found (also to strangers), gone (expired). */
export async function viewImport(ctx: Context, collectiveId: string, importId: string): Promise<ImportView> {
  const collective = await getCollective(ctx.store, collectiveId);
  checkMayEditCollective(ctx.actor, collective);
  const draft = await findImport(ctx.store, importId);
  if (!draft || draft.collectiveId !== collectiveId || draft.expiresAt <= ctx.now) {
    throw new DomainError('gone', 'catalogue.import.expired');
  }
  const files = await listInfoFiles(ctx.store, draft._id);
  const plan = await planFor(ctx, collective, files, draft);
  return { draft, collective, plan };
}

export interface CorrectionInput {
  address: string;
  /** 0: a line to be added. */
  line: number;
  key: string;
  value: string;
}

const maxCorrections = 300;

/** Another value for one line of a file; an empty one takes the line away. Refuses: not-found, gone, invalid. */
export async function correctImport(
  ctx: Context,
  collectiveId: string,
  importId: string,
  input: CorrectionInput,
): Promise<void> {
  const { draft } = await viewImport(ctx, collectiveId, importId);
  const file = (await listInfoFiles(ctx.store, draft._id)).find(({ address }) => address === input.address);
  if (!file) throw new DomainError('not-found', 'error.notFound');
  const isSame = (other: Correction) =>
    other.address === input.address && other.line === input.line && (input.line > 0 || other.key === input.key);
  const others = draft.corrections.filter((other) => !isSame(other));
  if (others.length >= maxCorrections) throw new DomainError('invalid', 'catalogue.import.tooManyCorrections');
  const correction = { ...input, original: originalOf(file.body, input.line) };
  // A line that the file does not have cannot be corrected: nothing would happen.
  if (correctFile(file.body, [correction]) === file.body) throw new DomainError('not-found', 'error.notFound');
  await importsOf(ctx.store).updateOne({ _id: draft._id }, { $set: { corrections: [...others, correction] } });
}

/** Leaves one part of the import out, or takes it in again: 'collective', or the address of a file. */
export async function skipInImport(
  ctx: Context,
  collectiveId: string,
  importId: string,
  input: { part: string; skip: boolean },
): Promise<void> {
  const { draft, plan } = await viewImport(ctx, collectiveId, importId);
  const parts = ['collective', ...plan.services.map(({ address }) => address)];
  if (!parts.includes(input.part)) throw new DomainError('not-found', 'error.notFound');
  const change = input.skip ? { $addToSet: { skipped: input.part } } : { $pull: { skipped: input.part } };
  await importsOf(ctx.store).updateOne({ _id: draft._id }, change);
}

export interface Confirmation {
  /** ImportPlan.digest of what was shown. */
  digest: string;
  /** New services are for everybody at once; else they are drafts. */
  publish: boolean;
  /** Read the address again from now on, every so many hours; null: not. */
  everyHours: number | null;
}

/**
 * Carries out exactly what was shown. Refuses: not-found, gone, closed, conflict (the catalogue or the choices changed
 * since it was shown: nothing is done then).
 */
export async function applyImport(
  ctx: Context,
  collectiveId: string,
  importId: string,
  input: Confirmation,
): Promise<ImportSummary> {
  const { draft, plan, collective } = await viewImport(ctx, collectiveId, importId);
  checkNotInBin(collective);
  if (plan.digest !== input.digest) throw new DomainError('conflict', 'catalogue.import.changedMeanwhile');
  await claim(ctx, draft);
  const summary = await applyPlan(ctx, collectiveId, plan, { publish: input.publish });
  if (draft.origin.kind === 'url' && input.everyHours !== null) {
    const files = await listInfoFiles(ctx.store, draft._id);
    const { corrections, skipped } = draft;
    const { url } = draft.origin;
    const { warningCount } = plan;
    await saveSource(ctx, collectiveId, {
      url,
      everyHours: input.everyHours,
      corrections,
      skipped,
      files,
      warningCount,
    });
  }
  await dropDraft(ctx, draft._id);
  return summary;
}

const claimMs = 2 * 60 * 1000;

/** Two clicks are one import. */
async function claim(ctx: Context, draft: ImportDraft): Promise<void> {
  const busy = draft.applyingAt !== null && ctx.now.getTime() - draft.applyingAt.getTime() < claimMs;
  const claimed = busy
    ? null
    : await importsOf(ctx.store).findOneAndUpdate(
        { _id: draft._id, applyingAt: draft.applyingAt },
        { $set: { applyingAt: ctx.now } },
      );
  if (!claimed) throw new DomainError('conflict', 'catalogue.import.beingApplied');
}

/** Gives the import up. Refuses: not-found (also to strangers), gone. */
export async function cancelImport(ctx: Context, collectiveId: string, importId: string): Promise<void> {
  const { draft } = await viewImport(ctx, collectiveId, importId);
  await dropDraft(ctx, draft._id);
}

async function dropDraft(ctx: Context, importId: string): Promise<void> {
  await importsOf(ctx.store).deleteOne({ _id: importId });
  await dropFiles(ctx, importId);
}

/** Takes away imports that nobody confirmed in time. Returns how many. For the nightly job. */
export async function pruneImports(ctx: Context): Promise<number> {
  const expired = await importsOf(ctx.store)
    .find({ expiresAt: { $lte: ctx.now } }, { projection: { _id: 1 } })
    .toArray();
  for (const { _id } of expired) await dropDraft(ctx, _id);
  return expired.length;
}
