// Reminders by hand: who has not answered, who would get what, and the button.
import { z } from 'zod';
import { editPath, nameIn, presentEditFrame } from '../../collectives/present.js';
import { enterCollective } from '../../collectives/queries.js';
import { DomainError } from '../../errors.js';
import { dateFormat } from '../../formatters.js';
import type { Routes, Visit } from '../../http/routes.js';
import { textIn } from '../../shapes.js';
import { findSurvey } from '../../surveys/queries.js';
import { isOpen, pickText } from '../../surveys/rules.js';
import { writeLetter } from '../actions/letters.js';
import { planReminder, remindByHand } from '../actions/reminding.js';
import { linkMark, stopMark } from '../schema.js';

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
    const title = pickText(survey.title, language, survey.languages);
    const end =
      survey.closesAt === null
        ? 'none'
        : dateFormat(language === 'en' ? 'en-GB' : language, {
            dateStyle: 'full',
            timeStyle: 'short',
            timeZone: survey.timeZone,
          }).format(survey.closesAt);
    const sample = plan.missing[0]?.invited.name ?? '…';
    const letter = await writeLetter(
      house,
      'surveyReminder',
      language,
      {
        title: title.text,
        end,
        organiser: nameIn(collective, language),
        who: survey.answerBy,
        collective: sample,
        name: '…',
      },
      { hasLink: true },
    );
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'asked', language),
      back: `${editPath(collective)}/surveys/${survey._id}`,
      action: `${editPath(collective)}/surveys/${survey._id}/remind`,
      title,
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
      })),
      subject: letter.subject,
      written: letter.text
        .replaceAll(linkMark, `[${visit.t('notices.remind.link')}]`)
        .replaceAll(stopMark, `[${visit.t('notices.remind.link')}]`),
    };
    await visit.page('notices/remind', model, { title: visit.t('notices.remind.title'), nav: 'mine' });
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
