// Texts in French and English: flat keys in views/locales/<language>/<slice>.json, ICU MessageFormat (CLDR plurals).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';
import { type Language, languages } from './context.js';
import type { Message, MessageParams } from './errors.js';

export type Translate = (key: string, params?: MessageParams) => string;

/** Words that a network may rename (settings): hoster, round, network; each with its plural. */
export type Words = Record<string, string>;

export interface I18n {
  has(language: Language, key: string): boolean;
  keys(language: Language): string[];
  /** A translator; `words` are parameters that every message may use, such as {hoster} and {hosters}. */
  translator(language: Language, words?: Words): Translate;
}

/** Reads every catalogue once. A key given twice is an error at start. */
export function loadI18n(localesDir: string): I18n {
  const sources = new Map<Language, Map<string, string>>();
  for (const language of languages) sources.set(language, readLanguage(join(localesDir, language)));
  const parsed = new Map<string, IntlMessageFormat>();

  function format(language: Language, key: string): IntlMessageFormat | null {
    const cacheKey = `${language}\n${key}`;
    const known = parsed.get(cacheKey);
    if (known) return known;
    const source = sources.get(language)?.get(key);
    if (source === undefined) return null;
    const message = new IntlMessageFormat(source, language, undefined, { ignoreTag: true });
    parsed.set(cacheKey, message);
    return message;
  }

  return {
    has: (language, key) => sources.get(language)?.has(key) ?? false,
    keys: (language) => [...(sources.get(language)?.keys() ?? [])].sort(),
    translator: (language, words = {}) => (key, params) => {
      const message = format(language, key) ?? format(language === 'fr' ? 'en' : 'fr', key);
      if (!message) return key;
      return String(message.format({ ...words, ...params }));
    },
  };
}

function readLanguage(dir: string): Map<string, string> {
  const messages = new Map<string, string>();
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.json')).sort()) {
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
