// Surveys that ask people one by one, and those that anybody may answer: as AskedSurvey, like those that ask a collective.

import { findCollective, listCollectivesById } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import type { Context, PersonActor } from '../context.js';
import { sliceOf } from '../paging.js';
import type { Store } from '../store/store.js';
import { type AskedLine, type AskedSurvey, byUrgency, fromSurvey } from './askedSurveys.js';
import { findDraft, findSurvey, hasAnswered, surveysIn } from './queries.js';
import { asksThisPerson, mayRead } from './rules.js';
import type { Answerer, Survey } from './schema.js';

export function personAnswerer({ personId, displayName }: Pick<PersonActor, 'personId' | 'displayName'>): Answerer {
  return { kind: 'person', key: `person:${personId}`, name: displayName, handle: '' };
}

export function guestAnswerer(guestId: string, name: string): Answerer {
  return { kind: 'anyone', key: `guest:${guestId}`, name, handle: '' };
}

/** A survey that asks this person, as one of the people of a collective; null: there is none, or it asks others. */
export async function findAskedPerson(ctx: Context, person: PersonActor, key: string): Promise<AskedSurvey | null> {
  const survey = await findSurvey(ctx.store, key);
  return survey !== null && asksPerson(survey, person) ? fromSurvey(ctx, survey) : null;
}

function asksPerson(survey: Survey, { personId, memberships }: PersonActor): boolean {
  return isShown(survey) && asksThisPerson(survey, personId, Object.keys(memberships));
}

function isShown({ state, deletedAt }: Survey): boolean {
  return deletedAt === null && (state === 'open' || state === 'closed');
}

/** Every survey that asks or asked this person: open ones first, the next to close first; then the last that closed. */
export async function listAskedPerson(ctx: Context, person: PersonActor): Promise<AskedLine[]> {
  const ids = Object.keys(person.memberships);
  const state = { $in: ['open', 'closed'] as const };
  const [own, ofCollectives] = await Promise.all([
    surveysIn(ctx.store).find({ 'askedPeople.personId': person.personId, state }).toArray(),
    ids.length === 0
      ? []
      : surveysIn(ctx.store)
          .find({ 'invited.collectiveId': { $in: ids }, state })
          .toArray(),
  ]);
  const found = [...new Map([...own, ...ofCollectives].map((survey) => [survey._id, survey])).values()];
  const { key } = personAnswerer(person);
  const lines = found
    .filter((survey) => asksPerson(survey, person))
    .map(async (survey) => {
      const { sections: _sections, ...asked } = await fromSurvey(ctx, survey);
      const [isAnswered, draft] = await Promise.all([
        hasAnswered(ctx.store, survey, key),
        findDraft(ctx.store, survey._id, key),
      ]);
      return { asked, isAnswered, hasDraft: draft !== null };
    });
  return (await Promise.all(lines)).sort(byUrgency);
}

/** A survey that anybody with its address may answer, open or over. */
export async function findForAnyone(ctx: Context, key: string): Promise<AskedSurvey | null> {
  const survey = await findSurvey(ctx.store, key);
  const isFor = survey !== null && isShown(survey) && survey.answerBy === 'anyone';
  return isFor && (await isAskedByStanding(ctx.store, survey)) ? fromSurvey(ctx, survey) : null;
}

/** A survey that everybody may know of: anybody may answer, or its results are for all. */
export async function findPublicSurvey(ctx: Context, key: string): Promise<AskedSurvey | null> {
  const survey = await findSurvey(ctx.store, key);
  return survey !== null && mayRead(survey) && (await isAskedByStanding(ctx.store, survey))
    ? fromSurvey(ctx, survey)
    : null;
}

/** Whether the collective that asks is not in the bin: nobody outside sees anything of it then. */
export async function isAskedByStanding(
  store: Store,
  { collectiveId }: Pick<Survey, 'collectiveId'>,
): Promise<boolean> {
  return (await findCollective(store, collectiveId))?.deletedAt === null;
}

const perPage = 20;
/** More published ones are not looked through. */
const mostPublished = 2000;

export interface AskedPage {
  lines: AskedLine[];
  page: number;
  pages: number;
}

/** What everybody may answer now, the next to close first; and what was published for all, the last first. Pages from 1. */
export async function listPublicSurveys(
  ctx: Context,
  at: { open: number; published: number } = { open: 1, published: 1 },
): Promise<{ open: AskedPage; published: AskedPage }> {
  const projection = { collectiveId: 1, answerBy: 1, state: 1, closesAt: 1, results: 1, deletedAt: 1 };
  const [open, published] = await Promise.all([
    surveysIn(ctx.store).find({ answerBy: 'anyone', state: 'open', listed: true }, { projection }).toArray(),
    surveysIn(ctx.store)
      .find(
        { 'results.readers': 'public', 'results.publishedAt': { $gt: new Date(0) } },
        { sort: { 'results.publishedAt': -1 }, limit: mostPublished, projection },
      )
      .toArray(),
  ]);
  const all = [...open, ...published].map(({ collectiveId }) => collectiveId);
  const owners = await listCollectivesById(ctx.store, [...new Set(all)]);
  // Whoever is not published themselves gives the address to whom they want.
  const known = new Set(owners.filter(isPublic).map(({ _id }) => _id));
  const shown = (surveys: readonly Survey[]) =>
    surveys.filter((survey) => mayRead(survey) && known.has(survey.collectiveId));
  const end = ({ closesAt }: Survey) => closesAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
  const inTime = shown(open)
    .filter((survey) => end(survey) > ctx.now.getTime())
    .sort((a, b) => end(a) - end(b));
  return { open: await pageOf(ctx, inTime, at.open), published: await pageOf(ctx, shown(published), at.published) };
}

async function pageOf(ctx: Context, heads: readonly Survey[], wanted: number): Promise<AskedPage> {
  const { shown, page, pages } = sliceOf(heads, wanted, perPage);
  const lines = shown.map(async ({ _id }): Promise<AskedLine[]> => {
    const survey = await findSurvey(ctx.store, _id);
    if (survey === null) return [];
    const { sections: _sections, ...asked } = await fromSurvey(ctx, survey);
    return [{ asked, isAnswered: false, hasDraft: false }];
  });
  return { lines: (await Promise.all(lines)).flat(), page, pages };
}

/** The collective among those asked for which this person may speak or look; null: none. */
export async function findAskedAddress(ctx: Context, key: string): Promise<string | null> {
  const survey = await findSurvey(ctx.store, key);
  const { actor } = ctx;
  if (survey === null || actor?.kind !== 'person' || !isShown(survey)) return null;
  const own = survey.invited.find(({ collectiveId }) => collectiveId && Object.hasOwn(actor.memberships, collectiveId));
  const any = actor.instanceRole === 'administrator' ? survey.invited.find(({ collectiveId }) => collectiveId) : null;
  if (survey.answerBy === 'person') return asksPerson(survey, actor) ? `/me/surveys/${survey._id}` : null;
  const asked = own ?? any;
  return asked ? `/my/collectives/${asked.collectiveId}/asked/${survey._id}` : null;
}
