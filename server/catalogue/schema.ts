// A service that a hoster offers, with its software, its host and its figures; and the source from which it is read.
import { z } from 'zod';
import { whereShape } from '../elsewhere/schema.js';
import type { Eventful } from '../events.js';
import {
  checkbox,
  type LocalText,
  languageList,
  line,
  optionalCountry,
  optionalDay,
  optionalEmail,
  optionalUrl,
  paragraph,
} from '../shapes.js';
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
  /** Repeated from the collective for lists, and kept in step by refreshListing. */
  hoster: { handle: string; name: LocalText };
  /** Where the machine stands, else where the hoster is: ISO 3166-1 alpha-2. */
  country: string | null;
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
  /** New with every write: by it the finder sees that something changed (UUID version 7). */
  stamp: string;
  /** Address or name of the ChatonsInfos file that it was read from last; null: entered by hand. */
  origin: string | null;
  /** When it was first listed for everybody: "what changed" and the Fediverse tell it. */
  publishedAt: Date | null;
  deletedAt: Date | null;
  version: number;
}

/** Where a collective's ChatonsInfos come from, and how the last reading went. */
export interface Source extends Doc, Eventful {
  collectiveId: string;
  url: string;
  /** Hours between two readings: 1 to 336, 12 unless told. */
  everyHours: number;
  nextAt: Date;
  lastSuccessAt: Date | null;
  lastAttemptAt: Date | null;
  lastError: { key: string; params?: Record<string, string | number> } | null;
  /** Failures in a row; at 3 reading stops until a member starts it again. */
  strikes: number;
  stoppedAt: Date | null;
  /** Chosen at the import, and kept for the readings to come. */
  corrections: Correction[];
  skipped: string[];
  /** Owner, in infoFiles, of the files of the last good reading. */
  filesId: string;
  fileCount: number;
  warningCount: number;
}

/** A ChatonsInfos file as it was received: the last good copy of a source, or part of an import not yet confirmed. */
export interface InfoFile extends Doc {
  /** Id of the import, or the filesId of a source. */
  ownerId: string;
  position: number;
  /** Its address, or the name under which it was uploaded. */
  address: string;
  /** The key under which another file names it (subs.<key>); null for the first one and for uploads. */
  subKey: string | null;
  /** Address or name of the file that names it. */
  parent: string | null;
  body: Uint8Array;
  etag: string | null;
  lastModified: string | null;
}

/** A correction made in the preview: this key of this file has this value instead. */
export interface Correction {
  address: string;
  /** From 1; 0: a line to be added. */
  line: number;
  key: string;
  value: string;
  /** The line as it was, byte by byte: the correction is for this one only. */
  original: string;
}

/** An import that is shown and not yet confirmed. What it would do is computed from its files each time. */
export interface ImportDraft extends Doc {
  collectiveId: string;
  /** actorName() of who began it. */
  by: string;
  origin: { kind: 'url'; url: string } | { kind: 'files' };
  corrections: Correction[];
  /** What a member wants left out: 'collective', or the address of a service's file. */
  skipped: string[];
  /** Files that could not be read, with the reason (a key of the locales). */
  failures: { address: string; key: string; params: Record<string, string | number> }[];
  createdAt: Date;
  expiresAt: Date;
  /** Set while it is being carried out. */
  applyingAt: Date | null;
}

/** One line of the public page "what changed". */
export interface ServiceNews extends Doc {
  at: Date;
  kind: 'opened' | 'updated' | 'closed' | 'withdrawn';
  serviceId: string;
  collectiveId: string;
  /** As they were called then: a line stays readable after the service is gone. */
  serviceName: LocalText;
  slug: string;
  hoster: { handle: string; name: LocalText };
  /** Day of closing, of the kind 'closed'. */
  endDate: string | null;
  /** The hoster is no longer public. */
  hidden: boolean;
}

export const serviceId = z.uuid();

const maxMonths = 12;

/** A step of a chain: what came so far must fit another shape, whose messages are kept. */
function through<T>(shape: z.ZodType<T>) {
  return (value: unknown, check: z.RefinementCtx): T => {
    const parsed = shape.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { message, path } of parsed.error.issues) check.addIssue({ code: 'custom', message, path: [...path] });
    return z.NEVER;
  };
}

/** What was given as a list, or as text with commas, semicolons or line breaks between the items. */
function itemList(maxItems: number, maxLength: number): z.ZodType<string[]> {
  return z
    .union([z.string().max(maxItems * (maxLength + 2), 'shape.tooLong'), z.array(z.string())])
    .transform((value) => (typeof value === 'string' ? value.split(/[,;\n]/) : value))
    .transform(through(z.array(line(maxLength)).max(maxItems, 'shape.tooLong')))
    .transform((items) => [...new Set(items.filter((item) => item !== ''))]);
}

const languageTags: z.ZodType<string[]> = z
  .union([z.string(), z.array(z.string()).transform((tags) => tags.join(' '))])
  .transform(through(languageList));

const needList: z.ZodType<Need[]> = z
  .union([z.enum(needs), z.array(z.enum(needs)), z.literal('')])
  .transform((value) => (value === '' ? [] : typeof value === 'string' ? [value] : [...new Set(value)]));

function oneOrNone<const W extends string>(words: readonly W[]): z.ZodType<W | null> {
  return z.preprocess((value) => (value === '' || value === undefined ? null : value), z.enum(words).nullable());
}

function bothLines(max: number): z.ZodType<LocalText> {
  return z.object({ fr: line(max).prefault(''), en: line(max).prefault('') }).prefault({});
}
function bothParagraphs(max: number): z.ZodType<LocalText> {
  return z.object({ fr: paragraph(max).prefault(''), en: paragraph(max).prefault('') }).prefault({});
}

const orEmpty = (value: unknown): unknown => value ?? {};

/** A field that forms leave empty and JSON may also leave out or give as null. */
function nullable<T>(shape: z.ZodType<T | null>): z.ZodType<T | null> {
  return z.preprocess((value) => value ?? '', shape);
}

const nameShape: z.ZodType<LocalText> = bothLines(120).superRefine((name, check) => {
  if (name.fr === '' && name.en === '') check.addIssue({ code: 'custom', path: ['fr'], message: 'shape.required' });
});

/** Everything a member says of a service; a field left out is empty. Takes forms and JSON alike. */
export const serviceProfileShape = z.object({
  name: nameShape,
  description: bothParagraphs(2000),
  website: nullable(optionalUrl),
  logoUrl: nullable(optionalUrl),
  legalUrl: nullable(optionalUrl),
  technicalGuideUrl: nullable(optionalUrl),
  userGuideUrl: nullable(optionalUrl),
  contactUrl: nullable(optionalUrl),
  contactEmail: nullable(optionalEmail),
  startDate: nullable(optionalDay),
  endDate: nullable(optionalDay),
  status: z.enum(serviceStatuses).prefault('OK'),
  statusDescription: bothLines(300),
  registration: z.enum(registrations).prefault('None'),
  load: z.enum(loads).prefault('OPEN'),
  installType: oneOrNone(installTypes),
  needs: needList.prefault(''),
  priceNote: bothLines(300),
  limits: bothParagraphs(1000),
  languages: languageTags.prefault(''),
  software: z.preprocess(
    orEmpty,
    z.object({
      name: line(120).prefault(''),
      website: nullable(optionalUrl),
      licenseName: line(120).prefault(''),
      licenseUrl: nullable(optionalUrl),
      version: line(60).prefault(''),
      sourceUrl: nullable(optionalUrl),
      modules: itemList(100, 100).prefault(''),
    }),
  ),
  host: z.preprocess(
    orEmpty,
    z.object({
      name: line(120).prefault(''),
      description: paragraph(1000).prefault(''),
      serverType: oneOrNone(serverTypes),
      distribution: line(120).prefault(''),
      providerType: oneOrNone(providerTypes),
      hypervisor: line(120).prefault(''),
      countryName: line(120).prefault(''),
      countryCode: nullable(optionalCountry),
    }),
  ),
}) satisfies z.ZodType<ServiceProfile>;

/** The edit page: the profile and the version that the page was made from. */
export const serviceForm = serviceProfileShape.extend({ version: z.coerce.number().int().min(0).prefault(0) });

export const closeForm = z.object({
  endDate: optionalDay.transform(through(z.string('shape.required'))),
  reason: bothLines(300),
});

export const metricPath = z
  .string()
  .trim()
  .regex(/^[a-z][a-z0-9]*(\.[a-z0-9]+){1,5}$/, 'catalogue.metrics.badPath');

/** One figure: empty, or a number of zero or more, with a decimal point or comma. */
const figure: z.ZodType<number | null> = z
  .string()
  .trim()
  .max(20, 'shape.number')
  .transform((value, check) => {
    if (value === '') return null;
    const number = /^\d+([.,]\d+)?$/.test(value) ? Number(value.replace(',', '.')) : Number.NaN;
    if (!Number.isFinite(number)) {
      check.addIssue({ code: 'custom', message: 'shape.number' });
      return z.NEVER;
    }
    return number;
  });

/** Twelve months pasted with commas (or semicolons, for decimal commas) between them, or typed month by month. */
const pastedMonths: z.ZodType<(number | null)[]> = z
  .string()
  .trim()
  .max(400, 'shape.tooLong')
  .transform((value) => (value === '' ? [] : value.split(/[;\t]/.test(value) ? /[;\t]/ : ',')))
  .transform(through(z.array(figure).max(maxMonths, 'catalogue.metrics.tooMany')));

export const metricsForm = z.object({
  path: metricPath,
  year: z.coerce.number('shape.number').int('shape.number').min(1990, 'shape.number').max(2100, 'shape.number'),
  pasted: pastedMonths.prefault(''),
  months: z
    .record(z.string().regex(/^m(1[0-2]|[1-9])$/), figure)
    .prefault({})
    .transform((given) => Array.from({ length: maxMonths }, (_, month) => given[`m${month + 1}`] ?? null)),
  remove: checkbox,
});

const filterWord = z.string().trim().max(60);

/** Pages: from 1; anything odd is the first page, so that an old link still shows something. */
export const pageNumber: z.ZodType<number> = z.coerce.number().int().min(1).max(10_000).catch(1);

/** The finder's address. A value that we do not know is dropped: shared links outlive lists. */
export const finderQuery = z.object({
  q: z.string().trim().max(200).catch('').prefault(''),
  need: z.enum(needs).optional().catch(undefined),
  signup: z.enum(registrations).optional().catch(undefined),
  room: z.enum(loads).optional().catch(undefined),
  country: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^[A-Z]{2}$/)
    .optional()
    .catch(undefined),
  software: filterWord.optional().catch(undefined),
  provider: z.enum(providerTypes).optional().catch(undefined),
  server: z.enum(serverTypes).optional().catch(undefined),
  language: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/)
    .optional()
    .catch(undefined),
  /** What others tell us as well, or ours alone. */
  where: whereShape,
  sort: z.enum(['name', 'newest']).catch('name').prefault('name'),
  page: pageNumber.prefault(1),
});
export type FinderQuery = z.output<typeof finderQuery>;

export const idParams = z.object({ id: z.uuid() });
export const serviceParams = z.object({ id: z.uuid(), service: z.uuid() });
export const importParams = z.object({ id: z.uuid(), import: z.uuid() });
export const servicePageParams = z.object({ name: z.string().min(1).max(40), slug: z.string().min(1).max(60) });
export const fileParams = z.object({
  file: z
    .string()
    .max(120)
    .regex(/^[a-z0-9_-]+\.properties$/i),
});
export const nameParams = z.object({ name: z.string().min(1).max(40) });
export const pageQuery = z.object({ page: pageNumber.prefault(1) });

/** A new service: only what is needed to begin; the software fills in what it is for. */
export const newServiceForm = z.object({ name: nameShape, software: line(120).prefault('') });

export const importUrlForm = z.object({
  url: optionalUrl.transform(through(z.string('shape.required'))),
});

/** Files pasted one after the other; uploads come beside it. */
export const importFilesForm = z.object({
  text: z
    .string()
    .max(1024 * 1024, 'shape.tooLong')
    .prefault(''),
});

export const correctionForm = z.object({
  address: z.string().min(1).max(2048),
  line: z.coerce.number().int().min(0).max(1_000_000),
  key: z.string().min(1).max(300),
  value: paragraph(2000),
});

export const skipForm = z.object({ part: z.string().min(1).max(2048), skip: checkbox });

const hours: z.ZodType<number> = z.coerce
  .number('shape.number')
  .int('shape.number')
  .min(1, 'catalogue.source.hours')
  .max(336, 'catalogue.source.hours');

export const confirmForm = z.object({
  digest: z.string().regex(/^[0-9a-f]{32}$/),
  publish: checkbox,
  follow: checkbox,
  everyHours: hours.prefault('12'),
});

export const sourceForm = z.object({ everyHours: hours });
