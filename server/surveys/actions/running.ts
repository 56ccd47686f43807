// Deeds on a survey in time: open, close, extend, reopen, publish. The jobs call the same ones when a moment has come.
import { listCollectivesById } from '../../collectives/queries.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type Change, type DomainEvent, pending } from '../../events.js';
import { getOrganised, getVersion, surveysIn } from '../queries.js';
import { checkTravels } from '../remoteSurveys.js';
import { checkHasQuestions, checkNamesNobody, checkRevision, checkStep, type Step } from '../rules.js';
import type { Survey, SurveyVersion } from '../schema.js';
import { lineOf } from './change.js';

/**
 * Opens it now, or at its moment when that is still to come. Who is asked is fixed from now on. Emits survey.opened. Refuses:
 * not-found, conflict, invalid (no questions; nobody is asked; its end is past).
 */
export async function openSurvey(ctx: Context, surveyId: string): Promise<Survey> {
  const { survey } = await getOrganised(ctx, surveyId);
  const { opensAt } = survey;
  const isLater = opensAt !== null && opensAt > ctx.now;
  await checkReady(ctx, survey);
  if (isLater) return step(ctx, survey, 'schedule', {}, null);
  return open(ctx, survey);
}

async function checkReady(ctx: Context, survey: Survey): Promise<SurveyVersion> {
  const version = await getVersion(ctx.store, survey._id, survey.version);
  checkHasQuestions(version.sections);
  checkTravels(survey, version.sections);
  checkNamesNobody(survey, version.sections);
  if (survey.answerBy !== 'anyone' && survey.invited.length === 0) {
    throw new DomainError('invalid', 'surveys.error.nobodyAsked', { field: 'invited' });
  }
  if (survey.closesAt !== null && survey.closesAt <= ctx.now) {
    throw new DomainError('invalid', 'surveys.error.closesInPast', { field: 'closesAt' });
  }
  return version;
}

async function open(ctx: Context, survey: Survey): Promise<Survey> {
  const ids = survey.invited.flatMap(({ collectiveId }) => (collectiveId === null ? [] : [collectiveId]));
  const standing = new Set(
    (await listCollectivesById(ctx.store, ids)).filter(({ deletedAt }) => deletedAt === null).map(({ _id }) => _id),
  );
  const invited = survey.invited.filter(({ collectiveId }) => collectiveId === null || standing.has(collectiveId));
  return step(ctx, survey, 'open', { openedAt: ctx.now, closedAt: null, invited }, 'survey.opened');
}

/** Back to a draft, before it has opened. Refuses: not-found, conflict. */
export async function unscheduleSurvey(ctx: Context, surveyId: string): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  await step(ctx, survey, 'unschedule', {}, null);
}

/** Closes it before its time, or when it has none. Emits survey.closed. Refuses: not-found, conflict. */
export async function closeSurvey(ctx: Context, surveyId: string): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  await step(ctx, survey, 'close', { closedAt: ctx.now }, 'survey.closed');
}

/** Gives more time; those asked are told. Emits survey.extended. Refuses: not-found, conflict, invalid (not later than now). */
export async function extendSurvey(
  ctx: Context,
  surveyId: string,
  { closesAt, revision }: { closesAt: Date; revision: number },
): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  checkRevision(survey, revision);
  if (survey.state !== 'open') throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  if (closesAt <= ctx.now || (survey.closesAt !== null && closesAt <= survey.closesAt)) {
    throw new DomainError('invalid', 'surveys.error.notLater', { field: 'closesAt' });
  }
  await write(ctx, survey, { closesAt }, 'survey.extended');
}

/** Takes answers again until `closesAt`; published results are taken back. Emits survey.opened. Refuses: as extendSurvey. */
export async function reopenSurvey(
  ctx: Context,
  surveyId: string,
  { closesAt }: { closesAt: Date | null },
): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  // Names were promised to be hidden until the end: once shown, the end was that one.
  if (survey.names !== 'named') throw new DomainError('closed', 'surveys.error.promise');
  if (closesAt !== null && closesAt <= ctx.now) {
    throw new DomainError('invalid', 'surveys.error.notLater', { field: 'closesAt' });
  }
  const results = { ...survey.results, publishedAt: null };
  await step(ctx, survey, 'reopen', { closesAt, closedAt: null, results }, 'survey.opened');
}

/** Shows the results to those chosen. Emits survey.published. Refuses: not-found, conflict, closed (it is not over). */
export async function publishResults(
  ctx: Context,
  surveyId: string,
  input: { revision: number } & Pick<Survey['results'], 'readers' | 'hidden' | 'notes'>,
): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  const { revision, readers, hidden, notes } = input;
  checkRevision(survey, revision);
  if (survey.state !== 'closed') throw new DomainError('closed', 'surveys.error.notClosedYet');
  const publishedAt = readers === 'organisers' ? null : (survey.results.publishedAt ?? ctx.now);
  await write(ctx, survey, { results: { readers, hidden, notes, publishedAt } }, 'survey.published');
}

/** Which slot of a date poll it will be; null takes the choice back. Emits survey.changed. Refuses: not-found, invalid. */
export async function chooseSlot(ctx: Context, surveyId: string, choice: Survey['chosenSlot']): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  if (choice !== null) {
    const { sections } = await getVersion(ctx.store, surveyId, survey.version);
    const question = sections.flatMap(({ questions }) => questions).find(({ id }) => id === choice.question);
    if (question?.kind !== 'availability' || !question.slots.some(({ id }) => id === choice.slot)) {
      throw new DomainError('invalid', 'surveys.answer.option', { field: 'slot' });
    }
  }
  await write(ctx, survey, { chosenSlot: choice }, 'survey.changed');
}

/** For the job: opens those whose moment has come. Each once, whoever else tries. Returns how many. */
export async function openDueSurveys(ctx: Context): Promise<number> {
  const due = await surveysIn(ctx.store)
    .find({ state: 'scheduled', opensAt: { $lte: ctx.now } })
    .toArray();
  let opened = 0;
  const owners = await listCollectivesById(
    ctx.store,
    due.map(({ collectiveId }) => collectiveId),
  );
  // Who is in the bin asks nobody; should it come back, so does its survey.
  const binned = new Set(owners.filter(({ deletedAt }) => deletedAt !== null).map(({ _id }) => _id));
  for (const survey of due.filter(({ deletedAt, collectiveId }) => deletedAt === null && !binned.has(collectiveId))) {
    try {
      await open(ctx, survey);
      opened += 1;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }
  return opened;
}

/** For the job: closes those whose end has come, with the end as the moment. Returns how many. */
export async function closeDueSurveys(ctx: Context): Promise<number> {
  const due = await surveysIn(ctx.store)
    .find({ state: 'open', closesAt: { $lte: ctx.now } })
    .toArray();
  let closed = 0;
  for (const survey of due) {
    try {
      await step(ctx, survey, 'close', { closedAt: survey.closesAt }, 'survey.closed');
      closed += 1;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }
  return closed;
}

type Told = Exclude<Extract<DomainEvent['type'], `survey.${string}`>, 'survey.answered' | 'survey.copyRequested'>;

const lines: Record<Told, Change['what']> = {
  'survey.opened': 'opened',
  'survey.changed': 'updated',
  'survey.extended': 'extended',
  'survey.closed': 'closed',
  'survey.published': 'published',
  'survey.deleted': 'deleted',
};

async function step(
  ctx: Context,
  survey: Survey,
  name: Step,
  set: Partial<Survey>,
  told: Told | null,
): Promise<Survey> {
  return write(ctx, survey, { ...set, state: checkStep(survey, name) }, told);
}

/** One write with its event, under the revision that was read: of two who do the same, one does it. */
async function write(ctx: Context, survey: Survey, set: Partial<Survey>, told: Told | null): Promise<Survey> {
  const event = told && pending({ type: told, surveyId: survey._id }, ctx.now, lineOf(ctx, survey, lines[told], set));
  const saved = await surveysIn(ctx.store).findOneAndUpdate(
    { _id: survey._id, revision: survey.revision, deletedAt: null },
    { $set: { ...set, changedAt: ctx.now }, $inc: { revision: 1 }, ...(event ? { $push: { events: event } } : {}) },
    { returnDocument: 'after' },
  );
  if (!saved) throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  return saved;
}
