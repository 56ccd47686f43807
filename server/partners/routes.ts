// The page on which a hoster sees who follows it from the Fediverse, and decides about those who ask; the pages on which it
// follows others are in routes/.
import { fediverseName } from '../collectives/present.js';
import { enterCollective } from '../collectives/queries.js';
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { acceptFollow, rejectFollow, removeFollower } from './actions.js';
import { presentFollowers } from './present.js';
import { pageFollows } from './queries.js';
import { blockPages } from './routes/blockPages.js';
import { partnerPages } from './routes/partnerPages.js';
import { picturePages } from './routes/picturePages.js';
import { actorIri } from './rules.js';
import { followersParams, followersQuery, followParams } from './schema.js';

const perPage = 50;

export function partnerRoutes(house: House): Routes {
  const routes = new Routes(house);
  const path = '/my/collectives/:id/followers';

  routes.get(path, { access: 'signedIn', params: followersParams, query: followersQuery }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const followed = actorIri(house.site, collective.handle);
    const [requests, followers] = await Promise.all([
      pageFollows(house.store, followed, 'requested', { page: 1, perPage }),
      pageFollows(house.store, followed, 'accepted', { page: visit.query.page, perPage }),
    ]);
    const words = { fediverseName: fediverseName(collective, house.site), language: visit.language };
    const model = presentFollowers(visit.ctx.actor, collective, { requests, followers }, words);
    await visit.page('partners/followers', model, { title: visit.t('partners.followers.title'), nav: 'mine' });
  });

  const deeds = { accept: acceptFollow, reject: rejectFollow, remove: removeFollower } as const;
  for (const [verb, deed] of Object.entries(deeds)) {
    routes.post(`${path}/:follow/${verb}`, { access: 'signedIn', params: followParams }, async (visit) => {
      const { id, follow } = visit.params;
      await enterCollective(visit.ctx, id);
      await deed(visit.ctx, id, follow);
      visit.redirect(`/my/collectives/${id}/followers`, { key: `partners.${verb}.done` });
    });
  }
  partnerPages(routes);
  blockPages(routes);
  picturePages(routes);
  return routes;
}
