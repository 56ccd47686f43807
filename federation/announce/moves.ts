// What our side says of its accounts elsewhere, and that it has moved. Called by federation/outbox.ts only.
import { findMove, findRemoteActor } from '../../server/partners/queries.js';
import type { Federation } from '../federation.js';
import type { Announced, Draft } from '../outbox.js';
import { actorContext } from '../wire/namespace.js';
import { updateOf } from './actors.js';

export async function announceActorChange(federation: Federation, event: Announced<'actor.changed'>): Promise<Draft[]> {
  return updateOf(federation, event.handle);
}

/** The actor with its `movedTo` first, since some peers look there; nothing when it was taken back before it went out. */
export async function announceMove(federation: Federation, event: Announced<'actor.moved'>): Promise<Draft[]> {
  const { apex, house } = federation;
  const move = await findMove(house.store, event.handle);
  const target = await findRemoteActor(house.store, event.target);
  if (move?.movedTo?.iri !== event.target || target === null) return [];
  const update = await updateOf(federation, event.handle);
  if (update.length === 0) return [];
  const { followers } = apex.streamsOf(event.handle);
  const draft: Draft = {
    ...{ actor: event.handle, type: 'Move', subject: `actor:${event.handle}`, objectIri: null },
    ...{ object: apex.actorIri(event.handle), target: event.target, context: actorContext },
    ...{ to: [followers], cc: [], toFollowers: true, inboxes: [], listed: false },
  };
  return [...update, draft];
}
