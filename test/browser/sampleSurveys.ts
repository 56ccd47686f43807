// Surveys of the sample house: ROSEAU's review, which waits for the answer of L'Écluse Libre and has those of others.
import { reviewAnswers, reviewIntro, reviewSections, reviewTitle } from '../../jobs/roseauReview.js';
import { collectivesOf } from '../../server/collectives/queries.js';
import { contextOf, type House } from '../../server/house.js';
import { actorIri } from '../../server/partners/rules.js';
import { submitAnswer } from '../../server/surveys/actions/answering.js';
import { createSurvey, saveSettings } from '../../server/surveys/actions/drafting.js';
import { offerPolls, receiveVote } from '../../server/surveys/actions/polls.js';
import { openSurvey } from '../../server/surveys/actions/running.js';
import { answererFor } from '../../server/surveys/askedSurveys.js';

const day = 24 * 3_600_000;
const system = { kind: 'system', name: 'sample' } as const;

/** The ids by which the pictures name pages: the collective of the member account, and its survey to answer. */
export async function addSurveys(house: House): Promise<{ collective: string; survey: string; poll: string }> {
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
  return { collective: ecluse._id, survey: survey._id, poll: await addPolls(house, survey._id) };
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
