// Local actors: the instance, people who chose to be public, collectives, groups. Who they are comes from their slices; here is how
// they are found by their name, and whether they answer.

import { findCollective } from '../server/collectives/queries.js';
import { isPublic } from '../server/collectives/rules.js';
import type { Collective } from '../server/collectives/schema.js';
import { findGroup } from '../server/groups/queries.js';
import type { Group } from '../server/groups/schema.js';
import { findHandle } from '../server/handles/handles.js';
import { findPerson } from '../server/people/queries.js';
import { isPublicPerson } from '../server/people/rules.js';
import type { Person } from '../server/people/schema.js';
import type { Federation } from './federation.js';

/** The name of the actor that signs what no person or collective does. Reserved in handles.ts. */
export const instanceHandle = 'instance';

interface Known {
  handle: string;
  iri: string;
  ownerId: string;
}
export type LocalActor = Known &
  (
    | { kind: 'instance' }
    | { kind: 'person'; person: Person }
    | { kind: 'collective'; collective: Collective }
    | { kind: 'group'; group: Group }
  );

/** 'gone': it was there and will not come back (410). Null: nobody, or nobody who may be seen (404). */
export async function findLocalActor(federation: Federation, handle: string): Promise<LocalActor | 'gone' | null> {
  if (!/^[a-z0-9_]{1,30}$/.test(handle)) return null;
  const known = { handle, iri: federation.apex.actorIri(handle) };
  if (handle === instanceHandle) return { ...known, kind: 'instance', ownerId: instanceHandle };
  const { store } = federation.house;
  const claim = await findHandle(store, handle);
  if (!claim) return null;
  if (claim.retiredAt) return 'gone';
  const { ownerId } = claim;
  if (claim.kind === 'person') {
    const person = await findPerson(store, ownerId);
    return person && isPublicPerson(person) && person.handle === handle
      ? { ...known, kind: 'person', ownerId, person }
      : null;
  }
  if (claim.kind === 'group') {
    const group = await findGroup(store, ownerId);
    return group && group.deletedAt === null ? { ...known, kind: 'group', ownerId, group } : null;
  }
  if (claim.kind !== 'collective') return null;
  const collective = await findCollective(store, ownerId);
  if (!collective) return null;
  if (collective.deletedAt !== null) return collective.published ? 'gone' : null;
  return isPublic(collective) ? { ...known, kind: 'collective', ownerId, collective } : null;
}

/** Whether follows are accepted without anybody looking. */
export function acceptsAtOnce(actor: LocalActor): boolean {
  if (actor.kind === 'person') return actor.person.acceptsFollowers !== 'by-hand';
  return actor.kind !== 'collective' || actor.collective.acceptsFollowers === 'at-once';
}
