// The whole house on a free port, furnished with the network ROSEAU through the same deeds that people do: to look at pages
// without setting anything up. Accounts: administrator and member, with the password of sampleAccounts.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicAudience } from '../../federation/contexts.js';
import { createFederation } from '../../federation/federation.js';
import { federationIndexes } from '../../federation/indexes.js';
import { runSelfTest } from '../../federation/selfTest.js';
import { fromPost } from '../../federation/wire/remotePost.js';
import { drainEvents } from '../../jobs/drainEvents.js';
import { roseau, roseauMembers } from '../../jobs/roseau.js';
import { buildApp } from '../../server/app.js';
import { catalogueEvent } from '../../server/catalogue/actions/catalogueEvent.js';
import { createService } from '../../server/catalogue/actions/services.js';
import { createCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Context } from '../../server/context.js';
import { receiveGroupPost } from '../../server/groups/actions/receive.js';
import { openAnnouncements } from '../../server/groups/actions.js';
import { recordChange } from '../../server/history/actions.js';
import { contextOf, type Engine, type House } from '../../server/house.js';
import { loadViews } from '../../server/http/views.js';
import { loadI18n } from '../../server/i18n.js';
import { newId } from '../../server/ids.js';
import { defaultSettings, writeSettings } from '../../server/instances/settings.js';
import { remoteActorsIn } from '../../server/partners/queries.js';
import { viewsDir } from '../../server/paths.js';
import { insertPerson } from '../../server/people/actions/accounts.js';
import { publishPost } from '../../server/posts/actions.js';
import { listen } from '../../server/startup.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes, eventfulCollections } from '../../server/store/schema.js';

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
    await publishPost(at(), hoster._id, news);
    await fillGroup(house, at, hoster);
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

/** The announcements group: a thread by a hoster, answered from elsewhere. */
async function fillGroup(house: House, at: () => Context, hoster: Collective): Promise<void> {
  const elsewhere = 'https://forum.example/uid/3';
  const group = await openAnnouncements(at(), {
    handle: 'annonces',
    name: { fr: 'Annonces de ROSEAU', en: 'News of ROSEAU' },
    summary: {
      fr: 'Ouvertures, fermetures, ateliers : ce que les hébergeurs du réseau ont à dire.',
      en: 'Openings, closings, workshops: what the hosters of the network have to say.',
    },
    hostersModerate: true,
    moderators: [elsewhere],
    postingRestrictedToMods: true,
    version: 0,
  });
  const text = {
    fr: '**Atelier samedi 6 juin.** Venez installer votre messagerie avec nous, de 14 h à 17 h.\n\nPas besoin de s’inscrire.',
    en: '**Workshop on Saturday 6 June.** Come and set up your mail with us, from 2 to 5.\n\nNo need to sign up.',
  };
  const post = await publishPost(at(), hoster._id, text, { groupId: group._id });
  const { baseUrl } = house.site;
  const bring = async (author: string, postId: string | null, document: object) => {
    const json = { type: 'Note', attributedTo: author, to: [publicAudience], ...document };
    const written = fromPost(json, [house.site.host], house.now());
    if (!written) throw new Error('no post');
    const activityIri = `${written.iri}#create`;
    await receiveGroupPost(at(), group, { activityIri, raw: '{}', author, post: written, postId });
  };
  await remoteActorsIn(house.store).insertOne({
    _id: elsewhere,
    type: 'Person',
    host: 'forum.example',
    handle: 'sam@forum.example',
    name: 'Sam du forum',
    url: 'https://forum.example/user/sam',
    inbox: `${elsewhere}/inbox`,
    sharedInbox: null,
    keys: [],
    fetchedAt: house.now(),
    goneAt: null,
  });
  const iri = `${baseUrl}/objects/${post._id}`;
  await bring(`${baseUrl}/actors/${hoster.handle}`, post._id, { id: iri, content: '<p>Atelier</p>' });
  await bring(elsewhere, null, {
    id: 'https://forum.example/post/12',
    inReplyTo: iri,
    content: '<p>Merci ! Peut-on apporter son téléphone ? <a href="https://forum.example/topic/1">Le fil</a></p>',
  });
  await bring(elsewhere, null, {
    id: 'https://forum.example/post/13',
    type: 'Article',
    name: 'Un forum pour les hébergeurs de la région du Languedoc et des environs immédiats',
    content: '<p>Nous ouvrons un forum.</p>',
  });
}

export interface SampleServer {
  baseUrl: string;
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
    fetchText: async () => ({ outcome: 'failed', reason: 'unreachable' }),
    now: () => new Date(),
  };
  const people = await addPeople(house);
  if (!empty) await furnish(house, people.member);
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
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await federation.fetch.close();
      await store.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}
