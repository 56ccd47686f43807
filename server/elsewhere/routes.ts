// The administrators' page on hosters known by their address, and on everything else that is read from elsewhere.
import { paged } from '../collectives/present.js';
import type { House } from '../house.js';
import type { FormState } from '../http/form.js';
import { Routes, type Visit } from '../http/routes.js';
import { addKnownHoster, refreshSource, removeKnownHoster } from './actions/known.js';
import { presentSource } from './present.js';
import { listRemoteCollectives, pageSources } from './queries.js';
import { knownHosterShape, sourceParams, sourcesQuery } from './schema.js';

const access = 'administrator';
const path = '/admin/known-hosters';
const perPage = 50;
const labels = { url: 'elsewhere.known.url' };
const crumbs = [
  { href: '/admin', key: 'layout.nav.admin' },
  { href: '/admin/peers', key: 'instances.peers.title' },
];

export function elsewhereRoutes(house: House): Routes {
  const routes = new Routes(house);
  const show = async (visit: Visit<unknown, unknown, unknown>, form: FormState, page = 1) => {
    const found = await pageSources(house.store, { page, perPage });
    const hosters = await listRemoteCollectives(
      house.store,
      found.items.map(({ _id }) => _id),
    );
    const names = new Map(hosters.map((hoster) => [hoster._id, hoster]));
    const model = {
      form,
      labels,
      crumbs,
      sources: found.items.map((source) => presentSource(source, names, visit.ctx.now)),
      total: found.total,
      paging: paged(path, {}, found),
    };
    await visit.page('elsewhere/known', model, { title: visit.t('elsewhere.known.title'), nav: 'admin' });
  };
  return routes
    .get(path, { access, query: sourcesQuery }, async (visit) =>
      show(visit, { values: {}, errors: [] }, visit.query.page),
    )
    .post(path, { access, body: knownHosterShape, retry: show }, async (visit) => {
      await addKnownHoster(visit.ctx, visit.body.url);
      visit.redirect(path, { key: 'elsewhere.known.added' });
    })
    .post(`${path}/:id/refresh`, { access, params: sourceParams }, async (visit) => {
      await refreshSource(visit.ctx, visit.params.id);
      visit.redirect(path, { key: 'elsewhere.known.refreshed' });
    })
    .post(`${path}/:id/remove`, { access, params: sourceParams }, async (visit) => {
      await removeKnownHoster(visit.ctx, visit.params.id);
      visit.redirect(path, { key: 'elsewhere.known.removed' });
    });
}
