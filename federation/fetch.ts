// The only way out to the network. Whatever address a stranger names, it is https on port 443 of a public host, read within
// limits of time and size; nothing else in the house opens a socket to the outside (test/federation/egress.test.ts).
import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Agent, buildConnector, request } from 'undici';
import type { FetchFailure, FetchOutcome, FetchRequest, FetchText } from '../server/fetching.js';
import type { Errand } from './errand.js';
import { isPublicAddress } from './publicAddress.js';
import { signCavage } from './signatures/cavage.js';
import type { RequestSigner, SignatureScheme } from './signatures/outgoing.js';
import { signMessage } from './signatures/rfc9421.js';

/** Milliseconds for one exchange, redirects, waiting and reading included. */
export const deadlineMs = 10_000;
/** Bytes of a document, after decompression. */
export const maxDocumentBytes = 1024 * 1024;
const maxRedirects = 3;
const maxClocks = 50;
/** Milliseconds for which a connection that nobody uses stays open. What is in use is counted by Places. */
const keepAliveMs = 4000;
const perHost = 2;
/** For reading what we and those whom we follow name: servers that never answer must not stop deliveries. */
const forReading = 14;
/**
 * For reading on the word of strangers: those that have just begun, of one of them and of all, one of the two with a host, and
 * all that run. One that takes longer gives its first place up, as a delivery does.
 */
const strange = { freshOfOne: 2, fresh: 4, ofOne: 8, inAll: 40, waitingOfOne: 20, waitMs: 3000 };
/** Deliveries that have just begun. One that takes longer gives its place up, so that hung servers delay nobody else. */
const freshInAll = 64;
const freshMs = 300;
const inAll = 180;

export const activityType = 'application/activity+json';
const activityAccept =
  'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"';

export interface FetchOptions {
  /** Our own origin: never fetched over the network. */
  ownOrigin: string;
  /** For federation/selfTest.ts alone: this origin, from the configuration, and no other address at all. Opens `probe`. */
  onlyOrigin?: string;
  userAgent: string;
  /** host:port pairs that may be plain http and private. For demo and tests. */
  privateHosts: readonly string[];
  now(): Date;
  /** Whether an administrator's rules refuse this host: nothing is fetched from it or sent to it. */
  isRefused?(host: string): Promise<boolean>;
  /** How names become addresses; tests put their own. */
  lookup?: typeof systemLookup;
}

/** Why an exchange failed. `temporary`: trying later makes sense. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  constructor(
    readonly reason: FetchFailure,
    readonly detail: string,
    readonly options: { status?: number; retryAfter?: number } = {},
  ) {
    super(`${reason}: ${detail}`);
  }

  get status(): number | undefined {
    return this.options.status;
  }

  get temporary(): boolean {
    if (this.reason === 'bad-status') return this.status === 429 || this.status === 408 || (this.status ?? 0) >= 500;
    return this.reason === 'unreachable' || this.reason === 'timeout';
  }
}

/** We have no place now, or (`isFinal`) one activity asks for too much: nothing that the other side did. */
export class OwnLimitError extends FetchError {
  constructor(
    detail: string,
    readonly isFinal = false,
  ) {
    super('timeout', detail);
  }
}

/** For whom it is asked: see errand.ts. Absent or null: ourselves. */
type For = Pick<Errand, 'stranger' | 'left'> | null;

export interface FetchedDocument {
  json: unknown;
  /** As they came. */
  bytes: Buffer;
  /** After redirects. */
  url: string;
}

export interface PostAnswer {
  status: number;
  /** Seconds, from Retry-After; null: not said. */
  retryAfter: number | null;
}

export interface Fetch {
  /**
   * An ActivityStreams document. Throws FetchError. Signed afresh at every hop, so no signature reaches another host. `mayLead`
   * is called before another host is asked because one leads there, and may throw.
   */
  fetchActivityJson(
    url: string,
    options?: { signAs?: RequestSigner; scheme?: SignatureScheme; errand?: For; mayLead?: (host: string) => void },
  ): Promise<FetchedDocument>;
  fetchText: FetchText;
  /** Sends a body and reads no more than the status. Redirects are not followed. Throws FetchError when nothing answers. */
  post(url: string, body: Uint8Array, headers: Record<string, string>): Promise<PostAnswer>;
  /** One request to `onlyOrigin`, whatever it answers. Throws FetchError; always, where there is no `onlyOrigin`. */
  probe: Probe;
  /** How far the clocks of hosts that answered lately are ahead of ours, in milliseconds; to about a second. */
  clocks: ReadonlyMap<string, number>;
  /** Ends connections that are kept open. */
  close(): Promise<void>;
}

export interface ProbeAnswer {
  status: number;
  contentType: string | null;
  /** A header by its name in lower case. */
  header(name: string): string | null;
  body: Buffer;
}

export type Probe = (
  url: string,
  request: { method: 'GET' | 'POST'; headers: Record<string, string>; body?: Uint8Array },
) => Promise<ProbeAnswer>;

interface Exchange {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  body: Uint8Array | null;
  signal: AbortSignal;
  stranger: string | null;
}

type Answer = Awaited<ReturnType<typeof request>>;

/** undici looks at the signal only once it is connected: a server that hangs before that would take longer than it has. */
async function inTime(asked: ReturnType<typeof request>, signal: AbortSignal): Promise<Answer> {
  const late = new AbortController();
  const over = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: late.signal });
  });
  asked.then((answer) => signal.aborted && answer.body.on('error', () => {}).destroy()).catch(() => {});
  try {
    return await Promise.race([asked, over]);
  } finally {
    late.abort();
  }
}

export function createFetch(options: FetchOptions): Fetch {
  const agent = new Agent({
    connect: guardedConnector(options),
    connections: perHost,
    pipelining: 1,
    // Also where a server wishes for longer: idle connections to thousands of hosts would be kept.
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    headersTimeout: deadlineMs,
    bodyTimeout: deadlineMs,
    maxHeaderSize: 16 * 1024,
  });
  const places = new Places();
  const clocks = new Map<string, number>();

  function noteClock(host: string, date: string | null): void {
    const theirs = Date.parse(date ?? '');
    if (Number.isNaN(theirs)) return;
    clocks.delete(host);
    // The header counts whole seconds.
    clocks.set(host, theirs + 500 - options.now().getTime());
    const [oldest] = clocks.keys();
    if (clocks.size > maxClocks && oldest !== undefined) clocks.delete(oldest);
  }

  async function checkRules(url: URL): Promise<void> {
    if (await options.isRefused?.(url.host))
      throw new FetchError('refused-address', 'refused by the rules of this instance');
  }

  /** One request, no redirect, in its turn. The caller reads or dumps the body inside `use`. */
  async function exchange<T>(wanted: Exchange, use: (answer: Answer) => Promise<T>): Promise<T> {
    const { stranger, method, signal } = wanted;
    const leave = await places.enter(wanted.url.host, laneOf(method, stranger), signal, stranger ?? '');
    try {
      const asked = request(wanted.url, {
        method: wanted.method,
        headers: { 'user-agent': options.userAgent, ...wanted.headers },
        body: wanted.body === null ? null : Buffer.from(wanted.body),
        dispatcher: agent,
        signal,
      });
      const answer = await inTime(asked, signal);
      noteClock(wanted.url.host, headerOf(answer, 'date'));
      try {
        return await use(answer);
      } finally {
        answer.body.destroy();
        answer.body.on('error', () => {});
      }
    } catch (error) {
      throw asFetchError(error);
    } finally {
      leave();
    }
  }

  /** Follows at most three redirects, each checked like the first address. */
  async function get<T>(
    address: string,
    signal: AbortSignal,
    headersFor: (url: URL) => Promise<Record<string, string>>,
    use: (answer: Answer, url: URL) => Promise<T>,
    { errand = null, mayLead }: { errand?: For; mayLead?: ((host: string) => void) | undefined } = {},
  ): Promise<T> {
    let url = checkAddress(address, options);
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const here = url;
      await checkRules(here);
      if (errand !== null && errand.left-- <= 0) throw new OwnLimitError('it leads to too many requests', true);
      const headers = await headersFor(here);
      const step = await exchange<{ next: URL } | { result: T }>(
        { method: 'GET', url: here, headers, body: null, signal, stranger: errand?.stranger ?? null },
        async (answer) => {
          const location = redirectOf(answer);
          if (location === null) return { result: await use(answer, here) };
          if (!URL.canParse(location, here.href)) throw new FetchError('refused-address', 'redirect to something else');
          return { next: checkAddress(new URL(location, here).href, options) };
        },
      );
      if ('result' in step) return step.result;
      url = step.next;
      if (url.host !== here.host) mayLead?.(url.host);
    }
    throw new FetchError('too-many-redirects', address);
  }

  return {
    async fetchActivityJson(address, { signAs, scheme = 'cavage', errand = null, mayLead } = {}) {
      const sign = scheme === 'cavage' ? signCavage : signMessage;
      const headersFor = async (url: URL): Promise<Record<string, string>> => ({
        accept: activityAccept,
        'accept-encoding': 'identity',
        ...(signAs ? await sign({ method: 'GET', url, body: null }, signAs, options.now()) : {}),
      });
      const use = async (answer: Answer, url: URL): Promise<FetchedDocument> => {
        checkStatus(answer);
        if (!isActivityType(headerOf(answer, 'content-type')))
          throw new FetchError('bad-content', 'not ActivityStreams');
        const bytes = await readBody(answer, maxDocumentBytes);
        return { json: parseJson(bytes), bytes, url: url.href };
      };
      return get(address, AbortSignal.timeout(deadlineMs), headersFor, use, { errand, mayLead });
    },

    async fetchText(address, wanted) {
      try {
        return await get(
          address,
          signalFor(wanted),
          async () => conditions(wanted),
          (answer, url) => readText(answer, url, wanted),
        );
      } catch (error) {
        const failure = asFetchError(error);
        return {
          outcome: 'failed',
          reason: failure.reason,
          ...(failure.status === undefined ? {} : { status: failure.status }),
        };
      }
    },

    async post(address, body, headers) {
      const url = checkAddress(address, options);
      await checkRules(url);
      const signal = AbortSignal.timeout(deadlineMs);
      return exchange({ method: 'POST', url, headers, body, signal, stranger: null }, async (answer) => {
        // What follows the status is of no interest, but read to its end the connection can be used again.
        await answer.body.dump({ limit: 16 * 1024 }).catch(() => {});
        return {
          status: answer.statusCode,
          retryAfter: readRetryAfter(headerOf(answer, 'retry-after'), options.now()),
        };
      });
    },

    async probe(address, { method, headers, body = null }) {
      if (options.onlyOrigin === undefined) throw new FetchError('refused-address', 'not a self-test');
      const url = checkAddress(address, options);
      const signal = AbortSignal.timeout(deadlineMs);
      return exchange({ method, url, headers, body, signal, stranger: null }, async (answer) => ({
        status: answer.statusCode,
        contentType: headerOf(answer, 'content-type'),
        header: (name) => headerOf(answer, name),
        body: await readBody(answer, maxDocumentBytes),
      }));
    },

    clocks,
    close: () => agent.close(),
  };
}

/** An address that may be asked for. Refuses schemes, ports, credentials, private literals, names without a dot, ourselves. */
export function checkAddress(
  address: string,
  options: Pick<FetchOptions, 'ownOrigin' | 'onlyOrigin' | 'privateHosts'>,
): URL {
  const url = address.length <= 2000 && URL.canParse(address) ? new URL(address) : null;
  if (!url) throw new FetchError('refused-address', 'not an address');
  if (url.origin === options.ownOrigin) throw new FetchError('refused-address', 'our own address');
  if (url.username || url.password) throw new FetchError('refused-address', 'credentials in the address');
  if (options.onlyOrigin !== undefined) {
    if (url.origin === options.onlyOrigin) return url;
    throw new FetchError('refused-address', 'not the address of this instance');
  }
  if (isPrivateHost(url, options.privateHosts)) return url;
  if (url.protocol !== 'https:' || url.port !== '') throw new FetchError('refused-address', 'not https on port 443');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) ? !isPublicAddress(host) : !/^(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) {
    throw new FetchError('refused-address', 'not a public host');
  }
  return url;
}

function isPrivateHost(url: URL, privateHosts: readonly string[]): boolean {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return false;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return privateHosts.includes(`${url.hostname}:${port}`);
}

/** Connects only to addresses that pass: literals before, names at resolution, and what was really connected after. */
function guardedConnector(options: FetchOptions): buildConnector.connector {
  const look = options.lookup ?? systemLookup;
  const guarded: typeof systemLookup = ((host: string, wanted: object, done: LookupDone) => {
    look(host, { ...wanted, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const list = Array.isArray(addresses) ? addresses : [addresses];
      if (list.length === 0 || list.length > 50 || !list.every(({ address }) => isPublicAddress(address))) {
        return done(new FetchError('refused-address', 'resolves to an address that is not public'), []);
      }
      done(null, list);
    });
  }) as typeof systemLookup;
  const open = buildConnector({ timeout: deadlineMs });
  const guardedOpen = buildConnector({ timeout: deadlineMs, lookup: guarded, autoSelectFamily: true });

  return (wanted, done) => {
    const port = wanted.port || (wanted.protocol === 'https:' ? '443' : '80');
    // A self-test goes where the configuration says; checkAddress has let nothing else pass.
    if (options.onlyOrigin !== undefined) return open(wanted, done);
    if (options.privateHosts.includes(`${wanted.hostname}:${port}`)) return open(wanted, done);
    const literal = wanted.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) && !isPublicAddress(literal)) {
      return done(new FetchError('refused-address', 'not a public address'), null);
    }
    guardedOpen(wanted, (...result) => {
      const [error, socket] = result;
      if (error === null && !isPublicAddress(socket.remoteAddress ?? '')) {
        socket.destroy();
        return done(new FetchError('refused-address', 'connected to an address that is not public'), null);
      }
      done(...result);
    });
  };
}

type LookupDone = (error: Error | null, addresses: { address: string; family: number }[]) => void;

/** ours: what we and partners have us read. strange: what strangers have us read. post: deliveries. */
type Lane = 'ours' | 'strange' | 'post';

function laneOf(method: Exchange['method'], stranger: string | null): Lane {
  if (method === 'POST') return 'post';
  return stranger === null ? 'ours' : 'strange';
}

interface Entry {
  host: string;
  lane: Lane;
  /** Who of the strangers. */
  by: string;
}

/**
 * At most two exchanges with one host, fourteen readings, 64 deliveries that have just begun, and 180 in all; strangers have
 * places of their own, few of which one of them can take. Who comes later waits within their deadline.
 */
class Places {
  private readonly running = new Tally();
  private readonly fresh = new Tally();
  private waiting: (Entry & { start: () => void })[] = [];

  async enter(host: string, lane: Lane, signal: AbortSignal, by: string): Promise<() => void> {
    const entry = { host, lane, by };
    if (!this.hasRoom(entry)) await this.wait(entry, signal);
    else this.take(entry);
    let isFresh = true;
    const age = (): void => {
      if (isFresh) this.fresh.remove(entry);
      isFresh = false;
    };
    const timer = setTimeout(() => {
      age();
      this.startNext();
    }, freshMs).unref();
    return () => {
      clearTimeout(timer);
      age();
      this.running.remove(entry);
      this.startNext();
    };
  }

  private hasRoom({ host, lane, by }: Entry): boolean {
    const { running, fresh } = this;
    if (running.all >= inAll || running.of(`host ${host}`) >= perHost) return false;
    if (lane === 'ours') return running.of(lane) < forReading;
    if (lane === 'post') return fresh.of(lane) < freshInAll;
    if (running.of(lane) >= strange.inAll || running.of(`by ${by}`) >= strange.ofOne) return false;
    if (running.of(`strange ${host}`) >= perHost - 1) return false;
    return fresh.of(lane) < strange.fresh && fresh.of(`by ${by}`) < strange.freshOfOne;
  }

  private take(entry: Entry): void {
    this.running.add(entry);
    this.fresh.add(entry);
  }

  private startNext(): void {
    for (;;) {
      const index = this.waiting.findIndex((waiter) => this.hasRoom(waiter));
      const [next] = index === -1 ? [] : this.waiting.splice(index, 1);
      if (next === undefined) return;
      this.take(next);
      next.start();
    }
  }

  /** A stranger waits for a shorter while, so that there is time left for the exchange, and not in a long row. */
  private wait(entry: Entry, deadline: AbortSignal): Promise<void> {
    const isStrange = entry.lane === 'strange';
    const row = isStrange ? this.waiting.filter(({ lane, by }) => lane === entry.lane && by === entry.by) : [];
    const signal = isStrange ? AbortSignal.any([deadline, AbortSignal.timeout(strange.waitMs)]) : deadline;
    return new Promise((resolve, reject) => {
      const waiter = {
        ...entry,
        start: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = (): void => {
        this.waiting = this.waiting.filter((other) => other !== waiter);
        reject(new OwnLimitError('no place before the deadline'));
      };
      if (signal.aborted || row.length >= strange.waitingOfOne) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(waiter);
    });
  }
}

/** How many there are in all, in each lane, with each host, and of each stranger. */
class Tally {
  all = 0;
  private readonly counts = new Map<string, number>();

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  add(entry: Entry): void {
    this.change(entry, 1);
  }

  remove(entry: Entry): void {
    this.change(entry, -1);
  }

  private change({ host, lane, by }: Entry, step: number): void {
    this.all += step;
    const names = [lane, `host ${host}`, ...(lane === 'strange' ? [`by ${by}`, `strange ${host}`] : [])];
    for (const name of names) {
      const count = this.of(name) + step;
      if (count === 0) this.counts.delete(name);
      else this.counts.set(name, count);
    }
  }
}

function redirectOf(answer: Answer): string | null {
  return [301, 302, 303, 307, 308].includes(answer.statusCode) ? headerOf(answer, 'location') : null;
}

function headerOf(answer: Answer, name: string): string | null {
  const value = answer.headers[name];
  return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
}

function checkStatus(answer: Answer): void {
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

/** The body within its size, unpacked when the other side packed it although it was asked not to. */
async function readBody(answer: Answer, maxBytes: number): Promise<Buffer> {
  const encoding = (headerOf(answer, 'content-encoding') ?? 'identity').trim().toLowerCase();
  let stream: Readable = answer.body;
  if (encoding !== 'identity') {
    const unpack = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress }[
      encoding
    ];
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

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FetchError('bad-content', 'not JSON');
  }
}

function signalFor(wanted: FetchRequest): AbortSignal {
  const timeout = AbortSignal.timeout(Math.max(1, wanted.timeoutMs));
  return wanted.signal ? AbortSignal.any([timeout, wanted.signal]) : timeout;
}

function conditions(wanted: FetchRequest): Record<string, string> {
  return {
    accept: wanted.accept ?? 'text/plain, */*;q=0.5',
    'accept-encoding': 'identity',
    ...(wanted.etag ? { 'if-none-match': wanted.etag } : {}),
    ...(wanted.lastModified ? { 'if-modified-since': wanted.lastModified } : {}),
  };
}

async function readText(answer: Answer, url: URL, wanted: FetchRequest): Promise<FetchOutcome> {
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

function asFetchError(error: unknown): FetchError {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof FetchError) return cause;
    if (cause.name === 'TimeoutError' || cause.name === 'AbortError' || /Timeout/.test(cause.name)) {
      return new FetchError('timeout', 'no answer in time');
    }
    const code = 'code' in cause ? String(cause.code) : '';
    if (code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code.startsWith('ERR__ERROR')) {
      return new FetchError('bad-content', 'cannot be unpacked');
    }
  }
  return new FetchError('unreachable', error instanceof Error ? error.message : String(error));
}
