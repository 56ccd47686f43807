// Lines of history as plain data for the page: what in words, who by name, each field with what stood and what stands.
import type { Language } from '../context.js';
import type { Change } from '../events.js';
import { dateFormat, numberFormat, regionName } from '../formatters.js';
import type { I18n, Translate } from '../i18n.js';
import type { StoredChange } from './queries.js';

export interface HistoryWords {
  i18n: I18n;
  language: Language;
  t: Translate;
  /** Person id -> name; people who are gone are not in it. */
  names: ReadonlyMap<string, string>;
  /** Subject id -> its name now. */
  subjects: ReadonlyMap<string, string>;
}

/** Where the labels of a thing's fields stand: "<prefix>.field.<path>". */
const prefixes: Record<Change['subject'], string> = {
  collective: 'collectives',
  service: 'catalogue',
  person: 'people',
  instance: 'instances',
  survey: 'surveys',
};

/** Letters kept on both sides of what differs in a long text. */
const around = 40;

export function presentChange(change: StoredChange, words: HistoryWords) {
  const subject = words.subjects.get(change.subjectId) ?? words.t(`history.subject.${change.subject}`);
  return {
    what: words.t(`history.what.${change.what}`, { subject, kind: change.subject }),
    by: presentAuthor(change.by, words),
    at: change.at,
    fields: change.fields.map((field) => presentField(change.subject, field, words)),
  };
}

function presentAuthor(by: string, { t, names }: HistoryWords): string {
  if (!by.startsWith('system:')) return names.get(by) || t('history.by.gone');
  const part = by.slice('system:'.length).split(':')[0] ?? '';
  return t(`history.by.system`, { part });
}

function presentField(subject: Change['subject'], field: Change['fields'][number], words: HistoryWords) {
  const before = presentValue(subject, field.path, field.before, words);
  const after = presentValue(subject, field.path, field.after, words);
  const [short, long] = before.length + after.length > 240 ? excerpts(before, after) : [before, after];
  return { label: labelOf(subject, field.path, words), before: short, after: long };
}

/** "name.fr" -> "Name (French)"; a path without a label stands as it is. */
function labelOf(subject: Change['subject'], path: string, { i18n, language, t, names }: HistoryWords): string {
  const plain = path.replace(/^profile\./, '');
  if (plain.startsWith('members.')) return names.get(plain.slice('members.'.length)) || t('history.by.gone');
  const key = `${prefixes[subject]}.field.${plain}`;
  if (i18n.has(language, key)) return t(key);
  const half = /^(.+)\.(fr|en)$/.exec(plain);
  const pairKey = `${prefixes[subject]}.field.${half?.[1]}`;
  if (half && i18n.has(language, pairKey)) {
    return t('history.field.inLanguage', { field: t(pairKey), language: t(`history.language.${half[2]}`) });
  }
  const shared = `history.field.${plain}`;
  return i18n.has(language, shared) ? t(shared) : plain;
}

/** A value in words; nothing is an empty text. */
function presentValue(subject: Change['subject'], path: string, value: unknown, words: HistoryWords): string {
  const { language, t } = words;
  if (value === null || value === undefined || value === '') return '';
  if (typeof value === 'boolean') return t(value ? 'history.value.yes' : 'history.value.no');
  if (typeof value === 'number') return numberFormat(language, { maximumFractionDigits: 12 }).format(value);
  if (value instanceof Date) return dateFormat(language, { dateStyle: 'long' }).format(value);
  if (typeof value === 'string') return presentText(subject, path, value, words);
  if (Array.isArray(value)) return value.map((item) => presentValue(subject, path, item, words)).join(', ');
  return Object.entries(value)
    .map(([name, item]) => presentValue(subject, name, item, words))
    .filter(Boolean)
    .join(' · ');
}

/** Days and countries as one reads them; words of a closed list by their label; all else as it is. */
function presentText(subject: Change['subject'], path: string, value: string, { i18n, language, t }: HistoryWords) {
  const last = path.startsWith('members.') ? 'role' : (path.split('.').at(-1) ?? path);
  const name = last === 'needs' ? 'need' : last;
  const key = `${prefixes[subject]}.${name}.${value}`;
  if (i18n.has(language, key)) return t(key);
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) {
    return dateFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(value));
  }
  if (name === 'countryCode' && /^[A-Z]{2}$/.test(value)) {
    return regionName(language, value);
  }
  return value;
}

/** Of two long texts, the part that differs with some words around it. */
export function excerpts(before: string, after: string): [string, string] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return [cut(before, start, end), cut(after, start, end)];
}

function cut(text: string, start: number, end: number): string {
  if (text === '') return '';
  let from = Math.max(0, start - around);
  let to = Math.min(text.length, text.length - end + around);
  // Not through the middle of a letter made of two units.
  if (/[\udc00-\udfff]/.test(text[from] ?? '')) from -= 1;
  if (/[\udc00-\udfff]/.test(text[to] ?? '')) to += 1;
  return `${from > 0 ? '… ' : ''}${text.slice(from, to).trim()}${to < text.length ? ' …' : ''}`;
}
