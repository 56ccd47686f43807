// The pages on which one of ours names its accounts elsewhere, and moves its followers to one of them.
import { checkMayManageCollective, mayManageCollective } from '../../collectives/rules.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import { withinLimit } from '../../http/limits.js';
import { personOf, type Routes } from '../../http/routes.js';
import { addAlias, moveAway, removeAlias, undoMove } from '../actions/moves.js';
import { partnersPath, presentActor } from '../present.js';
import { countFollows, findMove, getParty, type Party } from '../queries.js';
import { checkMayLeave } from '../rules.js';
import { addressShape, aliasShape, confirmMoveShape, partyParams, type RemoteActor, targetShape } from '../schema.js';
import { type AnyVisit, lookUps, refOf, show } from './frame.js';

const noForm: FormState = { values: {}, errors: [] };

export function movePages(routes: Routes, path: string): void {
  const page = `${path}/moves`;
  routes.get(page, { access: 'signedIn', params: partyParams }, (visit) => showMoves(visit, noForm));

  const address = { access: 'signedIn', params: partyParams, body: addressShape } as const;
  routes.post(`${page}/aliases`, { ...address, retry: showMoves }, async (visit) => {
    const { ref } = await enter(visit);
    await addAlias(visit.ctx, ref, await lookUp(visit, visit.body.address, 'address'));
    visit.redirect(`${partnersPath(ref)}/moves`, { key: 'partners.moves.aliasAdded' });
  });
  const alias = { access: 'signedIn', params: partyParams, body: aliasShape } as const;
  routes.post(`${page}/aliases/remove`, alias, async (visit) => {
    const ref = refOf(visit);
    await removeAlias(visit.ctx, ref, visit.body.iri);
    visit.redirect(`${partnersPath(ref)}/moves`, { key: 'partners.moves.aliasRemoved' });
  });

  // Looks, and shows what would happen; the deed is the next form.
  const target = { access: 'signedIn', params: partyParams, body: targetShape } as const;
  routes.post(`${page}/confirm`, { ...target, retry: showMoves }, (visit) =>
    showConfirm(visit, visit.body.target, { values: {}, errors: [] }),
  );
  const confirm = { access: 'signedIn', params: partyParams, body: confirmMoveShape } as const;
  const again = (visit: AnyVisit, form: FormState) =>
    form.errors.every(({ field }) => field === 'handle')
      ? showConfirm(visit, String(form.values.target), form)
      : showMoves(visit, form);
  routes.post(`${page}/go`, { ...confirm, retry: again }, async (visit) => {
    const party = await enter(visit);
    if (visit.body.handle.replace(/^@/, '').toLowerCase() !== party.handle) {
      throw new DomainError('invalid', 'partners.moves.error.handle', { field: 'handle' });
    }
    await moveAway(visit.ctx, party.ref, await lookUp(visit, visit.body.target, 'target'));
    visit.redirect(`${partnersPath(party.ref)}/moves`, { key: 'partners.moves.done' });
  });
  routes.post(`${page}/undo`, { access: 'signedIn', params: partyParams }, async (visit) => {
    const ref = refOf(visit);
    await undoMove(visit.ctx, ref);
    visit.redirect(`${partnersPath(ref)}/moves`, { key: 'partners.moves.undone' });
  });
}

/** What a move would do, and the name to be typed. Refuses: as the move itself. */
async function showConfirm(visit: AnyVisit, target: string, form: FormState): Promise<void> {
  const party = await enter(visit);
  const found = await lookUp(visit, target, 'target');
  const move = await findMove(visit.ctx.store, party.handle);
  checkMayLeave(move ?? { movedTo: null, movedAt: null }, party.iri, found, visit.ctx.now);
  await show(visit, party, 'moves', 'moveConfirm', {
    found: presentActor(found._id, found),
    target,
    typed: form.values.handle ?? '',
    errors: form.errors,
    handle: party.handle,
    count: await countFollows(visit.ctx.store, party.iri, 'accepted'),
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
    target: form.values.target,
    errors: form.errors,
  });
}

/** Refuses: not-found to strangers, not-allowed to plain members. */
async function enter(visit: AnyVisit): Promise<Party> {
  const party = await getParty(visit.ctx, refOf(visit));
  if (party.collective) checkMayManageCollective(visit.ctx.actor, party.collective);
  return party;
}

/** As its own server says now. Refuses: too-many, invalid (about the field). */
async function lookUp(visit: AnyVisit, typed: string, field: string): Promise<RemoteActor> {
  if (!(await withinLimit(visit.house, lookUps, personOf(visit.ctx).personId))) {
    throw new DomainError('too-many', 'partners.error.tooManyLookUps', { retryAfter: 3600 });
  }
  const found = await visit.house.lookUpActor(typed);
  if (found.outcome === 'found') return found.actor;
  const key = found.outcome === 'local' ? 'partners.moves.error.local' : `partners.find.${found.reason}`;
  throw new DomainError('invalid', key, { field });
}
