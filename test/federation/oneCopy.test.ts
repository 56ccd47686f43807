// Whatever we say, each server gets it once: at its shared inbox where it has one, also when an actor there is told besides.
import { expect } from 'chai';
import { fetchActor } from '../../federation/remoteActors.js';
import { makeInteraction, replyToPost, undoInteraction } from '../../server/partners/actions/interact.js';
import { postKey } from '../../server/partners/rules.js';
import { deletePost, publishPost, updatePost } from '../../server/posts/actions.js';
import { listRepliesOf } from '../../server/posts/queries.js';
import type { PeerActor } from '../support/peer/peer.js';
import { type Conversation, createOf, noteBy, startConversation } from './conversation.js';

describe('one copy for each server', () => {
  let at: Conversation;
  let alice: PeerActor;
  let bob: PeerActor;

  before(async () => {
    at = await startConversation();
    alice = at.peer.addActor('alice');
    bob = at.peer.addActor('bob');
    await at.send(bob, at.peer.follow(bob, at.iri));
    await at.run();
  });

  beforeEach(() => {
    at.peer.received.length = 0;
  });

  const ref = () => ({ kind: 'collective' as const, id: at.hoster._id });

  /** What alice writes to the hoster, so that it can be answered, liked, passed on. */
  async function written(): Promise<string> {
    const note = noteBy(alice, { tag: [{ type: 'Mention', href: at.iri }] });
    expect(await at.send(alice, createOf(note, at.peer.nextId()))).to.equal(202);
    return note.id;
  }

  /** What arrived since the last look: type and path, in order. */
  async function arrived(): Promise<string[]> {
    await at.run();
    return at.peer.received.splice(0).map(({ json, path }) => `${String(json.type)} ${path}`);
  }

  it('of a boost and its end, though the author and a follower live there', async () => {
    const key = postKey(await written());
    await makeInteraction(at.ctx(), ref(), 'boost', key);
    expect(await arrived()).to.deep.equal(['Announce /inbox']);
    await undoInteraction(at.ctx(), ref(), 'boost', key);
    expect(await arrived()).to.deep.equal(['Undo /inbox']);
  });

  it('of a like and its end', async () => {
    const key = postKey(await written());
    await makeInteraction(at.ctx(), ref(), 'like', key);
    expect(await arrived()).to.deep.equal(['Like /users/alice/inbox']);
    await undoInteraction(at.ctx(), ref(), 'like', key);
    expect(await arrived()).to.deep.equal(['Undo /users/alice/inbox']);
  });

  it('of an answer that names two others there, its correction and its deletion', async () => {
    const iri = await written();
    const text = (word: string) => ({ fr: `${word} @bob@${at.peer.host}`, en: '' });
    await replyToPost(at.ctx(), ref(), postKey(iri), text('Oui'));
    expect(await arrived()).to.deep.equal(['Create /inbox']);
    const [reply] = await listRepliesOf(at.app.house.store, at.hoster._id, iri);
    const { _id = '', version = 0 } = reply ?? {};
    await updatePost(at.ctx(), at.hoster._id, _id, { text: text('Non'), version });
    expect(await arrived()).to.deep.equal(['Update /inbox']);
    await deletePost(at.ctx(), at.hoster._id, _id);
    expect(await arrived()).to.deep.equal(['Delete /inbox']);
  });

  it('of what is said again to one who has a shared inbox since', async () => {
    const path = '/users/carol';
    const carol = at.peer.addActor('carol', { endpoints: {} });
    const named = { fr: `Salut @carol@${at.peer.host}`, en: '' };
    const post = await publishPost(at.ctx(), at.hoster._id, named);
    expect((await arrived()).sort()).to.deep.equal(['Create /inbox', `Create ${path}/inbox`]);
    at.peer.serveJson(path, at.peer.document(carol));
    await fetchActor(at.app.federation, carol.iri);
    await deletePost(at.ctx(), at.hoster._id, post._id);
    expect(await arrived()).to.deep.equal(['Delete /inbox']);
  });
});
