// Where a person sees which surveys ask each person, and answers for themselves alone.
import { z } from 'zod';
import { DomainError } from '../../errors.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { presentTabs } from '../../people/present.js';
import { withdrawAnswer } from '../actions/answering.js';
import { findAskedPerson, listAskedPerson, personAnswerer } from '../askedPeople.js';
import { findOwnAnswer } from '../askedSurveys.js';
import { listQuery } from '../editForms.js';
import { pageAskedList } from '../presentAsked.js';
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

const list = '/me/surveys';
const askedParams = z.object({ survey: z.uuid() });
type AskedVisit = Visit<z.output<typeof askedParams>, unknown, unknown>;

export function personPages(routes: Routes): void {
  const path = `${list}/:survey`;
  const entering = { access: 'signedIn', params: askedParams } as const;

  routes.get(list, { access: 'signedIn', query: listQuery }, async (visit) => {
    const lines = await listAskedPerson(visit.ctx, personOf(visit.ctx));
    const at = { pathOf: (key: string) => `${list}/${key}`, base: list, page: visit.query.page };
    const model = { tabs: presentTabs(list), ...pageAskedList(lines, at, visit.language) };
    await visit.page('surveys/personList', model, { title: visit.t('surveys.person.title'), nav: 'mine' });
  });

  routes.get(path, { ...entering, query: pageQuery }, async (visit) => {
    const page = visit.query.page ?? null;
    await showAnswer(visit, await enter(visit), { page, values: null, errors: [] });
  });

  const again: Parameters<typeof routes.post<typeof askedParams>>[1]['retry'] = async (visit, form) =>
    showAnswerAgain(visit, await enter(visit), form);
  routes.post(path, { ...entering, body: answerShape, retry: again }, async (visit) => {
    const seat = await enter(visit);
    const sent = await receiveAnswer(visit, seat);
    if (sent === null) return;
    if (sent.receipt !== null) return showDone(visit, await enter(visit), sent.receipt);
    const done = { key: sent.isFirst ? 'surveys.done.first' : 'surveys.done.again' };
    visit.redirect(`${seat.place.path}/done`, done);
  });

  routes.get(`${path}/done`, entering, async (visit) => {
    const seat = await enter(visit);
    if (!seat.own.isAnswered) return visit.redirect(seat.place.path);
    await showDone(visit, seat, null);
  });

  routes.post(`${path}/withdraw`, entering, async (visit) => {
    const { asked, answerer } = await enter(visit);
    await withdrawAnswer(visit.ctx, asked.key, answerer);
    visit.redirect(list, { key: 'surveys.withdrawn' });
  });

  routes.post(`${path}/copy`, entering, async (visit) => {
    await sendCopy(visit, await enter(visit));
  });
}

/** Refuses: not-found, the same for a survey of others and for none. */
async function enter(visit: AskedVisit): Promise<Seat> {
  const { ctx } = visit;
  const person = personOf(ctx);
  const asked = await findAskedPerson(ctx, person, visit.params.survey);
  if (asked === null) throw new DomainError('not-found', 'error.notFound');
  const answerer = personAnswerer(person);
  return {
    asked,
    own: await findOwnAnswer(ctx, asked, answerer),
    answerer,
    by: person.personId,
    byName: person.displayName,
    place: { kind: 'person', path: `${list}/${asked.key}`, listHref: list },
    frame: null,
    mayAnswer: true,
    services: [],
    guest: null,
  };
}
