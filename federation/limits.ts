// Counting in fixed windows, in memory, for what must be cheap to refuse. Bounded: strangers choose the names counted.

const maxNames = 20_000;

export class WindowLimit {
  private counts = new Map<string, number>();
  private window = 0;

  constructor(
    private readonly most: number,
    private readonly windowMs: number,
    private readonly now: () => Date,
  ) {}

  /** Counts one. False: too many in this window. */
  take(name: string): boolean {
    const window = Math.floor(this.now().getTime() / this.windowMs);
    if (window !== this.window) {
      this.window = window;
      this.counts = new Map();
    }
    // Full: names not seen before share one counter, so that those who behave are still served.
    const key = this.counts.has(name) || this.counts.size < maxNames ? name : '';
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return count <= this.most;
  }
}
