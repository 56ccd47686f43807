// Ordered collections in pages (ActivityStreams core §5.2): the collection gives a count and its first page, a page gives
// items and, while there are more, the next one.
import { activityStreams } from '../contexts.js';
import { type Json, objectContext } from './namespace.js';

export function toCollection(iri: string, totalItems: number, isPaged: boolean): Json {
  return {
    '@context': activityStreams,
    id: iri,
    type: 'OrderedCollection',
    totalItems,
    ...(isPaged ? { first: `${iri}?page=1` } : {}),
  };
}

export interface CollectionPage {
  iri: string;
  totalItems: number;
  items: unknown[];
  /** Where this page begins; null: the first. */
  after: string | null;
  /** Where the next begins; null: this is the last. */
  next: string | null;
}

export function toCollectionPage(page: CollectionPage, baseUrl: string): Json {
  return {
    '@context': objectContext(baseUrl),
    id: pageIri(page.iri, page.after),
    type: 'OrderedCollectionPage',
    partOf: page.iri,
    totalItems: page.totalItems,
    orderedItems: page.items,
    ...(page.next === null ? {} : { next: pageIri(page.iri, page.next) }),
    ...(page.after === null ? {} : { first: pageIri(page.iri, null) }),
  };
}

function pageIri(iri: string, after: string | null): string {
  return after === null ? `${iri}?page=1` : `${iri}?page=1&after=${encodeURIComponent(after)}`;
}
