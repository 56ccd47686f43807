// Who may run the instance, and which other instances it deals with.
import type { Actor } from '../context.js';
import { DomainError } from '../errors.js';
import type { RuleKind } from './schema.js';

export function mayAdminister(actor: Actor): boolean {
  return actor?.kind === 'system' || (actor?.kind === 'person' && actor.instanceRole === 'administrator');
}

/** Refuses: not-found, since the administration does not exist for others. */
export function checkMayAdminister(actor: Actor): void {
  if (!mayAdminister(actor)) throw new DomainError('not-found', 'error.notFound');
}

/** Whom the instance deals with, ready to be asked. Built by `readPolicy`. */
export interface PeerPolicy {
  island: boolean;
  kinds: ReadonlyMap<string, RuleKind>;
  /** Activities a minute that an administrator set for a host. */
  inboundLimits?: ReadonlyMap<string, number>;
}

/** Activities a minute from one host, where nothing else was set: twenty a second. */
export const usualInboundLimit = 1200;

/** How many activities a minute are taken from a host (with its port where it has one). */
export function inboundLimitOf(policy: PeerPolicy, host: string): number {
  return policy.inboundLimits?.get(host) ?? usualInboundLimit;
}

/**
 * A domain as rules and requests compare it: lower case, punycode (UTS 46), no port, no trailing dot. Takes what people
 * paste: a name, an address, "@user@host", "*.host". Null: not the name of a domain, or a whole top-level domain.
 */
export function readDomain(text: string): string | null {
  const host = hostOf(
    text
      .trim()
      .replace(/^@?[^@/\s]*@/, '')
      .replace(/^\*?\.(?=[^.])/, ''),
  );
  if (host === null || host.length > 253) return null;
  return host.startsWith('[') || /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(host) ? host : null;
}

/** The host of an address or of "host:port"; null when it cannot be read. */
function hostOf(hostOrIri: string): string | null {
  const address = hostOrIri.includes('://') ? hostOrIri : `https://${hostOrIri}`;
  if (/\s/.test(address) || !URL.canParse(address)) return null;
  return new URL(address).hostname.replace(/\.+$/, '') || null;
}

/** The rule that counts: of the domain itself, else of the nearest one above it. */
function kindOf(policy: PeerPolicy, host: string, counts: (kind: RuleKind) => boolean): RuleKind | null {
  const isAddress = host.startsWith('[') || /^[\d.]+$/.test(host);
  for (let name = host; ; name = name.slice(name.indexOf('.') + 1)) {
    const kind = policy.kinds.get(name);
    if (kind !== undefined && counts(kind)) return kind;
    if (isAddress || !name.includes('.')) return null;
  }
}

/** Whether nothing is taken from this host, sent to it or fetched from it. What cannot be read is refused. */
export function isRefusedPeer(policy: PeerPolicy, hostOrIri: string): boolean {
  const host = hostOf(hostOrIri);
  if (host === null) return true;
  const kind = kindOf(policy, host, (one) => !policy.island || one !== 'limit');
  return policy.island ? kind !== 'allow' : kind === 'block';
}

/** Whether follows from this host wait for an answer, whatever the one followed has chosen. */
export function isLimitedPeer(policy: PeerPolicy, hostOrIri: string): boolean {
  const host = hostOf(hostOrIri);
  return host !== null && kindOf(policy, host, () => true) === 'limit';
}

/** Whether a rule names this host, or a domain above it, as one to be dealt with in any case. */
export function isAllowedPeer(policy: PeerPolicy, hostOrIri: string): boolean {
  const host = hostOf(hostOrIri);
  return host !== null && kindOf(policy, host, () => true) === 'allow';
}

/** The domain above, when a rule for it would cover this one too; null: there is none below the top level. */
export function parentDomain(domain: string): string | null {
  const parent = domain.slice(domain.indexOf('.') + 1);
  return domain.startsWith('[') || /^[\d.]+$/.test(domain) || !parent.includes('.') ? null : parent;
}
