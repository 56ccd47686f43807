// Reminders: at half time, two days and a day before the end, and by hand. Only to those who have not answered, never at
// night, and each once, however often and by however many processes the job is run: the key of the mail sees to it.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import type { House } from '../../house.js';
import { readSettings } from '../../instances/settings.js';
import type { Person } from '../../people/schema.js';
import { getOrganised, surveysIn } from '../../surveys/queries.js';
import { remoteSurveysIn } from '../../surveys/remoteSurveys.js';
import { isOpen } from '../../surveys/rules.js';
import type { Survey } from '../../surveys/schema.js';
import { handKey, lastRemindedAt } from '../queries.js';
import { afterQuiet, isQuiet, localMoment, reminderAt, wantsAtOnce } from '../rules.js';
import { type Desk, queueMail } from './queue.js';
import { type Asked, letters, listMissing, remoteReminders } from './surveyLetters.js';

/** For the job. Returns how many reminders were written. Somebody for whom it is night gets theirs in the morning. */
export async function remindDue(house: Desk, ctx: Context): Promise<number> {
  const { timeZone } = await readSettings(house.store);
  const isAwake = (person: Person) => !isQuiet(ctx.now, person.timeZone ?? timeZone);
  let written = 0;
  const open = surveysIn(house.store).find({ state: 'open', closesAt: { $gt: ctx.now } });
  for await (const survey of open) {
    const slot = survey.deletedAt === null ? reminderAt(survey, ctx.now) : null;
    if (slot === null || (await wasJustReminded(house, ctx, survey))) continue;
    const awake = (await listMissing(house.store, survey)).map((one) => ({
      ...one,
      people: one.people.filter(isAwake),
    }));
    // With the end in it: after an extension the days before the new end are days before an end again.
    const cause = `reminder:${survey._id}:${slot}:${survey.closesAt?.toISOString()}`;
    for (const draft of await letters(house, survey, 'surveyReminder', awake)) {
      if (await queueMail(house, cause, draft)) written += 1;
    }
  }
  return written + (await remindOfRemote(house, ctx, isAwake));
}

/** Milliseconds after a round by hand in which none leaves by itself: the same people would be asked twice. */
const restAfterHand = 12 * 60 * 60 * 1000;

async function wasJustReminded({ store }: Desk, { now }: Context, { _id }: Survey): Promise<boolean> {
  const last = await lastRemindedAt(store, _id);
  return last !== null && now.getTime() - last.getTime() < restAfterHand;
}

const allReminders = { halfTime: true, twoDays: true, lastDay: true };

/** Of surveys elsewhere, at the same moments and as their organisers chose: their owner writes to its own people only. */
async function remindOfRemote(house: Desk, ctx: Context, isAwake: (person: Person) => boolean): Promise<number> {
  let written = 0;
  const open = remoteSurveysIn(house.store).find({ state: 'open', closesAt: { $gt: ctx.now } });
  for await (const survey of open) {
    const { _id, closesAt, receivedAt, reminders = allReminders } = survey;
    const slot = survey.deletedAt === null ? reminderAt({ openedAt: receivedAt, closesAt, reminders }, ctx.now) : null;
    if (slot === null) continue;
    const cause = `reminder:${_id}:${slot}:${closesAt?.toISOString()}`;
    for (const draft of await remoteReminders(house, survey, isAwake)) {
      if (await queueMail(house, cause, draft)) written += 1;
    }
  }
  return written;
}

export interface ReminderPlan {
  survey: Survey;
  missing: (Asked & { reached: number })[];
  /** Mails that would be written. */
  mails: number;
  /** When the last ones by hand were written; one can write again a day later. */
  lastAt: Date | null;
  mayRemind: boolean;
}

/** Who would get a reminder now. Refuses: not-found (also for those who do not organise it). */
export async function planReminder(ctx: Context, surveyId: string): Promise<ReminderPlan> {
  const { survey } = await getOrganised(ctx, surveyId);
  const missing = (await listMissing(ctx.store, survey)).map((one) => ({
    ...one,
    reached: one.people.filter((person) => wantsAtOnce(person, 'surveyReminder')).length,
  }));
  const mails = missing.reduce((sum, { reached }) => sum + reached, 0);
  const lastAt = await lastRemindedAt(ctx.store, survey._id);
  const isLongAgo = lastAt === null || ctx.now.getTime() - lastAt.getTime() >= againAfter;
  return { survey, missing, mails, lastAt, mayRemind: isOpen(survey, ctx.now) && mails > 0 && isLongAgo };
}

/** Milliseconds between two rounds of reminders by hand. */
const againAfter = 24 * 60 * 60 * 1000;

/**
 * Writes to all who have not answered; what would arrive at night leaves in the morning. Returns how many mails. Refuses:
 * not-found, closed (it takes no answers), too-many (once a day), invalid (nobody to write to).
 */
export async function remindByHand(house: House, ctx: Context, surveyId: string): Promise<number> {
  const plan = await planReminder(ctx, surveyId);
  const { survey } = plan;
  if (!isOpen(survey, ctx.now)) throw new DomainError('closed', 'surveys.error.closed');
  if (plan.mails === 0) throw new DomainError('invalid', 'notices.remind.nobody');
  if (!plan.mayRemind) throw new DomainError('closed', 'notices.remind.tooSoon');
  const { timeZone } = await readSettings(house.store);
  const zones = new Map(
    plan.missing.flatMap(({ people }) => people.map((person) => [person._id, person.timeZone ?? timeZone])),
  );
  // Two who press the button at once write one round: the day is in the key.
  const cause = `${handKey(survey._id)}${localMoment(ctx.now, 'UTC').date}`;
  let written = 0;
  for (const draft of await letters(house, survey, 'surveyReminder', plan.missing)) {
    const sendAt = afterQuiet(ctx.now, zones.get(draft.personId ?? '') ?? timeZone);
    if (await queueMail(house, cause, { ...draft, sendAt })) written += 1;
  }
  return written;
}
