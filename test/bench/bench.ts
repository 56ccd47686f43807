// npm run bench: prints figures as JSON, each beside what this machine can do at best in the same run. Machines are
// noisy: read the ratios. Nothing here is a test; nothing fails for being slow.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectDir } from '../../server/paths.js';
import { benchWire } from './federation.js';
import { benchFeed } from './feed.js';
import { benchFinder } from './finder.js';
import { benchImport } from './import.js';
import { benchPages } from './pages.js';
import { benchStart } from './start.js';
import { benchStore } from './store.js';
import { benchSurveys } from './surveys.js';
import { benchSurveyWire } from './surveyWire.js';

const rounds: Record<string, () => Promise<unknown>> = {
  start: benchStart,
  install: async () => installSize(),
  pages: () => benchPages(10_000),
  finder: () => benchFinder(),
  store: benchStore,
  inbox: () => withTemporaryFolder((folder) => benchWire(folder, 'inbox')),
  fanOut: () => withTemporaryFolder((folder) => benchWire(folder, 'fanOut')),
  feed: () => withTemporaryFolder(benchFeed),
  surveys: benchSurveys,
  surveyWire: () => withTemporaryFolder(benchSurveyWire),
  import: () => withTemporaryFolder((folder) => benchImport(folder, 200)),
};

/** Packages that `npm ci --omit=dev` installs, from the lock file and the disk, in MB. */
function installSize(): { packages: number; megabytes: number } {
  const lock = JSON.parse(readFileSync(join(projectDir, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; link?: boolean; os?: string[]; cpu?: string[]; libc?: string[] }>;
  };
  const kept = Object.entries(lock.packages)
    .filter(([path, entry]) => path.startsWith('node_modules/') && !entry.dev && !entry.link)
    .map(([path]) => join(projectDir, path));
  let kilobytes = 0;
  let packages = 0;
  for (const path of kept) {
    try {
      const nested = execFileSync('du', ['-sk', '--exclude=node_modules', path], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      kilobytes += Number.parseInt(nested.toString(), 10);
      packages += 1;
    } catch {
      // A package of another platform: locked, not installed.
    }
  }
  return { packages, megabytes: Math.round(kilobytes / 1024) };
}

async function withTemporaryFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'chatiere-bench-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const figures: Record<string, unknown> = {
  machine: {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  },
};
for (const [name, run] of Object.entries(rounds)) {
  if (values.only && !values.only.split(',').includes(name)) continue;
  figures[name] = await run();
}
console.log(JSON.stringify(figures, null, 2));
