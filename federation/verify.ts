// Who really sends this: the signature, the digest of the raw body, freshness, and a key that belongs to its actor. Decides
// before the body is read as anything but bytes.
import type { Request } from 'express';
import type { RemoteActor, RemoteKey } from '../server/partners/schema.js';
import { keysOf } from './actorKeys.js';
import { instanceHandle } from './actors.js';
import { type Errand, proveErrand } from './errand.js';
import type { Federation } from './federation.js';
import { isLocal, readIri } from './iris.js';
import { Refusal } from './refusal.js';
import { type FoundKey, fetchKey, findKnownKey, mayRefetch } from './remoteActors.js';
import { readCavage, verifyCavage } from './signatures/cavage.js';
import { readEd25519Multikey, readRsaPublicKey } from './signatures/keys.js';
import { type SignatureClaim, SignatureProblem, type SignedRequest } from './signatures/request.js';
import { readMessageSignature, verifyMessageSignature } from './signatures/rfc9421.js';

/** A request as signatures read it: with our configured host, and its headers as often as they were sent. */
export function signedRequestOf(federation: Federation, req: Request, body: Buffer | null): SignedRequest {
  const { baseUrl, host } = federation.house.site;
  return {
    method: req.method,
    target: req.originalUrl,
    host,
    scheme: baseUrl.slice(0, baseUrl.indexOf(':') + 1),
    headers: req.headersDistinct,
    body,
  };
}

/** The claim of a request, read and checked as far as that goes without a key. Refuses with 401. Fetches nothing. */
export function readClaim(federation: Federation, request: SignedRequest): SignatureClaim {
  const { now, privateHosts, site } = federation.house;
  try {
    const claim = readMessageSignature(request, now()) ?? readCavage(request, now());
    if (claim === null) throw new Refusal(401, 'the request is not signed');
    if (readIri(claim.keyId, privateHosts) === null) throw new Refusal(401, 'the key id is not an address');
    if (isLocal(site, claim.keyId)) throw new Refusal(401, 'the key id is one of ours');
    return claim;
  } catch (error) {
    if (error instanceof SignatureProblem) throw new Refusal(401, error.message);
    throw error;
  }
}

/**
 * Whether a delivery is our own self-test (federation/selfTest.ts): signed with the key that our instance publishes, which
 * nobody else has. It shows that the way in is open; it is answered like any other and has no effect.
 */
export async function isOwnProbe(federation: Federation, request: SignedRequest): Promise<boolean> {
  const { house } = federation;
  const { headers } = request;
  const named = `"${federation.apex.actorIri(instanceHandle)}#`;
  const signatures = [headers.signature, headers['signature-input']].flatMap((values) => values ?? []);
  if (!signatures.some((value) => value.includes(named))) return false;
  if (!federation.inboundLimit.take('self-test')) return false;
  try {
    const claim = readMessageSignature(request, house.now()) ?? readCavage(request, house.now());
    const { rsa } = await keysOf(federation, instanceHandle);
    return claim?.keyId === rsa.id && fits(claim, { id: rsa.id, kind: 'rsa', value: rsa.publicPem });
  } catch (error) {
    if (error instanceof SignatureProblem) return false;
    throw error;
  }
}

/**
 * The actor whose key made the signature. A key that is known but does not fit is fetched once more, since keys change.
 * Throws Refusal 401, 429, 503; GoneError when the key's address is gone.
 */
export async function verifyClaim(federation: Federation, claim: SignatureClaim, errand: Errand): Promise<RemoteActor> {
  const known = await findKnownKey(federation, claim.keyId);
  const found = known && (await fits(claim, known.key)) ? known : await refetch(federation, claim, known, errand);
  proveErrand(federation, errand, found.actor.host);
  return found.actor;
}

async function refetch(
  federation: Federation,
  claim: SignatureClaim,
  known: FoundKey | null,
  errand: Errand,
): Promise<FoundKey> {
  if (known && !mayRefetch(federation, known.actor)) throw new Refusal(401, 'the signature does not fit the key');
  const fetched = await fetchOnce(federation, claim.keyId, errand);
  if (!(await fits(claim, fetched.key))) throw new Refusal(401, 'the signature does not fit the key');
  return fetched;
}

const underWay = new WeakMap<Federation, Map<string, Promise<FoundKey>>>();

/** Much at once by an actor whom we do not know leads to one question, for each of those who say so. */
async function fetchOnce(federation: Federation, keyId: string, errand: Errand): Promise<FoundKey> {
  const asked = underWay.get(federation) ?? new Map<string, Promise<FoundKey>>();
  underWay.set(federation, asked);
  const name = `${errand.stranger} ${keyId}`;
  const answer = asked.get(name) ?? fetchKey(federation, keyId, errand).finally(() => asked.delete(name));
  asked.set(name, answer);
  return answer;
}

async function fits(claim: SignatureClaim, key: RemoteKey): Promise<boolean> {
  if (claim.scheme === 'cavage') {
    const rsa = key.kind === 'rsa' ? readRsaPublicKey(key.value) : null;
    return rsa !== null && verifyCavage(claim, rsa);
  }
  const object = key.kind === 'rsa' ? readRsaPublicKey(key.value) : readEd25519Multikey(key.value);
  return object !== null && verifyMessageSignature(claim, object);
}
