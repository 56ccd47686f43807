// Members follow partners elsewhere and read them here, with an independent peer: what is asked for, what is believed, what a
// page shows of it.
import { expect } from 'chai';
import { createCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import { pruneRemotePosts } from '../../server/partners/actions/feed.js';
import { followActor, forgetPartnersOf } from '../../server/partners/actions/following.js';
import { makeInteraction, replyToPost, undoInteraction } from '../../server/partners/actions/interact.js';
import { exportPartners } from '../../server/partners/exports.js';
import {
  feedEntriesIn,
  findFollowing,
  findRemotePost,
  pageFeed,
  remotePostsIn,
} from '../../server/partners/queries.js';
import { actorIri, followKey, postKey } from '../../server/partners/rules.js';
import type { Following } from '../../server/partners/schema.js';
import { deletePost } from '../../server/posts/actions.js';
import { listRepliesOf } from '../../server/posts/queries.js';
import { refusalOf } from '../server/collectives/collectiveSupport.js';
import { buildPerson, type Client, contextFor, signIn, systemActor } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { announceAndDeliver, startWholeApp, type WholeApp } from '../support/wholeApp.js';
import { noteBy } from './conversation.js';
import { startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const publicIri = 'https://www.w3.org/ns/activitystreams#Public';

describe('partners elsewhere', () => {
  let app: WholeApp;
  let peer: Peer;
  let other: Peer;
  let alice: PeerActor;
  let mallory: PeerActor;
  let carol: PeerActor;
  let hoster: Collective;
  let iri: string;
  let base: string;
  let member: Client;
  let skew = 0;

  before(async () => {
    peer = await startPeer();
    other = await startPeer();
    const privateHosts = [peer.host, other.host];
    app = await startWholeApp({ house: { privateHosts, now: () => new Date(Date.now() + skew) } });
    privateHosts.push(app.house.site.host);
    alice = peer.addActor('alice', {
      name: 'Alice <b>Pads</b>',
      summary: '<p>We host <script>alert(1)</script><a href="https://pads.example/">pads</a>.</p>',
      followers: `${peer.origin}/users/alice/followers`,
    });
    peer.serveJson('/users/alice/followers', { type: 'OrderedCollection', totalItems: 1234 });
    mallory = peer.addActor('mallory');
    carol = other.addActor('carol');
    const person = await buildPerson(app.house);
    hoster = await createCollective(ctx(), {
      handle: 'ecluse',
      name: { fr: 'L’Écluse', en: 'The Lock' },
      legalForm: 'ASSOCIATION',
      published: true,
      members: [{ personId: person._id, role: 'member' }],
    } as Parameters<typeof createCollective>[1]);
    iri = actorIri(app.house.site, hoster.handle);
    base = `/my/collectives/${hoster._id}/partners`;
    member = app.client();
    await app.house.store
      .collection('collectives')
      .updateOne(
        { _id: hoster._id },
        { $set: { members: [{ personId: person._id, role: 'member', since: new Date() }] } },
      );
    await signIn(member, person);
  });

  const ctx = () => contextFor(app.house, systemActor);
  const ref = () => ({ kind: 'collective' as const, id: hoster._id });
  const following = (actor: PeerActor): Promise<Following | null> =>
    findFollowing(app.house.store, followKey(iri, actor.iri));

  const run = () => announceAndDeliver(app);

  async function post(actor: PeerActor, activity: Json, from: Peer = peer): Promise<number> {
    const document = { '@context': 'https://www.w3.org/ns/activitystreams', actor: actor.iri, ...activity };
    return (await from.post(actor, `${app.url}/inbox`, document)).status;
  }

  const note = noteBy;
  const create = (object: Json, id = peer.nextId()): Json => ({
    id,
    type: 'Create',
    to: object.to,
    cc: object.cc,
    object,
  });
  const texts = async (): Promise<string[]> =>
    (await pageFeed(app.house.store, iri, {})).items.map(({ post: one }) => one.content || one.title);
  async function befriend(actor: PeerActor, from: Peer = peer): Promise<void> {
    await app.house.lookUpActor(`@${actor.name}@${from.host}`);
    await followActor(ctx(), ref(), { actor: actor.iri });
    await run();
    const follow = from.ofType('Follow').findLast(({ json }) => json.object === actor.iri)?.json;
    expect(await post(actor, { id: from.nextId(), type: 'Accept', object: follow }, from)).to.equal(202);
    expect((await following(actor))?.state).to.equal('accepted');
  }

  describe('finding and following', () => {
    it('shows who it is before anything is said, cleaned, with the count that it claims', async () => {
      const before = peer.received.length;
      const page = await member.get(`${base}/find?q=${encodeURIComponent(`@alice@${peer.host}`)}`);
      expect(page.status).to.equal(200);
      expect(page.text).to.contain('Alice &lt;b&gt;Pads&lt;/b&gt;').and.contain(`@alice@${peer.host}`);
      expect(page.text).to.contain('1,234 followers').and.contain('>pads</a> <bdi class="muted">(pads.example)</bdi>');
      expect(page.text).not.to.contain('alert(1)');
      await run();
      expect(peer.received.length).to.equal(before);
      expect(await following(alice)).to.equal(null);
    });

    it('shows what it says of itself and its last public posts, cleaned, and keeps none of them (AP-20)', async () => {
      const said = (change: Json): Json => ({ type: 'Create', actor: dora.iri, object: note(dora, change) });
      const dora: PeerActor = peer.addActor('dora', {
        attachment: [
          { type: 'PropertyValue', name: 'Web', value: '<a href="https://dora.example/">dora</a><img src=x>' },
        ],
      });
      const foreign = { id: `${other.origin}/users/carol/posts/1`, attributedTo: carol.iri, content: 'Not hers' };
      const first = `${dora.iri}/outbox?page=true`;
      peer.serveJson('/users/dora/outbox', { type: 'OrderedCollection', totalItems: 9, first });
      const outbox = peer.pages.get('/users/dora/outbox');
      const items = [
        said({ content: '<p>First<script>alert(1)</script></p>' }),
        said({ content: 'For followers', to: [`${dora.iri}/followers`], cc: [] }),
        said(foreign),
        said({ content: 'Of mallory', attributedTo: mallory.iri }),
        { type: 'Announce', actor: dora.iri, object: foreign.id },
        said({ content: 'Second' }),
        said({ content: 'Third', summary: 'Spoiler' }),
        said({ content: 'Fourth' }),
      ];
      peer.serveJson('/users/dora/page', { type: 'OrderedCollectionPage', orderedItems: items });
      const page = peer.pages.get('/users/dora/page');
      peer.pages.set('/users/dora/outbox', (req, res) => (req.url?.includes('page=') ? page : outbox)?.(req, res));
      const { text } = await member.get(`${base}/find?q=${encodeURIComponent(`@dora@${peer.host}`)}`);
      expect(text).to.contain('>dora</a> <bdi class="muted">(dora.example)</bdi>');
      for (const shown of ['First', 'Second', 'Third', 'Spoiler']) expect(text).to.contain(shown);
      for (const hidden of ['For followers', 'Not hers', 'Of mallory', 'Fourth', 'alert(1)', '<img src=x']) {
        expect(text).not.to.contain(hidden);
      }
      expect(await remotePostsIn(app.house.store).countDocuments({ authors: dora.iri })).to.equal(0);
    });

    it('shows nothing of an outbox that leads to another server', async () => {
      const first = `${other.origin}/users/carol/outbox`;
      const erin = peer.addActor('erin');
      peer.serveJson('/users/erin/outbox', { type: 'OrderedCollection', first });
      const asked = () => other.log.filter((line) => line.includes('/users/carol/outbox')).length;
      const before = asked();
      const { text } = await member.get(`${base}/find?q=${encodeURIComponent(erin.iri)}`);
      expect(text).to.contain('Its server shows no recent post');
      expect(asked()).to.equal(before);
    });

    it('finds by address too, and says when nobody is there', async () => {
      expect((await member.get(`${base}/find?q=${encodeURIComponent(alice.iri)}`)).text).to.contain(
        `@alice@${peer.host}`,
      );
      const nobody = await member.get(`${base}/find?q=${encodeURIComponent(`@nobody@${peer.host}`)}`);
      expect(nobody.text).to.contain('Nobody answers at that address');
      expect((await member.get(`${base}/find?q=what`)).text).to.contain('no address of the Fediverse');
      const here = await member.get(`${base}/find?q=${encodeURIComponent(`@ecluse@${app.house.site.host}`)}`);
      expect(here.text).to.contain('href="/@ecluse"');
    });

    it('says that a server does not answer, which is no fault of the address', async () => {
      other.pages.set('/.well-known/webfinger', (_req, res) => res.writeHead(503).end());
      const { text } = await member.get(`${base}/find?q=${encodeURIComponent(`@carol@${other.host}`)}`);
      other.pages.delete('/.well-known/webfinger');
      expect(text).to.contain('That server does not answer').and.not.to.contain('Nobody answers at that address');
    });

    it('finds an account whose name is on another host than its actor, and shows where it lives', async () => {
      const links = [{ rel: 'self', type: 'application/activity+json', href: carol.iri }];
      peer.serveJson('/.well-known/webfinger', { links }, { type: 'application/jrd+json' });
      const page = await member.get(`${base}/find?q=${encodeURIComponent(`@carol@${peer.host}`)}`);
      peer.pages.delete('/.well-known/webfinger');
      expect(page.text).to.contain(`@carol@${other.host}`).and.not.contain(`>@carol@${peer.host}`);
    });

    it('asks with a signed Follow, and waits', async () => {
      const from = `${base}/find?q=${encodeURIComponent(`@alice@${peer.host}`)}`;
      const answer = await member.post(`${base}/follow`, { actor: alice.iri, newList: 'network' }, from);
      expect(answer.location).to.equal(`${base}/following`);
      await run();
      const [follow] = peer.ofType('Follow');
      expect(follow?.signature).to.equal('valid');
      expect(follow?.path).to.equal('/users/alice/inbox');
      expect(follow?.json).to.deep.include({ actor: iri, object: alice.iri, to: [alice.iri] });
      expect((await following(alice))?.followIri).to.equal(follow?.json.id);
      expect((await following(alice))?.state).to.equal('pending');
      expect((await member.get(`${base}/following`)).text).to.contain('Waiting for an answer');
    });

    it('believes no answer but that of the one asked, to what was asked (AP-44)', async () => {
      const followIri = (await following(alice))?.followIri ?? '';
      const follow = { id: followIri, type: 'Follow', actor: iri, object: alice.iri };
      expect(await post(mallory, { id: peer.nextId(), type: 'Accept', object: follow })).to.equal(202);
      expect(
        await post(mallory, { id: peer.nextId(), type: 'Accept', object: { ...follow, object: mallory.iri } }),
      ).to.equal(202);
      expect(
        await post(alice, { id: peer.nextId(), type: 'Accept', object: { ...follow, id: `${followIri}x` } }),
      ).to.equal(202);
      expect(
        await post(alice, {
          id: peer.nextId(),
          type: 'Accept',
          object: { ...follow, id: undefined, object: mallory.iri },
        }),
      ).to.equal(202);
      const asked = peer.addActor('trent');
      await app.house.lookUpActor(asked.iri);
      await followActor(ctx(), ref(), { actor: asked.iri });
      expect(await post(asked, { id: peer.nextId(), type: 'Accept', object: follow })).to.equal(202);
      expect((await following(alice))?.state).to.equal('pending');
      expect((await following(asked))?.state).to.equal('pending');
      expect(await following(mallory)).to.equal(null);
    });

    it('is a follower once accepted, and no longer once refused', async () => {
      const object = peer.ofType('Follow').find(({ json }) => json.object === alice.iri)?.json;
      expect(await post(alice, { id: peer.nextId(), type: 'Accept', object })).to.equal(202);
      expect((await following(alice))?.state).to.equal('accepted');
      expect(await post(alice, { id: peer.nextId(), type: 'Reject', object: (object as Json).id })).to.equal(202);
      expect((await following(alice))?.state).to.equal('rejected');
      const list = (await member.get(`${base}/following`)).text;
      expect(list)
        .to.contain('Refused or ended')
        .and.to.contain(`find?q=${encodeURIComponent(`@alice@${peer.host}`)}`);
      expect(await post(alice, { id: peer.nextId(), type: 'Accept', object })).to.equal(202);
      expect((await following(alice))?.state, 'a late Accept').to.equal('rejected');
      await befriend(alice);
    });
  });

  describe('what arrives', () => {
    it('is read newest first, once, cleaned; nothing is loaded from elsewhere', async () => {
      const first = note(alice, {
        summary: 'Spoiler',
        sensitive: true,
        content:
          '<p onclick="x()">Hi <img src="https://evil.example/t.gif"><a href="https://evil.example/">https://bank.example</a> <a href="javascript:x()">y</a></p><script>1</script>',
        attachment: [{ type: 'Document', mediaType: 'image/png', url: `${peer.origin}/m.png`, name: 'A <cat>' }],
      });
      const activity = create(first);
      expect(await post(alice, activity)).to.equal(202);
      expect(await post(alice, activity)).to.equal(202);
      expect(await post(alice, create(first))).to.equal(202);
      expect(await post(alice, create(note(alice, { content: '<p>Second</p>' })))).to.equal(202);
      expect(await texts()).to.have.length(2);
      const page = (await member.get(base)).text;
      expect(page.indexOf('Second')).to.be.below(page.indexOf('Spoiler'));
      const article = page.slice(page.indexOf('<details class="more"><summary>Content warning'));
      expect(article).to.contain('<bdi>Spoiler</bdi>').and.contain('(evil.example)').and.contain('A &lt;cat&gt;');
      expect(page).not.to.match(/<img[^>]*evil|<img[^>]*m\.png|javascript:|onclick|<script>1/);
      expect(article).to.contain('rel="nofollow noopener noreferrer ugc"');
    });

    it('is kept from none whom nobody follows', async () => {
      const kept = await remotePostsIn(app.house.store).countDocuments({});
      expect(await post(mallory, create(note(mallory)))).to.equal(202);
      expect(await remotePostsIn(app.house.store).countDocuments({})).to.equal(kept);
    });

    it('is shown only to those whom it is for', async () => {
      const before = await texts();
      expect(await post(alice, create(note(alice, { to: [mallory.iri], cc: [] })))).to.equal(202);
      expect(await texts()).to.deep.equal(before);
      const forFollowers = note(alice, { to: [`${alice.iri}/followers`], cc: [], content: 'For followers' });
      expect(await post(alice, create(forFollowers))).to.equal(202);
      expect(await texts()).to.include('For followers');
    });

    it('changes by its author and to a later version only', async () => {
      const old = note(alice, { content: 'Version 1' });
      await post(alice, create(old));
      const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
      const update = (object: Json): Json => ({ id: peer.nextId(), type: 'Update', object });
      expect(await post(alice, update({ ...old, content: 'Version 3', updated: at(3) }))).to.equal(202);
      expect(await post(alice, update({ ...old, content: 'Version 2', updated: at(2) }))).to.equal(202);
      expect(await post(alice, update({ ...old, content: 'No date' }))).to.equal(202);
      const forged = { ...old, attributedTo: mallory.iri, content: 'Forged', updated: at(9) };
      expect(await post(mallory, update(forged))).to.equal(403);
      expect((await findRemotePost(app.house.store, old.id))?.content).to.equal('Version 3');
    });

    it('stays deleted, by its author alone, whatever comes late (AP-41, AP-42)', async () => {
      const object = note(alice, { content: 'Short life' });
      const activity = create(object);
      await post(alice, activity);
      const tombstone = { id: object.id, type: 'Tombstone' };
      expect(await post(mallory, { id: peer.nextId(), type: 'Delete', object: tombstone })).to.equal(403);
      expect(await texts()).to.include('Short life');
      expect(await post(alice, { id: peer.nextId(), type: 'Delete', object: tombstone })).to.equal(202);
      expect(await post(alice, create(object))).to.equal(202);
      expect(await texts()).not.to.include('Short life');
      expect((await findRemotePost(app.house.store, object.id))?.content).to.equal('');

      const never = note(alice, { content: 'Overtaken' });
      expect(await post(alice, { id: peer.nextId(), type: 'Delete', object: never.id })).to.equal(202);
      expect(await post(alice, create(never))).to.equal(202);
      expect(await texts()).not.to.include('Overtaken');
    });

    it('takes what is boosted from its own server, never from the copy inside (AP-20, AP-47)', async () => {
      const real = note(carol, { content: 'What Carol wrote' });
      other.serveJson(new URL(real.id).pathname, real);
      const boost = { id: peer.nextId(), type: 'Announce', to: [publicIri], object: { ...real, content: 'A lie' } };
      expect(await post(alice, boost)).to.equal(202);
      expect(await texts())
        .to.include('What Carol wrote')
        .and.not.include('A lie');
      expect((await member.get(base)).text).to.match(/Passed on by <bdi>Alice/);
      const invented = note(carol, { content: 'Carol never wrote this' });
      expect(await post(alice, { id: peer.nextId(), type: 'Announce', object: invented })).to.equal(202);
      expect(await texts()).not.to.include('Carol never wrote this');
      const undo = { id: peer.nextId(), type: 'Undo', object: { type: 'Announce', actor: alice.iri, object: real.id } };
      expect(await post(alice, undo)).to.equal(202);
      expect(await texts()).not.to.include('What Carol wrote');
    });

    it('loses what is taken back by the id of the boost alone, by whoever made it', async () => {
      const real = note(carol, { content: 'Boosted by id' });
      other.serveJson(new URL(real.id).pathname, real);
      const boost = { id: peer.nextId(), type: 'Announce', to: [publicIri], object: real.id };
      expect(await post(alice, boost)).to.equal(202);
      expect(await texts()).to.include('Boosted by id');
      expect(await post(mallory, { id: peer.nextId(), type: 'Undo', object: boost.id })).to.equal(202);
      expect(await texts()).to.include('Boosted by id');
      expect(await post(alice, { id: peer.nextId(), type: 'Undo', object: boost.id })).to.equal(202);
      expect(await texts()).not.to.include('Boosted by id');
    });

    it('opens what a group passes on (FEP-1b12)', async () => {
      const page = note(carol, { type: 'Page', name: 'A thread', content: 'In the group' });
      other.serveJson(new URL(page.id).pathname, page);
      const inner = { id: `${carol.iri}/a/1`, type: 'Create', actor: carol.iri, object: page };
      expect(await post(alice, { id: peer.nextId(), type: 'Announce', object: inner })).to.equal(202);
      expect(await texts()).to.include('In the group');
    });

    it('stands in its conversation', async () => {
      const question = note(alice, { content: 'Who hosts pads?' });
      await post(alice, create(question));
      await post(alice, create(note(alice, { content: 'We do', inReplyTo: question.id })));
      const { items } = await pageFeed(app.house.store, iri, {});
      const reply = items.find(({ post: one }) => one.content === 'We do');
      const page = (await member.get(`${base}/posts/${reply?.post._id}`)).text;
      expect(page.indexOf('Who hosts pads?')).to.be.within(1, page.indexOf('We do'));
      const above = items.find(({ post: one }) => one.content === 'Who hosts pads?');
      const other = (await member.get(`${base}/posts/${above?.post._id}`)).text;
      expect(other.slice(other.indexOf('Replies known here'))).to.contain('We do');
    });
  });

  describe('what is done with it', () => {
    it('is a like for the author alone, and taken back with the whole of it', async () => {
      const liked = note(alice, { content: 'Likeable' });
      await post(alice, create(liked));
      const key = postKey(liked.id);
      expect((await member.post(`${base}/posts/${key}/like`, {}, `${base}/posts/${key}`)).status).to.equal(303);
      await member.post(`${base}/posts/${key}/like`, {}, `${base}/posts/${key}`);
      await run();
      const likes = peer.ofType('Like');
      expect(likes).to.have.length(1);
      expect(likes[0]?.signature).to.equal('valid');
      expect(likes[0]?.json).to.deep.include({ actor: iri, object: liked.id, to: [alice.iri], cc: [] });
      await member.post(`${base}/posts/${key}/unlike`, {}, `${base}/posts/${key}`);
      await run();
      const inner = { id: likes[0]?.json.id, type: 'Like', actor: iri, object: liked.id };
      expect(peer.ofType('Undo').at(-1)?.json.object).to.deep.equal(inner);
    });

    it('is a boost for followers too, but never of what was for few (AP-47)', async () => {
      const boosted = note(alice);
      const few = note(alice, { to: [`${alice.iri}/followers`], cc: [] });
      await post(alice, create(boosted));
      await post(alice, create(few));
      await makeInteraction(ctx(), ref(), 'boost', postKey(boosted.id));
      await run();
      const announce = peer.ofType('Announce').at(-1)?.json;
      expect(announce).to.deep.include({ actor: iri, object: boosted.id, to: [publicIri] });
      expect(announce?.cc).to.deep.equal([`${iri}/followers`, alice.iri]);
      expect(await refusalOf(makeInteraction(ctx(), ref(), 'boost', postKey(few.id)))).to.equal(
        'closed partners.error.notForAll',
      );
      await undoInteraction(ctx(), ref(), 'boost', postKey(boosted.id));
      await run();
      expect(peer.ofType('Undo').at(-1)?.json.object).to.include({ type: 'Announce', object: boosted.id });
    });

    it('is answered by the hoster: a Note under its own name, with a mention, in the thread, until it is deleted', async () => {
      const asked = note(alice, { content: 'Who has room?' });
      await post(alice, create(asked));
      const page = `${base}/posts/${postKey(asked.id)}`;
      expect((await member.post(`${page}/reply`, { text: 'We **do**' }, page)).location).to.equal(page);
      await run();
      const sent = peer.ofType('Create').at(-1)?.json.object as Json;
      expect(sent).to.deep.include({ type: 'Note', attributedTo: iri, inReplyTo: asked.id, to: [publicIri] });
      expect(sent.content).to.equal('<p>We <strong>do</strong></p>');
      expect(sent.cc).to.deep.equal([`${iri}/followers`, alice.iri]);
      expect(sent.tag).to.deep.include({ type: 'Mention', name: `@alice@${peer.host}`, href: alice.iri });
      expect((await member.get(page)).text).to.contain('We <strong>do</strong>');
      const [own] = await listRepliesOf(app.house.store, hoster._id, asked.id);
      await deletePost(ctx(), hoster._id, own?._id ?? '');
      await run();
      expect(peer.ofType('Delete').at(-1)?.json.object).to.include({ id: sent.id, type: 'Tombstone' });
      expect((await member.get(page)).text).not.to.contain('We <strong>do</strong>');
      const few = note(alice, { to: [`${alice.iri}/followers`], cc: [] });
      await post(alice, create(few));
      const refused = replyToPost(ctx(), ref(), postKey(few.id), { fr: 'Non', en: '' });
      expect(await refusalOf(refused)).to.equal('closed partners.error.notForAll');
    });
  });

  describe('what is held against it', () => {
    it('leads from a post to a block and to a report, which reaches its server when that is wished', async () => {
      const shown = note(alice, { content: '<p>Buy watches</p>' });
      await post(alice, create(shown));
      const page = await member.get(`${base}/posts/${postKey(shown.id)}`);
      expect(page.text).to.contain(`${base}/block?actor&#x3D;${encodeURIComponent(alice.iri)}`);
      expect(page.text).to.contain(`/report?about&#x3D;${encodeURIComponent(shown.id)}`);
      const from = `/report?about=${encodeURIComponent(shown.id)}`;
      const form = await member.get(from);
      expect(form.text).to.contain('Also tell their server').and.contain(peer.host).and.not.contain('Your e-mail');
      const filled = { about: shown.id, reason: 'spam', comment: 'Watches again', tellsTheirs: 'on' };
      expect((await member.post('/report', filled, from)).location).to.equal('/report/thanks');
      await run();
      const [flag] = peer.ofType('Flag');
      expect(flag?.path).to.equal('/users/alice/inbox');
      expect(flag?.json).to.deep.include({ actor: `${app.url}/actors/instance`, object: [alice.iri, shown.id] });
      expect(flag?.json.content).to.contain('Watches again');
    });
  });

  describe('order in it', () => {
    it('has lists, and silence', async () => {
      const _id = followKey(iri, alice.iri);
      expect(
        (await member.post(`${base}/following/${_id}/list`, { newList: 'network' }, `${base}/following`)).status,
      ).to.equal(303);
      await post(alice, create(note(alice, { content: 'Into the list' })));
      expect((await member.get(`${base}?list=network`)).text).to.contain('Into the list');
      expect((await member.get(`${base}?list=local`)).text).not.to.contain('Into the list');
      await member.post(`${base}/following/${_id}/mute`, {}, `${base}/following`);
      expect((await member.get(base)).text).not.to.contain('Into the list');
      await member.post(`${base}/following/${_id}/unmute`, {}, `${base}/following`);
      expect((await member.get(base)).text).to.contain('Into the list');
    });

    it('has several lists for one account; a list can be renamed into another, and deleted', async () => {
      const _id = followKey(iri, alice.iri);
      const lists = async () => (await following(alice))?.lists;
      const from = `${base}/following`;
      const sort = (fields: string) => member.postRaw(`${from}/${_id}/list`, fields);
      const token = await member.csrf(from);
      await sort(`_csrf=${token}&lists=network&lists=software&newList=%20local%20`);
      expect(await lists()).to.deep.equal(['network', 'software', 'local']);
      await post(alice, create(note(alice, { content: 'In three lists' })));
      for (const name of ['network', 'software', 'local']) {
        expect((await member.get(`${base}?list=${name}`)).text).to.contain('In three lists');
        expect((await member.get(`${base}/list?name=${name}`)).text).to.contain(`@alice@${peer.host}`);
      }
      await member.post(`${base}/list/rename`, { name: 'software', to: 'network' }, from);
      expect(await lists()).to.deep.equal(['network', 'local']);
      expect((await member.get(`${base}/list?name=software`)).status).to.equal(404);
      expect((await member.get(`${base}?list=network`)).text.split('In three lists')).to.have.length(2);
      const nameless = await member.post(`${base}/list/rename`, { name: 'local', to: ' ' }, from);
      expect(nameless.status).to.equal(422);
      expect(nameless.text).to.contain('id="errors"');
      await member.post(`${base}/list/delete`, { name: 'local' }, from);
      expect(await lists()).to.deep.equal(['network']);
      expect((await member.get(`${base}?list=local`)).text).not.to.contain('In three lists');
      expect((await member.get(base)).text).to.contain('In three lists');
      const long = await member.post(`${from}/${_id}/list`, { newList: 'x'.repeat(41) }, from);
      expect(long.status).to.equal(422);
      expect(long.text)
        .to.contain('40 characters at most')
        .and.contain(`value="${'x'.repeat(41)}"`);
      await sort(`_csrf=${token}`);
      expect(await lists()).to.deep.equal([]);
      await sort(`_csrf=${token}&newList=network`);
    });

    it('goes along: as the list that Mastodon reads', async () => {
      const { headers, text } = await member.get(`${base}/following.csv`);
      expect(headers.get('content-type')).to.match(/^text\/csv/);
      const [head, ...rows] = text.trim().split('\r\n');
      expect(head).to.equal('Account address,Show boosts,Notify on new posts,Languages');
      expect(rows).to.include(`alice@${peer.host},true,false,`);
    });

    it('goes on page by page, each post once', async () => {
      for (let index = 0; index < 25; index++) await post(alice, create(note(alice)));
      const seen: string[] = [];
      let before: string | undefined;
      do {
        const page = await pageFeed(app.house.store, iri, { before });
        seen.push(...page.items.map(({ post: one }) => one._id));
        before = page.next ?? undefined;
      } while (before !== undefined);
      expect(new Set(seen).size).to.equal(seen.length);
      expect(seen.length).to.equal(await feedEntriesIn(app.house.store).countDocuments({ reader: iri }));
    });

    it('follows a move that both ends declare, and no other (AP-134)', async () => {
      const target = other.addActor('alicetwo');
      const move = (): Json => ({ id: peer.nextId(), type: 'Move', object: alice.iri, target: target.iri });
      expect(await post(alice, move())).to.equal(403);
      expect(await post(mallory, move())).to.equal(202);
      expect((await following(alice))?.state).to.equal('accepted');
      const home = other.addActor('alicethree', { alsoKnownAs: [alice.iri] });
      expect(await post(alice, { ...move(), target: home.iri })).to.equal(202);
      await run();
      expect((await following(alice))?.state).to.equal('undone');
      expect((await following(home))?.state).to.equal('pending');
      expect((await following(home))?.lists).to.deep.equal(['network']);
      expect(other.ofType('Follow').at(-1)?.json.object).to.equal(home.iri);
      expect(peer.ofType('Undo').at(-1)?.json.object).to.include({ type: 'Follow', object: alice.iri });
    });

    it('ends: the Undo embeds the Follow, and the posts leave', async () => {
      await befriend(alice);
      await post(alice, create(note(alice, { content: 'Still there' })));
      const { followIri } = (await following(alice)) as Following;
      await member.post(`${base}/following/${followKey(iri, alice.iri)}/unfollow`, {}, `${base}/following`);
      await run();
      const undo = peer.ofType('Undo').at(-1);
      expect(undo?.signature).to.equal('valid');
      expect(undo?.json.object).to.deep.equal({ id: followIri, type: 'Follow', actor: iri, object: alice.iri });
      expect(await texts()).not.to.include('Still there');
    });

    it('serves a person with a public profile the same, and nobody else in their name', async () => {
      const paula = await buildPerson(app.house, { username: 'paula' });
      const client = app.client();
      await signIn(client, paula);
      const closed = await client.get('/me/partners');
      expect(closed.text).to.contain('publish this page first');
      const wish = { actor: carol.iri };
      expect((await client.post('/me/partners/follow', wish, '/me')).status).to.equal(409);
      await client.post('/me/profile', {
        displayName: 'Paula',
        'bio.fr': '',
        'bio.en': '',
        handle: 'paula',
        publicProfile: 'on',
      });
      expect((await client.post('/me/partners/follow', wish, '/me')).status).to.equal(303);
      await run();
      const follow = other.ofType('Follow').at(-1)?.json;
      expect(follow).to.deep.include({ actor: actorIri(app.house.site, 'paula'), object: carol.iri });
      expect(await post(carol, { id: other.nextId(), type: 'Accept', object: follow }, other)).to.equal(202);
      await post(carol, create(note(carol, { content: 'For Paula' }), other.nextId()), other);
      expect((await client.get('/me/partners')).text).to.contain('For Paula');
      expect((await member.get('/me/partners')).text).not.to.contain('For Paula');
      expect((await member.get(base)).text).not.to.contain('For Paula');
      const download = await exportPartners(app.house.store, actorIri(app.house.site, 'paula'), 'paula');
      expect(download.followings).to.have.nested.property('[0].followed', carol.iri);
      const id = followKey(actorIri(app.house.site, 'paula'), carol.iri);
      expect((await member.post(`/me/partners/following/${id}/unfollow`, {}, '/me')).status).to.equal(404);
      await forgetPartnersOf(ctx(), 'paula');
      expect((await client.get('/me/partners')).text).not.to.contain('For Paula');
    });

    it('is forgotten after ninety days', async () => {
      expect(await remotePostsIn(app.house.store).countDocuments({})).to.be.greaterThan(0);
      skew = 91 * 24 * 60 * 60 * 1000;
      await pruneRemotePosts(ctx());
      skew = 0;
      expect(await remotePostsIn(app.house.store).countDocuments({})).to.equal(0);
    });
  });
});
