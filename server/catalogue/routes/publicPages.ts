// What everybody reads: the finder, the page of a service, what changed.

import { z } from 'zod';
import { paged } from '../../collectives/present.js';
import { findCollective, findPublicly } from '../../collectives/queries.js';
import { mayEditCollective } from '../../collectives/rules.js';
import { listRemoteCollectives } from '../../elsewhere/queries.js';
import { DomainError } from '../../errors.js';
import { toAtom } from '../../formats/atom.js';
import { serviceJsonLd } from '../../formats/schemaOrg.js';
import type { Routes } from '../../http/routes.js';
import { readSettings } from '../../instances/settings.js';
import { textIn } from '../../shapes.js';
import { searchServices } from '../finder.js';
import { fileAddress } from '../infos.js';
import { presentFinder, presentNews, presentService, serviceInput, servicePath } from '../present.js';
import { findService, findServiceBySlug, listServiceNews, servicesOf } from '../queries.js';
import { finderQuery, pageQuery, type ServiceNews, serviceId, servicePageParams } from '../schema.js';

const newsPerPage = 50;

export function publicPages(routes: Routes): void {
  const { house } = routes;

  routes.get('/services', { access: 'public', query: finderQuery }, async (visit) => {
    const result = await searchServices(house.store, visit.query, visit.ctx.now);
    const ids = result.items.flatMap(({ elsewhere }) => (elsewhere ? [elsewhere.hosterId] : []));
    const homes = new Map((await listRemoteCollectives(house.store, ids)).map((one) => [one._id, one]));
    const model = presentFinder(visit.query, result, homes, visit.language, visit.t);
    await visit.page('catalogue/finder', model, {
      title: visit.t('catalogue.finder.title'),
      description: visit.t('catalogue.finder.lead'),
      nav: 'catalogue',
      alternates: [
        { type: 'application/atom+xml', href: '/changes.atom', title: visit.t('catalogue.changes.title') },
        { type: 'application/json', href: '/catalogue.json' },
        { type: 'text/csv', href: '/catalogue.csv' },
      ],
    });
  });

  // The short address of a service: it stays when the hoster is renamed.
  routes.get('/services/:id', { access: 'public', params: z.object({ id: serviceId }) }, async (visit) => {
    const service = await findService(house.store, visit.params.id);
    const hoster = service && (await findCollective(house.store, service.collectiveId));
    if (!service || !hoster || !(service.listed || mayEditCollective(visit.ctx.actor, hoster))) {
      throw new DomainError('not-found', 'error.notFound');
    }
    visit.redirect(servicePath(service));
  });

  routes.get('/@:name/services/:slug', { access: 'public', params: servicePageParams }, async (visit) => {
    const { ctx, language, t, params } = visit;
    const collective = await findPublicly(ctx, params.name);
    if (!collective) return visit.pass();
    const service = await findServiceBySlug(house.store, collective._id, params.slug);
    const isMember = mayEditCollective(ctx.actor, collective);
    if (!service || !(service.listed || isMember)) {
      const wasPublic = service?.deletedAt && service.publishedAt;
      throw wasPublic
        ? new DomainError('gone', 'catalogue.error.withdrawn')
        : new DomainError('not-found', 'error.notFound');
    }
    const address = fileAddress(house.site, collective.handle, service.slug);
    const model = {
      service: presentService(service, collective, ctx.actor, ctx.now, language, t),
      fileHref: new URL(address).pathname,
    };
    const description = textIn(service.profile.description, language).slice(0, 200);
    await visit.page('catalogue/service', model, {
      title: `${textIn(service.profile.name, language)} · ${textIn(collective.profile.name, language)}`,
      ...(description ? { description } : {}),
      nav: 'catalogue',
      ...(service.listed
        ? {
            jsonLd: serviceJsonLd(serviceInput(service, collective, house.site, language, t)),
            alternates: [{ type: 'text/plain', href: address, title: 'ChatonsInfos' }],
          }
        : { noIndex: true }),
    });
  });

  routes.get('/changes', { access: 'public', query: pageQuery }, async (visit) => {
    const { page, pages, items } = await listServiceNews(house.store, visit.query.page, newsPerPage);
    const { timeZone } = await readSettings(house.store);
    const model = {
      months: presentNews(items, await listedAmong(items), timeZone, visit.language),
      paging: paged('/changes', {}, { page, pages }),
    };
    await visit.page('catalogue/changes', model, {
      title: visit.t('catalogue.changes.title'),
      description: visit.t('catalogue.changes.lead'),
      nav: 'changes',
      alternates: [{ type: 'application/atom+xml', href: '/changes.atom', title: visit.t('catalogue.changes.title') }],
    });
  });

  routes.get('/changes.atom', { access: 'public' }, async (visit) => {
    const { t, language } = visit;
    const { items } = await listServiceNews(house.store, 1, newsPerPage);
    const listed = await listedAmong(items);
    const { name } = await readSettings(house.store);
    const { baseUrl } = house.site;
    const feed = toAtom({
      id: `${baseUrl}/changes.atom`,
      title: `${t('catalogue.changes.title')} · ${name}`,
      subtitle: t('catalogue.changes.lead'),
      language,
      selfUrl: `${baseUrl}/changes.atom`,
      pageUrl: `${baseUrl}/changes`,
      updatedAt: items[0]?.at ?? new Date(0),
      author: { name, url: `${baseUrl}/` },
      entries: items.map((item) => ({
        id: `${baseUrl}/changes#${item._id}`,
        title: t(`catalogue.news.${item.kind}.title`, {
          service: textIn(item.serviceName, language),
          hoster: textIn(item.hoster.name, language),
        }),
        url: baseUrl + (listed.has(item.serviceId) ? servicePath(item) : `/@${item.hoster.handle}`),
        updatedAt: item.at,
        author: { name: textIn(item.hoster.name, language), url: `${baseUrl}/@${item.hoster.handle}` },
        categories: [{ term: item.kind, label: t(`catalogue.news.${item.kind}`) }],
      })),
    });
    visit.res.vary('Accept-Language').set('Content-Language', language).type('application/atom+xml').send(feed);
  });

  /** Which of these services everybody can still see. */
  async function listedAmong(items: readonly ServiceNews[]): Promise<Set<string>> {
    const ids = [...new Set(items.map((item) => item.serviceId))];
    if (ids.length === 0) return new Set();
    const found = await servicesOf(house.store)
      .find({ _id: { $in: ids } }, { projection: { listed: 1 } })
      .toArray();
    return new Set(found.flatMap(({ _id, listed }) => (listed ? [_id] : [])));
  }
}
