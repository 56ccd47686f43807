// The collections of the edge. server/store may not import from here: server/main.ts adds them to the others.
import type { CollectionIndexes } from '../server/store/store.js';

export const federationIndexes: CollectionIndexes = {
  actorKeys: [],
  activities: [
    { keys: { actor: 1, listed: 1, _id: -1 } },
    { keys: { subject: 1, _id: -1 } },
    { keys: { objectIri: 1, _id: -1 } },
    { keys: { type: 1, at: 1 } },
    { keys: { type: 1, listed: 1 } },
  ],
  deliveries: [
    { keys: { state: 1, nextAt: 1 } },
    { keys: { host: 1, state: 1, nextAt: 1, _id: 1 } },
    { keys: { lane: 1, state: 1, seq: 1 } },
    { keys: { state: 1, failedAt: 1 } },
  ],
  hostRests: [{ keys: { nextAt: 1 } }],
  goneInboxes: [{ keys: { host: 1, days: 1 } }, { keys: { lastAt: 1 } }],
  received: [{ keys: { receivedAt: 1 } }, { keys: { actor: 1, receivedAt: -1 } }],
  keyFailures: [{ keys: { until: 1 } }],
  unseenDeletions: [{ keys: { until: 1 } }],
  signatureSchemes: [{ keys: { until: 1 } }],
};
