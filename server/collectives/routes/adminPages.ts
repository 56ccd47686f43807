// All hosters of the instance, drafts and bin included, for its administrators.
import type { Routes } from '../../http/routes.js';
import { paged, presentCard } from '../present.js';
import { listAllCollectives } from '../queries.js';
import { adminQuery } from '../schema.js';

export function adminPages(routes: Routes): void {
  routes.get('/admin/collectives', { access: 'administrator', query: adminQuery }, async (visit) => {
    const { q, show, page } = visit.query;
    const isBin = show === 'bin';
    const found = await listAllCollectives(routes.house.store, { q, page, limit: 50, bin: isBin });
    const model = {
      search: visit.query,
      isBin,
      count: found.total,
      items: found.items.map((collective) => ({ ...presentCard(collective), createdAt: collective.createdAt })),
      paging: paged('/admin/collectives', { q, show: isBin ? 'bin' : '' }, found),
    };
    await visit.page('collectives/admin', model, { title: visit.t('collectives.admin.title'), nav: 'admin' });
  });
}
