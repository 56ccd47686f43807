// `chatiere serve`: the server, its signals, and what happens when something unforeseen breaks.
import { withoutSecrets } from '../log.js';
import { readEnvironment } from './environment.js';

/** Milliseconds after which a stop that hangs is ended. */
const hardStopMs = 25_000;

export async function serveCommand(): Promise<void> {
  const config = readEnvironment();
  for (const kind of ['uncaughtException', 'unhandledRejection']) process.on(kind, breakOff);
  const { serve } = await import('../main.js');
  const running = await serve(config, { tell: (line) => process.stdout.write(`${line}\n`) });
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      setTimeout(() => process.exit(1), hardStopMs).unref();
      running.stop().then(() => process.exit(0), breakOff);
    });
  }
}

/** The state is unknown: say why, end, let the supervisor start afresh. What was acknowledged is on disk. */
function breakOff(error: unknown): void {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    withoutSecrets(`${JSON.stringify({ level: 60, time: new Date().toISOString(), msg: 'broken off', err: why })}\n`),
  );
  process.exit(1);
}
