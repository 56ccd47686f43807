// How a command ends when it cannot do what was asked: one sentence on the error output, exit code 1.
import { join } from 'node:path';
import { ConfigError } from '../config.js';
import { DomainError } from '../errors.js';
import { loadI18n } from '../i18n.js';
import { withoutSecrets } from '../log.js';
import { viewsDir } from '../paths.js';
import { StartError } from '../startup.js';
import { ArchiveError, SchemaTooNewError, StoreOpenError } from '../store/errors.js';

/** A mistake in what was typed, or a thing that is not there. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const plain = [CommandError, ConfigError, StartError, StoreOpenError, ArchiveError, SchemaTooNewError];

/** The sentence for a person; the stack only for what nobody foresaw. */
export function explain(error: unknown): string {
  if (error instanceof DomainError) {
    const t = loadI18n(join(viewsDir, 'locales')).translator('en');
    const field = error.field ? `${error.field}: ` : '';
    return withoutSecrets(`${field}${t(error.safeMessage.key, error.safeMessage.params)}`);
  }
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError) {
    return withoutSecrets(`Configuration refused. ${error.message.replaceAll('\n', '; ')}`);
  }
  return withoutSecrets(plain.some((kind) => error instanceof kind) ? error.message : (error.stack ?? error.message));
}
