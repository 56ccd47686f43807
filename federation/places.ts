// Who may ask the network now and who waits: places in memory, for hosts, for strangers, for deliveries. Opens nothing itself.
import { OwnLimitError } from './fetchErrors.js';

/** Exchanges with one host. */
export const perHost = 2;
/** For reading what we and those whom we follow name: servers that never answer must not stop deliveries. */
const forReading = 14;
/**
 * For reading on the word of strangers: those that have just begun, of one of them and of all, one of the two with a host, and
 * all that run. One that takes longer gives its first place up, as a delivery does.
 */
const strange = { freshOfOne: 2, fresh: 4, ofOne: 8, inAll: 40, waitingOfOne: 20, waitMs: 3000 };
/** Deliveries that have just begun. One that takes longer gives its place up, so that hung servers delay nobody else. */
const freshInAll = 64;
const freshMs = 300;
const inAll = 180;

/** ours: what we and partners have us read. strange: what strangers have us read. post: deliveries. */
type Lane = 'ours' | 'strange' | 'post';

export function laneOf(method: 'GET' | 'POST', stranger: string | null): Lane {
  if (method === 'POST') return 'post';
  return stranger === null ? 'ours' : 'strange';
}

interface Entry {
  host: string;
  lane: Lane;
  /** Who of the strangers. */
  by: string;
}

/**
 * At most two exchanges with one host, fourteen readings, 64 deliveries that have just begun, and 180 in all; strangers have
 * places of their own, few of which one of them can take. Who comes later waits within their deadline.
 */
export class Places {
  private readonly running = new Tally();
  private readonly fresh = new Tally();
  private waiting: (Entry & { start: () => void })[] = [];

  async enter(host: string, lane: Lane, signal: AbortSignal, by: string): Promise<() => void> {
    const entry = { host, lane, by };
    if (!this.hasRoom(entry)) await this.wait(entry, signal);
    else this.take(entry);
    let isFresh = true;
    const age = (): void => {
      if (isFresh) this.fresh.remove(entry);
      isFresh = false;
    };
    const timer = setTimeout(() => {
      age();
      this.startNext();
    }, freshMs).unref();
    return () => {
      clearTimeout(timer);
      age();
      this.running.remove(entry);
      this.startNext();
    };
  }

  private hasRoom({ host, lane, by }: Entry): boolean {
    const { running, fresh } = this;
    if (running.all >= inAll || running.of(`host ${host}`) >= perHost) return false;
    if (lane === 'ours') return running.of(lane) < forReading;
    if (lane === 'post') return fresh.of(lane) < freshInAll;
    if (running.of(lane) >= strange.inAll || running.of(`by ${by}`) >= strange.ofOne) return false;
    if (running.of(`strange ${host}`) >= perHost - 1) return false;
    return fresh.of(lane) < strange.fresh && fresh.of(`by ${by}`) < strange.freshOfOne;
  }

  private take(entry: Entry): void {
    this.running.add(entry);
    this.fresh.add(entry);
  }

  private startNext(): void {
    for (;;) {
      const index = this.waiting.findIndex((waiter) => this.hasRoom(waiter));
      const [next] = index === -1 ? [] : this.waiting.splice(index, 1);
      if (next === undefined) return;
      this.take(next);
      next.start();
    }
  }

  /** A stranger waits for a shorter while, so that there is time left for the exchange, and not in a long row. */
  private wait(entry: Entry, deadline: AbortSignal): Promise<void> {
    const isStrange = entry.lane === 'strange';
    const row = isStrange ? this.waiting.filter(({ lane, by }) => lane === entry.lane && by === entry.by) : [];
    const signal = isStrange ? AbortSignal.any([deadline, AbortSignal.timeout(strange.waitMs)]) : deadline;
    return new Promise((resolve, reject) => {
      const waiter = {
        ...entry,
        start: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = (): void => {
        this.waiting = this.waiting.filter((other) => other !== waiter);
        reject(new OwnLimitError('no place before the deadline'));
      };
      if (signal.aborted || row.length >= strange.waitingOfOne) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(waiter);
    });
  }
}

/** How many there are in all, in each lane, with each host, and of each stranger. */
class Tally {
  all = 0;
  private readonly counts = new Map<string, number>();

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  add(entry: Entry): void {
    this.change(entry, 1);
  }

  remove(entry: Entry): void {
    this.change(entry, -1);
  }

  private change({ host, lane, by }: Entry, step: number): void {
    this.all += step;
    const names = [lane, `host ${host}`, ...(lane === 'strange' ? [`by ${by}`, `strange ${host}`] : [])];
    for (const name of names) {
      const count = this.of(name) + step;
      if (count === 0) this.counts.delete(name);
      else this.counts.set(name, count);
    }
  }
}
