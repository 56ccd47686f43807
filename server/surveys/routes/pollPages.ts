// Where organisers offer questions to the Fediverse as polls, and the page of each poll that everybody may read.
import { z } from 'zod';
import { nameIn, pagePath } from '../../collectives/present.js';
import { findCollective } from '../../collectives/queries.js';
import { isPublic } from '../../collectives/rules.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes } from '../../http/routes.js';
import { checkbox } from '../../shapes.js';
import { offerPolls, withdrawPoll } from '../actions/polls.js';
import { surveyParams } from '../editForms.js';
import { findPoll, listPollResults, readPoll } from '../pollQueries.js';
import { fediversePath, presentFediverse, presentOffer } from '../presentPolls.js';
import { getVersion } from '../queries.js';
import { isOpen, pickText } from '../rules.js';
import { enterSurvey, enterToChange, type SurveyVisit, showSurvey } from './organisePages.js';

const withdrawParams = z.object({ id: z.uuid(), survey: z.uuid(), poll: z.uuid() });
const pollParams = z.object({ poll: z.uuid() });
/** Days that a poll may last, as Mastodon offers them and a little more. */
const durations = ['1', '3', '7', '14', '30'] as const;
const idList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat().filter((one) => one !== ''))
  .pipe(z.array(z.string().max(20)).max(200));
const offerShape = z.object({
  questions: idList.default([]),
  days: z.union([z.literal(''), z.enum(durations)]).default(''),
  agreed: checkbox.refine((value) => value, 'polls.error.agreed'),
});

const noForm: FormState = { values: {}, errors: [] };
const dayMs = 24 * 60 * 60 * 1000;

export function pollPages(routes: Routes): void {
  const path = '/my/collectives/:id/surveys/:survey/fediverse';
  routes.get(path, { access: 'signedIn', params: surveyParams }, (visit) => show(visit, noForm));

  const spec = { access: 'signedIn', params: surveyParams, body: offerShape, retry: show } as const;
  routes.post(path, spec, async (visit) => {
    const { survey } = await enterToChange(visit);
    const { questions, days } = visit.body;
    const endsAt = days === '' ? null : new Date(visit.ctx.now.getTime() + Number(days) * dayMs);
    await offerPolls(visit.ctx, survey._id, { questions, endsAt });
    visit.redirect(fediversePath(survey), { key: 'polls.offered' });
  });

  routes.post(`${path}/:poll/withdraw`, { access: 'signedIn', params: withdrawParams }, async (visit) => {
    const { survey } = await enterSurvey(visit);
    await withdrawPoll(visit.ctx, survey._id, visit.params.poll);
    visit.redirect(fediversePath(survey), { key: 'polls.withdrawn' });
  });

  routes.get('/polls/:poll', { access: 'public', params: pollParams }, async (visit) => {
    const { store } = visit.house;
    const poll = await findPoll(store, visit.params.poll);
    const owner = poll && (await findCollective(store, poll.collectiveId));
    if (!poll || !owner || !isPublic(owner)) throw new DomainError('not-found', 'error.notFound');
    if (poll.state === 'withdrawn') throw new DomainError('gone', 'polls.error.gone');
    const [shown] = presentFediverse([await readPoll(store, poll)], visit.language);
    const model = {
      poll: shown,
      survey: pickText(poll.title, visit.language, poll.languages),
      organiser: nameIn(owner, visit.language),
      organiserHref: pagePath(owner),
      address: `${visit.house.site.baseUrl}/objects/${poll._id}`,
      host: visit.house.site.host,
    };
    await visit.page('surveys/poll', model, { title: shown?.label.text ?? '' });
  });
}

async function show(visit: SurveyVisit, form: FormState): Promise<void> {
  const entered = await enterSurvey(visit);
  const { survey, collective } = entered;
  if (survey.deletedAt !== null) throw new DomainError('gone', 'surveys.error.gone');
  const { store, site } = visit.house;
  const { sections } = await getVersion(store, survey._id, survey.version);
  const offer = presentOffer(survey, sections, await listPollResults(store, survey._id), visit.language);
  const model = {
    ...offer,
    form,
    mayOffer: isOpen(survey, visit.ctx.now) && isPublic(collective),
    isPublic: isPublic(collective),
    closesAt: survey.closesAt,
    host: site.host,
    isAnonymous: survey.names === 'anonymous',
    durations: durations.map((value) => ({ value, label: visit.t('polls.days', { days: Number(value) }) })),
  };
  await showSurvey(visit, entered, 'overview', 'surveys/fediverse', model);
}
