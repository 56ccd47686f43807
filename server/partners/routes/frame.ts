// What the pages of partners share: in whose name they are opened, and the frame around each of them.
import type { z } from 'zod';
import type { FormState } from '../../http/form.js';
import type { Limit } from '../../http/limits.js';
import { personOf, type Visit } from '../../http/routes.js';
import { type PartnerPage, partnersPath, presentFollowings, presentLists, presentPartnerFrame } from '../present.js';
import { countFollows, countUnseenMentions, getParty, listFollowings, listNames, type Party } from '../queries.js';
import type { PartyRef, partyParams } from '../schema.js';

export type AnyVisit = Visit<z.output<typeof partyParams>, unknown, unknown>;

/** Each look-up asks a server elsewhere. */
export const lookUps: Limit = { name: 'partners.lookUp', limit: 60, windowMs: 60 * 60 * 1000 };

/** Conversations opened: each asks some servers elsewhere. Beyond that, what is there is shown. */
export const threadLooks: Limit = { name: 'partners.thread', limit: 120, windowMs: 60 * 60 * 1000 };

/** The collective in the address, or the person who asks. Whether they may is asked by getParty and the deeds. */
export function refOf(visit: AnyVisit): PartyRef {
  const { id } = visit.params;
  return id === undefined ? { kind: 'person', id: personOf(visit.ctx).personId } : { kind: 'collective', id };
}

export async function show(
  visit: AnyVisit,
  party: Party,
  page: PartnerPage,
  view: string,
  model: object,
): Promise<void> {
  const { store } = visit.ctx;
  const unseen = await countUnseenMentions(store, party.iri);
  const requests = party.collective || party.handle === '' ? 0 : await countFollows(store, party.iri, 'requested');
  const counts = { current: page, unseen, requests, language: visit.language };
  const frame = presentPartnerFrame(visit.ctx.actor, party, counts);
  await visit.page(
    `partners/${view}`,
    { ...frame, ...model },
    { title: visit.t(`partners.${page}.title`), nav: 'mine' },
  );
}

/** Whom the party follows; with a form that was refused: what was typed about which of them. */
export async function showFollowing(visit: AnyVisit, form?: FormState & { id: string }): Promise<void> {
  const party = await getParty(visit.ctx, refOf(visit));
  const base = partnersPath(party.ref);
  const [waiting, refused, followed, names] = await Promise.all([
    listFollowings(visit.ctx.store, party.iri, 'pending'),
    listFollowings(visit.ctx.store, party.iri, 'rejected'),
    listFollowings(visit.ctx.store, party.iri, 'accepted'),
    listNames(visit.ctx.store, party.iri),
  ]);
  await show(visit, party, 'following', 'following', {
    waiting: presentFollowings(base, waiting, names),
    refused: presentFollowings(base, refused, names),
    followed: presentFollowings(base, followed, names).map((one, index) =>
      form && followed[index]?.following._id === form.id ? { ...one, isOpen: true, newList: form.values.newList } : one,
    ),
    lists: presentLists(base, names, undefined).slice(1),
    // The form is one of many on the page: what is wrong is said above them all.
    errors: form?.errors.map(({ message }) => ({ field: '', message })),
  });
}
