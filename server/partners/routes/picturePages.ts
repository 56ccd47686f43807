// Pictures of others, for readers who asked for them: only what stands in a post that this reader may read, or is the portrait
// of an actor that we know. The reader's browser never meets the other server; whatever came is sent as one of three fixed types.
import type { Response } from 'express';
import { DomainError } from '../../errors.js';
import type { Picture } from '../../fetching.js';
import { type Limit, withinLimit } from '../../http/limits.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { portraitPath } from '../present.js';
import { findReadablePost, findRemoteActor, getParty } from '../queries.js';
import { mediaKey } from '../rules.js';
import { mediaParams, portraitQuery } from '../schema.js';

/** Pictures that are not kept here yet: each asks a server elsewhere. */
const loads: Limit = { name: 'partners.pictures', limit: 400, windowMs: 60 * 60 * 1000 };

export function picturePages(routes: Routes): void {
  for (const path of ['/my/collectives/:id/partners', '/me/partners']) {
    routes.get(`${path}/posts/:post/media/:media`, { access: 'signedIn', params: mediaParams }, async (visit) => {
      const { id, post: key, media } = visit.params;
      const { personId } = personOf(visit.ctx);
      const party = await getParty(visit.ctx, id ? { kind: 'collective', id } : { kind: 'person', id: personId });
      const post = await findReadablePost(visit.ctx.store, party.iri, key);
      const found = post?.attachments.find(({ url }) => mediaKey(url) === media);
      if (!found?.mediaType.startsWith('image/')) throw new DomainError('not-found', 'error.notFound');
      send(visit.res, await read(visit, found.url));
    });
  }

  routes.get(portraitPath, { access: 'signedIn', query: portraitQuery }, async (visit) => {
    const actor = await findRemoteActor(visit.ctx.store, visit.query.of);
    if (!actor?.icon || actor.goneAt !== null) throw new DomainError('not-found', 'error.notFound');
    send(visit.res, await read(visit, actor.icon));
  });
}

/** Refuses: too-many, unavailable (nothing came that may be shown). */
async function read(visit: Visit<unknown, unknown, unknown>, url: string): Promise<Picture> {
  const { house } = visit;
  const kept = await house.pictures.find(url);
  if (kept) return kept;
  if (!(await withinLimit(house, loads, personOf(visit.ctx).personId))) {
    throw new DomainError('too-many', 'partners.error.tooManyPictures', { retryAfter: 3600 });
  }
  const picture = await house.pictures.load(url);
  if (!picture) throw new DomainError('unavailable', 'partners.error.noPicture');
  return picture;
}

function send(res: Response, { type, bytes }: Picture): void {
  res.set({
    'Content-Type': type,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Content-Disposition': 'inline; filename="picture"',
    'Cross-Origin-Resource-Policy': 'same-origin',
  });
  res.end(bytes);
}
