// Followers as plain data for templates. Names come from other servers: shown as text, always with the address behind them.
import { editPath, paged, presentEditFrame, safeHref } from '../collectives/present.js';
import { mayManageCollective } from '../collectives/rules.js';
import type { Actor, Context, Language } from '../context.js';
import { presentPosts } from '../posts/present.js';
import type { OwnPost } from './conversation.js';
import type { FeedItem, FollowPage, MentionItem, Party } from './queries.js';
import { renderRemote } from './render.js';
import { isPollOpen, isPublicAudience, mediaKey } from './rules.js';
import type {
  Block,
  Follow,
  FollowImport,
  Following,
  FollowingState,
  LookUp,
  PartyRef,
  Reaction,
  RemoteActor,
  RemotePoll,
  RemotePost,
  Vote,
} from './schema.js';
import { type Interaction, interactionKinds } from './schema.js';

export function followersPath(ref: PartyRef): string {
  return ref.kind === 'collective' ? `${editPath({ _id: ref.id })}/followers` : `${partnersPath(ref)}/followers`;
}

export function presentFollowers(
  actor: Actor,
  { ref, collective, decidesByHand }: Party,
  { requests, followers }: { requests: FollowPage; followers: FollowPage },
  fediverseName: string,
) {
  const base = followersPath(ref);
  const canDecide = collective === null || mayManageCollective(actor, collective);
  const place = { base, partners: partnersPath(ref), canDecide };
  return {
    fediverseName,
    isByHand: decidesByHand,
    settingsHref: !canDecide ? null : collective ? `${editPath(collective)}/settings` : '/me/profile',
    requests: requests.items.map((item) => presentFollow(item, place)),
    requestsTotal: requests.total,
    followers: followers.items.map((item) => presentFollow(item, place)),
    followersTotal: followers.total,
    can: { decide: canDecide },
    paging: paged(base, {}, { page: followers.page, pages: followers.pages }),
  };
}

function presentFollow(
  { follow, actor }: { follow: Follow; actor: RemoteActor | null },
  { base, partners, canDecide }: { base: string; partners: string; canDecide: boolean },
) {
  const handle = actor ? `@${actor.handle}` : follow.follower;
  const deed = (verb: string) => (canDecide ? `${base}/${follow._id}/${verb}` : null);
  return {
    name: actor?.name || handle,
    handle,
    href: safeHref(actor?.url ?? null) ?? safeHref(follow.follower),
    since: follow.decidedAt ?? follow.requestedAt,
    acceptAction: deed('accept'),
    rejectAction: deed('reject'),
    removeAction: deed('remove'),
    blockHref: strangerLinks(partners, null, follow.follower).blockHref,
  };
}

/** Portraits of actors elsewhere, as kept here. */
export const portraitPath = '/me/partners/portrait';

/** Where one of ours reads and follows. */
export function partnersPath(ref: PartyRef): string {
  return ref.kind === 'collective' ? `${editPath({ _id: ref.id })}/partners` : '/me/partners';
}

const partnerPages = ['feed', 'mentions', 'following', 'followers', 'find', 'blocked', 'moves'] as const;
export type PartnerPage = (typeof partnerPages)[number];

/** What every page of partners shows around its own. */
export function presentPartnerFrame(
  actor: Actor,
  party: Party,
  {
    current,
    unseen,
    requests,
    language,
  }: { current: PartnerPage; unseen: number; requests: number; language: Language },
) {
  const base = partnersPath(party.ref);
  return {
    base,
    frame: party.collective ? presentEditFrame(actor, party.collective, 'partners', language) : null,
    isPublic: party.isPublic,
    publishHref: party.collective ? editPath(party.collective) : '/me/profile',
    // A hoster's followers have a page of their own beside these.
    pages: partnerPages
      .filter((page) => page !== 'followers' || party.collective === null)
      .map((page) => ({
        href: page === 'feed' ? base : `${base}/${page}`,
        key: `partners.tab.${page}`,
        current: page === current,
        ...(page === 'mentions' && unseen > 0 ? { count: unseen } : {}),
        ...(page === 'followers' && requests > 0 ? { count: requests } : {}),
      })),
  };
}

/** Name, address and page of an actor elsewhere; of one that we do not know, its IRI's host. */
export function presentActor(iri: string, actor: RemoteActor | null) {
  const host = URL.canParse(iri) ? new URL(iri).host : iri;
  const handle = actor ? `@${actor.handle}` : host;
  return {
    name: actor?.name || handle,
    handle,
    host,
    href: safeHref(actor?.url ?? null) ?? safeHref(iri),
    portrait: actor?.icon ? `${portraitPath}?of=${encodeURIComponent(iri)}` : null,
  };
}

export async function presentLookUp(base: string, found: LookUp, state: FollowingState | null) {
  if (found.outcome === 'local') return { local: { href: `/@${found.handle}`, handle: `@${found.handle}` } };
  if (found.outcome === 'failed') return { failure: `partners.find.${found.reason}` };
  const { actor, followersCount, posts } = found;
  return {
    preview: {
      ...presentActor(actor._id, actor),
      iri: actor._id,
      summaryHtml: await renderRemote(actor.summary ?? '', true),
      followersCount,
      fields: await Promise.all(
        (actor.fields ?? [])
          .filter(({ name, value }) => name !== '' && value !== '')
          .map(async ({ name, value }) => ({
            ...{ name, isPlace: name === '📍' },
            html: await renderRemote(value, true),
          })),
      ),
      posts: await Promise.all(posts.map(presentPreviewPost)),
      isFollowed: state === 'pending' || state === 'accepted',
      isPending: state === 'pending',
      ...strangerLinks(base, null, actor._id),
    },
  };
}

/** A post that is not kept here: it leads to where it was published. */
async function presentPreviewPost(post: RemotePost) {
  return {
    title: post.title,
    html: await renderRemote(post.content, post.isHtml),
    lang: post.language,
    warning: post.warning === '—' ? '' : post.warning,
    isHidden: post.warning !== '',
    publishedAt: post.publishedAt,
    attachments: post.attachments.length,
    originHref: safeHref(post.url) ?? safeHref(post.iri),
  };
}

export function presentFollowings(
  base: string,
  followings: { following: Following; actor: RemoteActor | null }[],
  names: readonly string[],
) {
  return followings.map(({ following, actor }) => {
    const deed = (verb: string) => `${base}/following/${following._id}/${verb}`;
    return {
      ...presentActor(following.followed, actor),
      since: following.decidedAt ?? following.requestedAt,
      id: following._id,
      lists: following.lists.map((name) => ({ name, href: listHref(base, name) })),
      choices: names.map((name) => ({ name, isIn: following.lists.includes(name) })),
      isMuted: following.muted,
      unfollowAction: deed('unfollow'),
      listAction: deed('list'),
      muteAction: deed(following.muted ? 'unmute' : 'mute'),
      ...strangerLinks(base, null, following.followed),
    };
  });
}

export async function presentFeed(base: string, items: readonly FeedItem[], language: Language) {
  return Promise.all(
    items.map(async ({ entry, post, author, from }) => ({
      ...(await presentRemotePost(base, post, author, language)),
      boostedBy: post.authors.includes(entry.from) ? null : presentActor(entry.from, from),
    })),
  );
}

/** What answers or names one of ours, with what may be done about an answer that stands (or could) on our page. */
export async function presentMentions(
  base: string,
  items: readonly MentionItem[],
  { baseUrl, language }: { baseUrl: string; language: Language },
) {
  return Promise.all(
    items.map(async ({ mention, post, author }) => {
      const deed = (verb: string) => `${base}/mentions/${mention._id}/${verb}`;
      const mayStand = mention.answered !== null && mention.isPublic;
      return {
        ...(await presentRemotePost(base, post, author, language)),
        isNew: !mention.isSeen,
        isPrivate: !mention.isPublic,
        answeredHref: mention.answered === null ? null : mention.answered.replace(baseUrl, ''),
        isWaiting: mayStand && mention.state === 'waiting',
        isTakenOff: mayStand && mention.state === 'hidden',
        hideAction: mayStand && mention.state === 'shown' ? deed('hide') : null,
        showAction: mayStand && mention.state !== 'shown' ? deed('show') : null,
      };
    }),
  );
}

/** Answers as everybody sees them beneath a post of ours: each leads to where it was written. */
export async function presentAnswers(items: readonly MentionItem[], language: Language) {
  return Promise.all(
    items.map(async ({ post, author }) => {
      const shown = await presentRemotePost('', post, author, language);
      return { ...shown, href: shown.originHref };
    }),
  );
}

/** Who likes something of ours or passes it on. */
export function presentReactions({ items, total }: { items: readonly ReactionItem[]; total: number }) {
  return {
    total,
    reactions: items.map(({ reaction, actor }) => ({
      ...presentActor(reaction.actor, actor),
      kind: `partners.reaction.${reaction.kind}`,
      at: reaction.at,
    })),
  };
}

interface ReactionItem {
  reaction: Reaction;
  actor: RemoteActor | null;
}

/** Its texts, the reader's language first where it is there. */
function textsOf(post: RemotePost, reader: Language) {
  const own = { language: post.language, title: post.title, content: post.content };
  const all = [own, ...(post.translations ?? [])].filter(({ content, title }) => content !== '' || title !== '');
  const isReaders = ({ language }: { language: string | null }) => language?.toLowerCase().split('-')[0] === reader;
  const first = all.find(isReaders) ?? all[0] ?? own;
  return { first, others: all.filter((one) => one !== first) };
}

/**
 * A post as a page may show it: text cleaned, media and pages elsewhere as links, never loaded. Pictures are shown to readers
 * at `base` alone; without one they are links too. In the reader's language
 * where its author wrote it in that one, the others behind it.
 */
export async function presentRemotePost(
  base: string,
  post: RemotePost,
  author: RemoteActor | null,
  language: Language,
) {
  const [iri = post.iri] = post.authors;
  const { first, others } = textsOf(post, language);
  return {
    href: `${base}/posts/${post._id}`,
    author: presentActor(iri, author),
    title: first.title || post.title,
    html: await renderRemote(first.content, post.isHtml),
    lang: first.language,
    others: await Promise.all(
      others.map(async (one) => ({
        lang: one.language,
        title: one.title,
        html: await renderRemote(one.content, post.isHtml),
      })),
    ),
    leadHtml: post.lead ? await renderRemote(post.lead, true) : '',
    warning: post.warning === '—' ? '' : post.warning,
    isHidden: post.warning !== '',
    publishedAt: post.publishedAt,
    updatedAt: post.updatedAt,
    originHref: safeHref(post.url) ?? safeHref(post.iri),
    isReply: post.inReplyTo !== null,
    startsAt: post.startsAt,
    endsAt: post.type === 'Event' ? post.endsAt : null,
    place: post.place,
    isVideo: post.type === 'Video',
    media: post.attachments.map(({ url, name, mediaType }) => ({
      href: safeHref(url),
      pictureHref:
        base !== '' && mediaType.startsWith('image/') ? `${base}/posts/${post._id}/media/${mediaKey(url)}` : null,
      host: new URL(url).host,
      name,
      kind: `partners.media.${/^(image|audio|video)\//.exec(mediaType)?.[1] ?? 'other'}`,
    })),
    poll: post.poll && {
      options: withShares(post.poll),
      multiple: post.poll.multiple,
      endsAt: post.poll.endsAt,
      isClosed: post.poll.closed,
    },
  };
}

/** A post of this instance among those from elsewhere: under its author's name, with a link to its page. */
export async function presentOwnPost({ store, site }: Context, { own, owner }: OwnPost, language: Language) {
  const [post] = await presentPosts(store, owner, [own], language);
  return { ...post, isOwn: true, handle: `@${owner.handle ?? ''}@${site.host}` };
}

/** Each option with its part of all votes in percent; null: nobody voted. */
function withShares({ options }: RemotePoll) {
  const total = options.reduce((sum, { votes }) => sum + votes, 0);
  return options.map((option) => ({ ...option, share: total === 0 ? null : Math.round((100 * option.votes) / total) }));
}

/** How far a list of accounts has come. */
export function presentImport({ rows, state, unread }: FollowImport) {
  const count = (wanted: FollowImport['rows'][number]['state']) => rows.filter((row) => row.state === wanted).length;
  const [waiting, failed, known] = [count('waiting'), count('failed'), count('known')];
  return {
    isRunning: state === 'running',
    isDone: state === 'done',
    total: rows.length,
    done: rows.length - waiting,
    followed: count('followed'),
    ...{ waiting, failed, known, unread },
    canStart: state === 'preview' ? waiting > 0 : failed > 0,
    failures: rows.flatMap(({ address, reason }) => (reason === undefined ? [] : [{ address, reason }])),
    addresses: state === 'preview' ? rows.filter((row) => row.state === 'waiting').map(({ address }) => address) : [],
  };
}

/** Where to find what a conversation answers, when it is not shown here. */
export function presentAbove(above: { iri: string; isDeleted: boolean } | null) {
  if (above === null || above.isDeleted) return above && { isDeleted: true, href: null, host: '' };
  const host = URL.canParse(above.iri) ? new URL(above.iri).host : above.iri;
  return { isDeleted: false, href: safeHref(above.iri), host };
}

export function listHref(base: string, name: string): string {
  return `${base}/list?name=${encodeURIComponent(name)}`;
}

/** How one of ours may vote in a poll, or has voted; null: neither. */
export function presentVote(
  base: string,
  post: RemotePost,
  vote: Vote | null,
  { now, mayVote }: { now: Date; mayVote: boolean },
) {
  const { poll } = post;
  if (poll === null) return null;
  if (vote !== null) return { choices: vote.choices, at: vote.at };
  if (!mayVote || !isPollOpen(poll, now)) return null;
  const [author = post.iri] = post.authors;
  return {
    action: `${base}/posts/${post._id}/vote`,
    multiple: poll.multiple,
    options: poll.options.map(({ name }, place) => ({ value: String(place), label: name })),
    host: new URL(author).host,
  };
}

/** The lists as filters over the feed; the first is everything. */
export function presentLists(base: string, names: readonly string[], current: string | undefined) {
  const lists = names.map((name) => ({
    href: `${base}?list=${encodeURIComponent(name)}`,
    pageHref: listHref(base, name),
    label: name,
    current: name === current,
  }));
  return lists.length === 0 ? [] : [{ href: base, key: 'partners.feed.all', current: current === undefined }, ...lists];
}

/** What the reader may do with a post: one button for each kind, which does it or takes it back. */
export function presentInteractions(base: string, post: RemotePost, made: readonly Interaction[]) {
  return interactionKinds
    .filter((kind) => kind === 'like' || isPublicAudience(post.audience))
    .map((kind) => {
      const verb = made.some((one) => one.kind === kind) ? `un${kind}` : kind;
      return { action: `${base}/posts/${post._id}/${verb}`, label: `partners.${verb}.button` };
    });
}

/** Where one keeps the author of something away, and reports it or, without a post, the author. */
export function strangerLinks(base: string, post: string | null, actor: string) {
  return {
    blockHref: `${base}/block?actor=${encodeURIComponent(actor)}`,
    reportHref: `/report?about=${encodeURIComponent(post ?? actor)}`,
  };
}

export function presentBlocks(base: string, blocks: readonly Block[], actors: ReadonlyMap<string, RemoteActor>) {
  return blocks.map((block) => {
    const isActor = block.kind === 'actor' || block.kind === 'muteActor';
    const actor = isActor ? presentActor(block.target, actors.get(block.target) ?? null) : null;
    return {
      kind: `partners.blocked.kind.${block.kind}`,
      name: actor?.name ?? block.target,
      handle: actor?.handle ?? null,
      href: actor?.href ?? null,
      note: block.note,
      at: block.at,
      undoAction: `${base}/blocked/${block._id}/undo`,
      undoLabel: block.kind.startsWith('mute') ? 'partners.unmute.button' : 'partners.unblock.button',
    };
  });
}

/** What the page before a block asks. `domain` null: what was typed (`asked`) is none. */
export function presentBlockWish(base: string, actor: RemoteActor | null, domain: string | null, asked: string) {
  const kinds = [...(actor ? ['muteActor', 'actor'] : []), ...(domain === null && actor ? [] : ['mute', 'domain'])];
  return {
    action: `${base}/block`,
    account: actor && { ...presentActor(actor._id, actor), iri: actor._id },
    asked: actor ? '' : (domain ?? asked),
    domain,
    kinds: kinds.map((value) => ({
      value,
      key: `partners.block.kind.${value}`,
      hint: `partners.block.kind.${value}.hint`,
    })),
    labels: { domain: 'partners.block.domain', kind: 'partners.block.what', note: 'partners.block.note' },
    cancelHref: `${base}/blocked`,
  };
}
