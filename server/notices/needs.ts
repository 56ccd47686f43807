// TABLE: what may need a person -> how it is found. The page, the number beside the navigation, the summary by mail and the
// private feeds all read it. A line goes away by itself when the thing is done.
import { findSourceOf } from '../catalogue/queries.js';
import { editPath } from '../collectives/present.js';
import { listCollectivesOf } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Context, Language } from '../context.js';
import type { Message } from '../errors.js';
import { listJobRuns } from '../instances/queries.js';
import { countOpenReports, findLastOpenReport } from '../moderation/queries.js';
import { partnersPath } from '../partners/present.js';
import {
  countFollows,
  countUnseenMentions,
  findLastRequest,
  findLastUnseenMention,
  listOpenPolls,
} from '../partners/queries.js';
import { actorIri } from '../partners/rules.js';
import type { PartyRef } from '../partners/schema.js';
import { findPerson } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import type { Person } from '../people/schema.js';
import { textIn } from '../shapes.js';
import { writeCount } from '../store/guarded.js';
import type { Store } from '../store/store.js';
import { datesOf, listAsked } from '../surveys/askedSurveys.js';
import { countAnswers, hasAnswered, listOpenFor, listSurveysOf } from '../surveys/queries.js';
import { asksThisPerson, pickText } from '../surveys/rules.js';
import { countFailedMails, findLastFailedMail } from './queries.js';
import { isReachable } from './rules.js';

/** now: due within two days, or it stops something. soon: it has an end. later: whenever. */
export type Urgency = 'now' | 'soon' | 'later';

export interface Need {
  /** The same for the same thing, also on another day. */
  id: string;
  what: Message;
  /** The page on which it is done. */
  href: string;
  due: Date | null;
  /** Since when it waits, or the newest of several. */
  since: Date;
  /** When what it asks was last changed, and how often: in a calendar its end may have moved. */
  changed?: { at: Date; times: number };
  urgency: Urgency;
  /** For which of the person's collectives; null: for the person. */
  collective: string | null;
}

interface Reader {
  person: Person;
  collectives: readonly Collective[];
  language: Language;
}

type Source = (ctx: Context, reader: Reader) => Promise<Need[]>;

const sources: Record<string, Source> = {
  address: refusedAddress,
  surveys: askedCollectives,
  ownSurveys: askedPerson,
  replies: newMentions,
  polls: askedPolls,
  followers: followRequests,
  files: stoppedFiles,
  unopened: unopenedSurveys,
  results: unpublishedResults,
  reports: openReports,
  mails: failedMails,
  jobs: failingJobs,
};

const day = 24 * 60 * 60 * 1000;
const ranks: Record<Urgency, number> = { now: 0, soon: 1, later: 2 };

/** All that needs this person, what presses first, then what is due first. */
export async function listNeeds(ctx: Context, person: Person, language: Language): Promise<Need[]> {
  const own = await listCollectivesOf(ctx.store, person._id);
  const reader = { person, collectives: own.filter(({ deletedAt }) => deletedAt === null), language };
  const found = await Promise.all(Object.values(sources).map((source) => source(ctx, reader)));
  const due = (need: Need) => need.due?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return found.flat().sort((a, b) => ranks[a.urgency] - ranks[b.urgency] || due(a) - due(b));
}

interface Counted {
  count: number;
  writes: number;
  at: number;
}
const counted = new WeakMap<Store, Map<string, Counted>>();
/** How old a number may be when another process, or time, changed it, in milliseconds; how many are remembered. */
const maxAgeMs = 30_000;
const mostCounted = 500;

/** How many things need a person, for every page: counted again when this process has written anything. */
export async function countNeeds(ctx: Context, personId: string): Promise<number> {
  const kept = counted.get(ctx.store) ?? new Map<string, Counted>();
  counted.set(ctx.store, kept);
  const [writes, at] = [writeCount(), performance.now()];
  const known = kept.get(personId);
  if (known?.writes === writes && at - known.at < maxAgeMs) return known.count;
  const person = await findPerson(ctx.store, personId);
  const count = person ? (await listNeeds(ctx, person, ctx.site.defaultLanguage)).length : 0;
  if (kept.size >= mostCounted) kept.clear();
  kept.set(personId, { count, writes, at });
  return count;
}

function urgencyOf(due: Date | null, now: Date): Urgency {
  if (due === null) return 'later';
  return due.getTime() - now.getTime() <= 2 * day ? 'now' : 'soon';
}

async function refusedAddress(_ctx: Context, { person }: Reader): Promise<Need[]> {
  if (isReachable(person)) return [];
  const what = { key: 'notices.need.address', params: { email: person.email } };
  const since = person.addressProblem?.at ?? person.createdAt;
  return [{ id: 'address', what, href: '/me/notices', due: null, since, urgency: 'now', collective: null }];
}

async function askedCollectives(ctx: Context, { collectives, language }: Reader): Promise<Need[]> {
  const found = await Promise.all(
    collectives.map(async (collective) => {
      const open = (await listAsked(ctx, collective, 'open')).filter(
        ({ asked, isAnswered }) =>
          asked.state === 'open' && !isAnswered && (asked.closesAt === null || asked.closesAt > ctx.now),
      );
      return open.map(({ asked, hasDraft, isRefused, isLost }): Need => {
        const state = isRefused ? 'refused' : isLost ? 'lost' : hasDraft ? 'draft' : 'survey';
        const title = pickText(asked.title, language, asked.languages).text;
        return {
          id: `survey:${asked.key}:${collective._id}`,
          what: { key: `notices.need.${state}`, params: { title } },
          href: `${editPath(collective)}/asked/${asked.key}`,
          due: asked.closesAt,
          since: asked.since,
          changed: asked.changed,
          urgency: urgencyOf(asked.closesAt, ctx.now),
          collective: nameOf(collective, language),
        };
      });
    }),
  );
  return found.flat();
}

async function askedPerson(ctx: Context, { person, collectives, language }: Reader): Promise<Need[]> {
  const ids = collectives.map(({ _id }) => _id);
  const open = (await listOpenFor(ctx.store, ids, ctx.now)).filter((survey) => asksThisPerson(survey, person._id, ids));
  const found = await Promise.all(
    open.map(async (survey): Promise<Need[]> => {
      if (await hasAnswered(ctx.store, survey, `person:${person._id}`)) return [];
      const title = pickText(survey.title, language, survey.languages).text;
      return [
        {
          id: `survey:${survey._id}`,
          what: { key: 'notices.need.survey', params: { title } },
          href: `/me/surveys/${survey._id}`,
          due: survey.closesAt,
          ...datesOf(survey),
          urgency: urgencyOf(survey.closesAt, ctx.now),
          collective: null,
        },
      ];
    }),
  );
  return found.flat();
}

/** What others wrote to them and nobody has seen yet: answers to what they published, and posts that name them. */
async function newMentions(ctx: Context, { person, collectives, language }: Reader): Promise<Need[]> {
  const own =
    person.handle && isPublicPerson(person) ? [{ ref: ofPerson(person), handle: person.handle, name: null }] : [];
  const theirs = collectives.map((one) => ({
    ref: ofCollective(one),
    handle: one.handle,
    name: nameOf(one, language),
  }));
  const found = await Promise.all(
    [...own, ...theirs].map(async ({ ref, handle, name }): Promise<Need[]> => {
      const reader = actorIri(ctx.site, handle);
      const last = await findLastUnseenMention(ctx.store, reader);
      if (last === null) return [];
      const count = await countUnseenMentions(ctx.store, reader);
      return [
        {
          id: `mentions:${ref.id}`,
          what: { key: 'notices.need.mentions', params: { count } },
          href: `${partnersPath(ref)}/mentions`,
          due: null,
          since: last.at,
          urgency: 'later',
          collective: name,
        },
      ];
    }),
  );
  return found.flat();
}

/** Polls of those whom a collective follows, as long as they run and it has not voted. */
async function askedPolls(ctx: Context, { collectives, language }: Reader): Promise<Need[]> {
  const found = await Promise.all(
    collectives.filter(isPublic).map(async (collective) => {
      const polls = await listOpenPolls(ctx.store, actorIri(ctx.site, collective.handle), ctx.now);
      return polls.map(
        ({ post, author }): Need => ({
          id: `poll:${post._id}:${collective._id}`,
          what: { key: 'notices.need.poll', params: { name: author } },
          href: `${partnersPath(ofCollective(collective))}/posts/${post._id}`,
          due: post.poll?.endsAt ?? null,
          since: post.publishedAt,
          urgency: urgencyOf(post.poll?.endsAt ?? null, ctx.now),
          collective: nameOf(collective, language),
        }),
      );
    }),
  );
  return found.flat();
}

const ofPerson = ({ _id }: Person): PartyRef => ({ kind: 'person', id: _id });
const ofCollective = ({ _id }: Collective): PartyRef => ({ kind: 'collective', id: _id });
const nameOf = ({ profile }: Collective, language: Language): string => textIn(profile.name, language);

async function followRequests(ctx: Context, { person, collectives, language }: Reader): Promise<Need[]> {
  const asked = [
    ...(person.handle ? [{ ...person, handle: person.handle, href: '/me/partners/followers', name: null }] : []),
    ...collectives.map((one) => {
      return { _id: one._id, handle: one.handle, href: `${editPath(one)}/followers`, name: nameOf(one, language) };
    }),
  ];
  const found = await Promise.all(
    asked.map(async ({ _id, handle, href, name }): Promise<Need[]> => {
      const ours = actorIri(ctx.site, handle);
      const last = await findLastRequest(ctx.store, ours);
      if (last === null) return [];
      const count = await countFollows(ctx.store, ours, 'requested');
      const what = { key: 'notices.need.followers', params: { count } };
      const since = last.requestedAt;
      return [{ id: `followers:${_id}`, what, href, due: null, since, urgency: 'later', collective: name }];
    }),
  );
  return found.flat();
}

async function stoppedFiles(ctx: Context, { collectives, language }: Reader): Promise<Need[]> {
  const found = await Promise.all(
    collectives.map(async (collective): Promise<Need[]> => {
      const source = await findSourceOf(ctx.store, collective._id);
      if (!source?.stoppedAt) return [];
      return [
        {
          id: `file:${source._id}`,
          what: { key: 'notices.need.file' },
          href: `${editPath(collective)}/chatonsinfos`,
          due: null,
          since: source.stoppedAt,
          urgency: 'soon',
          collective: nameOf(collective, language),
        },
      ];
    }),
  );
  return found.flat();
}

/** Surveys whose moment came and which could not open. */
async function unopenedSurveys(ctx: Context, { collectives, language }: Reader): Promise<Need[]> {
  const found = await Promise.all(
    collectives.map(async (collective) => {
      const held = (await listSurveysOf(ctx.store, collective._id)).filter(
        ({ state, notOpened }) => state === 'draft' && notOpened,
      );
      return held.map((survey): Need => {
        const title = pickText(survey.title, language, survey.languages).text;
        return {
          id: `unopened:${survey._id}`,
          what: { key: 'notices.need.unopened', params: { title } },
          href: `${editPath(collective)}/surveys/${survey._id}`,
          due: survey.opensAt,
          since: survey.opensAt ?? survey.createdAt,
          urgency: 'now',
          collective: nameOf(collective, language),
        };
      });
    }),
  );
  return found.flat();
}

/** Of surveys that closed within two weeks: whether to publish is the organisers' choice, and may be no. */
async function unpublishedResults(ctx: Context, { collectives, language }: Reader): Promise<Need[]> {
  const since = new Date(ctx.now.getTime() - 14 * day);
  const found = await Promise.all(
    collectives.map(async (collective) => {
      const closed = (await listSurveysOf(ctx.store, collective._id)).filter(
        ({ state, closedAt, results }) =>
          state === 'closed' && results.publishedAt === null && closedAt !== null && closedAt > since,
      );
      const answered = await Promise.all(closed.map((survey) => countAnswers(ctx.store, survey)));
      return closed.flatMap((survey, index): Need[] => {
        if (!answered[index]) return [];
        const title = pickText(survey.title, language, survey.languages).text;
        return [
          {
            id: `results:${survey._id}`,
            what: { key: 'notices.need.results', params: { title } },
            href: `${editPath(collective)}/surveys/${survey._id}/results`,
            due: null,
            since: survey.closedAt ?? ctx.now,
            urgency: 'later',
            collective: nameOf(collective, language),
          },
        ];
      });
    }),
  );
  return found.flat();
}

async function openReports(ctx: Context, { person }: Reader): Promise<Need[]> {
  const count = person.instanceRole === null ? 0 : await countOpenReports(ctx.store);
  if (count === 0) return [];
  const what = { key: 'notices.need.reports', params: { count } };
  const since = (await findLastOpenReport(ctx.store))?.createdAt ?? ctx.now;
  return [{ id: 'reports', what, href: '/admin/reports', due: null, since, urgency: 'now', collective: null }];
}

async function failedMails(ctx: Context, { person }: Reader): Promise<Need[]> {
  const count = person.instanceRole === 'administrator' ? await countFailedMails(ctx.store) : 0;
  if (count === 0) return [];
  const what = { key: 'notices.need.mails', params: { count } };
  const since = (await findLastFailedMail(ctx.store))?.failedAt ?? ctx.now;
  return [{ id: 'mails', what, href: '/admin/mails', due: null, since, urgency: 'later', collective: null }];
}

async function failingJobs(ctx: Context, { person }: Reader): Promise<Need[]> {
  if (person.instanceRole !== 'administrator') return [];
  const failing = (await listJobRuns(ctx.store)).filter(({ failuresInRow }) => failuresInRow >= 3);
  if (failing.length === 0) return [];
  const what = { key: 'notices.need.jobs', params: { count: failing.length } };
  // A task fails again each minute: its line is not new each minute.
  const last = Math.max(...failing.map(({ startedAt }) => startedAt.getTime()));
  const since = new Date(last - (last % day));
  return [{ id: 'jobs', what, href: '/admin/jobs', due: null, since, urgency: 'now', collective: null }];
}
