// What a ChatonsInfos file says, as plain data: one table of keys per section, the types inferred from the tables.
// Names, values and levels: StatoolInfos GENERAL.md and ONTOLOGY.md, and the models that ChatonsInfos publishes.
import {
  countryCode,
  date,
  dateTime,
  degrees,
  email,
  type FieldsOf,
  type FieldTable,
  licenseUrl,
  list,
  oneOf,
  text,
  url,
} from './fields.js';

/** The protocol that our own files name. */
export const CHATONSINFOS_PROTOCOL = 'ChatonsInfos-0.5';

export const DOCUMENT_KINDS = ['federation', 'organization', 'service', 'metrics'] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export const ORGANIZATION_TYPES = [
  'ASSOCIATION',
  'INFORMAL',
  'COOPERATIVE',
  'MICROCOMPANY',
  'COMPANY',
  'INDIVIDUAL',
  'OTHER',
] as const;

export const ORGANIZATION_STATUSES = ['ACTIVE', 'IDLE', 'AWAY'] as const;

export const SERVICE_STATUSES = ['OK', 'WARNING', 'ALERT', 'ERROR', 'OVER', 'VOID'] as const;
export type ServiceStatus = (typeof SERVICE_STATUSES)[number];

export const REGISTRATIONS = ['None', 'Free', 'Member', 'Client'] as const;

export const REGISTRATION_LOADS = ['OPEN', 'FULL'] as const;

export const INSTALL_TYPES = [
  'DISTRIBUTION',
  'PROVIDER',
  'PACKAGE',
  'TOOLING',
  'CLONEREPO',
  'ARCHIVE',
  'SOURCES',
  'CONTAINER',
] as const;

export const SERVER_TYPES = ['NANO', 'PHYSICAL', 'VIRTUAL', 'SHARED', 'CLOUD'] as const;
export type ServerType = (typeof SERVER_TYPES)[number];

export const PROVIDER_TYPES = ['HOME', 'HOSTEDBAY', 'HOSTEDSERVER', 'OUTSOURCED'] as const;
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** States of the 2020 drafts, as today's. */
const FORMER_STATUSES = {
  on: 'OK',
  maintenance: 'WARNING',
  down: 'ERROR',
  off: 'OVER',
  draft: 'VOID',
} as const satisfies Record<string, ServiceStatus>;

export const fileFields = {
  protocol: text('file.protocol', 'info'),
  dateTime: dateTime('file.datetime', 'info'),
  generator: text('file.generator'),
  url: url('file.url'),
} satisfies FieldTable;

export const federationFields = {
  name: text('federation.name', 'error'),
  description: text('federation.description', 'warning'),
  website: url('federation.website', 'warning'),
  logo: url('federation.logo', 'info'),
  favicon: url('federation.favicon', 'info'),
  contactUrl: url('federation.contact.url'),
  contactEmail: email('federation.contact.email', 'warning'),
  legalUrl: url('federation.legal.url'),
  guideTechnical: url('federation.guide.technical'),
  guideUser: url('federation.guide.user'),
  startDate: date('federation.startdate'),
  endDate: date('federation.enddate'),
} satisfies FieldTable;

export const organizationFields = {
  name: text('organization.name', 'error'),
  description: text('organization.description', 'info'),
  type: oneOf('organization.type', ORGANIZATION_TYPES, 'warning'),
  statusLevel: oneOf('organization.status.level', ORGANIZATION_STATUSES, 'info'),
  statusDescription: text('organization.status.description'),
  startDate: date('organization.startdate', 'info'),
  endDate: date('organization.enddate'),
  website: url('organization.website', 'info'),
  logo: url('organization.logo', 'info'),
  contactUrl: url('organization.contact.url', 'info'),
  contactEmail: email('organization.contact.email', 'info'),
  legalUrl: url('organization.legal.url', 'info'),
  guideTechnical: url('organization.guide.technical', 'info'),
  guideUser: url('organization.guide.user', 'info'),
  ownerName: text('organization.owner.name'),
  ownerWebsite: url('organization.owner.website'),
  ownerLogo: url('organization.owner.logo'),
  countryName: text('organization.country.name', 'warning'),
  countryCode: countryCode('organization.country.code', 'info'),
  latitude: degrees('organization.geolocation.latitude', 90, 'info'),
  longitude: degrees('organization.geolocation.longitude', 180, 'info'),
  address: text('organization.geolocation.address'),
} satisfies FieldTable;

/** Keys after `organization.memberof.<federation>.`. */
export const membershipFields = {
  startDate: date('startdate', 'warning'),
  endDate: date('enddate'),
  statusLevel: oneOf('status.level', ORGANIZATION_STATUSES, 'warning'),
  statusDescription: text('status.description'),
} satisfies FieldTable;

export const serviceFields = {
  name: text('service.name', 'error'),
  description: text('service.description', 'info'),
  website: url('service.website', 'info'),
  logo: url('service.logo', 'info'),
  legalUrl: url('service.legal.url', 'info'),
  guideTechnical: url('service.guide.technical', 'info'),
  guideUser: url('service.guide.user', 'info'),
  contactUrl: url('service.contact.url'),
  contactEmail: email('service.contact.email'),
  startDate: date('service.startdate', 'info'),
  endDate: date('service.enddate'),
  statusLevel: oneOf('service.status.level', SERVICE_STATUSES, 'warning', FORMER_STATUSES),
  statusDescription: text('service.status.description'),
  registration: oneOf('service.registration', REGISTRATIONS, 'warning'),
  registrationLoad: oneOf('service.registration.load', REGISTRATION_LOADS, 'warning'),
  installType: oneOf('service.install.type', INSTALL_TYPES, 'warning'),
} satisfies FieldTable;

export const softwareFields = {
  name: text('software.name', 'warning'),
  website: url('software.website', 'info'),
  licenseName: text('software.license.name', 'warning'),
  licenseUrl: licenseUrl('software.license.url', 'warning'),
  version: text('software.version', 'info'),
  sourceUrl: url('software.source.url', 'info'),
  modules: list('software.modules'),
} satisfies FieldTable;

export const hostFields = {
  name: text('host.name', 'warning'),
  description: text('host.description'),
  serverType: oneOf('host.server.type', SERVER_TYPES, 'warning'),
  serverDistribution: text('host.server.distribution', 'warning'),
  providerType: oneOf('host.provider.type', PROVIDER_TYPES, 'warning'),
  hypervisor: text('host.provider.hypervisor'),
  countryName: text('host.country.name', 'info'),
  countryCode: countryCode('host.country.code', 'info'),
} satisfies FieldTable;

export type Membership = FieldsOf<typeof membershipFields>;
export type Software = FieldsOf<typeof softwareFields>;
export type Host = FieldsOf<typeof hostFields>;

/** Reference to another file: services of an organisation, metrics of a service, members of a federation. */
export interface Sub {
  key: string;
  url: string;
}

export const SERIES_STEPS = ['months', 'weeks', 'days', 'year'] as const;
export type SeriesStep = (typeof SERIES_STEPS)[number];

/** Values of one metric over one year, first period first. null is "no value"; missing values at the end are left out. */
export interface Series {
  /** What stands between `metrics.` and the year: `http.visits.humans`. */
  path: string;
  year: number;
  step: SeriesStep;
  values: (number | null)[];
}

export interface MetricLabel {
  path: string;
  name?: string;
  description?: string;
}

/** Parts that any kind of file may have. */
export interface Common {
  file: FieldsOf<typeof fileFields>;
  subs: Sub[];
  labels: MetricLabel[];
  series: Series[];
  /** Keys that we do not know, and known keys whose value we cannot use: in the order of the file, written back as read. */
  unknown: { key: string; value: string }[];
}

/** Name of a network or service (lower case) to its address. */
export type Links = Record<string, string>;

export interface ChatonsFederation extends Common, FieldsOf<typeof federationFields> {
  kind: 'federation';
  socialNetworks: Links;
  chatrooms: Links;
}

export interface ChatonsOrganization extends Common, FieldsOf<typeof organizationFields> {
  kind: 'organization';
  /** By federation slug, for example `chatons`. */
  memberOf: Record<string, Membership>;
  socialNetworks: Links;
  chatrooms: Links;
  funding: Links;
}

export interface ChatonsService extends Common, FieldsOf<typeof serviceFields> {
  kind: 'service';
  software: Software;
  host: Host;
}

export interface ChatonsMetrics extends Common {
  kind: 'metrics';
}

export type ChatonsDocument = ChatonsFederation | ChatonsOrganization | ChatonsService | ChatonsMetrics;
