// The first start: as long as nobody administers the instance, a one-time link lets somebody become its administrator.
import { createCollective } from '../../collectives/actions.js';
import type { Context, Language } from '../../context.js';
import { DomainError } from '../../errors.js';
import { findHandle, isHandle } from '../../handles/handles.js';
import type { House } from '../../house.js';
import { newId } from '../../ids.js';
import { readSettings, writeSettings } from '../../instances/settings.js';
import { signLink } from '../../secrets.js';
import { slug } from '../../shapes.js';
import { actorOf, countAdministrators, setupsIn } from '../queries.js';
import { spentLink } from '../rules.js';
import type { Person } from '../schema.js';
import { insertPerson } from './accounts.js';

/** The address of the set-up page, the same until it is used; null once there is an administrator. */
export async function openSetup(house: Pick<House, 'store' | 'site' | 'secret' | 'now'>): Promise<string | null> {
  if ((await countAdministrators(house.store)) > 0) return null;
  const waiting = await setupsIn(house.store).findOne({ usedAt: null });
  const setup = waiting ?? { _id: newId(), createdAt: house.now(), usedAt: null };
  if (!waiting) await setupsIn(house.store).insertOne(setup);
  return `${house.site.baseUrl}/setup/${signLink(house.secret, 'setup', setup._id)}`;
}

/** Looking does not use the link up. Refuses: gone. */
export async function checkSetup(ctx: Context, setupId: string): Promise<void> {
  const setup = await setupsIn(ctx.store).findOne({ _id: setupId });
  if (!setup || setup.usedAt || (await countAdministrators(ctx.store)) > 0) throw spentLink('people.setup.spent');
}

export interface SetupInput {
  username: string;
  displayName: string;
  email: string;
  password: string;
  language: Language | null;
  /** Empty: stays as it is. */
  instanceName: string;
  /** Empty: none yet. */
  collectiveName: string;
}

/**
 * Creates the administrator, names the instance, begins the first collective. Works once, also when sent many times at
 * once. Emits person.created, collective.created. Refuses: gone, invalid, conflict.
 */
export async function completeSetup(
  ctx: Context,
  setupId: string,
  input: SetupInput,
): Promise<{ person: Person; collectiveId: string | null }> {
  await checkSetup(ctx, setupId);
  const handle = await handleFor(ctx, input);
  const claimed = await setupsIn(ctx.store).findOneAndUpdate(
    { _id: setupId, usedAt: null },
    { $set: { usedAt: ctx.now } },
  );
  if (!claimed) throw spentLink('people.setup.spent');
  let person: Person;
  try {
    person = await insertPerson(ctx, newId(), { ...input, instanceRole: 'administrator' });
  } catch (error) {
    await setupsIn(ctx.store).updateOne({ _id: setupId }, { $set: { usedAt: null } });
    throw error;
  }
  if (input.instanceName) {
    await writeSettings(ctx.store, { ...(await readSettings(ctx.store)), name: input.instanceName });
  }
  if (!handle) return { person, collectiveId: null };
  const name = { fr: '', en: '', [input.language ?? ctx.site.defaultLanguage]: input.collectiveName };
  const asPerson: Context = { ...ctx, actor: await actorOf(ctx.store, person) };
  const collective = await createCollective(asPerson, { handle, name, legalForm: 'ASSOCIATION' });
  return { person, collectiveId: collective._id };
}

/** Checked before anything is written, so that a refusal leaves the link as it was. */
async function handleFor(ctx: Context, input: SetupInput): Promise<string | null> {
  if (!input.collectiveName) return null;
  const handle = slug(input.collectiveName);
  if (!isHandle(handle)) {
    throw new DomainError('invalid', 'people.setup.collectiveName', { field: 'collectiveName' });
  }
  if (await findHandle(ctx.store, handle)) {
    throw new DomainError('conflict', 'handle.taken', { field: 'collectiveName' });
  }
  return handle;
}
