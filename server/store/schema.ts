// Every collection of the house with its indexes, gathered from the slices. A collection not named here does not exist.
import { bootstrapIndexes } from '../bootstrap/apply.js';
import { catalogueIndexes } from '../catalogue/queries.js';
import { collectiveIndexes } from '../collectives/queries.js';
import { elsewhereIndexes } from '../elsewhere/queries.js';
import { groupIndexes } from '../groups/queries.js';
import { handleIndexes } from '../handles/handles.js';
import { historyIndexes } from '../history/queries.js';
import { limitIndexes } from '../http/limits.js';
import { sessionIndexes } from '../http/session.js';
import { peerIndexes } from '../instances/peerQueries.js';
import { instanceIndexes } from '../instances/queries.js';
import { moderationIndexes } from '../moderation/queries.js';
import { noticesIndexes } from '../notices/queries.js';
import { blockIndexes } from '../partners/blockQueries.js';
import { importIndexes } from '../partners/importQueries.js';
import { partnersIndexes } from '../partners/queries.js';
import { peopleIndexes } from '../people/queries.js';
import { postIndexes } from '../posts/queries.js';
import { pollIndexes } from '../surveys/pollQueries.js';
import { surveyIndexes } from '../surveys/queries.js';
import { remoteSurveyIndexes } from '../surveys/remoteSurveys.js';
import { surveyCountIndexes } from '../surveys/results.js';
import { uploadIndexes } from '../uploads/queries.js';
import type { CollectionIndexes } from './store.js';

export const allIndexes: CollectionIndexes = {
  ...instanceIndexes,
  ...peerIndexes,
  ...blockIndexes,
  ...bootstrapIndexes,
  ...catalogueIndexes,
  ...collectiveIndexes,
  ...elsewhereIndexes,
  ...groupIndexes,
  ...handleIndexes,
  ...historyIndexes,
  ...limitIndexes,
  ...moderationIndexes,
  ...noticesIndexes,
  ...partnersIndexes,
  ...importIndexes,
  ...peopleIndexes,
  ...postIndexes,
  ...sessionIndexes,
  ...remoteSurveyIndexes,
  ...surveyCountIndexes,
  ...pollIndexes,
  ...surveyIndexes,
  ...uploadIndexes,
};

/** Collections whose documents may carry unsent events: what jobs/drainEvents.ts looks through. */
export const eventfulCollections: readonly string[] = [
  'blocks',
  'collectives',
  'domainRules',
  'emailChanges',
  'fediPolls',
  'followings',
  'follows',
  'groupActivities',
  'groups',
  'interactions',
  'invitations',
  'moves',
  'people',
  'posts',
  'reports',
  'resets',
  'services',
  'settings',
  'sources',
  'remoteSurveys',
  'sentAnswers',
  'surveyAnswers',
  'surveyReceipts',
  'surveys',
  'votes',
];
