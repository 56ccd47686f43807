// What one of ours may take along of its partners: for the download of one's own data, and as the list that Mastodon reads.
import { toCsv } from '../formats/csv.js';
import type { Store } from '../store/store.js';
import { blocksIn } from './blockQueries.js';
import { findMove, followingsIn, interactionsIn, listFollowings, votesIn } from './queries.js';
import type { Following, RemoteActor } from './schema.js';

/** All that is kept about whom one of ours follows, in which lists, whom it keeps away, and what it did with posts. */
export async function exportPartners(store: Store, iri: string, handle: string): Promise<Record<string, unknown>> {
  const followings = await followingsIn(store).find({ follower: iri }).toArray();
  const interactions = await interactionsIn(store).find({ actor: iri }).toArray();
  const blocks = await blocksIn(store).find({ blocker: iri, undone: false }).toArray();
  const votes = await votesIn(store).find({ actor: iri }).toArray();
  const move = await findMove(store, handle);
  return {
    followings: followings.map(({ followed, state, lists, muted, requestedAt, decidedAt }) => ({
      ...{ followed, state, lists, muted, requestedAt, decidedAt },
    })),
    interactions: interactions.map(({ kind, postIri, undone, at }) => ({ kind, post: postIri, undone, at })),
    blocks: blocks.map(({ kind, target, note, at }) => ({ kind, target, note, at })),
    votes: votes.map(({ postIri, choices, at }) => ({ post: postIri, choices, at })),
    accountsElsewhere: move?.aliases ?? [],
    movedTo: move?.movedTo ?? null,
  };
}

/** Whom one of ours follows or asked to follow, in the columns of Mastodon's export. */
export async function exportFollowings(store: Store, iri: string): Promise<string> {
  const lists = await Promise.all([listFollowings(store, iri, 'accepted'), listFollowings(store, iri, 'pending')]);
  return writeFollowings(lists.flat());
}

/** Who cannot be named as user@host any more is left out: no other server could look it up. */
export function writeFollowings(rows: readonly { following: Following; actor: RemoteActor | null }[]): string {
  const named = rows.flatMap(({ following, actor }) => (actor?.handle.includes('@') ? [{ following, actor }] : []));
  return toCsv(named, [
    { header: 'Account address', value: ({ actor }) => actor.handle },
    { header: 'Show boosts', value: () => 'true' },
    { header: 'Notify on new posts', value: () => 'false' },
    { header: 'Languages', value: () => '' },
  ]);
}
