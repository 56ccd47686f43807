// The pages of the slice, gathered; and the administrator's view of mails: what left, what waits, what failed and why, and what must be handed over by hand.
import { DomainError } from '../errors.js';
import type { House } from '../house.js';
import { Routes } from '../http/routes.js';
import { retryMail } from './actions/sendDueMails.js';
import { presentMail, presentMailPage } from './present.js';
import { findMail, listMails } from './queries.js';
import { minePages } from './routes/minePages.js';
import { remindPages } from './routes/remindPages.js';
import { templatePages } from './routes/templatePages.js';
import { mailParams, mailsQuery } from './schema.js';

export function noticeRoutes(house: House): Routes {
  const routes = new Routes(house);
  minePages(routes);
  remindPages(routes);
  templatePages(routes);
  return routes
    .get('/admin/mails', { access: 'administrator', query: mailsQuery }, async (visit) => {
      const found = await listMails(visit.ctx.store, visit.query.page);
      await visit.page('notices/mails', presentMailPage(found), {
        title: visit.t('notices.mails.title'),
        nav: 'admin',
      });
    })
    .get('/admin/mails/:id', { access: 'administrator', params: mailParams }, async (visit) => {
      const mail = await findMail(visit.ctx.store, visit.params.id);
      if (!mail) throw new DomainError('not-found', 'error.notFound');
      visit.res.set('Referrer-Policy', 'no-referrer');
      const model = presentMail(house, mail, visit.t('notices.mail.hiddenLink'));
      await visit.page('notices/mail', model, { title: visit.t('notices.mail.title'), nav: 'admin' });
    })
    .post('/admin/mails/:id/retry', { access: 'administrator', params: mailParams }, async (visit) => {
      await retryMail(visit.ctx, visit.params.id);
      visit.redirect('/admin/mails', { key: 'notices.mail.retryDone' });
    });
}
