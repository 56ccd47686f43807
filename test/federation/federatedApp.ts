// A house that speaks ActivityPub on a real port, and a peer beside it. The clock can be moved; everything is on 127.0.0.1.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { type DeliveryReport, deliverDue } from '../../federation/delivery.js';
import { createFederation, type Federation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { federationConsumer } from '../../federation/outbox.js';
import { policyConsumer } from '../../federation/policy.js';
import { activityRepresentation, federationRouter } from '../../federation/routes.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { createCollective, type NewCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Context } from '../../server/context.js';
import { followsIn } from '../../server/partners/queries.js';
import { followKey } from '../../server/partners/rules.js';
import type { Follow } from '../../server/partners/schema.js';
import { eventfulCollections } from '../../server/store/schema.js';
import type { Store } from '../../server/store/store.js';
import { buildTestHouse, contextFor, systemActor, type TestHouse } from '../support/appSupport.js';
import { atEnd } from '../support/endOfRun.js';
import { fingerprint } from '../support/oracles.js';
import { Peer, type PeerActor } from '../support/peer/peer.js';
import { dealRsaKeysLater } from '../support/rsaKeys.js';

export interface FederatedApp {
  house: TestHouse;
  federation: Federation;
  baseUrl: string;
  ctx(): Context;
  /** Moves the clock by minutes. */
  pass(minutes: number): void;
  /** Hands events to the outbox. */
  announce(): Promise<void>;
  /** Hands events to the outbox, then delivers what is due. */
  run(): Promise<DeliveryReport>;
  stop(): Promise<void>;
}

export async function startPeer(port?: number, address?: string): Promise<Peer> {
  const peer = await Peer.start(port, address);
  atEnd(() => peer.stop());
  return peer;
}

export interface FederatedOptions {
  privateHosts: string[];
  store?: Store;
  lookup?: Parameters<typeof createFederation>[1]['lookup'];
  /** Before everything else. */
  before?: RequestHandler;
}

export async function startFederatedApp(options: FederatedOptions): Promise<FederatedApp> {
  const app = express();
  app.set('query parser', 'simple');
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const baseUrl = `http://${host}`;
  let skew = 0;
  const house = await buildTestHouse({
    site: { baseUrl, host, defaultLanguage: 'fr' },
    privateHosts: [...options.privateHosts, host],
    now: () => new Date(Date.now() + skew),
    ...(options.store ? { store: options.store } : {}),
  });
  await house.store.ensureIndexes(federationIndexes);
  const federation = createFederation(house, {
    version: '0.0.0',
    workerId: `test-${Math.random()}`,
    makeRsaKeys: dealRsaKeysLater,
    ...(options.lookup ? { lookup: options.lookup } : {}),
  });
  if (options.before) app.use(options.before);
  app.use(federationRouter(federation, { version: '0.0.0' }));
  app.use(activityRepresentation(federation));
  app.use((_req, res) => res.status(404).type('html').send('<p>no page'));
  const stop = async (): Promise<void> => {
    await federation.fetch.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  let isStopped = false;
  const stopOnce = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await stop();
  };
  atEnd(stopOnce);
  const { store, log, now } = house;
  const announce = async (): Promise<void> => {
    const consumers = [policyConsumer(federation), federationConsumer(federation)];
    await drainEvents({ store, log, now, collections: eventfulCollections, consumers });
  };
  return {
    house,
    federation,
    baseUrl,
    ctx: () => contextFor(house, systemActor),
    pass: (minutes) => {
      skew += minutes * 60_000;
    },
    announce,
    async run() {
      await announce();
      return deliverDue(federation);
    },
    stop: stopOnce,
  };
}

let serial = 0;

export async function addCollective(app: FederatedApp, overrides: Partial<NewCollective> = {}): Promise<Collective> {
  serial += 1;
  return createCollective(app.ctx(), {
    handle: `hoster${serial}`,
    name: { fr: 'L’Écluse', en: 'The Lock' },
    legalForm: 'ASSOCIATION',
    published: true,
    ...overrides,
  });
}

/** A follow of ours as it stands once accepted, without the way to it. */
export function followOf(app: FederatedApp, handle: string, follower: string, deliverTo = `${follower}/inbox`): Follow {
  const followed = `${app.baseUrl}/actors/${handle}`;
  const now = app.house.now();
  return {
    ...{ _id: followKey(follower, followed), follower, followed, ownerKind: 'collective', ownerId: handle },
    ...{ followIri: `${follower}/follow`, state: 'accepted', deliverTo, requestedAt: now, decidedAt: now },
  };
}

/** `count` of a server, each with an inbox of its own. */
export async function addFollowers(app: FederatedApp, handle: string, origin: string, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, at) => followOf(app, handle, `${origin}/users/f${at}`));
  await followsIn(app.house.store).insertMany(all);
}

/** They follow by the way that everybody takes: their keys are known from then on. */
export async function followBy(
  app: FederatedApp,
  followed: string,
  actors: readonly (readonly [Peer, PeerActor])[],
): Promise<void> {
  for (const [server, actor] of actors) {
    const { status } = await server.post(actor, `${app.baseUrl}/inbox`, server.follow(actor, followed));
    expect(status, actor.iri).to.equal(202);
  }
}

/** It is no stranger: it is known to take signatures after draft-cavage. */
export async function knowsCavage(app: FederatedApp, peer: Peer): Promise<void> {
  const schemes = app.house.store.collection<{ _id: string; scheme: string; why: string; until: Date }>(
    'signatureSchemes',
  );
  await schemes.insertOne({ _id: peer.host, scheme: 'cavage', why: 'proven', until: new Date('2100-01-01') });
}

/** What may change while something is refused: memory of failures, and when we last heard of whom. */
const allowed = ['keyFailures', 'peers'];

/** Runs something and expects the whole store to be what it was before, but for the collections named. */
export async function nothingStored<T>(
  app: FederatedApp,
  work: () => Promise<T>,
  except: readonly string[] = [],
): Promise<T> {
  const before = await fingerprint(app.house.store, [...allowed, ...except]);
  const result = await work();
  expect(await fingerprint(app.house.store, [...allowed, ...except]), 'the store changed').to.deep.equal(before);
  return result;
}
