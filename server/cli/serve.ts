// `chatiere serve`: the server, its signals, and what happens when something unforeseen breaks.
import { withoutSecrets } from '../log.js';
import type { Running } from '../main.js';
import { readEnvironment } from './environment.js';
import { keepYoungSpaceSmall } from './youngSpace.js';

/** Milliseconds after which a stop that hangs is ended. */
const hardStopMs = 25_000;

export async function serveCommand(): Promise<void> {
  const config = readEnvironment();
  for (const kind of ['uncaughtException', 'unhandledRejection']) process.on(kind, breakOff);
  let running: Running | null = null;
  let asked = false;
  const stop = () => {
    // Asked twice, or before it was ready: nothing that was acknowledged is lost by ending at once.
    if (asked || running === null) process.exit(asked ? 1 : 0);
    asked = true;
    setTimeout(() => process.exit(1), hardStopMs).unref();
    running.stop().then(() => process.exit(0), breakOff);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  const letYoungSpaceGrow = keepYoungSpaceSmall();
  const { serve } = await import('../main.js');
  running = await serve(config, { tell: (line) => process.stdout.write(`${line}\n`) });
  letYoungSpaceGrow();
}

/** The state is unknown: say why, end, let the supervisor start afresh. What was acknowledged is on disk. */
function breakOff(error: unknown): void {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    withoutSecrets(`${JSON.stringify({ level: 60, time: new Date().toISOString(), msg: 'broken off', err: why })}\n`),
  );
  process.exit(1);
}
