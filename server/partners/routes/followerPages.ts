// The page on which a hoster, or a person with a public profile, sees who follows from the Fediverse, and decides about those
// who ask.
import { presentEditFrame } from '../../collectives/present.js';
import type { Routes } from '../../http/routes.js';
import { acceptFollow, rejectFollow, removeFollower } from '../actions.js';
import { followersPath, presentFollowers } from '../present.js';
import { getParty, pageFollows } from '../queries.js';
import { followersQuery, followParams, partyParams } from '../schema.js';
import { refOf, show } from './frame.js';

const perPage = 50;

export function followerPages(routes: Routes): void {
  for (const path of ['/my/collectives/:id/followers', '/me/partners/followers']) {
    const listed = { access: 'signedIn', params: partyParams, query: followersQuery } as const;
    routes.get(path, listed, async (visit) => {
      const { actor, store, site } = visit.ctx;
      const party = await getParty(visit.ctx, refOf(visit));
      const { collective } = party;
      const [requests, followers] = await Promise.all([
        pageFollows(store, party.iri, 'requested', { page: 1, perPage }),
        pageFollows(store, party.iri, 'accepted', { page: visit.query.page, perPage }),
      ]);
      const model = presentFollowers(actor, party, { requests, followers }, `@${party.handle}@${site.host}`);
      if (!collective) return show(visit, party, 'followers', 'followers', model);
      const frame = presentEditFrame(actor, collective, 'followers', visit.language);
      const title = visit.t('partners.followers.title');
      await visit.page('partners/followers', { frame, isPublic: true, ...model }, { title, nav: 'mine' });
    });

    const deeds = { accept: acceptFollow, reject: rejectFollow, remove: removeFollower } as const;
    for (const [verb, deed] of Object.entries(deeds)) {
      routes.post(`${path}/:follow/${verb}`, { access: 'signedIn', params: followParams }, async (visit) => {
        const ref = refOf(visit);
        await deed(visit.ctx, ref, visit.params.follow);
        visit.redirect(followersPath(ref), { key: `partners.${verb}.done` });
      });
    }
  }
}
