// Surveys that ask a collective, as its people see them: from here and from other instances in one form.
import { findCollective } from '../collectives/queries.js';
import type { Collective } from '../collectives/schema.js';
import type { Context } from '../context.js';
import { isRetried } from '../instances/peerQueries.js';
import { actorIri } from '../partners/rules.js';
import { findAnswer, findDraft, findSurvey, getVersion, hasAnswered, surveysIn } from './queries.js';
import {
  asksRemotely,
  findRemoteSurvey,
  findSentAnswer,
  listRemoteSurveysFor,
  type Refused,
  type RemoteSurvey,
  resultOfRemote,
  type SentState,
} from './remoteSurveys.js';
import type { Published } from './results.js';
import { findSlot } from './rules.js';
import type { Answerer, Edit, NameRule, Section, Slot, Survey, SurveyState, Texts, Values } from './schema.js';
import { withoutFew } from './smallCounts.js';

/** One survey before those whom it asks. */
export interface AskedSurvey {
  /** What stands in its address: our id, or the key of a survey elsewhere. */
  key: string;
  title: Texts;
  intro: Texts;
  languages: readonly string[];
  timeZone: string;
  names: NameRule;
  state: SurveyState;
  closesAt: Date | null;
  closedAt: Date | null;
  /** Who asks. */
  organiser: { name: string; handle: string };
  version: number;
  sections: Section[];
  /** Of a date poll: which it will be; null: nothing is chosen. */
  slot: Slot | null;
  /** Null: it belongs to another instance. */
  survey: Survey | null;
  /** Of another instance: the results that it has published to us. */
  published?: Published | null;
  /** Null: it is one of ours. */
  elsewhere: Elsewhere | null;
  /** Since when it asks; when it was last changed, and how often. */
  since: Date;
  changed: { at: Date; times: number };
}

export interface Elsewhere {
  host: string;
  /** Where an anonymous answer is given, on the owner's instance. */
  link: string | null;
}

/** What the collective has said so far. */
export interface OwnAnswer {
  /** Sent and standing; null: nothing yet, or it was anonymous. */
  values: Values | null;
  /** Person id; empty: nobody here. */
  by: string;
  byName: string;
  /** Of the questions; null: nothing was sent. */
  version: number | null;
  at: Date | null;
  edits: Edit[];
  /** Kept and not sent. */
  draft: { values: Values; byName: string; email?: string | null; at: Date; version: number } | null;
  /** There is an answer, though it may be one that nobody can find again. */
  isAnswered: boolean;
  /** Of an answer that went to another instance; null: it did not. */
  sent?: Sent | null;
}

export interface Sent {
  state: SentState;
  host: string;
  sentAt: Date;
  receiptAt: Date | null;
  refusal: Refused | null;
  /** It was tried for a week in vain: it has to be sent again. */
  isLost: boolean;
  /** The last try failed; the next ones follow by themselves. */
  isUnreachable: boolean;
}

export function answererFor(ctx: Context, collective: Collective): Answerer {
  const { handle, profile } = collective;
  return { kind: 'collective', key: actorIri(ctx.site, handle), name: profile.name.fr || profile.name.en, handle };
}

/** A survey that asks this collective, open or over; null: there is none of that key, or it asks others. */
export async function findAsked(ctx: Context, collective: Collective, key: string): Promise<AskedSurvey | null> {
  if (/^[0-9a-f]{64}$/.test(key)) {
    const remote = await findRemoteSurvey(ctx.store, key);
    return remote !== null && asksRemotely(remote, answererFor(ctx, collective)) ? fromRemote(remote, ctx.now) : null;
  }
  const survey = await findSurvey(ctx.store, key);
  if (survey === null || !isAsked(survey, collective)) return null;
  return fromSurvey(ctx, survey);
}

/** As told by its owner. Its end counts here too, before its owner's word of the closing has come. */
function fromRemote(remote: RemoteSurvey, now: Date): AskedSurvey {
  const { _id, title, intro, languages, timeZone, names, state, closesAt, closedAt, organiser, version, sections } =
    remote;
  const { host, link } = remote;
  const isOver = closesAt !== null && closesAt <= now;
  return {
    key: _id,
    ...{ title, intro, languages, timeZone, names, closesAt, closedAt, organiser, version, sections },
    slot: findSlot(sections, remote.chosenSlot),
    state: isOver ? 'closed' : state,
    survey: null,
    published: publishedOf(remote),
    elsewhere: { host, link },
    since: remote.receivedAt,
    changed: { at: remote.changedAt ?? remote.receivedAt, times: remote.revision },
  };
}

/** The results that its owner published, as pages show ours. */
function publishedOf(remote: RemoteSurvey): Published | null {
  const counted = resultOfRemote(remote);
  if (remote.results === null || counted === null) return null;
  const { answers, asked, notes, publishedAt, isShortened, url } = remote.results;
  return {
    answers,
    asked,
    counted: withoutFew(remote.names, counted),
    notes,
    publishedAt,
    chosenSlot: remote.chosenSlot,
    shortened: isShortened ? { url: url ?? null } : null,
  };
}

function isAsked(survey: Survey, collective: Pick<Collective, '_id'>): boolean {
  const isShown = survey.deletedAt === null && (survey.state === 'open' || survey.state === 'closed');
  return (
    isShown &&
    survey.answerBy === 'collective' &&
    survey.invited.some(({ collectiveId }) => collectiveId === collective._id)
  );
}

/** One of ours, as those whom it asks see it. The door makes sure that it asks them. */
export async function fromSurvey(ctx: Context, survey: Survey): Promise<AskedSurvey> {
  const { title, intro, languages, timeZone, names, closesAt, closedAt, version, _id } = survey;
  const { sections } = await getVersion(ctx.store, _id, version);
  const owner = await findCollective(ctx.store, survey.collectiveId);
  const organiser = organiserOf(owner);
  // Who is in the bin takes no answers.
  const state = owner?.deletedAt ? 'closed' : survey.state;
  return {
    key: _id,
    title,
    intro,
    languages,
    timeZone,
    names,
    state,
    closesAt,
    closedAt,
    organiser,
    version,
    sections,
    slot: findSlot(sections, survey.chosenSlot),
    survey,
    elsewhere: null,
    ...datesOf(survey),
  };
}

/** Since when a survey of ours asks, and what a calendar has to know of its changes. */
export function datesOf(survey: Survey): Pick<AskedSurvey, 'since' | 'changed'> {
  const since = survey.openedAt ?? survey.createdAt;
  return { since, changed: { at: survey.changedAt ?? since, times: survey.revision } };
}

function organiserOf(owner: Collective | null): AskedSurvey['organiser'] {
  const name = owner ? owner.profile.name.fr || owner.profile.name.en : '';
  return { name, handle: owner?.handle ?? '' };
}

export async function findOwnAnswer(ctx: Context, asked: AskedSurvey, answerer: Answerer): Promise<OwnAnswer> {
  if (asked.survey === null) return findOwnSent(ctx, asked, answerer);
  const surveyId = asked.key;
  const [answer, draft, isAnswered] = await Promise.all([
    findAnswer(ctx.store, surveyId, answerer.key),
    findDraft(ctx.store, surveyId, answerer.key),
    hasAnswered(ctx.store, { _id: surveyId, names: asked.names }, answerer.key),
  ]);
  return {
    values: answer?.values ?? null,
    by: answer?.by ?? '',
    byName: answer?.byName ?? '',
    version: answer?.version ?? null,
    at: answer?.at ?? null,
    edits: answer?.edits ?? [],
    draft,
    isAnswered,
  };
}

/** Milliseconds for which a delivery is tried. */
const triesMs = 7 * 24 * 60 * 60 * 1000;

async function findOwnSent(ctx: Context, asked: AskedSurvey, answerer: Answerer): Promise<OwnAnswer> {
  const remote = await findRemoteSurvey(ctx.store, asked.key);
  const [sent, draft] = await Promise.all([
    remote && findSentAnswer(ctx.store, remote.iri, answerer.key),
    findDraft(ctx.store, asked.key, answerer.key),
  ]);
  if (!sent)
    return {
      values: null,
      by: '',
      byName: '',
      version: null,
      at: null,
      edits: [],
      draft,
      // Whether it answered by a link the collective alone knows, and may have said.
      isAnswered: remote?.marked?.includes(answerer.key) ?? false,
      sent: null,
    };
  const { state, host, sentAt, receiptAt, refusal } = sent;
  const isWaiting = receiptAt === null;
  const isLost = isWaiting && ctx.now.getTime() - sentAt.getTime() > triesMs;
  // Its owner may have refused to let it go.
  const stands = state !== 'withdrawn' || refusal !== null;
  return {
    values: stands ? sent.values : null,
    by: sent.by,
    byName: sent.byName,
    version: stands ? sent.version : null,
    at: stands ? sentAt : null,
    edits: sent.edits,
    draft,
    isAnswered: stands,
    sent: {
      ...{ state, host, sentAt, receiptAt, refusal, isLost },
      isUnreachable: isWaiting && (await isRetried(ctx.store, host)),
    },
  };
}

export interface AskedLine {
  asked: Omit<AskedSurvey, 'sections'>;
  isAnswered: boolean;
  hasDraft: boolean;
  /** Sent to another instance, and not taken there. */
  isRefused?: boolean;
  /** Sent for a week, and never taken or refused. */
  isLost?: boolean;
}

/**
 * Every survey that asks or asked this collective: open ones first, the next to close first; then the last that closed. `only`:
 * without those that closed, which become many.
 */
export async function listAsked(ctx: Context, collective: Collective, only?: 'open'): Promise<AskedLine[]> {
  const states = only === undefined ? (['open', 'closed'] as const) : (['open'] as const);
  const found = await surveysIn(ctx.store)
    .find({ 'invited.collectiveId': collective._id, state: { $in: [...states] } })
    .toArray();
  const answerer = answererFor(ctx, collective);
  const lines = await Promise.all(
    found
      .filter((survey) => isAsked(survey, collective))
      .map(async (survey) => {
        const { sections: _sections, ...asked } = await fromSurvey(ctx, survey);
        const [isAnswered, draft] = await Promise.all([
          hasAnswered(ctx.store, survey, answerer.key),
          findDraft(ctx.store, survey._id, answerer.key),
        ]);
        return { asked, isAnswered, hasDraft: draft !== null };
      }),
  );
  const remote = await listRemoteSurveysFor(ctx.store, answerer.key, states);
  const elsewhere = await Promise.all(
    remote.map(async (one) => {
      const full = fromRemote(one, ctx.now);
      const { sections: _sections, ...asked } = full;
      const { isAnswered, draft, sent } = await findOwnAnswer(ctx, full, answerer);
      const isRefused = sent?.state === 'refused';
      const isLost = sent?.isLost ?? false;
      const stands = isAnswered && !isRefused && !isLost;
      return { asked, isAnswered: stands, hasDraft: draft !== null, isRefused, isLost };
    }),
  );
  return [...lines, ...elsewhere].sort(byUrgency);
}

/** Open ones first, the next to close first; then the last that closed. */
export function byUrgency({ asked: a }: AskedLine, { asked: b }: AskedLine): number {
  if (a.state !== b.state) return a.state === 'open' ? -1 : 1;
  const end = (one: typeof a) => (one.closedAt ?? one.closesAt)?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return a.state === 'open' ? end(a) - end(b) : end(b) - end(a);
}
