// `chatiere chatonsinfos import`: a hoster's files from an address or from disk, by the same plan as on the web.
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { applyImport, beginImport, viewImport } from '../catalogue/actions/imports.js';
import { defaultHours } from '../catalogue/actions/sources.js';
import { type CrawlFailure, crawlOrganization, type ReceivedFile } from '../catalogue/crawl.js';
import type { ImportPlan } from '../catalogue/importPlan.js';
import { createCollective } from '../collectives/actions.js';
import { findCollectiveByHandle, listAllCollectives } from '../collectives/queries.js';
import { readOrganization } from '../formats/chatonsinfos/read.js';
import { PROPERTIES_MAX_BYTES } from '../formats/properties.js';
import { loadI18n, type Translate } from '../i18n.js';
import { viewsDir } from '../paths.js';
import { slug } from '../shapes.js';
import type { PrintOptions } from './archives.js';
import { type Desk, print, withDesk } from './environment.js';
import { CommandError } from './failure.js';

export interface ImportOptions extends PrintOptions {
  collective?: string;
  dryRun?: boolean;
  draft?: boolean;
  follow?: boolean;
}

export async function importInfosCommand(source: string, options: ImportOptions): Promise<void> {
  await withDesk(async (desk) => {
    const t = loadI18n(join(viewsDir, 'locales')).translator(desk.config.defaultLanguage);
    const isUrl = /^https?:\/\//i.test(source);
    const { files, failures } = isUrl ? await crawl(desk, source, t) : { files: [fromDisk(source)], failures: [] };
    const collective = await hosterFor(desk, options, files);
    const origin = isUrl ? ({ kind: 'url', url: source } as const) : ({ kind: 'files' } as const);
    const draft = await beginImport(desk.ctx, collective._id, { origin, files, failures });
    const { plan } = await viewImport(desk.ctx, collective._id, draft._id);
    const remarks = remarksOf(plan, t);
    if (options.dryRun) {
      print(options, { collective: collective.handle, ...countsOf(plan), remarks }, [
        `@${collective.handle}: ${wordsOf(countsOf(plan))}. Nothing was changed.`,
        ...remarks,
      ]);
      return;
    }
    const everyHours = isUrl && options.follow ? defaultHours : null;
    const publish = options.draft !== true;
    const summary = await applyImport(desk.ctx, collective._id, draft._id, {
      digest: plan.digest,
      publish,
      everyHours,
    });
    print(options, { collective: collective.handle, ...summary, remarks }, [
      `@${collective.handle}: ${summary.created} services created, ${summary.changed} changed.`,
      ...remarks,
    ]);
  });
}

async function crawl(
  { config, site }: Desk,
  url: string,
  t: Translate,
): Promise<{ files: ReceivedFile[]; failures: CrawlFailure[] }> {
  const { openNetwork } = await import('../main.js');
  const network = openNetwork(site, config.privateHosts);
  try {
    const read = await crawlOrganization(network.fetchText, url);
    if (!read.ok) throw new CommandError(`${url}: ${t(read.failure.key, read.failure.params)}`);
    return read;
  } finally {
    await network.close();
  }
}

function fromDisk(path: string): ReceivedFile {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new CommandError(`There is no file ${path}.`);
  if (found.size > PROPERTIES_MAX_BYTES)
    throw new CommandError(`${path} is larger than ${PROPERTIES_MAX_BYTES} bytes.`);
  const body = readFileSync(path);
  return { address: basename(path), subKey: null, parent: null, body, etag: null, lastModified: null };
}

/** The hoster named, the only one there is, or a new one with the name that the files give. */
async function hosterFor({ ctx, store }: Desk, options: ImportOptions, files: readonly ReceivedFile[]) {
  if (options.collective !== undefined) {
    const named = await findCollectiveByHandle(store, options.collective.replace(/^@/, ''));
    if (!named) throw new CommandError(`There is no hoster @${options.collective}.`);
    return named;
  }
  const name = organizationName(files);
  const handle = slug(name);
  const known = handle === '' ? null : await findCollectiveByHandle(store, handle);
  if (known) return known;
  const { items } = await listAllCollectives(store, {});
  if (handle === '' && items.length === 1 && items[0]) return items[0];
  if (handle === '') throw new CommandError('These files name no organisation: say with --collective whose they are.');
  if (options.dryRun)
    throw new CommandError(`There is no hoster @${handle} yet: it would be created. Leave out --dry-run.`);
  return createCollective(ctx, {
    handle,
    name: { fr: name, en: name },
    legalForm: 'OTHER',
    published: options.draft !== true,
  });
}

function organizationName(files: readonly ReceivedFile[]): string {
  for (const { body } of files) {
    const read = readOrganization(body);
    if (read.ok) return read.model.name ?? '';
  }
  return '';
}

function countsOf(plan: ImportPlan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { what } of plan.services) counts[what] = (counts[what] ?? 0) + 1;
  return counts;
}

function wordsOf(counts: Record<string, number>): string {
  const words = Object.entries(counts).map(([what, count]) => `${count} to ${what}`);
  return words.length > 0 ? `services: ${words.join(', ')}` : 'no service';
}

function remarksOf(plan: ImportPlan, t: Translate): string[] {
  const failed = plan.failures.map(({ address, key, params }) => `${address}: ${t(key, params)}`);
  const remarks = plan.files.flatMap(({ address, refusal, remarks: found }) => [
    ...(refusal ? [`${address}: ${t(refusal.key, refusal.params)}`] : []),
    ...found.map(({ line, message }) => `${address}:${line}: ${t(message.key, message.params)}`),
  ]);
  return [...failed, ...remarks];
}
