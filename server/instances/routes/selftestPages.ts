// The page on which the instance looks at itself as a peer would. The looking is federation/selfTest.ts.
import type { Engine } from '../../house.js';
import type { Routes } from '../../http/routes.js';

const crumbs = [
  { href: '/admin', key: 'layout.nav.admin' },
  { href: '/admin/peers', key: 'instances.peers.title' },
];

export function selftestPages(routes: Routes, engine: Engine): void {
  const access = 'administrator';
  routes
    .get('/admin/selftest', { access }, (visit) =>
      visit.page(
        'instances/selftest',
        { crumbs, lines: null },
        { title: visit.t('instances.selftest.title'), nav: 'admin' },
      ),
    )
    .post('/admin/selftest', { access }, async (visit) => {
      const found = await engine.selfTest();
      const lines = found.map(({ name, exchanges, finding }) => ({
        title: `instances.selftest.${name}.title`,
        remedy: `instances.selftest.${name}.remedy`,
        exchanges,
        finding,
      }));
      const model = { crumbs, lines, isWell: found.every(({ finding }) => finding === null) };
      await visit.page('instances/selftest', model, { title: visit.t('instances.selftest.title'), nav: 'admin' });
    });
}
