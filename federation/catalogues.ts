// The catalogues of other instances: read whole from their own servers, within limits, and kept in step by what their hosters
// send. Only a hoster's own origin says anything about its services (FEP-fe34).
import { keepHoster, keepService, withdrawEntry, withdrawHoster } from '../server/elsewhere/actions/entries.js';
import { keepChildren, noteFailure, noteRead, postpone, refusedKey } from '../server/elsewhere/actions/sources.js';
import { findSource } from '../server/elsewhere/queries.js';
import { maxHostersPerSource, maxServicesPerHoster, sourceKey } from '../server/elsewhere/rules.js';
import type { RemoteSource, ServiceReading } from '../server/elsewhere/schema.js';
import { readPolicy } from '../server/instances/queries.js';
import { isRefusedPeer } from '../server/instances/rules.js';
import type { RemoteActor } from '../server/partners/schema.js';
import { contextFor, type Federation } from './federation.js';
import type { Inbound } from './handlers.js';
import { isLocal, readIri, sameOrigin } from './iris.js';
import { isObject, readJson } from './json.js';
import { findInstanceActor } from './mentions.js';
import { Refusal } from './refusal.js';
import { fetchDocument, GoneError } from './remoteActors.js';
import { catalogueOf, dateOf, fromHostedService, fromHoster } from './wire/remoteCatalogue.js';

/** Pages of one catalogue: whatever it promises, no more is read. */
const maxPages = 25;

/** Reads a hoster or an instance now. Never rejects for what the other side does: the source says how it went. */
export async function readCatalogue(federation: Federation, source: RemoteSource): Promise<void> {
  const ctx = contextFor(federation);
  if (isRefusedPeer(await readPolicy(ctx.store), source.home)) {
    return noteFailure(ctx, source, { key: refusedKey, params: {} });
  }
  try {
    await (source.kind === 'instance' ? readInstance(federation, source) : readHoster(federation, source));
  } catch (error) {
    if (error instanceof GoneError) {
      await withdrawHoster(ctx, source._id);
      return noteFailure(ctx, source, { key: 'elsewhere.error.gone', params: {} });
    }
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 429) return postpone(ctx, source);
    const key = error.status === 503 ? 'elsewhere.error.silent' : 'elsewhere.error.unreadable';
    return noteFailure(ctx, source, { key, params: {} });
  }
}

async function readHoster(federation: Federation, source: RemoteSource): Promise<void> {
  const { privateHosts } = federation.house;
  const ctx = contextFor(federation);
  const { json } = await fetchDocument(federation, source.address);
  const found = fromHoster(json, source.address, privateHosts);
  if (found === null) return noteNone(federation, source, json, source.address);
  const services: ServiceReading[] = [];
  for await (const item of itemsOf(federation, found.catalogue)) {
    const service = fromHostedService(item, source.address, privateHosts);
    if (service !== null) services.push(service);
    if (services.length >= maxServicesPerHoster) break;
  }
  const count = await keepHoster(ctx, source, found.hoster, services, true);
  await noteRead(ctx, source, { count });
}

/** The hosters of an instance, each of which is then read by itself. */
async function readInstance(federation: Federation, source: RemoteSource): Promise<void> {
  const { privateHosts } = federation.house;
  const ctx = contextFor(federation);
  const iri = await findInstanceActor(federation, source.address);
  if (iri === null) throw new Refusal(503, 'the server names no actor of its own');
  const { json } = await fetchDocument(federation, iri);
  const catalogue = catalogueOf(json, iri, privateHosts);
  if (catalogue === null) return noteNone(federation, source, json, iri);
  const hosters: string[] = [];
  for await (const item of itemsOf(federation, catalogue)) {
    const hoster = readIri(isObject(item) ? item.id : item, privateHosts);
    if (hoster !== null && sameOrigin(hoster, iri)) hosters.push(hoster);
    if (hosters.length >= maxHostersPerSource) break;
  }
  await noteRead(ctx, source, { count: await keepChildren(ctx, source, 'actor', hosters) });
}

/** The actor answers, and offers no catalogue (any more). */
async function noteNone(federation: Federation, source: RemoteSource, json: unknown, iri: string): Promise<void> {
  if (!isObject(json) || json.id !== iri) throw new Refusal(400, 'the actor is not what its address says');
  const ctx = contextFor(federation);
  await withdrawHoster(ctx, source._id);
  await noteRead(ctx, source, { count: 0, error: { key: 'elsewhere.error.noCatalogue', params: {} } });
}

/** The items of a paged collection, all from the origin that it is on. Throws what fetching throws, at any page. */
async function* itemsOf(federation: Federation, iri: string): AsyncGenerator<unknown> {
  const collection = await documentAt(federation, iri);
  if (!['OrderedCollection', 'Collection'].includes(String(collection.type))) {
    throw new Refusal(400, 'that is no collection');
  }
  yield* itemsIn(collection);
  const seen = new Set<string>();
  let next: unknown = collection.first;
  for (let pages = 0; pages < maxPages; pages += 1) {
    if (isObject(next)) {
      yield* itemsIn(next);
      next = next.next;
      continue;
    }
    const address = readIri(next, federation.house.privateHosts);
    if (address === null || !sameOrigin(address, iri) || seen.has(address)) return;
    const page = await (seen.size === 0 ? documentAt(federation, address) : furtherPage(federation, address));
    seen.add(address);
    yield* itemsIn(page);
    next = page.next;
  }
}

/** A page that is missing behind one that was read says nothing of the hoster: what was known of it stays. */
async function furtherPage(federation: Federation, address: string): Promise<Record<string, unknown>> {
  try {
    return await documentAt(federation, address);
  } catch (error) {
    if (error instanceof GoneError) throw new Refusal(400, 'a page of the collection is missing');
    throw error;
  }
}

/** Bears the id of its own address: a document does not speak for another one. */
async function documentAt(federation: Federation, address: string): Promise<Record<string, unknown>> {
  const { json, url } = await fetchDocument(federation, address);
  if (!isObject(json) || json.id !== address || !sameOrigin(url, address)) {
    throw new Refusal(400, 'the collection is not what its address says');
  }
  return json;
}

const maxItemsPerPage = 200;

function itemsIn(page: Record<string, unknown>): unknown[] {
  const items = page.orderedItems ?? page.items ?? [];
  return (Array.isArray(items) ? items : [items]).slice(0, maxItemsPerPage);
}

export async function isKnownHoster(federation: Federation, actor: RemoteActor): Promise<boolean> {
  return (await findSource(federation.house.store, sourceKey('actor', actor._id))) !== null;
}

/** The service that a Create or Update of its hoster carries, as it was signed. Of a hoster that is not read here: nothing. */
export async function receiveServiceIn({ federation, raw, sender }: Inbound): Promise<void> {
  const carried = serviceIn(raw);
  if (!isObject(carried)) return;
  const service = fromHostedService(carried, sender._id, federation.house.privateHosts);
  if (service === null || isLocal(federation.house.site, service.key)) return;
  await keepService(contextFor(federation), sourceKey('actor', sender._id), service);
}

/** The service that its hoster deletes: named beside the Tombstone of its Note. */
export async function receiveServiceEnd({ federation, raw, sender }: Inbound): Promise<void> {
  const named = serviceIn(raw);
  const key = readIri(isObject(named) ? named.id : named, federation.house.privateHosts);
  if (key === null || !sameOrigin(key, sender._id)) return;
  const { object } = readJson(raw);
  const saidAt = (isObject(object) ? dateOf(object.deleted) : null) ?? federation.house.now();
  await withdrawEntry(contextFor(federation), sourceKey('actor', sender._id), key, saidAt);
}

function serviceIn(raw: Buffer): unknown {
  const { object } = readJson(raw);
  const [inline] = Array.isArray(object) ? object : [object];
  return isObject(inline) ? inline.hostedService : undefined;
}
