// What differs between two states of a thing, as dotted paths. Pure; knows no store.
import type { Change } from '../events.js';

type Fields = Record<string, unknown>;

/**
 * The paths whose value differs, in the order of `after`, then what only `before` had. Objects are compared field by
 * field, lists and dates as a whole. A missing field counts as null.
 */
export function diff(before: object | null, after: object | null): Change['fields'] {
  return compare(asFields(before), asFields(after), '');
}

function compare(before: Fields, after: Fields, prefix: string): Change['fields'] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names.flatMap((name) => {
    const [was, is] = [known(before[name]), known(after[name])];
    const path = prefix + name;
    if (isFields(was) || isFields(is)) {
      if ((isFields(was) || was === null) && (isFields(is) || is === null)) {
        return compare(asFields(was), asFields(is), `${path}.`);
      }
    }
    return isSame(was, is) ? [] : [{ path, before: was, after: is }];
  });
}

/** Equal by value: lists in order, dates by their time, objects whatever the order of their fields. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!(Array.isArray(a) && Array.isArray(b)) || a.length !== b.length) return false;
    return a.every((item, index) => isSame(item, b[index]));
  }
  return isFields(a) && isFields(b) && compare(a, b, '').length === 0;
}

function known(value: unknown): unknown {
  return value === undefined ? null : value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}
