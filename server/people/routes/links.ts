// Pages that a link in a mail opens: set-up, invitation, new password, new address. Opening one changes nothing (mail
// scanners open links); their address is a secret, so nothing they lead to learns it.
import { findCollective } from '../../collectives/queries.js';
import { type Context, type Language, languages } from '../../context.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { readSettings } from '../../instances/settings.js';
import { checkEmailChange, confirmEmailChange } from '../actions/emailChange.js';
import { acceptInvitation, checkInvitation, joinByInvitation } from '../actions/invitations.js';
import { checkReset, resetPassword } from '../actions/passwordChange.js';
import { checkSetup, completeSetup } from '../actions/setup.js';
import { presentInvitation } from '../present.js';
import { findPersonByEmail, getPerson } from '../queries.js';
import { accountShape, resetShape, setupShape, tokenParams } from '../schema.js';
import type { Door } from './door.js';

type TokenVisit = Visit<{ token: string }, unknown, unknown>;

export function linkRoutes(routes: Routes, door: Door): void {
  setupPages(routes, door);
  invitationPages(routes, door);
  resetPages(routes, door);
  emailChangePages(routes, door);
}

/** No address of such a page reaches another site, and no search engine keeps it. */
function show(visit: TokenVisit, view: string, model: object, title: string): Promise<void> {
  visit.res.set('Referrer-Policy', 'no-referrer');
  const options = { title: visit.t(title), withForm: true, noIndex: true };
  return visit.page(view, { ...model, action: visit.req.path }, options);
}

const idOf = {
  setup: (door: Door, visit: TokenVisit) => door.idOf('setup', visit.params.token, 'people.setup.spent'),
  invitation: (door: Door, visit: TokenVisit) =>
    door.idOf('invitation', visit.params.token, 'people.invitation.expired'),
  reset: (door: Door, visit: TokenVisit) => door.idOf('reset', visit.params.token, 'people.reset.spent'),
  emailChange: (door: Door, visit: TokenVisit) =>
    door.idOf('email-change', visit.params.token, 'people.emailChange.spent'),
};

function setupPages(routes: Routes, door: Door): void {
  const { house } = routes;
  const showSetup = async (visit: TokenVisit, form?: FormState) => {
    await checkSetup(visit.ctx, idOf.setup(door, visit));
    const { name } = await readSettings(house.store);
    const values = form?.values ?? { instanceName: name, language: visit.language };
    await show(
      visit,
      'people/setup',
      { values, errors: form?.errors, languages: languageOptions() },
      'people.setup.title',
    );
  };
  routes
    .get('/setup/:token', { access: 'public', params: tokenParams, cache: 'none' }, (visit) => showSetup(visit))
    .post(
      '/setup/:token',
      { access: 'public', params: tokenParams, body: setupShape, cache: 'none', retry: showSetup },
      async (visit) => {
        await door.countForm(visit.req, visit.res);
        const { person, collectiveId } = await completeSetup(visit.ctx, idOf.setup(door, visit), visit.body);
        await door.startSession(visit.req, visit.res, person);
        const next = collectiveId ? `/my/collectives/${collectiveId}` : '/my/collectives/new';
        visit.redirect(next, { key: 'people.setup.done' });
      },
    );
}

function languageOptions(): { value: Language; key: string }[] {
  return languages.map((value) => ({ value, key: `people.language.${value}` }));
}

function invitationPages(routes: Routes, door: Door): void {
  const showInvitation = async (visit: TokenVisit, form?: FormState) => {
    const invitation = await checkInvitation(visit.ctx, idOf.invitation(door, visit));
    const { store } = visit.ctx;
    const collective = invitation.collective ? await findCollective(store, invitation.collective.id) : null;
    const actor = visit.ctx.actor?.kind === 'person' ? await getPerson(store, visit.ctx.actor.personId) : null;
    const model = presentInvitation(invitation, {
      collective: collective?.profile.name ?? null,
      reader: actor,
      hasAccount: (await findPersonByEmail(store, invitation.email)) !== null,
    });
    const values = form?.values ?? {};
    await show(
      visit,
      'people/invitation',
      { ...model, values, errors: form?.errors, here: visit.req.path },
      'people.invitation.title',
    );
  };
  routes
    .get('/invitations/:token', { access: 'public', params: tokenParams, cache: 'none' }, (visit) =>
      showInvitation(visit),
    )
    .post(
      '/invitations/:token',
      { access: 'public', params: tokenParams, body: accountShape, cache: 'none', retry: showInvitation },
      async (visit) => {
        await door.countForm(visit.req, visit.res);
        checkNobodyIsIn(visit.ctx);
        const person = await acceptInvitation(visit.ctx, idOf.invitation(door, visit), visit.body);
        await door.startSession(visit.req, visit.res, person);
        visit.redirect('/me', { key: 'people.invitation.done' });
      },
    )
    .post('/invitations/:token/join', { access: 'signedIn', params: tokenParams }, async (visit) => {
      const { actor } = visit.ctx;
      if (actor?.kind !== 'person') return;
      await joinByInvitation(visit.ctx, idOf.invitation(door, visit), actor.personId);
      visit.redirect('/me', { key: 'people.invitation.joined' });
    });
}

/** An account for somebody else is not made from within a session. */
function checkNobodyIsIn(ctx: Context): void {
  if (ctx.actor) throw new DomainError('not-allowed', 'people.invitation.signOutFirst');
}

function resetPages(routes: Routes, door: Door): void {
  const showReset = async (visit: TokenVisit, form?: FormState) => {
    await checkReset(visit.ctx, idOf.reset(door, visit));
    await show(visit, 'people/reset', { errors: form?.errors }, 'people.reset.title');
  };
  routes
    .get('/reset/:token', { access: 'public', params: tokenParams, cache: 'none' }, (visit) => showReset(visit))
    .post(
      '/reset/:token',
      { access: 'public', params: tokenParams, body: resetShape, cache: 'none', retry: showReset },
      async (visit) => {
        await door.countForm(visit.req, visit.res);
        await resetPassword(visit.ctx, idOf.reset(door, visit), visit.body.password);
        visit.redirect('/sign-in', { key: 'people.reset.done' });
      },
    );
}

function emailChangePages(routes: Routes, door: Door): void {
  routes
    .get('/email-changes/:token', { access: 'public', params: tokenParams, cache: 'none' }, async (visit) => {
      const { change } = await checkEmailChange(visit.ctx, idOf.emailChange(door, visit));
      await show(visit, 'people/emailChange', { email: change.email }, 'people.emailChange.title');
    })
    .post('/email-changes/:token', { access: 'public', params: tokenParams, cache: 'none' }, async (visit) => {
      await door.countForm(visit.req, visit.res);
      await confirmEmailChange(visit.ctx, idOf.emailChange(door, visit));
      visit.redirect(visit.ctx.actor ? '/me/security' : '/sign-in', { key: 'people.emailChange.done' });
    });
}
