// Counting in fixed windows, in memory, for what must be cheap to refuse. Bounded: strangers choose the names counted.

const maxNames = 20_000;

export class WindowLimit {
  private counts = new Map<string, number>();
  private window = 0;

  constructor(
    readonly most: number,
    private readonly windowMs: number,
    private readonly now: () => Date,
  ) {}

  /** Counts one. False: too many in this window, which holds `most` of this name. */
  take(name: string, most = this.most): boolean {
    const [key, count] = this.look(name);
    this.counts.set(key, count + 1);
    return count < most;
  }

  /** Counts so many, whether or not there is room. */
  add(name: string, count: number): void {
    const [key, before] = this.look(name);
    this.counts.set(key, before + count);
  }

  /** Takes back what was counted for nothing. */
  giveBack(name: string): void {
    const [key, count] = this.look(name);
    if (count > 0) this.counts.set(key, count - 1);
  }

  /** Whether the next one would be too many, for one who has so many shares; counts nothing. */
  isFull(name: string, shares = 1): boolean {
    return this.look(name)[1] >= this.most * shares;
  }

  /** Seconds until the window ends. */
  get restSeconds(): number {
    return Math.max(1, Math.ceil((this.windowMs - (this.now().getTime() % this.windowMs)) / 1000));
  }

  private look(name: string): [key: string, count: number] {
    const window = Math.floor(this.now().getTime() / this.windowMs);
    if (window !== this.window) {
      this.window = window;
      this.counts = new Map();
    }
    // Full: names not seen before share one counter, so that those who behave are still served.
    const key = this.counts.has(name) || this.counts.size < maxNames ? name : '';
    return [key, this.counts.get(key) ?? 0];
  }
}
