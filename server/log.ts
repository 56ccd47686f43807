// Log lines: JSON for machines, short lines on a terminal. Secrets are taken out of every line, wherever they stand.
import pino from 'pino';
import type { Config } from './config.js';
import type { Log } from './context.js';

const hiddenFields = [
  'password',
  'secret',
  'token',
  'authorization',
  'cookie',
  'privateKey',
  'privateKeyPem',
  'smtpUrl',
  'mongodbUri',
];
const redact = hiddenFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * Takes passwords in addresses, link tokens, set-up tokens and private keys out of a text. In time that grows with its
 * length alone: strangers decide how long an address is.
 */
export function withoutSecrets(text: string): string {
  return (
    text
      .replace(/(\b[a-z][a-z0-9+.-]{0,19}:\/\/)[^\s/"'@]+@/gi, '$1[hidden]@')
      .replace(/(?<=[\w-])\.[\w-]{27}(?![\w-])/g, '.[hidden]')
      // Links of which a mail program lost or added a sign still give nearly all of the secret away.
      .replace(/([0-9a-f]{12})(?:\.|%2e)[\w-]{8,}/gi, '$1.[hidden]')
      .replace(/(\/setup\/)[\w.-]+/g, '$1[hidden]')
      .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 [hidden]')
      .replace(/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?-----END \1PRIVATE KEY-----/g, '[hidden private key]')
  );
}

export interface LogTarget {
  write(line: string): void;
  isTTY?: boolean;
}

export function createLog(level: Config['logLevel'], target: LogTarget = process.stdout): Log {
  const write = (line: string) => target.write(withoutSecrets(target.isTTY ? shortLine(line) : line));
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: redact, censor: '[hidden]' },
    },
    { write },
  );
}

/** "15:04:05 warn  a message  key=value": what a person at a terminal reads. */
function shortLine(line: string): string {
  const { time, level, msg, pid: _pid, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const word = pino.levels.labels[Number(level)] ?? 'info';
  const details = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  return `${String(time).slice(11, 19)} ${word.padEnd(5)} ${String(msg)}  ${details.join(' ')}${stack}\n`;
}
