// Starts Chatière as its own process, as a person would, and speaks with it over HTTP only.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { projectDir } from '../../server/paths.js';

export interface ServerProcess {
  baseUrl: string;
  port: number;
  pid: number;
  /** The one-time set-up link printed at start, once it is there; null when there is an administrator. */
  setupLink(): Promise<string | null>;
  output(): string;
  /** Ends the process: SIGKILL as a power cut would, SIGTERM as an administrator does. Resolves with its exit code. */
  stop(signal?: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

export interface StartOptions {
  dataDir: string;
  port?: number;
  /** Another loopback address than localhost: what has a dot can be the subject of rules about domains. */
  address?: string;
  env?: Record<string, string>;
  /** Milliseconds to wait for /health/ready. */
  timeoutMs?: number;
}

/** Resolves when /health/ready answers 200; rejects with the output when the process ends first. */
export async function startServer(options: StartOptions): Promise<ServerProcess> {
  const port = options.port ?? (await freePort());
  const baseUrl = `http://${options.address ?? 'localhost'}:${port}`;
  const child = spawn(process.execPath, [join(projectDir, 'dist/server/cli.js'), 'serve'], {
    cwd: projectDir,
    env: {
      PATH: process.env.PATH ?? '',
      HOST: options.address ?? '127.0.0.1',
      PORT: String(port),
      BASE_URL: baseUrl,
      DATA_DIR: options.dataDir,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  await waitUntilReady(child, baseUrl, options.timeoutMs ?? 20_000, () => output);
  return {
    baseUrl,
    port,
    pid: child.pid ?? 0,
    async setupLink() {
      while (!/ is at http/.test(output)) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 100));
      return /https?:\/\/\S+\/setup\/[\w.-]+/.exec(output)?.[0] ?? null;
    },
    output: () => output,
    stop: (signal = 'SIGTERM') => end(child, signal),
  };
}

async function waitUntilReady(
  child: ChildProcess,
  baseUrl: string,
  timeoutMs: number,
  output: () => string,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output()}`);
    const ready = await fetch(`${baseUrl}/health/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`the server was not ready in ${timeoutMs} ms:\n${output()}`);
}

function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill(signal);
  });
}
