// In, out, and the way back for who forgot the password.
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { requestReset } from '../actions/passwordChange.js';
import { safePath } from '../rules.js';
import { forgotShape, nextQuery, signInShape } from '../schema.js';
import type { Door } from './door.js';

type AnyVisit = Visit<unknown, unknown, unknown>;

function showSignIn(visit: AnyVisit, next: string | undefined, form?: FormState): Promise<void> {
  const model = { next, login: form?.values.login, errors: form?.errors };
  return visit.page('people/signIn', model, { title: visit.t('people.signIn.title'), withForm: true });
}

function showForgot(visit: AnyVisit, form?: FormState): Promise<void> {
  const model = { email: form?.values.email, errors: form?.errors };
  return visit.page('people/forgot', model, { title: visit.t('people.forgot.title'), withForm: true });
}

export function signInRoutes(routes: Routes, door: Door): void {
  const { house } = routes;
  routes
    .get('/sign-in', { access: 'public', query: nextQuery, cache: 'none' }, (visit) => {
      if (visit.ctx.actor) return visit.redirect(placeAfter(visit.query.next, house.site.baseUrl));
      return showSignIn(visit, visit.query.next);
    })
    .post(
      '/sign-in',
      {
        access: 'public',
        cache: 'none',
        body: signInShape,
        retry: (visit, form) => {
          const { next } = form.values;
          return showSignIn(visit, typeof next === 'string' ? next : undefined, form);
        },
      },
      async (visit) => {
        const person = await door.recognise(visit.req, visit.res);
        await door.startSession(visit.req, visit.res, person);
        visit.redirect(placeAfter(visit.body.next, house.site.baseUrl));
      },
    )
    .post('/sign-out', { access: 'public', cache: 'none' }, async (visit) => {
      await door.endSession(visit.req, visit.res);
      visit.redirect('/', { key: 'people.signOut.done' });
    })
    .get('/forgot', { access: 'public', cache: 'none' }, (visit) => showForgot(visit))
    .post('/forgot', { access: 'public', cache: 'none', body: forgotShape, retry: showForgot }, async (visit) => {
      await door.countForm(visit.req, visit.res);
      // Over the limit of the mailbox nothing is sent, and nothing says so.
      if (await door.mayMail(visit.body.email)) await requestReset(visit.ctx, visit.body.email);
      await visit.page('people/forgotDone', {}, { title: visit.t('people.forgot.title') });
    });
}

function placeAfter(next: string | undefined, baseUrl: string): string {
  return next ? safePath(next, baseUrl) : '/my';
}
