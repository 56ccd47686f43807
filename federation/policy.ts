// Whom we deal with, at the doors: what comes from a refused domain is turned away before anything is read or fetched, and
// what was there before a rule ends with it. The rules themselves are server/instances; the way out asks them in fetch.ts.

import { dropRefused, sortSources } from '../server/elsewhere/actions/sources.js';
import type { PendingEvent } from '../server/events.js';
import { readPolicy } from '../server/instances/queries.js';
import { isRefusedPeer } from '../server/instances/rules.js';
import { forgetActorsOf } from '../server/partners/actions.js';
import { listActorHosts } from '../server/partners/queries.js';
import { deliveriesIn } from './delivery.js';
import { contextFor, type Federation } from './federation.js';
import { readIri } from './iris.js';
import type { ReceivedActivity } from './normalise.js';
import { Refusal } from './refusal.js';

/** Refuses with 403: the server of a key, or of the actor that the body names. Reads no more of the body than that name. */
export async function checkPeer(federation: Federation, keyId: string, raw: Buffer): Promise<void> {
  const policy = await readPolicy(federation.house.store);
  const actor = actorNamedIn(raw, federation.house.privateHosts);
  if (isRefusedPeer(policy, keyId) || (actor !== null && isRefusedPeer(policy, actor))) {
    throw new Refusal(403, 'this instance does not deal with your server');
  }
}

/** The id of the actor as it stands in the body; null: none that is an id, which the later steps will say. */
function actorNamedIn(raw: Buffer, privateHosts: readonly string[]): string | null {
  try {
    const { actor } = JSON.parse(raw.toString('utf8')) as { actor?: unknown };
    const [one] = Array.isArray(actor) ? actor : [actor];
    const id = typeof one === 'object' && one !== null && 'id' in one ? one.id : one;
    return readIri(id, privateHosts);
  } catch {
    return null;
  }
}

/** Whether an activity brings something from a refused domain, whoever sends it: a boost, a reply, the target of a move. */
export async function bringsRefused(federation: Federation, activity: ReceivedActivity): Promise<boolean> {
  const policy = await readPolicy(federation.house.store);
  const { actor, object } = activity;
  const named = [actor, object?.id, object?.actor, object?.object, ...(object?.attributedTo ?? [])];
  return named.some((iri) => typeof iri === 'string' && isRefusedPeer(policy, iri) && !isOurs(federation, iri));
}

function isOurs(federation: Federation, iri: string): boolean {
  return URL.canParse(iri) && new URL(iri).origin === federation.house.site.baseUrl;
}

/**
 * Ends what stands against the rules: follows from refused domains, what we know of their actors and services, what waits for
 * them.
 */
export async function enforcePolicy(federation: Federation): Promise<number> {
  const { store, now } = federation.house;
  const policy = await readPolicy(store);
  let ended = 0;
  for (const host of await listActorHosts(store)) {
    if (isRefusedPeer(policy, host)) ended += await forgetActorsOf(contextFor(federation), host);
  }
  ended += await dropRefused(contextFor(federation));
  const deliveries = deliveriesIn(federation);
  for (const host of await deliveries.distinct('host', { state: 'waiting' })) {
    if (typeof host !== 'string' || !isRefusedPeer(policy, host)) continue;
    const set = { state: 'failed' as const, failedAt: now(), lastError: refusedReason };
    await deliveries.updateMany({ host, state: 'waiting' }, { $set: set });
  }
  return ended;
}

/** What stands beside a delivery that was dropped because of a rule. */
const refusedReason = 'refused by the rules of this instance';

/** What jobs/drainEvents.ts calls. Idempotent: it looks at what is, not at what changed. */
export function policyConsumer(federation: Federation) {
  return {
    name: 'policy',
    receive: async ({ type }: PendingEvent) => {
      if (type !== 'peerPolicy.changed') return;
      await enforcePolicy(federation);
      // A domain that is allowed from now on is read from now on.
      await sortSources(contextFor(federation));
    },
  };
}
