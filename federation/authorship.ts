// Whose an activity is. Usually the actor signs the request that brings it. One that somebody else brings ("forwarded") is
// its actor's only with a valid proof (FEP-8b32), or when the actor's own server shows it at its id. Linked Data
// Signatures and everything else that a document says of itself grant nothing.

import { findRemoteActor } from '../server/partners/queries.js';
import type { RemoteActor } from '../server/partners/schema.js';
import type { Errand } from './errand.js';
import type { Federation } from './federation.js';
import { isActedOn } from './handlers.js';
import { isLocal, sameDocument, sameOrigin, withoutFragment } from './iris.js';
import { readJson } from './json.js';
import { normalise, type ReceivedActivity } from './normalise.js';
import { Refusal } from './refusal.js';
import {
  type FoundKey,
  fetchActor,
  fetchDocument,
  fetchKey,
  findKnownKey,
  GoneError,
  mayRefetch,
} from './remoteActors.js';
import { readEd25519Multikey } from './signatures/keys.js';
import { isProofCurrent, proofKeyId, verifyProof } from './signatures/proofs.js';

/** An activity with the bytes in which it came. */
export interface Carried {
  raw: Buffer;
  json: Record<string, unknown>;
  activity: ReceivedActivity;
}

/** Refuses (400) what cannot be read. */
export async function readCarried(federation: Federation, raw: Buffer): Promise<Carried> {
  const json = readJson(raw);
  return { raw, json, activity: await normalise(federation.apex, json, federation.house.privateHosts) };
}

/**
 * The actor whose activity it is, and the activity as that actor or its server gave it. Refuses: 401 (a proof of the actor's
 * own key that does not hold), 403 (brought by a stranger without proof, and not to be found at its id), 429, 503.
 */
export async function attribute(
  federation: Federation,
  sender: RemoteActor,
  carried: Carried,
  errand: Errand,
): Promise<{ author: RemoteActor; received: Carried }> {
  const { activity } = carried;
  if (activity.actor === sender._id) {
    await checkOwnProof(federation, sender, carried, errand);
    return { author: sender, received: carried };
  }
  checkForwardable(federation, activity);
  const proven = await provenAuthor(federation, carried, errand);
  if (proven !== null) return { author: proven, received: carried };
  return refetch(federation, activity, errand);
}

/** Nothing is fetched or verified for what would be refused or ignored anyway. */
function checkForwardable(federation: Federation, { id, actor, type }: ReceivedActivity): void {
  const isOurs = isLocal(federation.house.site, actor);
  if (id === null || isOurs || !isActedOn(type)) throw new Refusal(403, 'signed by somebody else than its actor');
  if (!sameOrigin(id, actor)) throw new Refusal(403, 'the activity is from another server than its actor');
}

/** A proof outranks the request's signature (FEP-8b32): one by a key of the actor must hold. Others say nothing. */
async function checkOwnProof(
  federation: Federation,
  sender: RemoteActor,
  { json }: Carried,
  errand: Errand,
): Promise<void> {
  const keyId = proofKeyId(json);
  if (keyId === null || !sender.keys.some((key) => key.id === keyId)) return;
  if (isProvenBy(json, sender, keyId)) return;
  // Keys change: the actor is asked once more, but not every minute.
  const fresh = mayRefetch(federation, sender) ? await fetchActor(federation, sender._id, errand) : sender;
  if (!isProvenBy(json, fresh, keyId)) throw new Refusal(401, 'the proof does not hold');
}

/** Null: no proof by a key of its actor that holds. */
async function provenAuthor(
  federation: Federation,
  { json, activity }: Carried,
  errand: Errand,
): Promise<RemoteActor | null> {
  const keyId = proofKeyId(json);
  if (keyId === null || !sameOrigin(keyId, activity.actor) || !isProofCurrent(json, federation.house.now(), provenMs))
    return null;
  const known = await findKnownKey(federation, keyId);
  if (known !== null && holds(json, known, activity.actor)) return known.actor;
  if (known !== null && !mayRefetch(federation, known.actor)) return null;
  try {
    const found = await fetchKey(federation, keyId, errand);
    return holds(json, found, activity.actor) ? found.actor : null;
  } catch (error) {
    return giveWay(error);
  }
}

/**
 * Days for which a proof alone is enough: fewer than those for which a repeat is recognised (inbox.ts), so that nobody can
 * play again what was taken back long ago.
 */
const provenMs = 60 * 24 * 60 * 60 * 1000;

function holds(json: Record<string, unknown>, { actor, key }: FoundKey, author: string): boolean {
  return actor._id === author && isProvenBy(json, actor, key.id);
}

/** The key is one of the actor's own (FEP-521a: listed as assertionMethod, controlled by the actor). */
function isProvenBy(json: Record<string, unknown>, actor: RemoteActor, keyId: string): boolean {
  const key = actor.keys.find((one) => one.id === keyId && one.kind === 'ed25519');
  const object = key === undefined ? null : readEd25519Multikey(key.value);
  return object !== null && verifyProof(json, object);
}

/** The activity as it stands at its id, on its actor's own server: who brought it does not matter then. */
async function refetch(
  federation: Federation,
  { id, actor, type }: ReceivedActivity,
  errand: Errand,
): Promise<{ author: RemoteActor; received: Carried }> {
  const found = id === null ? null : await fetchDocument(federation, withoutFragment(id), errand).catch(giveWay);
  if (found === null || !sameDocument(found.url, id ?? '')) throw notTheirs();
  const received = await readCarried(federation, found.bytes);
  const { activity } = received;
  if (activity.id !== id || activity.actor !== actor || activity.type !== type) throw notTheirs();
  const known = await findRemoteActor(federation.house.store, actor);
  const author = known?.goneAt === null ? known : await fetchActor(federation, actor, errand).catch(giveWay);
  if (author === null) throw notTheirs();
  return { author, received };
}

function notTheirs(): Refusal {
  return new Refusal(403, 'signed by somebody else than its actor, without a proof that holds');
}

/** What cannot be found for good is as if it were not there; what may be found later is said to be so. */
function giveWay(error: unknown): null {
  if (error instanceof GoneError) return null;
  if (error instanceof Refusal && error.status === 401) return null;
  throw error;
}
