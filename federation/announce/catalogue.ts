// What is there, for those who come later: a hoster's public services, an instance's public hosters, as paged collections.
import { countServicesOf, listServicesAfter } from '../../server/catalogue/queries.js';
import { countPublicCollectives, listPublicCollectivesAfter } from '../../server/collectives/queries.js';
import type { LocalActor } from '../actors.js';
import type { Federation } from '../federation.js';
import { Refusal } from '../refusal.js';
import { catalogueIri } from '../wire/actor.js';
import { toCollection, toCollectionPage } from '../wire/collections.js';
import type { Json } from '../wire/namespace.js';
import { toHostedService } from '../wire/service.js';

const pageSize = 50;

/**
 * The collection (`after` undefined), its first page (null), or the page after an id. Items: services of a hoster, ids of the
 * hosters of an instance. Refuses: 404 (a person).
 */
export async function describeCatalogue(
  federation: Federation,
  actor: LocalActor,
  after: string | null | undefined,
): Promise<Json> {
  if (actor.kind === 'person') throw new Refusal(404, 'there is no such collection');
  const { site, store } = federation.house;
  const iri = catalogueIri(actor.iri);
  const isInstance = actor.kind === 'instance';
  const totalItems = isInstance ? await countPublicCollectives(store) : await countServicesOf(store, actor.ownerId);
  if (after === undefined) return toCollection(iri, totalItems, totalItems > 0);
  const found = isInstance
    ? await listPublicCollectivesAfter(store, after, pageSize)
    : await listServicesAfter(store, actor.ownerId, after, pageSize);
  const items = found.map((one) => {
    if (!('profile' in one)) return federation.apex.actorIri(one.handle);
    const url = `${site.baseUrl}/@${actor.handle}/services/${one.slug}`;
    return toHostedService(one, actor.iri, { baseUrl: site.baseUrl, url }, site.defaultLanguage);
  });
  const next = found.length === pageSize ? (found.at(-1)?._id ?? null) : null;
  return toCollectionPage({ iri, totalItems, items, after, next }, site.baseUrl);
}
