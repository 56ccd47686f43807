// What a reader of published files has to say about them: closed lists of warnings and refusals, with their level.
// No sentence is written here: messages are the keys formats.warning.<code> and formats.refusal.<code> of the locales.

/** error: no entry can be made without it. warning: somebody should correct it. info: read as intended, or advice. */
export type WarningLevel = 'error' | 'warning' | 'info';

const LEVELS = {
  'bad-country-code': 'warning',
  'bad-coordinate': 'warning',
  'bad-date': 'warning',
  'bad-email': 'warning',
  'bad-enum': 'warning',
  'bad-escape': 'warning',
  'bad-line': 'warning',
  'bad-list': 'warning',
  'bad-number': 'warning',
  'bad-url': 'warning',
  'byte-order-mark': 'info',
  'class-inferred': 'warning',
  'control-character': 'warning',
  'date-not-iso': 'info',
  'date-with-time': 'info',
  'datetime-zone': 'info',
  'decimal-comma': 'info',
  'duplicate-key': 'warning',
  'enum-case': 'info',
  'enum-renamed': 'info',
  'host-incoherent': 'warning',
  'key-renamed': 'info',
  'latin-1': 'warning',
  'license-url-mismatch': 'warning',
  missing: 'warning',
  'more-warnings': 'warning',
  'null-value': 'warning',
  'subs-limit': 'warning',
  'too-many-values': 'warning',
  'unknown-key': 'info',
} as const satisfies Record<string, WarningLevel>;

export type WarningCode = keyof typeof LEVELS;

export const WARNING_CODES: readonly WarningCode[] = Object.keys(LEVELS).filter(isWarningCode);

function isWarningCode(code: string): code is WarningCode {
  return Object.hasOwn(LEVELS, code);
}

export const REFUSAL_CODES = [
  'too-large',
  'utf-16',
  'binary',
  'web-page',
  'too-many-entries',
  'no-class',
  'unsupported-class',
  'wrong-class',
  'not-json',
  'not-isp',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

export type Details = Record<string, string | number>;

/** One remark about a file. `line` counts from 1; 0 means the file as a whole. */
export interface FormatWarning {
  line: number;
  key?: string;
  code: WarningCode;
  level: WarningLevel;
  details: Details;
}

/** The whole file is refused: nothing may be taken from it. */
export interface Refusal {
  ok: false;
  refusal: RefusalCode;
  details: Details;
}

export type ReadResult<T> = { ok: true; model: T; warnings: FormatWarning[] } | Refusal;

export function refuse(refusal: RefusalCode, details: Details = {}): Refusal {
  return { ok: false, refusal, details };
}

const WARNING_LIMIT = 200;
const EXCERPT_LENGTH = 80;

/** Collects warnings. Beyond 200 they are only counted, so that a hostile file cannot fill a page or a database. */
export class Warnings {
  readonly #kept: FormatWarning[] = [];
  #left = 0;

  add(code: WarningCode, at: { line: number; key?: string; level?: WarningLevel }, details: Details = {}): void {
    if (this.#kept.length >= WARNING_LIMIT) {
      this.#left += 1;
      return;
    }
    const short = Object.fromEntries(Object.entries(details).map(([name, value]) => [name, excerpt(value)]));
    const warning: FormatWarning = { line: at.line, code, level: at.level ?? LEVELS[code], details: short };
    if (at.key !== undefined) warning.key = String(excerpt(at.key));
    this.#kept.push(warning);
  }

  /** All warnings in the order of their lines; the remark on those left out comes last. */
  list(): FormatWarning[] {
    const sorted = this.#kept.toSorted((a, b) => a.line - b.line);
    if (this.#left > 0) {
      const level = LEVELS['more-warnings'];
      sorted.push({ line: 0, code: 'more-warnings', level, details: { count: this.#left } });
    }
    return sorted;
  }
}

function excerpt(value: string | number): string | number {
  if (typeof value === 'number' || value.length <= EXCERPT_LENGTH) return value;
  return `${value.slice(0, EXCERPT_LENGTH).replace(/\p{Cs}/gu, '')}…`;
}

/** The locale key of a warning and the values that its message may use. */
export function warningMessage(warning: FormatWarning): { id: string; values: Details } {
  return {
    id: `formats.warning.${warning.code}`,
    values: { ...warning.details, level: warning.level, line: warning.line, key: warning.key ?? '' },
  };
}

/** The locale key of a refusal and the values that its message may use. */
export function refusalMessage(refusal: Refusal): { id: string; values: Details } {
  return { id: `formats.refusal.${refusal.refusal}`, values: refusal.details };
}
