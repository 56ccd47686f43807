// What is left of those who go: a person's answers and drafts, a collective's surveys.
import { randomUUID } from 'node:crypto';
import { getCollective } from '../../collectives/queries.js';
import type { Collective } from '../../collectives/schema.js';
import type { Context } from '../../context.js';
import { actorIri } from '../../partners/rules.js';
import type { Coll, Store } from '../../store/store.js';
import { answersIn, draftsIn, findSurvey, hasAnswered, surveysIn, turnoutsIn } from '../queries.js';
import { findRemoteSurvey, type SentAnswer, sentAnswersIn } from '../remoteSurveys.js';
import { isOpen } from '../rules.js';
import type { AskedPerson, SurveyAnswer } from '../schema.js';
import { eraseSurvey } from './drafting.js';

/** A person who goes, as their answers name them. */
export interface Leaver {
  _id: string;
  displayName: string;
}

/**
 * A person goes: drafts of their own go; an answer of their own is taken back while the survey is open, and stays without a
 * name after it, since the results that others read rest on it. What they sent or kept for a collective stays the collective's,
 * without their name. `collectives`: those to which they belong until now.
 */
export async function forgetAnswerer(ctx: Context, person: Leaver, collectives: readonly Collective[]): Promise<void> {
  const { store } = ctx;
  const key = `person:${person._id}`;
  await draftsIn(store).deleteMany({ key });
  await forgetAsked(ctx, person._id);
  for (const answer of await answersIn(store).find({ 'answerer.key': key }).toArray()) await forgetOwn(ctx, answer);
  // Who answered an anonymous survey stays counted, and nobody.
  for (const { _id } of await turnoutsIn(store).find({ key }).toArray()) {
    await turnoutsIn(store).updateOne({ _id }, { $set: { key: `gone:${_id}` } });
  }
  for (const answers of [answersIn(store), sentAnswersIn(store)] as Coll<SurveyAnswer | SentAnswer>[]) {
    await answers.updateMany({ by: person._id }, { $set: { by: '', byName: '' } });
    await forgetEdits(answers, person._id);
  }
  for (const { handle } of collectives) {
    const ours = actorIri(ctx.site, handle);
    await draftsIn(store).updateMany({ key: ours, byName: person.displayName }, { $set: { byName: '' } });
  }
}

/** Where their answer stays, or could be no more, it stays known how many were asked and have answered, and not who. */
async function forgetAsked({ store, now }: Context, personId: string): Promise<void> {
  for (const survey of await surveysIn(store).find({ 'askedPeople.personId': personId }).toArray()) {
    const own = (survey.askedPeople ?? []).filter((one) => one.personId === personId);
    const isSecret = survey.names === 'anonymous';
    const has = await hasAnswered(store, survey, `person:${personId}`);
    const stays = !isOpen(survey, now) || (isSecret && has);
    // One person still, through whichever collectives they were asked.
    const nobody = `gone:${randomUUID()}`;
    for (const entry of own) {
      await surveysIn(store).updateOne({ _id: survey._id }, { $pull: { askedPeople: entry } });
      if (!stays) continue;
      const left: AskedPerson = { ...entry, personId: nobody, ...(has ? { hasAnswered: true } : {}) };
      await surveysIn(store).updateOne({ _id: survey._id }, { $push: { askedPeople: left } });
    }
  }
}

async function forgetOwn(ctx: Context, answer: SurveyAnswer): Promise<void> {
  const { _id, surveyId } = answer;
  const survey = await findSurvey(ctx.store, surveyId);
  if (survey === null || isOpen(survey, ctx.now)) {
    await answersIn(ctx.store).deleteOne({ _id });
    return;
  }
  const answerer = { ...answer.answerer, key: `gone:${_id}`, name: '' };
  await answersIn(ctx.store).updateOne({ _id }, { $set: { answerer, by: '', byName: '', edits: [], email: null } });
}

/** Looked up again after each write, since somebody may answer meanwhile. */
async function forgetEdits(answers: Coll<SurveyAnswer | SentAnswer>, by: string): Promise<void> {
  const next = () => answers.findOne({ 'edits.by': by });
  for (let one = await next(); one !== null; one = await next()) {
    const edits = one.edits.map((edit) => (edit.by === by ? { ...edit, by: '', byName: '' } : edit));
    await answers.updateOne(
      { _id: one._id, sentAt: one.sentAt, edits: { $size: one.edits.length } },
      { $set: { edits } },
    );
  }
}

/** What a person answered, for themselves or for a collective, as far as it can be found again: for the own data. */
export async function collectAnswersOf(store: Store, personId: string): Promise<object[]> {
  const [sent, elsewhere, drafts] = await Promise.all([
    answersIn(store).find({ by: personId }).toArray(),
    sentAnswersIn(store).find({ by: personId }).toArray(),
    draftsIn(store)
      .find({ key: `person:${personId}` })
      .toArray(),
  ]);
  const titles = new Map<string, unknown>();
  for (const { surveyId } of [...sent, ...drafts]) {
    if (!titles.has(surveyId)) titles.set(surveyId, (await findSurvey(store, surveyId))?.title ?? {});
  }
  for (const { surveyKey } of elsewhere) {
    if (!titles.has(surveyKey)) titles.set(surveyKey, (await findRemoteSurvey(store, surveyKey))?.title ?? {});
  }
  return [
    ...sent.map(({ surveyId, answerer, values, at }) => ({
      survey: titles.get(surveyId),
      answerer: answerer.name,
      values,
      sentAt: at,
    })),
    ...elsewhere.map(({ surveyKey, answerer, host, state, values, sentAt }) => ({
      survey: titles.get(surveyKey),
      answerer,
      sentTo: host,
      state,
      values,
      sentAt,
    })),
    ...drafts.map(({ surveyId, values, at }) => ({ survey: titles.get(surveyId), values, keptAt: at })),
  ];
}

/**
 * A collective ends: its surveys go with every answer, its drafts too, and what it answered elsewhere where that is still open.
 * For purgeDeleted() of the collectives.
 */
export async function purgeSurveysOf(ctx: Context, collectiveId: string): Promise<void> {
  const { store } = ctx;
  const { handle } = await getCollective(store, collectiveId);
  for (const { _id } of await surveysIn(store).find({ collectiveId }).toArray()) await eraseSurvey(store, _id);
  const key = actorIri(ctx.site, handle);
  await draftsIn(store).deleteMany({ key });
  for (const { _id, surveyId } of await answersIn(store).find({ 'answerer.key': key }).toArray()) {
    const survey = await findSurvey(store, surveyId);
    if (survey !== null && isOpen(survey, ctx.now)) await answersIn(store).deleteOne({ _id });
  }
}

const addressDays = 30;

/**
 * The addresses that guests left go a month after the end: their link was sent long before. For the nightly clearing; a survey
 * that was opened again and closed is done again. Returns how many surveys were cleared.
 */
export async function forgetGuestAddresses({ store, now }: Context): Promise<number> {
  const before = new Date(now.getTime() - addressDays * 24 * 60 * 60 * 1000);
  const over = await surveysIn(store).find({ answerBy: 'anyone', state: 'closed' }).toArray();
  const due = over.filter(
    ({ closedAt, addressesGoneAt }) =>
      closedAt !== null && closedAt < before && (addressesGoneAt ?? new Date(0)) < closedAt,
  );
  for (const { _id } of due) {
    await answersIn(store).updateMany({ surveyId: _id }, { $set: { email: null } });
    await surveysIn(store).updateOne({ _id }, { $set: { addressesGoneAt: now } });
  }
  return due.length;
}
