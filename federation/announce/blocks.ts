// What is said when one of ours blocks an actor elsewhere: to that actor's inbox and nobody else. About domains nothing is said.
// Called by federation/outbox.ts only.
import { findBlock } from '../../server/partners/blockQueries.js';
import { findRemoteActor } from '../../server/partners/queries.js';
import type { Block } from '../../server/partners/schema.js';
import type { Federation } from '../federation.js';
import { localHandleIn } from '../iris.js';
import type { Announced, Draft } from '../outbox.js';
import { toBlock } from '../wire/block.js';

/** Nothing when it was taken back before it went out. */
export async function announceBlock(federation: Federation, event: Announced<'block.made'>): Promise<Draft[]> {
  const block = await findBlock(federation.house.store, event.blockId);
  if (!block || block.undone || block.activityIri !== federation.apex.activityIri(event.eventId)) return [];
  return draft(federation, block, 'Block', block.target);
}

export async function announceBlockUndone(federation: Federation, event: Announced<'block.undone'>): Promise<Draft[]> {
  const block = await findBlock(federation.house.store, event.blockId);
  if (!block) return [];
  return draft(federation, block, 'Undo', toBlock({ ...block, activityIri: event.activityIri }));
}

async function draft(
  federation: Federation,
  block: Block,
  type: 'Block' | 'Undo',
  object: Draft['object'],
): Promise<Draft[]> {
  if (block.kind !== 'actor') return [];
  const handle = localHandleIn(federation.house.site, block.blocker);
  const actor = await findRemoteActor(federation.house.store, block.target);
  if (handle === null || actor === null || actor.goneAt !== null) return [];
  return [
    {
      actor: handle,
      type,
      subject: `block:${block._id}`,
      objectIri: null,
      object,
      to: [block.target],
      cc: [],
      toFollowers: false,
      inboxes: [actor.inbox],
      listed: false,
    },
  ];
}
