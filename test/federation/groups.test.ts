// Groups on the wire (FEP-1b12, FEP-7888): what other software sends to one of ours, what is passed on and to whom, what a
// liar gains, and the whole way between two instances.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { fetchActor } from '../../federation/remoteActors.js';
import { readEd25519Multikey } from '../../federation/signatures/keys.js';
import { verifyProof } from '../../federation/signatures/proofs.js';
import { deleteCollective, purgeDeleted } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import { purgeGroupPostsOf, receiveGroupVote } from '../../server/groups/actions/receive.js';
import {
  changeAnnouncements,
  closeAnnouncements,
  deleteAnnouncements,
  openAnnouncements,
  removeFromGroup,
} from '../../server/groups/actions.js';
import {
  findAnnouncements,
  groupActivitiesIn,
  groupPostsIn,
  listThread,
  listThreads,
} from '../../server/groups/queries.js';
import { activitiesAnHour, groupKey } from '../../server/groups/rules.js';
import type { Group, GroupInput } from '../../server/groups/schema.js';
import { followActor } from '../../server/partners/actions/following.js';
import { makeInteraction, undoInteraction } from '../../server/partners/actions/interact.js';
import { countReactions, pageFeed } from '../../server/partners/queries.js';
import { postKey } from '../../server/partners/rules.js';
import { projectDir } from '../../server/paths.js';
import { deletePost, publishPost, updatePost } from '../../server/posts/actions.js';
import type { Post } from '../../server/posts/schema.js';
import { refusalOf } from '../server/collectives/collectiveSupport.js';
import type { Peer, PeerActor, ReceivedRequest } from '../support/peer/peer.js';
import { proven } from '../support/peer/signing.js';
import { addCollective, type FederatedApp, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const publicIri = 'https://www.w3.org/ns/activitystreams#Public';

const input = (overrides: Partial<GroupInput> = {}): GroupInput => ({
  handle: 'annonces',
  name: { fr: 'Annonces', en: 'Announcements' },
  summary: { fr: 'Ce qui change chez nous.', en: 'What changes here.' },
  hostersModerate: true,
  moderators: [],
  postingRestrictedToMods: true,
  version: 0,
  ...overrides,
});

describe('a group on the wire', function () {
  this.timeout(60_000);
  let app: FederatedApp;
  let peer: Peer;
  let evil: Peer;
  let bea: PeerActor;
  let hoster: Collective;
  let group: Group;
  let iri: string;
  let first: Post;
  let firstIri: string;

  beforeEach(async () => {
    peer = await startPeer();
    evil = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host, evil.host] });
    peer.now = app.house.now;
    evil.now = app.house.now;
    hoster = await addCollective(app);
    group = await openAnnouncements(app.ctx(), input());
    iri = `${app.baseUrl}/actors/annonces`;
    bea = peer.addActor('bea');
    await follow(peer, bea);
    first = await publishPost(app.ctx(), hoster._id, { fr: 'Bonjour', en: 'Hello' }, { groupId: group._id });
    firstIri = `${app.baseUrl}/objects/${first._id}`;
    await run();
  });

  /** What is about the same post goes out one after the other: the second waits a moment. */
  async function run(one = app): Promise<void> {
    for (let times = 0; times < 3; times++) {
      await one.run();
      one.pass(1);
    }
  }

  async function follow(of: Peer, actor: PeerActor): Promise<void> {
    expect((await of.post(actor, `${iri}/inbox`, of.follow(actor, iri))).status).to.equal(202);
    await run();
    expect(of.ofType('Accept').at(-1)?.json.object).to.include({ actor: actor.iri, object: iri });
  }

  const announced = (): ReceivedRequest[] => peer.ofType('Announce');
  const inner = (index: number): Json => announced().at(index)?.json.object as Json;
  const threads = () => listThreads(app.house.store, group._id, 1);
  const thread = (post = firstIri) => listThread(app.house.store, groupKey(group._id, post), 1);

  function comment(by: PeerActor, of: Peer, changes: Json = {}): Json {
    const id = of.nextId();
    const object = {
      id: `${id}/note`,
      type: 'Note',
      attributedTo: by.iri,
      to: [publicIri],
      cc: [iri],
      inReplyTo: firstIri,
      content: '<p>Which hours?</p>',
      published: '2026-05-21T09:00:00Z',
      ...changes,
    };
    return {
      '@context': 'https://www.w3.org/ns/activitystreams',
      id,
      type: 'Create',
      actor: by.iri,
      to: [publicIri],
      cc: [iri],
      object,
    };
  }

  const send = (of: Peer, by: PeerActor, activity: Json) => of.post(by, `${app.baseUrl}/inbox`, activity);

  /** All that holds words of what was written in the group. */
  async function kept(): Promise<unknown[]> {
    const { store } = app.house;
    const passedOn = activitiesIn(app.federation).find({ actor: 'annonces' }).toArray();
    return Promise.all([passedOn, groupActivitiesIn(store).find({}).toArray(), groupPostsIn(store).find({}).toArray()]);
  }

  describe('as others read it', () => {
    it('is a Group whose moderators are a collection, found by name', async () => {
      const actor = await peer.lookUp(app.baseUrl, `annonces@${app.house.site.host}`);
      expect(actor).to.deep.include({
        id: iri,
        type: 'Group',
        preferredUsername: 'annonces',
        attributedTo: `${iri}/moderators`,
        postingRestrictedToMods: true,
        manuallyApprovesFollowers: false,
        nameMap: { fr: 'Annonces', en: 'Announcements' },
      });
      const moderators = await peer.getJson(String(actor.attributedTo));
      expect(moderators.orderedItems).to.deep.equal([`${app.baseUrl}/actors/${hoster.handle}`]);
      expect((await peer.get(`${app.baseUrl}/actors/${hoster.handle}/moderators`)).status).to.equal(404);
    });

    it('owns each thread as a collection of posts in the order of arrival (FEP-7888)', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      const note = await peer.getJson(firstIri);
      const context = await peer.getJson(String(note.context));
      expect(context).to.include({ id: note.context, type: 'OrderedCollection', attributedTo: iri, totalItems: 2 });
      const page = await peer.getJson(String(context.first));
      expect(page.orderedItems).to.deep.equal([firstIri, (created.object as Json).id]);
      expect(page).not.to.have.property('next');
      expect((await peer.get(String(note.context), 'text/html')).headers.location).to.match(/^\/@annonces\/threads\//);
      for (const wrong of [
        groupKey(group._id, 'nothing'),
        'x',
        groupKey(group._id, String((created.object as Json).id)),
      ])
        expect((await peer.get(`${app.baseUrl}/contexts/${wrong}`)).status).to.equal(404);
    });
  });

  describe('to which a hoster of ours writes', () => {
    it('announces the very Create, with its proof, and the post by its id', async () => {
      const [create, boost] = announced();
      expect(announced()).to.have.length(2);
      for (const one of [create, boost]) {
        expect(one?.signature).to.equal('valid');
        expect(one?.json).to.deep.include({ actor: iri, to: [publicIri] });
        expect(one?.json.cc).to.deep.equal([`${iri}/followers`, `${app.baseUrl}/actors/${hoster.handle}`]);
      }
      expect(boost?.json.object).to.equal(firstIri);
      const carried = create?.json.object as Json;
      expect(carried).to.deep.equal(await peer.getJson(String(carried.id)));
      expect(carried).to.include({ type: 'Create', audience: iri });
      const note = carried.object as Json;
      expect(note).to.deep.include({
        id: firstIri,
        audience: iri,
        context: `${app.baseUrl}/contexts/${groupKey(group._id, firstIri)}`,
      });
      expect(note.cc).to.include(iri);
      expect(note.tag).to.deep.include({ type: 'Mention', name: `@annonces@${app.house.site.host}`, href: iri });
      const author = await peer.getJson(String(carried.actor));
      const [method] = author.assertionMethod as { publicKeyMultibase: string }[];
      expect(verifyProof(carried, readEd25519Multikey(method?.publicKeyMultibase ?? '')!)).to.equal(true);
    });

    it('announces corrections, and a deletion together with the end of the boost; nothing of the text is kept', async () => {
      const saved = await updatePost(app.ctx(), hoster._id, first._id, { version: 1, text: { fr: 'Bonsoir', en: '' } });
      await run();
      expect(inner(-1)).to.include({ type: 'Update' });
      expect(JSON.stringify(inner(-1))).to.contain('Bonsoir');
      await deletePost(app.ctx(), hoster._id, saved._id);
      await run();
      expect(inner(-1)).to.include({ type: 'Delete' });
      const undo = peer.ofType('Undo').at(-1)?.json.object as Json;
      expect(undo).to.include({ type: 'Announce', actor: iri, object: firstIri, id: announced()[1]?.json.id });
      expect(await threads()).to.deep.equal([]);
      expect(JSON.stringify(await kept()))
        .not.to.contain('Bonsoir')
        .and.not.to.contain('Bonjour');
      expect((await peer.get(`${app.baseUrl}/contexts/${groupKey(group._id, firstIri)}`)).status).to.equal(410);
      expect((await peer.getJson(`${iri}/outbox`)).totalItems).to.equal(0);
    });

    it('refuses it before it is written when the group is closed or the hoster may not', async () => {
      const write = () => publishPost(app.ctx(), hoster._id, { fr: 'Encore', en: '' }, { groupId: group._id });
      await changeAnnouncements(app.ctx(), input({ hostersModerate: false, version: 1 }));
      expect(await refusalOf(write())).to.match(/^closed /);
      await changeAnnouncements(
        app.ctx(),
        input({ hostersModerate: false, postingRestrictedToMods: false, version: 2 }),
      );
      await write();
      await closeAnnouncements(app.ctx());
      expect(await refusalOf(write())).to.match(/^closed /);
    });
  });

  describe('to which others write', () => {
    function fixture(name: string, actor: [string, PeerActor]): Json {
      const text = readFileSync(join(projectDir, 'test/fixtures/activities', `${name}.json`), 'utf8')
        .replaceAll(actor[0], actor[1].iri)
        .replaceAll('https://chatiere.example/objects/first', firstIri)
        .replaceAll(
          'https://chatiere.example/contexts/first',
          `${app.baseUrl}/contexts/${groupKey(group._id, firstIri)}`,
        )
        .replaceAll('https://chatiere.example', app.baseUrl)
        .replace(/https:\/\/[a-z]+\.example/g, peer.origin);
      return JSON.parse(text) as Json;
    }

    it('takes threads of Lemmy and Mastodon where followers may begin them, and announces them twice', async () => {
      await changeAnnouncements(app.ctx(), input({ postingRestrictedToMods: false, version: 1 }));
      for (const created of [
        fixture('lemmy/group-page', ['https://lemmy.example/u/bea', bea]),
        fixture('mastodon/group-mention', ['https://mastodon.example/users/alice', bea]),
      ]) {
        const before = announced().length;
        expect((await send(peer, bea, created)).status).to.equal(202);
        await run();
        expect(announced().length).to.equal(before + 2);
        expect(inner(-2)).to.deep.equal(created);
        expect(announced().at(-1)?.json.object).to.equal((created.object as Json).id);
      }
      expect(await threads()).to.have.length(3);
    });

    it('takes comments of Lemmy and NodeBB, and announces them once, as they came', async () => {
      for (const created of [
        fixture('lemmy/group-comment', ['https://lemmy.example/u/bea', bea]),
        fixture('nodebb/group-note', ['https://forum.example/uid/3', bea]),
      ]) {
        const before = announced().length;
        expect((await send(peer, bea, created)).status).to.equal(202);
        await run();
        expect(announced().length).to.equal(before + 1);
        expect(inner(-1)).to.deep.equal(created);
      }
      expect(await thread()).to.have.length(3);
      const removal = fixture('lemmy/group-delete', ['https://lemmy.example/u/bea', bea]);
      expect((await send(peer, bea, removal)).status).to.equal(202);
      await run();
      expect(inner(-1)).to.deep.equal(removal);
      expect(await thread()).to.have.length(2);
      expect(peer.ofType('Undo')).to.deep.equal([]);
    });

    it('counts likes of what is ours and passes them on as they came, once, with what takes them back', async () => {
      const like = fixture('lemmy/group-like', ['https://lemmy.example/u/bea', bea]);
      const before = announced().length;
      const said = async (activity: Json): Promise<number> => {
        expect((await send(peer, bea, activity)).status).to.equal(202);
        await run();
        return announced().length - before;
      };
      expect(await said(like)).to.equal(1);
      expect(inner(-1)).to.deep.equal(like);
      expect(await countReactions(app.house.store, firstIri, 'like')).to.equal(1);
      expect(await said({ ...like, id: peer.nextId() }), 'said already').to.equal(1);
      const undo = (object: unknown): Json => ({ ...like, id: peer.nextId(), type: 'Undo', object });
      expect(await said(undo({ ...like, type: 'Dislike' })), 'never said').to.equal(1);
      const back = undo(like);
      expect(await said(back)).to.equal(2);
      expect(inner(-1)).to.deep.equal(back);
      expect(await countReactions(app.house.store, firstIri, 'like')).to.equal(0);
      expect(await said(undo(like)), 'taken back already').to.equal(2);
      const dislike = { ...like, id: peer.nextId(), type: 'Dislike' };
      expect(await said(dislike)).to.equal(3);
      expect(inner(-1)).to.deep.equal(dislike);
      expect(await said(undo(dislike.id)), 'by its id alone').to.equal(4);
    });

    it('passes on a like by a hoster of ours, with its proof, and what takes it back, by the way of those from elsewhere', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      await run();
      const { id } = created.object as Json & { id: string };
      const ref = { kind: 'collective' as const, id: hoster._id };
      const before = announced().length;
      await makeInteraction(app.ctx(), ref, 'like', postKey(id));
      await run();
      const [like, ...more] = peer.ofType('Like');
      expect(more).to.deep.equal([]);
      expect(like?.json).to.deep.include({ object: id, to: [bea.iri], cc: [iri] });
      expect(announced().length).to.equal(before + 1);
      expect(inner(-1)).to.deep.equal(like?.json);
      expect(inner(-1)).to.have.property('proof');
      await undoInteraction(app.ctx(), ref, 'like', postKey(id));
      await run();
      expect(announced().length).to.equal(before + 2);
      expect(inner(-1)).to.deep.equal(peer.ofType('Undo').at(-1)?.json);
      expect(inner(-1).object).to.include({ id: like?.json.id, type: 'Like', object: id });
    });

    it('passes on a correction and a deletion that bear the id of their Create, once', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      await run();
      const before = announced().length;
      const object = { ...(created.object as Json), content: '<p>Which dates?</p>', updated: '2026-05-22T09:00:00Z' };
      const update = { ...created, type: 'Update', object };
      for (const _turn of [1, 2]) await send(peer, bea, update);
      await run();
      expect(announced().length).to.equal(before + 1);
      expect(inner(-1)).to.deep.equal(update);
      const removal = { ...created, type: 'Delete', object: { id: (created.object as Json).id, type: 'Tombstone' } };
      for (const _turn of [1, 2]) await send(peer, bea, removal);
      await run();
      expect(announced().length).to.equal(before + 2);
      expect(inner(-1)).to.deep.equal(removal);
      expect(JSON.stringify(await kept())).not.to.contain('Which dates?');
    });

    it('tells a boost of what stands in the group to nobody in its own name, and a like elsewhere to its author alone', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      const elsewhere = comment(bea, peer, { inReplyTo: null, cc: [`${app.baseUrl}/actors/${hoster.handle}`] });
      elsewhere.cc = (elsewhere.object as Json).cc;
      await send(peer, bea, elsewhere);
      await run();
      const before = announced().filter(({ json }) => json.actor === iri).length;
      const ref = { kind: 'collective' as const, id: hoster._id };
      await makeInteraction(app.ctx(), ref, 'boost', postKey((created.object as Json & { id: string }).id));
      await makeInteraction(app.ctx(), ref, 'like', postKey((elsewhere.object as Json & { id: string }).id));
      await run();
      expect(announced().filter(({ json }) => json.actor === iri)).to.have.length(before);
      expect(peer.ofType('Like').at(-1)?.json).to.deep.include({ to: [bea.iri], cc: [] });
    });

    it('passes on no like of strangers, of what was said to an author alone, or beyond the hour’s measure', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      await run();
      const { id } = created.object as Json & { id: string };
      const like = (by: PeerActor, of: Peer, change: Json = {}): Json => ({
        '@context': 'https://www.w3.org/ns/activitystreams',
        ...{ id: of.nextId(), type: 'Like', actor: by.iri, object: id, ...change },
      });
      const before = announced().length;
      const stranger = evil.addActor('stranger');
      await send(evil, stranger, like(stranger, evil));
      await send(peer, bea, like(bea, peer, { to: [`${peer.origin}/users/someone`] }));
      await run();
      expect(announced().length).to.equal(before);
      for (let times = 0; times < activitiesAnHour; times++) {
        await send(peer, bea, like(bea, peer, { type: times % 2 ? 'Dislike' : 'Like' }));
      }
      expect(await groupActivitiesIn(app.house.store).countDocuments({ author: bea.iri })).to.equal(activitiesAnHour);
    });

    it('passes on one of several likes of the same hoster that arrive at once, and what comes after it', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      const { id } = created.object as Json & { id: string };
      const vote = (type: 'Like' | 'Dislike') => {
        const activityIri = peer.nextId();
        const raw = JSON.stringify({ id: activityIri, type, actor: bea.iri, object: id });
        return receiveGroupVote(app.ctx(), {
          ...{ activityIri, raw, author: bea.iri, iri: id, vote: null, undoes: null, type },
        });
      };
      await Promise.all(Array.from({ length: 5 }, () => vote('Like')));
      const count = (type: 'Like' | 'Dislike') =>
        groupActivitiesIn(app.house.store).countDocuments({ author: bea.iri, type });
      expect(await count('Like')).to.equal(1);
      await vote('Dislike');
      await vote('Dislike');
      expect([await count('Like'), await count('Dislike')]).to.deep.equal([1, 1]);
    });

    it('passes on no correction by whoever may not write any more, and still what takes words back', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      await run();
      const unfollow = { id: peer.nextId(), type: 'Undo', actor: bea.iri, object: { type: 'Follow', object: iri } };
      await send(peer, bea, { ...unfollow, object: { ...unfollow.object, actor: bea.iri } });
      // Somebody else is still there to be told.
      await follow(evil, evil.addActor('other'));
      evil.received.length = 0;
      const object = { ...(created.object as Json), content: '<p>Buy this</p>', updated: '2026-05-22T09:00:00Z' };
      await send(peer, bea, { ...created, id: peer.nextId(), type: 'Update', object });
      await run();
      expect(evil.ofType('Announce')).to.deep.equal([]);
      expect((await thread()).at(-1)?.content?.content).to.equal('<p>Which hours?</p>');
      const few = { ...object, to: [`${bea.iri}/followers`], cc: [], updated: '2026-05-23T09:00:00Z' };
      await send(peer, bea, { ...created, to: few.to, cc: [], id: peer.nextId(), type: 'Update', object: few });
      await run();
      expect(evil.ofType('Announce')).to.have.length(1);
      expect(await thread()).to.have.length(1);
    });

    it('announces the author’s correction when it is newer, with its proof intact', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      const object = { ...(created.object as Json), content: '<p>Which days?</p>', updated: '2026-05-22T09:00:00Z' };
      const update = proven({ ...created, id: peer.nextId(), type: 'Update', object }, bea.proofKeyId, bea.proofKey);
      await send(peer, bea, update);
      await send(peer, bea, { ...update, id: peer.nextId(), proof: undefined });
      await run();
      expect(announced().filter(({ json }) => (json.object as Json).type === 'Update')).to.have.length(1);
      expect(inner(-1)).to.deep.equal(update);
      expect((await thread()).at(-1)?.content?.content).to.equal('<p>Which days?</p>');
    });

    it('takes and announces each once, however often it comes and under whatever activity', async () => {
      const created = comment(bea, peer);
      for (let times = 0; times < 3; times++) await send(peer, bea, created);
      await send(peer, bea, { ...created, id: peer.nextId() });
      await run();
      expect(await thread()).to.have.length(2);
      expect(announced()).to.have.length(3);
      // Forgotten by the inbox after months, and sent again.
      await app.house.store.collection('received').deleteMany({});
      await send(peer, bea, created);
      await run();
      expect(announced()).to.have.length(3);
    });

    it('passes on what was kept and not yet recorded when the process died', async () => {
      const created = comment(bea, peer);
      await send(peer, bea, created);
      await groupActivitiesIn(app.house.store).deleteMany({ author: bea.iri });
      await app.house.store
        .collection<{ _id: string; isDone: boolean }>('received')
        .updateMany({}, { $set: { isDone: false } });
      await send(peer, bea, created);
      await run();
      expect(inner(-1)).to.deep.equal(created);
    });

    it('keeps nothing of strangers, of threads by those who may not begin them, of private words, of answers to nothing', async () => {
      const stranger = peer.addActor('stranger');
      const own = { inReplyTo: undefined };
      const removed = comment(bea, peer);
      for (const [by, activity] of [
        [stranger, comment(stranger, peer)],
        [stranger, comment(stranger, peer, own)],
      ] as const) {
        const before = peer.log.length;
        // An answer to a hoster is the hoster's to read, wherever else it was meant to stand.
        const asAnswer = (activity.object as Json).inReplyTo ? ['mentions', 'remotePosts', 'received'] : [];
        await nothingStored(app, () => send(peer, by, activity), ['remoteActors', ...asAnswer]);
        expect(peer.log.slice(before).filter((line) => !line.includes('/users/stranger'))).to.deep.equal([]);
      }
      for (const changes of [
        own,
        { to: [iri], cc: [] },
        { to: [], cc: [`${iri}/followers`] },
        { inReplyTo: `${peer.origin}/elsewhere` },
        { type: 'Person' },
        { attributedTo: [bea.iri, `${evil.origin}/users/x`] },
      ]) {
        const created = comment(bea, peer, changes);
        await nothingStored(app, () => send(peer, bea, { ...created, to: (created.object as Json).to }), ['received']);
      }
      await send(peer, bea, removed);
      await removeFromGroup(app.ctx(), group._id, groupKey(group._id, String((removed.object as Json).id)));
      await send(peer, bea, comment(bea, peer, { inReplyTo: (removed.object as Json).id }));
      expect(await thread()).to.have.length(1);
    });

    it('takes no more of one author within an hour than is said, and goes on after it', async () => {
      for (let count = 0; count < activitiesAnHour + 3; count++) await send(peer, bea, comment(bea, peer));
      expect(await thread()).to.have.length(activitiesAnHour + 1);
      app.pass(61);
      await send(peer, bea, comment(bea, peer));
      expect(await thread()).to.have.length(activitiesAnHour + 2);
    });

    it('never announces what was announced', async () => {
      const created = comment(bea, peer);
      const before = announced().length;
      await send(peer, bea, { ...created, type: 'Announce', id: peer.nextId(), object: created });
      await send(peer, bea, { ...created, type: 'Announce', id: peer.nextId(), object: firstIri });
      await run();
      expect(announced().length).to.equal(before);
      expect(await thread()).to.have.length(1);
    });
  });

  describe('against which somebody lies', () => {
    let mallory: PeerActor;
    let created: Json;
    let postIri: string;

    beforeEach(async () => {
      mallory = evil.addActor('mallory');
      await follow(evil, mallory);
      created = comment(bea, peer);
      postIri = String((created.object as Json).id);
      await send(peer, bea, created);
      await run();
    });

    const unmoved = async (work: () => Promise<{ status: number }>, status: number): Promise<void> => {
      const answer = await nothingStored(app, work, ['received', 'remoteActors', 'remotePosts']);
      expect(answer.status).to.equal(status);
      expect(await thread()).to.have.length(2);
    };

    it('refuses a Create signed by another, of an object from elsewhere, or by somebody else', async () => {
      await unmoved(() => send(evil, mallory, comment(bea, peer)), 403);
      const own = comment(mallory, evil);
      await unmoved(
        () => send(evil, mallory, { ...own, object: { ...(own.object as Json), id: `${peer.origin}/notes/1` } }),
        403,
      );
      await unmoved(
        () => send(evil, mallory, { ...own, object: { ...(own.object as Json), attributedTo: bea.iri } }),
        403,
      );
      await unmoved(
        () => send(evil, mallory, { ...own, object: { ...(own.object as Json), id: `${app.baseUrl}/objects/1` } }),
        403,
      );
      await unmoved(() => send(evil, mallory, { ...own, actor: `${app.baseUrl}/actors/${hoster.handle}` }), 403);
    });

    it('refuses a Delete, an Update and a Remove by whoever is neither author nor moderator, whatever is inside', async () => {
      const base = {
        '@context': 'https://www.w3.org/ns/activitystreams',
        actor: mallory.iri,
        to: [publicIri],
        cc: [iri],
      };
      const faked = {
        id: postIri,
        type: 'Tombstone',
        audience: { id: iri, type: 'Group', attributedTo: [mallory.iri], moderators: [mallory.iri] },
      };
      for (const object of [postIri, faked, firstIri])
        await unmoved(() => send(evil, mallory, { ...base, id: evil.nextId(), type: 'Delete', object }), 403);
      const changed = { ...(created.object as Json), content: 'mine', updated: '2027-01-01T00:00:00Z' };
      await unmoved(() => send(evil, mallory, { ...base, id: evil.nextId(), type: 'Update', object: changed }), 403);
      await unmoved(
        () => send(evil, mallory, { ...base, id: evil.nextId(), type: 'Remove', object: postIri, target: iri }),
        202,
      );
      // Of the same server as the author.
      const neighbour = peer.addActor('neighbour');
      const theirs = { ...base, id: peer.nextId(), actor: neighbour.iri, type: 'Delete', object: postIri };
      await unmoved(() => send(peer, neighbour, theirs), 403);
      const claimed = { ...changed, attributedTo: neighbour.iri };
      const update = { ...base, id: peer.nextId(), actor: neighbour.iri, type: 'Update', object: claimed };
      await unmoved(() => send(peer, neighbour, update), 403);
    });

    it('lets a moderator elsewhere, as stored, remove a post; a post taken from the featured ones stays', async () => {
      await changeAnnouncements(app.ctx(), input({ moderators: [mallory.iri], version: 1 }));
      await run();
      const base = {
        '@context': 'https://www.w3.org/ns/activitystreams',
        type: 'Remove',
        actor: mallory.iri,
        object: postIri,
      };
      await unmoved(() => send(evil, mallory, { ...base, id: evil.nextId(), target: `${iri}/featured` }), 202);
      const remove = { ...base, id: evil.nextId(), target: iri };
      expect((await send(evil, mallory, remove)).status).to.equal(202);
      await run();
      expect(inner(-1)).to.deep.equal(remove);
      expect(await thread()).to.have.length(1);
      const removed = await groupPostsIn(app.house.store).findOne({ iri: postIri });
      expect(removed).to.include({ removedBy: 'moderator', content: null });
      // What was removed is not brought back.
      await send(peer, bea, { ...created, id: peer.nextId() });
      expect(await thread()).to.have.length(1);
      const erase = { ...base, id: evil.nextId(), type: 'Delete', object: firstIri };
      expect((await send(evil, mallory, erase)).status).to.equal(202);
      expect(await threads()).to.have.length(0);
      expect((await peer.get(firstIri)).status).to.equal(200);
    });

    it('forgets what an actor wrote who is gone, and tells those to whom it was passed on', async () => {
      const gone = {
        '@context': 'https://www.w3.org/ns/activitystreams',
        id: peer.nextId(),
        type: 'Delete',
        actor: bea.iri,
        object: bea.iri,
      };
      expect((await send(peer, bea, gone)).status).to.equal(202);
      expect(await thread()).to.have.length(1);
      await run();
      const told = evil.ofType('Announce').at(-1)?.json.object;
      expect(told).to.include({ type: 'Delete', actor: iri, object: postIri });
      expect(JSON.stringify(await kept())).not.to.contain('Which hours?');
    });

    it('forgets what a hoster of ours wrote who is gone for good', async () => {
      await deleteCollective(app.ctx(), hoster._id, hoster.handle);
      await run();
      app.pass(31 * 24 * 60);
      await purgeDeleted(app.ctx(), [purgeGroupPostsOf]);
      await run();
      expect(evil.ofType('Announce').at(-1)?.json.object).to.include({ type: 'Delete', actor: iri, object: firstIri });
      expect(await threads()).to.have.length(0);
      expect(JSON.stringify(await kept())).not.to.contain('Bonjour');
    });
  });

  it('is closed: it answers, and takes nothing; deleted: it says so, and is gone', async () => {
    await closeAnnouncements(app.ctx());
    await run();
    const updated = peer.ofType('Update').at(-1)?.json.object as Json | undefined;
    expect(updated?.postingRestrictedToMods).to.equal(true);
    await send(peer, bea, comment(bea, peer));
    expect(await thread()).to.have.length(1);
    expect(await refusalOf(deleteAnnouncements(app.ctx(), 'autre'))).to.match(/^invalid /);
    await deleteAnnouncements(app.ctx(), 'annonces');
    await run();
    expect(peer.ofType('Delete').at(-1)?.json).to.include({ actor: iri, object: iri });
    expect((await peer.get(iri)).status).to.equal(410);
    expect((await peer.get(`${iri}/moderators`)).status).to.equal(410);
    expect(JSON.stringify(await kept())).not.to.contain('Bonjour');
    expect(await findAnnouncements(app.house.store)).to.equal(null);
    expect(await refusalOf(openAnnouncements(app.ctx(), input()))).to.match(/^conflict /);
    await openAnnouncements(app.ctx(), input({ handle: 'nouvelles' }));
  });

  it('can be followed from another instance: what is written, corrected, deleted and removed here happens there', async () => {
    const there = await startFederatedApp({ privateHosts: [app.house.site.host, peer.host] });
    (app.house.privateHosts as string[]).push(there.house.site.host);
    const reader = await addCollective(there);
    const readerIri = `${there.baseUrl}/actors/${reader.handle}`;
    await fetchActor(there.federation, iri);
    await followActor(there.ctx(), { kind: 'collective', id: reader._id }, { actor: iri });
    for (const one of [there, app, there]) await run(one);
    const feed = async () => (await pageFeed(there.house.store, readerIri, {})).items.map(({ post }) => post);
    const settle = async () => {
      for (const one of [app, there, app]) await run(one);
    };

    const second = await publishPost(app.ctx(), hoster._id, { fr: 'Deuxième', en: '' }, { groupId: group._id });
    await settle();
    expect((await feed()).map(({ content }) => content)).to.deep.equal(['<p>Deuxième</p>']);

    await updatePost(app.ctx(), hoster._id, second._id, { version: 1, text: { fr: 'Corrigé', en: '' } });
    await settle();
    expect((await feed()).map(({ content }) => content)).to.deep.equal(['<p>Corrigé</p>']);

    // A follower there answers: it comes to the thread here, and back to followers.
    const secondIri = `${app.baseUrl}/objects/${second._id}`;
    const answered = { iri: secondIri, author: `${app.baseUrl}/actors/${hoster.handle}` };
    await publishPost(
      there.ctx(),
      reader._id,
      { fr: `Merci @annonces@${app.house.site.host}`, en: '' },
      { inReplyTo: answered },
    );
    await run(there);
    await run();
    expect((await thread(secondIri)).map(({ author }) => author)).to.deep.equal([answered.author, readerIri]);
    expect(inner(-1)).to.include({ type: 'Create', actor: readerIri });

    await deletePost(app.ctx(), hoster._id, second._id);
    await settle();
    expect(await feed()).to.deep.equal([]);

    const third = await publishPost(app.ctx(), hoster._id, { fr: 'Troisième', en: '' }, { groupId: group._id });
    await settle();
    expect(await feed()).to.have.length(1);
    await removeFromGroup(app.ctx(), group._id, groupKey(group._id, `${app.baseUrl}/objects/${third._id}`));
    await settle();
    expect(await feed()).to.deep.equal([]);
  });
});
