// The peer's own cryptography: draft-cavage signatures and digests with node:crypto, written apart from the server's so that
// a mistake there cannot hide behind the same mistake here.
import { createHash, createSign, createVerify, type KeyObject } from 'node:crypto';

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
  const names = options.headers ?? ['(request-target)', 'host', 'date', ...(body ? ['digest', 'content-type'] : [])];
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
