// Results that publish themselves: the plan of their organisers, and the deed of the job when the moment has come.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { countAnswers, getOrganised, surveysIn } from '../queries.js';
import { checkRevision, isEnough } from '../rules.js';
import type { Survey } from '../schema.js';
import { write } from './running.js';

export interface PublicationPlan extends Pick<Survey['results'], 'readers' | 'hidden' | 'notes'> {
  revision: number;
  /** closing: when the survey closes. Null: by hand. */
  when: Date | 'closing' | null;
}

/**
 * Says when the results are published by themselves, and what of them; until then it can be changed. Refuses: not-found,
 * conflict, closed (not open; published already), invalid (no moment to come, or before the end; for nobody).
 */
export async function planPublication(ctx: Context, surveyId: string, plan: PublicationPlan): Promise<void> {
  const { survey } = await getOrganised(ctx, surveyId);
  const { revision, readers, hidden, notes, when } = plan;
  checkRevision(survey, revision);
  const isOver = survey.state === 'closed';
  if (survey.results.publishedAt !== null || (!isOver && survey.state !== 'open')) {
    throw new DomainError('closed', 'surveys.error.changedMeanwhile');
  }
  if (when === 'closing' && isOver) throw new DomainError('closed', 'surveys.error.changedMeanwhile');
  if (when instanceof Date) checkMoment(survey, when, ctx.now);
  if (when !== null && readers === 'organisers') {
    throw new DomainError('invalid', 'surveys.error.publishForNobody', { field: 'readers' });
  }
  const publishAt = when instanceof Date ? when : null;
  const results = { readers, hidden, notes, publishedAt: null, publishAt, atClosing: when === 'closing' };
  await write(ctx, survey, { results }, null);
}

function checkMoment({ state, closesAt }: Survey, at: Date, now: Date): void {
  const invalid = (key: string) => new DomainError('invalid', key, { field: 'publishAt' });
  if (at <= now) throw invalid('surveys.error.publishInPast');
  if (state === 'open' && closesAt !== null && at < closesAt) throw invalid('surveys.error.publishBeforeEnd');
}

/**
 * For the job: publishes the results whose moment has come, once the survey is closed. Each once, whoever else tries; what would
 * give somebody away is not published, and its organisers are told why. Returns how many were published.
 */
export async function publishDueSurveys(ctx: Context): Promise<number> {
  const due = await surveysIn(ctx.store)
    .find({ 'results.publishAt': { $lte: ctx.now }, state: 'closed', deletedAt: null })
    .toArray();
  let published = 0;
  for (const survey of due) {
    const isTold = isEnough(survey.names, await countAnswers(ctx.store, survey));
    const over = { ...survey.results, publishAt: null, atClosing: false };
    try {
      if (isTold) await write(ctx, survey, { results: { ...over, publishedAt: ctx.now } }, 'survey.published');
      else await write(ctx, survey, { results: { ...over, notPublished: 'surveys.error.tooFewAnswers' } }, null);
      published += Number(isTold);
    } catch (error) {
      // Somebody else is at it: they did it, or it is looked at again.
      if (!(error instanceof DomainError)) throw error;
    }
  }
  return published;
}
