// A service that a hoster offers, with its software, its host and its figures; and the source from which it is read.
import { z } from 'zod';
import type { Eventful } from '../events.js';
import type { LocalText } from '../shapes.js';
import type { Doc } from '../store/store.js';

/** service.status.level (domain.md §2.6). */
export const serviceStatuses = ['OK', 'WARNING', 'ALERT', 'ERROR', 'OVER', 'VOID'] as const;
export type ServiceStatus = (typeof serviceStatuses)[number];

/** service.registration: no account; open to all; members of the hoster; customers. */
export const registrations = ['None', 'Free', 'Member', 'Client'] as const;
export type Registration = (typeof registrations)[number];

/** service.registration.load: whether there is room. */
export const loads = ['OPEN', 'FULL'] as const;
export type Load = (typeof loads)[number];

export const installTypes = [
  'DISTRIBUTION',
  'PROVIDER',
  'PACKAGE',
  'TOOLING',
  'CLONEREPO',
  'ARCHIVE',
  'SOURCES',
  'CONTAINER',
] as const;
export type InstallType = (typeof installTypes)[number];

/** host.server.type and host.provider.type, with the coherence matrix of domain.md §2.7. */
export const serverTypes = ['NANO', 'PHYSICAL', 'VIRTUAL', 'SHARED', 'CLOUD'] as const;
export type ServerType = (typeof serverTypes)[number];
export const providerTypes = ['HOME', 'HOSTEDBAY', 'HOSTEDSERVER', 'OUTSOURCED'] as const;
export type ProviderType = (typeof providerTypes)[number];

/** What people look for, in the words of the finder (texts: catalogue.need.<key>). A controlled list. */
export const needs = [
  'write',
  'files',
  'mail',
  'chat',
  'meet',
  'schedule',
  'calendar',
  'forms',
  'website',
  'publish',
  'video',
  'pictures',
  'music',
  'social',
  'events',
  'code',
  'projects',
  'boards',
  'notes',
  'passwords',
  'links',
  'search',
  'translate',
  'maps',
  'money',
  'lists',
  'learn',
  'transfer',
  'monitor',
  'network',
  'other',
] as const;
export type Need = (typeof needs)[number];

export interface MetricsSeries {
  /** "http.visits.humans": the words between "metrics" and the year. */
  path: string;
  year: number;
  step: 'months' | 'weeks' | 'days' | 'year';
  /** One value a period from the first of January; null: no figure. */
  values: (number | null)[];
}

export interface ServiceProfile {
  name: LocalText;
  description: LocalText;
  website: string | null;
  logoUrl: string | null;
  legalUrl: string | null;
  technicalGuideUrl: string | null;
  userGuideUrl: string | null;
  contactUrl: string | null;
  contactEmail: string | null;
  startDate: string | null;
  endDate: string | null;
  status: ServiceStatus;
  statusDescription: LocalText;
  registration: Registration;
  load: Load;
  installType: InstallType | null;
  needs: Need[];
  priceNote: LocalText;
  limits: LocalText;
  /** BCP 47 tags of the service's own interface. */
  languages: string[];
  software: {
    name: string;
    website: string | null;
    licenseName: string;
    licenseUrl: string | null;
    version: string;
    sourceUrl: string | null;
    modules: string[];
  };
  host: {
    name: string;
    description: string;
    serverType: ServerType | null;
    distribution: string;
    providerType: ProviderType | null;
    hypervisor: string;
    countryName: string;
    countryCode: string | null;
  };
}

export interface Service extends Doc, Eventful {
  collectiveId: string;
  /** Key within the hoster's files and addresses: /@handle/services/{slug}. */
  slug: string;
  profile: ServiceProfile;
  /** Published: everybody sees it. Draft: the hoster's members only. */
  published: boolean;
  /** Repeated from the collective, so that the finder asks one collection: published, not deleted, hoster published. */
  listed: boolean;
  metrics: MetricsSeries[];
  /** metrics.<path>.name and .description labels. */
  metricsLabels: { path: string; name: string; description: string }[];
  unknownProperties: { key: string; value: string }[];
  unknownMetrics: { key: string; value: string }[];
  /** What search compares: words of name, description, software, hoster, folded. */
  terms: string[];
  /** Sort key of lists: the folded name. */
  sortName: string;
  createdAt: Date;
  updatedAt: Date;
  /** When it was first published: "what changed" and the Fediverse tell it. */
  publishedAt: Date | null;
  deletedAt: Date | null;
  version: number;
}

/** Where a collective's ChatonsInfos come from, and how the last reading went. */
export interface Source extends Doc, Eventful {
  collectiveId: string;
  url: string;
  etag: string | null;
  lastModified: string | null;
  /** Hours between two readings: 1 to 336, 12 unless told. */
  everyHours: number;
  nextAt: Date;
  lastSuccessAt: Date | null;
  lastAttemptAt: Date | null;
  lastError: { key: string; params?: Record<string, string | number> } | null;
  /** Failures in a row; at 3 reading stops until a member starts it again. */
  strikes: number;
  stoppedAt: Date | null;
  /** Address -> text of each file as it was last read well. */
  lastGood: { url: string; text: string }[];
  warningCount: number;
}

export const serviceId = z.uuid();
