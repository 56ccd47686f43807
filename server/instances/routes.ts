// The administration of the instance: how it is doing, its name and words, its jobs, what could not be delivered.
import { statfs } from 'node:fs/promises';
import { countListedServices } from '../catalogue/queries.js';
import { countPublicCollectives } from '../collectives/queries.js';
import type { Engine, House } from '../house.js';
import type { FormState } from '../http/form.js';
import { Routes, type Visit } from '../http/routes.js';
import { listPeople } from '../people/queries.js';
import { changeSettings, dropEvent, retryEvent } from './actions.js';
import { findLastBackup, folderBytes } from './dataFolder.js';
import { presentJob, presentParkedEvent, presentSize, warningsOf } from './present.js';
import { whyNot } from './presentPeers.js';
import { countQueues, listJobRuns, listParkedEvents, listTroubledHosts } from './queries.js';
import { peerPages } from './routes/peerPages.js';
import { rulePages } from './routes/rulePages.js';
import { selftestPages } from './routes/selftestPages.js';
import { mayAdminister } from './rules.js';
import { eventParams, jobParams } from './schema.js';
import { readSettings, settingsShape } from './settings.js';

const nav = 'admin';

export function instanceRoutes(house: House, engine: Engine): Routes {
  const routes = new Routes(house);
  overview(routes, engine);
  settings(routes);
  jobs(routes, engine);
  deliveries(routes);
  selftestPages(routes, engine);
  rulePages(routes);
  peerPages(routes);
  return routes;
}

function overview(routes: Routes, engine: Engine): void {
  const { house } = routes;
  routes.get('/admin', { access: 'moderator' }, async (visit) => {
    const { store, now, actor } = visit.ctx;
    const [people, collectives, services, queues, runs] = await Promise.all([
      listPeople(store, {}).then(({ total }) => total),
      countPublicCollectives(store),
      countListedServices(store),
      countQueues(store),
      listJobRuns(store),
    ]);
    const freeBytes = await freeSpace(engine.dataDir);
    const backup = findLastBackup(engine.dataDir);
    const { startedAt, keepsBackups, sendsMail, version } = engine;
    const facts = { now, startedAt, backup, keepsBackups, sendsMail, runs, queues, freeBytes };
    const isAdministrator = mayAdminister(actor);
    const size = (bytes: number) => presentSize(bytes, visit.language);
    const model = {
      isAdministrator,
      warnings: isAdministrator
        ? warningsOf({ ...facts, baseUrl: house.site.baseUrl, privateHosts: house.privateHosts })
        : [],
      counts: { people, collectives, services },
      queues,
      version,
      sendsMail,
      store: `instances.store.${store.engine}`,
      data: size(folderBytes(engine.dataDir)),
      free: freeBytes === null ? null : size(freeBytes),
      backup: backup && { at: backup.at, size: size(backup.bytes) },
    };
    await visit.page('instances/overview', model, { title: visit.t('instances.overview.title'), nav });
  });
}

/** Bytes that the data folder's file system still takes; null where it does not tell. */
async function freeSpace(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null);
  return found && found.bavail * found.bsize;
}

function settings(routes: Routes): void {
  const labels = Object.fromEntries(
    ['name', 'contactEmail', 'timeZone'].map((field) => [field, `instances.settings.${field}`]),
  );
  const timeZones = [...Intl.supportedValuesOf('timeZone'), 'UTC'].map((value) => ({ value, label: value }));
  const show = async (visit: Visit<unknown, unknown, unknown>, form: FormState) => {
    const model = { form, labels, timeZones };
    await visit.page('instances/settings', model, { title: visit.t('instances.settings.title'), nav });
  };
  routes
    .get('/admin/settings', { access: 'administrator' }, async (visit) =>
      show(visit, { values: { ...(await readSettings(visit.ctx.store)) }, errors: [] }),
    )
    .post('/admin/settings', { access: 'administrator', body: settingsShape, retry: show }, async (visit) => {
      await changeSettings(visit.ctx, visit.body);
      visit.redirect('/admin/settings', { key: 'instances.settings.saved' });
    });
}

function jobs(routes: Routes, engine: Engine): void {
  const { house } = routes;
  const access = 'administrator';
  routes
    .get('/admin/jobs', { access }, async (visit) => {
      const [runs, parked, { timeZone }] = await Promise.all([
        listJobRuns(house.store),
        listParkedEvents(house.store, 100),
        readSettings(house.store),
      ]);
      const model = {
        timeZone,
        jobs: engine.jobs.list().map((plan) =>
          presentJob(
            plan,
            runs.find((run) => run._id === plan.name),
          ),
        ),
        parked: parked.map(presentParkedEvent),
      };
      await visit.page('instances/jobs', model, { title: visit.t('jobs.page.title'), nav });
    })
    .post('/admin/jobs/:name/run', { access, params: jobParams }, async (visit) => {
      const begins = await engine.jobs.runNow(visit.params.name);
      visit.redirect('/admin/jobs', { key: begins ? 'jobs.page.begun' : 'jobs.page.notBegun' });
    })
    .post('/admin/jobs/events/:id/retry', { access, params: eventParams }, async (visit) => {
      await retryEvent(visit.ctx, visit.params.id);
      visit.redirect('/admin/jobs', { key: 'jobs.parked.retried' });
    })
    .post('/admin/jobs/events/:id/drop', { access, params: eventParams }, async (visit) => {
      await dropEvent(visit.ctx, visit.params.id);
      visit.redirect('/admin/jobs', { key: 'jobs.parked.dropped' });
    });
}

function deliveries(routes: Routes): void {
  const { store } = routes.house;
  routes.get('/admin/deliveries', { access: 'administrator' }, async (visit) => {
    const [hosts, queues] = await Promise.all([listTroubledHosts(store), countQueues(store)]);
    const shown = hosts.map((one) => ({ ...one, why: whyNot(one.lastError) }));
    const model = { hosts: shown, waiting: queues.deliveries };
    await visit.page('instances/deliveries', model, { title: visit.t('instances.deliveries.title'), nav });
  });
}
