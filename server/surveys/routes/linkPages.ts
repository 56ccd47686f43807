// Where a collective of another instance answers an anonymous survey: by the personal link that was sent to it, without an
// account here. GET shows the form, only POST counts; one answer for each link.
import { z } from 'zod';
import { findCollective } from '../../collectives/queries.js';
import { DomainError } from '../../errors.js';
import type { FormState } from '../../http/form.js';
import type { Routes, Visit } from '../../http/routes.js';
import { readLink } from '../../secrets.js';
import { textIn } from '../../shapes.js';
import { submitAnswer } from '../actions/answering.js';
import { presentTyped } from '../presentAnswers.js';
import { isOpenNow, presentPromise } from '../presentAsked.js';
import { presentForm, presentMistakes } from '../presentForm.js';
import { getSurvey, getVersion, hasAnswered } from '../queries.js';
import { linkPurpose, linkRecord, pickText } from '../rules.js';
import type { Invited, Survey } from '../schema.js';

const tokenParams = z.object({ token: z.string().max(200) });
const answerShape = z.object({
  a: z.record(z.string().max(40), z.unknown()).default({}),
  version: z.coerce.number().int().min(1).max(1000),
});

type LinkVisit = Visit<z.output<typeof tokenParams>, unknown, unknown>;

export function linkPages(routes: Routes): void {
  const path = '/surveys/by-link/:token';

  routes.get(path, { access: 'public', params: tokenParams, cache: 'none' }, (visit) => show(visit));

  const spec = { access: 'public', params: tokenParams, body: answerShape, cache: 'none', retry: show } as const;
  routes.post(path, spec, async (visit) => {
    const { survey, invited } = await enter(visit);
    const { iri, name, handle } = invited;
    const answerer = { kind: 'collective' as const, key: iri, name, handle };
    const { a: raw, version } = visit.body;
    const nobody = { by: '', byName: '', home: '' };
    const { receipt } = await submitAnswer(visit.ctx, { surveyId: survey._id, answerer, ...nobody, version, raw });
    await show(visit, null, receipt);
  });
}

/** Refuses: not-found (a link that we did not make, or whose survey is not anonymous or not there any more). */
async function enter(visit: LinkVisit): Promise<{ survey: Survey; invited: Invited }> {
  const { store, secret } = visit.house;
  const record = readLink(secret, linkPurpose, visit.params.token);
  const survey = record === null ? null : await getSurvey(store, record.split('_')[0] ?? '');
  const invited = survey?.invited.find(({ iri }) => linkRecord(survey._id, iri) === record);
  const isShown = survey?.names === 'anonymous' && (survey.state === 'open' || survey.state === 'closed');
  if (!survey || !invited || !isShown) throw new DomainError('not-found', 'error.notFound');
  return { survey, invited };
}

/** The receipt is shown once, and stands in no address and no store. */
async function show(visit: LinkVisit, form: FormState | null = null, receipt: string | null = null): Promise<void> {
  const { house, language, t } = visit;
  const { survey, invited } = await enter(visit);
  const { sections } = await getVersion(house.store, survey._id, survey.version);
  const owner = await findCollective(house.store, survey.collectiveId);
  const { languages, timeZone, names } = survey;
  const values = form?.values.a;
  const given = typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : {};
  const errors = form?.errors ?? [];
  const shown = sections.filter(({ questions }) => questions.length > 0);
  const title = pickText(survey.title, language, languages);
  // Who is in the bin takes no answers.
  const isInBin = owner !== null && owner.deletedAt !== null;
  const isOpen = !isInBin && isOpenNow(survey, visit.ctx.now);
  const isUsed = receipt === null && (await hasAnswered(house.store, survey, invited.iri));
  const isLost = form !== null && (isUsed || !isOpen);
  const model = {
    action: `/surveys/by-link/${visit.params.token}`,
    title,
    intro: pickText(survey.intro, language, languages),
    organiser: owner === null ? '' : textIn(owner.profile.name, language),
    name: invited.name,
    ...presentPromise(names, 'collective', true),
    version: survey.version,
    isOpen,
    // Its end has not come.
    end: survey.closedAt ?? (isInBin ? null : survey.closesAt),
    isUsed,
    lost: isLost ? (isUsed ? 'surveys.typed.first.collective' : 'surveys.typed.text') : null,
    typed: isLost ? presentTyped(shown, given, { languages, timeZone, language, t }) : [],
    receipt,
    mistakes: presentMistakes({ sections: shown, errors, language, languages }),
    receiptHref: `/surveys/${survey._id}/receipt`,
    sections: presentForm({ sections: shown, languages, timeZone, language, t, given, errors, services: [] }),
  };
  await visit.page('surveys/byLink', model, { title: title.text, withForm: true, noIndex: true });
}
