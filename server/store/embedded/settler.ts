// Takes away what tells the order in which documents came: writes collections anew, then empties the write-ahead log. One run
// for all who ask meanwhile.
import { setTimeout } from 'node:timers/promises';
import type { Catalogue } from './catalogue.js';
import type { Connection } from './connection.js';

/** How often and after how long the log is tried again while somebody reads it. The next run, or the nightly one, gets it. */
const logTries = 5;
const logWaitMs = 200;
const longestRestMs = 2000;

export class Settler {
  readonly #waiting = new Set<string>();
  #running: Promise<void> | null = null;
  #restUntil = 0;

  constructor(
    readonly connection: Connection,
    readonly catalogue: Catalogue,
  ) {}

  settle(collections: readonly string[]): Promise<void> {
    for (const name of collections) this.#waiting.add(name);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Before closing: what is still to be done is done with the last commit. */
  finish(): void {
    if (this.#waiting.size > 0) this.connection.write(() => this.#reorder()).catch(() => {});
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await setTimeout(Math.max(0, this.#restUntil - performance.now()));
      if (!this.connection.isOpen) return;
      const began = performance.now();
      await this.connection.write(() => this.#reorder());
      const ended = performance.now();
      // A large collection takes a while to write: others get their turn.
      this.#restUntil = ended + Math.min(longestRestMs, 4 * (ended - began));
      for (let tries = 0; this.connection.isOpen && !this.connection.emptyLog() && tries < logTries; tries += 1) {
        await setTimeout(logWaitMs);
      }
    }
  }

  #reorder(): void {
    for (const name of this.#waiting) this.catalogue.reorder(name);
    this.#waiting.clear();
  }
}
