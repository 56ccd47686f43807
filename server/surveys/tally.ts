// From answers to results: counted one answer at a time, in whole numbers, the same whatever the order. Pure.
import type { AvailabilityQuestion, ChoiceQuestion, GridQuestion, Question, Section, Value, Values } from './schema.js';

export interface ChoiceCount {
  id: string;
  count: number;
}

export interface NumberFigures {
  /** How often each number was given, ascending. */
  counts: { number: number; count: number }[];
  sum: number;
  mean: number | null;
  median: number | null;
  least: number | null;
  most: number | null;
}

export interface RankingFigures {
  id: string;
  /** One point for each choice that stands below (Borda count). */
  points: number;
  firsts: number;
  /** 1: always first. */
  meanPlace: number | null;
}

export interface QuestionResult {
  question: Question;
  /** Answers that have something here. */
  answered: number;
  choices?: ChoiceCount[];
  /** What was written for "other", and how often anything was. */
  others?: string[];
  otherCount?: number;
  numbers?: NumberFigures;
  ranking?: RankingFigures[];
  /** Rows by id; of services: all rows together under the id "". */
  rows?: { id: string; counts: ChoiceCount[] }[];
  slots?: { id: string; yes: number; maybe: number; no: number }[];
  texts?: string[];
  /** So few answers to an anonymous survey that none are told (smallCounts.ts); `answered` says nothing then. */
  isTooFew?: true;
}

export interface SurveyResult {
  /** Answers counted. */
  answers: number;
  sections: { section: Section; questions: QuestionResult[] }[];
}

interface Counter {
  answered: number;
  counts: Map<string, number>;
  texts: string[];
  numbers: Map<number, number>;
  places: Map<string, Places>;
}

/** Of one choice. times: in how many rankings it stood, since it may not always have been there. */
interface Places {
  times: number;
  sum: number;
  firsts: number;
  points: number;
}

const noPlaces: Readonly<Places> = { times: 0, sum: 0, firsts: 0, points: 0 };

/** A part of the count, to be kept as JSON and added again. */
export interface TallyPart {
  answers: number;
  counters: [question: string, PlainCounter][];
}

type PlainCounter = Pick<Counter, 'answered' | 'texts'> & {
  counts: [string, number][];
  numbers: [number, number][];
  places: [string, Places][];
};

/**
 * Counts answers of every version into the questions of the last one: by id, so a corrected label keeps its counts. What an
 * old version asked and the last one does not is left out. Of each question so many texts are kept; how many there were is
 * counted in any case.
 */
export class Tally {
  answers = 0;
  readonly #questions: ReadonlyMap<string, Question>;
  readonly #counters = new Map<string, Counter>();

  constructor(
    readonly sections: readonly Section[],
    readonly mostTexts = Number.POSITIVE_INFINITY,
  ) {
    this.#questions = new Map(sections.flatMap(({ questions }) => questions.map((one) => [one.id, one] as const)));
    for (const id of this.#questions.keys()) {
      const empty = { answered: 0, counts: new Map(), texts: [], numbers: new Map(), places: new Map() };
      this.#counters.set(id, empty);
    }
  }

  add(values: Values): void {
    this.answers += 1;
    for (const [id, value] of Object.entries(values)) {
      const counter = this.#counters.get(id);
      const question = this.#questions.get(id);
      if (counter && question) count(counter, question, value, this.mostTexts);
    }
  }

  part(): TallyPart {
    const plain = ({ counts, numbers, places, ...rest }: Counter): PlainCounter => {
      return { ...rest, counts: [...counts], numbers: [...numbers], places: [...places] };
    };
    return { answers: this.answers, counters: [...this.#counters].map(([id, counter]) => [id, plain(counter)]) };
  }

  addPart(part: TallyPart): void {
    this.answers += part.answers;
    for (const [id, more] of part.counters) {
      const counter = this.#counters.get(id);
      if (counter) addCounter(counter, more, this.mostTexts);
    }
  }

  result(): SurveyResult {
    const of = (question: Question) => resultOf(question, this.#counters.get(question.id) as Counter);
    return {
      answers: this.answers,
      sections: this.sections.map((section) => ({ section, questions: section.questions.map(of) })),
    };
  }
}

function addCounter(counter: Counter, more: PlainCounter, mostTexts: number): void {
  counter.answered += more.answered;
  counter.texts.push(...more.texts.slice(0, Math.max(0, mostTexts - counter.texts.length)));
  for (const [key, times] of more.counts) counter.counts.set(key, (counter.counts.get(key) ?? 0) + times);
  for (const [number, times] of more.numbers) counter.numbers.set(number, (counter.numbers.get(number) ?? 0) + times);
  for (const [id, places] of more.places) addPlaces(counter, id, places);
}

function addPlaces({ places }: Counter, id: string, { times, sum, firsts, points }: Places): void {
  const known = places.get(id) ?? noPlaces;
  places.set(id, {
    times: known.times + times,
    sum: known.sum + sum,
    firsts: known.firsts + firsts,
    points: known.points + points,
  });
}

/** Under this the counts of a question say how often "other" was chosen: no choice can be called so. */
const otherKey = ' other';

function count(counter: Counter, question: Question, value: Value, mostTexts: number): void {
  counter.answered += 1;
  const more = (key: string) => counter.counts.set(key, (counter.counts.get(key) ?? 0) + 1);
  const keep = (text: string) => counter.texts.length < mostTexts && counter.texts.push(text);
  if ('text' in value) {
    if (question.kind === 'date') more(value.text);
    else keep(value.text);
  } else if ('number' in value) counter.numbers.set(value.number, (counter.numbers.get(value.number) ?? 0) + 1);
  else if ('chosen' in value) {
    for (const id of value.chosen) more(id);
    if (value.other !== '') {
      more(otherKey);
      keep(value.other);
    }
  } else if ('ranked' in value) rank(counter, value.ranked);
  else if ('slots' in value) for (const { id, is } of value.slots) more(`${id} ${is}`);
  else {
    const isByRow = question.kind === 'grid' && question.rowsFrom === 'rows';
    for (const { id, choice } of value.rows) more(`${isByRow ? id : ''} ${choice}`);
  }
}

function rank(counter: Counter, ranked: readonly string[]): void {
  for (const [index, id] of ranked.entries()) {
    const points = ranked.length - 1 - index;
    addPlaces(counter, id, { times: 1, sum: index + 1, firsts: Number(index === 0), points });
  }
}

function resultOf(question: Question, counter: Counter): QuestionResult {
  const base = { question, answered: counter.answered };
  const { counts, texts } = counter;
  switch (question.kind) {
    case 'single':
    case 'multiple':
      return {
        ...base,
        choices: choicesOf(question, counts, ''),
        others: sortTexts(texts),
        otherCount: counts.get(otherKey) ?? 0,
      };
    case 'number':
    case 'scale':
      return { ...base, numbers: figuresOf(counter.numbers) };
    case 'ranking':
      return { ...base, ranking: question.choices.map(({ id }) => rankingOf(id, counter)).sort(byPoints) };
    case 'grid':
      return { ...base, rows: rowsOf(question, counts) };
    case 'availability':
      return { ...base, slots: slotsOf(question, counts) };
    case 'date':
      return { ...base, texts: sortTexts([...counts].flatMap(([day, times]) => Array<string>(times).fill(day))) };
    case 'shortText':
    case 'longText':
    case 'link':
      return { ...base, texts: sortTexts(texts) };
  }
}

function choicesOf(
  question: Pick<ChoiceQuestion, 'choices'>,
  counts: ReadonlyMap<string, number>,
  row: string,
): ChoiceCount[] {
  const prefix = row === '' ? '' : `${row} `;
  return question.choices.map(({ id }) => ({ id, count: counts.get(`${prefix}${id}`) ?? 0 }));
}

function rowsOf(question: GridQuestion, counts: ReadonlyMap<string, number>): { id: string; counts: ChoiceCount[] }[] {
  const ids = question.rowsFrom === 'rows' ? question.rows.map(({ id }) => id) : [''];
  return ids.map((id) => ({
    id,
    counts: question.choices.map((choice) => ({ id: choice.id, count: counts.get(`${id} ${choice.id}`) ?? 0 })),
  }));
}

function slotsOf(question: AvailabilityQuestion, counts: ReadonlyMap<string, number>) {
  const of = (id: string, is: string) => counts.get(`${id} ${is}`) ?? 0;
  return question.slots.map(({ id }) => ({ id, yes: of(id, 'yes'), maybe: of(id, 'maybe'), no: of(id, 'no') }));
}

/** The order of texts says nothing about who wrote them, nor when. */
function sortTexts(texts: readonly string[]): string[] {
  return texts.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
}

const scale = 10_000n;

function figuresOf(numbers: ReadonlyMap<number, number>): NumberFigures {
  const counts = [...numbers].map(([number, times]) => ({ number, count: times })).sort((a, b) => a.number - b.number);
  const total = counts.reduce((sum, one) => sum + one.count, 0);
  if (total === 0) return { counts, sum: 0, mean: null, median: null, least: null, most: null };
  // In ten-thousandths, the finest step that a question may ask for: sums of whole numbers are exact.
  const sum = counts.reduce((all, one) => all + BigInt(Math.round(one.number * Number(scale))) * BigInt(one.count), 0n);
  const at = (position: number): number => {
    let passed = 0;
    for (const one of counts) {
      passed += one.count;
      if (position < passed) return one.number;
    }
    return 0;
  };
  const middle = at(Math.floor(total / 2));
  return {
    counts,
    sum: Number(sum) / Number(scale),
    mean: Number(sum) / Number(scale) / total,
    median: total % 2 === 1 ? middle : (at(total / 2 - 1) + middle) / 2,
    least: counts[0]?.number ?? null,
    most: counts.at(-1)?.number ?? null,
  };
}

function rankingOf(id: string, { places }: Counter): RankingFigures {
  const { times, sum, firsts, points } = places.get(id) ?? noPlaces;
  return { id, points, firsts, meanPlace: times === 0 ? null : sum / times };
}

function byPoints(a: RankingFigures, b: RankingFigures): number {
  return b.points - a.points || b.firsts - a.firsts;
}
