// TABLE: domain event -> whom to write to. An event about which nobody is written to says so.
import { findSourceOf } from '../../catalogue/queries.js';
import { findCollective } from '../../collectives/queries.js';
import type { EventOf, EventType, PendingEvent } from '../../events.js';
import { findReport, isFirstForAWhile } from '../../moderation/queries.js';
import { findFollow, findRemoteActor } from '../../partners/queries.js';
import { emailChangesIn, findPerson, invitationsIn, listModerators, resetsIn } from '../../people/queries.js';
import { mayEnter } from '../../people/rules.js';
import { textIn } from '../../shapes.js';
import { forgetFeeds, forgetMails } from '../queries.js';
import { wantsAtOnce } from '../rules.js';
import { copyLetter } from './copyLetter.js';
import { type Desk, type Draft, queueMail, toMembers, toPerson } from './queue.js';
import {
  askLetters,
  extendedLetters,
  publishedLetters,
  refusedLetters,
  remoteLetters,
  slotLetters,
} from './surveyLetters.js';

export interface NoticeDeps {
  house: Desk;
}

type Writer<T extends EventType> = (deps: NoticeDeps, event: EventOf<T>) => Promise<Draft[]>;

/** Nobody is written to. */
const noMail = async (): Promise<Draft[]> => [];

const table: { [T in EventType]: Writer<T> } = {
  'person.invited': inviteLetter,
  'person.created': noMail,
  'person.profileChanged': noMail,
  'person.resetRequested': resetLetter,
  'person.emailChangeRequested': emailChangeLetter,
  'person.securityChanged': securityLetter,
  'person.deleted': forgetThose,
  'collective.created': noMail,
  'collective.updated': noMail,
  'collective.deleted': noMail,
  'collective.restored': noMail,
  'service.published': noMail,
  'service.updated': noMail,
  'service.closed': noMail,
  'service.withdrawn': noMail,
  'service.edited': noMail,
  'source.failed': sourceLetters,
  'post.published': noMail,
  'post.updated': noMail,
  'post.deleted': noMail,
  'follow.requested': followLetters,
  'domainRule.changed': noMail,
  'peerPolicy.changed': noMail,
  'follow.accepted': noMail,
  'follow.rejected': noMail,
  'following.requested': noMail,
  'following.undone': noMail,
  'block.made': noMail,
  'block.undone': noMail,
  'report.made': reportLetters,
  'interaction.made': noMail,
  'interaction.undone': noMail,
  'survey.opened': ({ house }, { surveyId }) => askLetters(house, surveyId),
  'survey.changed': noMail,
  'survey.extended': ({ house }, { surveyId }) => extendedLetters(house, surveyId),
  'survey.closed': noMail,
  'survey.published': ({ house }, { surveyId }) => publishedLetters(house, surveyId),
  'survey.slotChosen': ({ house }, { surveyId }) => slotLetters(house, surveyId),
  'survey.deleted': noMail,
  'survey.answered': noMail,
  'remoteSurvey.received': ({ house }, { surveyKey, what }) => remoteLetters(house, surveyKey, what),
  'surveyAnswer.sent': noMail,
  'surveyAnswer.withdrawn': noMail,
  'surveyAnswer.refused': ({ house }, { answerId }) => refusedLetters(house, answerId),
  'surveyReceipt.given': noMail,
  'poll.offered': noMail,
  'poll.counted': noMail,
  'poll.closed': noMail,
  'poll.withdrawn': noMail,
  'actor.changed': noMail,
  'actor.moved': noMail,
  'vote.cast': noMail,
  'group.changed': noMail,
  'group.deleted': noMail,
  'group.acted': noMail,
  'survey.copyRequested': copyLetter,
};

/** Puts the mails about an event into the queue. Idempotent: one mail for each event and recipient. */
export async function noticeEvent(deps: NoticeDeps, event: PendingEvent): Promise<void> {
  for (const draft of await draftsFor(deps, event)) await queueMail(deps.house, event.eventId, draft);
}

function draftsFor<T extends EventType>(deps: NoticeDeps, event: PendingEvent & { type: T }): Promise<Draft[]> {
  const write = table[event.type] as Writer<EventType>;
  return write(deps, event);
}

async function inviteLetter({ house }: NoticeDeps, event: EventOf<'person.invited'>): Promise<Draft[]> {
  const invitation = await invitationsIn(house.store).findOne({ _id: event.invitationId });
  if (!invitation || invitation.revokedAt || invitation.usedAt) return [];
  const { email, language, collective } = invitation;
  const place = collective ? await findCollective(house.store, collective.id) : null;
  return [
    {
      to: email,
      personId: null,
      language,
      kind: place ? 'collectiveInvitation' : 'invitation',
      params: { collective: place ? textIn(place.profile.name, language) : '' },
      link: { path: '/invitations/', purpose: 'invitation', id: invitation._id },
    },
  ];
}

async function resetLetter({ house }: NoticeDeps, event: EventOf<'person.resetRequested'>): Promise<Draft[]> {
  const reset = await resetsIn(house.store).findOne({ _id: event.resetId });
  const person = reset?.personId ? await findPerson(house.store, reset.personId) : null;
  if (!reset || !person || reset.usedAt || !mayEnter(person)) return [];
  const kind = reset.requestedBy === 'self' ? 'reset' : 'resetByAdministrator';
  return [toPerson(house, person, kind, {}, { path: '/reset/', purpose: 'reset', id: reset._id })];
}

async function emailChangeLetter(
  { house }: NoticeDeps,
  event: EventOf<'person.emailChangeRequested'>,
): Promise<Draft[]> {
  const change = await emailChangesIn(house.store).findOne({ _id: event.changeId });
  const person = change ? await findPerson(house.store, change.personId) : null;
  if (!change || !person || change.usedAt || !mayEnter(person)) return [];
  const link = { path: '/email-changes/', purpose: 'email-change', id: change._id };
  return [{ ...toPerson(house, person, 'emailChange', {}, link), to: change.email }];
}

async function securityLetter({ house }: NoticeDeps, event: EventOf<'person.securityChanged'>): Promise<Draft[]> {
  const person = await findPerson(house.store, event.personId);
  if (!person || person.deletedAt) return [];
  if (event.what === 'password') return [toPerson(house, person, 'passwordChanged', {}, { path: '/forgot' })];
  if (event.what !== 'email' || !event.oldEmail) return [];
  return [{ ...toPerson(house, person, 'emailChanged', {}, null), to: event.oldEmail }];
}

async function sourceLetters({ house }: NoticeDeps, event: EventOf<'source.failed'>): Promise<Draft[]> {
  const source = await findSourceOf(house.store, event.collectiveId);
  const collective = await findCollective(house.store, event.collectiveId);
  if (!source || !collective) return [];
  const link = { path: `/my/collectives/${collective._id}` };
  return toMembers(house, collective, 'sourceFailed', { address: source.url }, link);
}

async function followLetters({ house }: NoticeDeps, event: EventOf<'follow.requested'>): Promise<Draft[]> {
  const follow = await findFollow(house.store, event.followId);
  if (follow?.state !== 'requested') return [];
  const actor = await findRemoteActor(house.store, follow.follower);
  const params = { follower: actor?.handle ?? follow.follower };
  if (follow.ownerKind === 'person') {
    const person = await findPerson(house.store, follow.ownerId);
    if (!person || !wantsAtOnce(person, 'followRequested')) return [];
    const own = { ...params, asked: 'person', collective: person.displayName };
    return [toPerson(house, person, 'followRequested', own, { path: '/me/partners/followers' })];
  }
  const collective = follow.ownerKind === 'collective' ? await findCollective(house.store, follow.ownerId) : null;
  if (!collective) return [];
  const link = { path: `/my/collectives/${collective._id}/followers` };
  return toMembers(house, collective, 'followRequested', { ...params, asked: 'collective' }, link);
}

/** To all who moderate, about the first of each quarter of an hour: of a flood one mail is enough. Says nothing of it. */
async function reportLetters({ house }: NoticeDeps, event: EventOf<'report.made'>): Promise<Draft[]> {
  const report = await findReport(house.store, event.reportId);
  if (report?.status !== 'open' || !(await isFirstForAWhile(house.store, report))) return [];
  const moderators = await listModerators(house.store);
  const link = { path: `/admin/reports/${report._id}` };
  return moderators.map((person) => toPerson(house, person, 'reportMade', { source: report.source }, link));
}

/** A mail about an event from before may have been written while the person went. */
async function forgetThose({ house }: NoticeDeps, event: EventOf<'person.deleted'>): Promise<Draft[]> {
  await forgetMails(house.store, event.personId);
  await forgetFeeds(house.store, event.personId);
  return [];
}
