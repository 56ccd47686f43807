// Surveys across instances in the sample house: of another instance, in every state of an answer, and a link to answer by.
import { reviewAnswers, reviewIntro, reviewSections } from '../../jobs/roseauReview.js';
import { getCollective } from '../../server/collectives/queries.js';
import { contextOf, type House } from '../../server/house.js';
import { signLink } from '../../server/secrets.js';
import { createSurvey, saveSettings } from '../../server/surveys/actions/drafting.js';
import { receiveSurvey } from '../../server/surveys/actions/receiving.js';
import { openSurvey } from '../../server/surveys/actions/running.js';
import { receiveReceipt, sendAnswer } from '../../server/surveys/actions/sending.js';
import { answererFor } from '../../server/surveys/askedSurveys.js';
import { type RemoteSurvey, remoteSurveyKey, sentAnswersIn } from '../../server/surveys/remoteSurveys.js';
import { linkPurpose, linkRecord } from '../../server/surveys/rules.js';

const host = 'canopee.example';
const owner = `https://${host}/actors/canopee`;
const day = 24 * 3_600_000;

/** Names for addresses: {fresh}, {waiting}, {accepted}, {refused}, {byOwner}, {published} are keys of surveys, {link} a token. */
export async function addRemoteSurveys(house: House, collectiveId: string): Promise<Record<string, string>> {
  const ctx = contextOf(house, { kind: 'system', name: 'sample' });
  const collective = await getCollective(house.store, collectiveId);
  const answerer = answererFor(ctx, collective);
  const keep = async (name: string, change: Partial<RemoteSurvey> = {}): Promise<string> => {
    const iri = `https://${host}/objects/${name}`;
    await receiveSurvey(ctx, {
      ...{ _id: remoteSurveyKey(iri), iri, owner, host, url: null, link: null, asked: [answerer.key], revision: 2 },
      organiser: { name: 'Réseau Canopée', handle: `canopee@${host}` },
      ...{ version: 1, title: { fr: 'Assemblée d’automne', en: 'Autumn assembly' }, intro: reviewIntro },
      ...{ languages: ['fr', 'en'], timeZone: 'Europe/Paris', names: 'named', late: 'refuse', state: 'open' },
      ...{ closesAt: new Date(ctx.now.getTime() + 5 * day), closedAt: null, sections: reviewSections.slice(0, 1) },
      ...{ chosenSlot: null, results: null, receivedAt: ctx.now, deletedAt: null },
      ...change,
    });
    return remoteSurveyKey(iri);
  };
  const send = async (name: string): Promise<string> => {
    const key = await keep(name);
    const raw = reviewAnswers.ecluse ?? {};
    await sendAnswer(ctx, { surveyId: key, answerer, by: 'sample', byName: 'Noé', version: 1, raw });
    return key;
  };
  const receipt = async (key: string, isRefused: boolean): Promise<string> => {
    const sent = await sentAnswersIn(house.store).findOne({ surveyKey: key });
    const message = { key: 'surveys.error.closed' };
    const refusal = isRefused ? { errors: [{ field: '', message }], text: '' } : null;
    const { survey = '', sentAt = ctx.now } = sent ?? {};
    await receiveReceipt(ctx, { owner, survey, answerer: answerer.key, sentAt, refusal });
    return key;
  };
  return {
    fresh: await keep('fresh'),
    waiting: await send('waiting'),
    accepted: await receipt(await send('accepted'), false),
    refused: await receipt(await send('refused'), true),
    byOwner: await keep('byOwner', { names: 'anonymous', link: `https://${host}/surveys/by-link/x` }),
    published: await keep('published', {
      state: 'closed',
      closedAt: ctx.now,
      results: {
        ...{ publishedAt: ctx.now, answers: 4, asked: 6, isShortened: true },
        notes: { fr: 'Merci à toutes et à tous.', en: 'Thank you all.' },
        questions: [
          {
            ...{ id: 'tasks', answered: 4, others: [] },
            choices: ['moderation', 'minutes', 'welcome', 'tech', 'treasury'].map((id, count) => ({ id, count })),
          },
        ],
      },
    }),
    link: await addLink(house, collectiveId),
  };
}

async function addLink(house: House, collectiveId: string): Promise<string> {
  const ctx = contextOf(house, { kind: 'system', name: 'sample' });
  const title = { fr: 'Comment allez-vous ?', en: 'How are you?' };
  const input = { title, intro: reviewIntro, languages: ['fr', 'en'], timeZone: 'Europe/Paris' };
  const sections = reviewSections.slice(0, 1);
  const survey = await createSurvey(ctx, collectiveId, { ...input, sections, names: 'anonymous' });
  const iri = `https://${host}/actors/fournil`;
  const invited = [{ iri, collectiveId: null, name: 'Le Fournil', handle: `fournil@${host}` }];
  await saveSettings(ctx, survey._id, { ...survey, invited });
  await openSurvey(ctx, survey._id);
  return signLink(house.secret, linkPurpose, linkRecord(survey._id, iri));
}
