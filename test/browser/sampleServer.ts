// The whole house on a free port, furnished with the network ROSEAU through the same deeds that people do: to look at pages
// without setting anything up. Accounts: administrator and member, with the password of sampleAccounts.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFederation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { runSelfTest } from '../../federation/selfTest.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { roseau, roseauMembers } from '../../jobs/roseau.js';
import { buildApp } from '../../server/app.js';
import { catalogueEvent } from '../../server/catalogue/actions/catalogueEvent.js';
import { createService } from '../../server/catalogue/actions/services.js';
import { createCollective } from '../../server/collectives/actions.js';
import { recordChange } from '../../server/history/actions.js';
import { contextOf, type Engine, type House } from '../../server/house.js';
import { loadViews } from '../../server/http/views.js';
import { loadI18n } from '../../server/i18n.js';
import { newId } from '../../server/ids.js';
import { defaultSettings, writeSettings } from '../../server/instances/settings.js';
import { makeReport, receiveReport } from '../../server/moderation/actions.js';
import { block } from '../../server/partners/actions/blocking.js';
import { viewsDir } from '../../server/paths.js';
import { insertPerson } from '../../server/people/actions/accounts.js';
import { publishPost } from '../../server/posts/actions.js';
import { listen } from '../../server/startup.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes, eventfulCollections } from '../../server/store/schema.js';
import { addSurveys } from './sampleSurveys.js';

export const sampleAccounts = {
  administrator: { username: 'camille', displayName: 'Camille Rivière' },
  member: { username: 'lou', displayName: 'Lou Fontaine' },
  password: 'un mot de passe assez long',
} as const;

const day = 24 * 3_600_000;
const system = { kind: 'system', name: 'sample' } as const;

async function addPeople(house: House): Promise<{ administrator: string; member: string }> {
  const ids = { administrator: newId(), member: newId() };
  for (const role of ['administrator', 'member'] as const) {
    await insertPerson(contextOf(house, system), ids[role], {
      ...sampleAccounts[role],
      email: `${role}@roseau.example`,
      password: sampleAccounts.password,
      instanceRole: role === 'administrator' ? 'administrator' : null,
    });
  }
  return ids;
}

async function furnish(house: House, memberId: string): Promise<void> {
  await writeSettings(house.store, {
    ...defaultSettings,
    name: 'ROSEAU',
    tagline: { fr: 'Des services en ligne tenus par vos voisins', en: 'Online services run by your neighbours' },
    description: roseau.description,
    contactEmail: roseau.contactEmail,
  });
  let before = 40;
  const at = () => {
    before -= 2;
    return { ...contextOf(house, system), now: new Date(house.now().getTime() - before * day) };
  };
  for (const { id, profile, services } of roseauMembers) {
    const members = id === 'ecluse' ? [{ personId: memberId, role: 'representative' as const }] : [];
    const { name, legalForm } = profile;
    const hoster = await createCollective(at(), { handle: id, name, legalForm, profile, published: true, members });
    for (const service of services) {
      await createService(at(), hoster._id, { slug: service.slug, profile: service.profile, published: true });
    }
    if (id !== 'ecluse') continue;
    const news = {
      fr: 'Le nuage ferme samedi de 8 h à 10 h : nous changeons un disque. Vos fichiers restent sur vos appareils.',
      en: 'The cloud closes on Saturday from 8 to 10: we replace a disk. Your files stay on your devices.',
    };
    const post = await publishPost(at(), hoster._id, news);
    const blocked = { kind: 'domain', domain: 'pourriels.example' } as const;
    await block(at(), { kind: 'collective', id: hoster._id }, blocked, 'Publicité par dizaines');
    await makeReport(
      { ...at(), actor: null },
      {
        about: `/@${id}/posts/${post._id}`,
        reason: 'wrong',
        comment: 'La maintenance a eu lieu vendredi, pas samedi.',
        contact: 'jo@voisins.example',
        tellsTheirs: false,
      },
    );
    await receiveReport(at(), {
      ...{ host: 'social.voisins.example', objects: [`${house.site.baseUrl}/actors/${id}`], comment: '' },
      ...{ activityIri: 'https://social.voisins.example/flags/1', raw: Buffer.from('') },
    });
  }
  await drainEvents({
    store: house.store,
    log: house.log,
    now: house.now,
    collections: eventfulCollections,
    consumers: [
      { name: 'history', receive: (event) => recordChange(house.store, event) },
      { name: 'catalogue', receive: (event) => catalogueEvent(contextOf(house, system), event) },
    ],
  });
}

export interface SampleServer {
  baseUrl: string;
  /** By name, for addresses such as /my/collectives/{collective}. */
  ids: Record<string, string>;
  stop(): Promise<void>;
}

/** Empty: only the accounts are there. */
export async function startSampleServer(empty = false): Promise<SampleServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatiere-look-'));
  const store = await openStore({ dataDir });
  await store.ensureIndexes(allIndexes);
  await store.ensureIndexes(federationIndexes);
  let answer: RequestListener = (_req, res) => void res.writeHead(503).end();
  const server = createServer((req, res) => answer(req, res));
  const port = await listen(server, '127.0.0.1', 0);
  const baseUrl = `http://127.0.0.1:${port}`;
  const silent = () => {};
  const house: House = {
    store,
    site: { baseUrl, host: `127.0.0.1:${port}`, defaultLanguage: 'fr' },
    log: { debug: silent, info: silent, warn: silent, error: (details, message) => console.error(message, details) },
    views: loadViews(viewsDir),
    i18n: loadI18n(join(viewsDir, 'locales')),
    secret: 'a-secret-of-the-looks-with-more-than-32-characters',
    trustProxy: 0,
    privateHosts: [],
    lookUpActor: async () => ({ outcome: 'failed', reason: 'unavailable' }),
    lookUpPost: async () => null,
    fetchText: async () => ({ outcome: 'failed', reason: 'unreachable' }),
    pictures: { find: async () => null, load: async () => null, prune: async () => 0 },
    now: () => new Date(),
  };
  const people = await addPeople(house);
  if (!empty) await furnish(house, people.member);
  const ids = empty ? {} : await addSurveys(house);
  const engine: Engine = {
    version: '0.1.0',
    isDevelopment: true,
    dataDir,
    startedAt: house.now(),
    keepsBackups: true,
    sendsMail: false,
    metrics: null,
    jobs: { list: () => [], runNow: async () => false },
    isStopping: () => false,
    selfTest: () => runSelfTest(federation),
  };
  const federation = createFederation(house, { version: engine.version, workerId: 'look' });
  answer = buildApp(house, engine, { federation, wake: silent });
  return {
    baseUrl,
    ids,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await federation.fetch.close();
      await store.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}
