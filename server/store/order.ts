// The order and equality of stored values, as BSON defines them; both engines and the filters agree on this one.
// No paths, no indexes, no SQL here.

/** Rank of each kind of value in BSON order. A missing value ranks as null does. */
export const RANK = {
  emptyArray: 0x03,
  null: 0x05,
  number: 0x10,
  string: 0x20,
  object: 0x30,
  array: 0x40,
  binary: 0x50,
  boolean: 0x70,
  date: 0x80,
} as const;

/** Rank of a value; only kinds that the guard lets in occur. */
export function rankOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return RANK.string;
    case 'number':
      return RANK.number;
    case 'boolean':
      return RANK.boolean;
    default:
      if (value === null || value === undefined) return RANK.null;
      if (value instanceof Date) return RANK.date;
      if (Array.isArray(value)) return RANK.array;
      return value instanceof Uint8Array ? RANK.binary : RANK.object;
  }
}

/** BSON order of two values: by kind first, then by value. Negative, zero or positive. */
export function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0) return difference;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (a instanceof Uint8Array && b instanceof Uint8Array) return a.length - b.length || Buffer.compare(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  if (rank === RANK.object) return compareObjects(a as object, b as object);
  return 0;
}

/** Whether two values are the same one; objects with their fields in another order are not. */
export function equalValues(a: unknown, b: unknown): boolean {
  return a === b || compareValues(a, b) === 0;
}

/** Code-point order, which is the byte order of UTF-8; JavaScript's own compares UTF-16 units. */
function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xBeyond = x >= 0xd800 && x <= 0xdfff;
    const yBeyond = y >= 0xd800 && y <= 0xdfff;
    if (xBeyond !== yBeyond) return xBeyond ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

function compareArrays(a: unknown[], b: unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = compareValues(a[i], b[i]);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareObjects(a: object, b: object): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (const [i, [name, value]] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const difference =
      rankOf(value) - rankOf(other[1]) || compareStrings(name, other[0]) || compareValues(value, other[1]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
