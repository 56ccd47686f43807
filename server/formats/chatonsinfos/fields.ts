// The primitive types of ChatonsInfos values (StatoolInfos GENERAL.md): how each is read leniently and written strictly.
import type { Details, WarningCode, WarningLevel } from '../warnings.js';

export type Warn = (code: WarningCode, details?: Details) => void;

/** How bad it is when the file does not give the field; null when nobody needs to be told. */
export type Need = WarningLevel | null;

/** One key of a section. `read` returns undefined when the value cannot be used: it is then kept aside, verbatim. */
export interface Field<T> {
  key: string;
  need: Need;
  read(raw: string, warn: Warn): T | undefined;
  write(value: T): string;
}

export type FieldTable = Record<string, Field<unknown>>;

/** The plain object that a table of fields describes; what the file does not give is absent. */
export type FieldsOf<T extends FieldTable> = {
  -readonly [K in keyof T]?: T[K] extends Field<infer V> ? V : never;
};

const asIs = (value: string): string => value;

export function text(key: string, need: Need = null): Field<string> {
  return { key, need, read: (raw) => raw, write: asIs };
}

const URL_LENGTH = 2048;
const CHAT_SCHEMES = ['xmpp:', 'irc:', 'ircs:', 'matrix:'];

function readAddress(raw: string, warn: Warn, schemes: readonly string[]): string | undefined {
  const url = raw.length > URL_LENGTH || /[\s\\]/.test(raw) || !URL.canParse(raw) ? null : new URL(raw);
  if (url && url.username === '' && url.password === '' && schemes.includes(url.protocol)) return raw;
  warn('bad-url', { value: raw });
  return undefined;
}

/** Web address with http or https, kept as it was written. Refuses credentials, white space and other schemes. */
export function readWebAddress(raw: string, warn: Warn): string | undefined {
  return readAddress(raw, warn, ['http:', 'https:']);
}

/** Address of a chat room: the web, or one of the usual chat schemes. */
export function readChatAddress(raw: string, warn: Warn): string | undefined {
  return readAddress(raw, warn, ['http:', 'https:', ...CHAT_SCHEMES]);
}

export function url(key: string, need: Need = null): Field<string> {
  return { key, need, read: readWebAddress, write: asIs };
}

/** Address of a licence. Generators that found no licence write the SPDX page of one called `null`. */
export function licenseUrl(key: string, need: Need = null): Field<string> {
  return {
    key,
    need,
    read(raw, warn) {
      if (!/^https?:\/\/spdx\.org\/licenses\/null(\.\w+)?$/i.test(raw)) return readWebAddress(raw, warn);
      warn('null-value', { value: raw });
      return undefined;
    },
    write: asIs,
  };
}

export function email(key: string, need: Need = null): Field<string> {
  return { key, need, read: readEmail, write: asIs };
}

function readEmail(raw: string, warn: Warn): string | undefined {
  if (raw.length <= 254 && /^[^\s@<>"',;:]+@[^\s@<>"',;:]+$/.test(raw)) return raw;
  warn('bad-email', { value: raw });
  return undefined;
}

export function date(key: string, need: Need = null): Field<string> {
  return { key, need, read: readDate, write: asIs };
}

/** A day as yyyy-mm-dd. Accepts day first (dd/mm/yyyy, also with . or -) and a date-time, with a warning. */
function readDate(raw: string, warn: Warn): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})(T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?$/.exec(raw);
  const french = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(raw);
  const day = iso ? calendarDay(iso[1], iso[2], iso[3]) : french ? calendarDay(french[3], french[2], french[1]) : null;
  if (day === null) {
    warn('bad-date', { value: raw });
    return undefined;
  }
  if (french) warn('date-not-iso', { value: raw, read: day });
  else if (iso?.[4] !== undefined) warn('date-with-time', { value: raw, read: day });
  return day;
}

function calendarDay(year = '', month = '', day = ''): string | null {
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const parsed = new Date(`${iso}T00:00:00Z`);
  return Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== iso ? null : iso;
}

export function dateTime(key: string, need: Need = null): Field<string> {
  return { key, need, read: readDateTime, write: asIs };
}

/** A date-time without zone. One with a zone is brought to UTC; a bare day is taken as its midnight. */
function readDateTime(raw: string, warn: Warn): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(raw);
  const [, day = '', minutes = '00:00', seconds = ':00', zone] = match ?? [];
  const offset = zone?.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2') ?? 'Z';
  const parsed = new Date(`${day}T${minutes}${seconds}${offset}`);
  if (!match || calendarDay(...splitDay(day)) === null || Number.isNaN(parsed.getTime())) {
    warn('bad-date', { value: raw });
    return undefined;
  }
  if (zone !== undefined) warn('datetime-zone', { value: raw });
  return parsed.toISOString().slice(0, 19);
}

function splitDay(day: string): [string?, string?, string?] {
  const [year, month, dayOfMonth] = day.split('-');
  return year !== undefined && month !== undefined && dayOfMonth !== undefined ? [year, month, dayOfMonth] : [];
}

/** A word of a closed list, in any case. `former` maps words of old drafts (lower case) to today's. */
export function oneOf<const W extends string>(
  key: string,
  words: readonly W[],
  need: Need = null,
  former: Readonly<Record<string, W>> = {},
): Field<W> {
  return {
    key,
    need,
    read(raw, warn) {
      const word = words.find((candidate) => candidate.toLowerCase() === raw.toLowerCase());
      const renamed = word ?? former[raw.toLowerCase()];
      if (renamed === undefined) warn('bad-enum', { value: raw, allowed: words.join(', ') });
      else if (word === undefined) warn('enum-renamed', { value: raw, read: renamed });
      else if (word !== raw) warn('enum-case', { value: raw, read: word });
      return renamed;
    },
    write: asIs,
  };
}

/** ISO 3166-1 alpha-2. */
export function countryCode(key: string, need: Need = null): Field<string> {
  return {
    key,
    need,
    read(raw, warn) {
      const code = raw.toUpperCase();
      if (!/^[A-Z]{2}$/.test(code)) {
        warn('bad-country-code', { value: raw });
        return undefined;
      }
      if (code !== raw) warn('enum-case', { value: raw, read: code });
      return code;
    },
    write: asIs,
  };
}

const DEGREE_DECIMALS = 8;

/** Decimal degrees within ±limit, at most 8 decimals, point or comma in, point out. */
export function degrees(key: string, limit: number, need: Need = null): Field<number> {
  return {
    key,
    need,
    read(raw, warn) {
      const value = /^[+-]?\d{1,3}([.,]\d{1,20})?$/.test(raw) ? Number(raw.replace(',', '.')) : Number.NaN;
      if (!(Math.abs(value) <= limit)) {
        warn('bad-coordinate', { value: raw, limit });
        return undefined;
      }
      if (raw.includes(',')) warn('decimal-comma', { value: raw });
      return Number(value.toFixed(DEGREE_DECIMALS)) + 0;
    },
    write: (value) => value.toFixed(DEGREE_DECIMALS).replace(/(\.\d+?)0+$/, '$1'),
  };
}

const LIST_LIMIT = 100;

/** VALUES: items between commas, or between semicolons when there is one. Empty items are left out. */
export function list(key: string, need: Need = null): Field<string[]> {
  return {
    key,
    need,
    read(raw, warn) {
      const items = raw
        .split(raw.includes(';') ? ';' : ',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
      if (items.length === 0) warn('bad-list', { value: raw });
      if (items.length > LIST_LIMIT) warn('too-many-values', { count: items.length, limit: LIST_LIMIT });
      return items.length === 0 ? undefined : items.slice(0, LIST_LIMIT);
    },
    write: (items) => (items.some((item) => item.includes(',')) ? `${items.join('; ')};` : items.join(', ')),
  };
}
