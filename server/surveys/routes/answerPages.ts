// Where a collective's people see which surveys ask it, and answer in its name.
import { z } from 'zod';
import { listServicesOf } from '../../catalogue/queries.js';
import { editPath, nameIn, presentEditFrame } from '../../collectives/present.js';
import { enterCollective } from '../../collectives/queries.js';
import { checkNotInBin } from '../../collectives/rules.js';
import type { Collective } from '../../collectives/schema.js';
import { DomainError } from '../../errors.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { textIn } from '../../shapes.js';
import { withdrawAnswer } from '../actions/answering.js';
import { markAnswered, recallAnswer } from '../actions/sending.js';
import { answererFor, findAsked, findOwnAnswer, listAsked } from '../askedSurveys.js';
import { listQuery } from '../editForms.js';
import { askedPath, pageAskedList } from '../presentAsked.js';
import { presentParts } from '../presentOrganise.js';
import { mayAnswerFor } from '../rules.js';
import {
  answerShape,
  pageQuery,
  receiveAnswer,
  type Seat,
  sendCopy,
  showAnswer,
  showAnswerAgain,
  showDone,
} from './answerForm.js';

const idParams = z.object({ id: z.uuid() });
const askedParams = z.object({ id: z.uuid(), survey: z.union([z.uuid(), z.string().regex(/^[0-9a-f]{64}$/)]) });

const markShape = z.object({ is: z.enum(['yes', 'no']) });

type AskedVisit = Visit<z.output<typeof askedParams>, unknown, unknown>;

export function answerPages(routes: Routes): void {
  const path = '/my/collectives/:id/asked';
  const entering = { access: 'signedIn', params: askedParams } as const;

  routes.get(path, { access: 'signedIn', params: idParams, query: listQuery }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const lines = await listAsked(visit.ctx, collective);
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'asked', visit.language),
      parts: presentParts(collective, 'asked'),
      ...pageAskedList(
        lines,
        { pathOf: (key) => askedPath(collective, key), base: `${editPath(collective)}/asked`, page: visit.query.page },
        visit.language,
      ),
    };
    await visit.page('surveys/askedList', model, { title: nameIn(collective, visit.language), nav: 'mine' });
  });

  routes.get(`${path}/:survey`, { ...entering, query: pageQuery }, async (visit) => {
    const { seat } = await enter(visit);
    await showAnswer(visit, seat, { page: visit.query.page ?? null, values: null, errors: [] });
  });

  const again: Parameters<typeof routes.post<typeof askedParams>>[1]['retry'] = async (visit, form) =>
    showAnswerAgain(visit, (await enter(visit)).seat, form);
  routes.post(`${path}/:survey`, { ...entering, body: answerShape, retry: again }, async (visit) => {
    const { seat } = await enterToAnswer(visit);
    const sent = await receiveAnswer(visit, seat);
    if (sent === null) return;
    if (sent.receipt !== null) return showDone(visit, (await enter(visit)).seat, sent.receipt);
    const { elsewhere } = seat.asked;
    const known = { key: sent.isFirst ? 'surveys.done.first' : 'surveys.done.again' };
    const done = elsewhere === null ? known : { key: 'surveys.done.sent', params: { host: elsewhere.host } };
    visit.redirect(`${seat.place.path}/done`, done);
  });

  routes.get(`${path}/:survey/done`, entering, async (visit) => {
    const { seat } = await enter(visit);
    if (!seat.own.isAnswered) return visit.redirect(seat.place.path);
    await showDone(visit, seat, null);
  });

  routes.post(`${path}/:survey/answered`, { ...entering, body: markShape }, async (visit) => {
    const { seat } = await enterToAnswer(visit);
    if (seat.asked.elsewhere === null) throw new DomainError('not-found', 'error.notFound');
    const isAnswered = visit.body.is === 'yes';
    await markAnswered(visit.ctx, seat.asked.key, seat.answerer, isAnswered);
    visit.redirect(seat.place.path, { key: isAnswered ? 'surveys.marked.yes' : 'surveys.marked.no' });
  });

  routes.post(`${path}/:survey/withdraw`, entering, async (visit) => {
    const { seat, collective } = await enterToAnswer(visit);
    const withdraw = seat.asked.survey === null ? recallAnswer : withdrawAnswer;
    await withdraw(visit.ctx, seat.asked.key, seat.answerer);
    visit.redirect(`${editPath(collective)}/asked`, { key: 'surveys.withdrawn' });
  });

  routes.post(`${path}/:survey/copy`, entering, async (visit) => {
    const { seat } = await enterToAnswer(visit);
    await sendCopy(visit, seat);
  });
}

/** Refuses: not-found, the same for a survey of others and for none. */
async function enter(visit: AskedVisit): Promise<{ collective: Collective; seat: Seat }> {
  const { ctx, language } = visit;
  const collective = await enterCollective(ctx, visit.params.id);
  const asked = await findAsked(ctx, collective, visit.params.survey);
  if (asked === null) throw new DomainError('not-found', 'error.notFound');
  const answerer = answererFor(ctx, collective);
  const person = personOf(ctx);
  const services = await listServicesOf(ctx.store, collective._id);
  const seat: Seat = {
    asked,
    own: await findOwnAnswer(ctx, asked, answerer),
    answerer,
    by: person.personId,
    byName: person.displayName,
    place: {
      kind: 'collective',
      path: askedPath(collective, asked.key),
      listHref: `${editPath(collective)}/asked`,
    },
    frame: presentEditFrame(ctx.actor, collective, 'asked', language),
    mayAnswer: mayAnswerFor(ctx.actor, collective),
    services: services.map(({ _id, profile }) => ({ id: _id, label: textIn(profile.name, language) })),
    guest: null,
  };
  return { collective, seat };
}

/** Refuses: not-found, closed (in the bin), not-allowed. Who administers the instance looks, and does not speak for others. */
async function enterToAnswer(visit: AskedVisit): Promise<{ collective: Collective; seat: Seat }> {
  const entered = await enter(visit);
  checkNotInBin(entered.collective);
  if (!entered.seat.mayAnswer) throw new DomainError('not-allowed', 'surveys.error.membersAnswer');
  return entered;
}
