// Who looks after reports, which steps are possible, and what an address of ours names. Pure: no store, no clock of its own.
import type { Actor, PersonActor, Site } from '../context.js';
import { DomainError } from '../errors.js';
import type { Outcome, Report, ReportStep } from './schema.js';

export function mayModerate(actor: Actor): actor is PersonActor {
  return actor?.kind === 'person' && actor.instanceRole !== null;
}

/** Refuses: not-found, since the administration does not exist for others. */
export function checkMayModerate(actor: Actor): PersonActor {
  if (!mayModerate(actor)) throw new DomainError('not-found', 'error.notFound');
  return actor;
}

/** Refuses: conflict. Another moderator was faster; the page from which the step comes shows an older state. */
export function checkReportVersion(report: Pick<Report, 'version'>, version: number): void {
  if (report.version !== version) throw changedMeanwhile();
}

export function changedMeanwhile(): DomainError {
  return new DomainError('conflict', 'moderation.error.changedMeanwhile');
}

export type Deed =
  | { what: 'taken' | 'released' | 'reopened' }
  | { what: 'closed'; outcome: Outcome; text: string }
  | { what: 'removed'; text: string };

/** The fields after a step. Refuses: conflict (it stands otherwise already). */
export function afterDeed(
  report: Pick<Report, 'status' | 'assignedTo'>,
  deed: Deed,
  by: string,
  now: Date,
): Partial<Pick<Report, 'status' | 'assignedTo' | 'outcome' | 'closedAt'>> {
  const wants = deed.what === 'reopened' ? 'closed' : 'open';
  if (report.status !== wants) throw changedMeanwhile();
  switch (deed.what) {
    case 'taken':
      if (report.assignedTo === by) throw changedMeanwhile();
      return { assignedTo: by };
    case 'released':
      if (report.assignedTo === null) throw changedMeanwhile();
      return { assignedTo: null };
    case 'reopened':
      return { status: 'open', outcome: null, closedAt: null };
    case 'closed':
      return { status: 'closed', outcome: deed.outcome, closedAt: now };
    case 'removed':
      return {};
  }
}

export function stepOf(deed: Deed, by: string, at: Date): ReportStep {
  const text = 'text' in deed ? deed.text : '';
  return { at, by, what: deed.what, text, outcome: deed.what === 'closed' ? deed.outcome : null };
}

/** Open reports of one server, and of all visitors together, beyond which no more are taken: a flood hides what matters. */
export const maxOpen = { server: 50, visitor: 300 } as const;

/** Reports made within this time of the first cause no further mail, in milliseconds. */
export const mailEveryMs = 15 * 60 * 1000;

export type Target =
  | { kind: 'actor'; handle: string }
  | { kind: 'service'; handle: string; slug: string }
  | { kind: 'post'; id: string }
  | { kind: 'other' };

const uuid = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})';
const actorPath = /^\/(?:@|actors\/)([a-z0-9_]{1,30})$/i;
const servicePath = /^\/@([a-z0-9_]{1,30})\/services\/([a-z0-9_-]{1,100})$/i;
const postPath = new RegExp(`^/(?:objects|@[a-z0-9_]{1,30}/posts)/${uuid}$`, 'i');

/** What an id or a page of ours names, by its form alone. Takes a path as well. Null: not ours. */
export function readTarget(site: Site, address: string): Target | null {
  if (!URL.canParse(address, site.baseUrl)) return null;
  const url = new URL(address, site.baseUrl);
  if (url.origin !== site.baseUrl) return null;
  const [, handle] = actorPath.exec(url.pathname) ?? [];
  if (handle !== undefined) return { kind: 'actor', handle: handle.toLowerCase() };
  const [, host, slug] = servicePath.exec(url.pathname) ?? [];
  if (host !== undefined && slug !== undefined) return { kind: 'service', handle: host.toLowerCase(), slug };
  const [, id] = postPath.exec(url.pathname) ?? [];
  return id === undefined ? { kind: 'other' } : { kind: 'post', id: id.toLowerCase() };
}
