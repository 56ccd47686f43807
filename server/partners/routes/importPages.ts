// The page on which a list of accounts from another server is looked at, set to work and watched.
import type { FormState } from '../../http/form.js';
import type { Routes } from '../../http/routes.js';
import { beginFollowImport, dropFollowImport, startFollowImport } from '../actions/importing.js';
import { findImport } from '../importQueries.js';
import { partnersPath, presentImport } from '../present.js';
import { getParty } from '../queries.js';
import { partyParams } from '../schema.js';
import { type AnyVisit, refOf, show } from './frame.js';

const maxBytes = 300_000;

export function importPages(routes: Routes, path: string): void {
  const own = { access: 'signedIn', params: partyParams } as const;
  const here = (visit: AnyVisit): string => `${partnersPath(refOf(visit))}/following/import`;

  routes.get(`${path}/following/import`, own, (visit) => showImport(visit, { values: {}, errors: [] }));

  const upload = { ...own, file: { field: 'list', maxBytes }, retry: showImport } as const;
  routes.post(`${path}/following/import`, upload, async (visit) => {
    await beginFollowImport(visit.ctx, refOf(visit), visit.file?.bytes.toString('utf8') ?? '');
    visit.redirect(here(visit));
  });

  routes.post(`${path}/following/import/start`, own, async (visit) => {
    await startFollowImport(visit.ctx, refOf(visit));
    visit.redirect(here(visit), { key: 'partners.import.started' });
  });

  routes.post(`${path}/following/import/drop`, own, async (visit) => {
    await dropFollowImport(visit.ctx, refOf(visit));
    visit.redirect(here(visit), { key: 'partners.import.dropped' });
  });
}

async function showImport(visit: AnyVisit, form: FormState): Promise<void> {
  const party = await getParty(visit.ctx, refOf(visit));
  const known = await findImport(visit.ctx.store, party.iri);
  await show(visit, party, 'following', 'import', { form, list: known && presentImport(known) });
}
