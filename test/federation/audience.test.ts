// What is not public: only for those to whom it is addressed, in no collection, and not even there for others (AP-150 to
// AP-153). And each server's own part of our followers (FEP-8fcf).
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { type Activity, activitiesIn } from '../../federation/activities.js';
import { followersDigest } from '../../federation/followerSync.js';
import type { Collective } from '../../server/collectives/schema.js';
import { countReactions, reactionsIn } from '../../server/partners/queries.js';
import { publishPost } from '../../server/posts/actions.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { createOf, noteBy, startConversation } from './conversation.js';
import { addCollective, type FederatedApp, followBy, startFederatedApp, startPeer } from './federatedApp.js';

const canary = 'CANARY-7f3a';

describe('what is not public', () => {
  let app: FederatedApp;
  let peer: Peer;
  let other: Peer;
  let bob: PeerActor;
  let carol: PeerActor;
  let dave: PeerActor;
  let hoster: Collective;
  let hosterIri: string;

  before(async () => {
    peer = await startPeer();
    other = await startPeer();
    app = await startFederatedApp({ privateHosts: [peer.host, other.host] });
    peer.now = app.house.now;
    other.now = app.house.now;
    bob = peer.addActor('bob');
    carol = peer.addActor('carol');
    dave = other.addActor('dave');
    hoster = await addCollective(app);
    hosterIri = `${app.baseUrl}/actors/${hoster.handle}`;
    await followBy(app, hosterIri, [
      [peer, bob],
      [other, dave],
    ]);
    await app.run();
  });

  let serial = 0;
  /** A private activity with its object, as the outbox would keep it. Addresses of both. */
  async function keep(to: string[], cc: string[] = []): Promise<string[]> {
    serial += 1;
    const id = `0190${serial}`;
    const objectIri = app.federation.apex.objectIri(id);
    const object = { id: objectIri, type: 'Note', content: canary, to, cc };
    const activity: Activity = {
      _id: id,
      ...{ actor: hoster.handle, type: 'Create', subject: `letter:${id}`, objectIri, isPublic: false, listed: false },
      ...{ inboxes: [], toFollowers: false, fanOutCursor: null, isFannedOut: true, at: app.house.now() },
      json: JSON.stringify({ id: app.federation.apex.activityIri(id), type: 'Create', to, cc, object }),
      objectJson: JSON.stringify(object),
    };
    await activitiesIn(app.federation).insertOne(activity);
    return [objectIri, app.federation.apex.activityIri(id)];
  }

  it('is shown to whom it is addressed, when they sign, and kept by no cache (AP-152)', async () => {
    for (const iri of await keep([bob.iri])) {
      const answer = await peer.getSigned(bob, iri);
      expect(answer.status).to.equal(200);
      expect(answer.text).to.contain(canary);
      expect(answer.headers['cache-control']).to.equal('private, no-store');
      expect(answer.headers.vary).to.equal('Accept, Signature, Signature-Input');
    }
  });

  it('is not there for anybody else, signed or not (404, never 403)', async () => {
    const hidden = await keep([bob.iri]);
    const missing = hidden.map((iri) => `${iri}999`);
    for (const [index, iri] of hidden.entries()) {
      const asked = [
        await peer.get(iri),
        await peer.getSigned(carol, iri),
        await other.getSigned(dave, iri),
        // bob's name with another key; bob's signature for another address; a stale one; one of ours.
        await peer.getSigned(bob, iri, { key: carol.privateKey }),
        await peer.getSigned(bob, iri, { headers: ['host', 'date'] }),
        await peer.getSigned(bob, iri, { date: new Date(0) }),
        await peer.getSigned(bob, iri, { keyId: `${hosterIri}#main-key` }),
        // Nobody answers for that key: not even that is a reason to tell.
        await peer.getSigned(bob, iri, { keyId: 'http://127.0.0.1:9/users/x#main-key' }),
      ];
      const nothing = await peer.get(missing[index]!);
      for (const answer of asked) {
        expect(answer.status).to.equal(404);
        expect(answer.text, 'the same words as for what never was').to.equal(nothing.text);
      }
    }
  });

  it('is for followers when addressed to them, while they follow', async () => {
    const [iri = ''] = await keep([], [app.federation.apex.streamsOf(hoster.handle).followers]);
    expect((await other.getSigned(dave, iri)).status).to.equal(200);
    expect((await peer.getSigned(carol, iri)).status).to.equal(404);
    const undo = { id: other.nextId(), type: 'Undo', actor: dave.iri, object: other.follow(dave, hosterIri) };
    expect((await other.post(dave, `${app.baseUrl}/inbox`, undo)).status).to.equal(202);
    expect((await other.getSigned(dave, iri)).status).to.equal(404);
  });

  it('lets the answer to a follow be read by the follower only', async () => {
    const accept = await activitiesIn(app.federation).findOne({ type: 'Accept' });
    const iri = app.federation.apex.activityIri(accept!._id);
    const inside = JSON.stringify(accept);
    const [reader, stranger] = inside.includes(bob.iri) ? [bob, dave] : [dave, bob];
    const ask = (actor: PeerActor) => (actor === bob ? peer : other).getSigned(actor, iri);
    expect((await ask(reader)).status).to.equal(200);
    expect((await ask(stranger)).status).to.equal(404);
  });

  it('stands in no collection, counts in none, and is in no other answer (AP-150, AP-151)', async () => {
    const before = await peer.getJson(`${hosterIri}/outbox`);
    await keep([bob.iri]);
    const addresses = [
      hosterIri,
      ...['outbox', 'outbox?page=1', 'followers', 'followers?page=1', 'following'].map(
        (path) => `${hosterIri}/${path}`,
      ),
      ...['webfinger?resource=acct:instance@x', 'nodeinfo', 'host-meta'].map(
        (path) => `${app.baseUrl}/.well-known/${path}`,
      ),
      `${app.baseUrl}/nodeinfo/2.1`,
      `${app.baseUrl}/@${hoster.handle}`,
      `${app.baseUrl}/actors/instance`,
    ];
    for (const address of addresses)
      for (const answer of [await peer.get(address), await peer.getSigned(carol, address)])
        expect(answer.text, address).not.to.contain(canary);
    expect((await peer.getJson(`${hosterIri}/outbox`)).totalItems).to.equal(before.totalItems);
  });

  it('is not passed on, liked or counted by anybody, those included who may read it (AP-47)', async () => {
    const [hidden = ''] = await keep([bob.iri]);
    const post = await publishPost(app.ctx(), hoster._id, { fr: 'Pour tous', en: '' });
    await app.run();
    const open = app.federation.apex.objectIri(post._id);
    for (const [server, actor] of [
      [peer, bob],
      [peer, carol],
      [other, dave],
    ] as const)
      for (const type of ['Announce', 'Like'])
        for (const object of [hidden, open]) {
          const to = ['https://www.w3.org/ns/activitystreams#Public'];
          const activity = { id: server.nextId(), type, actor: actor.iri, to, object };
          expect((await server.post(actor, `${app.baseUrl}/inbox`, activity)).status).to.equal(202);
        }
    for (const kind of ['boost', 'like'] as const) {
      expect(await countReactions(app.house.store, hidden, kind), kind).to.equal(0);
      // So that the zero means something.
      expect(await countReactions(app.house.store, open, kind), kind).to.equal(3);
    }
    expect(await reactionsIn(app.house.store).countDocuments({ object: hidden })).to.equal(0);
    for (const list of ['shares', 'likes'])
      for (const answer of [await peer.get(`${hidden}/${list}`), await peer.getSigned(bob, `${hidden}/${list}`)])
        expect(answer.status, list).to.equal(404);
    expect(JSON.stringify(peer.received.map(({ json }) => json))).not.to.contain(canary);
  });

  it('shows public things and the instance actor to everybody, whatever the signature, without looking for a key', async () => {
    const post = await publishPost(app.ctx(), hoster._id, { fr: 'Bonjour', en: '' });
    await app.run();
    const asked = peer.log.length;
    for (const iri of [`${app.baseUrl}/actors/instance`, hosterIri, app.federation.apex.objectIri(post._id)]) {
      expect((await peer.get(iri)).status).to.equal(200);
      const answer = await peer.getSigned(carol, iri, { key: bob.privateKey, keyId: `${peer.origin}/no/key` });
      expect(answer.status).to.equal(200);
    }
    expect(peer.log.slice(asked)).to.deep.equal([]);
  });

  describe('the part of our followers that another server may read (FEP-8fcf)', () => {
    const address = (): string => `${hosterIri}/followers/synchronization`;

    it('names with each delivery what the receiving server can check, under the signature', async () => {
      peer.received.length = 0;
      await publishPost(app.ctx(), hoster._id, { fr: 'Encore', en: '' });
      await app.run();
      const [delivery] = peer.received;
      const digest = createHash('sha256').update(bob.iri).digest('hex');
      expect(delivery?.headers['collection-synchronization']).to.equal(
        `collectionId="${hosterIri}/followers", url="${address()}", digest="${digest}"`,
      );
      expect(delivery?.signature).to.equal('valid');
      expect(String(delivery?.headers.signature)).to.contain('collection-synchronization');
    });

    it('gives each server its own followers, and nothing to those who do not sign', async () => {
      const read = async (server: Peer, actor: PeerActor): Promise<unknown> => {
        const answer = await server.getSigned(actor, address());
        expect(answer.headers['cache-control']).to.equal('private, no-store');
        return (JSON.parse(answer.text) as { orderedItems: unknown }).orderedItems;
      };
      expect(await read(peer, carol)).to.deep.equal([bob.iri]);
      expect(await read(other, dave), 'who no longer follows').to.deep.equal([]);
      expect((await peer.get(address())).status).to.equal(401);
      expect((await peer.getSigned(carol, address(), { key: bob.privateKey })).status).to.equal(401);
    });

    it('combines digests as the proposal’s example does', () => {
      // https://codeberg.org/fediverse/fep/src/branch/main/fep/8fcf/fep-8fcf.md
      const followers = ['https://testing.example.org/users/1', 'https://testing.example.org/users/2'];
      expect(followersDigest(followers)).to.equal('c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f');
      expect(followersDigest([])).to.equal('0'.repeat(64));
    });
  });
});

describe('what was said to few, on the whole instance,', () => {
  it('is in no list, no count, no feed and on no page, asked for by anybody or signed by a stranger (AP-150)', async () => {
    const at = await startConversation();
    const { app, peer, other } = at;
    const [alice, stranger] = [peer.addActor('alice'), other.addActor('stranger')];
    const open = await at.say('Pour tous');
    expect(await at.send(alice, { id: peer.nextId(), type: 'Like', object: open.object })).to.equal(202);

    const addresses = [
      ...[at.iri, at.paulaIri, `${app.url}/actors/instance`].flatMap((iri) =>
        [
          '',
          '/outbox',
          '/outbox?page=1',
          '/followers',
          '/followers?page=1',
          '/following',
          '/catalogue',
          '/featured',
        ].map((list) => iri + list),
      ),
      ...['', '/likes', '/shares', '/replies', '/likes?page=1', '/replies?page=1'].map((list) => open.object + list),
      ...['/@ecluse', '/@ecluse/posts.atom', '/@paula', '/@paula/posts.atom', '/changes', '/changes.atom', open.page],
      ...['/', '/services', '/collectives', '/surveys', '/directory.json', '/catalogue.json', '/nodeinfo/2.1'],
      `/.well-known/webfinger?resource=acct:ecluse@${app.house.site.host}`,
      ...['/.well-known/nodeinfo', '/.well-known/host-meta'],
    ].map((address) => new URL(address, app.url).href);
    const ask = async (): Promise<Record<string, string>> => {
      const all: Record<string, string> = {};
      // What a page says of its own making differs each time.
      for (const address of addresses)
        for (const [how, answer] of [
          ['', await peer.get(address)],
          ['signed', await other.getSigned(stranger, address)],
          ['page', await peer.get(address, 'text/html')],
        ] as const)
          all[`${how} ${address}`] = `${answer.status} ${answer.text.replaceAll(/[\w-]{20,}/g, '…')}`;
      return all;
    };
    const before = await ask();
    for (const word of ['Pour tous', '"totalItems":1'])
      expect(
        Object.values(before).some((text) => text.includes(word)),
        word,
      ).to.equal(true);

    for (const [to, reader] of [
      [at.iri, '/my/collectives/'],
      [at.paulaIri, '/me/'],
    ] as const) {
      const whisper = noteBy(alice, {
        inReplyTo: open.object,
        to: [to],
        cc: [],
        content: `<p>${canary} ${reader}</p>`,
      });
      expect(await at.send(alice, createOf(whisper, peer.nextId()))).to.equal(202);
    }
    const mentions = `/my/collectives/${at.hoster._id}/partners/mentions`;
    expect((await at.member.get(mentions)).text, 'it did arrive').to.contain(canary);
    expect(await ask()).to.deep.equal(before);
    expect(JSON.stringify(before)).not.to.contain(canary);
  });
});
