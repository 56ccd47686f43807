// Where anybody reports something, and where the moderators look after it.
import { paged } from '../collectives/present.js';
import type { House } from '../house.js';
import type { FormState } from '../http/form.js';
import { addressKey, type Limit, withinLimit } from '../http/limits.js';
import { personOf, Routes, type Visit } from '../http/routes.js';
import { listPeopleById } from '../people/queries.js';
import { enterReportable, makeReport, noteReport, removeReportedPost, stepReport } from './actions.js';
import {
  outcomeOptions,
  presentFound,
  presentReport,
  presentReportLine,
  reasonOptions,
  reportsPath,
} from './present.js';
import { findTarget, getReport, pageReports } from './queries.js';
import {
  aboutQuery,
  closeShape,
  maxComment,
  noteShape,
  type Report,
  removeShape,
  reportParams,
  reportShape,
  reportsQuery,
  stepShape,
} from './schema.js';

const hour = 60 * 60 * 1000;
const byVisitors: Limit = { name: 'report.visitor', limit: 5, windowMs: hour };
const byPeople: Limit = { name: 'report.person', limit: 30, windowMs: hour };

const access = 'moderator';
const nav = 'admin';
const perPage = 30;
const crumbs = [{ href: '/admin', key: 'layout.nav.admin' }];

export function moderationRoutes(house: House): Routes {
  const routes = new Routes(house);
  reportForm(routes);
  queue(routes);
  return routes;
}

function reportForm(routes: Routes): void {
  const { house } = routes;
  routes.get('/report', { access: 'public', query: aboutQuery, cache: 'none' }, (visit) =>
    visit.query.about === ''
      ? visit.redirect('/about')
      : show(visit, { values: { about: visit.query.about }, errors: [] }),
  );

  const spec = { access: 'public', body: reportShape, retry: show } as const;
  routes.post('/report', spec, async (visit) => {
    const { actor } = visit.ctx;
    const isWithin =
      actor?.kind === 'person'
        ? await withinLimit(house, byPeople, actor.personId)
        : await withinLimit(house, byVisitors, addressKey(visit.req));
    if (!isWithin) {
      visit.res.status(429).set('Retry-After', '3600');
      return show(visit, { values: visit.body, errors: [{ field: '', message: { key: 'moderation.error.tooMany' } }] });
    }
    await makeReport(visit.ctx, visit.body);
    visit.redirect('/report/thanks');
  });

  routes.get('/report/thanks', { access: 'public' }, (visit) =>
    visit.page('moderation/thanks', {}, { title: visit.t('moderation.thanks.title'), noIndex: true }),
  );

  async function show(visit: Visit<unknown, unknown, unknown>, form: FormState): Promise<void> {
    const about = typeof form.values.about === 'string' ? form.values.about : '';
    const { found, about: actor } = await enterReportable(visit.ctx, about);
    const thing = presentFound(found, about, house.site, visit.language);
    const model = {
      form,
      labels: {
        reason: 'moderation.report.reason',
        comment: 'moderation.report.comment',
        contact: 'moderation.report.contact',
      },
      about,
      thing,
      cancelHref: !thing.isElsewhere ? thing.href : visit.ctx.actor === null ? null : '/my',
      reasons: reasonOptions,
      maxComment,
      isVisitor: visit.ctx.actor === null,
      theirHost: actor === null ? null : new URL(actor).host,
    };
    await visit.page('moderation/form', model, {
      title: visit.t('moderation.report.title'),
      withForm: true,
      noIndex: true,
    });
  }
}

function queue(routes: Routes): void {
  const { house } = routes;
  const path = `${reportsPath}/:id`;

  routes.get(reportsPath, { access, query: reportsQuery }, async (visit) => {
    const { status, page } = visit.query;
    const found = await pageReports(house.store, status, { page, perPage });
    const names = await namesFor(found.items);
    const reports = await Promise.all(
      found.items.map(async (report) =>
        presentReportLine(report, await thing(report.objects.at(-1) ?? '', visit), names),
      ),
    );
    const model = {
      reports,
      total: found.total,
      isOpen: status === 'open',
      filters: (['open', 'closed'] as const).map((one) => ({
        href: one === 'open' ? reportsPath : `${reportsPath}?status=${one}`,
        key: `moderation.queue.${one}`,
        current: one === status,
      })),
      crumbs,
      paging: paged(reportsPath, { status: status === 'open' ? '' : status }, found),
    };
    await visit.page('moderation/queue', model, { title: visit.t('moderation.queue.title'), nav });
  });

  routes.get(path, { access, params: reportParams }, (visit) => showOne(visit, { values: {}, errors: [] }));

  for (const [verb, what] of [
    ['take', 'taken'],
    ['release', 'released'],
    ['reopen', 'reopened'],
  ] as const) {
    const spec = { access, params: reportParams, body: stepShape, retry: showOne } as const;
    routes.post(`${path}/${verb}`, spec, async (visit) => {
      await stepReport(visit.ctx, visit.params.id, visit.body.version, { what });
      visit.redirect(`${reportsPath}/${visit.params.id}`, { key: `moderation.${verb}.done` });
    });
  }

  routes.post(`${path}/close`, { access, params: reportParams, body: closeShape, retry: showOne }, async (visit) => {
    const { version, outcome, closing } = visit.body;
    await stepReport(visit.ctx, visit.params.id, version, { what: 'closed', outcome, text: closing });
    visit.redirect(reportsPath, { key: 'moderation.close.done' });
  });

  routes.post(`${path}/note`, { access, params: reportParams, body: noteShape, retry: showOne }, async (visit) => {
    await noteReport(visit.ctx, visit.params.id, visit.body.text);
    visit.redirect(`${reportsPath}/${visit.params.id}`, { key: 'moderation.note.done' });
  });

  routes.post(
    `${path}/remove-post`,
    { access, params: reportParams, body: removeShape, retry: showOne },
    async (visit) => {
      const { version, post } = visit.body;
      await removeReportedPost(visit.ctx, visit.params.id, version, post);
      visit.redirect(`${reportsPath}/${visit.params.id}`, { key: 'moderation.remove.done' });
    },
  );

  async function showOne(visit: Visit<{ id: string }, unknown, unknown>, form: FormState): Promise<void> {
    const report = await getReport(house.store, visit.params.id);
    const things = await Promise.all(report.objects.map((address) => thing(address, visit)));
    const { personId } = personOf(visit.ctx);
    const model = {
      form,
      labels: { outcome: 'moderation.close.outcome', text: 'moderation.note.text' },
      report: presentReport(report, things, await namesFor([report]), personId),
      outcomes: outcomeOptions,
      crumbs: [...crumbs, { href: reportsPath, key: 'moderation.queue.title' }],
    };
    await visit.page('moderation/report', model, { title: visit.t('moderation.one.title'), nav });
  }

  async function thing(address: string, visit: Visit<unknown, unknown, unknown>) {
    return presentFound(await findTarget(house.store, house.site, address), address, house.site, visit.language);
  }

  async function namesFor(reports: readonly Report[]): Promise<Map<string, string>> {
    const ids = reports.flatMap(({ personId, assignedTo, steps }) => [
      personId,
      assignedTo,
      ...steps.map(({ by }) => by),
    ]);
    const people = await listPeopleById(house.store, [...new Set(ids.filter((id) => id !== null))]);
    return new Map(people.map((person) => [person._id, person.displayName]));
  }
}
