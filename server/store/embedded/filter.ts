// Filters of the subset, run by mingo's Query with operators of our own in its context: mingo's compare UTF-16 units,
// ignore the order of an object's fields, and lose array elements on dotted paths. Checked filters only (guard.ts).
import { Context } from 'mingo/core';
import { $and, $nor, $not, $or } from 'mingo/operators/query/logical';
import { Query } from 'mingo/query';
import type { Fields } from '../guard.js';
import { compareValues, equalValues, rankOf } from '../order.js';
import { candidatesOf, leavesOf } from './paths.js';

type Test = (document: unknown) => boolean;

const equals = (path: string, wanted: unknown): Test => {
  return (document) => candidatesOf(document, path).some((value) => equalValues(value, wanted));
};

const isIn = (path: string, wanted: unknown[]): Test => {
  const texts = new Set(wanted.filter((value) => typeof value === 'string'));
  const others = wanted.filter((value) => typeof value !== 'string');
  return (document) =>
    candidatesOf(document, path).some((value) =>
      typeof value === 'string' ? texts.has(value) : others.some((other) => equalValues(value, other)),
    );
};

const compares =
  (passes: (difference: number) => boolean) =>
  (path: string, bound: unknown): Test => {
    const rank = rankOf(bound);
    return (document) =>
      candidatesOf(document, path).some((value) => rankOf(value) === rank && passes(compareValues(value, bound)));
  };

const not = (test: Test): Test => {
  return (document) => !test(document);
};

const matches = (path: string, pattern: RegExp): Test => {
  return (document) => candidatesOf(document, path).some((value) => typeof value === 'string' && pattern.test(value));
};

const OPERATORS = {
  $eq: equals,
  $ne: (path: string, wanted: unknown) => not(equals(path, wanted)),
  $in: isIn,
  $nin: (path: string, wanted: unknown[]) => not(isIn(path, wanted)),
  $gt: compares((difference) => difference > 0),
  $gte: compares((difference) => difference >= 0),
  $lt: compares((difference) => difference < 0),
  $lte: compares((difference) => difference <= 0),
  $regex: matches,
  $exists: (path: string, wanted: boolean): Test => {
    return (document) => leavesOf(document, path).some((leaf) => leaf !== undefined) === wanted;
  },
  $all: (path: string, wanted: unknown[]): Test => {
    const tests = wanted.map((value) => equals(path, value));
    return (document) => tests.every((test) => test(document));
  },
  $size: (path: string, size: number): Test => {
    return (document) => leavesOf(document, path).some((leaf) => Array.isArray(leaf) && leaf.length === size);
  },
};

type QueryOperators = Parameters<Context['addQueryOps']>[0];
const context = Context.init().addQueryOps({ ...OPERATORS, $and, $or, $nor, $not } as unknown as QueryOperators);

/** The test of a checked filter on one document. */
export function filterTest(filter: Fields): Test {
  const query = new Query(filter, { context, scriptEnabled: false });
  return (document) => query.test(document as Fields);
}
