// The pages of a group: what it is, its threads, a feed; and where an administrator switches the announcements group on.
import { paged } from '../collectives/present.js';
import { listCollectivesOf } from '../collectives/queries.js';
import { isPublic } from '../collectives/rules.js';
import { DomainError } from '../errors.js';
import { toAtom } from '../formats/atom.js';
import { findHandle } from '../handles/handles.js';
import type { House } from '../house.js';
import { Routes, type Visit } from '../http/routes.js';
import { countFollows } from '../partners/queries.js';
import { actorIri } from '../partners/rules.js';
import { removeFromGroup } from './actions.js';
import { groupPath, type PresentedGroupPost, presentGroup, presentGroupPosts, threadPath } from './present.js';
import {
  commentsPerPage,
  countThread,
  countThreads,
  findGroup,
  getThread,
  listThread,
  listThreads,
  standingOf,
  threadsPerPage,
} from './queries.js';
import { adminPages } from './routes/adminPages.js';
import { isOpen, mayModerate, mayWrite, type WritingDeed } from './rules.js';
import { type Group, namedParams, pageQuery, removeParams, threadParams } from './schema.js';

type AnyVisit = Visit<unknown, unknown, unknown>;

export function groupRoutes(house: House): Routes {
  const routes = new Routes(house);
  readingPages(routes);
  feed(routes);
  adminPages(routes);
  return routes;
}

/** The group of that name; null: the name belongs to somebody else, or to nobody. Refuses: gone. */
async function groupNamed(visit: AnyVisit, name: string): Promise<Group | null> {
  const handle = await findHandle(visit.ctx.store, name);
  if (handle?.kind !== 'group') return null;
  if (handle.retiredAt) throw new DomainError('gone', 'groups.error.gone');
  return findGroup(visit.ctx.store, handle.ownerId);
}

function pageAt(wanted: number, total: number, perPage: number): { page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(total / perPage));
  return { page: Math.min(wanted, pages), pages };
}

function readingPages(routes: Routes): void {
  const { store, site } = routes.house;

  routes.get('/@:name', { access: 'public', params: namedParams, query: pageQuery }, async (visit) => {
    const group = await groupNamed(visit, visit.params.name);
    if (!group) return visit.pass();
    const [total, followers] = await Promise.all([
      countThreads(store, group._id),
      countFollows(store, actorIri(site, group.handle), 'accepted'),
    ]);
    const at = pageAt(visit.query.page, total, threadsPerPage);
    const found = await listThreads(store, group._id, at.page);
    const posts = await presentGroupPosts(store, group, found, visit.language);
    const threads = await Promise.all(
      posts.map(async (post) => ({ ...post, comments: (await countThread(store, post.key)) - 1 })),
    );
    const shown = presentGroup(group, site, visit.language);
    const model = {
      group: shown,
      threads,
      followers,
      writers: isOpen(group) ? await writersFor(visit, group, 'begin') : [],
      can: { administer: visit.ctx.actor?.kind === 'person' && visit.ctx.actor.instanceRole === 'administrator' },
      paging: paged(groupPath(group), {}, at),
    };
    await visit.page('groups/page', model, {
      title: shown.name,
      nav: 'about',
      description: shown.paragraphs[0] ?? '',
      alternates: [
        { type: 'application/activity+json', href: `/actors/${group.handle}` },
        { type: 'application/atom+xml', href: shown.feedHref, title: shown.name },
      ],
    });
  });

  routes.get('/@:name/threads/:thread', { access: 'public', params: threadParams, query: pageQuery }, async (visit) => {
    const group = await groupNamed(visit, visit.params.name);
    if (!group) return visit.pass();
    const first = await getThread(store, group._id, visit.params.thread);
    const total = await countThread(store, first._id);
    const at = pageAt(visit.query.page, total, commentsPerPage);
    const found = await listThread(store, first._id, at.page);
    const posts = await presentGroupPosts(store, group, found, visit.language);
    const [head] = await presentGroupPosts(store, group, [first], visit.language);
    if (!head) throw new DomainError('gone', 'groups.error.removed');
    const path = threadPath(group, first._id);
    const shown = presentGroup(group, site, visit.language);
    const writers = isOpen(group) ? await writersFor(visit, group, 'comment') : [];
    const withAnswers = (post: PresentedGroupPost) => ({
      ...post,
      answers: writers.map(({ name, path: form }) => ({ name, href: `${form}?answers=${post.key}` })),
    });
    const model = {
      group: shown,
      head: at.page === 1 ? withAnswers(head) : null,
      comments: posts.filter(({ key }) => key !== first._id).map(withAnswers),
      commentCount: total - 1,
      removeAction: mayModerate(visit.ctx.actor) ? `${path}/posts` : null,
      crumbs: [{ href: groupPath(group), label: shown.name }],
      heading: head.heading || visit.t('groups.thread.by', { name: head.author.name }),
      paging: paged(path, {}, at),
    };
    await visit.page('groups/thread', model, {
      title: head.title || model.heading,
      nav: 'about',
      alternates: [{ type: 'application/activity+json', href: `/contexts/${first._id}` }],
    });
  });

  const remove = { access: 'moderator', params: removeParams } as const;
  routes.post('/@:name/threads/:thread/posts/:post/remove', remove, async (visit) => {
    const group = await groupNamed(visit, visit.params.name);
    if (!group) throw new DomainError('not-found', 'error.notFound');
    const { post, thread } = visit.params;
    await removeFromGroup(visit.ctx, group._id, post);
    const isFirst = post === thread;
    visit.redirect(isFirst ? groupPath(group) : threadPath(group, thread), { key: 'groups.remove.done' });
  });
}

/** The reader's collectives that may write, with where they do it. */
async function writersFor(visit: AnyVisit, group: Group, deed: WritingDeed) {
  const { actor, site, store } = visit.ctx;
  if (actor?.kind !== 'person') return [];
  const mine = (await listCollectivesOf(store, actor.personId)).filter(isPublic);
  const found = await Promise.all(
    mine.map(async ({ _id, handle, profile }) => {
      const standing = await standingOf(store, site, group, actorIri(site, handle));
      const name = profile.name[visit.language] || profile.name.fr || profile.name.en;
      return mayWrite(group, standing, deed) ? [{ name, path: `/my/collectives/${_id}/posts/new` }] : [];
    }),
  );
  return found.flat();
}

function feed(routes: Routes): void {
  const { store, site } = routes.house;
  routes.get('/@:name/threads.atom', { access: 'public', params: namedParams }, async (visit) => {
    const group = await groupNamed(visit, visit.params.name);
    if (!group) return visit.pass();
    const { language } = visit;
    const shown = presentGroup(group, site, language);
    const found = await listThreads(store, group._id, 1);
    const posts = await presentGroupPosts(store, group, found, language);
    const pageUrl = site.baseUrl + shown.path;
    const atom = toAtom({
      id: `${actorIri(site, group.handle)}/threads`,
      title: shown.name,
      subtitle: shown.paragraphs[0] ?? '',
      language,
      selfUrl: site.baseUrl + shown.feedHref,
      pageUrl,
      updatedAt: posts[0]?.updatedAt ?? posts[0]?.publishedAt ?? group.createdAt,
      author: { name: shown.name, url: pageUrl },
      entries: posts.map((post) => ({
        id: found.find(({ _id }) => _id === post.key)?.iri ?? pageUrl,
        title: post.title || visit.t('groups.thread.untitled'),
        url: site.baseUrl + post.href,
        publishedAt: post.publishedAt,
        updatedAt: post.updatedAt ?? post.publishedAt,
        html: post.isHidden ? '' : post.html.replaceAll('href="/', `href="${site.baseUrl}/`),
        author: { name: post.author.name },
      })),
    });
    visit.res.vary('Accept-Language').set('Content-Language', language);
    visit.res.type('application/atom+xml').send(atom);
  });
}
