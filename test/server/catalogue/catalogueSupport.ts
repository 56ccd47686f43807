// What the catalogue's tests share: a house with hosters, and the drain that carries events to their readers.
import { catalogueEvent } from '../../../server/catalogue/actions/catalogueEvent.js';
import { createService, emptyProfile } from '../../../server/catalogue/actions/services.js';
import { servicesOf } from '../../../server/catalogue/queries.js';
import type { Service, ServiceProfile } from '../../../server/catalogue/schema.js';
import { createCollective } from '../../../server/collectives/actions.js';
import { collectivesOf } from '../../../server/collectives/queries.js';
import type { Collective, CollectiveProfile } from '../../../server/collectives/schema.js';
import type { Context } from '../../../server/context.js';
import type { PendingEvent } from '../../../server/events.js';
import { recordChange } from '../../../server/history/actions.js';
import { contextFor, systemActor, type TestHouse } from '../../support/appSupport.js';

let serial = 0;

export function systemContext(house: TestHouse): Context {
  return contextFor(house, systemActor);
}

/** A published hoster with its members, unless told otherwise. */
export async function buildCollective(
  house: TestHouse,
  overrides: {
    handle?: string;
    name?: string;
    published?: boolean;
    profile?: Partial<CollectiveProfile>;
    members?: { personId: string; role: 'representative' | 'member' }[];
  } = {},
): Promise<Collective> {
  serial += 1;
  const handle = overrides.handle ?? `hoster${serial}`;
  return createCollective(systemContext(house), {
    handle,
    name: { fr: overrides.name ?? `Hébergeur ${serial}`, en: '' },
    legalForm: 'ASSOCIATION',
    published: overrides.published ?? true,
    ...(overrides.profile ? { profile: overrides.profile } : {}),
    ...(overrides.members ? { members: overrides.members } : {}),
  });
}

export function profileOf(name: string, overrides: Partial<ServiceProfile> = {}): ServiceProfile {
  return { ...emptyProfile({ fr: name, en: '' }), ...overrides };
}

/** A published service of the collective, unless told otherwise. */
export async function buildService(
  house: TestHouse,
  collective: Collective,
  name: string,
  overrides: Partial<ServiceProfile> & { published?: boolean } = {},
): Promise<Service> {
  const { published = true, ...profile } = overrides;
  return createService(systemContext(house), collective._id, { profile: profileOf(name, profile), published });
}

/** Hands every waiting event to the catalogue and the history, as jobs/drainEvents.ts does. Returns them, oldest first. */
export async function drain(house: TestHouse): Promise<PendingEvent[]> {
  const ctx = systemContext(house);
  const found: PendingEvent[] = [];
  for (const collection of [collectivesOf(house.store), servicesOf(house.store)]) {
    const documents = await collection.find({ 'events.eventId': { $gt: '' } }).toArray();
    for (const { _id, events = [] } of documents) {
      found.push(...events);
      await collection.updateOne({ _id }, { $set: { events: [] } });
    }
  }
  found.sort((a, b) => (a.eventId < b.eventId ? -1 : 1));
  for (const event of found) {
    await catalogueEvent(ctx, event);
    await recordChange(house.store, event);
  }
  return found;
}
