// What is said of a collective's services. A published service is one Note for as long as it stays published; published
// again later it is a new one, because peers remember what was deleted. Called by federation/outbox.ts only.
import { findService } from '../../server/catalogue/queries.js';
import type { Service } from '../../server/catalogue/schema.js';
import { findCollective } from '../../server/collectives/queries.js';
import { isPublic } from '../../server/collectives/rules.js';
import type { Collective } from '../../server/collectives/schema.js';
import { type Activity, findLastOfSubject } from '../activities.js';
import type { Federation } from '../federation.js';
import type { Announced, Draft } from '../outbox.js';
import { type Json, publicAudienceOf } from '../wire/namespace.js';
import { toNote, toTombstone } from '../wire/note.js';
import {
  hashtagsOf,
  hostedServiceIri,
  type ServiceNoteFrame,
  type ServiceOccasion,
  toHostedService,
  toServiceHtml,
} from '../wire/service.js';

type ServiceEvent = Announced<'service.published' | 'service.updated' | 'service.closed'>;

export async function announceService(federation: Federation, event: Announced<'service.published'>): Promise<Draft[]> {
  const known = await load(federation, event);
  return known ? [standing(federation, event, known, 'published')] : [];
}

export async function announceServiceChange(
  federation: Federation,
  event: Announced<'service.updated'>,
): Promise<Draft[]> {
  const known = await load(federation, event);
  return known ? [standing(federation, event, known, 'updated')] : [];
}

/** The Note is brought up to date, and a short one of its own says it to those who do not look at changes. */
export async function announceClosing(federation: Federation, event: Announced<'service.closed'>): Promise<Draft[]> {
  const known = await load(federation, event);
  if (!known) return [];
  const closing = closingNote(federation, event, known);
  return known.live === null ? [closing] : [standing(federation, event, known, 'updated'), closing];
}

export async function announceServiceGone(
  federation: Federation,
  event: Announced<'service.withdrawn'>,
): Promise<Draft[]> {
  const live = await findLive(federation, event.serviceId, event.eventId);
  if (live === null || live.objectIri === null) return [];
  const { followers } = federation.apex.streamsOf(live.actor);
  return [
    {
      ...frameOf(live.actor, subjectOf(event.serviceId), live.objectIri),
      type: 'Delete',
      object: {
        ...toTombstone(live.objectIri, 'Note', event.at),
        hostedService: hostedServiceIri(federation.house.site.baseUrl, event.serviceId),
      },
      ...publicAudienceOf(followers),
    },
  ];
}

interface Known {
  service: Service;
  collective: Collective;
  /** The last activity about its Note, if it has one that stands. */
  live: Activity | null;
}

/** Null: it is not to be seen (any more). */
async function load(federation: Federation, event: ServiceEvent): Promise<Known | null> {
  const { store } = federation.house;
  const service = await findService(store, event.serviceId);
  const collective = service === null ? null : await findCollective(store, service.collectiveId);
  if (service === null || collective === null) return null;
  if (!service.published || service.deletedAt !== null || !isPublic(collective)) return null;
  return { service, collective, live: await findLive(federation, service._id, event.eventId) };
}

async function findLive(federation: Federation, serviceId: string, before: string): Promise<Activity | null> {
  const last = await findLastOfSubject(federation, subjectOf(serviceId), before);
  return last === null || last.type === 'Delete' ? null : last;
}

/** Create, or Update of the Note that stands. */
function standing(federation: Federation, event: ServiceEvent, known: Known, occasion: ServiceOccasion): Draft {
  const { collective, live, service } = known;
  const iri = live?.objectIri ?? federation.apex.objectIri(event.eventId);
  const frame = noteFrame(federation, known);
  const note = noteOf(federation, known, {
    iri,
    html: toServiceHtml(service, occasion, frame),
    published: live === null ? event.at : (dateOf(live, 'published') ?? event.at),
    updated: live === null ? null : laterThan(live, event.at),
    hashtags: hashtagsOf(service, frame.baseUrl),
  });
  const hoster = federation.apex.actorIri(collective.handle);
  const hostedService = toHostedService(service, hoster, frame, federation.house.site.defaultLanguage);
  return draftOf(federation, known, subjectOf(service._id), live === null ? 'Create' : 'Update', {
    ...note,
    hostedService,
  });
}

function closingNote(federation: Federation, event: ServiceEvent, known: Known): Draft {
  const note = noteOf(federation, known, {
    iri: federation.apex.objectIri(`${event.eventId}-closed`),
    html: toServiceHtml(known.service, 'closed', noteFrame(federation, known)),
    published: event.at,
    updated: null,
    hashtags: [],
  });
  return draftOf(federation, known, `closing:${known.service._id}`, 'Create', note);
}

function noteOf(
  federation: Federation,
  { collective, service }: Known,
  parts: Pick<Parameters<typeof toNote>[0], 'iri' | 'html' | 'published' | 'updated' | 'hashtags'>,
): Json {
  const { apex, house } = federation;
  return toNote({
    ...parts,
    actor: apex.actorIri(collective.handle),
    followers: apex.streamsOf(collective.handle).followers,
    url: pageOf(federation, collective, service),
    language: house.site.defaultLanguage,
    mentions: [],
  });
}

function draftOf(
  federation: Federation,
  { collective }: Known,
  subject: string,
  type: 'Create' | 'Update',
  object: Json,
): Draft {
  const audience = publicAudienceOf(federation.apex.streamsOf(collective.handle).followers);
  return { ...frameOf(collective.handle, subject, String(object.id)), type, object, ...audience };
}

function frameOf(
  handle: string,
  subject: string,
  objectIri: string,
): Pick<Draft, 'actor' | 'subject' | 'objectIri' | 'toFollowers' | 'inboxes' | 'listed'> {
  return { actor: handle, subject, objectIri, toFollowers: true, inboxes: [], listed: true };
}

function noteFrame(federation: Federation, { collective, service }: Known): ServiceNoteFrame {
  const { i18n, site } = federation.house;
  return {
    baseUrl: site.baseUrl,
    url: pageOf(federation, collective, service),
    t: { fr: i18n.translator('fr'), en: i18n.translator('en') },
  };
}

function pageOf(federation: Federation, collective: Collective, service: Service): string {
  return `${federation.house.site.baseUrl}/@${collective.handle}/services/${service.slug}`;
}

/** Peers take a change only if its date is later than that of what they have. */
function laterThan(live: Activity, at: Date): Date {
  const before = dateOf(live, 'updated') ?? dateOf(live, 'published') ?? at;
  return new Date(Math.max(at.getTime(), before.getTime() + 1));
}

/** A date of the standing Note as it was last said. */
function dateOf(live: Activity, name: 'published' | 'updated'): Date | null {
  const object = JSON.parse(live.objectJson ?? '{}') as Json;
  const time = Date.parse(String(object[name]));
  return Number.isNaN(time) ? null : new Date(time);
}

function subjectOf(serviceId: string): string {
  return `service:${serviceId}`;
}
