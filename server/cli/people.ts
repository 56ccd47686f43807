// `chatiere person create`, `person reset`: an account, or a way back into one. No password is ever an argument, since
// arguments are seen by everybody on the machine.
import { type InstanceRole, type Language, languages } from '../context.js';
import { linkAddress } from '../notices/links.js';
import { createPerson } from '../people/actions/accounts.js';
import { startReset } from '../people/actions/passwordChange.js';
import { findPersonByLogin } from '../people/queries.js';
import { lifetimes, minute } from '../people/rules.js';
import { instanceRoles } from '../people/schema.js';
import { email as emailShape } from '../shapes.js';
import type { PrintOptions } from './archives.js';
import { type Desk, print, withDesk } from './environment.js';
import { CommandError } from './failure.js';

export interface CreateOptions extends PrintOptions {
  email: string;
  name?: string;
  role?: string;
  language?: string;
}

/** Creates an account without a password and prints the link by which its owner chooses one. */
export async function createCommand(username: string, options: CreateOptions): Promise<void> {
  const email = emailShape.safeParse(options.email);
  if (!email.success) throw new CommandError(`--email ${options.email} is not an address.`);
  const instanceRole = oneOf<InstanceRole>('--role', options.role, instanceRoles);
  const language = oneOf<Language>('--language', options.language, languages);
  await withDesk(async (desk) => {
    const displayName = options.name ?? username;
    const person = await createPerson(desk.ctx, {
      username,
      email: email.data,
      displayName,
      password: null,
      instanceRole,
      language,
    });
    await tellLink(desk, options, person, `${displayName} (${person.username}) has an account.`);
  });
}

export async function resetCommand(login: string, options: PrintOptions): Promise<void> {
  await withDesk(async (desk) => {
    const person = await findPersonByLogin(desk.store, login);
    if (!person) throw new CommandError(`Nobody has the user name or address ${login}.`);
    await tellLink(desk, options, person, `${person.displayName} (${person.username}) may choose a new password.`);
  });
}

async function tellLink(
  { ctx, site, secret }: Desk,
  options: PrintOptions,
  { _id, username }: { _id: string; username: string },
  sentence: string,
): Promise<void> {
  const reset = await startReset(ctx, _id);
  const link = linkAddress({ site, secret }, { path: '/reset/', purpose: 'reset', id: reset._id });
  print(options, { id: _id, username, link, expiresAt: reset.expiresAt }, [
    sentence,
    `Give this link to them and to nobody else; it works once, for ${lifetimes.reset / minute} minutes:`,
    link,
  ]);
}

function oneOf<T extends string>(option: string, value: string | undefined, choices: readonly T[]): T | null {
  if (value === undefined) return null;
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new CommandError(`${option} must be one of ${choices.join(', ')}.`);
  return choice;
}
