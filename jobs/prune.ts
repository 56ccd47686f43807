// TABLE: what is kept for a time only, and the deed that takes it away. One that fails does not keep the others from
// their work; the run then counts as failed.
import { pruneActivities } from '../federation/activities.js';
import { pruneDeliveries } from '../federation/delivery.js';
import type { Federation } from '../federation/federation.js';
import { pruneReceived } from '../federation/inbox.js';
import { pruneSchemes } from '../federation/knocking.js';
import { prunePeers } from '../federation/peers.js';
import { enforcePolicy } from '../federation/policy.js';
import { pruneKeyFailures } from '../federation/remoteActors.js';
import { pruneDeletions } from '../federation/unseenDeletions.js';
import { pruneImports } from '../server/catalogue/actions/imports.js';
import { purgeCatalogueOf, purgeWithdrawnServices } from '../server/catalogue/actions/purge.js';
import { purgeDeleted } from '../server/collectives/actions.js';
import type { Context } from '../server/context.js';
import { pruneEntries } from '../server/elsewhere/actions/entries.js';
import { pruneGroupVotes, purgeGroupPostsOf } from '../server/groups/actions/receive.js';
import { contextOf, type House } from '../server/house.js';
import { pruneLimits } from '../server/http/limits.js';
import { pruneRules } from '../server/instances/actions/domainRules.js';
import type { JobResult } from '../server/instances/schema.js';
import { pruneReports } from '../server/moderation/actions.js';
import { pruneMails } from '../server/notices/actions/sendDueMails.js';
import { pruneBlocks } from '../server/partners/actions/blocking.js';
import { pruneRemotePosts } from '../server/partners/actions/feed.js';
import { pruneFollowings, purgePartnersOf } from '../server/partners/actions/following.js';
import { pruneFollowImports } from '../server/partners/actions/importing.js';
import { pruneInteractions, pruneVotes } from '../server/partners/actions/interact.js';
import { pruneReactions } from '../server/partners/actions/reactions.js';
import { pruneFollows, pruneRemoteActors } from '../server/partners/actions.js';
import { pruneLinks } from '../server/people/actions/prune.js';
import { compareBallots } from '../server/surveys/actions/answering.js';
import { pruneDrafts, purgeSurveys } from '../server/surveys/actions/drafting.js';
import { forgetGuestAddresses, purgeSurveysOf } from '../server/surveys/actions/forgetting.js';
import { prunePolls } from '../server/surveys/actions/polls.js';
import { pruneRemoteSurveys } from '../server/surveys/actions/receiving.js';
import { purgeSentAnswersOf } from '../server/surveys/actions/sending.js';
import { secretCollections } from '../server/surveys/queries.js';
import type { JobTools } from './tools.js';

const deeds: Record<string, (ctx: Context, federation: Federation, house: House) => Promise<number>> = {
  polls: prunePolls,
  traces: async ({ store }) => {
    await store.settle(secretCollections);
    return 0;
  },
  unevenBallots: compareBallots,
  limits: ({ store, now }) => pruneLimits(store, now),
  links: ({ store, now }) => pruneLinks(store, now),
  mails: ({ store, now }) => pruneMails(store, now),
  imports: pruneImports,
  services: purgeWithdrawnServices,
  rules: pruneRules,
  elsewhere: pruneEntries,
  refusedPeers: (_ctx, federation) => enforcePolicy(federation),
  collectives: (ctx) =>
    purgeDeleted(ctx, [purgeCatalogueOf, purgePartnersOf, purgeGroupPostsOf, purgeSentAnswersOf, purgeSurveysOf]),
  follows: pruneFollows,
  followings: pruneFollowings,
  interactions: pruneInteractions,
  blocks: pruneBlocks,
  followImports: pruneFollowImports,
  reports: pruneReports,
  groupVotes: pruneGroupVotes,
  surveys: purgeSurveys,
  surveyDrafts: pruneDrafts,
  guestAddresses: forgetGuestAddresses,
  reactions: pruneReactions,
  votes: pruneVotes,
  remotePosts: pruneRemotePosts,
  remoteSurveys: pruneRemoteSurveys,
  remoteActors: pruneRemoteActors,
  deliveries: (_ctx, federation) => pruneDeliveries(federation),
  activities: (_ctx, federation) => pruneActivities(federation),
  received: (_ctx, federation) => pruneReceived(federation),
  keyFailures: (_ctx, federation) => pruneKeyFailures(federation),
  unseenDeletions: (_ctx, federation) => pruneDeletions(federation),
  pictures: (_ctx, _federation, house) => house.pictures.prune(),
  signatureSchemes: (_ctx, federation) => pruneSchemes(federation),
  peers: (_ctx, federation) => prunePeers(federation),
};

export async function prune({ house, log, federation }: JobTools, signal: AbortSignal): Promise<JobResult> {
  const ctx = contextOf(house, { kind: 'system', name: 'prune' });
  const result: JobResult = {};
  const failures: unknown[] = [];
  for (const [name, deed] of Object.entries(deeds)) {
    if (signal.aborted) break;
    try {
      result[name] = await deed(ctx, federation, house);
    } catch (error) {
      failures.push(error);
      log.error({ err: error, what: name }, 'could not prune');
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} of ${Object.keys(deeds).length} could not be pruned`);
  return result;
}
