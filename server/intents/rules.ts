// From an account to the page of its own server where a wish is confirmed: FEP-3b86, else the subscribe template of OStatus.
// Pure. What comes out leads to the account's own server and nowhere else.
import type { Wish } from './schema.js';

export interface Account {
  user: string;
  /** In the letters of the wire, with its port. */
  host: string;
}

const handlePattern = /^@?(?<user>[\p{L}\p{N}._-]{1,100})@(?<host>[^\s@/?#\\]{1,253})$/u;
const profilePattern = /^https:\/\/(?<host>[^\s@/?#\\]{1,253})\/(?:@|users\/|u\/)(?<user>[\p{L}\p{N}._-]{1,100})\/?$/u;

/** "@you@server", "you@server", "acct:you@server" or the address of a profile; null: none of them. */
export function readAccount(typed: string): Account | null {
  const text = typed.trim().replace(/^acct:/i, '');
  const found = handlePattern.exec(text) ?? profilePattern.exec(text);
  const { user, host } = found?.groups ?? {};
  if (user === undefined || host === undefined || !URL.canParse(`https://${host}/`)) return null;
  const url = new URL(`https://${host}/`);
  return url.host.endsWith('.') || url.username !== '' ? null : { user: user.toLowerCase(), host: url.host };
}

const namespace = 'https://w3id.org/fep/3b86/';
const subscribe = 'http://ostatus.org/schema/1.0/subscribe';

/** What serves a wish, best first: the relation, and what its template must ask for to be of use. */
const ways: Record<Wish, readonly (readonly [rel: string, needs: string])[]> = {
  follow: [
    [`${namespace}Follow`, 'object'],
    [subscribe, 'uri'],
    [`${namespace}Object`, 'object'],
  ],
  reply: [
    [`${namespace}Create`, 'inReplyTo'],
    [`${namespace}Object`, 'object'],
    [subscribe, 'uri'],
  ],
  like: [
    [`${namespace}Like`, 'object'],
    [`${namespace}Object`, 'object'],
    [subscribe, 'uri'],
  ],
  announce: [
    [`${namespace}Announce`, 'object'],
    [`${namespace}Object`, 'object'],
    [subscribe, 'uri'],
  ],
  open: [
    [`${namespace}Object`, 'object'],
    [subscribe, 'uri'],
  ],
};

export interface Jrd {
  links: { rel: string; template: string; href: string }[];
}

/** What a WebFinger answer (RFC 7033 §4.4) says, as far as it is needed here; null: it is none. */
export function readJrd(json: unknown): Jrd | null {
  if (typeof json !== 'object' || json === null || !('links' in json) || !Array.isArray(json.links)) return null;
  const text = (value: unknown): string => (typeof value === 'string' && value.length <= 2000 ? value : '');
  const links = json.links.slice(0, 100).map((link: unknown) => {
    const { rel, template, href } = (typeof link === 'object' && link !== null ? link : {}) as Record<string, unknown>;
    return { rel: text(rel), template: text(template), href: text(href) };
  });
  return { links };
}

/**
 * Where to send the visitor; null: their server offers nothing for this wish. `hosts`: those that may be led to. Parts of the
 * template that we do not know become empty (FEP-3b86); ours are written with encodeURIComponent.
 */
export function intentAddress(
  jrd: Jrd,
  wish: Wish,
  object: string,
  { hosts, insecure }: { hosts: readonly string[]; insecure: readonly string[] },
): string | null {
  for (const [rel, needs] of ways[wish]) {
    for (const { template } of jrd.links.filter((link) => link.rel === rel)) {
      if (!template.includes(`{${needs}}`)) continue;
      const address = fill(template, { uri: object, object, inReplyTo: object });
      if (isOn(address, hosts, insecure)) return address;
    }
  }
  return null;
}

function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{([^{}]*)\}/g, (_whole, name: string) => encodeURIComponent(values[name] ?? ''));
}

/** https on exactly one of the hosts, without credentials. */
function isOn(address: string, hosts: readonly string[], insecure: readonly string[]): boolean {
  // Browsers drop or turn some characters; what they would read otherwise than it is written is nothing to follow.
  if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(address) || !URL.canParse(address)) return false;
  const url = new URL(address);
  const isSecure = url.protocol === 'https:' || (url.protocol === 'http:' && insecure.includes(url.host));
  return isSecure && url.username === '' && url.password === '' && hosts.includes(url.host);
}
