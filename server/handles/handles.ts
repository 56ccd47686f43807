// One name space for every local actor: people, collectives, groups, networks, the instance (a Fediverse handle is
// unique per host whatever its type). A name once used is never given to another: its posts are known elsewhere.
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import { type Doc, DuplicateKeyError, type Store } from '../store/store.js';

export type HandleKind = 'instance' | 'person' | 'collective' | 'group' | 'network';

export interface Handle extends Doc {
  kind: HandleKind;
  ownerId: string;
  claimedAt: Date;
  /** Set when the owner is gone for good: the actor answers 410 and the name stays taken. */
  retiredAt?: Date;
}

export const handleIndexes = { handles: [{ keys: { ownerId: 1 as const } }] };

/** Names that would be confusing or that addresses of ours use. */
const reserved = new Set(
  'about admin administrator actor actors api app assets catalogue contact federation help host hostmaster inbox instance mail moderator null outbox postmaster public root security settings static support system undefined webmaster'.split(
    ' ',
  ),
);

/** 2 to 30 of a-z, 0-9 and inner underscores: what Mastodon and Lemmy both take. */
export const handlePattern = /^[a-z0-9](?:[a-z0-9_]{0,28}[a-z0-9])$/;

export function isHandle(text: string): boolean {
  return handlePattern.test(text) && !reserved.has(text);
}

/** Takes a name for an owner. Refuses: invalid (form or reserved), conflict (taken, also by someone gone). Idempotent. */
export async function claimHandle(ctx: Context, handle: string, kind: HandleKind, ownerId: string): Promise<void> {
  if (kind !== 'instance' && !isHandle(handle)) throw new DomainError('invalid', 'handle.invalid', { field: 'handle' });
  const handles = ctx.store.collection<Handle>('handles');
  try {
    await handles.insertOne({ _id: handle, kind, ownerId, claimedAt: ctx.now });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
    const holder = await handles.findOne({ _id: handle });
    if (holder?.ownerId === ownerId && holder.kind === kind && !holder.retiredAt) return;
    throw new DomainError('conflict', 'handle.taken', { field: 'handle', cause: error });
  }
}

/** The owner is gone for good: the name stays, and answers 410. */
export async function retireHandle(ctx: Context, handle: string): Promise<void> {
  await ctx.store.collection<Handle>('handles').updateOne({ _id: handle }, { $set: { retiredAt: ctx.now } });
}

export async function findHandle(store: Store, handle: string): Promise<Handle | null> {
  return store.collection<Handle>('handles').findOne({ _id: handle.toLowerCase() });
}
