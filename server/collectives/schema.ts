// A collective is a hoster: who it is, where, what it guarantees, who speaks for it. Shapes only.
import { z } from 'zod';
import type { CollectiveRole } from '../context.js';
import type { Eventful } from '../events.js';
import type { LocalText } from '../shapes.js';
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
