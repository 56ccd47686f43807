// Field paths through documents and arrays, read and projected as MongoDB does. Nothing is compared here.
import { type Fields, isPlainObject } from '../guard.js';

const ONLY_DIGITS = /^\d+$/;

/**
 * The values at the end of a path, arrays on the way opened. `undefined` stands for a missing field. An array on the
 * way that holds no object contributes nothing, not even a missing value.
 */
export function leavesOf(document: unknown, path: string): unknown[] {
  if (!path.includes('.')) return [fieldOf(document, path)];
  const leaves: unknown[] = [];
  descend(document, path.split('.'), 0, leaves);
  return leaves;
}

function descend(value: unknown, parts: string[], depth: number, leaves: unknown[]): void {
  const part = parts[depth];
  if (part === undefined) {
    leaves.push(value);
  } else if (Array.isArray(value)) {
    if (ONLY_DIGITS.test(part) && Number(part) < value.length) descend(value[Number(part)], parts, depth + 1, leaves);
    for (const item of value) if (isPlainObject(item)) descend(item, parts, depth, leaves);
  } else if (isPlainObject(value)) {
    descend(fieldOf(value, part), parts, depth + 1, leaves);
  } else {
    leaves.push(undefined);
  }
}

/** An own field of an object; what its prototype has is missing. */
function fieldOf(value: unknown, name: string): unknown {
  return isPlainObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** What a filter tests at a path: each value, and for an array its elements as well as itself. */
export function candidatesOf(document: unknown, path: string): unknown[] {
  const leaves = leavesOf(document, path);
  return leaves.some(Array.isArray)
    ? leaves.flatMap((leaf) => (Array.isArray(leaf) ? [...leaf, leaf] : [leaf]))
    : leaves;
}

/** Applies a checked projection and returns a new document; the order of fields stays that of the document. */
export function project<T extends object>(document: T, projection: Record<string, 0 | 1>): T {
  const { _id: keepId, ...choices } = projection;
  const paths = Object.keys(choices);
  const keeps = paths.length > 0 ? choices[paths[0] ?? ''] === 1 : keepId === 1;
  const tree = treeOf(paths);
  if (keeps ? keepId !== 0 : keepId === 0) tree.set('_id', null);
  return (keeps ? keepFields(document, tree) : dropFields(document, tree)) as T;
}

type Tree = Map<string, Tree | null>;

function treeOf(paths: string[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    const parts = path.split('.');
    const last = parts.pop() ?? '';
    let node: Tree | null = root;
    for (const part of parts) {
      const next: Tree | null | undefined = node?.get(part);
      const child: Tree | null = next === undefined ? new Map() : next;
      node?.set(part, child);
      node = child;
    }
    node?.set(last, null);
  }
  return root;
}

function keepFields(value: unknown, tree: Tree): unknown {
  const kept: Fields = {};
  for (const [name, item] of Object.entries(value as Fields)) {
    const branch = tree.get(name);
    if (branch === null) kept[name] = item;
    else if (branch !== undefined && isPlainObject(item)) kept[name] = keepFields(item, branch);
    else if (branch !== undefined && Array.isArray(item)) kept[name] = keepInArray(item, branch);
  }
  return kept;
}

function keepInArray(items: unknown[], tree: Tree): unknown[] {
  return items.flatMap((item) => {
    if (Array.isArray(item)) return [keepInArray(item, tree)];
    return isPlainObject(item) ? [keepFields(item, tree)] : [];
  });
}

function dropFields(value: unknown, tree: Tree): unknown {
  if (Array.isArray(value)) return value.map((item) => dropFields(item, tree));
  if (!isPlainObject(value)) return value;
  const kept: Fields = {};
  for (const [name, item] of Object.entries(value)) {
    const branch = tree.get(name);
    if (branch === undefined) kept[name] = item;
    else if (branch !== null) kept[name] = dropFields(item, branch);
  }
  return kept;
}
