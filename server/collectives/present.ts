// Collectives as plain data for templates: what to show, what the reader may do, which link is safe to follow.
import type { Actor, Language, Site } from '../context.js';
import type { OrganizationInput } from '../formats/schemaOrg.js';
import { numberFormat } from '../formatters.js';
import type { FormState } from '../http/form.js';
import { type LocalText, textIn } from '../shapes.js';
import { mayManageCollective, missingParts, partCount, purgeDate } from './rules.js';
import {
  type Collective,
  type CollectiveProfile,
  type CollectiveStatus,
  collectiveStatuses,
  type KeyedLink,
  legalForms,
} from './schema.js';

export function pagePath(collective: Pick<Collective, 'handle'>): string {
  return `/@${collective.handle}`;
}

export function editPath(collective: Pick<Collective, '_id'>): string {
  return `/my/collectives/${collective._id}`;
}

/** "@ecluse@roseau.example": what one types into a search on the Fediverse. */
export function fediverseName(collective: Pick<Collective, 'handle'>, site: Site): string {
  return `@${collective.handle}@${site.host}`;
}

/** The uploaded logo. One that lives elsewhere is not shown: that server would learn who reads here. */
export function logoPath(collective: Pick<Collective, 'logoId'>): string | null {
  return collective.logoId === null ? null : `/media/${collective.logoId}`;
}

export function nameIn(collective: Pick<Collective, 'profile' | 'handle'>, language: Language): string {
  return textIn(collective.profile.name, language) || collective.handle;
}

const statusKinds: Record<CollectiveStatus, string> = { ACTIVE: 'well', IDLE: 'waiting', AWAY: 'none' };

export function presentStatus(status: CollectiveStatus) {
  return { kind: statusKinds[status], label: `collectives.status.${status}` };
}

/** One entry of a list. */
export function presentCard(collective: Collective) {
  const { profile } = collective;
  return {
    href: pagePath(collective),
    editHref: editPath(collective),
    handle: collective.handle,
    name: profile.name,
    tagline: profile.tagline,
    logo: logoPath(collective),
    legalForm: `collectives.legalForm.${profile.legalForm}`,
    address: profile.place.address,
    countryCode: profile.place.countryCode,
    status: presentStatus(profile.status),
    isActive: profile.status === 'ACTIVE',
    isDraft: !collective.published,
    inBin: collective.deletedAt !== null,
    purgeAt: collective.deletedAt === null ? null : purgeDate(collective.deletedAt),
    hasRepresentative: collective.members.some((member) => member.role === 'representative'),
    memberCount: collective.members.length,
  };
}

/** The address when a browser may safely follow it, else null: such a one is shown as text. */
export function safeHref(address: string | null): string | null {
  if (address === null || !URL.canParse(address)) return null;
  const schemes = ['https:', 'http:', 'xmpp:', 'irc:', 'ircs:', 'matrix:'];
  return schemes.includes(new URL(address).protocol) ? address : null;
}

/** "https://www.example.org/page/" -> "example.org/page": how an address is read. */
export function shortAddress(address: string): string {
  return address.replace(/^https?:\/\/(www\.)?/, '').replace(/\/$/, '');
}

function presentLinks(links: readonly KeyedLink[]) {
  return links.map((link) => ({ name: link.key, href: safeHref(link.url), shown: shortAddress(link.url) }));
}

function presentAddress(key: string, address: string | null) {
  return address === null ? [] : [{ key, href: safeHref(address), shown: shortAddress(address) }];
}

/** Degrees as one reads them, with a link to a map elsewhere: nothing of it is loaded here. */
function presentMap({ latitude, longitude }: CollectiveProfile['place'], language: Language) {
  if (latitude === null || longitude === null) return null;
  const [lat, lon] = [latitude.toFixed(4), longitude.toFixed(4)];
  const degrees = numberFormat(language, { maximumFractionDigits: 4 });
  return {
    latitude: `${degrees.format(Math.abs(latitude))}°`,
    longitude: `${degrees.format(Math.abs(longitude))}°`,
    latitudeKey: latitude < 0 ? 'collectives.page.south' : 'collectives.page.north',
    longitudeKey: longitude < 0 ? 'collectives.page.west' : 'collectives.page.east',
    href: `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=11/${lat}/${lon}`,
  };
}

/** The public page of a hoster. */
export function presentCollective(collective: Collective, site: Site, language: Language) {
  const { profile } = collective;
  const { guarantees, owner, place } = profile;
  const hasText = (text: LocalText) => Boolean(text.fr || text.en);
  const addresses = [
    ...presentAddress('collectives.field.website', profile.website),
    ...presentAddress('collectives.field.contactUrl', profile.contactUrl),
    ...presentAddress('collectives.field.userGuideUrl', profile.userGuideUrl),
    ...presentAddress('collectives.field.technicalGuideUrl', profile.technicalGuideUrl),
    ...presentAddress('collectives.field.legalUrl', profile.legalUrl),
    ...presentAddress('collectives.field.privacyUrl', profile.privacyUrl),
  ];
  const { chatRooms, funding, languages, socialNetworks } = profile;
  return {
    ...presentCard(collective),
    isReachable:
      [addresses, socialNetworks, chatRooms, funding, languages].some((one) => one.length > 0) ||
      profile.contactEmail !== null,
    fediverseName: fediverseName(collective, site),
    description: hasText(profile.description) ? profile.description : null,
    statusDescription: hasText(profile.statusDescription) ? profile.statusDescription : null,
    startDate: profile.startDate,
    endDate: profile.endDate,
    owner: owner.name ? { name: owner.name, href: safeHref(owner.website) } : null,
    countryName: place.countryName,
    map: presentMap(place, language),
    languages,
    email: profile.contactEmail,
    addresses,
    socialNetworks: presentLinks(socialNetworks),
    chatRooms: presentLinks(chatRooms),
    funding: presentLinks(funding),
    memberOf: profile.memberOf.map((row) => ({
      name: row.key,
      startDate: row.startDate,
      endDate: row.endDate,
      status: row.status === null ? null : presentStatus(row.status),
      statusDescription: row.statusDescription,
    })),
    guarantees: {
      backupPolicy: hasText(guarantees.backupPolicy) ? guarantees.backupPolicy : null,
      othersWithAccess: hasText(guarantees.othersWithAccess) ? guarantees.othersWithAccess : null,
      noticeDays: guarantees.noticeDays,
      areStated:
        hasText(guarantees.backupPolicy) || hasText(guarantees.othersWithAccess) || guarantees.noticeDays !== null,
    },
  };
}

export type EditTab =
  | 'overview'
  | 'profile'
  | 'logo'
  | 'services'
  | 'posts'
  | 'asked'
  | 'partners'
  | 'followers'
  | 'members'
  | 'settings'
  | 'history';

/**
 * What every edit page of a hoster shows around its own: name, way back, tabs, and whether it is a draft or in the bin.
 * Templates: {{> collectiveFrame}} with this as `frame`.
 */
export function presentEditFrame(actor: Actor, collective: Collective, current: EditTab, language: Language) {
  const base = editPath(collective);
  const tab = (name: EditTab, href = `${base}/${name}`) => ({
    href,
    key: `collectives.tab.${name}`,
    current: name === current,
  });
  return {
    name: nameIn(collective, language),
    base,
    pageHref: pagePath(collective),
    crumbs: [{ href: '/my/collectives', key: 'collectives.mine.title' }],
    tabs: [
      tab('overview', base),
      tab('profile'),
      tab('logo'),
      tab('services'),
      tab('posts'),
      tab('asked'),
      tab('partners'),
      tab('followers'),
      tab('members'),
      ...(mayManageCollective(actor, collective) ? [tab('settings')] : []),
      tab('history'),
    ],
    isDraft: !collective.published,
    inBin: collective.deletedAt !== null,
    purgeAt: collective.deletedAt === null ? null : purgeDate(collective.deletedAt),
    can: { manage: mayManageCollective(actor, collective) },
  };
}

/** What the profile does not say yet, with where to say it. */
export function presentMissing(collective: Collective) {
  const missing = missingParts(collective.profile, collective.logoId !== null);
  const fieldOf: Record<string, string> = {
    contact: 'contactEmail',
    country: 'place-countryCode',
    backupPolicy: 'guarantees-backupPolicy-fr',
    othersWithAccess: 'guarantees-othersWithAccess-fr',
    noticeDays: 'guarantees-noticeDays',
    tagline: 'tagline-fr',
    description: 'description-fr',
  };
  return {
    filled: partCount - missing.length,
    total: partCount,
    items: missing.map((part) => ({
      href:
        part === 'logo' ? `${editPath(collective)}/logo` : `${editPath(collective)}/profile#f-${fieldOf[part] ?? part}`,
      key: `collectives.missing.${part}`,
      whyKey: `collectives.missing.${part}.why`,
    })),
  };
}

export const legalFormOptions = legalForms.map((value) => ({ value, key: `collectives.legalForm.${value}` }));
export const statusOptions = collectiveStatuses.map((value) => ({ value, key: `collectives.status.${value}` }));
export const roleOptions = (['member', 'representative'] as const).map((value) => ({
  value,
  key: `collectives.role.${value}`,
}));
export const followerOptions = (['at-once', 'by-hand'] as const).map((value) => ({
  value,
  key: `collectives.acceptsFollowers.${value}`,
  hint: `collectives.acceptsFollowers.${value}.hint`,
}));

/** Catalogue keys of the fields that have a mistake: "name.fr" and "funding.0.url" are called by the whole field's name. */
export function fieldLabels(errors: FormState['errors'], prefix = 'collectives.field'): Record<string, string> {
  const nameOf = (field: string) => field.replace(/\.\d+(\..*)?$/, '').replace(/\.(fr|en)$/, '');
  return Object.fromEntries(
    errors.filter(({ field }) => field !== '').map(({ field }) => [field, `${prefix}.${nameOf(field)}`]),
  );
}

const listNames = ['socialNetworks', 'chatRooms', 'funding', 'memberOf'] as const;
/** Empty rows that a form shows below the filled ones. */
const spareRows = { socialNetworks: 2, chatRooms: 2, funding: 2, memberOf: 1 } as const;

/** The profile as its form holds it before anybody has typed: texts, numbers as text, lists as rows. */
export function profileValues(profile: CollectiveProfile): Record<string, unknown> {
  return { ...profile, languages: profile.languages.join(', ') };
}

/** The profile form: values as typed or as stored, with spare rows for the open lists. */
export function presentProfileForm(form: FormState, version: number) {
  const rows = Object.fromEntries(
    listNames.map((name) => {
      const filled = rowsOf(form.values[name]);
      const spare = Array.from({ length: spareRows[name] }, () => ({}));
      return [name, [...filled, ...spare].slice(0, 20)];
    }),
  );
  return { values: form.values, errors: form.errors, labels: fieldLabels(form.errors), rows, version };
}

/** Rows as stored (a list) or as typed (an object by number); rows left empty are not kept, except before filled ones. */
function rowsOf(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const rows = Object.entries(value)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, row]) => (typeof row === 'object' && row !== null ? row : {}));
  const isFilled = (row: object) => Object.values(row).some((cell) => cell !== '' && cell !== null);
  return rows.slice(0, rows.findLastIndex(isFilled) + 1);
}

/** The hoster in the words of schema.org. */
export function organizationOf(
  collective: Collective,
  site: Site,
  language: Language,
  servicePages: readonly string[],
): OrganizationInput {
  const { profile } = collective;
  const { place } = profile;
  const optional = {
    tagLine: textIn(profile.tagline, language) || null,
    description: textIn(profile.description, language) || null,
    homeUrl: profile.website,
    logo: collective.logoId === null ? profile.logoUrl : `${site.baseUrl}/media/${collective.logoId}`,
    email: profile.contactEmail,
    contactUrl: profile.contactUrl,
    foundingDate: profile.startDate,
    dissolutionDate: profile.endDate,
    address: place.address || null,
    countryCode: place.countryCode,
    latitude: place.latitude,
    longitude: place.longitude,
  };
  return {
    pageUrl: site.baseUrl + pagePath(collective),
    name: nameIn(collective, language),
    ...known(optional),
    languages: profile.languages,
    sameAs: profile.socialNetworks.map((link) => link.url),
    servicePages,
  };
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], null> };

function known<T extends object>(all: T): Known<T> {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as Known<T>;
}

export interface Paging {
  page: number;
  pages: number;
  previous: string | null;
  next: string | null;
}

/** Links to the neighbours of a page; empty search fields and page 1 stay out of the address. */
export function paged(
  path: string,
  search: Record<string, string>,
  at: { page: number; pages: number },
  name = 'page',
): Paging {
  const address = (page: number) => {
    const given = Object.entries({ ...search, [name]: page === 1 ? '' : String(page) }).filter(([, value]) => value);
    const query = new URLSearchParams(given).toString();
    return query ? `${path}?${query}` : path;
  };
  return {
    page: at.page,
    pages: at.pages,
    previous: at.page > 1 ? address(at.page - 1) : null,
    next: at.page < at.pages ? address(at.page + 1) : null,
  };
}
