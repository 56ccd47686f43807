// What is said of a collective's posts. Called by federation/outbox.ts only.
import { findCollective } from '../../server/collectives/queries.js';
import { isPublic } from '../../server/collectives/rules.js';
import type { Collective } from '../../server/collectives/schema.js';
import { findGroup, findGroupPost } from '../../server/groups/queries.js';
import { contextIri, groupKey } from '../../server/groups/rules.js';
import { findRemoteActor } from '../../server/partners/queries.js';
import { deliveryInbox } from '../../server/partners/rules.js';
import { postPath } from '../../server/posts/present.js';
import { findPost } from '../../server/posts/queries.js';
import { renderPostHtml } from '../../server/posts/render.js';
import type { Post } from '../../server/posts/schema.js';
import { type Activity, findLastOfSubject } from '../activities.js';
import type { Federation } from '../federation.js';
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
  const audience = publicAudienceOf(followers);
  return [
    {
      ...frameOf(federation, before.actor, event.postId),
      type: 'Delete',
      object,
      ...audience,
      inboxes: before.inboxes,
    },
  ];
}

/** Create the first time, Update afterwards; nothing of what was deleted, or of a collective that is not public. */
async function say(federation: Federation, event: Announced<'post.published' | 'post.updated'>): Promise<Draft[]> {
  const { store } = federation.house;
  const post = await findPost(store, event.postId);
  const collective = post === null ? null : await findCollective(store, post.collectiveId);
  if (post === null || post.deletedAt !== null || collective === null || !isPublic(collective)) return [];
  const before = await findLastOfSubject(federation, subjectOf(post._id), event.eventId);
  if (before?.type === 'Delete') return [];
  const mentioned = await withAnswered(federation, post, await resolveMentions(federation, post.mentions));
  const group = await groupOf(federation, post);
  const updated = before === null ? null : (post.updatedAt ?? event.at);
  const note = await noteOf(federation, collective, post, mentioned, updated, group);
  const remote = mentioned.flatMap(({ actor }) => (actor ? [deliveryInbox(actor)] : []));
  const audience = publicAudienceOf(federation.apex.streamsOf(collective.handle).followers, [
    ...new Set([...(group ? [group.iri] : []), ...mentioned.map(({ iri }) => iri)]),
  ]);
  const inboxes = [...new Set([...remote, ...formerInboxes(before)])];
  const type = before === null ? 'Create' : 'Update';
  return [
    {
      ...frameOf(federation, collective.handle, post._id),
      type,
      object: note,
      ...audience,
      ...(group ? { audience: group.iri } : {}),
      inboxes,
    },
  ];
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

/** Whoever is answered is told, named in the text or not. */
async function withAnswered(federation: Federation, post: Post, mentioned: Mentioned[]): Promise<Mentioned[]> {
  const iri = post.inReplyTo?.author;
  if (iri === undefined || mentioned.some((one) => one.iri === iri)) return mentioned;
  const actor = await findRemoteActor(federation.house.store, iri);
  return actor ? [...mentioned, { mention: actor.handle, iri, page: actor.url ?? iri, actor }] : mentioned;
}

/** Whoever was told of the first version is told of the next, mentioned in it or not. */
function formerInboxes(before: Activity | null): string[] {
  return before?.inboxes ?? [];
}

async function noteOf(
  federation: Federation,
  collective: Collective,
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
    actor: apex.actorIri(collective.handle),
    followers: apex.streamsOf(collective.handle).followers,
    url: `${house.site.baseUrl}${postPath(collective, post)}`,
    html: { fr: await html('fr'), en: await html('en') },
    language: house.site.defaultLanguage,
    published: post.publishedAt,
    updated,
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
): Pick<Draft, 'actor' | 'subject' | 'objectIri' | 'toFollowers' | 'listed'> {
  return {
    actor: handle,
    subject: subjectOf(postId),
    objectIri: federation.apex.objectIri(postId),
    toFollowers: true,
    listed: true,
  };
}
