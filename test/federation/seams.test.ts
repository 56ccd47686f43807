// Where two parts meet: what a block, a group, a report or what is passed on leaves to another part must hold there too.
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { receiveGroupPost } from '../../server/groups/actions/receive.js';
import { openAnnouncements, removeFromGroup } from '../../server/groups/actions.js';
import { groupActivitiesIn, groupPostsIn, groupsIn, listThreads } from '../../server/groups/queries.js';
import { groupKey } from '../../server/groups/rules.js';
import type { Group } from '../../server/groups/schema.js';
import { block } from '../../server/partners/actions/blocking.js';
import { exportPartners } from '../../server/partners/exports.js';
import { countReactions, mentionsIn, remotePostsIn } from '../../server/partners/queries.js';
import { postKey } from '../../server/partners/rules.js';
import { actorFor, contextFor, testPassword } from '../support/appSupport.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { proven } from '../support/peer/signing.js';
import { type Conversation, createOf, type Json, noteBy, publicIri, startConversation } from './conversation.js';

describe('between blocks, answers, groups and what is passed on', function () {
  this.timeout(60_000);
  let at: Conversation;
  let alice: PeerActor;
  let mallory: PeerActor;
  let group: Group;
  let groupIri: string;

  before(async () => {
    at = await startConversation();
    group = await openAnnouncements(at.ctx(), {
      handle: 'annonces',
      name: { fr: 'Annonces', en: 'Announcements' },
      summary: { fr: '', en: '' },
      hostersModerate: true,
      moderators: [],
      postingRestrictedToMods: false,
      version: 0,
    });
    groupIri = `${at.app.house.site.baseUrl}/actors/annonces`;
  });

  let serial = 0;
  beforeEach(async () => {
    serial += 1;
    alice = at.peer.addActor(`alice${serial}`);
    mallory = at.peer.addActor(`mallory${serial}`);
    for (const one of [alice, mallory]) await follow(at.peer, one, at.iri);
    await settle();
    at.peer.received.length = 0;
    at.other.received.length = 0;
  });

  const follow = async (from: Peer, actor: PeerActor, iri: string): Promise<void> => {
    expect(await at.send(actor, from.follow(actor, iri), from)).to.equal(202);
  };

  async function settle(): Promise<void> {
    for (let times = 0; times < 3; times++) {
      await at.run();
      at.pass(60_000);
    }
  }

  const create = (actor: PeerActor, object: Json): Promise<number> =>
    at.send(actor, createOf(object, at.peer.nextId()));
  const ref = () => ({ kind: 'collective' as const, id: at.hoster._id });

  describe('a block', () => {
    it('takes the answers of whoever is blocked off our page and out of the mentions, and their likes off the count', async () => {
      const ours = await at.say('Qui vient ?');
      const whisper = noteBy(mallory, { to: [at.iri], cc: [], content: 'Whispered' });
      expect(await create(mallory, noteBy(mallory, { inReplyTo: ours.object, content: 'Shouted' }))).to.equal(202);
      expect(await create(mallory, whisper)).to.equal(202);
      expect(await create(alice, noteBy(alice, { inReplyTo: ours.object, content: 'Said' }))).to.equal(202);
      for (const one of [mallory, alice])
        await at.send(one, { id: at.peer.nextId(), type: 'Like', object: ours.object });
      const { store } = at.app.house;
      expect(await countReactions(store, ours.object, 'like')).to.equal(2);
      await block(at.ctx(), ref(), { kind: 'actor', actor: mallory.iri }, '');
      expect((await at.visitor.get(ours.page)).text)
        .to.contain('Said')
        .and.not.contain('Shouted');
      const mentions = (await at.member.get(`/my/collectives/${at.hoster._id}/partners/mentions`)).text;
      expect(mentions).to.contain('Said').and.not.contain('Shouted').and.not.contain('Whispered');
      expect(await countReactions(store, ours.object, 'like')).to.equal(1);
    });

    it('is not got past by writing in the name of a neighbour too', async () => {
      const ours = await at.say('Qui encore ?');
      await block(at.ctx(), ref(), { kind: 'actor', actor: mallory.iri }, '');
      const shared = noteBy(mallory, { attributedTo: [alice.iri, mallory.iri], inReplyTo: ours.object });
      expect(await create(mallory, shared)).to.equal(202);
      expect(await mentionsIn(at.app.house.store).countDocuments({ post: postKey(shared.id) })).to.equal(0);
    });

    it('keeps what the blocked one answers from being passed on to our followers, not its deletion', async () => {
      const reader = at.other.addActor(`reader${serial}`);
      await follow(at.other, reader, at.iri);
      const ours = await at.say('Qui répond ?');
      await settle();
      at.other.received.length = 0;
      const answer = (change: Json = {}): Json => {
        const audience = { to: [publicIri], cc: [at.iri, `${at.iri}/followers`] };
        const object = noteBy(mallory, { inReplyTo: ours.object, ...audience, ...change });
        const context = ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/data-integrity/v1'];
        const activity = { '@context': context, id: at.peer.nextId(), type: 'Create', actor: mallory.iri };
        return proven({ ...activity, ...audience, object }, mallory.proofKeyId, mallory.proofKey);
      };
      const before = answer();
      await at.send(mallory, before);
      await settle();
      expect(at.other.ofType('Create')).to.have.length(1);
      await block(at.ctx(), ref(), { kind: 'actor', actor: mallory.iri }, '');
      await at.send(mallory, answer());
      await settle();
      expect(at.other.ofType('Create')).to.have.length(1);
      // A neighbour cannot have it forgotten; its author can.
      const object = { id: (before.object as Json).id, type: 'Tombstone' };
      const gone = (by: PeerActor): Json => {
        const context = before['@context'];
        const activity = {
          '@context': context,
          id: at.peer.nextId(),
          type: 'Delete',
          actor: by.iri,
          to: [publicIri],
          object,
        };
        return proven(activity, by.proofKeyId, by.proofKey);
      };
      await at.send(alice, gone(alice));
      await settle();
      expect(at.other.ofType('Delete')).to.have.length(0);
      await at.send(mallory, gone(mallory));
      await settle();
      expect(at.other.ofType('Delete')).to.have.length(1);
    });
  });

  describe('an answer', () => {
    it('under the id of a neighbour’s private post opens that post to nobody', async () => {
      const ours = await at.say('Qui lit ?');
      const secret = noteBy(alice, { to: [at.paulaIri], cc: [], content: 'Between us two' });
      expect(await create(alice, secret)).to.equal(202);
      const squat = { ...noteBy(mallory, { inReplyTo: ours.object }), id: secret.id };
      expect(await create(mallory, squat)).to.equal(202);
      const path = `/my/collectives/${at.hoster._id}/partners`;
      expect((await at.member.get(`${path}/mentions`)).text).not.to.contain('Between us two');
      expect((await at.member.get(`${path}/posts/${postKey(secret.id)}`)).status).to.equal(404);
      expect((await at.person.get('/me/partners/mentions')).text).to.contain('Between us two');
    });
  });

  describe('a group', () => {
    it('is no reader: whoever may not write there leaves no trace by naming it', async () => {
      const { store } = at.app.house;
      const stranger = at.peer.addActor(`stranger${serial}`);
      const note = noteBy(stranger, { to: [groupIri, publicIri], cc: [] });
      expect(await create(stranger, note)).to.equal(202);
      expect(await create(stranger, noteBy(stranger, { to: [groupIri], cc: [] }))).to.equal(202);
      expect(await remotePostsIn(store).countDocuments({ authors: stranger.iri })).to.equal(0);
      expect(await mentionsIn(store).countDocuments({ author: stranger.iri })).to.equal(0);
    });

    async function threadBy(actor: PeerActor): Promise<Json & { id: string }> {
      await follow(at.peer, actor, groupIri);
      const note = noteBy(actor, { cc: [groupIri], inReplyTo: undefined });
      expect(await create(actor, note)).to.equal(202);
      await settle();
      expect((await listThreads(at.app.house.store, group._id, 1)).map(({ iri }) => iri)).to.include(note.id);
      return note;
    }
    const announced = () =>
      at.peer.ofType('Announce').flatMap(({ json }) => {
        const { object } = json as { object?: Json };
        return typeof object === 'object' ? [object] : [];
      });
    const keyOf = (iri: unknown) => groupKey(group._id, String(iri));

    it('tells that a moderator removed a post, whatever ids its author used before', async () => {
      const note = await threadBy(mallory);
      const updated = new Date(at.app.house.now().getTime()).toISOString();
      for (const id of [`${note.id}#removal`, encodeURI(`${note.id}/removal`)]) {
        const object = { ...note, content: 'Changed', updated };
        await at.send(mallory, { id, type: 'Update', to: note.to, cc: note.cc, object });
      }
      await settle();
      await removeFromGroup(at.ctx(), group._id, keyOf(note.id));
      await settle();
      const deletions = announced().filter(({ type, object }) => type === 'Delete' && object === note.id);
      expect(deletions).to.have.length(1);
    });

    it('passes on one of two activities that bring the same post at once, and no neighbour’s', async () => {
      for (const one of [alice, mallory]) await follow(at.peer, one, groupIri);
      await settle();
      const note = noteBy(alice, { cc: [groupIri] });
      const post = (author: PeerActor) => ({
        ...{ _id: postKey(note.id), iri: note.id, type: 'Note' as const, authors: [author.iri], inReplyTo: null },
        ...{ publishedAt: new Date(), updatedAt: null, receivedAt: new Date(), deletedAt: null, title: '' },
        ...{
          content: 'x',
          isHtml: true,
          warning: '',
          language: null,
          url: null,
          audience: [publicIri],
          attachments: [],
        },
        ...{ poll: null, startsAt: null, endsAt: null, place: '' },
      });
      const arrive = (author: PeerActor, activityIri: string) =>
        receiveGroupPost(at.ctx(), group, {
          ...{ activityIri, raw: JSON.stringify({ id: activityIri }), author: author.iri },
          ...{ post: post(author), postId: null },
        });
      await Promise.all([
        arrive(alice, `${alice.iri}/1`),
        arrive(mallory, `${alice.iri}/2`),
        arrive(alice, `${alice.iri}/3`),
      ]);
      const { store } = at.app.house;
      const [kept] = await groupPostsIn(store).find({ iri: note.id }).toArray();
      const passedOn = await groupActivitiesIn(store)
        .find({ post: keyOf(note.id) })
        .toArray();
      expect(passedOn).to.have.length(1);
      expect(passedOn[0]).to.include({ author: kept?.author });
    });

    it('lets go of what its author no longer says to everybody', async () => {
      const note = await threadBy(alice);
      const few = { to: [`${alice.iri}/followers`], cc: [groupIri] };
      const object = { ...note, ...few, content: 'For few', updated: at.app.house.now().toISOString() };
      expect(await at.send(alice, { id: at.peer.nextId(), type: 'Update', ...few, object })).to.equal(202);
      await settle();
      const { store } = at.app.house;
      expect((await listThreads(store, group._id, 1)).map(({ iri }) => iri)).not.to.include(note.id);
      const said = await activitiesIn(at.app.federation).find({ actor: 'annonces' }).toArray();
      expect(JSON.stringify(said)).not.to.contain('For few');
    });
  });

  // Last, since one of them ends an account that the others need.
  describe('a reader', () => {
    it('shows no picture on a page where nobody could be handed one: it is a link there', async () => {
      const ours = await at.say('Une image ?');
      const attachment = [{ type: 'Image', mediaType: 'image/png', url: `${at.peer.origin}/a.png`, name: 'A cat' }];
      expect(await create(alice, noteBy(alice, { inReplyTo: ours.object, attachment }))).to.equal(202);
      for (const reader of [at.visitor, at.member])
        expect((await reader.get(ours.page)).text)
          .to.contain('A cat')
          .and.not.contain('/media/');
    });

    it('gives a person who asks also whom they keep away, and leaves no name of one who goes among moderators', async () => {
      const { store } = at.app.house;
      const paula = { kind: 'person' as const, id: at.paula._id };
      const ctx = contextFor(at.app.house, await actorFor(at.app.house, at.paula));
      await block(ctx, paula, { kind: 'domain', domain: 'loud.example' }, 'zqx note');
      const download = await exportPartners(store, at.paulaIri, 'paula');
      expect(download.blocks).to.have.nested.property('[0].note', 'zqx note');
      await groupsIn(store).updateOne({ _id: group._id }, { $set: { moderators: [at.paulaIri, alice.iri] } });
      expect((await at.person.post('/me/delete', { current: testPassword })).status).to.equal(303);
      const moderators = await at.peer.getJson(`${groupIri}/moderators`);
      expect(moderators.orderedItems).to.deep.equal([at.iri, alice.iri]);
    });
  });
});
