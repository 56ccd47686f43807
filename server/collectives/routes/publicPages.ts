// What everybody reads: the list of hosters, and the page of one.
import { presentServiceStatus, servicePath } from '../../catalogue/present.js';
import { listServicesOf } from '../../catalogue/queries.js';
import { presentPlaces, presentRemoteCard } from '../../elsewhere/present.js';
import { listEveryHoster, listRemoteCountries } from '../../elsewhere/queries.js';
import { organizationJsonLd } from '../../formats/schemaOrg.js';
import { regionName } from '../../formatters.js';
import type { Routes } from '../../http/routes.js';
import { findMovedTo } from '../../partners/queries.js';
import { presentPosts } from '../../posts/present.js';
import { countPublicPosts, listPublicPosts } from '../../posts/queries.js';
import { textIn } from '../../shapes.js';
import { nameIn, organizationOf, paged, pagePath, presentCard, presentCollective, statusOptions } from '../present.js';
import { findPublicly, listCountries } from '../queries.js';
import { mayEditCollective } from '../rules.js';
import { type Collective, listQuery, nameParams } from '../schema.js';

/** Posts shown on the page of a hoster; the others have a page of their own. */
const postsShown = 3;

export function publicPages(routes: Routes): void {
  const { house } = routes;

  routes.get('/collectives', { access: 'public', query: listQuery }, async (visit) => {
    const { q, status, country, where, page } = visit.query;
    const search = { q, page, ...(status ? { status } : {}), ...(country ? { country } : {}) };
    const [found, ours, theirs] = await Promise.all([
      listEveryHoster(house.store, search, where),
      listCountries(house.store),
      listRemoteCountries(house.store),
    ]);
    const countries = [...new Set([...ours, ...(where === 'everywhere' ? theirs : [])])];
    const countryOptions = countries
      .map((value) => ({ value, label: regionName(visit.language, value) }))
      .sort((a, b) => a.label.localeCompare(b.label, visit.language));
    const model = {
      search: visit.query,
      isSearch: q !== '' || status !== '' || country !== '',
      count: found.total,
      items: found.items.map((one) => ('home' in one ? presentRemoteCard(one) : presentCard(one))),
      statusOptions,
      countryOptions,
      whereOptions: found.knowsOthers ? presentPlaces(found.places, visit.t) : null,
      paging: paged('/collectives', { q, status, country, where: where === 'here' ? where : '' }, found),
    };
    await visit.page('collectives/list', model, {
      title: visit.t('collectives.list.title'),
      nav: 'collectives',
      description: visit.t('collectives.list.lead'),
    });
  });

  routes.get('/@:name', { access: 'public', params: nameParams }, async (visit) => {
    const { ctx, language } = visit;
    const collective = await findPublicly(ctx, visit.params.name);
    if (!collective) return visit.pass();
    if (visit.params.name !== collective.handle) return visit.redirect(pagePath(collective));
    const [services, posts, postCount] = await Promise.all([
      listServicesOf(house.store, collective._id),
      listPublicPosts(house.store, collective._id, { limit: postsShown }),
      countPublicPosts(house.store, collective._id),
    ]);
    const servicePages = services.map((service) => house.site.baseUrl + servicePath(service));
    const model = {
      collective: presentCollective(collective, house.site, language),
      services: services.map((service) => ({
        href: servicePath(service),
        name: service.profile.name,
        description: service.profile.description,
        software: service.profile.software.name,
        registration: `catalogue.registration.${service.profile.registration}`,
        isFull: service.profile.load === 'FULL',
        // A service that works needs no word for it.
        state: service.profile.status === 'OK' ? null : presentServiceStatus(service.profile.status),
      })),
      posts: await presentPosts(house.store, collective, posts, language),
      morePosts: postCount > postsShown,
      movedTo: await findMovedTo(house.store, collective.handle),
      can: { edit: mayEditCollective(ctx.actor, collective) },
    };
    await visit.page('collectives/page', model, {
      title: nameIn(collective, language),
      nav: 'collectives',
      description: textIn(collective.profile.tagline, language),
      noIndex: !collective.published,
      alternates: alternatesOf(collective, nameIn(collective, language)),
      jsonLd: organizationJsonLd(organizationOf(collective, house.site, language, servicePages)),
    });
  });
}

function alternatesOf(collective: Collective, name: string) {
  const path = pagePath(collective);
  if (!collective.published) return [];
  return [
    { type: 'application/activity+json', href: `/actors/${collective.handle}` },
    { type: 'application/json', href: `${path}/librehost.json`, title: 'librehost.json' },
    { type: 'application/atom+xml', href: `${path}/posts.atom`, title: name },
  ];
}
