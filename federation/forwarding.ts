// Passes answers on (ActivityPub §7.1.2): who answers one of ours to "our followers" cannot know them, so we bring them the
// bytes as they came. Nothing is added to them, and nothing is believed here that the pipeline has not verified.
import { createHash } from 'node:crypto';
import { newId } from '../server/ids.js';
import { readPolicy } from '../server/instances/queries.js';
import { isLimitedPeer } from '../server/instances/rules.js';
import { isUnwelcome } from '../server/partners/queries.js';
import { DuplicateKeyError } from '../server/store/store.js';
import { type Activity, activitiesIn, findLastOfObject } from './activities.js';
import { fanOut } from './fanOut.js';
import type { Federation } from './federation.js';
import type { Inbound } from './handlers.js';
import { isLocal, sameOrigin } from './iris.js';
import { isObject, readJson } from './json.js';
import { isVote } from './votes.js';

/** The type of our rows for what others said: it stands in no outbox. */
const forwarded = 'Forward';

/**
 * Hands an answer to an object of ours, its correction or its deletion to the followers of the one answered, once for each
 * activity, except on the server that it came from. Only what bears a proof that others can check by themselves (FEP-8b32,
 * Linked Data Signature), is addressed to those followers, and is its sender's own; at most 120 an hour from one server, and 600
 * for one of ours.
 */
export async function forward(inbound: Inbound): Promise<void> {
  const { federation, activity, sender, raw } = inbound;
  if (activity.id === null || !['Create', 'Update', 'Delete'].includes(activity.type)) return;
  // Most of what arrives names nobody here; it need not be read again to know that.
  if (activity.type !== 'Delete' && !raw.includes(federation.house.site.host)) return;
  const json = readJson(raw);
  if (![json.proof].flat().some(isObject) && !isObject(json.signature)) return;
  // Who voted for what is nobody else's business.
  if (await isVote(inbound)) return;
  const key = `forward-${createHash('sha256').update(activity.id).digest('hex')}`;
  const before = await activitiesIn(federation).findOne({ _id: key });
  const row = before ?? (await draft(inbound, json, key));
  if (row === null || row.isFannedOut) return;
  if (before === null && !(await keep(federation, row, { host: sender.host, isDelete: activity.type === 'Delete' })))
    return;
  // A deletion takes the words with it, also those that have not arrived yet.
  const older = { objectIri: row.objectIri, type: forwarded, _id: { $ne: key } };
  if (activity.type === 'Delete') await activitiesIn(federation).updateMany(older, { $set: { json: '' } });
  await fanOut(federation, row);
}

async function draft(inbound: Inbound, json: Record<string, unknown>, key: string): Promise<Activity | null> {
  const { federation, activity, sender, raw } = inbound;
  const iri = activity.object?.id ?? null;
  if (iri === null || iri === sender._id || !sameOrigin(iri, sender._id)) return null;
  const authors = activity.object?.attributedTo ?? [];
  if (authors.length > 0 && !authors.includes(sender._id)) return null;
  const handle = await answeredBy(federation, json, iri, activity.type, sender._id);
  if (handle === null) return null;
  // Whoever the one answered keeps away reaches their followers no more than themselves.
  const { apex, house } = federation;
  if (activity.type !== 'Delete' && (await isUnwelcome(house.store, apex.actorIri(handle), sender._id))) return null;
  return {
    _id: key,
    actor: handle,
    type: forwarded,
    subject: `forward:${iri}`,
    objectIri: iri,
    json: raw.toString('utf8'),
    objectJson: null,
    isPublic: false,
    listed: false,
    at: federation.house.now(),
    inboxes: [],
    toFollowers: true,
    fanOutCursor: null,
    isFannedOut: false,
    seq: newId(),
    exceptHost: sender.host,
  };
}

/** Handle of ours whose object is answered and whose followers are addressed; null: nothing that we pass on. */
async function answeredBy(
  federation: Federation,
  json: Record<string, unknown>,
  iri: string,
  type: string,
  sender: string,
): Promise<string | null> {
  // A deletion does not say any more what it was an answer to: it goes where the answer went.
  if (type === 'Delete') {
    const earlier = activitiesIn(federation).find({ objectIri: iri, type: forwarded }, { limit: maxVersions });
    return (await earlier.toArray()).find((one) => actorIn(one) === sender)?.actor ?? null;
  }
  const object = Array.isArray(json.object) ? json.object[0] : json.object;
  const inline = isObject(object) ? object : {};
  const { inReplyTo } = inline;
  if (typeof inReplyTo !== 'string') return null;
  const answered = isLocal(federation.house.site, inReplyTo)
    ? await findLastOfObject(federation, inReplyTo)
    : await findForwarded(federation, inReplyTo);
  if (answered === null || answered.type === 'Delete' || (answered.type !== forwarded && !answered.isPublic))
    return null;
  const { followers } = federation.apex.streamsOf(answered.actor);
  const audience = [json.to, json.cc, json.audience, inline.to, inline.cc].flat();
  return audience.includes(followers) ? answered.actor : null;
}

/** Of one answer, looked at when it is deleted. */
const maxVersions = 50;

/** Who said what we passed on; undefined: its words are gone already. */
function actorIn({ json }: Activity): unknown {
  const { actor } = json === '' ? {} : readJson(Buffer.from(json));
  return isObject(actor) ? actor.id : actor;
}

async function findForwarded(federation: Federation, iri: string): Promise<Activity | null> {
  return activitiesIn(federation).findOne({ objectIri: iri, type: forwarded }, { sort: { _id: -1 } });
}

/** In an hour, from wherever: who has many names reaches the followers of one of ours no oftener. */
const mostForOne = 600;

/** False: too many from there or for the one answered, or its server is limited by the rules of this instance. */
async function keep(
  federation: Federation,
  row: Activity,
  { host, isDelete }: { host: string; isDelete: boolean },
): Promise<boolean> {
  if (isLimitedPeer(await readPolicy(federation.house.store), host)) return false;
  if (!federation.forwardLimit.take(host)) return false;
  if (!isDelete && !federation.forwardLimit.take(`to ${row.actor}`, mostForOne)) return false;
  try {
    await activitiesIn(federation).insertOne(row);
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
  return true;
}
