// Two questions against each other: how many of those who said this there said that here. Pure.
import { fewestAnonymous } from './rules.js';
import type { ChoiceQuestion, NameRule, Question, ScaleQuestion, Value, Values } from './schema.js';

export type Crossable = ChoiceQuestion | ScaleQuestion;

export function isCrossable(question: Question): question is Crossable {
  return question.kind === 'single' || question.kind === 'multiple' || question.kind === 'scale';
}

/** What can be said to a question: ids of choices and "other", or the steps of a scale. */
export function keysOf(question: Crossable): string[] {
  if (question.kind === 'scale') {
    return Array.from({ length: question.to - question.from + 1 }, (_, step) => String(question.from + step));
  }
  return [...question.choices.map(({ id }) => id), ...(question.other ? ['other'] : [])];
}

function saidIn(value: Value | undefined): string[] {
  if (value === undefined) return [];
  if ('number' in value) return [String(value.number)];
  if (!('chosen' in value)) return [];
  return value.other === '' ? value.chosen : [...value.chosen, 'other'];
}

export class CrossTable {
  readonly #counts = new Map<string, number>();
  /** Answers that say something to both. */
  answers = 0;

  constructor(
    readonly rows: Crossable,
    readonly columns: Crossable,
  ) {}

  add(values: Values): void {
    const down = saidIn(values[this.rows.id]);
    const across = saidIn(values[this.columns.id]);
    if (down.length === 0 || across.length === 0) return;
    this.answers += 1;
    for (const row of down) {
      for (const column of across) {
        const key = `${row} ${column}`;
        this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
      }
    }
  }

  /** Row by row. Null: of an anonymous survey some cell is so small that somebody could be recognised in it (AP-117). */
  cells(names: NameRule): number[][] | null {
    const columns = keysOf(this.columns);
    const cells = keysOf(this.rows).map((row) => columns.map((column) => this.#counts.get(`${row} ${column}`) ?? 0));
    const isTold = names !== 'anonymous' || cells.flat().every((count) => count === 0 || count >= fewestAnonymous);
    return isTold ? cells : null;
  }
}
