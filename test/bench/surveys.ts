// Surveys at their size: the page of results of 10,000 answers to 40 questions (when nothing is remembered by the process; the
// first time of all; after each new answer), and answers that arrive from 200 people at once, beside what the store can write.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../server/context.js';
import { contextOf, type House } from '../../server/house.js';
import { loadViews } from '../../server/http/views.js';
import { loadI18n } from '../../server/i18n.js';
import { viewsDir } from '../../server/paths.js';
import { openStore } from '../../server/store/openStore.js';
import { allIndexes } from '../../server/store/schema.js';
import type { Store } from '../../server/store/store.js';
import { submitAnswer } from '../../server/surveys/actions/answering.js';
import { presentResults } from '../../server/surveys/presentResults.js';
import { answersIn, surveyIndexes, surveysIn, versionsIn } from '../../server/surveys/queries.js';
import { countsIn, findResults } from '../../server/surveys/results.js';
import type { Question, Section, Survey, SurveyAnswer, Value, Values } from '../../server/surveys/schema.js';
import { median } from './start.js';

const answers = 10_000;
const questions = 40;
const answerers = 200;
const rounds = 20;

export interface SurveyFigures {
  answers: number;
  questions: number;
  /** The very first look: every answer is read. */
  firstLookMs: number;
  /** Nothing remembered by the process, one more answer since the last look. */
  coldP50Ms: number;
  coldP95Ms: number;
  /** Answers a second from 200 people at once, each a durable write. */
  submitPerSecond: number;
  /** The same documents a second, with the same indexes, from 200 writers at once straight into the store. */
  writePerSecond: number;
  submitRatio: number;
}

export async function benchSurveys(): Promise<SurveyFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatiere-bench-'));
  const store = await openStore({ dataDir, onScan: 'error' });
  try {
    await store.ensureIndexes(allIndexes);
    const house = houseOf(store);
    const survey = await seedSurvey(store);
    const firstLookMs = await timed(() => look(house, survey));
    const cold: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await submitAnswer(contextNow(house), inputOf(survey, `late${round}`, round));
      cold.push(await timed(() => look(house, survey)));
    }
    cold.sort((a, b) => a - b);
    const { submitPerSecond, writePerSecond } = await compareWrites(house, survey);
    return {
      answers: answers + rounds,
      questions,
      firstLookMs: Math.round(firstLookMs),
      coldP50Ms: Math.round(cold[Math.floor(rounds / 2)] ?? 0),
      coldP95Ms: Math.round(cold[Math.ceil(rounds * 0.95) - 1] ?? 0),
      submitPerSecond,
      writePerSecond,
      submitRatio: Math.round((submitPerSecond / writePerSecond) * 100) / 100,
    };
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Side by side three times; the medians. */
async function compareWrites(house: House, survey: Survey) {
  const { store } = house;
  await store.ensureIndexes({ benchWrites: surveyIndexes.surveyAnswers ?? [] });
  const plain = store.collection<SurveyAnswer>('benchWrites');
  const now = new Date();
  const submits: number[] = [];
  const writes: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    submits.push(await perSecond((n) => submitAnswer(contextNow(house), inputOf(survey, `new${round}-${n}`, n))));
    writes.push(
      await perSecond((n) => plain.insertOne({ ...answerAt(survey, n, now), _id: `${round}-${n}`, events: [] })),
    );
  }
  return { submitPerSecond: median(submits), writePerSecond: median(writes) };
}

async function timed(deed: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await deed();
  return performance.now() - start;
}

/** Deeds a second from 200 at once, each of whom does five. */
async function perSecond(deed: (n: number) => Promise<unknown>): Promise<number> {
  const each = 5;
  const ms = await timed(() =>
    Promise.all(
      Array.from({ length: answerers }, async (_, who) => {
        for (let time = 0; time < each; time += 1) await deed(who * each + time);
      }),
    ),
  );
  return Math.round((answerers * each * 1000) / ms);
}

/** From the store to the bytes of the part of the page that shows results. */
async function look(house: House, survey: Survey): Promise<string> {
  const results = await findResults(contextNow(house), survey, { organises: true, isMember: true });
  if (!results?.counted) throw new Error('no results');
  const t = house.i18n.translator('fr');
  const { timeZone, languages } = survey;
  const shown = presentResults({
    names: 'named',
    ...{ language: 'fr', languages, timeZone, t },
    ...{ counted: results.counted, before: null, hidden: [], chosenSlot: null, mayChoose: false },
    textsHref: (id) => `/texts?of=${id}`,
  });
  const page = { language: 'fr' as const, t, timeZone };
  return house.views.render('surveys/published', { isPublished: true, title: {}, results: shown }, page, null);
}

const bare = {
  label: { fr: 'Une question', en: 'A question' },
  help: {},
  required: false,
  showIf: null,
  criterion: '',
};
const choices = [1, 2, 3, 4, 5].map((n) => ({ id: `c${n}`, label: { fr: `Choix ${n}`, en: `Choice ${n}` } }));

function questionAt(n: number): Question {
  const id = `q${n}`;
  switch (n % 8) {
    case 0:
      return { ...bare, id, kind: 'shortText' };
    case 1:
      return { ...bare, id, kind: 'scale', from: 1, to: 5, fromLabel: {}, toLabel: {} };
    case 2:
      return { ...bare, id, kind: 'number', min: 0, max: 40, decimals: 0, unit: {} };
    case 3:
      return { ...bare, id, kind: 'ranking', choices };
    case 4:
      return { ...bare, id, kind: 'grid', rowsFrom: 'rows', rows: choices, choices };
    case 5:
      return { ...bare, id, kind: 'date' };
    default:
      return { ...bare, id, kind: n % 2 === 0 ? 'multiple' : 'single', choices, other: false, min: null, max: null };
  }
}

const sections: Section[] = [
  {
    id: 's',
    title: { fr: 'Tout', en: 'Everything' },
    intro: {},
    showIf: null,
    questions: Array.from({ length: questions }, (_, n) => questionAt(n)),
  },
];

function valueAt(question: Question, n: number): Value {
  const choice = `c${1 + (n % 5)}`;
  switch (question.kind) {
    case 'scale':
      return { number: 1 + (n % 5) };
    case 'number':
      return { number: n % 40 };
    case 'ranking':
      return { ranked: ['c1', 'c2', 'c3', 'c4', 'c5'] };
    case 'grid':
      return { rows: choices.map(({ id }) => ({ id, label: '', choice })) };
    case 'date':
      return { text: `2026-0${1 + (n % 9)}-1${n % 9}` };
    case 'single':
    case 'multiple':
      return { chosen: [choice], other: '' };
    default:
      return { text: `Une réponse comme on en écrit, la ${n}e.` };
  }
}

function valuesOf(n: number): Values {
  return Object.fromEntries(
    sections.flatMap((one) => one.questions.map((question) => [question.id, valueAt(question, n)])),
  );
}

function inputOf(survey: Survey, key: string, n: number) {
  const answerer = { kind: 'anyone' as const, key: `guest:${key}`, name: '', handle: '' };
  return { surveyId: survey._id, answerer, by: '', byName: '', home: '', version: 1, raw: valuesOf(n) };
}

/** A survey for anybody, open, with its answers of the last days. */
async function seedSurvey(store: Store): Promise<Survey> {
  const now = new Date();
  const survey: Survey = {
    _id: '0190b1c0-0000-7000-8000-000000000001',
    collectiveId: 'c',
    title: { fr: 'Une grande enquête', en: 'A large survey' },
    intro: {},
    languages: ['fr', 'en'],
    answerBy: 'anyone',
    names: 'named',
    invited: [],
    timeZone: 'Europe/Paris',
    opensAt: null,
    closesAt: null,
    late: 'refuse',
    state: 'open',
    openedAt: now,
    closedAt: null,
    reminders: { halfTime: false, twoDays: false, lastDay: false },
    results: { readers: 'organisers', publishedAt: null, hidden: [], notes: {} },
    previousId: null,
    chosenSlot: null,
    version: 1,
    revision: 1,
    createdAt: now,
    deletedAt: null,
  };
  await surveysIn(store).insertOne(survey);
  await versionsIn(store).insertOne({ _id: `${survey._id}-1`, surveyId: survey._id, number: 1, sections, at: now });
  for (let from = 0; from < answers; from += 500) {
    const part = Array.from({ length: 500 }, (_, index) => answerAt(survey, from + index, now));
    await answersIn(store).insertMany(part);
  }
  if ((await countsIn(store).countDocuments({})) > 0) throw new Error('counted already');
  return survey;
}

function answerAt(survey: Survey, n: number, now: Date): SurveyAnswer {
  const at = new Date(now.getTime() - (answers - n) * 20_000 - 3_600_000);
  const answerer = { kind: 'anyone' as const, key: `guest:${n}`, name: '', handle: '' };
  const said = { answerer, version: 1, values: valuesOf(n), by: '', byName: '', home: '', at, sentAt: at };
  return { _id: `${survey._id}-${n}`, surveyId: survey._id, ...said, edits: [], email: null };
}

const views = loadViews(viewsDir);
const i18n = loadI18n(join(viewsDir, 'locales'));

function houseOf(store: Store): House {
  const nothing = (): void => {};
  return {
    site: { baseUrl: 'http://localhost:3000', host: 'localhost:3000', defaultLanguage: 'fr' },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    views,
    i18n,
    secret: 'a-secret-of-the-benchmark-with-more-than-32-characters',
    trustProxy: 0,
    privateHosts: [],
    lookUpActor: async () => ({ outcome: 'failed', reason: 'unavailable' }),
    lookUpPost: async () => null,
    refreshPost: async () => {},
    readThread: async () => 'read',
    fetchText: async () => ({ outcome: 'failed', reason: 'unreachable' }),
    pictures: { find: async () => null, load: async () => null, prune: async () => 0 },
    now: () => new Date(),
    store,
  };
}

function contextNow(house: House): Context {
  return contextOf(house, { kind: 'system', name: 'bench' });
}
