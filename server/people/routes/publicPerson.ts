// The page of a person who chose to have one.

import { DomainError } from '../../errors.js';
import { findHandle } from '../../handles/handles.js';
import type { Routes } from '../../http/routes.js';
import { findMovedTo } from '../../partners/queries.js';
import { presentPublicPerson } from '../present.js';
import { findPersonByHandle } from '../queries.js';
import { isPublicPerson } from '../rules.js';
import { nameParams } from '../schema.js';

export function publicRoutes(routes: Routes): void {
  routes.get('/@:name', { access: 'public', params: nameParams }, async (visit) => {
    const handle = await findHandle(visit.ctx.store, visit.params.name);
    if (handle?.kind !== 'person') return visit.pass();
    if (handle.retiredAt) throw new DomainError('gone', 'people.public.gone');
    const person = await findPersonByHandle(visit.ctx.store, handle._id);
    if (!person || !isPublicPerson(person)) return visit.pass();
    const { site } = visit.house;
    const movedTo = await findMovedTo(visit.ctx.store, handle._id);
    await visit.page(
      'people/public',
      { ...presentPublicPerson(person, site), movedTo },
      {
        title: person.displayName,
        alternates: [{ type: 'application/activity+json', href: `${site.baseUrl}/actors/${handle._id}` }],
      },
    );
  });
}
