#!/usr/bin/env node
// TABLE: command -> deed. What a command does stands in server/cli/ or in the slices' actions.
import { Command } from 'commander';
import { explain } from './cli/failure.js';
import { serveCommand } from './cli/serve.js';

const program = new Command('chatiere')
  .description('The software with which a network of ethical hosters runs itself')
  .showHelpAfterError();

program.command('serve').description('run the server').action(serveCommand);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${explain(error, (refusal) => refusal.message)}\n`);
  process.exit(1);
}
