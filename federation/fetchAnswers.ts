// An answer from the network, read within its limits: status, content type, size after unpacking, when to come again. Asks nothing.
import type { Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { FetchOutcome, FetchRequest } from '../server/fetching.js';
import { FetchError } from './fetchErrors.js';

interface Answer {
  statusCode: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Readable;
}

export const activityType = 'application/activity+json';

export function redirectOf(answer: Answer): string | null {
  return [301, 302, 303, 307, 308].includes(answer.statusCode) ? headerOf(answer, 'location') : null;
}

export function headerOf(answer: Answer, name: string): string | null {
  const value = answer.headers[name];
  return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
}

export function checkStatus(answer: Answer): void {
  if (answer.statusCode === 200) return;
  throw new FetchError('bad-status', String(answer.statusCode), { status: answer.statusCode });
}

/** application/activity+json, or application/ld+json with the ActivityStreams profile: a plain upload is neither. */
export function isActivityType(contentType: string | null): boolean {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type === activityType) return true;
  const profile = parameters.find((part) => part.startsWith('profile='))?.slice('profile='.length) ?? '';
  const profiles = profile.replaceAll('"', '').split(' ');
  return type === 'application/ld+json' && profiles.includes('https://www.w3.org/ns/activitystreams');
}

const unpackers: ReadonlyMap<string, () => Duplex> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** The body within its size, unpacked when the other side packed it although it was asked not to. */
export async function readBody(answer: Answer, maxBytes: number): Promise<Buffer> {
  const encoding = (headerOf(answer, 'content-encoding') ?? 'identity').trim().toLowerCase();
  let stream: Readable = answer.body;
  if (encoding !== 'identity') {
    const unpack = unpackers.get(encoding);
    if (!unpack) throw new FetchError('bad-content', 'unknown content encoding');
    const unpacked = unpack();
    answer.body.on('error', (error) => unpacked.destroy(error));
    stream = answer.body.pipe(unpacked);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) {
      stream.destroy();
      throw new FetchError('too-large', `more than ${maxBytes} bytes`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FetchError('bad-content', 'not JSON');
  }
}

export async function readText(answer: Answer, url: URL, wanted: FetchRequest): Promise<FetchOutcome> {
  if (answer.statusCode === 304) return { outcome: 'not-modified' };
  checkStatus(answer);
  const body = await readBody(answer, wanted.maxBytes);
  return {
    outcome: 'read',
    body,
    etag: headerOf(answer, 'etag'),
    lastModified: headerOf(answer, 'last-modified'),
    finalUrl: url.href,
  };
}

/** RFC 9110 §10.2.3: seconds or a date; at most a day. */
export function readRetryAfter(value: string | null, now: Date): number | null {
  if (value === null) return null;
  const text = value.trim();
  if (!/^\d{1,9}$|GMT$/.test(text)) return null;
  const seconds = text.endsWith('GMT') ? (Date.parse(text) - now.getTime()) / 1000 : Number(text);
  return Number.isFinite(seconds) ? Math.min(Math.max(0, Math.ceil(seconds)), 24 * 60 * 60) : null;
}
