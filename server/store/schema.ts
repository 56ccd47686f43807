// Every collection of the house with its indexes, gathered from the slices. A collection not named here does not exist.
import { catalogueIndexes } from '../catalogue/queries.js';
import { handleIndexes } from '../handles/handles.js';
import { sessionIndexes } from '../http/session.js';
import { instanceIndexes } from '../instances/queries.js';
import { peopleIndexes } from '../people/queries.js';
import type { CollectionIndexes } from './store.js';

export const allIndexes: CollectionIndexes = {
  ...instanceIndexes,
  ...catalogueIndexes,
  ...handleIndexes,
  ...peopleIndexes,
  ...sessionIndexes,
};

/** Collections whose documents may carry unsent events: what jobs/drainEvents.ts looks through. */
export const eventfulCollections: readonly string[] = [
  'emailChanges',
  'invitations',
  'people',
  'resets',
  'services',
  'sources',
];
