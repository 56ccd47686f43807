// Services and hosters of other homes as we know them, and the sources from which we know them. Shapes only; what is here is
// somebody else's word, kept whole and cleaned when it is shown.
import { z } from 'zod';
import type { Service, ServiceProfile } from '../catalogue/schema.js';
import type { CollectiveStatus, LegalForm } from '../collectives/schema.js';
import { type LocalText, optionalUrl } from '../shapes.js';
import type { Doc } from '../store/store.js';

/**
 * actor: a hoster on another instance. instance: all hosters of one. organization: a hoster's ChatonsInfos file. network: a
 * ChatonsInfos file that names the files of hosters.
 */
export const sourceKinds = ['actor', 'instance', 'organization', 'network'] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** Why a source is read: an administrator added it, somebody here follows it, a rule allows its domain, a source names it. */
export const reasons = ['administrator', 'following', 'rule', 'source'] as const;
export type Reason = (typeof reasons)[number];

/** Where entries come from. The _id is made from its address. */
export interface RemoteSource extends Doc {
  kind: SourceKind;
  /** Id of the actor, origin of the instance, address of the file. */
  address: string;
  /** Host of the address: the home of its entries. */
  home: string;
  reason: Reason;
  /** _id of the instance or network that names it; null: nothing does. */
  parent: string | null;
  addedAt: Date;
  nextAt: Date;
  lastAttemptAt: Date | null;
  /** When it was last read whole. The beginning of time: never. */
  lastSuccessAt: Date;
  /** It has not answered since the first failure after the last success. */
  silentSince: Date | null;
  error: { key: string; params: Record<string, string | number> } | null;
  /** Nobody here wants it any more; its entries go then, unless somebody does by that time. */
  leavesAt: Date | null;
  /** Owner, in infoFiles, of the last good copies of its files. */
  filesId: string | null;
  /** Services, or hosters named, at the last reading. */
  count: number;
}

/** A hoster elsewhere. The _id is that of its source. */
export interface RemoteCollective extends Doc {
  home: string;
  by: 'activity' | 'file';
  /** Name on the Fediverse, "ecluse@b.example"; empty: it has none. */
  handle: string;
  name: LocalText;
  tagline: LocalText;
  /** Its page on its home. */
  url: string;
  website: string | null;
  legalForm: LegalForm | null;
  status: CollectiveStatus;
  place: string;
  country: string | null;
  /** Keys of the networks of which it says that it is a member. */
  networks: string[];
  /** What tells whether two entries are about one hoster: its website without what varies. */
  site: string | null;
  listed: boolean;
  terms: string[];
  sortName: string;
  seenAt: Date;
  silentSince: Date | null;
}

/** A service elsewhere. */
export interface RemoteService extends Doc {
  hosterId: string;
  home: string;
  by: 'activity' | 'file';
  /** Its page on its home, else the service itself. */
  url: string;
  profile: ServiceProfile;
  hoster: { handle: string; name: LocalText; url: string; site: string | null };
  country: string | null;
  /** As RemoteCollective.site. */
  site: string | null;
  /** As its home says, else null. */
  publishedAt: Date | null;
  /** By its home's clock, the time of the state that we have: an older one changes nothing. */
  saidAt: Date;
  /** Its home says that it is withdrawn: only something said later brings it back. */
  isTombstone: boolean;
  /** Its source was dropped then; removed a day later. */
  goneAt: Date | null;
  listed: boolean;
  terms: string[];
  sortName: string;
  /** New with every write, as Service.stamp. */
  stamp: string;
  /** When its home last told of it, by our clock. */
  seenAt: Date;
}

/** What a source says of a hoster. */
export type HosterReading = Pick<
  RemoteCollective,
  'handle' | 'name' | 'tagline' | 'url' | 'website' | 'legalForm' | 'status' | 'place' | 'country' | 'networks'
>;

/** What a source says of a service. `key`: its id or the address of its file. */
export interface ServiceReading extends Pick<Service, 'profile' | 'publishedAt'> {
  key: string;
  url: string;
  saidAt: Date;
}

export const whereShape = z.enum(['here', 'everywhere']).catch('everywhere').prefault('everywhere');
export type Where = z.output<typeof whereShape>;

export const knownHosterShape = z.object({
  url: optionalUrl.refine((value) => value !== null, 'shape.required').transform((value) => value ?? ''),
});
export const sourceParams = z.object({ id: z.string().regex(/^[0-9a-f]{64}$/) });
export const sourcesQuery = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) });
