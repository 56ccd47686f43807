// Ids of things, ours and others'. All comparisons of origins happen here, on parsed addresses: never by the beginning of a
// text. Origin means scheme, host and port together.
import type { Site } from '../server/context.js';

/** Characters of an id; longer ones have no honest use and would not fit an index. */
export const maxIri = 1000;

/** Whitespace, controls, and characters that parsers read differently (RFC 3986 §2 has none of them). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
const oddCharacters = /[\u0000-\u0020\u007f-\u00a0\\"<>^`{|}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

const parsed = new Map<string, URL | null>();
const maxParsed = 1000;

/** An address, parsed; null: none. One activity asks for the same few again and again, so they are remembered. */
function parse(text: string): URL | null {
  if (text.length > maxIri) return URL.canParse(text) ? new URL(text) : null;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(text, url);
  return url;
}

/**
 * An id as it was written, when it is an http(s) address that every parser reads alike: lower-case ASCII host without a
 * trailing dot, no default port, no credentials. Null otherwise. Plain http only for hosts named in the configuration.
 */
export function readIri(text: unknown, privateHosts: readonly string[]): string | null {
  if (typeof text !== 'string' || text.length > maxIri || oddCharacters.test(text)) return null;
  const url = parse(text);
  if (url === null) return null;
  const [, authority] = /^https?:\/\/([^/?#]*)/.exec(text) ?? [];
  if (authority === undefined || authority !== url.host || url.hostname.endsWith('.')) return null;
  if (url.protocol === 'http:' && !privateHosts.includes(`${url.hostname}:${url.port || '80'}`)) return null;
  return text;
}

/** Null for what is no address. */
export function originOf(iri: string): string | null {
  return parse(iri)?.origin ?? null;
}

export function sameOrigin(one: string, other: string): boolean {
  const origin = originOf(one);
  return origin !== null && origin !== 'null' && origin === originOf(other);
}

/** Whether an id is one of ours: exactly our origin. */
export function isLocal(site: Site, iri: string): boolean {
  return originOf(iri) === site.baseUrl;
}

/** The handle in one of our actor ids, else null. Only the exact form that we mint. */
export function localHandleIn(site: Site, iri: string): string | null {
  if (!isLocal(site, iri)) return null;
  const [, handle] = /^\/actors\/([a-z0-9_]{1,30})$/.exec(new URL(iri).pathname) ?? [];
  return handle !== undefined && iri === `${site.baseUrl}/actors/${handle}` ? handle : null;
}

/**
 * Whether two addresses lead to one document: as every client asks for them, without fragments. "https://a.example" and
 * "https://a.example/", "/été" and "/%C3%A9t%C3%A9" are asked for alike; what is at an address may bear either as its id.
 */
export function sameDocument(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false;
  return withoutFragment(new URL(one).href) === withoutFragment(new URL(other).href);
}

/** An address without its fragment: where the document about it is. */
export function withoutFragment(iri: string): string {
  const hash = iri.indexOf('#');
  return hash === -1 ? iri : iri.slice(0, hash);
}
