// A report about somebody elsewhere, to their own server: said by the instance, so that whoever made it stays unnamed. Called by
// federation/outbox.ts only.
import { findReport } from '../../server/moderation/queries.js';
import { findRemoteActor } from '../../server/partners/queries.js';
import { instanceHandle } from '../actors.js';
import type { Federation } from '../federation.js';
import type { Announced, Draft } from '../outbox.js';
import { objectContext } from '../wire/namespace.js';

/** Nothing unless the reporter asked for it. */
export async function announceReport(federation: Federation, event: Announced<'report.made'>): Promise<Draft[]> {
  const { i18n, site, store } = federation.house;
  const report = await findReport(store, event.reportId);
  if (!report?.tellsTheirs || report.about === null) return [];
  const actor = await findRemoteActor(store, report.about);
  if (actor === null || actor.goneAt !== null) return [];
  const reason = i18n.translator(site.defaultLanguage)(`moderation.reason.${report.reason}`);
  return [
    {
      actor: instanceHandle,
      type: 'Flag',
      subject: `report:${report._id}`,
      objectIri: null,
      // Ids in one list, the actor first: the form in which all that we know read it. JSON-LD keeps no order.
      context: objectContext(site.baseUrl),
      object: report.objects,
      content: [reason, report.comment].filter(Boolean).join('\n\n'),
      to: [actor._id],
      cc: [],
      toFollowers: false,
      inboxes: [actor.inbox],
      listed: false,
    },
  ];
}
