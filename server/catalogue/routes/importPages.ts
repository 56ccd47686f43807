// Where a hoster's members bring in their ChatonsInfos files: an address or files, the preview, the confirmation, and
// the source that is read again.
import { nameIn, presentEditFrame } from '../../collectives/present.js';
import { enterCollective } from '../../collectives/queries.js';
import type { Collective } from '../../collectives/schema.js';
import { DomainError } from '../../errors.js';
import { PROPERTIES_MAX_BYTES } from '../../formats/properties.js';
import type { FormState } from '../../http/form.js';
import type { Routes, UploadedFile, Visit } from '../../http/routes.js';
import { applyImport, beginImport, cancelImport, correctImport, skipInImport, viewImport } from '../actions/imports.js';
import { defaultHours, removeSource, restartSource, setSourceHours } from '../actions/sources.js';
import { crawlOrganization, type ReceivedFile } from '../crawl.js';
import { fileAddress } from '../infos.js';
import { presentSource } from '../present.js';
import { doneMessage, presentPlan, wordsFor } from '../presentImport.js';
import { findSourceOf, importsOf, listInfoFiles } from '../queries.js';
import {
  confirmForm,
  correctionForm,
  idParams,
  importFilesForm,
  importParams,
  importUrlForm,
  skipForm,
  sourceForm,
} from '../schema.js';

type CollectiveVisit = Visit<{ id: string }, unknown, unknown>;
type ImportVisit = Visit<{ id: string; import: string }, unknown, unknown>;
const noForm: FormState = { values: {}, errors: [] };
const maxFiles = 60;

export function importPages(routes: Routes): void {
  const { house } = routes;
  const path = '/my/collectives/:id/chatonsinfos';
  const own = { access: 'signedIn', params: idParams } as const;
  const one = { access: 'signedIn', params: importParams } as const;
  const pathOf = ({ id }: { id: string }) => `/my/collectives/${id}/chatonsinfos`;
  const previewOf = (params: { id: string; import: string }) => `${pathOf(params)}/${params.import}`;

  routes.get(path, own, (visit) => showStart(visit, noForm));

  async function showStart(visit: CollectiveVisit, form: FormState): Promise<void> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const [source, waiting] = await Promise.all([
      findSourceOf(house.store, collective._id),
      importsOf(house.store).findOne({ collectiveId: collective._id, expiresAt: { $gt: visit.ctx.now } }),
    ]);
    const model = {
      frame: frameOf(visit, collective),
      base: pathOf(visit.params),
      source: presentSource(source),
      waiting: waiting && { href: `${pathOf(visit.params)}/${waiting._id}`, createdAt: waiting.createdAt },
      ownFile: fileAddress(house.site, collective.handle),
      isPublic: collective.published && collective.deletedAt === null,
      values: { url: source?.url ?? collective.profile.website ?? '', ...form.values },
      form,
      labels: { url: 'catalogue.import.url', files: 'catalogue.import.files', text: 'catalogue.import.text' },
    };
    await visit.page('catalogue/import', model, pageOptions(visit, collective));
  }

  routes.post(`${path}/url`, { ...own, body: importUrlForm, retry: showStart }, async (visit) => {
    const { id } = visit.params;
    const { url } = visit.body;
    await enterCollective(visit.ctx, id);
    const source = await findSourceOf(house.store, id);
    const known = source?.url === url ? await listInfoFiles(house.store, source.filesId) : [];
    const read = await crawlOrganization(house.fetchText, url, { known: known.map(asReceived) });
    if (!read.ok) {
      throw new DomainError('invalid', { key: read.failure.key, params: read.failure.params }, { field: 'url' });
    }
    const origin = { kind: 'url', url } as const;
    const draft = await beginImport(visit.ctx, id, { origin, files: read.files, failures: read.failures });
    visit.redirect(previewOf({ id, import: draft._id }));
  });

  const uploads = { field: 'files', maxBytes: PROPERTIES_MAX_BYTES, maxCount: maxFiles, maxText: 1024 * 1024 };
  routes.post(`${path}/files`, { ...own, file: uploads, body: importFilesForm, retry: showStart }, async (visit) => {
    const { id } = visit.params;
    const files = [...visit.files.map(uploadedFile), ...pastedFiles(visit.body.text)];
    if (files.length === 0) throw new DomainError('invalid', 'catalogue.import.nothingGiven', { field: 'files' });
    const draft = await beginImport(visit.ctx, id, { origin: { kind: 'files' }, files: distinct(files), failures: [] });
    visit.redirect(previewOf({ id, import: draft._id }));
  });

  routes.get(`${path}/:import`, one, (visit) => showPreview(visit, noForm));

  async function showPreview(visit: ImportVisit, form: FormState): Promise<void> {
    const { draft, collective, plan } = await viewImport(visit.ctx, visit.params.id, visit.params.import);
    const words = wordsFor({ i18n: house.i18n, t: visit.t }, visit.language);
    const source = await findSourceOf(house.store, collective._id);
    const model = {
      frame: frameOf(visit, collective),
      base: previewOf(visit.params),
      origin: draft.origin.kind === 'url' ? draft.origin.url : null,
      expiresAt: draft.expiresAt,
      corrections: draft.corrections.length,
      plan: presentPlan(plan, words),
      isPublic: collective.published,
      everyHours: source?.everyHours ?? defaultHours,
      form,
    };
    await visit.page('catalogue/preview', model, pageOptions(visit, collective));
  }

  routes.post(`${path}/:import/correct`, { ...one, body: correctionForm, retry: showPreview }, async (visit) => {
    await correctImport(visit.ctx, visit.params.id, visit.params.import, visit.body);
    visit.redirect(previewOf(visit.params), { key: 'catalogue.import.corrected' });
  });
  routes.post(`${path}/:import/skip`, { ...one, body: skipForm }, async (visit) => {
    await skipInImport(visit.ctx, visit.params.id, visit.params.import, visit.body);
    visit.redirect(previewOf(visit.params));
  });
  routes.post(`${path}/:import/cancel`, one, async (visit) => {
    await cancelImport(visit.ctx, visit.params.id, visit.params.import);
    visit.redirect(pathOf(visit.params), { key: 'catalogue.import.cancelled' });
  });
  routes.post(`${path}/:import/apply`, { ...one, body: confirmForm, retry: showPreview }, async (visit) => {
    const { digest, publish, follow, everyHours } = visit.body;
    const confirmation = { digest, publish, everyHours: follow ? everyHours : null };
    const summary = await applyImport(visit.ctx, visit.params.id, visit.params.import, confirmation);
    visit.redirect(`/my/collectives/${visit.params.id}/services`, doneMessage(summary));
  });

  routes.post(`${path}/source/hours`, { ...own, body: sourceForm }, async (visit) => {
    await setSourceHours(visit.ctx, visit.params.id, visit.body.everyHours);
    visit.redirect(pathOf(visit.params), { key: 'catalogue.source.hoursDone' });
  });
  routes.post(`${path}/source/restart`, own, async (visit) => {
    await restartSource(visit.ctx, visit.params.id);
    visit.redirect(pathOf(visit.params), { key: 'catalogue.source.restartDone' });
  });
  routes.post(`${path}/source/remove`, own, async (visit) => {
    await removeSource(visit.ctx, visit.params.id);
    visit.redirect(pathOf(visit.params), { key: 'catalogue.source.removeDone' });
  });
}

function frameOf(visit: Pick<CollectiveVisit, 'ctx' | 'language'>, collective: Collective) {
  return presentEditFrame(visit.ctx.actor, collective, 'services', visit.language);
}

function pageOptions(visit: Pick<CollectiveVisit, 'language'>, collective: Collective) {
  return { title: nameIn(collective, visit.language), nav: 'mine' };
}

function asReceived({ address, subKey, parent, body, etag, lastModified }: ReceivedFile): ReceivedFile {
  return { address, subKey, parent, body, etag, lastModified };
}

function given(address: string, body: Uint8Array): ReceivedFile {
  return { address, subKey: null, parent: null, body, etag: null, lastModified: null };
}

/** Only the last part of a name, without what no file is called by. */
function uploadedFile({ fileName, bytes }: UploadedFile): ReceivedFile {
  const name = (fileName.split(/[/\\]/).at(-1) ?? '').replace(/\p{Cc}/gu, '').slice(0, 120);
  return given(name || 'file.properties', bytes);
}

/** Several files may be pasted one after the other: each begins with its class. */
function pastedFiles(text: string): ReceivedFile[] {
  const chunks: string[][] = [[]];
  for (const line of text.split(/\r\n|\n|\r/)) {
    const isClass = /^\s*file\.class\s*[=:]/i.test(line);
    if (isClass && chunks.at(-1)?.some((earlier) => /^\s*file\.class\s*[=:]/i.test(earlier))) chunks.push([]);
    chunks.at(-1)?.push(line);
  }
  return chunks
    .map((lines) => lines.join('\n'))
    .filter((chunk) => chunk.trim() !== '')
    .slice(0, maxFiles)
    .map((chunk, index) => given(`pasted-${index + 1}.properties`, Buffer.from(chunk)));
}

/** Two files of one name are told apart. */
function distinct(files: ReceivedFile[]): ReceivedFile[] {
  const seen = new Map<string, number>();
  return files.map((file) => {
    const count = (seen.get(file.address) ?? 0) + 1;
    seen.set(file.address, count);
    return count === 1 ? file : { ...file, address: file.address.replace(/(\.[^.]*)?$/, ` (${count})$1`) };
  });
}
