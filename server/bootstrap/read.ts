// From a file to checked data. A mistake is told with the path inside the file and in words.
import { readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import type { Translate } from '../i18n.js';
import { StartError } from '../startup.js';
import { type Bootstrap, bootstrapShape } from './schema.js';

const maxBytes = 20 * 1024 * 1024;
/** Mistakes told at once. */
const maxTold = 10;

/** Refuses (StartError): a file that cannot be read, is no JSON, or says what it may not, with each path inside it. */
export function readBootstrapFile(file: string, t: Translate): Bootstrap {
  let json: unknown;
  try {
    if (statSync(file).size > maxBytes) throw new Error(`it is larger than ${maxBytes / 1024 / 1024} MB`);
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new StartError(`The bootstrap file ${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  return checkBootstrap(file, json, t);
}

export function checkBootstrap(file: string, json: unknown, t: Translate): Bootstrap {
  const parsed = bootstrapShape.safeParse(json);
  if (parsed.success) return parsed.data;
  const told = parsed.error.issues.slice(0, maxTold).map((issue) => `${pathOf(issue.path)}: ${wordsOf(issue, t)}`);
  const more = parsed.error.issues.length - told.length;
  const rest = more > 0 ? [`and ${more} more`] : [];
  throw new StartError(`The bootstrap file ${file} is refused. ${[...told, ...rest].join('; ')}.`);
}

/** ['collectives', 0, 'profile', 'website'] -> "collectives[0].profile.website". */
export function pathOf(path: readonly PropertyKey[]): string {
  const written = path.reduce<string>((text, part) => {
    if (/^\d+$/.test(String(part))) return `${text}[${String(part)}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
  return written || '(the whole file)';
}

/** The messages of our shapes are keys of the catalogues; zod's own are words already. */
function wordsOf(issue: z.core.$ZodIssue, t: Translate): string {
  const limits = {
    max: 'maximum' in issue ? Number(issue.maximum) : 0,
    min: 'minimum' in issue ? Number(issue.minimum) : 0,
  };
  const words = /^[a-z][\w-]*(\.[\w-]+)+$/i.test(issue.message) ? t(issue.message, limits) : issue.message;
  return words.replace(/\.$/, '');
}
