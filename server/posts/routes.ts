// Where a hoster writes to everybody, and where everybody reads it: pages and feed.
import { editPath, nameIn, paged, pagePath, presentEditFrame } from '../collectives/present.js';
import { enterCollective, findPublicly } from '../collectives/queries.js';
import { isPublic, mayEditCollective } from '../collectives/rules.js';
import { toAtom } from '../formats/atom.js';
import type { House } from '../house.js';
import type { FormState } from '../http/form.js';
import { Routes, type Visit } from '../http/routes.js';
import type { LocalText } from '../shapes.js';
import { deletePost, publishPost, updatePost } from './actions.js';
import { postPath, presentPosts } from './present.js';
import { countPublicPosts, getPost, listPublicPosts } from './queries.js';
import { renderMarkdown } from './render.js';
import {
  editedPostParams,
  idParams,
  maxPostLength,
  namedParams,
  namedPostParams,
  pageQuery,
  postShape,
} from './schema.js';

const perPage = 20;

export function postRoutes(house: House): Routes {
  const routes = new Routes(house);
  editPages(routes);
  publicPages(routes);
  return routes;
}

function pageAt(wanted: number, total: number): { page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(total / perPage));
  return { page: Math.min(wanted, pages), pages };
}

function editPages(routes: Routes): void {
  const { house } = routes;
  const path = '/my/collectives/:id/posts';

  routes.get(path, { access: 'signedIn', params: idParams, query: pageQuery }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const total = await countPublicPosts(house.store, collective._id);
    const at = pageAt(visit.query.page, total);
    const posts = await listPublicPosts(house.store, collective._id, { page: at.page, limit: perPage });
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'posts', visit.language),
      posts: await presentPosts(house.store, collective, posts, visit.language),
      maySpeak: isPublic(collective),
      newHref: `${editPath(collective)}/posts/new`,
      paging: paged(`${editPath(collective)}/posts`, {}, at),
    };
    await visit.page('posts/edit-list', model, { title: nameIn(collective, visit.language), nav: 'mine' });
  });

  routes.get(`${path}/new`, { access: 'signedIn', params: idParams }, (visit) =>
    showNew(visit, { values: {}, errors: [] }),
  );
  routes.post(
    `${path}/new`,
    { access: 'signedIn', params: idParams, body: postShape, retry: showNew },
    async (visit) => {
      const { step, text } = visit.body;
      if (step === 'preview') return showNew(visit, { values: { text }, errors: [] }, text);
      const post = await publishPost(visit.ctx, visit.params.id, text);
      const collective = await enterCollective(visit.ctx, visit.params.id);
      visit.redirect(postPath(collective, post), { key: 'posts.publish.done' });
    },
  );

  routes.get(`${path}/:post/edit`, { access: 'signedIn', params: editedPostParams }, async (visit) => {
    await enterCollective(visit.ctx, visit.params.id);
    const post = await getPost(house.store, visit.params.id, visit.params.post);
    await showEdit(visit, { values: { text: post.text }, errors: [] });
  });
  routes.post(
    `${path}/:post/edit`,
    { access: 'signedIn', params: editedPostParams, body: postShape, retry: showEdit },
    async (visit) => {
      const { step, text, version } = visit.body;
      if (step === 'preview') return showEdit(visit, { values: { text }, errors: [] }, text);
      const { id } = visit.params;
      const post = await updatePost(visit.ctx, id, visit.params.post, { version, text });
      const collective = await enterCollective(visit.ctx, id);
      visit.redirect(postPath(collective, post), { key: 'posts.update.done' });
    },
  );

  routes.get(`${path}/:post/delete`, { access: 'signedIn', params: editedPostParams }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const found = await getPost(house.store, collective._id, visit.params.post);
    const [post] = await presentPosts(house.store, collective, [found], visit.language);
    const frame = presentEditFrame(visit.ctx.actor, collective, 'posts', visit.language);
    const action = `${frame.base}/posts/${found._id}/delete`;
    await visit.page('posts/delete', { frame, post, action }, { title: visit.t('posts.delete.title'), nav: 'mine' });
  });
  routes.post(`${path}/:post/delete`, { access: 'signedIn', params: editedPostParams }, async (visit) => {
    await deletePost(visit.ctx, visit.params.id, visit.params.post);
    visit.redirect(`/my/collectives/${visit.params.id}/posts`, { key: 'posts.delete.done' });
  });

  async function showNew(
    visit: Visit<{ id: string }, unknown, unknown>,
    form: FormState,
    preview: LocalText | null = null,
  ): Promise<void> {
    await showForm(visit, form, { action: 'new', version: 0, preview });
  }

  async function showEdit(
    visit: Visit<{ id: string; post: string }, unknown, unknown>,
    form: FormState,
    preview: LocalText | null = null,
  ): Promise<void> {
    await enterCollective(visit.ctx, visit.params.id);
    const post = await getPost(house.store, visit.params.id, visit.params.post);
    await showForm(visit, form, { action: `${post._id}/edit`, version: post.version, preview });
  }

  async function showForm(
    visit: Visit<{ id: string }, unknown, unknown>,
    form: FormState,
    { action, version, preview }: { action: string; version: number; preview: LocalText | null },
  ): Promise<void> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const frame = presentEditFrame(visit.ctx.actor, collective, 'posts', visit.language);
    const isNew = action === 'new';
    const model = {
      frame,
      form,
      labels: { 'text.fr': 'posts.text', 'text.en': 'posts.text' },
      version,
      isNew,
      action: `${frame.base}/posts/${action}`,
      maySpeak: isPublic(collective),
      maxPostLength,
      preview: preview && (await presentPreview(preview)),
    };
    const title = visit.t(isNew ? 'posts.new.title' : 'posts.edit.title');
    await visit.page('posts/form', model, { title, nav: 'mine' });
  }
}

/** Both languages as readers will see them. */
async function presentPreview(text: LocalText) {
  const [fr, en] = await Promise.all([renderMarkdown(text.fr), renderMarkdown(text.en)]);
  return [
    { lang: 'fr', label: 'layout.pair.fr', html: fr },
    { lang: 'en', label: 'layout.pair.en', html: en },
  ].filter((one) => one.html !== '');
}

function publicPages(routes: Routes): void {
  const { house } = routes;

  routes.get('/@:name/posts', { access: 'public', params: namedParams, query: pageQuery }, async (visit) => {
    const collective = await findPublicly(visit.ctx, visit.params.name);
    if (!collective) return visit.pass();
    const total = await countPublicPosts(house.store, collective._id);
    const at = pageAt(visit.query.page, total);
    const posts = await listPublicPosts(house.store, collective._id, { page: at.page, limit: perPage });
    const name = nameIn(collective, visit.language);
    const path = pagePath(collective);
    const model = {
      name,
      posts: await presentPosts(house.store, collective, posts, visit.language),
      crumbs: [
        { href: '/collectives', key: 'collectives.list.title' },
        { href: path, label: name },
      ],
      feedHref: `${path}/posts.atom`,
      paging: paged(`${path}/posts`, {}, at),
    };
    await visit.page('posts/list', model, {
      title: visit.t('posts.list.title', { name }),
      nav: 'collectives',
      alternates: [{ type: 'application/atom+xml', href: `${path}/posts.atom`, title: name }],
    });
  });

  routes.get('/@:name/posts.atom', { access: 'public', params: namedParams }, async (visit) => {
    const collective = await findPublicly(visit.ctx, visit.params.name);
    if (!collective || !isPublic(collective)) return visit.pass();
    const { baseUrl } = house.site;
    const { language } = visit;
    const name = nameIn(collective, language);
    const pageUrl = baseUrl + pagePath(collective);
    const posts = await listPublicPosts(house.store, collective._id, { limit: perPage });
    const shown = await presentPosts(house.store, collective, posts, language);
    const feed = toAtom({
      id: `${pageUrl}/posts`,
      title: visit.t('posts.list.title', { name }),
      language,
      selfUrl: `${pageUrl}/posts.atom`,
      pageUrl: `${pageUrl}/posts`,
      updatedAt: posts[0]?.updatedAt ?? posts[0]?.publishedAt ?? collective.createdAt,
      author: { name, url: pageUrl },
      entries: posts.map((post, index) => ({
        id: `${baseUrl}/objects/${post._id}`,
        title: shown[index]?.title ?? '',
        url: baseUrl + postPath(collective, post),
        publishedAt: post.publishedAt,
        updatedAt: post.updatedAt ?? post.publishedAt,
        html: (shown[index]?.html ?? '').replaceAll('href="/', `href="${baseUrl}/`),
      })),
    });
    visit.res.vary('Accept-Language').set('Content-Language', language);
    visit.res.type('application/atom+xml').send(feed);
  });

  routes.get('/@:name/posts/:post', { access: 'public', params: namedPostParams }, async (visit) => {
    const collective = await findPublicly(visit.ctx, visit.params.name);
    if (!collective) return visit.pass();
    const found = await getPost(house.store, collective._id, visit.params.post);
    const [post] = await presentPosts(house.store, collective, [found], visit.language);
    const name = nameIn(collective, visit.language);
    const path = pagePath(collective);
    const model = {
      name,
      post,
      crumbs: [
        { href: path, label: name },
        { href: `${path}/posts`, key: 'posts.list.crumb' },
      ],
      interactHref: isPublic(collective) ? `/interact?post=${found._id}` : null,
      can: { edit: mayEditCollective(visit.ctx.actor, collective) && collective.deletedAt === null },
    };
    await visit.page('posts/page', model, {
      title: post?.title ?? name,
      nav: 'collectives',
      noIndex: !collective.published,
      alternates: isPublic(collective) ? [{ type: 'application/activity+json', href: `/objects/${found._id}` }] : [],
    });
  });
}
