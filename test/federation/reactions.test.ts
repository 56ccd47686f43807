// Anybody elsewhere likes what is ours, or passes it on: counted once for each actor, taken back by that actor alone.
import { expect } from 'chai';
import { setRule } from '../../server/instances/actions/domainRules.js';
import { pruneReactions } from '../../server/partners/actions/reactions.js';
import { forgetActorsOf } from '../../server/partners/actions.js';
import { countReactions, reactionsIn } from '../../server/partners/queries.js';
import { deletePost } from '../../server/posts/actions.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, type Json, publicIri, startConversation } from './conversation.js';

const litepub = [
  'https://www.w3.org/ns/activitystreams',
  { litepub: 'http://litepub.social/ns#', EmojiReact: 'litepub:EmojiReact' },
];

describe('likes and boosts of what is ours', () => {
  let at: Conversation;
  let alice: PeerActor;
  let bob: PeerActor;
  let carol: PeerActor;

  before(async () => {
    at = await startConversation();
    alice = at.peer.addActor('alice', { name: 'Alice' });
    bob = at.peer.addActor('bob');
    carol = at.other.addActor('carol');
  });

  const like = (object: string, change: Json = {}): Json => ({ id: at.peer.nextId(), type: 'Like', object, ...change });
  const undo = (object: Json | string): Json => ({ id: at.peer.nextId(), type: 'Undo', object });
  const count = (object: string, kind: 'like' | 'boost' = 'like') => countReactions(at.app.house.store, object, kind);

  it('are counted once for each actor, whatever they are called, and shown', async () => {
    const { object, page, post } = await at.say('Aimable');
    expect(await at.send(alice, like(object))).to.equal(202);
    expect(await at.send(alice, like(object))).to.equal(202);
    expect(await at.send(alice, { '@context': litepub, ...like(object), type: 'EmojiReact', content: '🐈' })).to.equal(
      202,
    );
    expect(await at.send(bob, { '@context': litepub, ...like(object), type: 'EmojiReact', content: '🐈' })).to.equal(
      202,
    );
    const boost = { id: at.other.nextId(), type: 'Announce', to: [publicIri], object };
    expect(await at.send(carol, boost, at.other)).to.equal(202);
    expect([await count(object), await count(object, 'boost')]).to.deep.equal([2, 1]);
    const shown = (await at.visitor.get(page)).text;
    expect(shown).to.contain('liked by 2 accounts').and.contain('passed on by 1 account').and.not.contain('@alice@');
    const who = `/my/collectives/${at.hoster._id}/posts/${post._id}/reactions`;
    expect((await at.member.get(who)).text)
      .to.contain(`@alice@${at.peer.host}`)
      .and.contain('passed it on');
    expect((await at.person.get(who)).status).to.equal(404);
    const answer = await fetch(`${object}/likes`, { headers: { accept: 'application/activity+json' } });
    expect(await answer.json()).to.include({ id: `${object}/likes`, totalItems: 2 });
    const shares = await fetch(`${object}/shares`, { headers: { accept: 'application/activity+json' } });
    expect(await shares.json()).to.include({ totalItems: 1 });
  });

  it('are taken back by their actor, by id or by what was liked; not by another', async () => {
    const { object } = await at.say('Reprise');
    const first = like(object);
    await at.send(alice, first);
    expect(await at.send(bob, undo(first.id as string))).to.equal(403);
    expect(await at.send(bob, undo({ ...first, actor: alice.iri }))).to.equal(403);
    expect(await at.send(bob, undo({ ...first, actor: bob.iri }))).to.equal(403);
    expect(await count(object)).to.equal(1);
    expect(await at.send(alice, undo(first.id as string))).to.equal(202);
    expect(await count(object)).to.equal(0);
    await at.send(alice, like(object));
    expect(await count(object)).to.equal(1);
    expect(await at.send(alice, undo({ type: 'Like', actor: alice.iri, object }))).to.equal(202);
    expect(await count(object)).to.equal(0);
  });

  it('stay taken back when the undo comes first', async () => {
    const { object } = await at.say('À l’envers');
    const late = like(object);
    await at.send(alice, undo({ ...late, actor: alice.iri }));
    await at.send(alice, late);
    expect(await count(object)).to.equal(0);
    await at.send(alice, like(object));
    expect(await count(object)).to.equal(1);
  });

  it('leave nothing where there is nothing of ours', async () => {
    const kept = await reactionsIn(at.app.house.store).countDocuments({});
    for (const object of [`${at.app.url}/objects/none`, `${bob.iri}/posts/1`, at.iri]) {
      expect(await at.send(alice, like(object))).to.equal(202);
      expect(await at.send(alice, undo({ type: 'Like', actor: alice.iri, object }))).to.equal(202);
    }
    expect(await reactionsIn(at.app.house.store).countDocuments({})).to.equal(kept);
  });

  it('go with the post, and with the account that is deleted', async () => {
    const [one, two] = [await at.say('Un'), await at.say('Deux')];
    const leaver = at.peer.addActor('leaver');
    for (const { object } of [one, two]) await at.send(leaver, like(object));
    await deletePost(at.ctx(), at.hoster._id, one.post._id);
    await at.run();
    expect(await count(one.object)).to.equal(0);
    expect(await at.send(bob, like(one.object))).to.equal(202);
    expect(await count(one.object)).to.equal(0);
    expect((await fetch(`${one.object}/likes`)).status).to.equal(404);
    expect(await at.send(leaver, { id: at.peer.nextId(), type: 'Delete', object: leaver.iri })).to.equal(202);
    expect(await count(two.object)).to.equal(0);
  });

  it('do not count from a limited server, are forgotten a month after they were taken back, and go with a block', async () => {
    const { object } = await at.say('Règles');
    const first = like(object);
    await at.send(alice, first);
    await at.send(bob, like(object));
    await at.send(alice, undo(first.id as string));
    at.pass(31 * 24 * 60 * 60 * 1000);
    expect(await pruneReactions(at.ctx())).to.be.greaterThan(0);
    at.pass(-31 * 24 * 60 * 60 * 1000);
    expect(await reactionsIn(at.app.house.store).countDocuments({ object, actor: alice.iri })).to.equal(0);
    const noReasons = { publicReason: '', privateReason: '' };
    await setRule(at.ctx(), '127.0.0.1', { kind: 'limit', ...noReasons });
    await at.send(carol, like(object, { id: at.other.nextId() }), at.other);
    expect(await count(object)).to.equal(1);
    // What a block does with everybody of a host (federation/policy.ts).
    for (const { host } of [at.peer, at.other]) await forgetActorsOf(at.ctx(), host);
    expect(await reactionsIn(at.app.house.store).countDocuments({})).to.equal(0);
  });
});
