// The pages on the instances that we know: what they run, when we last heard of each other, what does not arrive.
import { paged } from '../../collectives/present.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { countFollowersFrom } from '../../partners/queries.js';
import { dropDelivery, retryDelivery, retryPeer, setInboundLimit } from '../actions/peers.js';
import { dropHeld, releaseHeld } from '../actions/restored.js';
import { findHeld, findPeer, listPeerDeliveries, pagePeers } from '../peerQueries.js';
import { presentPeer, presentPeerDelivery, refusedOn } from '../presentPeers.js';
import { readPolicy } from '../queries.js';
import { isRefusedPeer, readDomain } from '../rules.js';
import { peerDeliveryParams, peerLimitShape, peerParams, peersQuery } from '../schema.js';

const access = 'administrator';
const nav = 'admin';
const perPage = 50;
const shownDeliveries = 100;
const crumbs = [{ href: '/admin', key: 'layout.nav.admin' }];
const path = '/admin/peers/:host';

export function peerPages(routes: Routes): void {
  const { store, now } = routes.house;

  async function showPeer(visit: Visit<unknown, unknown, unknown>, host: string, form?: FormState): Promise<void> {
    const found = await findPeer(store, host);
    if (found === null) throw new DomainError('not-found', 'error.notFound');
    const [followers, deliveries, policy] = await Promise.all([
      countFollowersFrom(store, host),
      listPeerDeliveries(store, host, shownDeliveries),
      readPolicy(store),
    ]);
    const peer = presentPeer(found);
    const model = {
      peer,
      followers,
      refusedToday: refusedOn(found.peer, now()),
      form: form ?? { values: { inboundLimit: peer.inboundLimit }, errors: [] },
      labels: { inboundLimit: 'instances.peers.limit' },
      isRefused: isRefusedPeer(policy, host),
      domain: readDomain(host),
      deliveries: deliveries.map(presentPeerDelivery),
      crumbs: [...crumbs, { href: '/admin/peers', key: 'instances.peers.title' }],
    };
    await visit.page('instances/peer', model, { title: host, nav });
  }

  routes
    .get('/admin/peers', { access, query: peersQuery }, async (visit) => {
      const { q, page } = visit.query;
      const found = await pagePeers(store, q, { page, perPage });
      const paging = paged('/admin/peers', { q }, found);
      const held = await findHeld(store);
      const model = { peers: found.items.map(presentPeer), total: found.total, q, crumbs, paging, held };
      await visit.page('instances/peers', model, { title: visit.t('instances.peers.title'), nav });
    })
    .post('/admin/peers/held/release', { access }, async (visit) => {
      const count = await releaseHeld(visit.ctx);
      visit.redirect('/admin/peers', { key: 'instances.peers.retried', params: { count } });
    })
    .post('/admin/peers/held/drop', { access }, async (visit) => {
      const count = await dropHeld(visit.ctx);
      visit.redirect('/admin/peers', { key: 'instances.peers.held.dropped', params: { count } });
    })
    .get(path, { access, params: peerParams }, (visit) => showPeer(visit, visit.params.host))
    .post(
      `${path}/limit`,
      {
        access,
        params: peerParams,
        body: peerLimitShape,
        retry: (visit, form) => showPeer(visit, visit.params.host, form),
      },
      async (visit) => {
        const { host } = visit.params;
        await setInboundLimit(visit.ctx, host, visit.body.inboundLimit);
        visit.redirect(`/admin/peers/${host}`, { key: 'instances.peers.limitSaved' });
      },
    )
    .post(`${path}/retry`, { access, params: peerParams }, async (visit) => {
      const { host } = visit.params;
      const { deliveries: count, inboxes } = await retryPeer(visit.ctx, host);
      const key = count === 0 && inboxes > 0 ? 'instances.peers.leftOutBack' : 'instances.peers.retried';
      visit.redirect(`/admin/peers/${host}`, { key, params: { count } });
    })
    .post(`${path}/deliveries/:delivery/retry`, { access, params: peerDeliveryParams }, async (visit) => {
      const { host, delivery } = visit.params;
      await retryDelivery(visit.ctx, host, delivery);
      visit.redirect(`/admin/peers/${host}`, { key: 'instances.peers.retried', params: { count: 1 } });
    })
    .post(`${path}/deliveries/:delivery/drop`, { access, params: peerDeliveryParams }, async (visit) => {
      const { host, delivery } = visit.params;
      await dropDelivery(visit.ctx, host, delivery);
      visit.redirect(`/admin/peers/${host}`, { key: 'instances.peers.dropped' });
    });
}
