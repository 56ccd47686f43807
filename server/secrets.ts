// Links in mails and keys for cookies, all derived from one secret. Nothing here is stored: a dump of the store alone
// opens no door.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** A key of 32 bytes for one purpose (RFC 5869 HKDF-SHA256). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'chatiere', purpose, 32));
}

/** "<id>.<mac>" for a link: 160 bits, bound to the purpose. Single use and expiry are the record's business. */
export function signLink(secret: string, purpose: string, id: string): string {
  return `${id}.${linkMac(secret, purpose, id)}`;
}

/** The id of a link that we signed for this purpose, else null. */
export function readLink(secret: string, purpose: string, token: string): string | null {
  const dot = token.lastIndexOf('.');
  if (dot < 1 || token.length > 200) return null;
  const id = token.slice(0, dot);
  const given = Buffer.from(token.slice(dot + 1));
  const expected = Buffer.from(linkMac(secret, purpose, id));
  return given.length === expected.length && timingSafeEqual(given, expected) ? id : null;
}

function linkMac(secret: string, purpose: string, id: string): string {
  return createHmac('sha256', deriveKey(secret, `link:${purpose}`))
    .update(id)
    .digest('base64url')
    .slice(0, 27);
}
