// Hosters for tests: factories that make what they need; overrides win.
import { createCollective, type NewCollective } from '../../../server/collectives/actions.js';
import { profileValues } from '../../../server/collectives/present.js';
import { collectiveRoutes } from '../../../server/collectives/routes.js';
import type { Collective, CollectiveProfile } from '../../../server/collectives/schema.js';
import type { CollectiveRole, Context } from '../../../server/context.js';
import { DomainError } from '../../../server/errors.js';
import type { Change, PendingEvent } from '../../../server/events.js';
import { historyRoutes } from '../../../server/history/routes.js';
import { peopleRoutes } from '../../../server/people/routes.js';
import type { Person } from '../../../server/people/schema.js';
import { postRoutes } from '../../../server/posts/routes.js';
import { uploadRoutes } from '../../../server/uploads/routes.js';
import {
  actorFor,
  buildPerson,
  contextFor,
  startTestApp,
  systemActor,
  type TestHouse,
} from '../../support/appSupport.js';

let serial = 0;

export async function buildCollective(house: TestHouse, overrides: Partial<NewCollective> = {}): Promise<Collective> {
  serial += 1;
  return createCollective(contextFor(house, systemActor), {
    handle: `hoster${serial}`,
    name: { fr: `Hébergeur ${serial}`, en: `Hoster ${serial}` },
    legalForm: 'ASSOCIATION',
    published: true,
    ...overrides,
  });
}

/** A person with a role in a new collective, and the context in which they act. */
export async function buildMember(
  house: TestHouse,
  role: CollectiveRole,
  overrides: Partial<NewCollective> = {},
): Promise<{ person: Person; collective: Collective; ctx: Context }> {
  const person = await buildPerson(house, { password: null });
  const collective = await buildCollective(house, { members: [{ personId: person._id, role }], ...overrides });
  return { person, collective, ctx: contextFor(house, await actorFor(house, person)) };
}

/** Every value of a form as the browser sends it: "name.fr" and its like. */
export function formFields(profile: CollectiveProfile, version: number): Record<string, string> {
  const fields: Record<string, string> = { version: String(version) };
  const walk = (value: unknown, path: string) => {
    if (value === null || value === undefined) fields[path] = '';
    else if (typeof value === 'object') {
      for (const [name, item] of Object.entries(value)) walk(item, path ? `${path}.${name}` : name);
    } else fields[path] = String(value);
  };
  walk(profileValues(profile), '');
  return fields;
}

/** The unsent news of a collective, oldest first. */
export async function eventsOf(house: TestHouse, collection: string, id: string): Promise<PendingEvent[]> {
  const doc = await house.store.collection<Collective>(collection).findOne({ _id: id });
  return doc?.events ?? [];
}

export async function lastChange(house: TestHouse, id: string): Promise<Change | undefined> {
  return (await eventsOf(house, 'collectives', id)).at(-1)?.change;
}

/** The pages of hosters beside those of people, who sign in there. */
export async function startCollectiveApp(house: TestHouse) {
  return startTestApp(house, [peopleRoutes, collectiveRoutes, postRoutes, historyRoutes, uploadRoutes]);
}

/** "code key" of the refusal, or "done". Any other fault is passed on. */
export async function refusalOf(deed: Promise<unknown>): Promise<string> {
  try {
    await deed;
  } catch (error) {
    if (error instanceof DomainError) return `${error.code} ${error.safeMessage.key}`;
    throw error;
  }
  return 'done';
}
