// Where a collective's people see which surveys ask it, and answer in its name: all on one page, or a page for each section.
import { z } from 'zod';
import { listServicesOf } from '../../catalogue/queries.js';
import { editPath, nameIn, presentEditFrame } from '../../collectives/present.js';
import { enterCollective } from '../../collectives/queries.js';
import { checkNotInBin } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import { DomainError, InvalidFields } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { textIn } from '../../shapes.js';
import { saveDraft, submitAnswer, withdrawAnswer } from '../actions/answering.js';
import { recallAnswer, saveRemoteDraft, sendAnswer } from '../actions/sending.js';
import { askedSections, readAnswers } from '../answers.js';
import { type AskedSurvey, answererFor, findAsked, findOwnAnswer, listAsked, type OwnAnswer } from '../askedSurveys.js';
import { presentAsked, presentAskedList } from '../presentAsked.js';
import { presentForm } from '../presentForm.js';
import { mayAnswerFor } from '../rules.js';
import type { Section, Values } from '../schema.js';

const idParams = z.object({ id: z.uuid() });
const askedParams = z.object({ id: z.uuid(), survey: z.union([z.uuid(), z.string().regex(/^[0-9a-f]{64}$/)]) });
/** page: one section, from 1; without it everything, or for a long survey the first section. */
const pageQuery = z.object({ page: z.union([z.literal('all'), z.coerce.number().int().min(1).max(100)]).optional() });
const answerShape = z.object({
  a: z.record(z.string().max(40), z.unknown()).default({}),
  version: z.coerce.number().int().min(1).max(1000),
  page: z.union([z.literal('all'), z.coerce.number().int().min(1).max(100)]).default('all'),
  step: z.enum(['send', 'save', 'next', 'back']).default('send'),
});

type AskedVisit = Visit<z.output<typeof askedParams>, unknown, unknown>;

/** More questions than these are shown a section at a time, unless asked for all. */
const onOnePage = 12;

export function answerPages(routes: Routes): void {
  const path = '/my/collectives/:id/asked';

  routes.get(path, { access: 'signedIn', params: idParams }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const lines = await listAsked(visit.ctx, collective);
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language),
      ...presentAskedList(collective, lines, visit.language),
    };
    await visit.page('surveys/askedList', model, { title: nameIn(collective, visit.language), nav: 'mine' });
  });

  routes.get(`${path}/:survey`, { access: 'signedIn', params: askedParams, query: pageQuery }, async (visit) => {
    const entered = await enter(visit);
    await show(visit, entered, { page: visit.query.page ?? null, values: null, errors: [] });
  });

  const spec = { access: 'signedIn', params: askedParams, body: answerShape, retry: showAgain } as const;
  routes.post(`${path}/:survey`, spec, async (visit) => {
    const { asked, collective, own } = await enter(visit);
    const { step, page, version } = visit.body;
    checkNotInBin(collective);
    checkMayAnswerFor(visit, collective);
    const sections = sectionsOf(asked);
    const raw = merge(visit.body.a, own, page === 'all' ? null : (pages(sections, own)[page - 1] ?? null));
    const person = personOf(visit.ctx);
    const answerer = answererFor(visit.ctx, collective);
    const by = { by: person.personId, byName: person.displayName, home: '' };
    const base = `${editPath(collective)}/asked/${asked.key}`;
    const sent = { surveyId: asked.key, answerer, ...by, version, raw };
    if (step === 'send') {
      const { receipt, isFirst } =
        asked.survey === null ? await sendAnswer(visit.ctx, collective._id, sent) : await submitAnswer(visit.ctx, sent);
      if (receipt !== null) return showReceipt(visit, receipt);
      if (asked.elsewhere !== null) {
        return visit.redirect(`${base}/done`, { key: 'surveys.done.sent', params: { host: asked.elsewhere.host } });
      }
      return visit.redirect(`${base}/done`, { key: isFirst ? 'surveys.done.first' : 'surveys.done.again' });
    }
    if (step === 'next' && page !== 'all') checkPage(pages(sections, own)[page - 1], raw);
    await (asked.survey === null ? saveRemoteDraft : saveDraft)(visit.ctx, sent);
    if (step === 'save' || page === 'all') return visit.redirect(`${base}?page=${page}`, { key: 'surveys.draft.kept' });
    visit.redirect(`${base}?page=${Math.max(1, step === 'next' ? page + 1 : page - 1)}`);
  });

  routes.get(`${path}/:survey/done`, { access: 'signedIn', params: askedParams }, async (visit) => {
    const { asked, collective, own } = await enter(visit);
    if (!own.isAnswered) return visit.redirect(`${editPath(collective)}/asked/${asked.key}`);
    const frame = presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language);
    const model = { frame, ...presentAsked(asked, own, collective, visit.language), receipt: null };
    await visit.page('surveys/done', model, { title: visit.t('surveys.done.title'), nav: 'mine' });
  });

  routes.post(`${path}/:survey/withdraw`, { access: 'signedIn', params: askedParams }, async (visit) => {
    const { asked, collective } = await enter(visit);
    checkMayAnswerFor(visit, collective);
    await (asked.survey === null ? recallAnswer : withdrawAnswer)(
      visit.ctx,
      asked.key,
      answererFor(visit.ctx, collective),
    );
    visit.redirect(`${editPath(collective)}/asked`, { key: 'surveys.withdrawn' });
  });
}

interface Entered {
  collective: Collective;
  asked: AskedSurvey;
  own: OwnAnswer;
}

/** Refuses: not-found, the same for a survey of others and for none. */
async function enter(visit: AskedVisit): Promise<Entered> {
  const collective = await enterCollective(visit.ctx, visit.params.id);
  const asked = await findAsked(visit.ctx, collective, visit.params.survey);
  if (asked === null) throw new DomainError('not-found', 'error.notFound');
  return { collective, asked, own: await findOwnAnswer(visit.ctx, asked, answererFor(visit.ctx, collective)) };
}

/** Refuses: not-allowed. Who administers the instance looks, and does not speak for others. */
function checkMayAnswerFor(visit: AskedVisit, collective: Collective): void {
  if (!mayAnswerFor(visit.ctx.actor, collective)) throw new DomainError('not-allowed', 'surveys.error.membersAnswer');
}

function sectionsOf(asked: AskedSurvey): Section[] {
  return asked.sections.filter(({ questions }) => questions.length > 0);
}

/** Elsewhere an anonymous answer is given at the owner's, by a link. */
function isAnsweredHere(asked: AskedSurvey): boolean {
  return asked.survey !== null || asked.names !== 'anonymous';
}

/** What is known so far: the draft, else what was sent. */
function knownOf(own: OwnAnswer): Values {
  return own.draft?.values ?? own.values ?? {};
}

/** The sections to be answered, given what is known: each is a page. */
function pages(sections: readonly Section[], own: OwnAnswer): Section[] {
  const asked = new Set(askedSections(sections, knownOf(own)).map(({ id }) => id));
  return sections.filter(({ id }) => asked.has(id));
}

/** What is sent from one page takes the place of what was known about its questions; the others stay. */
function merge(sent: Record<string, unknown>, own: OwnAnswer, section: Section | null): Record<string, unknown> {
  if (section === null) return sent;
  const here = new Set(section.questions.map(({ id }) => id));
  const others = Object.entries(knownOf(own)).filter(([id]) => !here.has(id));
  return { ...Object.fromEntries(others), ...sent };
}

/** Refuses: invalid. What is wrong on a page is said before the next one. */
function checkPage(section: Section | undefined, raw: Record<string, unknown>): void {
  if (section === undefined) return;
  const { errors } = readAnswers([{ ...section, showIf: null }], raw);
  const mistakes = errors.filter(({ message }) => message.key !== 'surveys.answer.needed');
  if (mistakes.length > 0) throw new InvalidFields(mistakes);
}

interface Shown {
  page: 'all' | number | null;
  values: Record<string, unknown> | null;
  errors: FormState['errors'];
}

async function showAgain(visit: AskedVisit, form: FormState): Promise<void> {
  const entered = await enter(visit);
  const a = form.values.a;
  const page = form.values.page === 'all' ? 'all' : Number(form.values.page) || null;
  const values = typeof a === 'object' && a !== null ? (a as Record<string, unknown>) : {};
  // A mistake may stand on another page than the one that was sent: then all are shown.
  const shown = typeof page === 'number' ? pages(sectionsOf(entered.asked), entered.own)[page - 1] : undefined;
  const isElsewhere = form.errors.some(
    ({ field }) => field.startsWith('a.') && !shown?.questions.some(({ id }) => field === `a.${id}`),
  );
  const all = isElsewhere ? merge(values, entered.own, shown ?? null) : values;
  await show(visit, entered, { page: isElsewhere ? 'all' : page, values: all, errors: form.errors });
}

async function show(visit: AskedVisit, entered: Entered, { page, values, errors }: Shown): Promise<void> {
  const { collective, asked, own } = entered;
  const sections = sectionsOf(asked);
  const all = pages(sections, own);
  const count = sections.reduce((sum, { questions }) => sum + questions.length, 0);
  // Of an anonymous survey nothing is kept from page to page.
  const isLong = asked.names !== 'anonymous' && all.length > 1 && count > onOnePage;
  const wanted = page ?? (isLong ? 1 : 'all');
  const current = wanted === 'all' || asked.names === 'anonymous' ? 'all' : Math.min(wanted, all.length);
  const shown = current === 'all' ? sections : all.slice(current - 1, current);
  const services = await listServicesOf(visit.house.store, collective._id);
  const given = values ?? knownOf(own);
  const form = presentForm({
    sections: shown,
    languages: asked.languages,
    timeZone: asked.timeZone,
    language: visit.language,
    t: visit.t,
    given,
    errors,
    services: services.map(({ _id, profile }) => ({ id: _id, label: textIn(profile.name, visit.language) })),
  });
  const model = {
    frame: presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language),
    ...presentAsked(asked, own, collective, visit.language),
    sections: form,
    errors,
    page: current,
    isAll: current === 'all',
    isFirst: current === 1,
    isLast: current === 'all' || current === all.length,
    pages: current === 'all' ? 0 : all.length,
    mayAnswer: asked.state === 'open' && mayAnswerFor(visit.ctx.actor, collective) && isAnsweredHere(asked),
    mayDraft: asked.names !== 'anonymous',
    hasPages: isLong || (asked.names !== 'anonymous' && all.length > 1),
  };
  await visit.page('surveys/answer', model, { title: model.title.text, nav: 'mine' });
}

/** The number is shown once, and stands in no address and no store. */
async function showReceipt(visit: AskedVisit, receipt: string): Promise<void> {
  const { asked, own, collective } = await enter(visit);
  const frame = presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language);
  const model = { frame, ...presentAsked(asked, own, collective, visit.language), receipt };
  await visit.page('surveys/done', model, { title: visit.t('surveys.done.title'), nav: 'mine' });
}
