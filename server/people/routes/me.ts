// One's own account: home, profile, security, sessions, preferences, data, the end.
import { listCollectivesOf } from '../../collectives/queries.js';
import { languages, type PersonActor } from '../../context.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { endSession, endSessions, listSessions, sessionKey } from '../../http/session.js';
import { deletePerson } from '../actions/deletion.js';
import { requestEmailChange } from '../actions/emailChange.js';
import { collectOwnData } from '../actions/ownData.js';
import { changePassword } from '../actions/passwordChange.js';
import { updatePreferences, updateProfile } from '../actions/profile.js';
import { checkProof } from '../actions/signIn.js';
import { presentHome, presentLeaving, presentSession, presentTabs } from '../present.js';
import { getPerson } from '../queries.js';
import { remains, waitsForNothing } from '../rules.js';
import {
  digestTimes,
  emailChangeShape,
  mailKinds,
  mailTimes,
  type Person,
  passwordShape,
  preferencesShape,
  profileShape,
  proofShape,
  sessionParams,
} from '../schema.js';
import type { Door } from './door.js';

type AnyVisit = Visit<unknown, unknown, unknown>;

/** The person behind the session, as stored now. */
async function me(visit: Pick<AnyVisit, 'ctx'>): Promise<Person> {
  return getPerson(visit.ctx.store, idOf(visit));
}

function idOf(visit: Pick<AnyVisit, 'ctx'>): PersonActor['personId'] {
  return personOf(visit.ctx).personId;
}

function show(visit: AnyVisit, page: string, model: object): Promise<void> {
  const tabs = presentTabs(visit.req.path);
  return visit.page(`people/${page}`, { ...model, tabs }, { title: visit.t(`people.${page}.title`), nav: 'mine' });
}

export function meRoutes(routes: Routes, door: Door): void {
  home(routes);
  profilePages(routes);
  securityPages(routes, door);
  sessionPages(routes);
  preferencePages(routes);
  dataPages(routes, door);
  deletionPages(routes, door);
}

function home(routes: Routes): void {
  routes.get('/me', { access: 'signedIn' }, async (visit) => {
    const person = await me(visit);
    const collectives = await listCollectivesOf(visit.ctx.store, person._id);
    await show(visit, 'me', presentHome(person, collectives));
  });
}

function profilePages(routes: Routes): void {
  const showProfile = async (visit: AnyVisit, form?: FormState) => {
    const person = await me(visit);
    const values = form?.values ?? {
      ...person,
      handle: person.handle ?? person.username,
      decidesFollowers: person.acceptsFollowers === 'by-hand',
    };
    const model = { values, errors: form?.errors, claimed: person.handle, host: visit.house.site.host };
    await show(visit, 'profile', model);
  };
  routes
    .get('/me/profile', { access: 'signedIn' }, (visit) => showProfile(visit))
    .post('/me/profile', { access: 'signedIn', body: profileShape, retry: showProfile }, async (visit) => {
      await updateProfile(visit.ctx, idOf(visit), visit.body);
      visit.redirect('/me/profile', { key: 'people.saved' });
    });
}

function securityPages(routes: Routes, door: Door): void {
  const showSecurity = async (visit: AnyVisit, forms: { password?: FormState; email?: FormState } = {}) => {
    const person = await me(visit);
    await show(visit, 'security', {
      username: person.username,
      email: person.email,
      passwordChangedAt: person.credentials.password?.changedAt,
      passwordErrors: forms.password?.errors,
      emailErrors: forms.email?.errors,
      newEmail: forms.email?.values.email,
    });
  };
  routes
    .get('/me/security', { access: 'signedIn' }, (visit) => showSecurity(visit))
    .post(
      '/me/security/password',
      { access: 'signedIn', body: passwordShape, retry: (visit, form) => showSecurity(visit, { password: form }) },
      async (visit) => {
        await door.countProof(visit.req, visit.res, idOf(visit));
        const person = await changePassword(visit.ctx, idOf(visit), visit.body);
        await door.startSession(visit.req, visit.res, person);
        visit.redirect('/me/security', { key: 'people.security.passwordDone' });
      },
    )
    .post(
      '/me/security/email',
      { access: 'signedIn', body: emailChangeShape, retry: (visit, form) => showSecurity(visit, { email: form }) },
      async (visit) => {
        await door.countProof(visit.req, visit.res, idOf(visit));
        await checkProof(await me(visit), visit.body.proof, 'proof');
        if (!(await door.mayMail(visit.body.email))) {
          throw new DomainError('too-many', 'people.error.tooManyMails', { retryAfter: 3600 });
        }
        await requestEmailChange(visit.ctx, idOf(visit), visit.body);
        visit.redirect('/me/security', { key: 'people.security.emailAsked', params: { email: visit.body.email } });
      },
    );
}

function sessionPages(routes: Routes): void {
  routes
    .get('/me/sessions', { access: 'signedIn' }, async (visit) => {
      const found = await listSessions(visit.ctx.store, idOf(visit), visit.ctx.now);
      const here = sessionKey(visit.req.sessionID);
      await show(visit, 'sessions', { sessions: found.map((one) => presentSession(one, here)) });
    })
    .post('/me/sessions/end-others', { access: 'signedIn' }, async (visit) => {
      const count = await endSessions(visit.ctx.store, idOf(visit), sessionKey(visit.req.sessionID));
      visit.redirect('/me/sessions', { key: 'people.sessions.othersDone', params: { count } });
    })
    .post('/me/sessions/:key/end', { access: 'signedIn', params: sessionParams }, async (visit) => {
      const ended = await endSession(visit.ctx.store, idOf(visit), visit.params.key);
      if (!ended) throw new DomainError('not-found', 'error.notFound');
      visit.redirect('/me/sessions', { key: 'people.sessions.done' });
    });
}

function preferencePages(routes: Routes): void {
  const showPreferences = async (visit: AnyVisit, form?: FormState) => {
    const person = await me(visit);
    const digest = form?.values.digest ?? person.digest ?? 'off';
    const chosen = (form?.values.mailChoices ?? person.mailChoices) as Record<string, unknown>;
    await show(visit, 'preferences', {
      values: form?.values ?? person,
      errors: form?.errors,
      languages: languages.map((value) => ({ value, key: `people.language.${value}` })),
      timeZones: ['UTC', ...Intl.supportedValuesOf('timeZone')].map((value) => ({ value, label: value })),
      waitsForNothing: form === undefined && waitsForNothing(person),
      digest: [digest],
      digests: digestTimes.map((value) => ({ value, key: `people.digestTime.${value}` })),
      mails: mailKinds.map((kind) => ({
        name: `mailChoices.${kind}`,
        label: `people.mail.${kind}`,
        value: [chosen[kind] ?? 'at-once'],
        // Results and dates are news and wait for nobody: the summary has no line for them.
        options: mailTimes
          .filter((value) => value !== 'digest' || (kind !== 'surveyPublished' && kind !== 'surveyDate'))
          .map((value) => ({ value, key: `people.mailTime.${value}` })),
      })),
    });
  };
  routes
    .get('/me/preferences', { access: 'signedIn' }, (visit) => showPreferences(visit))
    .post('/me/preferences', { access: 'signedIn', body: preferencesShape, retry: showPreferences }, async (visit) => {
      const said = await updatePreferences(visit.ctx, idOf(visit), visit.body);
      visit.redirect('/me/preferences', { key: said === 'daily' ? 'people.saved.daily' : 'people.saved' });
    });
}

function dataPages(routes: Routes, door: Door): void {
  const showData = (visit: AnyVisit, form?: FormState) => show(visit, 'data', { errors: form?.errors });
  routes
    .get('/me/data', { access: 'signedIn' }, (visit) => showData(visit))
    .post('/me/data', { access: 'signedIn', body: proofShape, retry: showData }, async (visit) => {
      await door.countProof(visit.req, visit.res, idOf(visit));
      const person = await me(visit);
      await checkProof(person, visit.body.current);
      const day = visit.ctx.now.toISOString().slice(0, 10);
      visit.res
        .attachment(`${person.username}-${day}.json`)
        .type('application/json')
        .send(JSON.stringify(await collectOwnData(visit.ctx, person), null, 2));
    });
}

function deletionPages(routes: Routes, door: Door): void {
  const showDelete = async (visit: AnyVisit, form?: FormState) => {
    const person = await me(visit);
    const collectives = await listCollectivesOf(visit.ctx.store, person._id);
    await show(visit, 'delete', { ...presentLeaving(person, collectives), remains, errors: form?.errors });
  };
  routes
    .get('/me/delete', { access: 'signedIn' }, (visit) => showDelete(visit))
    .post('/me/delete', { access: 'signedIn', body: proofShape, retry: showDelete }, async (visit) => {
      await door.countProof(visit.req, visit.res, idOf(visit));
      await deletePerson(visit.ctx, idOf(visit), visit.body);
      await door.endSession(visit.req, visit.res);
      visit.redirect('/', { key: 'people.delete.done' });
    });
}
