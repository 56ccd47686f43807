// The pages on which one of ours names its accounts elsewhere, and moves its followers to one of them.
import { mayManageCollective } from '../../collectives/rules.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import { withinLimit } from '../../http/limits.js';
import { personOf, type Routes } from '../../http/routes.js';
import { addAlias, moveAway, removeAlias, undoMove } from '../actions/moves.js';
import { partnersPath, presentActor } from '../present.js';
import { countFollows, findMove, getParty } from '../queries.js';
import { checkMayLeave } from '../rules.js';
import { addressShape, aliasShape, confirmMoveShape, partyParams, type RemoteActor } from '../schema.js';
import { type AnyVisit, lookUps, refOf, show } from './frame.js';

const noForm: FormState = { values: {}, errors: [] };

export function movePages(routes: Routes, path: string): void {
  const page = `${path}/moves`;
  routes.get(page, { access: 'signedIn', params: partyParams }, (visit) => showMoves(visit, noForm));

  const address = { access: 'signedIn', params: partyParams, body: addressShape } as const;
  routes.post(`${page}/aliases`, { ...address, retry: showMoves }, async (visit) => {
    const ref = refOf(visit);
    await addAlias(visit.ctx, ref, await lookUp(visit, visit.body.address));
    visit.redirect(`${partnersPath(ref)}/moves`, { key: 'partners.moves.aliasAdded' });
  });
  const alias = { access: 'signedIn', params: partyParams, body: aliasShape } as const;
  routes.post(`${page}/aliases/remove`, alias, async (visit) => {
    const ref = refOf(visit);
    await removeAlias(visit.ctx, ref, visit.body.iri);
    visit.redirect(`${partnersPath(ref)}/moves`, { key: 'partners.moves.aliasRemoved' });
  });

  // Looks, and shows what would happen; the deed is the next form.
  routes.post(`${page}/confirm`, { ...address, retry: showMoves }, async (visit) => {
    const ref = refOf(visit);
    const party = await getParty(visit.ctx, ref);
    const target = await lookUp(visit, visit.body.address);
    const move = await findMove(visit.ctx.store, party.handle);
    checkMayLeave(move ?? { movedTo: null, movedAt: null }, party.iri, target, visit.ctx.now);
    await show(visit, party, 'moves', 'moveConfirm', {
      target: presentActor(target._id, target),
      address: visit.body.address,
      handle: party.handle,
      count: await countFollows(visit.ctx.store, party.iri, 'accepted'),
    });
  });
  const confirm = { access: 'signedIn', params: partyParams, body: confirmMoveShape } as const;
  routes.post(`${page}/go`, { ...confirm, retry: showMoves }, async (visit) => {
    const ref = refOf(visit);
    const party = await getParty(visit.ctx, ref);
    if (visit.body.handle.replace(/^@/, '').toLowerCase() !== party.handle) {
      throw new DomainError('invalid', 'partners.moves.error.handle', { field: 'address' });
    }
    await moveAway(visit.ctx, ref, await lookUp(visit, visit.body.address));
    visit.redirect(`${partnersPath(ref)}/moves`, { key: 'partners.moves.done' });
  });
  routes.post(`${page}/undo`, { access: 'signedIn', params: partyParams }, async (visit) => {
    const ref = refOf(visit);
    await undoMove(visit.ctx, ref);
    visit.redirect(`${partnersPath(ref)}/moves`, { key: 'partners.moves.undone' });
  });
}

async function showMoves(visit: AnyVisit, form: FormState): Promise<void> {
  const party = await getParty(visit.ctx, refOf(visit));
  const move = await findMove(visit.ctx.store, party.handle);
  await show(visit, party, 'moves', 'moves', {
    aliases: (move?.aliases ?? []).map(({ iri, handle }) => ({ iri, handle: `@${handle}` })),
    movedTo: move?.movedTo ? `@${move.movedTo.handle}` : null,
    may: party.collective === null || mayManageCollective(visit.ctx.actor, party.collective),
    ownName: `@${party.handle}@${visit.house.site.host}`,
    address: form.values.address,
    errors: form.errors,
  });
}

/** As its own server says now. Refuses: not-found to who may not ask for this party, not-allowed, too-many, invalid. */
async function lookUp(visit: AnyVisit, typed: string): Promise<RemoteActor> {
  const party = await getParty(visit.ctx, refOf(visit));
  if (party.collective && !mayManageCollective(visit.ctx.actor, party.collective)) {
    throw new DomainError('not-allowed', 'collectives.error.representativesOnly');
  }
  if (!(await withinLimit(visit.house, lookUps, personOf(visit.ctx).personId))) {
    throw new DomainError('too-many', 'partners.error.tooManyLookUps', { retryAfter: 3600 });
  }
  const found = await visit.house.lookUpActor(typed);
  if (found.outcome === 'found') return found.actor;
  const key = found.outcome === 'local' ? 'partners.moves.error.local' : `partners.find.${found.reason}`;
  throw new DomainError('invalid', key, { field: 'address' });
}
