// Readers of ChatonsInfos files: lenient, with a remark at its line for everything that had to be guessed or left aside.
import { type PropertyEntry, readProperties } from '../properties.js';
import { type FormatWarning, type ReadResult, refuse, type Warnings } from '../warnings.js';
import { readChatAddress, readWebAddress, type Warn } from './fields.js';
import { canonicalEntries } from './keys.js';
import { checkHost, checkLicense } from './lint.js';
import { takeLabels, takeSeries } from './metrics.js';
import {
  type ChatonsDocument,
  type ChatonsFederation,
  type ChatonsMetrics,
  type ChatonsOrganization,
  type ChatonsService,
  type Common,
  DOCUMENT_KINDS,
  type DocumentKind,
  federationFields,
  fileFields,
  hostFields,
  type Links,
  type Membership,
  membershipFields,
  organizationFields,
  type Sub,
  serviceFields,
  softwareFields,
} from './model.js';
import { Source } from './source.js';

/** A file may name this many others; what comes after is left aside with a warning. */
const SUBS_LIMIT = 200;

/**
 * Reads a file of any class. The class is taken from file.class, else inferred from the keys, with a warning.
 * Refuses what readProperties refuses, and: no-class, unsupported-class.
 */
export function readChatonsInfos(bytes: Uint8Array): ReadResult<ChatonsDocument> {
  const properties = readProperties(bytes);
  if (!properties.ok) return properties;
  const { warnings } = properties;
  const source = new Source(canonicalEntries(properties.entries, warnings), warnings);
  const kind = takeKind(source, warnings);
  if (kind === null) return refuse('no-class');
  if (!isKind(kind)) return refuse('unsupported-class', { value: kind.slice(0, 80) });
  const model = READERS[kind](source);
  return { ok: true, model, warnings: warnings.list() };
}

function isKind(word: string): word is DocumentKind {
  return DOCUMENT_KINDS.some((kind) => kind === word);
}

function takeKind(source: Source, warnings: Warnings): string | null {
  const word = source.take('file.class', (raw) => raw.toLowerCase());
  if (word !== undefined) return word === 'organisation' ? 'organization' : word;
  const sections = new Set(source.keys().map((key) => key.split('.')[0]));
  const inferred = DOCUMENT_KINDS.find((kind) => sections.has(kind)) ?? null;
  if (inferred !== null) warnings.add('class-inferred', { line: 0, key: 'file.class' }, { read: inferred });
  return inferred;
}

const READERS = {
  federation: takeFederation,
  organization: takeOrganization,
  service: takeService,
  metrics: takeMetrics,
} satisfies Record<DocumentKind, (source: Source) => ChatonsDocument>;

/** An organisation from entries that another format was turned into. Keys are those of ChatonsInfos. */
export function organizationFromEntries(
  entries: PropertyEntry[],
  warnings: Warnings,
): { ok: true; model: ChatonsOrganization; warnings: FormatWarning[] } {
  const model = takeOrganization(new Source(entries, warnings));
  return { ok: true, model, warnings: warnings.list() };
}

function takeFederation(source: Source): ChatonsFederation {
  return {
    kind: 'federation',
    ...source.takeFields(federationFields),
    socialNetworks: takeLinks(source, 'federation.socialnetworks', readWebAddress),
    chatrooms: takeLinks(source, 'federation.chatrooms', readChatAddress),
    ...takeCommon(source),
  };
}

function takeOrganization(source: Source): ChatonsOrganization {
  return {
    kind: 'organization',
    ...source.takeFields(organizationFields),
    memberOf: takeMemberships(source),
    socialNetworks: takeLinks(source, 'organization.socialnetworks', readWebAddress),
    chatrooms: takeLinks(source, 'organization.chatrooms', readChatAddress),
    funding: takeLinks(source, 'organization.funding', readWebAddress),
    ...takeCommon(source),
  };
}

function takeService(source: Source): ChatonsService {
  const service = source.takeFields(serviceFields);
  const software = source.takeFields(softwareFields);
  const host = source.takeFields(hostFields);
  checkLicense(software, source);
  checkHost(host, source);
  return { kind: 'service', ...service, software, host, ...takeCommon(source) };
}

function takeMetrics(source: Source): ChatonsMetrics {
  return { kind: 'metrics', ...takeCommon(source) };
}

/** Must come last: what is left after it is unknown. */
function takeCommon(source: Source): Common {
  const file = source.takeFields(fileFields);
  const subs = takeSubs(source);
  const series = takeSeries(source);
  const labels = takeLabels(source);
  return { file, subs, series, labels, unknown: source.rest() };
}

function takeSubs(source: Source): Sub[] {
  const found: Sub[] = [];
  for (const key of source.keys().filter((candidate) => candidate.startsWith('subs.'))) {
    if (found.length >= SUBS_LIMIT) {
      source.warnAt(key, 'subs-limit', { limit: SUBS_LIMIT });
      continue;
    }
    const url = source.take(key, readWebAddress);
    if (url !== undefined) found.push({ key: key.slice('subs.'.length), url });
  }
  return found;
}

const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/;

function takeLinks(source: Source, section: string, read: (raw: string, warn: Warn) => string | undefined): Links {
  const found: Links = {};
  for (const key of source.keys().filter((candidate) => candidate.startsWith(`${section}.`))) {
    const name = key.slice(section.length + 1);
    const url = SLUG.test(name) ? source.take(key, read) : undefined;
    if (url !== undefined) found[name] = url;
  }
  return found;
}

function takeMemberships(source: Source): Record<string, Membership> {
  const prefix = 'organization.memberof.';
  const keys = source.keys().filter((key) => key.startsWith(prefix));
  const given = keys.filter((key) => !source.takeBlank(key));
  const found: Record<string, Membership> = {};
  for (const slug of new Set(given.map((key) => key.slice(prefix.length).split('.')[0] ?? ''))) {
    const membership = SLUG.test(slug) ? source.takeFields(membershipFields, `${prefix}${slug}.`) : {};
    if (Object.keys(membership).length > 0) found[slug] = membership;
  }
  return found;
}

function only<K extends DocumentKind>(bytes: Uint8Array, kind: K): ReadResult<Extract<ChatonsDocument, { kind: K }>> {
  const result = readChatonsInfos(bytes);
  if (!result.ok) return result;
  const { model, warnings } = result;
  return hasKind(model, kind)
    ? { ok: true, model, warnings }
    : refuse('wrong-class', { found: model.kind, wanted: kind });
}

function hasKind<K extends DocumentKind>(
  model: ChatonsDocument,
  kind: K,
): model is Extract<ChatonsDocument, { kind: K }> {
  return model.kind === kind;
}

/** As readChatonsInfos, for one class only. Refuses also: wrong-class. */
export function readFederation(bytes: Uint8Array): ReadResult<ChatonsFederation> {
  return only(bytes, 'federation');
}

/** As readChatonsInfos, for one class only. Refuses also: wrong-class. */
export function readOrganization(bytes: Uint8Array): ReadResult<ChatonsOrganization> {
  return only(bytes, 'organization');
}

/** As readChatonsInfos, for one class only. Refuses also: wrong-class. */
export function readService(bytes: Uint8Array): ReadResult<ChatonsService> {
  return only(bytes, 'service');
}

/** As readChatonsInfos, for one class only. Refuses also: wrong-class. */
export function readMetrics(bytes: Uint8Array): ReadResult<ChatonsMetrics> {
  return only(bytes, 'metrics');
}
