// Integrity proofs on documents (FEP-8b32 with the W3C cryptosuite eddsa-jcs-2022): what lets an activity be believed when
// somebody else carries it. The proof covers the canonical form (RFC 8785) of the document as it is sent.
import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import canonicalizeModule from 'canonicalize';
import { decodeMultibase, encodeMultibase } from './keys.js';

// The package is CommonJS and declares a default export: under Node's rules its function is the module itself.
const canonicalize = canonicalizeModule as unknown as (value: unknown) => string | undefined;

type Json = Record<string, unknown>;

export interface ProofKey {
  /** The Multikey's id: "<actor>#ed25519-key". */
  verificationMethod: string;
  privateKey: KeyObject;
}

/** The document with its proof as last member. A proof or signature that it had is not carried over. */
export function addProof(document: Json, key: ProofKey, now: Date): Json {
  const { proof: _oldProof, signature: _oldSignature, ...unsigned } = document;
  const config: Json = {
    ...(unsigned['@context'] === undefined ? {} : { '@context': unsigned['@context'] }),
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod: key.verificationMethod,
    proofPurpose: 'assertionMethod',
    created: `${now.toISOString().slice(0, 19)}Z`,
  };
  const proofValue = encodeMultibase(sign(null, hashOf(unsigned, config), key.privateKey));
  return { ...unsigned, proof: { ...config, proofValue } };
}

/** The document's proof of the kind that we know, alone or among others that say nothing to us; null: none, or several. */
function proofOf(document: Json): Json | null {
  const [proof, ...others] = [document.proof].flat().slice(0, maxProofs).filter(isKnownProof);
  return proof === undefined || others.length > 0 ? null : proof;
}

const maxProofs = 10;

function isKnownProof(proof: unknown): proof is Json {
  if (!isObject(proof) || proof.type !== 'DataIntegrityProof' || proof.cryptosuite !== 'eddsa-jcs-2022') return false;
  // What builds on another proof covers that one too, which is not checked here.
  return proof.proofPurpose === 'assertionMethod' && proof.previousProof === undefined;
}

/** The id of the key that a document's proof names; null: no proof of the kind that we know. */
export function proofKeyId(document: Json): string | null {
  const method = proofOf(document)?.verificationMethod;
  return typeof method === 'string' ? method : null;
}

/** So far clocks of others may be ahead. */
const clockSkewMs = 60 * 60 * 1000;

/** Whether the document's proof was made within that time, not in the future, and has not expired. */
export function isProofCurrent(document: Json, now: Date, maxAgeMs: number): boolean {
  const { created, expires } = proofOf(document) ?? {};
  const age = typeof created === 'string' ? now.getTime() - Date.parse(created) : Number.NaN;
  if (!(age < maxAgeMs && age > -clockSkewMs)) return false;
  return expires === undefined || (typeof expires === 'string' && Date.parse(expires) > now.getTime());
}

/** Whether the document's proof was made over it with this Ed25519 key. */
export function verifyProof(document: Json, key: KeyObject): boolean {
  if (proofKeyId(document) === null || key.asymmetricKeyType !== 'ed25519') return false;
  const { proof: _proofs, signature: _linkedDataSignature, ...unsigned } = document;
  const proof = proofOf(document);
  if (proof === null) return false;
  const { proofValue, ...config } = proof;
  const signature = typeof proofValue === 'string' ? decodeMultibase(proofValue) : null;
  if (signature?.length !== 64 || !sameContext(unsigned, config)) return false;
  return verify(null, hashOf(unsigned, config), key, signature);
}

/** vc-di-eddsa §3.3.1: a proof with a context is only good for a document that begins with that context. */
function sameContext(document: Json, config: Json): boolean {
  if (config['@context'] === undefined) return true;
  const own = [config['@context']].flat();
  const given = [document['@context']].flat();
  return own.every((entry, index) => canonical(entry) === canonical(given[index] ?? null));
}

function hashOf(document: Json, config: Json): Buffer {
  return Buffer.concat([sha256(canonical(config)), sha256(canonical(document))]);
}

function canonical(value: unknown): string {
  return canonicalize(value) ?? 'null';
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
