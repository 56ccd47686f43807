// What a hostile partner, neighbour or stranger tries once the door is open to them: to speak of what is another's, to play
// again what is over, to learn what is hidden, to fill the disk. Each of these worked once.
import { expect } from 'chai';
import { activitiesIn } from '../../federation/activities.js';
import { WindowLimit } from '../../federation/limits.js';
import { lookUpActor } from '../../federation/lookUp.js';
import { resolveMentions } from '../../federation/mentions.js';
import { fetchActor } from '../../federation/remoteActors.js';
import { fetchPost } from '../../federation/remoteObjects.js';
import { pruneDeletions } from '../../federation/unseenDeletions.js';
import type { Collective } from '../../server/collectives/schema.js';
import { DomainError } from '../../server/errors.js';
import { importRules, setRule } from '../../server/instances/actions/domainRules.js';
import { listRules } from '../../server/instances/queries.js';
import {
  findFollow,
  findFollowing,
  findReadablePost,
  findRemoteActor,
  findRemotePost,
  followingsIn,
  mentionsIn,
  pageFeed,
  remoteActorsIn,
  remotePostsIn,
} from '../../server/partners/queries.js';
import { followKey, postKey } from '../../server/partners/rules.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { proven } from '../support/peer/signing.js';
import { addCollective, type FederatedApp, nothingStored, startFederatedApp, startPeer } from './federatedApp.js';

type Json = Record<string, unknown>;
const publicIri = 'https://www.w3.org/ns/activitystreams#Public';

describe('a hostile partner', () => {
  let app: FederatedApp;
  let peer: Peer;
  let other: Peer;
  let bob: PeerActor;
  let mallory: PeerActor;
  let dave: PeerActor;
  let reader: Collective;
  let nosy: Collective;
  const iriOf = (collective: Collective): string => `${app.baseUrl}/actors/${collective.handle}`;

  before(async () => {
    peer = await startPeer();
    other = await startPeer(0, '127.0.0.2');
    app = await startFederatedApp({ privateHosts: [peer.host, other.host] });
    peer.now = app.house.now;
    other.now = app.house.now;
    bob = peer.addActor('bob');
    mallory = peer.addActor('mallory');
    dave = other.addActor('dave');
    reader = await addCollective(app);
    nosy = await addCollective(app);
    await befriend(reader, bob);
    await befriend(nosy, mallory);
    await befriend(nosy, dave);
  });

  async function befriend(collective: Collective, actor: PeerActor): Promise<void> {
    await fetchActor(app.federation, actor.iri);
    const follower = iriOf(collective);
    await followingsIn(app.house.store).insertOne({
      _id: followKey(follower, actor.iri),
      ...{
        follower,
        followed: actor.iri,
        ownerKind: 'collective',
        ownerId: collective._id,
        followIri: `${follower}/f`,
      },
      ...{ state: 'accepted', lists: [], muted: false, requestedAt: new Date(), decidedAt: new Date(), events: [] },
    });
  }

  const from = (actor: PeerActor): Peer => (actor === dave ? other : peer);
  async function post(actor: PeerActor, activity: Json): Promise<number> {
    const document = { id: from(actor).nextId(), actor: actor.iri, ...activity };
    return (await from(actor).post(actor, `${app.baseUrl}/inbox`, document)).status;
  }

  let serial = 0;
  function note(author: PeerActor, change: Json = {}): Json & { id: string } {
    serial += 1;
    const id = `${author.iri}/posts/${serial}`;
    return { id, type: 'Note', attributedTo: author.iri, to: [publicIri], content: `Post ${serial}`, ...change };
  }
  const feed = async (collective: Collective): Promise<string[]> =>
    (await pageFeed(app.house.store, iriOf(collective), {})).items.map((item) => item.post.content);

  it('cannot delete what another wrote for few by passing on that it is gone (AP-41)', async () => {
    const secret = note(bob, { to: [iriOf(reader)], content: 'For you alone' });
    expect(await post(bob, { type: 'Create', object: secret })).to.equal(202);
    // Bob's server shows it to those for whom it is, so our own question finds nothing.
    const gone = { type: 'Delete', id: `${bob.iri}/d`, actor: bob.iri, object: secret.id };
    expect(await post(dave, { type: 'Announce', to: [publicIri], object: gone })).to.equal(202);
    expect((await findRemotePost(app.house.store, secret.id))?.deletedAt).to.equal(null);
    expect(await feed(reader)).to.deep.equal(['For you alone']);
  });

  it('still has what is for all taken away with a group that says so, when it is gone from its server', async () => {
    const open = note(bob, { content: 'For all' });
    expect(await post(bob, { type: 'Create', object: open })).to.equal(202);
    const gone = { type: 'Delete', id: `${bob.iri}/e`, actor: bob.iri, object: open.id };
    expect(await post(dave, { type: 'Announce', to: [publicIri], object: gone })).to.equal(202);
    expect((await findRemotePost(app.house.store, open.id))?.deletedAt).to.be.instanceOf(Date);
  });

  it('cannot show a neighbour’s private post to its own readers by writing under its id (AP-103)', async () => {
    const secret = note(bob, { to: [iriOf(reader)], content: 'Between us' });
    expect(await post(bob, { type: 'Create', object: secret })).to.equal(202);
    const squat = { ...note(mallory, { content: 'Mine' }), id: secret.id };
    expect(await post(mallory, { type: 'Create', object: squat })).to.equal(202);
    expect(await feed(nosy)).to.deep.equal([]);
    expect(await feed(reader)).to.include('Between us');
  });

  it('does not go on showing what its author has for few from now on (AP-150)', async () => {
    const tag = [{ type: 'Mention', href: iriOf(nosy), name: '@nosy' }];
    const open = note(bob, { content: 'For all', cc: [`${bob.iri}/followers`], tag });
    peer.serveJson(new URL(open.id).pathname, open);
    expect(await post(bob, { type: 'Create', to: open.to, object: open })).to.equal(202);
    expect(await post(dave, { type: 'Announce', to: [publicIri], object: open.id })).to.equal(202);
    expect(await feed(nosy)).to.include('For all');
    expect(await feed(reader)).to.include('For all');
    const updated = new Date(Date.now() + 1000).toISOString();
    const few = { ...open, to: [`${bob.iri}/followers`], cc: [], content: 'For few', updated };
    expect(await post(bob, { type: 'Update', to: few.to, object: few })).to.equal(202);
    expect(await feed(reader))
      .to.include('For few')
      .and.not.include('For all');
    expect(await feed(nosy)).not.to.include('For few');
    expect(await findReadablePost(app.house.store, iriOf(nosy), postKey(open.id))).to.equal(null);
    expect(await mentionsIn(app.house.store).countDocuments({ post: postKey(open.id) })).to.equal(0);
    const named = { ...few, to: [...few.to, iriOf(nosy)], updated: new Date(Date.now() + 2000).toISOString() };
    expect(await post(bob, { type: 'Update', to: named.to, object: named })).to.equal(202);
    expect(await feed(reader)).to.include('For few');
  });

  it('cannot keep a neighbour’s post out by deleting it before it comes (AP-41)', async () => {
    const coming = note(bob, { content: 'Not yet here' });
    expect(await post(mallory, { type: 'Delete', object: coming.id })).to.equal(202);
    expect(await post(bob, { type: 'Create', object: coming })).to.equal(202);
    expect(await feed(reader)).to.include('Not yet here');
    // Its own late post stays deleted (AP-42).
    const own = note(mallory, { content: 'Taken back' });
    expect(await post(mallory, { type: 'Delete', object: own.id })).to.equal(202);
    expect(await post(mallory, { type: 'Create', object: own })).to.equal(202);
    expect(await feed(nosy)).not.to.include('Taken back');
  });

  it('leaves no trace by deleting or changing what nobody here has read, but a hash, so many a day', async () => {
    const stranger = peer.addActor('stranger');
    expect(await post(stranger, { type: 'Like', object: iriOf(reader) })).to.equal(202);
    for (const type of ['Delete', 'Update']) {
      const object = { ...note(stranger), summary: 'x'.repeat(50_000) };
      const except = type === 'Delete' ? ['unseenDeletions'] : [];
      await nothingStored(app, async () => expect(await post(stranger, { type, object })).to.equal(202), except);
    }
    const hashes = app.house.store.collection('unseenDeletions');
    expect(JSON.stringify(await hashes.find({}).toArray()).length).to.be.below(200);
    const { deletionLimit } = app.federation;
    app.federation.deletionLimit = new WindowLimit(0, 24 * 3_600_000, app.house.now);
    await nothingStored(app, () => post(stranger, { type: 'Delete', object: note(stranger) }));
    app.federation.deletionLimit = deletionLimit;
    expect(await pruneDeletions(app.federation)).to.equal(0);
    app.pass(31 * 24 * 60);
    expect(await pruneDeletions(app.federation)).to.equal(1);
    app.pass(-31 * 24 * 60);
    await nothingStored(app, async () =>
      expect(await post(stranger, { type: 'Delete', object: `${other.origin}/notes/1` })).to.equal(403),
    );
  });

  it('cannot play again what was proven months ago (AP-102)', async () => {
    const old = new Date(app.house.now().getTime() - 61 * 24 * 60 * 60 * 1000);
    const follow = peer.follow(bob, iriOf(nosy));
    const replayed = proven(follow, bob.proofKeyId, bob.proofKey, old);
    const { status } = await other.post(dave, `${app.baseUrl}/inbox`, replayed);
    expect(status).to.equal(403);
    expect(await findFollow(app.house.store, followKey(bob.iri, iriOf(nosy)))).to.equal(null);
  });

  it('cannot learn by our question for its key whether something hidden is there (AP-152)', async () => {
    const [there, missing] = ['0190hidden', '0190missing'];
    const objectIri = app.federation.apex.objectIri(there);
    await activitiesIn(app.federation).insertOne({
      _id: there,
      ...{ actor: reader.handle, type: 'Create', subject: 'x', objectIri, isPublic: false, listed: false, inboxes: [] },
      ...{ toFollowers: false, fanOutCursor: null, isFannedOut: true, at: app.house.now() },
      json: JSON.stringify({ id: app.federation.apex.activityIri(there), type: 'Create', to: [bob.iri] }),
      objectJson: JSON.stringify({ id: objectIri, type: 'Note', to: [bob.iri] }),
    });
    const asked: number[] = [];
    for (const id of [there, missing])
      for (const iri of [app.federation.apex.objectIri(id), app.federation.apex.activityIri(id)]) {
        const spy = other.addActor(`spy${asked.length}`);
        const before = other.log.length;
        expect((await other.getSigned(spy, iri)).status).to.equal(404);
        asked.push(other.log.length - before);
      }
    expect(new Set(asked).size, `questions: ${asked.join(' ')}`).to.equal(1);
  });

  it('is read when its id is written as its server is not asked: no path, or letters beyond ASCII', async () => {
    const bare = { ...peer.document(bob), id: other.origin, preferredUsername: 'bare' };
    const inbox = `${other.origin}/inbox`;
    other.serveJson('/', { ...bare, inbox, endpoints: {}, publicKey: [], assertionMethod: [] });
    expect((await fetchActor(app.federation, other.origin))._id).to.equal(other.origin);
    const accented = { ...note(dave, { content: 'Été' }), id: `${other.origin}/billets/été` };
    other.serveJson('/billets/%C3%A9t%C3%A9', accented);
    expect(await fetchPost(app.federation, accented.id)).to.have.property('content', 'Été');
  });

  it('cannot take a post out of a feed by passing it on first and taking that back', async () => {
    const frank = other.addActor('frank');
    await befriend(reader, dave);
    await befriend(reader, frank);
    const said = note(dave, { content: 'Said by Dave' });
    other.serveJson(new URL(said.id).pathname, said);
    const boost = { id: other.nextId(), type: 'Announce', actor: frank.iri, to: [publicIri], object: said.id };
    const inbox = `${app.baseUrl}/inbox`;
    expect((await other.post(frank, inbox, boost)).status).to.equal(202);
    expect(await post(dave, { type: 'Create', object: said })).to.equal(202);
    const undo = { id: other.nextId(), type: 'Undo', actor: frank.iri, object: boost };
    expect((await other.post(frank, inbox, undo)).status).to.equal(202);
    expect(await feed(reader)).to.include('Said by Dave');
  });

  it('loses nothing of what it brings by a server that cannot be read just now, and does not wait for one that is dead', async () => {
    const later = note(mallory, { content: 'Read later' });
    const path = new URL(later.id).pathname;
    const fails = (status: number) => peer.pages.set(path, (_req, res) => res.writeHead(status).end());
    const boost = { id: other.nextId(), type: 'Announce', actor: dave.iri, to: [publicIri], object: later.id };
    const byId = { id: peer.nextId(), type: 'Create', actor: mallory.iri, to: [publicIri], object: later.id };
    const bring = () => other.post(dave, `${app.baseUrl}/inbox`, boost);
    fails(429);
    const answer = await nothingStored(app, bring);
    expect([answer.status, answer.headers['retry-after']]).to.deep.equal([503, '60']);
    expect((await nothingStored(app, () => peer.post(mallory, `${app.baseUrl}/inbox`, byId))).status).to.equal(503);
    // Also when it is we who have asked enough for now.
    const { fetchLimit } = app.federation;
    peer.serveJson(path, later);
    app.pass(2);
    app.federation.fetchLimit = new WindowLimit(0, 60_000, app.house.now);
    expect((await nothingStored(app, bring)).status).to.equal(503);
    app.federation.fetchLimit = fetchLimit;
    expect((await bring()).status).to.equal(202);
    expect((await peer.post(mallory, `${app.baseUrl}/inbox`, byId)).status).to.equal(202);
    expect(await feed(nosy)).to.include('Read later');

    const dead = { ...boost, id: other.nextId(), object: `${peer.origin}/dead` };
    peer.pages.set('/dead', (_req, res) => res.writeHead(503).end());
    expect(await post(dave, dead)).to.equal(503);
    app.pass(31);
    expect(await post(dave, dead)).to.equal(202);
    const unreadable = { ...boost, id: other.nextId(), object: `${peer.origin}/closed` };
    peer.pages.set('/closed', (_req, res) => res.writeHead(403).end());
    expect(await post(dave, unreadable)).to.equal(202);
  });

  it('is shown under its own name when it writes in that of a neighbour (AP-24)', async () => {
    const borrowed = note(mallory, { actor: mallory.iri, attributedTo: bob.iri, content: 'As if by Bob' });
    expect(await post(mallory, { type: 'Create', object: borrowed })).to.equal(202);
    expect((await findRemotePost(app.house.store, borrowed.id))?.authors[0]).to.equal(mallory.iri);
    expect(await post(mallory, { type: 'Create', object: note(bob, { attributedTo: bob.iri }) })).to.equal(403);
    // Whatever the order of names, in the feed, in a mention, after a correction.
    for (const attributedTo of [
      [bob.iri, mallory.iri],
      [bob.iri, { id: mallory.iri, type: 'Person' }],
      [mallory.iri, bob.iri],
    ]) {
      const both = note(mallory, { attributedTo, to: [publicIri, iriOf(reader)], content: 'By both' });
      expect(await post(mallory, { type: 'Create', object: both })).to.equal(202);
      const known = await findRemotePost(app.house.store, both.id);
      expect(known?.authors).to.deep.equal([mallory.iri, bob.iri]);
      expect((await mentionsIn(app.house.store).findOne({ post: known?._id ?? '' }))?.author).to.equal(mallory.iri);
      const changed = {
        ...both,
        attributedTo: [bob.iri, mallory.iri],
        content: 'Later',
        updated: '2099-01-01T00:00:00Z',
      };
      expect(await post(mallory, { type: 'Update', object: changed })).to.equal(202);
      expect((await findRemotePost(app.house.store, both.id))?.authors[0]).to.equal(mallory.iri);
    }
  });

  it('is believed only at the address that a document bears as its id (AP-25)', async () => {
    const genuine = note(bob, { content: 'Genuine' });
    const path = new URL(genuine.id).pathname;
    peer.serveJson(path, genuine);
    // Elsewhere under another origin's id; behind a redirect to it; on its own server under another address.
    other.serveJson('/copy', genuine);
    expect(await fetchPost(app.federation, `${other.origin}/copy`)).to.equal(null);
    peer.pages.set('/away', (_req, res) => res.writeHead(302, { location: `${other.origin}/copy` }).end());
    expect(await fetchPost(app.federation, `${peer.origin}/away`)).to.equal(null);
    peer.serveJson('/alias', { ...genuine, content: 'Another text under an alias' });
    expect(await fetchPost(app.federation, `${peer.origin}/alias`)).to.have.property('content', 'Genuine');
    peer.serveJson('/lie', { ...genuine, id: `${peer.origin}/lost` });
    expect(await fetchPost(app.federation, `${peer.origin}/lie`)).to.equal('gone');
    for (const iri of [`${other.origin}/actor`, `${peer.origin}/actor`]) {
      const at = iri.startsWith(other.origin) ? other : peer;
      at.serveJson('/actor', { ...peer.document(bob), inbox: mallory.inbox, name: 'Not Bob' });
      await fetchActor(app.federation, iri).catch(() => {});
    }
    expect((await findRemoteActor(app.house.store, bob.iri))?.name).to.equal('Actor bob');
  });

  it('lends nobody its name: what WebFinger says of a host counts for the actor’s own server only (AP-30)', async () => {
    const jrd = {
      subject: `acct:bob@${other.host}`,
      links: [{ rel: 'self', type: 'application/activity+json', href: bob.iri }],
    };
    other.serveJson('/.well-known/webfinger', jrd, { type: 'application/jrd+json' });
    const found = await lookUpActor(app.federation, `@bob@${other.host}`);
    expect(found).to.have.nested.property('actor.handle', `bob@${peer.host}`);
    const named = await resolveMentions(app.federation, [`bob@${other.host}`]);
    expect(named).to.deep.equal([]);
    other.pages.delete('/.well-known/webfinger');
    const claims = { ...other.document(dave), preferredUsername: `bob@${peer.host}` };
    other.serveJson('/users/dave', claims);
    expect((await fetchActor(app.federation, dave.iri)).handle).to.equal(other.host);
    other.serveJson('/users/dave', other.document(dave));
    await fetchActor(app.federation, dave.iri);
  });

  it('takes no name from a neighbour by bearing it: the name’s own server says whose it is (AP-30)', async () => {
    const name = `bob@${peer.host}`;
    const whose = async (one: string) => (await resolveMentions(app.federation, [one])).map(({ iri }) => iri);
    peer.serveJson('/users/mallory', { ...peer.document(mallory), preferredUsername: 'bob' });
    await fetchActor(app.federation, mallory.iri);
    await remoteActorsIn(app.house.store).deleteOne({ _id: bob.iri });
    expect(await whose(name)).to.deep.equal([bob.iri]);
    const asked = peer.log.length;
    await fetchActor(app.federation, mallory.iri);
    expect(await whose(name)).to.deep.equal([bob.iri]);
    expect(peer.log.length - asked, 'asked again for what is known').to.equal(1);
    // Given to somebody else by its server, sooner or later it is known here.
    peer.actors.set('bob', mallory);
    app.pass(31 * 24 * 60);
    expect(await whose(name)).to.deep.equal([mallory.iri]);
    peer.actors.set('bob', bob);
    app.pass(-31 * 24 * 60);
    await lookUpActor(app.federation, `@${name}`);
    peer.serveJson('/users/mallory', peer.document(mallory));
    await fetchActor(app.federation, mallory.iri);
    expect(await whose(name)).to.deep.equal([bob.iri]);
  });

  it('is named by an account of another domain than its server’s when both say so, and by neither alone', async () => {
    const sam = peer.addActor('sam');
    const name = `sam@${other.host}`;
    const jrd = {
      subject: `acct:${name}`,
      links: [{ rel: 'self', type: 'application/activity+json', href: sam.iri }],
    };
    const serve = (server: Peer, given: Json | null): void => {
      if (given === null) server.pages.delete('/.well-known/webfinger');
      else server.serveJson('/.well-known/webfinger', given, { type: 'application/jrd+json' });
    };
    const whose = async () => (await resolveMentions(app.federation, [name])).map(({ iri }) => iri);
    serve(other, jrd);
    expect(await whose()).to.deep.equal([]);
    peer.serveJson('/users/sam', { ...peer.document(sam), webfinger: `someone@${other.host}` });
    expect(await whose()).to.deep.equal([]);
    // FEP-2c59.
    peer.serveJson('/users/sam', { ...peer.document(sam), webfinger: name });
    expect(await whose()).to.deep.equal([sam.iri]);
    expect(
      (await fetchActor(app.federation, sam.iri)) && (await findRemoteActor(app.house.store, sam.iri))?.handle,
    ).to.equal(name);
    // As Mastodon has it: the WebFinger of its own server names the account.
    await remoteActorsIn(app.house.store).deleteOne({ _id: sam.iri });
    peer.serveJson('/users/sam', peer.document(sam));
    serve(peer, jrd);
    expect(await whose()).to.deep.equal([sam.iri]);
    serve(peer, null);
    serve(other, null);
  });

  it('fills none of our collections by what stands inside an activity (AP-45)', async () => {
    const names = ['', '/followers', '/followers?page=1', '/outbox', '/outbox?page=1', '/following'];
    const all = async () => Promise.all(names.map(async (name) => (await peer.get(iriOf(nosy) + name)).text));
    const before = await all();
    const ours = {
      followers: `${iriOf(nosy)}/followers`,
      likes: `${iriOf(nosy)}/outbox`,
      shares: `${iriOf(nosy)}/following`,
    };
    for (const type of ['Like', 'Announce', 'Add', 'Update', 'Create'])
      for (const object of [
        { ...note(dave), ...ours },
        { id: iriOf(nosy), type: 'Organization', ...ours },
      ])
        await post(dave, { type, object, target: ours.followers });
    expect(await all()).to.deep.equal(before);
  });

  it('has no list of its own read further than its number, however that is written (AP-77)', async () => {
    for (const totalItems of [-1, 1e308, '1', null, [3], 7.5, { '@value': 3 }, 42]) {
      const followers = `${other.origin}/list`;
      other.serveJson('/users/dave', { ...other.document(dave), followers });
      other.serveJson('/list', {
        id: followers,
        type: 'OrderedCollection',
        totalItems,
        first: followers,
        next: followers,
      });
      const before = other.log.length;
      const found = await lookUpActor(app.federation, dave.iri);
      expect(found).to.have.property('followersCount', totalItems === 42 ? 42 : null);
      expect(other.log.slice(before).filter((line) => line === 'GET /list')).to.have.length(1);
    }
    other.serveJson('/users/dave', other.document(dave));
  });

  it('moves its followers once a week, and to nobody whom the rules refuse (AP-134)', async () => {
    const erin = peer.addActor('erin');
    await befriend(reader, erin);
    const state = async (iri: string) =>
      (await findFollowing(app.house.store, followKey(iriOf(reader), iri)))?.state ?? null;
    await setRule(app.ctx(), 'refused.example', { kind: 'block', publicReason: '', privateReason: '' });
    expect(await post(erin, { type: 'Move', object: erin.iri, target: 'https://refused.example/u' })).to.equal(401);
    const [first, second] = ['one', 'two'].map((name) => peer.addActor(`erin${name}`, { alsoKnownAs: [erin.iri] }));
    const move = (target = '') => post(erin, { type: 'Move', object: erin.iri, target });
    expect(await move(first?.iri)).to.equal(202);
    expect([await state(erin.iri), await state(first?.iri ?? '')]).to.deep.equal(['undone', 'pending']);
    await followingsIn(app.house.store).updateOne(
      { _id: followKey(iriOf(reader), erin.iri) },
      { $set: { state: 'accepted' } },
    );
    expect(await move(second?.iri)).to.equal(202);
    expect([await state(erin.iri), await state(second?.iri ?? '')]).to.deep.equal(['accepted', null]);
  });

  describe('whose domain is refused from this moment', () => {
    before(async () => {
      // Nobody has acted on the rule yet: what we knew of them is still there.
      await setRule(app.ctx(), '127.0.0.2', { kind: 'block', publicReason: '', privateReason: '' });
    });

    it('gains nothing through others by a proof, however it names itself (AP-130)', async () => {
      const follow = other.follow(dave, iriOf(reader));
      for (const actor of [[dave.iri], [{ id: dave.iri, type: 'Person' }]]) {
        const carried = proven({ ...follow, actor }, dave.proofKeyId, dave.proofKey);
        const { status } = await nothingStored(app, () => peer.post(bob, `${app.baseUrl}/inbox`, carried));
        expect(status).to.equal(403);
      }
      const { actor, ...rest } = follow;
      const spelled = { ...rest, 'https://www.w3.org/ns/activitystreams#actor': { id: actor } };
      const carried = proven(spelled, dave.proofKeyId, dave.proofKey);
      await nothingStored(app, () => peer.post(bob, `${app.baseUrl}/inbox`, carried));
    });

    it('reads nothing that was meant for it (AP-130)', async () => {
      const objectIri = app.federation.apex.objectIri('0190fordave');
      await activitiesIn(app.federation).insertOne({
        _id: '0190fordave',
        ...{
          actor: reader.handle,
          type: 'Create',
          subject: 'y',
          objectIri,
          isPublic: false,
          listed: false,
          inboxes: [],
        },
        ...{ toFollowers: false, fanOutCursor: null, isFannedOut: true, at: app.house.now() },
        json: JSON.stringify({ type: 'Create', to: [dave.iri] }),
        objectJson: JSON.stringify({ id: objectIri, type: 'Note', to: [dave.iri] }),
      });
      expect((await other.getSigned(dave, objectIri)).status).to.equal(404);
      const list = `${iriOf(reader)}/followers/synchronization`;
      expect((await other.getSigned(dave, list)).status).to.equal(401);
    });

    it('is not joined by half a list: one line that is refused leaves the others out too', async () => {
      const rows = ['evil.example', '127.0.0.1', 'later.example'].map((domain) => ({
        ...{ domain, kind: 'block' as const, publicReason: '', privateReason: '' },
      }));
      const refusal = await importRules(app.ctx(), rows).catch((error: unknown) => error);
      expect(refusal).to.be.instanceOf(DomainError);
      const rules = await listRules(app.house.store, ['block'], 10);
      expect(rules.map(({ _id }) => _id)).to.deep.equal(['127.0.0.2', 'refused.example']);
    });
  });

  it('has left the posts that it does not own as they were', async () => {
    const known = await remotePostsIn(app.house.store).find({ authors: bob.iri, deletedAt: null }).toArray();
    const own = known.filter(({ authors }) => authors[0] === bob.iri);
    expect(own.map(({ content }) => content).sort()).to.deep.equal([
      'Between us',
      'For few',
      'For you alone',
      'Not yet here',
    ]);
  });
});
