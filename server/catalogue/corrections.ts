// Corrections that a member makes in the preview of an import, carried out on the bytes of the file: the line keeps its
// number, the encoding stays what it was. Pure.
import { isUtf8 } from 'node:buffer';
import { writeProperty } from '../formats/properties.js';
import type { Correction } from './schema.js';

const lineEnd = /\r\n|\n|\r/;

/** The lines of a file as bytes (one character each), so that no encoding has to be known. */
function rawLines(body: Uint8Array): string[] {
  return Buffer.from(body).toString('latin1').split(lineEnd);
}

/** A line as a person reads it; '' when there is no such line. */
export function readLine(body: Uint8Array, line: number, maxLength = 200): string {
  const raw = rawLines(body)[line - 1] ?? '';
  const bytes = Buffer.from(raw, 'latin1');
  return bytes
    .toString(isUtf8(body) ? 'utf8' : 'latin1')
    .trim()
    .slice(0, maxLength);
}

/** What a correction remembers of the line that it replaces. */
export function originalOf(body: Uint8Array, line: number): string {
  return line === 0 ? '' : (rawLines(body)[line - 1] ?? '');
}

/**
 * The file with its corrections. One that was made for a line which now reads differently is left out: the hoster has
 * changed it since.
 */
export function correctFile(body: Uint8Array, corrections: readonly Correction[]): Uint8Array {
  if (corrections.length === 0) return body;
  const lines = rawLines(body);
  const before = [...lines];
  for (const { line, key, value, original } of corrections) {
    const text = asciiProperty(key, value);
    if (line === 0) lines.push(text);
    else if (before[line - 1] === original) {
      blankContinuation(lines, line - 1);
      lines[line - 1] = text;
    }
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}

/** Takes the continued lines of an entry away, without moving the lines below. */
function blankContinuation(lines: string[], index: number): void {
  let at = index;
  while (/(^|[^\\])(\\\\)*\\$/.test(lines[at] ?? '') && at + 1 < lines.length) {
    at += 1;
    const goesOn = /(^|[^\\])(\\\\)*\\$/.test(lines[at] ?? '');
    lines[at] = '';
    if (!goesOn) return;
  }
}

/** Escapes whatever is not ASCII, so that it is right in any encoding. */
function asciiProperty(key: string, value: string): string {
  return writeProperty(key, value).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
