// The keys of our actors: RSA for request signatures, Ed25519 for proofs. Private keys live in the collection actorKeys and
// in this process's memory, nowhere else: no response, activity, queue row or log ever carries one.
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { type Doc, DuplicateKeyError } from '../server/store/store.js';
import type { Federation } from './federation.js';
import { ed25519Multikey } from './signatures/keys.js';

interface ActorKeysDoc extends Doc {
  rsaPrivate: string;
  ed25519Private: string;
  createdAt: Date;
}

export interface ActorKeys {
  rsa: { id: string; privateKey: KeyObject; publicPem: string };
  ed25519: { id: string; privateKey: KeyObject; multikey: string };
}

const generate = promisify(generateKeyPair);
/** 2048 bits: what every peer takes, and a small machine makes in a second. */
const rsaBits = 2048;
const memory = new WeakMap<Federation, Map<string, ActorKeys>>();
const maxInMemory = 500;

/** The keys of a local actor, made when first needed. Of several processes that make them at once, the first wins. */
export async function keysOf(federation: Federation, handle: string): Promise<ActorKeys> {
  const known = memory.get(federation) ?? new Map<string, ActorKeys>();
  memory.set(federation, known);
  const cached = known.get(handle);
  if (cached) return cached;
  const collection = federation.house.store.collection<ActorKeysDoc>('actorKeys');
  const doc = (await collection.findOne({ _id: handle })) ?? (await makeKeys(federation, handle));
  const keys = readKeys(federation.apex.actorIri(handle), doc);
  if (known.size >= maxInMemory) known.clear();
  known.set(handle, keys);
  return keys;
}

async function makeKeys(federation: Federation, handle: string): Promise<ActorKeysDoc> {
  const collection = federation.house.store.collection<ActorKeysDoc>('actorKeys');
  const makeRsaKeys = federation.makeRsaKeys ?? (() => generate('rsa', { modulusLength: rsaBits }));
  const [rsa, edwards] = await Promise.all([makeRsaKeys(), generate('ed25519', {})]);
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const doc = {
    _id: handle,
    rsaPrivate: rsa.privateKey.export(pem).toString(),
    ed25519Private: edwards.privateKey.export(pem).toString(),
    createdAt: federation.house.now(),
  };
  try {
    await collection.insertOne(doc);
    return doc;
  } catch (error) {
    const winner = error instanceof DuplicateKeyError ? await collection.findOne({ _id: handle }) : null;
    if (winner) return winner;
    throw error;
  }
}

function readKeys(actorIri: string, doc: ActorKeysDoc): ActorKeys {
  const rsa = createPrivateKey(doc.rsaPrivate);
  const edwards = createPrivateKey(doc.ed25519Private);
  return {
    rsa: {
      id: `${actorIri}#main-key`,
      privateKey: rsa,
      publicPem: createPublicKey(rsa).export({ type: 'spki', format: 'pem' }).toString(),
    },
    ed25519: {
      id: `${actorIri}#ed25519-key`,
      privateKey: edwards,
      multikey: ed25519Multikey(createPublicKey(edwards)),
    },
  };
}
