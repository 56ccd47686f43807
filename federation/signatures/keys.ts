// Public keys as they travel: PEM for RSA (draft-cavage) and Multikey for Ed25519 (FEP-521a), read strictly, because they
// come from strangers. Nothing here fetches or stores a key.
import { createPublicKey, type KeyObject } from 'node:crypto';

const smallestRsa = 2048;
/** Verifying with larger keys costs time that strangers could make us spend. */
const largestRsa = 8192;
/** Characters of a key; longer texts are none, and are not remembered: strangers write them. */
const maxText = 4000;
const cacheSize = 1000;
const cache = new Map<string, KeyObject | null>();

/** A public RSA key of 2048 to 8192 bits from one PEM block, SPKI or PKCS #1. Null: not one. */
export function readRsaPublicKey(pem: string): KeyObject | null {
  return cached(pem, () => {
    const blocks = pem.trim().match(/-----BEGIN [^-]*-----/g) ?? [];
    const form = /^-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]+-----END (RSA )?PUBLIC KEY-----$/;
    if (blocks.length !== 1 || !form.test(pem.trim())) return null;
    const key = createPublicKey(pem);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return key.asymmetricKeyType === 'rsa' && bits >= smallestRsa && bits <= largestRsa ? key : null;
  });
}

/** A public Ed25519 key from "z6Mk..." (multibase base58btc of 0xed 0x01 and the 32 bytes). Null: not one. */
export function readEd25519Multikey(multibase: string): KeyObject | null {
  return cached(multibase, () => {
    const bytes = multibase.length < 100 ? decodeMultibase(multibase) : null;
    if (bytes?.length !== 34 || bytes[0] !== 0xed || bytes[1] !== 0x01) return null;
    const x = bytes.subarray(2).toString('base64url');
    return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  });
}

/** The Multikey form of a public Ed25519 key. */
export function ed25519Multikey(key: KeyObject): string {
  const x = key.export({ format: 'jwk' }).x;
  if (typeof x !== 'string') throw new Error('not an Ed25519 key');
  return encodeMultibase(Buffer.concat([Buffer.from([0xed, 0x01]), Buffer.from(x, 'base64url')]));
}

function cached(text: string, read: () => KeyObject | null): KeyObject | null {
  if (text.length > maxText) return null;
  const known = cache.get(text);
  if (known !== undefined) return known;
  let key: KeyObject | null = null;
  try {
    key = read();
  } catch {
    // node:crypto throws for every kind of broken key: to us they are all "not a key".
  }
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value ?? '');
  cache.set(text, key);
  return key;
}

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Multibase with base58btc: "z" and the digits. */
export function encodeMultibase(bytes: Uint8Array): string {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
  let text = '';
  while (number > 0n) {
    text = (alphabet[Number(number % 58n)] ?? '') + text;
    number /= 58n;
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return `z${'1'.repeat(zeros === -1 ? bytes.length : zeros)}${text}`;
}

/** Null: not base58btc, or longer than 200 digits. */
export function decodeMultibase(text: string): Buffer | null {
  if (!text.startsWith('z') || text.length > 200) return null;
  const digits = text.slice(1);
  let number = 0n;
  for (const digit of digits) {
    const value = alphabet.indexOf(digit);
    if (value === -1) return null;
    number = number * 58n + BigInt(value);
  }
  const zeros = /^1*/.exec(digits)?.[0].length ?? 0;
  const hex = number === 0n ? '' : number.toString(16);
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')]);
}
