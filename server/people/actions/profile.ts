// What a person says about themselves, and how they like the house to speak to them.
import type { Context, Language } from '../../context.js';
import { claimHandle, findHandle } from '../../handles/handles.js';
import { getPerson, peopleIn, termsOf } from '../queries.js';
import { waitsForNothing } from '../rules.js';
import type { Person, Preferences, ProfileInput } from '../schema.js';
import { updatePerson } from './accounts.js';

/**
 * Saves the profile. Made public for the first time, it takes a name on the Fediverse for ever. Emits
 * person.profileChanged. Refuses: invalid, conflict (name taken).
 */
export async function updateProfile(ctx: Context, personId: string, input: ProfileInput): Promise<void> {
  const person = await getPerson(ctx.store, personId);
  const handle = input.publicProfile ? await handleFor(ctx, person, input.handle) : person.handle;
  const { displayName, bio, publicProfile, decidesFollowers } = input;
  const acceptsFollowers = decidesFollowers ? ('by-hand' as const) : ('at-once' as const);
  const choice = decidesFollowers === undefined ? {} : { acceptsFollowers };
  const set = { displayName, bio, publicProfile, handle, terms: termsOf({ ...person, displayName }), ...choice };
  await updatePerson(ctx, { _id: personId, deletedAt: null }, set, { type: 'person.profileChanged', personId });
}

async function handleFor(ctx: Context, person: Person, wanted: string | undefined): Promise<string> {
  if (person.handle) return person.handle;
  const handle = wanted || person.username;
  const held = await findHandle(ctx.store, handle);
  // A name claimed by this person whose profile was not saved (the process died) is still theirs.
  if (held?.ownerId !== person._id) await claimHandle(ctx, handle, 'person', person._id);
  return handle;
}

/**
 * Language, time zone, mails and pictures. No event: nobody else sees them. Whoever has mails wait for a summary that never
 * left gets one a day, and is told: 'daily'.
 */
export async function updatePreferences(
  ctx: Context,
  personId: string,
  input: Preferences,
): Promise<'saved' | 'daily'> {
  const { language, timeZone, mailChoices, showsPictures } = input;
  const before = await getPerson(ctx.store, personId);
  const wanted = { mailChoices, digest: input.digest ?? before.digest };
  const isNew = waitsForNothing(wanted) && !waitsForNothing(before) && (before.digest ?? 'off') === 'off';
  const digest = isNew ? 'daily' : wanted.digest;
  const set = { language, timeZone, mailChoices, showsPictures, ...(digest === undefined ? {} : { digest }) };
  await updatePerson(ctx, { _id: personId, deletedAt: null }, set, null);
  return isNew ? 'daily' : 'saved';
}

/** The language chosen at the top of a page. */
export async function changeLanguage(ctx: Context, personId: string, language: Language): Promise<void> {
  await peopleIn(ctx.store).updateOne({ _id: personId, deletedAt: null }, { $set: { language } });
}
