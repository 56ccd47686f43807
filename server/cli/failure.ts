// How a command ends when it cannot do what was asked: one sentence on the error output, exit code 1.
import { ConfigError } from '../config.js';
import { DomainError } from '../errors.js';
import { withoutSecrets } from '../log.js';
import { StartError } from '../startup.js';
import { ArchiveError, SchemaTooNewError, StoreOpenError } from '../store/errors.js';

/** A mistake in what was typed, or a thing that is not there. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const plain = [CommandError, ConfigError, StartError, StoreOpenError, ArchiveError, SchemaTooNewError];

/** The sentence for a person; the stack only for what nobody foresaw. */
export function explain(error: unknown, say: (error: DomainError) => string): string {
  if (error instanceof DomainError) return withoutSecrets(say(error));
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError)
    return withoutSecrets(`Configuration refused. ${error.message.replaceAll('\n', '; ')}`);
  return withoutSecrets(plain.some((kind) => error instanceof kind) ? error.message : (error.stack ?? error.message));
}
