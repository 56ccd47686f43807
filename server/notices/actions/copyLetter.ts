// The mail with which somebody keeps their own answer to a survey: what was answered, or the link to it.
import type { EventOf } from '../../events.js';
import { findPerson } from '../../people/queries.js';
import { mayEnter } from '../../people/rules.js';
import { presentAnswers } from '../../surveys/presentAnswers.js';
import { answersIn, findSurvey, getVersion } from '../../surveys/queries.js';
import { findRemoteSurvey, type SentAnswer, sentAnswersIn } from '../../surveys/remoteSurveys.js';
import { guestLink, pickText } from '../../surveys/rules.js';
import type { Section, Survey, Values } from '../../surveys/schema.js';
import { type Desk, type Draft, toPerson } from './queue.js';

/** To a person what was answered; to a guest, whose address nobody has proved, the link alone. */
export async function copyLetter({ house }: { house: Desk }, event: EventOf<'survey.copyRequested'>): Promise<Draft[]> {
  const sent = await sentAnswersIn(house.store).findOne({ _id: event.answerId });
  if (sent) return sentCopyLetter(house, event, sent);
  const answer = await answersIn(house.store).findOne({ _id: event.answerId });
  const survey = await findSurvey(house.store, event.surveyId);
  if (!answer || !survey || survey.deletedAt) return [];
  if (event.personId === null) {
    const guestId = answer.answerer.key.replace(/^guest:/, '');
    const link = { path: '/surveys/answer/', purpose: 'survey-answer', id: guestLink(survey._id, guestId) };
    const { language } = event;
    const params = { title: pickText(survey.title, language, survey.languages).text };
    return answer.email ? [{ to: answer.email, personId: null, language, kind: 'surveyLink', params, link }] : [];
  }
  const { sections } = await getVersion(house.store, survey._id, answer.version);
  return copyTo(house, event.personId, { ...survey, sections }, answer.values, `/surveys/${survey._id}`);
}

/** Of a survey elsewhere only its last questions are known. */
async function sentCopyLetter(house: Desk, event: EventOf<'survey.copyRequested'>, sent: SentAnswer): Promise<Draft[]> {
  const survey = await findRemoteSurvey(house.store, sent.surveyKey);
  if (!survey || survey.deletedAt || sent.state === 'withdrawn' || event.personId === null) return [];
  const path = `/my/collectives/${sent.collectiveId}/asked/${survey._id}`;
  return copyTo(house, event.personId, survey, sent.values, path);
}

async function copyTo(
  house: Desk,
  personId: string,
  survey: Pick<Survey, 'title' | 'languages' | 'timeZone'> & { sections: readonly Section[] },
  values: Values,
  path: string,
): Promise<Draft[]> {
  const person = await findPerson(house.store, personId);
  if (!person || !mayEnter(person)) return [];
  const { languages, timeZone, sections } = survey;
  const language = person.language ?? house.site.defaultLanguage;
  const t = house.i18n.translator(language);
  const said = presentAnswers(sections, values, { languages, timeZone, language, t });
  const copy = said.map(({ label, lines }) => [label.text, ...lines].join('\n')).join('\n\n');
  const params = { title: pickText(survey.title, language, languages).text, copy };
  return [toPerson(house, person, 'surveyCopy', params, { path })];
}
