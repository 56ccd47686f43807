// Actors elsewhere and their keys: found in our records, or fetched from their own address. A key counts only when the actor
// that it names lists it (FEP-fe34: reciprocal claim). Failures are remembered for a while, so that nobody can make us
// fetch the same thing again and again.
import { createHash } from 'node:crypto';
import { keepRemoteActor } from '../server/partners/actions.js';
import { findRemoteActor, findRemoteActorByKey } from '../server/partners/queries.js';
import type { RemoteActor, RemoteKey } from '../server/partners/schema.js';
import type { Doc } from '../server/store/store.js';
import { chargeFetch, type Errand } from './errand.js';
import { contextFor, type Federation } from './federation.js';
import type { FetchedDocument } from './fetch.js';
import { FetchError, OwnLimitError } from './fetchErrors.js';
import { isLocal, readIri, sameDocument, sameOrigin, withoutFragment } from './iris.js';
import { fetchSigned, noteDeclared } from './knocking.js';
import { Refusal } from './refusal.js';
import { declaresMessageSignatures, fromActor, ownerOfKey } from './wire/remoteActor.js';

export interface KeyFailure extends Doc {
  address: string;
  why: 'gone' | 'missing' | 'temporary' | 'permanent';
  until: Date;
}

/** Minutes during which a failure is not tried again. */
const patience = { gone: 60, missing: 60, temporary: 1, permanent: 5 } as const;
/** Minutes after a fetch during which a signature that does not fit leads to no new one. */
const freshMinutes = 5;

/** The address, or the actor at it, is not there: its server said so, for good (410) or perhaps for a moment (404). */
export class GoneError extends Error {
  override readonly name = 'GoneError';
  constructor(readonly isForGood: boolean) {
    super('gone');
  }
}

export interface FoundKey {
  key: RemoteKey;
  actor: RemoteActor;
}

/** The key and its owner from our records; null: not known. */
export async function findKnownKey(federation: Federation, keyId: string): Promise<FoundKey | null> {
  const actor = await findRemoteActorByKey(federation.house.store, keyId);
  const key = actor?.goneAt === null ? actor.keys.find((one) => one.id === keyId) : undefined;
  return actor && key ? { key, actor } : null;
}

/** Whether a known key that does not fit may be fetched again: keys do change, but not every minute. */
export function mayRefetch(federation: Federation, actor: RemoteActor): boolean {
  return federation.house.now().getTime() - actor.fetchedAt.getTime() >= freshMinutes * 60_000;
}

/** The key and its owner, fetched. Throws GoneError; Refusal 401 (no such key there), 429 or 503 (try later). */
export async function fetchKey(federation: Federation, keyId: string, errand: Errand | null = null): Promise<FoundKey> {
  const address = withoutFragment(keyId);
  const known = await findRemoteActor(federation.house.store, address);
  if (known?.goneAt === null && !mayRefetch(federation, known)) throw notListed();
  const { json, actor } = await fetchKeyDocument(federation, keyId, errand);
  const owner = actor ?? (await fetchOwner(federation, json, keyId, errand));
  const key = owner?.keys.find((one) => one.id === keyId);
  if (!owner || !key) {
    // An actor that could be read is no failure: else a stranger who names a key that it has not could shut it out.
    if (owner?._id !== address) await rememberFailure(federation, 'key', keyId, 'permanent');
    throw notListed();
  }
  return { key, actor: owner };
}

function notListed(): Refusal {
  return new Refusal(401, 'the key is not one of the actor that it names');
}

/** The actor as its own server describes it now; kept. Throws GoneError and Refusal like fetchKey. */
export async function fetchActor(
  federation: Federation,
  iri: string,
  errand: Errand | null = null,
): Promise<RemoteActor> {
  const { actor } = await fetchKeyDocument(federation, iri, errand);
  if (actor?._id === withoutFragment(iri)) return actor;
  await rememberFailure(federation, 'key', iri, 'permanent');
  throw new Refusal(401, 'the actor cannot be read');
}

/** What stands at a key's or actor's address, and the actor if it is one. The document must bear the id of its address. */
async function fetchKeyDocument(
  federation: Federation,
  iri: string,
  errand: Errand | null,
): Promise<{ json: unknown; actor: RemoteActor | null }> {
  const { privateHosts, now } = federation.house;
  await checkFailures(federation, ['key'], iri);
  const first = await fetchDocument(federation, withoutFragment(iri), errand);
  const id = idOf(first.json, privateHosts);
  if (id === null) return { json: first.json, actor: null };
  if (sameDocument(id, first.url)) {
    return { json: first.json, actor: await keep(federation, first.json, fromActor(first.json, privateHosts, now())) };
  }
  // Another id than its address: believed only when asked at that id, on the same origin, once.
  if (!sameOrigin(id, first.url)) return { json: null, actor: null };
  const second = await fetchDocument(federation, withoutFragment(id), errand);
  if (idOf(second.json, privateHosts) !== id || !sameDocument(second.url, id)) {
    return { json: null, actor: null };
  }
  return { json: first.json, actor: await keep(federation, second.json, fromActor(second.json, privateHosts, now())) };
}

/** A document about a key alone (a Key object) leads to its owner, whose own document must list the key. */
async function fetchOwner(
  federation: Federation,
  json: unknown,
  keyId: string,
  errand: Errand | null,
): Promise<RemoteActor | null> {
  const owner = ownerOfKey(json, keyId, federation.house.privateHosts);
  return owner === null || isLocal(federation.house.site, owner) ? null : fetchActor(federation, owner, errand);
}

async function keep(federation: Federation, json: unknown, actor: RemoteActor | null): Promise<RemoteActor | null> {
  if (actor === null) return null;
  await keepRemoteActor(contextFor(federation), actor);
  if (declaresMessageSignatures(json)) await noteDeclared(federation, actor.host);
  return actor;
}

/**
 * Any document of another server, within the limits of memory and number. Throws GoneError; Refusal 401, 429, 503. Whether
 * it bears the id of its address is for the caller to check.
 */
export async function fetchDocument(
  federation: Federation,
  address: string,
  errand: Errand | null = null,
): Promise<FetchedDocument> {
  const isStrange = errand !== null && errand.stranger !== null;
  await checkFailures(federation, isStrange ? ['document', 'stranger'] : ['document'], address);
  chargeFetch(federation, errand, new URL(address).host);
  try {
    return await fetchSigned(federation, address, errand);
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    // Our own limits say nothing of the other side.
    if (error instanceof OwnLimitError) throw new Refusal(error.isFinal ? 403 : 503, error.detail, 60);
    federation.house.log.info(
      { address, reason: error.reason, status: error.status },
      'a document could not be fetched',
    );
    const why = whyFailed(error);
    await rememberFailure(federation, isStrange ? 'stranger' : 'document', address, why);
    return refuseFor(why);
  }
}

function whyFailed(error: FetchError): KeyFailure['why'] {
  if (error.status === 410) return 'gone';
  if (error.status === 404) return 'missing';
  return error.temporary ? 'temporary' : 'permanent';
}

/**
 * What a failure says. document: nothing could be read there, for us. stranger: the same, when a stranger had us ask; others
 * ask for themselves, else somebody could have us miss what will stand there in a moment. key: no key or actor is there.
 */
type FailureKind = 'document' | 'stranger' | 'key';

async function checkFailures(federation: Federation, kinds: readonly FailureKind[], address: string): Promise<void> {
  for (const kind of kinds) {
    const failure = await failuresIn(federation).findOne({ _id: failureKey(kind, address) });
    if (failure && failure.until > federation.house.now()) refuseFor(failure.why);
  }
}

function refuseFor(why: KeyFailure['why']): never {
  if (why === 'gone' || why === 'missing') throw new GoneError(why === 'gone');
  if (why === 'temporary') throw new Refusal(503, 'the key cannot be fetched now', 60);
  throw new Refusal(401, 'the key cannot be fetched');
}

async function rememberFailure(
  federation: Federation,
  kind: FailureKind,
  address: string,
  why: KeyFailure['why'],
): Promise<void> {
  const until = new Date(federation.house.now().getTime() + patience[why] * 60_000);
  const fields = { address: withoutFragment(address), why, until };
  await failuresIn(federation).replaceOne({ _id: failureKey(kind, address) }, fields, { upsert: true });
}

/** Removes what is no longer remembered. Returns how many. */
export async function pruneKeyFailures(federation: Federation): Promise<number> {
  return (await failuresIn(federation).deleteMany({ until: { $lt: federation.house.now() } })).deletedCount;
}

function failuresIn(federation: Federation) {
  return federation.house.store.collection<KeyFailure>('keyFailures');
}

/** Of a key by its whole id: else who names one that a document lacks would shut out the one that it has. */
function failureKey(kind: FailureKind, address: string): string {
  const name = kind === 'key' ? address : withoutFragment(address);
  return createHash('sha256').update(`${kind} ${name}`).digest('hex');
}

function idOf(json: unknown, privateHosts: readonly string[]): string | null {
  return typeof json === 'object' && json !== null && 'id' in json ? readIri(json.id, privateHosts) : null;
}
