// Whether hosters on other instances have been told of a survey: read from what was said to each, and from what still waits.
// Why a delivery fails is for administrators (server/instances).
import type { Context } from '../context.js';
import { deliveriesIn } from '../instances/peerQueries.js';
import { readPolicy } from '../instances/queries.js';
import { isRefusedPeer } from '../instances/rules.js';
import { objectIri } from '../posts/rules.js';
import type { Doc } from '../store/store.js';
import { askedObjectId } from './rules.js';
import type { Invited, Survey } from './schema.js';

/**
 * told: taken there. waiting: on its way, or tried again. held: an administrator lets it go. failed: given up. refused: a server
 * with which this one does not deal. unknown: nothing was said, since no address is known.
 */
export type ToldState = 'told' | 'waiting' | 'held' | 'failed' | 'refused' | 'unknown';

export interface Told {
  invited: Invited;
  state: ToldState;
  /** Of the last message; null: none. */
  since: Date | null;
}

/** What federation/activities.ts keeps, as far as it is read here. */
interface Said extends Doc {
  objectIri: string | null;
  inboxes: string[];
  at: Date;
  isFannedOut: boolean;
}

/** Milliseconds after the opening during which a message may still be on its way to the queue. */
const soonMs = 2 * 60_000;

/** Every hoster elsewhere that the survey asks, by its name; none before it has opened. */
export async function listTold(ctx: Context, survey: Survey): Promise<Told[]> {
  const elsewhere = survey.invited.filter(({ collectiveId }) => collectiveId === null);
  if (survey.openedAt === null || survey.answerBy !== 'collective' || elsewhere.length === 0) return [];
  const projection = { objectIri: 1, inboxes: 1, at: 1, isFannedOut: 1 };
  const said = await ctx.store
    .collection<Said>('activities')
    .find({ subject: `survey:${survey._id}` }, { sort: { _id: 1 }, projection })
    .toArray();
  const last = new Map(said.map((one) => [one.objectIri, one]));
  const policy = await readPolicy(ctx.store);
  const isSoon = ctx.now.getTime() - survey.openedAt.getTime() < soonMs;
  const told = elsewhere.map(async (invited): Promise<Told> => {
    const one = last.get(objectIri(ctx.site, { _id: askedObjectId(survey._id, invited.iri) }));
    if (one === undefined) return { invited, state: isSoon ? 'waiting' : 'unknown', since: null };
    const isRefused = one.inboxes.every((inbox) => isRefusedPeer(policy, inbox));
    return { invited, state: isRefused ? 'refused' : await stateOf(ctx, one), since: one.at };
  });
  return (await Promise.all(told)).sort((a, b) => a.invited.name.localeCompare(b.invited.name));
}

/** Rows go away when they have been taken: what is left has not. */
async function stateOf({ store }: Context, { _id, isFannedOut }: Said): Promise<ToldState> {
  const rows = { _id: { $gte: `${_id} `, $lt: `${_id}!` } };
  const [row] = await deliveriesIn(store)
    .find(rows, { projection: { state: 1 }, limit: 1 })
    .toArray();
  return row?.state ?? (isFannedOut ? 'told' : 'waiting');
}
