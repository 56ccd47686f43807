// librehost.json and directory.json of the LibreHosters network, version 0.0.1 of its standard. Writing only.

export interface LibrehostInput {
  name: string;
  /** In words, for example "Association". */
  organizationType?: string;
  tagLine?: string;
  homeUrl?: string;
  logo?: string;
  description?: string;
  /** BCP 47 tags in which one may write to the hoster. */
  communicationLanguages?: readonly string[];
  contactUrl?: string;
  privacyPolicyUrl?: string;
  termsOfServiceUrl?: string;
  /** Whether people can use its services now. */
  isServiceProvider: boolean;
  /** yyyy-mm-dd or yyyy. */
  foundingDate?: string;
  createdAt: Date;
  modifiedAt: Date;
}

/** Exactly the keys of the standard: its checker refuses one too few and one too many. */
export interface Librehost {
  '@context': 'http://schema.org';
  '@type': 'Organization';
  organizationType: string;
  name: string;
  tagLine: string;
  homeUrl: string;
  logo: string;
  description: string;
  communicationLanguages: string[];
  contactUrl: string;
  privacyPolicyUrl: string;
  termsOfServiceUrl: string;
  isServiceProvider: boolean;
  foundingDate: string;
  version: '0.0.1';
  dateCreated: string;
  dateModified: string;
}

/** The document for /librehost.json. What the hoster does not give is an empty text, never a missing key. */
export function writeLibrehost(input: LibrehostInput): Librehost {
  return {
    '@context': 'http://schema.org',
    '@type': 'Organization',
    organizationType: input.organizationType ?? '',
    name: input.name,
    tagLine: input.tagLine ?? '',
    homeUrl: input.homeUrl ?? '',
    logo: input.logo ?? '',
    description: input.description ?? '',
    communicationLanguages: [...(input.communicationLanguages ?? [])],
    contactUrl: input.contactUrl ?? '',
    privacyPolicyUrl: input.privacyPolicyUrl ?? '',
    termsOfServiceUrl: input.termsOfServiceUrl ?? '',
    isServiceProvider: input.isServiceProvider,
    foundingDate: input.foundingDate ?? '',
    version: '0.0.1',
    dateCreated: toSeconds(input.createdAt),
    dateModified: toSeconds(input.modifiedAt),
  };
}

function toSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The document for /directory.json: member slug to the address of its librehost.json, in the order of the slugs. */
export function writeLibrehostDirectory(members: readonly { slug: string; url: string }[]): Record<string, string> {
  const rows = members.map(({ slug, url }): [string, string] => [slug, url]);
  return Object.fromEntries(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
