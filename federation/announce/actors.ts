// What is said when an actor of ours changes, goes, or comes back. Called by federation/outbox.ts only.

import { findCollective } from '../../server/collectives/queries.js';
import { readSettings } from '../../server/instances/settings.js';
import { findMove, listFollowersAfter } from '../../server/partners/queries.js';
import { findPerson } from '../../server/people/queries.js';
import { isPublicPerson } from '../../server/people/rules.js';
import { keysOf } from '../actorKeys.js';
import { findLocalActor, type LocalActor } from '../actors.js';
import type { Federation } from '../federation.js';
import type { Announced, Draft } from '../outbox.js';
import { toActor } from '../wire/actor.js';
import { actorContext, type Json, publicAudienceOf } from '../wire/namespace.js';

/** The actor document as it is served and sent. */
export async function describeActor(federation: Federation, actor: LocalActor): Promise<Json> {
  const { apex, house } = federation;
  const settings = await readSettings(house.store);
  const move = await findMove(house.store, actor.handle);
  return toActor(actor, {
    apex,
    keys: await keysOf(federation, actor.handle),
    baseUrl: house.site.baseUrl,
    host: house.site.host,
    language: house.site.defaultLanguage,
    instance: { name: settings.name, description: settings.description },
    aliases: (move?.aliases ?? []).map(({ iri }) => iri),
    movedTo: move?.movedTo?.iri ?? null,
  });
}

/** Who is a member, and as what, is not on the wire. */
export async function announceActor(
  federation: Federation,
  event: Announced<'collective.created' | 'collective.updated'>,
): Promise<Draft[]> {
  if (event.change?.what === 'members') return [];
  const collective = await findCollective(federation.house.store, event.collectiveId);
  return collective ? updateOf(federation, collective.handle) : [];
}

export async function announceCollectiveBack(
  federation: Federation,
  event: Announced<'collective.restored'>,
): Promise<Draft[]> {
  const collective = await findCollective(federation.house.store, event.collectiveId);
  return collective ? updateOf(federation, collective.handle) : [];
}

/** A person's profile changed: told when it is public; when it no longer is, others are asked to forget it. */
export async function announcePerson(
  federation: Federation,
  event: Announced<'person.profileChanged'>,
): Promise<Draft[]> {
  const person = await findPerson(federation.house.store, event.personId);
  if (!person?.handle) return [];
  return isPublicPerson(person) ? updateOf(federation, person.handle) : deleteOf(federation, person.handle);
}

export async function announceActorGone(federation: Federation, event: Announced<'person.deleted'>): Promise<Draft[]> {
  return event.handle === null ? [] : deleteOf(federation, event.handle);
}

/** Also when it only lies in the bin: those who can see nothing of it any more are told so at once. */
export async function announceCollectiveGone(
  federation: Federation,
  event: Announced<'collective.deleted'>,
): Promise<Draft[]> {
  const collective = await findCollective(federation.house.store, event.collectiveId);
  return collective?.published ? deleteOf(federation, collective.handle) : [];
}

/** The actor as it is now, to its followers; nothing when it has none or cannot be seen. */
export async function updateOf(federation: Federation, handle: string): Promise<Draft[]> {
  const actor = await findLocalActor(federation, handle);
  if (actor === null || actor === 'gone' || !(await isFollowed(federation, handle))) return [];
  const { '@context': _context, ...document } = await describeActor(federation, actor);
  return [{ ...frameOf(federation, handle), type: 'Update', object: document, context: actorContext }];
}

export async function deleteOf(federation: Federation, handle: string): Promise<Draft[]> {
  if (!(await isFollowed(federation, handle))) return [];
  const object = federation.apex.actorIri(handle);
  return [{ ...frameOf(federation, handle), type: 'Delete', object, context: actorContext }];
}

/** Without followers there is nobody to tell. */
async function isFollowed(federation: Federation, handle: string): Promise<boolean> {
  const { apex, house } = federation;
  return (await listFollowersAfter(house.store, apex.actorIri(handle), null, 1)).length > 0;
}

function frameOf(federation: Federation, handle: string): Omit<Draft, 'type' | 'object'> {
  const { followers } = federation.apex.streamsOf(handle);
  return {
    actor: handle,
    subject: `actor:${handle}`,
    objectIri: null,
    ...publicAudienceOf(followers),
    toFollowers: true,
    inboxes: [],
    listed: false,
  };
}
