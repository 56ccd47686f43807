// Reads of surveys, answers and drafts, and the collections' indexes.
import { getCollective, listCollectivesById, listPublicCollectives } from '../collectives/queries.js';
import type { Collective } from '../collectives/schema.js';
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import { eventIndex } from '../events.js';
import { listFollowings, pageFollows } from '../partners/queries.js';
import { actorIri } from '../partners/rules.js';
import type { RemoteActor } from '../partners/schema.js';
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import { answerKey, checkMayOrganise } from './rules.js';
import type {
  Invited,
  Section,
  Survey,
  SurveyAnswer,
  SurveyBallot,
  SurveyCounted,
  SurveyDraft,
  SurveyTurnout,
  SurveyVersion,
} from './schema.js';

export const surveyIndexes: CollectionIndexes = {
  surveys: [
    { keys: { collectiveId: 1, deletedAt: 1, createdAt: -1 } },
    { keys: { 'invited.collectiveId': 1, state: 1 } },
    { keys: { 'invited.iri': 1 } },
    { keys: { 'askedPeople.personId': 1 } },
    { keys: { state: 1, opensAt: 1 } },
    { keys: { state: 1, closesAt: 1 } },
    { keys: { previousId: 1 } },
    { keys: { answerBy: 1, state: 1 } },
    { keys: { 'results.readers': 1, 'results.publishedAt': -1 } },
    { keys: { 'results.publishAt': 1 }, sparse: true },
    { keys: { deletedAt: 1 } },
    eventIndex,
  ],
  surveyVersions: [{ keys: { surveyId: 1, number: 1 }, unique: true }],
  surveyAnswers: [
    { keys: { surveyId: 1, at: 1 } },
    { keys: { by: 1 } },
    { keys: { 'edits.by': 1 } },
    { keys: { 'answerer.key': 1 } },
    eventIndex,
  ],
  // No index that follows the order in which they came.
  surveyBallots: [{ keys: { surveyId: 1, _id: 1 } }],
  surveyTurnouts: [{ keys: { surveyId: 1, _id: 1 } }],
  surveyCounted: [{ keys: { surveyId: 1, _id: 1 } }],
  surveyDrafts: [{ keys: { surveyId: 1 } }, { keys: { key: 1 } }, { keys: { at: 1 } }],
};

/** Whose order and former contents would tell who gave which ballot: they are settled after each one, and every night. */
export const secretCollections = ['surveyBallots', 'surveyTurnouts', 'surveyCounted'] as const;

export const surveysIn = (store: Store): Coll<Survey> => store.collection<Survey>('surveys');
export const versionsIn = (store: Store): Coll<SurveyVersion> => store.collection<SurveyVersion>('surveyVersions');
export const answersIn = (store: Store): Coll<SurveyAnswer> => store.collection<SurveyAnswer>('surveyAnswers');
export const ballotsIn = (store: Store): Coll<SurveyBallot> => store.collection<SurveyBallot>('surveyBallots');
export const turnoutsIn = (store: Store): Coll<SurveyTurnout> => store.collection<SurveyTurnout>('surveyTurnouts');
export const countedIn = (store: Store): Coll<SurveyCounted> => store.collection<SurveyCounted>('surveyCounted');
export const draftsIn = (store: Store): Coll<SurveyDraft> => store.collection<SurveyDraft>('surveyDrafts');

export async function findSurvey(store: Store, id: string): Promise<Survey | null> {
  return surveysIn(store).findOne({ _id: id });
}

/** Refuses: not-found; gone (it was deleted). */
export async function getSurvey(store: Store, id: string): Promise<Survey> {
  const survey = await findSurvey(store, id);
  if (!survey) throw new DomainError('not-found', 'error.notFound');
  if (survey.deletedAt !== null) throw new DomainError('gone', 'surveys.error.gone');
  return survey;
}

/** For those who organise it. Refuses: not-found (also for everybody else). Deleted ones too: they can be taken back. */
export async function getOrganised(ctx: Context, id: string): Promise<{ survey: Survey; owner: Collective }> {
  const survey = await findSurvey(ctx.store, id);
  if (!survey) throw new DomainError('not-found', 'error.notFound');
  const owner = await getCollective(ctx.store, survey.collectiveId);
  checkMayOrganise(ctx.actor, owner);
  return { survey, owner };
}

/** Refuses: not-found. */
export async function getVersion(store: Store, surveyId: string, number: number): Promise<SurveyVersion> {
  const version = await versionsIn(store).findOne({ surveyId, number });
  if (!version) throw new DomainError('not-found', 'error.notFound');
  return version;
}

const known = new WeakMap<Store, Map<string, readonly Section[]>>();
const mostKnown = 50;
/** The revision rises before the questions are written (editSections): for so long they may still be those of before. */
const settlingMs = 10_000;

/**
 * The questions of a version, for answers that arrive by the hundred: read once as long as the survey stays as it is (its
 * revision rises with each change). Refuses: not-found.
 */
export async function readSections(
  store: Store,
  survey: Pick<Survey, '_id' | 'revision' | 'changedAt'>,
  number: number,
  now: Date,
): Promise<readonly Section[]> {
  const here = known.get(store) ?? new Map<string, readonly Section[]>();
  known.set(store, here);
  const key = `${survey._id} ${survey.revision} ${number}`;
  const found = here.get(key);
  if (found !== undefined) return found;
  const { sections } = await getVersion(store, survey._id, number);
  if (survey.changedAt !== undefined && now.getTime() - survey.changedAt.getTime() < settlingMs) return sections;
  if (here.size >= mostKnown) here.clear();
  here.set(key, sections);
  return sections;
}

/** Those of one collective that are not deleted, the newest first. */
export async function listSurveysOf(store: Store, collectiveId: string): Promise<Survey[]> {
  return surveysIn(store)
    .find({ collectiveId, deletedAt: null }, { sort: { createdAt: -1 } })
    .toArray();
}

/** Those put away, the last one first: they can be taken back. */
export async function listDeletedSurveysOf(store: Store, collectiveId: string): Promise<Survey[]> {
  const found = await surveysIn(store)
    .find({ collectiveId, deletedAt: { $gt: new Date(0) } })
    .toArray();
  return found.sort((a, b) => (b.deletedAt?.getTime() ?? 0) - (a.deletedAt?.getTime() ?? 0));
}

/** All versions of its questions, the first one first. */
export async function listVersions(store: Store, surveyId: string): Promise<SurveyVersion[]> {
  return versionsIn(store)
    .find({ surveyId }, { sort: { number: 1 } })
    .toArray();
}

/** How many may answer: collectives, or the people of those here as they were at the opening; null: anyone may. */
export async function countAsked(
  store: Store,
  survey: Pick<Survey, 'answerBy' | 'invited' | 'askedPeople'>,
): Promise<number | null> {
  if (survey.answerBy === 'anyone') return null;
  if (survey.answerBy === 'collective') return survey.invited.length;
  if (survey.askedPeople !== undefined) return new Set(survey.askedPeople.map(({ personId }) => personId)).size;
  const ids = survey.invited.flatMap(({ collectiveId }) => (collectiveId === null ? [] : [collectiveId]));
  const collectives = await listCollectivesById(store, ids);
  return new Set(collectives.flatMap(({ members }) => members.map(({ personId }) => personId))).size;
}

/** More of one kind are not offered for choosing. */
const mostInvitable = 1000;

/**
 * Whom the survey may ask: hosters here that are published, the one that asks, hosters elsewhere that it follows or is followed
 * by, and whoever is chosen already. By name, those here first.
 */
export async function listInvitable(
  ctx: Context,
  owner: Collective,
  survey: Pick<Survey, 'invited'>,
): Promise<Invited[]> {
  const own = actorIri(ctx.site, owner.handle);
  const [here, following, followers] = await Promise.all([
    listPublicCollectives(ctx.store, { limit: mostInvitable }),
    listFollowings(ctx.store, own, 'accepted'),
    pageFollows(ctx.store, own, 'accepted', { page: 1, perPage: mostInvitable }),
  ]);
  const actors = [...following, ...followers.items].flatMap(({ actor }) => (actor === null ? [] : [actor]));
  const all = [
    ...[...here.items, owner].map((collective) => invitedHere(ctx, collective)),
    ...actors.filter(isHoster).map(invitedElsewhere),
    ...survey.invited,
  ];
  const once = [...new Map(all.map((one) => [one.iri, one])).values()];
  const isElsewhere = ({ collectiveId }: Invited) => Number(collectiveId === null);
  return once.sort((a, b) => isElsewhere(a) - isElsewhere(b) || a.name.localeCompare(b.name));
}

export function invitedHere(ctx: Pick<Context, 'site'>, { _id, handle, profile }: Collective): Invited {
  const name = profile.name.fr || profile.name.en || handle;
  return { iri: actorIri(ctx.site, handle), collectiveId: _id, name, handle };
}

export function invitedElsewhere({ _id, name, handle }: RemoteActor): Invited {
  return { iri: _id, collectiveId: null, name: name || handle, handle };
}

/** Hosters elsewhere are actors of this type: people and bots are not asked. */
export function isHoster({ type, goneAt }: Pick<RemoteActor, 'type' | 'goneAt'>): boolean {
  return type === 'Organization' && goneAt === null;
}

/** Those that ask any of these collectives and stand open, the first to close first; without an end last. */
export async function listOpenFor(store: Store, collectiveIds: readonly string[], now: Date): Promise<Survey[]> {
  if (collectiveIds.length === 0) return [];
  const found = await surveysIn(store)
    .find({ 'invited.collectiveId': { $in: [...collectiveIds] }, state: 'open' })
    .toArray();
  const end = (survey: Survey) => survey.closesAt?.getTime() ?? Number.POSITIVE_INFINITY;
  return found
    .filter((survey) => survey.deletedAt === null && end(survey) > now.getTime())
    .sort((a, b) => end(a) - end(b));
}

export async function findAnswer(store: Store, surveyId: string, key: string): Promise<SurveyAnswer | null> {
  return answersIn(store).findOne({ _id: answerKey(surveyId, key) });
}

export async function findDraft(store: Store, surveyId: string, key: string): Promise<SurveyDraft | null> {
  return draftsIn(store).findOne({ _id: answerKey(surveyId, key) });
}

/** Whether there is an answer, of whatever kind the survey takes. */
export async function hasAnswered(store: Store, survey: Pick<Survey, '_id' | 'names'>, key: string): Promise<boolean> {
  const _id = answerKey(survey._id, key);
  const found =
    survey.names === 'anonymous'
      ? await turnoutsIn(store).findOne({ _id })
      : await answersIn(store).findOne({ _id }, { projection: { _id: 1 } });
  return found !== null;
}

export async function countAnswers(store: Store, survey: Pick<Survey, '_id' | 'names'>): Promise<number> {
  const filter = { surveyId: survey._id };
  return survey.names === 'anonymous'
    ? turnoutsIn(store).countDocuments(filter)
    : answersIn(store).countDocuments(filter);
}

/** Whether somebody has answered an anonymous survey that stands open: then only the wording may still change. */
export async function isWordingOnly(store: Store, survey: Pick<Survey, '_id' | 'names' | 'state'>): Promise<boolean> {
  return survey.names === 'anonymous' && survey.state === 'open' && (await countAnswers(store, survey)) > 0;
}

/** Keys of all who have answered. */
export async function listAnswererKeys(store: Store, survey: Pick<Survey, '_id' | 'names'>): Promise<string[]> {
  const filter = { surveyId: survey._id };
  if (survey.names === 'anonymous') return (await turnoutsIn(store).find(filter).toArray()).map(({ key }) => key);
  const found = await answersIn(store)
    .find(filter, { projection: { answerer: 1 } })
    .toArray();
  return found.map(({ answerer }) => answerer.key);
}

/** Everything that was answered, named or not, for counting. */
export async function* eachAnswer(
  store: Store,
  survey: Pick<Survey, '_id' | 'names'>,
): AsyncGenerator<Pick<SurveyAnswer, '_id' | 'version' | 'values'>> {
  const filter = { surveyId: survey._id };
  const options = { projection: { version: 1, values: 1 } };
  if (survey.names === 'anonymous') yield* ballotsIn(store).find(filter, options);
  else yield* answersIn(store).find(filter, options);
}
