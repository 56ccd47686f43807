// Every collection of the house with its indexes, gathered from the slices. A collection not named here does not exist.
import { catalogueIndexes } from '../catalogue/queries.js';
import { handleIndexes } from '../handles/handles.js';
import { sessionIndexes } from '../http/session.js';
import type { CollectionIndexes } from './store.js';

export const allIndexes: CollectionIndexes = {
  settings: [],
  ...catalogueIndexes,
  ...handleIndexes,
  ...sessionIndexes,
};

/** Collections whose documents may carry unsent events: what jobs/drainEvents.ts looks through. */
export const eventfulCollections: readonly string[] = ['services', 'sources'];
