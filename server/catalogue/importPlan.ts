// What an import would do, computed from the files and from what is there: the same input gives the same plan, so that
// confirming does exactly what was shown. Pure; changes nothing.
import { createHash } from 'node:crypto';
import type { Collective, CollectiveProfile } from '../collectives/schema.js';
import type { Language, Site } from '../context.js';
import type { Change } from '../events.js';
import type { ChatonsMetrics, ChatonsOrganization, ChatonsService } from '../formats/chatonsinfos/model.js';
import { readChatonsInfos } from '../formats/chatonsinfos/read.js';
import { readProperties } from '../formats/properties.js';
import type { FormatWarning, WarningLevel } from '../formats/warnings.js';
import { warningMessage } from '../formats/warnings.js';
import { diff } from '../history/diff.js';
import { fold } from '../shapes.js';
import { correctFile, readLine } from './corrections.js';
import { readOrganizationModel, readServiceModel, type ServiceReading } from './infos.js';
import { slugOf } from './rules.js';
import type { Correction, ImportDraft, InfoFile, Service } from './schema.js';

export type PlanFile = Pick<InfoFile, 'address' | 'subKey' | 'parent' | 'body'>;

export interface PlanInput {
  collective: Collective;
  /** Also drafts and those in the bin. */
  services: readonly Service[];
  files: readonly PlanFile[];
  corrections: readonly Correction[];
  skipped: readonly string[];
  failures: ImportDraft['failures'];
  /** The language in which texts without a mark are. */
  language: Language;
  site: Site;
}

export interface Message {
  key: string;
  params: Record<string, string | number>;
}

/** A remark on a file: what a member may put right before confirming. */
export interface Remark {
  line: number;
  /** The line as it stands in the file. */
  text: string;
  key: string | null;
  /** What stands there now, when it can be put right by typing something else. */
  value: string | null;
  level: WarningLevel;
  message: Message;
}

export interface FileReport {
  address: string;
  kind: 'organization' | 'service' | 'metrics' | 'other';
  refusal: Message | null;
  remarks: Remark[];
  /** How many more there are that need no correction. */
  notes: number;
}

export interface CollectiveItem {
  address: string;
  version: number;
  changes: Change['fields'];
  patch: CollectiveProfile;
  unknownProperties: Collective['unknownProperties'];
  skipped: boolean;
}

export interface ServiceItem {
  address: string;
  what: 'create' | 'change' | 'same' | 'withdrawn' | 'impossible';
  serviceId: string | null;
  version: number;
  slug: string;
  name: Service['profile']['name'];
  changes: Change['fields'];
  reading: ServiceReading;
  origin: string | null;
  skipped: boolean;
}

export interface ImportPlan {
  collective: CollectiveItem | null;
  services: ServiceItem[];
  /** Services that came from this hoster's files before and are in none of them now: left as they are. */
  absent: { serviceId: string; name: Service['profile']['name'] }[];
  files: FileReport[];
  failures: ImportDraft['failures'];
  /** Remarks of the levels error and warning. */
  warningCount: number;
  /** Names this very plan: what is confirmed must be what was shown. */
  digest: string;
}

interface ReadFile extends PlanFile {
  report: FileReport;
  organization: ChatonsOrganization | null;
  service: ChatonsService | null;
  metrics: ChatonsMetrics | null;
}

/** Compares the files with what is there. */
export function planImport(input: PlanInput): ImportPlan {
  const files = input.files.map((file) => readOne(file, input.corrections));
  const [organization, ...others] = files.filter((file) => file.organization !== null);
  for (const { report } of others) report.refusal = { key: 'catalogue.import.secondOrganization', params: {} };
  const services = planServices(input, files, organization ?? null);
  const collective = organization ? planCollective(input, organization, files) : null;
  const matched = new Set(services.flatMap(({ serviceId }) => (serviceId === null ? [] : [serviceId])));
  const unread = new Set(input.failures.map(({ address }) => address));
  const absent = organization
    ? input.services
        .filter(
          ({ _id, origin, deletedAt }) =>
            origin !== null && deletedAt === null && !matched.has(_id) && !unread.has(origin),
        )
        .map(({ _id, profile }) => ({ serviceId: _id, name: profile.name }))
    : [];
  const reports = files.map(({ report }) => report);
  return {
    collective,
    services,
    absent,
    files: reports,
    failures: input.failures,
    warningCount: reports.reduce((sum, { remarks }) => sum + remarks.filter(({ level }) => level !== 'info').length, 0),
    digest: digestOf(collective, services),
  };
}

function digestOf(collective: CollectiveItem | null, services: readonly ServiceItem[]): string {
  const effects = services.map(({ address, what, serviceId, version, changes, skipped, origin }) => [
    ...[address, what, serviceId, version, changes, skipped, origin],
  ]);
  const own = collective && [collective.version, collective.changes, collective.skipped];
  return createHash('sha256')
    .update(JSON.stringify([own, effects]))
    .digest('hex')
    .slice(0, 32);
}

function readOne(file: PlanFile, corrections: readonly Correction[]): ReadFile {
  const body = correctFile(
    file.body,
    corrections.filter(({ address }) => address === file.address),
  );
  const result = readChatonsInfos(body);
  const report: FileReport = { address: file.address, kind: 'other', refusal: null, remarks: [], notes: 0 };
  const read: ReadFile = { ...file, body, report, organization: null, service: null, metrics: null };
  if (!result.ok) {
    report.refusal = { key: `formats.refusal.${result.refusal}`, params: result.details };
    return read;
  }
  const { model, warnings } = result;
  if (model.kind === 'federation') {
    report.refusal = { key: 'catalogue.fetch.is-federation', params: {} };
    return read;
  }
  report.kind = model.kind;
  const values = entriesByLine(body);
  const shown = warnings.filter(({ level }) => level !== 'info');
  report.remarks = shown.map((warning) => remarkOf(warning, body, values));
  report.notes = warnings.length - shown.length;
  return {
    ...read,
    organization: model.kind === 'organization' ? model : null,
    service: model.kind === 'service' ? model : null,
    metrics: model.kind === 'metrics' ? model : null,
  };
}

function entriesByLine(body: Uint8Array): Map<number, { key: string; value: string }> {
  const read = readProperties(body);
  return new Map(read.ok ? read.entries.map((entry) => [entry.line, entry]) : []);
}

function remarkOf(
  warning: FormatWarning,
  body: Uint8Array,
  values: Map<number, { key: string; value: string }>,
): Remark {
  const { id, values: params } = warningMessage(warning);
  const entry = values.get(warning.line);
  const isMissing = warning.code === 'missing' && warning.line === 0;
  return {
    line: warning.line,
    text: warning.line === 0 ? '' : readLine(body, warning.line),
    key: warning.key ?? null,
    value: entry && warning.key !== undefined ? entry.value : isMissing ? '' : null,
    level: warning.level,
    message: { key: id, params: { ...params, level: warning.level } },
  };
}

function planCollective(input: PlanInput, file: ReadFile, files: readonly ReadFile[]): CollectiveItem | null {
  const { collective, site, language, skipped } = input;
  if (!file.organization) return null;
  const { patch, unknownProperties } = readOrganizationModel(file.organization, collective.profile, language, site);
  const read = new Set(files.map(({ address }) => address));
  const known = new Set(files.flatMap(({ subKey }) => (subKey === null ? [] : [subKey])));
  // Services that could not be read are named again in our own file, so that nobody loses sight of them.
  const unread = file.organization.subs
    .filter(({ key, url }) => !read.has(url) && !known.has(key) && !isOurs(url, site))
    .map(({ key, url }) => ({ key: `subs.${key}`, value: url }));
  const unknown = [...unknownProperties, ...unread];
  const changes = [
    ...diff(collective.profile, patch),
    ...diff({ unknownProperties: collective.unknownProperties }, { unknownProperties: unknown }),
  ];
  return {
    address: file.address,
    version: collective.version,
    changes,
    patch,
    unknownProperties: unknown,
    skipped: skipped.includes('collective'),
  };
}

function planServices(input: PlanInput, files: readonly ReadFile[], organization: ReadFile | null): ServiceItem[] {
  const taken = new Set<string>();
  return files.flatMap((file) =>
    file.service ? [planService(input, file, file.service, files, organization, taken)] : [],
  );
}

function planService(
  input: PlanInput,
  file: ReadFile,
  model: ChatonsService,
  files: readonly ReadFile[],
  organization: ReadFile | null,
  taken: Set<string>,
): ServiceItem {
  const figureFiles = files.filter((other) => other.metrics !== null && belongsTo(other, file, model));
  const slug = slugOf(subKeyOf(file, organization));
  const current = findCurrent(input.services, file, slug, model.name ?? '', taken);
  if (current) taken.add(current._id);
  const figures = figureFiles.flatMap(({ metrics }) => (metrics ? [metrics] : []));
  const base = readServiceModel(model, figures, current, input.language);
  const unreadSubs = model.subs
    .filter(
      ({ url }) => !figureFiles.some((other) => other.address === url || baseName(other.address) === baseName(url)),
    )
    .filter(({ url }) => !isOurs(url, input.site))
    .map(({ key, url }) => ({ key: `subs.${key}`, value: url }));
  const reading = { ...base, unknownProperties: [...base.unknownProperties, ...unreadSubs] };
  const origin = /^https?:/.test(file.address) && !isOurs(file.address, input.site) ? file.address : null;
  const changes = current ? changesOf(current, reading, origin) : diff({}, reading.profile);
  return {
    address: file.address,
    what: whatOf(current, reading, changes),
    serviceId: current?._id ?? null,
    version: current?.version ?? 0,
    slug,
    name:
      reading.profile.name.fr || reading.profile.name.en
        ? reading.profile.name
        : { fr: baseName(file.address), en: '' },
    changes,
    reading,
    origin:
      origin ?? current?.origin ?? (file.parent === null && !isOurs(file.address, input.site) ? file.address : null),
    skipped: input.skipped.includes(file.address),
  };
}

function whatOf(current: Service | null, reading: ServiceReading, changes: Change['fields']): ServiceItem['what'] {
  if (reading.profile.name.fr === '' && reading.profile.name.en === '') return 'impossible';
  if (!current) return 'create';
  if (current.deletedAt !== null) return 'withdrawn';
  return changes.length === 0 ? 'same' : 'change';
}

/** What would differ: the profile by field, figures by series, the rest by its name. */
function changesOf(current: Service, reading: ServiceReading, origin: string | null): Change['fields'] {
  return [
    ...diff(current.profile, reading.profile),
    ...diff(seriesByPath(current.metrics), seriesByPath(reading.metrics)),
    ...diff(
      { metricsLabels: byPath(current.metricsLabels), unknownProperties: current.unknownProperties },
      { metricsLabels: byPath(reading.metricsLabels), unknownProperties: reading.unknownProperties },
    ),
    ...diff({ unknownMetrics: current.unknownMetrics }, { unknownMetrics: reading.unknownMetrics }),
    ...(origin !== null && origin !== current.origin ? diff({ origin: current.origin }, { origin }) : []),
  ];
}

function byPath<T extends { path: string }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
}

function seriesByPath(series: Service['metrics']): Record<string, unknown> {
  return Object.fromEntries(series.map(({ path, year, step, values }) => [`metrics.${path}.${year}.${step}`, values]));
}

/** The service that this file is about: by its address, then by the key under which it is named, then by its name. */
function findCurrent(
  services: readonly Service[],
  file: ReadFile,
  slug: string,
  name: string,
  taken: ReadonlySet<string>,
): Service | null {
  const free = services.filter(({ _id }) => !taken.has(_id));
  const folded = fold(name);
  return (
    free.find(({ origin }) => origin === file.address) ??
    free.find((service) => service.slug === slug) ??
    free.find(({ profile }) => folded !== '' && [profile.name.fr, profile.name.en].map(fold).includes(folded)) ??
    null
  );
}

/** The figures of a service: those that its file names, or for uploads those whose file is called like it. */
function belongsTo(figures: ReadFile, file: ReadFile, model: ChatonsService): boolean {
  if (figures.parent !== null) return figures.parent === file.address;
  const named = model.subs.some(({ url }) => url === figures.address || baseName(url) === baseName(figures.address));
  return named || baseName(figures.address) === `${baseName(file.address)}-metrics`;
}

/** The key under which the hoster's file names this one; for uploads found by the name of the file. */
function subKeyOf(file: ReadFile, organization: ReadFile | null): string {
  if (file.subKey !== null) return file.subKey;
  const name = baseName(file.address);
  const sub = organization?.organization?.subs.find(({ url }) => baseName(url) === name);
  return sub?.key ?? '';
}

/** "https://x.example/a/pads.properties" and "pads.properties" -> "pads". */
function baseName(address: string): string {
  const path = address.split(/[?#]/, 1)[0] ?? '';
  return (path.split('/').at(-1) ?? '').replace(/\.properties$/i, '');
}

function isOurs(address: string, site: Site): boolean {
  return address.startsWith(`${site.baseUrl}/`);
}
