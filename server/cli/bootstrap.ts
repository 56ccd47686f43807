// `chatiere bootstrap FILE`: what BOOTSTRAP_FILE does at the start, once more or beside a running server.
import { join, resolve } from 'node:path';
import { applyBootstrap } from '../bootstrap/apply.js';
import { readBootstrapFile } from '../bootstrap/read.js';
import { loadI18n } from '../i18n.js';
import { viewsDir } from '../paths.js';
import type { PrintOptions } from './archives.js';
import { print, withDesk } from './environment.js';

export async function bootstrapCommand(file: string, options: PrintOptions): Promise<void> {
  await withDesk(async ({ config, ctx }) => {
    const t = loadI18n(join(viewsDir, 'locales')).translator(config.defaultLanguage);
    const declared = readBootstrapFile(resolve(file), t);
    const report = await applyBootstrap({ ...ctx, actor: { kind: 'system', name: 'bootstrap' } }, declared, t);
    const made = Object.entries(report).filter(([, count]) => count > 0);
    print(options, report, [
      made.length === 0
        ? 'Everything in the file was there already.'
        : `Made: ${made.map(([what, count]) => `${count} ${what}`).join(', ')}.`,
    ]);
  });
}
