// Reads of blocks: whom one of ours wants nothing from. What follows from it is decided in actions/.
import type { Coll, CollectionIndexes, Store } from '../store/store.js';
import { blockTargetsOf } from './rules.js';
import type { Block, BlockKind } from './schema.js';

export const blockIndexes: CollectionIndexes = {
  blocks: [
    { keys: { target: 1, undone: 1, blocker: 1 } },
    { keys: { blocker: 1, undone: 1, at: -1, _id: 1 } },
    { keys: { undone: 1, at: 1 } },
    { keys: { 'events.eventId': 1 }, sparse: true },
  ],
};

export function blocksIn(store: Store): Coll<Block> {
  return store.collection<Block>('blocks');
}

export async function findBlock(store: Store, id: string): Promise<Block | null> {
  return blocksIn(store).findOne({ _id: id });
}

/** Whether an actor of ours (its IRI) has blocked an actor elsewhere, by itself or by its domain. */
export async function isBlockedBy(store: Store, local: string, remote: string): Promise<boolean> {
  const kinds: BlockKind[] = ['actor', 'domain'];
  const standing = { target: { $in: blockTargetsOf(remote) }, undone: false, blocker: local, kind: { $in: kinds } };
  return (await blocksIn(store).findOne(standing, { projection: { _id: 1 } })) !== null;
}

/**
 * Who of ours reads nothing of any of these actors: blocked or muted, or their domain. 'muted': by muting an actor alone, so that
 * what comes meanwhile is there once that is taken back.
 */
export async function listWhoHide(
  store: Store,
  remotes: readonly string[],
): Promise<ReadonlyMap<string, 'hidden' | 'muted'>> {
  const targets = [...new Set(remotes.flatMap(blockTargetsOf))];
  const found = await blocksIn(store)
    .find({ target: { $in: targets }, undone: false }, { projection: { blocker: 1, kind: 1 } })
    .toArray();
  const how = new Map<string, 'hidden' | 'muted'>();
  for (const { blocker, kind } of found) {
    if (kind !== 'muteActor') how.set(blocker, 'hidden');
    else if (!how.has(blocker)) how.set(blocker, 'muted');
  }
  return how;
}

/** Actors that one of ours has muted by themselves. */
export async function listMutedActors(store: Store, reader: string): Promise<string[]> {
  const standing = { blocker: reader, undone: false, kind: 'muteActor' as const };
  return (
    await blocksIn(store)
      .find(standing, { projection: { target: 1 } })
      .toArray()
  ).map(({ target }) => target);
}

/** Which of these actors one of ours does not read. */
export async function hiddenFrom(store: Store, reader: string, remotes: readonly string[]): Promise<Set<string>> {
  const targets = [...new Set(remotes.flatMap(blockTargetsOf))];
  if (targets.length === 0) return new Set();
  const found = await blocksIn(store)
    .find({ target: { $in: targets }, undone: false, blocker: reader }, { projection: { target: 1 } })
    .toArray();
  const hit = new Set(found.map(({ target }) => target));
  return new Set(remotes.filter((remote) => blockTargetsOf(remote).some((target) => hit.has(target))));
}

export interface BlockPage {
  items: Block[];
  total: number;
  page: number;
  pages: number;
}

/** What one of ours has blocked or muted, newest first. Pages from 1. */
export async function pageBlocks(
  store: Store,
  blocker: string,
  { page, perPage }: { page: number; perPage: number },
): Promise<BlockPage> {
  const total = await blocksIn(store).countDocuments({ blocker, undone: false });
  const pages = Math.max(1, Math.ceil(total / perPage));
  const current = Math.min(page, pages);
  const options = { sort: { at: -1, _id: 1 } as const, skip: (current - 1) * perPage, limit: perPage };
  return {
    items: await blocksIn(store).find({ blocker, undone: false }, options).toArray(),
    total,
    page: current,
    pages,
  };
}
