// Whom of ours a post from elsewhere concerns though nobody follows its author: those whose object it answers, and those whom
// it names. Who is not welcome or has sent too much today concerns nobody. Writes nothing.
import type { Addressed } from '../server/partners/actions/mentions.js';
import { findMentionOf, hasRoomForMention, hasRoomForReaction, isUnwelcome } from '../server/partners/queries.js';
import { isMeantFor, isPublicAudience, postKey } from '../server/partners/rules.js';
import type { RemotePost } from '../server/partners/schema.js';
import type { Store } from '../server/store/store.js';
import { findLastOfObject } from './activities.js';
import { findLocalActor } from './actors.js';
import type { Federation } from './federation.js';
import { isLocal, localHandleIn } from './iris.js';

/** Actors of ours told of one post: a list of names is no way to reach everybody here. */
const maxAddressed = 10;

export async function addressedBy(federation: Federation, post: RemotePost): Promise<Addressed[]> {
  const { store, now } = federation.house;
  const [author] = post.authors;
  if (author === undefined) return [];
  const found: Addressed[] = [];
  const answered = await answeredBy(federation, post);
  const wanted = new Set([...(answered === null ? [] : [answered.reader]), ...namedIn(federation, post)]);
  for (const reader of [...wanted].slice(0, maxAddressed)) {
    const actor = await findLocalActor(federation, localHandleIn(federation.house.site, reader) ?? '');
    // The instance and its groups read no mentions: who may write into a group is decided there (groups.ts).
    const isReader = actor !== null && actor !== 'gone' && (actor.kind === 'collective' || actor.kind === 'person');
    if (!isReader || actor.iri !== reader || (await isAnyUnwelcome(store, reader, post.authors))) continue;
    if (!(await hasRoomForMention(store, reader, author, now()))) continue;
    found.push({ reader, answered: answered?.reader === reader ? answered.object : null });
  }
  return found;
}

/** All in whose name it is count: nobody gets past a block by standing behind a neighbour. */
async function isAnyUnwelcome(store: Store, reader: string, authors: readonly string[]): Promise<boolean> {
  for (const author of authors) if (await isUnwelcome(store, reader, author)) return true;
  return false;
}

function namedIn(federation: Federation, post: RemotePost): string[] {
  const { site } = federation.house;
  const names = [...(post.mentions ?? []), ...post.audience];
  return names.filter((iri) => isLocal(site, iri) && localHandleIn(site, iri) !== null && isMeantFor(post, iri));
}

/** The object of ours beneath which it stands, at any depth that is known here, and whose that is. */
async function answeredBy(
  federation: Federation,
  post: RemotePost,
): Promise<{ reader: string; object: string } | null> {
  const { inReplyTo } = post;
  if (inReplyTo === null) return null;
  if (!isLocal(federation.house.site, inReplyTo)) {
    const above = await findMentionOf(federation.house.store, postKey(inReplyTo));
    if (above === null || above.answered === null || !isReadableBy(post, above.reader)) return null;
    return { reader: above.reader, object: above.answered };
  }
  const last = await findLastOfObject(federation, inReplyTo);
  if (last === null || last.type === 'Delete' || last.objectJson === null) return null;
  const reader = federation.apex.actorIri(last.actor);
  return isReadableBy(post, reader) ? { reader, object: inReplyTo } : null;
}

/** The local actor whose public object that is, when the sender may react to it; null: there is none, or not from there. */
export async function ownerToldBy(federation: Federation, objectIri: string, sender: string): Promise<string | null> {
  const { site, store, now } = federation.house;
  if (!isLocal(site, objectIri)) return null;
  const last = await findLastOfObject(federation, objectIri);
  if (last === null || last.type === 'Delete' || !last.isPublic) return null;
  const owner = await findLocalActor(federation, last.actor);
  if (owner === null || owner === 'gone' || (await isUnwelcome(store, owner.iri, sender))) return null;
  return (await hasRoomForReaction(store, sender, now())) ? owner.iri : null;
}

function isReadableBy(post: RemotePost, reader: string): boolean {
  return isPublicAudience(post.audience) || post.audience.includes(reader);
}
