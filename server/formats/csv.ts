// Tables as CSV (RFC 4180), safe to open in a spreadsheet: no text that a person wrote can become a formula.
import { stringify } from 'csv-stringify/sync';

export type CsvValue = string | number | boolean | Date | null | undefined;

export interface CsvColumn<R> {
  header: string;
  value(row: R): CsvValue;
}

/** A byte-order mark makes spreadsheets take the file for UTF-8; programs are better without it. */
export interface CsvOptions {
  bom?: boolean;
}

/**
 * The table with a header line, comma-separated, lines ending in CR LF. Dates are ISO 8601 in UTC, nothing is an empty
 * cell, numbers are left as they are. A text that a spreadsheet could take for a formula gets an apostrophe before the
 * sign, also inside the text after `;`, a tab or a line break, where another separator would start a cell (OWASP, CSV
 * injection).
 */
export function toCsv<R>(rows: readonly R[], columns: readonly CsvColumn<R>[], options: CsvOptions = {}): string {
  const lines = [
    columns.map((column) => safeText(column.header)),
    ...rows.map((row) => columns.map((column) => cell(column.value(row)))),
  ];
  return stringify(lines, {
    bom: options.bom ?? false,
    record_delimiter: '\r\n',
    quoted_match: /[;\t\r\n']/,
  });
}

function cell(value: CsvValue): string | number {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? value : '';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return safeText(value instanceof Date ? value.toISOString() : value);
}

/** The start of the text or of what another separator would make a cell, then quotes and spaces, then a formula sign. */
const FORMULA = /(^|[;\t\r\n])(["'\s\u200B-\u200F\u2060\uFEFF]{0,64})(?=[=+\-@＝＋－＠])/g;
const CONTROL_START = /^[\t\r\n]/;

function safeText(text: string): string {
  const safe = text.replaceAll('\0', '').replace(FORMULA, "$1$2'");
  return CONTROL_START.test(safe) ? `'${safe}` : safe;
}

/**
 * The cells of a CSV text (RFC 4180), line by line; empty lines are left out. Takes CR LF and LF, a byte-order mark, and
 * quotes that never close (the rest is one cell). At most `maxLines`; what follows is not read.
 */
export function readCsv(text: string, maxLines: number): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endLine = (): void => {
    line.push(cell);
    if (line.length > 1 || cell.trim() !== '') lines.push(line);
    line = [];
    cell = '';
  };
  const source = text.replace(/^\uFEFF/, '');
  for (let at = 0; at < source.length && lines.length < maxLines; at += 1) {
    const sign = source[at] ?? '';
    if (isQuoted && sign === '"' && source[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (sign === '"' && (isQuoted || cell === '')) isQuoted = !isQuoted;
    else if (isQuoted) cell += sign;
    else if (sign === ',') {
      line.push(cell);
      cell = '';
    } else if (sign === '\n') endLine();
    else if (sign !== '\r') cell += sign;
  }
  if ((cell !== '' || line.length > 0) && lines.length < maxLines) endLine();
  return lines;
}
