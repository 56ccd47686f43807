// Cold start (spawn to the first answer) and memory at rest, beside a bare Node process that listens.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectDir } from '../../server/paths.js';
import { freePort } from '../support/serverProcess.js';

const bareServer = `import('node:http').then(({ createServer }) => createServer((_, answer) => answer.end('ok')).listen(process.env.PORT, '127.0.0.1'))`;

export async function benchStart(): Promise<Record<string, number>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatiere-bench-'));
  try {
    await measure(['dist/server/cli.js', 'serve'], dataDir, 0);
    const starts: number[] = [];
    const bare: number[] = [];
    const idle: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const ours = await measure(['dist/server/cli.js', 'serve'], dataDir, round < 2 ? 0 : 8000);
      starts.push(ours.ms);
      if (round >= 2) idle.push(ours.rssMb);
      bare.push((await measure(['-e', bareServer], dataDir, 0)).ms);
    }
    return { coldStartMs: median(starts), bareNodeStartMs: median(bare), idleRssMb: median(idle) };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function measure(args: string[], dataDir: string, restMs: number): Promise<{ ms: number; rssMb: number }> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: projectDir,
    env: {
      PATH: process.env.PATH ?? '',
      PORT: String(port),
      BASE_URL: `http://localhost:${port}`,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'error',
    },
    stdio: 'ignore',
  });
  try {
    while (performance.now() - began < 20_000) {
      const up = await fetch(`http://127.0.0.1:${port}/health/live`, { headers: { host: `localhost:${port}` } }).then(
        (response) => response.ok,
        () => false,
      );
      if (up) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const ms = Math.round(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, restMs));
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return { ms, rssMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024) };
  } finally {
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGTERM');
    });
  }
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
