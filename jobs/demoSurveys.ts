// In the demo the network has two surveys: last year's review, answered on all three instances, closed and published; and this
// year's, which waits for whoever signs in. By the deeds that members do; the running instances carry them to each other.
import { createFederation } from '../federation/federation.js';
import { lookUpActor } from '../federation/lookUp.js';
import { findCollectiveByHandle } from '../server/collectives/queries.js';
import type { Collective } from '../server/collectives/schema.js';
import { contextOf } from '../server/house.js';
import { submitAnswer } from '../server/surveys/actions/answering.js';
import { createSurvey, saveSettings } from '../server/surveys/actions/drafting.js';
import { offerPolls } from '../server/surveys/actions/polls.js';
import { closeSurvey, openSurvey, publishResults } from '../server/surveys/actions/running.js';
import { sendAnswer } from '../server/surveys/actions/sending.js';
import { type AskedSurvey, answererFor, listAsked } from '../server/surveys/askedSurveys.js';
import { countAnswers, getSurvey, invitedElsewhere, invitedHere, listSurveysOf } from '../server/surveys/queries.js';
import type { Invited, Section, Texts } from '../server/surveys/schema.js';
import type { DemoInstance } from './demo.js';
import { type Side, system, until, withSide } from './demoPartners.js';
import { reviewAnswers, reviewIntro, reviewSections, reviewTitle } from './roseauReview.js';

const dayMs = 24 * 60 * 60 * 1000;
/** On a pause, and asked like all others. */
const silent = 'nuagecausses';
const askedHandles = [...Object.keys(reviewAnswers), silent];
const lastYear = { fr: 'Revue 2025', en: 'Review 2025' };
/** The dates of a meeting are for this year. */
const lastSections = reviewSections.map((section) => ({
  ...section,
  questions: section.questions.filter(({ kind }) => kind !== 'availability'),
}));
/** Whom the accounts of the demo speak for first: left to answer for whoever tries it. */
const leftToAnswer = (instances: readonly DemoInstance[]) => [
  silent,
  ...instances.map(({ members }) => members[0] ?? ''),
];

/** Says nothing when it was done before. `tell` hears where to read it; takes about a minute. */
export async function holdReviews(
  instances: readonly DemoInstance[],
  hosts: readonly string[],
  tell: (line: string) => void,
): Promise<void> {
  const [home] = instances;
  if (!home) return;
  const [first = ''] = home.members;
  const there = await withSide(home, hosts, first, ({ store, collectiveId }) => listSurveysOf(store, collectiveId));
  if (there.length > 0) return;
  const invited = await inviteAll(instances, hosts);
  const { _id: last } = await open(home, hosts, { title: lastYear, sections: lastSections, invited, previousId: null });
  await answerAll(instances, hosts, last, Object.keys(reviewAnswers));
  await withSide(home, hosts, first, async ({ house, store }) => {
    const ctx = contextOf(house, system);
    await closeSurvey(ctx, last);
    const { revision } = await getSurvey(store, last);
    const notes = {
      fr: 'Merci. La charge reste lourde : nous en parlons à la permanence.',
      en: 'Thank you. The load stays heavy: we talk about it at the weekly shift.',
    };
    await publishResults(ctx, last, { revision, readers: 'public', hidden: ['publish'], notes });
  });
  const shown = { title: reviewTitle, sections: reviewSections, invited, previousId: last };
  const { _id: current } = await open(home, hosts, shown);
  await withSide(home, hosts, first, ({ house }) =>
    offerPolls(contextOf(house, system), current, { questions: ['legal'], endsAt: null }),
  );
  const left = leftToAnswer(instances);
  await answerAll(
    instances,
    hosts,
    current,
    Object.keys(reviewAnswers).filter((handle) => !left.includes(handle)),
  );
  await describe(instances, hosts, { last, current }, tell);
}

async function describe(
  instances: readonly DemoInstance[],
  hosts: readonly string[],
  { last, current }: { last: string; current: string },
  tell: (line: string) => void,
): Promise<void> {
  tell('A survey asks seven hosters on the three; three have answered. Waiting for an answer:');
  for (const [index, instance] of instances.entries()) {
    const [handle = ''] = instance.members;
    const desk = await withSide(instance, hosts, handle, async ({ collectiveId }) => `/my/collectives/${collectiveId}`);
    tell(`  as ${instance.people[0]}: ${instance.baseUrl}${desk}/asked`);
    if (index > 0) continue;
    tell(`  its organiser is ${instance.people[0]}: ${instance.baseUrl}${desk}/surveys/${current}`);
    tell(`  results of last year's, for everybody: ${instance.baseUrl}/surveys/${last}/results`);
  }
}

/** The seven, as they stand for the first hoster of the first instance. */
async function inviteAll([home, ...others]: readonly DemoInstance[], hosts: readonly string[]): Promise<Invited[]> {
  if (!home) return [];
  return withSide(home, hosts, home.members[0] ?? '', async ({ house, store }) => {
    const federation = createFederation(house, { version: 'demo', workerId: 'demo' });
    try {
      const invited: Invited[] = [];
      for (const handle of home.members.filter((one) => askedHandles.includes(one))) {
        const found = await findCollectiveByHandle(store, handle);
        if (found) invited.push(invitedHere(house, found));
      }
      for (const { baseUrl, members } of others) {
        for (const handle of members.filter((one) => askedHandles.includes(one))) {
          const found = await lookUpActor(federation, `@${handle}@${new URL(baseUrl).host}`);
          if (found.outcome !== 'found') throw new Error(`${handle} cannot be found: ${found.outcome}`);
          invited.push(invitedElsewhere(found.actor));
        }
      }
      return invited;
    } finally {
      await federation.fetch.close();
    }
  });
}

interface Edition {
  title: Texts;
  sections: Section[];
  invited: Invited[];
  previousId: string | null;
}

function open(home: DemoInstance, hosts: readonly string[], { invited, ...edition }: Edition) {
  return withSide(home, hosts, home.members[0] ?? '', async ({ house, collectiveId }) => {
    const ctx = contextOf(house, system);
    const frame = { intro: reviewIntro, languages: ['fr', 'en'], timeZone: 'Europe/Paris' };
    const survey = await createSurvey(ctx, collectiveId, { ...frame, ...edition });
    const closesAt = new Date(ctx.now.getTime() + 9 * dayMs);
    await saveSettings(ctx, survey._id, { ...survey, invited, closesAt });
    return openSurvey(ctx, survey._id);
  });
}

/** Each answers on its own instance, once it is asked there. Resolves when the owner has all answers. */
async function answerAll(
  instances: readonly DemoInstance[],
  hosts: readonly string[],
  surveyId: string,
  handles: readonly string[],
): Promise<void> {
  for (const instance of instances) {
    for (const handle of instance.members.filter((one) => handles.includes(one))) {
      await withSide(instance, hosts, handle, (side) => answer(side, handle, instance.people[0]));
    }
  }
  const [home] = instances;
  if (!home) return;
  await withSide(home, hosts, home.members[0] ?? '', ({ store }) =>
    until(async () =>
      (await countAnswers(store, { _id: surveyId, names: 'named' })) >= handles.length ? true : undefined,
    ),
  );
}

async function answer({ house, store }: Side, handle: string, username: string): Promise<void> {
  const ctx = () => contextOf(house, system);
  const collective = await findCollectiveByHandle(store, handle);
  if (!collective) return;
  const asked = await until(() => findOpen(ctx(), collective));
  const byName = username.charAt(0).toUpperCase() + username.slice(1);
  const answerer = answererFor(ctx(), collective);
  const input = {
    surveyId: asked.key,
    answerer,
    by: '',
    byName,
    version: asked.version,
    raw: reviewAnswers[handle] ?? {},
  };
  if (asked.survey === null) await sendAnswer(ctx(), input);
  else await submitAnswer(ctx(), { ...input, home: '' });
}

/** The one that it has not answered yet. */
async function findOpen(
  ctx: ReturnType<typeof contextOf>,
  collective: Collective,
): Promise<Omit<AskedSurvey, 'sections'> | undefined> {
  const lines = await listAsked(ctx, collective);
  return lines.find(({ asked, isAnswered }) => asked.state === 'open' && !isAnswered)?.asked;
}
