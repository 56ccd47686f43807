// Surveys for tests: one that asks hosters, ready to be answered. Overrides win.
import { reviewSections, reviewTitle } from '../../../jobs/roseauReview.js';
import type { Collective } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import { actorIri } from '../../../server/partners/rules.js';
import { createSurvey, type SurveySettings, saveSettings } from '../../../server/surveys/actions/drafting.js';
import { openSurvey } from '../../../server/surveys/actions/running.js';
import { getSurvey } from '../../../server/surveys/queries.js';
import type { Answerer, Invited, Question, Section, Survey } from '../../../server/surveys/schema.js';

export function invitedOf(ctx: Context, collective: Collective): Invited {
  const { _id, handle, profile } = collective;
  return { iri: actorIri(ctx.site, handle), collectiveId: _id, name: profile.name.fr, handle };
}

export function answererOf(ctx: Context, collective: Collective): Answerer {
  const { iri, name, handle } = invitedOf(ctx, collective);
  return { kind: 'collective', key: iri, name, handle };
}

const asked = { help: {}, required: false, showIf: null, criterion: '', other: false, min: null, max: null };
const yesOrNo = [
  { id: 'yes', label: { fr: 'Oui', en: 'Yes' } },
  { id: 'no', label: { fr: 'Non', en: 'No' } },
];

/** A section of questions of the kinds given, by their ids. */
export function choiceSection(
  questions: Readonly<Record<string, 'single' | 'multiple'>>,
  choices: { id: string; label: { fr: string; en: string } }[] = yesOrNo,
): Section {
  const label = { fr: 'D’accord ?', en: 'Agreed?' };
  return {
    ...{ id: 's', title: {}, intro: {}, showIf: null },
    questions: Object.entries(questions).map(([id, kind]) => ({ ...asked, id, kind, label, choices })),
  };
}

/** The Revue; for an anonymous survey without what names the answerer's services. */
function sectionsFor(names: Survey['names'] = 'named'): Section[] {
  if (names !== 'anonymous') return reviewSections;
  const isOwn = (one: Question) => one.kind === 'grid' && one.rowsFrom === 'services';
  return reviewSections.map((section) => ({
    ...section,
    questions: section.questions.filter((question) => !isOwn(question)),
  }));
}

/** A survey of `owner` that asks the collectives given; open unless `isDraft`. */
export async function buildSurvey(
  ctx: Context,
  owner: Collective,
  asked: readonly Collective[],
  overrides: Partial<SurveySettings> & { sections?: Section[]; isDraft?: boolean } = {},
): Promise<Survey> {
  const { sections = sectionsFor(overrides.names), isDraft = false, ...settings } = overrides;
  const title = reviewTitle;
  const draft = await createSurvey(ctx, owner._id, {
    title,
    languages: ['fr', 'en'],
    timeZone: 'Europe/Paris',
    sections,
  });
  const { intro, languages, answerBy, names, timeZone, opensAt, closesAt, late, reminders } = draft;
  await saveSettings(ctx, draft._id, {
    ...{ title, intro, languages, answerBy, names, timeZone, opensAt, closesAt, late, reminders },
    invited: asked.map((one) => invitedOf(ctx, one)),
    ...settings,
    revision: draft.revision,
  });
  if (!isDraft) await openSurvey(ctx, draft._id);
  return getSurvey(ctx.store, draft._id);
}
