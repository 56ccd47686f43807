// A collective is a hoster: who it is, where, what it guarantees, who speaks for it. Shapes only.
import { z } from 'zod';
import type { CollectiveRole } from '../context.js';
import { whereShape } from '../elsewhere/schema.js';
import type { Eventful } from '../events.js';
import {
  email,
  type LocalText,
  languageList,
  line,
  localLine,
  localParagraph,
  optionalCountry,
  optionalDay,
  optionalEmail,
  optionalUrl,
} from '../shapes.js';
import type { Doc } from '../store/store.js';

/** ChatonsInfos organization.type (domain.md §2.5). */
export const legalForms = [
  'ASSOCIATION',
  'INFORMAL',
  'COOPERATIVE',
  'MICROCOMPANY',
  'COMPANY',
  'INDIVIDUAL',
  'OTHER',
] as const;
export type LegalForm = (typeof legalForms)[number];

/** ChatonsInfos organization.status.level: active, paused, left. */
export const collectiveStatuses = ['ACTIVE', 'IDLE', 'AWAY'] as const;
export type CollectiveStatus = (typeof collectiveStatuses)[number];

/** A labelled address of an open list: social network, chat room, funding page. The key is lower case: "mastodon". */
export interface KeyedLink {
  key: string;
  url: string;
}

/** Membership of a federation as the hoster states it (organization.memberof.<key>.*). */
export interface MemberOf {
  key: string;
  startDate: string | null;
  endDate: string | null;
  status: CollectiveStatus | null;
  statusDescription: string;
}

/** What the hoster itself says; every field may come from its ChatonsInfos file or from the form. */
export interface CollectiveProfile {
  name: LocalText;
  /** Five or six words. */
  tagline: LocalText;
  description: LocalText;
  legalForm: LegalForm;
  status: CollectiveStatus;
  statusDescription: LocalText;
  startDate: string | null;
  endDate: string | null;
  website: string | null;
  contactUrl: string | null;
  contactEmail: string | null;
  legalUrl: string | null;
  technicalGuideUrl: string | null;
  userGuideUrl: string | null;
  privacyUrl: string | null;
  owner: { name: string; website: string | null; logo: string | null };
  place: {
    address: string;
    countryCode: string | null;
    countryName: string;
    /** Decimal degrees, WGS 84. */
    latitude: number | null;
    longitude: number | null;
  };
  /** BCP 47 tags in which one may write to the hoster. */
  languages: string[];
  memberOf: MemberOf[];
  socialNetworks: KeyedLink[];
  chatRooms: KeyedLink[];
  funding: KeyedLink[];
  /** Where the logo lives elsewhere (organization.logo); an uploaded one wins. */
  logoUrl: string | null;
  guarantees: {
    backupPolicy: LocalText;
    /** Who else can read the machines: provider, subcontractor, nobody. */
    othersWithAccess: LocalText;
    /** Days between the announcement that a service closes and its closing; null: not stated. */
    noticeDays: number | null;
  };
}

export interface Member {
  personId: string;
  role: CollectiveRole;
  since: Date;
}

export interface Collective extends Doc, Eventful {
  /** Name on the Fediverse and in addresses: /@handle. */
  handle: string;
  profile: CollectiveProfile;
  /** Published: everybody sees it, and its actor answers. Draft: its members only. */
  published: boolean;
  /** Key of the uploads collection. */
  logoId: string | null;
  members: Member[];
  /** Follow requests are accepted at once, or wait for a member. */
  acceptsFollowers: 'at-once' | 'by-hand';
  /** Words of name, tagline, place, folded: what search compares. */
  terms: string[];
  /** Sort key of lists: the folded name. */
  sortName: string;
  /** Lines of its ChatonsInfos file that we do not know, kept in order and written back. */
  unknownProperties: { key: string; value: string }[];
  createdAt: Date;
  updatedAt: Date;
  /** In the bin since; restored or purged 30 days later. */
  deletedAt: Date | null;
  /** Rises with each change: an edit made from an older page is refused as conflict. */
  version: number;
}

export const collectiveId = z.uuid();

/** What a field holds until somebody fills it. */
export function emptyProfile(): CollectiveProfile {
  const none = (): LocalText => ({ fr: '', en: '' });
  return {
    name: none(),
    tagline: none(),
    description: none(),
    legalForm: 'ASSOCIATION',
    status: 'ACTIVE',
    statusDescription: none(),
    startDate: null,
    endDate: null,
    website: null,
    contactUrl: null,
    contactEmail: null,
    legalUrl: null,
    technicalGuideUrl: null,
    userGuideUrl: null,
    privacyUrl: null,
    owner: { name: '', website: null, logo: null },
    place: { address: '', countryCode: null, countryName: '', latitude: null, longitude: null },
    languages: [],
    memberOf: [],
    socialNetworks: [],
    chatRooms: [],
    funding: [],
    logoUrl: null,
    guarantees: { backupPolicy: none(), othersWithAccess: none(), noticeDays: null },
  };
}

/** A name in at least one language. */
const collectiveName: z.ZodType<LocalText> = localLine(120).superRefine((name, check) => {
  if (!name.fr && !name.en) check.addIssue({ code: 'custom', path: ['fr'], message: 'collectives.error.nameMissing' });
});

/** The largest number of rows in an open list. */
const maxRows = 20;

/**
 * An open list in a form: rows named by number ("funding.0.url"), in order; rows that `isEmpty` are left out, so that
 * a form may always show a few spare ones.
 */
function rows<T>(row: z.ZodType<T>, isEmpty: (row: T) => boolean): z.ZodType<T[]> {
  return z
    .record(z.string().regex(/^\d{1,2}$/), row)
    .default({})
    .transform((record, check) => {
      const filled = Object.entries(record)
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([, value]) => value)
        .filter((value) => !isEmpty(value));
      if (filled.length > maxRows) {
        check.addIssue({ code: 'custom', message: 'collectives.error.tooManyRows' });
        return z.NEVER;
      }
      return filled;
    });
}

const linkKey = line(40).transform((value, check) => {
  const key = value.toLowerCase().replace(/\s+/g, '');
  if (key !== '' && !/^[a-z0-9][a-z0-9_-]*$/.test(key)) {
    check.addIssue({ code: 'custom', message: 'collectives.error.linkKey' });
    return z.NEVER;
  }
  return key;
});

/** Chat rooms have addresses such as xmpp:room@host or irc://host/room; other lists hold web pages. */
function keyedLinks(schemes: readonly string[]): z.ZodType<KeyedLink[]> {
  const address = line(2000).refine((value) => {
    if (value === '') return true;
    const url = URL.canParse(value) ? new URL(value) : null;
    return url !== null && schemes.includes(url.protocol) && !url.username && !url.password;
  }, 'shape.url');
  const row = z.object({ key: linkKey, url: address }).superRefine((link, check) => {
    if (link.key && !link.url) check.addIssue({ code: 'custom', path: ['url'], message: 'shape.required' });
    if (!link.key && link.url) check.addIssue({ code: 'custom', path: ['key'], message: 'shape.required' });
  });
  return rows(row, (link) => link.key === '' && link.url === '');
}

const memberOf = rows<MemberOf>(
  z
    .object({
      key: linkKey,
      startDate: optionalDay,
      endDate: optionalDay,
      status: z.enum(['', ...collectiveStatuses]).transform((value) => (value === '' ? null : value)),
      statusDescription: line(500),
    })
    .superRefine((row, check) => {
      const empty = !row.startDate && !row.endDate && !row.status && !row.statusDescription;
      if (!row.key && !empty) check.addIssue({ code: 'custom', path: ['key'], message: 'shape.required' });
      if (row.startDate && row.endDate && row.endDate < row.startDate) {
        check.addIssue({ code: 'custom', path: ['endDate'], message: 'collectives.error.endBeforeStart' });
      }
    }),
  (row) => row.key === '',
);

/** Decimal degrees with a point or a comma; empty means none (null). */
function degrees(limit: number): z.ZodType<number | null> {
  return z
    .string()
    .trim()
    .transform((value, check) => {
      if (value === '') return null;
      const number = /^[+-]?\d{1,3}([.,]\d{1,12})?$/.test(value) ? Number(value.replace(',', '.')) : Number.NaN;
      if (!(Math.abs(number) <= limit)) {
        check.addIssue({ code: 'custom', message: 'collectives.error.degrees' });
        return z.NEVER;
      }
      return number;
    });
}

const noticeDays: z.ZodType<number | null> = z
  .string()
  .trim()
  .transform((value, check) => {
    if (value === '') return null;
    if (!/^\d{1,4}$/.test(value) || Number(value) > 3650) {
      check.addIssue({ code: 'custom', message: 'collectives.error.days' });
      return z.NEVER;
    }
    return Number(value);
  });

/** The profile as its form sends it: every value a text, lists as numbered rows. Output: a CollectiveProfile. */
export const profileShape: z.ZodType<CollectiveProfile> = z
  .object({
    name: collectiveName,
    tagline: localLine(160),
    description: localParagraph(5000),
    legalForm: z.enum(legalForms),
    status: z.enum(collectiveStatuses),
    statusDescription: localLine(500),
    startDate: optionalDay,
    endDate: optionalDay,
    website: optionalUrl,
    contactUrl: optionalUrl,
    contactEmail: optionalEmail,
    legalUrl: optionalUrl,
    technicalGuideUrl: optionalUrl,
    userGuideUrl: optionalUrl,
    privacyUrl: optionalUrl,
    owner: z.object({ name: line(120), website: optionalUrl, logo: optionalUrl }),
    place: z
      .object({
        address: line(300),
        countryCode: optionalCountry,
        countryName: line(80),
        latitude: degrees(90),
        longitude: degrees(180),
      })
      .superRefine((place, check) => {
        if ((place.latitude === null) === (place.longitude === null)) return;
        const path = [place.latitude === null ? 'latitude' : 'longitude'];
        check.addIssue({ code: 'custom', path, message: 'collectives.error.bothDegrees' });
      }),
    languages: languageList,
    memberOf,
    socialNetworks: keyedLinks(['https:', 'http:']),
    chatRooms: keyedLinks(['https:', 'http:', 'xmpp:', 'irc:', 'ircs:', 'matrix:']),
    funding: keyedLinks(['https:', 'http:']),
    logoUrl: optionalUrl,
    guarantees: z.object({
      backupPolicy: localParagraph(2000),
      othersWithAccess: localParagraph(2000),
      noticeDays,
    }),
  })
  .superRefine((profile, check) => {
    if (profile.startDate && profile.endDate && profile.endDate < profile.startDate) {
      check.addIssue({ code: 'custom', path: ['endDate'], message: 'collectives.error.endBeforeStart' });
    }
  });

/** The version of the page from which a change was made. */
export const versionShape = z.coerce.number().int().min(0).max(1e9);

export const roleShape = z.enum(['representative', 'member']);

export const settingsShape = z.object({
  version: versionShape,
  acceptsFollowers: z.enum(['at-once', 'by-hand']),
});

/** A new collective: only what is needed to begin. */
export const newCollectiveShape = z.object({
  name: collectiveName,
  handle: line(30).transform((value) => value.toLowerCase().replace(/^@/, '')),
  legalForm: z.enum(legalForms),
});

/** The name typed again before a deletion. */
export const deletionShape = z.object({ handle: line(40) });

export const statusShape = z
  .object({
    version: versionShape,
    status: z.enum(collectiveStatuses),
    statusDescription: localLine(500),
    endDate: optionalDay,
  })
  .superRefine((input, check) => {
    const isSaid = input.statusDescription.fr || input.statusDescription.en;
    if (input.status === 'IDLE' && !isSaid) {
      check.addIssue({
        code: 'custom',
        path: ['statusDescription', 'fr'],
        message: 'collectives.error.pauseUnexplained',
      });
    }
  });

export const profileForm = z.object({ version: versionShape }).and(profileShape);

export const idParams = z.object({ id: collectiveId });
export const memberParams = z.object({ id: collectiveId, person: z.uuid() });
export const invitationParams = z.object({ id: collectiveId, invitation: z.uuid() });
export const handleName = z.string().min(1).max(40);
export const nameParams = z.object({ name: handleName });

export const invitationShape = z.object({ email, role: roleShape });
export const changeRoleShape = z.object({ role: roleShape });

/** A page number as addresses carry it: nonsense means the first. */
export const pageNumber: z.ZodType<number> = z.coerce.number().int().min(1).max(10_000).catch(1);

export const listQuery = z.object({
  q: line(100).catch(''),
  status: z.enum(collectiveStatuses).or(z.literal('')).catch(''),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .or(z.literal(''))
    .catch(''),
  where: whereShape,
  page: pageNumber,
});

export const adminQuery = z.object({
  q: line(100).catch(''),
  show: z.enum(['all', 'bin']).catch('all'),
  page: pageNumber,
});
