#!/usr/bin/env node
// TABLE: command -> deed. What a command does stands in server/cli/ or in the slices' actions.
import { Command } from 'commander';
import { backupCommand, exportCommand, importCommand, restoreCommand } from './cli/archives.js';
import { bootstrapCommand } from './cli/bootstrap.js';
import { bounceCommand } from './cli/bounce.js';
import { importInfosCommand } from './cli/chatonsinfos.js';
import { doctorCommand } from './cli/doctor.js';
import { explain } from './cli/failure.js';
import { createCommand, resetCommand } from './cli/people.js';
import { serveCommand } from './cli/serve.js';

const program = new Command('chatiere')
  .description('The software with which a network of ethical hosters runs itself')
  .showHelpAfterError();

program.command('serve').description('run the server').action(serveCommand);

const asJson = ['--json', 'print the result as JSON'] as const;
const asIs = ['--send', 'send what waits in it: nothing ran since it was made'] as const;
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
  .option(...asIs)
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
  .option(...asIs)
  .option(...asJson)
  .action(importCommand);
program
  .command('bootstrap')
  .description('make the people, hosters and services that a JSON file declares')
  .argument('<file>', 'such as docs/bootstrap.example.json')
  .option(...asJson)
  .action(bootstrapCommand);

const person = program.command('person').description('accounts of people');
person
  .command('create')
  .description('create an account and print the link by which its owner chooses a password')
  .argument('<username>', '2 to 30 letters, digits and underscores')
  .requiredOption('--email <address>', 'where mails to this person go')
  .option('--name <name>', 'the name shown')
  .option('--role <role>', 'administrator or moderator of the instance')
  .option('--language <code>', 'fr or en')
  .option(...asJson)
  .action(createCommand);
person
  .command('reset')
  .description('print a link by which a person chooses a new password')
  .argument('<login>', 'user name or address')
  .option(...asJson)
  .action(resetCommand);

program
  .command('chatonsinfos')
  .description("hosters' ChatonsInfos files")
  .command('import')
  .description('read the files of a hoster and of its services')
  .argument('<source>', 'address of the organisation file, or a file on disk')
  .option('--collective <handle>', 'the hoster whose files these are; else the one of that name, or a new one')
  .option('--dry-run', 'say what would be done, and do nothing')
  .option('--draft', 'do not publish what is new')
  .option('--follow', 'read the address again from now on, every 12 hours')
  .option(...asJson)
  .action(importInfosCommand);

program
  .command('bounce')
  .description('read a mail that came back, from the standard input: for the mail server')
  .option(...asJson)
  .action(bounceCommand);

program
  .command('doctor')
  .description('check configuration, store, clock, DNS, TLS, reachability and permissions, and say what to do')
  .option(...asJson)
  .action(doctorCommand);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}
