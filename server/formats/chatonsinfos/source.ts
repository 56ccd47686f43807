// The entries of one file while it is being read: what was taken, what was not given, what is left.
import type { PropertyEntry } from '../properties.js';
import type { Details, WarningCode, Warnings } from '../warnings.js';
import type { FieldsOf, FieldTable, Warn } from './fields.js';

export class Source {
  readonly #entries: Map<string, PropertyEntry>;
  readonly #taken = new Set<string>();
  readonly #warned = new Set<string>();
  readonly #warnings: Warnings;

  constructor(entries: PropertyEntry[], warnings: Warnings) {
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]));
    this.#warnings = warnings;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  lineOf(key: string): number {
    return this.#entries.get(key)?.line ?? 0;
  }

  warnAt(key: string, code: WarningCode, details: Details = {}): void {
    this.#warned.add(key);
    this.#warnings.add(code, { line: this.lineOf(key), key }, details);
  }

  /** Takes the key when its value says nothing, and tells whether it did. */
  takeBlank(key: string): boolean {
    const raw = this.#entries.get(key)?.value.trim();
    if (raw === undefined || (raw !== '' && !/^null$/i.test(raw))) return false;
    if (raw !== '' && !this.#taken.has(key)) this.warnAt(key, 'null-value', { value: raw });
    this.#taken.add(key);
    return true;
  }

  /** Takes one key. Empty and `null` (written by generators that found nothing) count as not given. */
  take<T>(key: string, read: (raw: string, warn: Warn) => T | undefined): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry || this.takeBlank(key)) return undefined;
    const raw = entry.value.trim();
    const value = read(raw, (code, details) => this.warnAt(key, code, details));
    if (value !== undefined) this.#taken.add(key);
    return value;
  }

  /** Reads a whole section; says what is missing at the level that the table gives. Keys may stand after a prefix. */
  takeFields<T extends FieldTable>(table: T, prefix = ''): FieldsOf<T> {
    const found: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(table)) {
      const key = prefix + field.key;
      const value = this.take(key, (raw, warn) => field.read(raw, warn));
      if (value !== undefined) found[name] = value;
      else if (field.need !== null && !this.#isAside(key)) {
        this.#warnings.add('missing', { line: this.lineOf(key), key, level: field.need });
      }
    }
    // The table that was walked is the one that the type is inferred from.
    return found as FieldsOf<T>;
  }

  /** Given, but with a value that cannot be used: that has been said already. */
  #isAside(key: string): boolean {
    return this.#entries.has(key) && !this.#taken.has(key);
  }

  /** What nobody took, in the order of the file; keys that no reader knows get a remark. */
  rest(): { key: string; value: string }[] {
    const left = [...this.#entries.values()].filter(({ key }) => !this.#taken.has(key));
    for (const { key } of left) if (!this.#warned.has(key)) this.warnAt(key, 'unknown-key');
    return left.map(({ key, value }) => ({ key, value }));
  }
}
