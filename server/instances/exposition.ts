// Figures in the text form that Prometheus reads (exposition format 0.0.4). Knows the form, not what is measured.
// https://prometheus.io/docs/instrumenting/exposition_formats/

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Record<string, string | number>;

export interface Sample {
  value: number;
  labels?: Labels;
  /** What follows the family's name: "_count". */
  suffix?: string;
}

export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  samples: Sample[];
}

/** All families as one text. Names and label names are the program's own and are written as they are. */
export function expose(families: readonly Family[]): string {
  return families
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ value, labels = {}, suffix = '' }) => `${name}${suffix}${inBraces(labels)} ${numeral(value)}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

function inBraces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numeral(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

interface Counts {
  labels: Labels;
  /** How many observations were at most each bound. */
  within: number[];
  sum: number;
  count: number;
}

/** Counts observations by size, apart for each combination of labels: keep those few. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts = new Map<string, Counts>();

  /** Bounds in rising order. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  observe(labels: Labels, value: number): void {
    const key = JSON.stringify(labels);
    const counts = this.#counts.get(key) ?? { labels, within: this.#bounds.map(() => 0), sum: 0, count: 0 };
    this.#counts.set(key, counts);
    counts.within = counts.within.map((known, index) => known + Number(value <= (this.#bounds[index] ?? 0)));
    counts.sum += value;
    counts.count += 1;
  }

  samples(): Sample[] {
    return [...this.#counts.values()].flatMap(({ labels, within, sum, count }) => [
      ...this.#bounds.map((le, index) => ({ suffix: '_bucket', labels: { ...labels, le }, value: within[index] ?? 0 })),
      { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
      { suffix: '_sum', labels, value: sum },
      { suffix: '_count', labels, value: count },
    ]);
  }
}
