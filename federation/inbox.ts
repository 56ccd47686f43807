// What becomes of a verified activity: look whether its id was recorded, look up the handler, run it, record. An activity takes
// effect once: a recorded id is answered and forgotten; one whose record was lost (a crash between) is done again when it
// is sent again, which every deed bears, as it bears being done twice at once.
import { createHash } from 'node:crypto';
import { DomainError } from '../server/errors.js';
import { forgetRemoteActor } from '../server/partners/actions.js';
import { findRemoteActor } from '../server/partners/queries.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { type Doc, DuplicateKeyError, StoreUsageError } from '../server/store/store.js';
import { forgetSurveysOf } from '../server/surveys/actions/receiving.js';
import type { Errand } from './errand.js';
import { contextFor, type Federation } from './federation.js';
import { forward } from './forwarding.js';
import { handlers, notActivities } from './handlers.js';
import { checkBytes, countBytes } from './inboundLimits.js';
import { isLocal, sameOrigin } from './iris.js';
import type { ReceivedActivity } from './normalise.js';
import { bringsRefused } from './policy.js';
import { isKeptElsewhere, surveyMatter } from './receiveSurveys.js';
import { Refusal } from './refusal.js';
import { fetchActor, GoneError } from './remoteActors.js';
import { isVote } from './votes.js';

export interface Received extends Doc {
  actor: string;
  type: string;
  receivedAt: Date;
  /** False only in records of earlier versions: its effect may or may not have happened. */
  isDone: boolean;
  /** The bytes as they came, of what others may pass on or announce; of everything else none. */
  raw: string;
}

/** Of which the bytes are kept. A Follow or a like says nothing that is not kept in its own place. */
const isPassedOn: ReadonlySet<string> = new Set(['Create', 'Update', 'Delete', 'Remove']);

/** Days for which a repeat is recognised. */
const keepDays = 90;

/** Later words under the id of a Create that are taken: of one post, as often as anybody corrects it. */
const mostUnderOneId = 50;

/**
 * Refuses with the statuses of security.md 0.1. Silence means 202, for whatever reason. isBrought: the request was signed by
 * another than the sender.
 */
export async function receive(
  federation: Federation,
  activity: ReceivedActivity,
  sender: RemoteActor,
  raw: Buffer,
  errand: Errand,
  isBrought: boolean,
): Promise<void> {
  checkSender(federation, activity, sender);
  if (await bringsRefused(federation, activity)) return;
  const handler = Object.hasOwn(handlers, activity.type) ? handlers[activity.type] : undefined;
  if (handler === undefined || handler === 'ignored') return;
  const inbound = { federation, activity, sender, raw, errand };
  if ('check' in handler) handler.check(inbound);
  // Several objects are votes or what is reported: nothing else is read of them.
  const survey = activity.hasSeveral ? null : await surveyMatter(inbound);
  // Also what nobody here asked for: the followers of the one answered did.
  if (survey === null && !activity.hasSeveral) await forward(inbound);
  if (!('deed' in handler)) return;
  if (survey === null && handler.concerns && !(await handler.concerns(inbound))) return handler.otherwise?.(inbound);
  const place = await placeOf(federation, activity, raw, isBrought);
  if (place === 'repeat') return;
  await checkBytes(federation, sender);
  try {
    await (survey === null ? handler.deed(inbound) : survey());
  } catch (error) {
    // Whatever is refused leaves no trace, so that what failed on our side can be sent again.
    throw asRefusal(error);
  }
  // What was answered or voted stands with the answers and votes alone, and goes with them.
  const isKept = isPassedOn.has(activity.type) && !isKeptElsewhere(inbound) && !(await isVote(inbound));
  countBytes(federation, sender, raw.length);
  if (place !== null) await record(federation, activity, place, isKept ? raw : Buffer.alloc(0));
}

/** The activity is what it says and the sender's own. */
function checkSender(federation: Federation, activity: ReceivedActivity, sender: RemoteActor): void {
  if (notActivities.has(activity.type)) throw new Refusal(400, 'that is not an activity');
  if (isLocal(federation.house.site, activity.actor)) throw new Refusal(403, 'the actor is one of ours');
  if (activity.actor !== sender._id) throw new Refusal(403, 'signed by somebody else than its actor');
  if (activity.id !== null && !sameOrigin(activity.id, activity.actor)) {
    throw new Refusal(403, 'the activity is from another server than its actor');
  }
}

/** Where it is recorded: under its id; null: it has none. 'repeat': it was done before, or the id is somebody else's. */
async function placeOf(
  federation: Federation,
  activity: ReceivedActivity,
  raw: Buffer,
  isBrought: boolean,
): Promise<string | 'repeat' | null> {
  const { id, actor, type } = activity;
  if (id === null) return null;
  const before = await receivedIn(federation).findOne({ _id: id });
  if (before === null) return id;
  if (before.actor !== actor) return 'repeat';
  if (!before.isDone) return before.type === type ? id : 'repeat';
  return isBrought ? 'repeat' : placeOfLater(federation, activity, before, raw.toString('utf8'));
}

/**
 * Gancio gives each change of a post the id of its Create: other words under that id, signed by the actor itself and about a
 * post, are told apart by their hash. What they may do is judged as ever: a change by its date, a deletion by the author.
 */
async function placeOfLater(
  federation: Federation,
  { id, actor, type, object }: ReceivedActivity,
  before: Received,
  raw: string,
): Promise<string> {
  const isOfPost = ['Update', 'Delete'].includes(type) && object?.id !== actor;
  if (!isOfPost || !['Create', 'Update'].includes(before.type) || before.raw === '' || before.raw === raw)
    return 'repeat';
  // A space stands in no id, and "!" is the character after it.
  const under = { $gte: `${id} `, $lt: `${id}!` };
  const later = await receivedIn(federation)
    .find({ _id: under }, { projection: { _id: 1 }, limit: mostUnderOneId })
    .toArray();
  const place = `${id} ${createHash('sha256').update(raw).digest('hex')}`;
  return later.length < mostUnderOneId && later.every(({ _id }) => _id !== place) ? place : 'repeat';
}

async function record(federation: Federation, activity: ReceivedActivity, id: string, raw: Buffer): Promise<void> {
  const { actor, type } = activity;
  const done = { actor, type, receivedAt: federation.house.now(), isDone: true, raw: raw.toString('utf8') };
  try {
    await receivedIn(federation).insertOne({ _id: id, ...done });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    await receivedIn(federation).updateOne({ _id: id, actor, isDone: false }, { $set: done });
  }
}

/**
 * A Delete by an actor whose key cannot be fetched because it is gone: believed when the actor's own address says so too. Nobody
 * has signed it that we know, so of somebody who is known here a 404, which may pass, is not enough. True: it was such a Delete,
 * and whatever we knew of the actor is forgotten.
 */
export async function receiveGone(
  federation: Federation,
  activity: ReceivedActivity | null,
  keyId: string,
  errand: Errand,
): Promise<boolean> {
  if (activity?.type !== 'Delete' || activity.object?.id !== activity.actor) return false;
  if (!sameOrigin(activity.actor, keyId) || isLocal(federation.house.site, activity.actor)) return false;
  const known = await findRemoteActor(federation.house.store, activity.actor);
  try {
    await fetchActor(federation, activity.actor, errand);
    return false;
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
    if (known?.goneAt === null && !error.isForGood) return false;
  }
  const ctx = contextFor(federation);
  if (known) await forgetRemoteActor(ctx, activity.actor);
  await forgetSurveysOf(ctx, { owner: activity.actor });
  return true;
}

/** Removes records of activities received long ago. Returns how many. */
export async function pruneReceived(federation: Federation): Promise<number> {
  const before = new Date(federation.house.now().getTime() - keepDays * 24 * 60 * 60 * 1000);
  return (await receivedIn(federation).deleteMany({ receivedAt: { $lt: before } })).deletedCount;
}

function receivedIn(federation: Federation) {
  return federation.house.store.collection<Received>('received');
}

const statuses = {
  invalid: 400,
  'not-allowed': 403,
  'not-found': 404,
  gone: 410,
  closed: 403,
  conflict: 403,
  'too-many': 429,
  unavailable: 503,
} as const;

/** Our own failure is said to be ours, so that the sender keeps the message; everything else is the sender's. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof GoneError) return new Refusal(401, 'the actor is gone');
  if (error instanceof DomainError) return new Refusal(statuses[error.code], error.code, error.retryAfter);
  if (error instanceof StoreUsageError) return new Refusal(400, 'the activity cannot be kept');
  return error;
}
