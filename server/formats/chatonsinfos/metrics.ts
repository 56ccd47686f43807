// Metric series: `metrics.<group>.<metric>.<year>.<months|weeks|days>=v1,v2,…`, and plain `.<year>` for one figure.
import type { Warn } from './fields.js';
import { type MetricLabel, SERIES_STEPS, type Series, type SeriesStep } from './model.js';
import type { Source } from './source.js';

const SERIES_KEY = /^metrics\.(.+)\.((?:19|20)\d{2})(?:\.(months|weeks|days))?$/s;
const LABEL_KEY = /^metrics\.(.+)\.(name|description)$/s;
/** Periods that a year can have at most. */
const LENGTHS: Readonly<Record<SeriesStep, number>> = { months: 12, weeks: 53, days: 366, year: 1 };

export function takeSeries(source: Source): Series[] {
  const found: Series[] = [];
  for (const key of source.keys()) {
    const [, path, year, word] = SERIES_KEY.exec(key) ?? [];
    if (path === undefined || year === undefined) continue;
    const step = SERIES_STEPS.find((candidate) => candidate === word) ?? 'year';
    const values = source.take(key, (raw, warn) => readValues(raw, step, warn)) ?? [];
    found.push({ path, year: Number(year), step, values });
  }
  return found;
}

/** Values between commas, or between semicolons when there is one (decimal commas are then possible). */
function readValues(raw: string, step: SeriesStep, warn: Warn): (number | null)[] {
  const semicolons = raw.includes(';');
  const items = raw.split(semicolons ? ';' : ',');
  const values = items.slice(0, LENGTHS[step]).map((item, index) => readValue(item.trim(), index + 1, warn));
  if (trimEnd(items.map((item) => (item.trim() === '' ? null : 1))).length > LENGTHS[step]) {
    warn('too-many-values', { count: items.length, limit: LENGTHS[step] });
  }
  return trimEnd(values);
}

function readValue(item: string, position: number, warn: Warn): number | null {
  if (item === '' || /^null$/i.test(item)) return null;
  const value = /^[+-]?\d+([.,]\d+)?(e[+-]?\d+)?$/i.test(item) ? Number(item.replace(',', '.')) : Number.NaN;
  if (!Number.isFinite(value)) {
    warn('bad-number', { value: item, position });
    return null;
  }
  if (item.includes(',')) warn('decimal-comma', { value: item });
  return value + 0;
}

function trimEnd<T>(values: (T | null)[]): (T | null)[] {
  return values.slice(0, values.findLastIndex((value) => value !== null) + 1);
}

/** Titles of metrics, one object for each path. */
export function takeLabels(source: Source): MetricLabel[] {
  const found = new Map<string, MetricLabel>();
  for (const key of source.keys()) {
    const [, path, part] = LABEL_KEY.exec(key) ?? [];
    const words = path === undefined ? undefined : source.take(key, (raw) => raw);
    if (path === undefined || words === undefined) continue;
    const label = found.get(path) ?? { path };
    found.set(path, part === 'name' ? { ...label, name: words } : { ...label, description: words });
  }
  return [...found.values()];
}

/** Keys and texts of a series and of a label, as they stand in a file. */
export function seriesLine(series: Series): [key: string, value: string] {
  const year = `metrics.${series.path}.${series.year}`;
  const values = trimEnd(series.values).map((value) => (value === null ? '' : String(value)));
  return [series.step === 'year' ? year : `${year}.${series.step}`, values.join(',')];
}

export function labelLines(label: MetricLabel): [key: string, value: string][] {
  const lines: [string, string][] = [];
  if (label.name !== undefined) lines.push([`metrics.${label.path}.name`, label.name]);
  if (label.description !== undefined) lines.push([`metrics.${label.path}.description`, label.description]);
  return lines;
}
