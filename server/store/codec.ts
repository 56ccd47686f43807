// Documents as Extended JSON v2 (relaxed): dates as $date, binaries as $binary, all else plain. Used for the embedded
// file and for archives, so that any SQLite tool, jq or mongoimport can read them. No checks here: guard.ts made them.
import { type Fields, isPlainObject } from './guard.js';

/** One line of Extended JSON. */
export function encodeDocument(document: object): string {
  return JSON.stringify(toPlain(document));
}

/** The document of one line of Extended JSON. Throws SyntaxError when it is none. */
export function decodeDocument<T>(line: string): T {
  const parsed: unknown = JSON.parse(line);
  return (line.includes('"$date"') || line.includes('"$binary"') ? revive(parsed) : parsed) as T;
}

function toPlain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return { $date: plainDate(value) };
  if (value instanceof Uint8Array) {
    return {
      $binary: { base64: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'), subType: '00' },
    };
  }
  if (Array.isArray(value)) return value.map(toPlain);
  const plain: Fields = {};
  for (const [name, item] of Object.entries(value)) plain[name] = toPlain(item);
  return plain;
}

/** Extended JSON writes dates outside the years 1970 to 9999 as milliseconds. */
function plainDate(date: Date): unknown {
  const time = date.getTime();
  return time >= 0 && time <= 253_402_300_799_999 ? date.toISOString() : { $numberLong: String(time) };
}

function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (!isPlainObject(value)) return value;
  const date = value.$date;
  if (date !== undefined) return new Date(isPlainObject(date) ? Number(date.$numberLong) : String(date));
  const binary = value.$binary;
  if (isPlainObject(binary)) return Buffer.from(String(binary.base64), 'base64');
  for (const [name, item] of Object.entries(value)) {
    if (item !== null && typeof item === 'object') value[name] = revive(item);
  }
  return value;
}
