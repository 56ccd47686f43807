// The pages of the lists into which followed actors are sorted: who is in one, another name for it, its end.
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes } from '../../http/routes.js';
import { deleteList, renameList, sortFollowing } from '../actions/lists.js';
import { listHref, partnersPath, presentFollowings } from '../present.js';
import { getParty, listFollowings, listNames } from '../queries.js';
import { followingParams, listQuery, listsShape, partyParams, renameShape } from '../schema.js';
import { type AnyVisit, refOf, show, showFollowing } from './frame.js';

export function listPages(routes: Routes, path: string): void {
  const sort = { access: 'signedIn', params: followingParams, body: listsShape } as const;
  routes.post(
    `${path}/following/:following/list`,
    { ...sort, retry: (visit, form) => showFollowing(visit, { ...form, id: visit.params.following }) },
    async (visit) => {
      await sortFollowing(visit.ctx, refOf(visit), visit.params.following, visit.body.lists);
      visit.redirect(`${partnersPath(refOf(visit))}/following`, { key: 'partners.list.done' });
    },
  );

  routes.get(`${path}/list`, { access: 'signedIn', params: partyParams, query: listQuery }, (visit) =>
    showList(visit, visit.query.name),
  );

  const rename = { access: 'signedIn', params: partyParams, body: renameShape } as const;
  routes.post(
    `${path}/list/rename`,
    { ...rename, retry: (visit, form) => showList(visit, String(form.values.name ?? ''), form) },
    async (visit) => {
      const { name, to } = visit.body;
      await renameList(visit.ctx, refOf(visit), name, to);
      visit.redirect(listHref(partnersPath(refOf(visit)), to), { key: 'partners.list.renamed' });
    },
  );

  routes.post(`${path}/list/delete`, { access: 'signedIn', params: partyParams, body: listQuery }, async (visit) => {
    await deleteList(visit.ctx, refOf(visit), visit.body.name);
    visit.redirect(`${partnersPath(refOf(visit))}/following`, { key: 'partners.list.deleted' });
  });
}

async function showList(visit: AnyVisit, name: string, form?: FormState): Promise<void> {
  const party = await getParty(visit.ctx, refOf(visit));
  const base = partnersPath(party.ref);
  const names = await listNames(visit.ctx.store, party.iri);
  if (!names.includes(name)) throw new DomainError('not-found', 'error.notFound');
  const [waiting, followed] = await Promise.all([
    listFollowings(visit.ctx.store, party.iri, 'pending'),
    listFollowings(visit.ctx.store, party.iri, 'accepted'),
  ]);
  const members = [...waiting, ...followed].filter(({ following }) => following.lists.includes(name));
  await show(visit, party, 'following', 'list', {
    name,
    newName: form?.values.to ?? name,
    errors: form?.errors,
    feedHref: `${base}?list=${encodeURIComponent(name)}`,
    members: presentFollowings(base, members, names),
  });
}
