// The pages on which a collective, or a person with a public profile, finds partners on the Fediverse, follows and reads them.
// The same pages under two addresses; who may act for whom is decided by queries.ts and actions/.
import type { z } from 'zod';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import { withinLimit } from '../../http/limits.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { getPerson } from '../../people/queries.js';
import { presentPosts } from '../../posts/present.js';
import { listRepliesOf } from '../../posts/queries.js';
import { muteFollowing } from '../actions/blocking.js';
import { keepOpenedPost } from '../actions/feed.js';
import { followActor, unfollowActor } from '../actions/following.js';
import { castVote, makeInteraction, replyToPost, undoInteraction } from '../actions/interact.js';
import { placeAnswer, seeMentions } from '../actions/mentions.js';
import { findThread, type OwnPost } from '../conversation.js';
import { exportFollowings } from '../exports.js';
import {
  listHref,
  partnersPath,
  presentAbove,
  presentFeed,
  presentInteractions,
  presentLists,
  presentLookUp,
  presentMentions,
  presentOwnPost,
  presentRemotePost,
  presentVote,
  strangerLinks,
} from '../present.js';
import {
  countMentions,
  countUnseenMentions,
  findFollowing,
  findReadablePost,
  findVoteOn,
  getParty,
  listInteractions,
  listNames,
  mapActors,
  type Party,
  pageFeed,
  pageMentions,
} from '../queries.js';
import { followKey, isPollStale, isPublicAudience, isThreadStale, mayReply } from '../rules.js';
import {
  feedQuery,
  findQuery,
  followingParams,
  followShape,
  interactionKinds,
  mentionParams,
  mentionsQuery,
  partyParams,
  postParams,
  type RemotePost,
  replyShape,
  threadQuery,
  voteShape,
} from '../schema.js';
import { type AnyVisit, lookUps, refOf, show, showFollowing, threadLooks } from './frame.js';
import { importPages } from './importPages.js';
import { listPages } from './listPages.js';
import { movePages } from './movePages.js';

type PostVisit = Visit<z.output<typeof postParams>, unknown, unknown>;

export function partnerPages(routes: Routes): void {
  for (const path of ['/my/collectives/:id/partners', '/me/partners']) {
    readingPages(routes, path);
    mentionPages(routes, path);
    findingPages(routes, path);
    followingPages(routes, path);
    importPages(routes, path);
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
      posts: await presentFeed(base, feed.items, visit.language),
      lists: presentLists(base, names, list),
      listHref: list !== undefined && names.includes(list) ? listHref(base, list) : null,
      olderHref: feed.next === null ? null : `${base}?${older}`,
      isFirst: visit.query.before === undefined,
    });
  });

  routes.get(`${path}/posts/:post`, { access: 'signedIn', params: postParams, query: threadQuery }, (visit) =>
    openThread(visit, visit.query.look === 'again'),
  );

  const vote = { access: 'signedIn', params: postParams, body: voteShape, retry: showThread } as const;
  routes.post(`${path}/posts/:post/vote`, vote, async (visit) => {
    const ref = refOf(visit);
    await castVote(visit.ctx, ref, visit.params.post, visit.body.choices);
    visit.redirect(`${partnersPath(ref)}/posts/${visit.params.post}`, { key: 'partners.vote.done' });
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

/** Asks other servers for what is missing or old, as long as a page may wait, then shows what is there. */
async function openThread(visit: PostVisit, isAgain: boolean): Promise<void> {
  const { iri } = await getParty(visit.ctx, refOf(visit));
  const { house, params } = visit;
  const post = await findReadablePost(house.store, iri, params.post);
  if (!post) throw new DomainError('not-found', 'error.notFound');
  const mayAsk =
    isThreadStale(post, visit.ctx.now, isAgain) &&
    isPublicAudience(post.audience) &&
    (await withinLimit(house, threadLooks, personOf(visit.ctx).personId));
  const around = mayAsk ? await house.readThread(post, isAgain) : 'read';
  if (!mayAsk && isPollStale(post, visit.ctx.now)) await house.refreshPost(post);
  await showThread(visit, { values: {}, errors: [] }, around === 'late');
}

async function showThread(visit: PostVisit, form: FormState, isLate = false): Promise<void> {
  const party = await getParty(visit.ctx, refOf(visit));
  const { store, now } = visit.ctx;
  const thread = await findThread(visit.ctx, party.iri, visit.params.post);
  if (!thread) throw new DomainError('not-found', 'error.notFound');
  const { post } = thread;
  const all = [...thread.ancestors, post, ...thread.replies];
  const actors = await mapActors(
    store,
    all.flatMap((one) => ('own' in one ? [] : [one.authors[0] ?? ''])),
  );
  const base = partnersPath(party.ref);
  const made = await listInteractions(store, party.iri, post._id);
  const present = (one: RemotePost | OwnPost) =>
    'own' in one
      ? presentOwnPost(visit.ctx, one, visit.language)
      : presentRemotePost(base, one, actors.get(one.authors[0] ?? '') ?? null, visit.language);
  const voted = post.poll && (await findVoteOn(store, party.iri, post._id));
  await show(visit, party, 'feed', 'thread', {
    form,
    isLate,
    againHref: isPublicAudience(post.audience) ? `${base}/posts/${post._id}?look=again` : null,
    above: presentAbove(thread.above),
    ancestors: await Promise.all(thread.ancestors.map(present)),
    post: { ...(await present(post)), isOpen: true },
    replies: await Promise.all(thread.replies.map(present)),
    own: await presentOwnReplies(visit, party, post.iri),
    vote: presentVote(base, post, voted, { now, mayVote: party.isPublic }),
    mayReply: party.isPublic && mayReply(post, party.iri),
    replyRule: replyRule(party, post),
    replyAction: `${base}/posts/${post._id}/reply`,
    ...strangerLinks(base, post.iri, post.authors[0] ?? ''),
    deeds: party.isPublic ? presentInteractions(base, post, made) : [],
  });
}

function mentionPages(routes: Routes, path: string): void {
  routes.get(`${path}/mentions`, { access: 'signedIn', params: partyParams, query: mentionsQuery }, async (visit) => {
    const party = await getParty(visit.ctx, refOf(visit));
    const { store } = visit.ctx;
    const base = partnersPath(party.ref);
    const { before } = visit.query;
    const [{ items, left, next }, total] = await Promise.all([
      pageMentions(store, party.iri, before),
      countMentions(store, party.iri),
    ]);
    await show(visit, party, 'mentions', 'mentions', {
      mentions: await presentMentions(base, items, {
        baseUrl: visit.house.site.baseUrl,
        language: visit.language,
      }),
      total,
      left,
      hasUnseen: (await countUnseenMentions(store, party.iri)) > 0,
      olderHref: next === null ? null : `${base}/mentions?before=${next}`,
      isFirst: before === undefined,
    });
  });

  routes.post(`${path}/mentions/seen`, { access: 'signedIn', params: partyParams }, async (visit) => {
    const ref = refOf(visit);
    await seeMentions(visit.ctx, ref);
    visit.redirect(`${partnersPath(ref)}/mentions`, { key: 'partners.mentions.seen.done' });
  });

  for (const [verb, state] of [
    ['hide', 'hidden'],
    ['show', 'shown'],
  ] as const) {
    const spec = { access: 'signedIn', params: mentionParams } as const;
    routes.post(`${path}/mentions/:mention/${verb}`, spec, async (visit) => {
      const ref = refOf(visit);
      await placeAnswer(visit.ctx, ref, visit.params.mention, state);
      visit.redirect(`${partnersPath(ref)}/mentions`, { key: `partners.mentions.${verb}.done` });
    });
  }
}

async function presentOwnReplies(visit: AnyVisit, { collective, ref }: Party, iri: string) {
  const { store } = visit.ctx;
  const owner = collective ?? (await getPerson(store, ref.id));
  return presentPosts(store, owner, await listRepliesOf(store, ref.id, iri), visit.language);
}

/** Who will read the reply. */
function replyRule({ ref }: Party, post: RemotePost): string {
  if (!isPublicAudience(post.audience)) return 'partners.reply.rule.private';
  return ref.kind === 'collective' ? 'partners.reply.rule' : 'partners.reply.rule.person';
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
