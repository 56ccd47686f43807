// Where a hoster's members write their services: list, form, publishing, closing, figures, bin.
import { nameIn, presentEditFrame } from '../../collectives/present.js';
import { enterCollective } from '../../collectives/queries.js';
import type { Collective } from '../../collectives/schema.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import {
  closeService,
  createService,
  emptyProfile,
  publishService,
  restoreService,
  setMetrics,
  unpublishService,
  updateService,
  withdrawService,
} from '../actions/services.js';
import {
  fieldLabels,
  formOptions,
  monthNames,
  presentCharts,
  presentOwn,
  presentRemarks,
  presentSource,
  profileValues,
  serviceEditPath,
  servicePath,
} from '../present.js';
import { findSourceOf, getService, listServicesOf } from '../queries.js';
import { dayOf, missingNotice } from '../rules.js';
import {
  closeForm,
  idParams,
  metricsForm,
  newServiceForm,
  type Service,
  serviceForm,
  serviceParams,
} from '../schema.js';
import { needsOfSoftware } from '../softwareNeeds.js';

type ServiceVisit = Visit<{ id: string; service: string }, unknown, unknown>;
const noForm: FormState = { values: {}, errors: [] };
/** Figures that hosters keep most, offered by name; any other may be typed. */
const usualMetrics = [
  'http.visits.humans',
  'http.visits',
  'http.visitors',
  'service.users',
  'service.users.active',
  'service.accounts',
];

export function editPages(routes: Routes): void {
  const { house } = routes;
  const path = '/my/collectives/:id/services';
  const one = `${path}/:service`;
  const member = { access: 'signedIn', params: serviceParams } as const;

  routes.get(path, { access: 'signedIn', params: idParams }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const [own, binned, source] = await Promise.all([
      listServicesOf(house.store, collective._id, { which: 'own' }),
      listServicesOf(house.store, collective._id, { which: 'bin' }),
      findSourceOf(house.store, collective._id),
    ]);
    const shown = own.map((service) => ({ ...presentOwn(service, visit.ctx.now), published: service.published }));
    const model = {
      frame: frameOf(visit, collective),
      groups: [
        { key: 'catalogue.own.published', items: shown.filter(({ published, isOver }) => published && !isOver) },
        { key: 'catalogue.own.drafts', items: shown.filter(({ published }) => !published) },
        { key: 'catalogue.own.over', items: shown.filter(({ published, isOver }) => published && isOver) },
      ].filter(({ items }) => items.length > 0),
      bin: binned.map((service) => presentOwn(service, visit.ctx.now)),
      source: presentSource(source),
    };
    await visit.page('catalogue/own', model, pageOptions(visit, collective));
  });

  routes.get(`${path}/new`, { access: 'signedIn', params: idParams }, (visit) => showNew(visit, noForm));
  routes.post(
    `${path}/new`,
    { access: 'signedIn', params: idParams, body: newServiceForm, retry: showNew },
    async (visit) => {
      const { name, software } = visit.body;
      const blank = emptyProfile(name);
      const collective = await enterCollective(visit.ctx, visit.params.id);
      const { place } = collective.profile;
      const profile = {
        ...blank,
        needs: needsOfSoftware(software),
        software: { ...blank.software, name: software },
        host: { ...blank.host, countryCode: place.countryCode, countryName: place.countryName },
        languages: collective.profile.languages,
      };
      const service = await createService(visit.ctx, visit.params.id, { profile });
      visit.redirect(serviceEditPath(service), { key: 'catalogue.new.done' });
    },
  );

  async function showNew(visit: Visit<{ id: string }, unknown, unknown>, form: FormState): Promise<void> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const model = { frame: frameOf(visit, collective), form, labels: fieldLabels(form.errors) };
    await visit.page('catalogue/new', model, pageOptions(visit, collective));
  }

  routes.get(one, member, (visit) => showEdit(visit, noForm));
  routes.post(one, { ...member, body: serviceForm, retry: showEdit }, async (visit) => {
    const service = await enterService(visit);
    const { version, ...profile } = visit.body;
    await updateService(visit.ctx, service._id, { version, profile });
    visit.redirect(serviceEditPath(service), { key: 'catalogue.edit.done' });
  });

  async function showEdit(visit: ServiceVisit, form: FormState): Promise<void> {
    const service = await enterService(visit);
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const typed = form.errors.length > 0;
    const values = typed ? form.values : profileValues(service.profile);
    const source = await findSourceOf(house.store, collective._id);
    const model = {
      frame: frameOf(visit, collective),
      service: { ...presentOwn(service, visit.ctx.now), published: service.published, isListed: service.listed },
      base: serviceEditPath(service),
      historyHref: `/my/collectives/${collective._id}/history?of=${service._id}`,
      values: typed ? { ...values, needs: listOf(values.needs) } : values,
      version: typed ? form.values.version : service.version,
      form,
      labels: fieldLabels(form.errors),
      options: formOptions,
      remarks: typed ? [] : presentRemarks(service.profile),
      // What its file gives comes back at the next reading.
      sourceWins:
        source !== null && source.stoppedAt === null && service.origin !== null && /^https?:/.test(service.origin),
    };
    await visit.page('catalogue/edit', model, pageOptions(visit, collective));
  }

  routes.post(`${one}/publish`, member, async (visit) => {
    const service = await publishService(visit.ctx, (await enterService(visit))._id);
    visit.redirect(serviceEditPath(service), {
      key: service.listed ? 'catalogue.publish.done' : 'catalogue.publish.waiting',
    });
  });
  routes.post(`${one}/unpublish`, member, async (visit) => {
    const service = await unpublishService(visit.ctx, (await enterService(visit))._id);
    visit.redirect(serviceEditPath(service), { key: 'catalogue.unpublish.done' });
  });
  routes.get(`${one}/withdraw`, member, async (visit) => {
    const service = await enterService(visit);
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const model = {
      frame: frameOf(visit, collective),
      service: presentOwn(service, visit.ctx.now),
      base: serviceEditPath(service),
    };
    await visit.page('catalogue/withdraw', model, pageOptions(visit, collective));
  });
  routes.post(`${one}/withdraw`, member, async (visit) => {
    const service = await withdrawService(visit.ctx, (await enterService(visit))._id);
    visit.redirect(`/my/collectives/${service.collectiveId}/services`, { key: 'catalogue.withdraw.done' });
  });
  routes.post(`${one}/restore`, member, async (visit) => {
    const service = await restoreService(visit.ctx, (await enterService(visit))._id);
    visit.redirect(serviceEditPath(service), { key: 'catalogue.restore.done' });
  });

  routes.get(`${one}/close`, member, (visit) => showClose(visit, noForm));
  routes.post(`${one}/close`, { ...member, body: closeForm, retry: showClose }, async (visit) => {
    const service = await enterService(visit);
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const closed = await closeService(visit.ctx, service._id, visit.body);
    const missing = missingNotice(visit.body.endDate, dayOf(visit.ctx.now), collective.profile.guarantees.noticeDays);
    const done =
      missing > 0 ? { key: 'catalogue.close.doneShort', params: { days: missing } } : { key: 'catalogue.close.done' };
    visit.redirect(closed.listed ? servicePath(closed) : serviceEditPath(closed), done);
  });

  async function showClose(visit: ServiceVisit, form: FormState): Promise<void> {
    const service = await enterService(visit);
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const { endDate, statusDescription } = service.profile;
    const model = {
      frame: frameOf(visit, collective),
      service: presentOwn(service, visit.ctx.now),
      base: serviceEditPath(service),
      noticeDays: collective.profile.guarantees.noticeDays,
      values: form.errors.length > 0 ? form.values : { endDate, reason: statusDescription },
      form,
      labels: fieldLabels(form.errors),
    };
    await visit.page('catalogue/close', model, pageOptions(visit, collective));
  }

  routes.get(`${one}/metrics`, member, (visit) => showMetrics(visit, noForm));
  routes.post(`${one}/metrics`, { ...member, body: metricsForm, retry: showMetrics }, async (visit) => {
    const service = await enterService(visit);
    const { path: metric, year, pasted, months, remove } = visit.body;
    const values = remove ? [] : pasted.length > 0 ? pasted : months;
    await setMetrics(visit.ctx, service._id, { path: metric, year, step: 'months', values });
    visit.redirect(`${serviceEditPath(service)}/metrics`, { key: 'catalogue.metrics.done' });
  });

  async function showMetrics(visit: ServiceVisit, form: FormState): Promise<void> {
    const service = await enterService(visit);
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const { values } = form;
    const typedMonths = typeof values.months === 'object' && values.months !== null ? values.months : {};
    const months = new Map(Object.entries(typedMonths));
    const model = {
      frame: frameOf(visit, collective),
      service: presentOwn(service, visit.ctx.now),
      base: serviceEditPath(service),
      values: { path: usualMetrics[0], year: visit.ctx.now.getUTCFullYear(), ...values },
      months: monthNames(visit.language).map((label, index) => ({
        name: `months.m${index + 1}`,
        label,
        value: months.get(`m${index + 1}`) ?? '',
      })),
      usual: usualMetrics.map((value) => ({ value, label: visit.t(`catalogue.metric.${value}`) })),
      charts: presentCharts(service, visit.language, visit.t),
      series: service.metrics.map(({ path: metric, year, step }) => ({
        path: metric,
        year,
        step: `catalogue.metrics.step.${step}`,
      })),
      form,
      labels: { path: 'catalogue.metrics.path', year: 'catalogue.metrics.year', pasted: 'catalogue.metrics.pasted' },
    };
    await visit.page('catalogue/metrics', model, pageOptions(visit, collective));
  }

  /** The service, for members of its hoster. Refuses: not-found. */
  async function enterService(visit: ServiceVisit): Promise<Service> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const service = await getService(house.store, visit.params.service);
    if (service.collectiveId !== collective._id) throw new DomainError('not-found', 'error.notFound');
    return service;
  }
}

function frameOf(visit: Pick<ServiceVisit, 'ctx' | 'language'>, collective: Collective) {
  return presentEditFrame(visit.ctx.actor, collective, 'services', visit.language);
}

function pageOptions(visit: Pick<ServiceVisit, 'language'>, collective: Collective) {
  return { title: nameIn(collective, visit.language), nav: 'mine' };
}

/** A box that was ticked alone arrives as a text. */
function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === '' ? [] : [value];
}
