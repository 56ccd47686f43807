// Updates of the subset on one document. mingo's updater ignores what MongoDB refuses ($inc on a text, $push on an
// object, $set through null), so the few operators are written here. Checked updates only (guard.ts); no storage.
import { decodeDocument, encodeDocument } from '../codec.js';
import { type Fields, isPlainObject } from '../guard.js';
import { compareValues, equalValues } from '../order.js';
import { StoreUsageError } from '../store.js';

type Slot = { get(): unknown; set(value: unknown): void };
type Change = (slot: Slot, operand: unknown, path: string) => void;

/** Padding an array this far or less; more is taken for a mistake, as MongoDB does at a higher number. */
const MAX_PADDING = 1000;

const CHANGES: Record<string, Change> = {
  $set: (slot, operand) => slot.set(operand),
  $setOnInsert: (slot, operand) => slot.set(operand),
  $inc: (slot, operand, path) => {
    const value = slot.get() ?? (slot.get() === undefined ? 0 : null);
    if (typeof value !== 'number') throw new StoreUsageError(`$inc on ${path}, which is no number`);
    const sum = value + Number(operand);
    if (!Number.isFinite(sum)) throw new StoreUsageError(`$inc on ${path} exceeds the range of numbers`);
    slot.set(sum);
  },
  $min: (slot, operand) => {
    const value = slot.get();
    if (value === undefined || compareValues(operand, value) < 0) slot.set(operand);
  },
  $max: (slot, operand) => {
    const value = slot.get();
    if (value === undefined || compareValues(operand, value) > 0) slot.set(operand);
  },
  $push: (slot, operand, path) => slot.set([...arrayAt(slot, '$push', path), ...itemsOf(operand)]),
  $addToSet: (slot, operand, path) => {
    const list = [...arrayAt(slot, '$addToSet', path)];
    for (const item of itemsOf(operand)) if (!list.some((other) => equalValues(other, item))) list.push(item);
    slot.set(list);
  },
  $pull: (slot, operand, path) => {
    if (slot.get() === undefined) return;
    slot.set(arrayAt(slot, '$pull', path).filter((item) => !equalValues(item, operand)));
  },
};

/**
 * The document after an update, the one given untouched. `inserting` lets $setOnInsert act. Refuses what MongoDB
 * refuses: a path through a value that is no object, $inc on no number, an array operator on no array.
 */
export function applyUpdate<T extends object>(document: T, update: Record<string, Fields>, inserting = false): T {
  const next = decodeDocument<T>(encodeDocument(document));
  for (const [path, operator, operand] of changesOf(update)) {
    if (operator === '$setOnInsert' && !inserting) continue;
    const change = CHANGES[operator];
    if (change !== undefined && operator !== '$pull') {
      change(createdSlot(next, path), operand, path);
      continue;
    }
    const slot = existingSlot(next, path);
    if (slot === null) continue;
    if (change === undefined) slot.remove();
    else change(slot, operand, path);
  }
  return next;
}

/** All changes in the order of their paths, which is the order in which MongoDB appends new fields. */
function changesOf(update: Record<string, Fields>): [path: string, operator: string, operand: unknown][] {
  const changes = Object.entries(update).flatMap(([operator, fields]) =>
    Object.entries(fields).map(([path, operand]): [string, string, unknown] => [path, operator, operand]),
  );
  return changes.sort((a, b) => compareValues(a[0], b[0]));
}

/** The document that an upsert starts from: the fields that its filter fixes by equality. */
export function upsertBase(filter: Fields): Fields {
  const base: Fields = {};
  const collect = (part: Fields): void => {
    for (const [path, condition] of Object.entries(part)) {
      if (path === '$and') for (const branch of condition as Fields[]) collect(branch);
      else if (!path.startsWith('$') && !(condition instanceof RegExp)) fix(base, path, condition);
    }
  };
  collect(filter);
  return base;
}

function fix(base: Fields, path: string, condition: unknown): void {
  const operators = isPlainObject(condition) && Object.keys(condition).some((key) => key.startsWith('$'));
  if (!operators) createdSlot(base, path).set(condition);
  else if (Object.hasOwn(condition, '$eq')) createdSlot(base, path).set(condition.$eq);
}

/** The place of a path, with the objects on the way created. */
function createdSlot(document: object, path: string): Slot {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let holder: unknown = document;
  for (const part of parts) {
    const slot = slotOf(holder, part, path);
    if (slot.get() === undefined) slot.set({});
    holder = slot.get();
  }
  return slotOf(holder, last, path);
}

/** The place of a path when every object on the way is there, else null. */
function existingSlot(document: object, path: string): (Slot & { remove(): void }) | null {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let holder: unknown = document;
  for (const part of parts) {
    if (!isPlainObject(holder) && !(Array.isArray(holder) && isIndex(part))) return null;
    holder = slotOf(holder, part, path).get();
  }
  if (!isPlainObject(holder) && !(Array.isArray(holder) && isIndex(last))) return null;
  return slotOf(holder, last, path);
}

function slotOf(holder: unknown, part: string, path: string): Slot & { remove(): void } {
  if (Array.isArray(holder) && isIndex(part)) return elementSlot(holder, Number(part), path);
  if (!isPlainObject(holder)) throw new StoreUsageError(`cannot reach ${path}: a part of it is no object`);
  return {
    get: () => (Object.hasOwn(holder, part) ? holder[part] : undefined),
    set: (value) => {
      holder[part] = value;
    },
    remove: () => {
      delete holder[part];
    },
  };
}

function elementSlot(list: unknown[], index: number, path: string): Slot & { remove(): void } {
  return {
    get: () => list[index],
    set: (value) => {
      if (index > list.length + MAX_PADDING) throw new StoreUsageError(`${path} is far beyond the end of its array`);
      while (list.length < index) list.push(null);
      list[index] = value;
    },
    remove: () => {
      if (index < list.length) list[index] = null;
    },
  };
}

function isIndex(part: string): boolean {
  return /^(0|[1-9]\d*)$/.test(part);
}

function arrayAt(slot: Slot, operator: string, path: string): unknown[] {
  const value = slot.get();
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new StoreUsageError(`${operator} on ${path}, which is no array`);
  return value;
}

function itemsOf(operand: unknown): unknown[] {
  return isPlainObject(operand) && Array.isArray(operand.$each) ? operand.$each : [operand];
}
