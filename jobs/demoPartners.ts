// In the demo the first hoster of each instance follows those of the others and they exchange a word, by the deeds that
// members do: so there is something to read under "partners", a conversation that crosses from instance to instance, and a group.
import { instanceHandle } from '../federation/actors.js';
import { createFederation, type FederationHouse } from '../federation/federation.js';
import { lookUpActor } from '../federation/lookUp.js';
import { findCollectiveByHandle } from '../server/collectives/queries.js';
import { openAnnouncements } from '../server/groups/actions.js';
import { contextOf } from '../server/house.js';
import { loadI18n } from '../server/i18n.js';
import { createLog } from '../server/log.js';
import { followActor } from '../server/partners/actions/following.js';
import { makeInteraction, replyToPost } from '../server/partners/actions/interact.js';
import { followingsIn, pageFeed } from '../server/partners/queries.js';
import { actorIri } from '../server/partners/rules.js';
import type { PartyRef } from '../server/partners/schema.js';
import { viewsDir } from '../server/paths.js';
import { publishPost } from '../server/posts/actions.js';
import type { LocalText } from '../server/shapes.js';
import { openStore } from '../server/store/openStore.js';
import type { Store } from '../server/store/store.js';
import type { DemoInstance } from './demo.js';

export const system = { kind: 'system', name: 'demo' } as const;

export interface Side {
  store: Store;
  house: FederationHouse;
  collectiveId: string;
  handle: string;
}

/**
 * The first hosters of all instances follow each other, the second of each follows one of them; the running instances send it
 * within half a minute. Resolves, when all have asked, with the page of each first hoster's partners, for who signs in.
 */
export async function followEachOther(instances: readonly DemoInstance[], hosts: readonly string[]): Promise<string[]> {
  const pages: string[] = [];
  for (const [index, instance] of instances.entries()) {
    const others = [1, 2].flatMap((step) => instances[(index + step) % instances.length] ?? []);
    const [first = '', second] = instance.members;
    pages.push(await follow(instance, hosts, first, others));
    // Reads by a boost what it does not follow.
    if (second) await follow(instance, hosts, second, others.slice(-1));
  }
  return pages;
}

async function follow(
  instance: DemoInstance,
  hosts: readonly string[],
  handle: string,
  others: readonly DemoInstance[],
): Promise<string> {
  return withSide(instance, hosts, handle, async ({ house, collectiveId }) => {
    const party = { kind: 'collective', id: collectiveId } as const;
    // The hoster for its words, its instance for the catalogue of all hosters there.
    for (const other of others) await followNames(house, party, other, [other.members[0] ?? '', instanceHandle]);
    return `${instance.baseUrl}/my/collectives/${collectiveId}/partners`;
  });
}

async function followNames(house: FederationHouse, party: PartyRef, there: DemoInstance, names: readonly string[]) {
  const federation = createFederation(house, { version: 'demo', workerId: 'demo' });
  try {
    for (const name of names) {
      const found = await lookUpActor(federation, `@${name}@${new URL(there.baseUrl).host}`);
      if (found.outcome !== 'found') throw new Error(`${name} cannot be found: ${found.outcome}`);
      await followActor(contextOf(house, system), party, { actor: found.actor._id });
    }
  } finally {
    await federation.fetch.close();
  }
}

/** One turn of the conversation: which instance, and what it does with a post that bears that word. */
interface Turn {
  at: 0 | 1 | 2;
  /** The post that it answers, likes or passes on; absent: it begins. */
  to?: string;
  does: 'like' | 'boost' | LocalText;
}

const turns: readonly Turn[] = [
  {
    at: 0,
    does: {
      fr: 'Nous cherchons un binôme pour nos sauvegardes croisées. Qui a 200 Go à prêter, la nuit ?',
      en: 'We look for a partner for mutual backups. Who has 200 GB to lend, at night?',
    },
  },
  {
    at: 1,
    to: 'binôme',
    does: {
      fr: 'Nous. Parlons-en jeudi, à la permanence.',
      en: 'We do. Let us talk on Thursday, at the weekly shift.',
    },
  },
  { at: 2, to: 'binôme', does: 'like' },
  { at: 2, to: 'permanence', does: 'boost' },
  {
    at: 2,
    to: 'permanence',
    does: {
      fr: 'Il nous reste un disque de 4 To en serre : comptez aussi sur nous, à partir de septembre.',
      en: 'We have a 4 TB disk left in the greenhouse: count us in as well, from September on.',
    },
  },
  {
    at: 0,
    to: 'septembre',
    does: {
      fr: 'À trois, chacun garde la copie des deux autres. Merci, nous notons tout dans le wiki.',
      en: 'With three of us, each keeps a copy of the two others. Thank you; we write it all down in the wiki.',
    },
  },
  { at: 1, to: 'wiki', does: 'like' },
];

/**
 * A conversation that crosses from instance to instance, by the deeds that members do. `tell` hears where to read it. Goes on
 * behind the scenes, about a minute; says nothing when it was said before.
 */
export async function talk(
  instances: readonly DemoInstance[],
  hosts: readonly string[],
  tell: (line: string) => void,
): Promise<void> {
  const [asking] = instances;
  if (!asking || instances.length < 3) return;
  const wasSaid = await withSide(asking, hosts, asking.members[0] ?? '', async ({ store, house, handle }) => {
    return (await pageFeed(store, actorIri(house.site, handle), {})).items.length > 0;
  });
  if (wasSaid) return;
  for (const instance of instances) {
    const others = instances.filter(({ key }) => key !== instance.key);
    await untilFollowed(`${instance.baseUrl}/actors/${instance.members[0]}`, others, hosts);
  }
  for (const { at, to, does } of turns) {
    const instance = instances[at];
    if (!instance) continue;
    await withSide(instance, hosts, instance.members[0] ?? '', async (side) => {
      const ctx = contextOf(side.house, system);
      const party = { kind: 'collective', id: side.collectiveId } as const;
      if (to !== undefined) {
        const key = await findInFeed(side, to);
        if (typeof does === 'string') await makeInteraction(ctx, party, does, key);
        else await replyToPost(ctx, party, key, does);
      } else if (typeof does === 'object') {
        const post = await publishPost(ctx, side.collectiveId, does);
        tell(`A conversation across the three begins: ${instance.baseUrl}/@${side.handle}/posts/${post._id}`);
      }
    });
  }
  tell('It has gone round. Sign in to see it under Partners on each of them.');
  await announce(instances, hosts);
  tell(`An announcements group that all three follow: ${asking.baseUrl}/@${groupHandle}`);
}

const groupHandle = 'annonces';

/** The first instance opens a group; the first hosters of the others follow it and comment on what is announced there. */
async function announce(instances: readonly DemoInstance[], hosts: readonly string[]): Promise<void> {
  const [home, ...others] = instances;
  if (!home) return;
  const group = await withSide(home, hosts, home.members[0] ?? '', ({ house }) =>
    openAnnouncements(contextOf(house, system), {
      handle: groupHandle,
      name: { fr: 'Annonces du ROSEAU', en: 'ROSEAU announcements' },
      summary: {
        fr: 'Ce qui ouvre, ferme ou change chez les hébergeurs du réseau.',
        en: 'What opens, closes or changes at the hosters of the network.',
      },
      ...{ hostersModerate: true, moderators: [], postingRestrictedToMods: true, version: 0 },
    }),
  );
  for (const other of others) {
    await withSide(other, hosts, other.members[0] ?? '', async ({ house, collectiveId }) => {
      const party = { kind: 'collective', id: collectiveId } as const;
      await followNames(house, party, home, [groupHandle]);
    });
  }
  await untilFollowed(`${home.baseUrl}/actors/${groupHandle}`, others, hosts);
  await withSide(home, hosts, home.members[0] ?? '', async ({ house, collectiveId }) => {
    const text = {
      fr: 'Maintenance dimanche, de 6 h à 8 h : les blocs-notes seront fermés, rien ne sera perdu.',
      en: 'Maintenance on Sunday, from 6 to 8 a.m.: pads will be closed, nothing will be lost.',
    };
    await publishPost(contextOf(house, system), collectiveId, text, { groupId: group._id });
  });
  const comments: LocalText[] = [
    {
      fr: 'Merci. Nos blocs-notes restent ouverts ce matin-là, pour qui en a besoin.',
      en: 'Thank you. Our pads stay open that morning, for whoever needs one.',
    },
    { fr: 'Bien noté, nous prévenons la serre.', en: 'Noted, we tell the greenhouse.' },
  ];
  for (const [index, other] of others.entries()) {
    await withSide(other, hosts, other.members[0] ?? '', async (side) => {
      const party = { kind: 'collective', id: side.collectiveId } as const;
      const text = comments[index];
      if (text) await replyToPost(contextOf(side.house, system), party, await findInFeed(side, 'Maintenance'), text);
    });
  }
}

/** Key of the post with that word, once it has come. */
function findInFeed({ store, house, handle }: Side, word: string): Promise<string> {
  const reader = actorIri(house.site, handle);
  return until(async () => {
    const { items } = await pageFeed(store, reader, {});
    return items.find(({ post }) => post.content.includes(word))?.post._id;
  });
}

/** The first hosters of those instances follow it, so that what it says reaches them. */
async function untilFollowed(iri: string, by: readonly DemoInstance[], hosts: readonly string[]): Promise<void> {
  for (const other of by) {
    await until(() =>
      withSide(other, hosts, other.members[0] ?? '', async ({ store }) => {
        return (await followingsIn(store).findOne({ followed: iri, state: 'accepted' })) ?? undefined;
      }),
    );
  }
}

export async function withSide<T>(
  instance: DemoInstance,
  privateHosts: readonly string[],
  handle: string,
  run: (side: Side) => Promise<T>,
): Promise<T> {
  const store = await openStore({ dataDir: instance.dataDir, shared: true });
  try {
    const site = { baseUrl: instance.baseUrl, host: new URL(instance.baseUrl).host, defaultLanguage: 'fr' as const };
    const log = createLog('error', process.stderr);
    const i18n = loadI18n(`${viewsDir}/locales`);
    const house: FederationHouse = { store, site, log, i18n, privateHosts, now: () => new Date() };
    const collective = await findCollectiveByHandle(store, handle);
    if (!collective) throw new Error(`${handle} is not on ${instance.name}`);
    return await run({ store, house, collectiveId: collective._id, handle });
  } finally {
    await store.close();
  }
}

/** What `look` finds, asked for every second, two minutes at most. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 120; tries += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error('the instances of the demo do not hear of one another');
}
