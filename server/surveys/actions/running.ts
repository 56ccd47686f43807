// Deeds on a survey in time: open, close, extend, reopen, publish. The jobs call the same ones when a moment has come.
import { listCollectivesById } from '../../collectives/queries.js';
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { type Change, type DomainEvent, pending } from '../../events.js';
import { countAnswers, getOrganised, getVersion, surveysIn } from '../queries.js';
import { checkRevision, checkStep, closing, findSlot, isEnough, type Step } from '../rules.js';
import type { Survey } from '../schema.js';
import { lineOf } from './change.js';
import { checkReady } from './ready.js';

/**
 * Opens it now, or at its moment when that is still to come. Who is asked is fixed from now on. Emits survey.opened. Refuses:
 * not-found, conflict, invalid (no questions; nobody is asked; its end is past).
 */
export async function openSurvey(ctx: Context, surveyId: string): Promise<Survey> {
  const { survey } = await getOrganised(ctx, surveyId);
  const { opensAt } = survey;
  if (opensAt === null || opensAt <= ctx.now) return open(ctx, survey);
  const { sections } = await getVersion(ctx.store, survey._id, survey.version);
  await checkReady(ctx, survey, sections);
  return step(ctx, survey, 'schedule', { notOpened: null }, null);
}

async function open(ctx: Context, survey: Survey): Promise<Survey> {
  const { sections } = await getVersion(ctx.store, survey._id, survey.version);
  const { invited, people } = await checkReady(ctx, survey, sections);
  const set = { openedAt: ctx.now, closedAt: null, invited, notOpened: null };
  return step(
    ctx,
    survey,
    'open',
    survey.answerBy === 'person' ? { ...set, askedPeople: people } : set,
    'survey.opened',
  );
}

/** Back to a draft, before it has opened. Refuses: not-found, conflict. */
export async function unscheduleSurvey(ctx: Context, surveyId: string): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  await step(ctx, survey, 'unschedule', {}, null);
}

/** Closes it before its time, or when it has none. Emits survey.closed. Refuses: not-found, conflict. */
export async function closeSurvey(ctx: Context, surveyId: string): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  await step(ctx, survey, 'close', closing(survey, ctx.now), 'survey.closed');
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
  const results = { ...survey.results, publishedAt: null, publishAt: null };
  await step(ctx, survey, 'reopen', { closesAt, closedAt: null, results }, 'survey.opened');
}

/**
 * Shows the results to those chosen; of an anonymous survey only when there are enough answers. Those who may read them for the
 * first time are told (survey.published); else it emits survey.changed. Refuses: not-found, conflict, closed (not over; too few).
 */
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
  if (publishedAt !== null && !isEnough(survey.names, await countAnswers(ctx.store, survey))) {
    throw new DomainError('closed', 'surveys.error.tooFewAnswers');
  }
  const isNews = publishedAt !== null && survey.results.publishedAt === null;
  const results = { readers, hidden, notes, publishedAt };
  await write(ctx, survey, { results }, isNews ? 'survey.published' : 'survey.changed');
}

/**
 * Which slot of a date poll it will be; null takes the choice back. Those asked are told of a choice, once. Emits
 * survey.slotChosen, or survey.changed. Refuses: not-found, invalid.
 */
export async function chooseSlot(ctx: Context, surveyId: string, choice: Survey['chosenSlot']): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  const { chosenSlot } = survey;
  if (choice?.slot === chosenSlot?.slot && choice?.question === chosenSlot?.question) return;
  if (choice !== null) {
    const { sections } = await getVersion(ctx.store, surveyId, survey.version);
    if (findSlot(sections, choice) === null) {
      throw new DomainError('invalid', 'surveys.answer.option', { field: 'slot' });
    }
  }
  await write(ctx, survey, { chosenSlot: choice }, choice === null ? 'survey.changed' : 'survey.slotChosen');
}

/**
 * For the job: opens those whose moment has come. Each once, whoever else tries; what cannot open is a draft again, and its
 * organisers are told why (`notOpened`). Returns how many opened.
 */
export async function openDueSurveys(ctx: Context): Promise<number> {
  const due = [
    ...(await surveysIn(ctx.store)
      .find({ state: 'scheduled', opensAt: { $lte: ctx.now } })
      .toArray()),
    // Its moment was taken away while it waited.
    ...(await surveysIn(ctx.store).find({ state: 'scheduled', opensAt: null }).toArray()),
  ];
  let opened = 0;
  const owners = await listCollectivesById(
    ctx.store,
    due.map(({ collectiveId }) => collectiveId),
  );
  // Who is in the bin asks nobody; should it come back, so does its survey.
  const binned = new Set(owners.filter(({ deletedAt }) => deletedAt !== null).map(({ _id }) => _id));
  for (const survey of due.filter(({ deletedAt, collectiveId }) => deletedAt === null && !binned.has(collectiveId))) {
    if (await openOrHold(ctx, survey)) opened += 1;
  }
  return opened;
}

/** Whether it opened. Somebody else may be at it: then they did, or will. */
async function openOrHold(ctx: Context, survey: Survey): Promise<boolean> {
  try {
    if (survey.opensAt === null) throw new DomainError('invalid', 'surveys.error.opensAtNeeded', { field: 'opensAt' });
    await open(ctx, survey);
    return true;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.code === 'conflict') return false;
    await holdBack(ctx, survey, error.safeMessage.key);
    return false;
  }
}

async function holdBack(ctx: Context, survey: Survey, why: string): Promise<void> {
  try {
    await step(ctx, survey, 'unschedule', { notOpened: why }, null);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
  }
}

/** For the job: closes those whose end has come, with the end as the moment. Returns how many. */
export async function closeDueSurveys(ctx: Context): Promise<number> {
  const due = await surveysIn(ctx.store)
    .find({ state: 'open', closesAt: { $lte: ctx.now } })
    .toArray();
  let closed = 0;
  for (const survey of due) {
    try {
      await step(ctx, survey, 'close', closing(survey, survey.closesAt ?? ctx.now), 'survey.closed');
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
  'survey.slotChosen': 'updated',
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
export async function write(ctx: Context, survey: Survey, set: Partial<Survey>, told: Told | null): Promise<Survey> {
  const event = told && pending({ type: told, surveyId: survey._id }, ctx.now, lineOf(ctx, survey, lines[told], set));
  const saved = await surveysIn(ctx.store).findOneAndUpdate(
    { _id: survey._id, revision: survey.revision, deletedAt: null },
    { $set: { ...set, changedAt: ctx.now }, $inc: { revision: 1 }, ...(event ? { $push: { events: event } } : {}) },
    { returnDocument: 'after' },
  );
  if (!saved) throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  return saved;
}
