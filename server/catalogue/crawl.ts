// Reads the files that a hoster publishes: its own, those of its services, those of their figures. Politely, within
// limits of time and size, and only downwards. The way to the network is given by the caller.
import type { FetchOutcome, FetchText } from '../fetching.js';
import type { DocumentKind, Sub } from '../formats/chatonsinfos/model.js';
import { readChatonsInfos } from '../formats/chatonsinfos/read.js';
import { PROPERTIES_MAX_BYTES } from '../formats/properties.js';
import type { InfoFile } from './schema.js';

/** A file as received, before it is kept. */
export type ReceivedFile = Omit<InfoFile, '_id' | 'ownerId' | 'position'>;

/** Why a file is not there: a key of the locales with its parameters. */
export interface CrawlFailure {
  address: string;
  key: string;
  params: Record<string, string | number>;
}

export type CrawlResult =
  | { ok: true; files: ReceivedFile[]; failures: CrawlFailure[]; allUnchanged: boolean }
  /** Not even the hoster's own file could be read. */
  | { ok: false; failure: CrawlFailure };

export interface CrawlOptions {
  /** The last good copies: asked for only if they have changed, and kept when they cannot be read. */
  known?: readonly ReceivedFile[];
  /** Milliseconds for one file, and for all. */
  fileTimeoutMs?: number;
  totalTimeoutMs?: number;
}

const concurrency = 4;
/** Characters of all files together: what an import can hold. */
const maxTotalBytes = 16 * 1024 * 1024;
const maxServices = 200;
/** A service names one file of figures, seldom two. */
const maxFigureFiles = 4;

/**
 * Reads the file at `url` (of class organization), the services that it names and the figures that they name; nothing
 * that those name in turn. 10 seconds and 1 MiB a file, 60 seconds for all, four at a time (domain.md §2.10). A file
 * that cannot be read is replaced by its last good copy if there is one, and named in `failures` either way.
 */
export async function crawlOrganization(
  fetchText: FetchText,
  url: string,
  options: CrawlOptions = {},
): Promise<CrawlResult> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), options.totalTimeoutMs ?? 60_000);
  timer.unref();
  try {
    return await new Crawl(fetchText, options, ending.signal).run(url);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

interface Wanted {
  address: string;
  subKey: string | null;
  parent: string | null;
  kind: DocumentKind;
}

class Crawl {
  readonly #known: Map<string, ReceivedFile>;
  readonly #seen = new Set<string>();
  readonly #files: ReceivedFile[] = [];
  readonly #failures: CrawlFailure[] = [];
  #bytes = 0;
  #allUnchanged = true;

  constructor(
    readonly fetchText: FetchText,
    readonly options: CrawlOptions,
    readonly ending: AbortSignal,
  ) {
    this.#known = new Map(options.known?.map((file) => [file.address, file]));
  }

  async run(url: string): Promise<CrawlResult> {
    const root: Wanted = { address: url, subKey: null, parent: null, kind: 'organization' };
    this.#seen.add(url);
    const read = await this.#read(root);
    if (!read.file || read.failure) return { ok: false, failure: read.failure ?? failure(url, 'unreachable') };
    this.#files.push(read.file);
    const services = await this.#level(this.#wanted(read.file, 'service', maxServices));
    await this.#level(services.flatMap((file) => this.#wanted(file, 'metrics', maxFigureFiles)));
    return { ok: true, files: this.#files, failures: this.#failures, allUnchanged: this.#allUnchanged };
  }

  /** The files that a file names and that nobody has named before. */
  #wanted(file: ReceivedFile, kind: DocumentKind, limit: number): Wanted[] {
    return subsOf(file)
      .slice(0, limit)
      .flatMap(({ key, url }) => {
        if (this.#seen.has(url)) return [];
        this.#seen.add(url);
        return [{ address: url, subKey: key, parent: file.address, kind }];
      });
  }

  /** Reads all, some at a time; returns those read, in the order in which they are named. */
  async #level(wanted: Wanted[]): Promise<ReceivedFile[]> {
    const found: (ReceivedFile | null)[] = wanted.map(() => null);
    const waiting = wanted.entries();
    const worker = async (): Promise<void> => {
      for (const [index, want] of waiting) {
        const { file, failure: reason } = await this.#read(want);
        if (reason) this.#failures.push(reason);
        found[index] = file;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    const files = found.filter((file) => file !== null);
    this.#files.push(...files);
    return files;
  }

  /** The file, its last good copy with the reason why it is not the new one, or only the reason. */
  async #read(want: Wanted): Promise<{ file: ReceivedFile | null; failure?: CrawlFailure }> {
    const { address, subKey, parent } = want;
    const known = this.#known.get(address);
    const kept = known ? { ...known, subKey, parent } : null;
    const refused = (reason: CrawlFailure) => ({ file: kept, failure: reason });
    if (this.ending.aborted) return refused(failure(address, 'total-timeout'));
    const answer = await this.fetchText(address, {
      etag: known?.etag ?? null,
      lastModified: known?.lastModified ?? null,
      maxBytes: PROPERTIES_MAX_BYTES,
      timeoutMs: this.options.fileTimeoutMs ?? 10_000,
      accept: 'text/plain, */*;q=0.5',
      signal: this.ending,
    });
    if (answer.outcome === 'failed') return refused(this.#failureOf(address, answer));
    if (answer.outcome === 'not-modified') {
      return kept ? { file: kept } : refused(failure(address, 'bad-status', { status: 304 }));
    }
    this.#bytes += answer.body.length;
    if (this.#bytes > maxTotalBytes) return refused(failure(address, 'total-size'));
    const problem = problemOf(address, answer.body, want.kind);
    if (problem) return refused(problem);
    const { etag, lastModified } = answer;
    if (!known || !sameBytes(known.body, answer.body)) this.#allUnchanged = false;
    return { file: { address, subKey, parent, body: answer.body, etag, lastModified } };
  }

  #failureOf(address: string, answer: Extract<FetchOutcome, { outcome: 'failed' }>): CrawlFailure {
    if (answer.reason === 'timeout' && this.ending.aborted) return failure(address, 'total-timeout');
    return failure(address, answer.reason, answer.status === undefined ? {} : { status: answer.status });
  }
}

function failure(address: string, reason: string, params: Record<string, string | number> = {}): CrawlFailure {
  return { address, key: `catalogue.fetch.${reason}`, params };
}

/** Whether the file says what its place in the tree asks for. */
function problemOf(address: string, body: Uint8Array, kind: DocumentKind): CrawlFailure | null {
  const result = readChatonsInfos(body);
  if (!result.ok) return { address, key: `formats.refusal.${result.refusal}`, params: result.details };
  if (result.model.kind === kind) return null;
  if (result.model.kind === 'federation') return failure(address, 'is-federation');
  return { address, key: 'formats.refusal.wrong-class', params: { found: result.model.kind, wanted: kind } };
}

export function subsOf(file: Pick<InfoFile, 'body'>): Sub[] {
  const result = readChatonsInfos(file.body);
  return result.ok ? result.model.subs : [];
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
