// What the house asks of the network when it reads somebody's published file or picture. The way out itself is federation/fetch.ts;
// server/main.ts puts it on the house, tests put their own. Nothing here opens a socket.
import type { ImageType } from './uploads/schema.js';

export interface FetchRequest {
  /** Sent as If-None-Match and If-Modified-Since (RFC 9110 §13.1), as the server gave them last time. */
  etag?: string | null;
  lastModified?: string | null;
  /** Bytes of the body after which reading stops with `too-large`. */
  maxBytes: number;
  /** Milliseconds for the whole exchange, redirects included. */
  timeoutMs: number;
  /** Value of Accept. */
  accept?: string;
  /** Ends the exchange at once, with `timeout`. */
  signal?: AbortSignal;
}

/** Why nothing came: what a person can be told about it (texts: catalogue.fetch.<reason>). */
export const fetchFailures = [
  'refused-address',
  'unreachable',
  'timeout',
  'too-large',
  'too-many-redirects',
  'bad-status',
  'bad-content',
] as const;
export type FetchFailure = (typeof fetchFailures)[number];

export type FetchOutcome =
  | { outcome: 'read'; body: Uint8Array; etag: string | null; lastModified: string | null; finalUrl: string }
  | { outcome: 'not-modified' }
  /** `status`: the HTTP status, for bad-status. */
  | { outcome: 'failed'; reason: FetchFailure; status?: number };

/** Reads one address. Never rejects for what the other side did: that is an outcome. */
export type FetchText = (url: string, request: FetchRequest) => Promise<FetchOutcome>;

export interface Picture {
  type: ImageType;
  bytes: Buffer;
}

/** Pictures of others for readers here (federation/pictures.ts). Whether an address may be asked for is the caller's to check. */
export interface Pictures {
  /** As kept here; null: it has to be loaded. Asks nobody. */
  find(url: string): Promise<Picture | null>;
  /** Asks the network. Null: nothing that may be shown came, for whatever reason. */
  load(url: string): Promise<Picture | null>;
  /** Removes what is old or too much. Returns how many. */
  prune(): Promise<number>;
}
