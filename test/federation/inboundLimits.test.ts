// How much one instance may send: all its actors together, with a number of its own where an administrator set one; and how
// often an address may come with signatures that do not hold.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { blockOf, writeRefused } from '../../federation/inboundLimits.js';
import { WindowLimit } from '../../federation/limits.js';
import { setInboundLimit } from '../../server/instances/actions/peers.js';
import { findPeer } from '../../server/instances/peerQueries.js';
import { refusedOn } from '../../server/instances/presentPeers.js';
import { readPolicy } from '../../server/instances/queries.js';
import { inboundLimitOf, isRefusedPeer, usualInboundLimit } from '../../server/instances/rules.js';
import { projectDir } from '../../server/paths.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { addCollective, type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

describe('limits of what comes in', () => {
  let app: FederatedApp;
  let peer: Peer;
  let other: Peer;
  let actors: PeerActor[];

  beforeEach(async () => {
    [peer, other] = [await startPeer(), await startPeer()];
    app = await startFederatedApp({ privateHosts: [peer.host, other.host] });
    app.federation.hostLimit = new WindowLimit(usualInboundLimit, 24 * 3_600_000, app.house.now);
    for (const one of [peer, other]) one.now = app.house.now;
    actors = ['a', 'b', 'c'].map((name) => peer.addActor(name));
    for (const actor of actors) expect((await send(peer, actor)).status).to.equal(202);
  });

  const send = (from: Peer, actor: PeerActor) =>
    from.post(actor, `${app.baseUrl}/inbox`, {
      ...{ id: from.nextId(), type: 'Like', actor: actor.iri, object: `${app.baseUrl}/actors/instance` },
    });

  it('count all actors of an instance together, and nobody else', async () => {
    await setInboundLimit(app.ctx(), peer.host, 5);
    const statuses: number[] = [];
    for (const actor of actors) statuses.push((await send(peer, actor)).status);
    expect(statuses).to.deep.equal([202, 202, 429]);
    expect(Number((await send(peer, actors[0] as PeerActor)).headers['retry-after'])).to.be.within(1, 24 * 3600);
    expect((await send(other, other.addActor('d'))).status).to.equal(202);
  });

  it('stand in SECURITY.md with their figures, since each process counts for itself', async () => {
    const two = await startFederatedApp({ privateHosts: [], store: app.house.store });
    const known = readFileSync(join(projectDir, 'SECURITY.md'), 'utf8').split('## Known limits')[1] ?? '';
    const [said = ''] = known.split('\n- ').filter((one) => one.startsWith('Quotas of federation'));
    const words: Record<string, string> = {
      ...{ inboundLimit: 'activities', hostLimit: 'activities', fetchLimit: 'fetches', bytesLimit: 'bytes' },
      ...{
        strangerLimit: 'requests',
        strangerFetchLimit: 'on the word of one',
        strangersFetchLimit: 'of all strangers',
      },
      ...{ deletionLimit: 'deletions', forwardLimit: 'answers passed on', surveyLimit: 'surveys and answers' },
    };
    for (const [name, limit] of Object.entries(two.federation)) {
      if (!(limit instanceof WindowLimit)) continue;
      expect(said.replace(/\s+/g, ' '), name).to.contain(`${limit.most.toLocaleString('en')} ${words[name]}`);
    }
    // What one process has counted the other has not.
    while (app.federation.forwardLimit.take(peer.host));
    expect(two.federation.forwardLimit.take(peer.host)).to.equal(true);
  });

  it('count for the administrators what was refused today', async () => {
    await setInboundLimit(app.ctx(), peer.host, 3);
    for (const actor of actors) expect((await send(peer, actor)).status).to.equal(429);
    await writeRefused(app.federation);
    expect((await send(peer, actors[0] as PeerActor)).status).to.equal(429);
    await writeRefused(app.federation);
    const known = await findPeer(app.house.store, peer.host);
    if (known === null) throw new Error('the peer is not known');
    expect(refusedOn(known.peer, app.house.now())).to.equal(4);
    app.pass(24 * 60);
    expect(refusedOn(known.peer, app.house.now())).to.equal(0);
  });

  it('count the bytes of a day that are kept, not what is forgotten, and take more where administrators do', async () => {
    app.federation.bytesLimit = new WindowLimit(3000, 24 * 3_600_000, app.house.now);
    const hoster = `${app.baseUrl}/actors/${(await addCollective(app)).handle}`;
    const [actor = peer.addActor('x'), another = actor] = actors;
    const long = (activity: object) => ({ ...activity, summary: 'x'.repeat(1500) });
    const follow = () => long(peer.follow(actor, hoster));
    const post = async (from: Peer, by: PeerActor, activity: object) =>
      (await from.post(by, `${app.baseUrl}/inbox`, activity)).status;
    const received = app.house.store.collection<{ _id: string; raw: string }>('received');
    for (let round = 0; round < 4; round++) {
      const undone = {
        type: 'Follow',
        id: `${actor.iri}/no${round}`,
        actor: actor.iri,
        object: `${app.baseUrl}/actors/none`,
      };
      expect(
        await post(peer, actor, long({ id: peer.nextId(), type: 'Undo', actor: actor.iri, object: undone })),
      ).to.equal(202);
    }
    expect(await received.countDocuments({}), 'what takes nothing back left a trace').to.equal(0);
    const again = follow();
    expect([await post(peer, actor, again), await post(peer, actor, follow())]).to.deep.equal([202, 202]);
    expect((await received.find({}).toArray()).map((one) => one.raw)).to.deep.equal(['', '']);
    // Of the whole server, for what would be kept.
    expect(await post(peer, another, peer.follow(another, hoster))).to.equal(429);
    expect(await post(peer, actor, again), 'a repeat').to.equal(202);
    expect((await send(peer, actor)).status).to.equal(202);
    const dan = other.addActor('dan');
    expect(await post(other, dan, other.follow(dan, hoster))).to.equal(202);
    await setInboundLimit(app.ctx(), peer.host, usualInboundLimit * 3);
    expect(await post(peer, another, peer.follow(another, hoster))).to.equal(202);
  });

  it('are the usual ones again when the own number is taken away, and say nothing of rules', async () => {
    await setInboundLimit(app.ctx(), peer.host, 3);
    expect(inboundLimitOf(await readPolicy(app.house.store), peer.host)).to.equal(3);
    await setInboundLimit(app.ctx(), peer.host, null);
    const policy = await readPolicy(app.house.store);
    expect(inboundLimitOf(policy, peer.host)).to.equal(usualInboundLimit);
    expect(isRefusedPeer(policy, peer.host)).to.equal(false);
    expect((await send(peer, actors[0] as PeerActor)).status).to.equal(202);
  });

  it('stop an address whose signatures do not hold, whatever names it brings, before any key is looked for', async () => {
    app.federation.strangerLimit = new WindowLimit(10, 24 * 3_600_000, app.house.now);
    const headers = { 'content-type': 'application/activity+json' };
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++)
      statuses.push((await peer.postRaw(`${app.baseUrl}/inbox`, `{"n":${count}}`, headers)).status);
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 401), 429, 429]);
    const asked = peer.log.length;
    expect((await send(peer, peer.addActor('new'))).status).to.equal(429);
    expect(peer.log.length).to.equal(asked);
  });

  it('count an IPv6 address with all of its network, however it is written, and with no other', () => {
    for (const [one, another] of [
      ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
      ['2001:db8::1', '2001:db8::1:2:3:4'],
      ['2001:db8::2:0:0:1', '2001:db8::5:6:7:8'],
    ] as const)
      expect(blockOf(one)).to.equal(blockOf(another));
    expect(blockOf('2001:db8::1')).not.to.equal(blockOf('2001:db8:0:1::1'));
    expect(blockOf('192.0.2.1')).not.to.equal(blockOf('192.0.2.2'));
    expect(blockOf('::ffff:192.0.2.1')).not.to.equal(blockOf('::ffff:192.0.2.2'));
  });

  it('stop an address that reads with the names of actors who are gone', async () => {
    app.federation.strangerLimit = new WindowLimit(3, 24 * 3_600_000, app.house.now);
    const gone = Array.from({ length: 4 }, (_one, index) => peer.addActor(`gone${index}`));
    for (const { name } of gone) peer.pages.set(`/users/${name}`, (_req, res) => res.writeHead(410).end());
    const read = async (actor: PeerActor) => (await peer.getSigned(actor, `${app.baseUrl}/objects/none`)).status;
    for (const actor of gone.slice(1)) expect(await read(actor)).to.equal(404);
    const asked = peer.log.length;
    await read(gone[0] as PeerActor);
    expect(peer.log.length).to.equal(asked);
  });
});
