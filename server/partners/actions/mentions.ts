// What anybody elsewhere writes to one of ours: answers to what we published, posts that name us. Kept once for each reader;
// what our side decides about it (seen, hidden, shown). Who may be told at all was decided by federation/addressed.ts.
import type { Context } from '../../context.js';
import { DomainError } from '../../errors.js';
import { readPolicy } from '../../instances/queries.js';
import { isLimitedPeer } from '../../instances/rules.js';
import { DuplicateKeyError } from '../../store/store.js';
import { listWhoHide } from '../blockQueries.js';
import { getParty, isFollowedHere, mentionsIn, remotePostsIn } from '../queries.js';
import { feedPosition, isPublicAudience, postKey } from '../rules.js';
import type { Mention, MentionState, PartyRef, RemotePost } from '../schema.js';
import { keepPost } from './feed.js';

/** One of ours who is answered or named. */
export interface Addressed {
  /** IRI of the local actor. */
  reader: string;
  /** IRI of the object of that actor beneath which the post stands; null: it only names the actor. */
  answered: string | null;
}

/**
 * Keeps a post for those of ours whom it answers or names. From a limited server it waits before it stands beneath our post,
 * unless its author is followed here. A repeat changes nothing; what was deleted stays so.
 */
export async function receiveMentions(ctx: Context, post: RemotePost, addressed: readonly Addressed[]): Promise<void> {
  const [author = ''] = post.authors;
  if (addressed.length === 0 || !URL.canParse(author)) return;
  const isAnswer = addressed.some(({ answered }) => answered !== null);
  const kept = await keepPost(ctx, isAnswer ? { ...post, isAnswer } : post);
  // What is kept under this id decides: nobody is let in to a neighbour's post by naming it.
  if (kept.deletedAt !== null || !kept.authors.includes(author)) return;
  if (isAnswer && !kept.isAnswer) await remotePostsIn(ctx.store).updateOne({ _id: kept._id }, { $set: { isAnswer } });
  const isLimited = isLimitedPeer(await readPolicy(ctx.store), author) && !(await isFollowedHere(ctx.store, author));
  const hidden = await listWhoHide(ctx.store, kept.authors);
  const mentions = addressed.map(
    ({ reader, answered }): Mention => ({
      _id: postKey(`${reader} ${kept._id}`),
      ...{ reader, answered, author, post: kept._id, host: new URL(author).host },
      position: feedPosition(kept.publishedAt, ctx.now, kept._id),
      isPublic: isPublicAudience(kept.audience),
      state: isLimited ? 'waiting' : 'shown',
      // Nobody is called to what they do not want to read.
      isSeen: hidden.has(reader),
      at: ctx.now,
    }),
  );
  try {
    await mentionsIn(ctx.store).insertMany(mentions, { ordered: false });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}

/** Everything that has arrived for one of ours counts as seen. Refuses: not-found. */
export async function seeMentions(ctx: Context, ref: PartyRef): Promise<void> {
  const { iri } = await getParty(ctx, ref);
  await mentionsIn(ctx.store).updateMany({ reader: iri, isSeen: false }, { $set: { isSeen: true } });
}

/** Takes an answer off our page, or lets it stand there (again). Nobody elsewhere is told. Refuses: not-found. */
export async function placeAnswer(
  ctx: Context,
  ref: PartyRef,
  mentionId: string,
  state: Exclude<MentionState, 'waiting'>,
): Promise<void> {
  const { iri } = await getParty(ctx, ref);
  const known = await mentionsIn(ctx.store).findOne({ _id: mentionId });
  if (known?.reader !== iri || known.answered === null) throw new DomainError('not-found', 'error.notFound');
  await mentionsIn(ctx.store).updateOne({ _id: mentionId }, { $set: { state, isSeen: true } });
}
