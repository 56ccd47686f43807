// Mails that an answerer asks for: a copy of the answer, or the link to it. Not for anonymous answers: nobody finds them.
import type { Context, Language } from '../../context.js';
import { DomainError } from '../../errors.js';
import { pending } from '../../events.js';
import { answersIn } from '../queries.js';
import { findRemoteSurvey, sentAnswersIn } from '../remoteSurveys.js';
import { answerKey } from '../rules.js';
import type { Answerer } from '../schema.js';

/**
 * Sends the person who asks a copy of the answer, to a survey here or elsewhere. Emits survey.copyRequested. Refuses: not-allowed (nobody is signed in),
 * not-found (no answer, or one that nobody can find again).
 */
export async function requestCopy(ctx: Context, surveyId: string, answerer: Answerer): Promise<void> {
  if (ctx.actor?.kind !== 'person') throw new DomainError('not-allowed', 'error.signInFirst');
  await ask(ctx, surveyId, answerer, { personId: ctx.actor.personId, language: ctx.site.defaultLanguage });
}

/**
 * Sends a guest the link to their answer, to the address that they gave. What they wrote is not in it: the address is not
 * proved to be theirs. Emits survey.copyRequested. Refuses: not-found.
 */
export async function requestLink(
  ctx: Context,
  surveyId: string,
  answerer: Answerer,
  language: Language,
): Promise<void> {
  await ask(ctx, surveyId, answerer, { personId: null, language });
}

async function ask(
  ctx: Context,
  surveyId: string,
  answerer: Answerer,
  to: { personId: string | null; language: Language },
): Promise<void> {
  const remote = await findRemoteSurvey(ctx.store, surveyId);
  const answerId = answerKey(remote?.iri ?? surveyId, answerer.key);
  const event = pending({ type: 'survey.copyRequested', surveyId, answerId, ...to }, ctx.now);
  const change = { $push: { events: event } };
  const { matchedCount } =
    remote === null
      ? await answersIn(ctx.store).updateOne({ _id: answerId }, change)
      : await sentAnswersIn(ctx.store).updateOne({ _id: answerId, state: { $ne: 'withdrawn' } }, change);
  if (matchedCount === 0) throw new DomainError('not-found', 'error.notFound');
}
