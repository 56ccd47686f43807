// What is said when one of ours likes or passes on a post from elsewhere, or takes it back. Called by federation/outbox.ts only.
import { findInteraction, findRemoteActor } from '../../server/partners/queries.js';
import type { Interaction } from '../../server/partners/schema.js';
import type { Federation } from '../federation.js';
import { groupsOfPost } from '../groups.js';
import { localHandleIn } from '../iris.js';
import type { Announced, Draft } from '../outbox.js';
import { publicAudienceOf } from '../wire/namespace.js';

/** A like goes to the author, and to the group here in which the post stands; a boost to followers too. Nothing when it was taken back before it went out. */
export async function announceInteraction(
  federation: Federation,
  event: Announced<'interaction.made'>,
): Promise<Draft[]> {
  const made = await findInteraction(federation.house.store, event.interactionId);
  if (made === null || made.undone || made.activityIri !== federation.apex.activityIri(event.eventId)) return [];
  return draft(federation, made, typeOf(made), made.postIri);
}

/** With the whole activity inside, to all who were told of it. */
export async function announceInteractionUndone(
  federation: Federation,
  event: Announced<'interaction.undone'>,
): Promise<Draft[]> {
  const made = await findInteraction(federation.house.store, event.interactionId);
  if (made === null) return [];
  const inner = { id: event.activityIri, type: typeOf(made), actor: made.actor, object: made.postIri };
  return draft(federation, made, 'Undo', inner);
}

function typeOf(made: Interaction): 'Like' | 'Announce' {
  return made.kind === 'like' ? 'Like' : 'Announce';
}

async function draft(
  federation: Federation,
  made: Interaction,
  type: Draft['type'],
  object: Draft['object'],
): Promise<Draft[]> {
  const handle = localHandleIn(federation.house.site, made.actor);
  if (handle === null) return [];
  const author = await findRemoteActor(federation.house.store, made.author);
  const isBoost = made.kind === 'boost';
  const { followers } = federation.apex.streamsOf(handle);
  const groups = isBoost ? [] : await groupsOfPost(federation, made.postIri);
  return [
    {
      actor: handle,
      type,
      subject: `interaction:${made._id}`,
      objectIri: null,
      object,
      ...(isBoost ? publicAudienceOf(followers, [made.author]) : { to: [made.author], cc: groups }),
      toFollowers: isBoost,
      inboxes: author && author.goneAt === null ? [author.inbox] : [],
      listed: false,
    },
  ];
}
