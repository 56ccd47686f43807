// The only way out to the network. Whatever address a stranger names, it is https on port 443 of a public host, read within
// limits of time and size; nothing else in the house opens a socket to the outside (test/federation/egress.test.ts).
import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import { Agent, buildConnector, request } from 'undici';
import type { FetchRequest, FetchText } from '../server/fetching.js';
import type { Errand } from './errand.js';
import {
  checkStatus,
  headerOf,
  isActivityType,
  parseJson,
  readBody,
  readRetryAfter,
  readText,
  redirectOf,
} from './fetchAnswers.js';
import { asFetchError, FetchError, OwnLimitError } from './fetchErrors.js';
import { laneOf, Places, perHost } from './places.js';
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
