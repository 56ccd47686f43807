// isp.json 0.1, the format of the FFDN's providers (ffdn.org/ispschema/draft-01), as a ChatonsInfos organisation.
// Reading only. What has no place there is kept as JSON in unknown keys `isp.<key>`.
import { isUtf8 } from 'node:buffer';
import type { ChatonsOrganization } from './chatonsinfos/model.js';
import { organizationFromEntries } from './chatonsinfos/read.js';
import type { PropertyEntry } from './properties.js';
import { type ReadResult, refuse, Warnings } from './warnings.js';

const MAX_BYTES = 1024 * 1024;

type Json = Record<string, unknown>;

/** Texts that only change their name. Days may come with a time: only the day is kept, with a remark. */
const RENAMED = {
  name: 'organization.name',
  description: 'organization.description',
  logoURL: 'organization.logo',
  website: 'organization.website',
  email: 'organization.contact.email',
  creationDate: 'organization.startdate',
  ffdnMemberSince: 'organization.memberof.ffdn.startdate',
} as const;
const MAPPED = new Set([...Object.keys(RENAMED), 'version', 'chatrooms', 'registeredOffice', 'coordinates']);

/**
 * Reads isp.json into an organisation. Counts, covered areas and progress are kept as unknown keys.
 * Refuses: too-large, not-json, not-isp (another version, or no name).
 */
export function readIsp(bytes: Uint8Array): ReadResult<ChatonsOrganization> {
  if (bytes.length > MAX_BYTES) return refuse('too-large', { limit: MAX_BYTES });
  const isp = parseObject(bytes);
  if (isp === null) return refuse('not-json');
  if (Number(isp.version) !== 0.1) return refuse('not-isp', { key: 'version' });
  if (typeof isp.name !== 'string') return refuse('not-isp', { key: 'name' });
  const given: [string, unknown][] = [
    ...Object.entries(RENAMED).map(([from, to]): [string, unknown] => [to, isp[from]]),
    ...chatRooms(isp.chatrooms),
    ...office(asObject(isp.registeredOffice)),
    ...coordinates(asObject(isp.coordinates)),
    ...Object.entries(isp)
      .filter(([key]) => !MAPPED.has(key))
      .map(([key, value]): [string, unknown] => [`isp.${key}`, JSON.stringify(value)]),
  ];
  return organizationFromEntries(given.flatMap(toEntry), new Warnings());
}

function parseObject(bytes: Uint8Array): Json | null {
  if (!isUtf8(bytes)) return null;
  try {
    return asObject(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function toEntry([key, value]: [string, unknown]): PropertyEntry[] {
  const isGiven = typeof value === 'string' || typeof value === 'number';
  return isGiven ? [{ key, value: String(value), line: 0 }] : [];
}

/** Rooms under the name of their scheme; a second one of the same kind gets a number. */
function chatRooms(value: unknown): [string, unknown][] {
  const counts = new Map<string, number>();
  return (Array.isArray(value) ? value : []).filter(isText).map((address) => {
    const scheme = /^([a-z]+)s?:/i.exec(address)?.[1]?.toLowerCase().replace(/s$/, '') ?? 'other';
    const kind = scheme === 'http' ? 'web' : scheme;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return [`organization.chatrooms.${kind}${count === 1 ? '' : count}`, address];
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function office(place: Json | null): [string, unknown][] {
  if (place === null) return [];
  const town = [place['postal-code'], place.locality].filter(isText).join(' ');
  const lines = [place['post-office-box'], place['extended-address'], place['street-address'], town, place.region];
  return [
    [
      'organization.geolocation.address',
      lines
        .filter(isText)
        .filter((line) => line !== '')
        .join(', '),
    ],
    ['organization.country.name', place['country-name']],
  ];
}

function coordinates(place: Json | null): [string, unknown][] {
  return [
    ['organization.geolocation.latitude', place?.latitude],
    ['organization.geolocation.longitude', place?.longitude],
  ];
}
