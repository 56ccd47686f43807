// JSON-LD in the vocabulary of schema.org for the pages of hosters and services, so that search engines understand them.

export type JsonLd = { [key: string]: JsonLdValue };
export type JsonLdValue = string | number | boolean | JsonLd | JsonLdValue[];

export interface OrganizationInput {
  /** Address of the page about the hoster: its identity here. */
  pageUrl: string;
  name: string;
  tagLine?: string;
  description?: string;
  homeUrl?: string;
  logo?: string;
  email?: string;
  contactUrl?: string;
  /** BCP 47 tags in which one may write to the hoster. */
  languages?: readonly string[];
  foundingDate?: string;
  dissolutionDate?: string;
  address?: string;
  countryCode?: string;
  latitude?: number;
  longitude?: number;
  /** Other addresses of the same hoster: social networks, Fediverse. */
  sameAs?: readonly string[];
  /** Addresses of the pages about its services. */
  servicePages?: readonly string[];
}

export interface ServiceInput {
  pageUrl: string;
  name: string;
  description?: string;
  homeUrl?: string;
  logo?: string;
  termsUrl?: string;
  /** BCP 47 tags of the service's own interface. */
  languages?: readonly string[];
  /** Name of the application's category, in the language of the page. */
  category?: string;
  softwareVersion?: string;
  licenseUrl?: string;
  provider: { pageUrl: string; name: string };
  /** `free`: anyone, without paying. `members`: for the hoster's members. `clients`: against payment. */
  audience: 'free' | 'members' | 'clients';
  hasRoom: boolean;
  /** What it costs and for whom, in words. */
  priceNote?: string;
}

/** Organization, for the page of a hoster. */
export function organizationJsonLd(input: OrganizationInput): JsonLd {
  return given({
    '@context': 'https://schema.org',
    '@type': 'Organization',
    '@id': input.pageUrl,
    name: input.name,
    slogan: input.tagLine,
    description: input.description,
    url: input.homeUrl ?? input.pageUrl,
    logo: input.logo,
    email: input.email,
    contactPoint: contactPoint(input),
    knowsLanguage: listed(input.languages),
    foundingDate: input.foundingDate,
    dissolutionDate: input.dissolutionDate,
    address: postalAddress(input),
    location: place(input),
    sameAs: listed(input.sameAs),
    makesOffer: listed(
      input.servicePages?.map((page) => ({ '@type': 'Offer', itemOffered: { '@type': 'Service', '@id': page } })),
    ),
  });
}

/** WebApplication with its Offer, for the page of a service. */
export function serviceJsonLd(input: ServiceInput): JsonLd {
  const provider = { '@type': 'Organization', '@id': input.provider.pageUrl, name: input.provider.name };
  return given({
    '@context': 'https://schema.org',
    '@type': ['WebApplication', 'Service'],
    '@id': input.pageUrl,
    name: input.name,
    description: input.description,
    url: input.homeUrl ?? input.pageUrl,
    image: input.logo,
    termsOfService: input.termsUrl,
    availableLanguage: listed(input.languages),
    applicationCategory: input.category,
    operatingSystem: 'Web',
    softwareVersion: input.softwareVersion,
    license: input.licenseUrl,
    isAccessibleForFree: input.audience === 'free',
    provider,
    offers: given({
      '@type': 'Offer',
      offeredBy: { '@id': input.provider.pageUrl },
      url: input.homeUrl ?? input.pageUrl,
      availability: input.hasRoom ? 'https://schema.org/InStock' : 'https://schema.org/SoldOut',
      price: input.audience === 'free' ? 0 : undefined,
      priceCurrency: input.audience === 'free' ? 'EUR' : undefined,
      description: input.priceNote,
    }),
  });
}

function contactPoint(input: OrganizationInput): JsonLd | undefined {
  if (input.contactUrl === undefined && input.email === undefined) return undefined;
  return given({
    '@type': 'ContactPoint',
    url: input.contactUrl,
    email: input.email,
    availableLanguage: listed(input.languages),
  });
}

function postalAddress(input: OrganizationInput): JsonLd | undefined {
  if (input.address === undefined && input.countryCode === undefined) return undefined;
  return given({ '@type': 'PostalAddress', streetAddress: input.address, addressCountry: input.countryCode });
}

function place({ latitude, longitude }: OrganizationInput): JsonLd | undefined {
  if (latitude === undefined || longitude === undefined) return undefined;
  return { '@type': 'Place', geo: { '@type': 'GeoCoordinates', latitude, longitude } };
}

function listed<T>(items: readonly T[] | undefined): T[] | undefined {
  return items === undefined || items.length === 0 ? undefined : [...items];
}

/** What has a value: nothing is published as empty. */
function given(all: Record<string, JsonLdValue | undefined>): JsonLd {
  const out: JsonLd = {};
  for (const [key, value] of Object.entries(all)) if (value !== undefined && value !== '') out[key] = value;
  return out;
}

/** The document as the content of a script element: nothing in it can close the element or open a comment. */
export function toScriptContent(document: JsonLd): string {
  const codes: Record<string, string> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };
  return JSON.stringify(document).replace(/[<>&]/g, (char) => codes[char] ?? char);
}
