// What arrives about surveys: those of others that ask ours, answers to ours, receipts for answers of ours. federation/handlers.ts
// asks here first; whatever is not about surveys goes on there.
import { readPolicy } from '../server/instances/queries.js';
import { isLimitedPeer } from '../server/instances/rules.js';
import { isBlockedBy } from '../server/partners/blockQueries.js';
import { isFollowedHere } from '../server/partners/queries.js';
import {
  checkForeignAnswer,
  type ForeignAnswer,
  receiveAnswer,
  receiveSurvey,
  receiveSurveyGone,
  receiveWithdrawal,
} from '../server/surveys/actions/receiving.js';
import { receiveReceipt } from '../server/surveys/actions/sending.js';
import { findRemoteSurvey, remoteSurveyKey } from '../server/surveys/remoteSurveys.js';
import { findLocalActor } from './actors.js';
import { surveyIriFor } from './announce/surveys.js';
import { contextFor } from './federation.js';
import { checkOwnObject, type Inbound } from './handlers.js';
import { isLocal, localHandleIn } from './iris.js';
import { isObject, readJson } from './json.js';
import { Refusal } from './refusal.js';
import {
  type AnswerReading,
  answerType,
  fromAnswerTombstone,
  fromReceipt,
  fromSurveyAnswer,
  fromSurveyNote,
} from './wire/survey.js';

/** What it is about; a deed that can be done once it is claimed. Null: not about surveys, or nobody here is asked. */
export type SurveyMatter = () => Promise<void>;

/**
 * Reads what an activity says about surveys, and refuses it where it may not be said. Nothing is stored yet. Refuses: 400 (cannot
 * be read), 403 (not asked; anonymous; too strange a sender), 404, 429.
 */
export async function surveyMatter(inbound: Inbound): Promise<SurveyMatter | null> {
  const { activity } = inbound;
  const { type, object } = activity;
  if (object === null) return null;
  if (type === 'Accept' || type === 'Reject') return object.type === answerType ? receiptMatter(inbound) : null;
  if ((type !== 'Create' && type !== 'Update' && type !== 'Delete') || object.id === activity.actor) return null;
  const matter = await statementMatter(inbound);
  // Whoever speaks of somebody else's is refused, whatever it says.
  if (matter !== null) checkOwnObject(inbound);
  return matter;
}

async function statementMatter(inbound: Inbound): Promise<SurveyMatter | null> {
  const { activity, raw } = inbound;
  if (activity.type === 'Delete') return raw.includes(answerType) ? withdrawalMatter(inbound) : goneMatter(inbound);
  if (isAnswer(inbound)) return answerMatter(inbound);
  return raw.includes('"survey"') ? noteMatter(inbound) : null;
}

/** Whether the bytes may be kept with the record of what was received: what somebody answered is in its own place only. */
export function isKeptElsewhere(inbound: Inbound): boolean {
  return isAnswer(inbound);
}

/** Also one that calls itself something else besides: it is refused as an answer, not kept as the other. */
function isAnswer(inbound: Inbound): boolean {
  if (inbound.activity.object?.type === answerType) return true;
  return inbound.raw.includes(answerType) && [inlineObject(inbound)?.type].flat().includes(answerType);
}

function inlineObject({ activity, raw }: Inbound): Record<string, unknown> | null {
  const [object] = [readJson(raw).object].flat() as unknown[];
  return isObject(object) && object.id === activity.object?.id ? object : null;
}

async function noteMatter(inbound: Inbound): Promise<SurveyMatter | null> {
  const { federation, sender } = inbound;
  const { privateHosts, store, now } = federation.house;
  const reading = fromSurveyNote(inlineObject(inbound), privateHosts, now());
  if (reading === null) return null;
  const asked = await askedHere(inbound, reading.audience);
  if (asked.length === 0) return null;
  if (sender.type !== 'Organization' && sender.type !== 'Group') throw new Refusal(403, 'only collectives ask');
  const isLimited = isLimitedPeer(await readPolicy(store), sender.host);
  if (isLimited && !(await isFollowedHere(store, sender._id))) throw new Refusal(403, 'nobody here follows the actor');
  takeOne(inbound);
  const organiser = { name: sender.name || sender.handle, handle: sender.handle };
  const survey = { ...reading.survey, asked, organiser, owner: sender._id, host: sender.host };
  return () => receiveSurvey(contextFor(federation), survey);
}

/** Our collectives among the addressees that do not block the sender. */
async function askedHere({ federation, sender }: Inbound, audience: readonly string[]): Promise<string[]> {
  const { site, store } = federation.house;
  const asked: string[] = [];
  for (const iri of new Set(audience.slice(0, 200))) {
    const handle = localHandleIn(site, iri);
    const actor = handle === null ? null : await findLocalActor(federation, handle);
    const isOurs = actor !== null && actor !== 'gone' && actor.kind === 'collective';
    if (isOurs && !(await isBlockedBy(store, iri, sender._id))) asked.push(iri);
  }
  return asked;
}

async function goneMatter({ federation, activity, sender }: Inbound): Promise<SurveyMatter | null> {
  const key = remoteSurveyKey(activity.object?.id ?? '');
  const known = await findRemoteSurvey(federation.house.store, key);
  return known === null ? null : () => receiveSurveyGone(contextFor(federation), key, sender._id);
}

async function answerMatter(inbound: Inbound): Promise<SurveyMatter> {
  const { federation } = inbound;
  const reading = fromSurveyAnswer(inlineObject(inbound), federation.house.privateHosts);
  if (reading === null) throw new Refusal(400, 'the answer cannot be read');
  const { version, raw } = reading;
  const input = { ...(await foreign(inbound, reading)), version, raw };
  return () => receiveAnswer(contextFor(federation), input);
}

async function withdrawalMatter(inbound: Inbound): Promise<SurveyMatter | null> {
  const { federation } = inbound;
  const reading = fromAnswerTombstone(inlineObject(inbound), federation.house.privateHosts);
  if (reading === null) return null;
  const input = await foreign(inbound, reading);
  return () => receiveWithdrawal(contextFor(federation), input);
}

/** So far clocks of others may be ahead. What is dated later would stand before every correction. */
const clockSkewMs = 60 * 60 * 1000;

/** Who answers which survey of ours: the signer, for itself, the survey that was sent to it. */
async function foreign(
  inbound: Inbound,
  reading: Pick<AnswerReading, 'iri' | 'survey' | 'sentAt'>,
): Promise<ForeignAnswer> {
  const { federation, activity, sender } = inbound;
  const { site } = federation.house;
  if (activity.id === null) throw new Refusal(400, 'an answer needs an id');
  const [, surveyId = ''] = /\/objects\/([0-9a-f-]{36})-[0-9a-f]{16}$/.exec(reading.survey) ?? [];
  if (reading.sentAt.getTime() > federation.house.now().getTime() + clockSkewMs) {
    throw new Refusal(400, 'it was sent in the future');
  }
  if (!isLocal(site, reading.survey) || surveyId === '') throw new Refusal(404, 'there is no such survey');
  if (surveyIriFor(federation, surveyId, sender._id) !== reading.survey) {
    throw new Refusal(403, 'that survey was sent to somebody else');
  }
  await checkForeignAnswer(contextFor(federation), surveyId, sender._id);
  takeOne(inbound);
  return {
    activityIri: activity.id,
    answerIri: reading.iri,
    surveyIri: reading.survey,
    surveyId,
    answerer: { kind: 'collective', key: sender._id, name: sender.name || sender.handle, handle: sender.handle },
    host: sender.host,
    sentAt: reading.sentAt,
  };
}

async function receiptMatter({ federation, activity, sender, raw }: Inbound): Promise<SurveyMatter | null> {
  const { i18n, privateHosts, site } = federation.house;
  const isKnown = (key: string) => i18n.has(site.defaultLanguage, key);
  const reading = fromReceipt(readJson(raw), privateHosts, isKnown);
  if (reading === null) return null;
  const { said, ...about } = reading;
  const refusal = activity.type === 'Accept' ? null : said;
  return () => receiveReceipt(contextFor(federation), { ...about, owner: sender._id, refusal });
}

function takeOne({ federation, sender }: Inbound): void {
  if (!federation.surveyLimit.take(sender.host)) throw new Refusal(429, 'too many surveys and answers', 600);
}
