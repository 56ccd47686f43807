// Hosters and services as other instances describe them in our vocabulary, read as plain JSON. Only what is possible here is
// taken, each text clipped; only their own origin is believed about where their pages are.
import { emptyProfile } from '../../server/catalogue/actions/services.js';
import { fitProfile } from '../../server/catalogue/infos.js';
import {
  loads,
  needs,
  providerTypes,
  registrations,
  type ServiceProfile,
  serverTypes,
  serviceStatuses,
} from '../../server/catalogue/schema.js';
import { collectiveStatuses, legalForms } from '../../server/collectives/schema.js';
import type { HosterReading, ServiceReading } from '../../server/elsewhere/schema.js';
import { type LocalText, optionalCountry, optionalDay, optionalUrl } from '../../server/shapes.js';
import { readIri, sameOrigin } from '../iris.js';
import { isObject } from '../json.js';

/** Null: nothing that can be listed, or not the word of its own server. */
export function fromHostedService(
  json: unknown,
  hosterIri: string,
  privateHosts: readonly string[],
): ServiceReading | null {
  if (!isObject(json) || json.type !== 'HostedService' || json.hoster !== hosterIri) return null;
  const key = readIri(json.id, privateHosts);
  if (key === null || !sameOrigin(key, hosterIri)) return null;
  const page = readIri(json.url, privateHosts);
  const blank = emptyProfile();
  const text = (name: string, max: number) => bothOf(json, name, max, false);
  const given: ServiceProfile = {
    ...blank,
    name: text('name', 120),
    description: bothOf(json, 'summary', 2000, true),
    website: urlOf(json.website),
    needs: wordsOf(json.needs, needs),
    registration: wordOf(json.registration, registrations) ?? blank.registration,
    load: wordOf(json.room, loads) ?? blank.load,
    status: wordOf(json.serviceStatus, serviceStatuses) ?? blank.status,
    statusDescription: text('statusNote', 300),
    priceNote: text('price', 300),
    limits: bothOf(json, 'limits', 1000, true),
    languages: tagsOf(json.serviceLanguages),
    startDate: dayOf(json.openedOn),
    endDate: dayOf(json.closesOn),
    software: {
      ...blank.software,
      name: lineOf(json.softwareName, 120),
      website: urlOf(json.softwareWebsite),
      version: lineOf(json.softwareVersion, 60),
      licenseName: lineOf(json.softwareLicense, 120),
    },
    host: {
      ...blank.host,
      name: lineOf(json.hostName, 120),
      providerType: wordOf(json.providerType, providerTypes),
      serverType: wordOf(json.serverType, serverTypes),
      countryCode: countryOf(json.country),
    },
  };
  const { profile } = fitProfile(given, blank);
  if (!profile.name.fr && !profile.name.en) return null;
  return {
    key,
    profile,
    url: page !== null && sameOrigin(page, hosterIri) ? page : key,
    publishedAt: dateOf(json.published),
    saidAt: dateOf(json.updated) ?? dateOf(json.published) ?? new Date(0),
  };
}

/** The hoster and where its services are; null: an actor without them. */
export function fromHoster(
  json: unknown,
  iri: string,
  privateHosts: readonly string[],
): { hoster: HosterReading; catalogue: string } | null {
  const catalogue = catalogueOf(json, iri, privateHosts);
  if (!isObject(json) || catalogue === null) return null;
  const { host } = new URL(iri);
  const handle = lineOf(json.preferredUsername, 60).toLowerCase();
  const name = bothOf(json, 'name', 120, false);
  const page = readIri(Array.isArray(json.url) ? json.url[0] : json.url, privateHosts);
  return {
    catalogue,
    hoster: {
      handle: `${handle || 'hoster'}@${host}`,
      name: name.fr || name.en ? name : { fr: handle || host, en: '' },
      tagline: bothOf(json, 'tagline', 160, false),
      url: page !== null && sameOrigin(page, iri) ? page : iri,
      website: urlOf(json.website),
      legalForm: wordOf(json.legalForm, legalForms),
      status: wordOf(json.hosterStatus, collectiveStatuses) ?? 'ACTIVE',
      place: lineOf(json.place, 300),
      country: countryOf(json.country),
      networks: listOf(json.memberOf)
        .slice(0, 20)
        .map((one) => lineOf(one, 40))
        .filter(Boolean),
    },
  };
}

/** Address of the catalogue that an actor names, on its own origin. */
export function catalogueOf(json: unknown, iri: string, privateHosts: readonly string[]): string | null {
  if (!isObject(json) || json.id !== iri) return null;
  const address = readIri(json.catalogue, privateHosts);
  return address !== null && sameOrigin(address, iri) ? address : null;
}

/** A text as {name} and {name}Map. Without a map the text is taken as French, where both readers find it. */
function bothOf(json: Record<string, unknown>, name: string, max: number, isLong: boolean): LocalText {
  const map = json[`${name}Map`];
  const read = (value: unknown) => (isLong ? paragraphsOf(value, max) : lineOf(value, max));
  if (!isObject(map)) return { fr: read(json[name]), en: '' };
  const text = { fr: read(map.fr), en: read(map.en) };
  return text.fr || text.en ? text : { fr: read(json[name] ?? Object.values(map)[0]), en: '' };
}

const hidden = /[\p{Cs}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** One line without controls or direction tricks. */
function lineOf(value: unknown, max: number): string {
  if (typeof value !== 'string') return '';
  return clip(value.slice(0, 10_000).replace(/[\p{Cc}\u2028\u2029]+/gu, ' '), max);
}

function paragraphsOf(value: unknown, max: number): string {
  if (typeof value !== 'string') return '';
  const text = value.slice(0, 20_000).replace(/\r\n?/g, '\n');
  return clip(text.replace(/[^\P{Cc}\n\t]+/gu, ' '), max);
}

/** No half of a character at the end. */
function clip(text: string, max: number): string {
  const clean = text.replace(hidden, '').normalize('NFC').trim();
  return clean.length <= max
    ? clean
    : clean
        .slice(0, max)
        .replace(/\p{Cs}$/u, '')
        .trim();
}

function wordOf<const W extends string>(value: unknown, words: readonly W[]): W | null {
  return words.find((word) => word === value) ?? null;
}

function wordsOf<const W extends string>(value: unknown, words: readonly W[]): W[] {
  const given = new Set(listOf(value).slice(0, 100));
  return words.filter((word) => given.has(word));
}

function tagsOf(value: unknown): string[] {
  const tags = listOf(value)
    .slice(0, 20)
    .map((one) => (typeof one === 'string' ? one.toLowerCase() : ''));
  return [...new Set(tags.filter((tag) => tag.length <= 35 && /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(tag)))];
}

function urlOf(value: unknown): string | null {
  return typeof value === 'string' && value.length <= 2000 ? (optionalUrl.safeParse(value).data ?? null) : null;
}
function dayOf(value: unknown): string | null {
  return typeof value === 'string' && value.length === 10 ? (optionalDay.safeParse(value).data ?? null) : null;
}
function countryOf(value: unknown): string | null {
  return typeof value === 'string' && value.length === 2 ? (optionalCountry.safeParse(value).data ?? null) : null;
}

export function dateOf(value: unknown): Date | null {
  if (typeof value !== 'string' || value.length > 40) return null;
  const date = new Date(value);
  const year = date.getUTCFullYear();
  return Number.isNaN(date.getTime()) || year < 1970 || year > 2200 ? null : date;
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
