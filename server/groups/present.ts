// Groups as plain data for templates and feeds. What comes from elsewhere is cleaned each time it is shown; what our collectives
// wrote is read from their posts, in the reader's language.
import { nameIn, pagePath } from '../collectives/present.js';
import { listCollectivesById } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Language, Site } from '../context.js';
import { presentRemotePost } from '../partners/present.js';
import { mapActors } from '../partners/queries.js';
import type { RemoteActor } from '../partners/schema.js';
import { presentPosts } from '../posts/present.js';
import { listPostsById } from '../posts/queries.js';
import type { Post } from '../posts/schema.js';
import { textIn } from '../shapes.js';
import type { Store } from '../store/store.js';
import { isOpen } from './rules.js';
import type { Group, GroupPost } from './schema.js';

export function groupPath(group: Pick<Group, 'handle'>): string {
  return `/@${group.handle}`;
}

export function threadPath(group: Pick<Group, 'handle'>, thread: string): string {
  return `${groupPath(group)}/threads/${thread}`;
}

/** Where one post stands in its thread. */
export function groupPostPath(group: Pick<Group, 'handle'>, post: { key: string; thread: string }): string {
  return `${threadPath(group, post.thread)}#${anchorOf(post.key)}`;
}

function anchorOf(key: string): string {
  return `p-${key.slice(0, 16)}`;
}

export function presentGroup(group: Group, site: Site, language: Language) {
  return {
    name: textIn(group.name, language),
    path: groupPath(group),
    feedHref: `${groupPath(group)}/threads.atom`,
    fediverseName: `@${group.handle}@${site.host}`,
    paragraphs: textIn(group.summary, language)
      .split(/\n{2,}/)
      .filter(Boolean),
    summaryLang: group.summary[language] ? language : language === 'fr' ? 'en' : 'fr',
    isOpen: isOpen(group),
    isRestricted: group.postingRestrictedToMods,
    since: group.createdAt,
  };
}

/** Posts of a group in the order given. Those whose collective took them back, or is hidden, are left out. */
export async function presentGroupPosts(store: Store, group: Group, posts: readonly GroupPost[], language: Language) {
  const own = await listPostsById(
    store,
    posts.flatMap(({ postId }) => (postId === null ? [] : [postId])),
  );
  const collectives = await listCollectivesById(
    store,
    own.map(({ ownerId }) => ownerId),
  );
  const actors = await mapActors(
    store,
    posts.map(({ author }) => author),
  );
  const shown = await Promise.all(
    posts.map(async (post) => {
      const written = own.find(({ _id }) => _id === post.postId);
      const by = collectives.find(({ _id }) => _id === written?.ownerId);
      const body =
        post.postId === null
          ? await presentForeign(post, actors.get(post.author) ?? null, language)
          : await presentOwn(store, written, by, language);
      if (body === null) return [];
      const { title } = body;
      return [
        {
          ...body,
          ...{ key: post._id, anchor: anchorOf(post._id), href: threadPath(group, post.thread), title },
          reportHref: `/report?about=${encodeURIComponent(post.postId === null ? post.iri : (body.originHref ?? ''))}`,
        },
      ];
    }),
  );
  return shown.flat();
}

export type PresentedGroupPost = Awaited<ReturnType<typeof presentGroupPosts>>[number];

async function presentForeign({ content }: GroupPost, author: RemoteActor | null, language: Language) {
  if (content === null) return null;
  const shown = await presentRemotePost('', content, author, language);
  const headline = shown.isHidden ? shown.warning : content.title || firstWords(shown.html);
  return { ...shown, heading: content.title, title: headline, isLocal: false };
}

async function presentOwn(store: Store, post: Post | undefined, by: Collective | undefined, language: Language) {
  if (!post || post.deletedAt !== null || !by || !isPublic(by)) return null;
  const [shown] = await presentPosts(store, by, [post], language);
  if (!shown) return null;
  const author = { name: nameIn(by, language), handle: `@${by.handle}`, host: '', href: pagePath(by) };
  return { ...shown, author, heading: '', isHidden: false, warning: '', originHref: shown.href, isLocal: true };
}

/** The beginning of a cleaned text, without its marks: what stands in a list. */
export function firstWords(html: string): string {
  const text = html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(lt|gt|quot|#39|#x27|amp);/g, (_whole, name: string) => entities[name] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
  if (text.length <= 100) return text;
  const cut = text.slice(0, 100);
  const end = cut.lastIndexOf(' ');
  return `${end > 50 ? cut.slice(0, end) : cut}…`;
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", amp: '&' };

/** The moderators who are not all our hosters, as the administrator writes them: by name where it is known. */
export function presentModerators(group: Group, actors: ReadonlyMap<string, RemoteActor>): string {
  return group.moderators.map((iri) => nameOfModerator(iri, actors)).join('\n');
}

export function nameOfModerator(iri: string, actors: ReadonlyMap<string, RemoteActor>): string {
  const actor = actors.get(iri);
  return actor ? `@${actor.handle}` : iri;
}
