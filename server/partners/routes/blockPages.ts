// The pages on which a collective, or a person with a public profile, keeps accounts and domains elsewhere away. What a block
// does is said before it is done.
import { paged } from '../../collectives/present.js';
import type { FormState } from '../../http/form.js';
import type { Routes } from '../../http/routes.js';
import { readDomain } from '../../instances/rules.js';
import { block, unblock } from '../actions/blocking.js';
import { pageBlocks } from '../blockQueries.js';
import { partnersPath, presentBlocks, presentBlockWish } from '../present.js';
import { findRemoteActor, getParty, mapActors } from '../queries.js';
import { blockParams, blockQuery, blockShape, followersQuery, partyParams } from '../schema.js';
import { type AnyVisit, refOf, show } from './frame.js';

const perPage = 50;

export function blockPages(routes: Routes): void {
  for (const path of ['/my/collectives/:id/partners', '/me/partners']) {
    const listed = { access: 'signedIn', params: partyParams, query: followersQuery } as const;
    routes.get(`${path}/blocked`, listed, async (visit) => {
      const party = await getParty(visit.ctx, refOf(visit));
      const found = await pageBlocks(visit.ctx.store, party.iri, { page: visit.query.page, perPage });
      const actors = await mapActors(
        visit.ctx.store,
        found.items.map(({ target }) => target),
      );
      const base = partnersPath(party.ref);
      const blocks = presentBlocks(base, found.items, actors);
      await show(visit, party, 'blocked', 'blocked', {
        blocks,
        total: found.total,
        paging: paged(`${base}/blocked`, {}, found),
      });
    });

    routes.get(`${path}/block`, { access: 'signedIn', params: partyParams, query: blockQuery }, (visit) =>
      ask(visit, { values: visit.query, errors: [] }),
    );
    routes.post(
      `${path}/block`,
      { access: 'signedIn', params: partyParams, body: blockShape, retry: ask },
      async (visit) => {
        const { actor, kind, note } = visit.body;
        const ref = refOf(visit);
        // From the page about an account the domain is that of the account.
        const domain = visit.body.domain || actor;
        const isActor = kind === 'actor' || kind === 'muteActor';
        await block(visit.ctx, ref, isActor ? { kind, actor } : { kind, domain }, note);
        visit.redirect(`${partnersPath(ref)}/blocked`, { key: `partners.block.${kind}.done` });
      },
    );

    routes.post(`${path}/blocked/:block/undo`, { access: 'signedIn', params: blockParams }, async (visit) => {
      const ref = refOf(visit);
      await unblock(visit.ctx, ref, visit.params.block);
      visit.redirect(`${partnersPath(ref)}/blocked`, { key: 'partners.unblock.done' });
    });
  }
}

/** What would happen, and the choice between an account and all of its domain. */
async function ask(visit: AnyVisit, form: FormState): Promise<void> {
  const party = await getParty(visit.ctx, refOf(visit));
  const { actor: iri, domain } = form.values;
  const actor = typeof iri === 'string' && iri !== '' ? await findRemoteActor(visit.ctx.store, iri) : null;
  const asked = actor ? actor._id : typeof domain === 'string' ? domain : '';
  const wish = presentBlockWish(partnersPath(party.ref), actor, readDomain(asked), asked);
  const values = { kind: actor ? 'actor' : 'domain', ...form.values };
  await show(visit, party, 'blocked', 'block', { ...wish, form: { ...form, values } });
}
