// The pages on which a collective, or a person with a public profile, finds partners on the Fediverse, follows and reads them.
// The same pages under two addresses; who may act for whom is decided by queries.ts and actions/.
import { DomainError } from '../../errors.js';
import { withinLimit } from '../../http/limits.js';
import { personOf, type Routes } from '../../http/routes.js';
import { presentPosts } from '../../posts/present.js';
import { listRepliesOf } from '../../posts/queries.js';
import { keepOpenedPost } from '../actions/feed.js';
import { followActor, muteFollowing, unfollowActor } from '../actions/following.js';
import { makeInteraction, replyToPost, undoInteraction } from '../actions/interact.js';
import { exportFollowings } from '../exports.js';
import {
  listHref,
  partnersPath,
  presentFeed,
  presentInteractions,
  presentLists,
  presentLookUp,
  presentRemotePost,
  strangerLinks,
} from '../present.js';
import {
  findFollowing,
  findThread,
  getParty,
  listInteractions,
  listNames,
  mapActors,
  type Party,
  pageFeed,
} from '../queries.js';
import { followKey, isPublicAudience } from '../rules.js';
import {
  feedQuery,
  findQuery,
  followingParams,
  followShape,
  interactionKinds,
  partyParams,
  postParams,
  replyShape,
} from '../schema.js';
import { type AnyVisit, lookUps, refOf, show, showFollowing } from './frame.js';
import { listPages } from './listPages.js';
import { movePages } from './movePages.js';

export function partnerPages(routes: Routes): void {
  for (const path of ['/my/collectives/:id/partners', '/me/partners']) {
    readingPages(routes, path);
    findingPages(routes, path);
    followingPages(routes, path);
    listPages(routes, path);
    movePages(routes, path);
  }
}

function readingPages(routes: Routes, path: string): void {
  routes.get(path, { access: 'signedIn', params: partyParams, query: feedQuery }, async (visit) => {
    const party = await getParty(visit.ctx, refOf(visit));
    const { store } = visit.ctx;
    const base = partnersPath(party.ref);
    const { list } = visit.query;
    const [feed, names] = await Promise.all([pageFeed(store, party.iri, visit.query), listNames(store, party.iri)]);
    const older = new URLSearchParams({ ...(list === undefined ? {} : { list }), before: feed.next ?? '' });
    await show(visit, party, 'feed', 'feed', {
      posts: await presentFeed(base, feed.items),
      lists: presentLists(base, names, list),
      listHref: list !== undefined && names.includes(list) ? listHref(base, list) : null,
      olderHref: feed.next === null ? null : `${base}?${older}`,
      isFirst: visit.query.before === undefined,
    });
  });

  routes.get(`${path}/posts/:post`, { access: 'signedIn', params: postParams }, async (visit) => {
    const party = await getParty(visit.ctx, refOf(visit));
    const thread = await findThread(visit.ctx.store, party.iri, visit.params.post);
    if (!thread) throw new DomainError('not-found', 'error.notFound');
    const all = [...thread.ancestors, thread.post, ...thread.replies];
    const actors = await mapActors(
      visit.ctx.store,
      all.map(({ authors }) => authors[0] ?? ''),
    );
    const base = partnersPath(party.ref);
    const made = await listInteractions(visit.ctx.store, party.iri, thread.post._id);
    const present = (one: (typeof all)[number]) =>
      presentRemotePost(base, one, actors.get(one.authors[0] ?? '') ?? null);
    await show(visit, party, 'feed', 'thread', {
      ancestors: await Promise.all(thread.ancestors.map(present)),
      post: await present(thread.post),
      replies: await Promise.all(thread.replies.map(present)),
      own: await presentOwnReplies(visit, party, thread.post.iri),
      mayReply: party.collective !== null && party.isPublic && isPublicAudience(thread.post.audience),
      replyAction: `${base}/posts/${thread.post._id}/reply`,
      ...strangerLinks(base, thread.post.iri, thread.post.authors[0] ?? ''),
      deeds: party.isPublic ? presentInteractions(base, thread.post, made) : [],
    });
  });

  const reply = { access: 'signedIn', params: postParams, body: replyShape } as const;
  routes.post(`${path}/posts/:post/reply`, reply, async (visit) => {
    const ref = refOf(visit);
    const text = { fr: '', en: '', [visit.language]: visit.body.text };
    await replyToPost(visit.ctx, ref, visit.params.post, text);
    visit.redirect(`${partnersPath(ref)}/posts/${visit.params.post}`, { key: 'partners.reply.done' });
  });

  for (const kind of interactionKinds) {
    for (const [verb, deed] of [
      [kind, makeInteraction],
      [`un${kind}`, undoInteraction],
    ] as const) {
      routes.post(`${path}/posts/:post/${verb}`, { access: 'signedIn', params: postParams }, async (visit) => {
        const ref = refOf(visit);
        await deed(visit.ctx, ref, kind, visit.params.post);
        visit.redirect(`${partnersPath(ref)}/posts/${visit.params.post}`, { key: `partners.${verb}.done` });
      });
    }
  }
}

async function presentOwnReplies(visit: AnyVisit, { collective }: Party, iri: string) {
  if (collective === null) return [];
  const posts = await listRepliesOf(visit.ctx.store, collective._id, iri);
  return presentPosts(visit.ctx.store, collective, posts, visit.language);
}

function findingPages(routes: Routes, path: string): void {
  routes.get(`${path}/find`, { access: 'signedIn', params: partyParams, query: findQuery }, async (visit) => {
    const party = await getParty(visit.ctx, refOf(visit));
    const { q } = visit.query;
    const result = q === '' ? {} : await lookUp(visit, party, q);
    if ('post' in result) return visit.redirect(`${partnersPath(party.ref)}/posts/${result.post}`);
    const names = await listNames(visit.ctx.store, party.iri);
    const lists = names.map((name) => ({ value: name, label: name }));
    await show(visit, party, 'find', 'find', { q, lists, ...result });
  });

  const spec = { access: 'signedIn', params: partyParams, body: followShape } as const;
  routes.post(`${path}/follow`, spec, async (visit) => {
    const ref = refOf(visit);
    await followActor(visit.ctx, ref, visit.body);
    visit.redirect(`${partnersPath(ref)}/following`, { key: 'partners.follow.done' });
  });
}

async function lookUp(visit: AnyVisit, party: Party, q: string): Promise<{ post: string } | object> {
  if (!(await withinLimit(visit.house, lookUps, personOf(visit.ctx).personId))) {
    throw new DomainError('too-many', 'partners.error.tooManyLookUps', { retryAfter: 3600 });
  }
  const found = await visit.house.lookUpActor(q);
  const post = found.outcome === 'failed' && /^https?:/i.test(q) ? await visit.house.lookUpPost(q) : null;
  if (post) {
    await keepOpenedPost(visit.ctx, post);
    return { post: post._id };
  }
  const known =
    found.outcome === 'found' ? await findFollowing(visit.ctx.store, followKey(party.iri, found.actor._id)) : null;
  return presentLookUp(partnersPath(party.ref), found, known?.state ?? null);
}

function followingPages(routes: Routes, path: string): void {
  routes.get(`${path}/following`, { access: 'signedIn', params: partyParams }, (visit) => showFollowing(visit));

  routes.get(`${path}/following.csv`, { access: 'signedIn', params: partyParams }, async (visit) => {
    const party = await getParty(visit.ctx, refOf(visit));
    const csv = await exportFollowings(visit.ctx.store, party.iri);
    visit.res.attachment(`following-${party.handle}.csv`).type('text/csv').send(csv);
  });

  const deeds = {
    unfollow: (visit: AnyVisit, following: string) => unfollowActor(visit.ctx, refOf(visit), following),
    mute: (visit: AnyVisit, following: string) => muteFollowing(visit.ctx, refOf(visit), following, true),
    unmute: (visit: AnyVisit, following: string) => muteFollowing(visit.ctx, refOf(visit), following, false),
  } as const;
  for (const [verb, deed] of Object.entries(deeds)) {
    const spec = { access: 'signedIn', params: followingParams } as const;
    routes.post(`${path}/following/:following/${verb}`, spec, async (visit) => {
      await deed(visit, visit.params.following);
      visit.redirect(`${partnersPath(refOf(visit))}/following`, { key: `partners.${verb}.done` });
    });
  }
}
