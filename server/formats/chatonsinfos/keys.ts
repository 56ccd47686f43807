// Names of keys as found in the wild, brought to the names of the format: case, legacy names of 2020, known typos.
import type { PropertyEntry } from '../properties.js';
import type { Warnings } from '../warnings.js';
import {
  federationFields,
  fileFields,
  hostFields,
  organizationFields,
  serviceFields,
  softwareFields,
} from './model.js';

const KNOWN = new Map(
  [fileFields, federationFields, organizationFields, serviceFields, softwareFields, hostFields]
    .flatMap((table) => Object.values(table).map((field) => field.key))
    .concat('file.class')
    .map((key) => [key.toLowerCase(), key]),
);

const ALIASES = new Map(
  Object.entries({
    'organization.geography': 'organization.geolocation.address',
    'organization.technical.url': 'organization.guide.technical',
    'organization.logo.url': 'organization.logo',
    'organization.website.url': 'organization.website',
    'organization.status': 'organization.status.level',
    'organization.socialnetworks.pixelfeld': 'organization.socialnetworks.pixelfed',
    'organization.funding.tipeee': 'organization.funding.tipee',
    'federation.logo.url': 'federation.logo',
    'service.logo.url': 'service.logo',
    'service.website.url': 'service.website',
    'service.status': 'service.status.level',
    'software.license': 'software.license.name',
    'software.licence': 'software.license.name',
    'software.licence.name': 'software.license.name',
    'software.licence.url': 'software.license.url',
    'software.source': 'software.source.url',
    'host.provider': 'host.name',
  }),
);

/** Whole families of keys whose last words are free. */
const OPEN = /^(organization|federation)\.(memberof|socialnetworks|chatrooms|funding)\./i;
const SUB = /^subs\.(.+)$/is;
const METRIC = /^metrics\.(.+)\.((?:19|20)\d{2}(?:\.(?:months|weeks|days))?|name|description)$/is;

/** The name that the format gives to this key; the key itself when it belongs to nothing we know. */
export function canonicalKey(key: string): string {
  const lower = key.toLowerCase();
  const named = ALIASES.get(lower) ?? KNOWN.get(lower);
  if (named !== undefined) return named;
  if (OPEN.test(key)) return lower;
  const sub = SUB.exec(key)?.[1];
  if (sub !== undefined) return `subs.${sub}`;
  const [, path, rest] = METRIC.exec(key) ?? [];
  return path !== undefined && rest !== undefined ? `metrics.${path}.${rest.toLowerCase()}` : key;
}

/**
 * Entries under their canonical names, in the order of the file. When two names meet, the one spelt as the format says
 * wins over an alias; otherwise the later line wins. Warns: key-renamed, duplicate-key.
 */
export function canonicalEntries(entries: PropertyEntry[], warnings: Warnings): PropertyEntry[] {
  const kept = new Map<string, { entry: PropertyEntry; exact: boolean }>();
  for (const entry of entries) {
    const key = canonicalKey(entry.key);
    const exact = key === entry.key;
    if (!exact) warnings.add('key-renamed', { line: entry.line, key: entry.key }, { read: key });
    const earlier = kept.get(key);
    const loses = earlier?.exact === true && !exact;
    if (earlier) {
      const [lost, winner] = loses ? [entry, earlier.entry] : [earlier.entry, entry];
      warnings.add('duplicate-key', { line: lost.line, key }, { keptLine: winner.line });
    }
    if (!loses) kept.set(key, { entry: { ...entry, key }, exact });
  }
  return [...kept.values()].map(({ entry }) => entry);
}
