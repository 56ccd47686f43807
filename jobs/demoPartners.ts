// In the demo the first hoster of each instance follows those of the others and they exchange a word, by the deeds that
// members do: so there is something to read under "partners", and a conversation that crosses from instance to instance.
import { instanceHandle } from '../federation/actors.js';
import { createFederation, type FederationHouse } from '../federation/federation.js';
import { lookUpActor } from '../federation/lookUp.js';
import { findCollectiveByHandle } from '../server/collectives/queries.js';
import { contextOf } from '../server/house.js';
import { loadI18n } from '../server/i18n.js';
import { createLog } from '../server/log.js';
import { followActor } from '../server/partners/actions/following.js';
import { replyToPost } from '../server/partners/actions/interact.js';
import { followingsIn, pageFeed } from '../server/partners/queries.js';
import { actorIri } from '../server/partners/rules.js';
import { viewsDir } from '../server/paths.js';
import { publishPost } from '../server/posts/actions.js';
import { openStore } from '../server/store/openStore.js';
import type { Store } from '../server/store/store.js';
import type { DemoInstance } from './demo.js';

const system = { kind: 'system', name: 'demo' } as const;

interface Side {
  store: Store;
  house: FederationHouse;
  collectiveId: string;
  handle: string;
}

/** Both are kept in the stores; the running instances send them within half a minute. Resolves when all have asked. */
export async function followEachOther(instances: readonly DemoInstance[], hosts: readonly string[]): Promise<void> {
  for (const instance of instances) {
    await withSide(instance, hosts, async (side) => {
      const federation = createFederation(side.house, { version: 'demo', workerId: 'demo' });
      try {
        for (const other of instances.filter(({ key }) => key !== instance.key)) {
          // The hoster for its words, its instance for the catalogue of all hosters there.
          for (const name of [other.members[0], instanceHandle]) {
            const found = await lookUpActor(federation, `@${name}@${new URL(other.baseUrl).host}`);
            if (found.outcome !== 'found') throw new Error(`${name} cannot be found: ${found.outcome}`);
            const ctx = contextOf(side.house, system);
            await followActor(ctx, { kind: 'collective', id: side.collectiveId }, { actor: found.actor._id, list: '' });
          }
        }
      } finally {
        await federation.fetch.close();
      }
    });
  }
}

/** One writes, another answers from its own instance. Goes on behind the scenes; says nothing when it was said before. */
export async function talk(instances: readonly DemoInstance[], hosts: readonly string[]): Promise<void> {
  const [asking, answering] = instances;
  if (!asking || !answering) return;
  const isNew = await withSide(asking, hosts, async (side) => {
    await until(() => isFollowed(answering, asking, hosts));
    if ((await pageFeed(side.store, actorIri(side.house.site, side.handle), {})).items.length > 0) return false;
    await publishPost(contextOf(side.house, system), side.collectiveId, {
      fr: 'Nous cherchons un binôme pour nos sauvegardes croisées. Qui a 200 Go à prêter, la nuit ?',
      en: 'We look for a partner for mutual backups. Who has 200 GB to lend, at night?',
    });
    return true;
  });
  if (!isNew) return;
  await withSide(answering, hosts, async (side) => {
    const reader = actorIri(side.house.site, side.handle);
    const key = await until(async () => (await pageFeed(side.store, reader, {})).items[0]?.post._id);
    await replyToPost(contextOf(side.house, system), { kind: 'collective', id: side.collectiveId }, key, {
      fr: 'Nous. Parlons-en jeudi, à la permanence.',
      en: 'We do. Let us talk on Thursday, at the weekly shift.',
    });
  });
}

async function isFollowed(follower: DemoInstance, followed: DemoInstance, hosts: readonly string[]) {
  return withSide(follower, hosts, async ({ store }) => {
    const iri = `${followed.baseUrl}/actors/${followed.members[0]}`;
    return (await followingsIn(store).findOne({ followed: iri, state: 'accepted' })) ?? undefined;
  });
}

async function withSide<T>(
  instance: DemoInstance,
  privateHosts: readonly string[],
  run: (side: Side) => Promise<T>,
): Promise<T> {
  const store = await openStore({ dataDir: instance.dataDir, shared: true });
  try {
    const site = { baseUrl: instance.baseUrl, host: new URL(instance.baseUrl).host, defaultLanguage: 'fr' as const };
    const log = createLog('error', process.stderr);
    const i18n = loadI18n(`${viewsDir}/locales`);
    const house: FederationHouse = { store, site, log, i18n, privateHosts, now: () => new Date() };
    const [handle = ''] = instance.members;
    const collective = await findCollectiveByHandle(store, handle);
    if (!collective) throw new Error(`${handle} is not on ${instance.name}`);
    return await run({ store, house, collectiveId: collective._id, handle });
  } finally {
    await store.close();
  }
}

/** What `look` finds, asked for every second, two minutes at most. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 120; tries += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error('the instances of the demo do not hear of one another');
}
