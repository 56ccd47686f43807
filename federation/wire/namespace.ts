// Words that all wire files share: contexts of what we send, audiences, texts in two languages as HTML.
import type { LocalText } from '../../server/shapes.js';
import {
  activityStreams,
  dataIntegrityV1,
  extensionTerms,
  multikeyV1,
  ourContextPath,
  publicAudience,
  securityV1,
} from '../contexts.js';

export type Json = Record<string, unknown>;

/** The context of actor documents. */
export const actorContext = [activityStreams, securityV1, multikeyV1, dataIntegrityV1, extensionTerms];

/** The context of an object served alone: the same as that of the activity in which it was sent. */
export function objectContext(baseUrl: string): unknown[] {
  return [activityStreams, securityV1, dataIntegrityV1, extensionTerms, `${baseUrl}${ourContextPath}`];
}

/** To everybody, with the followers told. Mirrored on activity and object, because some peers look only at one. */
export function publicAudienceOf(followers: string, mentioned: readonly string[] = []): { to: string[]; cc: string[] } {
  return { to: [publicAudience], cc: [followers, ...mentioned] };
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Plain text as paragraphs. */
export function paragraphs(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => `<p>${escapeHtml(part).replaceAll('\n', '<br>')}</p>`)
    .join('');
}

export function link(href: string, text: string, classes = ''): string {
  const attributes = `${classes ? ` class="${classes}"` : ''} rel="nofollow noopener noreferrer"`;
  return `<a href="${escapeHtml(href)}"${attributes}>${escapeHtml(text)}</a>`;
}

/** {name}Map for both languages where they are written; {name} itself in the first of them. */
export function inBothLanguages(name: string, text: LocalText, first: 'fr' | 'en'): Json {
  const order = first === 'fr' ? (['fr', 'en'] as const) : (['en', 'fr'] as const);
  const written = order.filter((language) => text[language]);
  const [main] = written;
  if (main === undefined) return {};
  return {
    [name]: text[main],
    [`${name}Map`]: Object.fromEntries(written.map((language) => [language, text[language]])),
  };
}
