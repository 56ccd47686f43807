// Signing what leaves, in either scheme. Which scheme a peer takes is federation/knocking.ts's business.
import { type KeyObject, sign as signBytes } from 'node:crypto';

export type SignatureScheme = 'cavage' | 'rfc9421';

export interface RequestSigner {
  keyId: string;
  privateKey: KeyObject;
}

export interface OutgoingRequest {
  method: string;
  url: URL;
  body: Uint8Array | null;
  contentType?: string;
  /** More headers, names in lower case: sent, and covered by the signature. */
  headers?: Readonly<Record<string, string>>;
}

/** RSA PKCS #1 v1.5 with SHA-256 on the thread pool, so that a large delivery does not hold up pages. */
export function signOffThread(text: string, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    signBytes('RSA-SHA256', Buffer.from(text), key, (error, signature) => (error ? reject(error) : resolve(signature)));
  });
}
