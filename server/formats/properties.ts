// Text of the .properties family, from raw bytes to entries with their lines, and back. It knows no key by name.
import { isUtf8 } from 'node:buffer';
import { type Refusal, refuse, Warnings } from './warnings.js';

/** Files above this many bytes are refused before anything is decoded. */
export const PROPERTIES_MAX_BYTES = 1024 * 1024;
const MAX_ENTRIES = 20_000;

export interface PropertyEntry {
  key: string;
  value: string;
  /** Line of the file where the entry starts, from 1. */
  line: number;
}

export type PropertiesResult =
  | { ok: true; encoding: 'utf-8' | 'latin-1'; entries: PropertyEntry[]; warnings: Warnings }
  | Refusal;

/**
 * Reads .properties text: UTF-8 with or without byte-order mark, else Latin-1 (read as Windows-1252) with a warning; any
 * line ending; comments with # or !; Java escapes and continued lines; matching quotes around a value taken off; `<br/>`
 * read as a line break. Of entries with the same key the last one counts, as in Java.
 * Refuses: too-large (over 1 MiB), utf-16, binary, web-page, too-many-entries.
 */
export function readProperties(bytes: Uint8Array): PropertiesResult {
  const warnings = new Warnings();
  const decoded = decode(bytes, warnings);
  if (!decoded.ok) return decoded;
  if (/^\s*<(!doctype|html|\?xml)/i.test(decoded.text)) return refuse('web-page');
  const entries = new Map<string, PropertyEntry>();
  for (const line of logicalLines(decoded.text)) {
    const entry = readEntry(line, warnings);
    if (entry === null) continue;
    const earlier = entries.get(entry.key);
    if (earlier) {
      warnings.add('duplicate-key', { line: earlier.line, key: entry.key }, { keptLine: entry.line });
    }
    entries.set(entry.key, entry);
    if (entries.size > MAX_ENTRIES) return refuse('too-many-entries', { limit: MAX_ENTRIES });
  }
  return { ok: true, encoding: decoded.encoding, entries: [...entries.values()], warnings };
}

type Decoded = { ok: true; encoding: 'utf-8' | 'latin-1'; text: string } | Refusal;

function decode(bytes: Uint8Array, warnings: Warnings): Decoded {
  if (bytes.length > PROPERTIES_MAX_BYTES) return refuse('too-large', { limit: PROPERTIES_MAX_BYTES });
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff])) return refuse('utf-16');
  if (bytes.includes(0)) return refuse(looksLikeUtf16(bytes) ? 'utf-16' : 'binary');
  if (isMostlyControl(bytes)) return refuse('binary');
  const marked = startsWith(bytes, [0xef, 0xbb, 0xbf]);
  const body = marked ? bytes.subarray(3) : bytes;
  if (marked) warnings.add('byte-order-mark', { line: 1 });
  if (isUtf8(body)) return { ok: true, encoding: 'utf-8', text: new TextDecoder('utf-8').decode(body) };
  if (highShare(body) > 0.3) return refuse('binary');
  warnings.add('latin-1', { line: lineOfFirstHighByte(body) });
  return { ok: true, encoding: 'latin-1', text: decodeWindows1252(body) };
}

const WINDOWS_1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ';

/** Not by TextDecoder: several Node versions decode 0x80 to 0x9f as control characters under that name. */
function decodeWindows1252(bytes: Uint8Array): string {
  const latin = Buffer.from(bytes).toString('latin1');
  return latin.replace(/[\u0080-\u009f]/g, (char) => WINDOWS_1252[char.charCodeAt(0) - 0x80] ?? char);
}

function startsWith(bytes: Uint8Array, mark: number[]): boolean {
  return mark.every((byte, index) => bytes[index] === byte);
}

/** UTF-16 without a mark: in Latin text every other byte is zero, always on the same side. */
function looksLikeUtf16(bytes: Uint8Array): boolean {
  const sample = bytes.subarray(0, 512);
  const zeros = [0, 0];
  for (const [index, byte] of sample.entries()) if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  return zeros.some((count) => count > sample.length * 0.4) && zeros.some((count) => count < sample.length * 0.05);
}

function isMostlyControl(bytes: Uint8Array): boolean {
  let control = 0;
  for (const byte of bytes) if ((byte < 0x20 && (byte < 0x09 || byte > 0x0d)) || byte === 0x7f) control += 1;
  return control > 2 && control > bytes.length / 100;
}

function highShare(bytes: Uint8Array): number {
  let high = 0;
  for (const byte of bytes) if (byte >= 0x80) high += 1;
  return high / bytes.length;
}

function lineOfFirstHighByte(bytes: Uint8Array): number {
  let line = 1;
  for (const [index, byte] of bytes.entries()) {
    if (byte >= 0x80) break;
    if (byte === 0x0a || (byte === 0x0d && bytes[index + 1] !== 0x0a)) line += 1;
  }
  return line;
}

interface LogicalLine {
  text: string;
  line: number;
}

/** Lines that hold something, continued lines joined. A comment is never continued. */
function* logicalLines(text: string): Generator<LogicalLine> {
  const lines = text.split(/\r\n|\n|\r/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const start = (lines[index] ?? '').trimStart();
    if (start === '' || start.startsWith('#') || start.startsWith('!')) continue;
    const parts = [start];
    let last = start;
    while (endsWithOpenBackslash(last) && index + 1 < lines.length) {
      index += 1;
      parts[parts.length - 1] = last.slice(0, -1);
      last = (lines[index] ?? '').trimStart();
      parts.push(last);
    }
    yield { text: parts.join(''), line };
  }
}

function endsWithOpenBackslash(text: string): boolean {
  let count = 0;
  while (text[text.length - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

function readEntry(line: LogicalLine, warnings: Warnings): PropertyEntry | null {
  const at = separatorIndex(line.text);
  const key = at < 0 ? '' : unescapeText(trimRaw(line.text.slice(0, at)), { breaks: false }).text;
  if (key === '') {
    warnings.add('bad-line', { line: line.line }, { text: line.text });
    return null;
  }
  const value = unescapeText(withoutQuotes(trimRaw(line.text.slice(at + 1))), { breaks: true });
  if (value.badEscape) warnings.add('bad-escape', { line: line.line, key });
  if (value.controls) warnings.add('control-character', { line: line.line, key });
  return { key, value: value.text, line: line.line };
}

/** The first bare `=`. Java also allows `:`; here only after what looks like a path, so that an address is no key. */
function separatorIndex(text: string): number {
  let sawColon = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index];
    if (char === '\\') index += 1;
    else if (char === '=') return index;
    else if (char === ':' && !sawColon) {
      if (/^[a-z]+(\.[\w-]+)+\s*$/i.test(text.slice(0, index))) return index;
      sawColon = true;
    }
  }
  return -1;
}

/** Takes off white space at both ends, but not a space that a backslash protects. */
function trimRaw(raw: string): string {
  const start = raw.trimStart();
  const end = start.trimEnd();
  return endsWithOpenBackslash(end) && end.length < start.length ? start.slice(0, end.length + 1) : end;
}

function withoutQuotes(raw: string): string {
  const quote = raw[0];
  if ((quote !== "'" && quote !== '"') || raw.length < 2 || !raw.endsWith(quote)) return raw;
  const inner = raw.slice(1, -1);
  return endsWithOpenBackslash(inner) || holdsBare(inner, quote) ? raw : trimRaw(inner);
}

function holdsBare(text: string, quote: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === quote) return true;
  }
  return false;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', f: ' ' };
const TOKEN = /\\u([0-9a-f]{4})|\\(.)|\\$|<br\s{0,8}\/?>|[^\\<]+|</gis;

function unescapeText(
  raw: string,
  options: { breaks: boolean },
): { text: string; badEscape: boolean; controls: boolean } {
  let badEscape = false;
  let text = '';
  for (const [token, hex, char] of raw.matchAll(TOKEN)) {
    if (hex !== undefined) text += String.fromCharCode(Number.parseInt(hex, 16));
    else if (char !== undefined) {
      if (char === 'u') badEscape = true;
      text += ESCAPES[char] ?? (char === 'u' ? '\\u' : char);
    } else if (options.breaks && token.length > 1 && token.startsWith('<')) text += '\n';
    else if (token !== '\\') text += token;
  }
  const wellFormed = wellFormedText(text);
  const clean = cleanText(wellFormed);
  return { text: clean, badEscape: badEscape || wellFormed !== text, controls: clean !== lineFeeds(wellFormed) };
}

/** Half of a surrogate pair is no character: it becomes the replacement character. */
function wellFormedText(text: string): string {
  return text.replace(/\p{Cs}/gu, '\uFFFD');
}

function lineFeeds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/** Line ends as line feeds; control characters other than tab and line feed taken out. */
function cleanText(text: string): string {
  return lineFeeds(text).replace(/\p{Cc}/gu, (char) => (char === '\n' || char === '\t' ? char : ''));
}

/**
 * One line `key = value` that readProperties reads back as the same entry. Control characters cannot be written and are
 * left out; a carriage return becomes a line feed.
 */
export function writeProperty(key: string, value: string): string {
  const text = escapeValue(value);
  return text === '' ? `${escapeKey(key)} =` : `${escapeKey(key)} = ${text}`;
}

function escapeKey(key: string): string {
  return cleanText(wellFormedText(key))
    .replace(/[\\=:]/g, '\\$&')
    .replace(/^[#!]/, '\\$&')
    .replace(/[\s\uFEFF]/g, toUnicodeEscape);
}

function escapeValue(value: string): string {
  const clean = cleanText(wellFormedText(value));
  const core = clean.trim();
  const start = clean.length - clean.trimStart().length;
  const text = core
    .replaceAll('\\', '\\\\')
    .replace(/<(?=br\s{0,8}\/?>)/gi, '\\<')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t');
  const quoted = text.length > 1 && (text[0] === "'" || text[0] === '"') && text.endsWith(text[0]);
  const before = clean.slice(0, core === '' ? clean.length : start);
  const after = core === '' ? '' : clean.slice(start + core.length);
  return escapeSpace(before) + (quoted ? `\\${text}` : text) + escapeSpace(after);
}

function escapeSpace(run: string): string {
  return run.replace(/[^\n]/g, toUnicodeEscape).replaceAll('\n', '\\n');
}

function toUnicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
