// Deeds on a survey as a text: make it, write its questions, duplicate it, put it away and take it back.
import { getCollective } from '../../collectives/queries.js';
import { checkNotInBin } from '../../collectives/rules.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { newId } from '../../ids.js';
import { DuplicateKeyError, type Store } from '../../store/store.js';
import { nextTitle, withoutPastSlots } from '../arrange.js';
import { pollsIn, votesIn } from '../pollQueries.js';
import {
  answersIn,
  ballotsIn,
  countAnswers,
  countedIn,
  draftsIn,
  findSurvey,
  getOrganised,
  getVersion,
  surveysIn,
  turnoutsIn,
  versionsIn,
} from '../queries.js';
import { checkTravels, findRemoteSurvey, receiptsIn } from '../remoteSurveys.js';
import { countsIn } from '../results.js';
import {
  checkMayOrganise,
  checkNamesNobody,
  checkPromises,
  checkRevision,
  checkSameQuestions,
  checkSections,
  mayChangeQuestions,
} from '../rules.js';
import { limits, type Section, type Survey, type SurveyVersion, type Texts } from '../schema.js';
import { lineOf } from './change.js';
import { checkReady } from './ready.js';

/** What its organisers decide, besides the questions. */
export type SurveySettings = Pick<
  Survey,
  | 'title'
  | 'intro'
  | 'languages'
  | 'answerBy'
  | 'names'
  | 'invited'
  | 'timeZone'
  | 'opensAt'
  | 'closesAt'
  | 'late'
  | 'reminders'
> &
  Partial<Pick<Survey, 'listed' | 'previousId'>>;

export interface NewSurvey {
  title: Texts;
  intro?: Texts;
  languages: string[];
  timeZone: string;
  sections: Section[];
  answerBy?: Survey['answerBy'];
  names?: Survey['names'];
  previousId?: string | null;
}

/** A draft that only its organisers see. Refuses: not-found (not of the collective), closed (in the bin), invalid. */
export async function createSurvey(ctx: Context, collectiveId: string, input: NewSurvey): Promise<Survey> {
  const owner = await getCollective(ctx.store, collectiveId);
  checkMayOrganise(ctx.actor, owner);
  checkNotInBin(owner);
  checkSections(input.sections);
  const survey: Survey = {
    _id: newId(),
    collectiveId,
    title: input.title,
    intro: input.intro ?? {},
    languages: input.languages,
    answerBy: input.answerBy ?? 'collective',
    names: input.names ?? 'named',
    invited: [],
    timeZone: input.timeZone,
    opensAt: null,
    closesAt: null,
    late: 'refuse',
    state: 'draft',
    openedAt: null,
    closedAt: null,
    reminders: { halfTime: true, twoDays: true, lastDay: true },
    results: { readers: 'organisers', publishedAt: null, hidden: [], notes: {} },
    previousId: input.previousId ?? null,
    chosenSlot: null,
    version: 1,
    revision: 1,
    createdAt: ctx.now,
    deletedAt: null,
  };
  await versionsIn(ctx.store).insertOne(versionOf(ctx, survey, 1, input.sections, null));
  await surveysIn(ctx.store).insertOne(survey);
  return survey;
}

function versionOf(
  ctx: Context,
  { _id }: Survey,
  number: number,
  sections: Section[],
  before: Section[] | null,
): SurveyVersion {
  return { _id: `${_id}-${number}`, surveyId: _id, number, sections, before, at: ctx.now };
}

/**
 * Writes the questions. Before it opens they are replaced; from then on a change makes a new version, and answers keep the one
 * that they answered; of an anonymous survey only the wording changes then. Emits survey.changed once open. Refuses: not-found, closed, conflict (changed meanwhile), invalid.
 */
export async function saveSections(
  ctx: Context,
  surveyId: string,
  { revision, sections }: { revision: number; sections: Section[] },
): Promise<Survey> {
  return editSections(ctx, surveyId, revision, () => sections);
}

/** Changes the questions as they stand; as saveSections otherwise. What stood before can be taken back (undoEdit). */
export async function editSections(
  ctx: Context,
  surveyId: string,
  revision: number,
  edit: (sections: Section[]) => Section[],
): Promise<Survey> {
  const { survey } = await getOrganised(ctx, surveyId);
  if (!mayChangeQuestions(survey)) throw new DomainError('closed', 'surveys.error.closed');
  checkRevision(survey, revision);
  const current = await getVersion(ctx.store, survey._id, survey.version);
  const sections = edit(current.sections);
  checkSections(sections);
  checkTravels(survey, sections);
  if (survey.state !== 'draft') checkNamesNobody(survey, sections);
  if (sections.length > limits.sections) throw new DomainError('invalid', 'surveys.error.tooManySections');
  const isAnswered = survey.state === 'open' && (await countAnswers(ctx.store, survey)) > 0;
  // No new version then: its number would part the ballots by time.
  const isSecret = survey.names === 'anonymous';
  if (isAnswered && isSecret) checkSameQuestions(current.sections, sections);
  if (isAnswered && !isSecret) {
    if (survey.version >= limits.versions) throw new DomainError('closed', 'surveys.error.tooManyVersions');
    const next = versionOf(ctx, survey, survey.version + 1, sections, current.sections);
    await insertNext(ctx, next);
    return change(ctx, survey, { version: next.number });
  }
  // The revision is claimed first: of two who save at once the second writes nothing.
  const saved = await change(ctx, survey, {});
  if (survey.state === 'open' && !isAnswered && (await countAnswers(ctx.store, survey)) > 0) {
    // The first answer came meanwhile: these questions are its own now.
    if (isSecret) checkSameQuestions(current.sections, sections);
    else throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  }
  const set = { sections, before: current.sections, at: ctx.now };
  await versionsIn(ctx.store).updateOne({ _id: current._id }, { $set: set });
  return saved;
}

/** One that was written and never came to stand, because the process ended between, makes room after a minute. */
async function insertNext(ctx: Context, next: SurveyVersion): Promise<void> {
  await versionsIn(ctx.store).deleteOne({ _id: next._id, at: { $lt: new Date(ctx.now.getTime() - 60_000) } });
  try {
    await versionsIn(ctx.store).insertOne(next);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  }
}

/** Takes the last change of the questions back; once more brings it again. Refuses: as saveSections; conflict (none). */
export async function undoEdit(ctx: Context, surveyId: string, revision: number): Promise<Survey> {
  const { survey } = await getOrganised(ctx, surveyId);
  const { before } = await getVersion(ctx.store, survey._id, survey.version);
  if (!before) throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  return editSections(ctx, surveyId, revision, () => before);
}

/** Refuses: not-found, conflict, closed (a promise to those who answered; a closed survey), invalid. */
export async function saveSettings(
  ctx: Context,
  surveyId: string,
  input: SurveySettings & { revision: number },
): Promise<Survey> {
  const { survey } = await getOrganised(ctx, surveyId);
  if (!mayChangeQuestions(survey)) throw new DomainError('closed', 'surveys.error.closed');
  const { title, intro, languages, answerBy, names, invited, timeZone, opensAt, closesAt, late, reminders } = input;
  checkRevision(survey, input.revision);
  const previousId = input.previousId === undefined ? survey.previousId : input.previousId;
  await checkEdition(ctx, survey, previousId);
  checkPromises(survey, { names, answerBy });
  checkDates(ctx, survey, { opensAt, closesAt });
  // Who is asked was fixed by the opening.
  const asked = survey.state === 'open' ? survey.invited : invited;
  const after = { ...survey, title, intro, answerBy, names, opensAt, closesAt, invited: asked };
  const { sections } = await getVersion(ctx.store, survey._id, survey.version);
  // A draft is looked at when it opens; of one that waits for its moment nobody is there to be told.
  if (survey.state === 'scheduled') await checkReady(ctx, after, sections);
  if (survey.state === 'open') checkTravels(after, sections);
  const set = {
    title,
    intro,
    languages,
    answerBy,
    names,
    invited: asked,
    timeZone,
    opensAt,
    closesAt,
    late,
    reminders,
    previousId,
    // Only what anybody may answer can be for everybody to see.
    listed: answerBy === 'anyone' && (input.listed ?? survey.listed ?? false),
    // Whoever gives it another moment, or none, has seen why it did not open.
    notOpened: opensAt === null || opensAt > ctx.now ? null : (survey.notOpened ?? null),
  };
  return change(ctx, survey, set);
}

/** Refuses: invalid. Only another survey of the same collective that stands is the edition before. */
async function checkEdition(ctx: Context, survey: Survey, previousId: string | null): Promise<void> {
  if (previousId === null || previousId === survey.previousId) return;
  const before = await findSurvey(ctx.store, previousId);
  const isOne = before !== null && before._id !== survey._id && before.deletedAt === null;
  if (isOne && before.collectiveId === survey.collectiveId) return;
  throw new DomainError('invalid', 'surveys.error.previous', { field: 'previousId' });
}

function checkDates(ctx: Context, survey: Survey, { opensAt, closesAt }: Pick<Survey, 'opensAt' | 'closesAt'>): void {
  const invalid = (key: string, field: string) => new DomainError('invalid', key, { field });
  if (survey.state === 'scheduled' && (opensAt === null || opensAt <= ctx.now)) {
    throw invalid('surveys.error.opensAtNeeded', 'opensAt');
  }
  if (opensAt && closesAt && closesAt <= opensAt) throw invalid('surveys.error.closesBeforeOpening', 'closesAt');
  if (survey.state === 'open' && closesAt && closesAt <= ctx.now)
    throw invalid('surveys.error.closesInPast', 'closesAt');
}

/** One write with its event, under the revision that was read. */
async function change(ctx: Context, survey: Survey, set: Partial<Survey>): Promise<Survey> {
  const line = lineOf(ctx, survey, 'updated', set);
  const event = pending({ type: 'survey.changed', surveyId: survey._id }, ctx.now, line);
  const saved = await surveysIn(ctx.store).findOneAndUpdate(
    { _id: survey._id, revision: survey.revision },
    {
      $set: { ...set, changedAt: ctx.now },
      $inc: { revision: 1 },
      ...(survey.state === 'open' ? { $push: { events: event } } : {}),
    },
    { returnDocument: 'after' },
  );
  if (!saved) throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  return saved;
}

/**
 * A new draft with the same questions and choices, for the year after; the old one becomes its edition before. Slots that are
 * past stay behind. Refuses: not-found, closed.
 */
export async function duplicateSurvey(ctx: Context, surveyId: string): Promise<Survey> {
  const { survey } = await getOrganised(ctx, surveyId);
  const { sections } = await getVersion(ctx.store, survey._id, survey.version);
  const { intro, languages, timeZone, answerBy, names } = survey;
  const title = nextTitle(survey.title, survey.createdAt);
  const asked = withoutPastSlots(sections, ctx.now);
  const input = { title, intro, languages, timeZone, answerBy, names, sections: asked, previousId: survey._id };
  const copy = await createSurvey(ctx, survey.collectiveId, input);
  const { invited, late, reminders } = survey;
  await surveysIn(ctx.store).updateOne({ _id: copy._id }, { $set: { invited, late, reminders } });
  return { ...copy, invited, late, reminders };
}

/** Puts it away: nobody sees it, and for 30 days it can be taken back. Emits survey.deleted. Refuses: not-found. */
export async function deleteSurvey(ctx: Context, surveyId: string): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  const event = pending({ type: 'survey.deleted', surveyId }, ctx.now, lineOf(ctx, survey, 'deleted'));
  await surveysIn(ctx.store).updateOne(
    { _id: survey._id, deletedAt: null },
    { $set: { deletedAt: ctx.now }, $inc: { revision: 1 }, $push: { events: event } },
  );
}

/** Takes it back. Emits survey.changed. Refuses: not-found. */
export async function restoreSurvey(ctx: Context, surveyId: string): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  const event = pending({ type: 'survey.changed', surveyId }, ctx.now, lineOf(ctx, survey, 'restored'));
  await surveysIn(ctx.store).updateOne(
    { _id: survey._id, deletedAt: { $ne: null } },
    { $set: { deletedAt: null }, $inc: { revision: 1 }, $push: { events: event } },
  );
}

export const binDays = 30;

/** Those put away more than 30 days ago go for good, with every answer. Returns how many. */
export async function purgeSurveys(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - binDays * 24 * 60 * 60 * 1000);
  const gone = await surveysIn(ctx.store)
    .find({ deletedAt: { $lt: before } })
    .toArray();
  for (const { _id } of gone) await eraseSurvey(ctx.store, _id);
  return gone.length;
}

/** For good, with every answer, and with what was said of it to others and by them. */
export async function eraseSurvey(store: Store, surveyId: string): Promise<void> {
  for (const { _id } of await pollsIn(store).find({ surveyId }).toArray()) {
    await votesIn(store).deleteMany({ pollId: _id });
  }
  const parts = [answersIn, draftsIn, ballotsIn, turnoutsIn, countedIn, versionsIn, countsIn, receiptsIn, pollsIn];
  for (const collection of parts) await collection(store).deleteMany({ surveyId });
  await surveysIn(store).deleteOne({ _id: surveyId });
}

/** Drafts kept for no answer any more: those of surveys that closed, a month after their last change. Returns how many. */
export async function pruneDrafts(ctx: Context): Promise<number> {
  const before = new Date(ctx.now.getTime() - binDays * 24 * 60 * 60 * 1000);
  const old = await draftsIn(ctx.store)
    .find({ at: { $lt: before } }, { projection: { surveyId: 1 } })
    .toArray();
  let gone = 0;
  for (const surveyId of new Set(old.map((draft) => draft.surveyId))) {
    const survey =
      (await surveysIn(ctx.store).findOne({ _id: surveyId }, { projection: { state: 1 } })) ??
      (await findRemoteSurvey(ctx.store, surveyId));
    if (survey?.state !== 'closed') continue;
    gone += (await draftsIn(ctx.store).deleteMany({ surveyId, at: { $lt: before } })).deletedCount;
  }
  return gone;
}
