// The administrator's desk for people: who is here, who is invited, roles, doors shut and opened. No password is set here.
import { listCollectivesById, listCollectivesOf } from '../../collectives/queries.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { changeInstanceRole, disablePerson, enablePerson } from '../actions/access.js';
import { invitePerson, revokeInvitation } from '../actions/invitations.js';
import { startReset } from '../actions/passwordChange.js';
import { presentInvitationLine, presentPeoplePage, presentPerson } from '../present.js';
import { getPerson, listOpenInvitations, listPeople } from '../queries.js';
import { idParams, instanceRoles, inviteShape, peopleQuery, roleShape } from '../schema.js';
import type { Door } from './door.js';

type ListVisit = Visit<unknown, unknown, unknown>;

const roleOptions = instanceRoles.map((value) => ({ value, key: `people.role.${value}` }));

export function adminRoutes(routes: Routes, door: Door): void {
  listPage(routes);
  personPage(routes, door);
}

function listPage(routes: Routes): void {
  const showList = async (visit: ListVisit, form?: FormState) => {
    const search = peopleQuery.safeParse(visit.query).data ?? {};
    const { store, now } = visit.ctx;
    const found = await listPeople(store, { q: search.q ?? '', page: search.page ?? 1 });
    const invitations = await listOpenInvitations(store, now);
    const collectives = await listCollectivesById(
      store,
      invitations.flatMap((one) => (one.collective ? [one.collective.id] : [])),
    );
    const model = {
      ...presentPeoplePage(found, search.q ?? ''),
      invitations: invitations.map((one) =>
        presentInvitationLine(one, collectives.find((each) => each._id === one.collective?.id)?.profile.name ?? null),
      ),
      roleOptions,
      values: form?.values ?? {},
      errors: form?.errors,
    };
    await visit.page('people/adminList', model, { title: visit.t('people.admin.title'), nav: 'admin' });
  };
  routes
    .get('/admin/people', { access: 'administrator', query: peopleQuery }, (visit) => showList(visit))
    .post('/admin/people/invite', { access: 'administrator', body: inviteShape, retry: showList }, async (visit) => {
      const { email, instanceRole } = visit.body;
      await invitePerson(visit.ctx, { email, instanceRole, collective: null, language: visit.language });
      visit.redirect('/admin/people', { key: 'people.admin.invited', params: { email } });
    })
    .post('/admin/invitations/:id/revoke', { access: 'administrator', params: idParams }, async (visit) => {
      await revokeInvitation(visit.ctx, visit.params.id);
      visit.redirect('/admin/people', { key: 'people.admin.revoked' });
    });
}

function personPage(routes: Routes, door: Door): void {
  const path = (id: string) => `/admin/people/${id}`;
  const showPerson = async (visit: Visit<{ id: string }, unknown, unknown>, form?: FormState) => {
    const person = await getPerson(visit.ctx.store, visit.params.id);
    const collectives = await listCollectivesOf(visit.ctx.store, person._id);
    const model = { ...presentPerson(person, collectives), roleOptions, errors: form?.errors };
    const title = person.displayName || visit.t('people.gone');
    await visit.page('people/adminPerson', model, { title, nav: 'admin' });
  };
  routes
    .get('/admin/people/:id', { access: 'administrator', params: idParams }, (visit) => showPerson(visit))
    .post(
      '/admin/people/:id/role',
      { access: 'administrator', params: idParams, body: roleShape, retry: showPerson },
      async (visit) => {
        await changeInstanceRole(visit.ctx, visit.params.id, visit.body.instanceRole);
        visit.redirect(path(visit.params.id), { key: 'people.admin.roleDone' });
      },
    )
    .post(
      '/admin/people/:id/disable',
      { access: 'administrator', params: idParams, retry: showPerson },
      async (visit) => {
        await disablePerson(visit.ctx, visit.params.id);
        visit.redirect(path(visit.params.id), { key: 'people.admin.disabledDone' });
      },
    )
    .post(
      '/admin/people/:id/enable',
      { access: 'administrator', params: idParams, retry: showPerson },
      async (visit) => {
        await enablePerson(visit.ctx, visit.params.id);
        visit.redirect(path(visit.params.id), { key: 'people.admin.enabledDone' });
      },
    )
    .post(
      '/admin/people/:id/reset',
      { access: 'administrator', params: idParams, retry: showPerson },
      async (visit) => {
        const { email } = await getPerson(visit.ctx.store, visit.params.id);
        if (!(await door.mayMail(email))) {
          throw new DomainError('too-many', 'people.error.tooManyMails', { retryAfter: 3600 });
        }
        await startReset(visit.ctx, visit.params.id);
        visit.redirect(path(visit.params.id), { key: 'people.admin.resetDone' });
      },
    );
}
