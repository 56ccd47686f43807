// What is said of posts, of collectives and of people. Called by federation/outbox.ts only.
import { findCollective } from '../../server/collectives/queries.js';
import { isPublic } from '../../server/collectives/rules.js';
import { findGroup, findGroupPost } from '../../server/groups/queries.js';
import { contextIri, groupKey } from '../../server/groups/rules.js';
import { findRemoteActor, findRemotePost } from '../../server/partners/queries.js';
import { deliveryInbox } from '../../server/partners/rules.js';
import { findPerson } from '../../server/people/queries.js';
import { isPublicPerson } from '../../server/people/rules.js';
import { postPath } from '../../server/posts/present.js';
import { findPost } from '../../server/posts/queries.js';
import { renderPostHtml } from '../../server/posts/render.js';
import type { Post } from '../../server/posts/schema.js';
import type { Store } from '../../server/store/store.js';
import { type Activity, findLastOfSubject } from '../activities.js';
import type { Federation } from '../federation.js';
import { isObject } from '../json.js';
import { type Mentioned, resolveMentions } from '../mentions.js';
import type { Announced, Draft } from '../outbox.js';
import { publicAudienceOf } from '../wire/namespace.js';
import { toNote, toTombstone } from '../wire/note.js';

export function announcePost(federation: Federation, event: Announced<'post.published'>): Promise<Draft[]> {
  return say(federation, event);
}

export function announcePostChange(federation: Federation, event: Announced<'post.updated'>): Promise<Draft[]> {
  return say(federation, event);
}

export async function announcePostGone(federation: Federation, event: Announced<'post.deleted'>): Promise<Draft[]> {
  const before = await findLastOfSubject(federation, subjectOf(event.postId), event.eventId);
  if (before === null || before.type === 'Delete') return [];
  const object = toTombstone(federation.apex.objectIri(event.postId), 'Note', event.at);
  const { followers } = federation.apex.streamsOf(before.actor);
  const audience = before.isPublic ? publicAudienceOf(followers) : privateAudienceIn(before);
  return [
    {
      ...frameOf(federation, before.actor, event.postId, !before.isPublic),
      type: 'Delete',
      object,
      ...audience,
      inboxes: before.inboxes,
    },
  ];
}

/** Those to whom it was said. */
function privateAudienceIn(before: Activity): { to: string[]; cc: string[] } {
  const json: unknown = before.json === '' ? {} : JSON.parse(before.json);
  const to = isObject(json) ? [json.to].flat().filter((one): one is string => typeof one === 'string') : [];
  return { to, cc: [] };
}

/** Create the first time, Update afterwards; nothing of what was deleted, or of one who is not public. */
async function say(federation: Federation, event: Announced<'post.published' | 'post.updated'>): Promise<Draft[]> {
  const { store } = federation.house;
  const post = await findPost(store, event.postId);
  const handle = post === null ? null : await publicHandleOf(store, post);
  if (post === null || post.deletedAt !== null || handle === null) return [];
  const before = await findLastOfSubject(federation, subjectOf(post._id), event.eventId);
  if (before?.type === 'Delete') return [];
  const isPrivate = post.isPrivate === true;
  const named = isPrivate ? [] : await resolveMentions(federation, post.mentions);
  const mentioned = await withAnswered(federation, post, named);
  const group = await groupOf(federation, post);
  const updated = before === null ? null : (post.updatedAt ?? event.at);
  const note = await noteOf(federation, handle, post, mentioned, updated, group);
  const remote = mentioned.flatMap(({ actor }) => (actor ? [deliveryInbox(actor)] : []));
  const iris = mentioned.map(({ iri }) => iri);
  const { followers } = federation.apex.streamsOf(handle);
  const addressed = [...new Set([...(group ? [group.iri] : []), ...iris])];
  const audience = isPrivate ? { to: iris, cc: [] } : publicAudienceOf(followers, addressed);
  const inboxes = [...new Set([...remote, ...formerInboxes(before)])];
  const type = before === null ? 'Create' : 'Update';
  const forGroup = group ? { audience: group.iri } : {};
  return [
    { ...frameOf(federation, handle, post._id, isPrivate), type, object: note, ...audience, ...forGroup, inboxes },
  ];
}

/** The name under which its owner can be seen; null: they cannot. */
async function publicHandleOf(store: Store, post: Post): Promise<string | null> {
  if (post.ownerKind === 'person') {
    const person = await findPerson(store, post.ownerId);
    return person && isPublicPerson(person) ? (person.handle ?? null) : null;
  }
  const collective = await findCollective(store, post.ownerId);
  return collective && isPublic(collective) ? collective.handle : null;
}

/** The group for which it is, and the thread: that of what it answers, else the one that it begins. */
async function groupOf(federation: Federation, post: Post) {
  const { apex, house } = federation;
  const group = post.groupId === undefined ? null : await findGroup(house.store, post.groupId);
  if (group === null || group.deletedAt !== null) return null;
  const parent = post.inReplyTo ? await findGroupPost(house.store, group._id, post.inReplyTo.iri) : null;
  const thread = parent?.thread ?? groupKey(group._id, apex.objectIri(post._id));
  const iri = apex.actorIri(group.handle);
  return { iri, name: `@${group.handle}@${house.site.host}`, context: contextIri(house.site, thread) };
}

/** Whoever is answered is told, named in the text or not; and the group elsewhere in which that stands (FEP-1b12). */
async function withAnswered(federation: Federation, post: Post, mentioned: Mentioned[]): Promise<Mentioned[]> {
  if (post.inReplyTo === undefined) return mentioned;
  const { iri, author } = post.inReplyTo;
  const { store } = federation.house;
  const answered = post.isPrivate ? null : await findRemotePost(store, iri);
  const actors = await Promise.all([author, ...(answered?.audience ?? [])].map((one) => findRemoteActor(store, one)));
  const missing = actors.flatMap((actor) => {
    if (actor === null || mentioned.some((one) => one.iri === actor._id)) return [];
    if (actor._id !== author && actor.type !== 'Group') return [];
    return [{ mention: actor.handle, iri: actor._id, page: actor.url ?? actor._id, actor }];
  });
  return [...mentioned, ...missing];
}

/** Whoever was told of the first version is told of the next, mentioned in it or not. */
function formerInboxes(before: Activity | null): string[] {
  return before?.inboxes ?? [];
}

async function noteOf(
  federation: Federation,
  handle: string,
  post: Post,
  mentioned: readonly Mentioned[],
  updated: Date | null,
  group: Awaited<ReturnType<typeof groupOf>>,
) {
  const { apex, house } = federation;
  const pages = new Map(mentioned.map((one) => [one.mention, one.page]));
  const mentionHref = (mention: string): string | null => pages.get(mention) ?? null;
  const html = async (language: 'fr' | 'en'): Promise<string> =>
    post.text[language] ? renderPostHtml(post.text, language, { mentionHref }) : '';
  return toNote({
    iri: apex.objectIri(post._id),
    actor: apex.actorIri(handle),
    followers: apex.streamsOf(handle).followers,
    url: `${house.site.baseUrl}${postPath({ handle }, post)}`,
    html: { fr: await html('fr'), en: await html('en') },
    language: house.site.defaultLanguage,
    published: post.publishedAt,
    updated,
    isPrivate: post.isPrivate === true,
    hashtags: [],
    ...(post.inReplyTo ? { inReplyTo: post.inReplyTo.iri } : {}),
    ...(group ? { group } : {}),
    mentions: mentioned.map(({ mention, iri }) => ({
      name: `@${mention.includes('@') ? mention : `${mention}@${house.site.host}`}`,
      iri,
    })),
  });
}

function subjectOf(postId: string): string {
  return `post:${postId}`;
}

function frameOf(
  federation: Federation,
  handle: string,
  postId: string,
  isPrivate: boolean,
): Pick<Draft, 'actor' | 'subject' | 'objectIri' | 'toFollowers' | 'listed'> {
  return {
    actor: handle,
    subject: subjectOf(postId),
    objectIri: federation.apex.objectIri(postId),
    toFollowers: !isPrivate,
    listed: !isPrivate,
  };
}
