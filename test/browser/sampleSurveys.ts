// Surveys of the sample house: ROSEAU's review, which waits for the answer of L'Écluse Libre and has those of others.
import { reviewAnswers, reviewIntro, reviewSections, reviewTitle } from '../../jobs/roseauReview.js';
import { collectivesOf } from '../../server/collectives/queries.js';
import type { Collective } from '../../server/collectives/schema.js';
import { contextOf, type House } from '../../server/house.js';
import { actorIri } from '../../server/partners/rules.js';
import { submitAnswer } from '../../server/surveys/actions/answering.js';
import { createSurvey, type NewSurvey, saveSettings } from '../../server/surveys/actions/drafting.js';
import { offerPolls, receiveVote } from '../../server/surveys/actions/polls.js';
import { chooseSlot, closeSurvey, openSurvey, publishResults } from '../../server/surveys/actions/running.js';
import { answererFor } from '../../server/surveys/askedSurveys.js';
import { getSurvey } from '../../server/surveys/queries.js';
import type { Choice, Section, Texts } from '../../server/surveys/schema.js';
import { templateOf } from '../../server/surveys/templates.js';
import { addRemoteSurveys } from './sampleRemoteSurveys.js';

const day = 24 * 3_600_000;
const system = { kind: 'system', name: 'sample' } as const;

/** The ids by which the pictures name pages: the collective of the member account, and its survey to answer. */
export async function addSurveys(house: House): Promise<Record<string, string>> {
  const ctx = contextOf(house, system);
  const hosters = (await collectivesOf(house.store).find({}).toArray()).filter(({ handle }) => handle in reviewAnswers);
  const ecluse = hosters.find(({ handle }) => handle === 'ecluse');
  if (!ecluse) throw new Error('the sample lacks a hoster');
  const survey = await createSurvey(ctx, ecluse._id, {
    title: reviewTitle,
    intro: reviewIntro,
    languages: ['fr', 'en'],
    timeZone: 'Europe/Paris',
    sections: reviewSections,
  });
  const { title, intro, languages, answerBy, names, timeZone, opensAt, late, reminders, revision } = survey;
  await saveSettings(ctx, survey._id, {
    ...{ title, intro, languages, answerBy, names, timeZone, opensAt, late, reminders, revision },
    closesAt: new Date(ctx.now.getTime() + 9 * day),
    invited: hosters.map(({ _id, handle, profile }) => ({
      iri: actorIri(ctx.site, handle),
      collectiveId: _id,
      name: profile.name.fr,
      handle,
    })),
  });
  await openSurvey(ctx, survey._id);
  for (const hoster of hosters.filter((one) => one !== ecluse)) {
    await submitAnswer(ctx, {
      surveyId: survey._id,
      answerer: answererFor(ctx, hoster),
      by: 'sample',
      byName: 'Noé',
      home: '',
      version: 1,
      raw: reviewAnswers[hoster.handle] ?? {},
    });
  }
  const charter = templateOf('review', ctx.now, 'Europe/Paris');
  // One text is not translated yet, so that the mark shows.
  const [first, ...others] = charter.sections;
  const sections = first ? [{ ...first, title: { fr: first.title.fr ?? '' } }, ...others] : [];
  const input = { ...charter, sections, languages: ['fr', 'en'], timeZone: 'Europe/Paris' };
  const draft = await createSurvey(ctx, ecluse._id, input);
  const closed = await addClosed(house, hosters, ecluse);
  const person = await addOpen(house, ecluse, { answerBy: 'person', names: 'hiddenUntilClose' }, meetingTitle);
  const guest = await addOpen(house, ecluse, { answerBy: 'anyone' }, visitorsTitle);
  const secret = await addOpen(house, ecluse, { answerBy: 'anyone', names: 'anonymous' }, moodTitle);
  const counted = await addCounted(house, secret);
  const pages = await addOpen(house, ecluse, { answerBy: 'anyone' }, pagesTitle, pagedSections);
  const ids = {
    counted,
    collective: ecluse._id,
    survey: survey._id,
    person,
    pages,
    guest,
    secret,
    draft: draft._id,
    closed,
    poll: await addPolls(house, survey._id),
  };
  return { ...ids, ...(await addRemoteSurveys(house, ecluse._id)) };
}

/** Two questions offered to the Fediverse; the first has votes. */
async function addPolls(house: House, surveyId: string): Promise<string> {
  const ctx = contextOf(house, system);
  const [poll] = await offerPolls(ctx, surveyId, { questions: ['load', 'legal'], endsAt: null });
  if (!poll) throw new Error('the sample lacks a poll');
  const names = poll.options.map(({ name }) => name);
  for (const [index, name] of [...names, names[3], names[3], names[4]].entries()) {
    const iri = `https://elsewhere.example/users/voter${index}`;
    const voter = { iri, host: 'elsewhere.example', inbox: 'https://elsewhere.example/inbox' };
    await receiveVote(ctx, { pollId: poll._id, voter, name: name ?? '', iri: `${iri}#vote` });
  }
  return poll._id;
}

/** The same one as a second edition, over and published, with the first one before it. */
async function addClosed(house: House, hosters: readonly Collective[], ecluse: Collective): Promise<string> {
  const before = await addEdition(house, hosters.slice(0, 4), ecluse, null);
  const closed = await addEdition(house, hosters, ecluse, before);
  const ctx = contextOf(house, system);
  await chooseSlot(ctx, closed, { question: 'slot', slot: 'thu' });
  const { revision } = await getSurvey(house.store, closed);
  const notes = {
    fr: 'Merci à toutes et à tous. La charge reste lourde : nous en parlons en réunion.',
    en: 'Thank you all. The load stays heavy: we talk about it at the meeting.',
  };
  await publishResults(ctx, closed, { revision, readers: 'public', hidden: ['publish'], notes });
  return closed;
}

async function addEdition(
  house: House,
  hosters: readonly Collective[],
  ecluse: Collective,
  previousId: string | null,
): Promise<string> {
  const ctx = contextOf(house, system);
  const settings = { title: reviewTitle, intro: reviewIntro, languages: ['fr', 'en'], timeZone: 'Europe/Paris' };
  const survey = await createSurvey(ctx, ecluse._id, { ...settings, sections: reviewSections, previousId });
  const invited = hosters.map(({ _id, handle, profile }) => ({
    iri: actorIri(ctx.site, handle),
    collectiveId: _id,
    name: profile.name.fr,
    handle,
  }));
  await saveSettings(ctx, survey._id, { ...survey, invited });
  await openSurvey(ctx, survey._id);
  const by = { by: 'sample', byName: 'Noé', home: '', version: 1 };
  for (const hoster of hosters.slice(0, previousId === null ? 3 : 5)) {
    const raw = reviewAnswers[hoster.handle] ?? {};
    await submitAnswer(ctx, { surveyId: survey._id, answerer: answererFor(ctx, hoster), ...by, raw });
  }
  await closeSurvey(ctx, survey._id);
  return survey._id;
}

/** An anonymous one that six have answered: a question that few have answered, and one to which all said the same. */
async function addCounted(house: House, model: string): Promise<string> {
  const ctx = contextOf(house, system);
  const { collectiveId, title, languages, timeZone } = await getSurvey(house.store, model);
  const who = { answerBy: 'anyone', names: 'anonymous' } as const;
  const survey = await createSurvey(ctx, collectiveId, { ...who, title, languages, timeZone, sections: shortSections });
  await openSurvey(ctx, survey._id);
  for (let guest = 0; guest < 6; guest += 1) {
    const raw = { come: { is: 'yes' }, ...(guest < 3 && { order: { ranked: ['people', 'money', 'machines'] } }) };
    const answerer = { kind: 'anyone' as const, key: `guest:${guest}`, name: '', handle: '' };
    await submitAnswer(ctx, { surveyId: survey._id, answerer, by: '', byName: '', home: '', version: 1, raw });
  }
  await closeSurvey(ctx, survey._id);
  const { revision } = await getSurvey(house.store, survey._id);
  await publishResults(ctx, survey._id, { revision, readers: 'public', hidden: [], notes: {} });
  return survey._id;
}

const meetingTitle = { fr: 'Ordre du jour de l’assemblée', en: 'Agenda of the assembly' };
const visitorsTitle = { fr: 'Qu’attendez-vous d’un hébergeur ?', en: 'What do you expect of a hoster?' };
const moodTitle = { fr: 'Comment va le réseau ?', en: 'How is the network doing?' };

/** A short one that stands open: a ranking, a question that depends on another one, a text. */
async function addOpen(
  house: House,
  owner: Collective,
  who: Pick<NewSurvey, 'answerBy' | 'names'>,
  title: Texts,
  sections: Section[] = shortSections,
): Promise<string> {
  const ctx = contextOf(house, system);
  const { languages, timeZone } = { languages: ['fr', 'en'], timeZone: 'Europe/Paris' };
  const survey = await createSurvey(ctx, owner._id, { ...who, title, languages, timeZone, sections });
  const iri = actorIri(ctx.site, owner.handle);
  const invited = [{ iri, collectiveId: owner._id, name: owner.profile.name.fr, handle: owner.handle }];
  const closesAt = new Date(ctx.now.getTime() + 5 * day);
  const isForAll = who.answerBy === 'anyone';
  await saveSettings(ctx, survey._id, { ...survey, closesAt, listed: isForAll, invited: isForAll ? [] : invited });
  await openSurvey(ctx, survey._id);
  return survey._id;
}

const pagesTitle = { fr: 'Accueillir des stagiaires', en: 'Welcoming trainees' };

const plain = { help: {}, required: false, showIf: null, criterion: '' };
const choice = (id: string, fr: string, en: string): Choice => ({ id, label: { fr, en } });
const shortSections: Section[] = [
  {
    id: 's1',
    title: { fr: 'Vos priorités', en: 'Your priorities' },
    intro: {},
    showIf: null,
    questions: [
      {
        ...plain,
        id: 'order',
        kind: 'ranking',
        label: { fr: 'Que faut-il traiter d’abord ?', en: 'What should come first?' },
        choices: [
          choice('money', 'Les finances', 'Money'),
          choice('people', 'L’accueil des bénévoles', 'Welcoming volunteers'),
          choice('machines', 'Le remplacement des machines', 'Replacing the machines'),
        ],
      },
      {
        ...plain,
        id: 'come',
        kind: 'single',
        required: true,
        label: { fr: 'Viendrez-vous ?', en: 'Will you come?' },
        choices: [choice('yes', 'Oui', 'Yes'), choice('no', 'Non', 'No')],
        other: false,
        min: null,
        max: null,
      },
      {
        ...plain,
        id: 'why',
        kind: 'longText',
        label: { fr: 'Qu’est-ce qui vous en empêche ?', en: 'What keeps you from coming?' },
        showIf: { question: 'come', test: 'oneOf', values: ['no'], number: null },
      },
    ],
  },
];

/** The last page comes only to those who say yes on the one before. */
const pagedSections: Section[] = [
  {
    ...{ id: 'p1', title: { fr: 'Votre structure', en: 'Your organisation' }, intro: {}, showIf: null },
    questions: [
      { ...plain, id: 'size', kind: 'shortText', label: { fr: 'Combien êtes-vous ?', en: 'How many are you?' } },
    ],
  },
  {
    ...{ id: 'p2', title: { fr: 'L’accueil', en: 'Welcoming' }, intro: {}, showIf: null },
    questions: [
      {
        ...{ ...plain, id: 'take', kind: 'single', other: false, min: null, max: null },
        label: { fr: 'Prendriez-vous une personne en stage ?', en: 'Would you take a trainee?' },
        choices: [choice('yes', 'Oui', 'Yes'), choice('no', 'Non', 'No')],
      },
    ],
  },
  {
    ...{ id: 'p3', title: { fr: 'Le stage', en: 'The placement' }, intro: {} },
    showIf: { question: 'take', test: 'oneOf', values: ['yes'], number: null },
    questions: [
      { ...plain, id: 'tasks', kind: 'longText', label: { fr: 'Pour quelles tâches ?', en: 'For which tasks?' } },
    ],
  },
];
