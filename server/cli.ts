#!/usr/bin/env node
// TABLE: command -> deed. What a command does stands in server/cli/ or in the slices' actions.
import { Command } from 'commander';
import { backupCommand, exportCommand, importCommand, restoreCommand } from './cli/archives.js';
import { explain } from './cli/failure.js';
import { serveCommand } from './cli/serve.js';

const program = new Command('chatiere')
  .description('The software with which a network of ethical hosters runs itself')
  .showHelpAfterError();

program.command('serve').description('run the server').action(serveCommand);

const asJson = ['--json', 'print the result as JSON'] as const;
program
  .command('backup')
  .description('copy everything into a new file, also while the server runs')
  .argument('<file>', 'the file to write; it must not exist')
  .option(...asJson)
  .action(backupCommand);
program
  .command('restore')
  .description('put a backup into an empty data folder')
  .argument('<file>', 'what `chatiere backup` wrote')
  .option(...asJson)
  .action(restoreCommand);
program
  .command('export')
  .description('write everything as lines of JSON, for another engine or another program')
  .argument('<file>', 'the file to write; it must not exist')
  .option(...asJson)
  .action(exportCommand);
program
  .command('import')
  .description('read what `chatiere export` wrote into an empty store')
  .argument('<file>', 'what `chatiere export` wrote')
  .option(...asJson)
  .action(importCommand);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${explain(error, (refusal) => refusal.message)}\n`);
  process.exit(1);
}
