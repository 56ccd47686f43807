// Whether a survey may open: the same look by hand, when its moment comes, and when one that waits for it is changed.
import { getCollective, listCollectivesById } from '../../collectives/queries.js';
import { isPublic } from '../../collectives/rules.js';
import type { Context } from '../../context.js';
import { checkTravels } from '../remoteSurveys.js';
import { checkMayOpen } from '../rules.js';
import type { Invited, Section, Survey } from '../schema.js';

/** Those asked who are there: all but the collectives here that are in the bin, or gone. Refuses: invalid, with the field. */
export async function checkReady(ctx: Context, survey: Survey, sections: readonly Section[]): Promise<Invited[]> {
  const owner = await getCollective(ctx.store, survey.collectiveId);
  const ids = survey.invited.flatMap(({ collectiveId }) => (collectiveId === null ? [] : [collectiveId]));
  const known = await listCollectivesById(ctx.store, ids);
  const standing = new Set(known.filter(({ deletedAt }) => deletedAt === null).map(({ _id }) => _id));
  const invited = survey.invited.filter(({ collectiveId }) => collectiveId === null || standing.has(collectiveId));
  checkMayOpen({ survey: { ...survey, invited }, sections, isOwnerPublic: isPublic(owner), now: ctx.now });
  checkTravels(survey, sections);
  return invited;
}
