// Everything that can have happened, as data. An event is written in the same write as the change it tells of, inside
// the document that changed; jobs/drainEvents.ts hands it to federation/outbox.ts and server/notices, then removes it.
// Events carry ids, not entities, so that they survive a restart.
import type { Language } from './context.js';
import { newId } from './ids.js';

/** What there is to tell of a survey of another instance. */
export type RemoteNews = 'opened' | 'extended' | 'slotChosen' | 'published' | 'changed';

export type DomainEvent =
  | { type: 'person.invited'; invitationId: string }
  | { type: 'person.created'; personId: string }
  | { type: 'person.profileChanged'; personId: string }
  | { type: 'person.resetRequested'; resetId: string }
  | { type: 'person.emailChangeRequested'; changeId: string }
  | { type: 'person.securityChanged'; personId: string; what: 'password' | 'email' | 'username'; oldEmail?: string }
  | { type: 'person.deleted'; personId: string; handle: string | null }
  | { type: 'collective.created'; collectiveId: string }
  | { type: 'collective.updated'; collectiveId: string }
  | { type: 'collective.deleted'; collectiveId: string }
  | { type: 'collective.restored'; collectiveId: string }
  | { type: 'service.published'; serviceId: string; collectiveId: string }
  | { type: 'service.updated'; serviceId: string; collectiveId: string }
  | { type: 'service.closed'; serviceId: string; collectiveId: string }
  | { type: 'service.withdrawn'; serviceId: string; collectiveId: string }
  /** A change of a service that is no public news (a draft, figures, an import of what existed): for its history. */
  | { type: 'service.edited'; serviceId: string; collectiveId: string }
  | { type: 'source.failed'; sourceId: string; collectiveId: string }
  | { type: 'post.published'; postId: string }
  | { type: 'post.updated'; postId: string }
  | { type: 'post.deleted'; postId: string }
  | { type: 'follow.requested'; followId: string }
  | { type: 'follow.accepted'; followId: string }
  | { type: 'follow.rejected'; followId: string }
  /** The rule about a domain: for its history. What follows from it hangs on peerPolicy.changed, said once for many. */
  | { type: 'domainRule.changed'; domain: string }
  | { type: 'peerPolicy.changed' }
  | { type: 'following.requested'; followingId: string }
  | { type: 'following.undone'; followingId: string; followIri: string }
  | { type: 'block.made'; blockId: string }
  | { type: 'block.undone'; blockId: string; activityIri: string }
  | { type: 'report.made'; reportId: string }
  /** What an actor of ours says of its accounts elsewhere. */
  | { type: 'actor.changed'; handle: string }
  | { type: 'actor.moved'; handle: string; target: string }
  | { type: 'interaction.made'; interactionId: string }
  | { type: 'interaction.undone'; interactionId: string; activityIri: string }
  | { type: 'vote.cast'; voteId: string }
  | { type: 'group.changed'; groupId: string }
  | { type: 'group.deleted'; groupId: string }
  | { type: 'group.acted'; groupActivityId: string }
  | { type: 'survey.opened'; surveyId: string }
  | { type: 'survey.changed'; surveyId: string }
  | { type: 'survey.extended'; surveyId: string }
  | { type: 'survey.closed'; surveyId: string }
  | { type: 'survey.published'; surveyId: string }
  | { type: 'survey.slotChosen'; surveyId: string }
  | { type: 'survey.deleted'; surveyId: string }
  | { type: 'survey.answered'; surveyId: string; answerId: string }
  /** A survey of another instance came, or changed. */
  | { type: 'remoteSurvey.received'; surveyKey: string; what: RemoteNews }
  | { type: 'surveyAnswer.sent'; answerId: string }
  | { type: 'surveyAnswer.withdrawn'; answerId: string }
  | { type: 'surveyAnswer.refused'; answerId: string }
  | { type: 'surveyReceipt.given'; receiptId: string }
  /** Somebody wants their answer by mail. personId null: the guest, by the address that stands in the answer. */
  | {
      type: 'survey.copyRequested';
      surveyId: string;
      answerId: string;
      personId: string | null;
      language: Language;
    }
  | { type: 'poll.offered'; pollId: string }
  | { type: 'poll.counted'; pollId: string }
  | { type: 'poll.closed'; pollId: string }
  | { type: 'poll.withdrawn'; pollId: string };

export type EventType = DomainEvent['type'];
export type EventOf<T extends EventType> = Extract<DomainEvent, { type: T }>;

/** Who changed what in which thing: the line of its history. Kept under the eventId in the collection `changes`. */
export interface Change {
  subject: 'collective' | 'service' | 'person' | 'instance' | 'survey';
  subjectId: string;
  collectiveId: string | null;
  /** actorName() of who did it. */
  by: string;
  what:
    | 'created'
    | 'updated'
    | 'published'
    | 'unpublished'
    | 'deleted'
    | 'restored'
    | 'imported'
    | 'members'
    | 'opened'
    | 'extended'
    | 'closed';
  /** Dotted paths whose value differs; null where there was or is none. */
  fields: { path: string; before: unknown; after: unknown }[];
}

/** An event as it waits in its document. The eventId orders events and makes what follows from them idempotent. */
export type PendingEvent = DomainEvent & { eventId: string; at: Date; change?: Change };

/** Mixed into every document type that can carry news. */
export interface Eventful {
  events?: PendingEvent[];
}

/** Stamps an event for storing, with the line of history that goes with it. */
export function pending(event: DomainEvent, now: Date, change?: Change): PendingEvent {
  return { ...event, eventId: newId(), at: now, ...(change === undefined ? {} : { change }) };
}

/** The index by which the drain finds documents with unsent events, oldest first. Every Eventful collection has it. */
export const eventIndex = { keys: { 'events.eventId': 1 as const }, sparse: true };
