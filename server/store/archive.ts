// The whole store as lines of Extended JSON: moves everything between engines unchanged. The same content gives the
// same bytes on either engine. Line 1 names the format; then one line a document, by collection and _id; the last line
// has the counts and the SHA-256 of all lines before it, so that a cut or altered archive is noticed.
import { createHash } from 'node:crypto';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import { decodeDocument, encodeDocument } from './codec.js';
import { ArchiveError } from './errors.js';
import { syncPath } from './files.js';
import type { Doc, Store } from './store.js';

const FORMAT = { format: 'chatiere-archive', version: 1 } as const;
const BATCH = 200;
/** Above the longest line that a document of the store makes. */
const MAX_LINE = 50_000_000;

const headerSchema = z.object({ format: z.literal(FORMAT.format), version: z.number().int() });
const footerSchema = z.object({ end: z.literal(true), counts: z.record(z.string(), z.number()), sha256: z.string() });
const rowSchema = z.tuple([z.string(), z.looseObject({ _id: z.string() })]);

export interface ArchiveSummary {
  /** Collection name -> number of documents. */
  counts: Record<string, number>;
  sha256: string;
}

/** Effect: writes the archive of a store and ends the stream. The store may be in use; each document is whole. */
export async function exportStore(store: Store, output: Writable): Promise<ArchiveSummary> {
  const hash = createHash('sha256');
  const counts: Record<string, number> = {};
  const done = finished(output);
  const write = async (line: string): Promise<void> => {
    if (!output.write(`${line}\n`)) await Promise.race([new Promise((resume) => output.once('drain', resume)), done]);
  };
  const writeHashed = async (line: string): Promise<void> => {
    hash.update(`${line}\n`);
    await write(line);
  };
  done.catch(() => {});
  await writeHashed(JSON.stringify(FORMAT));
  for (const name of await store.listCollections()) {
    counts[name] = 0;
    for await (const document of store.collection(name).find({}, { sort: { _id: 1 } })) {
      await writeHashed(`[${JSON.stringify(name)},${encodeDocument(document)}]`);
      counts[name]++;
    }
  }
  const summary = { counts, sha256: hash.digest('hex') };
  await write(JSON.stringify({ end: true, ...summary }));
  output.end();
  await done;
  return summary;
}

/**
 * Effect: all documents of an archive are in the store, which must be empty. Refuses a store that holds documents, and
 * an archive that is cut, altered, or of a newer format; then the store is empty again.
 */
export async function importStore(store: Store, input: Readable): Promise<ArchiveSummary> {
  // A stream that fails before it is read would end the process; reading it below tells the same error.
  input.on('error', () => {});
  const present = await store.listCollections();
  if (present.length > 0) throw new ArchiveError('the store is not empty: import into a fresh data folder or database');
  const touched = new Set<string>();
  try {
    return await readArchive(input, async (collection, documents) => {
      touched.add(collection);
      await store.collection(collection).insertMany(documents);
    });
  } catch (error) {
    for (const name of touched) await store.collection(name).deleteMany({});
    throw error;
  }
}

type Sink = (collection: string, documents: Doc[]) => Promise<unknown>;

async function readArchive(input: Readable, sink: Sink): Promise<ArchiveSummary> {
  const hash = createHash('sha256');
  const counts: Record<string, number> = {};
  let batch: { collection: string; documents: Doc[] } = { collection: '', documents: [] };
  const flush = async (collection: string): Promise<void> => {
    if (batch.documents.length > 0) await sink(batch.collection, batch.documents);
    batch = { collection, documents: [] };
  };
  let number = 0;
  let summary: ArchiveSummary | null = null;
  for await (const line of linesOf(input)) {
    number++;
    if (summary !== null) throw new ArchiveError(`the archive goes on after its end (line ${number})`);
    const value = parseLine(line, number);
    if (number === 1) {
      checkHeader(value);
    } else if (Array.isArray(value)) {
      const [collection, document] = parseRow(value, number);
      if (collection !== batch.collection || batch.documents.length >= BATCH) await flush(collection);
      batch.documents.push(document);
      counts[collection] = (counts[collection] ?? 0) + 1;
    } else {
      summary = checkFooter(value, counts, hash.copy().digest('hex'), number);
    }
    hash.update(`${line}\n`);
  }
  if (summary === null) throw new ArchiveError('the archive is cut off: its last line is missing');
  await flush('');
  return summary;
}

/** The lines of a stream, by line feed alone. Refuses a stream that fails and a line that no document can make. */
async function* linesOf(input: Readable): AsyncIterable<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  try {
    for await (const chunk of input) {
      const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk))).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE) throw new ArchiveError('this is not an archive of Chatière');
      yield* lines;
    }
  } catch (cause) {
    throw cause instanceof ArchiveError ? cause : new ArchiveError('the archive cannot be read', { cause });
  }
  if (rest !== '') yield rest;
}

function parseLine(line: string, number: number): unknown {
  try {
    return decodeDocument(line);
  } catch (cause) {
    throw new ArchiveError(`line ${number} of the archive is cut or damaged`, { cause });
  }
}

function checkHeader(value: unknown): void {
  const header = headerSchema.safeParse(value);
  if (!header.success) throw new ArchiveError('this is not an archive of Chatière');
  if (header.data.version > FORMAT.version) throw new ArchiveError('the archive is of a newer version of Chatière');
}

function parseRow(value: unknown, number: number): [string, Doc] {
  const row = rowSchema.safeParse(value);
  if (!row.success) throw new ArchiveError(`line ${number} of the archive is no document`);
  return row.data;
}

function checkFooter(value: unknown, counts: Record<string, number>, sha256: string, number: number): ArchiveSummary {
  const footer = footerSchema.safeParse(value);
  if (!footer.success) throw new ArchiveError(`line ${number} of the archive is damaged`);
  const known = footer.data.counts;
  const names = new Set([...Object.keys(known), ...Object.keys(counts)]);
  if (footer.data.sha256 !== sha256 || [...names].some((name) => (known[name] ?? 0) !== (counts[name] ?? 0))) {
    throw new ArchiveError('the archive was altered: its check sum does not match');
  }
  return { counts, sha256 };
}

/** Effect: an archive at `file`, mode 0600, which gets its name only when whole. Refuses a file that exists. */
export async function writeArchive(store: Store, file: string): Promise<void> {
  if (existsSync(file)) throw new ArchiveError(`${file} exists already: choose another name for the backup`);
  const partial = `${file}.partial-${process.pid}`;
  try {
    await exportStore(store, createWriteStream(partial, { mode: 0o600, flags: 'w' }));
    syncPath(partial);
    renameSync(partial, file);
  } finally {
    rmSync(partial, { force: true });
  }
}
