// Pictures of others for readers here: fetched by the one way out, looked at, kept in the data folder for a while. Which address
// may be asked for is decided by whoever calls; nothing that is no PNG, JPEG or WebP by its own bytes comes out of here.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FetchText, Picture, Pictures } from '../server/fetching.js';
import { newId } from '../server/ids.js';
import { pictureIn } from '../server/uploads/image.js';

/** Bytes of one picture. */
export const maxPictureBytes = 8 * 1024 * 1024;
const deadlineMs = 10_000;
/** Bytes of all that is kept; the oldest go first. */
const maxKeptBytes = 256 * 1024 * 1024;
const keepMs = 7 * 24 * 60 * 60 * 1000;
/** After a failure an address is left alone: reloading a page must not knock again. */
const restMs = 5 * 60 * 1000;
const maxFailures = 1000;
/** Together: servers that hang must not take the places of other readings. */
const atOnce = 4;
const maxWaiting = 60;
/** Writings between two looks at what is kept. */
const writesBetween = 20;

export interface PicturesOptions {
  fetchText: FetchText;
  dataDir: string;
  now(): Date;
  /** Bytes and milliseconds; tests set less. */
  maxKept?: number;
  timeoutMs?: number;
}

export function createPictures(options: PicturesOptions): Pictures {
  const { fetchText, dataDir, now, maxKept = maxKeptBytes, timeoutMs = deadlineMs } = options;
  const folder = join(dataDir, 'cache', 'pictures');
  const failed = new Map<string, number>();
  const running = new Map<string, Promise<Picture | null>>();
  const turns = new Turns();
  let writes = 0;

  async function find(url: string): Promise<Picture | null> {
    const path = pathOf(folder, url);
    try {
      if (now().getTime() - (await stat(path)).mtimeMs > keepMs) return null;
      return pictureIn(await readFile(path));
    } catch {
      return null;
    }
  }

  async function load(url: string): Promise<Picture | null> {
    if (!(await turns.take())) return null;
    try {
      const answer = await fetchText(url, {
        maxBytes: maxPictureBytes,
        timeoutMs,
        accept: 'image/webp, image/png, image/jpeg',
      });
      const picture = answer.outcome === 'read' ? pictureIn(Buffer.from(answer.body)) : null;
      if (picture) await keep(url, picture.bytes);
      else rememberFailure(url);
      return picture;
    } finally {
      turns.give();
    }
  }

  /** A full disk or a folder that cannot be written costs the cache, not the picture. */
  async function keep(url: string, bytes: Buffer): Promise<void> {
    const path = pathOf(folder, url);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const young = `${path}.${newId()}`;
      await writeFile(young, bytes, { mode: 0o600 });
      await rename(young, path);
      writes += 1;
      if (writes % writesBetween === 1) await prune();
    } catch {
      await rm(path, { force: true }).catch(() => {});
    }
  }

  function rememberFailure(url: string): void {
    if (failed.size >= maxFailures) failed.clear();
    failed.set(url, now().getTime() + restMs);
  }

  /** The newest stay, as long as they fit; what is older than a week goes. */
  async function prune(): Promise<number> {
    const names = await readdir(folder).catch(() => []);
    const files = [];
    for (const name of names) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => null);
      if (found?.isFile()) files.push({ path, size: found.size, at: found.mtimeMs });
    }
    let kept = 0;
    let removed = 0;
    for (const { path, size, at } of files.sort((a, b) => b.at - a.at)) {
      kept += size;
      if (kept <= maxKept && now().getTime() - at <= keepMs) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  return {
    find,
    async load(url) {
      if ((failed.get(url) ?? 0) > now().getTime()) return null;
      const begun = running.get(url);
      if (begun) return begun;
      const loading = load(url).finally(() => running.delete(url));
      running.set(url, loading);
      return loading;
    },
    prune,
  };
}

function pathOf(folder: string, url: string): string {
  return join(folder, createHash('sha256').update(url).digest('hex'));
}

class Turns {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  /** False: too many wait already. */
  async take(): Promise<boolean> {
    if (this.taken < atOnce) {
      this.taken += 1;
      return true;
    }
    if (this.waiting.length >= maxWaiting) return false;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    return true;
  }

  /** Hands the turn to who waits longest. */
  give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.taken -= 1;
  }
}
