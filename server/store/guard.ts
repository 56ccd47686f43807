// What may enter the store, checked the same for both engines before either sees it: values, field names, filters,
// updates. Returns clean copies, so that a caller's later change has no effect. No engine and no query runs here.
import { type Doc, StoreUsageError } from './store.js';

export type Fields = Record<string, unknown>;

const MAX_DEPTH = 64;
/** Characters of text and bytes of binaries in one document: stays below the 16 MB of BSON in any script. */
const MAX_WEIGHT = 4_000_000;

const LOGICAL = new Set(['$and', '$or', '$nor']);
const UPDATES = new Set(['$set', '$unset', '$inc', '$push', '$pull', '$addToSet', '$setOnInsert', '$min', '$max']);

/** A clean copy of a whole document, its _id first as MongoDB has it. Refuses a missing, empty or non-string _id. */
export function cleanDocument(document: unknown): Fields & Doc {
  const { _id, ...fields } = cleanObject(document, 'document');
  return { _id: cleanId(_id), ...fields };
}

/** A clean copy of a replacement. Its _id may be left out. */
export function cleanReplacement(document: unknown): Fields {
  const clean = cleanObject(document, 'replacement');
  if (Object.hasOwn(clean, '_id')) cleanId(clean._id);
  return clean;
}

/** A clean copy of a filter. Refuses undefined, operators outside the subset, and odd operands. */
export function cleanFilter(filter: unknown, depth = 0): Fields {
  if (!isPlainObject(filter)) throw refused('a filter must be an object');
  if (depth > MAX_DEPTH) throw refused('filter is nested too deeply');
  const clean: Fields = {};
  for (const [key, value] of Object.entries(filter)) {
    if (LOGICAL.has(key)) {
      if (!Array.isArray(value) || value.length === 0) throw refused(`${key} needs a list of filters`);
      clean[key] = value.map((branch) => cleanFilter(branch, depth + 1));
    } else {
      if (key.startsWith('$')) throw refused(`operator ${key} is outside the subset`);
      clean[cleanPath(key)] = cleanCondition(value, key, depth);
    }
  }
  return clean;
}

/** The condition on one field: a value to equal, or operators of the subset. */
function cleanCondition(value: unknown, path: string, depth: number): unknown {
  if (value instanceof RegExp) return cleanRegExp(value, undefined, path);
  if (!hasOperators(value)) return cleanOperand(value, path);
  const clean: Fields = {};
  for (const [operator, operand] of Object.entries(value)) {
    if (operator === '$options' && Object.hasOwn(value, '$regex')) continue;
    const target = operator === '$regex' ? '$regex' : operator;
    clean[target] = cleanOperator(operator, operand, value, path, depth);
  }
  return clean;
}

function cleanOperator(operator: string, operand: unknown, condition: Fields, path: string, depth: number): unknown {
  switch (operator) {
    case '$eq':
    case '$ne':
      return cleanOperand(operand, path);
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (operand === null || !isScalar(operand)) throw refused(`${operator} on ${path} needs a text, number or date`);
      return cleanValue(operand, path);
    case '$in':
    case '$nin':
      if (!Array.isArray(operand) || !operand.every(isScalar))
        throw refused(`${operator} on ${path} needs single values`);
      return operand.map((item) => cleanValue(item, path));
    case '$all':
      if (!Array.isArray(operand) || !operand.every(isScalar) || operand.length === 0) {
        throw refused(`$all on ${path} needs single values`);
      }
      return operand.map((item) => cleanValue(item, path));
    case '$exists':
      if (typeof operand !== 'boolean') throw refused(`$exists on ${path} needs true or false`);
      return operand;
    case '$size':
      if (!isCount(operand)) throw refused(`$size on ${path} needs a whole number`);
      return operand;
    case '$regex':
      return cleanRegExp(operand, condition.$options, path);
    case '$not':
      if (!(operand instanceof RegExp) && !hasOperators(operand)) throw refused(`$not on ${path} needs operators`);
      return cleanCondition(operand, path, depth + 1);
    default:
      throw refused(`operator ${operator} on ${path} is outside the subset`);
  }
}

/** Only the flag i: the engines' dialects differ in the others. */
function cleanRegExp(value: unknown, options: unknown, path: string): RegExp {
  const flags = options ?? (value instanceof RegExp ? value.flags : '');
  if ((flags !== '' && flags !== 'i') || !(typeof value === 'string' || value instanceof RegExp)) {
    throw refused(`$regex on ${path} needs a pattern, with no other option than i`);
  }
  try {
    return new RegExp(value instanceof RegExp ? value.source : value, flags);
  } catch (cause) {
    throw new StoreUsageError(`$regex on ${path} is not a valid pattern`, { cause });
  }
}

/** A value to be equalled. Binaries are stored but not looked up. */
function cleanOperand(value: unknown, path: string): unknown {
  if (value instanceof Uint8Array) throw refused(`a binary cannot be looked up (${path})`);
  return cleanValue(value, path);
}

/** A clean copy of an update. Refuses replacement by mistake, unknown operators, _id, and paths that conflict. */
export function cleanUpdate(update: unknown): Record<string, Fields> {
  if (!isPlainObject(update) || Object.keys(update).length === 0) throw refused('an update needs operators');
  const clean: Record<string, Fields> = {};
  const taken: string[] = [];
  for (const [operator, fields] of Object.entries(update)) {
    if (!UPDATES.has(operator)) throw refused(`update operator ${operator} is outside the subset`);
    if (!isPlainObject(fields)) throw refused(`${operator} needs fields`);
    if (Object.keys(fields).length === 0) continue;
    const target: Fields = {};
    for (const [path, operand] of Object.entries(fields)) {
      if (path.startsWith('_id.') || (path === '_id' && operator !== '$setOnInsert'))
        throw refused('_id never changes');
      claimPath(path, taken, 'the update changes');
      target[path] = cleanChange(operator, operand, path);
    }
    clean[operator] = target;
  }
  if (Object.keys(clean).length === 0) throw refused('an update needs at least one field');
  return clean;
}

function claimPath(path: string, taken: string[], what: string): void {
  cleanPath(path);
  const clash = taken.find((other) => other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`));
  if (clash !== undefined) throw refused(`${what} ${path} and ${clash} at once`);
  taken.push(path);
}

function cleanChange(operator: string, operand: unknown, path: string): unknown {
  switch (operator) {
    case '$unset':
      return '';
    case '$inc':
      if (typeof operand !== 'number') throw refused(`$inc on ${path} needs a number`);
      return cleanValue(operand, path);
    case '$min':
    case '$max':
      if (operand === null || !isScalar(operand)) throw refused(`${operator} on ${path} needs a text, number or date`);
      return cleanValue(operand, path);
    case '$push':
    case '$addToSet':
      return hasOperators(operand) ? cleanEach(operator, operand, path) : cleanValue(operand, path);
    case '$pull':
      return cleanOperand(operand, path);
    case '$setOnInsert':
      return path === '_id' ? cleanId(operand) : cleanValue(operand, path);
    default:
      return cleanValue(operand, path);
  }
}

function cleanEach(operator: string, operand: Fields, path: string): Fields {
  const { $each, ...others } = operand;
  if (!Array.isArray($each) || Object.keys(others).length > 0) {
    throw refused(`${operator} on ${path} takes a value, or $each with a list`);
  }
  return { $each: cleanValue($each, path) };
}

/** A clean copy of a sort: a path, or an object of paths with 1 or -1. */
export function cleanSort(sort: unknown): Record<string, 1 | -1> {
  if (typeof sort === 'string') return { [cleanPath(sort)]: 1 };
  if (!isPlainObject(sort)) throw refused('a sort must be an object of paths with 1 or -1');
  const clean: Record<string, 1 | -1> = {};
  for (const [path, direction] of Object.entries(sort)) {
    if (direction !== 1 && direction !== -1) throw refused(`sort direction of ${path} must be 1 or -1`);
    clean[cleanPath(path)] = direction;
  }
  return clean;
}

/** A clean copy of a projection: either fields to keep or fields to leave out; _id may be left out in both. */
export function cleanProjection(projection: unknown): Record<string, 0 | 1> {
  if (!isPlainObject(projection)) throw refused('a projection must be an object of paths with 1 or 0');
  const clean: Record<string, 0 | 1> = {};
  const taken: string[] = [];
  for (const [path, choice] of Object.entries(projection)) {
    if (choice !== 1 && choice !== 0 && choice !== true && choice !== false) {
      throw refused(`projection of ${path} must be 1 or 0`);
    }
    claimPath(path, taken, 'the projection names');
    clean[path] = choice ? 1 : 0;
  }
  const choices = new Set(Object.entries(clean).flatMap(([path, choice]) => (path === '_id' ? [] : [choice])));
  if (choices.size > 1) throw refused('a projection keeps fields or leaves them out, not both');
  return clean;
}

/** A whole number from least upwards. A limit of 0 is refused: MongoDB takes it for "no limit". */
export function cleanNumber(value: unknown, name: string, least: number): number {
  if (!isCount(value) || value < least) throw refused(`${name} must be a whole number from ${least} upwards`);
  return value;
}

/** A field path. Refuses empty, $-led and prototype parts. */
export function cleanPath(path: string): string {
  for (const part of path.split('.')) {
    if (part === '' || part.startsWith('$') || part.includes('\0') || part === '__proto__') {
      throw refused(`field path ${JSON.stringify(path)} is not allowed`);
    }
  }
  return path;
}

/** A collection's name: letters, digits and underscores, led by a lower-case letter. */
export function cleanCollectionName(name: string): string {
  if (!/^[a-z][A-Za-z0-9_]{0,59}$/.test(name)) throw refused(`collection name ${JSON.stringify(name)} is not allowed`);
  return name;
}

/**
 * The _id that an upsert would create. Refuses one that neither the filter equals nor $setOnInsert gives, because
 * MongoDB would then make up an ObjectId.
 */
export function checkUpsertId(filter: Fields, update?: Record<string, Fields>): void {
  const wanted = filter._id;
  const id = isPlainObject(wanted) ? wanted.$eq : wanted;
  if (typeof id !== 'string' && typeof update?.$setOnInsert?._id !== 'string') {
    throw refused('an upsert needs its _id in the filter or in $setOnInsert');
  }
}

function cleanId(id: unknown): string {
  if (typeof id !== 'string' || id === '' || id.includes('\0') || id.length > 1024) {
    throw refused('_id must be a text of 1 to 1024 characters');
  }
  return cleanText(id);
}

function cleanObject(document: unknown, name: string): Fields {
  if (!isPlainObject(document)) throw refused(`a ${name} must be a plain object`);
  return cleanValue(document, name) as Fields;
}

function cleanValue(value: unknown, path: string): unknown {
  return copyValue(value, path, 0, { left: MAX_WEIGHT });
}

function copyValue(value: unknown, path: string, depth: number, weight: { left: number }): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return cleanText(spend(value, weight, path));
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(`${path} holds a number that is not finite`);
    return value + 0;
  }
  if (typeof value !== 'object')
    throw refused(`${path} holds ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refused(`${path} holds an invalid date`);
    return new Date(value);
  }
  if (value instanceof Uint8Array) return Buffer.from(spend(value, weight, path));
  if (depth >= MAX_DEPTH) throw refused(`${path} is nested too deeply`);
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown, i) => copyValue(item, `${path}.${i}`, depth + 1, weight));
  }
  if (!isPlainObject(value)) throw refused(`${path} holds an object of a class`);
  const copy: Fields = {};
  for (const [name, item] of Object.entries(value)) {
    if (name === '' || name.startsWith('$') || name.includes('.') || name.includes('\0') || name === '__proto__') {
      throw refused(`field name ${JSON.stringify(name)} in ${path} is not allowed`);
    }
    copy[cleanText(spend(name, weight, path))] = copyValue(item, `${path}.${name}`, depth + 1, weight);
  }
  return copy;
}

function spend<T extends { length: number }>(value: T, weight: { left: number }, path: string): T {
  weight.left -= value.length;
  if (weight.left < 0) throw refused(`${path} is too large to store`);
  return value;
}

/** Half a surrogate pair cannot be written as UTF-8; both engines get the replacement character instead. */
function cleanText(text: string): string {
  return /\p{Surrogate}/u.test(text) ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text;
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Date;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

export function isPlainObject(value: unknown): value is Fields {
  if (value === null || typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function hasOperators(value: unknown): value is Fields {
  return isPlainObject(value) && Object.keys(value).some((key) => key.startsWith('$'));
}

function refused(reason: string): StoreUsageError {
  return new StoreUsageError(reason);
}
