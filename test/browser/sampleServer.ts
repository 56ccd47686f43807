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
import { createService, emptyProfile } from '../../server/catalogue/actions/services.js';
import { createCollective } from '../../server/collectives/actions.js';
import type { Collective } from '../../server/collectives/schema.js';
import type { Context } from '../../server/context.js';
import { keepHoster } from '../../server/elsewhere/actions/entries.js';
import { addSource, noteFailure, noteRead } from '../../server/elsewhere/actions/sources.js';
import { findSource } from '../../server/elsewhere/queries.js';
import { sourceKey } from '../../server/elsewhere/rules.js';
import type { SourceKind } from '../../server/elsewhere/schema.js';
import { receiveGroupPost } from '../../server/groups/actions/receive.js';
import { openAnnouncements } from '../../server/groups/actions.js';
import { recordChange } from '../../server/history/actions.js';
import { contextOf, type Engine, type House } from '../../server/house.js';
import { loadViews } from '../../server/http/views.js';
import { loadI18n } from '../../server/i18n.js';
import { newId } from '../../server/ids.js';
import { defaultSettings, writeSettings } from '../../server/instances/settings.js';
import { makeReport, receiveReport } from '../../server/moderation/actions.js';
import { block } from '../../server/partners/actions/blocking.js';
import { receiveMentions } from '../../server/partners/actions/mentions.js';
import { receiveReaction } from '../../server/partners/actions/reactions.js';
import { remoteActorsIn } from '../../server/partners/queries.js';
import { actorIri } from '../../server/partners/rules.js';
import type { RemoteActor } from '../../server/partners/schema.js';
import { viewsDir } from '../../server/paths.js';
import { insertPerson } from '../../server/people/actions/accounts.js';
import { publishPost } from '../../server/posts/actions.js';
import { objectIri } from '../../server/posts/rules.js';
import type { Post } from '../../server/posts/schema.js';
import { listen } from '../../server/startup.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes, eventfulCollections } from '../../server/store/schema.js';
import { dealRsaKeysLater } from '../support/rsaKeys.js';
import { addPartners } from './samplePartners.js';
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

/** A hoster of another instance, one known by its file whose server is silent, and a file that cannot be read. */
async function furnishElsewhere(house: House): Promise<void> {
  const ctx = { ...contextOf(house, system), now: new Date(house.now().getTime() - 9 * day) };
  const common = { legalForm: 'ASSOCIATION', status: 'ACTIVE', place: 'Niort', country: 'FR', networks: [] } as const;
  const add = async (kind: SourceKind, address: string, fr: string, services: string[]) => {
    await addSource(ctx, { kind, address, reason: kind === 'actor' ? 'following' : 'administrator' });
    const source = await findSource(house.store, sourceKey(kind, address));
    if (source === null || services.length === 0) return source;
    const { origin, host } = new URL(address);
    const name = { fr, en: '' };
    const tagline = { fr: 'Petit hébergeur du marais', en: 'A small host in the marshes' };
    const page = { url: `${origin}/`, website: `${origin}/`, handle: `marais@${host}` };
    const readings = services.map((service, index) => ({
      key: `${origin}/services/${index}`,
      url: `${origin}/services/${index}`,
      profile: { ...emptyProfile({ fr: service, en: '' }), needs: ['write' as const], website: `${origin}/${index}` },
      publishedAt: null,
      saidAt: ctx.now,
    }));
    await keepHoster(ctx, source, { ...common, ...page, networks: [], name, tagline }, readings, true);
    await noteRead(ctx, source, { count: readings.length });
    return source;
  };
  await add('actor', 'https://marais.example/actors/marais', 'Le Marais libre', [
    'Pads du marais',
    'Carnets du marais',
  ]);
  const silent = await add('organization', 'https://causses.example/organization.properties', 'Les Causses', ['Abri']);
  const broken = await add('organization', 'https://fournil.example/organization.properties', '', []);
  const error = { key: 'catalogue.fetch.unreachable', params: {} };
  if (silent) await noteFailure(ctx, silent, error);
  if (broken) await noteFailure(ctx, broken, error);
}

async function furnish(house: House, memberId: string): Promise<Record<string, string>> {
  let ids: Record<string, string> = {};
  await writeSettings(house.store, {
    ...defaultSettings,
    name: 'ROSEAU',
    tagline: { fr: 'Des services en ligne tenus par vos voisins', en: 'Online services run by your neighbours' },
    description: roseau.description,
    contactEmail: roseau.contactEmail,
  });
  let before = 100;
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
    await converse(house, hoster, post);
    await fillGroup(house, at, hoster);
    ids = await addPartners(house, hoster, contextOf(house, system));
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
  return ids;
}

/** What people elsewhere answer to the hoster's news, write to it alone, ask in a poll, and like. */
async function converse(house: House, hoster: Collective, news: Post): Promise<void> {
  const ctx = contextOf(house, system);
  const everybody = 'https://www.w3.org/ns/activitystreams#Public';
  const reader = actorIri(house.site, hoster.handle);
  const answered = objectIri(house.site, news);
  const author = 'https://pads.example/users/noor';
  await house.store.collection<RemoteActor>('remoteActors').insertOne({
    _id: author,
    ...{ type: 'Person', host: 'pads.example', handle: 'noor@pads.example', name: 'Noor B.', url: null },
    ...{ inbox: `${author}/inbox`, sharedInbox: null, keys: [], fetchedAt: house.now(), goneAt: null },
  });
  const write = async (key: string, answers: string | null, json: object): Promise<void> => {
    const document = {
      id: `${author}/${key}`,
      type: 'Note',
      attributedTo: author,
      to: [everybody],
      cc: [reader],
      ...json,
    };
    const published = new Date(house.now().getTime() - day).toISOString();
    const post = fromPost({ published, inReplyTo: answers, ...document }, [], house.now());
    if (post) await receiveMentions(ctx, post, [{ reader, answered: answers }]);
  };
  const fr = '<p>Bon courage pour samedi !</p>';
  const en = '<p>Good luck on Saturday!</p>';
  await write('1', answered, { content: fr, contentMap: { fr, en } });
  await write('2', answered, {
    content: '<p>Et <a href="https://pads.example/">nos blocs-notes</a> ?</p>',
    summary: 'Question',
  });
  await write('3', answered, {
    to: [reader],
    cc: [],
    content: '<p>Une facture est restée impayée, voyons cela entre nous.</p>',
  });
  const options = ['Samedi', 'Dimanche', 'Un soir de semaine'].map((name, index) => {
    return { type: 'Note', name, replies: { totalItems: 4 * index } };
  });
  const endTime = new Date(house.now().getTime() + 3 * day).toISOString();
  await write('4', null, {
    type: 'Question',
    content: '<p>Quand fermer pour les travaux ?</p>',
    oneOf: options,
    endTime,
  });
  for (const [kind, actor] of [
    ['like', author],
    ['boost', author],
    ['like', 'https://pads.example/users/ali'],
  ] as const) {
    await receiveReaction(ctx, { object: answered, owner: reader, kind, actor, activityIri: null });
  }
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
    refreshPost: async () => {},
    readThread: async () => 'read',
    fetchText: async () => ({ outcome: 'failed', reason: 'unreachable' }),
    pictures: { find: async () => null, load: async () => null, prune: async () => 0 },
    now: () => new Date(),
  };
  const people = await addPeople(house);
  const partners = empty ? {} : await furnish(house, people.member);
  const ids = empty ? {} : { ...partners, ...(await addSurveys(house)) };
  if (!empty) await furnishElsewhere(house);
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
  const federation = createFederation(house, {
    version: engine.version,
    workerId: 'look',
    makeRsaKeys: dealRsaKeysLater,
  });
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
