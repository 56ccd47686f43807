// A survey that asks hosters on a hundred instances: announced to each, answered from each, and receipts given. The instances
// are the independent peers of the tests, in this very process: what they cost stands in the figures. Beside it what the
// signatures and durable writes of the same exchange take alone.
import { createHash, createSign, createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { deliverDue } from '../../federation/delivery.js';
import { createFederation, type Federation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { federationConsumer } from '../../federation/outbox.js';
import { fetchActor } from '../../federation/remoteActors.js';
import { federationRouter } from '../../federation/routes.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { reviewAnswers, reviewSections, reviewTitle } from '../../jobs/roseauReview.js';
import { createCollective } from '../../server/collectives/actions.js';
import type { Context } from '../../server/context.js';
import { loadI18n } from '../../server/i18n.js';
import { findRemoteActor } from '../../server/partners/queries.js';
import { viewsDir } from '../../server/paths.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes, eventfulCollections } from '../../server/store/schema.js';
import type { Store } from '../../server/store/store.js';
import { createSurvey, saveSettings } from '../../server/surveys/actions/drafting.js';
import { openSurvey } from '../../server/surveys/actions/running.js';
import { countAnswers, invitedElsewhere } from '../../server/surveys/queries.js';
import type { Survey } from '../../server/surveys/schema.js';
import { Peer, type PeerActor } from '../support/peer/peer.js';

const instances = 100;
const atOnce = 20;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export interface SurveyWireFigures {
  instances: number;
  /** From the opening until the last instance has it. */
  announcedMs: number;
  /** From the first answer until all are counted. */
  answeredMs: number;
  /** Until each has its receipt. */
  receiptsMs: number;
  /** Two hundred signatures made, as many checked, a hundred documents written durably, one after the other. */
  limitMs: number;
}

interface There {
  peer: Peer;
  actor: PeerActor;
}

export async function benchSurveyWire(folder: string): Promise<SurveyWireFigures> {
  const store = await openStore({ dataDir: folder });
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const there: There[] = [];
  try {
    for (let n = 0; n < instances; n += 1) {
      const peer = await Peer.start();
      there.push({ peer, actor: peer.addActor('hoster', { type: 'Organization' }) });
    }
    const site = { baseUrl: `http://${host}`, host, defaultLanguage: 'fr' as const };
    const i18n = loadI18n(`${viewsDir}/locales`);
    const privateHosts = [host, ...there.map(({ peer }) => peer.host)];
    const house = { store, site, log: quiet, i18n, privateHosts, now: () => new Date() };
    const federation = createFederation(house, { version: 'bench', workerId: 'bench' });
    federation.inboundLimit.take = () => true;
    app.use(federationRouter(federation, { version: 'bench' }));
    await store.ensureIndexes({ ...allIndexes, ...federationIndexes });
    const figures = await exchange(federation, there);
    await federation.fetch.close();
    return { instances, ...figures, limitMs: await limitOf(store) };
  } finally {
    for (const { peer } of there) await peer.stop();
    server.closeAllConnections();
    server.close();
    await store.close();
  }
}

async function exchange(federation: Federation, there: readonly There[]) {
  const { house } = federation;
  const { store } = house;
  const ctx = (): Context => ({
    ...{ store, site: house.site, log: quiet, now: new Date() },
    actor: { kind: 'system', name: 'bench' },
  });
  const name = { fr: 'Banc', en: 'Bench' };
  const owner = await createCollective(ctx(), { handle: 'bench', name, legalForm: 'ASSOCIATION', published: true });
  await run(federation);
  const invited = [];
  for (const { actor } of there) {
    await fetchActor(federation, actor.iri);
    const known = await findRemoteActor(store, actor.iri);
    if (known) invited.push(invitedElsewhere(known));
  }
  const frame = { title: reviewTitle, languages: ['fr', 'en'], timeZone: 'Europe/Paris', sections: reviewSections };
  const survey = await createSurvey(ctx(), owner._id, frame);
  await saveSettings(ctx(), survey._id, { ...survey, invited });
  const announcedMs = await timed(async () => {
    await openSurvey(ctx(), survey._id);
    await until(federation, () => there.every(({ peer }) => peer.ofType('Create').length > 0));
  });
  const start = performance.now();
  const inbox = `${house.site.baseUrl}/inbox`;
  const queue = there[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const one of queue) await answer(one, survey, `${house.site.baseUrl}/actors/bench`, inbox);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const count = await countAnswers(store, survey);
  if (count !== there.length) throw new Error(`${count} answers were counted`);
  const answeredMs = performance.now() - start;
  await until(federation, () => there.every(({ peer }) => peer.ofType('Accept').length > 0));
  const receiptsMs = performance.now() - start;
  return {
    announcedMs: Math.round(announcedMs),
    answeredMs: Math.round(answeredMs),
    receiptsMs: Math.round(receiptsMs),
  };
}

async function answer({ peer, actor }: There, survey: Survey, owner: string, inbox: string): Promise<void> {
  const [asked] = peer.ofType('Create');
  const sentAt = new Date().toISOString();
  const values = JSON.stringify(reviewAnswers.ecluse);
  const activity = {
    '@context': 'https://www.w3.org/ns/activitystreams',
    id: peer.nextId(),
    type: 'Create',
    actor: actor.iri,
    to: [owner],
    object: {
      id: `${peer.origin}/answers/1`,
      type: 'SurveyAnswer',
      attributedTo: actor.iri,
      inReplyTo: (asked?.json.object as { id?: string } | undefined)?.id,
      answer: { version: survey.version, byName: 'Sacha', sentAt, values },
    },
  };
  const { status, text } = await peer.post(actor, inbox, activity);
  if (status !== 202) throw new Error(`an answer was refused: ${status} ${text}`);
}

async function run(federation: Federation): Promise<void> {
  const { store, log, now } = federation.house;
  await drainEvents({ store, log, now, collections: eventfulCollections, consumers: [federationConsumer(federation)] });
  await deliverDue(federation);
}

async function until(federation: Federation, isDone: () => boolean): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    await run(federation);
    if (isDone()) return;
    await new Promise((resume) => setTimeout(resume, 100));
  }
  throw new Error('not all have heard of it');
}

async function timed(deed: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await deed();
  return performance.now() - start;
}

async function limitOf(store: Store): Promise<number> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const written = store.collection<{ _id: string; raw: string }>('benchInserts');
  const raw = JSON.stringify(reviewAnswers);
  const ms = await timed(async () => {
    for (let n = 0; n < 2 * instances; n += 1) {
      const text = createHash('sha256').update(`${n} ${raw}`).digest('base64');
      const signature = createSign('RSA-SHA256').update(text).sign(privateKey);
      if (!createVerify('RSA-SHA256').update(text).verify(publicKey, signature)) throw new Error('does not fit');
      if (n < instances) await written.insertOne({ _id: String(n), raw });
    }
  });
  return Math.round(ms);
}
