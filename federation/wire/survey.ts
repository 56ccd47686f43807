// A survey as a Note that anybody can show, with the survey itself beside it as data for those who know our vocabulary; the
// answers to it, and the receipts for them. What is asked and answered travels as JSON in a text, so that limits on the number
// of values in one document, and words that are special in JSON-LD, do not concern it.
import { z } from 'zod';
import { DomainError, type Message } from '../../server/errors.js';
import { dateFormat } from '../../server/formatters.js';
import type { FieldError } from '../../server/http/form.js';
import type { I18n } from '../../server/i18n.js';
import {
  bytesOnWire,
  type Refused,
  type RemoteResults,
  type RemoteSurvey,
  remoteHeadShape,
  remoteQuestionsShape,
  remoteResultsShape,
  remoteSurveyKey,
  wireLimits,
} from '../../server/surveys/remoteSurveys.js';
import { checkSections, pickText } from '../../server/surveys/rules.js';
import { type Section, type Survey, sectionsShape, type Values } from '../../server/surveys/schema.js';
import type { SurveyResult } from '../../server/surveys/tally.js';
import { readIri, sameOrigin } from '../iris.js';
import { isObject } from '../json.js';
import { type Json, link, paragraphs } from './namespace.js';

export const answerType = 'SurveyAnswer';

export interface SurveyNoteFrame {
  iri: string;
  actor: string;
  organiser: string;
  /** The survey's page. */
  url: string;
  /** Where an anonymous answer is given; null: it is not anonymous. */
  link: string | null;
  to: string[];
  cc: string[];
  mentions: { name: string; iri: string }[];
  published: Date;
  updated: Date | null;
  language: 'fr' | 'en';
  i18n: Pick<I18n, 'translator'>;
}

export function toSurveyNote(
  survey: Survey,
  definition: { sections: Section[]; results: Json | null } | null,
  frame: SurveyNoteFrame,
): Json {
  const order = frame.language === 'fr' ? (['fr', 'en'] as const) : (['en', 'fr'] as const);
  const texts = order.map((language) => [language, htmlIn(language, survey, frame)] as const);
  return {
    id: frame.iri,
    type: 'Note',
    attributedTo: frame.actor,
    to: frame.to,
    cc: frame.cc,
    url: frame.url,
    published: frame.published.toISOString(),
    ...(frame.updated === null ? {} : { updated: frame.updated.toISOString() }),
    content: texts.map(([, html]) => html).join('<p>—</p>'),
    contentMap: Object.fromEntries(texts),
    sensitive: false,
    tag: frame.mentions.map(({ name, iri }) => ({ type: 'Mention', name, href: iri })),
    attachment: [],
    ...(definition === null ? {} : { survey: toSurvey(survey, definition.sections, frame.link) }),
    ...(definition?.results ? { surveyResults: definition.results } : {}),
  };
}

function htmlIn(language: 'fr' | 'en', survey: Survey, frame: SurveyNoteFrame): string {
  const t = frame.i18n.translator(language);
  const title = pickText(survey.title, language, survey.languages).text;
  const end = survey.closedAt ?? survey.closesAt;
  const options = { dateStyle: 'long', timeStyle: 'short', timeZone: survey.timeZone } as const;
  const date = end === null ? '' : `${dateFormat(language, options).format(end)} (${survey.timeZone})`;
  const isOver = survey.state === 'closed';
  const headline = t(isOver ? 'surveys.note.closed' : 'surveys.note.open', { title, organiser: frame.organiser });
  const when = end === null ? '' : t(isOver ? 'surveys.note.closedOn' : 'surveys.note.until', { date });
  const href = isOver ? frame.url : (frame.link ?? frame.url);
  return `${paragraphs(headline)}${paragraphs(when)}<p>${link(href, href.replace(/^https?:\/\//, ''))}</p>`;
}

function toSurvey(survey: Survey, sections: Section[], personalLink: string | null): Json {
  const { revision, version, title, intro, languages, timeZone, names, late, answerBy, state, chosenSlot } = survey;
  const { reminders } = survey;
  return {
    ...{ revision, version, title, intro, languages, timeZone, names, late, answerBy, state, chosenSlot, reminders },
    closesAt: survey.closesAt?.toISOString() ?? null,
    closedAt: survey.closedAt?.toISOString() ?? null,
    ...(personalLink === null ? {} : { link: personalLink }),
    questions: JSON.stringify(sections),
  };
}

/** Published results without what their organisers leave out; texts only as far as there is room. */
export function toSurveyResults(survey: Survey, result: SurveyResult, asked: number): Json | null {
  const { publishedAt, notes, hidden } = survey.results;
  if (publishedAt === null) return null;
  const questions = result.sections
    .flatMap((section) => section.questions)
    .filter(({ question, isTooFew }) => !hidden.includes(question.id) && !isTooFew)
    .map(({ question, ...counts }) => ({ id: question.id, ...counts }));
  const base = { publishedAt: publishedAt.toISOString(), answers: result.answers, asked, notes };
  const whole = { ...base, isShortened: false, questions: JSON.stringify(questions) };
  if (bytesOnWire(whole) <= wireLimits.results) return whole;
  const counted = questions.map(({ texts: _texts, others: _others, ...counts }) => counts);
  const short = { ...base, isShortened: true, questions: JSON.stringify(counted) };
  return bytesOnWire(short) <= wireLimits.results ? short : { ...short, notes: {}, questions: '[]' };
}

export interface SurveyNoteReading {
  /** Addressees of the Note as it says. */
  audience: string[];
  survey: Omit<RemoteSurvey, 'asked' | 'organiser' | 'host' | 'owner'>;
}

/** Null: a Note without a survey that can be read here. The text of the Note counts for nothing. */
export function fromSurveyNote(json: unknown, privateHosts: readonly string[], now: Date): SurveyNoteReading | null {
  if (!isObject(json) || !isObject(json.survey)) return null;
  const iri = readIri(json.id, privateHosts);
  const head = remoteHeadShape.safeParse(json.survey);
  const sections = sectionsShape.safeParse(parse(json.survey.questions));
  if (iri === null || !head.success || !sections.success || !holdsTogether(sections.data)) return null;
  const own = (value: unknown): string | null => {
    const found = readIri(value, privateHosts);
    return found !== null && sameOrigin(found, iri) ? found : null;
  };
  const { answerBy: _answerBy, ...rest } = head.data;
  return {
    audience: [json.to, json.cc].flat().filter((one): one is string => typeof one === 'string'),
    survey: {
      _id: remoteSurveyKey(iri),
      iri,
      url: own(json.url),
      link: rest.names === 'anonymous' ? own(json.survey.link) : null,
      ...rest,
      sections: sections.data,
      results: resultsOf(json.surveyResults),
      receivedAt: now,
      deletedAt: null,
    },
  };
}

function holdsTogether(sections: Section[]): boolean {
  try {
    checkSections(sections);
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
}

function resultsOf(json: unknown): RemoteResults | null {
  if (!isObject(json)) return null;
  const head = remoteResultsShape.safeParse(json);
  const questions = remoteQuestionsShape.safeParse(parse(json.questions));
  if (!head.success || !questions.success) return null;
  // What was not counted is not there, rather than there and not known.
  return { ...head.data, questions: JSON.parse(JSON.stringify(questions.data)) as RemoteResults['questions'] };
}

/** JSON in a text; undefined: none. */
function parse(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface AnswerOnWire {
  iri: string;
  /** Actor of the collective that answers. */
  answerer: string;
  owner: string;
  survey: string;
  version: number;
  sentAt: Date;
  values: Values;
}

/** Who of the collective answered is nobody's business elsewhere: the owner shows it to no one. */
export function toSurveyAnswer(sent: AnswerOnWire): Json {
  const { version, sentAt, values } = sent;
  return {
    id: sent.iri,
    type: answerType,
    attributedTo: sent.answerer,
    to: [sent.owner],
    inReplyTo: sent.survey,
    published: sentAt.toISOString(),
    answer: { version, sentAt: sentAt.toISOString(), values: JSON.stringify(values) },
  };
}

const answerShape = z.object({
  version: z.number().int().min(1).max(1e6),
  sentAt: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
});

export interface AnswerReading {
  iri: string;
  survey: string;
  version: number;
  sentAt: Date;
  raw: Record<string, unknown>;
}

/** Null: it cannot be read. What it answers is for the survey's own rules. */
export function fromSurveyAnswer(json: unknown, privateHosts: readonly string[]): AnswerReading | null {
  if (!isObject(json) || json.type !== answerType) return null;
  const iri = readIri(json.id, privateHosts);
  const survey = readIri(json.inReplyTo, privateHosts);
  const head = answerShape.safeParse(json.answer);
  const raw = parse(isObject(json.answer) ? json.answer.values : undefined);
  if (iri === null || survey === null || !head.success || !isObject(raw)) return null;
  return { iri, survey, ...head.data, raw };
}

/** A Tombstone that says which answer went, and when that was said. */
export function toAnswerTombstone(iri: string, survey: string, deleted: Date): Json {
  return { id: iri, type: 'Tombstone', formerType: answerType, inReplyTo: survey, deleted: deleted.toISOString() };
}

export function fromAnswerTombstone(
  json: unknown,
  privateHosts: readonly string[],
): { iri: string; survey: string; sentAt: Date } | null {
  if (!isObject(json) || json.formerType !== answerType) return null;
  const iri = readIri(json.id, privateHosts);
  const survey = readIri(json.inReplyTo, privateHosts);
  const time = typeof json.deleted === 'string' ? Date.parse(json.deleted) : Number.NaN;
  return iri === null || survey === null || Number.isNaN(time) ? null : { iri, survey, sentAt: new Date(time) };
}

/** What an Accept or Reject is about: the answer, by its id and the moment at which it was sent. */
export function toReceiptObject(receipt: { answerIri: string; surveyIri: string; to: string; sentAt: Date }): Json {
  return {
    id: receipt.answerIri,
    type: answerType,
    attributedTo: receipt.to,
    inReplyTo: receipt.surveyIri,
    published: receipt.sentAt.toISOString(),
  };
}

/** Why, as data for those who have our words, and as text for all others. */
export function toRefusal(
  refusal: { code: string; errors: FieldError[] },
  { i18n, language }: Pick<SurveyNoteFrame, 'i18n' | 'language'>,
): Json {
  const textIn = (tag: 'fr' | 'en'): string => {
    const t = i18n.translator(tag);
    return [...new Set(refusal.errors.map(({ message }) => t(message.key, message.params)))].join(' ');
  };
  const summaryMap = { fr: textIn('fr'), en: textIn('en') };
  return { summary: summaryMap[language], summaryMap, refusal };
}

const refusalShape = z.object({
  code: z.string().max(40),
  errors: z
    .array(
      z.object({
        field: z.string().max(100),
        message: z.object({
          key: z.string().regex(/^(surveys\.(error|answer)|shape)\.[A-Za-z]{1,40}$/),
          params: z.record(z.string().max(40), z.union([z.string().max(200), z.number()])).default({}),
        }),
      }),
    )
    .max(50),
});

export interface ReceiptReading {
  survey: string;
  answerer: string;
  sentAt: Date;
  /** The owner's words, when it refuses. */
  said: Refused;
}

/** Null: no receipt. Messages that we do not have in our words are left to the owner's text. */
export function fromReceipt(
  json: Json,
  privateHosts: readonly string[],
  isKnown: (key: string) => boolean,
): ReceiptReading | null {
  const [object] = [json.object].flat() as unknown[];
  if (!isObject(object) || object.type !== answerType) return null;
  const survey = readIri(object.inReplyTo, privateHosts);
  const answerer = readIri(object.attributedTo, privateHosts);
  const time = typeof object.published === 'string' ? Date.parse(object.published) : Number.NaN;
  if (survey === null || answerer === null || Number.isNaN(time)) return null;
  const refusal = refusalShape.safeParse(json.refusal);
  const known = refusal.success ? refusal.data.errors.filter(({ message }) => isKnown(message.key)) : [];
  const errors: FieldError[] = known.map(({ field, message }) => ({ field, message: message satisfies Message }));
  const text = typeof json.summary === 'string' ? json.summary.replace(/\p{Cc}/gu, ' ').slice(0, 500) : '';
  return { survey, answerer, sentAt: new Date(time), said: { errors, text } };
}
