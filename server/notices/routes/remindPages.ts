// Reminders by hand: who has not answered, who would get what, and the button.
import { z } from 'zod';
import { editPath, presentEditFrame } from '../../collectives/present.js';
import { enterCollective } from '../../collectives/queries.js';
import { type Language, languages } from '../../context.js';
import { DomainError } from '../../errors.js';
import type { Routes, Visit } from '../../http/routes.js';
import { textIn } from '../../shapes.js';
import { presentSurveyFrame, surveyPath } from '../../surveys/presentOrganise.js';
import { findSurvey } from '../../surveys/queries.js';
import { isOpen } from '../../surveys/rules.js';
import { writeLetter } from '../actions/letters.js';
import type { Draft } from '../actions/queue.js';
import { planReminder, remindByHand } from '../actions/reminding.js';
import { letters } from '../actions/surveyLetters.js';
import { withoutLinks } from '../samples.js';

const params = z.object({ id: z.uuid(), survey: z.uuid() });
type RemindVisit = Visit<z.output<typeof params>, unknown, unknown>;

export function remindPages(routes: Routes): void {
  const { house } = routes;
  const path = '/my/collectives/:id/surveys/:survey/remind';

  const show = async (visit: RemindVisit) => {
    const collective = await enter(visit);
    const plan = await planReminder(visit.ctx, visit.params.survey);
    const { survey } = plan;
    const { language } = visit;
    const drafts = await letters(house, survey, 'surveyReminder', plan.missing);
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'asked', language),
      survey: presentSurveyFrame(survey, 'overview', language),
      action: `${surveyPath(survey)}/remind`,
      isOpen: isOpen(survey, visit.ctx.now),
      mails: plan.mails,
      lastAt: plan.lastAt,
      mayRemind: plan.mayRemind,
      missing: plan.missing.map(({ invited, collective: one, people, reached }) => ({
        name: one ? textIn(one.profile.name, language) : invited.name,
        handle: invited.handle,
        isElsewhere: one === null,
        people: people.length,
        reached,
        ...countLanguages(drafts.filter(({ about }) => one !== null && about === `${survey._id}:${one._id}`)),
      })),
      letters: await Promise.all(languages.flatMap((one) => sampleOf(visit, drafts, one))),
    };
    await visit.page('surveys/remind', model, { title: visit.t('notices.remind.title'), nav: 'mine' });
  };

  routes
    .get(path, { access: 'signedIn', params }, (visit) => show(visit))
    .post(path, { access: 'signedIn', params }, async (visit) => {
      const collective = await enter(visit);
      const count = await remindByHand(house, visit.ctx, visit.params.survey);
      visit.redirect(`${editPath(collective)}/surveys/${visit.params.survey}/remind`, {
        key: 'notices.remind.done',
        params: { count },
      });
    });
}

/** Refuses: not-found, the same for a survey of another collective and for none. */
async function enter(visit: RemindVisit) {
  const collective = await enterCollective(visit.ctx, visit.params.id);
  const survey = await findSurvey(visit.ctx.store, visit.params.survey);
  if (survey?.collectiveId !== collective._id) throw new DomainError('not-found', 'error.notFound');
  return collective;
}

function countLanguages(drafts: readonly Draft[]): { fr: number; en: number; both: 'yes' | 'no' } {
  const [fr, en] = (['fr', 'en'] as const).map((one) => drafts.filter(({ language }) => language === one).length);
  return { fr: fr ?? 0, en: en ?? 0, both: fr && en ? 'yes' : 'no' };
}

/** One of the letters that would leave in this language, as it will read, but to whom; none: nobody reads it. */
function sampleOf(visit: RemindVisit, drafts: readonly Draft[], language: Language) {
  const draft = drafts.find((one) => one.language === language);
  if (draft === undefined) return [];
  const { kind, params } = draft;
  const hidden = visit.house.i18n.translator(language)('notices.remind.link');
  const letter = writeLetter(visit.house, kind, language, { ...params, name: '…' }, { hasLink: true });
  return [letter.then((written) => ({ language, ...withoutLinks(written, hidden) }))];
}
