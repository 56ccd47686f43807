// One id for several activities: Gancio gives each change of a post the id of its Create. What is newly said counts, by its own
// actor and about a post; nothing is played again, and nobody gains by it (AP-100, AP-103).
import { expect } from 'chai';
import { followingsIn, pageFeed } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import { fingerprint } from '../support/oracles.js';
import type { PeerActor } from '../support/peer/peer.js';
import { proven } from '../support/peer/signing.js';
import { type Conversation, createOf, type Json, noteBy, startConversation } from './conversation.js';

describe('several activities under one id', () => {
  let at: Conversation;
  let alice: PeerActor;
  let mallory: PeerActor;
  let relay: PeerActor;

  before(async () => {
    at = await startConversation();
    alice = at.peer.addActor('alice');
    mallory = at.peer.addActor('mallory');
    relay = at.other.addActor('relay');
    for (const { iri } of [alice, mallory]) {
      await followingsIn(at.app.house.store).insertOne({
        _id: followKey(at.iri, iri),
        ...{ follower: at.iri, followed: iri, ownerKind: 'collective', ownerId: at.hoster._id },
        ...{ followIri: `${iri}/follow`, state: 'accepted', lists: [], muted: false },
        ...{ requestedAt: new Date(), decidedAt: null, events: [] },
      });
    }
  });

  let note: Json & { id: string };
  let id: string;

  beforeEach(async () => {
    note = noteBy(alice, { content: 'First' });
    id = at.peer.nextId();
    expect(await at.send(alice, createOf(note, id))).to.equal(202);
  });

  const wordsAt = (minute: number, content: string): Json => ({
    ...createOf({ ...note, content, updated: new Date(Date.now() + minute * 60_000).toISOString() }, id),
    type: 'Update',
  });
  const shown = async (): Promise<string | undefined> => {
    const { items } = await pageFeed(at.app.house.store, at.iri, {});
    return items.find(({ post }) => post.iri === note.id)?.post.content;
  };
  const records = () => at.app.house.store.collection('received').countDocuments({});
  /** Taken without a word, and without any effect. */
  async function ignored(work: () => Promise<number>): Promise<void> {
    const before = await fingerprint(at.app.house.store, ['keyFailures', 'peers', 'remoteActors']);
    expect(await work()).to.equal(202);
    expect(await fingerprint(at.app.house.store, ['keyFailures', 'peers', 'remoteActors'])).to.deep.equal(before);
  }

  it('are taken when they change a post, one after the other, each once, and the latest stays', async () => {
    const [second, third] = [wordsAt(1, 'Second'), wordsAt(2, 'Third')];
    expect(await at.send(alice, second)).to.equal(202);
    expect(await shown()).to.equal('Second');
    expect(await at.send(alice, third)).to.equal(202);
    expect(await shown()).to.equal('Third');
    for (const activity of [second, third, createOf(note, id)]) await ignored(() => at.send(alice, activity));
    // Words of long ago that were never seen: recorded, and of no effect.
    expect(await at.send(alice, wordsAt(-5, 'Older'))).to.equal(202);
    expect(await shown()).to.equal('Third');
  });

  it('are looked up once where they say an address alone', async () => {
    const { pathname } = new URL(note.id);
    at.peer.serveJson(pathname, wordsAt(1, 'From its server').object);
    for (const _turn of [1, 2]) expect(await at.send(alice, { id, type: 'Update', object: note.id })).to.equal(202);
    expect(await shown()).to.equal('From its server');
    expect(at.peer.log.filter((line) => line === `GET ${pathname}`)).to.have.length(1);
  });

  it('are taken when the last one deletes the post, which does not come back', async () => {
    expect(await at.send(alice, { id, type: 'Delete', object: note })).to.equal(202);
    expect(await shown()).to.equal(undefined);
    await at.send(alice, wordsAt(3, 'Back again'));
    await ignored(() => at.send(alice, createOf({ ...note, content: 'Back again' }, id)));
    expect(await shown()).to.equal(undefined);
  });

  it('are nothing when they say the first thing in other words, or are about their actor', async () => {
    await ignored(() => at.send(alice, createOf({ ...note, content: 'Never said' }, id)));
    await ignored(() => at.send(alice, { id, type: 'Announce', object: note.id }));
    await ignored(() => at.send(alice, { id, type: 'Update', object: { id: alice.iri, type: 'Person', name: 'X' } }));
    await ignored(() => at.send(alice, { id, type: 'Delete', object: alice.iri }));
    expect(await shown()).to.equal('First');
  });

  it('are nothing by a neighbour, and refused when the post is not the neighbour’s', async () => {
    await ignored(() => at.send(mallory, { ...wordsAt(1, 'Mine'), object: { ...note, attributedTo: mallory.iri } }));
    const before = await records();
    expect(await at.send(mallory, wordsAt(1, 'Mine'))).to.equal(403);
    expect(await records()).to.equal(before);
    expect(await shown()).to.equal('First');
  });

  it('are nothing when another brings them, also with a proof that holds', async () => {
    const said = { '@context': 'https://www.w3.org/ns/activitystreams', actor: alice.iri, ...wordsAt(1, 'Brought') };
    const now = new Date();
    const carried = proven(said, alice.proofKeyId, alice.proofKey, now);
    await ignored(() => at.send(relay, carried, at.other));
    expect(await shown()).to.equal('First');
    // Its own actor may say so.
    expect(await at.send(alice, carried)).to.equal(202);
    expect(await shown()).to.equal('Brought');
  });

  it('are fifty at most', async () => {
    for (let turn = 1; turn <= 50; turn += 1) await at.send(alice, wordsAt(turn, `Version ${turn}`));
    expect(await shown()).to.equal('Version 50');
    await ignored(() => at.send(alice, wordsAt(60, 'Too many')));
    expect(await shown()).to.equal('Version 50');
  });
});
