// Digests of bodies: the Digest header (RFC 3230, used by draft-cavage) and Content-Digest (RFC 9530). Always over the
// raw bytes received, never over JSON that was parsed and written again.
import { createHash, timingSafeEqual } from 'node:crypto';

const algorithms: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-512': 'sha512' };

/** The value of Digest for a body: SHA-256, as every known peer reads it. */
export function digestOf(body: Uint8Array): string {
  return `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
}

/** The value of Content-Digest for a body (RFC 9530 §2). */
export function contentDigestOf(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

/** Whether a Digest header fits the body: at least one known algorithm, and every known one listed is right. */
export function digestMatches(header: string, body: Uint8Array): boolean {
  return everyKnownMatches(header, /^([A-Za-z0-9-]+)=([A-Za-z0-9+/]+={0,2})$/, body);
}

/** The same for a Content-Digest header. */
export function contentDigestMatches(header: string, body: Uint8Array): boolean {
  return everyKnownMatches(header, /^([a-z0-9-]+)=:([A-Za-z0-9+/]+={0,2}):$/, body);
}

function everyKnownMatches(header: string, form: RegExp, body: Uint8Array): boolean {
  if (header.length > 1000) return false;
  let known = 0;
  for (const part of header.split(',')) {
    const [, name, value] = form.exec(part.trim()) ?? [];
    if (name === undefined || value === undefined) return false;
    const algorithm = algorithms[name.toLowerCase()];
    if (!algorithm) continue;
    const expected = createHash(algorithm).update(body).digest();
    const given = Buffer.from(value, 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    known++;
  }
  return known > 0;
}
