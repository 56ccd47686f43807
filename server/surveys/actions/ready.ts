// Whether a survey may open: the same look by hand, when its moment comes, and when one that waits for it is changed.
import { getCollective, listCollectivesById } from '../../collectives/queries.js';
import { isPublic } from '../../collectives/rules.js';
import type { Context } from '../../context.js';
import { checkTravels } from '../remoteSurveys.js';
import { checkMayOpen } from '../rules.js';
import type { Invited, Section, Survey } from '../schema.js';

export interface Ready {
  /** All but the collectives here that are in the bin, or gone. */
  invited: Invited[];
  /** The people of those here. */
  people: NonNullable<Survey['askedPeople']>;
}

/** Who is there to be asked. Refuses: invalid, with the field. */
export async function checkReady(ctx: Context, survey: Survey, sections: readonly Section[]): Promise<Ready> {
  const owner = await getCollective(ctx.store, survey.collectiveId);
  const ids = survey.invited.flatMap(({ collectiveId }) => (collectiveId === null ? [] : [collectiveId]));
  const known = await listCollectivesById(ctx.store, ids);
  const standing = new Map(known.filter(({ deletedAt }) => deletedAt === null).map((one) => [one._id, one]));
  const invited = survey.invited.filter(({ collectiveId }) => collectiveId === null || standing.has(collectiveId));
  checkMayOpen({ survey: { ...survey, invited }, sections, isOwnerPublic: isPublic(owner), now: ctx.now });
  checkTravels(survey, sections);
  const people = [...standing.values()].flatMap(({ _id: collectiveId, members }) =>
    members.map(({ personId }) => ({ personId, collectiveId })),
  );
  return { invited, people };
}
