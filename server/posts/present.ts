// Posts as plain data for templates and feeds. HTML comes from render.ts only, so it is safe to show.
import { editPath, nameIn } from '../collectives/present.js';
import { listCollectivesById } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Language } from '../context.js';
import type { Handle } from '../handles/handles.js';
import { listPeopleById } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import { textIn } from '../shapes.js';
import type { Store } from '../store/store.js';
import type { Owner } from './queries.js';
import { renderPostHtml } from './render.js';
import type { Post } from './schema.js';

function isCollective(owner: Owner): owner is Collective {
  return 'profile' in owner;
}

export function ownerName(owner: Owner, language: Language): string {
  return isCollective(owner) ? nameIn(owner, language) : owner.displayName || (owner.handle ?? '');
}

/** Where the owner's posts are corrected and deleted. */
export function deskPath(owner: Owner): string {
  return isCollective(owner) ? editPath(owner) : '/me';
}

export function postPath(owner: { handle?: string | null }, post: Pick<Post, '_id'>): string {
  return `/@${owner.handle ?? ''}/posts/${post._id}`;
}

export async function presentPosts(store: Store, owner: Owner, posts: readonly Post[], language: Language) {
  const localHandles = await findLocalHandles(store, posts);
  return Promise.all(posts.map((post) => presentPost(owner, post, language, localHandles)));
}

async function presentPost(owner: Owner, post: Post, language: Language, localHandles: ReadonlySet<string>) {
  const shown: Language = post.text[language] ? language : language === 'fr' ? 'en' : 'fr';
  return {
    href: postPath(owner, post),
    editHref: `${deskPath(owner)}/posts/${post._id}/edit`,
    deleteHref: `${deskPath(owner)}/posts/${post._id}/delete`,
    author: ownerName(owner, language),
    isPrivate: post.isPrivate === true,
    title: titleOf(post, language),
    lang: shown,
    html: await renderPostHtml(post.text, language, { mentionHref: mentionPages(localHandles) }),
    publishedAt: post.publishedAt,
    updatedAt: post.updatedAt,
    version: post.version,
  };
}

/** Names of this instance lead to their pages; a name elsewhere stays text, because its page is not known here. */
function mentionPages(localHandles: ReadonlySet<string>): (mention: string) => string | null {
  return (mention) => (localHandles.has(mention) ? `/@${mention}` : null);
}

/** Which of the mentions are names of this instance with a page that everybody sees. */
async function findLocalHandles(store: Store, posts: readonly Post[]): Promise<Set<string>> {
  const names = [...new Set(posts.flatMap((post) => post.mentions))].filter((name) => !name.includes('@'));
  if (names.length === 0) return new Set();
  const handles = await store
    .collection<Handle>('handles')
    .find({ _id: { $in: names } })
    .toArray();
  const ownersOf = (kind: Handle['kind']) =>
    handles.flatMap((handle) => (handle.kind === kind && !handle.retiredAt ? [handle.ownerId] : []));
  const [collectives, people] = await Promise.all([
    listCollectivesById(store, ownersOf('collective')),
    listPeopleById(store, ownersOf('person')),
  ]);
  const shown = [...collectives.filter(isPublic), ...people.filter(isPublicPerson)].map((owner) => owner._id);
  return new Set(handles.flatMap((handle) => (shown.includes(handle.ownerId) ? [handle._id] : [])));
}

/** The first words, without Markdown's signs: what stands in a tab or a feed reader. */
function titleOf(post: Pick<Post, 'text'>, language: Language): string {
  const words = textIn(post.text, language)
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`#>~]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (words.length <= 80) return words;
  const cut = words.slice(0, 80);
  const end = cut.lastIndexOf(' ');
  return `${end > 40 ? cut.slice(0, end) : cut}…`;
}
