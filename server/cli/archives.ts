// `chatiere backup`, `restore`, `export`, `import`: copies of everything, while running and between engines.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { markRestored } from '../instances/actions/restored.js';
import { migrations } from '../migrations.js';
import { prepareDataDir } from '../startup.js';
import { importStore, writeArchive } from '../store/archive.js';
import { migrate } from '../store/migrations.js';
import { openStore } from '../store/openStore.js';
import { restoreBackup } from '../store/restore.js';
import { allIndexes } from '../store/schema.js';
import { print, readEnvironment, withDesk } from './environment.js';
import { CommandError } from './failure.js';

export interface PrintOptions {
  json?: boolean;
}

export async function backupCommand(file: string, options: PrintOptions): Promise<void> {
  const target = resolve(file);
  await withDesk(async ({ store, dataDir }) => {
    await store.backup(target);
    const bytes = statSync(target).size;
    const secret = join(dataDir, 'secret');
    print(options, { file: target, bytes, secret: existsSync(secret) ? secret : null }, [
      `Backed up to ${target} (${bytes} bytes).`,
      ...(existsSync(secret) ? [`Keep ${secret} with it, in a safe place: without it, people must sign in anew.`] : []),
    ]);
  });
}

export interface RestoreOptions extends PrintOptions {
  /** Nothing ran since the copy was made: what waits in it is sent. */
  send?: boolean;
}

const heldBack =
  'What waited to be sent in it is held, since it may have arrived already: see /admin/peers. Use --send when nothing ran since.';

export async function restoreCommand(file: string, options: RestoreOptions): Promise<void> {
  const { dataDir, mongodbUri } = readEnvironment();
  if (mongodbUri !== undefined) {
    throw new CommandError('MONGODB_URI is set: bring an archive into that database with `chatiere import FILE`.');
  }
  const folder = resolve(dataDir);
  restoreBackup(resolve(file), folder);
  if (!options.send) {
    const store = await openStore({ dataDir: folder });
    await markRestored(store, new Date()).finally(() => store.close());
  }
  print(options, { dataDir: folder }, [
    `Restored into ${folder}. Put the file \`secret\` beside it if you kept it, then start Chatière.`,
    ...(options.send ? [] : [heldBack]),
  ]);
}

export async function exportCommand(file: string, options: PrintOptions): Promise<void> {
  const target = resolve(file);
  await withDesk(async ({ store }) => {
    await writeArchive(store, target);
    print(options, { file: target, bytes: statSync(target).size }, [`Everything is in ${target}.`]);
  });
}

/** Opens the store bare: an archive brings its own records, and goes into an empty store only. */
export async function importCommand(file: string, options: RestoreOptions): Promise<void> {
  const config = readEnvironment();
  const source = resolve(file);
  if (!existsSync(source)) throw new CommandError(`There is no file ${source}.`);
  const store = await openStore({
    dataDir: prepareDataDir(config.dataDir),
    ...(config.mongodbUri === undefined ? {} : { mongodbUri: config.mongodbUri }),
  });
  try {
    const { counts } = await importStore(store, createReadStream(source));
    await migrate(store, migrations, () => {});
    await store.ensureIndexes(allIndexes);
    if (!options.send) await markRestored(store, new Date());
    const documents = Object.values(counts).reduce((sum, count) => sum + count, 0);
    print(options, { counts }, [
      `Imported ${documents} documents of ${Object.keys(counts).length} collections.`,
      ...(options.send ? [] : [heldBack]),
    ]);
  } finally {
    await store.close();
  }
}
