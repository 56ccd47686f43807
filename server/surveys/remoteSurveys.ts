// Surveys across instances: those of others as we keep them, the answers that we sent to them, the receipts that we gave.
// Shapes and reads only; how they look on the wire is federation/wire/survey.ts.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DomainError } from '../errors.js';
import { type Eventful, eventIndex } from '../events.js';
import type { FieldError } from '../http/form.js';
import type { Coll, CollectionIndexes, Doc, Store } from '../store/store.js';
import { isDay } from './answers.js';
import { answerKey } from './rules.js';
import {
  type Answerer,
  type Edit,
  lateRules,
  limits,
  nameRules,
  type Question,
  type Section,
  type Survey,
  type Texts,
  textsShape,
  type Values,
} from './schema.js';
import type { QuestionResult, SurveyResult } from './tally.js';

/** A survey of another instance that asks collectives of ours, as its owner last told it. Texts are theirs. */
export interface RemoteSurvey extends Doc, Eventful {
  /** _id: remoteSurveyKey(iri). */
  iri: string;
  /** Actor of the collective that asks; the only one who may change it. */
  owner: string;
  host: string;
  organiser: { name: string; handle: string };
  /** Its page on its own instance. */
  url: string | null;
  /** Of an anonymous one: where the collective answers, on the owner's instance. Whoever has it may answer. */
  link: string | null;
  /** Actors of our collectives that are asked. */
  asked: string[];
  /**
   * Of an anonymous one: those of them that said here that they have answered by the link, in the order of letters. Nobody else
   * is told, and neither when nor who said so is kept.
   */
  marked?: string[];
  /** Rises with each change there: what is older changes nothing. */
  revision: number;
  version: number;
  title: Texts;
  intro: Texts;
  languages: string[];
  timeZone: string;
  names: Survey['names'];
  late: Survey['late'];
  /** Which reminders its organisers want; absent: all. */
  reminders?: Survey['reminders'];
  state: 'open' | 'closed';
  closesAt: Date | null;
  closedAt: Date | null;
  sections: Section[];
  chosenSlot: Survey['chosenSlot'];
  results: RemoteResults | null;
  /** When it first asked, or asked again after its end. */
  receivedAt: Date;
  /** When its last revision came; absent: it is the first. */
  changedAt?: Date;
  deletedAt: Date | null;
}

/** Published results as they travel: counts by question id, without the questions. */
export interface RemoteResults {
  publishedAt: Date;
  answers: number;
  /** How many were asked. */
  asked: number;
  notes: Texts;
  questions: (Omit<QuestionResult, 'question'> & { id: string })[];
  /** Texts, or whole questions, were left out because there were too many. */
  isShortened: boolean;
  /** Where everybody may read the whole, on the owner's instance. Missing: nowhere, or nothing was left out. */
  url?: string;
}

export const sentStates = ['sent', 'accepted', 'refused', 'withdrawn'] as const;
/** sent: no receipt yet. */
export type SentState = (typeof sentStates)[number];

/** What one of our collectives answered to a survey of another instance. _id: answerKey(iri of the survey, answerer's actor). */
export interface SentAnswer extends Doc, Eventful {
  surveyKey: string;
  survey: string;
  owner: string;
  host: string;
  collectiveId: string;
  answerer: string;
  version: number;
  values: Values;
  /** Person id. */
  by: string;
  byName: string;
  sentAt: Date;
  edits: Edit[];
  state: SentState;
  /** When the owner's receipt came. */
  receiptAt: Date | null;
  /** Why it was refused, in the words of our catalogue where the owner named a key that we have, else in the owner's. */
  refusal: Refused | null;
}

export interface Refused {
  errors: FieldError[];
  /** The owner's own words; empty: none. */
  text: string;
}

/** What we told another instance about an answer of one of its collectives. _id: SHA-256 of the activity that brought it. */
export interface SurveyReceipt extends Doc, Eventful {
  surveyId: string;
  /** Id of the answer there, and of its survey as it names it. */
  answerIri: string;
  surveyIri: string;
  to: string;
  isWithdrawal: boolean;
  /** Null: accepted. */
  refusal: { code: string; errors: FieldError[] } | null;
  sentAt: Date;
  at: Date;
}

export const remoteSurveyIndexes: CollectionIndexes = {
  remoteSurveys: [
    { keys: { iri: 1 }, unique: true },
    { keys: { asked: 1, state: 1 } },
    { keys: { state: 1, closesAt: 1 } },
    { keys: { host: 1, deletedAt: 1 } },
    { keys: { owner: 1 } },
    { keys: { deletedAt: 1 } },
    eventIndex,
  ],
  sentAnswers: [
    { keys: { surveyKey: 1 } },
    { keys: { collectiveId: 1 } },
    { keys: { by: 1 } },
    { keys: { 'edits.by': 1 } },
    { keys: { state: 1, sentAt: 1 } },
    eventIndex,
  ],
  surveyReceipts: [{ keys: { surveyId: 1 } }, { keys: { at: 1 } }, eventIndex],
};

export const remoteSurveysIn = (store: Store): Coll<RemoteSurvey> => store.collection<RemoteSurvey>('remoteSurveys');
export const sentAnswersIn = (store: Store): Coll<SentAnswer> => store.collection<SentAnswer>('sentAnswers');
export const receiptsIn = (store: Store): Coll<SurveyReceipt> => store.collection<SurveyReceipt>('surveyReceipts');

export function remoteSurveyKey(iri: string): string {
  return createHash('sha256').update(iri).digest('hex');
}

export async function findRemoteSurvey(store: Store, key: string): Promise<RemoteSurvey | null> {
  return remoteSurveysIn(store).findOne({ _id: key });
}

/** Those that ask this actor of ours and stand. */
export async function listRemoteSurveysFor(
  store: Store,
  actor: string,
  states: readonly RemoteSurvey['state'][],
): Promise<RemoteSurvey[]> {
  const found = await remoteSurveysIn(store)
    .find({ asked: actor, state: { $in: [...states] } })
    .toArray();
  return found.filter(({ deletedAt }) => deletedAt === null);
}

export async function findSentAnswer(store: Store, survey: string, answerer: string): Promise<SentAnswer | null> {
  return sentAnswersIn(store).findOne({ _id: answerKey(survey, answerer) });
}

/** The results that its owner published, with its questions; null: none yet. */
export function resultOfRemote(survey: Pick<RemoteSurvey, 'sections' | 'results'>): SurveyResult | null {
  const { results } = survey;
  if (results === null) return null;
  const byId = new Map(results.questions.map((one) => [one.id, one]));
  return {
    answers: results.answers,
    sections: survey.sections.map((section) => ({
      section,
      questions: section.questions.flatMap((question) => {
        const found = byId.get(question.id);
        if (found === undefined) return [];
        const { id: _id, texts, ...counts } = found;
        return [{ ...counts, ...(texts && { texts: texts.filter((one) => isWritten(question, one)) }), question }];
      }),
    })),
  };
}

/** Whether somebody can have written that here: what its owner tells is no day and no address for that alone. */
function isWritten({ kind }: Question, written: string): boolean {
  if (kind === 'date') return isDay(written);
  return kind !== 'link' || (URL.canParse(written) && /^https?:$/.test(new URL(written).protocol));
}

/** Bytes of what travels in one activity of at most 64 KiB: questions with the texts above them, answers, results. */
export const wireLimits = { questions: 40_000, values: 48_000, results: 16_000 } as const;

export function bytesOnWire(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Refuses: invalid. What is asked elsewhere travels in one piece. */
export function checkTravels(survey: Pick<Survey, 'title' | 'intro' | 'invited'>, sections: readonly Section[]): void {
  const { title, intro, invited } = survey;
  if (invited.every(({ collectiveId }) => collectiveId !== null)) return;
  if (bytesOnWire({ title, intro, questions: JSON.stringify(sections) }) > wireLimits.questions) {
    throw new DomainError('invalid', 'surveys.error.tooLongToTravel', { field: 'sections' });
  }
}

const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const tag = z.string().regex(/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/);
const zone = z
  .string()
  .max(60)
  .refine((name) => name === 'UTC' || Intl.supportedValuesOf('timeZone').includes(name), 'shape.timeZone');
const questionId = z.string().max(40);

/** The head of a survey as it stands in an activity. */
export const remoteHeadShape = z.object({
  revision: z.number().int().min(1).max(1e9),
  version: z.number().int().min(1).max(1000),
  title: textsShape(limits.label),
  intro: textsShape(limits.intro).default({}),
  languages: z.array(tag).min(1).max(limits.languages),
  timeZone: zone,
  names: z.enum(nameRules),
  late: z.enum(lateRules),
  answerBy: z.literal('collective'),
  reminders: z
    .object({ halfTime: z.boolean(), twoDays: z.boolean(), lastDay: z.boolean() })
    .default({ halfTime: true, twoDays: true, lastDay: true }),
  state: z.enum(['open', 'closed']),
  closesAt: moment.nullable(),
  closedAt: moment.nullable(),
  chosenSlot: z.object({ question: questionId, slot: questionId }).nullable().default(null),
});

const whole = z.number().int().min(0).max(1e9);
const figure = z.number().min(-1e12).max(1e12);
const text = z.string().max(limits.longText);
const counts = z.array(z.object({ id: questionId, count: whole })).max(200);

/** Counts of the questions as they stand in an activity. */
export const remoteQuestionsShape = z
  .array(
    z.object({
      id: questionId,
      answered: whole,
      choices: counts.optional(),
      others: z.array(text).max(2000).optional(),
      otherCount: whole.optional(),
      numbers: z
        .object({
          counts: z.array(z.object({ number: figure, count: whole })).max(2000),
          sum: figure,
          mean: figure.nullable(),
          median: figure.nullable(),
          least: figure.nullable(),
          most: figure.nullable(),
        })
        .optional(),
      ranking: z
        .array(z.object({ id: questionId, points: whole, firsts: whole, meanPlace: figure.nullable() }))
        .max(100)
        .optional(),
      rows: z
        .array(z.object({ id: questionId, counts }))
        .max(100)
        .optional(),
      slots: z
        .array(z.object({ id: questionId, yes: whole, maybe: whole, no: whole }))
        .max(100)
        .optional(),
      texts: z.array(text).max(2000).optional(),
    }),
  )
  .max(limits.questions);

export const remoteResultsShape = z.object({
  publishedAt: moment,
  answers: whole,
  asked: whole,
  notes: textsShape(limits.intro).default({}),
  isShortened: z.boolean().default(false),
});

/** Whether the survey asks this answerer, as far as we were told. */
export function asksRemotely(
  survey: Pick<RemoteSurvey, 'asked' | 'deletedAt'>,
  answerer: Pick<Answerer, 'key'>,
): boolean {
  return survey.deletedAt === null && survey.asked.includes(answerer.key);
}
