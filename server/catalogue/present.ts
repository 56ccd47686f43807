// Services as plain data for templates: what to show, in which words, what the reader may do.

import { editPath, safeHref, shortAddress } from '../collectives/present.js';
import { mayEditCollective } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Actor, Language, Site } from '../context.js';
import { presentHome, presentPlaces } from '../elsewhere/present.js';
import type { RemoteCollective } from '../elsewhere/schema.js';
import type { ServiceInput } from '../formats/schemaOrg.js';
import { dateFormat, languageName, numberFormat, regionName } from '../formatters.js';
import type { FormState } from '../http/form.js';
import type { Translate } from '../i18n.js';
import { type LocalText, textIn } from '../shapes.js';
import { type Dimension, dimensions, type Facet, type FinderEntry, type FinderResult } from './finder.js';
import { dayOf, isOver, lintProfile, purgeDate } from './rules.js';
import {
  type FinderQuery,
  installTypes,
  loads,
  needs,
  providerTypes,
  registrations,
  type Service,
  type ServiceNews,
  type ServiceProfile,
  type ServiceStatus,
  type Source,
  serverTypes,
  serviceStatuses,
} from './schema.js';

export function servicePath(service: Pick<Service, 'hoster' | 'slug'>): string {
  return `/@${service.hoster.handle}/services/${service.slug}`;
}

export function serviceEditPath(service: Pick<Service, '_id' | 'collectiveId'>): string {
  return `/my/collectives/${service.collectiveId}/services/${service._id}`;
}

const statusKinds: Record<ServiceStatus, string> = {
  OK: 'well',
  WARNING: 'waiting',
  ALERT: 'waiting',
  ERROR: 'broken',
  OVER: 'none',
  VOID: 'none',
};

export function presentServiceStatus(status: ServiceStatus) {
  return { kind: statusKinds[status], label: `catalogue.status.${status}` };
}

/** One line of a list of services. `homes`: what is known of the hosters elsewhere, by id. */
export function presentEntry(entry: FinderEntry, homes?: ReadonlyMap<string, RemoteCollective>) {
  const { elsewhere } = entry;
  return {
    href: elsewhere ? safeHref(elsewhere.url) : servicePath(entry),
    name: entry.name,
    summary: entry.summary,
    hoster: {
      href: elsewhere ? safeHref(elsewhere.hosterUrl) : `/@${entry.hoster.handle}`,
      name: entry.hoster.name,
    },
    home: elsewhere && presentHome(elsewhere, homes?.get(elsewhere.hosterId)),
    needs: entry.needs.map((need) => ({ key: `catalogue.need.${need}`, href: `/services?need=${need}` })),
    registration: `catalogue.registration.${entry.registration}`,
    load: { kind: entry.load === 'OPEN' ? 'well' : 'waiting', label: `catalogue.load.${entry.load}` },
    // A service that works needs no word for it.
    status: entry.status === 'OK' ? null : presentServiceStatus(entry.status),
    country: entry.country,
    software: entry.software,
    endDate: entry.endDate,
  };
}

type Option = { value: string; label: string };

/** What the finder does when nothing is said of it. */
function isUsual(name: string, value: unknown): boolean {
  return (
    (name === 'page' && value === 1) ||
    (name === 'sort' && value === 'name') ||
    (name === 'where' && value === 'everywhere')
  );
}

/** The address of the finder with these filters; what is not chosen stays out of it. */
export function finderPath(query: Partial<Record<keyof FinderQuery, string | number | undefined>>): string {
  const given = Object.entries(query).filter(
    ([name, value]) => value !== undefined && value !== '' && !isUsual(name, value),
  );
  const search = new URLSearchParams(
    Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
  ).toString();
  return search ? `/services?${search}` : '/services';
}

const mostOptions = 60;

/** The finder: filters with what each choice would leave, the choices made and how to undo them, results, neighbours. */
export function presentFinder(
  query: FinderQuery,
  result: FinderResult,
  homes: ReadonlyMap<string, RemoteCollective>,
  language: Language,
  t: Translate,
) {
  const labelOf = labeller(language, t);
  const options = (dimension: Dimension): Option[] =>
    result.facets[dimension]
      .slice(0, mostOptions)
      .map((facet) => ({ value: facet.value, name: labelOf(dimension, facet), count: facet.count }))
      .sort((a, b) => a.name.localeCompare(b.name, language))
      .map(({ value, name, count }) => ({ value, label: t('catalogue.finder.option', { name, count }) }));
  const chosen = dimensions.flatMap((dimension) => {
    const value = query[dimension];
    if (value === undefined) return [];
    const facet = result.facets[dimension].find((one) => one.value === value) ?? { value, label: value, count: 0 };
    return [{ dimension, name: labelOf(dimension, facet) }];
  });
  const words =
    query.q === '' ? [] : [{ dimension: 'q' as const, name: t('catalogue.finder.words', { words: query.q }) }];
  const named = new Map([...words, ...chosen].map(({ dimension, name }) => [dimension, name]));
  const without = (filter: Dimension | 'q') => finderPath({ ...query, [filter]: undefined, page: 1 });
  return {
    query,
    options: Object.fromEntries(dimensions.map((dimension) => [dimension, options(dimension)])),
    whereOptions: result.knowsOthers ? presentPlaces(result.places, t) : null,
    wider:
      query.where === 'here' && result.total === 0 && result.places.everywhere > 0
        ? { href: finderPath({ ...query, where: undefined, page: 1 }), count: result.places.everywhere }
        : null,
    clearHref: finderPath({ where: query.where }),
    sortOptions: (['name', 'newest'] as const).map((value) => ({ value, key: `catalogue.finder.sort.${value}` })),
    hasMore: ['software', 'provider', 'server', 'language'].some((name) => named.has(name as Dimension)),
    active: [...named].map(([dimension, name]) => ({ name, href: without(dimension) })),
    suggestions:
      result.total > 0
        ? []
        : result.without
            .slice(0, 4)
            .map(({ filter, count }) => ({ name: named.get(filter) ?? '', href: without(filter), count })),
    items: result.items.map((entry) => presentEntry(entry, homes)),
    total: result.total,
    all: result.all,
    isNarrowed: named.size > 0,
    paging: {
      page: result.page,
      pages: result.pages,
      previous: result.page > 1 ? finderPath({ ...query, page: result.page - 1 }) : null,
      next: result.page < result.pages ? finderPath({ ...query, page: result.page + 1 }) : null,
    },
  };
}

function labeller(language: Language, t: Translate): (dimension: Dimension, facet: Facet) => string {
  const keys: Partial<Record<Dimension, string>> = {
    need: 'need',
    signup: 'registration',
    room: 'load',
    provider: 'providerType',
    server: 'serverType',
  };
  return (dimension, { value, label }) => {
    const key = keys[dimension];
    if (key !== undefined) return t(`catalogue.${key}.${value}`);
    if (dimension === 'country') return regionName(language, value);
    if (dimension === 'language') return languageName(language, value);
    return label;
  };
}

const hasText = (text: LocalText): LocalText | null => (text.fr || text.en ? text : null);

function presentAddress(key: string, address: string | null) {
  return address === null ? [] : [{ key, href: safeHref(address), shown: shortAddress(address) }];
}

/** The page of a service, in the order of a visitor's questions. */
export function presentService(
  service: Service,
  collective: Collective,
  actor: Actor,
  now: Date,
  language: Language,
  t: Translate,
) {
  const { profile } = service;
  const { software, host } = profile;
  const today = dayOf(now);
  return {
    href: servicePath(service),
    name: profile.name,
    description: hasText(profile.description),
    website: safeHref(profile.website),
    isOver: isOver(profile, today),
    endsAt: profile.endDate !== null && profile.endDate >= today ? profile.endDate : null,
    startDate: profile.startDate,
    endDate: profile.endDate,
    status: presentServiceStatus(profile.status),
    isWell: profile.status === 'OK',
    statusDescription: hasText(profile.statusDescription),
    registration: {
      key: `catalogue.registration.${profile.registration}`,
      hint: `catalogue.registration.${profile.registration}.hint`,
    },
    load: { kind: profile.load === 'OPEN' ? 'well' : 'waiting', label: `catalogue.load.${profile.load}` },
    hasRoom: profile.load === 'OPEN',
    priceNote: hasText(profile.priceNote),
    priceDefault: profile.registration === 'Client' ? 'catalogue.page.price.Client' : 'catalogue.page.price.none',
    limits: hasText(profile.limits),
    needs: profile.needs.map((need) => ({ key: `catalogue.need.${need}`, href: `/services?need=${need}` })),
    languages: profile.languages,
    contactEmail: profile.contactEmail ?? collective.profile.contactEmail,
    addresses: [
      ...presentAddress('catalogue.field.userGuideUrl', profile.userGuideUrl),
      ...presentAddress('catalogue.field.contactUrl', profile.contactUrl),
      ...presentAddress('catalogue.field.legalUrl', profile.legalUrl),
      ...presentAddress('catalogue.field.technicalGuideUrl', profile.technicalGuideUrl),
    ],
    software: {
      name: software.name,
      href: safeHref(software.website),
      version: software.version,
      license: software.licenseName,
      licenseHref: safeHref(software.licenseUrl),
      sourceHref: safeHref(software.sourceUrl),
      modules: software.modules,
    },
    host: {
      name: host.name,
      description: host.description,
      country: service.country,
      countryName: host.countryName,
      provider: host.providerType === null ? null : `catalogue.providerType.${host.providerType}`,
      server: host.serverType === null ? null : `catalogue.serverType.${host.serverType}`,
      distribution: host.distribution,
      hypervisor: host.hypervisor,
    },
    installType: profile.installType === null ? null : `catalogue.installType.${profile.installType}`,
    hoster: {
      href: `/@${collective.handle}`,
      name: collective.profile.name,
      tagline: collective.profile.tagline,
      logo: collective.logoId === null ? null : `/media/${collective.logoId}`,
      backupPolicy: hasText(collective.profile.guarantees.backupPolicy),
      othersWithAccess: hasText(collective.profile.guarantees.othersWithAccess),
      noticeDays: collective.profile.guarantees.noticeDays,
      status: collective.profile.status,
    },
    saysWhere: [service.country, host.name, host.providerType, host.serverType, host.description, software.name].some(
      Boolean,
    ),
    updatedAt: service.updatedAt,
    charts: presentCharts(service, language, t),
    isDraft: !service.published,
    isHidden: service.published && !service.listed,
    inBin: service.deletedAt !== null,
    can: { edit: mayEditCollective(actor, collective) },
    editHref: serviceEditPath(service),
    historyHref: `${editPath(collective)}/history?of=${service._id}`,
  };
}

/** The service in the words of schema.org. */
export function serviceInput(
  service: Service,
  collective: Collective,
  site: Site,
  language: Language,
  t: Translate,
): ServiceInput {
  const { profile } = service;
  const [need] = profile.needs;
  const description = textIn(profile.description, language);
  const priceNote = textIn(profile.priceNote, language);
  const { website, logoUrl, legalUrl, software } = profile;
  const audience =
    profile.registration === 'Client' ? 'clients' : profile.registration === 'Member' ? 'members' : 'free';
  return {
    pageUrl: site.baseUrl + servicePath(service),
    name: textIn(profile.name, language),
    ...(description ? { description } : {}),
    ...(website === null ? {} : { homeUrl: website }),
    ...(logoUrl === null ? {} : { logo: logoUrl }),
    ...(legalUrl === null ? {} : { termsUrl: legalUrl }),
    ...(software.version ? { softwareVersion: software.version } : {}),
    ...(software.licenseUrl === null ? {} : { licenseUrl: software.licenseUrl }),
    ...(need === undefined ? {} : { category: t(`catalogue.need.${need}`) }),
    languages: profile.languages,
    provider: { pageUrl: `${site.baseUrl}/@${collective.handle}`, name: textIn(collective.profile.name, language) },
    audience,
    hasRoom: profile.load === 'OPEN',
    ...(priceNote ? { priceNote } : {}),
  };
}

interface Bar {
  label: string;
  value: number | null;
  x: number;
  y: number;
  width: number;
  height: number;
}

const chartWidth = 480;
const chartHeight = 150;
/** How many periods of a kind are drawn, the last ones. */
const mostBars = { months: 24, weeks: 53, days: 62, year: 20 } as const;

/** The figures of a service: a drawing and the same numbers as a table, one for each metric, the widest step first. */
export function presentCharts(service: Pick<Service, 'metrics' | 'metricsLabels'>, language: Language, t: Translate) {
  const paths = [...new Set(service.metrics.map(({ path }) => path))];
  return paths.flatMap((path) => {
    const series = service.metrics.filter((one) => one.path === path);
    const step = (['months', 'weeks', 'days', 'year'] as const).find((one) =>
      series.some((other) => other.step === one),
    );
    if (step === undefined) return [];
    const points = series
      .filter((one) => one.step === step)
      .toSorted((a, b) => a.year - b.year)
      .flatMap(({ year, values }) =>
        values.map((value, index) => ({ label: periodLabel(step, year, index, language, t), value })),
      );
    const first = points.findIndex(({ value }) => value !== null);
    const last = points.findLastIndex(({ value }) => value !== null);
    const shown = first < 0 ? [] : points.slice(first, last + 1).slice(-mostBars[step]);
    if (shown.length === 0) return [];
    const most = Math.max(...shown.map(({ value }) => value ?? 0), 1);
    const label = service.metricsLabels.find((one) => one.path === path);
    const key = `catalogue.metric.${path}`;
    const known = t(key);
    const id = `figures-${path.replace(/[^a-z0-9]+/gi, '-')}`;
    return [
      {
        id,
        title: label?.name || (known === key ? path : known),
        description: label?.description ?? '',
        width: chartWidth,
        height: chartHeight,
        bars: bars(shown, most),
        most: numberFormat(language, undefined).format(most),
        from: shown[0]?.label ?? '',
        to: shown.at(-1)?.label ?? '',
      },
    ];
  });
}

function bars(points: { label: string; value: number | null }[], most: number): Bar[] {
  const slot = chartWidth / points.length;
  return points.map(({ label, value }, index) => {
    const height = Math.round(((Math.max(0, value ?? 0) / most) * chartHeight + Number.EPSILON) * 10) / 10;
    const x = Math.round((index * slot + slot * 0.1) * 10) / 10;
    return { label, value, x, y: chartHeight - height, width: Math.round(slot * 8) / 10, height };
  });
}

function periodLabel(
  step: keyof typeof mostBars,
  year: number,
  index: number,
  language: Language,
  t: Translate,
): string {
  if (step === 'year') return String(year);
  if (step === 'weeks') return t('catalogue.metrics.week', { week: index + 1, year: String(year) });
  const date = step === 'months' ? new Date(Date.UTC(year, index, 1)) : new Date(Date.UTC(year, 0, index + 1));
  const style: Intl.DateTimeFormatOptions =
    step === 'months' ? { month: 'long', year: 'numeric' } : { dateStyle: 'medium' };
  return dateFormat(language === 'en' ? 'en-GB' : language, { ...style, timeZone: 'UTC' }).format(date);
}

export function monthNames(language: Language): string[] {
  const format = dateFormat(language, { month: 'long', timeZone: 'UTC' });
  return Array.from({ length: 12 }, (_, month) => format.format(new Date(Date.UTC(2026, month, 1))));
}

/** One line of the hoster's own list. */
export function presentOwn(service: Service, now: Date) {
  const { profile } = service;
  return {
    id: service._id,
    name: profile.name,
    editHref: serviceEditPath(service),
    href: servicePath(service),
    software: profile.software.name,
    status: presentServiceStatus(profile.status),
    load: `catalogue.load.${profile.load}`,
    isOver: isOver(profile, dayOf(now)),
    isListed: service.listed,
    endDate: profile.endDate,
    fromSource: service.origin !== null && /^https?:/.test(service.origin),
    remarks: lintProfile(profile).length,
    purgeAt: service.deletedAt === null ? null : purgeDate(service.deletedAt),
    updatedAt: service.updatedAt,
  };
}

const optionsOf = (words: readonly string[], prefix: string, hints = false) =>
  words.map((value) => ({
    value,
    key: `catalogue.${prefix}.${value}`,
    ...(hints ? { hint: `catalogue.${prefix}.${value}.hint` } : {}),
  }));

/** The closed lists of the form. */
export const formOptions = {
  needs: optionsOf(needs, 'need'),
  statuses: optionsOf(serviceStatuses, 'status'),
  registrations: optionsOf(registrations, 'registration', true),
  loads: optionsOf(loads, 'load', true),
  installTypes: optionsOf(installTypes, 'installType'),
  serverTypes: optionsOf(serverTypes, 'serverType'),
  providerTypes: optionsOf(providerTypes, 'providerType'),
};

/** The profile as its form holds it before anybody has typed. */
export function profileValues(profile: ServiceProfile): Record<string, unknown> {
  const { languages, software } = profile;
  return {
    ...profile,
    languages: languages.join(', '),
    software: { ...software, modules: software.modules.join(', ') },
  };
}

/** Catalogue keys of the fields that have a mistake. */
export function fieldLabels(errors: FormState['errors'], prefix = 'catalogue.field'): Record<string, string> {
  const nameOf = (field: string) => field.replace(/\.(fr|en)$/, '').replace(/\.\d+$/, '');
  return Object.fromEntries(
    errors.filter(({ field }) => field !== '').map(({ field }) => [field, `${prefix}.${nameOf(field)}`]),
  );
}

/** Friendly remarks beside the form. */
export function presentRemarks(profile: ServiceProfile) {
  return lintProfile(profile).map((name) => ({ key: `catalogue.remark.${name}` }));
}

/** Where the files are read from, and how it goes. */
export function presentSource(source: Source | null) {
  if (!source) return null;
  return {
    url: source.url,
    href: safeHref(source.url),
    everyHours: source.everyHours,
    lastSuccessAt: source.lastSuccessAt,
    nextAt: source.stoppedAt === null ? source.nextAt : null,
    error: source.lastError,
    strikes: source.strikes,
    isStopped: source.stoppedAt !== null,
    fileCount: source.fileCount,
    warningCount: source.warningCount,
    skipped: source.skipped.length,
  };
}

/** The news by month, newest first; a service that is no longer there is named without a link. */
export function presentNews(
  items: readonly ServiceNews[],
  listed: ReadonlySet<string>,
  timeZone: string,
  language: Language,
) {
  const month = dateFormat(language, { month: 'long', year: 'numeric', timeZone });
  const groups: { month: string; items: ReturnType<typeof presentNewsLine>[] }[] = [];
  for (const item of items) {
    const name = month.format(item.at);
    const group = groups.at(-1)?.month === name ? groups.at(-1) : undefined;
    const line = presentNewsLine(item, listed);
    if (group) group.items.push(line);
    else groups.push({ month: name, items: [line] });
  }
  return groups;
}

function presentNewsLine(item: ServiceNews, listed: ReadonlySet<string>) {
  return {
    at: item.at,
    kind: { label: `catalogue.news.${item.kind}`, kind: newsKinds[item.kind] },
    name: item.serviceName,
    href: listed.has(item.serviceId) ? servicePath(item) : null,
    hoster: { name: item.hoster.name, href: `/@${item.hoster.handle}` },
    endDate: item.endDate,
  };
}

const newsKinds: Record<ServiceNews['kind'], string> = {
  opened: 'well',
  updated: 'none',
  closed: 'waiting',
  withdrawn: 'none',
};
