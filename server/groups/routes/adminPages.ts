// Where an administrator switches the announcements group on, names it, closes it, deletes it.
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { mapActors } from '../../partners/queries.js';
import { actorIri } from '../../partners/rules.js';
import { textIn } from '../../shapes.js';
import {
  changeAnnouncements,
  closeAnnouncements,
  deleteAnnouncements,
  openAnnouncements,
  reopenAnnouncements,
} from '../actions.js';
import { groupPath, nameOfModerator, presentModerators } from '../present.js';
import { findAnnouncements } from '../queries.js';
import { readLines } from '../rules.js';
import { deleteShape, type Group, groupShape } from '../schema.js';

type AnyVisit = Visit<unknown, unknown, unknown>;

const path = '/admin/announcements';
const nav = 'admin';
const maxModerators = 20;

export function adminPages(routes: Routes): void {
  const access = 'administrator';
  routes
    .get(path, { access }, async (visit) => show(visit, await freshForm(visit)))
    .post(path, { access, body: groupShape, retry: show }, async (visit) => {
      const group = await findAnnouncements(visit.ctx.store);
      const moderators = await lookUpAll(visit, group, readLines(visit.body.moderators));
      const input = { ...visit.body, moderators };
      if (group) await changeAnnouncements(visit.ctx, input);
      else await openAnnouncements(visit.ctx, input);
      visit.redirect(path, { key: group ? 'groups.admin.saved' : 'groups.admin.opened' });
    })
    .post(`${path}/close`, { access }, async (visit) => {
      await closeAnnouncements(visit.ctx);
      visit.redirect(path, { key: 'groups.admin.closed' });
    })
    .post(`${path}/reopen`, { access }, async (visit) => {
      await reopenAnnouncements(visit.ctx);
      visit.redirect(path, { key: 'groups.admin.reopened' });
    })
    .post(`${path}/delete`, { access, body: deleteShape, retry: showDeletion }, async (visit) => {
      await deleteAnnouncements(visit.ctx, visit.body.handle);
      visit.redirect(path, { key: 'groups.admin.deleted' });
    });
}

/** Names that are there already stay; the others are looked up, before anything is written. Refuses: invalid. */
async function lookUpAll(visit: AnyVisit, group: Group | null, lines: readonly string[]): Promise<string[]> {
  if (lines.length > maxModerators)
    throw new DomainError('invalid', 'groups.error.tooManyModerators', { field: 'moderators' });
  const before = group?.moderators ?? [];
  const actors = await mapActors(visit.ctx.store, before);
  const known = new Map(before.map((iri) => [nameOfModerator(iri, actors), iri]));
  const found: string[] = [];
  for (const line of lines) {
    const iri = known.get(line) ?? (await lookUp(visit, line));
    if (iri === null) {
      const message = { key: 'groups.error.moderator', params: { address: line.slice(0, 100) } };
      throw new DomainError('invalid', message, { field: 'moderators' });
    }
    found.push(iri);
  }
  return [...new Set(found)];
}

async function lookUp({ ctx, house }: AnyVisit, address: string): Promise<string | null> {
  const found = await house.lookUpActor(address);
  if (found.outcome === 'found') return found.actor._id;
  return found.outcome === 'local' ? actorIri(ctx.site, found.handle) : null;
}

async function freshForm(visit: AnyVisit): Promise<FormState> {
  const group = await findAnnouncements(visit.ctx.store);
  if (!group) {
    const [fr, en] = ['Annonces', 'Announcements'];
    const values = { handle: 'annonces', name: { fr, en }, hostersModerate: true, postingRestrictedToMods: true };
    return { values, errors: [] };
  }
  const actors = await mapActors(visit.ctx.store, group.moderators);
  return { values: { ...group, moderators: presentModerators(group, actors) }, errors: [] };
}

/** What was typed to confirm a deletion stands beside the form as it is stored. */
async function showDeletion(visit: AnyVisit, form: FormState): Promise<void> {
  const { values } = await freshForm(visit);
  await render(visit, { values, errors: [] }, form.errors);
}

async function show(visit: AnyVisit, form: FormState): Promise<void> {
  await render(visit, form, []);
}

async function render(visit: AnyVisit, form: FormState, deletionErrors: FormState['errors']): Promise<void> {
  const group = await findAnnouncements(visit.ctx.store);
  const labels = {
    handle: 'groups.field.handle',
    'name.fr': 'groups.field.name',
    'name.en': 'groups.field.name',
    'summary.fr': 'groups.field.summary',
    'summary.en': 'groups.field.summary',
    moderators: 'groups.field.moderators',
  };
  const model = {
    form,
    deletionErrors,
    labels,
    path,
    host: visit.ctx.site.host,
    version: group?.version ?? 0,
    group: group && {
      href: groupPath(group),
      name: textIn(group.name, visit.language),
      fediverseName: `@${group.handle}@${visit.ctx.site.host}`,
      isClosed: group.closedAt !== null,
    },
    crumbs: [{ href: '/admin/settings', key: 'instances.nav.settings' }],
  };
  await visit.page('groups/admin', model, { title: visit.t('groups.admin.title'), nav });
}
