// A survey: what it asks, whom it asks, what was answered. Shapes only.
import { z } from 'zod';
import type { Eventful } from '../events.js';
import type { Doc } from '../store/store.js';

/** A text by language tag: "fr" and "en", and what a survey adds. A missing one is shown in another language, and said so. */
export type Texts = Record<string, string>;

export const questionKinds = [
  'shortText',
  'longText',
  'single',
  'multiple',
  'scale',
  'number',
  'date',
  'ranking',
  'grid',
  'availability',
  'link',
] as const;
export type QuestionKind = (typeof questionKinds)[number];

/** answered: anything. oneOf: one of the choices. atLeast, atMost: a number or a step of a scale. */
export const conditionTests = ['answered', 'oneOf', 'atLeast', 'atMost'] as const;

/** "Show if": about one question that comes before, on an earlier page or this one. */
export interface Condition {
  question: string;
  test: (typeof conditionTests)[number];
  values: string[];
  number: number | null;
}

export interface Choice {
  /** Stays when the label is corrected: answers name it. */
  id: string;
  label: Texts;
}

export interface Slot {
  id: string;
  startsAt: Date;
  endsAt: Date | null;
}

interface Asked {
  id: string;
  label: Texts;
  help: Texts;
  required: boolean;
  showIf: Condition | null;
  /** Code of the charter's criterion that it is about ("INF-3"); empty: none. */
  criterion: string;
}

export type TextQuestion = Asked & { kind: 'shortText' | 'longText' | 'date' | 'link' };
export type ChoiceQuestion = Asked & {
  kind: 'single' | 'multiple';
  choices: Choice[];
  /** Offers a field for what is not in the list. */
  other: boolean;
  /** Of a multiple one: how many to choose; null: no bound. */
  min: number | null;
  max: number | null;
};
export type ScaleQuestion = Asked & { kind: 'scale'; from: number; to: number; fromLabel: Texts; toLabel: Texts };
export type NumberQuestion = Asked & {
  kind: 'number';
  min: number | null;
  max: number | null;
  /** Digits after the comma, 0 to 4. */
  decimals: number;
  unit: Texts;
};
export type RankingQuestion = Asked & { kind: 'ranking'; choices: Choice[] };
/** rowsFrom services: one row for each service of whoever answers, named by them. */
export type GridQuestion = Asked & { kind: 'grid'; rowsFrom: 'rows' | 'services'; rows: Choice[]; choices: Choice[] };
export type AvailabilityQuestion = Asked & { kind: 'availability'; slots: Slot[] };
export type Question =
  | TextQuestion
  | ChoiceQuestion
  | ScaleQuestion
  | NumberQuestion
  | RankingQuestion
  | GridQuestion
  | AvailabilityQuestion;

/** A page of the form. */
export interface Section {
  id: string;
  title: Texts;
  intro: Texts;
  showIf: Condition | null;
  questions: Question[];
}

/** The questions as they were asked from one moment on. Once answered, a change makes a new one. _id: "<survey>-<number>". */
export interface SurveyVersion extends Doc {
  surveyId: string;
  number: number;
  sections: Section[];
  at: Date;
  /** The questions before the last change, so that it can be undone. */
  before?: Section[] | null;
}

export const answererKinds = ['collective', 'person', 'anyone'] as const;
/** Who has one answer. */
export type AnswererKind = (typeof answererKinds)[number];
export const nameRules = ['named', 'hiddenUntilClose', 'anonymous'] as const;
export type NameRule = (typeof nameRules)[number];
/** refuse: what arrives after closing is late. sentInTime: what was sent before closing counts, for a day. */
export const lateRules = ['refuse', 'sentInTime'] as const;
export const surveyStates = ['draft', 'scheduled', 'open', 'closed'] as const;
export type SurveyState = (typeof surveyStates)[number];
export const resultReaders = ['organisers', 'members', 'public'] as const;
export type ResultReader = (typeof resultReaders)[number];

/** A collective that is asked, here or on another instance. Kept from the opening on: who comes later is not asked. */
export interface Invited {
  /** The collective's actor. */
  iri: string;
  /** Null: it is on another instance. */
  collectiveId: string | null;
  name: string;
  /** "name" here, "name@host" elsewhere. */
  handle: string;
}

export interface AskedPerson {
  personId: string;
  collectiveId: string;
  /** Of one who is gone: their answer stays, under a key that leads to nobody. */
  hasAnswered?: true;
}

export interface Survey extends Doc, Eventful {
  /** The collective that asks: its members organise. */
  collectiveId: string;
  title: Texts;
  intro: Texts;
  /** The first is the one in which it was written. */
  languages: string[];
  answerBy: AnswererKind;
  names: NameRule;
  /** Empty with 'anyone'. With 'person': the people of these collectives. */
  invited: Invited[];
  /** With 'person': who is asked, by the collective through which; fixed by the opening. Missing: opened before that was kept. */
  askedPeople?: AskedPerson[];
  /** With 'anyone': everybody finds it among the surveys here, and followers are told. Missing: only who has the link knows. */
  listed?: boolean;
  /** IANA name: in it the dates below and the slots are shown. */
  timeZone: string;
  /** Null: opened by hand. */
  opensAt: Date | null;
  /** Null: closed by hand. */
  closesAt: Date | null;
  late: (typeof lateRules)[number];
  state: SurveyState;
  openedAt: Date | null;
  closedAt: Date | null;
  /** Which reminders go to those who have not answered. */
  reminders: { halfTime: boolean; twoDays: boolean; lastDay: boolean };
  results: {
    readers: ResultReader;
    publishedAt: Date | null;
    /** Questions that the published results leave out. */
    hidden: string[];
    notes: Texts;
    /** When they are published by themselves. Missing or null: not. */
    publishAt?: Date | null;
    /** They are to be published when the survey closes: publishAt is set then. */
    atClosing?: boolean;
    /** Key of what stood against it when that moment had come. Missing or null: nothing. */
    notPublished?: string | null;
  };
  /** Key of what stood against its opening when the moment had come: it is a draft again. Missing or null: nothing. */
  notOpened?: string | null;
  /** The edition before, for comparison. */
  previousId: string | null;
  /** Of a date poll: the slot that was chosen. */
  chosenSlot: { question: string; slot: string } | null;
  /** Number of its SurveyVersion. */
  version: number;
  /** Rises with each change: a page that shows an older one is told. */
  revision: number;
  /** With its last revision; absent: the first one. */
  changedAt?: Date;
  createdAt: Date;
  deletedAt: Date | null;
  /** When the addresses that guests left were cleared. */
  addressesGoneAt?: Date;
}

export type Availability = 'yes' | 'maybe' | 'no';
/** text: texts, dates (YYYY-MM-DD), links. The others as their kind says; `rows` has what a grid of services was asked about. */
export type Value =
  | { text: string }
  | { number: number }
  | { chosen: string[]; other: string }
  | { ranked: string[] }
  | { rows: { id: string; label: string; choice: string }[] }
  | { slots: { id: string; is: Availability }[] };
/** Question id -> what was answered; what was not answered or not asked is missing. */
export type Values = Record<string, Value>;

export interface Answerer {
  kind: AnswererKind;
  /** Actor of the collective; "person:<id>" here; "guest:<id>". One answer each. */
  key: string;
  name: string;
  handle: string;
}

/** An answer that another one replaced: who and when; of the last ones of a collective here also what. */
export interface Edit {
  at: Date;
  /** Person id; empty: from another instance, or forgotten. */
  by: string;
  byName: string;
  version?: number;
  values?: Values;
}

/** What one collective, person or guest answered, when names are known to somebody. _id: answerKey(survey, answerer). */
export interface SurveyAnswer extends Doc, Eventful {
  surveyId: string;
  answerer: Answerer;
  version: number;
  values: Values;
  /** Person id of who sent it; empty: from another instance. Shown to the answering collective only. */
  by: string;
  byName: string;
  /** Empty: here. Host of the instance from which it came. */
  home: string;
  at: Date;
  /** When it was sent, as the other instance says; the same as `at` here. */
  sentAt: Date;
  /** The ones before, the newest last, for the answering collective. */
  edits: Edit[];
  /** Address of a guest, so that the link can be sent again; null: none given. */
  email: string | null;
}

/** An anonymous answer: no time, no order, no name. _id: random, so that no order of insertion shows. */
export interface SurveyBallot extends Doc {
  surveyId: string;
  version: number;
  values: Values;
}

/** That a number given to an anonymous answerer counts; it leads to no ballot. _id: SHA-256 of the number. */
export interface SurveyCounted extends Doc {
  surveyId: string;
}

/** Who has answered an anonymous survey: that, and nothing else. _id: answerKey(survey, answerer). */
export interface SurveyTurnout extends Doc {
  surveyId: string;
  key: string;
}

/** Answers not sent yet; never kept for an anonymous survey. _id: answerKey(survey, answerer). */
export interface SurveyDraft extends Doc {
  surveyId: string;
  key: string;
  version: number;
  values: Values;
  byName: string;
  /** What a guest wrote as their address. */
  email?: string | null;
  at: Date;
}

export const limits = {
  sections: 40,
  questions: 200,
  choices: 100,
  rows: 60,
  slots: 60,
  languages: 8,
  label: 500,
  help: 2000,
  intro: 5000,
  shortText: 300,
  longText: 10_000,
  link: 2000,
  invited: 500,
  versions: 50,
} as const;

/** What every object has by itself is the id of nothing: answers are looked up by it. */
const id = z.string().regex(/^(?!constructor$)[a-z][a-z0-9]{0,19}$/, 'surveys.error.id');
const languageTag = z.string().regex(/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/, 'shape.languages');
const plain = (max: number) =>
  z
    .string()
    .transform((value) => value.normalize('NFC').replace(/\r\n?/g, '\n').trim())
    .pipe(
      z
        .string()
        .max(max, 'shape.tooLong')
        // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
        .regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/, 'shape.controlCharacter'),
    );
export const textsShape = (max: number): z.ZodType<Texts> =>
  z
    .record(languageTag, plain(max))
    .refine((texts) => Object.keys(texts).length <= limits.languages, 'surveys.error.tooManyLanguages');
const neededTexts = (max: number): z.ZodType<Texts> =>
  textsShape(max).refine((texts) => Object.values(texts).some((text) => text !== ''), 'shape.required');

const condition = z.object({
  question: id,
  test: z.enum(conditionTests),
  values: z.array(z.string().max(40)).max(limits.choices).default([]),
  number: z.number().nullable().default(null),
});
const choice = z.object({ id, label: neededTexts(limits.label) });
const choices = z.array(choice).min(2, 'surveys.error.choices').max(limits.choices, 'surveys.error.tooManyChoices');
const bound = z.number().int().min(0).max(limits.choices).nullable().default(null);
const anyNumber = z.number().min(-1e9).max(1e9).nullable().default(null);
const asked = {
  id,
  label: neededTexts(limits.label),
  help: textsShape(limits.help).default({}),
  required: z.boolean().default(false),
  showIf: condition.nullable().default(null),
  criterion: z.string().trim().max(20, 'shape.tooLong').default(''),
};
const slot = z.object({ id, startsAt: z.coerce.date(), endsAt: z.coerce.date().nullable().default(null) });

/** One question as an editor, a file, or another instance gives it. */
export const questionShape = z.discriminatedUnion('kind', [
  z.object({ ...asked, kind: z.enum(['shortText', 'longText', 'date', 'link']) }),
  z.object({
    ...asked,
    kind: z.enum(['single', 'multiple']),
    choices,
    other: z.boolean().default(false),
    min: bound,
    max: bound,
  }),
  z.object({
    ...asked,
    kind: z.literal('scale'),
    from: z.number().int().min(0).max(1),
    to: z.number().int().min(2).max(10),
    fromLabel: textsShape(100).default({}),
    toLabel: textsShape(100).default({}),
  }),
  z.object({
    ...asked,
    kind: z.literal('number'),
    min: anyNumber,
    max: anyNumber,
    decimals: z.number().int().min(0).max(4).default(0),
    unit: textsShape(40).default({}),
  }),
  z.object({ ...asked, kind: z.literal('ranking'), choices: choices.max(20, 'surveys.error.tooManyChoices') }),
  z.object({
    ...asked,
    kind: z.literal('grid'),
    rowsFrom: z.enum(['rows', 'services']).default('rows'),
    rows: z.array(choice).max(limits.rows, 'surveys.error.tooManyChoices').default([]),
    choices: choices.max(12, 'surveys.error.tooManyChoices'),
  }),
  z.object({
    ...asked,
    kind: z.literal('availability'),
    slots: z.array(slot).min(1, 'surveys.error.slots').max(limits.slots, 'surveys.error.tooManyChoices'),
  }),
]);

/** One section with its questions. */
export const sectionShape = z.object({
  id,
  title: textsShape(limits.label).default({}),
  intro: textsShape(limits.intro).default({}),
  showIf: condition.nullable().default(null),
  questions: z.array(questionShape).max(limits.questions, 'surveys.error.tooManyQuestions'),
});

/** All questions of a survey; what belongs together among them is checked by rules.ts (checkSections). */
export const sectionsShape: z.ZodType<Section[]> = z
  .array(sectionShape)
  .max(limits.sections, 'surveys.error.tooManySections');
