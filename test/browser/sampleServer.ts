// A server with the pages that belong to no slice, filled with a few invented hosters: enough to look at the face of the
// house without starting the whole of it.
import { mkdtempSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { newsOf, servicesOf } from '../../server/catalogue/queries.js';
import { type Need, type Service, serviceProfileShape } from '../../server/catalogue/schema.js';
import { collectivesOf } from '../../server/collectives/queries.js';
import { type Collective, emptyProfile } from '../../server/collectives/schema.js';
import type { PersonActor } from '../../server/context.js';
import type { House } from '../../server/house.js';
import { answerErrors, notFound } from '../../server/http/errors.js';
import { sessions } from '../../server/http/session.js';
import { staticFiles } from '../../server/http/static.js';
import { loadViews } from '../../server/http/views.js';
import { loadI18n } from '../../server/i18n.js';
import { newId } from '../../server/ids.js';
import { defaultSettings, writeSettings } from '../../server/instances/settings.js';
import { viewsDir } from '../../server/paths.js';
import { siteRoutes, styleguideRoutes } from '../../server/site/routes.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes } from '../../server/store/schema.js';
import type { Store } from '../../server/store/store.js';

const hosters = [
  ['ecluse', 'L’Écluse Libre', '12 quai du Loing, 45200 Montargis'],
  ['tuilelierre', 'Tuile & Lierre', '09200 Saint-Girons'],
  ['octetsmarais', 'Octets du Marais', '79000 Niort'],
  ['serrecommune', 'Serre Commune', '5000 Namur'],
  ['fournil', 'La Passerelle du Fournil', '1800 Vevey'],
  ['gouttiere', 'Collectif Gouttière', '59100 Roubaix'],
] as const;

const services: [number, string, string, Need[]][] = [
  [0, 'Pads de l’Écluse', 'Etherpad', ['write']],
  [0, 'Nuage de l’Écluse', 'Nextcloud', ['files', 'calendar']],
  [1, 'Courrier Tuile', 'Dovecot', ['mail']],
  [1, 'Sites Lierre', 'WordPress', ['website']],
  [2, 'Vidéos du Marais', 'PeerTube', ['video']],
  [2, 'Rendez-vous', 'Framadate', ['schedule']],
  [3, 'Salon Serre', 'Mattermost', ['chat']],
  [3, 'Formulaires', 'Yakforms', ['forms']],
  [4, 'Agenda du Fournil', 'Mobilizon', ['events', 'calendar']],
  [5, 'Dépôt Gouttière', 'Forgejo', ['code']],
  [5, 'Micro-blog', 'GoToSocial', ['social']],
];

async function fill(store: Store, now: Date): Promise<void> {
  await writeSettings(store, {
    ...defaultSettings,
    name: 'ROSEAU',
    tagline: { fr: 'Des services en ligne tenus par vos voisins', en: 'Online services run by your neighbours' },
    description: {
      fr: 'ROSEAU réunit huit petits hébergeurs qui partagent une charte, des coups de main et cette porte d’entrée.\n\nChacun reste maître chez soi.',
      en: 'ROSEAU is eight small hosters who share a charter, a helping hand and this front door.\n\nEach stays master at home.',
    },
    contactEmail: 'bonjour@roseau.example',
  });
  const ids = hosters.map(() => newId());
  for (const [index, [handle, name, address]] of hosters.entries()) {
    const collective: Collective = {
      _id: ids[index] ?? newId(),
      handle,
      profile: { ...emptyProfile(), name: { fr: name, en: '' }, place: { ...emptyProfile().place, address } },
      published: true,
      logoId: null,
      members: [],
      acceptsFollowers: 'at-once',
      terms: [],
      sortName: name.toLowerCase(),
      unknownProperties: [],
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
      version: 1,
    };
    await collectivesOf(store).insertOne(collective);
  }
  for (const [index, [owner, name, software, needs]] of services.entries()) {
    const [handle = '', hosterName = ''] = hosters[owner] ?? [];
    const at = new Date(now.getTime() - index * 4 * 24 * 3600_000);
    const hoster = { handle, name: { fr: hosterName, en: '' } };
    const service = {
      _id: newId(),
      collectiveId: ids[owner] ?? '',
      slug: `s${index}`,
      profile: serviceProfileShape.parse({ name: { fr: name }, needs, software: { name: software } }),
      published: true,
      listed: true,
      hoster,
      country: 'FR',
      stamp: newId(),
      origin: null,
      metrics: [],
      metricsLabels: [],
      unknownProperties: [],
      unknownMetrics: [],
      terms: [],
      sortName: name.toLowerCase(),
      createdAt: at,
      updatedAt: at,
      publishedAt: at,
      deletedAt: null,
      version: 1,
    } as Service;
    await servicesOf(store).insertOne(service);
    await newsOf(store).insertOne({
      _id: newId(),
      at,
      kind: index === 3 ? 'closed' : index === 1 ? 'updated' : 'opened',
      serviceId: service._id,
      collectiveId: service.collectiveId,
      serviceName: service.profile.name,
      slug: service.slug,
      hoster,
      endDate: null,
      hidden: false,
    });
  }
}

const administrator: PersonActor = {
  kind: 'person',
  personId: newId(),
  username: 'camille',
  displayName: 'Camille Rivière',
  instanceRole: 'administrator',
  memberships: {},
};

/** Serves the sample on a free port; with ?as=administrator in the address, as somebody who is signed in. */
export async function startSampleServer(empty = false): Promise<{ baseUrl: string; stop(): Promise<void> }> {
  const store = await openStore({ dataDir: mkdtempSync(join(tmpdir(), 'chatiere-look-')) });
  await store.ensureIndexes(allIndexes);
  const now = new Date();
  if (!empty) await fill(store, now);
  const silent = () => {};
  const house: House = {
    store,
    site: { baseUrl: 'http://localhost:3000', host: 'roseau.example', defaultLanguage: 'fr' },
    log: { debug: silent, info: silent, warn: silent, error: (details, message) => console.error(message, details) },
    views: loadViews(viewsDir),
    i18n: loadI18n(join(viewsDir, 'locales')),
    secret: 'a-secret-of-the-looks-with-more-than-32-characters',
    trustProxy: 0,
    privateHosts: [],
    fetchText: async () => ({ outcome: 'failed', reason: 'unreachable' }),
    now: () => now,
  };
  const app = express();
  app.use('/assets', staticFiles());
  app.use(sessions(house));
  app.use((req, res, next) => {
    if (req.query.as === 'administrator') res.locals.actor = administrator;
    next();
  });
  app.use(siteRoutes(house).router);
  app.use(styleguideRoutes(house).router);
  app.use(notFound);
  app.use(answerErrors(house));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
    },
  };
}
