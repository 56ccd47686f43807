// Order-preserving keys: bytes whose plain comparison is BSON's order of the values. The index tables hold them.
// A descending part is the same bytes inverted. No SQL here.
import { isPlainObject } from '../guard.js';
import { RANK, rankOf } from '../order.js';
import { StoreUsageError } from '../store.js';
import { leavesOf } from './paths.js';

export type Direction = 1 | -1;
export type KeySpec = [path: string, direction: Direction][];

/** Stands for an empty array in a key: it sorts before null and equals nothing. */
const EMPTY_ARRAY = Symbol('empty array');

/** The key bytes of one value. No key is the beginning of another. */
export function encodeValue(value: unknown, direction: Direction = 1): Buffer {
  const key = Buffer.concat(partsOf(value));
  return direction === 1 ? key : invert(key);
}

function partsOf(value: unknown): Buffer[] {
  if (value === EMPTY_ARRAY) return [Buffer.of(RANK.emptyArray)];
  const tag = Buffer.of(rankOf(value));
  if (typeof value === 'string') return [tag, encodeText(value)];
  if (typeof value === 'number') return [tag, encodeNumber(value)];
  if (typeof value === 'boolean') return [tag, Buffer.of(value ? 1 : 0)];
  if (value instanceof Date) return [tag, encodeNumber(value.getTime())];
  if (value instanceof Uint8Array) return [tag, encodeLength(value.length), Buffer.from(value)];
  if (Array.isArray(value)) return [tag, ...value.flatMap(partsOf), Buffer.of(0)];
  if (!isPlainObject(value)) return [tag];
  const fields = Object.entries(value).flatMap(([name, item]) => [
    Buffer.of(rankOf(item)),
    encodeText(name),
    ...partsOf(item),
  ]);
  return [tag, ...fields, Buffer.of(0)];
}

/** UTF-8 with NUL as 00 FF, closed by 00 00: a text sorts before its own continuations. */
function encodeText(text: string): Buffer {
  if (!text.includes('\0')) return Buffer.from(`${text}\0\0`, 'utf8');
  const runs = text.split('\0').map((run) => Buffer.from(run, 'utf8'));
  return Buffer.concat([...runs.flatMap((run, i) => (i === 0 ? [run] : [Buffer.of(0, 0xff), run])), Buffer.of(0, 0)]);
}

/** IEEE 754 with the sign bit flipped, or all bits for negatives. */
function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value + 0);
  if (value < 0) return invert(bytes);
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

function encodeLength(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

function invert(bytes: Buffer): Buffer {
  for (let i = 0; i < bytes.length; i++) bytes[i] = 255 - (bytes[i] ?? 0);
  return bytes;
}

/** The least key above every key that begins so; null when there is none. */
export function afterPrefix(prefix: Buffer): Buffer | null {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return null;
  const next = Buffer.from(prefix.subarray(0, end));
  next[end - 1] = (next[end - 1] ?? 0) + 1;
  return next;
}

/** The first bytes of every text that begins so. */
export function textPrefix(start: string, direction: Direction): Buffer {
  const bytes = Buffer.concat([Buffer.of(RANK.string), encodeText(start).subarray(0, -2)]);
  return direction === 1 ? bytes : invert(bytes);
}

/** The values that an index or a sort sees at a path, and whether an array was met on the way. */
function indexedValues(document: unknown, path: string): { values: unknown[]; array: boolean } {
  const leaves = leavesOf(document, path);
  if (leaves.length === 0) return { values: [null], array: true };
  const values = leaves.flatMap((leaf) => (Array.isArray(leaf) ? (leaf.length === 0 ? [EMPTY_ARRAY] : leaf) : [leaf]));
  return { values, array: leaves.length > 1 || leaves.some(Array.isArray) || crossesArray(document, path) };
}

function crossesArray(document: unknown, path: string): boolean {
  const parts = path.split('.');
  let value = document;
  for (const part of parts.slice(0, -1)) {
    value = isPlainObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
    if (Array.isArray(value)) return true;
  }
  return false;
}

/**
 * All keys of a document in one index, each once, and the positions whose values came out of an array (as a bit mask).
 * An empty list when a sparse index leaves the document out. Refuses arrays in two fields of one compound index.
 */
export function keysOf(document: unknown, spec: KeySpec, sparse: boolean): { keys: Buffer[]; arrays: number } {
  const columns = spec.map(([path]) => indexedValues(document, path));
  if (sparse && spec.every(([path]) => leavesOf(document, path).every((leaf) => leaf === undefined))) {
    return { keys: [], arrays: 0 };
  }
  const arrays = columns.reduce((mask, column, i) => (column.array ? mask | (1 << i) : mask), 0);
  if ((arrays & (arrays - 1)) !== 0) {
    throw new StoreUsageError(`arrays in two fields of the index ${spec.map(([path]) => path).join(', ')}`);
  }
  let keys = [Buffer.alloc(0)];
  for (const [i, { values }] of columns.entries()) {
    const direction = spec[i]?.[1] ?? 1;
    const parts = uniqueKeys(values.map((value) => encodeValue(value, direction)));
    keys = keys.flatMap((key) => parts.map((part) => Buffer.concat([key, part])));
  }
  return { keys, arrays };
}

/** The key that sorts a document: of an array the least element when ascending, the greatest when descending. */
export function sortKey(document: unknown, spec: KeySpec): Buffer {
  const parts = spec.map(([path, direction]) => {
    const keys = indexedValues(document, path).values.map((value) => encodeValue(value, direction));
    return keys.reduce((least, key) => (Buffer.compare(key, least) < 0 ? key : least));
  });
  return Buffer.concat(parts);
}

/** The same keys without repeats. */
export function uniqueKeys(keys: Buffer[]): Buffer[] {
  return keys.length < 2 ? keys : [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()];
}
