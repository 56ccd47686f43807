// Who may read what is not public: those to whom it is addressed, shown by a signed GET. To everybody else it is not there
// (404), whether they signed or not. Public things need no signature and are never looked at for one.
import type { Request } from 'express';
import { readPolicy } from '../server/instances/queries.js';
import { isRefusedPeer } from '../server/instances/rules.js';
import { findFollow } from '../server/partners/queries.js';
import { followKey } from '../server/partners/rules.js';
import type { RemoteActor } from '../server/partners/schema.js';
import type { Activity } from './activities.js';
import type { Federation } from './federation.js';
import { strangersLimited, tooMany } from './inboundLimits.js';
import { isObject } from './json.js';
import { Refusal } from './refusal.js';
import { GoneError } from './remoteActors.js';
import { readClaim, signedRequestOf, verifyClaim } from './verify.js';

/** The actor elsewhere who signed a GET; null: nobody did, or not so that it holds. Throws Refusal 429 and 503. */
export async function requesterOf(federation: Federation, req: Request): Promise<RemoteActor | null> {
  try {
    return await strangersLimited(federation, req, async (errand) => {
      const claim = readClaim(federation, signedRequestOf(federation, req, null));
      const name = `${req.ip} ${new URL(claim.keyId).host}`;
      if (!federation.inboundLimit.take(name)) throw tooMany(federation.inboundLimit);
      if (isRefusedPeer(await readPolicy(federation.house.store), claim.keyId)) return null;
      return verifyClaim(federation, claim, errand);
    });
  } catch (error) {
    if (error instanceof GoneError || (error instanceof Refusal && error.status === 401)) return null;
    throw error;
  }
}

/**
 * Whether an activity, and with it its object, may be read by whoever asks. What is not there takes the same steps as what is
 * hidden: neither the time nor a question for the reader's key tells them apart.
 */
export async function mayRead(federation: Federation, req: Request, activity: Activity | null): Promise<boolean> {
  if (activity?.isPublic) return true;
  const reader = await requesterOf(federation, req).catch(notThere);
  if (activity === null || reader === null || activity.json === '') return false;
  const audience = audienceOf(activity.json);
  if (audience.includes(reader._id)) return true;
  const { followers } = federation.apex.streamsOf(activity.actor);
  if (!audience.includes(followers)) return false;
  const follow = await findFollow(
    federation.house.store,
    followKey(reader._id, federation.apex.actorIri(activity.actor)),
  );
  return follow?.state === 'accepted';
}

/** Not even that it is there is told to somebody whose key cannot be read just now. */
function notThere(error: unknown): null {
  if (error instanceof Refusal) return null;
  throw error;
}

function audienceOf(text: string): unknown[] {
  const json: unknown = JSON.parse(text);
  return isObject(json) ? [json.to, json.cc].flat() : [];
}
