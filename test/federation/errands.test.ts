// What strangers can have us ask of the network, and what they cannot take from us by it: the reading of a document, the places
// for reading, the share of another server.
import { request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { expect } from 'chai';
import { newErrand } from '../../federation/errand.js';
import { WindowLimit } from '../../federation/limits.js';
import { fetchActor, fetchDocument, type KeyFailure } from '../../federation/remoteActors.js';
import { fetchPost } from '../../federation/remoteObjects.js';
import type { Peer, PeerActor } from '../support/peer/peer.js';
import { signedHeaders } from '../support/peer/signing.js';
import { type FederatedApp, startFederatedApp, startPeer } from './federatedApp.js';

const publicIri = 'https://www.w3.org/ns/activitystreams#Public';

describe('strangers who have us ask', () => {
  let app: FederatedApp;
  let peer: Peer;
  let evil: Peer;
  let bob: PeerActor;
  let mallory: PeerActor;
  const silent: Server[] = [];

  beforeEach(async () => {
    peer = await startPeer();
    evil = await startPeer();
    for (const _each of Array.from({ length: 20 })) {
      const one = createTcpServer();
      await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
      silent.push(one);
    }
    app = await startFederatedApp({ privateHosts: [peer.host, evil.host, ...silent.map(hostOf)] });
    for (const one of [peer, evil]) one.now = app.house.now;
    bob = peer.addActor('bob');
    mallory = evil.addActor('mallory');
  });

  afterEach(() => {
    for (const one of silent.splice(0)) one.close();
  });

  const hostOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** A request with a signature that does not hold, from one of our own addresses. */
  function forge(keyId: string, from = '127.0.0.1'): Promise<number> {
    const body = Buffer.from(JSON.stringify({ type: 'Like', actor: bob.iri, object: bob.iri }));
    const url = new URL(`${app.baseUrl}/inbox`);
    const headers = signedHeaders('POST', url, body, { keyId, key: mallory.privateKey, date: app.house.now() });
    return send('POST', url, headers, from, body);
  }

  function forgeReading(keyId: string): Promise<number> {
    const url = new URL(`${app.baseUrl}/objects/none`);
    const headers = signedHeaders('GET', url, null, { keyId, key: mallory.privateKey, date: app.house.now() });
    return send('GET', url, headers, '127.0.0.1', null);
  }

  function send(method: string, url: URL, headers: object, localAddress: string, body: Buffer | null): Promise<number> {
    return new Promise((resolve, reject) => {
      const wanted = {
        method,
        localAddress,
        agent: false,
        headers: { ...headers, 'content-length': body?.length ?? 0 },
      };
      const outgoing = request(url, wanted, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      });
      outgoing.on('error', reject);
      outgoing.end(body ?? undefined);
    });
  }

  /** Names a key on each of the silent servers, until eight of them are asked; their answers are waited for by nobody. */
  async function hangAll(): Promise<void> {
    await fetchActor(app.federation, mallory.iri);
    let asked = 0;
    const isFull = new Promise<void>((resolve) => {
      for (const one of silent) one.on('connection', () => (++asked === 8 ? resolve() : undefined));
    });
    for (const one of silent) void forge(`http://${hostOf(one)}/users/x#main-key`).catch(() => 0);
    await isFull;
  }

  function serveNote(name: string): string {
    const id = `${peer.origin}/notes/${name}`;
    peer.serveJson(`/notes/${name}`, { id, type: 'Note', attributedTo: bob.iri, to: [publicIri], content: name });
    return id;
  }

  it('cannot stop us reading what is no actor by calling it a key, in the inbox or by reading (AP-13, AP-90)', async () => {
    for (const [name, knock] of [
      ['posted', (iri: string) => forge(`${iri}#key`)],
      ['read', (iri: string) => forgeReading(`${iri}#key`)],
    ] as const) {
      const iri = serveNote(name);
      expect(await knock(iri)).to.be.within(401, 404);
      expect(await fetchPost(app.federation, iri), name).to.have.property('content', name);
      const asked = peer.log.filter((line) => line === `GET /notes/${name}`).length;
      await knock(iri);
      expect(peer.log.filter((line) => line === `GET /notes/${name}`).length, 'asked for a key again').to.equal(asked);
    }
  });

  it('cannot have us miss what will stand at an address in a moment', async () => {
    expect(await forge(`${peer.origin}/notes/coming#key`)).to.equal(401);
    const iri = serveNote('coming');
    expect(await fetchPost(app.federation, iri)).to.have.property('content', 'coming');
  });

  it('cannot take all places for reading with servers that never answer (AP-72)', async () => {
    await hangAll();
    const started = Date.now();
    await fetchActor(app.federation, bob.iri);
    expect(Date.now() - started).to.be.below(4000);
  });

  it('wait for a place only with their like, and have others pass them; that we had none is no failure of the server', async function () {
    this.timeout(15_000);
    await hangAll();
    // The same address waits in vain, another one is served.
    expect(await forge(bob.keyId)).to.equal(503);
    expect(await forge(bob.keyId, '127.0.0.2')).to.equal(401);
    const failures = await app.house.store.collection<KeyFailure>('keyFailures').find({}).toArray();
    expect(failures.map((one) => one.address)).not.to.include(bob.iri);
  });

  it('cannot use up what we ask of a server in a minute', async () => {
    const slow = (most: number) => new WindowLimit(most, 24 * 3_600_000, app.house.now);
    app.federation.fetchLimit = slow(60);
    app.federation.strangerFetchLimit = slow(10);
    app.federation.strangersFetchLimit = slow(30);
    const from = (address: string) =>
      Array.from({ length: 15 }, (_one, index) => () => forge(`${peer.origin}/none/${address}/${index}#k`, address));
    const count = (): number => peer.log.filter((line) => line.startsWith('GET /none/')).length;
    const statuses: number[] = [];
    for (const knock of from('127.0.0.1')) statuses.push(await knock());
    expect(count()).to.equal(10);
    expect(statuses).to.deep.equal([...Array.from({ length: 10 }, () => 401), ...Array.from({ length: 5 }, () => 429)]);
    for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'])
      for (const knock of from(address)) await knock();
    expect(count()).to.equal(30);
    // Ours is left, and ends at 60.
    const ours = Array.from({ length: 31 }, (_one, index) => `${peer.origin}/own/${index}`);
    let answered = 0;
    for (const address of ours)
      await fetchDocument(app.federation, address).catch((error: { status?: number }) => {
        if (error.status !== 429) answered += 1;
      });
    expect(answered).to.equal(30);
  });

  it('cannot have a server asked beyond its share by others that lead to it', async () => {
    const slow = (most: number) => new WindowLimit(most, 24 * 3_600_000, app.house.now);
    app.federation.strangersFetchLimit = slow(5);
    for (let at = 0; at < 8; at++) {
      const location = `${peer.origin}/none/${at}`;
      evil.pages.set(`/to/${at}`, (_req, res) => res.writeHead(302, { location }).end());
    }
    app.federation.strangerFetchLimit = slow(100);
    const ask = (at: number) => fetchDocument(app.federation, `${evil.origin}/to/${at}`, newErrand('192.0.2.1'));
    const statuses: (number | undefined)[] = [];
    for (let at = 0; at < 3; at++)
      statuses.push(await ask(at).then(undefined, (error: { status?: number }) => error.status));
    app.federation.strangersFetchLimit.add(peer.host, 2);
    for (let at = 3; at < 5; at++)
      statuses.push(await ask(at).then(undefined, (error: { status?: number }) => error.status));
    // Not there, and then not asked.
    expect(statuses).to.deep.equal([undefined, undefined, undefined, 429, 429]);
    expect(peer.log.filter((line) => line.startsWith('GET /none/')).length).to.equal(3);
  });

  it('have nothing remembered of a server that wants another signature when there is nothing left to ask it', async () => {
    peer.wantsSignedGets = true;
    peer.takes = 'rfc9421';
    const iri = serveNote('knock-twice');
    const last = { ...newErrand('192.0.2.1'), left: 1 };
    await fetchDocument(app.federation, iri, last).catch(() => null);
    expect(await app.house.store.collection<KeyFailure>('keyFailures').countDocuments({})).to.equal(0);
    expect((await fetchDocument(app.federation, iri, newErrand('192.0.2.1'))).json).to.have.property('id', iri);
  });

  it('are no strangers any more when their signature holds: a server may bring many new actors', async () => {
    const actors = Array.from({ length: 14 }, (_one, index) => peer.addActor(`n${index}`));
    const statuses: number[] = [];
    for (const actor of actors) {
      const like = { id: peer.nextId(), type: 'Like', actor: actor.iri, object: `${app.baseUrl}/actors/instance` };
      statuses.push((await peer.post(actor, `${app.baseUrl}/inbox`, like)).status);
    }
    expect(statuses).to.deep.equal(actors.map(() => 202));
  });

  it('are asked about once however much comes at once, and what comes is taken', async () => {
    const one = peer.addActor('one');
    const like = () => ({ id: peer.nextId(), type: 'Like', actor: one.iri, object: `${app.baseUrl}/actors/instance` });
    const answers = await Promise.all(
      Array.from({ length: 30 }, async () => (await peer.post(one, `${app.baseUrl}/inbox`, like())).status),
    );
    expect(answers).to.deep.equal(Array(30).fill(202));
    expect(peer.log.filter((line) => line === 'GET /users/one').length).to.be.below(4);
  });

  it('lead to ten requests for one activity at most, whatever redirects and refusals it meets (AP-76)', async () => {
    // Each step redirects three times, and asks for another signature at the end.
    const redirect = (path: string, hops: number, end: () => void): void => {
      for (let hop = 0; hop < hops; hop++)
        evil.pages.set(`${path}${hop || ''}`, (_req, res) =>
          res.writeHead(302, { location: `${path}${hop + 1}` }).end(),
        );
      end();
    };
    const refuse = (path: string): void => {
      evil.pages.set(path, (_req, res) => res.writeHead(401).end());
    };
    redirect('/key', 3, () => evil.serveJson('/key3', { id: `${evil.origin}/other`, type: 'Person' }));
    redirect('/other', 3, () => refuse('/other3'));
    const before = evil.log.length;
    await forge(`${evil.origin}/key#main-key`);
    expect(evil.log.length - before).to.equal(10);
    expect(await forge(`${evil.origin}/key#main-key`)).to.be.within(401, 403);
  });
});
