// What others write, from the document of its own server, read as plain JSON in the one form in which all peers write it.
// Nothing is cleaned here (that is done when it is shown); addresses that are none are left out, lengths are bounded.
import { postKey } from '../../server/partners/rules.js';
import { type PostType, postTypes, type RemotePoll, type RemotePost } from '../../server/partners/schema.js';
import { readIri, sameOrigin } from '../iris.js';
import { isObject } from '../json.js';

const maxContent = 50_000;
const maxAudience = 200;
const maxAttachments = 16;
const maxOptions = 50;
const maxTranslations = 8;

/** Null: nothing that is read here. All authors are of the post's own origin, else it is nobody's word. */
export function fromPost(json: unknown, privateHosts: readonly string[], now: Date): RemotePost | null {
  if (!isObject(json)) return null;
  const iri = readIri(json.id, privateHosts);
  const type = typeOf(json.type);
  if (iri === null || type === null) return null;
  const addresses = (value: unknown): string[] => readAddresses(value, privateHosts);
  // Who wrote it, then those in whose name: Mobilizon names the person as `actor` and the group as `attributedTo`.
  const authors = [...new Set([...addresses(json.actor), ...addresses(json.attributedTo)])];
  if (authors.length === 0 || !authors.every((author) => sameOrigin(author, iri))) return null;
  // A Note's summary is a content warning; that of the others tells what they are about.
  const isShort = type === 'Note' || type === 'Question';
  const summary = readText(json.summary, 500);
  const language = languageOf(json);
  const own = contentOf(json, language);
  const lead = isShort ? '' : readLong(json.summary) || previewOf(json.preview);
  const content = own || lead;
  return {
    _id: postKey(iri),
    iri,
    type,
    authors: authors.slice(0, 10),
    publishedAt: readDate(json.published) ?? now,
    updatedAt: readDate(json.updated),
    title: titleOf(json, language),
    content,
    isHtml: json.mediaType === undefined || json.mediaType === null || json.mediaType === 'text/html',
    warning: isShort && summary ? summary : json.sensitive === true ? '—' : '',
    language,
    translations: translationsOf(json, language),
    lead: own === '' ? '' : lead,
    url: pageOf(json.url, iri, privateHosts),
    inReplyTo: addresses(json.inReplyTo)[0] ?? null,
    audience: [...addressees(json.to), ...addressees(json.cc)].slice(0, maxAudience),
    mentions: mentionsOf(json, privateHosts),
    attachments: attachmentsOf(json, privateHosts),
    poll: pollOf(json),
    startsAt: readDate(json.startTime),
    endsAt: type === 'Event' ? readDate(json.endTime) : null,
    place: placeOf(json.location),
    receivedAt: now,
    deletedAt: null,
  };
}

function typeOf(value: unknown): PostType | null {
  return postTypes.find((type) => listOf(value).includes(type)) ?? null;
}

/** In its own language: `contentMap` of it, since `content` may hold several at once; else `content`. */
function contentOf(json: Record<string, unknown>, language: string | null): string {
  const map = isObject(json.contentMap) ? json.contentMap : {};
  return (language === null ? '' : readLong(map[language])) || readLong(json.content);
}

function titleOf(json: Record<string, unknown>, language: string | null): string {
  const map = isObject(json.nameMap) ? json.nameMap : {};
  return readText(json.name, 500) || (language === null ? '' : readText(map[language], 500));
}

/** A language, perhaps with script and region (BCP 47): what a page can bear and name. */
function isLanguage(key: string): boolean {
  return /^[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?$/i.test(key);
}

/** The language of `content`, else that with which it begins, else the first that is there. */
function languageOf(json: Record<string, unknown>): string | null {
  const map = isObject(json.contentMap) ? json.contentMap : isObject(json.nameMap) ? json.nameMap : {};
  const keys = Object.keys(map).filter(isLanguage);
  const content = typeof json.content === 'string' ? json.content : '';
  const begins = (key: string): boolean => {
    const text = map[key];
    return typeof text === 'string' && text !== '' && content.startsWith(text);
  };
  return keys.find((key) => map[key] === content) ?? keys.find(begins) ?? keys[0] ?? null;
}

function translationsOf(json: Record<string, unknown>, own: string | null): NonNullable<RemotePost['translations']> {
  const contents = isObject(json.contentMap) ? json.contentMap : {};
  const names = isObject(json.nameMap) ? json.nameMap : {};
  const keys = [...new Set([...Object.keys(contents), ...Object.keys(names)])];
  const others = keys.filter((key) => key !== own && isLanguage(key)).slice(0, maxTranslations);
  let left = maxContent;
  return others.flatMap((language) => {
    const content = readLong(contents[language]).slice(0, left);
    const title = readText(names[language], 500);
    left -= content.length;
    return content === '' && title === '' ? [] : [{ language, title, content }];
  });
}

/** FEP-b2b8: a Note that stands for the whole where there is little room. */
function previewOf(value: unknown): string {
  return isObject(value) ? readLong(value.content) || readLong(value.summary) : '';
}

/** A page on its own server, HTML before anything else. */
function pageOf(value: unknown, iri: string, privateHosts: readonly string[]): string | null {
  const links = listOf(value).slice(0, 50);
  const isPage = (link: unknown): boolean => isObject(link) && link.mediaType === 'text/html';
  const sorted = [...links.filter(isPage), ...links.filter((link) => !isPage(link))];
  const found = sorted.map((link) => readIri(isObject(link) ? link.href : link, privateHosts));
  return found.find((page) => page !== null && sameOrigin(page, iri)) ?? null;
}

function attachmentsOf(json: Record<string, unknown>, privateHosts: readonly string[]): RemotePost['attachments'] {
  return [...listOf(json.attachment), ...listOf(json.image)].slice(0, maxAttachments).flatMap((item) => {
    if (!isObject(item) || item.type === 'PropertyValue') return [];
    const [link] = listOf(item.url ?? item.href);
    const url = readIri(isObject(link) ? link.href : link, privateHosts);
    const mediaType = readText(item.mediaType ?? (isObject(link) ? link.mediaType : ''), 100);
    const isImage = mediaType === '' && item.type === 'Image';
    return url === null
      ? []
      : [{ url, name: readText(item.name ?? item.summary, 1500), mediaType: isImage ? 'image/*' : mediaType }];
  });
}

/** Actors named by a tag. */
function mentionsOf(json: Record<string, unknown>, privateHosts: readonly string[]): string[] {
  const tags = listOf(json.tag).slice(0, maxAudience);
  return tags.flatMap((tag) => {
    const iri = isObject(tag) && listOf(tag.type).includes('Mention') ? readIri(tag.href, privateHosts) : null;
    return iri === null ? [] : [iri];
  });
}

function pollOf(json: Record<string, unknown>): RemotePoll | null {
  const multiple = json.anyOf !== undefined;
  const options = listOf(multiple ? json.anyOf : json.oneOf).slice(0, maxOptions);
  const read = options.flatMap((option) => {
    const name = isObject(option) ? readText(option.name, 300) : '';
    const replies = isObject(option) && isObject(option.replies) ? option.replies.totalItems : 0;
    return name === '' ? [] : [{ name, votes: readCount(replies) }];
  });
  if (read.length === 0) return null;
  // `closed` is a date, or true.
  const closed = readDate(json.closed);
  return {
    options: read,
    multiple,
    endsAt: readDate(json.endTime) ?? closed,
    closed: json.closed === true || closed !== null,
  };
}

function placeOf(value: unknown): string {
  const [place] = listOf(value);
  if (typeof place === 'string') return readText(place, 300);
  if (!isObject(place)) return '';
  const address = isObject(place.address) ? place.address : {};
  const parts = [place.name, address.streetAddress, address.addressLocality, address.addressCountry];
  return [...new Set(parts.map((part) => readText(part, 300)).filter(Boolean))].join(', ');
}

/** Ids, from ids or from things that have one. */
function readAddresses(value: unknown, privateHosts: readonly string[]): string[] {
  return listOf(value)
    .slice(0, maxAudience)
    .map((one) => readIri(isObject(one) ? one.id : one, privateHosts))
    .filter((iri) => iri !== null);
}

/** As written: "as:Public" is no address. */
function addressees(value: unknown): string[] {
  return listOf(value)
    .slice(0, maxAudience)
    .map((one) => (isObject(one) ? one.id : one))
    .filter((one): one is string => typeof one === 'string' && one.length <= 1000);
}

function readDate(value: unknown): Date | null {
  if (typeof value !== 'string' || value.length > 40) return null;
  const date = new Date(value);
  const year = date.getUTCFullYear();
  return Number.isNaN(date.getTime()) || year < 1970 || year > 2200 ? null : date;
}

function readCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function readLong(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, maxContent) : '';
}

/** One line without controls, direction tricks or heaps of marks on one letter. */
function readText(value: unknown, max: number): string {
  if (typeof value !== 'string') return '';
  return value
    .slice(0, maxContent)
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[\p{C}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .replace(/(?<=\p{M}{3})\p{M}+/gu, '')
    .trim()
    .slice(0, max);
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
