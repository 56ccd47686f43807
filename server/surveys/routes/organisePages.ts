// Where a collective's people make their surveys: list, new ones, the overview with its deeds, settings. Questions: questionPages.ts.

import { z } from 'zod';
import { nameIn, presentEditFrame } from '../../collectives/present.js';
import { enterCollective, findCollectiveByHandle } from '../../collectives/queries.js';
import { checkNotInBin, isPublic } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import { DomainError, InvalidFields } from '../../errors.js';
import type { FieldError, FormState } from '../../http/form.js';
import { type Limit, withinLimit } from '../../http/limits.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { readSettings } from '../../instances/settings.js';
import { sliceOf } from '../../paging.js';
import { createSurvey, deleteSurvey, duplicateSurvey, restoreSurvey, saveSettings } from '../actions/drafting.js';
import { closeSurvey, extendSurvey, openSurvey, reopenSurvey, unscheduleSurvey } from '../actions/running.js';
import {
  endForm,
  languagesOf,
  listQuery,
  newSurveyForm,
  readMoment,
  settingsForm,
  surveyParams,
} from '../editForms.js';
import {
  presentEarlier,
  presentEditions,
  presentOverview,
  presentOwn,
  presentParts,
  presentSettings,
  presentSurveyFrame,
  type SurveyTab,
  settingsValues,
  surveyPath,
} from '../presentOrganise.js';
import {
  countAnswers,
  countAsked,
  findSurvey,
  getOrganised,
  invitedElsewhere,
  invitedHere,
  isHoster,
  listDeletedSurveysOf,
  listInvitable,
  listSurveysOf,
  listVersions,
} from '../queries.js';
import type { Invited, Survey } from '../schema.js';
import { templateNames, templateOf } from '../templates.js';
import { listTold } from '../told.js';

export type SurveyVisit = Visit<z.output<typeof surveyParams>, unknown, unknown>;
type CollectiveVisit = Visit<{ id: string }, unknown, unknown>;
export interface Organised {
  collective: Collective;
  survey: Survey;
}

const idParams = z.object({ id: z.uuid() });
const noForm: FormState = { values: {}, errors: [] };
const perPage = 20;
/** Earlier surveys offered where a new one is begun. */
const mostEarlier = 5;
/** Addresses looked up at one saving; together with those that members look up among their partners. */
const mostLookUps = 20;
const lookUps: Limit = { name: 'partners.lookUp', limit: 60, windowMs: 60 * 60 * 1000 };

/** The survey in the address, of the collective in the address. Refuses: not-found. */
export async function enterSurvey(visit: SurveyVisit): Promise<Organised> {
  const collective = await enterCollective(visit.ctx, visit.params.id);
  const { survey } = await getOrganised(visit.ctx, visit.params.survey);
  if (survey.collectiveId !== collective._id) throw new DomainError('not-found', 'error.notFound');
  return { collective, survey };
}

/** As enterSurvey, for a deed. Refuses: not-found; gone (put away); closed (its collective is in the bin). */
export async function enterToChange(visit: SurveyVisit): Promise<Organised> {
  const entered = await enterSurvey(visit);
  checkNotInBin(entered.collective);
  if (entered.survey.deletedAt !== null) throw new DomainError('gone', 'surveys.error.gone');
  return entered;
}

/** A page of one survey in its frame. */
export async function showSurvey(
  visit: SurveyVisit,
  { collective, survey }: Organised,
  tab: SurveyTab,
  view: string,
  model: object,
): Promise<void> {
  const frame = presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language);
  const own = presentSurveyFrame(survey, tab, visit.language);
  await visit.page(view, { frame, survey: own, ...model }, { title: own.title.text, nav: 'mine' });
}

export function organisePages(routes: Routes): void {
  const path = '/my/collectives/:id/surveys';

  routes.get(path, { access: 'signedIn', params: idParams, query: listQuery }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const [all, deleted] = await Promise.all([
      listSurveysOf(visit.ctx.store, collective._id),
      listDeletedSurveysOf(visit.ctx.store, collective._id),
    ]);
    const { shown: own, page, pages } = sliceOf(all, visit.query.page, perPage);
    const shown = await Promise.all(
      own.map(async (survey) => presentOwn({ survey, ...(await countsOf(visit, survey)) }, visit.language)),
    );
    const base = `/my/collectives/${collective._id}/surveys`;
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language),
      parts: presentParts(collective, 'surveys'),
      newHref: `${base}/new`,
      items: shown,
      page,
      pages,
      previous: page > 1 ? `${base}?page=${page - 1}` : null,
      next: page < pages ? `${base}?page=${page + 1}` : null,
      bin: deleted.map((survey) => presentOwn({ survey, answered: 0, asked: null }, visit.language)),
    };
    await visit.page('surveys/own', model, { title: nameIn(collective, visit.language), nav: 'mine' });
  });

  routes.get(`${path}/new`, { access: 'signedIn', params: idParams }, (visit) => showNew(visit, noForm));
  const newSpec = { access: 'signedIn', params: idParams, body: newSurveyForm, retry: showNew } as const;
  routes.post(`${path}/new`, newSpec, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const { timeZone } = await readSettings(visit.ctx.store);
    const { template, title } = visit.body;
    const given = templateOf(template, visit.ctx.now, timeZone);
    const named = Object.keys(title).length > 0 ? title : given.title;
    if (Object.keys(named).length === 0) throw new DomainError('invalid', 'shape.required', { field: 'title.fr' });
    const input = {
      ...given,
      title: named,
      languages: [visit.language, visit.language === 'fr' ? 'en' : 'fr'],
      timeZone,
    };
    const survey = await createSurvey(visit.ctx, collective._id, input);
    visit.redirect(`${surveyPath(survey)}/questions`, { key: 'surveys.new.done' });
  });

  overviewPages(routes, `${path}/:survey`);
  settingsPages(routes, `${path}/:survey/settings`);
}

async function countsOf({ ctx }: CollectiveVisit, survey: Survey): Promise<{ answered: number; asked: number | null }> {
  const [answered, asked] = await Promise.all([countAnswers(ctx.store, survey), countAsked(ctx.store, survey)]);
  return { answered, asked };
}

async function showNew(visit: CollectiveVisit, form: FormState): Promise<void> {
  const collective = await enterCollective(visit.ctx, visit.params.id);
  const own = await listSurveysOf(visit.ctx.store, collective._id);
  const model = {
    earlier: own
      .filter(({ state }) => state === 'closed')
      .slice(0, mostEarlier)
      .map((survey) => presentEarlier(survey, visit.language)),
    frame: presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language),
    parts: presentParts(collective, 'surveys'),
    form,
    labels: { 'title.fr': 'surveys.field.title', 'title.en': 'surveys.field.title' },
    template: form.values.template ?? 'empty',
    templates: templateNames.map((value) => ({
      value,
      key: `surveys.template.${value}`,
      hint: `surveys.template.${value}.hint`,
    })),
  };
  await visit.page('surveys/new', model, { title: visit.t('surveys.new.title'), nav: 'mine' });
}

function overviewPages(routes: Routes, one: string): void {
  const params = { access: 'signedIn', params: surveyParams } as const;
  routes.get(one, params, (visit) => showOverview(visit, noForm));

  const deeds = { open: openSurvey, unschedule: unscheduleSurvey, close: closeSurvey } as const;
  for (const [verb, deed] of Object.entries(deeds)) {
    routes.post(`${one}/${verb}`, { ...params, retry: showOverview }, async (visit) => {
      const { survey } = await enterToChange(visit);
      const saved = await deed(visit.ctx, survey._id);
      const done = verb === 'open' && saved?.state === 'scheduled' ? 'schedule' : verb;
      visit.redirect(surveyPath(survey), { key: `surveys.deed.${done}.done` });
    });
  }

  routes.post(`${one}/extend`, { ...params, body: endForm, retry: showOverview }, async (visit) => {
    const { survey } = await enterToChange(visit);
    const closesAt = endOfForm(visit.body.closesAt, survey);
    if (closesAt === null) throw new DomainError('invalid', 'shape.required', { field: 'closesAt' });
    await extendSurvey(visit.ctx, survey._id, { closesAt, revision: visit.body.revision });
    visit.redirect(surveyPath(survey), { key: 'surveys.deed.extend.done' });
  });
  routes.post(`${one}/reopen`, { ...params, body: endForm, retry: showOverview }, async (visit) => {
    const { survey } = await enterToChange(visit);
    await reopenSurvey(visit.ctx, survey._id, { closesAt: endOfForm(visit.body.closesAt, survey) });
    visit.redirect(surveyPath(survey), { key: 'surveys.deed.reopen.done' });
  });

  routes.post(`${one}/duplicate`, params, async (visit) => {
    const { survey } = await enterToChange(visit);
    const copy = await duplicateSurvey(visit.ctx, survey._id);
    visit.redirect(surveyPath(copy), { key: 'surveys.deed.duplicate.done' });
  });
  routes.post(`${one}/delete`, params, async (visit) => {
    const { survey, collective } = await enterToChange(visit);
    await deleteSurvey(visit.ctx, survey._id);
    visit.redirect(`/my/collectives/${collective._id}/surveys`, { key: 'surveys.deed.delete.done' });
  });
  routes.post(`${one}/restore`, params, async (visit) => {
    const { survey, collective } = await enterSurvey(visit);
    checkNotInBin(collective);
    await restoreSurvey(visit.ctx, survey._id);
    visit.redirect(surveyPath(survey), { key: 'surveys.deed.restore.done' });
  });
}

function endOfForm(written: string, survey: Survey): Date | null {
  const moment = readMoment(written, survey.timeZone);
  if (moment === 'wrong') throw new DomainError('invalid', 'surveys.error.moment', { field: 'closesAt' });
  return moment;
}

async function showOverview(visit: SurveyVisit, form: FormState): Promise<void> {
  const entered = await enterSurvey(visit);
  const { survey } = entered;
  const [counts, versions, told, previous] = await Promise.all([
    countsOf(visit, survey),
    listVersions(visit.ctx.store, survey._id),
    listTold(visit.ctx, survey),
    survey.previousId === null ? null : findSurvey(visit.ctx.store, survey.previousId),
  ]);
  const { language, ctx } = visit;
  const shown = { survey, ...counts, versions, told, now: ctx.now, site: ctx.site, language };
  const isOwnerPublic = isPublic(entered.collective);
  // An earlier edition that was put away is not linked.
  const standing = previous?.deletedAt === null ? previous : null;
  await showSurvey(visit, entered, 'overview', 'surveys/overview', {
    ...presentOverview({ ...shown, isOwnerPublic, previous: standing }),
    form,
    typedEnd: form.values.closesAt,
  });
}

function settingsPages(routes: Routes, path: string): void {
  const params = { access: 'signedIn', params: surveyParams } as const;
  routes.get(path, params, (visit) => showSettings(visit, noForm));
  routes.post(path, { ...params, body: settingsForm, retry: showSettings }, async (visit) => {
    const { survey, collective } = await enterToChange(visit);
    if (visit.body.step === 'filter') return showSettings(visit, { values: visit.body, errors: [] });
    const languages = languagesOf(visit.body);
    const {
      revision,
      answerBy,
      names,
      invited: here,
      elsewhere,
      others,
      allHere,
      opensAt,
      closesAt,
      step: _step,
      filter: _filter,
      firstLanguage: _first,
      otherLanguages: _others,
      previousId,
      ...rest
    } = visit.body;
    // What is on its way to be answered keeps its dates: the overview gives more time, and says so to those asked.
    const isFixed = survey.state === 'open';
    const dates = isFixed
      ? { opensAt: survey.opensAt, closesAt: survey.closesAt }
      : datesOf({ opensAt, closesAt }, rest.timeZone);
    const invited = isFixed
      ? survey.invited
      : await invitedOf(visit, { survey, collective }, { chosen: [...here, ...elsewhere], others, allHere });
    const promises = { answerBy: answerBy ?? survey.answerBy, names: names ?? survey.names };
    const edition = previousId === undefined ? {} : { previousId: previousId === '' ? null : previousId };
    await saveSettings(visit.ctx, survey._id, {
      ...rest,
      ...edition,
      languages,
      ...promises,
      ...dates,
      invited,
      revision,
    });
    visit.redirect(`${surveyPath(survey)}/settings`, { key: 'surveys.settings.saved' });
  });
}

function datesOf(
  written: Record<'opensAt' | 'closesAt', string>,
  timeZone: string,
): Pick<Survey, 'opensAt' | 'closesAt'> {
  const read = (field: 'opensAt' | 'closesAt') => {
    const moment = readMoment(written[field], timeZone);
    if (moment === 'wrong') throw new DomainError('invalid', 'surveys.error.moment', { field });
    return moment;
  };
  return { opensAt: read('opensAt'), closesAt: read('closesAt') };
}

/** Whoever was ticked among those offered, and whoever stands at the addresses given. Refuses: invalid (an address each), too-many. */
async function invitedOf(
  visit: SurveyVisit,
  { survey, collective }: Organised,
  { chosen, others, allHere }: { chosen: readonly string[]; others: string; allHere: boolean },
): Promise<Invited[]> {
  const offered = await listInvitable(visit.ctx, collective, survey);
  const ticked = offered.filter(({ iri, collectiveId }) => chosen.includes(iri) || (allHere && collectiveId !== null));
  const addresses = [...new Set(others.split(/\s+/).filter(Boolean))];
  if (addresses.length > mostLookUps) {
    const message = { key: 'surveys.error.tooManyAddresses', params: { max: mostLookUps } };
    throw new InvalidFields([{ field: 'others', message }]);
  }
  const found: Invited[] = [];
  const errors: FieldError[] = [];
  for (const address of addresses) {
    const result = await lookUp(visit, address);
    if (typeof result === 'string') errors.push({ field: 'others', message: { key: result, params: { address } } });
    else found.push(result);
  }
  if (errors.length > 0) throw new InvalidFields(errors);
  return [...new Map([...ticked, ...found].map((one) => [one.iri, one])).values()];
}

/** A hoster at an address, or the key of what is wrong. */
async function lookUp(visit: SurveyVisit, address: string): Promise<Invited | string> {
  if (!(await withinLimit(visit.house, lookUps, personOf(visit.ctx).personId))) {
    throw new DomainError('too-many', 'partners.error.tooManyLookUps', { retryAfter: 3600 });
  }
  const found = await visit.house.lookUpActor(address);
  if (found.outcome === 'found') {
    return isHoster(found.actor) ? invitedElsewhere(found.actor) : 'surveys.error.noHoster';
  }
  if (found.outcome === 'failed') {
    return found.reason === 'unavailable' ? 'surveys.error.unreachable' : 'surveys.error.noAddress';
  }
  const local = await findCollectiveByHandle(visit.ctx.store, found.handle);
  return local?.published && local.deletedAt === null ? invitedHere(visit.ctx, local) : 'surveys.error.noHoster';
}

async function showSettings(visit: SurveyVisit, form: FormState): Promise<void> {
  const entered = await enterSurvey(visit);
  const { survey, collective } = entered;
  if (survey.deletedAt !== null || survey.state === 'closed') return visit.redirect(surveyPath(survey));
  const typed = Object.keys(form.values).length > 0;
  // What was promised, and whom it asks, is not sent by the form once it stands.
  const values = typed ? { ...settingsValues(survey), invited: [], ...form.values } : settingsValues(survey);
  const invitable = await listInvitable(visit.ctx, collective, survey);
  await showSurvey(visit, entered, 'settings', 'surveys/settings', {
    ...presentSettings(survey, { values, errors: form.errors }, invitable, visit.language),
    editions: presentEditions(survey, await listSurveysOf(visit.ctx.store, collective._id), visit),
  });
}
