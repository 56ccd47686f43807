// Builds activitypub-express ("apex") from our site; nothing else does. It is used as a library for ActivityStreams: ids,
// activities, JSON-LD in and out. Everything of it that stores, fetches, delivers, verifies or believes is left out or
// replaced by a function that throws, and none of its routes is mounted (docs/decisions/0002-apex-behind-our-edge.md).
import activityStreams, { type ActivityStreams } from 'activitypub-express/pub/index.js';
import type { Site } from '../server/context.js';
import { newId } from '../server/ids.js';
import { dataIntegrityV1, extensionTerms, ourContextPath, pinnedContext, publicAudience } from './contexts.js';

type Json = Record<string, unknown>;

export interface Apex {
  actorIri(handle: string): string;
  objectIri(key: string): string;
  activityIri(key: string): string;
  /** inbox, outbox, followers, following of an actor. */
  streamsOf(handle: string): { inbox: string; outbox: string; followers: string; following: string };
  /** An activity, ready to be signed: full Public address, lists where peers expect lists, our context. */
  buildActivity(activity: OutgoingActivity): Promise<Json>;
  /** A received document read under our own context: every property a list, prefixes resolved. */
  read(document: Json): Promise<Json>;
}

export interface OutgoingActivity {
  id: string;
  type: string;
  actor: string;
  to: string[];
  cc: string[];
  audience?: string;
  published: Date;
  object: string | string[] | Json;
}

/** Functions of apex that reach for the network, a store, a queue or a key, or that believe what they are given. */
const forbidden = [
  'acceptFollow',
  'addToOutbox',
  'address',
  'createActor',
  'deliver',
  'getActivities',
  'publishActivity',
  'publishUndoUpdate',
  'publishUpdate',
  'queueForDelivery',
  'requestObject',
  'resolveActivity',
  'resolveObject',
  'resolveReferences',
  'resolveUnknown',
  'runDelivery',
  'startDelivery',
  'updateCollection',
  'verifyInbox',
];

const actorStreams = ['inbox', 'outbox', 'followers', 'following', 'liked', 'blocked', 'rejected', 'rejections'];

const routes = {
  actor: '/actors/:name',
  object: '/objects/:id',
  activity: '/activities/:id',
  ...Object.fromEntries(actorStreams.map((stream) => [stream, `/actors/:name/${stream}`])),
};

export function buildApex(site: Site): Apex {
  const apex = assemble(site);
  const actorAddress = apex.idToIRIFactory(site.baseUrl, routes.actor, 'name');
  const objectAddress = apex.idToIRIFactory(site.baseUrl, routes.object, 'id');
  const activityAddress = apex.idToIRIFactory(site.baseUrl, routes.activity, 'id');
  const streams = apex.nameToActorStreamsFactory(site.baseUrl, routes, 'name');
  // Likes and boosts are counted from our own records, never announced as collections of every activity.
  apex.utils = { activityIdToIRI: activityAddress, idToActivityCollections: () => ({}) };

  return {
    actorIri: (handle) => actorAddress(handle),
    objectIri: (key) => objectAddress(key),
    activityIri: (key) => activityAddress(key),
    streamsOf(handle) {
      const { inbox = '', outbox = '', followers = '', following = '' } = streams(handle);
      return { inbox, outbox, followers, following };
    },
    async buildActivity({ id, type, actor, to, cc, audience, published, object }) {
      const etc = {
        id,
        cc,
        ...(audience === undefined ? {} : { audience }),
        published: published.toISOString(),
        object,
      };
      const built = await apex.buildActivity(type, actor, to, etc);
      return polish(await apex.toJSONLD(built));
    },
    read: (document) => apex.fromJSONLD(document),
  };
}

/**
 * What the package's own entry would put together, without its store (and the database driver that this loads), its routes
 * and its network functions.
 */
function assemble(site: Site): ActivityStreams {
  const apex: ActivityStreams = { ...activityStreams };
  for (const [name, value] of Object.entries(apex)) if (typeof value === 'function') apex[name] = value.bind(apex);
  for (const name of forbidden) apex[name] = refuse(name);
  apex.context = [...apex.consts.ASContext, dataIntegrityV1, extensionTerms, `${site.baseUrl}${ourContextPath}`];
  apex.store = { generateId: newId };
  apex.logger = { error: refuse('logger'), warn: refuse('logger'), info: refuse('logger') };
  apex.jsonldContextLoader = async (url: string) => pinnedContext(url);
  return apex;
}

function refuse(name: string): () => never {
  return () => {
    throw new Error(`activitypub-express may not call ${name}: our own edge does that`);
  };
}

const lists = new Set([
  'to',
  'cc',
  'bto',
  'bcc',
  'tag',
  'attachment',
  'oneOf',
  'anyOf',
  'items',
  'orderedItems',
  'needs',
]);

/** What compaction does that peers reading plain JSON do not understand, undone: "as:Public", and lists of one. */
function polish(document: Json): Json {
  const { '@context': context, ...rest } = document;
  return { '@context': context, ...(polishValue(rest) as Json) };
}

function polishValue(value: unknown): unknown {
  if (value === 'as:Public') return publicAudience;
  if (Array.isArray(value)) return value.map(polishValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      const polished = polishValue(child);
      return [key, lists.has(key) && !Array.isArray(polished) ? [polished] : polished];
    }),
  );
}
