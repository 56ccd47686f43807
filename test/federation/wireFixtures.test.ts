// TABLE: what each program of the Fediverse sends (test/fixtures/activities, written after their public documents and the shapes
// of their sources) -> what becomes of it here. Each arrives signed, at the real inbox, from a server of its own.
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { fetchActor } from '../../federation/remoteActors.js';
import type { Collective } from '../../server/collectives/schema.js';
import { openAnnouncements } from '../../server/groups/actions.js';
import { findGroupPost, groupActivitiesIn, groupPostsIn } from '../../server/groups/queries.js';
import { groupKey } from '../../server/groups/rules.js';
import type { Group } from '../../server/groups/schema.js';
import { reportsIn } from '../../server/moderation/queries.js';
import {
  countReactions,
  findFollow,
  findFollowing,
  findRemoteActor,
  findRemotePost,
  followingsIn,
  mentionsIn,
  pageFeed,
  pageReactions,
  remotePostsIn,
} from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { type FollowingState, postTypes } from '../../server/partners/schema.js';
import { projectDir } from '../../server/paths.js';
import { publishPost } from '../../server/posts/actions.js';
import { offerPolls } from '../../server/surveys/actions/polls.js';
import { votesIn } from '../../server/surveys/pollQueries.js';
import { buildSurvey, choiceSection } from '../server/surveys/surveySupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { multikeyOf } from '../support/peer/signing.js';
import { addCollective, type FederatedApp, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;

/** known: answered with 202, and nothing changes. A number: refused so. */
type Effect =
  | number
  | 'known'
  | 'follows'
  | 'unfollows'
  | 'accepts'
  | 'rejects'
  | 'deletes'
  | 'unboosts'
  | 'moves'
  | 'forgets'
  | 'renames'
  | 'blocks'
  | 'likes'
  | 'unlikes'
  | 'votes'
  | 'leaves our group'
  | { votes: string[] }
  | { reads: string }
  | { answers: string }
  | { reports: readonly [things: number, words: string] }
  | { begins: string }
  | { comments: string }
  | { boosts: string }
  | { changes: string };

// What is not acted on yet stands here once, and in the tables by these names.
const dislike: Effect = 'known';
const moderation: Effect = 'known';
/** What a group passes on about posts of others: we count likes of our own objects only. */
const likeOfOthers: Effect = 'known';

interface Row {
  does: Effect;
  /** Sent before. */
  after?: readonly string[];
  /** Whose post stands at its id meanwhile. */
  serves?: string;
}

const note = 'mastodon/create-note';
const boosted: Row = { does: { boosts: 'Hello' }, serves: note };
const inGroup = ['lemmy/announce-create-page'];

const table: Record<string, Effect | Row> = {
  // No Flag is sent by Pixelfed (app/Transformer/ActivityPub/Verb), snac (its FEDERATION.md, "Outbound"), Mitra (its FEDERATION.md and
  // mitra_activitypub/src/builders), Discourse (lib/discourse_activity_pub/ap/activity) and WordPress (its FEDERATION.md, "Outgoing
  // activities"). Nor are polls by Discourse and WordPress, nor moves by Discourse.
  'fedify/follow': 'follows',

  'mastodon/follow': 'follows',
  'mastodon/undo-follow': 'unfollows',
  'mastodon/accept-follow': 'accepts',
  'mastodon/reject-follow': 'rejects',
  'mastodon/create-note': { reads: 'Hello' },
  'mastodon/unlisted-note': { reads: 'Mastodon note 6' },
  'mastodon/direct-message': { reads: 'Between us' },
  'mastodon/feed-question': { reads: 'Lunch?' },
  'mastodon/update-note': { does: { changes: 'Hello, corrected' }, after: [note] },
  'mastodon/update-question': { does: { changes: '"votes":5' }, after: ['mastodon/feed-question'] },
  'mastodon/delete-note': { does: 'deletes', after: [note] },
  'mastodon/boost': { does: { boosts: 'GoToSocial note 01' }, serves: 'gotosocial/create-note' },
  'mastodon/undo-boost': { does: 'unboosts', after: ['mastodon/boost'], serves: 'gotosocial/create-note' },
  'mastodon/like': 'likes',
  'mastodon/undo-like': { does: 'unlikes', after: ['mastodon/like'] },
  'mastodon/vote': 'votes',
  'mastodon/move': 'moves',
  'mastodon/reply': { answers: 'We do.' },
  'mastodon/group-mention': { begins: 'We look for a second reader.' },
  'mastodon/flag': { reports: [3, 'Please take a look'] },
  'mastodon/block': 'blocks',
  'mastodon/undo-block': { does: 'known', after: ['mastodon/block'] },
  'mastodon/update-actor': 'renames',
  'mastodon/delete-actor': 'forgets',
  'mastodon/add-featured': 'known',

  'gotosocial/follow': 'follows',
  'gotosocial/undo-follow': 'unfollows',
  'gotosocial/feed-note': { reads: 'Single values' },
  'gotosocial/create-note': { reads: 'GoToSocial note 01' },
  'gotosocial/create-question': { reads: 'GoToSocial note 02' },
  'gotosocial/vote': 'votes',
  // Several choices at once, of which the poll takes one: acknowledged, none is counted.
  'gotosocial/votes-at-once': 'known',
  'gotosocial/update-note': { does: { changes: 'GoToSocial, edited' }, after: ['gotosocial/create-note'] },
  'gotosocial/delete-note': { does: 'deletes', after: ['gotosocial/create-note'] },
  'gotosocial/boost': boosted,
  'gotosocial/undo-boost': { does: 'unboosts', after: ['gotosocial/boost'], serves: note },
  'gotosocial/like': 'likes',
  'gotosocial/undo-like': { does: 'unlikes', after: ['gotosocial/like'] },
  'gotosocial/move': 'moves',
  'gotosocial/delete-actor': 'forgets',
  'gotosocial/reply-private': { answers: 'Between us' },
  'gotosocial/flag': { reports: [2, 'dark souls'] },
  'gotosocial/block': 'blocks',

  'pleroma/follow': 'follows',
  'pleroma/undo-follow': 'unfollows',
  'pleroma/accept-follow': 'accepts',
  'pleroma/feed-note': { reads: 'plain' },
  'pleroma/create-question': { reads: 'Which day?' },
  'pleroma/update-note': { does: { changes: 'plain, edited' }, after: ['pleroma/feed-note'] },
  'pleroma/delete-note': { does: 'deletes', after: ['pleroma/feed-note'] },
  'pleroma/boost': boosted,
  'pleroma/undo-boost': { does: 'unboosts', after: ['pleroma/boost'], serves: note },
  'pleroma/like': 'likes',
  'pleroma/undo-like': { does: 'unlikes', after: ['pleroma/like'] },
  'pleroma/move': 'moves',
  'pleroma/delete-actor': 'forgets',
  'pleroma/emoji-react': 'likes',
  'pleroma/reply': { answers: 'same here' },
  'pleroma/group-comment': { comments: 'Pleroma answers the group' },
  'pleroma/flag': { reports: [2, 'hate speech'] },

  'misskey/follow': 'follows',
  'misskey/undo-follow': 'unfollows',
  'misskey/feed-note': { reads: 'Hello' },
  'misskey/create-question': { reads: 'Misskey note 2' },
  'misskey/update-question': { does: { changes: '"votes":4' }, after: ['misskey/create-question'] },
  'misskey/update-actor': 'renames',
  'misskey/group-comment': { comments: 'good hours' },
  'misskey/delete-note': { does: 'deletes', after: ['misskey/feed-note'] },
  'misskey/delete-actor': 'forgets',
  'misskey/boost': boosted,
  'misskey/undo-boost': { does: 'unboosts', after: ['misskey/boost'], serves: note },
  'misskey/like': 'likes',
  'misskey/undo-like': { does: 'unlikes', after: ['misskey/like'] },
  'misskey/vote': 'votes',
  'misskey/move': 'moves',
  'misskey/reply': { answers: 'Yes' },
  'misskey/flag': { reports: [1, '-----\nspam'] },
  'misskey/block': 'blocks',

  'pixelfed/follow': 'follows',
  // It takes back another id than it gave the follow.
  'pixelfed/undo-follow': { does: 'unfollows', after: ['pixelfed/follow'] },
  'pixelfed/create-note': { reads: 'A door' },
  'pixelfed/update-note': { does: { changes: 'repainted' }, after: ['pixelfed/create-note'] },
  'pixelfed/delete-note': { does: 'deletes', after: ['pixelfed/create-note'] },
  'pixelfed/delete-actor': 'forgets',
  'pixelfed/boost': boosted,
  'pixelfed/undo-boost': { does: 'unboosts', after: ['pixelfed/boost'], serves: note },
  'pixelfed/like': 'likes',
  'pixelfed/undo-like': { does: 'unlikes', after: ['pixelfed/like'] },
  'pixelfed/move': 'moves',
  'pixelfed/story': 'known',
  'pixelfed/accept-follow': 'accepts',
  'pixelfed/reject-follow': 'rejects',
  // Its tags are one object that holds the others under numbers.
  'pixelfed/reply': { answers: 'We have one too' },
  // Its post has a context of its own, with keys that look like keywords and are none.
  'pixelfed/create-question': { reads: 'Which door?' },

  'friendica/follow': 'follows',
  'friendica/undo-follow': 'unfollows',
  'friendica/create-note': { reads: 'Friendica note 1' },
  'friendica/create-event': { reads: 'Repair café' },
  'friendica/create-page': { reads: 'A page with a title' },
  'friendica/update-note': { does: { changes: 'Friendica, edited' }, after: ['friendica/create-note'] },
  'friendica/delete-note': { does: 'deletes', after: ['friendica/create-note'] },
  'friendica/boost': boosted,
  'friendica/like': 'likes',
  'friendica/dislike': dislike,
  'friendica/undo-dislike': dislike,
  'friendica/group-note': { begins: 'Our backups move in May.' },
  'friendica/group-comment': { comments: 'until when?' },
  'friendica/flag': { reports: [2, 'Please look'] },

  'wordpress/follow': 'follows',
  'wordpress/undo-follow': 'unfollows',
  'wordpress/feed-article': { reads: 'A year of hosting' },
  'wordpress/create-comment': { reads: 'Thank you' },
  'wordpress/create-event': { reads: 'Open evening' },
  'wordpress/update-article': { does: { changes: 'revised' }, after: ['wordpress/feed-article'] },
  'wordpress/delete-article': { does: 'deletes', after: ['wordpress/feed-article'] },
  'wordpress/boost': boosted,
  'wordpress/like': 'likes',
  'wordpress/undo-like': { does: 'unlikes', after: ['wordpress/like'] },
  'wordpress/undo-boost': { does: 'unboosts', after: ['wordpress/boost'], serves: note },
  'wordpress/accept-follow': 'accepts',
  'wordpress/reject-follow': 'rejects',
  'wordpress/delete-comment': { does: 'deletes', after: ['wordpress/create-comment'] },
  'wordpress/update-actor': 'renames',
  'wordpress/move': 'moves',

  'peertube/follow': 'follows',
  'peertube/undo-follow': 'unfollows',
  'peertube/delete-actor': 'forgets',
  'peertube/create-video': { reads: 'A film' },
  'peertube/publish-video': { reads: 'Set up a pad in an hour' },
  'peertube/update-video': { does: { changes: 'half an hour' }, after: ['peertube/publish-video'] },
  'peertube/delete-video': { does: 'deletes', after: ['peertube/publish-video'] },
  'peertube/channel-shares-video': { does: { boosts: 'Set up a pad' }, serves: 'peertube/publish-video' },
  // The video is the channel's own: a Delete would take it away.
  'peertube/undo-share': {
    does: { reads: 'Set up a pad' },
    after: ['peertube/channel-shares-video'],
    serves: 'peertube/publish-video',
  },
  'peertube/comment': { reads: 'It helped' },
  'peertube/dislike': dislike,
  // About a video of theirs.
  'peertube/flag': 'known',
  'peertube/cache-file': 'known',
  'peertube/view': 'known',
  'peertube/approve-reply': 'known',

  'gancio/create-event': { reads: 'Concert in the yard' },
  // Its changes bear the id of the first activity.
  'gancio/update-event': { does: { changes: 'Concert indoors' }, after: ['gancio/create-event'] },

  'mobilizon/follow': 'follows',
  'mobilizon/undo-follow': { does: 'unfollows', after: ['mobilizon/follow'] },
  'mobilizon/feed-event': { reads: 'Install party' },
  'mobilizon/create-event': { reads: 'Meeting of hosters' },
  'mobilizon/update-event': { does: { changes: 'moved' }, after: ['mobilizon/create-event'] },
  'mobilizon/delete-event': { does: 'deletes', after: ['mobilizon/create-event'] },
  'mobilizon/group-announces-event': { boosts: 'Meeting of hosters' },
  'mobilizon/create-comment': { reads: 'See you there' },
  'mobilizon/create-article': { reads: 'Notes of May' },
  'mobilizon/join-event': 'known',
  'mobilizon/flag': { reports: [1, 'unwanted'] },

  'lemmy/follow': 'follows',
  'lemmy/undo-follow': 'unfollows',
  'lemmy/accept-follow': 'accepts',
  'lemmy/feed-page': { reads: 'Which pad software?' },
  'lemmy/announce-page': { boosts: 'A new pad server' },
  'lemmy/announce-create-page': { boosts: 'A new pad server' },
  'lemmy/announce-create-comment': { boosts: 'Thanks' },
  'lemmy/announce-update-page': { does: { changes: 'faster' }, after: inGroup },
  'lemmy/announce-delete-page': { does: 'deletes', after: inGroup },
  'lemmy/announce-remove-page': { does: 'deletes', after: inGroup },
  'lemmy/announce-like': likeOfOthers,
  'lemmy/announce-dislike': dislike,
  'lemmy/announce-undo-like': likeOfOthers,
  'lemmy/announce-lock': moderation,
  'lemmy/announce-add-moderator': moderation,
  'lemmy/announce-block-user': moderation,
  'lemmy/private-message': 'known',
  'lemmy/like': 'likes',
  'lemmy/reply': { answers: 'Agreed' },
  'lemmy/group-page': { begins: 'We open in June.' },
  'lemmy/group-comment': { comments: 'Which hours?' },
  'lemmy/group-delete': { does: 'leaves our group', after: ['lemmy/group-comment'] },
  'lemmy/dislike': dislike,
  'lemmy/group-like': 'likes',
  'lemmy/group-dislike': { votes: ['Dislike'] },
  'lemmy/group-undo-like': { does: { votes: ['Like', 'Undo'] }, after: ['lemmy/group-like'] },
  'lemmy/flag': { reports: [1, 'report this post'] },

  'nodebb/follow': 'follows',
  'nodebb/undo-follow': 'unfollows',
  'nodebb/feed-note': { reads: 'It works.' },
  'nodebb/create-article': { reads: 'Which forum?' },
  'nodebb/category-announces-note': { boosts: 'NodeBB post 7' },
  'nodebb/update-note': { does: { changes: 'It works now.' }, after: ['nodebb/feed-note'] },
  'nodebb/delete-note': { does: 'deletes', after: ['nodebb/feed-note'] },
  'nodebb/like': 'likes',
  'nodebb/group-like': { votes: ['Like'] },
  'nodebb/group-note': { comments: 'Thank you for the hours.' },
  'nodebb/flag': { reports: [1, 'off topic'] },
  // A thing that is no actor changes place: nothing here depends on it.
  'nodebb/move-topic': 'known',

  'discourse/follow': 'follows',
  'discourse/undo-follow': 'unfollows',
  'discourse/accept-follow': 'accepts',
  'discourse/create-article': { reads: 'How to choose' },
  'discourse/announce-create-note': { boosts: 'Discourse post 2' },
  'discourse/update-note': { does: { changes: 'Discourse, edited' }, after: ['discourse/create-article'] },
  'discourse/delete-note': { does: 'deletes', after: ['discourse/create-article'] },
  'discourse/like': 'likes',
  'discourse/undo-like': { does: 'unlikes', after: ['discourse/like'] },
  'discourse/reject-follow': 'rejects',
  'discourse/reply': { answers: 'Discourse answers' },

  'snac/follow': 'follows',
  'snac/undo-follow': 'unfollows',
  'snac/create-note': { reads: 'snac note 1.1' },
  'snac/create-question': { reads: 'snac note 1.2' },
  'snac/update-note': { does: { changes: 'snac, edited' }, after: ['snac/create-note'] },
  'snac/delete-note': { does: 'deletes', after: ['snac/create-note'] },
  'snac/boost': boosted,
  'snac/undo-boost': { does: 'unboosts', after: ['snac/boost'], serves: note },
  'snac/like': 'likes',
  'snac/undo-like': { does: 'unlikes', after: ['snac/like'] },
  // With an empty text beside the option.
  'snac/vote': 'votes',
  'snac/move': 'moves',
  'snac/ping': 'known',
  'snac/accept-follow': 'accepts',
  'snac/reply': { answers: 'snac answers' },
  'snac/update-actor': 'renames',

  'mitra/follow': 'follows',
  'mitra/undo-follow': 'unfollows',
  'mitra/create-note': { reads: 'Mitra note 1' },
  'mitra/create-question': { reads: 'Mitra note 2' },
  'mitra/update-note': { does: { changes: 'Mitra, edited' }, after: ['mitra/create-note'] },
  'mitra/delete-note': { does: 'deletes', after: ['mitra/create-note'] },
  'mitra/boost': boosted,
  'mitra/undo-boost': { does: 'unboosts', after: ['mitra/boost'], serves: note },
  'mitra/like': 'likes',
  'mitra/undo-like': { does: 'unlikes', after: ['mitra/like'] },
  'mitra/vote': 'votes',
  'mitra/delete-actor': 'forgets',
  'mitra/dislike': dislike,
  'mitra/move': 'moves',
  // FEP-7628: said by the new account; both name each other.
  'mitra/pull-move': 'moves',
  // The Follow by its id alone.
  'mitra/accept-follow': 'accepts',
  'mitra/reject-follow': 'rejects',
  'mitra/reply': { answers: 'Mitra answers' },
  'mitra/update-actor': 'renames',

  // The site is known without its www; its ids have it. Another origin is another server all the same.
  'www/id-on-www': { reads: 'Written on www 1' },
  'www/object-beside-www': 403,

  'odd/public-as-short-name': { reads: 'Odd as-public' },
  'odd/public-as-bare-name': { reads: 'Odd bare-public' },
  'odd/type-as-list': { reads: 'Odd types' },
  'odd/unreachable-context': { reads: 'Odd context' },
  'odd/no-context': { reads: 'Odd no-context' },
  'odd/embedded-actor': { reads: 'Odd embedded' },
  'odd/object-as-list-of-one': { reads: 'Odd list' },
  'odd/query-in-id': { reads: 'Odd query' },
  'odd/date-without-published': { reads: 'Odd undated' },
  'odd/date-with-offset-and-micros': { reads: 'Odd offset' },
  'odd/date-without-zone': { reads: 'Odd zoneless' },
  'odd/authors-as-list-of-objects': { reads: 'Odd authors' },
  'odd/content-null-with-name': { reads: 'Odd title' },
  'odd/single-tag': { reads: 'Odd tag' },
  'odd/url-as-list-of-links': { reads: 'Odd links' },
  'odd/undo-without-id': 'unfollows',
  // What it answers is no poll: a message to its author.
  'odd/vote-for-a-note': { answers: 'Soup' },
  'odd/accented-id': { reads: 'Odd été' },
  'odd/terms-of-its-own': { reads: 'Odd terms' },
  'odd/content-in-two-languages': { reads: 'Bonjour' },
};

const days = ['Monday', 'Friday'].map((day) => ({ id: day.toLowerCase(), label: { fr: day, en: day } }));

const folder = join(projectDir, 'test/fixtures/activities');
const files = readdirSync(folder).flatMap((program) =>
  readdirSync(join(folder, program)).map((file) => `${program}/${file.replace(/\.json$/, '')}`),
);
const hosts: Record<string, string> = {
  www: 'www.odd',
  wordpress: 'blog',
  nodebb: 'forum',
  gotosocial: 'gts',
  fedify: 'fedify',
};
const hostOf = (program: string): string => `https://${hosts[program] ?? program}.example`;

describe('what each program sends', function () {
  this.timeout(20_000);
  let app: FederatedApp;
  let hoster: Collective;
  let us: string;
  /** What others answer, like and report; and the first thread of the group that others write to. */
  let ours: string;
  let group: Group;
  let groupIri: string;
  let first: string;
  let poll: string;
  const peers = new Map<string, Peer>();
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const edwards = generateKeyPairSync('ed25519');

  before(async () => {
    for (const program of new Set(files.map((file) => file.split('/')[0] ?? ''))) {
      peers.set(hostOf(program), await startPeer());
    }
    app = await startFederatedApp({ privateHosts: [...peers.values()].map((peer) => peer.host) });
    for (const peer of peers.values()) peer.now = app.house.now;
    hoster = await addCollective(app, { handle: 'ecluse' });
    us = `${app.baseUrl}/actors/${hoster.handle}`;
    group = await openAnnouncements(app.ctx(), {
      ...{ handle: 'annonces', name: { fr: 'Annonces', en: '' }, summary: { fr: '', en: '' }, version: 0 },
      ...{ hostersModerate: true, moderators: [], postingRestrictedToMods: false },
    });
    groupIri = `${app.baseUrl}/actors/annonces`;
    const words = { fr: 'Bonjour', en: 'Hello' };
    ours = `${app.baseUrl}/objects/${(await publishPost(app.ctx(), hoster._id, words))._id}`;
    first = `${app.baseUrl}/objects/${(await publishPost(app.ctx(), hoster._id, words, { groupId: group._id }))._id}`;
    const closesAt = new Date(app.house.now().getTime() + 24 * 3_600_000);
    const survey = await buildSurvey(app.ctx(), hoster, [hoster], {
      sections: [choiceSection({ day: 'multiple' }, days)],
      closesAt,
    });
    const [offered] = await offerPolls(app.ctx(), survey._id, { questions: ['day'], endsAt: null });
    poll = `${app.baseUrl}/objects/${offered?._id}`;
    await app.run();
  });

  /** A fixture with the addresses that the servers of this run have. */
  function read(name: string): Json {
    let text = readFileSync(join(folder, `${name}.json`), 'utf8')
      .replaceAll('https://us.example/objects/0190p"', `${poll}"`)
      .replaceAll('https://us.example/objects/0190a"', `${ours}"`)
      .replaceAll('https://us.example/objects/0190a\\n', `${ours}\\n`)
      .replaceAll('https://us.example', app.baseUrl)
      .replaceAll('https://chatiere.example/objects/first', first)
      .replaceAll('https://chatiere.example', app.baseUrl);
    for (const [host, peer] of peers) text = text.replaceAll(host, peer.origin);
    return JSON.parse(text) as Json;
  }

  const idOf = (value: unknown): string =>
    typeof value === 'string' ? value : String((value as Json | undefined)?.id ?? '');
  const peerOf = (iri: string): Peer => {
    const found = [...peers.values()].find((peer) => peer.origin === new URL(iri).origin);
    if (!found) throw new Error(`no peer for ${iri}`);
    return found;
  };

  /** An actor with its document at its own address; GoToSocial’s key is a document of its own. */
  function serveActor(iri: string, change: Json = {}): PeerActor {
    const peer = peerOf(iri);
    const { pathname } = new URL(iri);
    const isApart = peer === peers.get(hostOf('gotosocial'));
    const actor: PeerActor = {
      name: 'someone',
      iri,
      inbox: `${peer.origin}/inbox-of-one`,
      keyId: isApart ? `${iri}/main-key` : `${iri}#main-key`,
      privateKey,
      publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      proofKeyId: `${iri}#ed25519-key`,
      proofKey: edwards.privateKey,
      proofMultikey: multikeyOf(edwards.publicKey),
    };
    const document = { ...peer.document(actor), name: 'As its server says', followers: `${iri}/followers`, ...change };
    peer.serveJson(pathname, document);
    if (isApart) peer.serveJson(`${pathname}/main-key`, document);
    return actor;
  }

  /** The post in an activity, however deep. */
  function postIn(value: unknown): Json | null {
    if (typeof value !== 'object' || value === null) return null;
    const { type, object } = value as Json;
    if (postTypes.some((one) => [type].flat().includes(one))) return value as Json;
    return postIn(Array.isArray(object) ? object[0] : object);
  }

  function servePost(activity: Json): void {
    const post = postIn(activity);
    if (!post || String(post.id).startsWith(app.baseUrl)) return;
    const { pathname, search } = new URL(String(post.id));
    if (search === '') peerOf(String(post.id)).serveJson(pathname, post);
    for (const author of [post.attributedTo].flat()) serveActor(idOf(author));
  }

  async function follow(actor: PeerActor, state: FollowingState): Promise<void> {
    await fetchActor(app.federation, actor.iri);
    await followingsIn(app.house.store).insertOne({
      _id: followKey(us, actor.iri),
      ...{ follower: us, followed: actor.iri, ownerKind: 'collective', ownerId: hoster._id },
      ...{ followIri: `${app.baseUrl}/activities/0190f`, state, lists: [], muted: false },
      ...{ requestedAt: new Date(), decidedAt: null, events: [] },
    });
  }

  /** Signed as that program does: RFC 9421, or draft-cavage with or without the name of the algorithm. */
  async function send(actor: PeerActor, activity: Json): Promise<number> {
    const peer = peerOf(actor.iri);
    const inbox = `${app.baseUrl}/inbox`;
    if (peer === peers.get(hostOf('wordpress'))) return (await peer.postMessage(actor, inbox, activity)).status;
    const named = { gotosocial: 'hs2019', pleroma: null, snac: null, odd: null } as Record<string, string | null>;
    const program = Object.keys(named).find((one) => peer === peers.get(hostOf(one)));
    return (await peer.post(actor, inbox, activity, program === undefined ? {} : { algorithm: named[program] ?? null }))
      .status;
  }

  const kept =
    'follows followings remotePosts remoteActors feedEntries received keyFailures mentions reactions reports fediVotes'.split(
      ' ',
    );
  async function forgetAll(): Promise<void> {
    const { store } = app.house;
    for (const name of kept) await store.collection(name).deleteMany({});
    await groupPostsIn(store).deleteMany({ postId: null });
    await groupActivitiesIn(store).deleteMany({ author: { $ne: us } });
    for (const peer of peers.values()) peer.pages.clear();
  }

  const feed = async (): Promise<string> =>
    JSON.stringify((await pageFeed(app.house.store, us, {})).items.map((item) => item.post));

  const following = (iri: string) => findFollowing(app.house.store, followKey(us, iri));
  const followState = async (iri: string) => (await findFollow(app.house.store, followKey(iri, us)))?.state;

  async function check(effect: Exclude<Effect, number | 'known'>, activity: Json, actor: PeerActor): Promise<void> {
    const about = idOf([activity.object].flat()[0]);
    const { store } = app.house;
    if (typeof effect === 'object' && 'reports' in effect) {
      const [report, ...more] = await reportsIn(store).find({}).toArray();
      expect(more).to.deep.equal([]);
      expect(report).to.deep.include({ source: 'server', host: new URL(actor.iri).host, status: 'open' });
      expect(report?.objects).to.have.length(effect.reports[0]);
      return void expect(report?.comment).to.include(effect.reports[1]);
    }
    if (typeof effect === 'object' && 'answers' in effect) {
      const [mention] = await mentionsIn(store).find({ reader: us }).toArray();
      expect(mention).to.deep.include({ answered: ours, author: actor.iri, state: 'shown' });
      const post = await remotePostsIn(store).findOne({ _id: mention?.post ?? '' });
      return void expect(`${post?.title} ${post?.content}`).to.include(effect.answers);
    }
    if (typeof effect === 'object' && ('begins' in effect || 'comments' in effect)) {
      const [post, ...more] = await groupPostsIn(store).find({ groupId: group._id, postId: null }).toArray();
      expect(more).to.deep.equal([]);
      expect(post?.author).to.equal(actor.iri);
      expect(post?.thread).to.equal('begins' in effect ? post?._id : groupKey(group._id, first));
      return void expect(post?.content?.content).to.include('begins' in effect ? effect.begins : effect.comments);
    }
    if (typeof effect === 'object' && 'votes' in effect) {
      const acted = await groupActivitiesIn(store)
        .find({ author: actor.iri }, { sort: { at: 1 } })
        .toArray();
      return void expect(acted.map(({ type }) => type)).to.deep.equal(effect.votes);
    }
    if (typeof effect === 'object') {
      const text = 'reads' in effect ? effect.reads : 'boosts' in effect ? effect.boosts : effect.changes;
      return void expect(await feed()).to.include(text);
    }
    switch (effect) {
      case 'follows':
        return void expect(await followState(actor.iri)).to.equal('accepted');
      case 'unfollows':
        return void expect(await followState(actor.iri)).to.equal('undone');
      case 'accepts':
        return void expect((await following(actor.iri))?.state).to.equal('accepted');
      case 'rejects':
        return void expect((await following(actor.iri))?.state).to.equal('rejected');
      case 'deletes': {
        const inner = activity.type === 'Announce' ? idOf((activity.object as Json).object) : about;
        expect((await findRemotePost(store, inner))?.deletedAt).to.be.instanceOf(Date);
        return void expect(await feed()).to.equal('[]');
      }
      case 'unboosts':
        return void expect(await feed()).to.equal('[]');
      case 'moves':
        expect((await following(about))?.state).to.equal('undone');
        return void expect((await following(idOf(activity.target)))?.state).to.equal('pending');
      case 'blocks':
        expect((await following(actor.iri))?.state).to.equal('rejected');
        return void expect(await followState(actor.iri)).to.equal('undone');
      case 'likes':
        return void expect(
          (await pageReactions(store, about, 9)).items.map(({ reaction }) => reaction.actor),
        ).to.deep.equal([actor.iri]);
      case 'unlikes':
        return void expect(await countReactions(store, ours, 'like')).to.equal(0);
      case 'votes': {
        const [vote, ...more] = await votesIn(store).find({ actor: actor.iri }).toArray();
        expect(more).to.deep.equal([]);
        return void expect(poll).to.equal(`${app.baseUrl}/objects/${vote?.pollId}`);
      }
      case 'leaves our group':
        return void expect((await findGroupPost(store, group._id, about))?.removedBy).to.equal('author');
      case 'forgets':
        return void expect((await findRemoteActor(store, actor.iri))?.goneAt).to.be.instanceOf(Date);
      case 'renames':
        return void expect((await findRemoteActor(store, actor.iri))?.name).to.equal('As its server says');
    }
  }

  it('has a row for each file, and a file for each row', () => {
    expect(Object.keys(table).sort()).to.deep.equal([...files].sort());
  });

  it('is of as many programs as FEDERATION.md says', () => {
    const programs = new Set(files.map((file) => file.split('/')[0] ?? ''));
    for (const shape of ['odd', 'www']) programs.delete(shape);
    const [, said] =
      /in the form of (\d+) programs/.exec(readFileSync(join(projectDir, 'FEDERATION.md'), 'utf8')) ?? [];
    expect(Number(said)).to.equal(programs.size);
  });

  for (const [name, entry] of Object.entries(table)) {
    const row: Row = typeof entry === 'object' && 'does' in entry ? entry : { does: entry };
    const { does, after: before = [], serves } = row;
    const what = typeof does === 'object' ? JSON.stringify(does) : does;
    it(`${name}: ${what}`, async () => {
      await forgetAll();
      const activity = read(name);
      const actor = serveActor(idOf(activity.actor));
      let followed = actor;
      if (activity.target) {
        const target = idOf(activity.target);
        if (activity.type === 'Move' && target === actor.iri) {
          followed = serveActor(idOf(activity.object), { alsoKnownAs: [target] });
        }
        if (activity.type === 'Move') serveActor(target, { alsoKnownAs: [followed.iri] });
      }
      await follow(followed, does === 'accepts' || does === 'rejects' ? 'pending' : 'accepted');
      if (serves) servePost(read(serves));
      if ([groupIri, first].some((named) => JSON.stringify(activity).includes(`${named}"`))) {
        expect(await send(actor, peerOf(actor.iri).follow(actor, groupIri))).to.equal(202);
      }
      if (does === 'blocks') expect(await send(actor, peerOf(actor.iri).follow(actor, us))).to.equal(202);
      for (const earlier of before) {
        const first = read(earlier);
        servePost(first);
        const sender = serveActor(idOf(first.actor));
        expect(await send(sender, first), earlier).to.equal(202);
      }
      if (does === 'unfollows' && before.length === 0) {
        const inner = activity.object as Json | string;
        const id = typeof inner === 'string' ? inner : String(inner.id ?? `${actor.iri}#follows/1`);
        expect(await send(actor, peerOf(actor.iri).follow(actor, us, id))).to.equal(202);
      }
      const isGone = does === 'deletes' && activity.type === 'Announce';
      if (isGone) peerOf(actor.iri).pages.delete(new URL(idOf((activity.object as Json).object)).pathname);
      else servePost(activity);
      if (typeof does === 'number' || does === 'known') {
        const answer = await nothingStored(app, () => send(actor, activity), ['received', 'remoteActors']);
        return void expect(answer).to.equal(does === 'known' ? 202 : does);
      }
      expect(await send(actor, activity)).to.equal(202);
      await check(does, activity, actor);
    });
  }

  describe('and how it names its keys', () => {
    const styles: Record<string, (iri: string) => string> = {
      'with a fragment': (iri) => `${iri}#main-key`,
      'as the actor itself, without a fragment': (iri) => iri,
      'as a document of its own about the actor': (iri) => `${iri}/main-key`,
      'as a document of its own about a key': (iri) => `${iri}/key`,
      'with a query': (iri) => `${iri}?get=key`,
    };
    for (const [style, nameOf] of Object.entries(styles)) {
      it(style, async () => {
        await forgetAll();
        const peer = peers.get(hostOf('odd'));
        const activity = read('odd/undo-without-id');
        const actor = serveActor(idOf(activity.actor));
        const keyId = nameOf(actor.iri);
        const key = { id: keyId, type: 'Key', owner: actor.iri, publicKeyPem: actor.publicPem };
        const path = new URL(actor.iri).pathname;
        const document = { ...peer?.document(actor), publicKey: key };
        peer?.serveJson(path, document);
        if (keyId.endsWith('/main-key')) peer?.serveJson(`${path}/main-key`, { id: actor.iri, publicKey: key });
        if (keyId.endsWith('/key')) peer?.serveJson(`${path}/key`, key);
        const follower = { ...actor, keyId };
        expect(await send(follower, peerOf(actor.iri).follow(actor, us))).to.equal(202);
        expect(await followState(actor.iri)).to.equal('accepted');
      });
    }
  });
});
