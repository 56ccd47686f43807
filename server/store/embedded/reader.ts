// Runs plans: turns ranges of keys into SQL, checks what the keys do not decide, sorts what they do not order. Reads
// only. Rows come in pages that each continue after the last key, so that no statement stays open between them.
import { decodeDocument } from '../codec.js';
import type { Fields } from '../guard.js';
import { StoreUsageError } from '../store.js';
import type { Table } from './catalogue.js';
import type { Connection, Value } from './connection.js';
import { filterTest } from './filter.js';
import { afterPrefix, encodeValue, type KeySpec, sortKey } from './keys.js';
import { leavesOf } from './paths.js';
import { type KeyRange, type Plan, planQuery } from './planner.js';

export interface Found {
  rid: number;
  text: string;
  document: Fields;
}

export interface Request {
  filter: Fields;
  sort: KeySpec;
  skip: number;
  limit: number;
}

/** Called with the collection and the shape of the filter when a large collection is read as a whole. */
export type OnScan = (collection: string, shape: string) => void;

const SCAN_LIMIT = 1000;
const FIRST_PAGE = 64;
const MAX_PAGE = 1024;

export class Reader {
  constructor(
    readonly connection: Connection,
    readonly onScan: OnScan,
  ) {}

  /** All documents asked for, in order. */
  read(table: Table, request: Request): Found[] {
    const { _id } = request.filter;
    if (typeof _id === 'string') return this.#byId(table, _id, request);
    const plans = this.#plan(table, request);
    const [plan] = plans;
    const end = request.skip + request.limit;
    if (plans.length === 1 && plan !== undefined && this.#limitsInSql(plan)) {
      return this.#slice(table, plan, request).map(foundOf);
    }
    const ordered = plans.length === 1 && plan?.ordered === true;
    const found: Found[] = [];
    for (const item of this.#matching(table, plans, request.filter, ordered ? end : FIRST_PAGE)) {
      found.push(item);
      if (ordered && found.length >= end) break;
    }
    return (ordered || request.sort.length === 0 ? found : sorted(found, request.sort)).slice(request.skip, end);
  }

  /** What most requests ask for, without a plan: one document by its _id, which is there once or not at all. */
  #byId({ documents }: Table, _id: string, { filter, skip, limit }: Request): Found[] {
    const row = this.connection.row(`SELECT NULL, rid, d FROM ${documents} WHERE k = ?`, [encodeValue(_id)]);
    if (row === undefined || skip > 0 || limit < 1) return [];
    const found = foundOf(row);
    return Object.keys(filter).length === 1 || filterTest(filter)(found.document) ? [found] : [];
  }

  /** The documents one after the other when the plan is in order, so that a reader may pause; else null. */
  stream(table: Table, request: Request): Iterable<Found> | null {
    const plans = this.#plan(table, request);
    if (plans.length !== 1 || plans[0]?.ordered !== true) return null;
    return this.#matching(table, plans, request.filter, FIRST_PAGE);
  }

  count(table: Table, filter: Fields, limit: number): number {
    const plans = this.#plan(table, { filter, sort: [], skip: 0, limit });
    const [plan] = plans;
    if (plans.length === 1 && plan?.exact === true && !(plan.repeats && plan.ranges.length > 1)) {
      return this.#countKeys(table, plan, limit);
    }
    let count = 0;
    for (const _ of this.#matching(table, plans, filter, FIRST_PAGE)) if (++count >= limit) break;
    return count;
  }

  /** The different values of a path that leads an index, each found by one step over the keys; null without one. */
  distinctKeys(table: Table, path: string): unknown[] | null {
    const index = table.indexes.find(({ spec }) => spec[0]?.[0] === path);
    if (index === undefined) return null;
    const direction = index.spec[0]?.[1] ?? 1;
    const values: unknown[] = [];
    let from: Buffer | null = Buffer.alloc(0);
    while (from !== null) {
      const row: Value[] | undefined = this.connection.row(
        `SELECT i.k, d.d FROM ${index.table} i CROSS JOIN ${table.documents} d ON d.rid = i.rid
         WHERE i.k >= ? ORDER BY i.k LIMIT 1`,
        [from],
      );
      if (row === undefined) break;
      const key = row[0] as Buffer;
      const held = distinctValues(decodeDocument(String(row[1])), path);
      const value = held.find((item) => startsWith(key, encodeValue(item, direction)));
      if (value !== undefined) values.push(value);
      from = afterPrefix(value === undefined ? key.subarray(0, 1) : encodeValue(value, direction));
    }
    return values;
  }

  #plan(table: Table, { filter, sort }: Request): Plan[] {
    const plans = planQuery(filter, sort, table.indexes);
    if (plans.some((plan) => plan.scan) && this.#isLarge(table)) {
      const fields = Object.keys(filter).join(', ');
      const order = sort.map(([path]) => path).join(', ');
      this.onScan(table.name, `filter {${fields}}${order === '' ? '' : ` sort {${order}}`}`);
    }
    return plans;
  }

  #isLarge({ documents }: Table): boolean {
    return this.connection.row(`SELECT 1 FROM ${documents} LIMIT 1 OFFSET ${SCAN_LIMIT}`) !== undefined;
  }

  #limitsInSql(plan: Plan): boolean {
    return plan.index !== null && plan.exact && plan.ordered && !plan.repeats && plan.ranges.length === 1;
  }

  #slice(table: Table, plan: Plan, { skip, limit }: Request): Value[][] {
    const [range] = plan.ranges;
    if (plan.index === null || range === undefined) return [];
    const order = plan.reverse ? 'DESC' : 'ASC';
    if (limit === 1 && skip === 0) {
      const row = this.connection.row(
        `SELECT i.k, d.rid, d.d FROM ${plan.index.table} i CROSS JOIN ${table.documents} d ON d.rid = i.rid
         WHERE ${within(range, 'i.')} ORDER BY i.k ${order}, i.rid ${order} LIMIT 1`,
        edges(range),
      );
      return row === undefined ? [] : [row];
    }
    return this.connection.rows(
      `SELECT i.k, d.rid, d.d FROM (SELECT k, rid FROM ${plan.index.table} WHERE ${within(range)}
         ORDER BY k ${order}, rid ${order} LIMIT ? OFFSET ?) i
       CROSS JOIN ${table.documents} d ON d.rid = i.rid ORDER BY i.k ${order}, i.rid ${order}`,
      [...edges(range), Number.isFinite(limit) ? limit : -1, skip],
    );
  }

  #countKeys(table: Table, plan: Plan, limit: number): number {
    const bound = Number.isFinite(limit) ? limit : -1;
    const { index } = plan;
    if (index === null) {
      return Number(
        this.connection.row(`SELECT count(*) FROM (SELECT 1 FROM ${table.documents} LIMIT ?)`, [bound])?.[0],
      );
    }
    const what = plan.repeats ? 'DISTINCT rid' : '1';
    const counts = plan.ranges.map((range) => {
      const sql = `SELECT count(*) FROM (SELECT ${what} FROM ${index.table} WHERE ${within(range)} LIMIT ?)`;
      return Number(this.connection.row(sql, [...edges(range), bound])?.[0]);
    });
    return Math.min(
      counts.reduce((sum, count) => sum + count, 0),
      limit,
    );
  }

  *#matching(table: Table, plans: Plan[], filter: Fields, firstPage: number): Generator<Found> {
    const seen = plans.some((plan) => plan.repeats) ? new Set<number>() : null;
    const test = plans.every((plan) => plan.exact) ? null : filterTest(filter);
    for (const plan of plans) {
      for (const row of this.#rows(table, plan, firstPage)) {
        if (seen?.has(Number(row[1]))) continue;
        seen?.add(Number(row[1]));
        const found = foundOf(row);
        if (test === null || test(found.document)) yield found;
      }
    }
  }

  *#rows(table: Table, plan: Plan, firstPage: number): Generator<Value[]> {
    if (plan.index === null) {
      yield* this.#pages(firstPage, (last, size) =>
        this.connection.rows(`SELECT NULL, rid, d FROM ${table.documents} WHERE rid > ? ORDER BY rid LIMIT ?`, [
          last?.[1] ?? 0,
          size,
        ]),
      );
      return;
    }
    const select = `SELECT i.k, d.rid, d.d FROM ${plan.index.table} i CROSS JOIN ${table.documents} d ON d.rid = i.rid`;
    const order = plan.reverse ? 'ORDER BY i.k DESC, i.rid DESC LIMIT ?' : 'ORDER BY i.k, i.rid LIMIT ?';
    const beyond = plan.reverse ? '(i.k, i.rid) < (?, ?)' : '(i.k, i.rid) > (?, ?)';
    for (const range of plan.ranges) {
      yield* this.#pages(firstPage, (last, size) =>
        last === undefined
          ? this.connection.rows(`${select} WHERE ${within(range, 'i.')} ${order}`, [...edges(range), size])
          : this.connection.rows(`${select} WHERE ${within(range, 'i.')} AND ${beyond} ${order}`, [
              ...edges(range),
              last[0] ?? null,
              last[1] ?? null,
              size,
            ]),
      );
    }
  }

  *#pages(firstPage: number, fetch: (last: Value[] | undefined, size: number) => Value[][]): Generator<Value[]> {
    let size = Math.min(Math.max(firstPage, 1), MAX_PAGE);
    let last: Value[] | undefined;
    for (;;) {
      const rows = fetch(last, size);
      yield* rows;
      last = rows.at(-1);
      if (rows.length < size) return;
      size = Math.min(size * 4, MAX_PAGE);
    }
  }
}

/** What onScan does when scans are errors. */
export function refuseScan(collection: string, shape: string): never {
  throw new StoreUsageError(`no index of ${collection} serves ${shape}, and it has more than ${SCAN_LIMIT} documents`);
}

/** What distinct() makes of one document: elements of arrays singly; neither null nor what is missing. */
export function distinctValues(document: unknown, path: string): unknown[] {
  return leavesOf(document, path)
    .flat()
    .filter((value) => value !== undefined && value !== null);
}

function startsWith(key: Buffer, prefix: Buffer): boolean {
  return Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}

function within(range: KeyRange, alias = ''): string {
  return range.to === null ? `${alias}k >= ?` : `${alias}k >= ? AND ${alias}k < ?`;
}

function edges({ from, to }: KeyRange): Buffer[] {
  return to === null ? [from] : [from, to];
}

function foundOf([, rid, text]: Value[]): Found {
  return { rid: Number(rid), text: String(text), document: decodeDocument(String(text)) };
}

function sorted(found: Found[], sort: KeySpec): Found[] {
  const keyed = found.map((item) => ({ item, key: sortKey(item.document, sort) }));
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ item }) => item);
}
