// The peer's own cryptography: draft-cavage and RFC 9421 signatures, digests and proofs with node:crypto, written apart from the server's so that
// a mistake there cannot hide behind the same mistake here.
import { createHash, createSign, createVerify, type KeyObject, sign as signOnce } from 'node:crypto';

export function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64');
}

export interface SignOptions {
  keyId: string;
  key: KeyObject;
  /** Names to sign, in order. */
  headers?: string[];
  date?: Date;
  algorithm?: string | null;
  /** More headers, signed like the others. */
  more?: Record<string, string>;
  /** Replaces what is sent, after signing. */
  tamper?: Record<string, string | string[] | undefined>;
}

/** Headers of a signed request as Mastodon would send it. */
export function signedHeaders(
  method: string,
  target: URL,
  body: Buffer | null,
  options: SignOptions,
): Record<string, string | string[]> {
  const values: Record<string, string> = { host: target.host, date: (options.date ?? new Date()).toUTCString() };
  if (body) {
    values.digest = `SHA-256=${sha256(body)}`;
    values['content-type'] = 'application/activity+json';
  }
  Object.assign(values, options.more);
  const usual = ['(request-target)', 'host', 'date', ...(body ? ['digest', 'content-type'] : [])];
  const names = options.headers ?? [...usual, ...Object.keys(options.more ?? {})];
  const text = names
    .map((name) =>
      name === '(request-target)'
        ? `${name}: ${method.toLowerCase()} ${target.pathname}${target.search}`
        : `${name}: ${values[name] ?? ''}`,
    )
    .join('\n');
  const signature = createSign('sha256').update(text).sign(options.key, 'base64');
  const algorithm = options.algorithm === null ? '' : `,algorithm="${options.algorithm ?? 'rsa-sha256'}"`;
  const all: Record<string, string | string[] | undefined> = {
    ...values,
    signature: `keyId="${options.keyId}"${algorithm},headers="${names.join(' ')}",signature="${signature}"`,
    ...options.tamper,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export interface Claimed {
  keyId: string;
  names: string[];
  signature: string;
}

/** The parts of a Signature header; null: none that can be read. */
export function readSignature(header: string | undefined): Claimed | null {
  const part = (name: string): string | undefined => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(header ?? '')?.[1];
  const keyId = part('keyId');
  const signature = part('signature');
  return keyId && signature ? { keyId, signature, names: (part('headers') ?? 'date').split(' ') } : null;
}

export function signatureFits(
  claimed: Claimed,
  request: { method: string; path: string; headers: Record<string, string | string[] | undefined> },
  pem: string,
): boolean {
  const text = claimed.names
    .map((name) =>
      name === '(request-target)'
        ? `${name}: ${request.method.toLowerCase()} ${request.path}`
        : `${name}: ${String(request.headers[name])}`,
    )
    .join('\n');
  return createVerify('sha256').update(text).verify(pem, claimed.signature, 'base64');
}

/** Headers of a request signed after RFC 9421, as Mastodon wants it. */
export function messageSignedHeaders(
  method: string,
  target: URL,
  body: Buffer | null,
  options: { keyId: string; key: KeyObject; date?: Date; tamper?: Record<string, string | undefined> },
): Record<string, string> {
  const digest = body ? `sha-256=:${sha256(body)}:` : null;
  const names = ['"@method"', '"@target-uri"', ...(digest === null ? [] : ['"content-digest"'])];
  const created = Math.floor((options.date ?? new Date()).getTime() / 1000);
  const parameters = `(${names.join(' ')});created=${created};keyid="${options.keyId}"`;
  const text = [
    `"@method": ${method}`,
    `"@target-uri": ${target.href}`,
    ...(digest === null ? [] : [`"content-digest": ${digest}`]),
    `"@signature-params": ${parameters}`,
  ].join('\n');
  const isEdwards = options.key.asymmetricKeyType === 'ed25519';
  const signature = signOnce(isEdwards ? null : 'sha256', Buffer.from(text), options.key).toString('base64');
  const all: Record<string, string | undefined> = {
    ...(digest === null ? {} : { 'content-digest': digest, 'content-type': 'application/activity+json' }),
    'signature-input': `sig=${parameters}`,
    signature: `sig=:${signature}:`,
    ...options.tamper,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export interface MessageClaim {
  keyId: string;
  names: string[];
  created: number;
  /** Everything after the label's "=". */
  parameters: string;
  signature: string;
}

/** The parts of Signature-Input and Signature (RFC 9421); null: none that can be read. */
export function readMessageClaim(headers: Record<string, string | string[] | undefined>): MessageClaim | null {
  const [, label, parameters, list] = /^(\w+)=(\(([^)]*)\).*)$/.exec(String(headers['signature-input'] ?? '')) ?? [];
  const [, signedLabel, signature] = /^(\w+)=:([^:]+):$/.exec(String(headers.signature ?? '')) ?? [];
  const keyId = /;keyid="([^"]+)"/.exec(parameters ?? '')?.[1];
  const created = Number(/;created=(\d+)/.exec(parameters ?? '')?.[1]);
  if (!label || label !== signedLabel || !parameters || list === undefined || !signature || !keyId) return null;
  return { keyId, created, parameters, signature, names: list.split(' ').map((name) => name.slice(1, -1)) };
}

export function messageSignatureFits(
  claim: MessageClaim,
  request: { method: string; url: string; headers: Record<string, string | string[] | undefined> },
  pem: string,
): boolean {
  const lines = claim.names.map((name) => {
    if (name === '@method') return `"${name}": ${request.method}`;
    if (name === '@target-uri') return `"${name}": ${request.url}`;
    return `"${name}": ${String(request.headers[name])}`;
  });
  const text = [...lines, `"@signature-params": ${claim.parameters}`].join('\n');
  return createVerify('sha256').update(text).verify(pem, claim.signature, 'base64');
}

type Json = Record<string, unknown>;

/** RFC 8785 for what the tests send: no numbers but small integers. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}

function hashed(value: unknown): Buffer {
  return createHash('sha256').update(canonical(value)).digest();
}

/** The document with an eddsa-jcs-2022 proof (FEP-8b32). */
export function proven(
  document: Json,
  verificationMethod: string,
  key: KeyObject,
  made = new Date(),
  more: Json = {},
): Json {
  const config = {
    '@context': document['@context'],
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    verificationMethod,
    proofPurpose: 'assertionMethod',
    created: `${made.toISOString().slice(0, 19)}Z`,
    ...more,
  };
  const signature = signOnce(null, Buffer.concat([hashed(config), hashed(document)]), key);
  return { ...document, proof: { ...config, proofValue: base58(signature) } };
}

/** "z6Mk...": multibase base58btc of the multicodec prefix and the key. */
export function multikeyOf(publicKey: KeyObject): string {
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return base58(Buffer.concat([Buffer.from([0xed, 0x01]), raw]));
}

function base58(bytes: Buffer): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const digits: number[] = [];
  for (const byte of bytes) {
    let carry = byte;
    for (let at = 0; at < digits.length; at++) {
      carry += (digits[at] ?? 0) << 8;
      digits[at] = carry % 58;
      carry = Math.floor(carry / 58);
    }
    while (carry > 0) {
      digits.push(carry % 58);
      carry = Math.floor(carry / 58);
    }
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return `z${'1'.repeat(Math.max(0, zeros))}${digits
    .reverse()
    .map((digit) => alphabet[digit])
    .join('')}`;
}
