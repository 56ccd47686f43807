// Where a hoster writes to everybody, where a person corrects what they answered, and where everybody reads it: pages and feed.
import { editPath, nameIn, paged, pagePath, presentEditFrame, safeHref } from '../collectives/present.js';
import { enterCollective, findPublicly } from '../collectives/queries.js';
import { isPublic, mayEditCollective, notFound } from '../collectives/rules.js';
import type { Collective } from '../collectives/schema.js';
import type { Context } from '../context.js';
import { DomainError } from '../errors.js';
import { toAtom } from '../formats/atom.js';
import { presentGroup, presentGroupPosts, threadPath } from '../groups/present.js';
import { findAnnouncements, findGroup, findGroupPostByKey, standingOf } from '../groups/queries.js';
import { mayWrite } from '../groups/rules.js';
import type { House } from '../house.js';
import type { FormState } from '../http/form.js';
import { personOf, Routes, type Visit } from '../http/routes.js';
import { presentAnswers, presentReactions } from '../partners/present.js';
import { countReactions, findReadablePost, pageAnswers, pageReactions } from '../partners/queries.js';
import { actorIri, postKey } from '../partners/rules.js';
import { findPersonByHandle, getPerson } from '../people/queries.js';
import { isPublicPerson } from '../people/rules.js';
import type { LocalText } from '../shapes.js';
import type { Store } from '../store/store.js';
import { deletePost, publishPost, updatePost } from './actions.js';
import { deskPath, ownerName, postPath, presentPosts } from './present.js';
import { countPublicPosts, getPost, listOwnPosts, listPublicPosts, listRepliesTo, type Owner } from './queries.js';
import { renderMarkdown } from './render.js';
import { objectIri } from './rules.js';
import {
  editedPostParams,
  idParams,
  maxPostLength,
  namedParams,
  namedPostParams,
  newQuery,
  type Post,
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

/** From where an owner's posts are corrected: a collective's pages, or one's own. */
interface Desk {
  owner: Owner;
  ownerId: string;
  /** Under which its pages lie. */
  base: string;
  /** Null: a person's. */
  collective: Collective | null;
  frame: object | null;
  maySpeak: boolean;
}

type DeskVisit = Visit<{ id?: string | undefined }, unknown, unknown>;

/** Refuses: not-found. */
async function enterDesk(visit: DeskVisit): Promise<Desk> {
  const { ctx, language } = visit;
  const { id } = visit.params;
  if (id === undefined) {
    const owner = await getPerson(ctx.store, personOf(ctx).personId);
    return {
      owner,
      ownerId: owner._id,
      base: deskPath(owner),
      collective: null,
      frame: null,
      maySpeak: isPublicPerson(owner),
    };
  }
  const owner = await enterCollective(ctx, id);
  const frame = presentEditFrame(ctx.actor, owner, 'posts', language);
  return { owner, ownerId: id, base: deskPath(owner), collective: owner, frame, maySpeak: isPublic(owner) };
}

/** What a person writes is listed at once: only answers, and few. */
const maxOwnPosts = 200;

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

  routes.get('/me/posts', { access: 'signedIn' }, async (visit) => {
    const owner = await getPerson(house.store, personOf(visit.ctx).personId);
    const posts = await listOwnPosts(house.store, owner._id, maxOwnPosts);
    const model = { posts: await presentPosts(house.store, owner, posts, visit.language) };
    await visit.page('posts/own', model, { title: visit.t('posts.own.title'), nav: 'mine' });
  });

  routes.get(`${path}/new`, { access: 'signedIn', params: idParams, query: newQuery }, (visit) =>
    showNew(visit, { values: { ...visit.query }, errors: [] }),
  );
  routes.post(
    `${path}/new`,
    { access: 'signedIn', params: idParams, body: postShape, retry: showNew },
    async (visit) => {
      const { step, text, announce, answers } = visit.body;
      if (step === 'preview') return showNew(visit, { values: { text, announce, answers }, errors: [] }, text);
      const collective = await enterCollective(visit.ctx, visit.params.id);
      const answered = await findAnswered(visit.ctx.store, answers);
      const group = answered?.group ?? (announce ? await findAnnouncements(visit.ctx.store) : null);
      const post = await publishPost(visit.ctx, visit.params.id, text, {
        ...(answered ? { inReplyTo: { iri: answered.post.iri, author: answered.post.author } } : {}),
        ...(group ? { groupId: group._id } : {}),
      });
      const path = answered ? threadPath(answered.group, answered.post.thread) : postPath(collective, post);
      visit.redirect(path, { key: group ? 'groups.write.done' : 'posts.publish.done' });
    },
  );
  for (const one of [path, '/me/posts']) correctingPages(routes, one);

  async function showNew(visit: DeskVisit, form: FormState, preview: LocalText | null = null): Promise<void> {
    await showForm(visit, await enterDesk(visit), form, { action: 'new', version: 0, preview });
  }
}

function correctingPages(routes: Routes, path: string): void {
  const { house } = routes;
  const spec = { access: 'signedIn', params: editedPostParams } as const;

  routes.get(`${path}/:post/edit`, spec, async (visit) => {
    const { ownerId } = await enterDesk(visit);
    const post = await getPost(house.store, ownerId, visit.params.post);
    await showEdit(visit, { values: { text: post.text }, errors: [] });
  });
  routes.post(`${path}/:post/edit`, { ...spec, body: postShape, retry: showEdit }, async (visit) => {
    const { step, text, version } = visit.body;
    if (step === 'preview') return showEdit(visit, { values: { text }, errors: [] }, text);
    const desk = await enterDesk(visit);
    const post = await updatePost(visit.ctx, desk.ownerId, visit.params.post, { version, text });
    const path = (await conversationPath(visit, desk, post)) ?? postPath(desk.owner, post);
    visit.redirect(path, { key: 'posts.update.done' });
  });

  routes.get(`${path}/:post/delete`, spec, async (visit) => {
    const desk = await enterDesk(visit);
    const { base, frame, owner, ownerId } = desk;
    const found = await getPost(house.store, ownerId, visit.params.post);
    const [post] = await presentPosts(house.store, owner, [found], visit.language);
    const back = (await conversationPath(visit, desk, found)) ?? `${base}/posts`;
    const title = found.inReplyTo ? 'posts.delete.replyTitle' : 'posts.delete.title';
    const model = { frame, post, back, title, action: `${base}/posts/${found._id}/delete` };
    await visit.page('posts/delete', model, { title: visit.t(title), nav: 'mine' });
  });
  routes.post(`${path}/:post/delete`, spec, async (visit) => {
    const desk = await enterDesk(visit);
    const post = await getPost(house.store, desk.ownerId, visit.params.post);
    const path = (await conversationPath(visit, desk, post)) ?? `${desk.base}/posts`;
    await deletePost(visit.ctx, desk.ownerId, post._id);
    visit.redirect(path, { key: post.inReplyTo ? 'posts.delete.replyDone' : 'posts.delete.done' });
  });

  routes.get(`${path}/:post/reactions`, { ...spec, query: pageQuery }, async (visit) => {
    const { base, frame, owner, ownerId } = await enterDesk(visit);
    const found = await getPost(house.store, ownerId, visit.params.post);
    const [post] = await presentPosts(house.store, owner, [found], visit.language);
    const page = await pageReactions(house.store, objectIri(house.site, found), visit.query.page);
    const paging = paged(`${base}/posts/${found._id}/reactions`, {}, page);
    const model = { frame, post, ...presentReactions(page), paging };
    await visit.page('posts/reactions', model, { title: visit.t('posts.reactions.title'), nav: 'mine' });
  });

  async function showEdit(
    visit: Visit<{ id?: string | undefined; post: string }, unknown, unknown>,
    form: FormState,
    preview: LocalText | null = null,
  ): Promise<void> {
    const desk = await enterDesk(visit);
    const post = await getPost(house.store, desk.ownerId, visit.params.post);
    const back = await conversationPath(visit, desk, post);
    const isReply = post.inReplyTo !== undefined;
    await showForm(visit, desk, form, { action: `${post._id}/edit`, version: post.version, preview, back, isReply });
  }
}

/** Where a reply is read among what it answers; null: it answers nothing that its writer can read there. */
async function conversationPath(
  { ctx }: DeskVisit,
  { owner, base }: Desk,
  { inReplyTo }: Post,
): Promise<string | null> {
  if (!inReplyTo || !owner.handle) return null;
  const answered = await findReadablePost(ctx.store, actorIri(ctx.site, owner.handle), postKey(inReplyTo.iri));
  return answered && `${base}/partners/posts/${answered._id}`;
}

interface ShownForm {
  action: string;
  version: number;
  preview: LocalText | null;
  /** Where one came from; null: the list. */
  back?: string | null;
  isReply?: boolean;
}

async function showForm(
  visit: DeskVisit,
  { base, collective, frame, maySpeak }: Desk,
  form: FormState,
  { action, version, preview, back = null, isReply = false }: ShownForm,
): Promise<void> {
  const isNew = action === 'new';
  const title = isNew ? 'posts.new.title' : isReply ? 'posts.edit.replyTitle' : 'posts.edit.title';
  const place = isNew && collective ? await presentPlace(visit, collective, form) : null;
  const model = {
    base,
    back: back ?? place?.href ?? `${base}/posts`,
    title,
    frame,
    form,
    labels: { 'text.fr': 'posts.text', 'text.en': 'posts.text' },
    version,
    isNew,
    action: `${base}/posts/${action}`,
    maySpeak,
    place,
    maxPostLength,
    preview: preview && (await presentPreview(preview)),
  };
  await visit.page('posts/form', model, { title: visit.t(title), nav: 'mine' });
}

/** The post of a group that is answered, with its group; null: none is. Refuses: not-found. */
async function findAnswered(store: Store, key: string) {
  if (key === '') return null;
  const post = await findGroupPostByKey(store, key);
  const group = post?.removedAt === null ? await findGroup(store, post.groupId) : null;
  if (!post || !group || group.deletedAt !== null) throw new DomainError('not-found', 'error.notFound');
  return { post, group };
}

/** What it answers, or the announcements group when the collective may write there; null: neither. */
async function presentPlace(visit: Visit<unknown, unknown, unknown>, collective: Collective, form: FormState) {
  const { site, store } = visit.ctx;
  const answered = await findAnswered(store, String(form.values.answers ?? ''));
  const group = answered?.group ?? (await findAnnouncements(store));
  if (!group) return null;
  const { name, fediverseName } = presentGroup(group, site, visit.language);
  if (answered) {
    const [shown] = await presentGroupPosts(store, group, [answered.post], visit.language);
    const author = shown?.author.name ?? answered.post.author;
    return { answers: answered.post._id, name, author, href: threadPath(group, answered.post.thread) };
  }
  const standing = await standingOf(store, site, group, actorIri(site, collective.handle));
  return mayWrite(group, standing, 'begin') ? { name, address: fediverseName } : null;
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

  const postPage = { access: 'public', params: namedPostParams, query: pageQuery } as const;
  routes.get('/@:name/posts/:post', postPage, async (visit) => {
    const seen = await findOwner(visit.ctx, visit.params.name);
    if (!seen) return visit.pass();
    const { owner, isShown, mayEdit } = seen;
    const found = await getPost(house.store, owner._id, visit.params.post);
    if (found.isPrivate && !mayEdit) throw notFound();
    const [post] = await presentPosts(house.store, owner, [found], visit.language);
    const name = ownerName(owner, visit.language);
    const path = `/@${owner.handle}`;
    const isPerson = found.ownerKind === 'person';
    const model = {
      name,
      post,
      ...(await answersBeneath(visit, owner, found)),
      ...(await reactionsTo(visit, found)),
      reactionsHref: `${deskPath(owner)}/posts/${found._id}/reactions`,
      mentionsHref: `${deskPath(owner)}/partners/mentions`,
      crumbs: [{ href: path, label: name }, ...(isPerson ? [] : [{ href: `${path}/posts`, key: 'posts.list.crumb' }])],
      interactHref: isShown && !found.isPrivate ? `/interact?post=${found._id}` : null,
      isPrivate: found.isPrivate === true,
      inReplyTo: found.inReplyTo ? safeHref(found.inReplyTo.iri) : null,
      can: { edit: mayEdit },
    };
    const isFederated = isShown && !found.isPrivate;
    await visit.page('posts/page', model, {
      title: post?.title ?? name,
      nav: isPerson ? '' : 'collectives',
      noIndex: !isFederated,
      alternates: isFederated ? [{ type: 'application/activity+json', href: `/objects/${found._id}` }] : [],
    });
  });
}

interface Seen {
  owner: Owner;
  /** Everybody may see the owner. */
  isShown: boolean;
  mayEdit: boolean;
}

/** Whose posts stand under that name, as far as the reader may see them. Null: nobody's. Refuses: not-found, gone. */
async function findOwner(ctx: Context, name: string): Promise<Seen | null> {
  const collective = await findPublicly(ctx, name);
  if (collective) {
    const mayEdit = mayEditCollective(ctx.actor, collective) && collective.deletedAt === null;
    return { owner: collective, isShown: isPublic(collective), mayEdit };
  }
  const person = await findPersonByHandle(ctx.store, name);
  if (!person || !isPublicPerson(person)) return null;
  const mayEdit = ctx.actor?.kind === 'person' && ctx.actor.personId === person._id;
  return { owner: person, isShown: true, mayEdit };
}

/** How many elsewhere like it and pass it on. */
async function reactionsTo({ house }: Visit<unknown, unknown, unknown>, post: Post): Promise<object> {
  const object = objectIri(house.site, post);
  const [likes, boosts] = await Promise.all([
    countReactions(house.store, object, 'like'),
    countReactions(house.store, object, 'boost'),
  ]);
  return { likes, boosts, hasReactions: likes + boosts > 0 };
}

/** What others answered, with what its owner answered to that. */
async function answersBeneath(
  visit: Visit<unknown, { page: number }, unknown>,
  owner: Owner,
  post: Post,
): Promise<object> {
  const { house, language } = visit;
  const found = await pageAnswers(house.store, objectIri(house.site, post), visit.query.page);
  const iris = found.items.map((item) => item.post.iri);
  const own = await listRepliesTo(house.store, owner._id, iris);
  const shown = await presentAnswers(found.items, language);
  const answers = shown.map(async (answer, index) => {
    const replies = own.filter((one) => !one.isPrivate && one.inReplyTo?.iri === iris[index]);
    return { ...answer, own: await presentPosts(house.store, owner, replies, language) };
  });
  const { page, pages, total } = found;
  const paging = paged(postPath(owner, post), {}, { page, pages });
  return { answers: await Promise.all(answers), answersTotal: total, paging };
}
