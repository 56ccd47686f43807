// Texts in French and English: flat keys in views/locales/<language>/<slice>.json, ICU MessageFormat (CLDR plurals).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Formatters, IntlMessageFormat } from 'intl-messageformat';
import { type Language, languages } from './context.js';
import type { Message, MessageParams } from './errors.js';
import { dateFormat, numberFormat, pluralRules } from './formatters.js';

export type Translate = (key: string, params?: MessageParams) => string;

/** Words that a network may rename (settings): hoster, round, network; each with its plural. */
export type Words = Record<string, string>;

export interface I18n {
  has(language: Language, key: string): boolean;
  keys(language: Language): string[];
  /** A translator; `words` are parameters that every message may use, such as {hoster} and {hosters}. */
  translator(language: Language, words?: Words): Translate;
}

/** For all messages together: a message would otherwise make its own. */
const formatters: Formatters = {
  getDateTimeFormat: (locale, options) => dateFormat(String(locale), options),
  getNumberFormat: (locale, options) => numberFormat(String(locale), options),
  getPluralRules: (locale, options) => pluralRules(String(locale), options),
};

/** A message as it is needed again and again: its text when nothing is to be put into it. */
type Parsed = string | IntlMessageFormat;

function parse(source: string, language: Language): Parsed {
  // Dates as on the pages: 22 November 2026.
  const locale = language === 'en' ? 'en-GB' : language;
  const message = new IntlMessageFormat(source, locale, undefined, { ignoreTag: true, formatters });
  return source.includes('{') ? message : String(message.format());
}

/** Reads every catalogue once. A key given twice is an error at start. */
export function loadI18n(localesDir: string): I18n {
  const sources = new Map<Language, Map<string, string>>();
  for (const language of languages) sources.set(language, readLanguage(join(localesDir, language)));
  const parsed: Record<Language, Map<string, Parsed>> = { fr: new Map(), en: new Map() };

  function find(language: Language, key: string): Parsed | null {
    const known = parsed[language].get(key);
    if (known !== undefined) return known;
    const source = sources.get(language)?.get(key);
    if (source === undefined) return null;
    const message = parse(source, language);
    parsed[language].set(key, message);
    return message;
  }

  return {
    has: (language, key) => sources.get(language)?.has(key) ?? false,
    keys: (language) => [...(sources.get(language)?.keys() ?? [])].sort(),
    translator:
      (language, words = {}) =>
      (key, params) => {
        const message = find(language, key) ?? find(language === 'fr' ? 'en' : 'fr', key);
        if (message === null) return key;
        return typeof message === 'string' ? message : String(message.format({ ...words, ...params }));
      },
  };
}

function readLanguage(dir: string): Map<string, string> {
  const messages = new Map<string, string>();
  for (const file of readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .sort()) {
    const entries: unknown = JSON.parse(readFileSync(join(dir, file), 'utf8'));
    if (typeof entries !== 'object' || entries === null) throw new Error(`${dir}/${file} is not an object`);
    for (const [key, value] of Object.entries(entries)) {
      if (messages.has(key)) throw new Error(`${dir}/${file}: the key ${key} stands twice`);
      messages.set(key, String(value));
    }
  }
  return messages;
}

export function say(t: Translate, message: Message): string {
  return t(message.key, message.params);
}
