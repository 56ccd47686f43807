// On whose word the network is asked. What a stranger has us fetch is counted and queued apart, so that it takes neither the
// places nor the share of another server from ourselves and from those whom somebody here follows.
import type { Federation } from './federation.js';
import type { WindowLimit } from './limits.js';
import { Refusal } from './refusal.js';

export interface Errand {
  /** The address block of a request whose signature is not yet known to hold, then its sender's host; null: a partner. */
  stranger: string | null;
  /** Requests that may still be made for it, redirects and second knocks included. */
  left: number;
  /** Hosts asked on a stranger's word, as often as they were. */
  charged: string[];
}

/** Requests for one activity. */
const mostRequests = 10;

/** For a request from an address of which nothing is known. */
export function newErrand(block: string): Errand {
  return { stranger: block, left: mostRequests, charged: [] };
}

/** The signature holds: what was asked to know that is nobody's misuse, and the sender's own server may be asked freely. */
export function proveErrand(federation: Federation, errand: Errand, host: string): void {
  for (const asked of errand.charged.splice(0)) {
    for (const [limit, name] of countersOf(federation, errand.stranger ?? '', asked)) limit.giveBack(name);
  }
  errand.stranger = host;
}

/** Counts a fetch from a host. Refuses (429) one too many from it, or too many on the word of the same stranger, or of all. */
export function chargeFetch(federation: Federation, errand: Errand | null, host: string): void {
  const stranger = errand?.stranger ?? null;
  if (errand !== null && stranger !== null && stranger !== host) {
    const counters = countersOf(federation, stranger, host);
    if (counters.some(([limit, name]) => limit.isFull(name))) throw tooMany();
    for (const [limit, name] of counters) limit.take(name);
    errand.charged.push(host);
  }
  if (!federation.fetchLimit.take(host)) throw tooMany();
}

function countersOf(federation: Federation, stranger: string, host: string): [WindowLimit, string][] {
  return [
    [federation.strangerFetchLimit, `${stranger} ${host}`],
    [federation.strangersFetchLimit, host],
  ];
}

function tooMany(): Refusal {
  return new Refusal(429, 'too many fetches from that server', 60);
}
