// Chooses how a filter and a sort are read: which index, which ranges of its keys, and what is left to be checked on
// the documents. A plan may yield too much, never too little. Pure: no SQL, no data.
import { type Fields, isPlainObject } from '../guard.js';
import { rankOf } from '../order.js';
import { afterPrefix, type Direction, encodeValue, type KeySpec, textPrefix, uniqueKeys } from './keys.js';

export interface Index {
  name: string;
  table: string;
  spec: KeySpec;
  unique: boolean;
  sparse: boolean;
  /** Bit i is set once a document had an array at field i. */
  arrays: number;
}

/** Keys from `from` (inclusive) to `to` (exclusive); null is no end. */
export interface KeyRange {
  from: Buffer;
  to: Buffer | null;
}

export interface Plan {
  /** null reads the documents themselves. */
  index: Index | null;
  ranges: KeyRange[];
  /** Every document in the ranges satisfies the filter: nothing is left to check. */
  exact: boolean;
  /** The keys come in the order of the sort; backwards when reverse. */
  ordered: boolean;
  reverse: boolean;
  /** One document may come up more than once. */
  repeats: boolean;
  /** Every document of the collection has to be looked at. */
  scan: boolean;
}

interface Predicate {
  path: string;
  operator: string;
  operand: unknown;
}

interface Bounds {
  ranges: KeyRange[];
  used: Predicate[];
  equality: boolean;
}

const MAX_RANGES = 500;
const RANGE_OPERATORS = new Set(['$gt', '$gte', '$lt', '$lte']);

/** The best plan for a checked filter and sort. Several plans when the branches of an $or are read one by one. */
export function planQuery(filter: Fields, sort: KeySpec, indexes: Index[]): Plan[] {
  const { predicates, complete } = conjunctsOf(filter);
  const plans = indexes.map((index) => planIndex(index, predicates, complete, sort)).filter((plan) => plan !== null);
  const best = plans.reduce<ScoredPlan | null>((a, b) => (a === null || b.score > a.score ? b : a), null);
  if (best !== null && (best.bounded || Object.keys(filter).length === 0)) return [best.plan];
  const branches = planBranches(filter, indexes);
  if (branches !== null) return branches;
  const anything = Object.keys(filter).length === 0 && sort.length === 0;
  if (best !== null) return [best.plan];
  return [
    { index: null, ranges: [], exact: anything, ordered: anything, reverse: false, repeats: false, scan: !anything },
  ];
}

/** An $or whose every branch has an index of its own. */
function planBranches(filter: Fields, indexes: Index[]): Plan[] | null {
  const branches = filter.$or;
  if (!Array.isArray(branches)) return null;
  const plans = branches.flatMap((branch: Fields) => planQuery(branch, [], indexes));
  if (plans.some((plan) => plan.scan || plan.index === null)) return null;
  return plans.map((plan) => ({ ...plan, exact: false, ordered: false, repeats: true }));
}

/** The conditions that all must hold, and whether these are the whole filter. */
function conjunctsOf(filter: Fields): { predicates: Predicate[]; complete: boolean } {
  const predicates: Predicate[] = [];
  let complete = true;
  const collect = (part: Fields): void => {
    for (const [path, condition] of Object.entries(part)) {
      if (path === '$and') for (const branch of condition as Fields[]) collect(branch);
      else if (path.startsWith('$')) complete = false;
      else predicates.push(...predicatesOf(path, condition));
    }
  };
  collect(filter);
  return { predicates, complete };
}

function predicatesOf(path: string, condition: unknown): Predicate[] {
  if (condition instanceof RegExp) return [{ path, operator: '$regex', operand: condition }];
  if (isPlainObject(condition) && Object.keys(condition).some((key) => key.startsWith('$'))) {
    return Object.entries(condition).map(([operator, operand]) => ({ path, operator, operand }));
  }
  return [{ path, operator: '$eq', operand: condition }];
}

interface ScoredPlan {
  plan: Plan;
  score: number;
  bounded: boolean;
}

function planIndex(index: Index, predicates: Predicate[], complete: boolean, sort: KeySpec): ScoredPlan | null {
  let ranges: KeyRange[] = [{ from: Buffer.alloc(0), to: null }];
  const used = new Set<Predicate>();
  let equalities = 0;
  let position = 0;
  let single = true;
  let ranged = false;
  let present = false;
  for (const [path, direction] of index.spec) {
    const isArray = (index.arrays & (1 << position)) !== 0;
    const bounds = boundsOf(
      predicates.filter((predicate) => predicate.path === path),
      direction,
      isArray,
    );
    if (bounds === null || ranges.length * bounds.ranges.length > MAX_RANGES) break;
    ranges = ranges.flatMap((prefix) => bounds.ranges.map((range) => within(prefix.from, range)));
    for (const predicate of bounds.used) used.add(predicate);
    present ||= bounds.used.some((predicate) => !mayBeMissing(predicate));
    position++;
    if (!bounds.equality) {
      ranged = true;
      break;
    }
    equalities++;
    if (bounds.ranges.length !== 1) single = false;
  }
  const bounded = position > 0;
  if (index.sparse && !present) return null;
  const direction = single ? orderOf(index, sort, equalities) : null;
  if (!bounded && direction === null) return null;
  const open = index.arrays & ~((1 << equalities) - 1);
  const exact = complete && predicates.every((predicate) => used.has(predicate) && isExact(predicate, index));
  const ordered = sort.length === 0 || direction !== null;
  const repeats = index.arrays !== 0 && (open !== 0 || !single);
  const plan: Plan = {
    index,
    ranges,
    exact,
    ordered,
    reverse: direction === 'backward',
    repeats,
    scan: !bounded && !(complete && predicates.length === 0),
  };
  const pinned = index.unique && single && equalities === index.spec.length;
  const order = plan.ordered && sort.length > 0;
  const score = (pinned ? 100 : 0) + equalities * 20 + (ranged ? 8 : 0) + (order ? 6 : 0) + (exact ? 3 : 0);
  return { plan, score: score - index.spec.length / 10, bounded };
}

/** null in a filter also finds what is missing, which a sparse index may not hold. */
function mayBeMissing({ operator, operand }: Predicate): boolean {
  return operand === null || (operator === '$in' && Array.isArray(operand) && operand.includes(null));
}

/** Whether the keys alone decide: not where an array may hide a missing field, not for patterns. */
function isExact(predicate: Predicate, index: Index): boolean {
  return predicate.operator !== '$regex' && (index.arrays === 0 || !mayBeMissing(predicate));
}

/** The ranges of one field's part of the key. Of an array only one bound holds: another element may meet the other. */
function boundsOf(predicates: Predicate[], direction: Direction, isArray: boolean): Bounds | null {
  const equal = predicates.find(({ operator, operand }) => operator === '$eq' && isKeyable(operand));
  if (equal !== undefined)
    return { ranges: [prefixRange(encodeValue(equal.operand, direction))], used: [equal], equality: true };
  const choice = predicates.find(({ operator }) => operator === '$in');
  if (choice !== undefined) {
    const keys = uniqueKeys((choice.operand as unknown[]).map((value) => encodeValue(value, direction)));
    return { ranges: keys.map(prefixRange), used: [choice], equality: true };
  }
  const ranges = predicates.filter(({ operator }) => RANGE_OPERATORS.has(operator));
  if (ranges.length > 0) return rangeBounds(ranges, direction, isArray);
  const pattern = predicates.find(({ operator }) => operator === '$regex');
  const start = pattern === undefined ? '' : literalStart(pattern.operand as RegExp);
  if (pattern === undefined || start === '') return null;
  return { ranges: [prefixRange(textPrefix(start, direction))], used: [pattern], equality: false };
}

function rangeBounds(predicates: Predicate[], direction: Direction, isArray: boolean): Bounds | null {
  const [first] = predicates;
  if (first === undefined) return null;
  const rank = rankOf(first.operand);
  const together = predicates.filter(({ operand }) => rankOf(operand) === rank).slice(0, isArray ? 1 : undefined);
  const kind = direction === 1 ? rank : 255 - rank;
  let range: KeyRange = { from: Buffer.of(kind), to: Buffer.of(kind + 1) };
  for (const { operator, operand } of together) {
    const key = encodeValue(operand, direction);
    const lower = operator.startsWith('$gt') === (direction === 1);
    const inclusive = operator.endsWith('e');
    const edge = lower === inclusive ? key : (afterPrefix(key) ?? Buffer.of(kind + 1));
    range = lower ? { ...range, from: later(range.from, edge) } : { ...range, to: earlier(range.to, edge) };
  }
  return { ranges: [range], used: together, equality: false };
}

function later(a: Buffer, b: Buffer): Buffer {
  return Buffer.compare(a, b) > 0 ? a : b;
}

function earlier(a: Buffer | null, b: Buffer): Buffer {
  return a !== null && Buffer.compare(a, b) < 0 ? a : b;
}

function prefixRange(prefix: Buffer): KeyRange {
  return { from: prefix, to: afterPrefix(prefix) };
}

function within(prefix: Buffer, range: KeyRange): KeyRange {
  const to = range.to === null ? afterPrefix(prefix) : Buffer.concat([prefix, range.to]);
  return { from: Buffer.concat([prefix, range.from]), to };
}

/** Single values and null; a whole object or array is left to the check on the document. */
function isKeyable(value: unknown): boolean {
  return value === null || typeof value !== 'object' || value instanceof Date;
}

/** Whether the index yields the sort, from the first field that is not fixed by equality. Arrays sort otherwise. */
function orderOf(index: Index, sort: KeySpec, equalities: number): 'forward' | 'backward' | null {
  const fixed = new Set(index.spec.slice(0, equalities).map(([path]) => path));
  if (
    index.arrays !== 0 &&
    index.spec.some(([path], i) => fixed.has(path) && (index.arrays & (1 << i)) !== 0 && sort.some(([p]) => p === path))
  ) {
    return null;
  }
  const wanted = sort.filter(([path]) => !fixed.has(path));
  if (wanted.length === 0) return sort.length > 0 ? 'forward' : null;
  const rest = index.spec.slice(equalities, equalities + wanted.length);
  if (rest.length < wanted.length) return null;
  if (rest.some((_, i) => (index.arrays & (1 << (equalities + i))) !== 0)) return null;
  if (wanted.some(([path], i) => rest[i]?.[0] !== path)) return null;
  if (wanted.every(([, direction], i) => rest[i]?.[1] === direction)) return 'forward';
  return wanted.every(([, direction], i) => rest[i]?.[1] === -direction) ? 'backward' : null;
}

/** The text that every match of a pattern begins with; empty when that cannot be told. */
function literalStart({ source, flags }: RegExp): string {
  if (flags !== '' || !source.startsWith('^') || source.includes('|')) return '';
  let start = '';
  for (let i = 1; i < source.length; i++) {
    const char = source.charAt(i);
    if ('*?{'.includes(char)) {
      start = start.slice(0, -1);
      break;
    }
    if (char === '\\' && /[^A-Za-z0-9]/.test(source.charAt(i + 1))) start += source.charAt(++i);
    else if ('\\.[]()+$^'.includes(char)) break;
    else start += char;
  }
  return start.split(/\p{Surrogate}/u)[0] ?? '';
}
