// TABLE: domain event -> activities. The drain hands every event to announceEvent; what follows from one bears its id, so
// that handing it over again changes nothing. An event that is not federated says so.
import type { EventOf, EventType, PendingEvent } from '../server/events.js';
import { DuplicateKeyError } from '../server/store/store.js';
import { type Activity, activitiesIn } from './activities.js';
import { keysOf } from './actorKeys.js';
import {
  announceActor,
  announceActorGone,
  announceCollectiveBack,
  announceCollectiveGone,
  announcePerson,
} from './announce/actors.js';
import { announceBlock, announceBlockUndone } from './announce/blocks.js';
import { announceFollowing, announceUnfollowing } from './announce/followings.js';
import { announceAccept, announceReject } from './announce/follows.js';
import { announceGroup, announceGroupActivity, announceGroupGone } from './announce/groups.js';
import { announceInteraction, announceInteractionUndone } from './announce/interactions.js';
import { announceActorChange, announceMove } from './announce/moves.js';
import { announcePoll, announcePollCounts, announcePollGone } from './announce/polls.js';
import { announcePost, announcePostChange, announcePostGone } from './announce/posts.js';
import { announceReport } from './announce/reports.js';
import { announceClosing, announceService, announceServiceChange, announceServiceGone } from './announce/services.js';
import {
  announceSurvey,
  announceSurveyAnswer,
  announceSurveyAnswerGone,
  announceSurveyGone,
  announceSurveyReceipt,
} from './announce/surveys.js';
import { announceVote } from './announce/votes.js';
import { publicAudience } from './contexts.js';
import { fanOut } from './fanOut.js';
import type { Federation } from './federation.js';
import { bringOwn } from './groups.js';
import { addProof } from './signatures/proofs.js';
import { type Json, objectContext } from './wire/namespace.js';

/** One activity to be said, before it has an id and a signature. */
export interface Draft {
  /** Handle of the actor who says it. */
  actor: string;
  type:
    | 'Create'
    | 'Update'
    | 'Delete'
    | 'Accept'
    | 'Reject'
    | 'Follow'
    | 'Undo'
    | 'Like'
    | 'Announce'
    | 'Block'
    | 'Flag'
    | 'Move';
  subject: string;
  /** What of the subject has to arrive in order; absent: all that is said of it. */
  lane?: string;
  objectIri: string | null;
  /** Several ids: for a Flag, written in plain JSON. */
  object: string | string[] | Json;
  /** Of a Move. Only with `context`. */
  target?: string;
  to: string[];
  cc: string[];
  /** The group that it is for. */
  audience?: string;
  toFollowers: boolean;
  /** Inboxes besides those of the followers. */
  inboxes: string[];
  /** Stands in the outbox, if it is public. */
  listed: boolean;
  /** What was said of the subject before is not kept. */
  withdrawsSubject?: boolean;
  /** What is written in plain JSON (actors, reports) under this context; absent: apex writes it. */
  context?: unknown[];
  /** Plain text of the activity itself. */
  content?: string;
  /** More of the activity itself. Only with `context`. */
  more?: Json;
}

export type Announced<T extends EventType> = EventOf<T> & Pick<PendingEvent, 'eventId' | 'at' | 'change'>;
type Row<T extends EventType> = ((federation: Federation, event: Announced<T>) => Promise<Draft[]>) | 'notFederated';
const notFederated = 'notFederated';

const table: { readonly [T in EventType]: Row<T> } = {
  'person.invited': notFederated,
  'person.created': notFederated,
  'person.profileChanged': announcePerson,
  'person.resetRequested': notFederated,
  'person.emailChangeRequested': notFederated,
  'person.securityChanged': notFederated,
  'person.deleted': announceActorGone,
  'collective.created': announceActor,
  'collective.updated': announceActor,
  'collective.deleted': announceCollectiveGone,
  'collective.restored': announceCollectiveBack,
  'service.published': announceService,
  'service.updated': announceServiceChange,
  'service.closed': announceClosing,
  'service.withdrawn': announceServiceGone,
  'service.edited': notFederated,
  'source.failed': notFederated,
  'post.published': announcePost,
  'post.updated': announcePostChange,
  'post.deleted': announcePostGone,
  'follow.requested': notFederated,
  'follow.accepted': announceAccept,
  'follow.rejected': announceReject,
  'domainRule.changed': notFederated,
  'peerPolicy.changed': notFederated,
  'following.requested': announceFollowing,
  'following.undone': announceUnfollowing,
  'block.made': announceBlock,
  'block.undone': announceBlockUndone,
  'report.made': announceReport,
  'interaction.made': announceInteraction,
  'interaction.undone': announceInteractionUndone,
  'survey.opened': announceSurvey,
  'survey.changed': announceSurvey,
  'survey.extended': announceSurvey,
  'survey.closed': announceSurvey,
  'survey.published': announceSurvey,
  'survey.slotChosen': announceSurvey,
  'survey.deleted': announceSurveyGone,
  'survey.answered': notFederated,
  'remoteSurvey.received': notFederated,
  'surveyAnswer.sent': announceSurveyAnswer,
  'surveyAnswer.withdrawn': announceSurveyAnswerGone,
  'surveyAnswer.refused': notFederated,
  'surveyReceipt.given': announceSurveyReceipt,
  'poll.offered': announcePoll,
  'poll.counted': announcePollCounts,
  'poll.closed': announcePollCounts,
  'poll.withdrawn': announcePollGone,
  'actor.changed': announceActorChange,
  'actor.moved': announceMove,
  'vote.cast': announceVote,
  'group.changed': announceGroup,
  'group.deleted': announceGroupGone,
  'group.acted': announceGroupActivity,
  'survey.copyRequested': notFederated,
};

/** Says what follows from an event to whom it concerns. Idempotent by eventId. Network: only to resolve mentions. */
export async function announceEvent(federation: Federation, event: PendingEvent): Promise<void> {
  const row = table[event.type] as Row<EventType>;
  if (row === notFederated) return;
  const drafts = await row(federation, event);
  for (const [index, draft] of drafts.entries()) await keep(federation, event, draft, keyOf(event.eventId, index));
  // At least two: what was said at first is sent on, also when nothing more would be said of it now.
  const keys = Array.from({ length: Math.max(2, drafts.length) }, (_one, index) => keyOf(event.eventId, index));
  const kept = await activitiesIn(federation)
    .find({ _id: { $in: keys } }, { sort: { _id: 1 } })
    .toArray();
  for (const activity of kept.filter((one) => !one.isFannedOut)) {
    await bringOwn(federation, activity);
    await fanOut(federation, activity);
  }
}

/** What jobs/drainEvents.ts calls. */
export function federationConsumer(federation: Federation) {
  return { name: 'federation', receive: (event: PendingEvent) => announceEvent(federation, event) };
}

function keyOf(eventId: string, index: number): string {
  return index === 0 ? eventId : `${eventId}-${index + 1}`;
}

async function keep(federation: Federation, event: PendingEvent, draft: Draft, key: string): Promise<void> {
  if (!(await activitiesIn(federation).findOne({ _id: key }, { projection: { _id: 1 } }))) {
    await insert(federation, event, draft, key);
  }
  if (draft.type === 'Delete' && draft.objectIri !== null)
    await withdrawText(federation, { objectIri: draft.objectIri }, key);
  if (draft.withdrawsSubject) await withdrawText(federation, { subject: draft.subject }, key);
}

async function insert(federation: Federation, event: PendingEvent, draft: Draft, key: string): Promise<void> {
  const { document, object } = await write(federation, event, draft, key);
  const { actor, inboxes, objectIri, subject, to, toFollowers, type } = draft;
  const isPublic = to.includes(publicAudience);
  const activity: Activity = {
    _id: key,
    ...{ actor, type, subject, objectIri, inboxes, toFollowers, isPublic },
    ...(draft.lane === undefined ? {} : { lane: draft.lane }),
    listed: draft.listed && isPublic,
    json: JSON.stringify(document),
    objectJson: object === null ? null : JSON.stringify(object),
    at: event.at,
    fanOutCursor: null,
    isFannedOut: false,
  };
  try {
    await activitiesIn(federation).insertOne(activity);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

/** The signed document, and the signed object alone. Proofs last: they cover what is sent. */
async function write(
  federation: Federation,
  event: PendingEvent,
  draft: Draft,
  key: string,
): Promise<{ document: Json; object: Json | null }> {
  const { apex, house } = federation;
  const { ed25519 } = await keysOf(federation, draft.actor);
  const proofKey = { verificationMethod: ed25519.id, privateKey: ed25519.privateKey };
  const now = house.now();
  const { type, to, cc, audience } = draft;
  const forGroup = audience === undefined ? {} : { audience };
  const base = { id: apex.activityIri(key), type, actor: apex.actorIri(draft.actor), to, cc, ...forGroup };
  const said = draft.content === undefined ? {} : { content: draft.content };
  const built = draft.context
    ? {
        '@context': draft.context,
        ...base,
        published: event.at.toISOString(),
        ...said,
        ...draft.more,
        object: draft.object,
        ...(draft.target === undefined ? {} : { target: draft.target }),
      }
    : await apex.buildActivity({ ...base, published: event.at, object: draft.object });
  const carried: unknown = built.object;
  const isOwn = draft.objectIri !== null && typeof carried === 'object' && carried !== null;
  const alone = isOwn ? { '@context': objectContext(house.site.baseUrl), ...carried } : null;
  return { document: addProof(built, proofKey, now), object: alone === null ? null : addProof(alone, proofKey, now) };
}

/** What was deleted is not kept in older activities either, and no longer stands in the outbox. */
async function withdrawText(
  federation: Federation,
  about: { objectIri: string } | { subject: string },
  key: string,
): Promise<void> {
  await activitiesIn(federation).updateMany(
    { ...about, _id: { $lt: key } },
    { $set: { json: '', objectJson: null, listed: false } },
  );
}
