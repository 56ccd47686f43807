// Who is of a hoster and may do what for it.
import type { FormState } from '../../http/form.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { invitePerson, revokeInvitation } from '../../people/actions/invitations.js';
import { listOpenInvitations, listPeopleById } from '../../people/queries.js';
import { changeRole, removeMember } from '../actions.js';
import { editPath, presentEditFrame, roleOptions } from '../present.js';
import { enterCollective } from '../queries.js';
import { checkMayManageCollective, checkNotInBin, isLastRepresentative, notFound } from '../rules.js';
import { changeRoleShape, idParams, invitationParams, invitationShape, memberParams } from '../schema.js';
import { pageOptions } from './editPages.js';

export function memberPages(routes: Routes): void {
  const { house } = routes;
  const path = '/my/collectives/:id/members';

  routes.get(path, { access: 'signedIn', params: idParams }, (visit) => show(visit, { values: {}, errors: [] }));
  routes.post(
    `${path}/invite`,
    { access: 'signedIn', params: idParams, body: invitationShape, retry: show },
    async (visit) => {
      const collective = await enterCollective(visit.ctx, visit.params.id);
      checkMayManageCollective(visit.ctx.actor, collective);
      checkNotInBin(collective);
      const { email, role } = visit.body;
      const place = { id: collective._id, role };
      await invitePerson(visit.ctx, { email, language: visit.language, instanceRole: null, collective: place });
      const done = { key: 'collectives.members.invited', params: { email } };
      visit.redirect(`${editPath(collective)}/members`, done);
    },
  );
  routes.post(
    `${path}/invitations/:invitation/revoke`,
    { access: 'signedIn', params: invitationParams },
    async (visit) => {
      const collective = await enterCollective(visit.ctx, visit.params.id);
      checkMayManageCollective(visit.ctx.actor, collective);
      const open = await listOpenInvitations(house.store, visit.ctx.now, collective._id);
      if (!open.some((one) => one._id === visit.params.invitation)) throw notFound();
      await revokeInvitation(visit.ctx, visit.params.invitation);
      visit.redirect(`${editPath(collective)}/members`, { key: 'collectives.members.revoked' });
    },
  );
  routes.post(
    `${path}/:person/role`,
    { access: 'signedIn', params: memberParams, body: changeRoleShape, retry: show },
    async (visit) => {
      const { id, person } = visit.params;
      const collective = await changeRole(visit.ctx, id, { personId: person, role: visit.body.role });
      visit.redirect(`${editPath(collective)}/members`, { key: 'collectives.members.roleChanged' });
    },
  );
  routes.post(`${path}/:person/remove`, { access: 'signedIn', params: memberParams, retry: show }, async (visit) => {
    const { id, person } = visit.params;
    const collective = await removeMember(visit.ctx, id, person);
    const isSelf = personOf(visit.ctx).personId === person;
    visit.redirect(isSelf ? '/my/collectives' : `${editPath(collective)}/members`, {
      key: isSelf ? 'collectives.members.left' : 'collectives.members.removed',
    });
  });

  async function show(visit: Visit<{ id: string }, unknown, unknown>, form: FormState): Promise<void> {
    const { ctx } = visit;
    const collective = await enterCollective(ctx, visit.params.id);
    const me = personOf(ctx).personId;
    const frame = presentEditFrame(ctx.actor, collective, 'members', visit.language);
    const [people, invitations] = await Promise.all([
      listPeopleById(
        house.store,
        collective.members.map((member) => member.personId),
      ),
      frame.can.manage ? listOpenInvitations(house.store, ctx.now, collective._id) : [],
    ]);
    const names = new Map(people.map((person) => [person._id, person.displayName || person.username]));
    const members = collective.members.map((member) => {
      const isOnlyOne = isLastRepresentative(collective.members, member.personId);
      const base = `${frame.base}/members/${member.personId}`;
      return {
        name: names.get(member.personId) || visit.t('collectives.members.unknown'),
        isMe: member.personId === me,
        roleKey: `collectives.role.${member.role}`,
        otherRole: member.role === 'member' ? 'representative' : 'member',
        since: member.since,
        isOnlyOne,
        roleAction: frame.can.manage && !isOnlyOne && !frame.inBin ? `${base}/role` : null,
        removeAction: (frame.can.manage || member.personId === me) && !isOnlyOne ? `${base}/remove` : null,
      };
    });
    const model = {
      frame,
      form,
      members,
      invitations: invitations.map((one) => ({
        email: one.email,
        roleKey: `collectives.role.${one.collective?.role ?? 'member'}`,
        expiresAt: one.expiresAt,
        revokeAction: `${frame.base}/members/invitations/${one._id}/revoke`,
      })),
      roleOptions,
      mayInvite: frame.can.manage && !frame.inBin,
    };
    await visit.page('collectives/members', model, pageOptions(collective, visit.language));
  }
}
