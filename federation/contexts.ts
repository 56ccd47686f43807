// JSON-LD contexts, pinned: the few that we know are files beside this one, every other counts as empty, none is ever
// fetched. What arrives is read under our own context whatever it declares; its declarations are only looked at to refuse
// those that try to give familiar words another meaning.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../server/paths.js';
import { isObject } from './json.js';
import { Refusal } from './refusal.js';

export const activityStreams = 'https://www.w3.org/ns/activitystreams';
export const securityV1 = 'https://w3id.org/security/v1';
export const dataIntegrityV1 = 'https://w3id.org/security/data-integrity/v1';
export const multikeyV1 = 'https://w3id.org/security/multikey/v1';
export const publicAudience = 'https://www.w3.org/ns/activitystreams#Public';
/** The identity of our vocabulary, the same on every instance; its context is served by each at /ns/v1. */
export const ourNamespace = 'urn:x-chatiere:ns:v1';
export const ourContextPath = '/ns/v1';

interface ContextDocument {
  '@context': Record<string, unknown>;
}

function pinned(file: string): ContextDocument {
  return JSON.parse(readFileSync(join(projectDir, 'federation', 'contexts', file), 'utf8')) as ContextDocument;
}

const activityStreamsDocument = pinned('activitystreams.json');
const securityDocument = pinned('security-v1.json');
export const ourContextDocument = pinned('chatiere-v1.json');

/** Terms of other software that we send or read, spelled out so that nobody has to fetch anything. */
export const extensionTerms = {
  toot: 'http://joinmastodon.org/ns#',
  schema: 'http://schema.org#',
  Hashtag: 'as:Hashtag',
  sensitive: 'as:sensitive',
  manuallyApprovesFollowers: 'as:manuallyApprovesFollowers',
  discoverable: 'toot:discoverable',
  indexable: 'toot:indexable',
  PropertyValue: 'schema:PropertyValue',
  value: 'schema:value',
  webfinger: 'https://purl.archive.org/socialweb/webfinger#webfinger',
  generator: { '@id': 'as:generator', '@type': '@id' },
  implements: { '@id': 'https://w3id.org/fep/844e#implements', '@type': '@id', '@container': '@set' },
  alsoKnownAs: { '@id': 'as:alsoKnownAs', '@type': '@id' },
  movedTo: { '@id': 'as:movedTo', '@type': '@id' },
  votersCount: 'toot:votersCount',
  quoteUrl: 'as:quoteUrl',
  lemmy: 'https://join-lemmy.org/ns#',
  postingRestrictedToMods: 'lemmy:postingRestrictedToMods',
};

/** What hosters and instances say of themselves in our vocabulary, spelled out as well. */
export const catalogueTerms = {
  chatiere: `${ourNamespace}#`,
  catalogue: { '@id': 'chatiere:catalogue', '@type': '@id' },
  tagline: 'chatiere:tagline',
  taglineMap: { '@id': 'chatiere:tagline', '@container': '@language' },
  website: { '@id': 'chatiere:website', '@type': '@id' },
  place: 'chatiere:place',
  country: 'chatiere:country',
  legalForm: 'chatiere:legalForm',
  hosterStatus: 'chatiere:hosterStatus',
  memberOf: { '@id': 'chatiere:memberOf', '@container': '@set' },
};

/** The words of ActivityStreams, and those of all contexts that are shipped. */
export const activityStreamsTerms = activityStreamsDocument['@context'];
export const pinnedTerms = {
  ...securityDocument['@context'],
  ...ourContextDocument['@context'],
  ...activityStreamsDocument['@context'],
};

/** What a JSON-LD processor gets for a context's address. Never the network. */
export function pinnedContext(url: string): { contextUrl: null; documentUrl: string; document: object } {
  return { contextUrl: null, documentUrl: url, document: documentFor(url) };
}

function documentFor(url: string): object {
  if (url === activityStreams) return activityStreamsDocument;
  if (url === securityV1) return securityDocument;
  if (URL.canParse(url) && new URL(url).pathname === ourContextPath) return ourContextDocument;
  return { '@context': {} };
}

const maxTerms = 120;
const maxEntries = 30;
/** Inline directives that change how other terms are read. @language is harmless here, because it is not applied. */
const directives = new Set(['@base', '@vocab', '@import', '@propagate', '@protected', '@reverse']);

/**
 * Takes every @context out of a document, after refusing (400) those that alias a keyword, give an ActivityStreams or
 * security term another meaning, rebase, or are outsized.
 */
export function withoutContexts(document: Record<string, unknown>): Record<string, unknown> {
  return strip(document) as Record<string, unknown>;
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, child]) => {
      if (key !== '@context') return [[key, strip(child)]];
      checkContext(child);
      return [];
    }),
  );
}

function checkContext(context: unknown): void {
  const entries = Array.isArray(context) ? context : [context];
  if (entries.length > maxEntries) throw new Refusal(400, 'too many contexts');
  let terms = 0;
  for (const entry of entries) {
    if (entry === null || typeof entry === 'string') continue;
    if (!isObject(entry)) throw new Refusal(400, 'a context cannot be read');
    const definitions = Object.entries(entry);
    terms += definitions.length;
    if (terms > maxTerms) throw new Refusal(400, 'too many terms in the context');
    for (const [term, definition] of definitions) checkTerm(term, definition, entry);
  }
}

function checkTerm(term: string, definition: unknown, context: Record<string, unknown>): void {
  if (directives.has(term)) throw new Refusal(400, 'a context directive is not allowed');
  if (term.startsWith('@')) return;
  if (isObject(definition)) {
    if ('@reverse' in definition || '@context' in definition) throw new Refusal(400, 'a term is not allowed');
  } else if (definition !== null && typeof definition !== 'string') throw new Refusal(400, 'a term cannot be read');
  const target = isObject(definition) ? definition['@id'] : definition;
  const known = knownMeaning(term);
  if (known === undefined) {
    if (typeof target === 'string' && /^(@|_:)/.test(target)) throw new Refusal(400, 'a keyword may not be aliased');
    return;
  }
  if ((target === undefined && isObject(definition)) || !isDeciding(term)) return;
  if (typeof target !== 'string' || expand(target, context) !== known) {
    throw new Refusal(400, 'a known term may not be redefined');
  }
}

const knownTerms = new Map<string, string>();
for (const document of [securityDocument, activityStreamsDocument]) {
  for (const [term, definition] of Object.entries(document['@context'])) {
    const target = isObject(definition) ? definition['@id'] : definition;
    if (typeof target === 'string' && !term.startsWith('@')) knownTerms.set(term, expand(target, document['@context']));
  }
}
knownTerms.set('Public', publicAudience);

/** What is decided upon: who, what kind, about what, for whom, and which key. */
const deciding = new Set(
  'id type actor object target origin result instrument attributedTo to cc bto bcc audience inReplyTo inbox outbox endpoints sharedInbox publicKey owner publicKeyPem publicKeyBase58 as sec'.split(
    ' ',
  ),
);

/**
 * Types begin with a capital. Other words (Mobilizon says "location" with schema.org, PeerTube "expires") may be given another
 * meaning: they are read under our context anyway.
 */
function isDeciding(term: string): boolean {
  return deciding.has(term) || /^[A-Z]/.test(term);
}

function knownMeaning(term: string): string | undefined {
  return knownTerms.get(term);
}

/** "as:Follow" as its full address, with the prefixes of the context in which it stands, else ours. */
function expand(target: string, context: Record<string, unknown>): string {
  const [, prefix, rest] = /^([A-Za-z][\w-]*):(?!\/\/)(.*)$/.exec(target) ?? [];
  if (prefix === undefined || rest === undefined) return target;
  const local = context[prefix];
  const own = activityStreamsDocument['@context'][prefix] ?? securityDocument['@context'][prefix];
  const base = typeof own === 'string' ? own : local;
  return typeof base === 'string' ? `${base}${rest}` : target;
}
