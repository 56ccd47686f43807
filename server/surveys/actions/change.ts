// The line of history that goes with a deed on a survey, for the collective that asks. Answers never leave one.
import { actorName, type Context } from '../../context.js';
import type { Change } from '../../events.js';
import { diff } from '../../history/diff.js';
import type { Survey } from '../schema.js';

/** What of a survey is told, when it differs; questions as the number of their version. */
const told = ['title', 'languages', 'answerBy', 'names', 'timeZone', 'opensAt', 'closesAt', 'late', 'version'] as const;

export function lineOf(ctx: Context, survey: Survey, what: Change['what'], set: Partial<Survey> = {}): Change {
  const after = { ...survey, ...set };
  const of = (one: Survey) => Object.fromEntries(told.map((field) => [field, one[field]]));
  const fields = diff(of(survey), of(after));
  const { _id: subjectId, collectiveId } = survey;
  return { subject: 'survey', subjectId, collectiveId, by: actorName(ctx.actor), what, fields };
}
