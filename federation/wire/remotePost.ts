// What others write, from the document of its own server, read as plain JSON in the one form in which all peers write it.
// Nothing is cleaned here (that is done when it is shown); addresses that are none are left out, lengths are bounded.
import { postKey } from '../../server/partners/rules.js';
import { type PostType, postTypes, type RemotePoll, type RemotePost } from '../../server/partners/schema.js';
import { readIri, sameOrigin } from '../iris.js';
import { isObject } from '../json.js';

const maxContent = 100_000;
const maxAudience = 200;
const maxAttachments = 16;
const maxOptions = 50;

/** Null: nothing that is read here. All authors are of the post's own origin, else it is nobody's word. */
export function fromPost(json: unknown, privateHosts: readonly string[], now: Date): RemotePost | null {
  if (!isObject(json)) return null;
  const iri = readIri(json.id, privateHosts);
  const type = typeOf(json.type);
  if (iri === null || type === null) return null;
  const addresses = (value: unknown): string[] => readAddresses(value, privateHosts);
  const authors = addresses(json.attributedTo ?? json.actor);
  if (authors.length === 0 || !authors.every((author) => sameOrigin(author, iri))) return null;
  // A Note's summary is a content warning; that of the others tells what they are about.
  const isShort = type === 'Note' || type === 'Question';
  const summary = readText(json.summary, 500);
  const content = contentOf(json) || (isShort ? '' : readLong(json.summary));
  return {
    _id: postKey(iri),
    iri,
    type,
    authors: authors.slice(0, 10),
    publishedAt: readDate(json.published) ?? now,
    updatedAt: readDate(json.updated),
    title: readText(json.name, 500),
    content,
    isHtml: json.mediaType === undefined || json.mediaType === null || json.mediaType === 'text/html',
    warning: isShort && summary ? summary : json.sensitive === true ? '—' : '',
    language: languageOf(json),
    url: pageOf(json.url, iri, privateHosts),
    inReplyTo: addresses(json.inReplyTo)[0] ?? null,
    audience: [...addressees(json.to), ...addressees(json.cc)].slice(0, maxAudience),
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

/** `content`, or the first of `contentMap`. */
function contentOf(json: Record<string, unknown>): string {
  const content = readLong(json.content);
  if (content !== '' || !isObject(json.contentMap)) return content;
  return readLong(Object.values(json.contentMap)[0]);
}

function languageOf(json: Record<string, unknown>): string | null {
  const map = isObject(json.contentMap) ? json.contentMap : {};
  const language = Object.keys(map).find((key) => map[key] === json.content) ?? Object.keys(map)[0];
  return language !== undefined && /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language) ? language : null;
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

/** One line without markup, controls or direction tricks. */
function readText(value: unknown, max: number): string {
  if (typeof value !== 'string') return '';
  return value
    .slice(0, maxContent)
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/[\p{C}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim()
    .slice(0, max);
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
