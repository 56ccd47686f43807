// What is said of surveys to those who are asked on other instances, of our collectives' answers to theirs, and of what became
// of their answers to ours. Called by federation/outbox.ts only.
import { findCollective } from '../../server/collectives/queries.js';
import { isPublic } from '../../server/collectives/rules.js';
import type { Collective } from '../../server/collectives/schema.js';
import { findRemoteActor } from '../../server/partners/queries.js';
import { deliveryInbox } from '../../server/partners/rules.js';
import { signLink } from '../../server/secrets.js';
import { findSurvey, getVersion } from '../../server/surveys/queries.js';
import { receiptsIn, type SentAnswer, sentAnswersIn } from '../../server/surveys/remoteSurveys.js';
import { countInFull } from '../../server/surveys/results.js';
import { askedObjectId, isEnough, linkPurpose, linkRecord } from '../../server/surveys/rules.js';
import type { Invited, Section, Survey } from '../../server/surveys/schema.js';
import { type Activity, activitiesIn } from '../activities.js';
import type { Federation } from '../federation.js';
import { localHandleIn } from '../iris.js';
import type { Announced, Draft } from '../outbox.js';
import { type Json, objectContext, publicAudienceOf } from '../wire/namespace.js';
import { toTombstone } from '../wire/note.js';
import {
  toAnswerTombstone,
  toReceiptObject,
  toRefusal,
  toSurveyAnswer,
  toSurveyNote,
  toSurveyResults,
} from '../wire/survey.js';

type Told =
  | 'survey.opened'
  | 'survey.changed'
  | 'survey.extended'
  | 'survey.closed'
  | 'survey.published'
  | 'survey.slotChosen';

/**
 * One Note for each collective asked elsewhere, for it alone: none learns who else is asked, and an anonymous survey has a link
 * for each. Where anybody may answer: one public Note, as long as the survey is to be found by everybody. Create the first time, Update afterwards.
 */
export async function announceSurvey(federation: Federation, event: Announced<Told>): Promise<Draft[]> {
  const { store } = federation.house;
  const survey = await findSurvey(store, event.surveyId);
  const owner = survey === null ? null : await findCollective(store, survey.collectiveId);
  if (survey === null || owner === null || !isPublic(owner) || survey.deletedAt !== null) return [];
  if (survey.state !== 'open' && survey.state !== 'closed') return [];
  if (survey.answerBy === 'anyone') {
    return survey.listed ? [await publicDraft(federation, event, survey, owner)] : goneDrafts(federation, event);
  }
  if (survey.answerBy === 'person') return [];
  const asked = survey.invited.filter(({ collectiveId }) => collectiveId === null);
  if (asked.length === 0) return [];
  const { sections } = await getVersion(store, survey._id, survey.version);
  const results = await resultsOf(federation, survey);
  const drafts = asked.map((one) => draftFor(federation, event, { survey, owner, sections, results }, one));
  return (await Promise.all(drafts)).flat();
}

/** What members elsewhere may read; null: nothing yet, or too few have answered. */
async function resultsOf({ house }: Federation, survey: Survey): Promise<Json | null> {
  if (survey.state !== 'closed' || survey.results.publishedAt === null) return null;
  const counted = await countInFull(house.store, survey);
  if (!isEnough(survey.names, counted.answers)) return null;
  const url = survey.results.readers === 'public' ? `${house.site.baseUrl}/surveys/${survey._id}/results` : null;
  return toSurveyResults(survey, counted, survey.invited.length, url);
}

interface Said {
  survey: Survey;
  owner: Collective;
  sections: Section[];
  results: Json | null;
}

async function draftFor(
  federation: Federation,
  event: Announced<Told>,
  { survey, owner, sections, results }: Said,
  asked: Invited,
): Promise<Draft[]> {
  const { house } = federation;
  const actor = await findRemoteActor(house.store, asked.iri);
  const iri = surveyIriFor(federation, survey._id, asked.iri);
  const live = await findLive(federation, iri, event.eventId);
  const inboxes = actor === null ? (live?.inboxes ?? []) : [deliveryInbox(actor)];
  if (inboxes.length === 0) {
    house.log.warn({ survey: survey._id, asked: asked.iri }, 'a collective that is asked has no known inbox');
    return [];
  }
  const audience = { to: [asked.iri], cc: [] };
  const mentions = [{ name: `@${asked.handle}`, iri: asked.iri }];
  const link = survey.names === 'anonymous' ? personalLink(federation, survey, asked) : null;
  const note = toSurveyNote(
    survey,
    { sections, results },
    {
      ...frameOf(federation, survey, owner, iri, live, event.at),
      ...audience,
      mentions,
      link,
    },
  );
  const type = live === null ? 'Create' : 'Update';
  return [
    {
      ...base(owner.handle, subjectOf(survey._id)),
      type,
      // Those asked on one instance do not wait for each other.
      lane: iri,
      objectIri: iri,
      object: note,
      ...audience,
      inboxes,
      ...plain(federation),
    },
  ];
}

/** Where this collective answers, and nobody else: whoever has the link may (RFC 2104; nothing is stored). */
function personalLink({ house }: Federation, survey: Survey, asked: Invited): string {
  if (house.secret === undefined) throw new Error('links cannot be signed here');
  const token = signLink(house.secret, linkPurpose, linkRecord(survey._id, asked.iri));
  return `${house.site.baseUrl}/surveys/by-link/${token}`;
}

async function publicDraft(
  federation: Federation,
  event: Announced<Told>,
  survey: Survey,
  owner: Collective,
): Promise<Draft> {
  const last = await findLastAbout(federation, subjectOf(survey._id), event.eventId);
  const live = last?.type === 'Delete' ? null : last;
  // What was deleted stays deleted for others (ActivityStreams Tombstone): listed again, it is a new object.
  const key = last === null ? survey._id : event.eventId;
  const iri = live?.objectIri ?? federation.apex.objectIri(key);
  const audience = publicAudienceOf(federation.apex.streamsOf(owner.handle).followers);
  const frame = { ...frameOf(federation, survey, owner, iri, live, event.at), ...audience, mentions: [], link: null };
  const type = live === null ? 'Create' : 'Update';
  const said = base(owner.handle, subjectOf(survey._id));
  const object = toSurveyNote(survey, null, frame);
  return { ...said, type, lane: iri, objectIri: iri, object, ...audience, toFollowers: true, listed: true };
}

function frameOf(
  { apex, house }: Federation,
  survey: Survey,
  owner: Collective,
  iri: string,
  live: Activity | null,
  at: Date,
) {
  return {
    iri,
    actor: apex.actorIri(owner.handle),
    organiser: owner.profile.name[house.site.defaultLanguage] || owner.profile.name.fr || owner.profile.name.en,
    url: `${house.site.baseUrl}/surveys/${survey._id}`,
    published: survey.openedAt ?? at,
    updated: live === null ? null : new Date(Math.max(at.getTime(), live.at.getTime() + 1)),
    language: house.site.defaultLanguage,
    i18n: house.i18n,
  };
}

/** Everybody who was told of it is told that it is gone. */
export async function announceSurveyGone(federation: Federation, event: Announced<'survey.deleted'>): Promise<Draft[]> {
  return goneDrafts(federation, event);
}

async function goneDrafts(federation: Federation, event: Announced<Told | 'survey.deleted'>): Promise<Draft[]> {
  const said = await activitiesIn(federation)
    .find({ subject: subjectOf(event.surveyId), _id: { $lt: event.eventId } }, { sort: { _id: 1 } })
    .toArray();
  const last = new Map(said.map((activity) => [activity.objectIri ?? '', activity] as const));
  return [...last]
    .filter(([iri, { type }]) => iri !== '' && type !== 'Delete')
    .map(([iri, { actor, inboxes, toFollowers, json }]) => {
      const { to, cc } = JSON.parse(json) as { to: string[]; cc: string[] };
      const object = toTombstone(iri, 'Note', event.at);
      const subject = subjectOf(event.surveyId);
      const frame = { ...base(actor, subject), toFollowers, listed: toFollowers };
      return { ...frame, type: 'Delete' as const, lane: iri, objectIri: iri, object, to, cc, inboxes };
    });
}

export async function announceSurveyAnswer(
  federation: Federation,
  event: Announced<'surveyAnswer.sent'>,
): Promise<Draft[]> {
  const sent = await sentAnswersIn(federation.house.store).findOne({ _id: event.answerId });
  const actor = sent && localHandleIn(federation.house.site, sent.answerer);
  if (sent === null || !actor || sent.state === 'withdrawn') return [];
  const live = await findLastAbout(federation, answerSubject(sent), event.eventId);
  const stands = live !== null && live.type !== 'Delete';
  const iri = (stands ? live.objectIri : null) ?? federation.apex.objectIri(event.eventId);
  const inboxes = await inboxOf(federation, sent.owner);
  const type = stands ? 'Update' : 'Create';
  const object = toSurveyAnswer({ ...sent, iri });
  const frame = { ...base(actor, answerSubject(sent)), ...plain(federation) };
  return [{ ...frame, type, objectIri: iri, object, to: [sent.owner], cc: [], inboxes }];
}

export async function announceSurveyAnswerGone(
  federation: Federation,
  event: Announced<'surveyAnswer.withdrawn'>,
): Promise<Draft[]> {
  const sent = await sentAnswersIn(federation.house.store).findOne({ _id: event.answerId });
  const live = sent && (await findLastAbout(federation, answerSubject(sent), event.eventId));
  if (sent === null || live === null || live.type === 'Delete' || live.objectIri === null) return [];
  const object = toAnswerTombstone(live.objectIri, sent.survey, sent.sentAt);
  const frame = { ...base(live.actor, answerSubject(sent)), ...plain(federation) };
  const inboxes = await inboxOf(federation, sent.owner);
  return [{ ...frame, type: 'Delete', objectIri: live.objectIri, object, to: [sent.owner], cc: [], inboxes }];
}

export async function announceSurveyReceipt(
  federation: Federation,
  event: Announced<'surveyReceipt.given'>,
): Promise<Draft[]> {
  const { store, i18n, site } = federation.house;
  const receipt = await receiptsIn(store).findOne({ _id: event.receiptId });
  const survey = receipt && (await findSurvey(store, receipt.surveyId));
  const owner = survey && (await findCollective(store, survey.collectiveId));
  if (!receipt || !owner) return [];
  const { refusal, to } = receipt;
  const more = refusal === null ? {} : { more: toRefusal(refusal, { i18n, language: site.defaultLanguage }) };
  const frame = {
    ...base(owner.handle, `surveyReceipt:${receipt._id}`),
    ...plain(federation),
    ...more,
  };
  const type = refusal === null ? 'Accept' : 'Reject';
  const inboxes = await inboxOf(federation, to);
  return [{ ...frame, type, objectIri: null, object: toReceiptObject(receipt), to: [to], cc: [], inboxes }];
}

/** Told to few: it stands in no outbox. */
function base(actor: string, subject: string): Pick<Draft, 'actor' | 'subject' | 'toFollowers' | 'listed' | 'inboxes'> {
  return { actor, subject, toFollowers: false, listed: false, inboxes: [] };
}

/** As it is, since JSON in our terms means the same to all who know them. */
function plain({ house }: Federation): Pick<Draft, 'context'> {
  return { context: objectContext(house.site.baseUrl) };
}

/** The survey's id for one of those asked. */
export function surveyIriFor({ apex }: Federation, surveyId: string, asked: string): string {
  return apex.objectIri(askedObjectId(surveyId, asked));
}

/** The last thing said about it before this event, unless it is gone. */
async function findLive(federation: Federation, objectIri: string, before: string): Promise<Activity | null> {
  const last = await activitiesIn(federation).findOne({ objectIri, _id: { $lt: before } }, { sort: { _id: -1 } });
  return last === null || last.type === 'Delete' ? null : last;
}

async function findLastAbout(federation: Federation, subject: string, before: string): Promise<Activity | null> {
  return activitiesIn(federation).findOne({ subject, _id: { $lt: before } }, { sort: { _id: -1 } });
}

async function inboxOf({ house }: Federation, iri: string): Promise<string[]> {
  const actor = await findRemoteActor(house.store, iri);
  return actor === null ? [] : [actor.inbox];
}

function subjectOf(surveyId: string): string {
  return `survey:${surveyId}`;
}

function answerSubject({ _id }: Pick<SentAnswer, '_id'>): string {
  return `surveyAnswer:${_id}`;
}
