// Who may do what with a survey and when, and what makes its questions hold together. Pure: no store, no clock of its own.
import { createHash } from 'node:crypto';
import { type Membered, mayEditCollective } from '../collectives/rules.js';
import type { Actor } from '../context.js';
import { DomainError } from '../errors.js';
import {
  type Condition,
  limits,
  type Question,
  type Section,
  type Slot,
  type Survey,
  type SurveyState,
  type Texts,
} from './schema.js';

/** The one key of whoever answers one survey: a second answer meets the first (WB-40). */
export function answerKey(surveyId: string, answerer: string): string {
  return createHash('sha256').update(`${surveyId} ${answerer}`).digest('hex');
}

/** What a guest's link names: the survey, and the id under which the answer is kept. */
export function guestLink(surveyId: string, guestId: string): string {
  return `${surveyId}_${guestId}`;
}

export function readGuestLink(id: string | null): { surveyId: string; guestId: string } | null {
  const [surveyId, guestId, more] = id?.split('_') ?? [];
  return surveyId && guestId && more === undefined ? { surveyId, guestId } : null;
}

/** The members of the collective that asks, and administrators, organise. */
export function mayOrganise(actor: Actor, owner: Membered): boolean {
  return mayEditCollective(actor, owner);
}

/** Refuses: not-found. */
export function checkMayOrganise(actor: Actor, owner: Membered): void {
  if (!mayOrganise(actor, owner)) throw new DomainError('not-found', 'error.notFound');
}

/** The person may speak for one of the collectives asked. Administrators do not answer for others. */
export function mayAnswerFor(actor: Actor, collective: Membered): boolean {
  return actor?.kind === 'person' && collective.members.some(({ personId }) => personId === actor.personId);
}

/** Whether this person is among those asked one by one: of a collective asked when it opened. `memberships`: of now. */
export function asksThisPerson(
  { answerBy, invited, askedPeople }: Pick<Survey, 'answerBy' | 'invited' | 'askedPeople'>,
  personId: string,
  memberships: readonly string[],
): boolean {
  if (answerBy !== 'person') return false;
  if (askedPeople !== undefined) return askedPeople.some((one) => one.personId === personId);
  return invited.some(({ collectiveId }) => collectiveId !== null && memberships.includes(collectiveId));
}

/** Whether it takes answers now, by the stored moments alone. */
export function isOpen(survey: Pick<Survey, 'state' | 'closesAt' | 'deletedAt'>, now: Date): boolean {
  return survey.state === 'open' && survey.deletedAt === null && (survey.closesAt === null || now < survey.closesAt);
}

/** How long after closing an answer that was sent in time is still taken, where the survey says so. */
const graceMs = 24 * 60 * 60 * 1000;

/**
 * Refuses: closed (not open yet, closed). `sentAt`: when it left another instance; it counts only where the survey takes what
 * was sent in time, never when it lies in the future, and not once results are published: when it left is the sender's word.
 */
export function checkTakesAnswers(
  survey: Pick<Survey, 'state' | 'closesAt' | 'closedAt' | 'deletedAt' | 'late'> & {
    results?: { publishedAt: Date | null } | null;
  },
  now: Date,
  sentAt: Date = now,
): void {
  if (isOpen(survey, now)) return;
  if (survey.deletedAt !== null) throw new DomainError('gone', 'surveys.error.gone');
  if (survey.state === 'draft' || survey.state === 'scheduled') {
    throw new DomainError('closed', 'surveys.error.notOpenYet');
  }
  const end = endOf(survey);
  const isInTime = end !== null && sentAt < end && sentAt <= now && now.getTime() < end.getTime() + graceMs;
  const isPublished = (survey.results?.publishedAt ?? null) !== null;
  if (survey.late === 'sentInTime' && isInTime && !isPublished) return;
  throw new DomainError('closed', 'surveys.error.closed');
}

/** When it stopped taking answers, or will; null: open without an end, or not open yet. */
export function endOf(survey: Pick<Survey, 'closesAt' | 'closedAt'>): Date | null {
  return survey.closedAt ?? survey.closesAt;
}

const steps: Record<string, { from: SurveyState[]; to: SurveyState }> = {
  schedule: { from: ['draft'], to: 'scheduled' },
  open: { from: ['draft', 'scheduled'], to: 'open' },
  unschedule: { from: ['scheduled'], to: 'draft' },
  close: { from: ['open'], to: 'closed' },
  reopen: { from: ['closed'], to: 'open' },
};
export type Step = 'schedule' | 'open' | 'unschedule' | 'close' | 'reopen';

/** Refuses: conflict. Somebody else did it meanwhile, or it does not fit the state. */
export function checkStep(survey: Pick<Survey, 'state'>, step: Step): SurveyState {
  const rule = steps[step];
  if (!rule?.from.includes(survey.state)) throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
  return rule.to;
}

/** Refuses: conflict. The page from which the change comes shows an older state. */
export function checkRevision(survey: Pick<Survey, 'revision'>, revision: number): void {
  if (survey.revision !== revision) throw new DomainError('conflict', 'surveys.error.changedMeanwhile');
}

/**
 * Whether its questions may still be changed. Names and who answers are promises: they stand from the opening on
 * (checkPromises).
 */
export function mayChangeQuestions(survey: Pick<Survey, 'state' | 'deletedAt'>): boolean {
  return survey.deletedAt === null && survey.state !== 'closed';
}

/**
 * What its end sets. Results that are to be published then wait, where what was sent in time still counts, until nothing of it
 * can arrive any more.
 */
export function closing({ results, late }: Pick<Survey, 'results' | 'late'>, closedAt: Date): Partial<Survey> {
  if (!results.atClosing || results.publishedAt !== null) return { closedAt };
  const wait = late === 'sentInTime' ? graceMs : 0;
  return { closedAt, results: { ...results, publishAt: new Date(closedAt.getTime() + wait) } };
}

const wording = new Set(['label', 'help', 'title', 'intro', 'fromLabel', 'toLabel', 'unit', 'criterion']);

/**
 * Refuses: closed. Of an anonymous survey that somebody has answered only the wording may change: what one could not choose
 * before, or could choose no more, would tell who answered before the change and who after.
 */
export function checkSameQuestions(before: readonly Section[], after: readonly Section[]): void {
  if (!isSameQuestions(before, after)) {
    throw new DomainError('closed', 'surveys.error.anonymousChange', { field: 'sections' });
  }
}

/** Whether nothing but the wording differs. */
export function isSameQuestions(before: readonly Section[], after: readonly Section[]): boolean {
  return bones(before) === bones(after);
}

/** Everything but the wording, whatever the order of fields. */
function bones(sections: readonly Section[]): string {
  return JSON.stringify(sections, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !wording.has(name))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
}

/** Refuses: closed. What was promised to those who answered stays. */
export function checkPromises(
  before: Pick<Survey, 'state' | 'names' | 'answerBy'>,
  after: Pick<Survey, 'names' | 'answerBy'>,
): void {
  if (before.state === 'draft' || before.state === 'scheduled') return;
  if (before.names !== after.names) throw new DomainError('closed', 'surveys.error.promise', { field: 'names' });
  if (before.answerBy !== after.answerBy) {
    throw new DomainError('closed', 'surveys.error.promise', { field: 'answerBy' });
  }
}

/** Refuses: invalid, with the field "sections.<n>.questions.<m>.…": ids twice, conditions on later questions, bounds upside down. */
export function checkSections(sections: readonly Section[]): void {
  const seen = new Map<string, Question>();
  const ids = new Set<string>();
  const before: Question[] = [];
  for (const [index, section] of sections.entries()) {
    const place = `sections.${index}`;
    once(ids, section.id, `${place}.id`);
    checkCondition(section.showIf, seen, `${place}.showIf`);
    for (const [position, question] of section.questions.entries()) {
      const field = `${place}.questions.${position}`;
      once(ids, question.id, `${field}.id`);
      checkCondition(question.showIf, seen, `${field}.showIf`);
      checkQuestion(question, field);
      seen.set(question.id, question);
      before.push(question);
    }
  }
  if (before.length > limits.questions) {
    const message = { key: 'surveys.error.tooManyQuestions', params: { max: limits.questions } };
    throw new DomainError('invalid', message, { field: 'sections' });
  }
}

/** What is looked at before a survey opens. */
export interface Opening {
  survey: Pick<Survey, 'answerBy' | 'names' | 'invited' | 'closesAt'>;
  sections: readonly Section[];
  /** Whether the collective that asks is published: other instances know no other. */
  isOwnerPublic: boolean;
  now: Date;
}

/** All that stands between a survey and its opening, each with the field in which it is put right. */
export function obstaclesTo({ survey, sections, isOwnerPublic, now }: Opening): { key: string; field: string }[] {
  const { answerBy, names, invited, closesAt } = survey;
  const isElsewhere = answerBy !== 'anyone' && invited.some(({ collectiveId }) => collectiveId === null);
  const all: [boolean, string, string][] = [
    [sections.every(({ questions }) => questions.length === 0), 'surveys.error.noQuestions', 'sections'],
    [names === 'anonymous' && asksForServices(sections), 'surveys.error.anonymousServices', 'sections'],
    [answerBy !== 'anyone' && invited.length === 0, 'surveys.error.nobodyAsked', 'invited'],
    [isElsewhere && answerBy === 'person', 'surveys.error.personElsewhere', 'elsewhere'],
    [isElsewhere && answerBy === 'collective' && !isOwnerPublic, 'surveys.error.ownerNotPublic', 'elsewhere'],
    [closesAt !== null && closesAt <= now, 'surveys.error.closesInPast', 'closesAt'],
  ];
  return all.filter(([is]) => is).map(([, key, field]) => ({ key, field }));
}

/** Refuses: invalid. Something that is asked, somebody who is, and a way to them. */
export function checkMayOpen(opening: Opening): void {
  const [first] = obstaclesTo(opening);
  if (first) throw invalid(first.key, first.field);
}

/** Whether a question makes whoever answers name their own services, and so themselves. */
export function asksForServices(sections: readonly Section[]): boolean {
  return sections.some(({ questions }) => questions.some((one) => one.kind === 'grid' && one.rowsFrom === 'services'));
}

/** Refuses: invalid. What everybody answers about their own services, by name, cannot be anonymous. */
export function checkNamesNobody({ names }: Pick<Survey, 'names'>, sections: readonly Section[]): void {
  if (names === 'anonymous' && asksForServices(sections)) throw invalid('surveys.error.anonymousServices', 'sections');
}

function once(ids: Set<string>, id: string, field: string): void {
  if (ids.has(id)) throw invalid('surveys.error.twice', field);
  ids.add(id);
}

function checkCondition(condition: Condition | null, seen: ReadonlyMap<string, Question>, field: string): void {
  if (condition === null) return;
  const question = seen.get(condition.question);
  if (!question) throw invalid('surveys.error.conditionLater', field);
  const isChoice = question.kind === 'single' || question.kind === 'multiple';
  const isNumber = question.kind === 'number' || question.kind === 'scale';
  if (condition.test === 'oneOf') {
    const known = isChoice ? question.choices.map(({ id }) => id) : [];
    if (condition.values.length === 0 || !condition.values.every((value) => known.includes(value))) {
      throw invalid('surveys.error.conditionChoice', field);
    }
  }
  if ((condition.test === 'atLeast' || condition.test === 'atMost') && (!isNumber || condition.number === null)) {
    throw invalid('surveys.error.conditionNumber', field);
  }
}

function checkQuestion(question: Question, field: string): void {
  const lists = 'choices' in question ? [question.choices] : [];
  if (question.kind === 'grid') {
    if (question.rowsFrom === 'rows' && question.rows.length === 0)
      throw invalid('surveys.error.rows', `${field}.rows`);
    lists.push(question.rows);
  }
  for (const list of lists) {
    if (new Set(list.map(({ id }) => id)).size < list.length) throw invalid('surveys.error.twice', `${field}.choices`);
  }
  if (question.kind === 'availability') {
    if (new Set(question.slots.map(({ id }) => id)).size < question.slots.length) {
      throw invalid('surveys.error.twice', `${field}.slots`);
    }
    const upside = question.slots.some(({ startsAt, endsAt }) => endsAt !== null && endsAt <= startsAt);
    if (upside) throw invalid('surveys.error.slotEnds', `${field}.slots`);
  }
  if ('min' in question && question.min !== null && question.max !== null && question.min > question.max) {
    throw invalid('surveys.error.bounds', `${field}.max`);
  }
  if (question.kind === 'multiple' && (question.min ?? 0) > question.choices.length + (question.other ? 1 : 0)) {
    throw invalid('surveys.error.bounds', `${field}.min`);
  }
}

function invalid(key: string, field: string): DomainError {
  return new DomainError('invalid', key, { field });
}

/** The text in the reader's language, else in the survey's first, else in any; and in which it is. */
export function pickText(texts: Texts, language: string, languages: readonly string[]): { text: string; lang: string } {
  for (const lang of [language, ...languages, ...Object.keys(texts)]) {
    const text = texts[lang];
    if (text) return { text, lang };
  }
  return { text: '', lang: language };
}

/** Languages of the survey in which a text is missing that another language has. */
export function missingIn(texts: Texts, languages: readonly string[]): string[] {
  if (!Object.values(texts).some((text) => text !== '')) return [];
  return languages.filter((language) => !texts[language]);
}

/** The slot that a choice names; null: none, or it is asked no more. */
export function findSlot(sections: readonly Section[], chosen: Survey['chosenSlot']): Slot | null {
  const question = sections.flatMap(({ questions }) => questions).find(({ id }) => id === chosen?.question);
  if (question?.kind !== 'availability') return null;
  return question.slots.find(({ id }) => id === chosen?.slot) ?? null;
}

/** Who reads names and answers of each: with `anonymous` nobody ever, with `hiddenUntilClose` nobody before the end. */
export function maySeeNames(survey: Pick<Survey, 'names' | 'state'>): boolean {
  return survey.names === 'named' || (survey.names === 'hiddenUntilClose' && survey.state === 'closed');
}

/** Whether the results, or a part of them, are for this reader now. Members: the people of the collectives asked. */
export function maySeeResults(
  survey: Pick<Survey, 'results' | 'names' | 'state'>,
  reader: { organises: boolean; isMember: boolean },
): boolean {
  if (reader.organises) return survey.names === 'named' || survey.state === 'closed';
  if (survey.results.publishedAt === null) return false;
  return survey.results.readers === 'public' || (survey.results.readers === 'members' && reader.isMember);
}

/** Whether everybody may know of it: anybody may answer, or its results are published for all. */
export function mayRead(survey: Pick<Survey, 'answerBy' | 'state' | 'deletedAt' | 'results'>): boolean {
  const { answerBy, state, deletedAt, results } = survey;
  if (deletedAt !== null || state === 'draft' || state === 'scheduled') return false;
  return answerBy === 'anyone' || (results.readers === 'public' && results.publishedAt !== null);
}

/** Below so few answers an anonymous survey shows no figures: each could be guessed (AP-117). */
export const fewestAnonymous = 5;

export function isEnough(names: Survey['names'], answers: number): boolean {
  return names !== 'anonymous' || answers >= fewestAnonymous;
}

/** For signLink: the personal link by which a collective elsewhere answers an anonymous survey, on this instance. */
export const linkPurpose = 'survey';

/** The last part of the survey's id on the wire, for one of those asked elsewhere: each has its own. */
export function askedObjectId(surveyId: string, asked: string): string {
  return `${surveyId}-${answerKey(surveyId, asked).slice(0, 16)}`;
}

export function linkRecord(surveyId: string, asked: string): string {
  return `${surveyId}_${answerKey(surveyId, asked)}`;
}
