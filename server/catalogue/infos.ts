// Between our profiles and ChatonsInfos models, both ways. What the format has no key for goes under keys of our own,
// "chatiere.…", which other readers leave alone; so what we write we read back unchanged. Pure.
import type { Collective, CollectiveProfile, KeyedLink, MemberOf } from '../collectives/schema.js';
import { emptyProfile as emptyCollectiveProfile } from '../collectives/schema.js';
import type { Language, Site } from '../context.js';
import {
  CHATONSINFOS_PROTOCOL,
  type ChatonsFederation,
  type ChatonsMetrics,
  type ChatonsOrganization,
  type ChatonsService,
  type Common,
  type Links,
  type MetricLabel,
  type Series,
  type Sub,
} from '../formats/chatonsinfos/model.js';
import { type LocalText, optionalUrl } from '../shapes.js';
import { maxSeriesPerService } from './rules.js';
import {
  type MetricsSeries,
  type Need,
  needs,
  type Service,
  type ServiceProfile,
  serviceProfileShape,
} from './schema.js';
import { needsOfSoftware } from './softwareNeeds.js';

const generator = 'Chatière';
const own = 'chatiere.';

type Lines = Common['unknown'];

/** The addresses at which we publish the files of a collective. */
export function fileAddress(site: Site, handle: string, slug?: string, kind?: 'metrics'): string {
  const name = [handle, slug, kind].filter((part) => part !== undefined).join('-');
  return `${site.baseUrl}/.well-known/chatonsinfos/${name}.properties`;
}

/** For the file of the whole instance. */
export function toFederation(
  site: Site,
  settings: { name: string; tagline: LocalText; description: LocalText; contactEmail: string | null },
  collectives: readonly Pick<Collective, 'handle'>[],
  now: Date,
): ChatonsFederation {
  const description = settings.tagline.fr || settings.tagline.en || settings.description.fr || settings.description.en;
  return {
    kind: 'federation',
    ...common(
      now,
      collectives.map(({ handle }) => ({ key: handle, url: fileAddress(site, handle) })),
    ),
    name: settings.name,
    description: description || settings.name,
    website: `${site.baseUrl}/`,
    ...(settings.contactEmail === null ? {} : { contactEmail: settings.contactEmail }),
    socialNetworks: {},
    chatrooms: {},
  };
}

/** The file of a collective; `logo` is the address of its uploaded logo, which wins over the one elsewhere. */
export function toOrganization(
  site: Site,
  collective: Pick<Collective, 'handle' | 'profile' | 'unknownProperties' | 'updatedAt'>,
  services: readonly Pick<Service, 'slug'>[],
  logo: string | null,
): ChatonsOrganization {
  const { profile, handle } = collective;
  const name = encode('organization.name', profile.name);
  const [said, rest] = isEmpty(profile.tagline) ? [profile.description, null] : [profile.tagline, profile.description];
  const description = encode('organization.description', said);
  const status = encode('organization.status.description', profile.statusDescription);
  const { guarantees, place, owner } = profile;
  const extra: Lines = [
    ...name.extra,
    ...description.extra,
    ...(rest === null && !isEmpty(said) ? [line('organization.description.is', 'long')] : []),
    ...(rest === null ? [] : both('organization.presentation', rest)),
    ...status.extra,
    ...given('organization.privacy.url', profile.privacyUrl),
    ...given('organization.languages', profile.languages.join(', ')),
    ...both('organization.backup', guarantees.backupPolicy),
    ...both('organization.access', guarantees.othersWithAccess),
    ...given('organization.notice.days', guarantees.noticeDays === null ? '' : String(guarantees.noticeDays)),
  ];
  const subs = services.map(({ slug }) => ({ key: slug, url: fileAddress(site, handle, slug) }));
  return {
    kind: 'organization',
    ...common(collective.updatedAt, subs, [...extra, ...collective.unknownProperties]),
    ...present({
      name: name.main,
      description: description.main,
      type: profile.legalForm,
      statusLevel: profile.status,
      statusDescription: status.main,
      startDate: profile.startDate,
      endDate: profile.endDate,
      website: profile.website,
      logo: logo ?? profile.logoUrl,
      contactUrl: profile.contactUrl,
      contactEmail: profile.contactEmail,
      legalUrl: profile.legalUrl,
      guideTechnical: profile.technicalGuideUrl,
      guideUser: profile.userGuideUrl,
      ownerName: owner.name,
      ownerWebsite: owner.website,
      ownerLogo: owner.logo,
      countryName: place.countryName,
      countryCode: place.countryCode,
      latitude: place.latitude,
      longitude: place.longitude,
      address: place.address,
    }),
    memberOf: Object.fromEntries(
      profile.memberOf.map(({ key, startDate, endDate, status: level, statusDescription }) => [
        key,
        present({ startDate, endDate, statusLevel: level, statusDescription }),
      ]),
    ),
    socialNetworks: linksOf(profile.socialNetworks),
    chatrooms: linksOf(profile.chatRooms),
    funding: linksOf(profile.funding),
  };
}

/** The file of a service; its figures are in a file of their own. */
export function toService(
  site: Site,
  service: Pick<Service, 'profile' | 'hoster' | 'slug' | 'updatedAt' | 'unknownProperties'> & Figures,
): ChatonsService {
  const { profile, hoster, slug } = service;
  const name = encode('service.name', profile.name);
  const description = encode('service.description', profile.description);
  const status = encode('service.status.description', profile.statusDescription);
  const { software, host } = profile;
  const extra: Lines = [
    ...name.extra,
    ...description.extra,
    ...status.extra,
    line('service.needs', profile.needs.join(', ') || 'none'),
    ...both('service.price', profile.priceNote),
    ...both('service.limits', profile.limits),
    ...given('service.languages', profile.languages.join(', ')),
  ];
  const hasFigures = service.metrics.length + service.metricsLabels.length + service.unknownMetrics.length > 0;
  const subs = hasFigures ? [{ key: 'metrics', url: fileAddress(site, hoster.handle, slug, 'metrics') }] : [];
  return {
    kind: 'service',
    ...common(service.updatedAt, subs, [...extra, ...service.unknownProperties]),
    ...present({
      name: name.main,
      description: description.main,
      website: profile.website,
      logo: profile.logoUrl,
      legalUrl: profile.legalUrl,
      guideTechnical: profile.technicalGuideUrl,
      guideUser: profile.userGuideUrl,
      contactUrl: profile.contactUrl,
      contactEmail: profile.contactEmail,
      startDate: profile.startDate,
      endDate: profile.endDate,
      statusLevel: profile.status,
      statusDescription: status.main,
      registration: profile.registration,
      registrationLoad: profile.load,
      installType: profile.installType,
    }),
    software: present({ ...software, modules: software.modules.length > 0 ? software.modules : null }),
    host: present({
      name: host.name,
      description: host.description,
      serverType: host.serverType,
      serverDistribution: host.distribution,
      providerType: host.providerType,
      hypervisor: host.hypervisor,
      countryName: host.countryName,
      countryCode: host.countryCode,
    }),
  };
}

type Figures = Pick<Service, 'metrics' | 'metricsLabels' | 'unknownMetrics'>;

export function toMetrics(service: Figures & Pick<Service, 'updatedAt'>): ChatonsMetrics {
  const labels = service.metricsLabels.map(({ path, name, description }) => present({ path, name, description }));
  return {
    kind: 'metrics',
    ...common(service.updatedAt, [], service.unknownMetrics),
    labels: labels.flatMap(({ path, ...label }) => (path === undefined ? [] : [{ path, ...label }])),
    series: service.metrics,
  };
}

function common(at: Date, subs: Sub[], unknown: Lines = []): Common {
  const file = { protocol: CHATONSINFOS_PROTOCOL, dateTime: at.toISOString().slice(0, 19), generator };
  return { file, subs, labels: [], series: [], unknown };
}

/** A value of one of our lists that the hoster's file does not give leaves the current one as it is. */
export interface ServiceReading {
  profile: ServiceProfile;
  /** Profile paths whose value in the file is not possible here, with the reason (a key of the locales). */
  refused: { path: string; key: string }[];
  metrics: MetricsSeries[];
  metricsLabels: Service['metricsLabels'];
  unknownProperties: Lines;
  unknownMetrics: Lines;
}

type Known = Pick<Service, 'profile' | 'metrics' | 'metricsLabels' | 'unknownMetrics'>;

/**
 * What a service becomes when its file and the file of its figures are taken over. Fields that the file does not give
 * stay as they are; in a file that we wrote ourselves, such a field is empty. `current` null: a new service.
 */
export function readServiceModel(
  model: ChatonsService,
  figures: readonly ChatonsMetrics[],
  current: Known | null,
  language: Language,
): ServiceReading {
  const extra = new Extra(model);
  const blank = blankProfile();
  const base = extra.isOwn || !current ? blank : current.profile;
  const { software, host } = model;
  const text = (key: string, main: string | undefined, now: LocalText) => extra.text(key, main, now, language);
  const given: ServiceProfile = {
    name: flat(text('service.name', model.name, base.name)),
    description: text('service.description', model.description, base.description),
    website: model.website ?? base.website,
    logoUrl: model.logo ?? base.logoUrl,
    legalUrl: model.legalUrl ?? base.legalUrl,
    technicalGuideUrl: model.guideTechnical ?? base.technicalGuideUrl,
    userGuideUrl: model.guideUser ?? base.userGuideUrl,
    contactUrl: model.contactUrl ?? base.contactUrl,
    contactEmail: model.contactEmail ?? base.contactEmail,
    startDate: model.startDate ?? base.startDate,
    endDate: model.endDate ?? base.endDate,
    status: model.statusLevel ?? base.status,
    statusDescription: flat(text('service.status.description', model.statusDescription, base.statusDescription)),
    registration: model.registration ?? base.registration,
    load: model.registrationLoad ?? base.load,
    installType: model.installType ?? base.installType,
    needs: extra.needs() ?? (current && !extra.isOwn ? base.needs : needsOfSoftware(software.name ?? '')),
    priceNote: extra.both('service.price', base.priceNote),
    limits: extra.both('service.limits', base.limits),
    languages: extra.words('service.languages') ?? base.languages,
    software: {
      name: oneLine(software.name) ?? base.software.name,
      website: software.website ?? base.software.website,
      licenseName: oneLine(software.licenseName) ?? base.software.licenseName,
      licenseUrl: software.licenseUrl ?? base.software.licenseUrl,
      version: oneLine(software.version) ?? base.software.version,
      sourceUrl: software.sourceUrl ?? base.software.sourceUrl,
      modules: software.modules ?? base.software.modules,
    },
    host: {
      name: oneLine(host.name) ?? base.host.name,
      description: host.description ?? base.host.description,
      serverType: host.serverType ?? base.host.serverType,
      distribution: oneLine(host.serverDistribution) ?? base.host.distribution,
      providerType: host.providerType ?? base.host.providerType,
      hypervisor: oneLine(host.hypervisor) ?? base.host.hypervisor,
      countryName: oneLine(host.countryName) ?? base.host.countryName,
      countryCode: host.countryCode ?? base.host.countryCode,
    },
  };
  const { profile, refused } = fitProfile(given, base);
  const read = [...figures, model];
  const saysNone = extra.isOwn && model.subs.length === 0;
  const hasFigures = saysNone || figures.length > 0 || model.series.length > 0;
  return {
    profile,
    refused,
    metrics: hasFigures ? mergeSeries(read.flatMap(({ series }) => series)) : (current?.metrics ?? []),
    metricsLabels: hasFigures ? mergeLabels(read.flatMap(({ labels }) => labels)) : (current?.metricsLabels ?? []),
    unknownProperties: extra.rest(),
    unknownMetrics: hasFigures ? figures.flatMap(({ unknown }) => unknown) : (current?.unknownMetrics ?? []),
  };
}

function blankProfile(): ServiceProfile {
  return { ...serviceProfileShape.parse({ name: { fr: '-' } }), name: { fr: '', en: '' } };
}

export interface OrganizationReading {
  patch: CollectiveProfile;
  unknownProperties: Lines;
}

/** What a collective becomes when its file is taken over, by the same rules as readServiceModel. */
export function readOrganizationModel(
  model: ChatonsOrganization,
  current: CollectiveProfile,
  language: Language,
  site: Site,
): OrganizationReading {
  const extra = new Extra(model);
  const base = extra.isOwn ? { ...emptyCollectiveProfile(), legalForm: current.legalForm } : current;
  const text = (key: string, main: string | undefined, now: LocalText) => extra.text(key, main, now, language);
  const isLong =
    extra.get('organization.description.is') === 'long' ||
    (!extra.isOwn && (/\n/.test(model.description ?? '') || (model.description ?? '').length > 160));
  const said = text('organization.description', model.description, isLong ? base.description : base.tagline);
  const ownLogo = model.logo?.startsWith(`${site.baseUrl}/`) === true;
  const name = clip(flat(text('organization.name', model.name, base.name)), 120);
  const coordinates = model.latitude !== undefined && model.longitude !== undefined;
  const patch: CollectiveProfile = {
    name: isEmpty(name) ? current.name : name,
    tagline: isLong ? base.tagline : clip(said, 160),
    description: clip(isLong ? said : extra.both('organization.presentation', base.description), 5000),
    legalForm: model.type ?? base.legalForm,
    status: model.statusLevel ?? base.status,
    statusDescription: clip(
      flat(text('organization.status.description', model.statusDescription, base.statusDescription)),
      500,
    ),
    startDate: model.startDate ?? base.startDate,
    endDate: model.endDate ?? base.endDate,
    website: address(model.website) ?? base.website,
    logoUrl: ownLogo ? current.logoUrl : (address(model.logo) ?? base.logoUrl),
    contactUrl: address(model.contactUrl) ?? base.contactUrl,
    contactEmail: model.contactEmail ?? base.contactEmail,
    legalUrl: address(model.legalUrl) ?? base.legalUrl,
    technicalGuideUrl: address(model.guideTechnical) ?? base.technicalGuideUrl,
    userGuideUrl: address(model.guideUser) ?? base.userGuideUrl,
    privacyUrl: address(extra.get('organization.privacy.url')) ?? base.privacyUrl,
    owner: {
      name: oneLine(model.ownerName)?.slice(0, 120) ?? base.owner.name,
      website: address(model.ownerWebsite) ?? base.owner.website,
      logo: address(model.ownerLogo) ?? base.owner.logo,
    },
    place: {
      address: oneLine(model.address)?.slice(0, 300) ?? base.place.address,
      countryCode: model.countryCode ?? base.place.countryCode,
      countryName: oneLine(model.countryName)?.slice(0, 80) ?? base.place.countryName,
      latitude: coordinates ? (model.latitude ?? null) : base.place.latitude,
      longitude: coordinates ? (model.longitude ?? null) : base.place.longitude,
    },
    languages: extra.words('organization.languages') ?? base.languages,
    memberOf: memberships(model, base.memberOf),
    socialNetworks: mergeLinks(model.socialNetworks, base.socialNetworks),
    chatRooms: mergeLinks(model.chatrooms, base.chatRooms),
    funding: mergeLinks(model.funding, base.funding),
    guarantees: {
      backupPolicy: clip(extra.both('organization.backup', base.guarantees.backupPolicy), 2000),
      othersWithAccess: clip(extra.both('organization.access', base.guarantees.othersWithAccess), 2000),
      noticeDays: extra.number('organization.notice.days', 3650) ?? base.guarantees.noticeDays,
    },
  };
  const inOrder: CollectiveProfile = {
    ...patch,
    memberOf: keepOrder(patch.memberOf, current.memberOf),
    socialNetworks: keepOrder(patch.socialNetworks, current.socialNetworks),
    chatRooms: keepOrder(patch.chatRooms, current.chatRooms),
    funding: keepOrder(patch.funding, current.funding),
  };
  return { patch: inOrder, unknownProperties: extra.rest() };
}

/** The same items as before in another order are no change. */
function keepOrder<T extends { key: string }>(list: T[], before: T[]): T[] {
  const place = new Map(before.map(({ key }, index) => [key, index]));
  const rank = ({ key }: T) => place.get(key) ?? before.length;
  return list.toSorted((a, b) => rank(a) - rank(b));
}

function memberships(model: ChatonsOrganization, before: MemberOf[]): MemberOf[] {
  const given = Object.entries(model.memberOf).map(([key, membership]): MemberOf => {
    const known = before.find((other) => other.key === key);
    return {
      key,
      startDate: membership.startDate ?? known?.startDate ?? null,
      endDate: membership.endDate ?? known?.endDate ?? null,
      status: membership.statusLevel ?? known?.status ?? null,
      statusDescription: oneLine(membership.statusDescription)?.slice(0, 500) ?? known?.statusDescription ?? '',
    };
  });
  return [...given, ...before.filter(({ key }) => !Object.hasOwn(model.memberOf, key))].slice(0, 20);
}

function mergeLinks(links: Links, before: KeyedLink[]): KeyedLink[] {
  const given = Object.entries(links).map(([key, url]) => ({ key, url }));
  return [...given, ...before.filter(({ key }) => !Object.hasOwn(links, key))].slice(0, 20);
}

function linksOf(links: readonly KeyedLink[]): Links {
  return Object.fromEntries(links.map(({ key, url }) => [key, url]));
}

/** What the shapes of our forms refuse stays as it was, and is named. */
/** Values that are not possible here are left as in `base`; without a name nothing can be done. */
export function fitProfile(given: ServiceProfile, base: ServiceProfile): Pick<ServiceReading, 'profile' | 'refused'> {
  const parsed = serviceProfileShape.safeParse(given);
  if (parsed.success) return { profile: parsed.data, refused: [] };
  const refused = new Map<string, string>();
  const next = { ...given, software: { ...given.software }, host: { ...given.host } };
  for (const { path, message } of parsed.error.issues) {
    const [first, second] = path.map(String);
    if (first === 'software' && isKey(next.software, second)) restore(next.software, base.software, second);
    else if (first === 'host' && isKey(next.host, second)) restore(next.host, base.host, second);
    else if (isKey(next, first)) restore(next, base, first);
    const isPart = first === 'software' || first === 'host';
    refused.set(isPart ? `${first}.${second}` : (first ?? ''), message);
  }
  const again = serviceProfileShape.safeParse(next);
  return {
    profile: again.success ? again.data : { ...next, name: { fr: '', en: '' } },
    refused: [...refused].map(([path, key]) => ({ path, key })),
  };
}

function isKey<T extends object>(object: T, key: string | undefined): key is Extract<keyof T, string> {
  return key !== undefined && Object.hasOwn(object, key);
}

function restore<T, K extends keyof T>(target: T, from: T, key: K): void {
  target[key] = from[key];
}

function mergeSeries(series: readonly Series[]): MetricsSeries[] {
  const kept = new Map(series.map((one) => [`${one.path} ${one.year} ${one.step}`, one]));
  return [...kept.values()].slice(0, maxSeriesPerService);
}

function mergeLabels(labels: readonly MetricLabel[]): Service['metricsLabels'] {
  const kept = new Map(labels.map((label) => [label.path, label]));
  return [...kept.values()]
    .slice(0, maxSeriesPerService)
    .map(({ path, name = '', description = '' }) => ({ path, name, description }));
}

/** Our own lines of a file, and what is left when they are taken. */
class Extra {
  readonly isOwn: boolean;
  readonly #lines: Lines;
  readonly #values: Map<string, string>;

  constructor(model: Common) {
    this.isOwn = model.file.generator === generator;
    this.#lines = model.unknown;
    this.#values = new Map(model.unknown.map(({ key, value }) => [key, value]));
  }

  get(key: string): string | undefined {
    return this.#values.get(own + key) || undefined;
  }

  /** A text whose main language stands under the format's own key. */
  text(key: string, main: string | undefined, now: LocalText, language: Language): LocalText {
    if (main === undefined) return now;
    const en = this.get(`${key}.en`);
    if (en !== undefined) return { fr: main, en };
    if (this.get(`${key}.lang`) === 'en') return { fr: '', en: main };
    if (this.isOwn) return { fr: main, en: '' };
    return now.fr === main || now.en === main ? now : { ...now, [language]: main };
  }

  both(key: string, now: LocalText): LocalText {
    return { fr: this.get(`${key}.fr`) ?? now.fr, en: this.get(`${key}.en`) ?? now.en };
  }

  words(key: string): string[] | undefined {
    const value = this.get(key);
    const tags = value?.split(/[\s,]+/).filter((tag) => /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(tag));
    return tags?.slice(0, 20);
  }

  number(key: string, max: number): number | undefined {
    const value = this.get(key);
    return value !== undefined && /^\d{1,4}$/.test(value) && Number(value) <= max ? Number(value) : undefined;
  }

  needs(): Need[] | undefined {
    const words = this.get('service.needs')?.split(/[\s,]+/);
    return words && [...new Set(words.flatMap((word) => needs.filter((need) => need === word)))];
  }

  rest(): Lines {
    return this.#lines.filter(({ key }) => !key.startsWith(own));
  }
}

function line(key: string, value: string): Lines[number] {
  return { key: own + key, value };
}

function given(key: string, value: string | null): Lines {
  return value === null || value === '' ? [] : [line(key, value)];
}

function both(key: string, text: LocalText): Lines {
  return [...given(`${key}.fr`, text.fr), ...given(`${key}.en`, text.en)];
}

/** The main language under the format's key, the other under one of ours. */
function encode(key: string, text: LocalText): { main: string; extra: Lines } {
  if (text.fr !== '') return { main: text.fr, extra: given(`${key}.en`, text.en) };
  return { main: text.en, extra: text.en === '' ? [] : [line(`${key}.lang`, 'en')] };
}

function isEmpty(text: LocalText): boolean {
  return text.fr === '' && text.en === '';
}

function flat(text: LocalText): LocalText {
  return { fr: oneLine(text.fr) ?? '', en: oneLine(text.en) ?? '' };
}

function clip(text: LocalText, max: number): LocalText {
  return { fr: text.fr.slice(0, max), en: text.en.slice(0, max) };
}

function oneLine(text: string | undefined): string | undefined {
  return text?.replace(/\s*\p{Cc}+\s*/gu, ' ').trim();
}

function address(text: string | undefined): string | undefined {
  return optionalUrl.safeParse(text ?? '').data ?? undefined;
}

/** Without what is empty: in a model, absent means not given. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], null> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== '');
  // Only entries of T are left, and none of them is null.
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], null> };
}
